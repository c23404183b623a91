//! Alerts that nobody was told of yet, since their routes hold them.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::api;
use super::rows;
use crate::outbox::{Delivery, DeliveryState};
use crate::route::hold::Hold;
use crate::store::{Deliveries, Store, StoreError};
use crate::story::{Alert, AlertId, Disposition};

/// The alerts as rows, each with what holds it.
pub(super) fn rows(store: &dyn Store, alerts: Vec<Alert>) -> Result<Vec<api::Alert>, StoreError> {
    let holds = holds(store, &alerts)?;
    let row = |alert: Alert| api::Alert { held: holds.get(&alert.id).map(held), ..rows::alert(alert) };
    Ok(alerts.into_iter().map(row).collect())
}

/// Of those alerts whose deliveries are all held, the hold that ends first.
fn holds(store: &dyn Store, alerts: &[Alert]) -> Result<HashMap<AlertId, Hold>, StoreError> {
    let sent = alerts.iter().filter(|alert| alert.disposition == Disposition::Sent);
    let sent: HashMap<AlertId, Timestamp> = sent.map(|alert| (alert.id, alert.created)).collect();
    let (mut holds, mut others) = (HashMap::<AlertId, Hold>::new(), HashSet::new());
    store.visit_deliveries(Deliveries::Open, &mut |delivery| {
        let Some(alert) = delivery.subject.alert().filter(|alert| sent.contains_key(alert)) else {
            return ControlFlow::Continue(());
        };
        match delivery.state.held() {
            Some(hold) => {
                let first = holds.entry(alert).or_insert(hold);
                *first = earlier(*first, hold);
            }
            None => _ = others.insert(alert),
        }
        ControlFlow::Continue(())
    })?;
    holds.retain(|alert, _| !others.contains(alert));
    // No delivery of an alert ends before the alert is made.
    let Some(oldest) = holds.keys().filter_map(|alert| sent.get(alert)).min() else { return Ok(holds) };
    store.visit_deliveries(Deliveries::Closed, &mut |delivery| {
        if end(&delivery).is_some_and(|end| end < *oldest) {
            return ControlFlow::Break(());
        }
        if let Some(alert) = delivery.subject.alert() {
            holds.remove(&alert);
        }
        ControlFlow::Continue(())
    })?;
    Ok(holds)
}

/// What holds all of an alert's `deliveries`: the hold that ends first.
pub(super) fn of(deliveries: &[Delivery]) -> Option<api::Held> {
    let holds: Option<Vec<Hold>> = deliveries.iter().map(|delivery| delivery.state.held()).collect();
    holds?.into_iter().reduce(earlier).as_ref().map(held)
}

fn earlier(one: Hold, other: Hold) -> Hold {
    if other.until < one.until { other } else { one }
}

fn held(hold: &Hold) -> api::Held {
    api::Held { reason: hold.reason.as_str().to_owned(), until: hold.until }
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
