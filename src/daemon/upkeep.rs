//! Upkeep: retention, and the watchdog's proof of progress.

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

/// How often old records are removed.
const RETENTION_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// The first removal, after the rush of the start.
const RETENTION_FIRST: Duration = Duration::from_secs(5 * 60);

/// Runs until `stop`.
pub async fn run(station: Station, desk: watch::Receiver<Arc<Desk>>, live: Live, stop: CancellationToken) {
    let mut retention = interval_at(Instant::now() + RETENTION_FIRST, RETENTION_EVERY);
    retention.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watchdog = systemd::watchdog();
    // Three proofs per period, so that one may be late.
    let mut proof = interval(watchdog.unwrap_or(RETENTION_EVERY) / 3);
    proof.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // `tick` and `cancelled` are cancel-safe; the work runs in the branch bodies.
        tokio::select! {
            () = stop.cancelled() => return,
            _ = retention.tick() => {
                let keep = desk.borrow().config.store.keep;
                expire(&station, keep).await;
            }
            _ = proof.tick(), if watchdog.is_some() => {
                // Poller and sender answer, and a commit reaches the disk: then, and only then, it lives.
                if live.is_alive().await && station.writer.commit(|_| Ok(())).await.is_ok() {
                    systemd::alive();
                }
            }
        }
    }
}

async fn expire(station: &Station, keep: Duration) {
    let now = clock::now();
    match station.read(move |store| store.expire(now, keep)).await {
        Ok(gone) if gone == crate::store::Expired::default() => {}
        Ok(gone) => {
            let (keys, items, alerts, deliveries) = (gone.keys, gone.items, gone.alerts, gone.deliveries);
            info!(keys, items, alerts, deliveries, "removed records past their time");
        }
        Err(fault) => warn!("removing old records failed: {fault}"),
    }
}
