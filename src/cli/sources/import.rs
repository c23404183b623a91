//! `harmattan sources import`: adds the feeds and channels of an OPML list, all or none.

use std::fs::File;
use std::io::{self, Read as _};

use anyhow::{Context as _, bail};

use super::find;
use super::write::{self, Daemon, Known};
use crate::cli::At;
use crate::cli::print::{Exit, json, line, plain, talk};
use crate::config::{NewAddress, NewSource};
use crate::source::opml::{self, List, Outline};

/// Greatest size of a list.
const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Import {
    /// The list; `-` reads standard input
    #[arg(value_name = "OPML")]
    file: String,
    /// Show what would be added and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one line of JSON per source that is added
    #[arg(long)]
    json: bool,
}

pub(super) async fn import(at: &At, options: &Import) -> anyhow::Result<Exit> {
    let bytes = bytes(&options.file).with_context(|| format!("cannot read `{}`", options.file))?;
    let List { mut outlines, refused } =
        opml::read(&bytes).with_context(|| format!("cannot read `{}`", options.file))?;
    // Of two at one address the one that is on counts.
    outlines.sort_by_key(|outline| outline.is_off);
    let mut known = Known::of(&at.desk()?);
    let mut new = Vec::new();
    let mut skipped = refused.len();
    for why in refused {
        talk(format!("skipped: {why}"));
    }
    for outline in outlines {
        let address = match address(&outline) {
            Ok(address) => address,
            Err(why) => {
                talk(format!("skipped: {why}"));
                skipped += 1;
                continue;
            }
        };
        if let Some(name) = known.at(&address) {
            talk(format!("skipped: `{}` is source `{name}` already", outline.url));
            skipped += 1;
            continue;
        }
        let source = source(outline, address, &known)?;
        known.add(&source);
        new.push(source);
    }
    let written = !options.dry_run && !new.is_empty();
    let daemon = if written { Some(write::write(at, &new).await?) } else { None };
    for source in &new {
        if options.json {
            let address = match &source.address {
                NewAddress::Feed(url) => url.to_string(),
                NewAddress::Telegram { channel, .. } => format!("@{channel}"),
            };
            json(&serde_json::json!({
                "name": source.name.as_str(), "address": address, "tags": source.tags, "added": written,
            }))?;
        } else if options.dry_run {
            line(source.toml())?;
        } else {
            line(plain(source.name.as_str(), 64))?;
        }
    }
    let done = if options.dry_run { "would be added" } else { "added" };
    let off = match new.iter().filter(|source| !source.enabled).count() {
        0 => String::new(),
        1 => " (1 switched off, as the list comments it out)".to_owned(),
        more => format!(" ({more} switched off, as the list comments them out)"),
    };
    let reloaded = if daemon == Some(Daemon::Reloaded) { "; the daemon has taken them" } else { "" };
    talk(format!("{} {done}{off}, {skipped} skipped{reloaded}", new.len()));
    Ok(Exit::Done)
}

fn bytes(file: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == "-" {
        io::stdin().lock().take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > LIST_BYTES_MAX {
        bail!("it is larger than 16 MiB");
    }
    Ok(bytes)
}

/// Where a feed of the list is; readers keep channels of Telegram by the address of their preview.
fn address(outline: &Outline) -> anyhow::Result<NewAddress> {
    Ok(match find::channel(outline.url.as_str()).transpose()? {
        Some(channel) => NewAddress::Telegram { channel: channel.as_str().to_owned(), host: None },
        None => NewAddress::Feed(outline.url.clone()),
    })
}

fn source(outline: Outline, address: NewAddress, known: &Known) -> anyhow::Result<NewSource> {
    // A title of another script than Latin makes no name.
    let titled = outline.title.chars().all(|c| c.is_ascii() || !c.is_alphabetic()).then_some(outline.title);
    let names: Vec<String> = titled.into_iter().chain(write::names_of(&outline.url)).collect();
    let name = known.free_name(&names)?;
    Ok(NewSource {
        name,
        address,
        lang: outline.lang,
        tags: outline.tags,
        tier: None,
        enabled: !outline.is_off,
    })
}
