//! What became of alerts that are sent: nobody may have been told yet, or ever.

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::route::Silenced;
use super::{api, rows};
use crate::outbox::{Delivery, DeliveryState, Subject};
use crate::route::hold::Hold;
use crate::store::{Deliveries, Store, StoreError};
use crate::story::{Alert, AlertId, Disposition};

/// How an alert stands with whoever got it first, or is the nearest to it.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It was given up.
    Dead,
    /// A route holds it, in the hold that ends first.
    Held(Hold),
    /// It failed and is tried again.
    Waiting,
    /// It arrived, or is about to leave.
    Told,
}

impl Fate {
    /// By the state of one delivery; none by that of a bundle's member, whose bundle counts, and of what was dropped by hand.
    fn of(state: &DeliveryState) -> Option<Self> {
        match state {
            DeliveryState::Held(hold) => Some(Self::Held(*hold)),
            DeliveryState::Retrying { .. } => Some(Self::Waiting),
            DeliveryState::Ready | DeliveryState::Attempted { .. } | DeliveryState::Delivered { .. } => {
                Some(Self::Told)
            }
            DeliveryState::Dead { .. } => Some(Self::Dead),
            DeliveryState::Bundled { .. } | DeliveryState::Dropped { .. } => None,
        }
    }

    /// By this delivery and another.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Told, _) | (_, Self::Told) => Self::Told,
            (Self::Waiting, _) | (_, Self::Waiting) => Self::Waiting,
            (Self::Held(one), Self::Held(other)) => {
                Self::Held(if other.until < one.until { other } else { one })
            }
            (Self::Held(hold), Self::Dead) | (Self::Dead, Self::Held(hold)) => Self::Held(hold),
            (Self::Dead, Self::Dead) => Self::Dead,
        }
    }
}

/// An alert as a row, by its `deliveries` and those of bundles with it, and by the silence that held it back.
pub(super) fn row(alert: Alert, deliveries: &[Delivery], silence: Option<Silenced>) -> api::Alert {
    told(
        alert,
        deliveries.iter().filter_map(|delivery| Fate::of(&delivery.state)).reduce(Fate::with),
        silence,
    )
}

fn told(alert: Alert, fate: Option<Fate>, silence: Option<Silenced>) -> api::Alert {
    let mut row = rows::alert(alert);
    row.silence = silence;
    match fate {
        Some(Fate::Held(Hold { reason, until })) => {
            row.held = Some(api::Held { reason: reason.as_str().to_owned(), until });
        }
        Some(Fate::Waiting) => row.undelivered = Some("waiting".to_owned()),
        Some(Fate::Dead) => row.undelivered = Some("dead".to_owned()),
        Some(Fate::Told) | None => {}
    }
    row
}

/// The alerts as rows.
pub(super) fn rows(store: &dyn Store, alerts: Vec<Alert>) -> Result<Vec<api::Alert>, StoreError> {
    let (fates, mut silences) = (fates(store, &alerts)?, silences(store, &alerts)?);
    let row = |alert: Alert| {
        let (fate, silence) = (fates.get(&alert.id).copied(), silences.remove(&alert.id));
        told(alert, fate, silence)
    };
    Ok(alerts.into_iter().map(row).collect())
}

/// By which silence those of the alerts that are silenced were held back, as far as it lists them still.
pub(super) fn silences(
    store: &dyn Store,
    alerts: &[Alert],
) -> Result<HashMap<AlertId, Silenced>, StoreError> {
    if alerts.iter().all(|alert| alert.disposition != Disposition::Silenced) {
        return Ok(HashMap::new());
    }
    let silences = store.silences()?;
    let listed = silences.iter().flat_map(|by| by.alerts.iter().map(move |alert| (*alert, Silenced::by(by))));
    Ok(listed.collect())
}

/// The fates of those alerts that are sent and of which a delivery is open or dead.
fn fates(store: &dyn Store, alerts: &[Alert]) -> Result<HashMap<AlertId, Fate>, StoreError> {
    let sent = alerts.iter().filter(|alert| alert.disposition == Disposition::Sent);
    let sent: HashMap<AlertId, Timestamp> = sent.map(|alert| (alert.id, alert.created)).collect();
    let mut fates = HashMap::<AlertId, Fate>::new();
    for which in [Deliveries::Open, Deliveries::Dead] {
        for (alert, fate) in stand(store, which, None)? {
            if sent.contains_key(&alert) {
                fates.entry(alert).and_modify(|known| *known = known.with(fate)).or_insert(fate);
            }
        }
    }
    // No delivery of an alert ends before the alert is made.
    let Some(oldest) = fates.keys().filter_map(|alert| sent.get(alert)).min() else { return Ok(fates) };
    for (alert, fate) in stand(store, Deliveries::Closed, Some(*oldest))? {
        fates.entry(alert).and_modify(|known| *known = known.with(fate));
    }
    Ok(fates)
}

/// How the deliveries that are `wanted` stand, each by its alert or by all alerts of its bundle; of closed ones those that
/// ended after `oldest`.
fn stand(
    store: &dyn Store,
    wanted: Deliveries,
    oldest: Option<Timestamp>,
) -> Result<Vec<(AlertId, Fate)>, StoreError> {
    let (mut stand, mut bundles) = (Vec::new(), Vec::new());
    store.visit_deliveries(wanted, &mut |delivery| {
        if end(&delivery).zip(oldest).is_some_and(|(end, oldest)| end < oldest) {
            return ControlFlow::Break(());
        }
        let Some(fate) = Fate::of(&delivery.state) else { return ControlFlow::Continue(()) };
        match delivery.subject {
            Subject::Alert(alert) => stand.push((alert, fate)),
            Subject::Bundle(bundle) => bundles.push((bundle, fate)),
            Subject::Event(_) | Subject::Report(_) => {}
        }
        ControlFlow::Continue(())
    })?;
    for (bundle, fate) in bundles {
        let alerts = store.bundle(bundle)?.into_iter().flat_map(|bundle| bundle.alerts);
        stand.extend(alerts.map(|alert| (alert, fate)));
    }
    Ok(stand)
}

/// When a delivery was closed.
fn end(delivery: &Delivery) -> Option<Timestamp> {
    match &delivery.state {
        DeliveryState::Delivered { at }
        | DeliveryState::Dropped { at, .. }
        | DeliveryState::Bundled { at, .. }
        | DeliveryState::Dead { at, .. } => Some(*at),
        DeliveryState::Held(_)
        | DeliveryState::Ready
        | DeliveryState::Attempted { .. }
        | DeliveryState::Retrying { .. } => None,
    }
}
