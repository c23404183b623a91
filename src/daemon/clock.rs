//! The wall clock, read in one place.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::schedule;

/// The current time, in whole milliseconds: ids of alerts hold no more, and nanoseconds trip many a receiver's
/// parser.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock for daemon and commands")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// How long until `due`; nothing when it has passed. At most half a minute, after which the caller looks
/// again: the wall clock may have been set, or the machine have slept.
pub fn until(due: Option<Timestamp>) -> Duration {
    const LOOK_AGAIN: Duration = Duration::from_secs(30);
    let Some(due) = due else { return LOOK_AGAIN };
    let left = due.duration_since(now());
    if left.is_negative() { Duration::ZERO } else { left.unsigned_abs().min(LOOK_AGAIN) }
}

/// Finds out when the clock is set back. Whoever holds times of the clock looks at every turn, as else nothing of what
/// they hold comes due until the clock shows again what it showed.
#[derive(Debug)]
pub struct Watch {
    /// The latest time seen: many small steps back count together.
    latest: Timestamp,
}

impl Watch {
    /// Begins at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { latest: now }
    }

    /// The latest time seen.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    /// How far the clock was set back before it came to show `now`; `None` when it was not, or corrected a little.
    pub fn look(&mut self, now: Timestamp) -> Option<SignedDuration> {
        let back = schedule::is_set_back(self.latest, now).then(|| self.latest.duration_since(now));
        self.latest = if back.is_some() { now } else { self.latest.max(now) };
        back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g7_a_clock_set_back_while_running_is_found_out_once() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let mut watch = Watch::new(at(0));
        for (now, back) in [
            (30, None),
            (20, None),
            (-3600, Some(3630)),
            (-3570, None),
            (86_400, None),
            (86_350, None),
            // Another small step: together they are more than a correction.
            (86_300, Some(100)),
            (86_330, None),
        ] {
            assert_eq!(watch.look(at(now)), back.map(SignedDuration::from_secs), "{now}");
        }
    }
}
