//! Tables for the rules of politeness, and properties that hold for every poll.

use super::*;
use proptest::prelude::*;

const MIN: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn name(text: &str) -> SourceName {
    SourceName::new(text).unwrap()
}

fn feed() -> Rhythm {
    Rhythm {
        kind: SourceKind::Feed,
        interval: secs(15 * MIN),
        fixed: false,
        min: secs(5 * MIN),
        max: secs(DAY),
    }
}

fn own(interval: u64) -> Rhythm {
    Rhythm { interval: secs(interval), fixed: true, ..feed() }
}

/// A poll that began at 0 and was answered two seconds later.
fn poll(outcome: PollOutcome) -> Poll {
    Poll {
        started: at(0),
        answered: at(2),
        outcome,
        freshness: Freshness::default(),
        hints: Hints::default(),
        validators: true,
    }
}

fn fresh(max_age: Option<u64>, retry_after: Option<u64>) -> Freshness {
    Freshness { max_age: max_age.map(secs), retry_after: retry_after.map(secs) }
}

fn ttl(minutes: u32) -> Hints {
    Hints { ttl_minutes: Some(minutes), ..Hints::default() }
}

fn failed(status: u16, failures: u32) -> PollOutcome {
    PollOutcome::Failed { status: Some(status), failures }
}

/// Checks the reason, the order (seconds after the start) and that the next poll is due `wait` seconds after the start
/// or up to a tenth later.
fn check(rhythm: Rhythm, poll: Poll, reason: PollReason, wait: u64, order: Option<i64>) {
    let decision = next_poll(&name("rfi"), &rhythm, &poll);
    let got = Duration::try_from(decision.due.duration_since(poll.started)).unwrap();
    assert_eq!(decision.reason, reason, "{poll:?}");
    assert_eq!(decision.not_before, order.map(at), "{poll:?}");
    assert!(got >= secs(wait) && got <= secs(wait) + secs(wait) / 10, "{got:?} for {wait} s: {poll:?}");
}

#[test]
fn f8_the_interval_runs_from_the_start_of_the_request() {
    let slow = Poll { answered: at(50), ..poll(PollOutcome::Read) };
    check(feed(), slow, PollReason::Interval, 15 * MIN, None);
    check(own(60), slow, PollReason::Interval, 60, None);
}

#[test]
fn bounds_hold_for_adapted_intervals_and_not_for_own_ones() {
    let short = Rhythm { interval: secs(1), ..feed() };
    check(short, poll(PollOutcome::Read), PollReason::Interval, 5 * MIN, None);
    check(own(2), poll(PollOutcome::Read), PollReason::Interval, 2, None);
    check(own(2 * DAY), poll(PollOutcome::Read), PollReason::Interval, 2 * DAY, None);
}

#[test]
fn f1_max_age_is_an_order_from_the_answer_on() {
    let read = Poll { freshness: fresh(Some(HOUR), None), ..poll(PollOutcome::Read) };
    check(feed(), read, PollReason::MaxAge, HOUR + 2, Some(3602));
    check(own(60), read, PollReason::MaxAge, HOUR + 2, Some(3602));
    let shorter = Poll { freshness: fresh(Some(60), None), ..poll(PollOutcome::Read) };
    check(feed(), shorter, PollReason::Interval, 15 * MIN, Some(62));
}

#[test]
fn f2_max_age_counts_for_errors_too() {
    let missing = Poll { freshness: fresh(Some(2 * HOUR), None), ..poll(failed(404, 1)) };
    check(feed(), missing, PollReason::MaxAge, 2 * HOUR + 2, Some(7202));
}

#[test]
fn f3_absurd_lifetimes_are_cut_to_the_longest_interval() {
    let read = Poll { freshness: fresh(Some(365 * DAY), None), ..poll(PollOutcome::Read) };
    check(feed(), read, PollReason::MaxAge, DAY + 2, Some(86_402));
}

#[test]
fn f4_ttl_stretches_and_never_shortens() {
    let with = |minutes| Poll { hints: ttl(minutes), ..poll(PollOutcome::Read) };
    check(feed(), with(60), PollReason::Ttl, HOUR, None);
    check(feed(), with(1), PollReason::Interval, 15 * MIN, None);
    check(feed(), with(u32::MAX), PollReason::Ttl, DAY, None);
    check(own(60), with(60), PollReason::Interval, 60, None);
}

#[test]
fn f7_feeds_without_validators_are_asked_every_half_hour_at_most() {
    let blind = Poll { validators: false, ..poll(PollOutcome::Read) };
    check(feed(), blind, PollReason::Unconditional, 30 * MIN, None);
    check(own(60), blind, PollReason::Interval, 60, None);
    for kind in [SourceKind::Telegram, SourceKind::Page] {
        check(Rhythm { kind, ..feed() }, blind, PollReason::Interval, 15 * MIN, None);
    }
    let hourly = Rhythm { interval: secs(HOUR), ..feed() };
    check(hourly, blind, PollReason::Interval, HOUR, None);
}

#[test]
fn r1_retry_after_is_obeyed_and_cut_by_status() {
    let after = |outcome, wait| Poll { freshness: fresh(None, Some(wait)), ..poll(outcome) };
    check(own(60), after(failed(429, 1), 2 * HOUR), PollReason::RetryAfter, 2 * HOUR + 2, Some(7202));
    check(own(60), after(failed(429, 1), 30 * DAY), PollReason::RetryAfter, 7 * DAY + 2, Some(604_802));
    check(own(60), after(failed(503, 1), 30 * DAY), PollReason::RetryAfter, DAY + 2, Some(86_402));
    check(own(60), after(failed(503, 9), 20), PollReason::Backoff, DAY, Some(22));
    check(feed(), after(PollOutcome::Read, HOUR), PollReason::RetryAfter, HOUR + 2, Some(3602));
}

#[test]
fn r1_the_later_of_two_orders_holds() {
    let both = Poll { freshness: fresh(Some(HOUR), Some(3 * HOUR)), ..poll(failed(503, 1)) };
    check(feed(), both, PollReason::RetryAfter, 3 * HOUR + 2, Some(10_802));
    let both = Poll { freshness: fresh(Some(4 * HOUR), Some(3 * HOUR)), ..poll(failed(503, 1)) };
    check(feed(), both, PollReason::MaxAge, 4 * HOUR + 2, Some(14_402));
}

#[test]
fn r2_r3_failures_stretch_the_interval_and_never_end() {
    check(own(60), poll(failed(503, 1)), PollReason::Backoff, 15 * MIN, None);
    check(own(60), poll(failed(500, 1)), PollReason::Backoff, 60, None);
    check(own(60), poll(failed(404, 4)), PollReason::Backoff, 8 * MIN, None);
    let unreachable = PollOutcome::Failed { status: None, failures: 1000 };
    let decision = next_poll(&name("rfi"), &feed(), &poll(unreachable));
    assert_eq!(decision.due, after(at(0), secs(DAY)), "a day at most, jitter included");
}

#[test]
fn r4_gone_is_confirmed_after_a_day_and_then_believed() {
    let first = poll(PollOutcome::Gone { confirmed: false });
    check(own(60), first, PollReason::Gone, DAY + 2, Some(86_402));
    let decision = next_poll(&name("rfi"), &own(60), &poll(PollOutcome::Gone { confirmed: true }));
    assert_eq!((decision.due, decision.reason), (NEVER, PollReason::Gone));
}

#[test]
fn fast_intervals_run_to_the_second() {
    for outcome in [PollOutcome::Read, failed(503, 1)] {
        let blind = Poll { validators: false, ..poll(outcome) };
        let rhythm = Rhythm { min: secs(1), ..own(1) };
        assert_eq!(next_poll(&name("rfi"), &rhythm, &blind).due, at(1));
        assert_eq!(next_poll(&name("rfi"), &Rhythm { fixed: false, ..rhythm }, &blind).due, at(1));
    }
    assert_eq!(spread(&name("rfi"), &own(1), at(0)), at(0));
}

#[test]
fn g6_first_polls_are_spread_over_a_minute() {
    let mut seconds: Vec<i64> = (0..1000)
        .map(|n| spread(&name(&format!("source-{n}")), &feed(), at(0)).as_second() - at(0).as_second())
        .collect();
    seconds.sort_unstable();
    assert!(seconds.iter().all(|s| (0..60).contains(s)));
    let busiest = seconds.chunk_by(|a, b| a == b).map(<[i64]>::len).max();
    assert!(busiest < Some(50), "{busiest:?} of 1000 in one second");
}

fn outcomes() -> impl Strategy<Value = PollOutcome> {
    prop_oneof![
        Just(PollOutcome::Read),
        (proptest::option::of(400_u16..600), any::<u32>())
            .prop_map(|(status, failures)| PollOutcome::Failed { status, failures }),
        any::<bool>().prop_map(|confirmed| PollOutcome::Gone { confirmed }),
    ]
}

fn delays() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of((0..400 * DAY).prop_map(secs))
}

prop_compose! {
    fn polls()(
        outcome in outcomes(),
        lag in 0_i64..120,
        max_age in delays(),
        retry_after in delays(),
        ttl_minutes in proptest::option::of(any::<u32>()),
        validators: bool,
    ) -> Poll {
        Poll {
            answered: at(lag),
            outcome,
            freshness: Freshness { max_age, retry_after },
            hints: Hints { ttl_minutes, ..Hints::default() },
            validators,
            ..poll(PollOutcome::Read)
        }
    }
}

prop_compose! {
    fn rhythms()(interval in 1..3 * DAY, fixed: bool, min in 1..DAY, more in 0..DAY) -> Rhythm {
        Rhythm { kind: SourceKind::Feed, interval: secs(interval), fixed, min: secs(min), max: secs(min + more) }
    }
}

proptest! {
    #[test]
    fn no_poll_is_due_in_the_past_or_before_an_order(rhythm in rhythms(), poll in polls()) {
        let decision = next_poll(&name("any"), &rhythm, &poll);
        prop_assert!(decision.due >= poll.started);
        prop_assert!(decision.not_before.is_none_or(|order| decision.due >= order));
    }

    #[test]
    fn no_poll_is_due_beyond_the_cap_unless_the_server_orders_it(rhythm in rhythms(), poll in polls()) {
        let decision = next_poll(&name("any"), &rhythm, &poll);
        let own = if rhythm.fixed { rhythm.interval } else { rhythm.interval.max(rhythm.min) };
        let cap = after(poll.started, own.max(rhythm.max).max(secs(DAY)));
        let order = decision.not_before.unwrap_or(Timestamp::MIN);
        prop_assert!(decision.due <= cap.max(order), "{decision:?}");
    }

    #[test]
    fn jitter_goes_upward_and_by_a_tenth_at_most(rhythm in rhythms(), poll in polls(), n: u32) {
        let times = ["a".to_owned(), format!("b-{n}")].map(|n| next_poll(&name(&n), &rhythm, &poll).due);
        let [first, second] = times.map(|due| due.duration_since(poll.started).as_secs_f64());
        prop_assert!(first <= second * 1.1 + 1e-6 && second <= first * 1.1 + 1e-6);
        if !matches!(poll.outcome, PollOutcome::Gone { .. }) {
            let own = if rhythm.fixed { rhythm.interval } else { rhythm.interval.min(rhythm.max) };
            prop_assert!(first >= own.as_secs_f64());
        }
    }

    #[test]
    fn a_decision_depends_on_its_inputs_alone(rhythm in rhythms(), poll in polls()) {
        prop_assert_eq!(next_poll(&name("any"), &rhythm, &poll), next_poll(&name("any"), &rhythm, &poll));
    }

    #[test]
    fn one_more_failure_never_shortens_the_wait(rhythm in rhythms(), status in 400_u16..600, failures in 1_u32..100) {
        let wait = |failures| backoff::wait(rhythm.interval, Some(status), failures);
        prop_assert!(wait(failures) <= wait(failures + 1));
    }
}
