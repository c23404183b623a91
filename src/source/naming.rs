//! The keys of entries: which of guid, link, date and text names an entry, and what names it no longer because others
//! of its document have it too.

use std::collections::{HashMap, HashSet};

use super::Candidate;
use super::candidate::{Draft, fold, whole};
use crate::item::{Item, SeenKey, link};

/// Of a day, in UTC: a date that is a multiple of it states no time.
const DAY_SECONDS: i64 = 86_400;

/// A link as it identifies.
pub(super) fn identity_of(link: &str) -> String {
    link::normalise(link).unwrap_or_else(|| link.to_owned())
}

/// What several entries of one document have, so that it names none of them.
struct Shared {
    /// Guids beside different links.
    guids: HashSet<String>,
    /// Links that differ in their fragment alone.
    pages: HashSet<String>,
}

impl Shared {
    fn of(drafts: &[Draft], links: &[Option<String>]) -> Self {
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
        let parts = both().filter(|_| fragments);
        let parts =
            parts.filter_map(|(draft, link)| Some((link.as_deref()?, precise(draft, link.as_deref()?))));
        Self { guids, pages: owned(shared(parts)) }
    }
}

/// The keys of an entry: its own, and those that it shares with others of its document.
pub(super) struct Keys {
    pub(super) own: SeenKey,
    pub(super) common: Vec<SeenKey>,
    /// Of its link, as an alias.
    pub(super) link: Option<SeenKey>,
}

/// The keys of all entries of a document: of each the broadest that is its own. `texts` are those of what they say.
pub(super) fn keys(drafts: &[Draft], texts: &[SeenKey]) -> Vec<Keys> {
    let links: Vec<Option<String>> = drafts.iter().map(Draft::link).collect();
    let shared = Shared::of(drafts, &links);
    let entries = || drafts.iter().zip(&links).zip(texts);
    let mut keys: Vec<Keys> =
        entries().map(|((draft, link), text)| Keys::of(draft, link.as_deref(), *text, &shared)).collect();
    let several = of_several(drafts, texts, &keys);
    for (keys, ((draft, link), text)) in keys.iter_mut().zip(entries()) {
        if several.contains(&keys.own) {
            let between = between(draft.guid.as_deref(), draft.url.as_deref(), link.as_deref());
            keys.narrow(between, *text);
        }
    }
    keys
}

/// The keys that entries of different text have.
fn of_several(drafts: &[Draft], texts: &[SeenKey], keys: &[Keys]) -> HashSet<SeenKey> {
    let mut first: HashMap<SeenKey, (&Draft, SeenKey)> = HashMap::with_capacity(drafts.len());
    let mut several = HashSet::new();
    for ((draft, text), keys) in drafts.iter().zip(texts).zip(keys) {
        let (other, said) = *first.entry(keys.own).or_insert((draft, *text));
        if said != *text && !are_versions(other, draft) {
            several.insert(keys.own);
        }
    }
    several
}

/// Whether two entries of one key are versions of one, which a feed of Atom may show side by side (RFC 4287, 4.1.1).
fn are_versions(one: &Draft, other: &Draft) -> bool {
    let changed = one.updated.zip(other.updated).is_some_and(|(one, other)| one != other);
    let alike = one.guid.is_some() && !one.title.is_empty() && one.published == other.published;
    changed && alike && fold(&one.title) == fold(&other.title)
}

impl Keys {
    fn of(draft: &Draft, link: Option<&str>, text: SeenKey, shared: &Shared) -> Self {
        if let Some(post) = &draft.telegram {
            let name = format!("{}/{}", post.channel.to_lowercase(), post.message);
            return Self { own: SeenKey::new("telegram", &name), common: Vec::new(), link: None };
        }
        let is_part = |link: &&str| shared.pages.contains(*link);
        let part = link.filter(is_part).zip(draft.url.as_deref()).map(|(link, url)| part_of_page(url, link));
        let link_key = link.map(page);
        let alone = |own| Self { own, common: Vec::new(), link: part.or(link_key) };
        match (&draft.guid, link) {
            (Some(guid), link) if shared.guids.contains(guid) => {
                let own = link.map_or(text, |link| guid_beside(guid, draft.url.as_deref(), link));
                Self { common: vec![SeenKey::new("guid", guid)], ..alone(own) }
            }
            (Some(guid), _) => alone(SeenKey::new("guid", guid)),
            (None, Some(link)) => {
                // The front page names nothing: it shows another report every hour.
                let is_front = || draft.url.as_deref().is_some_and(link::is_front);
                // A day may have two reports of one title there.
                let has_time = draft.published.is_some_and(|date| date.as_second() % DAY_SECONDS != 0);
                let own = || if has_time { dated(draft, text) } else { text };
                match part.or_else(|| is_front().then(own)) {
                    Some(own) => Self { common: vec![page(link)], ..alone(own) },
                    None => alone(page(link)),
                }
            }
            (None, None) => alone(dated(draft, text)),
        }
    }

    /// Leaves what others of different text have, too, for the text.
    fn narrow(&mut self, between: Option<SeenKey>, text: SeenKey) {
        for shared in [Some(self.own), between].into_iter().flatten() {
            if !self.common.contains(&shared) {
                self.common.push(shared);
            }
        }
        self.own = text;
    }
}

/// The key of the page that an item links to, whatever its fragment.
pub fn page_key(item: &Item) -> Option<SeenKey> {
    item.url.as_deref().map(|url| page(&identity_of(url)))
}

/// The key of an entry without guid and link: title and stated date, or what it says.
fn dated(draft: &Draft, text: SeenKey) -> SeenKey {
    match draft.published {
        Some(date) if !draft.reckoned && !draft.title.trim().is_empty() => {
            SeenKey::new("dated", &format!("{}\n{date}", fold(&draft.title)))
        }
        Some(_) | None => text,
    }
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

/// What names an entry where its guid or its link alone does not, and its text need not yet: the guid with the link, or
/// the fragment of the link.
fn between(guid: Option<&str>, url: Option<&str>, link: Option<&str>) -> Option<SeenKey> {
    let (url, link) = url.zip(link)?;
    match guid {
        Some(guid) => Some(guid_beside(guid, Some(url), link)),
        None => link::with_fragment(url, link).map(|_| part_of_page(url, link)),
    }
}

/// The keys of an item whose own one turned out to be shared by others in an earlier document, the broadest first.
pub fn narrow(candidate: &Candidate) -> Vec<SeenKey> {
    let item = &candidate.item;
    let text = match candidate.aliases.filter(|_| !candidate.is_told_by_guid_alone()) {
        Some(aliases) => aliases.fingerprint,
        None => whole(&item.title, &item.text),
    };
    let link = item.url.as_deref().map(identity_of);
    let between = between(item.guid.as_deref(), item.url.as_deref(), link.as_deref());
    let mut keys: Vec<SeenKey> = between.into_iter().chain([text]).collect();
    if let Some(place) = keys.iter().position(|key| *key == candidate.key) {
        keys.drain(..=place);
    }
    keys
}

/// The values that occur with more than one companion.
fn shared<'a, C: PartialEq>(pairs: impl Iterator<Item = (&'a str, C)>) -> HashSet<&'a str> {
    let mut companions: HashMap<&str, C> = HashMap::with_capacity(pairs.size_hint().1.unwrap_or_default());
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
