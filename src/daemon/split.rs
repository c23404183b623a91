//! What a receiver refuses as one message is told by smaller ones: a digest is never lost for one of its alerts, or for its
//! size.

use jiff::Timestamp;
use tracing::info;

use super::hold;
use crate::outbox::bundle::PART_ALERTS_MAX;
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Subject};
use crate::store::{StoreError, Transaction};

/// Has the alerts of `refused`, a bundle that its receiver will never take, leave in two of half as many, and one that is
/// left alone by itself. What is newly owed: nothing where it is no bundle of several, or one of more than a part holds, of
/// which a chat lists what fits.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn halve(
    tx: &dyn Transaction,
    refused: &Delivery,
    now: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    let Subject::Bundle(id) = refused.subject else { return Ok(Vec::new()) };
    let Some(bundle) = tx.bundle(id)? else { return Ok(Vec::new()) };
    let count = bundle.alerts.len();
    if !(2..=PART_ALERTS_MAX).contains(&count) {
        return Ok(Vec::new());
    }
    let mut owed = Vec::new();
    let (first, second) = bundle.alerts.split_at(count.div_ceil(2));
    for (part, alerts) in [(1, first), (2, second)] {
        let ids = alerts.iter().map(|alert| DeliveryId::new(*alert, &refused.notifier, &refused.recipient));
        let mut members = Vec::new();
        for id in ids {
            members.extend(tx.delivery(id)?.filter(|member| is_in(member, refused.id)));
        }
        if let [member] = members.as_slice() {
            let alone = Delivery { state: DeliveryState::Ready, ready: now, ..member.clone() };
            tx.put_delivery(&alone)?;
            owed.push(alone);
            continue;
        }
        let belongs = |member: &Delivery, _| is_in(member, refused.id);
        owed.extend(hold::bundle(tx, &members, (part, 2), now, bundle.cause, belongs)?);
    }
    let (notifier, to) = (&refused.notifier, &refused.recipient);
    info!(delivery = %refused.id, notifier, to, alerts = count, "refused as one message: told by smaller ones");
    Ok(owed)
}

/// Whether `bundle` tells what this one was to tell.
fn is_in(member: &Delivery, bundle: DeliveryId) -> bool {
    matches!(member.state, DeliveryState::Bundled { into, .. } if into == bundle)
}
