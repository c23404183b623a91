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
        news: News::default(),
    }
}

fn fresh(max_age: Option<u64>, retry_after: Option<u64>) -> Freshness {
    let (max_age, retry_after) = (max_age.map(secs), retry_after.map(secs));
    Freshness { max_age, retry_after, ..Freshness::default() }
}

fn ttl(minutes: u32) -> Hints {
    Hints { ttl_minutes: Some(minutes), ..Hints::default() }
}

fn failed(status: u16, failures: u32) -> PollOutcome {
    PollOutcome::Failed { status: Some(status), failures, cut: false }
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
fn g8_a_poll_by_hand_waits_five_minutes_or_as_long_as_the_source_itself() {
    let eager = Rhythm { min: secs(20), ..feed() };
    for (rhythm, now, expected) in [
        (feed(), 0, Some(300)),
        (feed(), 299, Some(300)),
        (feed(), 300, None),
        (own(HOUR), 299, Some(300)),
        (own(60), 59, Some(60)),
        (own(60), 60, None),
        (eager, 19, Some(20)),
        (eager, 20, None),
        (feed(), -60, Some(300)),
        // The clock was set back.
        (feed(), -61, None),
    ] {
        assert_eq!(by_hand_from(&rhythm, at(0), at(now)), expected.map(at), "{rhythm:?} at {now}");
    }
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
    let unreachable = PollOutcome::Failed { status: None, failures: 1000, cut: true };
    let decision = next_poll(&name("rfi"), &feed(), &poll(unreachable));
    assert_eq!(decision.due, after(at(0), secs(DAY)), "a day at most, jitter included");
}

#[test]
fn a_channel_that_cannot_be_reached_is_asked_again_within_minutes_and_one_that_answers_is_not() {
    let channel = |minutes: u64| Rhythm { kind: SourceKind::Telegram, ..own(minutes * MIN) };
    let failed = |failures, cut| poll(PollOutcome::Failed { status: None, failures, cut });
    for (rhythm, failures, cut, wait) in [
        (channel(3), 1, true, 3 * MIN),
        (channel(3), 2, true, 6 * MIN),
        (channel(3), 3, true, 10 * MIN),
        (channel(3), 300, true, 10 * MIN),
        (channel(15), 300, true, 15 * MIN),
        (channel(3), 4, false, 24 * MIN),
        (own(3 * MIN), 4, true, 24 * MIN),
    ] {
        check(rhythm, failed(failures, cut), PollReason::Backoff, wait, None);
    }
}

#[test]
fn row_19_five_hundred_feeds_that_fail_together_are_not_asked_together_again() {
    for rounds in [1, 2, 4, 8, 20] {
        let after_rounds = |feed_name: &SourceName| {
            (1..=rounds).fold(at(0), |started, failures| {
                let poll = Poll { started, answered: started, ..poll(failed(503, failures)) };
                next_poll(feed_name, &feed(), &poll).due
            })
        };
        let mut seconds: Vec<i64> =
            (0..500).map(|n| after_rounds(&name(&format!("feed-{n}"))).as_second()).collect();
        seconds.sort_unstable();
        let busiest = seconds.chunk_by(|a, b| a == b).map(<[i64]>::len).max();
        assert!(busiest < Some(20), "{busiest:?} in one second after {rounds} failures");
    }
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
}

/// A poll whose document hints so and whose last news came so many seconds before it.
fn hinted(hints: Hints, latest: i64) -> Poll {
    Poll { hints, news: News { latest: Some(at(-latest)), ..News::default() }, ..poll(PollOutcome::Read) }
}

#[test]
fn the_interval_follows_the_rhythm_within_its_bounds() {
    let with = |news| Poll { news, ..poll(PollOutcome::Read) };
    let gap = |minutes: u64| News { gap: Some(secs(60 * minutes)), ..News::default() };
    check(feed(), with(gap(40)), PollReason::Learned, 20 * MIN, None);
    check(feed(), with(gap(4)), PollReason::Learned, 5 * MIN, None);
    check(feed(), with(gap(100 * 24 * 60)), PollReason::Learned, DAY, None);
    check(own(60), with(gap(40)), PollReason::Interval, 60, None);
}

#[test]
fn a_new_item_brings_the_next_poll_forward_but_not_under_a_floor() {
    let burst = News { gap: Some(secs(2 * HOUR)), fresh: true, ..News::default() };
    let with = |hints, validators| Poll { news: burst, hints, validators, ..poll(PollOutcome::Read) };
    check(feed(), with(Hints::default(), true), PollReason::Burst, 5 * MIN, None);
    check(feed(), with(ttl(20), true), PollReason::Ttl, 20 * MIN, None);
    check(feed(), with(Hints::default(), false), PollReason::Unconditional, 30 * MIN, None);
    check(own(HOUR), with(Hints::default(), true), PollReason::Interval, HOUR, None);
}

#[test]
fn window_guard_little_overlap_halves_the_interval_above_the_floors() {
    let with = |gap: u64, hints| {
        let news = News { gap: Some(secs(gap)), scant: true, ..News::default() };
        Poll { hints, news, ..poll(PollOutcome::Read) }
    };
    check(feed(), with(2 * HOUR, Hints::default()), PollReason::Overlap, 30 * MIN, None);
    check(feed(), with(16 * MIN, Hints::default()), PollReason::Overlap, 5 * MIN, None);
    check(feed(), with(MIN, Hints::default()), PollReason::Learned, 5 * MIN, None);
    check(feed(), with(HOUR, ttl(60)), PollReason::Ttl, HOUR, None);
    let ordered = Poll { freshness: fresh(Some(HOUR), None), ..with(20 * MIN, Hints::default()) };
    check(feed(), ordered, PollReason::MaxAge, HOUR + 2, Some(3602));
    check(own(HOUR), with(2 * HOUR, Hints::default()), PollReason::Interval, HOUR, None);
}

#[test]
fn f5_nothing_is_asked_in_hours_and_days_to_be_left_out() {
    // The poll began on Friday, 15 January 2027 at 08:00 GMT.
    let hours = |skipped: &[u32]| skipped.iter().fold(0, |bits, hour| bits | 1_u32 << hour);
    let skip = |skip_hours, skip_days| hinted(Hints { skip_hours, skip_days, ..Hints::default() }, 0);
    check(feed(), skip(hours(&[9, 10]), 0), PollReason::Interval, 15 * MIN, None);
    check(feed(), skip(hours(&[8, 9, 10]), 0), PollReason::Skip, 3 * HOUR, None);
    check(feed(), skip(hours(&(0..23).collect::<Vec<_>>()), 0), PollReason::Skip, 15 * HOUR, None);
    check(feed(), skip(0, 1 << 4), PollReason::Skip, 16 * HOUR, None);
    check(feed(), skip(hours(&[0, 1]), 1 << 4 | 1 << 5), PollReason::Skip, (16 + 24 + 2) * HOUR, None);
    check(feed(), skip(0, 0b111_1110), PollReason::Skip, (16 + 48) * HOUR, None);
    for broken in [skip((1 << 24) - 1, 0), skip(u32::MAX, 0), skip(0, 0b111_1111), skip(0, u8::MAX)] {
        check(feed(), broken, PollReason::Interval, 15 * MIN, None);
    }
    check(own(60), skip(hours(&[8]), 0), PollReason::Interval, 60, None);
}

#[test]
fn f6_a_promised_update_is_waited_for_and_missed_once() {
    let every = |minutes, latest| hinted(Hints { update_minutes: Some(minutes), ..Hints::default() }, latest);
    check(feed(), every(60, 0), PollReason::Promise, HOUR, None);
    check(feed(), every(60, 1200), PollReason::Promise, 40 * MIN, None);
    check(feed(), every(60, 3600), PollReason::Interval, 15 * MIN, None);
    // The last news was dated by a clock that ran ahead.
    check(feed(), every(60, -86_400), PollReason::Interval, 15 * MIN, None);
    check(feed(), every(10_080, 0), PollReason::Promise, DAY, None);
    check(feed(), every(u32::MAX, 0), PollReason::Promise, DAY, None);
    check(feed(), every(5, 0), PollReason::Interval, 15 * MIN, None);
    check(own(60), every(60, 0), PollReason::Interval, 60, None);
    let full = News { scant: true, latest: Some(at(0)), ..News::default() };
    check(feed(), Poll { news: full, ..every(60, 0) }, PollReason::Overlap, 7 * MIN + 30, None);
}

fn outcomes() -> impl Strategy<Value = PollOutcome> {
    prop_oneof![
        Just(PollOutcome::Read),
        (proptest::option::of(400_u16..600), any::<u32>())
            .prop_map(|(status, failures)| PollOutcome::Failed { status, failures, cut: status.is_none() }),
        any::<bool>().prop_map(|confirmed| PollOutcome::Gone { confirmed }),
    ]
}

fn delays() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of((0..400 * DAY).prop_map(secs))
}

prop_compose! {
    fn news()(
        gap in delays(),
        scant: bool,
        fresh: bool,
        latest in proptest::option::of(-400_000_i64..=0),
    ) -> News {
        News { gap, scant, fresh, latest: latest.map(at) }
    }
}

prop_compose! {
    fn polls()(
        outcome in outcomes(),
        lag in 0_i64..120,
        max_age in delays(),
        retry_after in delays(),
        ttl_minutes in proptest::option::of(any::<u32>()),
        update_minutes in proptest::option::of(any::<u32>()),
        validators: bool,
        news in news(),
    ) -> Poll {
        Poll {
            answered: at(lag),
            outcome,
            freshness: Freshness { max_age, retry_after, ..Freshness::default() },
            hints: Hints { ttl_minutes, update_minutes, ..Hints::default() },
            validators,
            news,
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
            let own = if rhythm.fixed { rhythm.interval } else { rhythm.min };
            prop_assert!(first >= own.as_secs_f64());
        }
    }

    #[test]
    fn f5_no_poll_is_due_in_a_skipped_hour_or_day(
        rhythm in rhythms(),
        poll in polls(),
        skip_hours in 0..(1_u32 << 24) - 1,
        skip_days in 0..(1_u8 << 7) - 1,
    ) {
        let poll = Poll { hints: Hints { skip_hours, skip_days, ..poll.hints }, ..poll };
        let decision = next_poll(&name("any"), &Rhythm { fixed: false, ..rhythm }, &poll);
        prop_assert!(decision.due >= poll.started);
        prop_assert!(decision.not_before.is_none_or(|order| decision.due >= order));
        let due = decision.due.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let day = due.weekday().to_monday_zero_offset();
        if decision.reason != PollReason::Gone {
            prop_assert!(skip_hours >> due.hour() & 1 == 0 && skip_days >> day & 1 == 0, "{due}");
        }
    }

    #[test]
    fn a_decision_depends_on_its_inputs_alone(rhythm in rhythms(), poll in polls()) {
        prop_assert_eq!(next_poll(&name("any"), &rhythm, &poll), next_poll(&name("any"), &rhythm, &poll));
    }

    #[test]
    fn one_more_failure_never_shortens_the_wait(rhythm in rhythms(), status in 400_u16..600, failures in 1_u32..100) {
        let wait = |failures| backoff::wait(rhythm.interval, Some(status), failures, backoff::BACKOFF_MAX);
        prop_assert!(wait(failures) <= wait(failures + 1));
    }
}
