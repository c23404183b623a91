//! The store on sled 0.34.7: one tree, one row per fact, keys by [`keys`], values by [`frame`] and [`rows`].
//!
//! What sled leaves to its user is done here: [`engine`] reaches the disk and opens again after a failure,
//! [`open`] survives damage, [`mark`] notices what is missing, [`seen`] keeps the common row count low, [`expire`] forgets.

mod access;
mod alert_row;
mod article_row;
mod channel_row;
mod copy;
mod delivery_row;
mod engine;
mod event_row;
mod expire;
mod frame;
mod health_row;
mod held;
mod host_row;
mod keys;
mod learned_row;
mod mark;
mod open;
mod pages;
mod place;
mod rows;
mod seen;
mod silence_row;
mod story_row;
mod transaction;
mod waiting;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sled::Tree;
use tokio::sync::watch;

use self::access::{Read, Row};
use self::engine::Engine;
use self::keys::Kind;
use super::{
    Backup, Day, Deliveries, Expired, KeptPage, Restored, Seen, SourceState, Stats, Store, StoreError,
    StoredItem, Verified, Visit, Work, gather,
};
use crate::article::{Fate, Pending, WAITING_MAX};
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
use crate::story::{Alert, AlertId};

/// A store in a directory of this machine; one process at a time.
pub struct SledStore {
    engine: Engine,
}

impl SledStore {
    /// Opens the store at `path`, creating it and missing parents where there is none. Blocks; after a crash
    /// it may take seconds.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Damaged`] when it cannot
    /// be read even without its snapshot, or [`StoreError::Io`].
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        Self::with(path, open::or_create(path)?)
    }

    /// Opens the store at `path`. Blocks likewise.
    ///
    /// # Errors
    /// [`StoreError::Absent`], and those of [`SledStore::create`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::with(path, open::existing(path)?)
    }

    fn with(path: &Path, open: engine::Open) -> Result<Self, StoreError> {
        let engine = Engine::new(path, open);
        engine.with(|open| open::check_format(path, open))?;
        engine.with(|open| waiting::count_anew(&open.db))?;
        Ok(Self { engine })
    }

    /// Reads from the one tree.
    fn read<T>(&self, read: impl FnOnce(&Tree) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.engine.read(|open| read(&open.db))
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").finish_non_exhaustive()
    }
}

impl Store for SledStore {
    fn transact_together(&self, works: &mut [&mut Work<'_>]) -> Vec<Result<(), StoreError>> {
        self.engine.commit(works)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.engine.sync()
    }

    fn source(&self, name: &SourceName) -> Result<Option<SourceState>, StoreError> {
        self.read(|tree| tree.row(&keys::source(name)))
    }

    fn sources(&self) -> Result<Vec<SourceState>, StoreError> {
        self.read(|tree| gather(usize::MAX, |all| show(tree, tree.scan_prefix(Kind::Source.prefix()), all)))
    }

    fn held(&self, source: &SourceName, count: u32) -> Result<Vec<Candidate>, StoreError> {
        self.read(|tree| {
            let rows = (0..count).map(|place| tree.row(&keys::held(source, place)));
            Ok(rows.collect::<Result<Vec<Option<Candidate>>, _>>()?.into_iter().flatten().collect())
        })
    }

    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError> {
        self.read(|tree| seen::look_up(tree, source, keys))
    }

    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError> {
        self.read(|tree| tree.row(&keys::item(id, first)))
    }

    fn find_item(&self, id: ItemId) -> Result<Option<StoredItem>, StoreError> {
        self.read(|tree| {
            let mut end = Kind::Item.end().to_vec();
            loop {
                let newest = tree.range(Kind::Item.prefix().to_vec()..end).next_back();
                let Some(newest) = newest.transpose().map_err(unreadable)? else { return Ok(None) };
                let Some(day) = keys::item_day(&newest.0) else { return Ok(None) };
                if let Some(item) = tree.row(&keys::item(id, day))? {
                    return Ok(Some(item));
                }
                end = keys::items_of(day);
            }
        })
    }

    fn article(&self, id: ItemId, first: Day) -> Result<Option<Fate>, StoreError> {
        self.read(|tree| tree.row(&keys::article(id, first)))
    }

    fn pending_articles(&self) -> Result<Vec<Pending>, StoreError> {
        self.read(|tree| {
            gather(WAITING_MAX as usize, |all| show(tree, tree.scan_prefix(Kind::Pending.prefix()), all))
        })
    }

    fn visit_items(&self, visit: &mut Visit<'_, StoredItem>) -> Result<(), StoreError> {
        self.read(|tree| show(tree, tree.scan_prefix(Kind::Item.prefix()).rev(), visit))
    }

    fn visit_items_after(
        &self,
        (first, id): (Day, ItemId),
        visit: &mut Visit<'_, StoredItem>,
    ) -> Result<(), StoreError> {
        let rest = Kind::Item.prefix().to_vec()..keys::item(id, first);
        self.read(|tree| show(tree, tree.range(rest).rev(), visit))
    }

    fn report(&self, id: ReportId) -> Result<Option<Report>, StoreError> {
        self.read(|tree| tree.row(&keys::report(id)))
    }

    fn reported(&self, who: &Recipient) -> Result<Option<Timestamp>, StoreError> {
        self.read(|tree| moment(tree, &keys::reported(who)))
    }

    fn bundle(&self, id: BundleId) -> Result<Option<Bundle>, StoreError> {
        self.read(|tree| tree.row(&keys::bundle(id)))
    }

    fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        self.read(|tree| tree.row(&keys::alert(id)))
    }

    fn visit_alerts(&self, since: Option<Timestamp>, visit: &mut Visit<'_, Alert>) -> Result<(), StoreError> {
        self.read(|tree| show(tree, tree.range(alerts_since(since)..Kind::Alert.end().to_vec()).rev(), visit))
    }

    fn visit_alerts_after(
        &self,
        since: Option<Timestamp>,
        last: AlertId,
        visit: &mut Visit<'_, Alert>,
    ) -> Result<(), StoreError> {
        let (from, end) = (alerts_since(since), keys::alert(last));
        // sled takes a range that ends before it begins for a mistake of its caller.
        let end = end.max(from.clone());
        self.read(|tree| show(tree, tree.range(from..end).rev(), visit))
    }

    fn event(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        self.read(|tree| tree.row(&keys::event(id)))
    }

    fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        self.read(|tree| Ok(tree.row(&keys::silences())?.unwrap_or_default()))
    }

    fn restored(&self) -> Result<Option<Restored>, StoreError> {
        self.read(|tree| tree.row(&keys::restored()))
    }

    fn back_up(&self, taken: Timestamp, out: &mut dyn Write) -> Result<Backup, StoreError> {
        copy::back_up(&self.engine, taken, out)
    }

    fn verify(&self) -> Result<Verified, StoreError> {
        self.read(copy::verify)
    }

    fn damage(&self) -> watch::Receiver<Option<String>> {
        self.engine.damage()
    }

    fn network(&self) -> Result<Network, StoreError> {
        self.read(|tree| Ok(tree.row(&keys::network())?.unwrap_or_default()))
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        // Between two reads it may move from one place to the other, and by hand back again. A transaction would see
        // both at once, but writes to the log, and this is read while the disk refuses, too.
        self.read(|tree| match transaction::delivery(tree, id)? {
            Some(delivery) => Ok(Some(delivery)),
            None => transaction::delivery(tree, id),
        })
    }

    fn spent(&self, who: &Recipient) -> Result<Vec<Timestamp>, StoreError> {
        self.read(|tree| Ok(tree.row(&keys::spent(who))?.unwrap_or_default()))
    }

    fn circuits(&self) -> Result<Vec<(String, Circuit)>, StoreError> {
        self.read(|tree| named(tree, Kind::Circuit))
    }

    fn hosts(&self) -> Result<Vec<(String, HostTrouble)>, StoreError> {
        self.read(|tree| named(tree, Kind::Host))
    }

    fn orders(&self) -> Result<Vec<(String, Order)>, StoreError> {
        self.read(|tree| named(tree, Kind::Order))
    }

    fn robots(&self) -> Result<Vec<(String, RobotsTxt)>, StoreError> {
        self.read(|tree| named(tree, Kind::Robots))
    }

    fn visit_deliveries(
        &self,
        wanted: Deliveries,
        visit: &mut Visit<'_, Delivery>,
    ) -> Result<(), StoreError> {
        self.read(|tree| match wanted {
            Deliveries::Open => show(tree, tree.scan_prefix(Kind::Open.prefix()), visit),
            Deliveries::Closed => show_closed(tree, Kind::History, visit),
            Deliveries::Dead => show_closed(tree, Kind::Dead, visit),
        })
    }

    fn keep_page(&self, source: &SourceName, bytes: &[u8]) -> Result<(), StoreError> {
        pages::keep(self.engine.path(), source, bytes)
    }

    fn page(&self, source: &SourceName) -> Result<Option<KeptPage>, StoreError> {
        pages::page(self.engine.path(), source)
    }

    fn pages(&self) -> Result<Vec<(SourceName, Timestamp)>, StoreError> {
        pages::pages(self.engine.path())
    }

    fn retained(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|tree| moment(tree, &keys::retained()))
    }

    fn expire(
        &self,
        now: Timestamp,
        keep: Duration,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Expired, StoreError> {
        expire::expire(&self.engine, now, keep, go_on)
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        let (mut held, mut open) = (0, 0);
        self.visit_deliveries(Deliveries::Open, &mut |delivery| {
            *(if delivery.state.held().is_some() { &mut held } else { &mut open }) += 1;
            ControlFlow::Continue(())
        })?;
        let (deliveries_held, deliveries_open) = (held, open);
        self.engine.read(|open| {
            let count = |kind: Kind| {
                let mut keys = open.db.scan_prefix(kind.prefix()).keys();
                keys.try_fold(0, |sum, key| key.map(|_| sum + 1)).map_err(unreadable)
            };
            Ok(Stats {
                disk_bytes: open.db.size_on_disk().map_err(unreadable)?,
                deliveries_open,
                deliveries_held,
                deliveries_dead: count(Kind::Dead)?,
                damaged: count(Kind::Damaged)?,
            })
        })
    }
}

/// The moment in a row that holds one.
fn moment(tree: &Tree, key: &[u8]) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<Vec<Timestamp>> = tree.row(key)?;
    Ok(row.and_then(|row| row.first().copied()))
}

/// The first key of the alerts made since `since`.
fn alerts_since(since: Option<Timestamp>) -> Vec<u8> {
    since.map_or_else(|| Kind::Alert.prefix().to_vec(), keys::alerts_from)
}

/// Shows the values that a scan yields; damaged ones are set aside and left out.
fn show<T: Row>(
    tree: &Tree,
    scan: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    visit: &mut Visit<'_, T>,
) -> Result<(), StoreError> {
    for row in scan {
        let (key, head) = row.map_err(unreadable)?;
        // A bug of whoever looks says nothing of the engine.
        if let Some(value) = tree.row_from(&key, &head)?
            && engine::guarded(|| Ok(visit(value)))?.is_break()
        {
            break;
        }
    }
    Ok(())
}

/// The values of a kind whose keys are names.
fn named<T: Row>(tree: &Tree, kind: Kind) -> Result<Vec<(String, T)>, StoreError> {
    let mut all = Vec::new();
    for row in tree.scan_prefix(kind.prefix()) {
        let (key, head) = row.map_err(unreadable)?;
        let name = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
        all.extend(tree.row_from(&key, &head)?.map(|value| (name, value)));
    }
    Ok(all)
}

/// Shows the deliveries that have a place in time of this kind, newest first.
fn show_closed(tree: &Tree, places: Kind, visit: &mut Visit<'_, Delivery>) -> Result<(), StoreError> {
    for place in tree.scan_prefix(places.prefix()).keys().rev() {
        let place = place.map_err(unreadable)?;
        let Some(id) = keys::place_id(&place) else { continue };
        let Some(delivery) = tree.row::<Delivery>(&keys::closed(id))? else { continue };
        // Meanwhile it may have ended anew, and is shown where it is now.
        let is_here = transaction::places(&delivery).iter().any(|now| place == *now);
        if is_here && engine::guarded(|| Ok(visit(delivery)))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// What sled said to a read.
fn unreadable(error: sled::Error) -> StoreError {
    engine::failed("read", error)
}
