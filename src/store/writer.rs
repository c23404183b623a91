//! The one thread that writes: it gathers commits, makes one transaction and one sync of them, then answers.
//!
//! A sync costs far more than a commit, and so does a transaction of its own: polls that end together share both. The
//! thread never waits for company: it takes what is queued, and gives way to who is at work as long as that brings more.
//! What comes while a group is written is the next one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::{Store, StoreError, Transaction, Work};
use crate::fault;

/// Greatest number of commits that share one sync: as many polls of 30 new items take about 10 ms.
const GROUP_JOBS_MAX: usize = 32;

/// Commits that may wait in line: a full group beside the one being written; then callers wait.
const QUEUE_JOBS_MAX: usize = GROUP_JOBS_MAX;

/// For how long nothing is tried after the disk has refused; doubled while it refuses, up to [`PAUSE_MAX`]. Each try may
/// open the store again, and that reads its whole log.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A commit in line.
trait Job: Send {
    /// Its work; it may run more than once.
    fn run(&mut self, transaction: &dyn Transaction) -> Result<(), StoreError>;

    /// Tells the caller how it ended, given how the transaction and the sync did.
    fn settle(self: Box<Self>, ended: Result<(), StoreError>);
}

/// A look at the store.
type Look = Box<dyn FnOnce(&dyn Store) + Send>;

/// What the writing thread is to do.
enum Order {
    /// Commit, together with others.
    Commit(Box<dyn Job>),
    /// The same, also in the pause after a refusal.
    Insist(Box<dyn Job>),
    /// Look at the store while nothing changes.
    Look(Look),
}

/// Hands commits to the writing thread. Clones share the thread; it ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer {
    orders: mpsc::Sender<Order>,
    /// Of whom it is to find a place in line: whoever is woken for one could else be overtaken.
    turn: Arc<tokio::sync::Mutex<()>>,
    record: Arc<Record>,
}

/// How the writing thread fared.
#[derive(Debug, Default)]
struct Record {
    syncs: AtomicU64,
    /// Groups of commits that the engine failed.
    failures: AtomicU64,
    refusal: Mutex<Option<Refusal>>,
}

/// That the disk refused the last group.
#[derive(Debug)]
struct Refusal {
    error: StoreError,
    pause: Duration,
    until: Instant,
}

impl Record {
    /// What the disk said, as long as the pause after it lasts.
    fn refusal(&self) -> Option<StoreError> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.as_ref().filter(|refusal| Instant::now() < refusal.until).map(|refusal| refusal.error.share())
    }

    /// Takes note of how the engine ended a group; whether the disk did not refuse the one before.
    fn note(&self, failure: Option<&StoreError>) -> bool {
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = refusal.is_none();
        self.failures.fetch_add(u64::from(failure.is_some()), Ordering::AcqRel);
        *refusal = failure.filter(|error| error.is_of_disk()).map(|error| {
            let pause = refusal.as_ref().map_or(PAUSE_MIN, |before| (before.pause * 2).min(PAUSE_MAX));
            Refusal { error: error.share(), pause, until: Instant::now() + pause }
        });
        is_first
    }
}

impl Writer {
    /// Starts the thread. Join its handle after the last [`Writer`] is dropped: then all is on disk.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Arc<dyn Store>) -> io::Result<(Self, JoinHandle<()>)> {
        let (orders, queue) = mpsc::channel(QUEUE_JOBS_MAX);
        let record = Arc::new(Record::default());
        let noted = Arc::clone(&record);
        let thread =
            thread::Builder::new().name("store".into()).spawn(move || run(store.as_ref(), queue, &noted))?;
        Ok((Self { orders, turn: Arc::default(), record }, thread))
    }

    /// Runs `work` in one transaction and resolves after the sync that covers it. Commits happen in the order of
    /// their calls; `work` may run more than once.
    ///
    /// After an error of the disk the work may yet turn out to be stored, as after a crash: whoever repeats it
    /// looks first. For a pause after it, at most five seconds, every commit fails alike without being tried.
    ///
    /// # Errors
    /// What `work` returned, the failure of its commit or of the sync, [`StoreError::Stopped`] when the thread
    /// has ended.
    ///
    /// # Cancel safety
    /// Dropped before its place in the queue is taken, nothing happens; after that, the commit happens unobserved.
    pub async fn commit<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&dyn Transaction) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.order(work, Order::Commit).await
    }

    /// The same for `work` that cannot wait: it is tried also in the pause after an error of the disk.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    ///
    /// # Cancel safety
    /// As [`Writer::commit`].
    pub async fn insist<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&dyn Transaction) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.order(work, Order::Insist).await
    }

    async fn order<T, F>(&self, work: F, order: fn(Box<dyn Job>) -> Order) -> Result<T, StoreError>
    where
        F: FnMut(&dyn Transaction) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Commit { work, value: None, reply };
        self.line_up(order(Box::new(job))).await?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Runs `look` on the writing thread, between two commits: nothing changes under its hands. Commits wait for it.
    ///
    /// # Errors
    /// What `look` returned, or [`StoreError::Stopped`] when the thread has ended.
    ///
    /// # Cancel safety
    /// As [`Writer::commit`].
    pub async fn between<T, F>(&self, look: F) -> Result<T, StoreError>
    where
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let look = Box::new(move |store: &dyn Store| {
            if reply.send(look(store)).is_err() {
                tracing::debug!("a look at the store ended after its caller had gone");
            }
        });
        self.line_up(Order::Look(look)).await?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Takes a place in line, behind all who asked for one before.
    async fn line_up(&self, order: Order) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        self.orders.send(order).await.map_err(|_| StoreError::Stopped)
    }

    /// Number of syncs so far.
    pub fn syncs(&self) -> u64 {
        self.record.syncs.load(Ordering::Relaxed)
    }

    /// Whether the engine failed any commit so far: what is read since then may lie in memory alone.
    pub fn has_failed(&self) -> bool {
        self.record.failures.load(Ordering::Acquire) > 0
    }

    /// What the disk said to the last commit, as long as no other is tried.
    pub fn refusal(&self) -> Option<StoreError> {
        self.record.refusal()
    }
}

/// A commit that somebody waits for.
struct Commit<T, F> {
    work: F,
    /// What the last run returned.
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Commit<T, F>
where
    F: FnMut(&dyn Transaction) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, transaction: &dyn Transaction) -> Result<(), StoreError> {
        self.value = Some((self.work)(transaction)?);
        Ok(())
    }

    fn settle(self: Box<Self>, ended: Result<(), StoreError>) {
        // A store that commits without running the work breaks its contract.
        let Self { value, reply, .. } = *self;
        if reply.send(ended.and_then(|()| value.ok_or(StoreError::Conflict))).is_err() {
            tracing::debug!("a commit ended after its caller had gone");
        }
    }
}

/// Takes the orders of a group; none is left when every [`Writer`] is gone.
///
/// Where the processors are busy, whoever runs is mostly about to commit, too: a poll that was read in the meantime shares
/// the transaction. Where they are not, giving way takes no time.
fn gather(queue: &mut mpsc::Receiver<Order>, orders: &mut Vec<Order>) -> bool {
    if queue.blocking_recv_many(orders, GROUP_JOBS_MAX) == 0 {
        return false;
    }
    loop {
        let before = orders.len();
        thread::yield_now();
        while orders.len() < GROUP_JOBS_MAX
            && let Ok(order) = queue.try_recv()
        {
            orders.push(order);
        }
        if orders.len() == before || orders.len() == GROUP_JOBS_MAX {
            return true;
        }
    }
}

/// Commits group after group until every [`Writer`] is gone.
fn run(store: &dyn Store, mut queue: mpsc::Receiver<Order>, record: &Record) {
    let mut orders = Vec::new();
    while gather(&mut queue, &mut orders) {
        let (mut group, mut looks, mut insists) = (Vec::new(), Vec::new(), false);
        for order in orders.drain(..) {
            match order {
                Order::Commit(job) => group.push(job),
                Order::Insist(job) => {
                    insists = true;
                    group.push(job);
                }
                Order::Look(look) => looks.push(look),
            }
        }
        match record.refusal().filter(|_| !insists) {
            Some(refusal) => group.into_iter().for_each(|job| job.settle(Err(refusal.share()))),
            None if group.is_empty() => {}
            None => commit(store, group, record),
        }
        for look in looks {
            look(store);
        }
    }
}

/// Runs a group as one transaction with one sync, and tells everybody.
fn commit(store: &dyn Store, mut group: Vec<Box<dyn Job>>, record: &Record) {
    let ends = transact(store, &mut group);
    fault::point("committed");
    let synced = store.sync();
    fault::point("synced");
    record.syncs.fetch_add(1, Ordering::Relaxed);
    let of_engine = |error: &&StoreError| matches!(error, StoreError::Io { .. } | StoreError::Damaged { .. });
    let mut failures =
        synced.as_ref().err().into_iter().chain(ends.iter().filter_map(|end| end.as_ref().err()));
    let is_first = record.note(failures.find(of_engine));
    if let Err(error) = &synced {
        // One that refuses is tried again and again.
        if is_first {
            tracing::error!(%error, commits = group.len(), "commits could not be made durable");
        } else {
            tracing::debug!(%error, commits = group.len(), "commits could not be made durable");
        }
    }
    for (job, ended) in group.into_iter().zip(ends) {
        job.settle(ended.and_then(|()| synced.as_ref().copied().map_err(StoreError::share)));
    }
}

/// Runs a group as one transaction: beside the sync, that is what a commit costs most.
fn transact(store: &dyn Store, group: &mut [Box<dyn Job>]) -> Vec<Result<(), StoreError>> {
    let mut works: Vec<_> =
        group.iter_mut().map(|job| |transaction: &dyn Transaction| job.run(transaction)).collect();
    let mut works: Vec<&mut Work<'_>> = works.iter_mut().map(|work| work as &mut Work<'_>).collect();
    store.transact_together(&mut works)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_a_refusal_grows_until_a_commit_is_taken() {
        let record = Record::default();
        let refused = || StoreError::Io { doing: "sync", source: io::ErrorKind::StorageFull.into() };
        let pause = || record.refusal.lock().unwrap().as_ref().map(|refusal| refusal.pause.as_millis());
        let refuse = || {
            record.note(Some(&refused()));
            pause().unwrap()
        };
        let pauses: Vec<_> = (0..9).map(|_| refuse()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert!(record.refusal().is_some(), "five seconds have not passed");
        record.note(None);
        assert!(record.refusal().is_none());
        assert_eq!(refuse(), 50, "from the beginning");
        record.note(Some(&StoreError::Stopped));
        assert_eq!(pause(), None, "it is not the disk");
    }
}
