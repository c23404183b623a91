//! Opening: who may, what may be found, and how a damaged database is tried once more.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::access::{InTransaction, Read};
use super::engine::{self, Open};
use super::keys;
use super::mark::{MARK, MARK_NEW, Mark};
use crate::store::StoreError;
use crate::store::error::panic_text;
use crate::store::swap::{self, Alone};

/// The format of the store as a whole; a greater number needs a newer program. 2 has deliveries that are held, bundles,
/// reports and the ways of notifiers, which a program of format 1 would set aside; what it wrote is read as it is.
pub(super) const FORMAT: u32 = 2;

/// sled's cache in bytes. Its memory is several times this; a poll touches a few rows only.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// How long a taken lock is waited for.
const LOCK_WAIT: Duration = Duration::from_millis(500);

/// Folders of what was damaged that are kept in the store; a loop of failing starts must not fill the disk.
const DAMAGED_MAX: usize = 10;

/// How their names begin, before the time.
const DAMAGED: &str = "damaged";

/// Opens the store at `path`, which must be there.
pub(super) fn existing(path: &Path) -> Result<Open, StoreError> {
    if !log_path(path).is_file() && !swap::is_begun(path) {
        return Err(StoreError::Absent(path.display().to_string()));
    }
    check_owner(path)?;
    let _alone = Alone::at(path)?;
    let open = match open_once(path) {
        Err(Refusal::Corrupt(detail)) if !snapshots(path)?.is_empty() => {
            tracing::error!(path = %path.display(), detail, "the store is damaged; trying without its snapshot");
            set_snapshots_aside(path)?;
            open_once(path)
        }
        other => other,
    };
    let open = open.map_err(|refusal| refusal.into_error(path))?;
    check_mark(path, &open)?;
    Ok(open)
}

/// Opens the store at `path`, creating it and its parents where it is not there.
pub(super) fn or_create(path: &Path) -> Result<Open, StoreError> {
    if log_path(path).is_file() || swap::is_begun(path) {
        return existing(path);
    }
    let create = |source| StoreError::Io { doing: "create its directory", source };
    if !path.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(create)?;
        // Not ours to open where systemd made the directory for us.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_at(parent.unwrap_or(Path::new("."))).map_err(create)?;
    }
    check_owner(path)?;
    let _alone = Alone::at(path)?;
    let open = open_once(path).map_err(|refusal| refusal.into_error(path))?;
    // A mark without a log: someone removed the data and nothing else.
    check_mark(path, &open)?;
    open.sync()?;
    // New names are durable only when their directories are.
    sync_directories(path).map_err(create)?;
    Ok(open)
}

/// Opens what is left of the damaged store at `path`, whatever it lacks. The caller is alone there.
pub(super) fn remains(path: &Path) -> Result<Open, StoreError> {
    open_once(path).map_err(|refusal| refusal.into_error(path))
}

/// What sled and [`Mark`] keep in the store's folder, beside snapshots.
const PARTS: [&str; 6] = ["db", "conf", "blobs", MARK, MARK_NEW, engine::SUSPECT];

/// The file that holds sled's log, and with it all data.
fn log_path(path: &Path) -> PathBuf {
    path.join("db")
}

/// Why sled did not open it.
enum Refusal {
    /// Another process has it.
    InUse,
    /// The data are damaged, as far as sled can tell.
    Corrupt(String),
    /// Anything else.
    Other(sled::Error),
}

impl Refusal {
    fn into_error(self, path: &Path) -> StoreError {
        let path = path.display().to_string();
        match self {
            Self::InUse => StoreError::InUse(path),
            Self::Corrupt(detail) => StoreError::Damaged { path, detail },
            Self::Other(error) => engine::failed("open", error),
        }
    }
}

impl From<sled::Error> for Refusal {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(cause) if is_lock_taken(&cause) => Self::InUse,
            sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => {
                Self::Corrupt(error.to_string())
            }
            sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) | sled::Error::Io(_) => {
                Self::Other(error)
            }
        }
    }
}

/// Whether sled says that the lock is taken: it has no error of its own for that, and hides the system's in a text.
fn is_lock_taken(error: &io::Error) -> bool {
    let text = error.to_string();
    text.starts_with("could not acquire lock") && text.contains("WouldBlock")
}

/// Opens with sled, waiting a little for whoever is just closing it.
fn open_once(path: &Path) -> Result<Open, Refusal> {
    patiently(|| open_now(path), |refusal| matches!(refusal, Refusal::InUse))
}

/// Opens with sled. Some damage makes it panic rather than report.
fn open_now(path: &Path) -> Result<Open, Refusal> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::HighThroughput)
        .use_compression(false);
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let db = config.open()?;
        let commits = Read::row::<u64>(&*db, &keys::commits());
        sled::Result::Ok((db, commits))
    }));
    let (db, commits) = opened.map_err(|panic| {
        Refusal::Corrupt(format!("the engine panicked: {}", panic_text(panic.as_ref())))
    })??;
    let commits = commits.map_err(|error| Refusal::Corrupt(error.to_string()))?.unwrap_or_default();
    let log = File::open(log_path(path)).map_err(sled::Error::Io)?;
    Ok(Open { db, log, mark: Mark::new(path, commits), sweeping: Mutex::default() })
}

/// Repeats `attempt` for [`LOCK_WAIT`] while it fails because the lock is taken.
///
/// A lock outlives its holder by a moment: threads of sled end late, and a process that was just forked holds
/// the locks of its parent until it starts its program.
fn patiently<T, E>(mut attempt: impl FnMut() -> Result<T, E>, taken: impl Fn(&E) -> bool) -> Result<T, E> {
    let began = Instant::now();
    loop {
        match attempt() {
            Err(error) if taken(&error) && began.elapsed() < LOCK_WAIT => thread::sleep(LOCK_WAIT / 25),
            outcome => return outcome,
        }
    }
}

/// Refuses a store that lacks commits known to have been on disk.
fn check_mark(path: &Path, open: &Open) -> Result<(), StoreError> {
    let (found, marked) = (open.mark.last(), Mark::read(path));
    if found >= marked {
        return Ok(());
    }
    let detail = format!("it ends at commit {found}, but {marked} were on disk");
    Err(StoreError::Damaged { path: path.display().to_string(), detail })
}

/// Moves the snapshots aside: they only shorten the start, and sled replays its log.
fn set_snapshots_aside(path: &Path) -> Result<(), StoreError> {
    let refused = |source| StoreError::Io { doing: "set its snapshot aside", source };
    // What sled still opens must not change under its hands.
    let _held = hold(path)?;
    let written = modified(&log_path(path)).unwrap_or(Timestamp::UNIX_EPOCH);
    let aside = path.join(room_for_damaged(path, written)?);
    swap::folder(&aside).map_err(refused)?;
    for snapshot in snapshots(path)? {
        fs::rename(path.join(&snapshot), aside.join(&snapshot)).map_err(refused)?;
    }
    tracing::warn!(aside = %aside.display(), "the damaged snapshot was set aside");
    sync_at(&aside).and_then(|()| sync_at(path)).map_err(refused)
}

/// The names of the snapshots, and of what was to be one.
fn snapshots(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let refused = |source| StoreError::Io { doing: "look for its snapshot", source };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        if is_snapshot(&name) {
            found.push(PathBuf::from(name));
        }
    }
    Ok(found)
}

fn is_snapshot(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"snap.")
}

/// Whether a store's folder has that file or folder for the store itself.
pub(super) fn is_part(name: &OsStr) -> bool {
    is_snapshot(name) || PARTS.iter().any(|part| name == *part)
}

/// The name of a folder for what is found damaged `at` that time in the store at `path`.
///
/// # Errors
/// [`StoreError::Damaged`] when there are too many already.
pub(super) fn room_for_damaged(path: &Path, at: Timestamp) -> Result<String, StoreError> {
    let taken = damaged(path).len();
    if taken < DAMAGED_MAX {
        return Ok(swap::free(path, DAMAGED, at));
    }
    let detail = format!(
        "{taken} folders `{DAMAGED}-…` of earlier damage lie in it; remove what nobody needs to try again"
    );
    Err(StoreError::Damaged { path: path.display().to_string(), detail })
}

/// The folders of what was damaged, by name.
pub(super) fn damaged(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let is_damaged = |name: &String| name.strip_prefix(DAMAGED).is_some_and(|rest| rest.starts_with('-'));
    let mut found: Vec<_> = names.filter(is_damaged).collect();
    found.sort();
    found
}

/// Until when the store at `path` worked for certain: the time of its mark, since whoever opens a damaged one writes to its
/// log; that of the log where there is no mark.
pub(super) fn worked_until(path: &Path) -> Option<Timestamp> {
    let (marked, logged) = (modified(&path.join(MARK)), modified(&log_path(path)));
    marked.into_iter().chain(logged).min()
}

fn modified(file: &Path) -> Option<Timestamp> {
    fs::metadata(file).and_then(|file| file.modified()).ok().and_then(|at| Timestamp::try_from(at).ok())
}

/// Waits a little for the turn to open the store at `path` or to exchange it; `None` on a file system without such locks,
/// where the lock of sled has to do.
pub(super) fn turn(path: &Path) -> Result<Option<File>, StoreError> {
    let folder =
        File::open(path).map_err(|source| StoreError::Io { doing: "look at its directory", source })?;
    match patiently(|| folder.try_lock(), |refusal| matches!(refusal, TryLockError::WouldBlock)) {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Takes the lock of the store at `path`; `None` where there is no store.
pub(super) fn hold(path: &Path) -> Result<Option<File>, StoreError> {
    let refused = |source| StoreError::Io { doing: "take its lock", source };
    if !log_path(path).is_file() {
        return Ok(None);
    }
    let log = File::open(log_path(path)).map_err(refused)?;
    patiently(|| log.try_lock(), |refusal| matches!(refusal, TryLockError::WouldBlock)).map_err(
        |refusal| match refusal {
            TryLockError::WouldBlock => StoreError::InUse(path.display().to_string()),
            TryLockError::Error(source) => refused(source),
        },
    )?;
    Ok(Some(log))
}

/// Syncs the store's directories and sled's settings.
fn sync_directories(path: &Path) -> io::Result<()> {
    [path.join("conf"), path.join("blobs"), path.to_owned()].into_iter().try_for_each(|name| sync_at(&name))
}

/// Syncs the file or directory at `path`.
fn sync_at(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Refuses what belongs to another user: files written now would be closed to the daemon later.
fn check_owner(path: &Path) -> Result<(), StoreError> {
    let refused = |source| StoreError::Io { doing: "look at its directory", source };
    let owner = fs::metadata(path).map_err(refused)?.uid();
    // Where /proc is not mounted nobody can tell; the permissions then have the last word.
    let Ok(us) = fs::metadata("/proc/self").map(|process| process.uid()) else { return Ok(()) };
    if owner == us {
        return Ok(());
    }
    Err(StoreError::Foreign { path: path.display().to_string(), owner, us })
}

/// Refuses what a newer version wrote; marks what is new.
pub(super) fn check_format(path: &Path, open: &Open) -> Result<(), StoreError> {
    let found = Read::row::<u32>(&*open.db, &keys::format())?;
    match found {
        Some(found) if found > FORMAT => {
            Err(StoreError::Newer { path: path.display().to_string(), found, known: FORMAT })
        }
        Some(FORMAT) => Ok(()),
        Some(_) | None => {
            engine::transact(&open.db, |rows: &InTransaction<'_>| rows.put(&keys::format(), &FORMAT))
        }
    }
}
