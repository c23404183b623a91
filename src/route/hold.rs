//! Which alerts wait, for what and until when.
//!
//! Holds are asked in a fixed order, and the first that applies decides: digest, quiet hours, batch. A budget is asked
//! last, when a message is about to leave, for only then it is known what left before.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::rules::spec::Severity;
use crate::story::StoryId;

/// What of a route makes alerts wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holds {
    /// Time zone of its times of day; the desk's when absent.
    pub timezone: Option<TimeZone>,
    /// Times of day at which all are told at once, in place of each at once.
    pub digest: Vec<Time>,
    /// Hours in which alerts wait.
    pub quiet: Option<Quiet>,
    /// For how long after its first alert those of a story are gathered.
    pub batch: Option<Duration>,
    /// How many messages may leave in a time.
    pub budget: Option<Budget>,
    /// Time of day of the daily report.
    pub report: Option<Time>,
}

/// Hours in which alerts wait for their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Their beginning.
    pub from: Time,
    /// Their end, on the next day when it is not after the beginning.
    pub to: Time,
    /// The least severity that does not wait.
    pub except: Severity,
}

/// Messages to one recipient of one notifier in a sliding time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many, at most [`Budget::MESSAGES_MAX`].
    pub messages: usize,
    /// In which time.
    pub per: Duration,
}

impl Budget {
    /// The most messages that a budget can allow: so many times of sending are remembered.
    pub const MESSAGES_MAX: usize = 1_000;

    /// How far beyond `now` a time may lie and count: several attempts begin together, and are not recorded in the order
    /// in which they began.
    const TOGETHER: Duration = Duration::from_mins(1);

    /// Those of `left` that count at `now` in the time `per`. Times to come, written before the clock was set back, do
    /// not.
    pub fn counted(per: Duration, left: &[Timestamp], now: Timestamp) -> Vec<Timestamp> {
        let begins = now.checked_sub(per).unwrap_or(Timestamp::MIN);
        let ends = now.checked_add(Self::TOGETHER).unwrap_or(Timestamp::MAX);
        left.iter().copied().filter(|at| *at > begins && *at <= ends).collect()
    }

    /// When there is room for a message again, given when the last ones left; `None` when there is now.
    pub fn full_until(self, left: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        let mut counted = Self::counted(self.per, left, now);
        counted.sort_unstable();
        let first = counted.len().checked_sub(self.messages)?;
        counted.get(first)?.checked_add(self.per).ok()
    }
}

/// Why an alert waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HoldReason {
    /// For others of its story.
    Batch(StoryId),
    /// For the time of a digest.
    Digest,
    /// For the end of quiet hours.
    Quiet,
    /// For room in its recipient's budget.
    Budget,
}

impl HoldReason {
    /// The word used in JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch(_) => "batch",
            Self::Digest => "digest",
            Self::Quiet => "quiet",
            Self::Budget => "budget",
        }
    }
}

/// That an alert waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What for.
    pub reason: HoldReason,
    /// Until when.
    pub until: Timestamp,
}

/// What of an alert decides whether it waits.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Its severity.
    pub severity: Severity,
    /// Its story.
    pub story: StoryId,
    /// When the first alert of that story was made.
    pub began: Timestamp,
    /// When it is asked.
    pub now: Timestamp,
}

impl Asked {
    /// Of an alert of that severity that opens a story at `now`.
    pub fn of_a_new_story(severity: Severity, now: Timestamp) -> Self {
        Self { severity, story: StoryId::from_bytes([0; 16]), began: now, now }
    }
}

impl Holds {
    /// Whether an alert waits, but for a budget.
    pub fn hold(&self, asked: Asked, desk: &TimeZone) -> Option<Hold> {
        let Asked { severity, story, began, now } = asked;
        let zone = self.zone(desk);
        if let Some(time) = self.digest.iter().filter_map(|time| next(*time, zone, now)).min() {
            // A digest is for those who are awake.
            let until = self.quiet_end(zone, time).unwrap_or(time);
            return Some(Hold { reason: HoldReason::Digest, until });
        }
        if let Some(hold) = self.quiet(severity, now, desk) {
            return Some(hold);
        }
        let end = began.checked_add(self.batch?).ok()?;
        if severity == Severity::Critical || end <= now {
            return None;
        }
        // What is gathered when quiet hours begin waits for their end.
        let quiet = self.quiet(severity, end, desk);
        Some(quiet.unwrap_or(Hold { reason: HoldReason::Batch(story), until: end }))
    }

    /// Whether an alert of that severity waits for the end of quiet hours.
    pub fn quiet(&self, severity: Severity, now: Timestamp, desk: &TimeZone) -> Option<Hold> {
        let until = self.quiet_end(self.zone(desk), now)?;
        let waits = self.quiet.is_some_and(|quiet| severity < quiet.except);
        waits.then_some(Hold { reason: HoldReason::Quiet, until })
    }

    /// The next time of its report after `time`.
    pub fn report_after(&self, time: Timestamp, desk: &TimeZone) -> Option<Timestamp> {
        next(self.report?, self.zone(desk), time)
    }

    /// The zone of its times of day.
    pub fn zone<'z>(&'z self, desk: &'z TimeZone) -> &'z TimeZone {
        self.timezone.as_ref().unwrap_or(desk)
    }

    /// The end of the quiet hours in which `time` lies.
    fn quiet_end(&self, zone: &TimeZone, time: Timestamp) -> Option<Timestamp> {
        let quiet = self.quiet?;
        let over_midnight = quiet.to <= quiet.from;
        let end_on = |day: Date| {
            let last = if over_midnight { day.tomorrow().ok()? } else { day };
            let (from, to) = (instant(day, quiet.from, zone)?, instant(last, quiet.to, zone)?);
            (from <= time && time < to).then_some(to)
        };
        days_around(zone, time, 0).filter_map(end_on).max()
    }
}

/// The first instant after `time` at which clocks in `zone` show `at`, once a day.
fn next(at: Time, zone: &TimeZone, time: Timestamp) -> Option<Timestamp> {
    days_around(zone, time, 2).filter_map(|day| instant(day, at, zone)).filter(|when| *when > time).min()
}

/// The day of `time` in `zone`, the one before it and `further` days after it.
fn days_around(zone: &TimeZone, time: Timestamp, further: i64) -> impl Iterator<Item = Date> {
    let day = zone.to_datetime(time).date();
    (-1..=further).filter_map(move |days| day.checked_add(Span::new().days(days)).ok())
}

/// The instant at which clocks in `zone` show `at` on `day`. What a change of clocks skips happens as much later, what
/// it repeats happens the first time.
fn instant(day: Date, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(day.to_datetime(at)).compatible().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn clock(text: &str) -> Time {
        format!("{text}:00").parse().unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn holds(digest: &[&str], quiet: Option<(&str, &str)>, batch: Option<u64>) -> Holds {
        Holds {
            digest: digest.iter().map(|time| clock(time)).collect(),
            quiet: quiet.map(|(from, to)| Quiet {
                from: clock(from),
                to: clock(to),
                except: Severity::Critical,
            }),
            batch: batch.map(Duration::from_secs),
            ..Holds::default()
        }
    }

    /// What a hold says: `quiet 2026-11-24T05:00:00Z`.
    fn told(hold: Option<Hold>) -> String {
        hold.map_or_else(String::new, |hold| format!("{} {}", hold.reason.as_str(), hold.until))
    }

    fn asked(severity: Severity, began: &str, now: &str) -> Asked {
        Asked { severity, story: StoryId::from_bytes([7; 16]), began: at(began), now: at(now) }
    }

    #[test]
    fn the_first_hold_that_applies_decides() {
        let night = Some(("22:00", "06:00"));
        let (noon, late) = ("2026-11-23T12:00:00Z", "2026-11-23T21:59:50Z");
        for (holds, severity, began, now, expected) in [
            (holds(&[], None, None), Severity::Low, noon, noon, ""),
            (holds(&[], None, Some(30)), Severity::Low, noon, noon, "batch 2026-11-23T12:00:30Z"),
            (holds(&[], None, Some(30)), Severity::Critical, noon, noon, ""),
            (holds(&[], None, Some(30)), Severity::Low, noon, "2026-11-23T12:00:30Z", ""),
            (holds(&[], night, Some(30)), Severity::Low, late, late, "quiet 2026-11-24T06:00:00Z"),
            (holds(&[], night, None), Severity::Low, late, late, ""),
            (
                holds(&[], night, None),
                Severity::High,
                late,
                "2026-11-24T02:00:00Z",
                "quiet 2026-11-24T06:00:00Z",
            ),
            (holds(&[], night, None), Severity::High, late, "2026-11-24T06:00:00Z", ""),
            (holds(&[], night, None), Severity::Critical, late, "2026-11-24T02:00:00Z", ""),
            (
                holds(&["18:00", "07:00"], night, Some(30)),
                Severity::Critical,
                noon,
                noon,
                "digest 2026-11-23T18:00:00Z",
            ),
            (holds(&["07:00"], None, None), Severity::Low, noon, noon, "digest 2026-11-24T07:00:00Z"),
            (holds(&["23:00"], night, None), Severity::Low, noon, noon, "digest 2026-11-24T06:00:00Z"),
        ] {
            let hold = holds.hold(asked(severity, began, now), &TimeZone::UTC);
            assert_eq!(told(hold), expected, "{holds:?} {severity} at {now}");
        }
    }

    #[test]
    fn times_of_day_are_those_of_the_zone_on_days_when_clocks_change_too() {
        for (name, time, now, expected) in [
            ("Europe/Paris", "07:00", "2026-03-28T12:00:00Z", "2026-03-29T05:00:00Z"),
            ("Europe/Paris", "07:00", "2026-10-24T12:00:00Z", "2026-10-25T06:00:00Z"),
            // 02:30 is skipped: an hour later by the clock.
            ("Europe/Paris", "02:30", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
            // 02:30 comes twice: the first counts, the second does not.
            ("Europe/Paris", "02:30", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
            ("Europe/Paris", "02:30", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            ("Africa/Bamako", "00:00", "2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z"),
            ("Pacific/Apia", "07:00", "2026-11-23T17:30:00Z", "2026-11-23T18:00:00Z"),
        ] {
            assert_eq!(next(clock(time), &zone(name), at(now)), Some(at(expected)), "{name} {time} at {now}");
        }
    }

    #[test]
    fn a_budget_slides() {
        let budget = Budget { messages: 3, per: Duration::from_hours(1) };
        let [a, b, c, d] =
            ["12:00", "12:10", "12:20", "12:30"].map(|time| at(&format!("2026-11-23T{time}:00Z")));
        let hour = Duration::from_hours(1);
        for (left, now, expected) in [
            (vec![], d, None),
            (vec![a, b], d, None),
            (vec![c, a, b], d, Some(a + hour)),
            (vec![a, b, c], a + hour, None),
            (vec![a, a, b, c], d, Some(a + hour)),
            (vec![a, b, c, d], d, Some(b + hour)),
            (vec![b, c, d], a, None),
            (vec![a, a, a + Duration::from_secs(1)], a, Some(a + hour)),
        ] {
            assert_eq!(budget.full_until(&left, now), expected, "{left:?} at {now}");
        }
    }

    proptest! {
        #[test]
        fn holds_end_at_the_stated_time_within_two_days(
            name in prop::sample::select(vec!["Africa/Bamako", "Europe/Paris", "America/New_York", "Asia/Tehran", "Australia/Lord_Howe"]),
            second in 1_700_000_000_i64..1_900_000_000,
            from in 0_i8..24, to in 0_i8..24, minute in 0_i8..60,
        ) {
            let (zone, now) = (zone(name), Timestamp::from_second(second).unwrap());
            let quiet = Quiet {
                from: Time::new(from, minute, 0, 0).unwrap(),
                to: Time::new(to, 59 - minute, 0, 0).unwrap(),
                except: Severity::Critical,
            };
            prop_assume!(quiet.from != quiet.to);
            let holds = Holds { quiet: Some(quiet), digest: vec![quiet.to], ..Holds::default() };
            let day = Duration::from_hours(50);
            let hold = holds.quiet(Severity::Low, now, &zone);
            if let Some(hold) = hold {
                prop_assert!(hold.until > now && hold.until < now + day);
                prop_assert_eq!(holds.quiet(Severity::Low, hold.until, &zone), None, "it ends");
                let just_before = hold.until - Duration::from_millis(1);
                prop_assert_eq!(holds.quiet(Severity::Low, just_before, &zone), Some(hold), "and not before");
            }
            let digest = next(quiet.to, &zone, now).unwrap();
            prop_assert!(digest > now && digest < now + day);
            let shown = zone.to_datetime(digest).time();
            let skipped = zone.to_ambiguous_timestamp(zone.to_datetime(digest).date().to_datetime(quiet.to)).is_ambiguous();
            prop_assert!(shown == quiet.to || skipped || shown.since(quiet.to).is_ok_and(|late| late.get_hours() <= 1));
        }
    }
}
