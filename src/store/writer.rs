//! The one thread that writes: it gathers commits, syncs once for all of them, then answers.
//!
//! A sync costs far more than a commit, so polls that end together share one. The thread never waits for
//! company: it takes what is queued, syncs, and what came meanwhile is the next group.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::{Store, StoreError, Transaction};
use crate::fault;

/// Greatest number of commits that share one sync: what a crash can undo stays small.
const GROUP_JOBS_MAX: usize = 64;

/// Longest time between the first commit of a group and its sync.
const GROUP_TIME_MAX: Duration = Duration::from_millis(10);

/// Commits that may wait in line: a full group beside the one being written; then callers wait.
const QUEUE_JOBS_MAX: usize = GROUP_JOBS_MAX;

/// A commit: applied to the store, it leaves behind what is to happen after the sync.
type Job = Box<dyn FnOnce(&dyn Store) -> Settle + Send>;

/// Tells the caller how its commit ended, given how the sync did.
type Settle = Box<dyn FnOnce(Result<(), &StoreError>)>;

/// Hands commits to the writing thread. Clones share the thread; it ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    syncs: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread. Join its handle after the last [`Writer`] is dropped: then all is on disk.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Arc<dyn Store>) -> io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel(QUEUE_JOBS_MAX);
        let syncs = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&syncs);
        let thread =
            thread::Builder::new().name("store".into()).spawn(move || run(store.as_ref(), queue, &count))?;
        Ok((Self { jobs, syncs }, thread))
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
    pub async fn commit<T, F>(&self, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&dyn Transaction) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            let committed = apply(store, &mut work);
            Box::new(move |synced| {
                let outcome = committed.and_then(|value| synced.map(|()| value).map_err(StoreError::share));
                if reply.send(outcome).is_err() {
                    tracing::debug!("a commit ended after its caller had gone");
                }
            })
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Number of syncs so far.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

/// Runs `work` as one transaction and keeps what it returned.
fn apply<T, F>(store: &dyn Store, work: &mut F) -> Result<T, StoreError>
where
    F: FnMut(&dyn Transaction) -> Result<T, StoreError>,
{
    let mut value = None;
    store.transact(&mut |transaction| {
        value = Some(work(transaction)?);
        Ok(())
    })?;
    // A store that commits without running the work breaks its contract.
    value.ok_or(StoreError::Conflict)
}

/// Commits group after group until every [`Writer`] is gone.
fn run(store: &dyn Store, mut queue: mpsc::Receiver<Job>, syncs: &AtomicU64) {
    while let Some(first) = queue.blocking_recv() {
        let began = Instant::now();
        let mut group = vec![first(store)];
        while group.len() < GROUP_JOBS_MAX && began.elapsed() < GROUP_TIME_MAX {
            let Ok(job) = queue.try_recv() else { break };
            group.push(job(store));
        }
        fault::point("committed");
        let synced = store.sync();
        fault::point("synced");
        syncs.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = &synced {
            tracing::error!(%error, commits = group.len(), "commits could not be made durable");
        }
        for settle in group {
            settle(synced.as_ref().copied());
        }
    }
}
