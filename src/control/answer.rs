//! Answers a [`Call`], in the daemon and in a command alike.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::watch;
use tracing::warn;

use super::api::{self, Call, Mistake, Reply};
use super::owed::owed;
use super::size::Rescued;
use super::{explain, history, outbox, rows, send, shown, silence, size};
use crate::daemon::live::Live;
use crate::daemon::recall::recall;
use crate::daemon::station::Station;
use crate::daemon::unrecorded::Refusal;
use crate::daemon::{clock, poll};
use crate::desk::Desk;
use crate::item::SourceName;
use crate::outbox::circuit::{Circuit, Fault, Refusals};
use crate::store::{KeptPage, Store, StoreError};

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

/// Answers a call. What cannot be done is a [`Reply::Refused`], what is no sensible call a [`Reply::Mistaken`].
pub async fn answer(context: &Context, call: Call) -> Reply {
    let answered = match call {
        Call::Status => status(context).await,
        Call::Sources => sources(context).await,
        Call::Orders => orders(context).await,
        Call::Poll { source } => poll_now(context, source).await,
        Call::Page { source } => page(context, source).await,
        Call::Alerts { since, limit, after } => history::alerts(context, since, limit, after).await,
        Call::Alert { id } => shown::alert(context, &id).await,
        Call::Outbox { state, only, limit } => outbox::list(context, state, only, limit).await,
        Call::Retry { ids } => outbox::retry(context, &ids).await,
        Call::RetryAll { only } => outbox::retry_all(context, only).await,
        Call::Drop { ids } => outbox::drop_named(context, &ids).await,
        Call::DropDead { only } => outbox::drop_dead(context, only).await,
        Call::DropAll { only } => outbox::drop_all(context, only).await,
        Call::Explain { subject, rule } => explain::explain(context, &subject, rule.as_deref()).await,
        Call::Items { since, after } => history::items(context, since, after).await,
        Call::Told { since, after } => history::told(context, since, after).await,
        Call::SendDigest { alerts, part, parts, whole } => {
            return send_digest(context, alerts, (part, parts), whole).await;
        }
        Call::Silence { about, name, seconds, reason } => {
            silence::begin(context, &about, name, seconds, reason).await
        }
        Call::Silences => silence::list(context).await,
        Call::EndSilence { id } => silence::end(context, &id).await,
        Call::SendTest { notifier } => return send_test(context, notifier.as_deref()).await,
        Call::Store => size::size(context).await,
        Call::VerifyStore => size::verify(context).await,
        Call::Reload => return reload(context).await,
    };
    answered.unwrap_or_else(|fault| refused(format!("{:#}", anyhow::Error::from(fault))))
}

pub(super) fn refused(message: impl Into<String>) -> Reply {
    Reply::Refused { message: message.into() }
}

async fn status(context: &Context) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let read = |store: &dyn Store| {
        let known = (store.sources()?, store.network()?, store.circuits()?);
        Ok((store.stats()?, known, store.restored()?, owed(store)?))
    };
    let (size, (states, network, circuits), restored, owed) = context.station.read(read).await?;
    let unwell = rows::unwell(rows::sources(&desk, &states));
    let live = context.live.as_ref();
    let mut warnings = desk.warnings.clone();
    warnings.extend(restored.and_then(|restored| rescued(&Rescued::of(&restored, &context.store_path)?)));
    let mut notifiers_failing = Vec::new();
    for (name, circuit) in &circuits {
        let Some(notifier) = desk.notifier(name) else { continue };
        let amiss = failing(name, circuit, &notifier.recipients());
        if !amiss.is_empty() {
            notifiers_failing.push(name.clone());
            warnings.extend(amiss);
        }
    }
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
        store_refused: live.and_then(|live| live.unrecorded.refusal()).map(refusal),
        sources: desk.sources.len(),
        sources_failing: unwell.iter().filter(|source| source.reason.is_some()).count(),
        sources_unwell: unwell,
        offline: network.offline,
        rules: desk.engine.rule_count(),
        entities: desk.engine.entity_count(),
        rule_tests_failing: desk.failing_tests.len(),
        notifiers: desk.notifiers.iter().map(|notifier| notifier.name().to_owned()).collect(),
        notifiers_failing,
        deliveries_open: size.deliveries_open,
        deliveries_retrying: owed.iter().map(|owed| owed.retrying).sum(),
        deliveries_held: size.deliveries_held,
        deliveries_dead: size.deliveries_dead,
        owed,
        warnings,
    })))
}

fn refusal(Refusal { since, reason, unrecorded }: Refusal) -> api::Refused {
    api::Refused { since, reason, unrecorded }
}

/// That the store was found damaged, as long as the damaged one is kept.
fn rescued(Rescued { at, since, kept, aside, .. }: &Rescued) -> Option<String> {
    let left = if *kept { "what could be read was kept" } else { "an empty one was begun" };
    let aside = aside.as_ref()?;
    Some(format!(
        "the store was found damaged at {at:.0} and {left}: alerts since {since:.0} may be missing or repeated; remove \
         `{aside}` when nobody needs it"
    ))
}

/// What is amiss with a notifier that has these recipients.
fn failing(name: &str, circuit: &Circuit, recipients: &[String]) -> Vec<String> {
    let fault = circuit.fault.as_ref().map(|Fault { since, failures, reason, .. }| {
        format!("notifier `{name}` is failing since {since:.0}, {failures} attempts in vain: {reason}")
    });
    let told = |(to, run): &(&String, &Refusals)| run.told && recipients.contains(to);
    let refusals =
        circuit.refusals.iter().filter(told).map(|(to, Refusals { since, attempts, reason, .. })| {
            let to = if to.is_empty() { String::new() } else { format!(" to `{to}`") };
            format!(
                "what notifier `{name}` sends{to} is refused since {since:.0}, {attempts} attempts: {reason}"
            )
        });
    fault.into_iter().chain(refusals).collect()
}

async fn sources(context: &Context) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let read = context.station.read(|store| {
        let pages = store.pages().unwrap_or_else(|fault| {
            warn!("what pages are kept is not known: {:#}", anyhow::Error::from(fault));
            Vec::new()
        });
        Ok((store.sources()?, store.orders()?, pages, store.pending_articles()?))
    });
    let (states, orders, pages, pending) = read.await?;
    let mut sources = rows::sources(&desk, &states);
    // What the daemon has not stored yet it knows all the same.
    let orders = orders.into_iter().chain(desk.fetcher.unsaved().orders).collect();
    rows::hold(&mut sources, &desk, &states, orders);
    for source in &mut sources {
        let kept = pages.iter().find(|(name, _)| name.as_str() == source.name);
        source.page_kept = kept.map(|(_, at)| *at);
        source.articles_waiting = pending.iter().filter(|one| one.source.as_str() == source.name).count();
    }
    Ok(Reply::Sources(sources))
}

async fn orders(context: &Context) -> Result<Reply, StoreError> {
    let (now, stored) = (clock::now(), context.station.read(|store| store.orders()).await?);
    let unsaved = context.desk.borrow().fetcher.unsaved().orders;
    let held = stored.into_iter().chain(unsaved).filter(|(_, order)| order.left(now).is_some());
    Ok(Reply::Orders(held.map(|(host, order)| (host, order.until)).collect()))
}

async fn page(context: &Context, name: String) -> Result<Reply, StoreError> {
    let (kept, state) = match SourceName::new(&name) {
        Some(source) => {
            context.station.read(move |store| Ok((store.page(&source)?, store.source(&source)?))).await?
        }
        None => (None, None),
    };
    let desk = Arc::clone(&context.desk.borrow());
    let was_read = state.is_some_and(|state| state.last_success.is_some());
    Ok(match kept {
        Some(KeptPage { at, bytes }) => Reply::Page(api::Page { kept: at, body: STANDARD.encode(bytes) }),
        None if desk.config.sources.iter().all(|spec| spec.name.as_str() != name) => {
            let names = desk.config.sources.iter().map(|spec| spec.name.as_str());
            Mistake::unknown("source", &name, names).into()
        }
        None if was_read => {
            refused(format!("no page is kept of `{name}`: its layout was known as long as it was read"))
        }
        None => refused(format!("no page is kept of `{name}`: it was never read")),
    })
}

async fn poll_now(context: &Context, name: String) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let Some(source) = desk.source(&name).cloned() else {
        let names = desk.sources.iter().map(|source| source.name().as_str());
        let mut mistake = Mistake::unknown("source", &name, names);
        mistake.message = format!("no source `{name}` is switched on");
        return Ok(mistake.into());
    };
    let Some(live) = &context.live else {
        recall(&context.station, &desk, clock::now()).await?;
        return Ok(Reply::Poll(poll::poll_by_hand(&context.station, &desk, &source).await.report));
    };
    Ok(match live.poll(source.name().clone()).await {
        Some(report) => Reply::Poll(report),
        None => refused("the daemon is stopping"),
    })
}

async fn send_test(context: &Context, only: Option<&str>) -> Reply {
    let desk = Arc::clone(&context.desk.borrow());
    send::send_tests(&desk, only).await
}

async fn send_digest(
    context: &Context,
    alerts: Vec<api::Alert>,
    place: (usize, usize),
    whole: usize,
) -> Reply {
    let desk = Arc::clone(&context.desk.borrow());
    send::send_digest(&desk, alerts, place, whole).await
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
