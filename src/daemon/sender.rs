//! The outbox's worker: sends what is owed, each notifier in a lane of its own, so that a dead one delays nobody.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::deliver::{self, Ended, Errand, Next};
use super::hold::Groups;
use super::jam::Sorting;
use super::lane::{Jam, Lane};
use super::refusal::Mended;
use super::release::Released;
use super::station::Station;
use super::unrecorded::Unrecorded;
use super::{absence, clock};
use crate::desk::Desk;
use crate::notify::LATE;
use crate::outbox::circuit::Fault;
use crate::outbox::{Delivery, DeliveryId, Subject, retry};
use crate::store::StoreError;

/// Orders waiting for the sender. Polls that find more wait for it, which holds back polling, not alerts.
pub const ORDERS_MAX: usize = 256;

/// How long a delivery waits when the store or the program failed it, not the receiver.
pub(super) const AFTER_FAULT: SignedDuration = SignedDuration::from_secs(30);

/// What the sender is told.
pub enum Order {
    /// Deliveries that are newly owed, or to be tried again; durable already.
    Owed(Vec<Delivery>),
    /// The same of alerts that may have been told before, since the store was restored.
    Repeat(Vec<Delivery>),
    /// The same, asked for by hand: their ways are tried at once.
    Retry(Vec<Delivery>),
    /// The store failed a commit: what is owed may be more than was said, and is read anew.
    Doubt,
    /// Another config is in force.
    Desk(Arc<Desk>),
    /// Answers at once: the sender lives.
    Ping(oneshot::Sender<()>),
    /// Answers, and ends the sender, when nothing is due and nothing under way.
    Finish(oneshot::Sender<()>),
}

impl Order {
    /// What is newly owed; `repeat` tells whether it may have been told before.
    pub fn of(owed: Vec<Delivery>, repeat: bool) -> Self {
        if repeat { Self::Repeat(owed) } else { Self::Owed(owed) }
    }
}

/// The sender's state.
pub struct Sender {
    pub(super) station: Station,
    pub(super) desk: Arc<Desk>,
    pub(super) lanes: HashMap<String, Lane>,
    pub(super) held: Groups,
    pub(super) releases: JoinSet<Released>,
    pub(super) sorts: JoinSet<Sorting>,
    jobs: JoinSet<Ended>,
    running: HashMap<Id, Running>,
    finish: Option<oneshot::Sender<()>>,
    pub(super) doubt: bool,
    watch: clock::Watch,
    /// What left without a record.
    pub(super) unrecorded: Unrecorded,
    /// Tries whether the disk takes what is written again.
    pub(super) mends: JoinSet<Mended>,
    /// Whether it was told that the disk refuses.
    pub(super) refusing: bool,
}

/// How what is owed became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// From a commit that was acknowledged: it is on disk.
    Acknowledged,
    /// From the store after a failure: it may lie in memory alone.
    Read,
}

/// A delivery under way.
struct Running {
    notifier: String,
    delivery: DeliveryId,
    /// Whether it was ordered anew meanwhile.
    again: bool,
}

impl Sender {
    /// Takes up what the store says is owed still, but for what is known better of what left `unrecorded`. What was under
    /// way at a crash is sent again, under the same id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(
        station: Station,
        desk: Arc<Desk>,
        unrecorded: Unrecorded,
    ) -> Result<Self, StoreError> {
        let (owed, circuits) =
            station.read(|store| Ok((store.open_deliveries()?, store.circuits()?))).await?;
        let learned = if station.is_synced().await { Learned::Acknowledged } else { Learned::Read };
        if !owed.is_empty() {
            info!(deliveries = owed.len(), "taking up deliveries owed from before");
        }
        let mut sender = Self {
            station,
            desk,
            lanes: HashMap::new(),
            held: Groups::default(),
            releases: JoinSet::new(),
            sorts: JoinSet::new(),
            jobs: JoinSet::new(),
            running: HashMap::new(),
            finish: None,
            doubt: false,
            watch: clock::Watch::new(clock::now()),
            mends: JoinSet::new(),
            refusing: false,
            unrecorded,
        };
        for (notifier, mut circuit) in circuits.into_iter().chain(sender.unrecorded.circuits()) {
            circuit.set_back(clock::now());
            sender.lanes.entry(notifier).or_default().circuit = circuit;
        }
        sender.file(owed, learned, |_, due| due);
        sender.lanes.values_mut().for_each(|lane| lane.jam = Jam::Held);
        sender.hasten_the_last();
        Ok(sender)
    }

    /// Sends until `stop`, then waits for what is under way.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
            absence::note_gap(&self.station, self.watch.latest(), clock::now()).await;
            if let Some(back) = self.watch.look(clock::now()) {
                warn!(
                    seconds = back.as_secs(),
                    "the clock was set back; deliveries that wait are filed anew"
                );
                self.lanes.values_mut().for_each(|lane| lane.advance(back));
                self.held = Groups::default();
                self.doubt = true;
            }
            if self.doubt {
                self.read_anew().await;
            }
            self.mend();
            self.let_go();
            self.sort();
            self.dispatch();
            self.tell();
            if self.jobs.is_empty()
                && self.releases.is_empty()
                && self.sorts.is_empty()
                && self.nothing_due()
                && let Some(done) = self.finish.take()
            {
                self.write_last().await;
                // Whoever asked may be gone.
                _ = done.send(());
                return;
            }
            let now = clock::now();
            // While the disk refuses, nothing is let go, and what is amiss cannot be told.
            let held = self.held.next().filter(|_| !self.refusing);
            let lanes = self.lanes.iter().flat_map(|(name, lane)| {
                let told = self.desk.notifier(name).and_then(|_| lane.tell_at());
                lane.next(now, width(&self.desk, name)).into_iter().chain(told.filter(|_| !self.refusing))
            });
            let wake = lanes.chain(held).min();
            // Every branch is cancel-safe: `recv`, `join_next_with_id`, `sleep` and `cancelled` lose nothing.
            tokio::select! {
                () = stop.cancelled() => break,
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => break,
                },
                Some(ended) = self.jobs.join_next_with_id() => self.note(ended),
                Some(ended) = self.releases.join_next() => self.note_release(ended),
                Some(ended) = self.sorts.join_next() => self.note_sort(ended),
                Some(ended) = self.mends.join_next() => self.note_mend(ended),
                () = sleep(clock::until(wake)) => {}
            }
        }
        while let Some(ended) = self.jobs.join_next_with_id().await {
            self.note(ended);
        }
        while let Some(ended) = self.releases.join_next().await {
            self.note_release(ended);
        }
        while let Some(ended) = self.sorts.join_next().await {
            self.note_sort(ended);
        }
        self.write_last().await;
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Owed(deliveries) => self.queue(deliveries),
            Order::Repeat(deliveries) => self.gather(deliveries),
            Order::Doubt => {
                self.doubt = true;
                if let Some(fault) = self.station.writer.refusal() {
                    self.unrecorded.refused(&fault, clock::now());
                }
            }
            Order::Retry(deliveries) => {
                for delivery in &deliveries {
                    let lane = self.lanes.entry(delivery.notifier.clone()).or_default();
                    lane.circuit.hurry(clock::now());
                    lane.ordered |= lane.jam == Jam::Sorting;
                }
                self.queue(deliveries);
            }
            Order::Desk(desk) => self.replace(desk),
            Order::Ping(reply) => _ = reply.send(()),
            Order::Finish(reply) => self.finish = Some(reply),
        }
    }

    /// Asks the store what is owed. While it cannot say, it is asked again at every turn.
    async fn read_anew(&mut self) {
        match self.station.read(|store| store.open_deliveries()).await {
            Ok(owed) => {
                self.doubt = false;
                self.file(owed, Learned::Read, |_, due| due);
                // What gathers is filed with the rest now, and is sorted before any of it leaves.
                self.lanes.values_mut().for_each(Lane::gathered);
            }
            Err(fault) => warn!("cannot read what is owed: {fault}"),
        }
    }

    /// Files what a commit told of that was acknowledged.
    pub(super) fn queue(&mut self, deliveries: Vec<Delivery>) {
        self.file(deliveries, Learned::Acknowledged, |_, due| due);
    }

    /// Files what is owed, each under its time or what `later` makes of that.
    pub(super) fn file(
        &mut self,
        owed: Vec<Delivery>,
        learned: Learned,
        later: impl Fn(&mut Lane, Timestamp) -> Timestamp,
    ) {
        let now = clock::now();
        for delivery in owed {
            // What left without a record stands as is known here, and not as the store has it.
            let delivery = self.unrecorded.known(delivery.id).unwrap_or(delivery);
            if delivery.state.held().is_some() {
                self.held.file(&delivery, now);
                continue;
            }
            let Some(mut due) = retry::due(&delivery, now) else { continue };
            let lane = self.lanes.entry(delivery.notifier).or_default();
            if learned == Learned::Acknowledged {
                lane.vouch(delivery.id);
            }
            if let Some(running) = self.running.values_mut().find(|running| running.delivery == delivery.id) {
                running.again = true;
                continue;
            }
            if let Subject::Bundle(_) = delivery.subject {
                lane.in_order(delivery.id, delivery.recipient);
            }
            if lane.circuit.fault.is_some() {
                // Its way decides when it is tried.
                due = due.min(now);
            }
            let due = later(lane, due);
            lane.file(delivery.id, due);
        }
    }

    fn nothing_due(&self) -> bool {
        let now = clock::now();
        self.lanes
            .iter()
            .all(|(name, lane)| lane.next(now, width(&self.desk, name)).is_none_or(|due| due > now))
    }

    /// Starts what is due, lane by lane, oldest first. While the disk refuses, what is not known to be on disk waits for it.
    fn dispatch(&mut self) {
        let now = clock::now();
        let refuses = self.unrecorded.refuses();
        for (name, lane) in &mut self.lanes {
            let width = width(&self.desk, name);
            while let Some(due) = lane.next(now, width).filter(|due| *due <= now) {
                let Some(delivery) = lane.take() else { break };
                let durable = lane.is_durable(delivery);
                if refuses && !durable {
                    lane.ended(delivery, false);
                    lane.set_aside(delivery, due);
                    continue;
                }
                lane.under_way += 1;
                let (station, desk) = (self.station.clone(), Arc::clone(&self.desk));
                let errand = Errand { id: delivery, durable };
                let job = deliver::deliver(station, desk, self.unrecorded.clone(), errand);
                let handle = self.jobs.spawn(job);
                self.running.insert(handle.id(), Running { notifier: name.clone(), delivery, again: false });
            }
        }
        self.lanes.retain(|_, lane| !lane.is_idle());
    }

    fn note(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let job = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(Running { notifier, delivery, again }) = self.running.remove(&job) else { return };
        let now = clock::now();
        let ended = ended.map(|(job, ended)| (job, self.keep(&notifier, ended)));
        self.unrecorded.ended(delivery);
        let next = ended.as_ref().ok().map(|(_, ended)| &ended.next);
        let (waits, tried) = (matches!(next, Some(Next::Waits)), matches!(next, Some(Next::Again(_))));
        let gone = self.desk.notifier(&notifier).is_none();
        let mut full = false;
        let (due, circuit, owed) = match ended {
            Ok((_, Ended { next, circuit, owed })) => {
                let due = match next {
                    Next::Held(held) => {
                        self.held.file(&held, now);
                        full = true;
                        None
                    }
                    Next::Waits => Some(now),
                    _ if again => Some(now),
                    Next::Closed | Next::Unrecorded(..) => None,
                    Next::Again(due) => Some(if gone { now } else { due }),
                    Next::Faulty(fault) => {
                        self.unrecorded.refused(&fault, now);
                        error!(%delivery, notifier, "the store failed a delivery: {fault:#}");
                        Some(now + AFTER_FAULT)
                    }
                };
                (due, circuit, owed)
            }
            Err(panic) => {
                warn!(%delivery, notifier, "a delivery ended in a bug: {panic}");
                (Some(now + AFTER_FAULT), None, Vec::new())
            }
        };
        let lane = self.lanes.entry(notifier.clone()).or_default();
        lane.under_way = lane.under_way.saturating_sub(1);
        lane.ended(delivery, due.is_none());
        if full && lane.jam == Jam::Clear {
            lane.jam = Jam::Full;
        }
        if let Some(circuit) = circuit.filter(|_| !gone) {
            let before = std::mem::replace(&mut lane.circuit, circuit);
            let lasted = |fault: &Fault| now.duration_since(fault.since) > LATE;
            if lane.circuit.fault.is_none() && before.fault.as_ref().is_some_and(lasted) {
                lane.jam = Jam::Held;
            }
        }
        match due {
            None => lane.forget(delivery),
            Some(due) if waits && self.unrecorded.refuses() => lane.set_aside(delivery, due),
            // Behind all that waits: the next attempt of a way in trouble is another delivery's.
            Some(due) => lane.file(delivery, if lane.circuit.fault.is_some() { due.min(now) } else { due }),
        }
        if tried {
            lane.vouch(delivery);
        }
        self.queue(owed);
        self.give_up(&notifier, now);
    }
}

/// How many deliveries may be under way to a notifier; to one that is gone nothing leaves.
fn width(desk: &Desk, notifier: &str) -> usize {
    desk.notifier(notifier).map_or(1, |notifier| notifier.width())
}
