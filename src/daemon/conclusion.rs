//! What an attempt that has ended means: for its delivery, and for its notifier's way.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use super::{failing, hold, split, thread, untold};
use crate::event::{Event, Network};
use crate::notify::Accepted;
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryState, Failure, Freedom, retry};
use crate::route::Routes;
use crate::store::{StoreError, Transaction};
use crate::story::StoryId;

/// An attempt that has ended.
#[derive(Debug)]
pub struct Attempt {
    /// The delivery, this attempt counted.
    pub delivery: Delivery,
    /// The story of which alone it tells, where its receiver keeps threads.
    pub thread: Option<StoryId>,
    /// What it came to.
    pub outcome: Outcome,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// What an attempt came to.
#[derive(Debug)]
pub enum Outcome {
    /// The receiver was asked.
    Asked(Result<Accepted, Failure>),
    /// It was not, and never will be.
    Unsaid(&'static str),
}

/// What follows from an attempt.
#[derive(Debug)]
pub(super) struct Conclusion {
    /// How the delivery stands now.
    pub(super) state: DeliveryState,
    /// What is to be told of the notifier, and what is owed by it.
    pub(super) news: Vec<(Event, Vec<Delivery>)>,
}

/// The same, recorded.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) conclusion: Conclusion,
    /// What is known of the notifier's way since, where that is new.
    pub(super) circuit: Option<Circuit>,
    /// Whether the delivery was dropped while it was under way, and stays so.
    pub(super) dropped: bool,
    /// What is owed in place of a message of several alerts that was refused.
    pub(super) halves: Vec<Delivery>,
}

impl Attempt {
    /// What follows, with what is known of the notifier's way, which changes by it, and of the network.
    pub(super) fn conclude(&self, routes: &Routes, circuit: &mut Circuit, network: &Network) -> Conclusion {
        let Self { delivery, outcome, began, ended, .. } = self;
        let who = (delivery.notifier.as_str(), delivery.recipient.as_str());
        let events = match outcome {
            Outcome::Asked(answer) => {
                circuit.learn(who, answer.as_ref().map(drop), (*began, *ended), network.offline.is_some())
            }
            Outcome::Unsaid(_) => Vec::new(),
        };
        let owed = |event| {
            let owed = failing::owed(routes, &event);
            (event, owed)
        };
        let news = events.into_iter().map(owed).collect();
        let state = match outcome {
            Outcome::Asked(Ok(_)) => DeliveryState::Delivered { at: *ended },
            Outcome::Asked(Err(failure)) => {
                let offline = network.offline_within(delivery.ready, *ended);
                after_failure(delivery, failure, circuit, *ended, offline)
            }
            Outcome::Unsaid(reason) => DeliveryState::Dead { at: *ended, reason: (*reason).to_owned() },
        };
        Conclusion { state, news }
    }

    /// Concludes and records that.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(super) fn record(&self, tx: &dyn Transaction, routes: &Routes) -> Result<Recorded, StoreError> {
        let name = self.delivery.notifier.as_str();
        let before = tx.circuit(name)?;
        let mut circuit = before.clone();
        let conclusion = self.conclude(routes, &mut circuit, &tx.network()?);
        if circuit != before {
            tx.put_circuit(name, &circuit)?;
        }
        conclusion.news.iter().try_for_each(|(event, owed)| put_news(tx, event, owed))?;
        if self.got_nowhere() {
            hold::give_back(tx, &self.delivery, self.began)?;
        }
        if let (Some(story), Outcome::Asked(Ok(Accepted { thread: Some(name), .. }))) =
            (self.thread, &self.outcome)
        {
            thread::keep(tx, story, &self.delivery, name)?;
        }
        let concluded = self.concluded(&conclusion);
        let halves = if self.is_refused() { split::halve(tx, &concluded, self.ended)? } else { Vec::new() };
        let written = if halves.is_empty() {
            put_concluded(tx, &concluded)?
        } else {
            tx.put_delivery(&concluded)?;
            true
        };
        Ok(Recorded {
            conclusion,
            circuit: (circuit != before).then_some(circuit),
            dropped: !written,
            halves,
        })
    }

    /// Whether its receiver will never take just this.
    fn is_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Asked(Err(Failure::Permanent { .. })))
    }

    /// The delivery as it stands now.
    pub(super) fn concluded(&self, conclusion: &Conclusion) -> Delivery {
        let (freedom, state) = (self.freedom(), conclusion.state.clone());
        let is_lost = matches!(self.outcome, Outcome::Asked(Err(Failure::Lost { .. })));
        let may_have_arrived = self.delivery.may_have_arrived || is_lost;
        Delivery { freedom, may_have_arrived, state, ..self.delivery.clone() }
    }

    /// Whether its receiver cannot have it by this attempt, which counts in no budget then. One that says no has not got
    /// it, though it may know its id, so that this is no question of [`Freedom`].
    pub(super) fn got_nowhere(&self) -> bool {
        match &self.outcome {
            Outcome::Asked(Ok(_) | Err(Failure::Lost { .. })) => false,
            Outcome::Asked(Err(
                Failure::Way { .. }
                | Failure::Gone { .. }
                | Failure::Transient { .. }
                | Failure::Refused { .. }
                | Failure::Permanent { .. },
            ))
            | Outcome::Unsaid(_) => true,
        }
    }

    /// What may be made of the delivery now.
    fn freedom(&self) -> Freedom {
        match &self.outcome {
            Outcome::Asked(Err(failure)) => self.delivery.freedom.after(failure),
            Outcome::Asked(Ok(_)) | Outcome::Unsaid(_) => self.delivery.freedom,
        }
    }

    /// Tells the log.
    pub(super) fn tell(&self, conclusion: &Conclusion) {
        let Delivery { id, notifier, recipient: to, attempts: attempt, .. } = &self.delivery;
        for (event, _) in &conclusion.news {
            warn!(notifier, "{}: {}", event.kind.as_str(), event.detail);
        }
        match &conclusion.state {
            DeliveryState::Retrying { due, reason, .. } => {
                warn!(delivery = %id, notifier, to, attempt, %due, "not delivered yet: {reason}");
            }
            DeliveryState::Dead { reason, .. } => {
                warn!(delivery = %id, notifier, to, attempt, "given up: {reason}");
            }
            DeliveryState::Held(_)
            | DeliveryState::Ready
            | DeliveryState::Attempted { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Bundled { .. }
            | DeliveryState::Dropped { .. } => {
                if let Outcome::Asked(Ok(accepted)) = &self.outcome {
                    info!(delivery = %id, notifier, to, "delivered: {}", accepted.detail);
                }
            }
        }
    }
}

impl Conclusion {
    /// When the next attempt is to be made; `None` when there is none.
    pub(super) fn again(&self) -> Option<Timestamp> {
        match self.state {
            DeliveryState::Retrying { due, .. } => Some(due),
            DeliveryState::Held(_)
            | DeliveryState::Ready
            | DeliveryState::Attempted { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Bundled { .. }
            | DeliveryState::Dropped { .. }
            | DeliveryState::Dead { .. } => None,
        }
    }
}

/// Writes how a delivery stands after an attempt, and tells whether it did: one that was dropped while it was under way
/// stays dropped, unless it was the last attempt anyway. Who is not told, since it was given up, hears of the story later.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn put_concluded(tx: &dyn Transaction, concluded: &Delivery) -> Result<bool, StoreError> {
    let dropped = |row: &Delivery| matches!(row.state, DeliveryState::Dropped { .. });
    if concluded.state.is_open() && tx.delivery(concluded.id)?.is_some_and(|row| dropped(&row)) {
        return Ok(false);
    }
    tx.put_delivery(concluded)?;
    if matches!(concluded.state, DeliveryState::Dead { .. }) {
        untold::by(tx, concluded)?;
    }
    Ok(true)
}

/// Writes what is to be told of a notifier.
///
/// # Errors
/// When the store cannot be written.
pub(super) fn put_news(tx: &dyn Transaction, event: &Event, owed: &[Delivery]) -> Result<(), StoreError> {
    tx.put_event(event)?;
    owed.iter().try_for_each(|delivery| tx.put_delivery(delivery))
}

/// The state after a failure; where the way failed, its next attempt is that of the way.
fn after_failure(
    delivery: &Delivery,
    failure: &Failure,
    circuit: &Circuit,
    now: Timestamp,
    offline: Duration,
) -> DeliveryState {
    let failures = circuit.fault.as_ref().map_or(0, |fault| fault.failures);
    let state = retry::after_failure(delivery, failure, now, (offline, failures));
    match (&state, &circuit.fault) {
        (DeliveryState::Retrying { reason, .. }, Some(fault)) if failure.is_of_the_way() => {
            DeliveryState::Retrying { failed: now, due: fault.until, reason: reason.clone() }
        }
        _ => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SledStore, Store as _};
    use crate::story::AlertId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn what_is_dropped_under_way_is_not_tried_again() {
        let routes = Routes::to_all(Vec::new());
        let way = || Failure::Way { reason: "503".into(), retry_after: None };
        let yes = || Accepted::saying("204");
        let dropped = DeliveryState::Dropped { at: at(1), by: None };
        let attempted = DeliveryState::Attempted { at: at(0) };
        for (stored, outcome, after) in [
            (dropped.clone(), Err(way()), dropped.as_str()),
            (dropped.clone(), Ok(yes()), "delivered"),
            (attempted.clone(), Err(way()), "retrying"),
            (attempted.clone(), Ok(yes()), "delivered"),
        ] {
            let told = format!("{stored:?} {outcome:?}");
            let folder = tempfile::tempdir().unwrap();
            let store = SledStore::create(folder.path()).unwrap();
            let who = ("hook".to_owned(), String::new());
            let delivery = Delivery::owed(who, AlertId::from_bytes([7; 16]).into(), at(0), attempted.clone());
            let row = Delivery { state: stored, ..delivery.clone() };
            let attempt = Attempt {
                delivery,
                thread: None,
                outcome: Outcome::Asked(outcome),
                began: at(0),
                ended: at(2),
            };
            store
                .transact(&mut |tx| {
                    tx.put_delivery(&row)?;
                    attempt.record(tx, &routes).map(drop)
                })
                .unwrap();
            assert_eq!(store.delivery(row.id).unwrap().unwrap().state.as_str(), after, "{told}");
        }
    }

    #[test]
    fn only_what_a_receiver_may_have_counts_in_its_budget() {
        let routes = Routes::to_all(Vec::new());
        let reason = || "no".to_owned();
        for (outcome, counts) in [
            (Outcome::Asked(Ok(Accepted::saying("204"))), true),
            (Outcome::Asked(Err(Failure::Lost { reason: reason() })), true),
            (Outcome::Asked(Err(Failure::Way { reason: reason(), retry_after: None })), false),
            (Outcome::Asked(Err(Failure::Gone { reason: reason() })), false),
            (Outcome::Asked(Err(Failure::Transient { reason: reason(), retry_after: None })), false),
            (Outcome::Asked(Err(Failure::Refused { reason: reason() })), false),
            (Outcome::Asked(Err(Failure::Permanent { reason: reason() })), false),
            (Outcome::Unsaid("gone"), false),
        ] {
            // Also where an attempt before it may have arrived.
            for freedom in [Freedom::Free, Freedom::Doubtful] {
                let told = format!("{outcome:?} {freedom:?}");
                let (folder, who) = (tempfile::tempdir().unwrap(), ("mail".to_owned(), "desk".to_owned()));
                let store = SledStore::create(folder.path()).unwrap();
                let (alert, state) =
                    (AlertId::from_bytes([7; 16]).into(), DeliveryState::Attempted { at: at(9) });
                let row =
                    Delivery { freedom, attempts: 2, ..Delivery::owed(who.clone(), alert, at(0), state) };
                let outcome = match &outcome {
                    Outcome::Asked(answer) => Outcome::Asked(answer.clone()),
                    Outcome::Unsaid(reason) => Outcome::Unsaid(reason),
                };
                let attempt = Attempt { delivery: row, thread: None, outcome, began: at(9), ended: at(10) };
                store
                    .transact(&mut |tx| {
                        tx.put_spent(&who, &[at(5), at(9)])?;
                        attempt.record(tx, &routes).map(drop)
                    })
                    .unwrap();
                let mut left = vec![at(5)];
                left.extend(counts.then_some(at(9)));
                assert_eq!(store.spent(&who).unwrap(), left, "{told}");
            }
        }
    }
}
