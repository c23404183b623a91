//! Fetches the articles behind entries: few at a time, one per host, apart from the polls.
//!
//! What is to be fetched lies in the store, written with the poll that found it, and goes from there in the transaction
//! that records what became of it. So a kill at any moment loses none; at most a page is asked for twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use super::article::{self, Ended};
use super::shelf::{Shelf, Spot};
use super::station::Station;
use super::{clock, sender};
use crate::article::Pending;
use crate::article::retry;
use crate::desk::Desk;
use crate::ingest::article::{self as settlement, Settlement};
use crate::item::ItemId;
use crate::store::{StoreError, Transaction};
use crate::story::Disposition;

/// Articles under way at one time: polls go first, and pages are large.
const UNDER_WAY_MAX: usize = 4;

/// How long an article waits when the store or the program failed it.
const AFTER_FAULT: SignedDuration = SignedDuration::from_secs(60);

/// Longest work on articles in one round of `once`; what is left waits for the next.
const ROUND_MAX: Duration = Duration::from_mins(5);

/// Most articles in one round of `once`.
const ROUND_ARTICLES_MAX: usize = 200;

/// An article that waits or is under way.
#[derive(Clone)]
struct Errand {
    pending: Pending,
    host: String,
    /// End of a pause that its host asks for.
    rests_until: Option<Timestamp>,
}

impl Errand {
    fn new(pending: Pending) -> Self {
        let url = Url::parse(&pending.url).ok();
        let host = url.and_then(|url| url.host_str().map(str::to_ascii_lowercase)).unwrap_or_default();
        Self { pending, host, rests_until: None }
    }

    fn due(&self) -> Timestamp {
        self.rests_until.map_or(self.pending.due, |until| until.max(self.pending.due))
    }
}

/// What the articles of a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Alerts that are sent.
    pub alerts: usize,
    /// Alerts that are recorded alone.
    pub recorded: usize,
    /// Whether anything is newly owed, or may be.
    pub owed: bool,
}

/// The worker's state.
pub struct Articles {
    station: Station,
    desk: Arc<Desk>,
    waiting: HashMap<ItemId, Errand>,
    jobs: JoinSet<Result<Ended, StoreError>>,
    running: HashMap<Id, Errand>,
    /// What was read a short while ago.
    shelf: Shelf,
    /// How many have been begun.
    begun: usize,
    added: Added,
    watch: clock::Watch,
}

impl Articles {
    /// Takes up what waits in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(station: Station, desk: Arc<Desk>) -> Result<Self, StoreError> {
        let (jobs, running) = (JoinSet::new(), HashMap::new());
        let watch = clock::Watch::new(clock::now());
        let (waiting, shelf) = (HashMap::new(), Shelf::default());
        let added = Added::default();
        let mut articles = Self { station, desk, waiting, jobs, running, shelf, begun: 0, added, watch };
        articles.read_anew().await?;
        Ok(articles)
    }

    /// Fetches until `stop`. Those under way are dropped then, and taken up at the next start.
    pub async fn run(
        mut self,
        mut desks: watch::Receiver<Arc<Desk>>,
        sender: mpsc::Sender<sender::Order>,
        stop: CancellationToken,
    ) {
        let station = self.station.clone();
        loop {
            if let Some(back) = self.watch.look(clock::now()) {
                warn!(seconds = back.as_secs(), "the clock was set back; articles are due as long as before");
                if let Err(fault) = self.set_back(back).await {
                    warn!("cannot plan anew when articles are due: {fault}");
                }
            }
            self.begin_due(usize::MAX);
            let wake = self.next_due();
            // Every branch is cancel-safe: `notified`, `changed`, `join_next_with_id`, `sleep` and `cancelled` lose nothing.
            tokio::select! {
                () = stop.cancelled() => return,
                () = station.articles.notified() => if let Err(fault) = self.read_anew().await {
                    warn!("cannot read which articles wait: {fault}");
                },
                Ok(()) = desks.changed() => self.desk = Arc::clone(&desks.borrow_and_update()),
                Some(ended) = self.jobs.join_next_with_id() => if let Some(order) = self.note(ended) {
                    // A sender that has ended leaves what is owed in the store for the next start.
                    drop(sender.send(order).await);
                },
                () = sleep(clock::until(wake)) => {}
            }
        }
    }

    /// Fetches what is due now, within the bounds of one round, and says what came of it.
    pub async fn round(mut self) -> Added {
        let work = async {
            loop {
                self.begin_due(ROUND_ARTICLES_MAX);
                let rested = if self.begun < ROUND_ARTICLES_MAX { self.rested() } else { None };
                // Both branches are cancel-safe: `join_next_with_id` and `sleep` lose nothing.
                tokio::select! {
                    // Whoever sends next reads what is owed from the store.
                    Some(ended) = self.jobs.join_next_with_id() => {
                        let order = self.note(ended);
                        self.added.owed |= order.is_some();
                    }
                    () = sleep(clock::until(rested)), if rested.is_some() => {}
                    else => return,
                }
            }
        };
        if timeout(ROUND_MAX, work).await.is_err() {
            info!("articles are left for the next round");
        }
        self.added
    }

    async fn read_anew(&mut self) -> Result<(), StoreError> {
        let all = self.station.read(|store| store.pending_articles()).await?;
        let busy: HashSet<_> = self.running.values().map(|errand| errand.pending.item).collect();
        let now = clock::now();
        let idle = all.into_iter().filter(|pending| !busy.contains(&pending.item));
        let planned = idle.map(|pending| Pending { due: retry::due(pending.due, now), ..pending });
        let rests = |item: ItemId| self.waiting.get(&item).and_then(|errand| errand.rests_until);
        let errand = |pending: Pending| {
            let rests_until = rests(pending.item);
            (pending.item, Errand { rests_until, ..Errand::new(pending) })
        };
        self.waiting = planned.map(errand).collect();
        Ok(())
    }

    /// Moves what waits back with the clock, in the store too: whoever reads it anew does not know of the clock.
    async fn set_back(&mut self, back: SignedDuration) -> Result<(), StoreError> {
        self.read_anew().await?;
        let mut moved = Vec::new();
        for Errand { pending, rests_until, .. } in self.waiting.values_mut() {
            *rests_until = None;
            pending.due = pending.due.checked_sub(back).unwrap_or(pending.due);
            moved.push(pending.clone());
        }
        let put_off =
            move |tx: &dyn Transaction| moved.iter().try_for_each(|later| settlement::put_off(tx, later));
        self.station.writer.commit(put_off).await
    }

    /// Those whose host has none under way, while there is a place for one more.
    fn free(&self) -> impl Iterator<Item = &Errand> {
        let has_place = self.running.len() < UNDER_WAY_MAX;
        let is_free = |errand: &&Errand| self.running.values().all(|busy| busy.host != errand.host);
        self.waiting.values().filter(move |errand| has_place && is_free(errand))
    }

    /// Of those, the one that is due first.
    fn next(&self) -> Option<&Errand> {
        self.free().min_by_key(|errand| (errand.due(), errand.pending.due, errand.pending.item))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.next().map(Errand::due)
    }

    /// When the first of those that only wait for the pause of their host is due.
    fn rested(&self) -> Option<Timestamp> {
        let now = clock::now();
        self.free().filter(|errand| errand.pending.due <= now).filter_map(|errand| errand.rests_until).min()
    }

    /// Begins what is due, until so many have been begun in all.
    fn begin_due(&mut self, most: usize) {
        while self.begun < most && self.next_due().is_some_and(|due| due <= clock::now()) {
            let next = self.next().map(|errand| errand.pending.item);
            let Some(errand) = next.and_then(|item| self.waiting.remove(&item)) else { return };
            let (station, desk, pending) =
                (self.station.clone(), Arc::clone(&self.desk), errand.pending.clone());
            let known = self.spot(&pending).and_then(|spot| self.shelf.get(&spot, clock::now()).cloned());
            let attempt = article::fetch(station, desk, pending, known);
            let job = self.jobs.spawn(attempt);
            self.running.insert(job.id(), errand);
            self.begun += 1;
        }
    }

    fn spot(&self, pending: &Pending) -> Option<Spot> {
        Spot::of(self.desk.source(pending.source.as_str())?, &pending.url)
    }

    /// Takes note of an end, and says what the sender is to know of it.
    fn note(&mut self, ended: Result<(Id, Result<Ended, StoreError>), JoinError>) -> Option<sender::Order> {
        let job = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Errand { pending, host, .. } = self.running.remove(&job)?;
        let item = pending.item;
        let (later, order) = match ended {
            Ok((_, Ok(Ended::Over(Settlement { receipt, again }, page)))) => {
                if let Some((spot, page)) = self.spot(&pending).zip(page) {
                    self.shelf.put(spot, page);
                }
                let sent = |(_, disposition): &&(_, Disposition)| *disposition == Disposition::Sent;
                let sent = receipt.alerts.iter().filter(sent).count();
                self.added.alerts += sent;
                self.added.recorded += receipt.alerts.len() - sent;
                if let Some(again) = again {
                    self.waiting.insert(item, Errand { pending: *again, host, rests_until: None });
                }
                let owes = !receipt.deliveries.is_empty();
                return owes.then(|| sender::Order::of(receipt.deliveries, receipt.repeat));
            }
            Ok((_, Ok(Ended::Again(later)))) => (later, None),
            Ok((_, Ok(Ended::Resting { host: resting, left }))) => {
                self.begun -= 1;
                self.waiting.insert(item, Errand { pending, host: host.clone(), rests_until: None });
                self.rest(item, &resting, left);
                return None;
            }
            Ok((_, Err(fault))) => {
                error!(%item, "the store failed an article, which will be fetched again: {fault}");
                (after_fault(pending), Some(sender::Order::Doubt))
            }
            Err(panic) => {
                error!(%item, "an article ended in a bug: {panic}");
                (after_fault(pending), None)
            }
        };
        self.waiting.insert(item, Errand { pending: later, host, rests_until: None });
        order
    }

    /// Lets an article wait for the pause of a host, and with it all others of that host.
    fn rest(&mut self, item: ItemId, resting: &str, left: Duration) {
        let until = clock::now().checked_add(left).unwrap_or(Timestamp::MAX);
        for (other, errand) in &mut self.waiting {
            if *other == item || errand.host == resting {
                errand.rests_until = Some(until);
            }
        }
    }
}

fn after_fault(pending: Pending) -> Pending {
    Pending { due: clock::now() + AFTER_FAULT, ..pending }
}
