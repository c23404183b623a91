//! Which items are read of a document that has more than [`ITEMS_PER_DOCUMENT_MAX`]: the newest. Publishers show
//! those first, but some write an archive that grows at its end.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::facts::Facts;
use super::lexer::{Lexer, Token};
use super::root::Root;
use crate::source::ITEMS_PER_DOCUMENT_MAX;

/// Where the newest items of a document are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newest {
    /// At its beginning, also where their dates do not tell.
    First,
    /// At its end.
    Last,
}

impl Newest {
    /// Judges by the dates of items, in the order of the document.
    ///
    /// Neighbours do not tell: a site may show its days newest first, and each from morning to evening. So every item
    /// of the first half is held against the one as far into the second half, and three of four must be older.
    pub(super) fn of(dates: &[Timestamp]) -> Self {
        let half = dates.len() / 2;
        let pairs = || dates.iter().zip(dates.iter().skip(half)).take(half);
        let later = pairs().filter(|(first, second)| first < second).count();
        if half > 0 && later * 4 > half * 3 { Self::Last } else { Self::First }
    }

    /// The word for a problem.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

/// The items of a list that has no end in sight: as many as are read from its beginning, and as many from its end.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ends {
    first: Vec<Facts>,
    /// Of those that follow.
    last: VecDeque<Facts>,
    found: usize,
}

impl Ends {
    /// Adds the next item.
    pub(super) fn push(&mut self, item: Facts) {
        self.found += 1;
        if self.first.len() < ITEMS_PER_DOCUMENT_MAX {
            self.first.push(item);
            return;
        }
        if self.last.len() >= ITEMS_PER_DOCUMENT_MAX {
            self.last.pop_front();
        }
        self.last.push_back(item);
    }

    /// How many items the list has.
    pub(super) fn found(&self) -> usize {
        self.found
    }

    /// Those of both ends, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Facts> {
        self.first.iter().chain(&self.last)
    }

    /// As many as are read, from one end.
    pub(super) fn at(self, newest: Newest) -> impl Iterator<Item = Facts> {
        let over = match newest {
            Newest::First => 0,
            Newest::Last => self.last.len(),
        };
        self.first.into_iter().chain(self.last).skip(over).take(ITEMS_PER_DOCUMENT_MAX)
    }
}

/// The document without so many of its first items; `None` when it has not so many.
pub(super) fn without_first(text: &str, items: usize) -> Option<String> {
    let mut tokens = Lexer::new(text);
    let root = loop {
        if let Token::Start(tag) = tokens.next()?
            && let Some(root) = Root::of(tag)
        {
            break root;
        }
    };
    let mut places = std::iter::from_fn(|| {
        loop {
            let place = tokens.place();
            if matches!(tokens.next()?, Token::Start(tag) if root.is_item(tag.name) || root.is_other_item(tag.name))
            {
                return Some(place);
            }
        }
    });
    let (head, rest) = (places.next()?, places.nth(items.checked_sub(1)?)?);
    Some([text.get(..head)?, text.get(rest..)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_items_are_where_most_dates_say() {
        let hour = |hour: i64| Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap();
        let judged = |hours: &[i64]| Newest::of(&hours.iter().map(|&at| hour(at)).collect::<Vec<_>>());
        for (hours, newest) in [
            (&[][..], Newest::First),
            (&[1], Newest::First),
            (&[1, 2], Newest::Last),
            (&[1, 2, 3, 5, 4, 6, 8, 7], Newest::Last),
            (&[8, 7, 6, 5, 4, 3, 2, 1], Newest::First),
            (&[50, 51, 52, 25, 26, 27, 1, 2, 3], Newest::First),
            (&[1, 8, 2, 7, 3, 6, 4, 5], Newest::First),
            (&[1, 1, 1, 1], Newest::First),
            (&[99, 1, 2, 3, 4, 5, 6, 7, 8, 9], Newest::Last),
        ] {
            assert_eq!(judged(hours), newest, "{hours:?}");
        }
    }

    #[test]
    fn of_a_long_list_both_ends_are_kept() {
        let max = ITEMS_PER_DOCUMENT_MAX;
        for (items, first, last) in [
            (0, None, None),
            (1, Some((0, 0)), Some((0, 0))),
            (max, Some((0, max - 1)), Some((0, max - 1))),
            (max + 1, Some((0, max - 1)), Some((1, max))),
            (3 * max, Some((0, max - 1)), Some((2 * max, 3 * max - 1))),
        ] {
            for (newest, expected) in [(Newest::First, first), (Newest::Last, last)] {
                let mut ends = Ends::default();
                for n in 0..items {
                    ends.push(Facts { title: n.to_string(), ..Facts::default() });
                }
                assert_eq!((ends.found(), ends.iter().count()), (items, items.min(2 * max)));
                let read: Vec<usize> = ends.at(newest).map(|item| item.title.parse().unwrap()).collect();
                assert!(read.is_sorted());
                assert_eq!(read.first().copied().zip(read.last().copied()), expected, "{items} {newest:?}");
            }
        }
    }

    #[test]
    fn the_first_items_are_cut_out() {
        let rss = "<?xml version='1.0'?><rss><channel><title>C</title><item>1</item>\n<item/><item><![CDATA[<item>]]></item></channel></rss>";
        for (items, expected) in [
            (
                1,
                Some(
                    "<?xml version='1.0'?><rss><channel><title>C</title><item/><item><![CDATA[<item>]]></item></channel></rss>",
                ),
            ),
            (
                2,
                Some(
                    "<?xml version='1.0'?><rss><channel><title>C</title><item><![CDATA[<item>]]></item></channel></rss>",
                ),
            ),
            (3, None),
            (0, None),
        ] {
            assert_eq!(without_first(rss, items).as_deref(), expected, "{items}");
        }
        assert_eq!(without_first("<html><item/><item/></html>", 1), None);
    }
}
