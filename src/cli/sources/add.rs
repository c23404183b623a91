//! `harmattan sources add`: finds the feed behind an address, shows it, and adds it to the config.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::find::{self, Found};
use super::write::{self, Daemon, Known};
use crate::cli::At;
use crate::cli::print::{Exit, counted, json, line, plain, talk};
use crate::cli::reach::heed_orders;
use crate::config::{NewAddress, NewSource};
use crate::item::SourceName;
use crate::source::{Candidate, discover};

/// Titles shown of what a source has.
const TITLES_SHOWN: usize = 5;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Add {
    /// Address of a site, a feed or a Telegram channel (@name)
    url: String,
    /// Name of the source [default: made from the address]
    #[arg(long)]
    name: Option<String>,
    /// Language: two or three letters
    #[arg(long)]
    lang: Option<String>,
    /// Labels for rules and routes, parted by commas
    #[arg(long, value_delimiter = ',')]
    tags: Vec<String>,
    /// 1 wire or official, 2 press, 3 unverified
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    tier: Option<u8>,
    /// Do not ask before writing
    #[arg(long)]
    yes: bool,
    /// Show what would be added and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print what was found and done as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn add(at: &At, options: &Add) -> anyhow::Result<Exit> {
    let desk = Arc::new(at.desk()?);
    let known = Known::of(&desk);
    // What is known already, or no source can have, need not be asked for.
    refuse_known(&known, &stated(&options.url)?)?;
    heed_orders(&desk).await;
    let found = Box::pin(find::find(&desk, &options.url)).await?;
    refuse_known(&known, &found.address)?;
    if let NewAddress::Feed(url) = &found.address
        && discover::is_of_comments(url)
    {
        talk(format!("`{url}` is, by its address, a feed of comments"));
    }
    let source = NewSource {
        name: name(options, &known, &found.address)?,
        address: found.address.clone(),
        lang: options.lang.clone().or_else(|| language(&found)),
        tags: options.tags.iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect(),
        tier: options.tier,
        enabled: true,
    };
    let file = write::file(at)?;
    if !options.json {
        show(&found)?;
        line("")?;
        source.toml().lines().try_for_each(line)?;
    }
    let asked = !options.yes && !options.dry_run && io::stdin().is_terminal() && io::stderr().is_terminal();
    let wanted = !options.dry_run && (!asked || agreed(&file.display().to_string())?);
    let daemon = if wanted { Some(write::write(at, std::slice::from_ref(&source)).await?) } else { None };
    if options.json {
        return told_as_json(&found, &source, daemon);
    }
    talk(match daemon {
        None => "nothing was written".to_owned(),
        Some(Daemon::Reloaded) => format!("added to `{}`; the daemon has taken it", file.display()),
        Some(Daemon::Absent) => format!("added to `{}`; no daemon runs", file.display()),
    });
    Ok(Exit::Done)
}

/// The address as it stands.
fn stated(text: &str) -> anyhow::Result<NewAddress> {
    let text = find::without_feed(text.trim());
    match find::channel(text).transpose()? {
        Some(channel) => Ok(NewAddress::Telegram { channel: channel.as_str().to_owned(), host: None }),
        None => find::address(text).map(NewAddress::Feed),
    }
}

fn refuse_known(known: &Known, address: &NewAddress) -> anyhow::Result<()> {
    match known.at(address) {
        Some(name) => bail!("`{}` is a source already: `{name}`", shown(address)),
        None => Ok(()),
    }
}

fn name(options: &Add, known: &Known, address: &NewAddress) -> anyhow::Result<SourceName> {
    if let Some(name) = &options.name {
        if known.has_name(name) {
            bail!("a source is called `{name}` already: give another `--name`");
        }
        let named = SourceName::new(name);
        return named.with_context(|| {
            format!("`{name}` is no name of a source: write up to 64 of `a-z`, `0-9` and `-`")
        });
    }
    known.free_name(&match address {
        NewAddress::Feed(url) => write::names_of(url),
        NewAddress::Telegram { channel, .. } => vec![channel.clone(), format!("telegram-{channel}")],
    })
}

/// The language that all items state.
fn language(found: &Found) -> Option<String> {
    let mut languages = found.reading.items.iter().map(|candidate| candidate.item.lang.as_deref());
    let first = languages.next().flatten()?;
    let fits = matches!(first.len(), 2 | 3) && first.bytes().all(|byte| byte.is_ascii_lowercase());
    (fits && languages.all(|lang| lang == Some(first))).then(|| first.to_owned())
}

fn shown(address: &NewAddress) -> String {
    match address {
        NewAddress::Feed(url) => url.to_string(),
        NewAddress::Telegram { channel, .. } => format!("@{channel}"),
    }
}

/// The items, the newest first; undated ones as they stand.
fn newest(found: &Found) -> Vec<&Candidate> {
    let mut items: Vec<&Candidate> = found.reading.items.iter().collect();
    items.sort_by_key(|candidate| std::cmp::Reverse(candidate.item.published));
    items.truncate(TITLES_SHOWN);
    items
}

fn title(candidate: &Candidate) -> String {
    let item = &candidate.item;
    plain(if item.title.is_empty() { &item.text } else { &item.title }, 75)
}

fn show(found: &Found) -> anyhow::Result<()> {
    let items = counted(found.reading.items.len(), ["item", "items"]);
    line(format!("{}: {items}", shown(&found.address)))?;
    for candidate in newest(found) {
        let date = candidate.item.published;
        let date = date
            .map_or_else(|| "undated          ".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string());
        line(format!("  {date}  {}", title(candidate)))?;
    }
    for problem in &found.reading.problems {
        talk(format!("{}: {}", problem.kind.as_str(), plain(&problem.detail, 200)));
    }
    for other in &found.others {
        talk(format!("the site also has {other}"));
    }
    Ok(())
}

/// Asks the person at the terminal.
fn agreed(file: &str) -> anyhow::Result<bool> {
    talk(format!("add this to `{file}`? [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn told_as_json(found: &Found, source: &NewSource, daemon: Option<Daemon>) -> anyhow::Result<Exit> {
    let newest = newest(found);
    let problems: Vec<String> = found
        .reading
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.kind.as_str(), problem.detail))
        .collect();
    json(&serde_json::json!({
        "name": source.name.as_str(),
        "address": shown(&found.address),
        "lang": source.lang,
        "tags": source.tags,
        "items": found.reading.items.len(),
        "newest": newest.iter().filter_map(|candidate| candidate.item.published).max().map(|at| at.to_string()),
        "titles": newest.iter().map(|candidate| title(candidate)).collect::<Vec<_>>(),
        "problems": problems,
        "others": found.others.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "added": daemon.is_some(),
        "reloaded": daemon == Some(Daemon::Reloaded),
    }))?;
    Ok(Exit::Done)
}
