//! What became of alerts that are sent: nobody may have been told yet, or ever.

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::api;
use super::rows;
use crate::outbox::bundle::BundleId;
use crate::outbox::{Delivery, DeliveryState, Subject};
use crate::route::hold::Hold;
use crate::store::{Deliveries, Store, StoreError};
use crate::story::{Alert, AlertId, Disposition};

/// How the deliveries of an alert stand, its own and those of bundles with it.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    arrived: bool,
    /// The hold that ends first.
    hold: Option<Hold>,
    /// Whether one is about to leave.
    open: bool,
    /// Whether one failed, and is tried again.
    retrying: bool,
    dead: bool,
}

impl Tally {
    fn add(&mut self, state: &DeliveryState) {
        match state {
            DeliveryState::Held(hold) => {
                let first = self.hold.filter(|first| first.until <= hold.until);
                self.hold = first.or(Some(*hold));
            }
            DeliveryState::Ready | DeliveryState::Attempted { .. } => self.open = true,
            DeliveryState::Retrying { .. } => self.retrying = true,
            DeliveryState::Delivered { .. } => self.arrived = true,
            DeliveryState::Dead { .. } => self.dead = true,
            // That of its bundle counts; what was dropped by hand is nothing to be told of.
            DeliveryState::Bundled { .. } | DeliveryState::Dropped { .. } => {}
        }
    }

    /// The same in a row.
    fn row(self, alert: Alert) -> api::Alert {
        let Self { arrived, hold, open, retrying, dead } = self;
        let mut row = rows::alert(alert);
        let told = arrived || open;
        row.held = hold
            .filter(|_| !told && !retrying)
            .map(|hold| api::Held { reason: hold.reason.as_str().to_owned(), until: hold.until });
        row.undelivered = match (told, retrying, hold) {
            (false, true, _) => Some("waiting".to_owned()),
            (false, false, None) if dead => Some("dead".to_owned()),
            _ => None,
        };
        row
    }
}

/// An alert as a row, by its `deliveries` and those of bundles with it.
pub(super) fn row(alert: Alert, deliveries: &[Delivery]) -> api::Alert {
    let mut tally = Tally::default();
    deliveries.iter().for_each(|delivery| tally.add(&delivery.state));
    tally.row(alert)
}

/// The alerts as rows.
pub(super) fn rows(store: &dyn Store, alerts: Vec<Alert>) -> Result<Vec<api::Alert>, StoreError> {
    let tallies = tallies(store, &alerts)?;
    let row = |alert: Alert| tallies.get(&alert.id).copied().unwrap_or_default().row(alert);
    Ok(alerts.into_iter().map(row).collect())
}

/// Of those alerts that are sent and of which a delivery is open or dead, how all of them stand.
fn tallies(store: &dyn Store, alerts: &[Alert]) -> Result<HashMap<AlertId, Tally>, StoreError> {
    let sent = alerts.iter().filter(|alert| alert.disposition == Disposition::Sent);
    let sent: HashMap<AlertId, Timestamp> = sent.map(|alert| (alert.id, alert.created)).collect();
    let mut tallies = HashMap::<AlertId, Tally>::new();
    let mut bundles: Vec<(BundleId, DeliveryState)> = Vec::new();
    for which in [Deliveries::Open, Deliveries::Dead] {
        store.visit_deliveries(which, &mut |delivery| {
            match delivery.subject {
                Subject::Alert(alert) if sent.contains_key(&alert) => {
                    tallies.entry(alert).or_default().add(&delivery.state);
                }
                Subject::Bundle(bundle) => bundles.push((bundle, delivery.state)),
                Subject::Alert(_) | Subject::Event(_) | Subject::Report(_) => {}
            }
            ControlFlow::Continue(())
        })?;
    }
    for (bundle, state) in bundles.drain(..) {
        for alert in store.bundle(bundle)?.into_iter().flat_map(|bundle| bundle.alerts) {
            if sent.contains_key(&alert) {
                tallies.entry(alert).or_default().add(&state);
            }
        }
    }
    // No delivery of an alert ends before the alert is made.
    let Some(oldest) = tallies.keys().filter_map(|alert| sent.get(alert)).min() else { return Ok(tallies) };
    store.visit_deliveries(Deliveries::Closed, &mut |delivery| {
        if end(&delivery).is_some_and(|end| end < *oldest) {
            return ControlFlow::Break(());
        }
        if matches!(delivery.state, DeliveryState::Delivered { .. }) {
            match delivery.subject {
                Subject::Alert(alert) => {
                    tallies.entry(alert).and_modify(|tally| tally.add(&delivery.state));
                }
                Subject::Bundle(bundle) => bundles.push((bundle, delivery.state)),
                Subject::Event(_) | Subject::Report(_) => {}
            }
        }
        ControlFlow::Continue(())
    })?;
    for (bundle, state) in bundles {
        for alert in store.bundle(bundle)?.into_iter().flat_map(|bundle| bundle.alerts) {
            tallies.entry(alert).and_modify(|tally| tally.add(&state));
        }
    }
    Ok(tallies)
}

/// When a delivery was closed.
fn end(delivery: &Delivery) -> Option<Timestamp> {
    match &delivery.state {
        DeliveryState::Delivered { at }
        | DeliveryState::Dropped { at }
        | DeliveryState::Bundled { at, .. }
        | DeliveryState::Dead { at, .. } => Some(*at),
        DeliveryState::Held(_)
        | DeliveryState::Ready
        | DeliveryState::Attempted { .. }
        | DeliveryState::Retrying { .. } => None,
    }
}
