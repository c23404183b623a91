//! One attempt of one delivery: recorded, made, its outcome recorded.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::info;

use super::conclusion::{Attempt, Outcome, Recorded};
use super::orphan::Gone;
use super::question::Question;
use super::station::Station;
use super::unrecorded::{Leave, Unrecorded};
use super::{clock, hold, hush, thread};
use crate::desk::Desk;
use crate::event::{Event, Network};
use crate::fault;
use crate::notify::digest::Digest;
use crate::notify::{Body, Message, punctuality};
use crate::outbox::bundle::{Bundle, Cause, LISTED_MAX};
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Subject};
use crate::report::Report;
use crate::store::{Store, StoreError, Transaction};
use crate::story::{Alert, StoryId};

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
    /// Not begun: it waits until the disk takes what is written.
    Waits,
    /// The receiver was asked, and the disk refused to have that recorded.
    Unrecorded(Arc<Attempt>, Box<Network>),
    /// The store failed; the receiver may or may not have been asked.
    Faulty(StoreError),
}

impl From<Next> for Ended {
    fn from(next: Next) -> Self {
        Self { next, circuit: None, owed: Vec::new() }
    }
}

/// What is to be delivered.
#[derive(Clone, Copy, Debug)]
pub struct Errand {
    /// The delivery.
    pub id: DeliveryId,
    /// Whether it is known to be on disk.
    pub durable: bool,
}

/// Makes an attempt. The attempt is durable before the receiver is asked: after a crash the same delivery is made again
/// under the same id, and nothing else can happen. While the disk refuses that record, only what is on disk itself leaves,
/// and what came of it is kept in memory.
pub async fn deliver(station: Station, desk: Arc<Desk>, unrecorded: Unrecorded, errand: Errand) -> Ended {
    match attempt(&station, &desk, &unrecorded, errand).await {
        Ok(ended) => ended,
        Err(fault) => Next::Faulty(fault).into(),
    }
}

async fn attempt(
    station: &Station,
    desk: &Arc<Desk>,
    unrecorded: &Unrecorded,
    errand: Errand,
) -> Result<Ended, StoreError> {
    let (id, began) = (errand.id, clock::now());
    let Known { told, network, thread } = told(station, Arc::clone(desk), id).await?;
    let question = match &told {
        Some(Stored::Alert(alert)) => Some(Question::of(desk, alert, began)),
        Some(Stored::Bundle(_, alerts, left)) => Question::of_bundle(desk, alerts, *left, began),
        Some(Stored::Event(_) | Stored::Report(_)) | None => None,
    };
    let terms = Terms { at: began, question, thread };
    let (delivery, recorded) = match begin(station, unrecorded, errand, terms).await? {
        Begun::Recorded(delivery) => (delivery, true),
        Begun::Unrecorded(delivery) => (delivery, false),
        Begun::Not(next) => return Ok(next.into()),
    };
    if let Some(hold) = delivery.state.held() {
        let (notifier, to) = (&delivery.notifier, &delivery.recipient);
        info!(delivery = %id, notifier, to, until = %hold.until, "held back: {}", hold.reason.as_str());
        return Ok(Next::Held(Box::new(delivery)).into());
    }
    let outcome = match (&told, desk.notifier(&delivery.notifier)) {
        (None, _) => Outcome::Unsaid("what it tells is no longer stored"),
        (_, None) => Outcome::Unsaid(Gone::Notifier.reason()),
        (_, Some(notifier)) if !notifier.tells(&delivery.recipient) => {
            Outcome::Unsaid(Gone::Recipient.reason())
        }
        (Some(told), Some(notifier)) => {
            let (late, sent) = punctuality(delivery.ready, began);
            let late = late || told.was_held_up();
            let message = Message {
                id,
                body: told.body(),
                recipient: &delivery.recipient,
                timezone: &desk.config.desk.timezone,
                now: began,
                sent: Some(sent),
                late,
                possible_duplicate: delivery.may_have_arrived,
                follows: delivery.follows.as_deref(),
            };
            fault::point("attempted");
            let answer = notifier.send(&message).await;
            fault::point("answered");
            Outcome::Asked(answer)
        }
    };
    let attempt = Arc::new(Attempt { delivery, thread, outcome, began, ended: clock::now() });
    if recorded {
        let (made, routes) = (Arc::clone(&attempt), Arc::clone(&desk.in_force.routes));
        match station.writer.commit(move |tx| made.record(tx, &routes)).await {
            Ok(recorded) => return Ok(Ended::recorded(&attempt, recorded)),
            // It was made: whatever the store says by now, it must not be made again for want of a record.
            Err(fault) if fault.is_of_disk() => unrecorded.refused(&fault, attempt.ended),
            Err(fault) => return Err(fault),
        }
    }
    Ok(Next::Unrecorded(attempt, Box::new(network)).into())
}

impl Ended {
    /// The end of an attempt that is on disk.
    fn recorded(attempt: &Attempt, recorded: Recorded) -> Self {
        let Recorded { conclusion, circuit, dropped, halves } = recorded;
        attempt.tell(&conclusion);
        let again = conclusion.again().filter(|_| !dropped);
        let owed = conclusion.news.into_iter().flat_map(|(_, owed)| owed).chain(halves).collect();
        Self { next: again.map_or(Next::Closed, Next::Again), circuit, owed }
    }
}

/// What a delivery tells, read from the store.
enum Stored {
    Alert(Box<Alert>),
    Event(Event),
    /// With the alerts that are told, and the number of those that are left.
    Bundle(Bundle, Vec<Alert>, usize),
    Report(Report),
}

impl Stored {
    /// Whether a stop or an outage held it up, since when it may be sent notwithstanding: it has three days of its own.
    fn was_held_up(&self) -> bool {
        match self {
            Self::Bundle(Bundle { cause, .. }, alerts, _) => {
                *cause == Cause::Late && alerts.iter().any(|alert| alert.repeat.is_none())
            }
            Self::Alert(_) | Self::Event(_) | Self::Report(_) => false,
        }
    }

    /// The story of which alone it tells.
    fn story(&self) -> Option<StoryId> {
        match self {
            Self::Alert(alert) => Some(alert.story.id),
            Self::Bundle(_, alerts, 0) => thread::of(alerts.iter().map(|alert| alert.story.id)),
            Self::Bundle(..) | Self::Event(_) | Self::Report(_) => None,
        }
    }

    fn body(&self) -> Body<'_> {
        match self {
            Self::Alert(alert) => Body::Alert(alert),
            Self::Event(event) => Body::Event(event),
            Self::Report(report) => Body::Report(report),
            Self::Bundle(bundle, alerts, left) => Body::Digest(Digest {
                cause: Some(bundle.cause),
                alerts,
                left: *left,
                part: bundle.part,
                parts: bundle.parts,
                created: bundle.created,
            }),
        }
    }
}

/// What is known before an attempt.
struct Known {
    /// What is told; `None` where that is no longer stored.
    told: Option<Stored>,
    /// What is known of the network.
    network: Network,
    /// The story of which alone it tells, where its receiver keeps threads.
    thread: Option<StoryId>,
}

async fn told(station: &Station, desk: Arc<Desk>, delivery: DeliveryId) -> Result<Known, StoreError> {
    let read = move |store: &dyn Store| {
        let network = store.network()?;
        let nothing = |network| Known { told: None, network, thread: None };
        let Some(delivery) = store.delivery(delivery)? else { return Ok(nothing(network)) };
        let notifier = desk.notifier(&delivery.notifier);
        let told = match delivery.subject {
            Subject::Alert(id) => store.alert(id)?.map(|alert| Stored::Alert(Box::new(alert))),
            Subject::Event(id) => store.event(id)?.map(Stored::Event),
            Subject::Report(id) => store.report(id)?.map(Stored::Report),
            Subject::Bundle(id) => {
                let Some(bundle) = store.bundle(id)? else { return Ok(nothing(network)) };
                // Thousands would be read for a message that has room for some.
                let whole = notifier.is_none_or(|notifier| notifier.takes_parts());
                let listed = if whole { bundle.alerts.len() } else { LISTED_MAX };
                let left = bundle.alerts.len().saturating_sub(listed);
                let alerts = bundle.alerts.iter().take(listed).map(|id| store.alert(*id));
                let alerts: Vec<Alert> =
                    alerts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
                (!alerts.is_empty()).then_some(Stored::Bundle(bundle, alerts, left))
            }
        };
        let keeps_threads = notifier.is_some_and(|notifier| notifier.keeps_threads());
        let thread = told.as_ref().filter(|_| keeps_threads).and_then(Stored::story);
        Ok(Known { told, network, thread })
    };
    station.read(read).await
}

/// Whether an attempt begins.
enum Begun {
    /// It does, and that is on disk; or it is held back, and that is.
    Recorded(Delivery),
    /// It does, and nobody but this process knows.
    Unrecorded(Delivery),
    /// It does not.
    Not(Next),
}

/// What the beginning of an attempt depends on.
struct Terms {
    /// When it begins.
    at: Timestamp,
    /// What decides whether it is held back.
    question: Option<Question>,
    /// The story of which alone it tells, where its receiver keeps threads.
    thread: Option<StoryId>,
}

/// Records that an attempt begins, or that it is held back by the answer to the question. While the disk refuses, it begins
/// without a record where it may.
async fn begin(
    station: &Station,
    unrecorded: &Unrecorded,
    Errand { id, durable }: Errand,
    terms: Terms,
) -> Result<Begun, StoreError> {
    let (at, terms) = (terms.at, Arc::new(terms));
    // What the store does not know of it is written before anything else of it is.
    if !unrecorded.refuses() && unrecorded.known(id).is_none() {
        let own = Arc::clone(&terms);
        match station.writer.commit(move |tx| claim(tx, id, &own)).await {
            Ok(claimed) => return Ok(claimed.map_or(Begun::Not(Next::Closed), Begun::Recorded)),
            Err(fault) if fault.is_of_disk() => unrecorded.refused(&fault, at),
            Err(fault) => return Err(fault),
        }
    }
    if !durable {
        return Ok(Begun::Not(Next::Waits));
    }
    let stored = move |store: &dyn Store| {
        let Some(delivery) = store.delivery(id)? else { return Ok(None) };
        let spent = store.spent(&hold::who(&delivery))?;
        Ok(Some((delivery, spent, store.silences()?)))
    };
    let Some((delivery, spent, silences)) = station.read(stored).await? else {
        return Ok(Begun::Not(Next::Closed));
    };
    let question = terms.question.as_ref();
    if question.is_some_and(|question| question.silences(&silences, &delivery).is_some()) {
        return Ok(Begun::Not(Next::Waits));
    }
    Ok(match unrecorded.leave(delivery, at, question, spent) {
        Leave::Now(delivery) => Begun::Unrecorded(delivery),
        Leave::Waits => Begun::Not(Next::Waits),
        Leave::Gone => Begun::Not(Next::Closed),
    })
}

/// Records within a transaction that an attempt begins or is held back; `None` when nothing is owed any more, be it that
/// a silence stops it.
fn claim(tx: &dyn Transaction, id: DeliveryId, terms: &Terms) -> Result<Option<Delivery>, StoreError> {
    let question = terms.question.as_ref();
    let Some(mut delivery) = tx.delivery(id)?.filter(|delivery| delivery.state.is_open()) else {
        return Ok(None);
    };
    // Whoever ordered it knew an older state: what is held leaves when it is let go, and not before.
    if delivery.state.held().is_some() {
        return Ok(Some(delivery));
    }
    delivery.doubt_what_was_under_way();
    if let Some(question) = question
        && hush::hush(tx, question, &mut delivery)?
    {
        return Ok(None);
    }
    let held_back = question.map(|question| question.ask(tx, &mut delivery)).transpose()?.unwrap_or(false);
    if !held_back {
        if let Some(story) = terms.thread.filter(|_| delivery.attempts == 0) {
            thread::follow(tx, story, &mut delivery)?;
        }
        delivery.attempts = delivery.attempts.saturating_add(1);
        delivery.state = DeliveryState::Attempted { at: terms.at };
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
        let retrying = DeliveryState::Retrying { failed: at(1), due: at(4), reason: "503".into() };
        for (before, after) in [
            (DeliveryState::Held(hold), DeliveryState::Held(hold)),
            (DeliveryState::Ready, attempted.clone()),
            (retrying, attempted),
            (DeliveryState::Dropped { at: at(1), by: None }, DeliveryState::Dropped { at: at(1), by: None }),
        ] {
            let work = |tx: &dyn Transaction, id| {
                drop(claim(tx, id, &Terms { at: at(5), question: None, thread: None }).unwrap());
            };
            assert_eq!(left(before.clone(), work), after, "{before:?}");
        }
    }
}
