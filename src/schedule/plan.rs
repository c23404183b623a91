//! When sources are asked that are due all at once: new ones, and those overdue after downtime.
//!
//! Spread so that no second has many of them and no host a burst, by the hash of their names: every start gives the
//! same order.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::jitter::share;
use super::{FAST, after};
use crate::item::SourceName;

/// Least time over which such polls are spread, where the interval allows it.
const SPREAD_MIN: Duration = Duration::from_mins(1);

/// Time that a host gets for each of its sources; all of them together at most their interval.
const HOST_STEP: Duration = Duration::from_secs(12);

/// Least time between two starts over all hosts: twenty a second.
const STEP_MIN: Duration = Duration::from_millis(50);

/// A source that is to be polled.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// Its name.
    pub source: &'a SourceName,
    /// The host that it is asked at.
    pub host: Option<String>,
    /// Its interval.
    pub interval: Duration,
}

/// Gives each of the sources, which all are due now, a time of its own, in their order.
pub fn plan(starts: &[Start<'_>], now: Timestamp) -> Vec<Timestamp> {
    let mut hosts: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
    for (place, start) in starts.iter().enumerate() {
        hosts.entry(start.host.as_deref()).or_default().push(place);
    }
    let mut waits = vec![Duration::ZERO; starts.len()];
    for mut places in hosts.into_values() {
        places.sort_by_key(|place| starts.get(*place).map(|start| rank(start.source)));
        for (turn, place) in (0_u32..).zip(&places) {
            if let (Some(wait), Some(start)) = (waits.get_mut(*place), starts.get(*place)) {
                *wait = turn_of(start, turn, u32::try_from(places.len()).unwrap_or(u32::MAX));
            }
        }
    }
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by_key(|place| waits.get(*place).copied());
    let mut free = Duration::ZERO;
    for place in order {
        let fast = starts.get(place).is_some_and(|start| start.interval < FAST);
        if let Some(wait) = waits.get_mut(place).filter(|_| !fast) {
            *wait = free.max(*wait);
            free = wait.saturating_add(STEP_MIN);
        }
    }
    waits.into_iter().map(|wait| after(now, wait)).collect()
}

/// How long the source waits that is the `turn`th of `sources` on its host.
fn turn_of(start: &Start<'_>, turn: u32, sources: u32) -> Duration {
    if start.interval < FAST {
        return Duration::ZERO;
    }
    let window = HOST_STEP.saturating_mul(sources).max(SPREAD_MIN).min(start.interval);
    (window / sources.max(1)).mul_f64(f64::from(turn) + share(&start.source))
}

/// A place in an order that has nothing to do with the alphabet: the bits of positive numbers sort as they do.
fn rank(source: &SourceName) -> u64 {
    share(&(source, "start")).to_bits()
}

/// The first time from `due` on at which the host of a source has no other poll near; `others` are those of the host
/// from a step before `due` on, in order. No step is longer than what leaves room for all in half of the interval.
pub fn space(due: Timestamp, interval: Duration, sources: usize, others: &[Timestamp]) -> Timestamp {
    let step = step(interval, sources);
    let mut free = due;
    for other in others {
        if other.duration_since(free).unsigned_abs() < step {
            free = after(*other, step);
        }
    }
    free
}

/// The time kept between two polls that are due at a host with so many sources.
pub fn step(interval: Duration, sources: usize) -> Duration {
    let sources = u32::try_from(sources.max(1)).unwrap_or(u32::MAX).saturating_mul(2);
    if interval < FAST { Duration::ZERO } else { HOST_STEP.min(interval / sources) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Freshness;
    use crate::item::SourceKind;
    use crate::schedule::{News, Poll, PollOutcome, Rhythm, next_poll};
    use crate::source::Hints;

    const INTERVAL: Duration = Duration::from_mins(15);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn names(n: usize) -> Vec<SourceName> {
        (0..n).map(|n| SourceName::new(&format!("source-{n}")).unwrap()).collect()
    }

    /// When `sources` on `hosts` start that are all due at 0, in milliseconds, in order.
    fn planned(sources: usize, hosts: usize, interval: Duration) -> Vec<i64> {
        let names = names(sources);
        let start = |(n, source)| Start { source, host: Some(format!("host-{}", n % hosts)), interval };
        let starts: Vec<_> = names.iter().enumerate().map(start).collect();
        let mut times: Vec<_> =
            plan(&starts, at(0)).iter().map(|time| time.as_millisecond() - at(0).as_millisecond()).collect();
        times.sort_unstable();
        times
    }

    /// The greatest number of times within a second.
    fn peak(times: &[i64]) -> usize {
        let until = |end: i64| times.partition_point(|time| *time < end);
        times.iter().map(|from| until(from + 1000) - until(*from)).max().unwrap_or(0)
    }

    #[test]
    fn g6_overdue_sources_start_at_most_twenty_a_second() {
        for (sources, hosts, latest) in
            [(1000, 1000, 61), (1000, 200, 61), (5000, 200, 330), (20_000, 20_000, 1001)]
        {
            let times = planned(sources, hosts, INTERVAL);
            assert!(peak(&times) <= 20, "{} of {sources} in one second", peak(&times));
            assert!(times.last().is_some_and(|last| *last < latest * 1000), "{sources}: {:?}", times.last());
        }
    }

    #[test]
    fn g6_a_few_sources_start_within_a_minute_and_their_interval() {
        for interval in [INTERVAL, Duration::from_secs(20)] {
            let times = planned(5, 1, interval);
            assert!(
                times
                    .iter()
                    .all(|time| (0..60_000.min(interval.as_secs() * 1000)).contains(&time.unsigned_abs()))
            );
        }
        assert_eq!(planned(3, 1, Duration::from_secs(1)), [0, 0, 0], "tests are not spread");
    }

    #[test]
    fn g5_the_sources_of_one_host_are_spread_over_its_interval() {
        let times = planned(50, 1, INTERVAL);
        let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(times.last().is_some_and(|last| (580_000..600_000).contains(last)), "{times:?}");
        assert!(gaps.iter().all(|gap| *gap < 24_000), "{gaps:?}");
        assert!(peak(&planned(500, 1, INTERVAL)) <= 4);
    }

    #[test]
    fn g5_polls_due_together_at_one_host_are_moved_apart_and_never_forward() {
        let mut taken: Vec<Timestamp> = Vec::new();
        for _ in 0..50 {
            let free = space(at(100), INTERVAL, 50, &taken);
            taken.push(free);
        }
        let gaps: Vec<_> = taken.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect();
        assert!(gaps.iter().all(|gap| *gap == jiff::SignedDuration::from_secs(9)), "{gaps:?}");
        assert_eq!(space(at(0), INTERVAL, 2, &[at(-5), at(30)]), at(7));
        assert_eq!(space(at(0), INTERVAL, 2, &[at(-20), at(30)]), at(0));
        assert_eq!(space(at(0), Duration::from_secs(1), 2, &[at(0)]), at(0));
    }

    #[test]
    fn f8_no_gap_is_shorter_than_the_interval_over_polls_and_restarts() {
        for name in &names(20) {
            let rhythm = Rhythm {
                kind: SourceKind::Feed,
                interval: INTERVAL,
                fixed: false,
                min: Duration::from_mins(5),
                max: Duration::from_hours(24),
            };
            let mut polled = vec![at(0)];
            let mut restarts = [500, 7_000, 20_000, 50_000, 80_000].map(at).into_iter().peekable();
            for _ in 0..100 {
                let started = *polled.last().unwrap();
                let poll = Poll {
                    started,
                    answered: after(started, Duration::from_secs(3)),
                    outcome: PollOutcome::Read,
                    freshness: Freshness::default(),
                    hints: Hints::default(),
                    validators: true,
                    news: News::default(),
                };
                let due = next_poll(name, &rhythm, &poll).due;
                // A restart forgets everything but what was due.
                let next = match restarts.next_if(|restart| *restart <= after(due, INTERVAL)) {
                    Some(restart) if restart >= due => {
                        plan(&[Start { source: name, host: None, interval: INTERVAL }], restart)[0]
                    }
                    Some(_) | None => due,
                };
                polled.push(next);
            }
            assert_eq!(restarts.next(), None);
            assert!(polled.windows(2).all(|pair| pair[1].duration_since(pair[0]).unsigned_abs() >= INTERVAL));
        }
    }
}
