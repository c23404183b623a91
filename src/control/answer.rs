//! Answers a [`Call`], in the daemon and in a command alike.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::api::{self, Call, OutboxFilter, Reply};
use super::{explain, history, rows, send, silence};
use crate::daemon::clock;
use crate::daemon::live::Live;
use crate::daemon::poll;
use crate::daemon::station::Station;
use crate::desk::Desk;
use crate::outbox::circuit::{Circuit, Fault};
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::store::{Deliveries, Store, StoreError, Transaction};

/// Deliveries made ready in one transaction: tens of milliseconds for which polls wait.
const RETRY_BATCH_MAX: usize = 1_000;

/// What an answer draws on.
#[derive(Clone)]
pub struct Context {
    /// The store.
    pub station: Station,
    /// Where the store is.
    pub store_path: PathBuf,
    /// What is in force.
    pub desk: watch::Receiver<Arc<Desk>>,
    /// The daemon's tasks; absent when a command answers itself.
    pub live: Option<Live>,
}

/// Answers a call. What cannot be done is a [`Reply::Refused`].
pub async fn answer(context: &Context, call: Call) -> Reply {
    let answered = match call {
        Call::Status => status(context).await,
        Call::Sources => sources(context).await,
        Call::Poll { source } => return poll_now(context, source).await,
        Call::Alerts { since, limit } => alerts(context, since, limit).await,
        Call::Outbox { state, limit } => outbox(context, state, limit).await,
        Call::Retry { ids } => retry(context, ids).await,
        Call::Explain { subject, rule } => explain::explain(context, &subject, rule.as_deref()).await,
        Call::Items { since, after } => history::items(context, since, after).await,
        Call::Told { since, after } => history::told(context, since, after).await,
        Call::SendDigest { alerts, part, parts } => return send_digest(context, alerts, part, parts).await,
        Call::Silence { about, name, seconds, reason } => {
            silence::begin(context, &about, name, seconds, reason).await
        }
        Call::Silences => silence::list(context).await,
        Call::EndSilence { id } => silence::end(context, &id).await,
        Call::SendTest { notifier } => return send_test(context, notifier.as_deref()).await,
        Call::Reload => return reload(context).await,
    };
    answered.unwrap_or_else(|fault| refused(format!("{:#}", anyhow::Error::from(fault))))
}

pub(super) fn refused(message: impl Into<String>) -> Reply {
    Reply::Refused { message: message.into() }
}

async fn status(context: &Context) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let read =
        |store: &dyn Store| Ok((store.stats()?, store.sources()?, store.network()?, store.circuits()?));
    let (size, states, network, circuits) = context.station.read(read).await?;
    let unwell = rows::unwell(rows::sources(&desk, &states));
    let live = context.live.as_ref();
    let mut warnings = desk.warnings.clone();
    warnings.extend(circuits.iter().filter_map(|(name, circuit)| failing(name, circuit)));
    warnings.extend(desk.failing_tests.iter().map(|failure| format!("rule test fails: {failure}")));
    Ok(Reply::Status(Box::new(api::Status {
        version: env!("CARGO_PKG_VERSION").into(),
        running: live.is_some(),
        pid: live.map(|_| std::process::id()),
        started: live.map(|live| live.started),
        config: std::path::absolute(&desk.path).unwrap_or_else(|_| desk.path.clone()).display().to_string(),
        loaded: Some(desk.loaded),
        reload_error: live.and_then(Live::reload_error),
        store: context.store_path.display().to_string(),
        store_bytes: size.disk_bytes,
        store_damaged: size.damaged,
        sources: desk.sources.len(),
        sources_failing: unwell.iter().filter(|source| source.reason.is_some()).count(),
        sources_unwell: unwell,
        offline: network.offline,
        rules: desk.engine.rule_count(),
        entities: desk.engine.entity_count(),
        rule_tests_failing: desk.failing_tests.len(),
        notifiers: desk.notifiers.iter().map(|notifier| notifier.name().to_owned()).collect(),
        deliveries_open: size.deliveries_open,
        deliveries_held: size.deliveries_held,
        deliveries_dead: size.deliveries_dead,
        warnings,
    })))
}

/// What is amiss with a notifier.
fn failing(name: &str, circuit: &Circuit) -> Option<String> {
    let Fault { since, failures, reason, .. } = circuit.fault.as_ref()?;
    Some(format!("notifier `{name}` is failing since {since:.0}, {failures} attempts in vain: {reason}"))
}

async fn sources(context: &Context) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let states = context.station.read(|store| store.sources()).await?;
    Ok(Reply::Sources(rows::sources(&desk, &states)))
}

async fn poll_now(context: &Context, name: String) -> Reply {
    let desk = Arc::clone(&context.desk.borrow());
    let Some(source) = desk.source(&name).cloned() else {
        return refused(format!("no source `{name}` is switched on"));
    };
    let report = match &context.live {
        Some(live) => match live.poll(source.name().clone()).await {
            Some(report) => report,
            None => return refused("the daemon is stopping"),
        },
        None => poll::poll_by_hand(&context.station, &desk, &source).await.report,
    };
    Reply::Poll(report)
}

async fn alerts(context: &Context, since: Option<Timestamp>, limit: usize) -> Result<Reply, StoreError> {
    let alerts = context.station.read(move |store| store.alerts(since, limit)).await?;
    Ok(Reply::Alerts(alerts.into_iter().map(rows::alert).collect()))
}

async fn outbox(context: &Context, state: OutboxFilter, limit: usize) -> Result<Reply, StoreError> {
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
async fn retry(context: &Context, ids: Vec<String>) -> Result<Reply, StoreError> {
    let mut wanted = Vec::new();
    for id in &ids {
        match id.parse::<DeliveryId>() {
            Ok(id) => wanted.push(id),
            Err(error) => return Ok(refused(error.to_string())),
        }
    }
    if wanted.is_empty() {
        wanted = context.station.read(stopped).await?;
    }
    let (mut rows, at) = (Vec::new(), clock::now());
    for batch in wanted.chunks(RETRY_BATCH_MAX) {
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

async fn send_test(context: &Context, only: Option<&str>) -> Reply {
    let desk = Arc::clone(&context.desk.borrow());
    send::send_tests(&desk, only).await
}

async fn send_digest(context: &Context, alerts: Vec<api::Alert>, part: usize, parts: usize) -> Reply {
    let desk = Arc::clone(&context.desk.borrow());
    send::send_digest(&desk, alerts, part, parts).await
}

async fn reload(context: &Context) -> Reply {
    match &context.live {
        Some(live) => match live.reload().await {
            Some(verdict) => Reply::Reload(verdict),
            None => refused("the daemon is stopping"),
        },
        None => refused("no daemon runs; there is nothing to reload"),
    }
}
