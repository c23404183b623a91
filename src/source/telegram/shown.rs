//! What a preview page shows of its channel, and what is odd about that. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::ChannelName;
use crate::source::candidate::Draft;
use crate::source::{Complaint, LAYOUT};

/// How far the server's time of a page may be from ours before the page counts as a stale copy.
const SKEW_MAX: Duration = Duration::from_hours(2);

/// Fewest messages from which a page without any text, or without dates, says something of its layout.
const PAGE_MIN: usize = 5;

/// How far the highest number may fall: the messages of one page may have been deleted.
const FALL_MAX: u64 = 20;

/// Widest span of numbers in which missing ones are looked for.
const SPAN_MAX: u64 = 1_000;

/// How far a number may lie above the next lower one of its page before it takes most of the page to believe it.
const LEAP_MAX: u64 = 1_000;

/// A page's channel and numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The channel's name as its messages have it; empty when there are none.
    pub name: String,
    /// Telegram's own number of the channel, where messages tell it.
    pub id: Option<i64>,
    /// Numbers of the messages, all members of albums included.
    pub numbers: BTreeSet<u64>,
    /// Messages.
    pub messages: usize,
    /// Messages with a text.
    pub texts: usize,
    /// The highest number of those.
    pub said: Option<u64>,
    /// Messages of which nothing is found at all, or the preview of a link alone, which no text has.
    pub blank: usize,
    /// Messages of which nothing at all is found.
    pub bare: usize,
}

/// What was known of a channel before a page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Telegram's own number of it.
    pub id: Option<i64>,
    /// Highest number of its messages.
    pub newest: Option<u64>,
    /// Whether its pages had texts.
    pub texts: bool,
    /// The highest number of a message with one on its last page, where most had one.
    pub said: Option<u64>,
    /// Whether its layout was unknown at the last poll.
    pub odd: bool,
}

impl Shown {
    pub(super) fn add(&mut self, draft: &Draft, channel: Option<i64>) {
        let Some(post) = &draft.telegram else { return };
        if self.name.is_empty() {
            self.name.clone_from(&post.channel);
        }
        self.id = self.id.or(channel);
        self.numbers.insert(post.message);
        self.numbers.extend(&post.album);
        self.messages += 1;
        if !draft.text.is_empty() {
            self.texts += 1;
            self.said = self.said.max(Some(post.message));
        }
        let is_content = |kind: &String| kind.as_str() != "link_preview";
        self.blank += usize::from(!post.kinds.iter().any(is_content));
        self.bare += usize::from(post.kinds.is_empty());
    }

    /// Lowest number.
    pub fn oldest(&self) -> Option<u64> {
        self.numbers.first().copied()
    }

    /// Highest number.
    pub fn newest(&self) -> Option<u64> {
        self.numbers.last().copied()
    }

    /// How far the channel goes by this page: from the middle of its numbers up, the last before a leap. A wrong number far
    /// above all others would have every gap seem read. Numbers behind a true leap, where thousands were deleted, count
    /// once they are as many as those before it; until then nothing is missed, for the page shows all of them.
    pub fn reached(&self) -> Option<u64> {
        let mut upper = self.numbers.iter().copied().skip(self.numbers.len().saturating_sub(1) / 2);
        let middle = upper.next()?;
        let step = |low: u64, number: u64| if number - low <= LEAP_MAX { Ok(number) } else { Err(low) };
        Some(upper.try_fold(middle, step).unwrap_or_else(|reached| reached))
    }

    /// Numbers between two of the page that it does not have: deleted, or never public.
    pub fn missing(&self) -> Vec<u64> {
        let span = self.oldest().zip(self.newest()).filter(|(low, high)| high - low <= SPAN_MAX);
        let all = span.map_or(0..0, |(low, high)| low..high);
        all.filter(|number| !self.numbers.contains(number)).collect()
    }

    /// Whether the page is of another channel than the one known, which had its name before.
    pub fn is_stranger(&self, known: Known) -> bool {
        self.id.zip(known.id).is_some_and(|(now, before)| now != before)
    }

    /// To which number the highest one fell and from which, where it did.
    pub fn fall(&self, known: Known) -> Option<(u64, u64)> {
        let fall = self.newest().zip(known.newest);
        fall.filter(|(now, before)| now.saturating_add(FALL_MAX) < *before)
    }

    /// What is odd about the page by itself: another name than the one asked for, dates that are missing, or a time
    /// of the server that is far from `now`.
    pub(super) fn complaint(
        &self,
        asked: &ChannelName,
        undated: usize,
        rendered: Option<Timestamp>,
        now: Option<Timestamp>,
    ) -> Option<Complaint> {
        if !self.name.is_empty() && !self.name.eq_ignore_ascii_case(asked.as_str()) {
            let detail = format!("the channel `{asked}` is now called `{}`", self.name);
            return Some(Complaint { reason: "renamed", detail });
        }
        if undated * 2 > self.messages {
            return Some(layout(format!("{undated} of {} messages have no date", self.messages)));
        }
        let (rendered, now) = (rendered?, now?);
        let skew = now.duration_since(rendered).unsigned_abs();
        (skew > SKEW_MAX).then(|| {
            let hours = skew.as_secs() / 3600;
            layout(format!("the page was made {hours} h away from our clock: a stale copy, or a wrong clock"))
        })
    }

    /// Whether most of its messages are empty, and none has a text, as none of Telegram's is: the layout is another.
    pub(super) fn is_bare(&self) -> bool {
        self.texts == 0 && self.messages >= PAGE_MIN && self.bare * 2 > self.messages
    }

    /// Why nothing of the channel can be read from its newest page, beside what was `known`: none of its messages is
    /// there, or none has a text where many had one. What it shows is not taken as read, so that it is read again once
    /// the words are back.
    pub fn silence(&self, known: Known) -> Option<String> {
        if self.is_stranger(known) {
            return None;
        }
        if let (None, Some(before)) = (self.newest(), known.newest) {
            return Some(format!("it shows none of its messages any more; the last had number {before}"));
        }
        // Photos without captions may fill a page. But a message that had a text has one still.
        let vanished = known.said.is_some_and(|said| known.odd || self.numbers.contains(&said));
        let wordless = self.texts == 0 && self.messages >= PAGE_MIN;
        (wordless && (vanished || self.blank > 0 && known.texts))
            .then(|| format!("none of {} messages has a text any more", self.messages))
    }

    /// What is odd about the newest page beside what was `known`: a stranger under the channel's name, or a highest
    /// number that fell.
    pub fn against(&self, known: Known) -> Option<Complaint> {
        if let (Some(now), Some(before), true) = (self.id, known.id, self.is_stranger(known)) {
            let detail = format!(
                "the name `{}` now belongs to another channel ({now}, was {before}); if it is meant, give the source another name",
                self.name
            );
            return Some(Complaint { reason: "renamed", detail });
        }
        let (now, before) = self.fall(known)?;
        Some(layout(format!("the highest message number fell from {before} to {now}")))
    }
}

fn layout(detail: String) -> Complaint {
    Complaint { reason: LAYOUT, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(numbers: &[u64], texts: usize) -> Shown {
        let numbers: BTreeSet<u64> = numbers.iter().copied().collect();
        Shown {
            name: "Post".into(),
            id: Some(-7),
            messages: numbers.len(),
            numbers,
            texts,
            said: None,
            blank: 0,
            bare: 0,
        }
    }

    #[test]
    fn what_is_odd_beside_what_was_known_is_told() {
        let known = Known { id: Some(-7), newest: Some(40), texts: true, ..Known::default() };
        let page: Vec<u64> = (30..42).collect();
        for (shown, known, expected) in [
            (shown(&page, 3), known, None),
            (shown(&page, 0), known, None),
            (shown(&[20, 21], 1), known, None),
            (shown(&[18, 19], 1), known, Some("layout")),
            (shown(&[18, 19], 1), Known { id: Some(-8), ..known }, Some("renamed")),
            (shown(&page, 3), Known { id: Some(-8), ..known }, Some("renamed")),
            (shown(&page, 3), Known::default(), None),
        ] {
            assert_eq!(
                shown.against(known).map(|complaint| complaint.reason),
                expected,
                "{shown:?} {known:?}"
            );
        }
    }

    #[test]
    fn a_page_without_words_where_there_were_some_cannot_be_read() {
        let known = Known { id: Some(-7), newest: Some(40), texts: true, ..Known::default() };
        let spoke = Known { said: Some(33), ..known };
        let page: Vec<u64> = (30..42).collect();
        let later: Vec<u64> = (41..60).collect();
        let blank = |numbers: &[u64]| Shown { blank: 1, ..shown(numbers, 0) };
        for (shown, known, expected) in [
            (shown(&page, 1), spoke, false),
            (shown(&page, 0), known, false),
            (blank(&page), known, true),
            (blank(&page), Known { texts: false, ..known }, false),
            (blank(&page), Known { id: Some(-8), ..known }, false),
            (blank(&[41]), known, false),
            (shown(&page, 0), spoke, true),
            (shown(&later, 0), spoke, false),
            (shown(&later, 0), Known { odd: true, ..spoke }, true),
            (shown(&later, 1), Known { odd: true, ..spoke }, false),
            (Shown::default(), known, true),
            (Shown::default(), Known { newest: None, ..known }, false),
        ] {
            assert_eq!(shown.silence(known).is_some(), expected, "{shown:?} {known:?}");
        }
        for (bare, texts, expected) in [(7, 0, true), (6, 0, false), (11, 1, false)] {
            assert_eq!(Shown { bare, ..shown(&page, texts) }.is_bare(), expected, "{bare} {texts}");
        }
    }

    #[test]
    fn a_page_is_judged_by_its_name_dates_and_time() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let hours = |hours| Some(now + jiff::SignedDuration::from_hours(hours));
        for (asked, undated, rendered, expected) in [
            ("post", 0, None, None),
            ("POST", 1, hours(1), None),
            ("other", 0, None, Some("renamed")),
            ("post", 2, None, Some("layout")),
            ("post", 0, hours(-30), Some("layout")),
            ("post", 0, hours(3), Some("layout")),
        ] {
            let found = shown(&[1, 2, 3], 3).complaint(&asked.parse().unwrap(), undated, rendered, Some(now));
            assert_eq!(found.map(|complaint| complaint.reason), expected, "{asked} {undated} {rendered:?}");
        }
    }

    #[test]
    fn a_number_far_above_the_others_says_nothing_of_how_far_the_channel_goes() {
        for (numbers, reached) in [
            (vec![], None),
            (vec![7], Some(7)),
            (vec![1, 2, 3], Some(3)),
            (vec![1, 2, 900], Some(900)),
            (vec![18, 19, 20, 9_000_021], Some(20)),
            (vec![20, 9_000_021], Some(20)),
            (vec![18, 19, 20, 5_000, 5_001], Some(20)),
            (vec![19, 20, 5_000, 5_001, 5_002], Some(5_002)),
            (vec![1, 5_000, 5_001, 9_000_021, u64::MAX], Some(5_001)),
        ] {
            assert_eq!(shown(&numbers, 0).reached(), reached, "{numbers:?}");
        }
    }

    #[test]
    fn only_numbers_between_two_of_a_page_are_missing() {
        assert_eq!(shown(&[3, 4, 7], 0).missing(), [5, 6]);
        assert_eq!(shown(&[3], 0).missing(), [0_u64; 0]);
        assert_eq!(shown(&[3, 50_000], 0).missing(), [0_u64; 0]);
    }
}
