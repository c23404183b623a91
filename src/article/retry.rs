//! When an article that could not be fetched is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{End, Pending, Unfit};
use crate::fetch::{Failure, FetchError};

/// How long to wait after each failed attempt; after the last of them the article is given up.
const WAITS: [Duration; 4] =
    [Duration::from_mins(2), Duration::from_mins(15), Duration::from_hours(1), Duration::from_hours(6)];

/// Longest wait that a server's order puts off an attempt by.
const ORDER_MAX: Duration = Duration::from_hours(24);

/// How long to wait while this machine is cut off from the network.
const OFFLINE_WAIT: Duration = Duration::from_mins(15);

/// What follows a failed attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// One more, then. A host that wants to be left alone was not asked, so that attempt does not count.
    Again {
        /// When.
        due: Timestamp,
        /// Attempts so far.
        attempts: u32,
    },
    /// None.
    Over(End),
}

/// How an article waits while its page is read: should that end the program, it was an attempt that failed.
#[must_use]
pub fn reading(pending: Pending, now: Timestamp) -> Pending {
    let wait = usize::try_from(pending.attempts).ok().and_then(|done| WAITS.get(done));
    let [.., last] = WAITS;
    let due = after(now, wait.copied().unwrap_or(last));
    Pending { attempts: pending.attempts.saturating_add(1), due, ..pending }
}

/// What becomes of an article of which no attempt is left: the last of them came to no end, since a failed one settles it.
pub fn spent(pending: &Pending) -> Option<End> {
    let left = usize::try_from(pending.attempts).is_ok_and(|done| done <= WAITS.len());
    (!left).then(|| End::Failed { detail: "reading its page ended the program".to_owned() })
}

/// When one is due that was put off until then. No wait is longer than a day: one that seems to be tells that
/// the clock was set back.
pub fn due(stored: Timestamp, now: Timestamp) -> Timestamp {
    if stored.duration_since(now) > SignedDuration::try_from(ORDER_MAX).unwrap_or(SignedDuration::MAX) {
        now
    } else {
        stored
    }
}

/// What follows the failure of an attempt while this machine is cut off from the network: what reached no server says
/// nothing of the article, so such an attempt does not count.
pub fn next_offline(error: &FetchError, attempts: u32, now: Timestamp) -> Next {
    if error.failure.is_of_the_network() {
        Next::Again { due: after(now, OFFLINE_WAIT), attempts }
    } else {
        next(error, attempts, now)
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait.min(ORDER_MAX)).unwrap_or(now)
}

/// What follows the failure of an attempt that came after `attempts` others.
pub fn next(error: &FetchError, attempts: u32, now: Timestamp) -> Next {
    let failed = || Next::Over(End::Failed { detail: error.to_string() });
    let later = |wait: Duration, attempts| Next::Again { due: after(now, wait), attempts };
    let again = || {
        let wait = usize::try_from(attempts).ok().and_then(|done| WAITS.get(done));
        let order = error.freshness().retry_after.unwrap_or_default();
        wait.map_or_else(failed, |wait| later(order.max(*wait), attempts.saturating_add(1)))
    };
    match &error.failure {
        Failure::Held { left, .. } | Failure::Resting { left, .. } => later(*left, attempts),
        Failure::Robots { .. } => Next::Over(End::Robots),
        Failure::Challenge { .. } => Next::Over(End::Unfit(Unfit::Challenge)),
        Failure::NotAPage { .. } => Next::Over(End::Unfit(Unfit::NotHtml)),
        Failure::Status { status: 404 | 410, .. } => Next::Over(End::Unfit(Unfit::NotFound)),
        Failure::Status { status: 408 | 425 | 429 | 500.., .. }
        | Failure::Transport(_)
        | Failure::Unreachable(_)
        | Failure::Dns(_)
        | Failure::Timeout { .. }
        | Failure::TooSlow { .. }
        | Failure::NoRobots { .. } => again(),
        Failure::Status { .. }
        | Failure::Tls(_)
        | Failure::Refused { .. }
        | Failure::TooLarge { .. }
        | Failure::Swollen { .. }
        | Failure::Redirect(_)
        | Failure::Setup(_) => failed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Freshness;
    use crate::item::{ItemId, SourceName};
    use crate::store::Day;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap()
    }

    fn wait(error: &FetchError, attempts: u32) -> Option<(Duration, u32)> {
        match next(error, attempts, now()) {
            Next::Again { due, attempts } => Some((due.duration_since(now()).unsigned_abs(), attempts)),
            Next::Over(_) => None,
        }
    }

    fn status(status: u16) -> FetchError {
        Failure::Status { status, detail: "" }.into()
    }

    #[test]
    fn attempts_grow_rarer_and_end() {
        for (attempts, wait_expected) in (0..).zip(WAITS) {
            assert_eq!(wait(&status(503), attempts), Some((wait_expected, attempts + 1)));
        }
        assert_eq!(
            next(&status(503), 4, now()),
            Next::Over(End::Failed { detail: "the server answered 503".into() })
        );
    }

    #[test]
    fn an_article_that_ends_the_program_is_tried_as_often_as_one_that_cannot_be_fetched() {
        let mut pending = Pending {
            item: ItemId::from_bytes([1; 16]),
            first: Day(20_000),
            source: SourceName::new("paper").unwrap(),
            url: String::new(),
            attempts: 0,
            due: now(),
            repeat: false,
        };
        for attempts in 1..=5_u32 {
            assert_eq!(spent(&pending), None);
            pending = reading(pending, now());
            let wait = WAITS[usize::try_from(attempts - 1).unwrap().min(3)];
            assert_eq!((pending.attempts, pending.due), (attempts, now() + wait));
        }
        assert_eq!(spent(&pending).map(|end| end.as_str()), Some("failed"));
    }

    #[test]
    fn an_outage_of_our_own_is_no_attempt() {
        let cut = || FetchError::from(Failure::Dns("no answer".into()));
        for (error, attempts, expected) in [
            (cut(), 0, Some((OFFLINE_WAIT, 0))),
            (cut(), 4, Some((OFFLINE_WAIT, 4))),
            (Failure::Tls("a portal".into()).into(), 4, Some((OFFLINE_WAIT, 4))),
            (status(503), 0, Some((WAITS[0], 1))),
            (status(503), 4, None),
        ] {
            let next = match next_offline(&error, attempts, now()) {
                Next::Again { due, attempts } => Some((due.duration_since(now()).unsigned_abs(), attempts)),
                Next::Over(_) => None,
            };
            assert_eq!(next, expected, "{error}");
        }
    }

    #[test]
    fn g7_a_wait_that_cannot_be_tells_of_a_clock_that_was_set_back() {
        let at = |hours| now() + SignedDuration::from_hours(hours);
        for (stored, expected) in [(-1, -1), (0, 0), (24, 24), (25, 0), (8_760, 0)] {
            assert_eq!(due(at(stored), now()), at(expected), "{stored}");
        }
    }

    #[test]
    fn what_no_patience_mends_is_over_at_once() {
        for (error, expected) in [
            (status(404), "not-found"),
            (status(401), "failed"),
            (Failure::Robots { host: "a".into() }.into(), "robots"),
            (Failure::Challenge { status: 403 }.into(), "challenge"),
            (Failure::Refused { host: "a".into(), why: "loopback" }.into(), "failed"),
            (Failure::TooLarge { bytes_max: 1 }.into(), "failed"),
            (Failure::NotAPage { content_type: "audio/mpeg".into() }.into(), "not-html"),
        ] {
            let next = next(&error, 0, now());
            assert!(matches!(&next, Next::Over(end) if end.as_str() == expected), "{error}: {next:?}");
        }
    }

    #[test]
    fn servers_orders_are_obeyed_and_waiting_for_one_is_no_attempt() {
        let order = Freshness { retry_after: Some(Duration::from_hours(2)), ..Freshness::default() };
        let busy = FetchError { freshness: Box::new(order), ..status(429) };
        assert_eq!(wait(&busy, 0), Some((Duration::from_hours(2), 1)));
        let held: FetchError = Failure::Held { host: "a".into(), left: Duration::from_mins(7) }.into();
        assert_eq!(wait(&held, 3), Some((Duration::from_mins(7), 3)));
    }
}
