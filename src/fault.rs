//! Faults that tests ask for, at named points: the program ends there without a word, or the disk refuses. Without the
//! feature `faults` nothing of it is in the program.
//!
//! - `HARMATTAN_FAIL=point:n` ends the program at the n-th passage of that [`point`].
//! - `HARMATTAN_FAIL=sync:n:times:errno` has the n-th sync of the store and those after it refused.
//! - `HARMATTAN_IMAGE=file` keeps a copy of the store beside that file after every sync, in a folder with the ending that
//!   the file holds: what is left when the power fails.

pub(crate) use imp::{io, keep, point};

#[cfg(not(feature = "faults"))]
mod imp {
    use std::io::Result;
    use std::path::Path;

    /// A point at which the program may end.
    pub(crate) fn point(_name: &str) {}

    /// A place at which the disk may refuse.
    #[expect(clippy::unnecessary_wraps, reason = "with the feature it may refuse")]
    pub(crate) fn io(_name: &str) -> Result<()> {
        Ok(())
    }

    /// All of the store at that path is on disk.
    pub(crate) fn keep(_store: &Path) {}
}

#[cfg(feature = "faults")]
mod imp {
    use std::io::{Error, Result};
    use std::path::{Path, PathBuf};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// What `HARMATTAN_FAIL` asks for, and how often its place was passed.
    struct Plan {
        place: String,
        first: u64,
        times: u64,
        errno: Option<i32>,
        passed: AtomicU64,
    }

    static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
        let text = variable("HARMATTAN_FAIL")?;
        let mut parts = text.to_str()?.split(':');
        let number = |parts: &mut std::str::Split<'_, char>| parts.next()?.parse::<u64>().ok();
        let place = parts.next()?.to_owned();
        let (first, times) = (number(&mut parts)?, number(&mut parts).unwrap_or(1));
        let errno = number(&mut parts).and_then(|errno| i32::try_from(errno).ok());
        Some(Plan { place, first, times, errno, passed: AtomicU64::new(0) })
    });

    static IMAGE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| variable("HARMATTAN_IMAGE").map(PathBuf::from));

    fn variable(name: &str) -> Option<std::ffi::OsString> {
        std::env::var_os(name)
    }

    /// Whether this passage of a place is one to fail at.
    fn is_due(name: &str) -> Option<&'static Plan> {
        let plan = PLAN.as_ref().filter(|plan| plan.place == name)?;
        let passage = plan.passed.fetch_add(1, Ordering::SeqCst) + 1;
        (plan.first..plan.first + plan.times).contains(&passage).then_some(plan)
    }

    pub(crate) fn point(name: &str) {
        if is_due(name).is_some() {
            std::process::abort();
        }
    }

    pub(crate) fn io(name: &str) -> Result<()> {
        match is_due(name).and_then(|plan| plan.errno) {
            Some(errno) => Err(Error::from_raw_os_error(errno)),
            None => Ok(()),
        }
    }

    pub(crate) fn keep(store: &Path) {
        let Some(image) = IMAGE.as_ref() else { return };
        // A test may kill the program at any time: the file names the newest whole copy, and changes at once.
        let before = std::fs::read_to_string(image).unwrap_or_default();
        let fresh = if before == "a" { "b" } else { "a" };
        let named = image.with_extension("name");
        let kept = copy(store, &image.with_extension(fresh))
            .and_then(|()| std::fs::write(&named, fresh))
            .and_then(|()| std::fs::rename(&named, image));
        if let Err(error) = kept {
            tracing::error!("no image of the store: {error}");
            std::process::abort();
        }
    }

    fn copy(from: &Path, to: &Path) -> Result<()> {
        drop(std::fs::remove_dir_all(to));
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                copy(&entry.path(), &target)?;
            } else if entry.file_type()?.is_file()
                && let Err(error) = std::fs::copy(entry.path(), target)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        Ok(())
    }
}
