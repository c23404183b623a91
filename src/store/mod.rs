//! What Harmattan remembers. One trait; nothing outside this folder knows which engine is behind it.
//!
//! A poll's whole result is one transaction, and nothing of it is sent or acknowledged before the
//! sync that covers it. Look-ups inside a transaction are by exact key only.

use std::time::Duration;

use jiff::Timestamp;

use crate::fetch::Validators;
use crate::item::{Item, ItemId, SeenKey, SourceName};
use crate::outbox::{Delivery, DeliveryId};
use crate::story::{Alert, AlertId, Story, StoryId};

/// What is remembered of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceState {
    /// Its name.
    pub name: SourceName,
    /// The address that the validators and the baseline belong to.
    pub address: String,
    /// When its first poll that parsed was; `None` until then.
    pub baseline: Option<Timestamp>,
    /// Items of the baseline on which a rule would have fired.
    pub baseline_fired: u32,
    /// Validators of the last body whose items are stored, and the address they came from.
    pub validators: Option<(String, Validators)>,
    /// SHA-256 (first 16 bytes) of the last body whose items are stored.
    pub body: Option<[u8; 16]>,
    /// When the next poll is due.
    pub due: Option<Timestamp>,
    /// The server's order: no request before.
    pub not_before: Option<Timestamp>,
    /// Whether that order is for the whole host (429).
    pub host_wide: bool,
    /// Start of the last poll.
    pub last_poll: Option<Timestamp>,
    /// Last poll that was answered and could be read.
    pub last_success: Option<Timestamp>,
    /// Last time a new item was seen.
    pub last_new: Option<Timestamp>,
    /// Items seen, all told.
    pub items: u64,
    /// Items on the last page read.
    pub items_last: u32,
    /// Entries lost in the last reading.
    pub lost_last: u32,
    /// How the last poll failed, while polls fail.
    pub failing: Option<Failing>,
    /// Highest message number of a Telegram channel.
    pub telegram_newest: Option<u64>,
}

/// A run of failed polls.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// When the first of the run failed.
    pub since: Timestamp,
    /// Number of failed polls in a row.
    pub polls: u32,
    /// Class: `http dns tls timeout parse challenge preview-off gone layout refused`.
    pub reason: String,
    /// The last failure in words.
    pub detail: String,
}

/// What is remembered under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was first seen; with the id it finds the stored item.
    pub first: Day,
    /// When its source last showed it.
    pub last: Day,
    /// Fingerprint of what a reader saw.
    pub content: u64,
}

/// Days since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u16);

impl Day {
    /// The day of `time`; clamped to what fits (1970 to 2149).
    pub fn of(time: Timestamp) -> Self {
        let days = time.as_second().div_euclid(86_400).clamp(0, i64::from(u16::MAX));
        Self(u16::try_from(days).unwrap_or(u16::MAX))
    }
}

/// A stored item: its text cut at [`crate::story::TEXT_BYTES_MAX`].
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// The item.
    pub item: Item,
    /// The day it was first seen.
    pub first: Day,
    /// When this version was fetched.
    pub fetched: Timestamp,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("the store at `{0}` is in use by another process")]
    InUse(String),
    /// There is none.
    #[error("no store at `{0}`")]
    Absent(String),
    /// It belongs to another user.
    #[error("the store at `{path}` belongs to user {owner}, not to {us}")]
    Foreign {
        /// Where it is.
        path: String,
        /// Its owner's numeric id.
        owner: u32,
        /// Ours.
        us: u32,
    },
    /// It is damaged.
    #[error("the store at `{path}` is damaged: {detail}")]
    Damaged {
        /// Where it is.
        path: String,
        /// What was found.
        detail: String,
    },
    /// It was written by a newer version.
    #[error("the store at `{path}` has format {found}; this version reads up to {known}")]
    Newer {
        /// Where it is.
        path: String,
        /// Its format.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// The disk refused.
    #[error("the store could not {doing}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Two transactions met; the engine runs the work again.
    #[error("conflicting transactions")]
    Conflict,
    /// The writer thread has ended.
    #[error("the store's writer has stopped")]
    Stopped,
}

/// The work of one transaction. It may run more than once: it computes and calls the transaction, nothing else.
pub type Work<'a> = dyn FnMut(&dyn Transaction) -> Result<(), StoreError> + 'a;

/// The storage engine.
#[expect(clippy::missing_errors_doc, reason = "all reads fail alike: when the engine cannot read")]
pub trait Store: Send + Sync {
    /// Runs `work` in one transaction: all of its writes happen, or none. Not durable before [`Store::sync`].
    ///
    /// # Errors
    /// What `work` returned, or the engine's failure.
    fn transact(&self, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Makes everything committed so far durable (flush and `fdatasync`). Blocks.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync(&self) -> Result<(), StoreError>;

    /// What is remembered of a source.
    ///
    /// # Errors
    /// When the store cannot be read; likewise for all that follow.
    fn source(&self, name: &SourceName) -> Result<Option<SourceState>, StoreError>;

    /// All sources ever polled, by name.
    fn sources(&self) -> Result<Vec<SourceState>, StoreError>;

    /// What is remembered under each of `keys`, in their order.
    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError>;

    /// A stored item.
    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError>;

    /// A stored item whose day is not known: asks day by day, newest first.
    fn find_item(&self, id: ItemId) -> Result<Option<StoredItem>, StoreError>;

    /// The newest stored items, at most `limit`, newest day first.
    fn items(&self, limit: usize) -> Result<Vec<StoredItem>, StoreError>;

    /// One alert.
    fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError>;

    /// The alerts made since `since`, newest first, at most `limit`.
    fn alerts(&self, since: Option<Timestamp>, limit: usize) -> Result<Vec<Alert>, StoreError>;

    /// One delivery.
    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Deliveries that are owed still.
    fn open_deliveries(&self) -> Result<Vec<Delivery>, StoreError>;

    /// Deliveries that are done or dead, newest first, at most `limit`.
    fn closed_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Removes what is older than `keep` (seen keys: `max(keep, 90 d)` after their source last showed them), in
    /// small transactions. Open deliveries and their alerts stay.
    fn expire(&self, now: Timestamp, keep: Duration) -> Result<Expired, StoreError>;

    /// Size and counts.
    fn stats(&self) -> Result<Stats, StoreError>;
}

/// What a transaction can do. Reads see the transaction's own writes.
#[expect(clippy::missing_errors_doc, reason = "all fail alike: unreadable, or in conflict")]
pub trait Transaction {
    /// As [`Store::source`].
    ///
    /// # Errors
    /// When the store cannot be read or the transaction conflicts; likewise for all that follow.
    fn source(&self, name: &SourceName) -> Result<Option<SourceState>, StoreError>;

    /// Writes a source's state.
    fn put_source(&self, state: &SourceState) -> Result<(), StoreError>;

    /// As [`Store::seen`].
    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError>;

    /// Remembers keys, or what is new about them.
    fn put_seen(&self, source: &SourceName, keys: &[(SeenKey, Seen)]) -> Result<(), StoreError>;

    /// As [`Store::item`].
    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError>;

    /// Stores an item.
    fn put_item(&self, item: &StoredItem) -> Result<(), StoreError>;

    /// The story filed under a key (a normalised link, a folded text) and when it was filed.
    fn story_under(&self, key: SeenKey) -> Result<Option<(StoryId, Timestamp)>, StoreError>;

    /// Files a story under a key.
    fn file_story(&self, key: SeenKey, story: StoryId, at: Timestamp) -> Result<(), StoreError>;

    /// A story.
    fn story(&self, id: StoryId) -> Result<Option<Story>, StoreError>;

    /// Writes a story.
    fn put_story(&self, story: &Story) -> Result<(), StoreError>;

    /// Writes an alert.
    fn put_alert(&self, alert: &Alert) -> Result<(), StoreError>;

    /// One delivery.
    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Writes a delivery.
    fn put_delivery(&self, delivery: &Delivery) -> Result<(), StoreError>;
}

/// What [`Store::expire`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Seen keys.
    pub keys: u64,
    /// Items.
    pub items: u64,
    /// Alerts.
    pub alerts: u64,
    /// Deliveries.
    pub deliveries: u64,
}

/// Size and counts of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Deliveries that are owed still.
    pub deliveries_open: u64,
    /// Values whose checksum did not fit; they are set aside, not used.
    pub damaged: u64,
}
