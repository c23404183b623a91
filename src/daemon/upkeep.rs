//! Upkeep: retention, and the watchdog's proof of progress. Two tasks, since a long removal must not keep the
//! proof waiting.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::live::Live;
use super::station::Station;
use super::{clock, systemd};
use crate::desk::Desk;
use crate::store::Expired;

/// How often old records are removed.
const RETENTION_EVERY: Duration = Duration::from_hours(6);

/// The first removal, after the rush of the start.
const RETENTION_FIRST: Duration = Duration::from_mins(5);

/// Removes records past their time, until `stop`.
pub async fn retain(station: Station, desk: watch::Receiver<Arc<Desk>>, stop: CancellationToken) {
    let mut due = interval_at(Instant::now() + RETENTION_FIRST, RETENTION_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // `tick` and `cancelled` are cancel-safe; the removal runs in the branch body.
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {
                let keep = desk.borrow().config.store.keep;
                expire(&station, keep).await;
            }
        }
    }
}

async fn expire(station: &Station, keep: Duration) {
    let now = clock::now();
    match station.read(move |store| store.expire(now, keep)).await {
        Ok(gone) if gone == Expired::default() => {}
        Ok(Expired { keys, items, alerts, deliveries }) => {
            info!(keys, items, alerts, deliveries, "removed records past their time");
        }
        Err(fault) => warn!("removing old records failed: {fault}"),
    }
}

/// Proves progress to systemd, until `stop`; without a watchdog it only waits for that.
pub async fn prove(station: Station, live: Live, stop: CancellationToken) {
    let Some(patience) = systemd::watchdog() else {
        return stop.cancelled().await;
    };
    // Three proofs per period, so that one may be late.
    let mut due = interval(patience / 3);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // `tick` and `cancelled` are cancel-safe; a proof that hangs is one that is not given.
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {
                // Poller and sender answer, and a commit reaches the disk: then, and only then, it lives.
                if live.is_alive().await && station.writer.commit(|_| Ok(())).await.is_ok() {
                    systemd::alive();
                }
            }
        }
    }
}
