//! What servers said that is to outlive the process: gathered here, whoever was told it, until somebody stores it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::RobotsTxt;
use crate::schedule;

/// A host's order to all who ask there to wait (429).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// When it was given.
    pub at: Timestamp,
    /// Nobody asks before.
    pub until: Timestamp,
}

impl Order {
    /// For how long it holds still; `None` when it is over, or the clock was set back since.
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        let holds = self.until > now && !schedule::is_set_back(self.at, now);
        holds.then(|| self.until.duration_since(now).unsigned_abs())
    }
}

/// What nobody has stored yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unsaved {
    /// Orders, by host.
    pub orders: BTreeMap<String, Order>,
    /// What servers say to crawlers, by scheme, host and port; `None` is to be forgotten.
    pub robots: BTreeMap<String, Option<RobotsTxt>>,
}

/// Where it is gathered. Held for a look-up only, never over an await.
#[derive(Debug, Default)]
pub(super) struct Gathered(Mutex<Unsaved>);

impl Gathered {
    /// Takes note of an order.
    pub(super) fn order(&self, host: &str, order: Order) {
        self.lock().orders.insert(host.to_owned(), order);
    }

    /// Takes note of what a server says to crawlers; `None` is to be forgotten.
    pub(super) fn robots(&self, origin: String, said: Option<RobotsTxt>) {
        self.lock().robots.insert(origin, said);
    }

    /// A copy of what there is.
    pub(super) fn all(&self) -> Unsaved {
        self.lock().clone()
    }

    /// Drops what was stored; what came meanwhile stays.
    pub(super) fn saved(&self, stored: &Unsaved) {
        let mut all = self.lock();
        all.orders.retain(|host, order| stored.orders.get(host) != Some(order));
        all.robots.retain(|origin, said| stored.robots.get(origin) != Some(said));
    }

    fn lock(&self) -> MutexGuard<'_, Unsaved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn r1_an_order_holds_until_its_end_unless_the_clock_was_set_back() {
        let order = Order { at: at(0), until: at(120) };
        for (now, left) in [(0, Some(120)), (119, Some(1)), (120, None), (-30, Some(150)), (-3600, None)] {
            assert_eq!(order.left(at(now)).map(|left| left.as_secs()), left, "{now}");
        }
    }

    #[test]
    fn what_came_while_the_rest_was_stored_is_stored_next() {
        let gathered = Gathered::default();
        gathered.order("a", Order { at: at(0), until: at(1) });
        gathered.order("b", Order { at: at(0), until: at(1) });
        let stored = gathered.all();
        gathered.order("b", Order { at: at(0), until: at(2) });
        gathered.saved(&stored);
        assert_eq!(gathered.all().orders.into_keys().collect::<Vec<_>>(), ["b"]);
    }
}
