//! What a silence stops that was owed before it began: it is closed untold, counted under the silence and listed.
//!
//! An attempt may have reached its receiver before; no other is made.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::info;

use super::hold;
use super::question::Question;
use super::station::Station;
use super::untold;
use crate::desk::Desk;
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::silence::Silence;
use crate::store::{StoreError, Transaction};
use crate::story::{Alert, Disposition};

/// Stops those of `ids`, which are about to be let go, that a silence in force holds back; which those are.
///
/// # Errors
/// When the store fails; what is stopped by then stays so.
pub(super) async fn stop(
    station: &Station,
    desk: &Arc<Desk>,
    ids: Vec<DeliveryId>,
    now: Timestamp,
) -> Result<Vec<DeliveryId>, StoreError> {
    hold::decide(station, desk, ids, now, stop_those).await
}

fn stop_those(tx: &dyn Transaction, asked: &[(DeliveryId, Question)]) -> Result<Vec<DeliveryId>, StoreError> {
    let mut stopped = Vec::new();
    for (id, question) in asked {
        let Some(mut delivery) = tx.delivery(*id)?.filter(|delivery| delivery.state.is_open()) else {
            continue;
        };
        if hush(tx, question, &mut delivery)? {
            stopped.push(*id);
        }
    }
    Ok(stopped)
}

/// Closes `delivery`, which is open, when silences in force hold back all that it tells, and tells whether they do.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn hush(
    tx: &dyn Transaction,
    question: &Question,
    delivery: &mut Delivery,
) -> Result<bool, StoreError> {
    let mut silences = tx.silences()?;
    let Some(places) = question.silences(&silences, delivery) else { return Ok(false) };
    for (alert, place) in question.told.iter().zip(places) {
        let Some(silence) = silences.get_mut(place) else { continue };
        let (at, by) = (question.now(), Some(silence.id));
        delivery.state = DeliveryState::Dropped { at, by };
        tx.put_delivery(delivery)?;
        untell(tx, question, (alert, delivery), silence)?;
    }
    let (notifier, to) = (&delivery.notifier, &delivery.recipient);
    info!(delivery = %delivery.id, notifier, to, "not sent: a silence holds it back");
    tx.put_silences(&silences)?;
    Ok(true)
}

/// Takes note that `delivery` does not tell its recipient of `alert`, for that silence.
fn untell(
    tx: &dyn Transaction,
    question: &Question,
    (alert, delivery): (&Alert, &Delivery),
    silence: &mut Silence,
) -> Result<(), StoreError> {
    let own = DeliveryId::new(alert.id, &delivery.notifier, &delivery.recipient);
    if let Some(member) = tx.delivery(own)?.filter(|_| own != delivery.id) {
        tx.put_delivery(&Delivery { state: delivery.state.clone(), ..member })?;
    }
    let (mut is_noted, mut is_for_nobody) = (false, true);
    for (notifier, to) in question.routes().everybody() {
        let id = DeliveryId::new(alert.id, notifier, to);
        match tx.delivery(id)?.filter(|_| id != own).map(|other| other.state) {
            Some(DeliveryState::Dropped { by, .. }) => is_noted |= by == Some(silence.id),
            Some(_) => is_for_nobody = false,
            None => {}
        }
    }
    if !is_noted {
        silence.note(alert.id);
    }
    if is_for_nobody {
        tx.put_alert(&Alert { disposition: Disposition::Silenced, ..alert.clone() })?;
    }
    // Whoever was not told hears of the story when it goes on after the silence.
    untold::of(tx, delivery, alert)
}
