//! Answers a [`Call`], in the daemon and in a command alike.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::api::{self, Call, OutboxFilter, Reply};
use super::{explain, rows};
use crate::daemon::clock;
use crate::daemon::live::Live;
use crate::daemon::poll;
use crate::daemon::station::Station;
use crate::desk::Desk;
use crate::notify::{Body, Message};
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::store::StoreError;
use crate::story::AlertId;

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
    let (size, states) = context.station.read(|store| Ok((store.stats()?, store.sources()?))).await?;
    let failing = |name: &str| states.iter().any(|s| s.name.as_str() == name && s.failing.is_some());
    let live = context.live.as_ref();
    let mut warnings = desk.warnings.clone();
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
        sources_failing: desk.sources.iter().filter(|source| failing(source.name().as_str())).count(),
        rules: desk.engine.rule_count(),
        entities: desk.engine.entity_count(),
        rule_tests_failing: desk.failing_tests.len(),
        notifiers: desk.notifiers.iter().map(|notifier| notifier.name().to_owned()).collect(),
        deliveries_open: size.deliveries_open,
        warnings,
    })))
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
        None => poll::poll(&context.station, &desk, &source).await.report,
    };
    Reply::Poll(report)
}

async fn alerts(context: &Context, since: Option<Timestamp>, limit: usize) -> Result<Reply, StoreError> {
    let alerts = context.station.read(move |store| store.alerts(since, limit)).await?;
    Ok(Reply::Alerts(alerts.into_iter().map(rows::alert).collect()))
}

async fn outbox(context: &Context, state: OutboxFilter, limit: usize) -> Result<Reply, StoreError> {
    let (open, closed) = context
        .station
        .read(move |store| Ok((store.open_deliveries()?, store.closed_deliveries(limit)?)))
        .await?;
    let wanted = |delivery: &Delivery| match (state, &delivery.state) {
        (OutboxFilter::All, _) | (OutboxFilter::Dead | OutboxFilter::Pending, DeliveryState::Dead { .. }) => {
            true
        }
        (OutboxFilter::Pending, state) => state.is_open(),
        (OutboxFilter::Dead, _) => false,
    };
    Ok(Reply::Outbox(open.iter().chain(&closed).filter(|d| wanted(d)).map(rows::delivery).collect()))
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
        let all = |store: &dyn crate::store::Store| {
            Ok((store.open_deliveries()?, store.closed_deliveries(usize::MAX)?))
        };
        let (open, closed) = context.station.read(all).await?;
        let again = |delivery: &&Delivery| {
            matches!(delivery.state, DeliveryState::Dead { .. } | DeliveryState::Retrying { .. })
        };
        wanted.extend(open.iter().chain(&closed).filter(again).map(|delivery| delivery.id));
    }
    let ready = context.station.writer.commit(move |tx| make_ready(tx, &wanted)).await?;
    if !ids.is_empty() && ready.is_empty() {
        return Ok(refused("no such delivery is dead or waiting"));
    }
    let rows = ready.iter().map(rows::delivery).collect();
    if let Some(live) = &context.live {
        live.owe(ready).await;
    }
    Ok(Reply::Outbox(rows))
}

fn make_ready(
    tx: &dyn crate::store::Transaction,
    wanted: &[DeliveryId],
) -> Result<Vec<Delivery>, StoreError> {
    let mut ready = Vec::new();
    for id in wanted {
        let Some(mut delivery) = tx.delivery(*id)? else { continue };
        if matches!(delivery.state, DeliveryState::Dead { .. } | DeliveryState::Retrying { .. }) {
            delivery.state = DeliveryState::Ready;
            delivery.attempts = 0;
            tx.put_delivery(&delivery)?;
            ready.push(delivery);
        }
    }
    Ok(ready)
}

async fn send_test(context: &Context, only: Option<&str>) -> Reply {
    let desk = Arc::clone(&context.desk.borrow());
    send_tests(&desk, only).await
}

/// Sends a test message through the notifier of that name, or through all.
pub async fn send_tests(desk: &Desk, only: Option<&str>) -> Reply {
    let mut sent = Vec::new();
    for notifier in desk.notifiers.iter().filter(|n| only.is_none_or(|only| n.name() == only)) {
        for recipient in notifier.recipients() {
            let now = clock::now();
            let alert = AlertId::lowest_at(now);
            let message = Message {
                id: DeliveryId::new(alert, notifier.name(), &recipient),
                body: Body::Test,
                recipient: &recipient,
                timezone: &desk.config.desk.timezone,
                now,
            };
            let (accepted, detail) = match notifier.send(&message).await {
                Ok(accepted) => (true, accepted.detail),
                Err(failure) => (false, failure.reason().to_owned()),
            };
            sent.push(api::TestSent { notifier: notifier.name().into(), recipient, accepted, detail });
        }
    }
    for name in desk.unchecked.iter().filter(|name| only.is_none_or(|only| *name == only)) {
        sent.push(api::TestSent {
            notifier: name.clone(),
            recipient: String::new(),
            accepted: false,
            detail: "not checkable here: only the service can read its credential".into(),
        });
    }
    match (sent.is_empty(), only) {
        (true, Some(name)) => refused(format!("no notifier `{name}` is configured")),
        _ => Reply::SendTest(sent),
    }
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
