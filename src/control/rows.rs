//! Core values as rows of a listing.

use super::api;
use crate::desk::Desk;
use crate::ingest;
use crate::outbox::{Delivery, DeliveryState};
use crate::store::SourceState;
use crate::story::{Alert, AlertKind};

/// The state of every configured source, in the order of the config.
pub(super) fn sources(desk: &Desk, states: &[SourceState]) -> Vec<api::Source> {
    desk.sources
        .iter()
        .map(|source| {
            let blank = ingest::blank(source.name());
            let state = states.iter().find(|state| state.name == *source.name()).unwrap_or(&blank);
            let failing = state.failing.as_ref();
            api::Source {
                name: source.name().to_string(),
                kind: source.kind().into(),
                address: source.address(),
                state: word(state).to_owned(),
                reason: failing.map(|failing| failing.reason.clone()),
                detail: failing.map(|failing| failing.detail.clone()),
                since: failing.map(|failing| failing.since),
                failures: failing.map_or(0, |failing| failing.polls),
                baseline: state.baseline,
                baseline_fired: state.baseline_fired,
                last_poll: state.last_poll,
                last_success: state.last_success,
                last_new: state.last_new,
                due: state.due,
                not_before: state.not_before,
                items: state.items,
                items_last: state.items_last,
                lost_last: state.lost_last,
            }
        })
        .collect()
}

fn word(state: &SourceState) -> &'static str {
    match (&state.failing, state.baseline) {
        (Some(failing), _) if failing.reason == "gone" => "gone",
        (Some(_), _) => "failing",
        (None, Some(_)) => "ok",
        (None, None) => "new",
    }
}

/// An alert in a list.
pub(super) fn alert(alert: Alert) -> api::Alert {
    api::Alert {
        created: alert.created,
        disposition: alert.disposition.as_str().to_owned(),
        kind: match alert.kind {
            AlertKind::New => "alert.new".to_owned(),
            AlertKind::Update => "alert.update".to_owned(),
        },
        alert: alert.into(),
    }
}

/// A delivery in a list.
pub(super) fn delivery(delivery: &Delivery) -> api::Delivery {
    let (at, reason) = match &delivery.state {
        DeliveryState::Ready => (None, None),
        DeliveryState::Attempted { at } | DeliveryState::Delivered { at } => (Some(*at), None),
        DeliveryState::Retrying { due, reason } => (Some(*due), Some(reason.clone())),
        DeliveryState::Dead { at, reason } => (Some(*at), Some(reason.clone())),
    };
    api::Delivery {
        id: delivery.id.to_string(),
        alert: delivery.alert.to_string(),
        notifier: delivery.notifier.clone(),
        recipient: delivery.recipient.clone(),
        state: delivery.state.as_str().to_owned(),
        created: delivery.created,
        attempts: delivery.attempts,
        at,
        reason,
    }
}
