//! What is owed: listed, tried again, dropped.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::answer::{Context, refused};
use super::api::{OutboxFilter, Reply};
use super::rows;
use crate::daemon::clock;
use crate::id::NotAnId;
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::store::{Deliveries, Store, StoreError, Transaction};

/// Deliveries changed in one transaction: tens of milliseconds for which polls wait.
const BATCH_MAX: usize = 1_000;

/// Deliveries of that kind.
pub(super) async fn list(context: &Context, state: OutboxFilter, limit: usize) -> Result<Reply, StoreError> {
    let (with_open, closed) = match state {
        OutboxFilter::Pending => (true, Deliveries::Dead),
        OutboxFilter::Dead => (false, Deliveries::Dead),
        OutboxFilter::All => (true, Deliveries::Closed),
    };
    let listed = move |store: &dyn Store| {
        let mut listed = if with_open { store.open_deliveries()? } else { Vec::new() };
        listed.extend(store.deliveries(closed, limit)?);
        Ok(listed)
    };
    let listed = context.station.read(listed).await?;
    Ok(Reply::Outbox(listed.iter().map(rows::delivery).collect()))
}

/// Makes deliveries ready again: those named, or all that are dead or waiting.
pub(super) async fn retry(context: &Context, ids: &[String]) -> Result<Reply, StoreError> {
    let mut wanted = match parsed(ids) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(refused(error.to_string())),
    };
    if wanted.is_empty() {
        wanted = context.station.read(stopped).await?;
    }
    let (mut rows, at) = (Vec::new(), clock::now());
    for batch in wanted.chunks(BATCH_MAX) {
        let batch = batch.to_vec();
        let ready = context.station.writer.commit(move |tx| make_ready(tx, &batch, at)).await?;
        rows.extend(ready.iter().map(rows::delivery));
        if let Some(live) = &context.live {
            live.retry(ready).await;
        }
    }
    if !ids.is_empty() && rows.is_empty() {
        return Ok(refused("no such delivery is dead or waiting"));
    }
    Ok(Reply::Outbox(rows))
}

/// The deliveries that are dead or waiting.
fn stopped(store: &dyn Store) -> Result<Vec<DeliveryId>, StoreError> {
    let mut ids = Vec::new();
    for wanted in [Deliveries::Open, Deliveries::Dead] {
        store.visit_deliveries(wanted, &mut |delivery| {
            ids.extend(is_stopped(&delivery.state).then_some(delivery.id));
            ControlFlow::Continue(())
        })?;
    }
    Ok(ids)
}

/// Whether a delivery with this state can be tried again by hand.
fn is_stopped(state: &DeliveryState) -> bool {
    matches!(state, DeliveryState::Dead { .. } | DeliveryState::Retrying { .. })
}

/// The same for one that was named: what is held leaves before its time then.
fn is_named_stopped(state: &DeliveryState) -> bool {
    is_stopped(state) || state.held().is_some()
}

fn make_ready(
    tx: &dyn Transaction,
    wanted: &[DeliveryId],
    at: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let mut ready = Vec::new();
    for id in wanted {
        let Some(mut delivery) = tx.delivery(*id)? else { continue };
        if is_named_stopped(&delivery.state) {
            // Not as ready: what is asked for by hand is not held anew.
            delivery.state = DeliveryState::Retrying { due: at, reason: "asked for by hand".into() };
            delivery.attempts = 0;
            // It has three days again.
            delivery.ready = at;
            let mut circuit = tx.circuit(&delivery.notifier)?;
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
        Err(error) => return Ok(refused(error.to_string())),
    };
    let (mut rows, at) = (Vec::new(), clock::now());
    for batch in wanted.chunks(BATCH_MAX) {
        let batch = batch.to_vec();
        let dropped = context.station.writer.commit(move |tx| drop_all(tx, &batch, at)).await?;
        rows.extend(dropped.iter().map(rows::delivery));
    }
    if rows.is_empty() {
        return Ok(refused("no such delivery waits or is dead"));
    }
    Ok(Reply::Outbox(rows))
}

fn parsed(ids: &[String]) -> Result<Vec<DeliveryId>, NotAnId> {
    ids.iter().map(|id| id.parse()).collect()
}

fn drop_all(tx: &dyn Transaction, wanted: &[DeliveryId], at: Timestamp) -> Result<Vec<Delivery>, StoreError> {
    let mut dropped = Vec::new();
    for id in wanted {
        let Some(mut delivery) = tx.delivery(*id)? else { continue };
        if delivery.state.is_open() || matches!(delivery.state, DeliveryState::Dead { .. }) {
            delivery.state = DeliveryState::Dropped { at };
            tx.put_delivery(&delivery)?;
            dropped.push(delivery);
        }
    }
    Ok(dropped)
}
