//! One attempt of one delivery: recorded, made, its outcome recorded.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use super::clock;
use super::hold::Question;
use super::station::Station;
use crate::desk::Desk;
use crate::event::Event;
use crate::fault;
use crate::notify::digest::Digest;
use crate::notify::{Accepted, Body, Message, punctuality};
use crate::outbox::bundle::Bundle;
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Failure, Subject, retry};
use crate::report::Report;
use crate::route::Routes;
use crate::store::{Store, StoreError, Transaction};
use crate::story::Alert;

/// What came of an attempt.
#[derive(Debug)]
pub struct Ended {
    /// What becomes of the delivery.
    pub next: Next,
    /// What is known of the notifier's way since.
    pub circuit: Option<Circuit>,
    /// Deliveries that are newly owed.
    pub owed: Vec<Delivery>,
}

/// What becomes of a delivery.
#[derive(Debug)]
pub enum Next {
    /// Nothing more to do: delivered, dead or gone.
    Closed,
    /// To be tried again at this time.
    Again(Timestamp),
    /// Held back before it left.
    Held(Box<Delivery>),
    /// The store failed; the receiver may or may not have been asked.
    Faulty(StoreError),
}

impl From<Next> for Ended {
    fn from(next: Next) -> Self {
        Self { next, circuit: None, owed: Vec::new() }
    }
}

/// Makes an attempt. The attempt is durable before the receiver is asked: after a crash the same delivery
/// is made again under the same id, and nothing else can happen.
pub async fn deliver(station: Station, desk: Arc<Desk>, id: DeliveryId) -> Ended {
    match attempt(&station, &desk, id).await {
        Ok(ended) => ended,
        Err(fault) => Next::Faulty(fault).into(),
    }
}

async fn attempt(station: &Station, desk: &Desk, id: DeliveryId) -> Result<Ended, StoreError> {
    let began = clock::now();
    let told = told(station, id).await?;
    let question = match &told {
        Some(Stored::Alert(alert)) => Some(Question::of(desk, alert, began)),
        Some(Stored::Event(_) | Stored::Bundle(..) | Stored::Report(_)) | None => None,
    };
    let Some(delivery) = begin(station, id, began, question).await? else {
        return Ok(Next::Closed.into());
    };
    if let Some(hold) = delivery.state.held() {
        let (notifier, to) = (&delivery.notifier, &delivery.recipient);
        info!(delivery = %id, notifier, to, until = %hold.until, "held back: {}", hold.reason.as_str());
        return Ok(Next::Held(Box::new(delivery)).into());
    }
    let outcome = match (&told, desk.notifier(&delivery.notifier)) {
        (None, _) => Outcome::Unsaid("what it tells is no longer stored"),
        (_, None) => Outcome::Unsaid("its notifier is no longer configured"),
        (Some(told), Some(notifier)) => {
            let (late, sent) = punctuality(delivery.ready, began);
            let message = Message {
                id,
                body: told.body(),
                recipient: &delivery.recipient,
                timezone: &desk.config.desk.timezone,
                now: began,
                sent: Some(sent),
                late,
            };
            fault::point("attempted");
            let answer = notifier.send(&message).await;
            fault::point("answered");
            Outcome::Asked(answer)
        }
    };
    let (now, routes) = (clock::now(), Arc::clone(&desk.in_force.routes));
    let conclude = move |tx: &dyn Transaction| conclude(tx, &routes, &delivery, &outcome, (began, now));
    station.writer.commit(conclude).await
}

/// What an attempt came to.
enum Outcome {
    /// The receiver was asked.
    Asked(Result<Accepted, Failure>),
    /// It was not, and never will be.
    Unsaid(&'static str),
}

/// Records what came of an attempt: of the delivery, and of the notifier's way.
fn conclude(
    tx: &dyn Transaction,
    routes: &Routes,
    delivery: &Delivery,
    outcome: &Outcome,
    (began, now): (Timestamp, Timestamp),
) -> Result<Ended, StoreError> {
    let name = delivery.notifier.as_str();
    let before = tx.circuit(name)?;
    let (mut circuit, network) = (before.clone(), tx.network()?);
    let news = match outcome {
        Outcome::Asked(Err(Failure::Way { reason, retry_after })) => {
            circuit.failed(name, (reason, *retry_after), (began, now), network.offline.is_some())
        }
        Outcome::Asked(_) => circuit.worked(name, now),
        Outcome::Unsaid(_) => None,
    };
    if circuit != before {
        tx.put_circuit(name, &circuit)?;
    }
    let mut owed = Vec::new();
    if let Some(event) = news {
        warn!(notifier = name, "{}: {}", event.kind.as_str(), event.detail);
        tx.put_event(&event)?;
        for who in routes.of_notifier_event(event.kind, name) {
            let delivery = Delivery::owed(who, event.id.into(), now, DeliveryState::Ready);
            tx.put_delivery(&delivery)?;
            owed.push(delivery);
        }
    }
    let state = match outcome {
        Outcome::Asked(Ok(_)) => DeliveryState::Delivered { at: now },
        Outcome::Asked(Err(failure)) => {
            let offline = network.offline_within(delivery.ready, now);
            after_failure(delivery, failure, &circuit, now, offline)
        }
        Outcome::Unsaid(reason) => DeliveryState::Dead { at: now, reason: (*reason).to_owned() },
    };
    let next = note(delivery, &state, outcome);
    let dropped = |row: &Delivery| matches!(row.state, DeliveryState::Dropped { .. });
    if state.is_open() && tx.delivery(delivery.id)?.is_some_and(|row| dropped(&row)) {
        // It was dropped while it was under way.
        return Ok(Ended { next: Next::Closed, circuit: (circuit != before).then_some(circuit), owed });
    }
    tx.put_delivery(&Delivery { state, ..delivery.clone() })?;
    Ok(Ended { next, circuit: (circuit != before).then_some(circuit), owed })
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
    match (&state, failure, &circuit.fault) {
        (DeliveryState::Retrying { reason, .. }, Failure::Way { .. }, Some(fault)) => {
            DeliveryState::Retrying { due: fault.until, reason: reason.clone() }
        }
        _ => state,
    }
}

/// What becomes of a delivery in that state; the log tells it.
fn note(delivery: &Delivery, state: &DeliveryState, outcome: &Outcome) -> Next {
    let (id, notifier, to, attempt) =
        (delivery.id, &delivery.notifier, &delivery.recipient, delivery.attempts);
    match state {
        DeliveryState::Retrying { due, reason } => {
            warn!(delivery = %id, notifier, to, attempt, %due, "not delivered yet: {reason}");
            Next::Again(*due)
        }
        DeliveryState::Dead { reason, .. } => {
            warn!(delivery = %id, notifier, to, attempt, "given up: {reason}");
            Next::Closed
        }
        DeliveryState::Held(_)
        | DeliveryState::Ready
        | DeliveryState::Attempted { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Bundled { .. }
        | DeliveryState::Dropped { .. } => {
            if let Outcome::Asked(Ok(accepted)) = outcome {
                info!(delivery = %id, notifier, to, "delivered: {}", accepted.detail);
            }
            Next::Closed
        }
    }
}

/// What a delivery tells, read from the store.
enum Stored {
    Alert(Box<Alert>),
    Event(Event),
    Bundle(Bundle, Vec<Alert>),
    Report(Report),
}

impl Stored {
    fn body(&self) -> Body<'_> {
        match self {
            Self::Alert(alert) => Body::Alert(alert),
            Self::Event(event) => Body::Event(event),
            Self::Report(report) => Body::Report(report),
            Self::Bundle(Bundle { cause, part, parts, .. }, alerts) => {
                Body::Digest(Digest { cause: Some(*cause), alerts, part: *part, parts: *parts })
            }
        }
    }
}

async fn told(station: &Station, delivery: DeliveryId) -> Result<Option<Stored>, StoreError> {
    let read = move |store: &dyn Store| {
        let Some(delivery) = store.delivery(delivery)? else { return Ok(None) };
        Ok(match delivery.subject {
            Subject::Alert(id) => store.alert(id)?.map(|alert| Stored::Alert(Box::new(alert))),
            Subject::Event(id) => store.event(id)?.map(Stored::Event),
            Subject::Report(id) => store.report(id)?.map(Stored::Report),
            Subject::Bundle(id) => {
                let Some(bundle) = store.bundle(id)? else { return Ok(None) };
                let alerts = bundle.alerts.iter().map(|id| store.alert(*id));
                let alerts: Vec<Alert> =
                    alerts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
                (!alerts.is_empty()).then_some(Stored::Bundle(bundle, alerts))
            }
        })
    };
    station.read(read).await
}

/// Records that an attempt begins, or that it is held back by the answer to `question`; `None` when nothing is owed any
/// more.
async fn begin(
    station: &Station,
    id: DeliveryId,
    at: Timestamp,
    question: Option<Question>,
) -> Result<Option<Delivery>, StoreError> {
    station.writer.commit(move |tx| claim(tx, id, at, question.as_ref())).await
}

/// The same within a transaction.
fn claim(
    tx: &dyn Transaction,
    id: DeliveryId,
    at: Timestamp,
    question: Option<&Question>,
) -> Result<Option<Delivery>, StoreError> {
    let Some(mut delivery) = tx.delivery(id)?.filter(|delivery| delivery.state.is_open()) else {
        return Ok(None);
    };
    // Whoever ordered it knew an older state: what is held leaves when it is let go, and not before.
    if delivery.state.held().is_some() {
        return Ok(Some(delivery));
    }
    let held_back = question.map(|question| question.ask(tx, &mut delivery)).transpose()?.unwrap_or(false);
    if !held_back {
        delivery.attempts = delivery.attempts.saturating_add(1);
        delivery.state = DeliveryState::Attempted { at };
    }
    tx.put_delivery(&delivery)?;
    Ok(Some(delivery))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::hold::{Hold, HoldReason};
    use crate::store::SledStore;
    use crate::story::AlertId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn delivery(state: DeliveryState) -> Delivery {
        let alert = AlertId::from_bytes([7; 16]);
        Delivery::owed(("hook".to_owned(), String::new()), alert.into(), at(0), state)
    }

    /// What `work` leaves of a delivery that is stored in that state.
    fn left(state: DeliveryState, work: impl Fn(&dyn Transaction, DeliveryId)) -> DeliveryState {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::create(folder.path()).unwrap();
        let row = delivery(state);
        store
            .transact(&mut |tx| {
                tx.put_delivery(&row)?;
                work(tx, row.id);
                Ok(())
            })
            .unwrap();
        store.delivery(row.id).unwrap().unwrap().state
    }

    #[test]
    fn only_what_is_owed_and_not_held_is_attempted() {
        let hold = Hold { reason: HoldReason::Quiet, until: at(90) };
        let attempted = DeliveryState::Attempted { at: at(5) };
        let retrying = DeliveryState::Retrying { due: at(4), reason: "503".into() };
        for (before, after) in [
            (DeliveryState::Held(hold), DeliveryState::Held(hold)),
            (DeliveryState::Ready, attempted.clone()),
            (retrying, attempted),
            (DeliveryState::Dropped { at: at(1) }, DeliveryState::Dropped { at: at(1) }),
        ] {
            let work = |tx: &dyn Transaction, id| drop(claim(tx, id, at(5), None).unwrap());
            assert_eq!(left(before.clone(), work), after, "{before:?}");
        }
    }

    #[test]
    fn what_is_dropped_under_way_is_not_tried_again() {
        let routes = Routes::to_all(Vec::new());
        let way = || Failure::Way { reason: "503".into(), retry_after: None };
        let yes = || Accepted { detail: "204".into() };
        let dropped = DeliveryState::Dropped { at: at(1) };
        let attempted = DeliveryState::Attempted { at: at(0) };
        for (stored, outcome, after) in [
            (dropped.clone(), Err(way()), dropped.as_str()),
            (dropped.clone(), Ok(yes()), "delivered"),
            (attempted.clone(), Err(way()), "retrying"),
            (attempted, Ok(yes()), "delivered"),
        ] {
            let told = format!("{stored:?} {outcome:?}");
            let outcome = Outcome::Asked(outcome);
            let under_way = delivery(DeliveryState::Attempted { at: at(0) });
            let work = |tx: &dyn Transaction, _| {
                conclude(tx, &routes, &under_way, &outcome, (at(0), at(2))).unwrap();
            };
            assert_eq!(left(stored, work).as_str(), after, "{told}");
        }
    }
}
