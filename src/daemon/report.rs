//! When daily reports are due, and what stands in them.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::station::Station;
use super::{clock, sender};
use crate::control::rows;
use crate::desk::Desk;
use crate::outbox::circuit::Circuit;
use crate::outbox::{Delivery, DeliveryState};
use crate::report::{Report, ReportId, Unwell};
use crate::route::Recipient;
use crate::rules::spec::Severity;
use crate::store::{Store, StoreError, Transaction};
use crate::story::Disposition;

/// Owes reports when they are due, until `stop`.
pub(super) async fn run(
    station: Station,
    mut desk: watch::Receiver<Arc<Desk>>,
    sender: mpsc::Sender<sender::Order>,
    stop: CancellationToken,
) {
    loop {
        let in_force = Arc::clone(&desk.borrow_and_update());
        let next = match due(&station, &in_force, clock::now()).await {
            Ok((owed, next)) => {
                if !owed.is_empty() && sender.send(sender::Order::Owed(owed)).await.is_err() {
                    return;
                }
                next
            }
            Err(fault) => {
                warn!("reports cannot be made: {fault:#}");
                None
            }
        };
        // All branches are cancel-safe.
        tokio::select! {
            () = stop.cancelled() => return,
            changed = desk.changed() => if changed.is_err() { return },
            () = sleep(clock::until(next)) => {}
        }
    }
}

/// Owes the reports that are due, and tells when the next is. Whoever is to have reports from now on has the first at
/// the next time of day; one that was missed for days is made once.
///
/// # Errors
/// When the store fails.
pub(super) async fn due(
    station: &Station,
    desk: &Arc<Desk>,
    now: Timestamp,
) -> Result<(Vec<Delivery>, Option<Timestamp>), StoreError> {
    let routes = Arc::clone(&desk.in_force.routes);
    let wanted = routes.reported();
    let (mut owed, mut next) = (Vec::new(), None);
    for who in wanted {
        let last = station.read({
            let who = who.clone();
            move |store| store.reported(&who)
        });
        let last = last.await?.filter(|last| *last <= now);
        let Some(since) = last else {
            let first = who.clone();
            station.writer.commit(move |tx| tx.put_reported(&first, now)).await?;
            next = earliest(next, routes.report_after(&who, now));
            continue;
        };
        if routes.report_after(&who, since).is_none_or(|at| at > now) {
            next = earliest(next, routes.report_after(&who, since));
            continue;
        }
        let asked = Arc::clone(desk);
        let report = station.read(move |store| gather(store, &asked, since, now)).await?;
        info!(notifier = who.0, to = who.1, "the daily report is due");
        let reporting = who.clone();
        owed.push(station.writer.commit(move |tx| owe(tx, &reporting, &report)).await?);
        next = earliest(next, routes.report_after(&who, now));
    }
    Ok((owed, next))
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn owe(tx: &dyn Transaction, who: &Recipient, report: &Report) -> Result<Delivery, StoreError> {
    let id = ReportId::new(who, report.until);
    tx.put_report(id, report)?;
    tx.put_reported(who, report.until)?;
    let delivery = Delivery::owed(who.clone(), id.into(), report.until, DeliveryState::Ready);
    tx.put_delivery(&delivery)?;
    Ok(delivery)
}

/// What happened between.
fn gather(store: &dyn Store, desk: &Desk, since: Timestamp, until: Timestamp) -> Result<Report, StoreError> {
    let mut report = Report { since, until, sources: desk.sources.len(), ..Report::default() };
    store.visit_alerts(Some(since), &mut |alert| {
        if alert.disposition != Disposition::Sent {
            report.recorded += 1;
            return ControlFlow::Continue(());
        }
        *match alert.severity {
            Severity::Critical => &mut report.alerts.critical,
            Severity::High => &mut report.alerts.high,
            Severity::Medium => &mut report.alerts.medium,
            Severity::Low => &mut report.alerts.low,
            Severity::Info => &mut report.alerts.info,
        } += 1;
        ControlFlow::Continue(())
    })?;
    let unwell = rows::unwell(rows::sources(desk, &store.sources()?)).into_iter();
    report.unwell = unwell
        .map(|source| Unwell {
            name: source.name,
            state: source.state,
            reason: source.reason,
            since: source.since,
        })
        .collect();
    let fails = |circuit: &Circuit| circuit.fault.is_some() || circuit.refusals.values().any(|run| run.told);
    let failing = store.circuits()?.into_iter().filter(|(_, circuit)| fails(circuit));
    let names = failing.map(|(name, _)| name);
    report.notifiers_failing = names.filter(|name| desk.notifier(name).is_some()).collect();
    let stats = store.stats()?;
    (report.waiting, report.held, report.dead) =
        (stats.deliveries_open, stats.deliveries_held, stats.deliveries_dead);
    report.silences = store.silences()?.iter().filter(|silence| silence.is_active(until)).count();
    Ok(report)
}
