//! What outlives a restart beside the states of sources: which source has which document, and what servers ordered and
//! allow.

use jiff::Timestamp;

use super::station::Station;
use crate::desk::Desk;
use crate::store::{SourceState, StoreError};

/// Tells the desk what the store remembers, before anybody is asked; the states of all sources are the caller's to use.
///
/// # Errors
/// When the store cannot be read.
pub async fn recall(station: &Station, desk: &Desk, now: Timestamp) -> Result<Vec<SourceState>, StoreError> {
    let read = station.read(|store| Ok((store.sources()?, store.orders()?, store.robots()?)));
    let (states, orders, robots) = read.await?;
    desk.landings.remember(&states);
    for (host, order) in orders {
        if let Some(left) = order.left(now) {
            desk.fetcher.hold(&host, left);
        }
    }
    desk.fetcher.recall_robots(robots);
    Ok(states)
}
