//! Core values as rows of a listing.

use super::api;
use crate::config::SourceAddress;
use crate::desk::Desk;
use crate::ingest;
use crate::item::SourceKind;
use crate::outbox::{Delivery, DeliveryState};
use crate::store::SourceState;
use crate::story::{Alert, AlertKind};

/// The state of every configured source, in the order of the config; those switched off keep what is known.
pub(super) fn sources(desk: &Desk, states: &[SourceState]) -> Vec<api::Source> {
    desk.config
        .sources
        .iter()
        .map(|spec| {
            let blank = ingest::blank(&spec.name);
            let state = states.iter().find(|state| state.name == spec.name).unwrap_or(&blank);
            let failing = state.failing.as_ref().filter(|_| spec.enabled);
            let (kind, address) = match &spec.what {
                SourceAddress::Feed(url) => (SourceKind::Feed, url.to_string()),
                SourceAddress::Page { url, .. } => (SourceKind::Page, url.to_string()),
                SourceAddress::Telegram { channel, .. } => (SourceKind::Telegram, channel.clone()),
            };
            let active = desk.source(spec.name.as_str());
            api::Source {
                name: spec.name.to_string(),
                kind: kind.into(),
                address: active.map_or(address, |source| source.address()),
                state: if spec.enabled { word(state) } else { "off" }.to_owned(),
                reason: failing.map(|failing| failing.reason.clone()),
                detail: failing.map(|failing| failing.detail.clone()),
                since: failing.map(|failing| failing.since),
                failures: failing.map_or(0, |failing| failing.polls),
                baseline: state.baseline,
                baseline_fired: state.baseline_fired,
                last_poll: state.last_poll,
                last_success: state.last_success,
                last_new: state.last_new,
                due: state.due.filter(|_| spec.enabled),
                not_before: state.not_before,
                items: state.items,
                items_last: state.items_last,
                lost_last: state.lost_last,
                learned: (&state.learned).into(),
            }
        })
        .collect()
}

fn word(state: &SourceState) -> &'static str {
    match (&state.failing, state.baseline) {
        (Some(failing), _) if failing.reason == "gone" => "gone",
        (Some(_), _) => "failing",
        (None, _) if state.learned.same_as.is_some() => "same",
        (None, Some(_)) => "ok",
        (None, None) => "new",
    }
}

/// An alert in a list.
pub(crate) fn alert(alert: Alert) -> api::Alert {
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
