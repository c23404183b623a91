//! The file that a backup is written to: under another name until it is whole and on disk, and never in the place of
//! one that is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Backup, StoreError, check};

/// A backup that is being written; what is not finished is removed.
#[derive(Debug)]
pub struct Keep {
    path: PathBuf,
    part: PathBuf,
    file: File,
}

impl Keep {
    /// Begins a file that is to be found at `path`, for this user alone.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or [`StoreError::Unwritten`].
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        if path.symlink_metadata().is_ok() {
            return Err(StoreError::Exists(path.display().to_string()));
        }
        let Some(name) = path.file_name() else {
            return Err(StoreError::Unwritten(ErrorKind::InvalidFilename.into()));
        };
        let mut part = name.to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(part);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = file.map_err(StoreError::Unwritten)?;
        Ok(Self { path: path.to_owned(), part, file })
    }

    /// The file, to be written from its beginning.
    ///
    /// # Errors
    /// [`StoreError::Unwritten`].
    pub fn file(&self) -> Result<File, StoreError> {
        self.file.try_clone().map_err(StoreError::Unwritten)
    }

    /// Syncs the file, reads it as a restore would, and gives it its name.
    ///
    /// # Errors
    /// [`StoreError::Unwritten`], [`StoreError::Unfit`] when it is not what was to be written, [`StoreError::Exists`]
    /// when another has taken its name.
    pub fn finish(self) -> Result<Backup, StoreError> {
        self.file.sync_all().map_err(StoreError::Unwritten)?;
        let backup = check(&self.part)?;
        match self.name() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(StoreError::Exists(self.path.display().to_string()))
            }
            named => named.map(|()| backup).map_err(StoreError::Unwritten),
        }
    }

    /// A link, unlike a new name, replaces nothing; some file systems have none.
    fn name(&self) -> io::Result<()> {
        match fs::hard_link(&self.part, &self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            Err(_) if self.path.symlink_metadata().is_ok() => return Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(&self.part, &self.path)?,
            Ok(()) => {}
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        // Renamed, it is gone already.
        drop(fs::remove_file(&self.part));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::{SledStore, Store as _};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "store")
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_backup_has_its_name_once_it_is_whole_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::create(&folder.path().join("store")).unwrap();
        let path = folder.path().join("b");
        let (cut, taken) = (Keep::begin(&path).unwrap(), jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(names(folder.path()).len(), 1, "under another name");
        assert!(matches!(cut.finish(), Err(StoreError::Unfit { .. })), "nothing was written");
        assert_eq!(names(folder.path()), Vec::<String>::new());

        let keep = Keep::begin(&path).unwrap();
        let written = store.back_up(taken, &mut keep.file().unwrap()).unwrap();
        assert_eq!(keep.finish().unwrap(), written);
        assert_eq!(names(folder.path()), ["b"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Keep::begin(&path);
        assert!(matches!(again, Err(StoreError::Exists(_))), "{again:?}");

        // One that came meanwhile.
        let late = folder.path().join("late");
        let keep = Keep::begin(&late).unwrap();
        store.back_up(taken, &mut keep.file().unwrap()).unwrap();
        fs::write(&late, "theirs").unwrap();
        let refused = keep.finish();
        assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
        assert_eq!(fs::read_to_string(&late).unwrap(), "theirs");
    }
}
