//! What is owed, by whom it is owed to.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::outbox::DeliveryState;
use crate::route::Recipient;
use crate::store::{Deliveries, Store, StoreError};

/// What is owed to one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// The notifier.
    pub notifier: String,
    /// The recipient, where the notifier has several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipient: String,
    /// Deliveries owed still, those that are held among them.
    pub open: u64,
    /// Those of them that failed and are tried again.
    pub retrying: u64,
}

/// What is owed to whom, by notifier and recipient.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn owed(store: &dyn Store) -> Result<Vec<Owed>, StoreError> {
    let mut counts: BTreeMap<Recipient, (u64, u64)> = BTreeMap::new();
    store.visit_deliveries(Deliveries::Open, &mut |delivery| {
        let retrying = matches!(delivery.state, DeliveryState::Retrying { .. });
        let count = counts.entry((delivery.notifier, delivery.recipient)).or_default();
        count.0 += 1;
        count.1 += u64::from(retrying);
        ControlFlow::Continue(())
    })?;
    let row = |((notifier, recipient), (open, retrying))| Owed { notifier, recipient, open, retrying };
    Ok(counts.into_iter().map(row).collect())
}
