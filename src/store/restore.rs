//! Putting a backup in the place of a store.
//!
//! The file is read to its end before anything is touched. The new store is built within the folder of the old one and
//! takes its place (`swap`); the old one is moved aside, never removed. What the store does not know since the backup was
//! taken may come again: it is marked, here what the backup owes, later what each source shows first (`ingest`).

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::backup::{self, Flaw, Head};
use super::swap::{self, Alone};
use super::{Backup, Cause, Restored, SledStore, Store, StoreError};
use crate::outbox::{Delivery, Subject};
use crate::story::{Alert, AlertId};

/// Alerts marked in one transaction.
const BATCH_MAX: usize = 500;

/// Rows between two reports of progress.
const PROGRESS_ROWS: u64 = 10_000;

/// What is to be restored.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The backup.
    pub file: &'a Path,
    /// Where the store is to be.
    pub place: &'a Path,
    /// Whether a store that is there is moved aside.
    pub replace: bool,
    /// The time.
    pub now: Timestamp,
}

/// Reads a backup to its end; changes nothing.
///
/// # Errors
/// [`StoreError::Unfit`] when it cannot be restored.
pub fn check(file: &Path) -> Result<Backup, StoreError> {
    read(file, |_, _| Ok(()))
}

/// Restores a backup; tells where the old store is now, if there was one. `progress` is told how many rows of the backup
/// are written.
///
/// # Errors
/// [`StoreError::Unfit`], [`StoreError::Present`], [`StoreError::InUse`], [`StoreError::Foreign`], or when the disk
/// refuses. The old store is untouched then, or where the error says.
pub fn restore(
    wish: Wish<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(Backup, Option<PathBuf>), StoreError> {
    let backup = check(wish.file)?;
    // A link, as systemd makes them, stays; what it leads to is replaced.
    let place = fs::canonicalize(wish.place).unwrap_or_else(|_| wish.place.to_owned());
    check_owner(&place)?;
    let is_new = !place.exists();
    if is_new {
        place.parent().map_or(Ok(()), fs::create_dir_all).map_err(refused("create its directory"))?;
        swap::folder(&place).map_err(refused("create its directory"))?;
    }
    match replace(&wish, &place, backup.head.taken, progress) {
        Ok(aside) => Ok((backup, aside)),
        Err(fault) => {
            if is_new {
                drop(fs::remove_dir_all(&place));
            }
            Err(fault)
        }
    }
}

/// Builds the store and puts it in its place; where the old one is now.
fn replace(
    wish: &Wish<'_>,
    place: &Path,
    taken: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<PathBuf>, StoreError> {
    let alone = Alone::at(place)?;
    let held = SledStore::hold(place)?;
    if held.is_some() && !wish.replace {
        return Err(StoreError::Present(wish.place.display().to_string()));
    }
    let building = alone.building();
    if let Err(fault) = build(wish, &building, taken, progress) {
        drop(fs::remove_dir_all(&building));
        return Err(fault);
    }
    let aside = swap::free(place, "replaced", wish.now);
    alone.exchange(&aside)?;
    Ok(Some(place.join(aside)).filter(|aside| aside.is_dir()))
}

/// Makes a store of a backup.
fn build(
    wish: &Wish<'_>,
    place: &Path,
    taken: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    let mut rows = 0;
    let store = SledStore::fill(place, |put| {
        let row = |key, value| {
            rows += 1;
            if rows % PROGRESS_ROWS == 0 {
                progress(rows);
            }
            put(key, value)
        };
        read(wish.file, row).map(drop)
    })?;
    mark(&store, &Restored { at: wish.now, taken, cause: Cause::Backup })?;
    store.sync()
}

/// Notes the restore, and marks what the store owes: it may have been told since.
pub(super) fn mark(store: &dyn Store, restored: &Restored) -> Result<(), StoreError> {
    let mut owed = Vec::new();
    for Delivery { subject, .. } in store.open_deliveries()? {
        match subject {
            Subject::Alert(alert) => owed.push(alert),
            Subject::Bundle(id) => {
                owed.extend(store.bundle(id)?.into_iter().flat_map(|bundle| bundle.alerts));
            }
            Subject::Event(_) | Subject::Report(_) => {}
        }
    }
    owed.sort_unstable();
    owed.dedup();
    for batch in owed.chunks(BATCH_MAX) {
        let alert = |id: &AlertId| store.alert(*id).transpose();
        let alerts: Vec<Alert> = batch.iter().filter_map(alert).collect::<Result<_, _>>()?;
        let repeat = Some(restored.taken);
        store.transact(&mut |tx| {
            alerts.iter().try_for_each(|alert| tx.put_alert(&Alert { repeat, ..alert.clone() }))
        })?;
    }
    let pending = store.pending_articles()?;
    store.transact(&mut |tx| {
        for article in &pending {
            tx.put_pending_article(&crate::article::Pending { repeat: true, ..article.clone() })?;
        }
        tx.put_restored(restored)
    })
}

/// Why a backup was not read to its end.
enum Halt {
    Flaw(Flaw),
    Store(StoreError),
}

impl From<Flaw> for Halt {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

fn read(
    file: &Path,
    mut row: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreError>,
) -> Result<Backup, StoreError> {
    let unfit = |detail: String| StoreError::Unfit { path: file.display().to_string(), detail };
    let opened = File::open(file).map_err(|error| unfit(error.to_string()))?;
    let known = SledStore::FORMAT;
    let head = |head: &Head| {
        let Head { format, version, .. } = head;
        let detail = format!(
            "it has format {format}, and this version of harmattan reads up to {known}: install {version}, which took it"
        );
        if *format > known { Err(Halt::Store(unfit(detail))) } else { Ok(()) }
    };
    let row = |key, value| row(key, value).map_err(Halt::Store);
    backup::read(&mut BufReader::new(opened), head, row).map_err(|halt| match halt {
        Halt::Flaw(flaw) => unfit(flaw.to_string()),
        Halt::Store(fault) => fault,
    })
}

fn refused(doing: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Io { doing, source }
}

/// Refuses the folder of another user, except to root, who gives the new store to the owner of the folder.
fn check_owner(place: &Path) -> Result<(), StoreError> {
    let (Ok(folder), Ok(own)) = (fs::metadata(place), fs::metadata("/proc/self")) else { return Ok(()) };
    match (folder.uid(), own.uid()) {
        (owner, us) if owner == us || us == 0 => Ok(()),
        (owner, us) => Err(StoreError::Foreign { path: place.display().to_string(), owner, us }),
    }
}
