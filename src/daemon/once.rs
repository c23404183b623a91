//! One round without staying: polls what is due, delivers what is due, ends.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::articles::Articles;
use super::recall::recall;
use super::station::Station;
use super::unrecorded::Unrecorded;
use super::{DaemonError, absence, clock, poll, report, same, sender, upkeep};
use crate::control::api;
use crate::desk::{Desk, Source};

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

/// Polls and delivers, then fetches the articles that are due and delivers what they add; and once a day removes what is
/// past its time. `progress` is told of each poll as it ends.
///
/// # Errors
/// When the store cannot be read.
pub async fn once(
    station: &Station,
    desk: &Arc<Desk>,
    round: Round,
    mut progress: impl FnMut(&api::Poll),
) -> Result<Vec<api::Poll>, DaemonError> {
    let now = clock::now();
    absence::note_start(station, now).await?;
    let states = recall(station, desk, now).await?;
    let known: HashMap<_, _> = states.iter().map(|state| (&state.name, state)).collect();
    let due = |source: &&Arc<Source>| {
        let state = known.get(source.name());
        let later = state.and_then(|state| same::due_later(desk, source, state, now)).is_some();
        round == Round::All || !later
    };
    let mut polls = JoinSet::new();
    let mut lanes: HashMap<Option<String>, Arc<Semaphore>> = HashMap::new();
    for source in desk.sources.iter().filter(due) {
        let lane = lanes.entry(source.host()).or_insert_with(|| Arc::new(Semaphore::new(LANE)));
        let (station, desk, source, lane) =
            (station.clone(), Arc::clone(desk), Arc::clone(source), Arc::clone(lane));
        // Boxed, so that thousands of polls that wait for their host are small.
        polls.spawn(async move {
            let _place = lane.acquire().await;
            Box::pin(poll::poll(&station, &desk, &source)).await.report
        });
    }
    let mut reports = Vec::new();
    while let Some(ended) = polls.join_next().await {
        let Ok(report) = ended else { return Err(DaemonError::TaskEnded("poll")) };
        progress(&report);
        reports.push(report);
    }
    reports.sort_by(|a, b| a.source.cmp(&b.source));
    report::due(station, desk, clock::now()).await?;
    // What entries say by themselves does not wait for articles.
    let unrecorded = Unrecorded::default();
    deliver(station, desk, &unrecorded).await?;
    if Articles::start(station.clone(), Arc::clone(desk)).await?.round().await {
        deliver(station, desk, &unrecorded).await?;
    }
    station.save(&desk.fetcher).await?;
    upkeep::retain_in_round(station, desk.config.store.keep, clock::now()).await;
    Ok(reports)
}

/// Sends everything that is due now, polls' finds included, since the sender starts from the store.
async fn deliver(station: &Station, desk: &Arc<Desk>, unrecorded: &Unrecorded) -> Result<(), DaemonError> {
    let sender = sender::Sender::start(station.clone(), Arc::clone(desk), unrecorded.clone()).await?;
    let (orders, from_orders) = mpsc::channel(sender::ORDERS_MAX);
    let (reply, finished) = oneshot::channel();
    let mut task = JoinSet::new();
    task.spawn(sender.run(from_orders, CancellationToken::new()));
    if orders.send(sender::Order::Finish(reply)).await.is_err() || finished.await.is_err() {
        return Err(DaemonError::TaskEnded("sender"));
    }
    while task.join_next().await.is_some() {}
    Ok(())
}
