//! The articles that are to be fetched, and how many they are: transactions have no scans, so each that adds or removes
//! one counts it.

use std::collections::BTreeMap;

use sled::Tree;

use super::access::{InTransaction, Read};
use super::engine;
use super::keys::{self, Kind};
use super::unreadable;
use crate::article::{Pending, Waiting};
use crate::item::{ItemId, SourceName};
use crate::store::StoreError;

/// Writes an article that is to be fetched.
pub(super) fn put(rows: &InTransaction<'_>, pending: &Pending) -> Result<(), StoreError> {
    let key = keys::pending(pending.item);
    if rows.get(&key)?.is_none() {
        for count in counts(&pending.source) {
            rows.put(&count, &counted(rows, &count)?.saturating_add(1))?;
        }
    }
    rows.put(&key, pending)
}

/// Removes an article from those that are to be fetched.
pub(super) fn remove(rows: &InTransaction<'_>, id: ItemId) -> Result<(), StoreError> {
    let key = keys::pending(id);
    if let Some(pending) = rows.row::<Pending>(&key)? {
        for count in counts(&pending.source) {
            set(rows, &count, counted(rows, &count)?.saturating_sub(1))?;
        }
    }
    rows.remove(&key)
}

/// How many are to be fetched.
pub(super) fn count(rows: &impl Read, source: &SourceName) -> Result<Waiting, StoreError> {
    let (of_source, in_all) =
        (counted(rows, &keys::waiting(source))?, counted(rows, &keys::waiting_in_all())?);
    Ok(Waiting { of_source, in_all })
}

/// Counts them anew, before anybody else writes: earlier versions did not, and a damaged row leaves without being counted.
pub(super) fn count_anew(tree: &Tree) -> Result<(), StoreError> {
    let mut found: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for key in tree.scan_prefix(Kind::Waiting.prefix()).keys() {
        found.insert(key.map_err(unreadable)?.to_vec(), 0);
    }
    for row in tree.scan_prefix(Kind::Pending.prefix()) {
        let (key, head) = row.map_err(unreadable)?;
        let Some(pending) = tree.row_from::<Pending>(&key, &head)? else { continue };
        for count in counts(&pending.source) {
            *found.entry(count).or_default() += 1;
        }
    }
    let differs = |(key, count): (&Vec<u8>, &u32)| Ok::<_, StoreError>(counted(tree, key)? != *count);
    if !found.iter().map(differs).collect::<Result<Vec<_>, _>>()?.contains(&true) {
        return Ok(());
    }
    engine::transact(tree, |rows| found.iter().try_for_each(|(key, count)| set(rows, key, *count)))
}

/// The rows in which an article of a source counts.
fn counts(source: &SourceName) -> [Vec<u8>; 2] {
    [keys::waiting(source), keys::waiting_in_all()]
}

fn counted(rows: &impl Read, key: &[u8]) -> Result<u32, StoreError> {
    Ok(rows.row(key)?.unwrap_or_default())
}

/// A count of none has no row.
fn set(rows: &InTransaction<'_>, key: &[u8], count: u32) -> Result<(), StoreError> {
    if count == 0 { rows.remove(key) } else { rows.put(key, &count) }
}
