//! The outbox's worker: sends what is owed, each notifier in a lane of its own, so that a dead one delays nobody.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::clock;
use super::deliver::{self, Ended};
use super::hold::{self, Group, Groups};
use super::station::Station;
use crate::desk::Desk;
use crate::outbox::{Delivery, DeliveryId, retry};
use crate::store::StoreError;

/// Orders waiting for the sender. Polls that find more wait for it, which holds back polling, not alerts.
pub const ORDERS_MAX: usize = 256;

/// Deliveries under way per notifier: enough to hide a receiver's latency, few enough for a small relay.
const LANE_WIDTH: usize = 4;

/// How long a delivery waits when the store or the program failed it, not the receiver.
const AFTER_FAULT: SignedDuration = SignedDuration::from_secs(30);

/// What the sender is told.
pub enum Order {
    /// Deliveries that are newly owed, or to be tried again; durable already.
    Owed(Vec<Delivery>),
    /// The store failed a commit: what is owed may be more than was said, and is read anew.
    Doubt,
    /// Another config is in force.
    Desk(Arc<Desk>),
    /// Answers at once: the sender lives.
    Ping(oneshot::Sender<()>),
    /// Answers, and ends the sender, when nothing is due and nothing under way.
    Finish(oneshot::Sender<()>),
}

/// The sender's state.
pub struct Sender {
    station: Station,
    desk: Arc<Desk>,
    lanes: HashMap<String, Lane>,
    held: Groups,
    releases: JoinSet<Released>,
    jobs: JoinSet<Ended>,
    running: HashMap<Id, Running>,
    finish: Option<oneshot::Sender<()>>,
    doubt: bool,
    watch: clock::Watch,
}

/// What was let go, and what came of it.
type Released = (Group, BTreeSet<DeliveryId>, Result<Vec<Delivery>, StoreError>);

/// A delivery under way.
struct Running {
    notifier: String,
    delivery: DeliveryId,
    /// Whether it was ordered anew meanwhile.
    again: bool,
}

/// What one notifier owes.
#[derive(Default)]
struct Lane {
    waiting: BTreeSet<(Timestamp, DeliveryId)>,
    due: HashMap<DeliveryId, Timestamp>,
    under_way: usize,
}

impl Lane {
    fn next(&self) -> Option<Timestamp> {
        if self.under_way >= LANE_WIDTH { None } else { self.waiting.first().map(|(due, _)| *due) }
    }

    /// Files a delivery under a time, whatever it was filed under before.
    fn file(&mut self, delivery: DeliveryId, due: Timestamp) {
        if let Some(before) = self.due.insert(delivery, due) {
            self.waiting.remove(&(before, delivery));
        }
        self.waiting.insert((due, delivery));
    }

    /// Files everything so much earlier.
    fn advance(&mut self, by: SignedDuration) {
        let earlier = |due: Timestamp| due.checked_sub(by).unwrap_or(due);
        self.due.values_mut().for_each(|due| *due = earlier(*due));
        self.waiting = self.due.iter().map(|(delivery, due)| (*due, *delivery)).collect();
    }

    fn take(&mut self) -> Option<DeliveryId> {
        let (_, delivery) = self.waiting.pop_first()?;
        self.due.remove(&delivery);
        Some(delivery)
    }
}

impl Sender {
    /// Takes up what the store says is owed still. What was under way at a crash is sent again, under the same id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(station: Station, desk: Arc<Desk>) -> Result<Self, StoreError> {
        let owed = station.read(|store| store.open_deliveries()).await?;
        if !owed.is_empty() {
            info!(deliveries = owed.len(), "taking up deliveries owed from before");
        }
        let mut sender = Self {
            station,
            desk,
            lanes: HashMap::new(),
            held: Groups::default(),
            releases: JoinSet::new(),
            jobs: JoinSet::new(),
            running: HashMap::new(),
            finish: None,
            doubt: false,
            watch: clock::Watch::new(clock::now()),
        };
        sender.queue(owed);
        Ok(sender)
    }

    /// Sends until `stop`, then waits for what is under way.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
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
            self.let_go();
            self.dispatch();
            if self.jobs.is_empty()
                && self.releases.is_empty()
                && self.nothing_due()
                && let Some(done) = self.finish.take()
            {
                // Whoever asked may be gone.
                _ = done.send(());
                return;
            }
            let wake = self.lanes.values().filter_map(Lane::next).chain(self.held.next()).min();
            // Every branch is cancel-safe: `recv`, `join_next_with_id`, `sleep` and `cancelled` lose nothing.
            tokio::select! {
                () = stop.cancelled() => break,
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => break,
                },
                Some(ended) = self.jobs.join_next_with_id() => self.note(ended),
                Some(ended) = self.releases.join_next() => self.note_release(ended),
                () = sleep(clock::until(wake)) => {}
            }
        }
        while let Some(ended) = self.jobs.join_next_with_id().await {
            self.note(ended);
        }
        while let Some(ended) = self.releases.join_next().await {
            self.note_release(ended);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Owed(deliveries) => self.queue(deliveries),
            Order::Doubt => self.doubt = true,
            Order::Desk(desk) => self.desk = desk,
            Order::Ping(reply) => _ = reply.send(()),
            Order::Finish(reply) => self.finish = Some(reply),
        }
    }

    /// Asks the store what is owed. While it cannot say, it is asked again at every turn.
    async fn read_anew(&mut self) {
        match self.station.read(|store| store.open_deliveries()).await {
            Ok(owed) => {
                self.doubt = false;
                self.queue(owed);
            }
            Err(fault) => warn!("cannot read what is owed: {fault}"),
        }
    }

    fn queue(&mut self, deliveries: Vec<Delivery>) {
        let now = clock::now();
        for delivery in deliveries {
            if delivery.state.held().is_some() {
                self.held.file(&delivery, now);
                continue;
            }
            let Some(due) = retry::due(&delivery, now) else { continue };
            if let Some(running) = self.running.values_mut().find(|running| running.delivery == delivery.id) {
                running.again = true;
                continue;
            }
            self.lanes.entry(delivery.notifier).or_default().file(delivery.id, due);
        }
    }

    fn nothing_due(&self) -> bool {
        let now = clock::now();
        self.lanes.values().all(|lane| lane.waiting.first().is_none_or(|(due, _)| *due > now))
    }

    /// Lets go of what was held until now.
    fn let_go(&mut self) {
        let now = clock::now();
        for (group, ids) in self.held.take(now) {
            let station = self.station.clone();
            self.releases.spawn(async move {
                let outcome = hold::release(&station, ids.clone(), now).await;
                (group, ids, outcome)
            });
        }
    }

    fn note_release(&mut self, ended: Result<Released, JoinError>) {
        match ended {
            Ok((_, _, Ok(ready))) => self.queue(ready),
            Ok((group, ids, Err(fault))) => {
                error!("the store failed what was to be let go: {fault:#}");
                self.held.put_back(group, ids, clock::now() + AFTER_FAULT);
            }
            Err(panic) => {
                warn!("what was to be let go ended in a bug: {panic}");
                self.doubt = true;
            }
        }
    }

    /// Starts what is due, lane by lane, oldest first.
    fn dispatch(&mut self) {
        let now = clock::now();
        for (name, lane) in &mut self.lanes {
            while lane.next().is_some_and(|due| due <= now) {
                let Some(delivery) = lane.take() else { break };
                lane.under_way += 1;
                let job = deliver::deliver(self.station.clone(), Arc::clone(&self.desk), delivery);
                let handle = self.jobs.spawn(job);
                self.running.insert(handle.id(), Running { notifier: name.clone(), delivery, again: false });
            }
        }
        self.lanes.retain(|_, lane| lane.under_way > 0 || !lane.waiting.is_empty());
    }

    fn note(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let job = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(Running { notifier, delivery, again }) = self.running.remove(&job) else { return };
        let due = match ended {
            _ if again => Some(clock::now()),
            Ok((_, Ended::Closed)) => None,
            Ok((_, Ended::Held(held))) => {
                self.held.file(&held, clock::now());
                None
            }
            Ok((_, Ended::Again(due))) => Some(due),
            Ok((_, Ended::Faulty(fault))) => {
                error!(%delivery, notifier, "the store failed a delivery: {fault:#}");
                Some(clock::now() + AFTER_FAULT)
            }
            Err(panic) => {
                warn!(%delivery, notifier, "a delivery ended in a bug: {panic}");
                Some(clock::now() + AFTER_FAULT)
            }
        };
        let lane = self.lanes.entry(notifier).or_default();
        lane.under_way = lane.under_way.saturating_sub(1);
        if let Some(due) = due {
            lane.file(delivery, due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g7_what_waits_in_a_lane_is_filed_anew_when_the_clock_was_set_back() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let mut lane = Lane::default();
        let (first, second) = (DeliveryId::from_bytes([1; 16]), DeliveryId::from_bytes([2; 16]));
        lane.file(second, at(600));
        lane.file(first, at(5));
        lane.advance(SignedDuration::from_secs(3600));
        assert_eq!(lane.next(), Some(at(5 - 3600)));
        lane.file(first, at(-3000));
        assert_eq!((lane.take(), lane.next()), (Some(first), Some(at(-3000))));
        assert_eq!((lane.take(), lane.take()), (Some(second), None));
    }
}
