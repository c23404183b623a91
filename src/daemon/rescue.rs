//! The store of the service, whatever is found of it: what is told of a damaged one, and to whom.

use std::path::Path;

use tracing::info;

use super::{clock, systemd};
use crate::desk::Desk;
use crate::event::{Event, EventKind};
use crate::outbox::{Delivery, DeliveryState};
use crate::store::{self, Cause, Rescue, Restored, SledStore, SourceState, StoreError, Transaction};

/// Opens the store at `path`; where another takes the place of a damaged one, that is told in the same breath.
pub(super) fn open(path: &Path, desk: &Desk) -> Result<SledStore, StoreError> {
    let mut tell = |tx: &dyn Transaction, restored: &Restored| tell(tx, path, desk, restored);
    let mut progress = || systemd::delayed("the store looks damaged: reading all of it");
    let rescue = Rescue { now: clock::now(), tell: &mut tell, progress: &mut progress };
    let (store, restored) = store::open(path, rescue)?;
    if let Some(Restored { taken, .. }) = restored {
        info!("going on; alerts since {taken:.0} may be missing or repeated");
    }
    Ok(store)
}

/// Owes the event to whoever is to have it, and makes known the sources in force: what they show that is later than the
/// store remembers is news, while one that comes later has a baseline to come like any other.
fn tell(tx: &dyn Transaction, path: &Path, desk: &Desk, restored: &Restored) -> Result<(), StoreError> {
    for source in &desk.sources {
        if tx.source(source.name())?.is_none() {
            tx.put_source(&SourceState::blank(source.name()))?;
        }
    }
    let Some(event) = event(path, &desk.in_force.vantage.machine, restored) else { return Ok(()) };
    tx.put_event(&event)?;
    for who in desk.in_force.routes.of_event(event.kind).to {
        tx.put_delivery(&Delivery::owed(who, event.id.into(), event.created, DeliveryState::Ready))?;
    }
    Ok(())
}

/// What is told of a store that was found damaged; nothing of one that was restored from a backup.
fn event(path: &Path, machine: &str, restored: &Restored) -> Option<Event> {
    let Restored { at, taken, cause } = restored;
    let Cause::Damage { aside, detail, kept } = cause else { return None };
    let (reason, left) = if *kept {
        ("cut-short", "what could be read was kept")
    } else {
        ("unreadable", "an empty one was begun; what the old one owed, and its silences, are lost")
    };
    let aside = path.join(aside);
    let detail = format!("{left}; the damaged one is at {}. Found: {detail}", aside.display());
    Some(Event::new(EventKind::StoreDamaged, machine, Some(reason), *taken, detail, *at))
}
