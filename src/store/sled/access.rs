//! Reading and writing whole values, in a transaction and outside of one.

use std::cell::RefCell;

use sled::transaction::{TransactionalTree, UnabortableTransactionError};
use sled::{IVec, Tree};

use super::frame::{self, Damage};
use super::{engine, keys};
use crate::store::{StoreError, Work};

/// A type that values of the tree hold.
pub(super) trait Row: Sized {
    /// Its bytes.
    ///
    /// # Errors
    /// When it cannot be expressed.
    fn encode(&self) -> Result<Vec<u8>, StoreError>;

    /// What the bytes say; `None` when they do not say such a thing.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// Where values are read from.
pub(super) trait Read {
    /// One row as it lies.
    fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError>;

    /// Decides about a value that could not be used as it was read.
    fn judge<T: Row>(&self, key: &[u8], damage: Damage) -> Result<Option<T>, StoreError>;

    /// The value at `key`; a damaged one is set aside and counts as absent.
    fn row<T: Row>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.get(key)? {
            Some(head) => self.row_from(key, &head),
            None => Ok(None),
        }
    }

    /// The value at `key` of which `head` is the first row.
    fn row_from<T: Row>(&self, key: &[u8], head: &[u8]) -> Result<Option<T>, StoreError> {
        let payload = frame::open(key, head, |part| self.get(part))?;
        match payload.and_then(|payload| T::decode(&payload).ok_or(Damage::Content)) {
            Ok(value) => Ok(Some(value)),
            Err(damage) => self.judge(key, damage),
        }
    }
}

impl Read for Tree {
    fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        Tree::get(self, key).map_err(|error| engine::failed("read", error))
    }

    /// Between two rows of one value a commit may have changed it: only a transaction sees them together.
    fn judge<T: Row>(&self, key: &[u8], _damage: Damage) -> Result<Option<T>, StoreError> {
        engine::transact(self, |transaction| transaction.row(key))
    }
}

/// A running transaction. It can take back the writes of a work that failed, so that several works may share it.
pub(super) struct InTransaction<'a> {
    view: &'a TransactionalTree,
    /// What was at the keys that were written, in the order of the writes.
    before: RefCell<Vec<(IVec, Option<IVec>)>>,
}

impl Read for InTransaction<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.view.get(key).map_err(refused)
    }

    fn judge<T: Row>(&self, key: &[u8], damage: Damage) -> Result<Option<T>, StoreError> {
        tracing::warn!(key = %key.escape_ascii(), %damage, "a stored value is damaged and was set aside");
        if let Some(row) = self.set(key.into(), None)? {
            self.set(keys::damaged(key).into(), Some(row))?;
        }
        Ok(None)
    }
}

impl<'a> InTransaction<'a> {
    /// The transaction that sees and changes `view`.
    pub(super) fn new(view: &'a TransactionalTree) -> Self {
        Self { view, before: RefCell::default() }
    }

    /// Runs one work of several. What one that fails or panics wrote is taken back.
    ///
    /// # Errors
    /// When the whole transaction has to run again or to be given up.
    pub(super) fn attempt(&self, work: &mut Work<'_>) -> Result<Result<(), StoreError>, StoreError> {
        self.before.borrow_mut().clear();
        match engine::guarded(|| work(self)) {
            // What the engine did before it failed cannot be known.
            Err(error) if matches!(error, StoreError::Conflict) || engine::is_of_engine(&error) => Err(error),
            Err(error) => self.take_back().map(|()| Err(error)),
            Ok(()) => Ok(Ok(())),
        }
    }

    fn take_back(&self) -> Result<(), StoreError> {
        let before = self.before.take();
        before.into_iter().rev().try_for_each(|(key, row)| self.replace(&key, row).map(drop))
    }

    /// Writes a row or removes it; returns what was there.
    fn set(&self, key: IVec, row: Option<IVec>) -> Result<Option<IVec>, StoreError> {
        let old = self.replace(&key, row)?;
        self.before.borrow_mut().push((key, old.clone()));
        Ok(old)
    }

    fn replace(&self, key: &IVec, row: Option<IVec>) -> Result<Option<IVec>, StoreError> {
        let replaced = match row {
            Some(row) => self.view.insert(key, row),
            None => self.view.remove(key),
        };
        replaced.map_err(refused)
    }

    /// Writes the value at `key`; one that is there already is not written again.
    pub(super) fn put<T: Row>(&self, key: &[u8], value: &T) -> Result<(), StoreError> {
        let too_long = || unfit(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        let rows = frame::seal(key, &value.encode()?).ok_or_else(too_long)?;
        let old = self.get(key)?;
        // The head holds the checksum of the whole value.
        if old.as_deref() == rows.first().map(Vec::as_slice) {
            return Ok(());
        }
        let kept = rows.len().saturating_sub(1);
        for (n, row) in (0..=u16::MAX).zip(rows) {
            let key = if n == 0 { key.into() } else { keys::part(key, n).into() };
            self.set(key, Some(row.into()))?;
        }
        self.remove_parts(key, old.as_deref(), kept)
    }

    /// Removes the value at `key`.
    pub(super) fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        let old = self.set(key.into(), None)?;
        self.remove_parts(key, old.as_deref(), 0)
    }

    /// Removes the further rows of the value that began with `head`, after the first `kept` of them.
    fn remove_parts(&self, key: &[u8], head: Option<&[u8]>, kept: usize) -> Result<(), StoreError> {
        let parts = head.map_or(0, frame::parts);
        for n in (1..=parts).skip(kept) {
            self.set(keys::part(key, n).into(), None)?;
        }
        Ok(())
    }
}

/// A value that cannot be written.
pub(super) fn unfit(source: std::io::Error) -> StoreError {
    StoreError::Io { doing: "express a value", source }
}

/// What the engine said inside a transaction.
fn refused(error: UnabortableTransactionError) -> StoreError {
    match error {
        UnabortableTransactionError::Conflict => StoreError::Conflict,
        UnabortableTransactionError::Storage(error) => engine::failed("read in a transaction", error),
    }
}
