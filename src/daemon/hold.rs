//! Alerts that wait, and how they are let go: alone, or several as one message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::hush;
use super::question::Question;
use super::station::Station;
use crate::desk::Desk;
use crate::fault;
use crate::notify::digest;
use crate::outbox::bundle::{self, Bundle, BundleId, Cause, Weight};
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Freedom, retry};
use crate::route::Recipient;
use crate::route::hold::HoldReason;
use crate::rules::spec::Severity;
use crate::store::{Store, StoreError, Transaction};
use crate::story::{Alert, StoryId};

/// What leaves together: alerts for one recipient, of one story where they are gathered by story.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    until: Timestamp,
    who: Recipient,
    story: Option<StoryId>,
}

/// Deliveries that are held, by what leaves together.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<Group, BTreeSet<DeliveryId>>);

impl Groups {
    /// Files a delivery that is held; another is left alone.
    pub(super) fn file(&mut self, delivery: &Delivery, now: Timestamp) {
        let (Some(hold), Some(until)) = (delivery.state.held(), retry::due(delivery, now)) else { return };
        let story = match hold.reason {
            HoldReason::Batch(story) => Some(story),
            HoldReason::Digest | HoldReason::Quiet | HoldReason::Budget => None,
        };
        self.0.entry(Group { until, who: who(delivery), story }).or_default().insert(delivery.id);
    }

    /// When the next are to be let go.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.keys().next().map(|group| group.until)
    }

    /// Takes what is to be let go at `now`.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<(Group, BTreeSet<DeliveryId>)> {
        let mut due = Vec::new();
        while let Some(first) = self.0.first_entry().filter(|first| first.key().until <= now) {
            due.push(first.remove_entry());
        }
        due
    }

    /// Files a group again, to be let go later.
    pub(super) fn put_back(&mut self, group: Group, ids: BTreeSet<DeliveryId>, until: Timestamp) {
        self.0.entry(Group { until, ..group }).or_default().extend(ids);
    }
}

/// Lets go of a group, but for what a silence in force stops: a single alert is ready then, and what its receiver may
/// have; several others leave in bundles of which each is one transaction. Returns what is to be sent.
///
/// # Errors
/// When the store fails; what is in a bundle already stays there.
pub(super) async fn release(
    station: &Station,
    desk: &Arc<Desk>,
    ids: BTreeSet<DeliveryId>,
    now: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let read = move |store: &dyn Store| Ok((members(store, &ids, now)?, store.silences()?));
    let (mut members, silences) = station.read(read).await?;
    if silences.iter().any(|silence| silence.is_active(now)) {
        let ids = members.iter().map(|(_, delivery)| delivery.id).collect();
        let stopped = hush::stop(station, desk, ids, now).await?;
        members.retain(|(_, delivery)| !stopped.contains(&delivery.id));
    }
    let Some((_, first)) = members.first() else { return Ok(Vec::new()) };
    let Some(cause) = first.state.held().map(|hold| Cause::from(hold.reason)) else { return Ok(Vec::new()) };
    let notifier = first.notifier.clone();
    let (mut together, mut alone): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|(_, delivery)| may_be_bundled(delivery));
    if together.len() == 1 && cause != Cause::Digest {
        alone.append(&mut together);
    }
    let mut made = Vec::new();
    if !alone.is_empty() {
        let ids: Vec<DeliveryId> = alone.into_iter().map(|(_, delivery)| delivery.id).collect();
        made = station.writer.commit(move |tx| make_ready(tx, &ids, now)).await?;
    }
    let parts = parts(desk, &notifier, together);
    let count = parts.len();
    for (number, part) in (1..).zip(parts) {
        let place = (number, count);
        let bundled = move |tx: &dyn Transaction| bundle(tx, &part, place, now, cause, is_due);
        made.extend(station.writer.commit(bundled).await?);
        fault::point("parted");
    }
    Ok(made)
}

/// Whether it may leave as one of several: its receiver cannot have it, and it is not several itself.
fn may_be_bundled(delivery: &Delivery) -> bool {
    delivery.freedom == Freedom::Free && delivery.subject.alert().is_some()
}

/// What leaves together by that notifier, in as many messages as it takes.
pub(super) fn parts(desk: &Desk, notifier: &str, members: Vec<(Weight, Delivery)>) -> Vec<Vec<Delivery>> {
    if desk.notifier(notifier).is_none_or(|notifier| notifier.takes_parts()) {
        bundle::parts(members)
    } else {
        bundle::wholes(members)
    }
}

/// Those that are held still and whose time has come, with what orders them.
fn members(
    store: &dyn Store,
    ids: &BTreeSet<DeliveryId>,
    now: Timestamp,
) -> Result<Vec<(Weight, Delivery)>, StoreError> {
    let mut members = Vec::new();
    for id in ids {
        let Some(delivery) = store.delivery(*id)?.filter(|delivery| is_due(delivery, now)) else { continue };
        let alert = delivery.subject.alert().map(|id| store.alert(id)).transpose()?.flatten();
        members.push((weight(&delivery, alert.as_ref()), delivery));
    }
    Ok(members)
}

/// What decides where in a bundle a delivery of `alert` stands.
pub(super) fn weight(delivery: &Delivery, alert: Option<&Alert>) -> Weight {
    Weight {
        severity: alert.map_or(Severity::Info, |alert| alert.severity),
        created: delivery.created,
        bytes: alert.map_or(0, digest::json_bytes),
    }
}

fn is_due(delivery: &Delivery, now: Timestamp) -> bool {
    delivery.state.held().is_some() && retry::due(delivery, now).is_some_and(|due| due <= now)
}

/// Lets those go alone that are held still and whose time has come.
fn make_ready(tx: &dyn Transaction, ids: &[DeliveryId], now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
    let mut let_go = Vec::new();
    for id in ids {
        let Some(mut delivery) = tx.delivery(*id)?.filter(|delivery| is_due(delivery, now)) else { continue };
        delivery.ready = ready(&delivery, now);
        delivery.state = DeliveryState::Ready;
        tx.put_delivery(&delivery)?;
        let_go.push(delivery);
    }
    Ok(let_go)
}

/// Since when what is let go at `now` could leave: the end of its hold, which a stop may have outlasted.
fn ready(delivery: &Delivery, now: Timestamp) -> Timestamp {
    delivery.state.held().map_or(now, |hold| hold.until.min(now))
}

/// Puts those of `members` that belong there still into one bundle, and owes that.
pub(super) fn bundle(
    tx: &dyn Transaction,
    members: &[Delivery],
    (part, parts): (usize, usize),
    now: Timestamp,
    cause: Cause,
    belongs: impl Fn(&Delivery, Timestamp) -> bool,
) -> Result<Option<Delivery>, StoreError> {
    let mut waiting = Vec::new();
    for member in members {
        waiting.extend(tx.delivery(member.id)?.filter(|delivery| belongs(delivery, now)));
    }
    let alerts: Vec<_> = waiting.iter().filter_map(|delivery| delivery.subject.alert()).collect();
    let Some(first) = waiting.first() else { return Ok(None) };
    let id = BundleId::new(now, &alerts);
    // Parts leave in their order: what was owed earlier leaves earlier.
    let behind = Duration::from_millis(u64::try_from(parts - part).unwrap_or_default());
    let created = now.checked_sub(behind).unwrap_or(now);
    let ready = waiting.iter().map(|member| ready(member, now)).min().unwrap_or(now);
    let delivery = Delivery { ready, ..Delivery::owed(who(first), id.into(), created, DeliveryState::Ready) };
    info!(delivery = %delivery.id, notifier = delivery.notifier, to = delivery.recipient, alerts = alerts.len(),
        "let go as one message: {}", cause.as_str());
    tx.put_bundle(&Bundle { id, cause, alerts, part, parts, created: now })?;
    tx.put_delivery(&delivery)?;
    for member in waiting {
        let state = DeliveryState::Bundled { at: now, into: delivery.id };
        tx.put_delivery(&Delivery { state, ..member })?;
    }
    Ok(Some(delivery))
}

/// Deliveries about which one transaction decides.
const BATCH_MAX: usize = 500;

/// Holds back those of `ids`, which are about to leave, that must wait after all.
///
/// # Errors
/// When the store fails; what is held by then stays held.
pub(super) async fn hold_back(
    station: &Station,
    desk: Arc<Desk>,
    ids: Vec<DeliveryId>,
    now: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let held = decide(station, &desk, ids, now, hold_those).await?;
    if !held.is_empty() {
        info!(deliveries = held.len(), "held back with those before them");
    }
    Ok(held)
}

/// What decides, within a transaction, about deliveries by their questions.
pub(super) type Decision<T> = fn(&dyn Transaction, &[(DeliveryId, Question)]) -> Result<Vec<T>, StoreError>;

/// Has `by` decide about those of `ids` that tell an alert, many in one transaction: one by one, ten thousand over a
/// budget took half a minute.
///
/// # Errors
/// When the store fails; what is decided by then stays so.
pub(super) async fn decide<T: Send + 'static>(
    station: &Station,
    desk: &Arc<Desk>,
    ids: Vec<DeliveryId>,
    now: Timestamp,
    by: Decision<T>,
) -> Result<Vec<T>, StoreError> {
    let mut decided = Vec::new();
    for batch in ids.chunks(BATCH_MAX) {
        let (batch, desk) = (batch.to_vec(), Arc::clone(desk));
        let asked = station.read(move |store| questions(store, &desk, &batch, now)).await?;
        decided.extend(station.writer.commit(move |tx| by(tx, &asked)).await?);
    }
    Ok(decided)
}

/// The question for each of `ids` that tells an alert.
fn questions(
    store: &dyn Store,
    desk: &Desk,
    ids: &[DeliveryId],
    now: Timestamp,
) -> Result<Vec<(DeliveryId, Question)>, StoreError> {
    let mut asked = Vec::new();
    for id in ids {
        let alert = store.delivery(*id)?.and_then(|delivery| delivery.subject.alert());
        let alert = alert.map(|alert| store.alert(alert)).transpose()?.flatten();
        asked.extend(alert.map(|alert| (*id, Question::of(desk, &alert, now))));
    }
    Ok(asked)
}

fn hold_those(tx: &dyn Transaction, asked: &[(DeliveryId, Question)]) -> Result<Vec<Delivery>, StoreError> {
    let mut held = Vec::new();
    for (id, question) in asked {
        let Some(mut delivery) = tx.delivery(*id)? else { continue };
        if let Some(hold) = question.hold(tx, &delivery)? {
            delivery.state = DeliveryState::Held(hold);
            tx.put_delivery(&delivery)?;
            held.push(delivery);
        }
    }
    Ok(held)
}

/// Gives back to the budgets of a recipient the message that left at `began`: its receiver has not got it.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn give_back(
    tx: &dyn Transaction,
    delivery: &Delivery,
    began: Timestamp,
) -> Result<(), StoreError> {
    if delivery.subject.alert().is_none() {
        return Ok(());
    }
    let who = who(delivery);
    let mut left = tx.spent(&who)?;
    if let Some(place) = left.iter().position(|at| *at == began) {
        left.remove(place);
        tx.put_spent(&who, &left)?;
    }
    Ok(())
}

/// Who is told by a delivery.
pub(super) fn who(delivery: &Delivery) -> Recipient {
    (delivery.notifier.clone(), delivery.recipient.clone())
}
