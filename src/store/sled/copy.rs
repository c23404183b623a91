//! All rows at once: out into a backup, from a backup into a new store, and a look at each of them.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::PoisonError;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sled::{Batch, Tree};

use super::access::{Read, Row};
use super::engine::{self, Engine, Open};
use super::keys::{self, Kind};
use super::rows::{from_json, to_json};
use super::{frame, open, unreadable};
use crate::store::backup::{Backup, Head, Sheet};
use crate::store::{Cause, Restored, StoreError, Verified};

/// Rows between two reports of progress.
const PROGRESS_ROWS: u64 = 10_000;

/// Rows written at once into a new store.
const BATCH_ROWS_MAX: usize = 1_000;

/// Takes the rows of a new store.
pub(in crate::store) type Put<'a> = dyn FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreError> + 'a;

/// Writes every row to `out`. Nobody may commit meanwhile; the removal of old records waits.
pub(super) fn back_up(engine: &Engine, taken: Timestamp, out: &mut dyn Write) -> Result<Backup, StoreError> {
    let head = Head { format: open::FORMAT, taken, version: env!("CARGO_PKG_VERSION").into() };
    // What `out` refuses is no failure of the store, for which it would be opened again.
    engine.with(|open| copy(open, head, out))?.map_err(StoreError::Unwritten)
}

fn copy(open: &Open, head: Head, out: &mut dyn Write) -> Result<io::Result<Backup>, StoreError> {
    let _still = open.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
    let mut sheet = match Sheet::begin(out, head) {
        Ok(sheet) => sheet,
        Err(refusal) => return Ok(Err(refusal)),
    };
    for row in &*open.db {
        let (key, value) = row.map_err(unreadable)?;
        if let Err(refusal) = sheet.row(&key, &value) {
            return Ok(Err(refusal));
        }
    }
    Ok(sheet.end())
}

/// A new store at `path` with the rows that `rows` hands over; durable.
pub(super) fn fill(
    path: &Path,
    rows: impl FnOnce(&mut Put<'_>) -> Result<(), StoreError>,
) -> Result<Open, StoreError> {
    let open = open::or_create(path)?;
    let (mut batch, mut size) = (Batch::default(), 0);
    let flush = |batch| open.db.apply_batch(batch).map_err(|error| engine::failed("write", error));
    rows(&mut |key, value| {
        batch.insert(key, value);
        size += 1;
        if size < BATCH_ROWS_MAX {
            return Ok(());
        }
        size = 0;
        flush(std::mem::take(&mut batch))
    })?;
    flush(batch)?;
    open.mark.committed(Read::row::<u64>(&*open.db, &keys::commits())?.unwrap_or_default());
    open.sync()?;
    Ok(open)
}

/// A new store at `path` with all rows of another, read again and compared; durable. How many rows they are.
pub(super) fn duplicate(
    from: &Open,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<(Open, u64), StoreError> {
    let mut read = Sum::default();
    let copy = fill(path, |put| {
        read = sum(from, |key, value, rows| {
            if rows.is_multiple_of(PROGRESS_ROWS) {
                progress(rows);
            }
            put(key.to_vec(), value.to_vec())
        })?;
        Ok(())
    })?;
    let written = sum(&copy, |_, _, _| Ok(()))?;
    if (written.rows, written.digest.clone().finalize()) != (read.rows, read.digest.clone().finalize()) {
        let source = io::Error::other(format!("{} rows were read, {} written", read.rows, written.rows));
        return Err(StoreError::Io { doing: "copy itself without a flaw", source });
    }
    Ok((copy, read.rows))
}

/// Rows in the order of their keys.
#[derive(Default)]
struct Sum {
    rows: u64,
    digest: Sha256,
}

/// Hands over every row with the number of those before it, and sums them up.
fn sum(
    open: &Open,
    mut row: impl FnMut(&[u8], &[u8], u64) -> Result<(), StoreError>,
) -> Result<Sum, StoreError> {
    let mut sum = Sum::default();
    for pair in &*open.db {
        let (key, value) = pair.map_err(unreadable)?;
        row(&key, &value, sum.rows)?;
        sum.rows += 1;
        for piece in [&key, &value] {
            sum.digest.update(piece.len().to_be_bytes());
            sum.digest.update(piece);
        }
    }
    Ok(sum)
}

/// A new store at `path` with all that can be read of the one at `damaged`; `None` when it cannot be read, or nothing was
/// ever committed as far as it tells.
pub(super) fn salvage(
    damaged: &Path,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Open>, StoreError> {
    let left = match open::remains(damaged) {
        // Threads of sled that outlived its panic may hold the lock still.
        Err(StoreError::Damaged { .. } | StoreError::InUse(_)) => return Ok(None),
        left => left?,
    };
    if left.mark.last() == 0 {
        return Ok(None);
    }
    // Read to its end first: what fails then is the copy.
    let is_readable = catch_unwind(AssertUnwindSafe(|| sum(&left, |_, _, _| Ok(())).is_ok()));
    if !is_readable.unwrap_or(false) {
        return Ok(None);
    }
    let copied = catch_unwind(AssertUnwindSafe(|| duplicate(&left, path, progress)));
    copied.unwrap_or_else(|_| Err(panicked())).map(|(copy, _)| Some(copy))
}

fn panicked() -> StoreError {
    StoreError::Io { doing: "save what can be read of it", source: io::Error::other("the engine panicked") }
}

/// Looks at the checksum of every value. Changes nothing: what is damaged is set aside when it is used.
pub(super) fn verify(tree: &Tree) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    for row in tree {
        let (key, head) = row.map_err(unreadable)?;
        match key.first() {
            Some(kind) if *kind == Kind::Part as u8 => {}
            Some(kind) if *kind == Kind::Damaged as u8 => found.set_aside += 1,
            Some(_) | None => {
                found.values += 1;
                found.damaged += u64::from(!fits(tree, &key, &head)? && is_damaged(tree, &key)?);
            }
        }
    }
    Ok(found)
}

fn fits(rows: &impl Read, key: &[u8], head: &[u8]) -> Result<bool, StoreError> {
    Ok(frame::open(key, head, |part| rows.get(part))?.is_ok())
}

/// The same in a transaction: between two rows of one value a commit may have changed it.
fn is_damaged(tree: &Tree, key: &[u8]) -> Result<bool, StoreError> {
    engine::transact(tree, |rows| match rows.get(key)? {
        Some(head) => Ok(!fits(rows, key, &head)?),
        None => Ok(false),
    })
}

#[derive(Serialize, Deserialize)]
struct RestoredRow {
    at: Timestamp,
    taken: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    damage: Option<DamageRow>,
}

#[derive(Serialize, Deserialize)]
struct DamageRow {
    aside: String,
    detail: String,
    kept: bool,
}

impl Row for Restored {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let damage = match self.cause.clone() {
            Cause::Backup => None,
            Cause::Damage { aside, detail, kept } => Some(DamageRow { aside, detail, kept }),
        };
        to_json(&RestoredRow { at: self.at, taken: self.taken, damage })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let RestoredRow { at, taken, damage } = from_json(bytes)?;
        let cause = match damage {
            None => Cause::Backup,
            Some(DamageRow { aside, detail, kept }) => Cause::Damage { aside, detail, kept },
        };
        Some(Self { at, taken, cause })
    }
}
