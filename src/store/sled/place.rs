//! What is done to a store as a whole: making one of another's rows, and what its folder tells without opening it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;

use jiff::Timestamp;

use super::{SledStore, copy, engine, open};
use crate::store::StoreError;

impl SledStore {
    /// The format of its rows; a greater number needs a newer program.
    pub(in crate::store) const FORMAT: u32 = open::FORMAT;

    /// Makes a store at `path` of the rows of another, which `rows` hands over.
    pub(in crate::store) fn fill(
        path: &Path,
        rows: impl FnOnce(&mut copy::Put<'_>) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        Self::with(path, copy::fill(path, rows)?)
    }

    /// Makes a store at `path` of all rows of this one, and compares them; how many they are. `progress` is told how many
    /// are written.
    pub(in crate::store) fn duplicate(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError> {
        self.engine.with(|open| copy::duplicate(open, path, progress).map(|(_, rows)| rows))
    }

    /// The same of what can be read still of the damaged store at `damaged`; `None` when that is nothing. The caller is
    /// alone there.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub(in crate::store) fn salvage(
        damaged: &Path,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<Self>, StoreError> {
        copy::salvage(damaged, path, progress)?.map(|open| Self::with(path, open)).transpose()
    }

    /// Keeps everybody from opening the store at `path`, as long as what it returns is kept; `None` where there is no
    /// store.
    pub(in crate::store) fn hold(path: &Path) -> Result<Option<File>, StoreError> {
        open::hold(path)
    }

    /// Waits a little for the turn to open the store at `path`, and keeps it as long as what it returns is kept; `None`
    /// where there are no such locks.
    pub(in crate::store) fn turn(path: &Path) -> Result<Option<File>, StoreError> {
        open::turn(path)
    }

    /// What looked like damage while the store at `path` was in use.
    pub(in crate::store) fn suspicion(path: &Path) -> Option<String> {
        fs::read_to_string(path.join(engine::SUSPECT)).ok()
    }

    /// Forgets a suspicion that was looked into.
    pub(in crate::store) fn trust(path: &Path) -> Result<(), StoreError> {
        let refused = |source| StoreError::Io { doing: "forget a suspicion", source };
        fs::remove_file(path.join(engine::SUSPECT)).map_err(refused)
    }

    /// Until when the store at `path` worked for certain.
    pub(in crate::store) fn worked_until(path: &Path) -> Option<Timestamp> {
        open::worked_until(path)
    }

    /// The name of a folder for the damaged store at `path`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when there are too many already.
    pub(in crate::store) fn room_for_damaged(path: &Path, at: Timestamp) -> Result<String, StoreError> {
        open::room_for_damaged(path, at)
    }

    /// Whether a store's folder has that file or folder for the store itself.
    pub(in crate::store) fn is_part(name: &OsStr) -> bool {
        open::is_part(name)
    }
}
