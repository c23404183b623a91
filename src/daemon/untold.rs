//! Whoever was owed an alert and does not get it hears of its story when that goes on: they no longer count as told.

use super::hold::who;
use crate::outbox::{Delivery, Subject};
use crate::store::{StoreError, Transaction};
use crate::story::{Alert, join};

/// Takes note that `delivery`, which was given up, tells its recipient of nothing, unless they may have it.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn by(tx: &dyn Transaction, delivery: &Delivery) -> Result<(), StoreError> {
    let alerts = match delivery.subject {
        Subject::Alert(alert) => vec![alert],
        Subject::Bundle(bundle) => tx.bundle(bundle)?.map(|bundle| bundle.alerts).unwrap_or_default(),
        Subject::Event(_) | Subject::Report(_) => Vec::new(),
    };
    for alert in alerts {
        if let Some(alert) = tx.alert(alert)? {
            of(tx, delivery, &alert)?;
        }
    }
    Ok(())
}

/// Takes note that `delivery`, which is closed, does not tell its recipient of `alert`, unless they may have it.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn of(tx: &dyn Transaction, delivery: &Delivery, alert: &Alert) -> Result<(), StoreError> {
    if delivery.may_have_arrived {
        return Ok(());
    }
    let Some(mut story) = tx.story(alert.story.id)? else { return Ok(()) };
    join::take_back(&mut story, &who(delivery), alert.severity);
    tx.put_story(&story)
}
