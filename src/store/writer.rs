//! The one thread that writes: it gathers commits, makes one transaction and one sync of them, then answers.
//!
//! A sync costs far more than a commit, and so does a transaction of its own: polls that end together share both. The
//! thread never waits for company: it takes what is queued, and what comes meanwhile is the next group.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::{Store, StoreError, Transaction, Work};
use crate::fault;

/// Greatest number of commits that share one sync: as many polls of 30 new items take about 10 ms.
const GROUP_JOBS_MAX: usize = 32;

/// Commits that may wait in line: a full group beside the one being written; then callers wait.
const QUEUE_JOBS_MAX: usize = GROUP_JOBS_MAX;

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
    /// Look at the store while nothing changes.
    Look(Look),
}

/// Hands commits to the writing thread. Clones share the thread; it ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer {
    orders: mpsc::Sender<Order>,
    syncs: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread. Join its handle after the last [`Writer`] is dropped: then all is on disk.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Arc<dyn Store>) -> io::Result<(Self, JoinHandle<()>)> {
        let (orders, queue) = mpsc::channel(QUEUE_JOBS_MAX);
        let syncs = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&syncs);
        let thread =
            thread::Builder::new().name("store".into()).spawn(move || run(store.as_ref(), queue, &count))?;
        Ok((Self { orders, syncs }, thread))
    }

    /// Runs `work` in one transaction and resolves after the sync that covers it. Commits happen in the order of
    /// their calls; `work` may run more than once.
    ///
    /// After an error of the disk the work may yet turn out to be stored, as after a crash: whoever repeats it
    /// looks first.
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
        let (reply, answer) = oneshot::channel();
        let job = Commit { work, value: None, reply };
        self.orders.send(Order::Commit(Box::new(job))).await.map_err(|_| StoreError::Stopped)?;
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
        self.orders.send(Order::Look(look)).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Number of syncs so far.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
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

/// Commits group after group until every [`Writer`] is gone.
fn run(store: &dyn Store, mut queue: mpsc::Receiver<Order>, syncs: &AtomicU64) {
    let mut orders = Vec::new();
    while queue.blocking_recv_many(&mut orders, GROUP_JOBS_MAX) > 0 {
        let (mut group, mut looks) = (Vec::new(), Vec::new());
        for order in orders.drain(..) {
            match order {
                Order::Commit(job) => group.push(job),
                Order::Look(look) => looks.push(look),
            }
        }
        if !group.is_empty() {
            commit(store, group, syncs);
        }
        for look in looks {
            look(store);
        }
    }
}

/// Runs a group as one transaction with one sync, and tells everybody.
fn commit(store: &dyn Store, mut group: Vec<Box<dyn Job>>, syncs: &AtomicU64) {
    let ends = transact(store, &mut group);
    fault::point("committed");
    let synced = store.sync();
    fault::point("synced");
    syncs.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = &synced {
        tracing::error!(%error, commits = group.len(), "commits could not be made durable");
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
