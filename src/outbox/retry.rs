//! What becomes of a delivery whose attempt failed.

use std::time::Duration;

use jiff::Timestamp;

use super::{Delivery, DeliveryState, Failure};
use crate::id::digest;

/// Waits before the second, third, … attempt, in seconds: quick at first, for a receiver that restarts; the last one
/// stays.
const WAITS_SECONDS: [u64; 9] = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 21_600];

/// For how long of a working network a delivery is tried: the span that the Standard Webhooks advise.
pub const PATIENCE: Duration = Duration::from_hours(72);

/// Fewer attempts in vain are not three days of trying, whatever the clock says: it leapt, or the machine slept or was
/// off. As many are made even when a receiver asks for the longest wait each time.
pub const ATTEMPTS_MIN: u32 = 10;

/// More are made by no way in a month of trying: enough, whatever the clock says.
pub const ATTEMPTS_MAX: u32 = 5_000;

/// Greatest addition to a wait, in percent of it, so that deliveries held up together do not return together.
const JITTER_PERCENT_MAX: u64 = 20;

/// Attempts after which a refusal is final.
const ATTEMPTS_REFUSED_MAX: u32 = 2;

/// Least wait after a refusal: what greylisting servers ask for (RFC 6647, section 5), and some.
const WAIT_REFUSED_MIN: Duration = Duration::from_mins(15);

/// The longest wait that a receiver can ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(6);

/// No wait is longer, jitter included.
pub const WAIT_MAX: Duration = Duration::from_secs(21_600 * (100 + JITTER_PERCENT_MAX) / 100);

/// No hold is longer: the longest budget slides over a week, and quiet hours may follow.
const HOLD_MAX: Duration = Duration::from_hours(9 * 24);

/// When an open delivery is to be tried, as far as it can be told at `now`; `None` for a closed one. A clock set back
/// since it was written must not delay it.
pub fn due(delivery: &Delivery, now: Timestamp) -> Option<Timestamp> {
    match delivery.state {
        DeliveryState::Held(hold) => Some(if hold.until > longest(now) { now } else { hold.until }),
        DeliveryState::Ready | DeliveryState::Attempted { .. } => Some(delivery.created.min(now)),
        DeliveryState::Retrying { failed, due, .. } => Some(if failed > now { now } else { due }),
        DeliveryState::Delivered { .. }
        | DeliveryState::Bundled { .. }
        | DeliveryState::Dropped { .. }
        | DeliveryState::Dead { .. } => None,
    }
}

/// The latest end of a hold that begins at `now`.
fn longest(now: Timestamp) -> Timestamp {
    now.checked_add(HOLD_MAX).unwrap_or(Timestamp::MAX)
}

/// The state of `delivery` after its latest attempt ended in `failure` at `now`.
///
/// `offline` is for how long this machine was cut off or away since it was ready, `failures` how many attempts in vain there were
/// by its way. Deterministic: the jitter comes from the delivery's id and the number of the attempt.
pub fn after_failure(
    delivery: &Delivery,
    failure: &Failure,
    now: Timestamp,
    (offline, failures): (Duration, u32),
) -> DeliveryState {
    match failure {
        Failure::Permanent { reason } => dead(now, reason.clone()),
        Failure::Refused { reason } if delivery.attempts >= ATTEMPTS_REFUSED_MAX => dead(now, reason.clone()),
        Failure::Way { reason, .. }
        | Failure::Lost { reason }
        | Failure::Gone { reason }
        | Failure::Transient { reason, .. }
        | Failure::Refused { reason }
            if is_exhausted(delivery, now, offline, failures) =>
        {
            dead(now, format!("given up after {} attempts: {reason}", delivery.attempts))
        }
        Failure::Refused { reason } => retry(delivery, WAIT_REFUSED_MIN, reason, now),
        Failure::Way { reason, .. }
        | Failure::Lost { reason }
        | Failure::Gone { reason }
        | Failure::Transient { reason, .. } => {
            let wish = failure.wish().unwrap_or_default().min(RETRY_AFTER_MAX);
            retry(delivery, wish, reason, now)
        }
    }
}

/// Whether a delivery was tried for long enough, or waited as long behind others whose way `failures` attempts found
/// closed. However often that was, each has its own time.
pub fn is_exhausted(delivery: &Delivery, now: Timestamp, offline: Duration, failures: u32) -> bool {
    let age = Duration::try_from(now.duration_since(delivery.ready)).unwrap_or_default();
    let attempts = delivery.attempts.max(failures);
    age.saturating_sub(offline) >= PATIENCE && attempts >= ATTEMPTS_MIN || delivery.attempts >= ATTEMPTS_MAX
}

/// Again after the scheduled wait, but not before `at_least`.
fn retry(delivery: &Delivery, at_least: Duration, reason: &str, now: Timestamp) -> DeliveryState {
    let due = now.checked_add(wait(delivery).max(at_least)).unwrap_or(Timestamp::MAX);
    DeliveryState::Retrying { failed: now, due, reason: reason.to_owned() }
}

/// The wait after the attempts made so far, jitter included.
fn wait(delivery: &Delivery) -> Duration {
    let failed = usize::try_from(delivery.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = WAITS_SECONDS.get(failed.min(WAITS_SECONDS.len() - 1)).copied().unwrap_or_default();
    let [a, b, ..] = digest(&[b"jitter", &delivery.id.to_bytes(), &delivery.attempts.to_le_bytes()]);
    let share = u64::from(u16::from_le_bytes([a, b]));
    let jitter_millis = seconds * 1000 * JITTER_PERCENT_MAX / 100 * share / u64::from(u16::MAX);
    Duration::from_secs(seconds) + Duration::from_millis(jitter_millis)
}

fn dead(at: Timestamp, reason: String) -> DeliveryState {
    DeliveryState::Dead { at, reason }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::outbox::{DeliveryId, Freedom};
    use crate::story::AlertId;

    fn now() -> Timestamp {
        "2026-11-23T17:00:00Z".parse().expect("a time")
    }

    fn delivery(attempts: u32, seed: u8) -> Delivery {
        let alert = AlertId::from_bytes([seed; 16]);
        Delivery {
            id: DeliveryId::new(alert, "desk-mail", "desk@example.org"),
            subject: alert.into(),
            notifier: "desk-mail".to_owned(),
            recipient: "desk@example.org".to_owned(),
            created: now(),
            ready: now(),
            attempts,
            freedom: Freedom::Free,
            may_have_arrived: false,
            follows: None,
            state: DeliveryState::Attempted { at: now() },
        }
    }

    fn transient(retry_after: Option<u64>) -> Failure {
        Failure::Transient {
            reason: "503 Service Unavailable".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn refused() -> Failure {
        Failure::Refused { reason: "550 no".to_owned() }
    }

    /// Seconds until the next attempt; `None` for a dead letter.
    fn waits(delivery: &Delivery, failure: &Failure) -> Option<i64> {
        match after_failure(delivery, failure, now(), (Duration::ZERO, 0)) {
            DeliveryState::Retrying { due, .. } => Some(due.duration_since(now()).as_secs()),
            DeliveryState::Dead { .. } => None,
            state @ (DeliveryState::Held(_)
            | DeliveryState::Ready
            | DeliveryState::Attempted { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Bundled { .. }
            | DeliveryState::Dropped { .. }) => panic!("{state:?} after a failure"),
        }
    }

    #[test]
    fn attempts_cover_about_three_days() {
        let mut delivery = delivery(0, 1);
        let mut at = now();
        let died = loop {
            delivery.attempts += 1;
            let state = after_failure(&delivery, &transient(None), at, (Duration::ZERO, 0));
            let DeliveryState::Retrying { due, .. } = state else { break state };
            at = due;
        };
        let hours = at.duration_since(now()).as_hours();
        assert!((72..80).contains(&hours), "{hours} h");
        assert!((19..22).contains(&delivery.attempts), "{}", delivery.attempts);
        let reason = format!("given up after {} attempts: 503 Service Unavailable", delivery.attempts);
        assert_eq!(died, DeliveryState::Dead { at, reason });
    }

    #[test]
    fn time_offline_does_not_count() {
        let after = |hours| now() + Duration::from_hours(hours);
        for (hours, offline, exhausted) in [(71, 0, false), (72, 0, true), (100, 29, false), (101, 29, true)]
        {
            let offline = Duration::from_hours(offline);
            let tried = delivery(ATTEMPTS_MIN, 1);
            assert_eq!(is_exhausted(&tried, after(hours), offline, 0), exhausted, "{hours} h");
        }
        let back = now().checked_sub(Duration::from_hours(1)).expect("a time");
        assert!(!is_exhausted(&delivery(ATTEMPTS_MIN, 1), back, Duration::ZERO, 0), "a clock set back");
    }

    #[test]
    fn a_clock_that_leaps_gives_up_nothing_that_was_hardly_tried() {
        let years_later = now() + Duration::from_hours(56 * 365 * 24);
        for (attempts, failures, exhausted) in [(1, 0, false), (9, 9, false), (10, 0, true), (0, 10, true)] {
            let delivery = delivery(attempts, 1);
            let found = is_exhausted(&delivery, years_later, Duration::ZERO, failures);
            assert_eq!(found, exhausted, "{attempts} {failures}");
        }
        let cut_off = Duration::from_hours(60 * 365 * 24);
        let most = ATTEMPTS_MAX;
        for (attempts, failures, exhausted) in
            [(most - 1, most, false), (most, 0, true), (1, 2 * most, false)]
        {
            let delivery = delivery(attempts, 1);
            let found = is_exhausted(&delivery, years_later, cut_off, failures);
            assert_eq!(found, exhausted, "{attempts} {failures}");
        }
    }

    #[test]
    fn the_longest_waits_leave_room_for_the_least_attempts() {
        let (mut delivery, mut at) = (delivery(0, 1), now());
        loop {
            delivery.attempts += 1;
            let state = after_failure(&delivery, &transient(Some(315_360_000)), at, (Duration::ZERO, 0));
            let DeliveryState::Retrying { due, .. } = state else { break };
            at = due;
        }
        assert!(at.duration_since(now()) < SignedDuration::from_hours(80), "{at}");
    }

    #[test]
    fn g7_a_clock_set_back_delays_no_delivery() {
        let set_back = |hours| now().checked_sub(Duration::from_hours(hours)).expect("a time");
        let with = |state| Delivery { state, ..delivery(1, 1) };
        let retrying = |seconds| DeliveryState::Retrying {
            failed: now(),
            due: now() + Duration::from_secs(seconds),
            reason: String::new(),
        };
        assert_eq!(due(&with(DeliveryState::Ready), set_back(1)), Some(set_back(1)));
        assert_eq!(due(&with(retrying(25_920)), now()), Some(now() + WAIT_MAX));
        for hours in [1, 2, 24, 365 * 24] {
            assert_eq!(due(&with(retrying(5)), set_back(hours)), Some(set_back(hours)), "{hours} h");
        }
        assert_eq!(due(&with(DeliveryState::Delivered { at: now() }), now()), None);
    }

    #[test]
    fn the_receivers_wish_is_kept_up_to_six_hours() {
        let first = delivery(1, 1);
        assert_eq!(waits(&first, &transient(Some(900))), Some(900));
        assert_eq!(waits(&first, &transient(Some(315_360_000))), Some(21_600));
        assert!(waits(&first, &transient(Some(0))) >= Some(5), "a wish never shortens the wait");
    }

    #[test]
    fn a_refusal_is_tried_once_more_and_a_permanent_failure_is_not() {
        assert_eq!(waits(&delivery(1, 1), &refused()), Some(900));
        assert_eq!(waits(&delivery(2, 1), &refused()), None);
        assert_eq!(
            waits(&delivery(1, 1), &Failure::Permanent { reason: "400 Bad Request".to_owned() }),
            None
        );
    }

    #[test]
    fn deliveries_held_up_together_do_not_return_together() {
        let mut seen: Vec<_> = (0..20).map(|seed| waits(&delivery(9, seed), &transient(None))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 15, "{seen:?}");
    }

    proptest! {
        #[test]
        fn a_retry_lies_ahead_within_the_cap(attempts in 0_u32..40, seed: u8, wish in 0_u64..10_000_000) {
            let seconds = waits(&delivery(attempts, seed), &transient(Some(wish))).unwrap_or_default();
            prop_assert!((5..=25_920).contains(&seconds), "{seconds} s");
        }
    }
}
