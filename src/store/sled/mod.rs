//! The store on sled 0.34.7: one tree, one row per fact, keys by [`keys`], values by [`frame`] and [`rows`].
//!
//! What sled leaves to its user is done here: [`engine`] reaches the disk and opens again after a failure,
//! [`open`] survives damage, [`mark`] notices what is missing, [`seen`] keeps the common row count low, [`expire`] forgets.

mod access;
mod alert_row;
mod engine;
mod expire;
mod frame;
mod keys;
mod mark;
mod open;
mod rows;
mod seen;
mod transaction;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sled::Tree;

use self::access::{Read, Row};
use self::engine::Engine;
use self::keys::Kind;
use super::{Day, Expired, Seen, SourceState, Stats, Store, StoreError, StoredItem, Work};
use crate::item::{ItemId, SeenKey, SourceName};
use crate::outbox::{Delivery, DeliveryId};
use crate::story::{Alert, AlertId};

/// A store in a directory of this machine; one process at a time.
pub struct SledStore {
    engine: Engine,
}

impl SledStore {
    /// Opens the store at `path`, creating it and missing parents where there is none. Blocks; after a crash
    /// it may take seconds.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Damaged`] when it cannot
    /// be read even without its snapshot, or [`StoreError::Io`].
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        Self::with(path, open::or_create(path)?)
    }

    /// Opens the store at `path`. Blocks likewise.
    ///
    /// # Errors
    /// [`StoreError::Absent`], and those of [`SledStore::create`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::with(path, open::existing(path)?)
    }

    fn with(path: &Path, open: engine::Open) -> Result<Self, StoreError> {
        let engine = Engine::new(path, open);
        engine.with(|open| open::check_format(path, open))?;
        Ok(Self { engine })
    }

    /// Reads from the one tree.
    fn read<T>(&self, read: impl FnOnce(&Tree) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.engine.with(|open| read(&open.db))
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").finish_non_exhaustive()
    }
}

impl Store for SledStore {
    fn transact(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        self.engine.commit(|transaction| work(transaction))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.engine.sync()
    }

    fn source(&self, name: &SourceName) -> Result<Option<SourceState>, StoreError> {
        self.read(|tree| tree.row(&keys::source(name)))
    }

    fn sources(&self) -> Result<Vec<SourceState>, StoreError> {
        self.read(|tree| collect(tree, tree.scan_prefix(Kind::Source.prefix()), usize::MAX))
    }

    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError> {
        self.read(|tree| seen::look_up(tree, source, keys))
    }

    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError> {
        self.read(|tree| tree.row(&keys::item(id, first)))
    }

    fn find_item(&self, id: ItemId) -> Result<Option<StoredItem>, StoreError> {
        self.read(|tree| {
            let mut end = Kind::Item.end().to_vec();
            loop {
                let newest = tree.range(Kind::Item.prefix().to_vec()..end).next_back();
                let Some(newest) = newest.transpose().map_err(unreadable)? else { return Ok(None) };
                let Some(day) = keys::item_day(&newest.0) else { return Ok(None) };
                if let Some(item) = tree.row(&keys::item(id, day))? {
                    return Ok(Some(item));
                }
                end = keys::items_of(day);
            }
        })
    }

    fn items(&self, limit: usize) -> Result<Vec<StoredItem>, StoreError> {
        self.read(|tree| collect(tree, tree.scan_prefix(Kind::Item.prefix()).rev(), limit))
    }

    fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        self.read(|tree| tree.row(&keys::alert(id)))
    }

    fn alerts(&self, since: Option<Timestamp>, limit: usize) -> Result<Vec<Alert>, StoreError> {
        let from = since.map_or_else(|| Kind::Alert.prefix().to_vec(), keys::alerts_from);
        self.read(|tree| collect(tree, tree.range(from..Kind::Alert.end().to_vec()).rev(), limit))
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        // Both places in one transaction: between two reads it could move from one to the other.
        self.read(|tree| engine::transact(tree, |rows| transaction::delivery(rows, id)))
    }

    fn open_deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        self.read(|tree| collect(tree, tree.scan_prefix(Kind::Open.prefix()), usize::MAX))
    }

    fn closed_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.read(|tree| {
            let mut found = Vec::new();
            for place in tree.scan_prefix(Kind::History.prefix()).keys().rev() {
                if found.len() >= limit {
                    break;
                }
                let Some(id) = keys::history_id(&place.map_err(unreadable)?) else { continue };
                found.extend(tree.row::<Delivery>(&keys::closed(id))?);
            }
            Ok(found)
        })
    }

    fn expire(&self, now: Timestamp, keep: Duration) -> Result<Expired, StoreError> {
        expire::expire(&self.engine, now, keep)
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        self.engine.with(|open| {
            let count = |kind: Kind| {
                let mut keys = open.db.scan_prefix(kind.prefix()).keys();
                keys.try_fold(0, |sum, key| key.map(|_| sum + 1)).map_err(unreadable)
            };
            Ok(Stats {
                disk_bytes: open.db.size_on_disk().map_err(unreadable)?,
                deliveries_open: count(Kind::Open)?,
                damaged: count(Kind::Damaged)?,
            })
        })
    }
}

/// The values that a scan yields, at most `limit`; damaged ones are set aside and left out.
fn collect<T: Row>(
    tree: &Tree,
    scan: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    limit: usize,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for row in scan {
        if found.len() >= limit {
            break;
        }
        let (key, head) = row.map_err(unreadable)?;
        found.extend(tree.row_from(&key, &head)?);
    }
    Ok(found)
}

/// What sled said to a read.
fn unreadable(error: sled::Error) -> StoreError {
    engine::failed("read", error)
}
