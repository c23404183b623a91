//! When an article that could not be fetched is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{End, Fate, Pending, Unfit, is_stub};
use crate::fetch::{Failure, FetchError};

/// How long to wait after each failed attempt; after the last of them the article is given up.
const WAITS: [Duration; 4] =
    [Duration::from_mins(2), Duration::from_mins(15), Duration::from_hours(1), Duration::from_hours(6)];

/// Longest wait that a server's order puts off an attempt by.
const ORDER_MAX: Duration = Duration::from_hours(24);

/// How long to wait while this machine is cut off from the network.
const OFFLINE_WAIT: Duration = Duration::from_mins(15);

/// How many failed attempts an article has that is not there, or that is kept from us: a feed may run ahead of the pages
/// that it links to, and what answers in a server's place may let us through soon.
const EARLY_MAX: u32 = 2;

/// Most times that the article of one entry is read.
const READINGS_MAX: u8 = 3;

/// Least time between two of them.
const READINGS_GAP: Duration = Duration::from_mins(5);

/// How long a page that promises more is left for that.
const STUB_WAIT: Duration = Duration::from_mins(15);

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
    let failure = || End::Failed { detail: error.to_string() };
    let failed = || Next::Over(failure());
    let later = |wait: Duration, attempts| Next::Again { due: after(now, wait), attempts };
    let order = error.freshness().retry_after.unwrap_or_default();
    let again = || {
        let wait = usize::try_from(attempts).ok().and_then(|done| WAITS.get(done));
        wait.map_or_else(failed, |wait| later(order.max(*wait), attempts.saturating_add(1)))
    };
    let soon = |end: End| match early_wait(attempts) {
        Some(wait) => later(order.max(wait), attempts.saturating_add(1)),
        None => Next::Over(end),
    };
    match &error.failure {
        Failure::Held { left, .. } | Failure::Resting { left, .. } => later(*left, attempts),
        Failure::Robots { .. } => Next::Over(End::Robots),
        Failure::Challenge { .. } => soon(End::Unfit(Unfit::Challenge)),
        Failure::NotAPage { .. } => Next::Over(End::Unfit(Unfit::NotHtml)),
        Failure::Status { status: 404, .. } => soon(End::Unfit(Unfit::NotFound)),
        // With one of the first four nothing came: those that bring a page are no failures.
        Failure::Status { status: 200 | 202 | 203 | 204 | 403, .. } => soon(failure()),
        Failure::Status { status: 410, .. } => Next::Over(End::Unfit(Unfit::NotFound)),
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

/// What follows an attempt that came after `attempts` others and found that on the page: one without an article may have it
/// in some minutes, and a bot protection may be gone.
pub fn next_unread(end: End, attempts: u32, now: Timestamp) -> Next {
    let is_early = matches!(end, End::Unfit(Unfit::NotFound | Unfit::NoText | Unfit::Challenge));
    match early_wait(attempts).filter(|_| is_early) {
        Some(wait) => Next::Again { due: after(now, wait), attempts: attempts.saturating_add(1) },
        None => Next::Over(end),
    }
}

/// How long to wait after so many attempts for what may be there soon; `None` after the last of them.
fn early_wait(attempts: u32) -> Option<Duration> {
    let wait = usize::try_from(attempts).ok().and_then(|done| WAITS.get(done)).copied();
    wait.filter(|_| attempts < EARLY_MAX)
}

/// When an article is read once more whose entry was edited; `None` when it is not: what keeps the article from us would
/// do so again, and nobody knows what of one is new whose first version was not read.
pub fn next_reading(fate: &Fate, now: Timestamp) -> Option<Timestamp> {
    let changes = match &fate.end {
        End::Used { .. } | End::Failed { .. } | End::Unfit(Unfit::NotFound | Unfit::NoText) => true,
        End::Unfit(_) | End::Robots | End::Dropped => false,
    };
    (changes && fate.readings < READINGS_MAX).then(|| after(fate.at, READINGS_GAP).max(now))
}

/// When an article is read once more that promises more to come.
pub fn next_of_stub(fate: &Fate) -> Option<Timestamp> {
    let is_stub = matches!(&fate.end, End::Used { text } if is_stub(text));
    (is_stub && fate.readings < READINGS_MAX).then(|| after(fate.at, STUB_WAIT))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
            anew: None,
            told: BTreeSet::new(),
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
            (status(410), "not-found"),
            (status(401), "failed"),
            (Failure::Robots { host: "a".into() }.into(), "robots"),
            (status(451), "failed"),
            (Failure::Refused { host: "a".into(), why: "loopback" }.into(), "failed"),
            (Failure::TooLarge { bytes_max: 1 }.into(), "failed"),
            (Failure::NotAPage { content_type: "audio/mpeg".into() }.into(), "not-html"),
        ] {
            let next = next(&error, 0, now());
            assert!(matches!(&next, Next::Over(end) if end.as_str() == expected), "{error}: {next:?}");
        }
    }

    #[test]
    fn what_is_not_there_yet_is_looked_for_twice_more() {
        let unread = |unfit, attempts| next_unread(End::Unfit(unfit), attempts, now());
        for (attempts, wait_expected) in (0..).zip([Some(WAITS[0]), Some(WAITS[1]), None, None]) {
            let expected = match wait_expected {
                Some(wait) => Next::Again { due: now() + wait, attempts: attempts + 1 },
                None => Next::Over(End::Unfit(Unfit::NotFound)),
            };
            assert_eq!(next(&status(404), attempts, now()), expected);
            assert_eq!(unread(Unfit::NotFound, attempts), expected);
        }
        for unfit in [Unfit::NoText, Unfit::Challenge] {
            assert!(matches!(unread(unfit, 1), Next::Again { .. }));
            assert_eq!(unread(unfit, 2), Next::Over(End::Unfit(unfit)));
        }
        for unfit in [Unfit::Paywall, Unfit::Consent, Unfit::Login, Unfit::NotHtml] {
            assert_eq!(unread(unfit, 0), Next::Over(End::Unfit(unfit)));
        }
        let used = End::Used { text: "Gao".into() };
        assert_eq!(next_unread(used.clone(), 0, now()), Next::Over(used));
    }

    #[test]
    fn what_keeps_an_article_from_us_for_a_while_is_no_end_of_it() {
        let empty = |status| Failure::Status { status, detail: "empty body" }.into();
        let challenge = Failure::Challenge { status: 202 }.into();
        for (error, expected) in [
            (empty(200), "failed"),
            (empty(204), "failed"),
            (status(202), "failed"),
            (status(403), "failed"),
            (challenge, "challenge"),
        ] {
            assert_eq!(wait(&error, 0), Some((WAITS[0], 1)), "{error}");
            assert_eq!(wait(&error, 1), Some((WAITS[1], 2)), "{error}");
            let next = next(&error, 2, now());
            assert!(matches!(&next, Next::Over(end) if end.as_str() == expected), "{error}: {next:?}");
        }
    }

    #[test]
    fn an_article_is_read_a_few_times_with_some_minutes_between() {
        let fate = |end, readings| Fate {
            item: ItemId::from_bytes([1; 16]),
            first: Day(20_000),
            url: String::new(),
            at: now(),
            end,
            readings,
            told: BTreeSet::new(),
        };
        let used = |text: &str| End::Used { text: text.into() };
        for (end, readings, late, expected) in [
            (used("Gao"), 1, 0, Some(300)),
            (used("Gao"), 2, 3_600, Some(3_600)),
            (used("Gao"), 3, 3_600, None),
            (End::Failed { detail: "503".into() }, 1, 60, Some(300)),
            (End::Unfit(Unfit::NoText), 1, 300, Some(300)),
            (End::Unfit(Unfit::Paywall), 1, 300, None),
            (End::Robots, 1, 300, None),
            (End::Dropped, 0, 300, None),
        ] {
            let at = |seconds| now() + SignedDuration::from_secs(seconds);
            assert_eq!(next_reading(&fate(end.clone(), readings), at(late)), expected.map(at), "{end:?}");
        }
        let stub = "Explosion heard in Bamako. More details to follow.";
        for (text, readings, expected) in
            [(stub, 1, true), (stub, 2, true), (stub, 3, false), ("Gao", 1, false)]
        {
            let next = next_of_stub(&fate(used(text), readings));
            assert_eq!(next, expected.then(|| now() + STUB_WAIT), "{text} {readings}");
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
