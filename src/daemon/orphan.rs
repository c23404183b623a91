//! What is owed to somebody who is no longer configured: given up at once, and told, so that it is listed and not
//! forgotten until the hour at which it would have left.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::warn;

use super::station::Station;
use crate::control::api;
use crate::desk::Desk;
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::store::{Deliveries, Store, StoreError, Transaction};

/// Deliveries given up in one transaction.
const BATCH_MAX: usize = 500;

/// Why nobody can be told any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The notifier was taken out, or has another name now.
    Notifier,
    /// Its `to` names the recipient no more.
    Recipient,
}

impl Gone {
    /// Who of a desk's notifiers and their recipients is missing; `None` where nobody is.
    pub(crate) fn of(desk: &Desk, notifier: &str, recipient: &str) -> Option<Self> {
        // One whose secret only the service can read is there.
        if desk.unchecked.iter().any(|name| name == notifier) {
            return None;
        }
        match desk.notifier(notifier) {
            None => Some(Self::Notifier),
            Some(found) => (!found.tells(recipient)).then_some(Self::Recipient),
        }
    }

    /// Why a delivery is dead.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Notifier => "its notifier is no longer configured",
            Self::Recipient => "its recipient is no longer configured",
        }
    }
}

/// Gives up what waits for whoever is gone. What is under way ends by itself.
///
/// # Errors
/// When the store fails; what was given up by then stays so, and the rest is at its next attempt.
pub(super) async fn give_up(station: &Station, desk: Arc<Desk>, now: Timestamp) -> Result<(), StoreError> {
    let asked = Arc::clone(&desk);
    let ids = station.read(move |store| orphans(store, &asked)).await?;
    let mut count = 0;
    for batch in ids.chunks(BATCH_MAX) {
        let (batch, desk) = (batch.to_vec(), Arc::clone(&desk));
        count += station.writer.commit(move |tx| bury(tx, &desk, &batch, now)).await?;
    }
    if count > 0 {
        warn!(deliveries = count, "given up: whom they are owed to is no longer configured");
    }
    Ok(())
}

fn orphans(store: &dyn Store, desk: &Desk) -> Result<Vec<DeliveryId>, StoreError> {
    let mut ids = Vec::new();
    store.visit_deliveries(Deliveries::Open, &mut |delivery| {
        ids.extend(gone(desk, &delivery).map(|_| delivery.id));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

fn gone(desk: &Desk, delivery: &Delivery) -> Option<Gone> {
    Gone::of(desk, &delivery.notifier, &delivery.recipient)
}

/// Gives up those of `ids` that wait; how many those are.
fn bury(tx: &dyn Transaction, desk: &Desk, ids: &[DeliveryId], now: Timestamp) -> Result<usize, StoreError> {
    let mut count = 0;
    for id in ids {
        let waits = |delivery: &Delivery| match delivery.state {
            DeliveryState::Held(_) | DeliveryState::Ready | DeliveryState::Retrying { .. } => true,
            DeliveryState::Attempted { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Dropped { .. }
            | DeliveryState::Bundled { .. }
            | DeliveryState::Dead { .. } => false,
        };
        let Some(delivery) = tx.delivery(*id)?.filter(waits) else { continue };
        let Some(gone) = gone(desk, &delivery) else { continue };
        let state = DeliveryState::Dead { at: now, reason: gone.reason().to_owned() };
        tx.put_delivery(&Delivery { state, ..delivery })?;
        count += 1;
    }
    Ok(count)
}

/// What of `owed` a desk gives up, in words: `2 deliveries owed to `ops`, which is no longer configured`.
pub(crate) fn told(desk: &Desk, owed: &[api::Owed]) -> Vec<String> {
    let one = |owed: &api::Owed| {
        let gone = Gone::of(desk, &owed.notifier, &owed.recipient)?;
        let deliveries = if owed.open == 1 { "delivery" } else { "deliveries" };
        let whom = match gone {
            Gone::Notifier => format!("`{}`, which is no longer configured", owed.notifier),
            Gone::Recipient => {
                format!("`{}`, whom `{}` no longer names in `to`", owed.recipient, owed.notifier)
            }
        };
        Some(format!("{} {deliveries} owed to {whom}", owed.open))
    };
    owed.iter().filter_map(one).collect()
}
