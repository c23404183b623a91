//! What a poll tells of the health of its source, and the deliveries that this owes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Harvest, InForce, Missed, Outcome, Poll, Receipt, record};
use crate::event::{self, Event, Gap, Health, HostTrouble, Known, News, Observed, Reach, Trouble};
use crate::item::SourceName;
use crate::outbox::{Delivery, DeliveryState};
use crate::schedule::PollReason;
use crate::store::{SourceState, StoreError, Transaction};

/// What was known before the poll.
pub(super) struct Before {
    last_new: Option<Timestamp>,
    baseline: Option<Timestamp>,
    last_read: Option<Timestamp>,
    failed_polls: u32,
}

impl Before {
    pub(super) fn of(state: &SourceState) -> Self {
        let failed_polls = state.unread_polls();
        let (last_new, last_read) = (state.last_new, state.last_success);
        Self { last_new, baseline: state.baseline, last_read, failed_polls }
    }
}

/// Takes note of how the source, its host and the network fare, and owes the events that come of it.
pub(super) fn note(
    tx: &dyn Transaction,
    poll: &Poll,
    force: &InForce,
    before: &Before,
    state: &mut SourceState,
    receipt: &mut Receipt,
) -> Result<(), StoreError> {
    let observed = observed(poll, force, before, receipt);
    let names = observed.hosts_of(&state.health);
    let hosts: BTreeMap<String, HostTrouble> =
        names.map(|name| Ok((name.to_owned(), tx.host(name)?))).collect::<Result<_, StoreError>>()?;
    let (health, network) = (std::mem::take(&mut state.health), tx.network()?);
    let known = Known { health, hosts: hosts.clone(), network: network.clone() };
    let (known, events) = event::judge(known, &observed);
    for (name, host) in &known.hosts {
        let before = hosts.get(name);
        if before != Some(host) {
            tx.put_host(name, host)?;
        }
        let told = before.and_then(|before| before.told.as_ref());
        if told.is_some_and(|told| !told.answers) && host.told.is_none() {
            receipt.back = Some(name.clone());
        }
    }
    if known.network != network {
        tx.put_network(&known.network)?;
    }
    // A machine that is cut off says nothing of its sources: their backoff does not grow.
    if let Some(failing) = &mut state.failing
        && observed.reach == Reach::Cut
        && known.network.offline.is_some()
    {
        failing.polls = before.failed_polls.max(1);
    }
    state.health = known.health;
    tell(tx, events, force, receipt)
}

/// A source that stands aside is none of those any more that cannot be read at a host.
pub(super) fn leave_host(
    tx: &dyn Transaction,
    health: &mut Health,
    source: &SourceName,
    now: Timestamp,
) -> Result<Option<Event>, StoreError> {
    let Some(name) = health.host.take() else { return Ok(None) };
    let mut host = tx.host(&name)?;
    host.leave(source.as_str());
    let event = host.end_deserted(&name, now);
    tx.put_host(&name, &host)?;
    Ok(event)
}

/// Tells the gaps that were gathered, at the end of a round.
///
/// # Errors
/// When the store fails.
pub fn tell_gaps(tx: &dyn Transaction, force: &InForce, now: Timestamp) -> Result<Receipt, StoreError> {
    let (mut network, mut receipt) = (tx.network()?, Receipt::default());
    if let Some(event) = network.tell_gaps_early(&force.vantage.machine, now) {
        tx.put_network(&network)?;
        tell(tx, vec![event], force, &mut receipt)?;
    }
    Ok(receipt)
}

/// Ends the incidents of hosts at which no source is asked any more.
///
/// # Errors
/// When the store fails.
pub fn desert(
    tx: &dyn Transaction,
    hosts: &[String],
    force: &InForce,
    now: Timestamp,
) -> Result<Receipt, StoreError> {
    let mut events = Vec::new();
    for name in hosts {
        let mut host = tx.host(name)?;
        host.clear();
        events.extend(host.end_deserted(name, now));
        tx.put_host(name, &host)?;
    }
    let mut receipt = Receipt::default();
    tell(tx, events, force, &mut receipt)?;
    Ok(receipt)
}

/// Stores events, and owes them to whoever is to have them.
pub(super) fn tell(
    tx: &dyn Transaction,
    events: Vec<Event>,
    force: &InForce,
    receipt: &mut Receipt,
) -> Result<(), StoreError> {
    for event in &events {
        tx.put_event(event)?;
        for who in force.routes.of_event(event.kind).to {
            // Nothing holds an event.
            let owed = Delivery::owed(who, event.id.into(), event.created, DeliveryState::Ready);
            record::owe(tx, owed, receipt)?;
        }
    }
    receipt.events.extend(events);
    Ok(())
}

fn observed<'a>(poll: &'a Poll, force: &'a InForce, before: &Before, receipt: &Receipt) -> Observed<'a> {
    let gap =
        |missed: &Missed| Gap { since: missed.since, until: missed.until, detail: missed.detail.clone() };
    let (reach, trouble, news) = match &poll.outcome {
        Outcome::Read(harvest) => (poll.witness.reach, complaint(harvest), news(receipt)),
        Outcome::Repeated { .. } | Outcome::Unchanged { .. } => (Reach::Answered, None, News::Same),
        Outcome::Failed { reason, detail } => {
            let trouble = Trouble { reason: class(reason), detail, of_document: false };
            (poll.witness.reach, Some(trouble), News::Unread)
        }
    };
    Observed {
        source: poll.source.name.as_str(),
        host: poll.witness.host.as_deref(),
        passed: poll.witness.passed.as_deref(),
        others: &poll.witness.others,
        hosts: force.vantage.hosts,
        machine: &force.vantage.machine,
        reach,
        trouble,
        for_good: poll.learned.reason == Some(PollReason::Gone),
        news,
        last_new: before.last_new,
        baseline: before.baseline,
        last_read: before.last_read,
        silent_after: poll.witness.silent_after,
        gap: poll.missed.as_ref().map(gap),
        now: poll.started,
    }
}

/// The class as events tell it: receivers know these words and no others.
fn class(reason: &str) -> &str {
    match reason {
        "refused" | "redirect" | "too-large" | "robots" => "http",
        told => told,
    }
}

fn news(receipt: &Receipt) -> News {
    if receipt.baseline { News::Baseline } else { News::Read { new: receipt.new } }
}

fn complaint(harvest: &Harvest) -> Option<Trouble<'_>> {
    let complaint = harvest.complaint.as_ref()?;
    Some(Trouble { reason: complaint.reason, detail: &complaint.detail, of_document: true })
}
