//! All rows at once: out into a backup, from a backup into a new store, and a look at each of them.

use std::io::{self, Write};
use std::path::Path;
use std::sync::PoisonError;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sled::{Batch, Tree};

use super::access::{Read, Row};
use super::engine::{self, Engine, Open};
use super::keys::Kind;
use super::rows::{from_json, to_json};
use super::{frame, open, unreadable};
use crate::store::backup::{Backup, Head, Sheet};
use crate::store::{Restored, StoreError, Verified};

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
    open.sync()?;
    Ok(open)
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
}

impl Row for Restored {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(&RestoredRow { at: self.at, taken: self.taken })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let RestoredRow { at, taken } = from_json(bytes)?;
        Some(Self { at, taken })
    }
}
