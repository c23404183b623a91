//! Time in which this machine was off or asleep, or that its clock leapt over. Nothing was tried then, so none of it is
//! time of trying.

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::station::Station;
use crate::store::{Store, StoreError, Transaction};

/// A shorter gap is none: polls and attempts may be as far apart, and so may runs of `once`.
const ABSENCE_MIN: SignedDuration = SignedDuration::from_hours(6);

/// Notes, at a start at `now`, for how long nothing was done.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn note_start(station: &Station, now: Timestamp) -> Result<(), StoreError> {
    if let Some(last) = station.read(move |store| last_sign(store, now)).await? {
        note_gap(station, last, now).await;
    }
    Ok(())
}

/// Notes that nothing was done between `last` and `now`, if that is long.
pub(super) async fn note_gap(station: &Station, last: Timestamp, now: Timestamp) {
    if let Err(fault) = note(station, last, now).await {
        warn!("that nothing was done from {last:.0} on could not be stored: {fault:#}");
    }
}

async fn note(station: &Station, last: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    if now.duration_since(last) < ABSENCE_MIN {
        return Ok(());
    }
    info!(from = %last, "nothing was done for long; what waits is tried for as much longer");
    let noted = move |tx: &dyn Transaction| {
        let mut network = tx.network()?;
        network.away(last, now);
        tx.put_network(&network)
    };
    station.writer.commit(noted).await
}

/// When last a source was polled or a way was found closed.
fn last_sign(store: &dyn Store, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let polled = store.sources()?.into_iter().filter_map(|state| state.last_poll);
    let tried = store.circuits()?.into_iter().filter_map(|(_, circuit)| Some(circuit.fault?.last));
    Ok(polled.chain(tried).filter(|at| *at <= now).max())
}
