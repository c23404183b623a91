//! How failures in a row stretch the interval. Never to a stop: what answers 404 today comes back next week.

use std::time::Duration;

use super::FAST;
use crate::item::SourceKind;

/// Longest wait between two polls of a failing source.
pub(super) const BACKOFF_MAX: Duration = Duration::from_hours(24);

/// The same of a Telegram channel while no host of Telegram can be reached: all channels share those, so that asking soon
/// costs little, and nobody is spared by not asking.
const UNREACHED_MAX: Duration = Duration::from_mins(10);

/// Where the backoff begins when a server says that it is asked too much and not for how long.
const THROTTLED_MIN: Duration = Duration::from_mins(15);

/// The longest wait of a failing source, of which no host could be reached or one was.
pub(super) fn longest(kind: SourceKind, cut: bool) -> Duration {
    match kind {
        SourceKind::Telegram if cut => UNREACHED_MAX,
        SourceKind::Telegram | SourceKind::Feed | SourceKind::Page => BACKOFF_MAX,
    }
}

/// The interval after the first failure, twice as long after each further one, up to `longest`; an interval that is
/// longer stays as it is.
pub(super) fn wait(interval: Duration, status: Option<u16>, failures: u32, longest: Duration) -> Duration {
    let throttled = matches!(status, Some(413 | 429 | 503)) && interval >= FAST;
    let first = if throttled { interval.max(THROTTLED_MIN) } else { interval };
    let doublings = failures.saturating_sub(1).min(u32::BITS - 1);
    first.saturating_mul(1 << doublings).min(longest.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(interval: u64, status: Option<u16>, expected: &[u64]) {
        let waits = (1..)
            .take(expected.len())
            .map(|n| wait(Duration::from_secs(interval), status, n, BACKOFF_MAX).as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), expected, "{interval} {status:?}");
    }

    #[test]
    fn r2_throttled_sources_wait_at_least_a_quarter_of_an_hour() {
        for status in [413, 429, 503] {
            check(300, Some(status), &[900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400]);
        }
        check(3600, Some(429), &[3600, 7200]);
    }

    #[test]
    fn r3_other_failures_begin_at_the_interval() {
        for status in [None, Some(401), Some(403), Some(404), Some(451), Some(500)] {
            check(300, status, &[300, 600, 1200, 2400]);
        }
    }

    #[test]
    fn backoff_never_shortens_a_long_interval_and_never_overflows() {
        check(200_000, Some(500), &[200_000, 200_000]);
        assert_eq!(wait(Duration::from_mins(5), None, u32::MAX, BACKOFF_MAX), BACKOFF_MAX);
        assert_eq!(wait(Duration::from_mins(5), None, 0, BACKOFF_MAX), Duration::from_mins(5));
    }

    #[test]
    fn fast_intervals_have_no_floor() {
        check(1, Some(503), &[1, 2, 4]);
    }
}
