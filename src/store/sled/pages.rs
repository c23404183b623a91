//! Pages of sources whose layout is not known any more, as files beside the database: they are large, few and of no use
//! to any transaction, and an operator may look at them without us.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::item::SourceName;
use crate::store::{KeptPage, PAGE_BYTES_MAX, PAGES_MAX, StoreError};

/// How the name of a page ends; one that is being written has another ending.
const ENDING: &str = ".html";

/// Keeps the beginning of a page of `source` in the store at `path`, in place of the one before.
pub(super) fn keep(path: &Path, source: &SourceName, bytes: &[u8]) -> Result<(), StoreError> {
    let refused = |source| StoreError::Io { doing: "keep a page", source };
    let folder = folder(path);
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(refused(error)),
        Ok(()) | Err(_) => {}
    }
    make_room(path, source)?;
    let (page, part) = (file(path, source), folder.join(format!("{source}.part")));
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
    let kept = bytes.get(..PAGE_BYTES_MAX).unwrap_or(bytes);
    let written = written.and_then(|mut file| file.write_all(kept)).and_then(|()| fs::rename(&part, page));
    written.map_err(|error| {
        // Half a page on a full disk only fills it further; where that fails too, the next one takes its place.
        drop(fs::remove_file(&part));
        refused(error)
    })
}

/// The page kept of `source`.
pub(super) fn page(path: &Path, source: &SourceName) -> Result<Option<KeptPage>, StoreError> {
    let read = || -> io::Result<KeptPage> {
        let file = fs::File::open(file(path, source))?;
        let at = written(&file.metadata()?);
        let mut bytes = Vec::new();
        file.take(PAGE_BYTES_MAX as u64).read_to_end(&mut bytes)?;
        Ok(KeptPage { at, bytes })
    };
    match read() {
        Ok(page) => Ok(Some(page)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io { doing: "read a page that it keeps", source }),
    }
}

/// The sources of which a page is kept, with when it was, oldest first.
pub(super) fn pages(path: &Path) -> Result<Vec<(SourceName, Timestamp)>, StoreError> {
    let refused = |source| StoreError::Io { doing: "list the pages that it keeps", source };
    let entries = match fs::read_dir(folder(path)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused(error)),
    };
    let mut pages = Vec::new();
    for entry in entries {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name();
        let source = name.to_str().and_then(|name| SourceName::new(name.strip_suffix(ENDING)?));
        // One that another thread has just removed is not there.
        if let (Some(source), Ok(metadata)) = (source, entry.metadata()) {
            pages.push((source, written(&metadata)));
        }
    }
    pages.sort_by_key(|(_, at)| *at);
    Ok(pages)
}

/// Removes the pages kept before `limit` of sources of which none is `wanted` any more.
pub(super) fn forget(
    path: &Path,
    limit: Timestamp,
    wanted: impl Fn(&SourceName) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    for (source, at) in pages(path)? {
        if at < limit && !wanted(&source)? {
            remove(path, &source)?;
        }
    }
    Ok(())
}

/// Removes the oldest pages of others, until there is room for that of `source`.
fn make_room(path: &Path, source: &SourceName) -> Result<(), StoreError> {
    let others: Vec<_> = pages(path)?.into_iter().filter(|(other, _)| other != source).collect();
    let over = (others.len() + 1).saturating_sub(PAGES_MAX);
    others.iter().take(over).try_for_each(|(other, _)| remove(path, other))
}

fn remove(path: &Path, source: &SourceName) -> Result<(), StoreError> {
    match fs::remove_file(file(path, source)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Io { doing: "remove a page that it keeps", source: error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn folder(path: &Path) -> PathBuf {
    path.join("pages")
}

fn file(path: &Path, source: &SourceName) -> PathBuf {
    folder(path).join(format!("{source}{ENDING}"))
}

fn written(metadata: &fs::Metadata) -> Timestamp {
    let modified = metadata.modified().ok();
    modified.and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn pages_are_few_short_and_nobody_elses() {
        let store = tempfile::tempdir().unwrap();
        let path = store.path();
        let name = |n: usize| SourceName::new(&format!("s{n}")).unwrap();
        assert_eq!((pages(path).unwrap(), page(path, &name(0)).unwrap()), (Vec::new(), None));
        for n in 0..PAGES_MAX {
            keep(path, &name(n), b"x").unwrap();
            let file = fs::File::options().write(true).open(file(path, &name(n))).unwrap();
            let second = std::time::Duration::from_secs(u64::try_from(n).unwrap());
            file.set_modified(std::time::UNIX_EPOCH + second).unwrap();
        }
        keep(path, &name(1), &vec![b'y'; PAGE_BYTES_MAX + 1]).unwrap();
        assert_eq!(pages(path).unwrap().len(), PAGES_MAX, "the same one takes the place of the old one");
        assert_eq!(page(path, &name(1)).unwrap().unwrap().bytes.len(), PAGE_BYTES_MAX);
        keep(path, &name(PAGES_MAX), b"z").unwrap();
        assert_eq!((pages(path).unwrap().len(), page(path, &name(0)).unwrap()), (PAGES_MAX, None));
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder(path)), mode(file(path, &name(1)))), (0o700, 0o600));

        let limit = Timestamp::from_second(4).unwrap();
        forget(path, limit, |source| Ok(*source == name(2))).unwrap();
        let left = [1, 2, 3, 4].map(|n| page(path, &name(n)).unwrap().is_some());
        assert_eq!(left, [true, true, false, true]);
        assert!(
            fs::read_dir(folder(path))
                .unwrap()
                .all(|entry| { entry.unwrap().file_name().to_str().unwrap().ends_with(ENDING) })
        );
    }
}
