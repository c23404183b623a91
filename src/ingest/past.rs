//! What a source showed before, as far as it is stored, and whether an item of a document is of it.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::Judged;
use super::identity::{By, CHANGES_MAX, Claim, Standing};
use crate::item::{Item, ItemId, link};
use crate::store::{Day, SourceState, StoreError, Transaction};
use crate::text;

/// Fewest items that make a document that was given new names as a whole.
pub(super) const RENAMED_MIN: usize = 3;

/// Two reports under one link, or of one text without a link, are one that was edited unless their times are further
/// apart: the dates that they state, else when each was found.
const EDITED_WITHIN: SignedDuration = SignedDuration::from_hours(12);

/// The items that a source showed before, as far as they are stored.
pub(super) struct Past<'a> {
    pub(super) tx: &'a dyn Transaction,
    /// As the last poll left it.
    pub(super) state: &'a SourceState,
    pub(super) now: Timestamp,
}

impl Past<'_> {
    /// Whether these are most of what the source showed last: a move may also make its page longer.
    pub(super) fn moved<'c>(&self, claims: impl Iterator<Item = &'c Claim>) -> bool {
        let day = self.state.last_shown.map(Day::of);
        let moved = claims.filter(|claim| day.is_some_and(|day| claim.seen.last >= day)).count();
        let shown = usize::try_from(self.state.items_last).unwrap_or(usize::MAX);
        // More than it showed last cannot all have been on that page.
        (RENAMED_MIN..=shown).contains(&moved) && 2 * moved > shown
    }

    /// Whether an item that shares its link or its text with a known one states another time, as what a site gave another
    /// name does not. Where nothing is stored of the known one, it is no later than the day on which it was found.
    pub(super) fn is_of_another_time(&self, judged: &Judged, claim: Claim) -> Result<bool, StoreError> {
        let stated = judged.candidate.item.published.filter(|_| matches!(claim.by, By::Link | By::Text));
        let Some(now) = stated else { return Ok(false) };
        let id = ItemId::new(&self.state.name, claim.owner);
        let stored = self.tx.item(id, claim.seen.first)?;
        Ok(stored
            .map_or(Day::of(now) > claim.seen.first, |stored| are_apart(stored.item.published, Some(now))))
    }

    /// Whether an item of a known text is the known one with another date. One whose dates change again and again says
    /// nothing by them.
    pub(super) fn is_redated(&self, judged: &Judged, claim: Claim) -> Result<bool, StoreError> {
        Ok(claim.seen.changes >= CHANGES_MAX || self.is_near(judged, claim)?)
    }

    /// Whether what has the link of a known item, and its number as that of a version, is that item: a page may be of another
    /// report every day.
    pub(super) fn is_version(&self, judged: &Judged, claim: Claim) -> Result<bool, StoreError> {
        let now = &judged.candidate.item;
        let stored = self.tx.item(ItemId::new(&self.state.name, claim.owner), claim.seen.first)?;
        Ok(stored.is_none_or(|stored| {
            let before = &stored.item;
            let titles = [&before.title, &now.title].map(|title| text::folded(title));
            before.published.is_some() && before.published == now.published || !are_unlike(&titles)
        }))
    }

    /// Whether an item of a known text, which is more than a title, and another link states the very time of the known one.
    pub(super) fn is_relinked(&self, judged: &Judged, claim: Claim) -> Result<bool, StoreError> {
        let now = &judged.candidate.item;
        if now.url.is_none() || now.text.is_empty() || now.published.is_none() {
            return Ok(false);
        }
        let stored = self.tx.item(ItemId::new(&self.state.name, claim.owner), claim.seen.first)?;
        Ok(stored.is_some_and(|stored| stored.item.published == now.published))
    }

    /// Whether what has a known guid, and a link and a text of its own, is another report than the known one: its title is
    /// another, too, and so is its date. One that stands alone in its document (`lone`) needs no dates to tell them apart.
    pub(super) fn is_another(
        &self,
        standing: &Standing,
        judged: &Judged,
        lone: bool,
    ) -> Result<bool, StoreError> {
        let Some(seen) = standing.seen else { return Ok(false) };
        let id = ItemId::new(&self.state.name, standing.owner);
        let now = &judged.candidate.item;
        let Some(stored) = self.tx.item(id, seen.first)? else {
            // The known one is no later than the day on which it was found.
            return Ok(lone || now.published.is_some_and(|now| Day::of(now) > seen.first));
        };
        let before = &stored.item;
        let apart = before.published.zip(now.published).map(|(before, now)| now.duration_since(before).abs());
        let titles = [&before.title, &now.title].map(|title| text::folded(title));
        let soon = lone || are_unlike(&titles);
        let is_redated = apart.map_or(lone, |apart| apart > EDITED_WITHIN || soon && !apart.is_zero());
        let [before, now] = titles;
        Ok(is_redated && before != now)
    }

    /// Whether an item is of about the time of the known one that it may be: not when nothing is stored of that, from
    /// which an edit could be told.
    pub(super) fn is_near(&self, judged: &Judged, claim: Claim) -> Result<bool, StoreError> {
        let id = ItemId::new(&self.state.name, claim.owner);
        let Some(stored) = self.tx.item(id, claim.seen.first)? else { return Ok(false) };
        let then = stored.item.published.unwrap_or(stored.fetched);
        // A date that was not believed then says nothing now.
        let stated = judged.candidate.item.published.filter(|_| stored.item.published.is_some());
        Ok(stated.unwrap_or(self.now).duration_since(then).abs() <= EDITED_WITHIN)
    }
}

/// Whether two folded titles share less than half of the words of the shorter one.
fn are_unlike([one, other]: &[String; 2]) -> bool {
    let words = |title: &'_ str| title.split_whitespace().map(str::to_owned).collect::<HashSet<_>>();
    let (one, other) = (words(one), words(other));
    2 * one.intersection(&other).count() < one.len().min(other.len())
}

/// Whether both state a time, and not about the same.
pub(super) fn are_apart(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    one.zip(other).is_some_and(|(one, other)| other.duration_since(one).abs() > EDITED_WITHIN)
}

/// Most digits of the number of a version in a guid. What has more of them is a name: that of a post, or a time.
const VERSION_DIGITS_MAX: usize = 3;

/// Whether the guid of an item is its link and the number of its version (BBC): with another number it is an edit.
pub(super) fn counts_edits(item: &Item) -> bool {
    let guid = item.guid.as_deref().and_then(|guid| guid.rsplit_once('#'));
    guid.zip(item.url.as_deref()).is_some_and(|((base, number), url)| {
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let base = link::normalise(base).filter(|_| is_number);
        (1..=VERSION_DIGITS_MAX).contains(&number.len()) && base.is_some() && base == link::normalise(url)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_counts_edits_where_it_is_the_link_and_a_small_number() {
        let page = "https://www.bbc.co.uk/news/articles/c1";
        let link = "https://bbc.co.uk/news/articles/c1?at_medium=RSS&at_campaign=rss";
        for (guid, url, expected) in [
            (Some(format!("{page}#0")), Some(link), true),
            (Some(format!("{page}#12")), Some(link), true),
            (Some(format!("{page}#1764500000")), Some(link), false),
            (Some(format!("{page}#post-1")), Some(link), false),
            (Some(format!("{page}#")), Some(link), false),
            (Some(page.to_owned()), Some(link), false),
            (Some(format!("{page}2#0")), Some(link), false),
            (Some("c1#0".to_owned()), Some("c1"), false),
            (Some(format!("{page}#0")), None, false),
            (None, Some(link), false),
        ] {
            let item = Item { guid: guid.clone(), url: url.map(str::to_owned), ..Item::of_text("", "") };
            assert_eq!(counts_edits(&item), expected, "{guid:?} {url:?}");
        }
    }
}
