//! Another store in the place of one, so that a kill or a power failure at any moment leaves the one or the other.
//!
//! All of it happens within the store's folder: under systemd the service may write nowhere else, so nobody but the next
//! start could take up what was left half done. The name of a folder in it says how far an exchange is:
//!
//! ```text
//! building       nothing is promised of it yet; whoever finds it removes it
//! ready-NAME     the new store is whole and on disk: the files of the old one go to the folder NAME
//! entering       all of the old one has gone: the files of the new one take their place
//! ```
//!
//! Each step can be made again, so whoever opens the store next takes up where it ended.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{SledStore, StoreError};
use crate::fault;

/// Where a new store is built.
const BUILDING: &str = "building";

/// How the name of a new store begins that is whole, before the name of the folder for the old one.
const READY: &str = "ready-";

/// A new store whose files take their place.
const ENTERING: &str = "entering";

/// The folder for an old store that nobody wants to keep; it goes as soon as the new one is in place.
pub(super) const SPARE: &str = "spare";

/// Nobody else opens the store in that folder or exchanges it as long as this is kept. Whoever has opened it before may
/// have it still.
pub(super) struct Alone {
    place: PathBuf,
    _lock: Option<File>,
}

impl Alone {
    /// Waits a little for its turn at the folder `place`, which must be there, and takes up what an exchange that was
    /// killed left there.
    ///
    /// # Errors
    /// [`StoreError::InUse`], or when the disk refuses.
    pub(super) fn at(place: &Path) -> Result<Self, StoreError> {
        let alone = Self { place: place.to_owned(), _lock: SledStore::turn(place)? };
        alone.finish()?;
        Ok(alone)
    }

    /// Where a new store is to be built.
    pub(super) fn building(&self) -> PathBuf {
        self.place.join(BUILDING)
    }

    /// Puts the store that was built, and synced, in the place of the one that is there, whose files go to the folder `aside`.
    /// Nobody may have that one open.
    ///
    /// # Errors
    /// When the disk refuses. The next [`Alone::at`] takes up what was begun.
    pub(super) fn exchange(self, aside: &str) -> Result<(), StoreError> {
        fault::point("built");
        let owner = fs::metadata(&self.place).map_err(refused)?;
        give(&self.building(), (owner.uid(), owner.gid())).map_err(refused)?;
        sync(&self.building()).map_err(refused)?;
        fs::rename(self.building(), self.place.join(format!("{READY}{aside}"))).map_err(refused)?;
        sync(&self.place).map_err(refused)?;
        fault::point("ready");
        self.finish()
    }

    fn finish(&self) -> Result<(), StoreError> {
        if let Some((ready, aside)) = self.ready()? {
            self.move_out(&ready, &self.place.join(aside)).map_err(refused)?;
            fault::point("swapped");
        }
        let entering = self.place.join(ENTERING);
        if entering.is_dir() {
            self.move_in(&entering).map_err(refused)?;
        }
        clear(&self.building()).and_then(|()| clear(&self.place.join(SPARE))).map_err(refused)
    }

    /// The store that waits to take its place, and where the old one goes.
    fn ready(&self) -> Result<Option<(PathBuf, String)>, StoreError> {
        for entry in fs::read_dir(&self.place).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            if let Some(aside) = entry.file_name().to_str().and_then(|name| name.strip_prefix(READY)) {
                return Ok(Some((entry.path(), aside.to_owned())));
            }
        }
        Ok(None)
    }

    fn move_out(&self, ready: &Path, aside: &Path) -> io::Result<()> {
        for entry in fs::read_dir(&self.place)? {
            let entry = entry?;
            if SledStore::is_part(&entry.file_name()) {
                folder(aside)?;
                fs::rename(entry.path(), aside.join(entry.file_name()))?;
                fault::point("aside");
            }
        }
        if aside.is_dir() {
            sync(aside)?;
        }
        sync(&self.place)?;
        fs::rename(ready, self.place.join(ENTERING))?;
        sync(&self.place)
    }

    fn move_in(&self, entering: &Path) -> io::Result<()> {
        for entry in fs::read_dir(entering)? {
            let entry = entry?;
            fs::rename(entry.path(), self.place.join(entry.file_name()))?;
            fault::point("entering");
        }
        sync(&self.place)?;
        fs::remove_dir(entering)?;
        sync(&self.place)
    }
}

/// Whether an exchange at `place` was killed, so that a store is there although its files are not in their place.
pub(super) fn is_begun(place: &Path) -> bool {
    let Ok(entries) = fs::read_dir(place) else { return false };
    let is_step = |name: &str| name == ENTERING || name.starts_with(READY);
    entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_step))
}

/// A name for a folder of `place` that is not taken: `KIND-20261123T170000Z`.
pub(super) fn free(place: &Path, kind: &str, now: Timestamp) -> String {
    let first = format!("{kind}-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let mut name = first.clone();
    for n in 2_u64.. {
        if place.join(&name).symlink_metadata().is_err() {
            break;
        }
        name = format!("{first}-{n}");
    }
    name
}

/// Makes a folder for this user alone, with the owner of the one that it lies in; none when it is there.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    }
    let owner = fs::metadata(path.parent().unwrap_or(Path::new(".")))?;
    give(path, (owner.uid(), owner.gid()))
}

/// Gives what is at `path` and below to its owner, where that is another one.
fn give(path: &Path, owner: (u32, u32)) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), owner)?;
        }
    }
    if metadata.uid() == owner.0 { Ok(()) } else { chown(path, Some(owner.0), Some(owner.1)) }
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn refused(source: io::Error) -> StoreError {
    StoreError::Io { doing: "exchange it for another", source }
}
