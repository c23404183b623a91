//! sled, and what it does not do by itself: reaching the disk, surviving its own panics, opening again after a failure.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use sled::transaction::{ConflictableTransactionError, TransactionError};
use sled::{Db, Tree};
use tokio::sync::watch;

use super::access::{InTransaction, Read};
use super::mark::Mark;
use super::{keys, open};
use crate::fault;
use crate::store::error::panic_text;
use crate::store::{StoreError, Work};

/// What must fit on the disk before the database is opened again, in bytes: its snapshot, which is written then, is far
/// smaller.
const ROOM_BYTES: usize = 1 << 20;

/// Conflicts after which a transaction gives up; over one tree sled reports none.
const CONFLICTS_MAX: u32 = 100;

/// A file beside the log that says what looked like damage while the store was in use: it may open all the same.
pub(super) const SUSPECT: &str = "suspect";

/// An open database, its log as a file of our own, for `fdatasync`, and what must be in it.
pub(super) struct Open {
    pub(super) db: Db,
    pub(super) log: File,
    pub(super) mark: Mark,
    /// Held by whoever removes old records, for each transaction, and by whoever copies all.
    pub(super) sweeping: Mutex<()>,
}

impl Open {
    /// Makes everything committed so far durable; returns the number of the last such commit.
    ///
    /// sled's `flush` alone ends in `sync_file_range`, which leaves data in the disk's cache (spacejam/sled#1452).
    pub(super) fn sync(&self) -> Result<u64, StoreError> {
        let last = self.mark.last();
        self.db.flush().map_err(|error| failed("write", error))?;
        fault::io("sync").map_err(|source| StoreError::Io { doing: "sync", source })?;
        self.log.sync_data().map_err(|source| StoreError::Io { doing: "sync", source })?;
        Ok(last)
    }
}

/// The database at a path. After a failure of the disk it is closed and opened again before it is written to: what a
/// failed sync left in the page cache is not to be trusted, so what the disk holds decides. Opening it writes, so as long
/// as the disk takes nothing it stays as it is, to be read.
pub(super) struct Engine {
    path: PathBuf,
    open: RwLock<Option<Open>>,
    /// Whether it must be opened again before it is written to.
    failed: AtomicBool,
    /// Whether it must be opened again before it is read.
    unreadable: AtomicBool,
    /// Whether there are commits that no sync has covered yet.
    dirty: AtomicBool,
    /// Whether such commits were in memory when the database was closed after a failure: the next sync must not
    /// vouch for them.
    lost: AtomicBool,
    /// What looked like damage since it was opened.
    damage: watch::Sender<Option<String>>,
}

impl Engine {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes over the open database at `path`.
    pub(super) fn new(path: &Path, open: Open) -> Self {
        Self {
            path: path.to_owned(),
            open: RwLock::new(Some(open)),
            failed: AtomicBool::new(false),
            unreadable: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            damage: watch::Sender::new(None),
        }
    }

    /// What looks like damage, as soon as anything does.
    pub(super) fn damage(&self) -> watch::Receiver<Option<String>> {
        self.damage.subscribe()
    }

    /// Calls `call`, which may write, with the database. A panic inside sled becomes an error.
    pub(super) fn with<T>(&self, call: impl FnOnce(&Open) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.failed.load(Ordering::Acquire) {
            self.reopen()?;
        }
        let outcome = self.call(call);
        self.note(outcome.as_ref().err().map(|error| (error, matches!(error, StoreError::Damaged { .. }))));
        outcome
    }

    /// The same for a `call` that only reads: while the disk refuses what is written, it sees what was committed, also
    /// what never reached the disk.
    pub(super) fn read<T>(&self, call: impl FnOnce(&Open) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.unreadable.load(Ordering::Acquire) {
            self.reopen()?;
        }
        let outcome = self.call(call);
        self.note(outcome.as_ref().err().map(|error| (error, true)));
        outcome
    }

    /// Takes note of a failure, and whether nothing can be read after it.
    fn note(&self, failure: Option<(&StoreError, bool)>) {
        let Some((_, unreadable)) = failure.filter(|(error, _)| is_of_engine(error)) else { return };
        self.unreadable.fetch_or(unreadable, Ordering::AcqRel);
        self.failed.store(true, Ordering::Release);
    }

    fn call<T>(&self, call: impl FnOnce(&Open) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.as_ref() else {
            return Err(failed("open again", sled::Error::Unsupported("closed after a failure".into())));
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| call(open))).unwrap_or_else(|panic| {
            let detail = format!("the engine panicked: {}", panic_text(panic.as_ref()));
            Err(StoreError::Damaged { path: self.path.display().to_string(), detail })
        });
        outcome.map_err(|error| self.located(error)).inspect_err(|error| self.suspect(error))
    }

    /// The error with the place of the store, which [`failed`] does not know.
    fn located(&self, mut error: StoreError) -> StoreError {
        if let StoreError::Damaged { path, .. } = &mut error
            && path.is_empty()
        {
            *path = self.path.display().to_string();
        }
        error
    }

    /// Notes what looks like damage, beside the log too: whoever opens it next is to look at all of it.
    fn suspect(&self, error: &StoreError) {
        let StoreError::Damaged { detail, .. } = error else { return };
        if self.damage.send_replace(Some(detail.clone())).is_some() {
            return;
        }
        tracing::error!(path = %self.path.display(), detail, "the store looks damaged");
        if let Err(error) = fs::write(self.path.join(SUSPECT), detail) {
            tracing::warn!(%error, "that could not be noted for the next start");
        }
    }

    /// Runs `works` as one numbered transaction; one that fails leaves nothing and harms no other.
    pub(super) fn commit(&self, works: &mut [&mut Work<'_>]) -> Vec<Result<(), StoreError>> {
        let mut ends = Vec::with_capacity(works.len());
        let committed = self.with(|open| {
            self.dirty.store(true, Ordering::Release);
            let number = transact(&open.db, |rows| {
                ends.clear();
                for work in works.iter_mut() {
                    ends.push(rows.attempt(work)?);
                }
                fault::point("transaction");
                let number = rows.row::<u64>(&keys::commits())?.unwrap_or_default() + 1;
                rows.put(&keys::commits(), &number).map(|()| number)
            })?;
            open.mark.committed(number);
            Ok(())
        });
        match committed {
            Ok(()) => ends,
            Err(error) => works.iter().map(|_| Err(error.share())).collect(),
        }
    }

    /// Makes everything committed so far durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let synced = self.with(|open| {
            self.dirty.store(false, Ordering::Release);
            open.sync().map(|last| open.mark.synced(last))
        });
        if self.lost.swap(false, Ordering::AcqRel) {
            let source = io::Error::other("the store failed and was opened again since the commit");
            return Err(StoreError::Io { doing: "sync", source });
        }
        if synced.is_ok() {
            fault::keep(&self.path);
        }
        synced
    }

    /// Closes and opens the database, unless another thread just did.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        if slot.is_some() && !self.unreadable.load(Ordering::Acquire) {
            make_room(&self.path).map_err(|source| StoreError::Io { doing: "write", source })?;
        }
        tracing::warn!(path = %self.path.display(), "opening the store again after a failure");
        if self.dirty.swap(false, Ordering::AcqRel) {
            self.lost.store(true, Ordering::Release);
        }
        // Until it is open again there is nothing to be read.
        self.unreadable.store(true, Ordering::Release);
        let old = slot.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(old))) {
            tracing::warn!(panic = panic_text(panic.as_ref()), "the engine panicked while closing");
        }
        *slot = Some(open::existing(&self.path).inspect_err(|error| self.suspect(error))?);
        self.unreadable.store(false, Ordering::Release);
        self.failed.store(false, Ordering::Release);
        Ok(())
    }
}

/// Whether the disk takes what is written in the folder at `path`, as much as opening a store writes.
fn make_room(path: &Path) -> io::Result<()> {
    let trial = path.join("trial");
    let written = File::create(&trial).and_then(|mut file| {
        file.write_all(&vec![0; ROOM_BYTES])?;
        file.sync_all()
    });
    let removed = fs::remove_file(&trial);
    written.and(removed)
}

/// A store that is closed well is marked to its last commit. Where that fails, a crash would have left no less.
impl Drop for Engine {
    fn drop(&mut self) {
        if self.failed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.with(|open| open.sync().map(|last| open.mark.set(last))) {
            tracing::error!(%error, "the store could not be synced while closing");
        }
    }
}

/// Runs `work` as one transaction over `tree`. A panic in `work` becomes an error, and nothing is written.
pub(super) fn transact<T>(
    tree: &Tree,
    work: impl FnMut(&InTransaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // sled asks for `Fn`; it calls one run after the other.
    let work = std::cell::RefCell::new(work);
    let conflicts = std::cell::Cell::new(0);
    let outcome = tree.transaction(|view| {
        let mut work = work.borrow_mut();
        match guarded(|| (*work)(&InTransaction::new(view))) {
            Err(StoreError::Conflict) if conflicts.get() < CONFLICTS_MAX => {
                conflicts.set(conflicts.get() + 1);
                Err(ConflictableTransactionError::Conflict)
            }
            other => other.map_err(ConflictableTransactionError::Abort),
        }
    });
    outcome.map_err(|error| match error {
        TransactionError::Abort(error) => error,
        TransactionError::Storage(error) => failed("commit", error),
    })
}

/// Runs `work`; a panic becomes an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_text(panic.as_ref()))))
}

/// Whether it is the engine that failed, and not what it was asked to do.
pub(super) fn is_of_engine(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { .. } | StoreError::Damaged { .. })
}

/// What sled said while it was to do `doing`; where the store is, is for the [`Engine`] to say.
pub(super) fn failed(doing: &'static str, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => {
            StoreError::Damaged { path: String::new(), detail: format!("to {doing}: {error}") }
        }
        sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) | sled::Error::Io(_) => {
            StoreError::Io { doing, source: error.into() }
        }
    }
}
