//! What adding and importing share: names, known addresses, and the way into the config and back out of it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::cli::At;
use crate::cli::reach::ask_daemon;
use crate::config::{self, Edit, NewAddress, NewSource, SourceAddress};
use crate::control::{Call, Reply};
use crate::desk::Desk;
use crate::item::{SourceName, link};

/// Where sources of the desk's own are written, beside the main file.
const FILE: &str = "local/sources.toml";

/// Longest name that is made up; the limit of names less room for a number.
const NAME_CHARS_MAX: usize = 56;

/// Words of addresses that say nothing.
const DULL: [&str; 8] = ["rss", "feed", "feeds", "xml", "atom", "index", "default", "json"];

/// What became of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Daemon {
    /// It has read the config again.
    Reloaded,
    /// None runs.
    Absent,
}

/// The sources of a desk by name and address.
pub(super) struct Known {
    names: HashSet<String>,
    addresses: HashMap<String, String>,
}

impl Known {
    pub(super) fn of(desk: &Desk) -> Self {
        let mut known = Self { names: HashSet::new(), addresses: HashMap::new() };
        for source in &desk.config.sources {
            let address = match &source.what {
                SourceAddress::Feed(url) | SourceAddress::Page { url, .. } => web(url.as_str()),
                SourceAddress::Telegram { channel, .. } => {
                    let name = channel.parse::<crate::source::telegram::ChannelName>();
                    channel_key(name.as_ref().map_or(channel.as_str(), |name| name.as_str()))
                }
            };
            known.note(source.name.as_str(), address);
        }
        known
    }

    /// The name of the source at this address.
    pub(super) fn at(&self, address: &NewAddress) -> Option<&str> {
        self.addresses.get(&key(address)).map(String::as_str)
    }

    /// Takes a source in.
    pub(super) fn add(&mut self, source: &NewSource) {
        self.note(source.name.as_str(), key(&source.address));
    }

    /// A name that no source has: the first of the candidates that is free, else the first with a number.
    pub(super) fn free_name(&self, candidates: &[String]) -> anyhow::Result<SourceName> {
        let mut fit: Vec<String> =
            candidates.iter().map(|text| slug(text)).filter(|name| !name.is_empty()).collect();
        if fit.is_empty() {
            fit.push("source".to_owned());
        }
        let first = fit.first().cloned().unwrap_or_default();
        let numbered = (2..).map(|number: u32| format!("{first}-{number}"));
        let free = fit.into_iter().chain(numbered).find(|name| !self.names.contains(name));
        free.and_then(|name| SourceName::new(&name)).context("no name can be made up: give one by `--name`")
    }

    /// Whether a source is called so.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn note(&mut self, name: &str, address: String) {
        self.names.insert(name.to_owned());
        self.addresses.entry(address).or_insert_with(|| name.to_owned());
    }
}

fn key(address: &NewAddress) -> String {
    match address {
        NewAddress::Feed(url) => web(url.as_str()),
        NewAddress::Telegram { channel, .. } => channel_key(channel),
    }
}

fn web(url: &str) -> String {
    link::normalise(url).unwrap_or_else(|| url.to_owned())
}

fn channel_key(channel: &str) -> String {
    format!("@{}", channel.to_ascii_lowercase())
}

/// A text as a name: what is neither letter of ASCII nor digit becomes a hyphen.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        if name.len() + word.len() > NAME_CHARS_MAX {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    name
}

/// Names that an address suggests: its site, then site and path.
pub(super) fn names_of(url: &url::Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    let host = ["www.", "feeds.", "rss."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(host);
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let site = if is_number { host } else { host.rsplit_once('.').map_or(host, |(site, _)| site) };
    let path = url.path().split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !DULL.contains(word));
    let path: Vec<&str> = path.filter(|word| !word.is_empty()).collect();
    vec![site.to_owned(), format!("{site} {}", path.join(" "))]
}

/// The file that sources are added to.
pub(super) fn file(at: &At) -> anyhow::Result<PathBuf> {
    let main = at.environment.working_directory.join(at.path()?);
    Ok(main.parent().context("the config lies in no folder")?.join(FILE))
}

/// Writes new sources, checks the whole config, hands it to a daemon that runs. When any of it refuses them the file
/// is as it was. Whoever adds at the same time waits until that is settled.
pub(super) async fn write(at: &At, sources: &[NewSource]) -> anyhow::Result<Daemon> {
    let path = file(at)?;
    let edit = Edit::append(&path, sources).with_context(|| format!("cannot write `{}`", path.display()))?;
    let taken = take(at, sources).await;
    if taken.is_err() {
        edit.undo().with_context(|| format!("cannot put `{}` back as it was", path.display()))?;
    }
    taken
}

async fn take(at: &At, sources: &[NewSource]) -> anyhow::Result<Daemon> {
    let desk = at.desk()?;
    let known = Known::of(&desk);
    for source in sources {
        // Of two at one address the one stands first that was there before.
        if let Some(name) = known.at(&source.address).filter(|name| *name != source.name.as_str()) {
            bail!(
                "`{name}` was added meanwhile and has the same address as `{}`, so nothing was added",
                source.name
            );
        }
    }
    if sources.iter().any(|source| !known.has_name(source.name.as_str())) {
        bail!(
            "`include` of `{}` does not cover `{FILE}`, so nothing was added: put \"local/*.toml\" into its list",
            desk.path.display()
        );
    }
    let socket = config::places(&at.path()?, &at.environment).socket;
    match ask_daemon(&socket, None, &Call::Reload).await? {
        None => Ok(Daemon::Absent),
        Some(Reply::Reload(verdict)) if verdict.accepted => Ok(Daemon::Reloaded),
        Some(Reply::Reload(verdict)) => {
            bail!("the daemon refuses the config, so nothing was added: {}", verdict.messages.join("; "))
        }
        Some(reply) => crate::cli::reach::unexpected(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_site_and_path_and_are_free() {
        let mut known = Known { names: HashSet::new(), addresses: HashMap::new() };
        for (address, expected) in [
            ("https://www.rfi.fr/fr/afrique/rss", "rfi"),
            ("https://www.rfi.fr/fr/afrique/rss.xml", "rfi-fr-afrique"),
            ("https://www.rfi.fr/feed", "rfi-2"),
            ("https://news.bbc.co.uk/rss", "news-bbc-co"),
            ("http://127.0.0.1:8080/rss", "127-0-0-1"),
        ] {
            let url = url::Url::parse(address).unwrap();
            let name = known.free_name(&names_of(&url)).unwrap();
            assert_eq!(name.as_str(), expected, "{address}");
            known.names.insert(expected.to_owned());
        }
        assert_eq!(known.free_name(&["Новости".to_owned()]).unwrap().as_str(), "source");
    }
}
