//! What became of alerts that are sent: nobody may have been told yet, or ever.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::route::Silenced;
use super::{api, rows};
use crate::daemon::clock;
use crate::notify::LATE;
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
    /// It failed and is tried again, or has not left in good time.
    Waiting,
    /// It arrived, or is about to leave.
    Told,
}

/// What decides whether something that is to be sent at once is.
struct Ways {
    now: Timestamp,
    /// The notifiers through which nothing gets.
    shut: HashSet<String>,
}

impl Ways {
    fn of(store: &dyn Store, now: Timestamp) -> Result<Self, StoreError> {
        let shut = store.circuits()?.into_iter().filter(|(_, circuit)| circuit.fault.is_some());
        Ok(Self { now, shut: shut.map(|(name, _)| name).collect() })
    }

    /// Whether `delivery`, which could leave or have an answer since then, does so within moments.
    fn take(&self, delivery: &Delivery, since: Timestamp) -> bool {
        !self.shut.contains(&delivery.notifier) && self.now.duration_since(since) <= LATE
    }
}

impl Fate {
    /// By the state of one delivery; none by that of a bundle's member, whose bundle counts, and of what was dropped by hand.
    fn of(delivery: &Delivery, ways: &Ways) -> Option<Self> {
        let leaving = |since| if ways.take(delivery, since) { Self::Told } else { Self::Waiting };
        match &delivery.state {
            DeliveryState::Held(hold) => Some(Self::Held(*hold)),
            DeliveryState::Retrying { .. } => Some(Self::Waiting),
            DeliveryState::Ready => Some(leaving(delivery.ready)),
            DeliveryState::Attempted { at } => Some(leaving(*at)),
            DeliveryState::Delivered { .. } => Some(Self::Told),
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
pub(super) fn row(
    store: &dyn Store,
    alert: Alert,
    deliveries: &[Delivery],
) -> Result<api::Alert, StoreError> {
    let silence = silences(store, std::slice::from_ref(&alert))?.remove(&alert.id);
    let ways = Ways::of(store, clock::now())?;
    let fates = deliveries.iter().filter_map(|delivery| Fate::of(delivery, &ways));
    Ok(told(alert, fates.reduce(Fate::with), silence))
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
fn silences(store: &dyn Store, alerts: &[Alert]) -> Result<HashMap<AlertId, Silenced>, StoreError> {
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
    let (mut fates, ways) = (HashMap::<AlertId, Fate>::new(), Ways::of(store, clock::now())?);
    for which in [Deliveries::Open, Deliveries::Dead] {
        for (alert, fate) in stand(store, &ways, which, None)? {
            if sent.contains_key(&alert) {
                fates.entry(alert).and_modify(|known| *known = known.with(fate)).or_insert(fate);
            }
        }
    }
    // No delivery of an alert ends before the alert is made.
    let Some(oldest) = fates.keys().filter_map(|alert| sent.get(alert)).min() else { return Ok(fates) };
    for (alert, fate) in stand(store, &ways, Deliveries::Closed, Some(*oldest))? {
        fates.entry(alert).and_modify(|known| *known = known.with(fate));
    }
    Ok(fates)
}

/// How the deliveries that are `wanted` stand, each by its alert or by all alerts of its bundle; of closed ones those that
/// ended after `oldest`.
fn stand(
    store: &dyn Store,
    ways: &Ways,
    wanted: Deliveries,
    oldest: Option<Timestamp>,
) -> Result<Vec<(AlertId, Fate)>, StoreError> {
    let (mut stand, mut bundles) = (Vec::new(), Vec::new());
    store.visit_deliveries(wanted, &mut |delivery| {
        if end(&delivery).zip(oldest).is_some_and(|(end, oldest)| end < oldest) {
            return ControlFlow::Break(());
        }
        let Some(fate) = Fate::of(&delivery, ways) else { return ControlFlow::Continue(()) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::hold::HoldReason;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    /// The fate of an alert so many minutes after it was made, by its deliveries to these notifiers, of which nothing gets
    /// through `shut`.
    fn fate(minutes: i64, deliveries: &[(&str, DeliveryState)]) -> Option<&'static str> {
        let ways = Ways { now: at(minutes), shut: HashSet::from(["shut".to_owned()]) };
        let owed = |(name, state): &(&str, DeliveryState)| {
            let (who, alert) = (((*name).to_owned(), String::new()), AlertId::from_bytes([7; 16]));
            Fate::of(&Delivery::owed(who, alert.into(), at(0), state.clone()), &ways)
        };
        deliveries.iter().filter_map(owed).reduce(Fate::with).map(|fate| match fate {
            Fate::Dead => "dead",
            Fate::Held(_) => "held",
            Fate::Waiting => "waiting",
            Fate::Told => "told",
        })
    }

    #[test]
    fn only_what_somebody_has_or_will_within_moments_is_told() {
        let (ready, attempted) = (DeliveryState::Ready, DeliveryState::Attempted { at: at(0) });
        let retrying = DeliveryState::Retrying { failed: at(0), due: at(60), reason: "503".into() };
        let dead = DeliveryState::Dead { at: at(0), reason: "400".into() };
        let delivered = DeliveryState::Delivered { at: at(0) };
        let held = DeliveryState::Held(Hold { reason: HoldReason::Quiet, until: at(90) });
        let dropped = DeliveryState::Dropped { at: at(0), by: None };
        for (minutes, deliveries, expected) in [
            (15, &[("ops", ready.clone())][..], Some("told")),
            (16, &[("ops", ready.clone())], Some("waiting")),
            (0, &[("shut", ready.clone())], Some("waiting")),
            (15, &[("ops", attempted.clone())], Some("told")),
            (16, &[("ops", attempted.clone())], Some("waiting")),
            (0, &[("shut", attempted.clone())], Some("waiting")),
            (0, &[("ops", retrying.clone())], Some("waiting")),
            (99, &[("shut", delivered.clone())], Some("told")),
            (0, &[("ops", dropped.clone())], None),
            // Of several, whoever is nearest to it counts.
            (0, &[("ops", dead.clone()), ("shut", ready.clone())], Some("waiting")),
            (0, &[("shut", ready.clone()), ("ops", dead.clone())], Some("waiting")),
            (0, &[("ops", dead.clone()), ("mail", ready.clone())], Some("told")),
            (16, &[("ops", dead.clone()), ("mail", ready.clone())], Some("waiting")),
            (0, &[("shut", ready.clone()), ("mail", held.clone())], Some("waiting")),
            (0, &[("ops", dead.clone()), ("mail", held.clone())], Some("held")),
            (0, &[("ops", dead.clone()), ("mail", dropped.clone())], Some("dead")),
            (99, &[("shut", ready.clone()), ("mail", delivered.clone())], Some("told")),
        ] {
            assert_eq!(fate(minutes, deliveries), expected, "{minutes} min: {deliveries:?}");
        }
    }
}
