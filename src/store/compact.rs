//! The store without the room of what was removed: sled gives none of it back.
//!
//! All rows are copied into a new store, which is read again and compared before it takes the place of the old one
//! (`swap`). Nothing is forgotten thereby, so nothing is marked; the old one goes once the new one is in its place.

use std::fs;
use std::path::Path;

use super::swap::{self, Alone};
use super::{SledStore, Store as _, StoreError};

/// What a compaction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Rows of the store.
    pub rows: u64,
    /// Bytes on disk before.
    pub before: u64,
    /// Bytes on disk now.
    pub after: u64,
}

/// Compacts the store at `place`, which nobody may use meanwhile. `progress` is told how many rows are copied.
///
/// # Errors
/// [`StoreError::Absent`], [`StoreError::InUse`], [`StoreError::Foreign`], [`StoreError::Damaged`], or when the disk
/// refuses. The store is as it was then.
pub fn compact(place: &Path, progress: &mut dyn FnMut(u64)) -> Result<Compacted, StoreError> {
    // A link, as systemd makes them, stays; what it leads to is replaced.
    let place = &fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
    let store = SledStore::open(place)?;
    let alone = Alone::at(place)?;
    let before = store.stats()?.disk_bytes;
    let rows = store.duplicate(&alone.building(), progress)?;
    drop(store);
    let _held = SledStore::hold(place)?;
    alone.exchange(swap::SPARE)?;
    let after = SledStore::open(place)?.stats()?.disk_bytes;
    Ok(Compacted { rows, before, after })
}
