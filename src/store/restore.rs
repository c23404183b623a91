//! Putting a backup in the place of a store.
//!
//! The file is read to its end before anything is touched. The new store is built beside the old one and takes its place
//! by a change of names; the old one is moved aside, never removed. What the store does not know since the backup was
//! taken may come again: it is marked, here what the backup owes, later what each source shows first (`ingest`).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::backup::{self, Flaw, Head};
use super::{Backup, Restored, SledStore, Store, StoreError};
use crate::fault;
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
    let held = SledStore::hold(&place)?;
    if held.is_some() && !wish.replace {
        return Err(StoreError::Present(wish.place.display().to_string()));
    }
    let owner = owner(&place)?;
    let beside = named(&place, ".restoring");
    let built = clear(&beside).and_then(|()| build(&wish, &beside, backup.head.taken, progress));
    let swapped = built.and_then(|()| {
        owner.map_or(Ok(()), |owner| give(&beside, owner)).map_err(refused("give it to its owner"))?;
        fault::point("restored");
        swap(&place, &beside, wish.now)
    });
    match swapped {
        Ok(aside) => Ok((backup, aside)),
        Err(fault) => {
            drop(fs::remove_dir_all(&beside));
            Err(fault)
        }
    }
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
    mark(&store, Restored { at: wish.now, taken })?;
    store.sync()
}

/// Notes the restore, and marks what the backup owes: it may have been told since.
fn mark(store: &dyn Store, restored: Restored) -> Result<(), StoreError> {
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

/// To whom the new store must be given: the owner of the old one, or of the folder made for it.
fn owner(place: &Path) -> Result<Option<(u32, u32)>, StoreError> {
    let (Ok(folder), Ok(own)) = (fs::metadata(place), fs::metadata("/proc/self")) else { return Ok(None) };
    match (folder.uid(), own.uid()) {
        (owner, us) if owner == us => Ok(None),
        (owner, 0) => Ok(Some((owner, folder.gid()))),
        (owner, us) => Err(StoreError::Foreign { path: place.display().to_string(), owner, us }),
    }
}

fn give(path: &Path, (user, group): (u32, u32)) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), (user, group))?;
        }
    }
    chown(path, Some(user), Some(group))
}

/// Removes what a restore that was killed left behind: nobody else makes that name.
fn clear(beside: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(refused("remove what an earlier restore left")(error))
        }
        _ => Ok(()),
    }
}

/// Puts the new store in its place; where the old one is now.
fn swap(place: &Path, beside: &Path, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    let is_empty = |folder: &Path| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let aside = (place.exists() && !is_empty(place)).then(|| free(place, now));
    if let Some(aside) = &aside {
        fs::rename(place, aside).map_err(refused("move the old one aside"))?;
    }
    fault::point("swapped");
    let placed = fs::rename(beside, place).and_then(|()| File::open(folder)?.sync_all());
    if let (Err(_), Some(aside)) = (&placed, &aside) {
        // Where that fails too, both lie there under their other names.
        drop(fs::rename(aside, place));
    }
    placed.map_err(refused("put the new one in its place"))?;
    Ok(aside)
}

/// A name for the old store that is not taken.
fn free(place: &Path, now: Timestamp) -> PathBuf {
    let when = now.strftime("%Y%m%dT%H%M%SZ");
    let names = (1..).map(|n| {
        named(place, &if n == 1 { format!(".replaced-{when}") } else { format!(".replaced-{when}-{n}") })
    });
    names
        .into_iter()
        .find(|name| name.symlink_metadata().is_err())
        .unwrap_or_else(|| named(place, ".replaced"))
}

fn named(place: &Path, ending: &str) -> PathBuf {
    let mut name = place.file_name().map_or_else(|| OsString::from("store"), OsString::from);
    name.push(ending);
    place.with_file_name(name)
}
