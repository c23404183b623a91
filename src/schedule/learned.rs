//! What the polls of a source have taught of it, as far as later ones depend on it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Moved, News, PollReason, Refused};
use crate::item::SourceName;

/// New items whose times are kept: the rhythm is that of so many.
pub const ARRIVALS_MAX: usize = 20;

/// Gaps between new items before a rhythm is believed.
const GAPS_MIN: usize = 4;

/// After how long without a body one is asked for without validators, and how often at most: some servers answer 304
/// for ever.
const AUDIT_AFTER: SignedDuration = SignedDuration::from_hours(168);

/// Of how many items of a document one must be known, or it may have lost some between two polls.
const KNOWN_ONE_IN: u32 = 5;

/// What the polls of a source have taught.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// When the last new items came, oldest first, to the second; at most [`ARRIVALS_MAX`].
    pub arrivals: Vec<Timestamp>,
    /// How much of the last document was known; none of a baseline.
    pub window: Option<Window>,
    /// `skipHours` of the last document that could be read, as in [`crate::source::Hints`].
    pub skip_hours: u32,
    /// Its `skipDays`.
    pub skip_days: u8,
    /// How often it says it is updated, in minutes.
    pub update_minutes: Option<u32>,
    /// Flaws of the last document that were mended without loss.
    pub mended_last: u32,
    /// Whether it ended too early, so that what else it had is not known.
    pub cut_last: bool,
    /// When a whole body last came, rather than a 304 or what was new alone (226).
    pub last_body: Option<Timestamp>,
    /// When a body was last asked for only because none had come for long.
    pub audited: Option<Timestamp>,
    /// Where it is asked, when not where the config says.
    pub moved: Moved,
    /// The source that has the same document, which is not asked for twice.
    pub same_as: Option<SourceName>,
    /// The one that has told its items meanwhile, until it has read what it shows itself.
    pub told_by: Option<SourceName>,
    /// What of a conditional request its server does not take.
    pub refused: Option<Refused>,
    /// What decided when the next poll is due.
    pub reason: Option<PollReason>,
}

/// How much of a document was known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its items.
    pub items: u32,
    /// Those known before.
    pub known: u32,
}

impl Window {
    /// Whether so little was known that the source may show more between two polls than its document holds.
    pub fn is_scant(self) -> bool {
        self.known.saturating_mul(KNOWN_ONE_IN) < self.items
    }
}

impl Learned {
    /// The time between two new items: the median of the gaps between the last ones; `None` until there are a few.
    pub fn gap(&self) -> Option<Duration> {
        let pairs = self.arrivals.iter().zip(self.arrivals.iter().skip(1));
        let mut gaps: Vec<Duration> =
            pairs.map(|(earlier, later)| later.duration_since(*earlier).unsigned_abs()).collect();
        gaps.sort_unstable();
        let upper = *gaps.get(gaps.len() / 2).filter(|_| gaps.len() >= GAPS_MIN)?;
        let lower = *gaps.get((gaps.len() - 1) / 2)?;
        Some((lower + upper) / 2)
    }

    /// Takes in new items, given by the dates that they state, found at `now` when the source was last read at
    /// `since`. A date between the two is believed; without one the items are taken to have come evenly. What is later than
    /// `now` was dated by a clock that ran ahead, and goes: nothing true would be late enough to take its place.
    pub fn arrive(&mut self, since: Timestamp, now: Timestamp, dates: &[Option<Timestamp>]) {
        self.arrivals.retain(|arrival| !super::is_set_back(*arrival, now));
        let since = since.min(now);
        let stated = || dates.iter().flatten().filter(|date| (since..=now).contains(date));
        self.arrivals.extend(stated().copied().map(whole));
        let others = i64::try_from(dates.len() - stated().count()).unwrap_or(i64::MAX);
        let kept = i64::try_from(ARRIVALS_MAX).unwrap_or(i64::MAX).min(others);
        let span = now.as_second().saturating_sub(since.as_second()).max(0);
        // Only the last ones would be kept anyway.
        for place in (others - kept + 1)..=others {
            let second = since.as_second().saturating_add(span.saturating_mul(place) / others);
            self.arrivals.extend(Timestamp::from_second(second));
        }
        self.arrivals.sort_unstable();
        self.arrivals.drain(..self.arrivals.len().saturating_sub(ARRIVALS_MAX));
    }

    /// Has the wait for a body begin at `now` at the latest: a clock that ran ahead may have dated the last one.
    pub fn bring_back(&mut self, now: Timestamp) {
        for time in [&mut self.last_body, &mut self.audited].into_iter().flatten() {
            *time = now.min(*time);
        }
    }

    /// Whether the next request is to be made without validators, to see whether its 304 are true.
    pub fn is_audit_due(&self, now: Timestamp) -> bool {
        self.last_body.max(self.audited).is_some_and(|last| now.duration_since(last) >= AUDIT_AFTER)
    }

    /// What of it decides when to come again; `latest` is when the last new item was seen, and `fresh` whether that
    /// was just now.
    pub fn news(&self, latest: Option<Timestamp>, fresh: bool) -> News {
        let scant = self.window.is_some_and(Window::is_scant);
        News { gap: self.gap(), scant, fresh, latest }
    }
}

/// The same without fractions of a second.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    fn after(arrivals: &[i64]) -> Learned {
        Learned { arrivals: arrivals.iter().map(|minutes| at(*minutes)).collect(), ..Learned::default() }
    }

    fn minutes(learned: &Learned) -> Option<u64> {
        learned.gap().map(|gap| gap.as_secs() / 60)
    }

    #[test]
    fn the_rhythm_is_the_median_gap_once_there_are_a_few() {
        let cases: [(&[i64], Option<u64>); 6] = [
            (&[], None),
            (&[0], None),
            (&[0, 10, 20, 30], None),
            (&[0, 10, 20, 30, 40], Some(10)),
            (&[0, 1, 2, 40, 600], Some(19)),
            (&[0, 0, 0, 0, 0, 500], Some(0)),
        ];
        for (arrivals, expected) in cases {
            assert_eq!(minutes(&after(arrivals)), expected, "{arrivals:?}");
        }
    }

    #[test]
    fn items_come_at_their_dates_when_these_can_be_true_and_evenly_otherwise() {
        let mut learned = Learned::default();
        learned.arrive(at(0), at(60), &[Some(at(50)), Some(at(5))]);
        assert_eq!(learned.arrivals, [at(5), at(50)]);
        learned.arrive(at(60), at(120), &[None, Some(at(3)), Some(at(9_999))]);
        assert_eq!(learned.arrivals[2..], [at(80), at(100), at(120)], "undated, old and to come");
        learned.arrive(at(120), at(180), &[]);
        assert_eq!(learned.arrivals.len(), 5);
    }

    #[test]
    fn only_the_last_arrivals_are_kept() {
        let mut learned = after(&[0, 1]);
        learned.arrive(at(1), at(1001), &vec![None; 1000]);
        assert_eq!((learned.arrivals.len(), minutes(&learned)), (ARRIVALS_MAX, Some(1)));
        assert_eq!(learned.arrivals.last(), Some(&at(1001)));
        learned.arrive(at(2000), at(1500), &[None; 3]);
        assert_eq!(learned.arrivals.len(), ARRIVALS_MAX, "a clock set back breaks nothing");
    }

    #[test]
    fn row_10_arrivals_that_a_clock_dated_ahead_give_way_to_true_ones() {
        let mut learned = after(&[0, 60, 120]);
        // A year ahead, for as many items as are kept.
        learned.arrive(at(525_600), at(525_690), &[None; ARRIVALS_MAX]);
        learned.arrive(at(525_690), at(180), &[None]);
        for hour in 4..=8 {
            learned.arrive(at(60 * hour - 60), at(60 * hour), &[None]);
        }
        assert_eq!(learned.arrivals, [180, 240, 300, 360, 420, 480].map(at));
    }

    #[test]
    fn c5_a_body_is_asked_for_after_a_week_without_one_and_once_a_week() {
        let day = |n: i64| at(n * 24 * 60);
        let after = |last_body, audited| Learned { last_body, audited, ..Learned::default() };
        assert!(!after(None, None).is_audit_due(day(100)), "nothing was ever read");
        assert!(!after(Some(day(0)), None).is_audit_due(day(6)));
        assert!(after(Some(day(0)), None).is_audit_due(day(7)));
        assert!(!after(Some(day(0)), Some(day(7))).is_audit_due(day(13)), "it failed, and waits a week");
        assert!(after(Some(day(0)), Some(day(7))).is_audit_due(day(14)));
        assert!(!after(Some(day(9)), Some(day(7))).is_audit_due(day(14)));
        assert!(!after(Some(day(9)), None).is_audit_due(day(1)), "the clock was set back");
        let mut learned = after(Some(day(900)), Some(day(800)));
        learned.bring_back(day(1));
        assert!(!learned.is_audit_due(day(7)) && learned.is_audit_due(day(8)), "{learned:?}");
    }

    #[test]
    fn window_guard_a_document_with_a_fifth_of_known_items_is_enough() {
        for (items, known, scant) in
            [(20, 4, false), (20, 3, true), (1, 0, true), (0, 0, false), (1, 1, false)]
        {
            assert_eq!(Window { items, known }.is_scant(), scant, "{known} of {items}");
        }
    }
}
