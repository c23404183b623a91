//! The scheduler's task: polls every source when it is due, and when someone asks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use super::calendar::Calendar;
use super::poll::{self, Polling};
use super::recall::recall;
use super::same;
use super::station::Station;
use super::{clock, deserted, sender};
use crate::control::api;
use crate::desk::{Desk, Source};
use crate::item::SourceName;
use crate::schedule::{self, PollReason, Start};
use crate::store::{SourceState, StoreError};

/// Orders waiting for the poller: commands and reloads, so few.
pub const ORDERS_MAX: usize = 64;

/// When a source is polled again whose poll ended in a bug.
const AFTER_BUG: jiff::SignedDuration = jiff::SignedDuration::from_secs(600);

/// How late a poll must be for the machine to have slept: the poller looks at the clock far more often.
const SLEPT: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

/// What the poller is told.
pub enum Order {
    /// Poll this source now and tell what came of it.
    PollNow(SourceName, oneshot::Sender<api::Poll>),
    /// Another config is in force.
    Desk(Arc<Desk>),
    /// Answers at once: the poller lives.
    Ping(oneshot::Sender<()>),
}

/// The poller's state.
pub struct Poller {
    station: Station,
    desk: Arc<Desk>,
    sender: mpsc::Sender<sender::Order>,
    due: Calendar,
    /// The host at which each source is asked.
    hosts: HashMap<SourceName, Option<String>>,
    jobs: JoinSet<Polling>,
    running: HashMap<Id, Running>,
    watch: clock::Watch,
}

/// A poll under way and who waits for it.
struct Running {
    source: SourceName,
    /// What was in force when it began.
    desk: Arc<Desk>,
    begun: Timestamp,
    waiting: Vec<oneshot::Sender<api::Poll>>,
}

impl Poller {
    /// Takes up the due times that the store remembers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(
        station: Station,
        desk: Arc<Desk>,
        sender: mpsc::Sender<sender::Order>,
    ) -> Result<Self, StoreError> {
        let states = recall(&station, &desk, clock::now()).await?;
        let mut poller = Self {
            station,
            desk,
            sender,
            due: Calendar::default(),
            hosts: HashMap::new(),
            jobs: JoinSet::new(),
            running: HashMap::new(),
            watch: clock::Watch::new(clock::now()),
        };
        poller.plan(&states);
        Ok(poller)
    }

    /// Polls until `stop`. Polls under way are dropped then: what is not committed is asked for again.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
            if let Some(back) = self.watch.look(clock::now()) {
                warn!(seconds = back.as_secs(), "the clock was set back; every due time is planned anew");
                self.plan_anew().await;
            }
            if self.overslept() {
                self.plan_anew().await;
            }
            self.start_due();
            let wake = self.due.first();
            // Every branch is cancel-safe: `recv`, `join_next_with_id`, `sleep` and `cancelled` lose nothing.
            tokio::select! {
                () = stop.cancelled() => return,
                order = orders.recv() => match order {
                    Some(Order::PollNow(source, reply)) => self.poll_now(source, reply),
                    Some(Order::Desk(desk)) => self.replace(desk).await,
                    Some(Order::Ping(reply)) => _ = reply.send(()),
                    None => return,
                },
                Some(ended) = self.jobs.join_next_with_id() => self.note(ended).await,
                () = sleep(clock::until(wake)) => {}
            }
        }
    }

    /// Fills the calendar.
    fn plan(&mut self, states: &[SourceState]) {
        self.due.clear();
        self.hosts.clear();
        let desk = Arc::clone(&self.desk);
        self.enter(&desk.sources, states);
    }

    /// Enters sources: at remembered due times, and at a spread start those that have none or are overdue.
    fn enter(&mut self, sources: &[Arc<Source>], states: &[SourceState]) {
        let now = clock::now();
        let known: HashMap<_, _> = states.iter().map(|state| (&state.name, state)).collect();
        let busy: Vec<_> = self.running.values().map(|running| running.source.clone()).collect();
        let mut overdue = Vec::new();
        for source in sources {
            let state = known.get(source.name()).copied();
            let host = host_asked(source, state);
            self.hosts.insert(source.name().clone(), host.clone());
            if busy.contains(source.name()) {
                continue;
            }
            match state.and_then(|state| same::due_later(&self.desk, source, state, now)) {
                Some(due) if due == schedule::NEVER => {}
                Some(due) => {
                    let rhythm = source.rhythm(&self.desk.config);
                    self.due.put_apart(source.name().clone(), host, due, rhythm.interval);
                }
                None => overdue.push(source.name().clone()),
            }
        }
        self.spread(&overdue, now);
    }

    /// Starts sources that are all due now spread out, so that neither a first start nor downtime ends in a burst.
    fn spread(&mut self, sources: &[SourceName], now: Timestamp) {
        let start = |source| Start { source, host: self.host(source), interval: self.interval(source) };
        let starts: Vec<_> = sources.iter().map(start).collect();
        for (source, due) in sources.iter().zip(schedule::plan(&starts, now)) {
            self.due.put(source.clone(), self.host(source), due);
        }
    }

    fn host(&self, source: &SourceName) -> Option<String> {
        self.hosts.get(source).cloned().flatten()
    }

    fn interval(&self, source: &SourceName) -> Duration {
        let source = self.desk.source(source.as_str());
        source.map_or(self.desk.config.schedule.interval, |source| source.rhythm(&self.desk.config).interval)
    }

    /// Whether the machine slept past due times: what is overdue is spread out, and may not be wanted at this hour.
    fn overslept(&self) -> bool {
        self.due.first().is_some_and(|due| clock::now().duration_since(due) > SLEPT)
    }

    fn start_due(&mut self) {
        let now = clock::now();
        while let Some(name) = self.due.take_due(now) {
            self.begin(name, Vec::new());
        }
    }

    fn begin(&mut self, name: SourceName, waiting: Vec<oneshot::Sender<api::Poll>>) {
        let Some(source) = self.desk.source(name.as_str()).cloned() else { return };
        let (station, desk) = (self.station.clone(), Arc::clone(&self.desk));
        let by_hand = !waiting.is_empty();
        let in_force = Arc::clone(&desk);
        let job = self.jobs.spawn(async move {
            if by_hand {
                poll::poll_by_hand(&station, &desk, &source).await
            } else {
                poll::poll(&station, &desk, &source).await
            }
        });
        self.running.insert(job.id(), Running { source: name, desk: in_force, begun: clock::now(), waiting });
    }

    fn poll_now(&mut self, name: SourceName, reply: oneshot::Sender<api::Poll>) {
        if let Some(running) = self.running.values_mut().find(|running| running.source == name) {
            running.waiting.push(reply);
            return;
        }
        self.due.remove(&name);
        self.begin(name, vec![reply]);
    }

    async fn note(&mut self, ended: Result<(Id, Polling), JoinError>) {
        let job = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(running) = self.running.remove(&job) else { return };
        let (mut back, mut freed) = (None, Vec::new());
        let due = match ended {
            Ok((_, polling)) => {
                (back, freed) = (polling.back, polling.freed);
                if !polling.deliveries.is_empty() {
                    let order = sender::Order::of(polling.deliveries, polling.repeat);
                    // A sender that has ended leaves them in the store for the next start.
                    drop(self.sender.send(order).await);
                }
                if polling.doubtful {
                    drop(self.sender.send(sender::Order::Doubt).await);
                }
                for waiting in running.waiting {
                    drop(waiting.send(polling.report.clone()));
                }
                polling.due
            }
            Err(panic) => {
                error!(source = %running.source, "a poll ended in a bug: {panic}");
                clock::now() + AFTER_BUG
            }
        };
        let now = clock::now();
        if self.desk.source(running.source.as_str()).is_none() {
            // Switched off, or taken out of the config, while it was polled.
        } else if schedule::is_set_back(running.begun, now) {
            self.spread(&[running.source], now);
        } else if Arc::ptr_eq(&running.desk, &self.desk) {
            let (host, interval) = (self.host(&running.source), self.interval(&running.source));
            self.due.put_apart(running.source, host, due, interval);
        } else {
            // Where the config has another address or rhythm since, that says nothing.
            self.plan_some(&[running.source]).await;
        }
        // Those who stood aside for a source that fails are due, unless their publisher asks to be left alone now.
        self.plan_some(&freed).await;
        if let Some(host) = back {
            self.hasten(&host).await;
        }
    }

    /// Asks the sources of a host that answers again soon, spread as at a start: their backoff was its own.
    async fn hasten(&mut self, host: &str) {
        // Unread, they wait as long as their backoff says.
        let states = self.station.read(|store| store.sources()).await.unwrap_or_default();
        let now = clock::now();
        let failing =
            states.iter().filter(|state| backs_off_with_host(state, now) && self.is_open(state, now));
        let sources =
            failing.map(|state| &state.name).filter(|name| self.host(name).as_deref() == Some(host));
        let sources: Vec<SourceName> = sources.cloned().collect();
        let start = |source| Start { source, host: self.host(source), interval: self.interval(source) };
        let starts: Vec<_> = sources.iter().map(start).collect();
        for (source, due) in sources.iter().zip(schedule::plan(&starts, now)) {
            self.due.bring_forward(source.clone(), due);
        }
    }

    /// Whether the publisher of a source does not ask to be left alone at this hour.
    fn is_open(&self, state: &SourceState, now: Timestamp) -> bool {
        let Some(source) = self.desk.source(state.name.as_str()) else { return false };
        schedule::closed_until(&state.name, &source.rhythm(&self.desk.config), &state.hints(), now).is_none()
    }

    /// Plans some sources by what the store says of them.
    async fn plan_some(&mut self, names: &[SourceName]) {
        let wanted = |source: &&Arc<Source>| names.contains(source.name());
        let sources: Vec<_> = self.desk.sources.iter().filter(wanted).cloned().collect();
        if sources.is_empty() {
            return;
        }
        // Unread, they are asked soon: every poll reads its own state.
        let states = self.station.read(|store| store.sources()).await.unwrap_or_default();
        self.enter(&sources, &states);
    }

    async fn replace(&mut self, desk: Arc<Desk>) {
        self.desk = desk;
        let owed = deserted::end(&self.station, &self.desk, clock::now()).await;
        if !owed.is_empty() {
            drop(self.sender.send(sender::Order::of(owed, false)).await);
        }
        self.plan_anew().await;
        info!(sources = self.desk.sources.len(), "polling by the new config");
    }

    async fn plan_anew(&mut self) {
        let recalled = recall(&self.station, &self.desk, clock::now()).await;
        let states = recalled.unwrap_or_else(|fault| {
            // Polled early, a source still waits for its server's order: every poll reads its own state.
            error!("cannot read the due times: {fault}");
            Vec::new()
        });
        self.plan(&states);
    }
}

/// Whether a source waits because its host failed, and for no order of a server.
fn backs_off_with_host(state: &SourceState, now: Timestamp) -> bool {
    let by_host = state.health.told.as_ref().is_some_and(|told| told.by_host);
    by_host
        && state.failing.is_some()
        && state.learned.reason == Some(PollReason::Backoff)
        && state.forbidden_until(now).is_none()
}

/// The host at which a source is asked: the one of the config, unless it has moved.
pub fn host_asked(source: &Source, state: Option<&SourceState>) -> Option<String> {
    let state = state.filter(|state| state.asked == source.address());
    let moved = state.and_then(|state| state.learned.moved.to.as_deref());
    moved.map_or_else(|| source.host(), host_of)
}

fn host_of(address: &str) -> Option<String> {
    Url::parse(address).ok()?.host_str().map(str::to_ascii_lowercase)
}
