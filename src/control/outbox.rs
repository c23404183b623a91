//! What is owed: listed, tried again, dropped.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use super::answer::{Context, refused};
use super::api::{self, Mistake, Only, OutboxFilter, Reply};
use super::call::WAITING;
use super::rows;
use super::send::names;
use crate::daemon::clock;
use crate::id::NotAnId;
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Freedom};
use crate::store::{Deliveries, Store, StoreError, Transaction, gather};

/// Where the ids of deliveries are.
const LISTED: &str = "`harmattan outbox list` tells the ids";

/// Deliveries changed in one transaction: tens of milliseconds for which polls wait.
const BATCH_MAX: usize = 1_000;

/// Deliveries of that kind: at most `limit` that are open, oldest first, then at most `limit` that are closed. What left
/// while the disk refused is among the open ones, and shown as it stands.
pub(super) async fn list(
    context: &Context,
    state: OutboxFilter,
    only: Only,
    limit: usize,
) -> Result<Reply, StoreError> {
    if let Some(mistake) = unknown(context, &only).await? {
        return Ok(mistake.into());
    }
    let (with_open, closed) = match state {
        OutboxFilter::Pending => (true, Deliveries::Dead),
        OutboxFilter::Dead => (false, Deliveries::Dead),
        OutboxFilter::All => (true, Deliveries::Closed),
    };
    let listed = move |store: &dyn Store| {
        let mut listed =
            if with_open { fitting(store, Deliveries::Open, &only, usize::MAX)? } else { Vec::new() };
        listed.sort_by_key(|delivery| (delivery.created, delivery.id));
        listed.truncate(limit);
        listed.extend(fitting(store, closed, &only, limit)?);
        Ok(listed)
    };
    let listed = context.station.read(listed).await?;
    let unrecorded = context.live.as_ref().map(|live| &live.unrecorded);
    let known = |stored: Delivery| unrecorded.and_then(|all| all.known(stored.id)).unwrap_or(stored);
    Ok(Reply::Outbox(listed.into_iter().map(known).map(|delivery| rows::delivery(&delivery)).collect()))
}

/// That nothing is and nothing was owed to the notifier that is named, and there is none of that name.
async fn unknown(context: &Context, only: &Only) -> Result<Option<Mistake>, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let Some(name) = &only.notifier else { return Ok(None) };
    if names(&desk).any(|known| known == name) {
        return Ok(None);
    }
    let any = Only { notifier: Some(name.clone()), ..Only::default() };
    let owed = move |store: &dyn Store| {
        let open = fitting(store, Deliveries::Open, &any, 1)?;
        Ok(!open.is_empty() || !fitting(store, Deliveries::Closed, &any, 1)?.is_empty())
    };
    let is_known = context.station.read(owed).await?;
    Ok((!is_known).then(|| Mistake::unknown("notifier", name, names(&desk))))
}

/// The first `limit` deliveries that are `wanted` and fit.
fn fitting(
    store: &dyn Store,
    wanted: Deliveries,
    only: &Only,
    limit: usize,
) -> Result<Vec<Delivery>, StoreError> {
    gather(limit, |visit| {
        store.visit_deliveries(wanted, &mut |delivery| {
            if only.fits(&delivery) { visit(delivery) } else { ControlFlow::Continue(()) }
        })
    })
}

/// Makes deliveries of these ids ready again.
pub(super) async fn retry(context: &Context, ids: &[String]) -> Result<Reply, StoreError> {
    let wanted = match parsed(ids) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(Mistake::new(error.to_string(), LISTED).into()),
    };
    let rows = retried(context, &wanted).await?;
    if rows.is_empty() {
        return Ok(refused("no such delivery is dead or waiting"));
    }
    Ok(Reply::Outbox(rows))
}

/// Makes those ready again that are dead or waiting and fit, and those that are held when it is them that are meant.
pub(super) async fn retry_all(context: &Context, only: Only) -> Result<Reply, StoreError> {
    if let Some(mistake) = unknown(context, &only).await? {
        return Ok(mistake.into());
    }
    let stopped = move |store: &dyn Store| {
        let mut ids = Vec::new();
        // What never left goes with the rest once its way works, as one message where it is late.
        let named = only.state.as_deref().is_some_and(|state| state != WAITING);
        let circuits: HashMap<String, Circuit> = store.circuits()?.into_iter().collect();
        for wanted in [Deliveries::Open, Deliveries::Dead] {
            store.visit_deliveries(wanted, &mut |delivery| {
                let circuit = circuits.get(&delivery.notifier);
                let may = is_stopped(&delivery.state)
                    || named
                        && is_named_stopped(&delivery.state, circuit.is_some_and(|way| way.fault.is_some()));
                ids.extend((may && only.fits(&delivery)).then_some(delivery.id));
                ControlFlow::Continue(())
            })?;
        }
        Ok(ids)
    };
    let wanted = context.station.read(stopped).await?;
    Ok(Reply::Outbox(retried(context, &wanted).await?))
}

async fn retried(context: &Context, wanted: &[DeliveryId]) -> Result<Vec<api::Delivery>, StoreError> {
    let (mut rows, at) = (Vec::new(), clock::now());
    for batch in wanted.chunks(BATCH_MAX) {
        let batch = batch.to_vec();
        let ready = context.station.writer.commit(move |tx| make_ready(tx, &batch, at)).await?;
        rows.extend(ready.iter().map(rows::delivery));
        if let Some(live) = &context.live {
            live.retry(ready).await;
        }
    }
    Ok(rows)
}

/// Whether a delivery with this state can be tried again by hand.
fn is_stopped(state: &DeliveryState) -> bool {
    matches!(state, DeliveryState::Dead { .. } | DeliveryState::Retrying { .. })
}

/// The same for one that was named: what is held leaves before its time then, and what waits for a way by which nothing
/// gets through tries it.
fn is_named_stopped(state: &DeliveryState, is_way_shut: bool) -> bool {
    is_stopped(state) || state.held().is_some() || is_way_shut && *state == DeliveryState::Ready
}

fn make_ready(
    tx: &dyn Transaction,
    wanted: &[DeliveryId],
    at: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let mut ready = Vec::new();
    for id in wanted {
        let Some(mut delivery) = tx.delivery(*id)? else { continue };
        let mut circuit = tx.circuit(&delivery.notifier)?;
        if is_named_stopped(&delivery.state, circuit.fault.is_some()) {
            let reason = "asked for by hand".to_owned();
            delivery.state = DeliveryState::Retrying { failed: at, due: at, reason };
            delivery.attempts = 0;
            delivery.freedom = Freedom::Asked;
            // It has three days again.
            delivery.ready = at;
            circuit.hurry(at);
            tx.put_circuit(&delivery.notifier, &circuit)?;
            tx.put_delivery(&delivery)?;
            ready.push(delivery);
        }
    }
    Ok(ready)
}

/// Drops the deliveries of these ids: what waits is not sent, what is dead is no longer listed as such.
pub(super) async fn drop_named(context: &Context, ids: &[String]) -> Result<Reply, StoreError> {
    let wanted = match parsed(ids) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(Mistake::new(error.to_string(), LISTED).into()),
    };
    let rows = dropped(context, &wanted, is_droppable).await?;
    if rows.is_empty() {
        return Ok(refused("no such delivery waits or is dead"));
    }
    Ok(Reply::Outbox(rows))
}

/// Drops those that are dead and fit.
pub(super) async fn drop_dead(context: &Context, only: Only) -> Result<Reply, StoreError> {
    drop_fitting(context, only, &[Deliveries::Dead], is_dead).await
}

/// Drops those that are owed still or dead and fit.
pub(super) async fn drop_all(context: &Context, only: Only) -> Result<Reply, StoreError> {
    drop_fitting(context, only, &[Deliveries::Open, Deliveries::Dead], is_droppable).await
}

async fn drop_fitting(
    context: &Context,
    only: Only,
    among: &'static [Deliveries],
    may: fn(&DeliveryState) -> bool,
) -> Result<Reply, StoreError> {
    if let Some(mistake) = unknown(context, &only).await? {
        return Ok(mistake.into());
    }
    let fitting = move |store: &dyn Store| {
        let mut ids = Vec::new();
        for wanted in among {
            let found = fitting(store, *wanted, &only, usize::MAX)?;
            ids.extend(found.into_iter().map(|delivery| delivery.id));
        }
        Ok(ids)
    };
    let wanted: Vec<DeliveryId> = context.station.read(fitting).await?;
    Ok(Reply::Outbox(dropped(context, &wanted, may).await?))
}

async fn dropped(
    context: &Context,
    wanted: &[DeliveryId],
    may: fn(&DeliveryState) -> bool,
) -> Result<Vec<api::Delivery>, StoreError> {
    let (mut rows, at) = (Vec::new(), clock::now());
    for batch in wanted.chunks(BATCH_MAX) {
        let batch = batch.to_vec();
        let dropped = context.station.writer.commit(move |tx| make_dropped(tx, &batch, may, at)).await?;
        rows.extend(dropped.iter().map(rows::delivery));
    }
    Ok(rows)
}

fn is_droppable(state: &DeliveryState) -> bool {
    state.is_open() || is_dead(state)
}

fn is_dead(state: &DeliveryState) -> bool {
    matches!(state, DeliveryState::Dead { .. })
}

fn parsed(ids: &[String]) -> Result<Vec<DeliveryId>, NotAnId> {
    ids.iter().map(|id| id.parse()).collect()
}

fn make_dropped(
    tx: &dyn Transaction,
    wanted: &[DeliveryId],
    may: fn(&DeliveryState) -> bool,
    at: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let mut dropped = Vec::new();
    for id in wanted {
        let Some(mut delivery) = tx.delivery(*id)? else { continue };
        if may(&delivery.state) {
            delivery.state = DeliveryState::Dropped { at, by: None };
            tx.put_delivery(&delivery)?;
            dropped.push(delivery);
        }
    }
    Ok(dropped)
}
