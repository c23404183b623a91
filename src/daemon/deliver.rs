//! One attempt of one delivery: recorded, made, its outcome recorded.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{info, warn};

use super::clock;
use super::hold::Question;
use super::station::Station;
use crate::desk::Desk;
use crate::event::Event;
use crate::notify::digest::Digest;
use crate::notify::{Body, Message};
use crate::outbox::bundle::Bundle;
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Failure, Subject, retry};
use crate::store::{Store, StoreError};
use crate::story::Alert;

/// How an attempt ended.
#[derive(Debug)]
pub enum Ended {
    /// Nothing more to do: delivered, dead or gone.
    Closed,
    /// To be tried again at this time.
    Again(Timestamp),
    /// Held back before it left.
    Held(Box<Delivery>),
    /// The store failed; the receiver may or may not have been asked.
    Faulty(StoreError),
}

/// Makes an attempt. The attempt is durable before the receiver is asked: after a crash the same delivery
/// is made again under the same id, and nothing else can happen.
pub async fn deliver(station: Station, desk: Arc<Desk>, id: DeliveryId) -> Ended {
    match attempt(&station, &desk, id).await {
        Ok(ended) => ended,
        Err(fault) => Ended::Faulty(fault),
    }
}

async fn attempt(station: &Station, desk: &Desk, id: DeliveryId) -> Result<Ended, StoreError> {
    let began = clock::now();
    let told = told(station, id).await?;
    let question = match &told {
        Some(Stored::Alert(alert)) => Some(Question::of(desk, alert, began)),
        Some(Stored::Event(_) | Stored::Bundle(..)) | None => None,
    };
    let Some(delivery) = begin(station, id, began, question).await? else {
        return Ok(Ended::Closed);
    };
    if let Some(hold) = delivery.state.held() {
        let (notifier, to) = (&delivery.notifier, &delivery.recipient);
        info!(delivery = %id, notifier, to, until = %hold.until, "held back: {}", hold.reason.as_str());
        return Ok(Ended::Held(Box::new(delivery)));
    }
    let outcome = match (&told, desk.notifier(&delivery.notifier)) {
        (None, _) => Err(Failure::Permanent { reason: "what it tells is no longer stored".into() }),
        (_, None) => Err(Failure::Permanent { reason: "its notifier is no longer configured".into() }),
        (Some(told), Some(notifier)) => {
            let message = Message {
                id,
                body: told.body(),
                recipient: &delivery.recipient,
                timezone: &desk.config.desk.timezone,
                now: began,
            };
            notifier.send(&message).await
        }
    };
    let now = clock::now();
    let (notifier, to) = (&delivery.notifier, &delivery.recipient);
    let state = match outcome {
        Ok(accepted) => {
            info!(delivery = %id, notifier, to, "delivered: {}", accepted.detail);
            DeliveryState::Delivered { at: now }
        }
        Err(failure) => retry::after_failure(&delivery, &failure, now),
    };
    let ended = match &state {
        DeliveryState::Retrying { due, reason } => {
            warn!(delivery = %id, notifier, to, attempt = delivery.attempts, %due, "not delivered yet: {reason}");
            Ended::Again(*due)
        }
        DeliveryState::Dead { reason, .. } => {
            warn!(delivery = %id, notifier, to, attempt = delivery.attempts, "given up: {reason}");
            Ended::Closed
        }
        DeliveryState::Held(_)
        | DeliveryState::Ready
        | DeliveryState::Attempted { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Bundled { .. } => Ended::Closed,
    };
    let done = Delivery { state, ..delivery };
    station.writer.commit(move |tx| tx.put_delivery(&done)).await?;
    Ok(ended)
}

/// What a delivery tells, read from the store.
enum Stored {
    Alert(Box<Alert>),
    Event(Event),
    Bundle(Bundle, Vec<Alert>),
}

impl Stored {
    fn body(&self) -> Body<'_> {
        match self {
            Self::Alert(alert) => Body::Alert(alert),
            Self::Event(event) => Body::Event(event),
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
    let begin = move |tx: &dyn crate::store::Transaction| {
        let Some(mut delivery) = tx.delivery(id)?.filter(|delivery| delivery.state.is_open()) else {
            return Ok(None);
        };
        let asked = question.as_ref().map(|question| question.ask(tx, &mut delivery));
        if !asked.transpose()?.unwrap_or(false) {
            delivery.attempts = delivery.attempts.saturating_add(1);
            delivery.state = DeliveryState::Attempted { at };
        }
        tx.put_delivery(&delivery)?;
        Ok(Some(delivery))
    };
    station.writer.commit(begin).await
}
