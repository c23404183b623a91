//! What a transaction can do: exact keys only, for sled's transactions have no range scans.

use jiff::Timestamp;

use super::access::{InTransaction, Read};
use super::story_row::Filed;
use super::{keys, seen, waiting};
use crate::article::{Fate, Pending, Waiting};
use crate::event::{Event, HostTrouble, Network};
use crate::fetch::{Order, RobotsTxt};
use crate::item::{ItemId, SeenKey, SourceName};
use crate::outbox::bundle::{Bundle, BundleId};
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::report::{Report, ReportId};
use crate::route::Recipient;
use crate::silence::Silence;
use crate::source::Candidate;
use crate::store::{Day, Restored, Seen, SourceState, StoreError, StoredItem, Transaction};
use crate::story::{Alert, AlertId, Story, StoryId};

impl Transaction for InTransaction<'_> {
    fn source(&self, name: &SourceName) -> Result<Option<SourceState>, StoreError> {
        self.row(&keys::source(name))
    }

    fn put_source(&self, state: &SourceState) -> Result<(), StoreError> {
        self.put(&keys::source(&state.name), state)
    }

    fn put_held(&self, source: &SourceName, place: u32, held: &Candidate) -> Result<(), StoreError> {
        self.put(&keys::held(source, place), held)
    }

    fn drop_held(&self, source: &SourceName, place: u32) -> Result<(), StoreError> {
        self.remove(&keys::held(source, place))
    }

    fn seen(&self, source: &SourceName, keys: &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError> {
        seen::look_up(self, source, keys)
    }

    fn put_seen(&self, source: &SourceName, keys: &[(SeenKey, Seen)]) -> Result<(), StoreError> {
        seen::remember(self, source, keys)
    }

    fn item(&self, id: ItemId, first: Day) -> Result<Option<StoredItem>, StoreError> {
        self.row(&keys::item(id, first))
    }

    fn put_item(&self, item: &StoredItem) -> Result<(), StoreError> {
        self.put(&keys::item(item.item.id, item.first), item)
    }

    fn article(&self, id: ItemId, first: Day) -> Result<Option<Fate>, StoreError> {
        self.row(&keys::article(id, first))
    }

    fn put_article(&self, fate: &Fate) -> Result<(), StoreError> {
        self.put(&keys::article(fate.item, fate.first), fate)
    }

    fn pending_article(&self, id: ItemId) -> Result<Option<Pending>, StoreError> {
        self.row(&keys::pending(id))
    }

    fn put_pending_article(&self, pending: &Pending) -> Result<(), StoreError> {
        waiting::put(self, pending)
    }

    fn drop_pending_article(&self, id: ItemId) -> Result<(), StoreError> {
        waiting::remove(self, id)
    }

    fn waiting_articles(&self, source: &SourceName) -> Result<Waiting, StoreError> {
        waiting::count(self, source)
    }

    fn story_under(&self, key: SeenKey) -> Result<Option<(StoryId, Timestamp)>, StoreError> {
        let filed: Option<Filed> = self.row(&keys::filed(key))?;
        Ok(filed.map(|filed| (filed.story, filed.at)))
    }

    fn file_story(&self, key: SeenKey, story: StoryId, at: Timestamp) -> Result<(), StoreError> {
        self.put(&keys::filed(key), &Filed { story, at })
    }

    fn story(&self, id: StoryId) -> Result<Option<Story>, StoreError> {
        self.row(&keys::story(id))
    }

    fn put_story(&self, story: &Story) -> Result<(), StoreError> {
        self.put(&keys::story(story.id), story)
    }

    fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        self.row(&keys::alert(id))
    }

    fn put_alert(&self, alert: &Alert) -> Result<(), StoreError> {
        self.put(&keys::alert(alert.id), alert)
    }

    fn put_event(&self, event: &Event) -> Result<(), StoreError> {
        self.put(&keys::event(event.id), event)
    }

    fn circuit(&self, notifier: &str) -> Result<Circuit, StoreError> {
        Ok(self.row(&keys::circuit(notifier))?.unwrap_or_default())
    }

    fn put_circuit(&self, notifier: &str, circuit: &Circuit) -> Result<(), StoreError> {
        if *circuit == Circuit::default() {
            self.remove(&keys::circuit(notifier))
        } else {
            self.put(&keys::circuit(notifier), circuit)
        }
    }

    fn put_report(&self, id: ReportId, report: &Report) -> Result<(), StoreError> {
        self.put(&keys::report(id), report)
    }

    fn put_reported(&self, who: &Recipient, at: Timestamp) -> Result<(), StoreError> {
        self.put(&keys::reported(who), &vec![at])
    }

    fn bundle(&self, id: BundleId) -> Result<Option<Bundle>, StoreError> {
        self.row(&keys::bundle(id))
    }

    fn put_bundle(&self, bundle: &Bundle) -> Result<(), StoreError> {
        self.put(&keys::bundle(bundle.id), bundle)
    }

    fn spent(&self, who: &Recipient) -> Result<Vec<Timestamp>, StoreError> {
        Ok(self.row(&keys::spent(who))?.unwrap_or_default())
    }

    fn put_spent(&self, who: &Recipient, left: &[Timestamp]) -> Result<(), StoreError> {
        self.put(&keys::spent(who), &left.to_vec())
    }

    fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        Ok(self.row(&keys::silences())?.unwrap_or_default())
    }

    fn put_silences(&self, silences: &[Silence]) -> Result<(), StoreError> {
        self.put(&keys::silences(), &silences.to_vec())
    }

    fn restored(&self) -> Result<Option<Restored>, StoreError> {
        self.row(&keys::restored())
    }

    fn put_restored(&self, restored: &Restored) -> Result<(), StoreError> {
        self.put(&keys::restored(), restored)
    }

    fn put_retained(&self, at: Timestamp) -> Result<(), StoreError> {
        self.put(&keys::retained(), &vec![at])
    }

    fn network(&self) -> Result<Network, StoreError> {
        Ok(self.row(&keys::network())?.unwrap_or_default())
    }

    fn put_network(&self, network: &Network) -> Result<(), StoreError> {
        self.put(&keys::network(), network)
    }

    fn host(&self, host: &str) -> Result<HostTrouble, StoreError> {
        Ok(self.row(&keys::host(host))?.unwrap_or_default())
    }

    /// A host without trouble has no row.
    fn put_host(&self, host: &str, trouble: &HostTrouble) -> Result<(), StoreError> {
        if *trouble == HostTrouble::default() {
            return self.remove(&keys::host(host));
        }
        self.put(&keys::host(host), trouble)
    }

    fn put_order(&self, host: &str, order: &Order) -> Result<(), StoreError> {
        self.put(&keys::order(host), order)
    }

    fn put_robots(&self, origin: &str, said: Option<&RobotsTxt>) -> Result<(), StoreError> {
        match said {
            Some(said) => self.put(&keys::robots(origin), said),
            None => self.remove(&keys::robots(origin)),
        }
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        delivery(self, id)
    }

    /// Open deliveries have a range of their own: it is short, and read whole after a restart.
    fn put_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let id = delivery.id;
        if let Some(old) = self.row::<Delivery>(&keys::closed(id))? {
            remove_closed(self, &old)?;
        }
        if delivery.state.is_open() {
            return self.put(&keys::open(id), delivery);
        }
        self.remove(&keys::open(id))?;
        self.put(&keys::closed(id), delivery)?;
        places(delivery).iter().try_for_each(|place| self.put(place, &()))
    }
}

/// A delivery, open or closed.
pub(super) fn delivery(rows: &impl Read, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    match rows.row(&keys::open(id))? {
        Some(open) => Ok(Some(open)),
        None => rows.row(&keys::closed(id)),
    }
}

/// Removes a closed delivery and its places in time.
pub(super) fn remove_closed(rows: &InTransaction<'_>, delivery: &Delivery) -> Result<(), StoreError> {
    places(delivery).iter().try_for_each(|place| rows.remove(place))?;
    rows.remove(&keys::closed(delivery.id))
}

/// The places in time of a closed delivery.
pub(super) fn places(delivery: &Delivery) -> Vec<Vec<u8>> {
    let id = delivery.id;
    match delivery.state {
        DeliveryState::Held(_)
        | DeliveryState::Ready
        | DeliveryState::Attempted { .. }
        | DeliveryState::Retrying { .. } => Vec::new(),
        DeliveryState::Delivered { at }
        | DeliveryState::Bundled { at, .. }
        | DeliveryState::Dropped { at, .. } => vec![keys::history(at, id)],
        DeliveryState::Dead { at, .. } => vec![keys::history(at, id), keys::dead(at, id)],
    }
}

/// When a delivery ended; `None` while it is open.
pub(super) fn closed_at(state: &DeliveryState) -> Option<Timestamp> {
    match state {
        DeliveryState::Held(_)
        | DeliveryState::Ready
        | DeliveryState::Attempted { .. }
        | DeliveryState::Retrying { .. } => None,
        DeliveryState::Delivered { at }
        | DeliveryState::Bundled { at, .. }
        | DeliveryState::Dropped { at, .. }
        | DeliveryState::Dead { at, .. } => Some(*at),
    }
}
