//! The keys of entries: which of guid, link, date and text names an entry, and what names it no longer because others
//! of its document have it too.

use std::collections::{HashMap, HashSet};

use super::Candidate;
use super::candidate::{Draft, fold};
use crate::item::{SeenKey, link};

/// A link as it identifies.
pub(super) fn identity_of(link: &str) -> String {
    link::normalise(link).unwrap_or_else(|| link.to_owned())
}

/// What several entries of one document have, so that it names none of them.
pub(super) struct Shared {
    /// Guids beside different links.
    guids: HashSet<String>,
    /// Links of entries of different text that have no guid (the home page in every entry).
    links: HashSet<String>,
    /// Links that differ in their fragment alone.
    pages: HashSet<String>,
}

impl Shared {
    pub(super) fn of(drafts: &[Draft]) -> Self {
        let precise = |draft: &Draft| {
            let link = draft.link()?;
            Some(draft.url.as_deref().and_then(|url| link::with_fragment(url, &link)).unwrap_or(link))
        };
        let guids = drafts.iter().filter_map(|d| Some((d.guid.clone()?, precise(d).unwrap_or_default())));
        let without_guid = drafts.iter().filter(|draft| draft.guid.is_none());
        let links = without_guid.filter_map(|d| Some((d.link()?, fold(&d.title))));
        // Hardly any feed has fragments at all.
        let fragments = drafts.iter().any(|draft| draft.url.as_deref().is_some_and(|url| url.contains('#')));
        let pages = drafts.iter().filter(|_| fragments).filter_map(|d| Some((d.link()?, precise(d)?)));
        Self { guids: shared(guids), links: shared(links), pages: shared(pages) }
    }
}

/// The keys of an entry: its own, and the one that it shares with others of its document.
pub(super) struct Keys {
    pub(super) own: SeenKey,
    pub(super) common: Option<SeenKey>,
    /// Of its link, as an alias.
    pub(super) link: Option<SeenKey>,
}

impl Keys {
    pub(super) fn of(draft: &Draft, shared: &Shared) -> Self {
        if let Some(post) = &draft.telegram {
            let name = format!("{}/{}", post.channel.to_lowercase(), post.message);
            return Self { own: SeenKey::new("telegram", &name), common: None, link: None };
        }
        let link = draft.link();
        let part = || {
            let link = link.as_ref().filter(|link| shared.pages.contains(*link))?;
            Some(part_of_page(draft.url.as_deref()?, link))
        };
        let link_key = link.as_ref().map(|link| SeenKey::new("link", link));
        let part = part();
        let alone = |own| Self { own, common: None, link: part.or(link_key) };
        match (&draft.guid, &link) {
            (Some(guid), Some(link)) if shared.guids.contains(guid) => {
                let own = guid_beside(guid, draft.url.as_deref(), link);
                Self { common: Some(SeenKey::new("guid", guid)), ..alone(own) }
            }
            (Some(guid), _) => alone(SeenKey::new("guid", guid)),
            (None, Some(link)) => match (part, link_key) {
                (Some(part), _) => Self { common: link_key, ..alone(part) },
                (None, Some(key)) if !shared.links.contains(link) => alone(key),
                (None, _) => Self { common: link_key, ..alone(SeenKey::new("text", &draft.appearance())) },
            },
            (None, None) => alone(match draft.published {
                Some(date) if !draft.title.trim().is_empty() => {
                    SeenKey::new("dated", &format!("{}\n{date}", fold(&draft.title)))
                }
                Some(_) | None => SeenKey::new("text", &draft.appearance()),
            }),
        }
    }
}

/// The key of a guid that identifies together with its link alone.
fn guid_beside(guid: &str, url: Option<&str>, link: &str) -> SeenKey {
    let precise = url.and_then(|url| link::with_fragment(url, link));
    SeenKey::new("guid", &format!("{guid}\n{}", precise.as_deref().unwrap_or(link)))
}

/// The key of a part of a page, by the fragment that leads to it.
fn part_of_page(url: &str, link: &str) -> SeenKey {
    SeenKey::new("part", link::with_fragment(url, link).as_deref().unwrap_or(link))
}

/// The key of an item whose own one turned out to be shared by others in an earlier document.
pub fn narrow(candidate: &Candidate) -> SeenKey {
    let item = &candidate.item;
    let text = || candidate.aliases.map_or(candidate.key, |aliases| aliases.fingerprint);
    let Some(url) = item.url.as_deref() else { return text() };
    let link = identity_of(url);
    match &item.guid {
        Some(guid) => guid_beside(guid, Some(url), &link),
        None if link::with_fragment(url, &link).is_some() => part_of_page(url, &link),
        None => text(),
    }
}

/// The values that occur with more than one companion.
fn shared(pairs: impl Iterator<Item = (String, String)>) -> HashSet<String> {
    let mut companions: HashMap<String, String> = HashMap::new();
    let mut shared = HashSet::new();
    for (value, companion) in pairs {
        match companions.get(&value) {
            Some(known) if *known != companion => {
                shared.insert(value);
            }
            Some(_) => {}
            None => {
                companions.insert(value, companion);
            }
        }
    }
    shared
}
