//! What an item's stated date is worth beside the time at which it was first seen.
//!
//! Whether an item is new is never decided by its date; this only tells people, and orders.

use jiff::{SignedDuration, Timestamp};

use super::Item;

/// An item dated so much before its source was last read without it was published late, or under an old date.
const BACKDATED_BY: SignedDuration = SignedDuration::from_hours(24);

/// What is odd about an item's date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dating {
    /// Nothing.
    #[default]
    Plain,
    /// It states none, or none that can be read: the time of the first sight stands in.
    Undated,
    /// It is still to come.
    Future,
    /// The source was read long after it, and the item was not there.
    Backdated,
}

impl Dating {
    /// Judges the date of an item that was fetched at `now`; `unseen` is when its source was last read without it.
    pub fn of(item: &Item, now: Timestamp, unseen: Option<Timestamp>) -> Self {
        let Some(stated) = item.published.or(item.updated) else { return Self::Undated };
        if stated > now {
            return Self::Future;
        }
        let late = unseen.is_some_and(|unseen| unseen.duration_since(stated) > BACKDATED_BY);
        if late { Self::Backdated } else { Self::Plain }
    }

    /// The word in JSON; none where nothing is odd.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Undated => Some("undated"),
            Self::Future => Some("future"),
            Self::Backdated => Some("backdated"),
        }
    }

    /// What the word means; nothing odd for one of a later version.
    pub fn from_word(word: Option<&str>) -> Self {
        [Self::Undated, Self::Future, Self::Backdated]
            .into_iter()
            .find(|dating| dating.word() == word)
            .unwrap_or_default()
    }
}

/// The time by which an item is ordered: when it was published, as stated, and never later than it was first seen.
pub fn ordered_by(item: &Item, first_seen: Timestamp) -> Timestamp {
    item.published.map_or(first_seen, |published| published.min(first_seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn i10_i11_odd_dates_are_named_and_order_by_the_first_sight() {
        for (published, unseen, expected, order) in [
            (None, None, Dating::Undated, 0),
            (Some(at(1)), None, Dating::Future, 0),
            (Some(at(-1)), Some(at(-2)), Dating::Plain, -1),
            (Some(at(-20)), Some(at(-1)), Dating::Plain, -20),
            (Some(at(-30)), Some(at(-1)), Dating::Backdated, -30),
            (Some(at(-30)), None, Dating::Plain, -30),
        ] {
            let item = Item { published, ..Item::of_text("a", "b") };
            let dating = Dating::of(&item, at(0), unseen);
            assert_eq!((dating, ordered_by(&item, at(0))), (expected, at(order)), "{published:?}");
            assert_eq!(Dating::from_word(dating.word()), dating);
        }
    }
}
