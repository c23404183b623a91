//! The wall clock, read in one place.

use std::time::Duration;

use jiff::Timestamp;

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
