//! The store and its writer, as everything that runs shares them.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tracing::warn;

use super::rescue;
use crate::desk::Desk;
use crate::fetch::{Fetcher, Unsaved};
use crate::store::{SledStore, Store, StoreError, Transaction, Writer};

/// How long the end waits for those who still hold the store.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Readers beside one for each processor: one may wait for the disk while the others compute.
const READERS_MORE: usize = 1;

/// A store and the one way to write to it.
#[derive(Clone)]
pub struct Station {
    store: Arc<dyn Store>,
    /// Commits, each durable before it is acknowledged.
    pub writer: Writer,
    /// Tells that there are articles to be fetched.
    pub articles: Arc<Notify>,
    /// One for each reader at work. Reading takes a processor, mostly: a thread for each of a thousand polls would
    /// only make them wait for each other.
    readers: Arc<Semaphore>,
}

impl Station {
    /// Joins a store and its writer.
    pub fn new(store: Arc<dyn Store>, writer: Writer) -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let readers = Arc::new(Semaphore::new(processors + READERS_MORE));
        Self { store, writer, articles: Arc::default(), readers }
    }

    /// Reads from the store on a thread that may block.
    ///
    /// # Errors
    /// What `question` returned, or [`StoreError::Stopped`] when it panicked.
    pub async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let store = Arc::clone(&self.store);
        // Held until the thread has ended, also when nobody waits for the answer any more.
        let turn = Arc::clone(&self.readers).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let answered = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            question(store.as_ref())
        });
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Whether all that was read until now is on disk: a sync after it is taken, and no commit failed since the store was
    /// opened. What a failed one wrote may be read, and a later sync does not vouch for it.
    pub async fn is_synced(&self) -> bool {
        self.writer.between(|store| store.sync()).await.is_ok() && !self.writer.has_failed()
    }

    /// What looks like damage of the store, as soon as anything does.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn damage(&self) -> String {
        let mut damage = self.store.damage();
        let found = damage.wait_for(Option::is_some).await.ok().and_then(|detail| detail.clone());
        match found {
            Some(detail) => detail,
            // The store lives as long as this station.
            None => std::future::pending().await,
        }
    }

    /// Commits, and with it what servers said that nobody has stored yet, to whomever they said it.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    ///
    /// # Cancel safety
    /// As [`Writer::commit`].
    pub async fn commit<T, F>(&self, fetcher: &Fetcher, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&dyn Transaction) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let unsaved = fetcher.unsaved();
        let said = unsaved.clone();
        let committed = self.writer.commit(move |tx| {
            said.orders.iter().try_for_each(|(host, order)| tx.put_order(host, order))?;
            said.robots.iter().try_for_each(|(origin, said)| tx.put_robots(origin, said.as_ref()))?;
            work(tx)
        });
        let done = committed.await?;
        fetcher.saved(&unsaved);
        Ok(done)
    }

    /// Commits what servers said that nobody has stored yet, if there is any.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub async fn save(&self, fetcher: &Fetcher) -> Result<(), StoreError> {
        if fetcher.unsaved() == Unsaved::default() {
            return Ok(());
        }
        self.commit(fetcher, |_| Ok(())).await
    }
}

/// A store that this process holds, and the thread that writes to it.
pub struct OpenStation {
    /// For everything that runs.
    pub station: Station,
    thread: JoinHandle<()>,
    store: Arc<dyn Store>,
}

impl OpenStation {
    /// Opens the store at `path`, making it when there is none.
    ///
    /// # Errors
    /// When it is in use, another user's, damaged or not to be made.
    pub async fn create(path: PathBuf) -> Result<Self, StoreError> {
        Self::open_by(move || SledStore::create(&path)).await
    }

    /// Opens the store at `path`, which must exist.
    ///
    /// # Errors
    /// As for [`OpenStation::create`], and when there is none.
    pub async fn open(path: PathBuf) -> Result<Self, StoreError> {
        Self::open_by(move || SledStore::open(&path)).await
    }

    /// Opens the store at `path` as the service does, which has to go on: another takes the place of a damaged one, and
    /// whoever `desk` says is told.
    ///
    /// # Errors
    /// As for [`OpenStation::create`].
    pub async fn serve(path: PathBuf, desk: Arc<Desk>) -> Result<Self, StoreError> {
        Self::open_by(move || rescue::open(&path, &desk)).await
    }

    async fn open_by(
        open: impl FnOnce() -> Result<SledStore, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let opened = tokio::task::spawn_blocking(open).await.unwrap_or(Err(StoreError::Stopped))?;
        let store: Arc<dyn Store> = Arc::new(opened);
        let (writer, thread) = Writer::start(Arc::clone(&store))
            .map_err(|source| StoreError::Io { doing: "start its writer", source })?;
        Ok(Self { station: Station::new(Arc::clone(&store), writer), thread, store })
    }

    /// Waits for the last commits, syncs and lets go of the store. Every other [`Station`] should be dropped; one
    /// that a stuck client keeps alive is not waited for, as whatever was acknowledged is on disk already.
    ///
    /// # Errors
    /// When the last sync fails.
    pub async fn close(self) -> Result<(), StoreError> {
        let Self { station, thread, store } = self;
        drop(station);
        // A writer that panicked has failed its commits already, each with its error.
        let ended = tokio::task::spawn_blocking(move || drop(thread.join()));
        if timeout(CLOSE_PATIENCE, ended).await.is_err() {
            warn!("the store's writer is still in use by a client that hangs");
        }
        tokio::task::spawn_blocking(move || store.sync()).await.unwrap_or(Err(StoreError::Stopped))
    }
}
