//! Which of the hosts that stand in for each other could not be reached lately: one that swallows packets costs ten
//! seconds whenever it is asked first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::schedule;

/// How often a host that could not be reached is asked in its own place all the same.
const PROBE_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// When those hosts that could not be reached were last asked in their own place; clones share it. A start forgets it.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    // Held for a look-up only, never over an await.
    down: Arc<Mutex<HashMap<String, Timestamp>>>,
}

impl Reached {
    /// The order in which to ask, by places in `hosts`: those that could not be reached lately come last. One of them
    /// keeps its own place from time to time, for one request of all that there are.
    pub fn order(&self, hosts: &[String], now: Timestamp) -> Vec<usize> {
        let mut down = self.down();
        let mut rests = |host: &String| match down.get_mut(host) {
            Some(asked)
                if now.duration_since(*asked) < PROBE_EVERY && !schedule::is_set_back(*asked, now) =>
            {
                true
            }
            Some(asked) => {
                *asked = now;
                false
            }
            None => false,
        };
        let (last, mut order): (Vec<_>, Vec<_>) =
            hosts.iter().enumerate().map(|(place, host)| (place, rests(host))).partition(|(_, rests)| *rests);
        order.extend(last);
        order.into_iter().map(|(place, _)| place).collect()
    }

    /// Takes note that a host answered, whatever it said.
    pub fn answered(&self, host: &str) {
        self.down().remove(host);
    }

    /// Takes note that a host could not be reached.
    pub fn failed(&self, host: &str, now: Timestamp) {
        self.down().insert(host.to_owned(), now);
    }

    fn down(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_a_host_that_could_not_be_reached_comes_last_but_for_one_request_in_ten_minutes() {
        let at = |minutes: i64| Timestamp::from_second(1_795_000_000 + minutes * 60).unwrap();
        let hosts = ["t.me", "telegram.me", "telegram.dog"].map(str::to_owned);
        let reached = Reached::default();
        assert_eq!(reached.order(&hosts, at(0)), [0, 1, 2]);
        reached.failed("t.me", at(0));
        assert_eq!(reached.order(&hosts, at(1)), [1, 2, 0]);
        reached.failed("telegram.me", at(5));
        for (minutes, order) in [
            (9, [2, 0, 1]),
            (10, [0, 2, 1]),
            (11, [2, 0, 1]),
            (15, [1, 2, 0]),
            (16, [2, 0, 1]),
            (20, [0, 2, 1]),
        ] {
            assert_eq!(reached.order(&hosts, at(minutes)), order, "{minutes}");
        }
        reached.answered("t.me");
        assert_eq!(reached.order(&hosts, at(21)), [0, 2, 1]);
        reached.failed("telegram.dog", at(22));
        reached.failed("t.me", at(22));
        assert_eq!(reached.order(&hosts, at(23)), [0, 1, 2], "none is better than another");
        assert_eq!(reached.order(&hosts, at(-60)), [0, 1, 2], "the clock was set back");
    }
}
