//! One date on all items of a document: that of an import, or of a program that knows none of each.

use jiff::{SignedDuration, Timestamp};

use super::Judged;
use super::identity::Standing;
use crate::item::Item;

/// So many items do not happen to be published in the same second.
const ITEMS_MIN: usize = 5;

/// How old the date must be. A younger one may be true of all items, and keeps none from being told.
const OLDER_THAN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The date, long past at `now`, that all items of a document state, though some of them were not there when the others
/// were read: of those it cannot be true, and they would count as old by it.
pub(super) fn of_all(items: &[Judged], standings: &[Standing], now: Timestamp) -> Option<Timestamp> {
    let dated = |judged: &Judged| judged.candidate.item.published;
    let stamp = items.first().filter(|_| items.len() >= ITEMS_MIN).and_then(dated)?;
    let known = standings.iter().filter(|standing| standing.seen.is_some()).count();
    let is_of_all = items.iter().all(|judged| dated(judged) == Some(stamp));
    // Where most are unknown it is another document, which may be an old one.
    (is_of_all && known * 2 >= items.len() && now.duration_since(stamp) > OLDER_THAN).then_some(stamp)
}

/// Takes that date out of an item that was known, or stands above one that was: what comes up below them is old.
pub(super) fn erase(item: &mut Item, stamp: Timestamp) {
    for date in [&mut item.published, &mut item.updated] {
        *date = date.filter(|date| *date != stamp);
    }
}
