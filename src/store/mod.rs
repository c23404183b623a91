//! What Harmattan remembers. One trait; nothing outside this folder knows which engine is behind it.
//!
//! A poll's whole result is one transaction, and nothing of it is sent or acknowledged before the
//! sync that covers it: [`Writer`] sees to both. Look-ups inside a transaction are by exact key only.
//! [`SledStore`] is the engine that needs no set-up.

mod backup;
mod channel;
mod compact;
mod error;
mod keep;
mod rescue;
mod restore;
mod sled;
mod state;
mod swap;
mod writer;

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::article::{Fate, Pending, Waiting};
use crate::event::{Event, EventId, HostTrouble, Network};
use crate::fetch::{Order, RobotsTxt};
use crate::item::{ItemId, SeenKey, SourceName};
use crate::outbox::bundle::{Bundle, BundleId};
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryId};
use crate::report::{Report, ReportId};
use crate::route::Recipient;
use crate::silence::Silence;
use crate::source::Candidate;
use crate::story::{Alert, AlertId, Story, StoryId};

pub use self::backup::{Backup, Head};
pub use self::channel::{ChannelState, GONE_MAX, Left, Stranger};
pub use self::compact::{Compacted, compact};
pub use self::error::StoreError;
pub use self::keep::Keep;
pub use self::rescue::{Rescue, open};
pub use self::restore::{Wish, check, restore};
pub use self::sled::SledStore;
pub use self::state::{
    Cause, Day, Deliveries, Expired, Failing, KeptPage, Owner, PAGE_BYTES_MAX, PAGES_MAX, Restored, Seen,
    SourceState, Stats, StoredItem, Verified, Walk,
};
pub use self::writer::Writer;

/// The work of one transaction. It may run more than once: it computes and calls the transaction, nothing else.
pub type Work<'a> = dyn FnMut(&dyn Transaction) -> Result<(), StoreError> + 'a;

/// Sees the values of a scan, one at a time; `Break` ends the scan. It must not call the store, which may be waiting
/// for the scan to end.
pub type Visit<'a, T> = dyn FnMut(T) -> ControlFlow<()> + 'a;

/// The storage engine.
#[expect(clippy::missing_errors_doc, reason = "all reads fail alike: when the engine cannot read")]
pub trait Store: Send + Sync {
    /// Runs `works` in their order in one transaction, and tells how each ended. Of a work all writes happen, or none: one
    /// that fails or panics harms no other. Not durable before [`Store::sync`].
    ///
    /// A work's error is what it returned, [`StoreError::Panicked`] when it panicked, or the engine's failure, which is
    /// that of all.
    fn transact_together(&self, works: &mut [&mut Work<'_>]) -> Vec<Result<(), StoreError>>;

    /// Runs one `work` in one transaction.
    ///
    /// # Errors
    /// As in [`Store::transact_together`].
    fn transact(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        self.transact_together(&mut [work]).into_iter().collect()
    }

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

    /// What a walk through older pages set aside, in the order in which it did: the first `count`.
    fn held(&self, source: &SourceName, count: u32) -> Result<Vec<Candidate>, StoreError>;

    /// What is remembered under each of `keys`, in their order.
    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError>;

    /// A stored item.
    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError>;

    /// A stored item whose day is not known: asks day by day, newest first.
    fn find_item(&self, id: ItemId) -> Result<Option<StoredItem>, StoreError>;

    /// What became of the article of an item first seen on that day.
    fn article(&self, id: ItemId, first: Day) -> Result<Option<Fate>, StoreError>;

    /// The articles that are to be fetched, in no order; no more than may wait.
    fn pending_articles(&self) -> Result<Vec<Pending>, StoreError>;

    /// Shows the stored items, newest day first.
    fn visit_items(&self, visit: &mut Visit<'_, StoredItem>) -> Result<(), StoreError>;

    /// The same from behind one of them on: what [`Store::visit_items`] shows after the item first seen on that
    /// day.
    fn visit_items_after(
        &self,
        last: (Day, ItemId),
        visit: &mut Visit<'_, StoredItem>,
    ) -> Result<(), StoreError>;

    /// The newest stored items, at most `limit`, newest day first.
    fn items(&self, limit: usize) -> Result<Vec<StoredItem>, StoreError> {
        gather(limit, |visit| self.visit_items(visit))
    }

    /// One alert.
    fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError>;

    /// Shows the alerts made since `since`, newest first.
    fn visit_alerts(&self, since: Option<Timestamp>, visit: &mut Visit<'_, Alert>) -> Result<(), StoreError>;

    /// The same from behind one of them on: the alerts made since `since` that are older than `last`, newest first.
    fn visit_alerts_after(
        &self,
        since: Option<Timestamp>,
        last: AlertId,
        visit: &mut Visit<'_, Alert>,
    ) -> Result<(), StoreError>;

    /// The alerts made since `since`, newest first, at most `limit`.
    fn alerts(&self, since: Option<Timestamp>, limit: usize) -> Result<Vec<Alert>, StoreError> {
        gather(limit, |visit| self.visit_alerts(since, visit))
    }

    /// One event.
    fn event(&self, id: EventId) -> Result<Option<Event>, StoreError>;

    /// The notifiers through which nothing gets, by name.
    fn circuits(&self) -> Result<Vec<(String, Circuit)>, StoreError>;

    /// The hosts whose sources cannot be read, by name.
    fn hosts(&self) -> Result<Vec<(String, HostTrouble)>, StoreError>;

    /// The last order of each host to all who ask there, also where it is over; by host.
    fn orders(&self) -> Result<Vec<(String, Order)>, StoreError>;

    /// What servers said to crawlers, also where that is to be asked for again; by scheme, host and port.
    fn robots(&self) -> Result<Vec<(String, RobotsTxt)>, StoreError>;

    /// One report.
    fn report(&self, id: ReportId) -> Result<Option<Report>, StoreError>;

    /// When the last report to a recipient was made, or reports to them began.
    fn reported(&self, who: &Recipient) -> Result<Option<Timestamp>, StoreError>;

    /// One bundle.
    fn bundle(&self, id: BundleId) -> Result<Option<Bundle>, StoreError>;

    /// The silences, those that are over too as long as there is room.
    fn silences(&self) -> Result<Vec<Silence>, StoreError>;

    /// From what the store was restored, and when; `None` when it never was.
    fn restored(&self) -> Result<Option<Restored>, StoreError>;

    /// What is known of the network.
    fn network(&self) -> Result<Network, StoreError>;

    /// One delivery.
    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// When the last messages that count in budgets left for a recipient of a notifier, oldest first.
    fn spent(&self, who: &Recipient) -> Result<Vec<Timestamp>, StoreError>;

    /// Shows the deliveries that are `wanted`: open ones in no order, others by the time of their end, newest first.
    fn visit_deliveries(&self, wanted: Deliveries, visit: &mut Visit<'_, Delivery>)
    -> Result<(), StoreError>;

    /// The first `limit` of the deliveries that [`Store::visit_deliveries`] shows.
    fn deliveries(&self, wanted: Deliveries, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        gather(limit, |visit| self.visit_deliveries(wanted, visit))
    }

    /// All deliveries that are owed still.
    fn open_deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        self.deliveries(Deliveries::Open, usize::MAX)
    }

    /// Keeps a page of a source that could not be read as it used to be, as far as [`PAGE_BYTES_MAX`], in place of the
    /// one before; of [`PAGES_MAX`] sources at most, then the oldest goes.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep_page(&self, source: &SourceName, bytes: &[u8]) -> Result<(), StoreError>;

    /// The page kept of a source.
    fn page(&self, source: &SourceName) -> Result<Option<KeptPage>, StoreError>;

    /// The sources of which a page is kept, with when it was.
    fn pages(&self) -> Result<Vec<(SourceName, Timestamp)>, StoreError>;

    /// When what is past its time was last removed to the end; see [`Store::expire`].
    fn retained(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Removes what is older than `keep`, in small transactions. Before each of them it asks whether to go on: once
    /// told no, it leaves the rest for another time.
    ///
    /// Seen keys go `max(keep, 90 d, 10 windows)` after their source last showed them, not counting the time for which the
    /// source could not be read: one that comes back with its old items must not alert anew. Open deliveries
    /// stay, and alerts and events stay as long as any of
    /// their deliveries does.
    fn expire(&self, now: Timestamp, keep: Duration, go_on: &dyn Fn() -> bool)
    -> Result<Expired, StoreError>;

    /// Size and counts.
    fn stats(&self) -> Result<Stats, StoreError>;

    /// Writes all that is stored to `out`, as a backup taken at `taken`. It must be called where nobody can commit
    /// meanwhile ([`Writer::between`]), or the parts of a transaction could be torn.
    ///
    /// # Errors
    /// [`StoreError::Unwritten`] when `out` refuses, else as above.
    fn back_up(&self, taken: Timestamp, out: &mut dyn Write) -> Result<Backup, StoreError>;

    /// Looks at every stored value whether it is as it was written; changes nothing.
    fn verify(&self) -> Result<Verified, StoreError>;

    /// What looks like damage of the store as a whole, as soon as anything does. Nothing more should be asked of it then: the
    /// next start looks into it ([`open`]).
    fn damage(&self) -> watch::Receiver<Option<String>>;
}

/// The first `limit` values that `scan` shows.
pub(crate) fn gather<T>(
    limit: usize,
    scan: impl FnOnce(&mut Visit<'_, T>) -> Result<(), StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    scan(&mut |value| {
        found.push(value);
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
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

    /// Sets an item of an older page aside, as number `place` of its source.
    fn put_held(&self, source: &SourceName, place: u32, held: &Candidate) -> Result<(), StoreError>;

    /// Drops what was set aside under that number.
    fn drop_held(&self, source: &SourceName, place: u32) -> Result<(), StoreError>;

    /// As [`Store::seen`].
    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError>;

    /// Remembers keys, or what is new about them.
    fn put_seen(&self, source: &SourceName, keys: &[(SeenKey, Seen)]) -> Result<(), StoreError>;

    /// As [`Store::item`].
    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError>;

    /// Stores an item.
    fn put_item(&self, item: &StoredItem) -> Result<(), StoreError>;

    /// As [`Store::article`].
    fn article(&self, id: ItemId, first: Day) -> Result<Option<Fate>, StoreError>;

    /// Writes what became of an article.
    fn put_article(&self, fate: &Fate) -> Result<(), StoreError>;

    /// The article of that item, if it is to be fetched still.
    fn pending_article(&self, id: ItemId) -> Result<Option<Pending>, StoreError>;

    /// Writes an article that is to be fetched.
    fn put_pending_article(&self, pending: &Pending) -> Result<(), StoreError>;

    /// Removes an article from those that are to be fetched.
    fn drop_pending_article(&self, id: ItemId) -> Result<(), StoreError>;

    /// How many articles are to be fetched, of a source and in all.
    fn waiting_articles(&self, source: &SourceName) -> Result<Waiting, StoreError>;

    /// The story filed under a key (a normalised link, a folded text) and when it was filed.
    fn story_under(&self, key: SeenKey) -> Result<Option<(StoryId, Timestamp)>, StoreError>;

    /// Files a story under a key.
    fn file_story(&self, key: SeenKey, story: StoryId, at: Timestamp) -> Result<(), StoreError>;

    /// A story.
    fn story(&self, id: StoryId) -> Result<Option<Story>, StoreError>;

    /// Writes a story.
    fn put_story(&self, story: &Story) -> Result<(), StoreError>;

    /// As [`Store::alert`].
    fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError>;

    /// Writes an alert.
    fn put_alert(&self, alert: &Alert) -> Result<(), StoreError>;

    /// Writes an event.
    fn put_event(&self, event: &Event) -> Result<(), StoreError>;

    /// What is known of a notifier's way.
    fn circuit(&self, notifier: &str) -> Result<Circuit, StoreError>;

    /// Writes it.
    fn put_circuit(&self, notifier: &str, circuit: &Circuit) -> Result<(), StoreError>;

    /// Writes a report.
    fn put_report(&self, id: ReportId, report: &Report) -> Result<(), StoreError>;

    /// Writes when the last report to a recipient was made.
    fn put_reported(&self, who: &Recipient, at: Timestamp) -> Result<(), StoreError>;

    /// As [`Store::bundle`].
    fn bundle(&self, id: BundleId) -> Result<Option<Bundle>, StoreError>;

    /// Writes a bundle.
    fn put_bundle(&self, bundle: &Bundle) -> Result<(), StoreError>;

    /// As [`Store::spent`].
    fn spent(&self, who: &Recipient) -> Result<Vec<Timestamp>, StoreError>;

    /// Writes it.
    fn put_spent(&self, who: &Recipient, left: &[Timestamp]) -> Result<(), StoreError>;

    /// As [`Store::silences`].
    fn silences(&self) -> Result<Vec<Silence>, StoreError>;

    /// Writes all silences.
    fn put_silences(&self, silences: &[Silence]) -> Result<(), StoreError>;

    /// As [`Store::restored`].
    fn restored(&self) -> Result<Option<Restored>, StoreError>;

    /// Writes that the store was restored.
    fn put_restored(&self, restored: &Restored) -> Result<(), StoreError>;

    /// Writes when what is past its time was removed to the end.
    fn put_retained(&self, at: Timestamp) -> Result<(), StoreError>;

    /// As [`Store::network`].
    fn network(&self) -> Result<Network, StoreError>;

    /// Writes what is known of the network.
    fn put_network(&self, network: &Network) -> Result<(), StoreError>;

    /// The trouble that the sources of a host share.
    fn host(&self, host: &str) -> Result<HostTrouble, StoreError>;

    /// Writes it.
    fn put_host(&self, host: &str, trouble: &HostTrouble) -> Result<(), StoreError>;

    /// Writes the order of a host to all who ask there, in place of the one before.
    fn put_order(&self, host: &str, order: &Order) -> Result<(), StoreError>;

    /// Writes what a server says to crawlers, or forgets it.
    fn put_robots(&self, origin: &str, said: Option<&RobotsTxt>) -> Result<(), StoreError>;

    /// One delivery.
    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Writes a delivery.
    fn put_delivery(&self, delivery: &Delivery) -> Result<(), StoreError>;
}
