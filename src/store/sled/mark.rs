//! A mark beside the log that tells how much must be in it.
//!
//! sled takes a broken record for the end of its log: one flipped bit, and it opens without a word and without
//! anything that was written later (measured: 68 of 300 rows left). So commits are numbered, in the transaction
//! itself, and from time to time a number known to be on disk is noted in a small file. A store that opens
//! with a lower number has lost something, and says so.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The file of the mark.
pub(super) const MARK: &str = "mark";

/// The next mark, until it is whole.
pub(super) const MARK_NEW: &str = "mark.new";

/// Commits between two marks: one costs two syncs.
const COMMITS_PER_MARK: u64 = 256;

/// Longest time between two marks while anything is committed: when it was written tells how long the store worked for
/// certain.
const MARK_EVERY: Duration = Duration::from_mins(15);

/// The mark of an open store.
pub(super) struct Mark {
    directory: PathBuf,
    committed: AtomicU64,
    marked: AtomicU64,
    opened: Instant,
    /// Seconds since it was opened at which the mark was written last.
    written: AtomicU64,
}

impl Mark {
    /// The number in the mark of the store at `directory`; zero where there is none or nothing readable.
    pub(super) fn read(directory: &Path) -> u64 {
        let text = fs::read_to_string(directory.join(MARK)).unwrap_or_default();
        text.trim_end().parse().unwrap_or_default()
    }

    /// The mark of a store whose last commit is `committed`.
    pub(super) fn new(directory: &Path, committed: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            committed: AtomicU64::new(committed),
            marked: AtomicU64::new(Self::read(directory)),
            opened: Instant::now(),
            written: AtomicU64::new(0),
        }
    }

    /// Takes note of a commit.
    pub(super) fn committed(&self, number: u64) {
        self.committed.fetch_max(number, Ordering::AcqRel);
    }

    /// The last commit.
    pub(super) fn last(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Takes note that all up to `number` are on disk, and writes that down the first time and then now and again.
    pub(super) fn synced(&self, number: u64) {
        let marked = self.marked.load(Ordering::Acquire);
        let unwritten = self.opened.elapsed().as_secs().saturating_sub(self.written.load(Ordering::Acquire));
        if marked == 0
            || number.saturating_sub(marked) >= COMMITS_PER_MARK
            || unwritten >= MARK_EVERY.as_secs()
        {
            self.set(number);
        }
    }

    /// Writes down that all up to `number` are on disk.
    pub(super) fn set(&self, number: u64) {
        if number <= self.marked.load(Ordering::Acquire) {
            return;
        }
        match self.write(number) {
            Ok(()) => {
                self.marked.store(number, Ordering::Release);
                self.written.store(self.opened.elapsed().as_secs(), Ordering::Release);
            }
            // The data themselves are safe: only a later loss would be noticed less well.
            Err(error) => tracing::warn!(%error, "the store's mark could not be written"),
        }
    }

    fn write(&self, number: u64) -> io::Result<()> {
        let new = self.directory.join(MARK_NEW);
        let mut file = File::create(&new)?;
        writeln!(file, "{number}")?;
        file.sync_all()?;
        fs::rename(&new, self.directory.join(MARK))?;
        File::open(&self.directory)?.sync_all()
    }
}
