//! Upkeep: retention, and the watchdog's proof of progress. Two tasks, since a long removal must not keep the
//! proof waiting.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::live::Live;
use super::station::Station;
use super::{clock, systemd};
use crate::desk::Desk;
use crate::schedule;
use crate::store::Expired;

/// How often old records are removed.
const RETENTION_EVERY: Duration = Duration::from_hours(6);

/// The first removal, after the rush of the start.
const RETENTION_FIRST: Duration = Duration::from_mins(5);

/// How often those do it that make one round and do not stay.
const ROUND_RETENTION_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Longest removal in one round; what is left waits for the next.
const ROUND_RETENTION_MAX: Duration = Duration::from_mins(1);

/// Removes records past their time, until `stop`.
pub async fn retain(station: Station, desk: watch::Receiver<Arc<Desk>>, stop: CancellationToken) {
    let mut due = interval_at(Instant::now() + RETENTION_FIRST, RETENTION_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // `tick` and `cancelled` are cancel-safe; the removal runs in the branch body.
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {
                let (keep, stop) = (desk.borrow().config.store.keep, stop.clone());
                expire(&station, keep, clock::now(), move || !stop.is_cancelled()).await;
            }
        }
    }
}

/// Removes records past their time within a minute, unless that was done within a day.
pub async fn retain_in_round(station: &Station, keep: Duration, now: Timestamp) {
    let last = station.read(|store| store.retained()).await.unwrap_or_else(|fault| {
        warn!("when old records were removed is not known: {fault}");
        None
    });
    let is_late = |last: Timestamp| {
        now.duration_since(last) >= ROUND_RETENTION_EVERY || schedule::is_set_back(last, now)
    };
    if last.is_none_or(is_late) {
        let begun = Instant::now();
        expire(station, keep, now, move || begun.elapsed() < ROUND_RETENTION_MAX).await;
    }
}

/// Removes records past their time as long as it may go on, and takes note when none is left.
async fn expire(
    station: &Station,
    keep: Duration,
    now: Timestamp,
    go_on: impl Fn() -> bool + Send + 'static,
) {
    let expired = station.read(move |store| store.expire(now, keep, &go_on)).await;
    let done = match expired {
        Ok(Expired { cut: true, .. }) => {
            info!("removing old records goes on another time");
            return;
        }
        Ok(Expired { keys, items, alerts, deliveries, cut: false }) => {
            if keys + items + alerts + deliveries > 0 {
                info!(keys, items, alerts, deliveries, "removed records past their time");
            }
            station.writer.commit(move |tx| tx.put_retained(now)).await
        }
        Err(fault) => Err(fault),
    };
    if let Err(fault) = done {
        warn!("removing old records failed: {fault}");
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
                // Poller and sender answer, and a commit reaches the disk: then, and only then, it lives. A disk that
                // refuses answers too: a daemon started anew would fare no better, and forget what left without a record.
                if live.is_alive().await {
                    match station.writer.commit(|_| Ok(())).await {
                        Ok(()) => systemd::alive(),
                        Err(fault) if fault.is_of_disk() => systemd::alive(),
                        Err(fault) => warn!("no sign of life for the watchdog: {fault}"),
                    }
                }
            }
        }
    }
}
