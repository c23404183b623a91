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
use tracing::{debug, error, info, warn};
use url::Url;

use super::station::Station;
use super::{clock, sender};
use crate::article::retry::{self, Next};
use crate::article::{self, End, Pending, WAIT_DAYS_MAX};
use crate::config::ArticleChoice;
use crate::desk::{Desk, Source};
use crate::fetch::{ACCEPT_PAGE, Answer, Document, Failure, FetchError, Redirects, Request};
use crate::ingest::Receipt;
use crate::ingest::article::{self as settlement, Settled};
use crate::item::{Item, ItemId};
use crate::rules::SourceLabel;
use crate::rules::verdict::Verdict;
use crate::store::{Day, StoreError, Transaction};

/// Articles under way at one time: polls go first, and pages are large.
const UNDER_WAY_MAX: usize = 4;

/// How long an article waits when the store or the program failed it.
const AFTER_FAULT: SignedDuration = SignedDuration::from_secs(60);

/// Longest work on articles in one round of `once`; what is left waits for the next.
const ROUND_MAX: Duration = Duration::from_mins(5);

/// Most articles in one round of `once`.
const ROUND_ARTICLES_MAX: usize = 200;

/// Longest pause of a host for which one of the places is kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an attempt came to.
enum Ended {
    /// Settled; that is durable.
    Over(Receipt),
    /// Put off; that is durable.
    Again(Pending),
    /// Not begun: a host asks for a pause of that length still.
    Resting { host: String, left: Duration },
}

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

/// The worker's state.
pub struct Articles {
    station: Station,
    desk: Arc<Desk>,
    waiting: HashMap<ItemId, Errand>,
    jobs: JoinSet<Result<Ended, StoreError>>,
    running: HashMap<Id, Errand>,
    /// How many have been begun.
    begun: usize,
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
        let mut articles = Self { station, desk, waiting: HashMap::new(), jobs, running, begun: 0, watch };
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

    /// Fetches what is due now, within the bounds of one round. Says whether anything is newly owed, or may be.
    pub async fn round(mut self) -> bool {
        let mut owed = false;
        let work = async {
            loop {
                self.begin_due(ROUND_ARTICLES_MAX);
                let rested = if self.begun < ROUND_ARTICLES_MAX { self.rested() } else { None };
                // Both branches are cancel-safe: `join_next_with_id` and `sleep` lose nothing.
                tokio::select! {
                    // Whoever sends next reads what is owed from the store.
                    Some(ended) = self.jobs.join_next_with_id() => owed |= self.note(ended).is_some(),
                    () = sleep(clock::until(rested)), if rested.is_some() => {}
                    else => return,
                }
            }
        };
        if timeout(ROUND_MAX, work).await.is_err() {
            info!("articles are left for the next round");
        }
        owed
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
            let attempt = fetch(self.station.clone(), Arc::clone(&self.desk), errand.pending.clone());
            let job = self.jobs.spawn(attempt);
            self.running.insert(job.id(), errand);
            self.begun += 1;
        }
    }

    /// Takes note of an end, and says what the sender is to know of it.
    fn note(&mut self, ended: Result<(Id, Result<Ended, StoreError>), JoinError>) -> Option<sender::Order> {
        let job = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Errand { pending, host, .. } = self.running.remove(&job)?;
        let item = pending.item;
        let (later, order) = match ended {
            Ok((_, Ok(Ended::Over(receipt)))) => {
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

/// Fetches one article and records what became of it.
async fn fetch(station: Station, desk: Arc<Desk>, pending: Pending) -> Result<Ended, StoreError> {
    let now = clock::now();
    let source = desk.source(pending.source.as_str()).cloned();
    let Some(source) = source.filter(|source| source.spec.article != ArticleChoice::Never) else {
        return settle(&station, &desk, None, pending, End::Dropped, None).await;
    };
    if pending.is_too_old(Day::of(now)) {
        let end = End::Failed { detail: format!("it waited for more than {WAIT_DAYS_MAX} days") };
        return settle(&station, &desk, Some(&source), pending, end, None).await;
    }
    let Ok(url) = Url::parse(&pending.url) else {
        return settle(&station, &desk, Some(&source), pending, End::Dropped, None).await;
    };
    let request = Request {
        url: &url,
        validators: None,
        accept: ACCEPT_PAGE,
        redirects: Redirects::Follow,
        proxy: source.spec.proxy.as_ref(),
        pinned: source.pinned.as_ref(),
        contact: source.spec.contact,
        now,
    };
    let fetched = desk.fetcher.crawl_within(&request, PATIENCE).await;
    let showed = fetched.as_ref().ok().and_then(|fetched| fetched.freshness.clock);
    let end = match fetched.map(|fetched| fetched.answer) {
        Ok(Answer::Document(document)) => read(document, url, source.spec.lang.clone()).await,
        Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) => {
            End::Failed { detail: "an answer without a document".to_owned() }
        }
        Err(FetchError { failure: Failure::Resting { host, left }, .. }) => {
            return Ok(Ended::Resting { host: host.into(), left });
        }
        Err(error) => match next(&station, &error, pending.attempts).await? {
            Next::Over(end) => end,
            Next::Again { due, attempts } => {
                debug!(item = %pending.item, %due, "an article is tried again: {error}");
                let later = Pending { attempts, due, ..pending };
                let stored = later.clone();
                station.commit(&desk.fetcher, move |tx| settlement::put_off(tx, &stored)).await?;
                return Ok(Ended::Again(later));
            }
        },
    };
    settle(&station, &desk, Some(&source), pending, end, showed).await
}

/// What follows the failure of an attempt.
async fn next(station: &Station, error: &FetchError, attempts: u32) -> Result<Next, StoreError> {
    let network = station.read(|store| store.network()).await?;
    let decide = if network.offline.is_some() { retry::next_offline } else { retry::next };
    Ok(decide(error, attempts, clock::now()))
}

/// Takes the text from a page, on a thread that may be kept busy.
async fn read(document: Document, asked: Url, lang: Option<String>) -> End {
    let read = tokio::task::spawn_blocking(move || article::read(&document, &asked, lang.as_deref()));
    match read.await {
        Ok(Ok(text)) => End::Used { text },
        Ok(Err(unfit)) => End::Unfit(unfit),
        Err(_) => End::Failed { detail: "its page could not be read".to_owned() },
    }
}

async fn settle(
    station: &Station,
    desk: &Arc<Desk>,
    source: Option<&Arc<Source>>,
    pending: Pending,
    end: End,
    showed: Option<Timestamp>,
) -> Result<Ended, StoreError> {
    let judged = match (&end, source) {
        (End::Used { text }, Some(source)) => judge(station, desk, source, &pending, text.clone()).await?,
        _ => None,
    };
    let spec = source.map(|source| &source.spec);
    let settled = Settled {
        end,
        at: clock::now(),
        clock: showed,
        tags: spec.map(|spec| spec.tags.clone()).unwrap_or_default(),
        tier: spec.map_or(2, |spec| spec.tier),
        judged,
        pending,
    };
    let (item, name, end) = (settled.pending.item, settled.pending.source.clone(), settled.end.as_str());
    let force = desk.in_force.clone();
    let receipt = station.commit(&desk.fetcher, move |tx| settlement::settle(tx, &settled, &force)).await?;
    debug!(source = %name, %item, end, "an article is settled");
    for (alert, disposition) in &receipt.alerts {
        info!(source = %name, %alert, disposition = disposition.as_str(), "alert made, with the article");
    }
    Ok(Ended::Over(receipt))
}

/// Asks the rules about the stored entry together with its article.
async fn judge(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    pending: &Pending,
    text: String,
) -> Result<Option<(Item, Verdict)>, StoreError> {
    let (desk, source, item, first) = (Arc::clone(desk), Arc::clone(source), pending.item, pending.first);
    station
        .read(move |store| {
            let Some(stored) = store.item(item, first)? else { return Ok(None) };
            let label = SourceLabel { name: source.name(), tags: &source.spec.tags };
            let verdict = settlement::added(&desk.engine, &stored.item, &text, label);
            Ok(Some((stored.item, verdict)))
        })
        .await
}
