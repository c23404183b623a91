//! What left while the disk refused to have it recorded: kept in memory, and written as soon as the disk takes it.
//!
//! A receiver is asked without a record of the attempt only when the delivery itself is known to be on disk: a crash then
//! repeats it under the same id, as it does between a receiver's yes and its record. Nothing else repeats it, since what
//! came of it is known here and decides until it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::conclusion::{self, Attempt, Conclusion};
use super::hold;
use super::question::Question;
use super::station::Station;
use crate::event::Event;
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Freedom};
use crate::route::Recipient;
use crate::route::hold::Budget;
use crate::store::{StoreError, Transaction};

/// Deliveries that may have left without a record, with those under way: so many rows are a transaction of tens of
/// milliseconds, and so many a crash may repeat. Further ones wait for the disk.
pub const KEPT_MAX: usize = 1_000;

/// What left without a record. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Unrecorded(Arc<Mutex<Ledger>>);

/// That the disk refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Since when.
    pub since: Timestamp,
    /// What it says.
    pub reason: String,
    /// Deliveries that left meanwhile and are not recorded.
    pub unrecorded: usize,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Since when the disk refuses, and what it says.
    refusal: Option<(Timestamp, String)>,
    under_way: BTreeSet<DeliveryId>,
    arrears: Arrears,
    /// Whether it was told that no more may leave.
    full: bool,
}

/// What is to be written.
#[derive(Clone, Debug, Default)]
struct Arrears {
    /// How deliveries stand after their last attempt.
    kept: BTreeMap<DeliveryId, Delivery>,
    /// What is known of the ways of their notifiers.
    circuits: BTreeMap<String, Circuit>,
    /// When messages that count in budgets left, and for how long those count.
    spent: BTreeMap<Recipient, (Duration, Vec<Timestamp>)>,
    /// What is to be told of notifiers, and what is owed by it.
    news: Vec<(Event, Vec<Delivery>)>,
}

/// Whether a delivery may leave without a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It may; so it stands then.
    Now(Delivery),
    /// It must wait until the disk takes what is written.
    Waits,
    /// It is not owed any more.
    Gone,
}

impl Unrecorded {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that the disk refused a commit at `now`; another fault is none of its.
    pub(super) fn refused(&self, fault: &StoreError, now: Timestamp) {
        if fault.is_of_disk() {
            let reason = || match fault.source() {
                Some(cause) => format!("{fault}: {cause}"),
                None => fault.to_string(),
            };
            self.ledger().refusal.get_or_insert_with(|| (now, reason()));
        }
    }

    /// That the disk refuses, while it does.
    pub fn refusal(&self) -> Option<Refusal> {
        let ledger = self.ledger();
        let (since, reason) = ledger.refusal.clone()?;
        Some(Refusal { since, reason, unrecorded: ledger.arrears.kept.len() })
    }

    /// Whether the disk refuses.
    pub(super) fn refuses(&self) -> bool {
        self.ledger().refusal.is_some()
    }

    /// How many deliveries are not recorded as they stand.
    pub(super) fn count(&self) -> usize {
        self.ledger().arrears.kept.len()
    }

    /// Whether something is to be written, or to be tried.
    pub(super) fn is_pending(&self) -> bool {
        let ledger = self.ledger();
        ledger.refusal.is_some() || !ledger.arrears.is_empty()
    }

    /// How a delivery stands, where the store does not know it.
    pub fn known(&self, id: DeliveryId) -> Option<Delivery> {
        self.ledger().arrears.kept.get(&id).cloned()
    }

    /// What is known of the ways of notifiers, where the store does not know it.
    pub(super) fn circuits(&self) -> Vec<(String, Circuit)> {
        self.ledger().arrears.circuits.clone().into_iter().collect()
    }

    /// Lets a delivery leave without a record at `at`, or not. `stored` is how the store has it, which may be by a commit
    /// that failed; `question` decides whether it must wait by its routes, `spent` is what the store knows of the budgets.
    pub(super) fn leave(
        &self,
        stored: Delivery,
        at: Timestamp,
        question: Option<&Question>,
        mut spent: Vec<Timestamp>,
    ) -> Leave {
        let mut ledger = self.ledger();
        let mut delivery = ledger.arrears.kept.get(&stored.id).cloned().unwrap_or(stored);
        if !delivery.state.is_open() {
            return Leave::Gone;
        }
        if delivery.state.held().is_some() {
            return Leave::Waits;
        }
        let who = hold::who(&delivery);
        merge(&mut spent, ledger.arrears.spent.get(&who).map_or(&[], |(_, left)| left));
        if question.is_some_and(|question| question.hold_given(&delivery, &spent).is_some()) {
            return Leave::Waits;
        }
        if !ledger.has_room_for(delivery.id) {
            return Leave::Waits;
        }
        // What the refused record of this very attempt left is no attempt before it.
        if delivery.state != (DeliveryState::Attempted { at }) {
            delivery.doubt_what_was_under_way();
            delivery.attempts = delivery.attempts.saturating_add(1);
        }
        let counted = question.filter(|_| delivery.freedom != Freedom::Asked);
        if let Some(per) = counted.and_then(|question| question.counted_for(&delivery)) {
            let (longest, left) = ledger.arrears.spent.entry(who).or_default();
            *longest = per.max(*longest);
            left.push(at);
        }
        delivery.state = DeliveryState::Attempted { at };
        ledger.under_way.insert(delivery.id);
        Leave::Now(delivery)
    }

    /// Keeps what came of an attempt, and of its notifier's way.
    pub(super) fn keep(&self, attempt: &Attempt, conclusion: Conclusion, circuit: &Circuit) {
        let concluded = attempt.concluded(&conclusion);
        let mut ledger = self.ledger();
        let spent = ledger.arrears.spent.get_mut(&hold::who(&concluded)).filter(|_| attempt.got_nowhere());
        if let Some((_, left)) = spent {
            left.retain(|at| *at != attempt.began);
        }
        ledger.arrears.circuits.insert(concluded.notifier.clone(), circuit.clone());
        ledger.arrears.kept.insert(concluded.id, concluded);
        ledger.arrears.news.extend(conclusion.news);
    }

    /// Takes note that an attempt is no longer under way.
    pub(super) fn ended(&self, id: DeliveryId) {
        self.ledger().under_way.remove(&id);
    }

    /// Writes all that is kept, if the disk takes it, and then knows that it does; returns what is newly owed.
    ///
    /// # Errors
    /// When the store fails. All stays kept then.
    pub(super) async fn write(&self, station: &Station) -> Result<Vec<Delivery>, StoreError> {
        let mut owed = Vec::new();
        loop {
            // A try that fails leaves its writes in the log: it is a small one.
            station.writer.commit(|_| Ok(())).await?;
            let arrears = self.ledger().arrears.clone();
            owed.extend(self.write_those(station, arrears).await?);
            let mut ledger = self.ledger();
            if ledger.arrears.is_empty() {
                (ledger.refusal, ledger.full) = (None, false);
                return Ok(owed);
            }
        }
    }

    /// The same once, in a single try: the program ends.
    ///
    /// # Errors
    /// As [`Unrecorded::write`].
    pub(super) async fn write_last(&self, station: &Station) -> Result<(), StoreError> {
        let arrears = self.ledger().arrears.clone();
        if arrears.is_empty() { Ok(()) } else { self.write_those(station, arrears).await.map(drop) }
    }

    async fn write_those(&self, station: &Station, arrears: Arrears) -> Result<Vec<Delivery>, StoreError> {
        let arrears = Arc::new(arrears);
        let written = Arc::clone(&arrears);
        station.writer.insist(move |tx| written.write(tx)).await?;
        self.ledger().arrears.remove(&arrears);
        Ok(arrears.news.iter().flat_map(|(_, owed)| owed.clone()).collect())
    }
}

impl Ledger {
    /// Whether one more may leave; the first time that none may, that is told.
    fn has_room_for(&mut self, id: DeliveryId) -> bool {
        let (kept, under_way) = (&self.arrears.kept, &self.under_way);
        let further = under_way.iter().filter(|id| !kept.contains_key(id)).count();
        let has_place = kept.contains_key(&id) || under_way.contains(&id);
        let has_room = has_place || kept.len() + further < KEPT_MAX;
        if !has_room && !std::mem::replace(&mut self.full, true) {
            warn!(
                "{KEPT_MAX} deliveries left without a record: no more leave until the disk takes what is written"
            );
        }
        has_room
    }
}

impl Arrears {
    fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.circuits.is_empty() && self.spent.is_empty() && self.news.is_empty()
    }

    fn write(&self, tx: &dyn Transaction) -> Result<(), StoreError> {
        for delivery in self.kept.values() {
            conclusion::put_concluded(tx, delivery)?;
        }
        for (name, circuit) in &self.circuits {
            tx.put_circuit(name, circuit)?;
        }
        for (who, (per, left)) in &self.spent {
            let mut spent = tx.spent(who)?;
            merge(&mut spent, left);
            if let Some(last) = left.iter().max() {
                tx.put_spent(who, &Budget::counted(*per, &spent, *last))?;
            }
        }
        self.news.iter().try_for_each(|(event, owed)| conclusion::put_news(tx, event, owed))
    }

    /// Forgets what was written, unless it is another by now.
    fn remove(&mut self, written: &Self) {
        self.kept.retain(|id, row| written.kept.get(id) != Some(row));
        self.circuits.retain(|name, circuit| written.circuits.get(name) != Some(circuit));
        self.spent.retain(|who, (_, left)| {
            let gone = written.spent.get(who).map_or(&[][..], |(_, gone)| gone);
            left.retain(|at| !gone.contains(at));
            !left.is_empty()
        });
        self.news.retain(|news| !written.news.contains(news));
    }
}

/// Puts `more` among `times`, each once, in their order.
fn merge(times: &mut Vec<Timestamp>, more: &[Timestamp]) {
    times.extend_from_slice(more);
    times.sort_unstable();
    times.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::conclusion::Outcome;
    use crate::notify::Accepted;
    use crate::outbox::Failure;
    use crate::route::Routes;
    use crate::story::AlertId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn stored(n: usize) -> Delivery {
        let mut alert = [0; 16];
        alert[..8].copy_from_slice(&n.to_be_bytes());
        let who = ("hook".to_owned(), String::new());
        Delivery::owed(who, AlertId::from_bytes(alert).into(), at(0), DeliveryState::Ready)
    }

    fn leave(unrecorded: &Unrecorded, delivery: Delivery, second: i64) -> Leave {
        unrecorded.leave(delivery, at(second), None, Vec::new())
    }

    /// Has it leave, and end so.
    fn attempt(unrecorded: &Unrecorded, delivery: Delivery, second: i64, answer: Result<Accepted, Failure>) {
        let Leave::Now(delivery) = leave(unrecorded, delivery, second) else { panic!("it waits") };
        let (id, mut circuit) = (delivery.id, Circuit::default());
        let (began, ended) = (at(second), at(second + 1));
        let attempt = Attempt { delivery, thread: None, outcome: Outcome::Asked(answer), began, ended };
        let routes = Routes::to_all(Vec::new());
        let conclusion = attempt.conclude(&routes, &mut circuit, &crate::event::Network::default());
        unrecorded.keep(&attempt, conclusion, &circuit);
        unrecorded.ended(id);
    }

    fn yes() -> Accepted {
        Accepted::saying("204")
    }

    #[test]
    fn row_03_what_came_of_an_attempt_decides_whatever_the_store_says() {
        let unrecorded = Unrecorded::default();
        let no = Err(Failure::Transient { reason: "451".into(), retry_after: None });
        attempt(&unrecorded, stored(1), 0, no);
        let known = unrecorded.known(stored(1).id).unwrap();
        assert_eq!((known.state.as_str(), known.attempts), ("retrying", 1));
        attempt(&unrecorded, stored(1), 9, Ok(yes()));
        let known = unrecorded.known(stored(1).id).unwrap();
        assert_eq!((known.state.as_str(), known.attempts), ("delivered", 2));
        assert_eq!(leave(&unrecorded, stored(1), 20), Leave::Gone);
        assert_eq!(unrecorded.count(), 1);
    }

    #[test]
    fn row_03_an_attempt_whose_record_was_refused_counts_once() {
        let unrecorded = Unrecorded::default();
        let began = Delivery { attempts: 1, state: DeliveryState::Attempted { at: at(5) }, ..stored(1) };
        assert_eq!(leave(&unrecorded, began.clone(), 5), Leave::Now(began.clone()));
        let (freedom, state) = (Freedom::Doubtful, DeliveryState::Attempted { at: at(6) });
        let again = Delivery { attempts: 2, freedom, may_have_arrived: true, state, ..stored(1) };
        assert_eq!(leave(&unrecorded, began, 6), Leave::Now(again), "another attempt");
    }

    #[test]
    fn row_03_no_more_leave_than_are_kept() {
        let unrecorded = Unrecorded::default();
        (2..KEPT_MAX).for_each(|n| attempt(&unrecorded, stored(n), 0, Ok(yes())));
        for n in [0, 1] {
            assert!(matches!(leave(&unrecorded, stored(n), 0), Leave::Now(_)), "{n}: there is room");
        }
        assert_eq!(leave(&unrecorded, stored(KEPT_MAX), 0), Leave::Waits, "two are under way");
        unrecorded.ended(stored(0).id);
        assert!(matches!(leave(&unrecorded, stored(KEPT_MAX), 0), Leave::Now(_)), "one came to nothing");
        assert!(matches!(leave(&unrecorded, stored(1), 9), Leave::Now(_)), "one that has its place");
    }

    #[test]
    fn what_was_written_is_forgotten_unless_it_changed_meanwhile() {
        let unrecorded = Unrecorded::default();
        let no = Err(Failure::Transient { reason: "451".into(), retry_after: None });
        attempt(&unrecorded, stored(1), 0, no);
        attempt(&unrecorded, stored(2), 0, Ok(yes()));
        let written = unrecorded.ledger().arrears.clone();
        attempt(&unrecorded, stored(1), 9, Ok(yes()));
        unrecorded.ledger().arrears.remove(&written);
        assert_eq!((unrecorded.count(), unrecorded.known(stored(2).id)), (1, None));
        assert_eq!(unrecorded.known(stored(1).id).unwrap().state.as_str(), "delivered");
    }
}
