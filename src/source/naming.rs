//! The keys of entries: which of guid, link, date and text names an entry, and what names it no longer because others
//! of its document have it too.

use std::collections::{HashMap, HashSet};

use super::Candidate;
use super::candidate::{Draft, fold};
use crate::item::{Item, SeenKey, link};

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
    pub(super) fn of(drafts: &[Draft], links: &[Option<String>]) -> Self {
        let both = || drafts.iter().zip(links);
        // Hardly any feed has fragments at all.
        let fragments = drafts.iter().any(|draft| draft.url.as_deref().is_some_and(|url| url.contains('#')));
        let precise = |draft: &Draft, link: &str| {
            let url = draft.url.as_deref().filter(|_| fragments);
            url.and_then(|url| link::with_fragment(url, link))
        };
        let guids = both().filter_map(|(draft, link)| {
            let link = link.as_deref().unwrap_or_default();
            Some((draft.guid.as_deref()?, (link, precise(draft, link))))
        });
        let guids = owned(shared(guids));
        let without_guid = both().filter(|(draft, _)| draft.guid.is_none());
        let titles = without_guid.filter_map(|(draft, link)| Some((link.as_deref()?, fold(&draft.title))));
        let titles = owned(shared(titles));
        let parts = both().filter(|_| fragments);
        let parts =
            parts.filter_map(|(draft, link)| Some((link.as_deref()?, precise(draft, link.as_deref()?))));
        Self { guids, links: titles, pages: owned(shared(parts)) }
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
    pub(super) fn of(draft: &Draft, link: Option<&str>, appearance: &str, shared: &Shared) -> Self {
        if let Some(post) = &draft.telegram {
            let name = format!("{}/{}", post.channel.to_lowercase(), post.message);
            return Self { own: SeenKey::new("telegram", &name), common: None, link: None };
        }
        let is_part = |link: &&str| shared.pages.contains(*link);
        let part = link.filter(is_part).zip(draft.url.as_deref()).map(|(link, url)| part_of_page(url, link));
        let link_key = link.map(page);
        let alone = |own| Self { own, common: None, link: part.or(link_key) };
        match (&draft.guid, link) {
            (Some(guid), Some(link)) if shared.guids.contains(guid) => {
                let own = guid_beside(guid, draft.url.as_deref(), link);
                Self { common: Some(SeenKey::new("guid", guid)), ..alone(own) }
            }
            (Some(guid), _) => alone(SeenKey::new("guid", guid)),
            (None, Some(link)) => match (part, link_key) {
                (Some(part), _) => Self { common: link_key, ..alone(part) },
                (None, Some(key)) if !shared.links.contains(link) => alone(key),
                (None, _) => Self { common: link_key, ..alone(SeenKey::new("text", appearance)) },
            },
            (None, None) => alone(match draft.published {
                Some(date) if !draft.reckoned && !draft.title.trim().is_empty() => {
                    SeenKey::new("dated", &format!("{}\n{date}", fold(&draft.title)))
                }
                Some(_) | None => SeenKey::new("text", appearance),
            }),
        }
    }
}

/// The key of the page that an item links to, whatever its fragment.
pub fn page_key(item: &Item) -> Option<SeenKey> {
    item.url.as_deref().map(|url| page(&identity_of(url)))
}

fn page(link: &str) -> SeenKey {
    SeenKey::new("link", link)
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
fn shared<'a, C: PartialEq>(pairs: impl Iterator<Item = (&'a str, C)>) -> HashSet<&'a str> {
    let mut companions: HashMap<&str, C> = HashMap::new();
    let mut shared = HashSet::new();
    for (value, companion) in pairs {
        match companions.get(value) {
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

fn owned(values: HashSet<&str>) -> HashSet<String> {
    values.into_iter().map(str::to_owned).collect()
}
