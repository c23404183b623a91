//! Opening for whoever must go on whatever is found: the daemon, and `once` in its place.
//!
//! A damaged store would stop the service for good, and everything published until somebody looks would be missed. So
//! what can be read of it becomes a new store, or an empty one does, and takes its place (`swap`); the damaged one is
//! moved aside within the folder, never removed. What the new one does not know is treated as after a restore from a
//! backup: alerts are marked as perhaps told before and leave as few messages (`ingest`). That it was damaged is told:
//! the event is written into the new store before that takes its place, so that a kill neither loses nor doubles it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::swap::Alone;
use super::{Cause, Restored, SledStore, Store as _, StoreError, Transaction, restore};

/// How long before the damaged store worked for the last time it is held to have known all: dates of items lie hours
/// before they are shown, and slow sources are read some hours apart.
const MARGIN: SignedDuration = SignedDuration::from_hours(6);

/// How a damaged store is to be dealt with.
pub struct Rescue<'a> {
    /// The time.
    pub now: Timestamp,
    /// Writes what is to be told of it into the store that takes its place.
    pub tell: &'a mut dyn FnMut(&dyn Transaction, &Restored) -> Result<(), StoreError>,
    /// Told, now and again, that it goes on: it may take minutes.
    pub progress: &'a mut dyn FnMut(),
}

/// Opens the store at `path`, creating it where there is none. Where it is damaged another takes its place; told how
/// then.
///
/// # Errors
/// As [`SledStore::create`]; [`StoreError::Damaged`] only when too many damaged ones lie there already.
pub fn open(path: &Path, rescue: Rescue<'_>) -> Result<(SledStore, Option<Restored>), StoreError> {
    let Rescue { now, tell, progress } = rescue;
    // Before anybody touches it.
    let worked = SledStore::worked_until(path);
    let found = SledStore::create(path).and_then(|store| look_into(path, store, progress));
    let detail = match found {
        Err(StoreError::Damaged { detail, .. }) => detail,
        found => return Ok((found?, None)),
    };
    tracing::error!(path = %path.display(), detail, "the store is damaged; another takes its place");
    progress();
    let alone = Alone::at(path)?;
    let (building, aside) = (alone.building(), SledStore::room_for_damaged(path, now)?);
    let left = SledStore::salvage(path, &building, &mut |_| progress())?;
    let kept = left.is_some();
    let store = match left {
        Some(store) => store,
        None => SledStore::create(&building)?,
    };
    let worked = worked.map_or(now, |worked| worked.min(now));
    let taken = worked.checked_sub(MARGIN).unwrap_or(Timestamp::UNIX_EPOCH);
    let restored = Restored { at: now, taken, cause: Cause::Damage { aside: aside.clone(), detail, kept } };
    restore::mark(&store, &restored)?;
    store.transact(&mut |tx| tell(tx, &restored))?;
    store.sync()?;
    drop(store);
    alone.exchange(&aside)?;
    tracing::warn!(aside = %path.join(aside).display(), kept, "the damaged store was set aside");
    Ok((SledStore::open(path)?, Some(restored)))
}

/// Looks at all of a store that looked damaged while it was in use.
fn look_into(path: &Path, store: SledStore, progress: &mut dyn FnMut()) -> Result<SledStore, StoreError> {
    if let Some(detail) = SledStore::suspicion(path) {
        tracing::warn!(path = %path.display(), detail, "the store looked damaged; looking at all of it");
        progress();
        store.verify()?;
        SledStore::trust(path)?;
    }
    Ok(store)
}
