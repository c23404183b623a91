//! Where a source is asked whose server says that it has moved for good.
//!
//! A redirect is followed at once, and believed for good only when it has stood for a week: a page put up for an hour
//! of maintenance says "moved permanently" too.

use jiff::{SignedDuration, Timestamp};

/// How long a permanent redirect must have stood.
const STANDS_MIN: SignedDuration = SignedDuration::from_hours(168);

/// How often it must have been seen in that time.
const SEEN_MIN: u32 = 3;

/// Failures in a row at a new address after which the one of the config is asked again.
const FAILURES_MAX: u32 = 5;

/// Where a source has moved, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The address to ask in place of the one in the config.
    pub to: Option<String>,
    /// A permanent redirect that is watched.
    pub watched: Option<Watched>,
}

/// A permanent redirect that has not stood long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Where it leads.
    pub to: String,
    /// When it was first seen.
    pub since: Timestamp,
    /// How often it was seen.
    pub seen: u32,
}

/// What a poll says of where its source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace<'a> {
    /// What was asked for could be read, and came from where permanent redirects alone led.
    Led(&'a str),
    /// It could be read and came from elsewhere.
    Here,
    /// The address itself answered 404 or 410.
    Missing,
    /// Nothing could be read.
    Failed {
        /// Failures in a row.
        failures: u32,
    },
}

impl Moved {
    /// Notes what a poll of the address `asked` shows. Tells whether another address is to be asked from now on.
    pub fn note(&mut self, configured: &str, trace: Trace<'_>, now: Timestamp) -> bool {
        let asked = self.to.clone().unwrap_or_else(|| configured.to_owned());
        match trace {
            Trace::Here => self.watched = None,
            Trace::Led(target) => self.watch(target, now),
            Trace::Missing if self.watched.is_none() => self.to = None,
            Trace::Failed { failures } if failures >= FAILURES_MAX => self.to = None,
            Trace::Missing | Trace::Failed { .. } => {}
        }
        let believed = |watched: &Watched| {
            let stands = now.duration_since(watched.since);
            let proven = watched.seen >= SEEN_MIN && stands >= STANDS_MIN;
            proven || trace == Trace::Missing || only_gains_tls(&asked, &watched.to)
        };
        if let Some(watched) = self.watched.take_if(|watched| believed(watched)) {
            self.to = Some(watched.to).filter(|to| to != configured);
        }
        self.to.as_deref().unwrap_or(configured) != asked
    }

    fn watch(&mut self, target: &str, now: Timestamp) {
        match &mut self.watched {
            Some(watched) if watched.to == target => watched.seen = watched.seen.saturating_add(1),
            Some(_) | None => self.watched = Some(Watched { to: target.to_owned(), since: now, seen: 1 }),
        }
    }
}

/// Whether two addresses differ in nothing but that the second is safe from eavesdroppers.
fn only_gains_tls(from: &str, to: &str) -> bool {
    match (from.strip_prefix("http://"), to.strip_prefix("https://")) {
        (Some(from), Some(to)) => from == to,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "http://old.example/rss";
    const NEW: &str = "https://new.example/rss";
    const FAILED: Trace<'_> = Trace::Failed { failures: 1 };

    fn day(n: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 86_400 * n).unwrap()
    }

    /// Where the source is asked after one poll a day.
    fn after(traces: &[Trace<'_>]) -> Moved {
        let mut moved = Moved::default();
        for (trace, n) in traces.iter().zip(0..) {
            let before = moved.to.clone();
            assert_eq!(moved.note(OLD, *trace, day(n)), moved.to != before, "{traces:?}");
        }
        moved
    }

    #[test]
    fn r5_a_permanent_redirect_is_believed_after_a_week() {
        let led = Trace::Led(NEW);
        assert_eq!(after(&[led; 7]).to, None);
        assert_eq!(after(&[led; 8]).to.as_deref(), Some(NEW));
        assert_eq!(after(&[led, FAILED, led, FAILED, FAILED, FAILED, FAILED, led]).to.as_deref(), Some(NEW));
        assert_eq!(after(&[led, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, led]).to, None, "seen twice");
    }

    #[test]
    fn r5_a_redirect_that_ends_or_changes_begins_anew() {
        let led = Trace::Led(NEW);
        assert_eq!(after(&[led, Trace::Here]), Moved::default());
        assert_eq!(after(&[led, led, led, Trace::Here, led, led, led, led, led]).to, None);
        let elsewhere =
            after(&[led, led, led, led, Trace::Led("https://third.example/"), led, led, led, led]);
        assert_eq!(elsewhere.to, None);
    }

    #[test]
    fn r5_an_address_that_vanishes_while_its_target_is_known_is_left_at_once() {
        assert_eq!(after(&[Trace::Led(NEW), Trace::Missing]).to.as_deref(), Some(NEW));
        assert_eq!(after(&[Trace::Here, Trace::Missing]), Moved::default());
    }

    #[test]
    fn r5_tls_for_the_same_address_is_believed_at_once() {
        for (target, to) in [
            ("https://old.example/rss", Some("https://old.example/rss")),
            ("https://old.example/other", None),
            ("https://www.old.example/rss", None),
            ("http://new.example/rss", None),
        ] {
            assert_eq!(after(&[Trace::Led(target)]).to.as_deref(), to, "{target}");
        }
    }

    #[test]
    fn r5_a_new_address_that_fails_gives_way_to_the_one_of_the_config() {
        let moved = || after(&[Trace::Led(NEW); 8]);
        for trace in [Trace::Missing, Trace::Failed { failures: FAILURES_MAX }] {
            let mut back = moved();
            assert!(back.note(OLD, trace, day(9)));
            assert_eq!(back, Moved::default());
        }
        let mut kept = moved();
        assert!(!kept.note(OLD, FAILED, day(9)) && !kept.note(OLD, Trace::Here, day(10)));
        assert_eq!(kept.to.as_deref(), Some(NEW));
    }

    #[test]
    fn r5_what_moved_may_move_again_and_home() {
        let mut moved = after(&[Trace::Led(NEW); 8]);
        let third = "https://third.example/";
        for n in 8..16 {
            moved.note(OLD, Trace::Led(third), day(n));
        }
        assert_eq!(moved.to.as_deref(), Some(third));
        for n in 16..24 {
            moved.note(OLD, Trace::Led(OLD), day(n));
        }
        assert_eq!(moved, Moved::default());
    }
}
