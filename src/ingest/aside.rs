//! A source stands aside for another that has the same document.

use jiff::Timestamp;

use super::{InForce, Receipt, health};
use crate::item::SourceName;
use crate::schedule::PollReason;
use crate::store::{SourceState, StoreError, Transaction};

/// Who stands aside for whom.
#[derive(Clone, Debug)]
pub struct Aside {
    /// The source that does.
    pub source: SourceName,
    /// Its address, as configured.
    pub address: String,
    /// The source that has the items.
    pub other: SourceName,
    /// When it was found out.
    pub now: Timestamp,
    /// When it is looked at again.
    pub due: Timestamp,
    /// The server's order: no request before.
    pub not_before: Option<Timestamp>,
}

/// Stores that a source stands aside. What it knows of its items stays, should it have a document of its own again;
/// what was told of its failing is over.
///
/// # Errors
/// When the store fails.
pub fn stand_aside(tx: &dyn Transaction, aside: &Aside, force: &InForce) -> Result<Receipt, StoreError> {
    let Aside { source, address, other, now, due, not_before } = aside;
    let mut state = tx.source(source)?.unwrap_or_else(|| SourceState::blank(source)).at(address);
    let own = state.health.stand_aside(source.as_str(), other.as_str(), *now);
    let of_host = health::leave_host(tx, &mut state.health, source, *now)?;
    (state.failing, state.not_before) = (None, *not_before);
    (state.last_poll, state.due) = (Some(*now), Some(*due));
    state.learned.same_as = Some(other.clone());
    state.learned.told_by = Some(other.clone());
    state.learned.reason = Some(PollReason::Same);
    tx.put_source(&state)?;
    let mut receipt = Receipt::default();
    health::tell(tx, own.into_iter().chain(of_host).collect(), force, &mut receipt)?;
    Ok(receipt)
}
