//! One round without staying: polls what is due, delivers what is due meanwhile, ends.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::articles::{Added, Articles};
use super::recall::recall;
use super::station::Station;
use super::unrecorded::Unrecorded;
use super::{DaemonError, absence, clock, deserted, poll, report, same, sender, upkeep};
use crate::control::api;
use crate::desk::Desk;
use crate::ingest;
use crate::outbox::Delivery;

/// Polls under way at one host: one asks, others read and store what they were told.
const LANE: usize = 3;

/// Which sources a round polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Those that are due.
    Due,
    /// All; servers' orders and `host_gap` still hold.
    All,
}

/// What a round came to.
#[derive(Debug)]
pub struct Done {
    /// Its polls, by source.
    pub polls: Vec<api::Poll>,
    /// What the articles behind entries added to that.
    pub articles: Added,
}

/// Polls, and delivers what that finds while it polls; then fetches the articles that are due and delivers what they add;
/// and once a day removes what is past its time. `progress` is told of each poll as it ends.
///
/// # Errors
/// When the store cannot be read.
pub async fn once(
    station: &Station,
    desk: &Arc<Desk>,
    round: Round,
    mut progress: impl FnMut(&api::Poll),
) -> Result<Done, DaemonError> {
    let now = clock::now();
    absence::note_start(station, now).await?;
    drop(deserted::end(station, desk, now).await);
    let states = recall(station, desk, now).await?;
    let mut known: HashMap<_, _> = states.into_iter().map(|state| (state.name.clone(), state)).collect();
    let mut polls = JoinSet::new();
    let mut lanes: HashMap<Option<String>, Arc<Semaphore>> = HashMap::new();
    for source in &desk.sources {
        let state = known.remove(source.name());
        let later = state.as_ref().and_then(|state| same::due_later(desk, source, state, now));
        if round == Round::Due && later.is_some() {
            continue;
        }
        let lane = lanes.entry(source.host()).or_insert_with(|| Arc::new(Semaphore::new(LANE)));
        let (station, desk, source, lane) =
            (station.clone(), Arc::clone(desk), Arc::clone(source), Arc::clone(lane));
        polls.spawn(async move {
            let _place = lane.acquire().await;
            poll::poll_from(&station, &desk, &source, state).await
        });
    }
    let unrecorded = Unrecorded::default();
    let mut reports = Vec::new();
    let mut delivery = None;
    while let Some(ended) = polls.join_next().await {
        let Ok(polling) = ended else { return Err(DaemonError::TaskEnded("poll")) };
        progress(&polling.report);
        // The first poll finds out whether the disk takes anything: on one that does not, every round would send the same.
        let delivery = match &mut delivery {
            Some(under_way) => under_way,
            none => none.insert(Delivering::start(station, desk, &unrecorded).await?),
        };
        delivery.take(polling.deliveries, polling.repeat).await?;
        if polling.doubtful {
            delivery.order(sender::Order::Doubt).await?;
        }
        reports.push(polling.report);
    }
    let delivery = match delivery {
        Some(under_way) => under_way,
        None => Delivering::start(station, desk, &unrecorded).await?,
    };
    reports.sort_by(|a, b| a.source.cmp(&b.source));
    delivery.take(gaps(station, desk).await, false).await?;
    let (owed, _) = report::due(station, desk, clock::now()).await?;
    delivery.take(owed, false).await?;
    // What entries say by themselves does not wait for articles.
    delivery.finish().await?;
    let articles = Articles::start(station.clone(), Arc::clone(desk)).await?.round().await;
    if articles.owed {
        // It starts from the store, and so with what the articles added.
        Delivering::start(station, desk, &unrecorded).await?.finish().await?;
    }
    station.save(&desk.fetcher).await?;
    upkeep::retain_in_round(station, desk.config.store.keep, clock::now()).await;
    Ok(Done { polls: reports, articles })
}

/// What is owed of the gaps that were gathered. Where the store fails the next round tells them.
async fn gaps(station: &Station, desk: &Desk) -> Vec<Delivery> {
    let gathered = station.read(|store| store.network()).await;
    if gathered.is_ok_and(|network| network.gaps.is_none()) {
        return Vec::new();
    }
    let (force, now) = (desk.in_force.clone(), clock::now());
    match station.writer.commit(move |tx| ingest::tell_gaps(tx, &force, now)).await {
        Ok(told) => told.deliveries,
        Err(fault) => {
            warn!("what may have been missed is not told yet: {:#}", anyhow::Error::from(fault));
            Vec::new()
        }
    }
}

/// A sender at work.
struct Delivering {
    orders: mpsc::Sender<sender::Order>,
    task: JoinSet<()>,
}

impl Delivering {
    /// Starts with what the store says is owed.
    async fn start(
        station: &Station,
        desk: &Arc<Desk>,
        unrecorded: &Unrecorded,
    ) -> Result<Self, DaemonError> {
        let sender = sender::Sender::start(station.clone(), Arc::clone(desk), unrecorded.clone()).await?;
        let (orders, from_orders) = mpsc::channel(sender::ORDERS_MAX);
        let mut task = JoinSet::new();
        task.spawn(sender.run(from_orders, CancellationToken::new()));
        Ok(Self { orders, task })
    }

    /// Delivers what is newly owed, too.
    async fn take(&self, owed: Vec<Delivery>, repeat: bool) -> Result<(), DaemonError> {
        if owed.is_empty() {
            return Ok(());
        }
        self.order(sender::Order::of(owed, repeat)).await
    }

    async fn order(&self, order: sender::Order) -> Result<(), DaemonError> {
        self.orders.send(order).await.map_err(|_| DaemonError::TaskEnded("sender"))
    }

    /// Waits until nothing is due.
    async fn finish(mut self) -> Result<(), DaemonError> {
        let (reply, finished) = oneshot::channel();
        self.order(sender::Order::Finish(reply)).await?;
        finished.await.map_err(|_| DaemonError::TaskEnded("sender"))?;
        while self.task.join_next().await.is_some() {}
        Ok(())
    }
}
