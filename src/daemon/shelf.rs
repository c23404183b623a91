//! Articles that were read a short while ago, for the next entry that links to the same page.
//!
//! The feeds of one outlet show the same entries, minutes apart and with other tracking parameters; one request for a page
//! is enough for all of them (polling.md, G8). What a page says later may be news, so it stands here for an hour only.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::article::End;
use crate::desk::Source;
use crate::item::link;

/// How long an article stands here.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Most bytes of text and addresses kept: a few hundred articles.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// What one that has no text is counted as, in bytes.
const BYTES_LEAST: usize = 256;

/// What a page is known by: its address without what only says where a reader came from, and the way by which it is asked
/// for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    scheme: String,
    link: String,
    proxy: Option<Url>,
}

impl Spot {
    /// Of a page that a source links to; none where the source trusts authorities that nobody else does.
    pub(super) fn of(source: &Source, url: &str) -> Option<Self> {
        let scheme = Url::parse(url).ok()?.scheme().to_owned();
        let link = link::normalise(url).filter(|_| source.pinned.is_none())?;
        Some(Self { scheme, link, proxy: source.spec.proxy.clone() })
    }
}

/// An article as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Page {
    /// What its page said.
    pub(super) end: End,
    /// When it was read.
    pub(super) at: Timestamp,
    /// What the clock of its server showed.
    pub(super) clock: Option<Timestamp>,
}

/// The articles, by their pages.
#[derive(Default)]
pub(super) struct Shelf {
    pages: HashMap<Spot, Page>,
    bytes: usize,
}

impl Shelf {
    /// The article at that page, if it was read within the last hour.
    pub(super) fn get(&self, spot: &Spot, now: Timestamp) -> Option<&Page> {
        self.pages.get(spot).filter(|page| is_fresh(page, now))
    }

    /// Keeps what was read. What is too old goes, and then the oldest until the rest has room.
    pub(super) fn put(&mut self, spot: Spot, page: Page) {
        let now = page.at;
        self.pages.retain(|_, page| is_fresh(page, now));
        self.pages.insert(spot, page);
        self.bytes = self.pages.iter().map(|(spot, page)| size(spot, page)).sum();
        while self.bytes > BYTES_MAX {
            let oldest = self.pages.iter().min_by_key(|(_, page)| page.at).map(|(spot, _)| spot.clone());
            let Some((spot, page)) = oldest.and_then(|spot| self.pages.remove_entry(&spot)) else { return };
            self.bytes = self.bytes.saturating_sub(size(&spot, &page));
        }
    }
}

fn is_fresh(page: &Page, now: Timestamp) -> bool {
    now.duration_since(page.at).abs() <= KEPT_FOR
}

fn size(spot: &Spot, page: &Page) -> usize {
    let text = match &page.end {
        End::Used { text } => text.len(),
        End::Unfit(_) | End::Robots | End::Failed { .. } | End::Dropped => 0,
    };
    BYTES_LEAST + spot.link.len() + text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(n: usize) -> Spot {
        Spot { scheme: "https".into(), link: format!("a.example/{n}"), proxy: None }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    #[test]
    fn an_article_stands_for_an_hour_and_the_oldest_make_room() {
        let mut shelf = Shelf::default();
        let page = |bytes: usize, minute| {
            let end = End::Used { text: "x".repeat(bytes) };
            Page { end, at: at(minute), clock: None }
        };
        shelf.put(spot(0), page(10, 0));
        for (minute, expected) in [(0, true), (60, true), (61, false), (-61, false)] {
            assert_eq!(shelf.get(&spot(0), at(minute)).is_some(), expected, "{minute}");
        }
        assert_eq!(shelf.get(&spot(1), at(0)), None);
        for n in 1..60 {
            shelf.put(spot(n), page(BYTES_MAX / 20, i64::try_from(n).unwrap()));
            assert!(shelf.bytes <= BYTES_MAX);
        }
        let kept: Vec<bool> = (0..60).map(|n| shelf.get(&spot(n), at(59)).is_some()).collect();
        assert_eq!(kept, (0..60).map(|n| n > 40).collect::<Vec<_>>());
        shelf.put(spot(90), page(1, 200));
        assert_eq!((shelf.pages.len(), shelf.bytes), (1, size(&spot(90), &page(1, 200))));
    }
}
