//! Core values as rows of a listing.

use std::collections::HashMap;

use jiff::Timestamp;

use super::api;
use crate::config::{ArticleChoice, SourceAddress, SourceSpec};
use crate::daemon::clock;
use crate::daemon::planned;
use crate::daemon::poller::host_asked;
use crate::desk::Desk;
use crate::event::{self, Gap};
use crate::fetch::Order;
use crate::item::SourceKind;
use crate::outbox::{Delivery, DeliveryState, Subject};
use crate::source::telegram::ChannelName;
use crate::store::{Day, Failing, SourceState};
use crate::story::{Alert, AlertKind};

/// The state of every configured source, in the order of the config; those switched off keep what is known.
pub(crate) fn sources(desk: &Desk, states: &[SourceState]) -> Vec<api::Source> {
    let now = clock::now();
    desk.config
        .sources
        .iter()
        .map(|spec| {
            let blank = SourceState::blank(&spec.name);
            let state = states.iter().find(|state| state.name == spec.name).unwrap_or(&blank);
            let wrong = wrong(state).filter(|_| spec.enabled);
            let silent = state.health.silent.filter(|_| spec.enabled);
            let patience = event::patience(spec.silent_after, &state.health.arrivals, state.baseline, now);
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
                since: wrong.as_ref().map(|wrong| wrong.since).or(silent),
                failures: wrong.as_ref().map_or(0, |wrong| wrong.polls),
                reason: wrong.as_ref().map(|wrong| wrong.reason.clone()),
                detail: wrong.map(|wrong| wrong.detail),
                baseline: state.baseline,
                baseline_fired: state.baseline_fired,
                last_poll: state.last_poll,
                last_success: state.last_success,
                last_new: state.last_new,
                due: active.and_then(|source| planned::due(source, state, &desk.config)),
                not_before: state.not_before,
                items: state.items,
                items_last: state.items_last,
                lost_last: state.lost_last,
                gone: gone(spec, state),
                usual_gap_minutes: state.health.arrivals.usual().map(|gap| gap.as_secs() / 60),
                silent_after_minutes: patience.as_secs() / 60,
                gaps: state.health.gaps.iter().map(gap).collect(),
                articles: articles(spec, state, now),
                articles_waiting: 0,
                taken_over: state.channel.id.zip(state.channel.named),
                page_kept: None,
                learned: (&state.learned).into(),
            }
        })
        .collect()
}

/// Shows of each source how long the order of its host to all who ask there holds, also where no poll has met it yet.
pub(super) fn hold(
    sources: &mut [api::Source],
    desk: &Desk,
    states: &[SourceState],
    mut orders: HashMap<String, Order>,
) {
    let now = clock::now();
    orders.retain(|_, order| order.left(now).is_some());
    if orders.is_empty() {
        return;
    }
    for row in sources {
        let Some(source) = desk.source(&row.name) else { continue };
        let state = states.iter().find(|state| state.name == *source.name());
        let order = host_asked(source, state).and_then(|host| orders.get(&host));
        if let Some(Order { until, .. }) = order {
            row.not_before = row.not_before.max(Some(*until));
            row.due = row.due.map(|due| due.max(*until));
        }
    }
}

/// How the articles of a source ended, where it has them fetched.
fn articles(spec: &SourceSpec, state: &SourceState, now: Timestamp) -> Option<api::Articles> {
    let (since, ends) =
        state.articles.of_late(Day::of(now)).filter(|_| spec.article != ArticleChoice::Never)?;
    Some(api::Articles { since: counted_since(since, state.baseline), ends })
}

/// When counting began on a day: not at its midnight where the source was first read on it.
fn counted_since(day: Day, baseline: Option<Timestamp>) -> Timestamp {
    baseline.filter(|first| Day::of(*first) == day).unwrap_or_else(|| day.start())
}

/// The messages that are gone from a channel's preview.
fn gone(spec: &SourceSpec, state: &SourceState) -> Vec<api::Gone> {
    let SourceAddress::Telegram { channel, .. } = &spec.what else { return Vec::new() };
    let Ok(channel) = channel.parse::<ChannelName>() else { return Vec::new() };
    let row = |(number, noticed): &(u64, _)| api::Gone {
        url: format!("https://t.me/{channel}/{number}"),
        noticed: *noticed,
    };
    state.channel.gone.iter().map(row).collect()
}

fn word(state: &SourceState) -> &'static str {
    match (wrong(state), state.health.silent, state.baseline) {
        (Some(wrong), ..) if wrong.reason == "gone" => "gone",
        (Some(_), ..) => "failing",
        (None, ..) if state.learned.same_as.is_some() => "same",
        (None, Some(_), _) => "silent",
        (None, None, Some(_)) => "ok",
        (None, None, None) => "new",
    }
}

/// What is wrong with a source: its polls fail, or it could be read and is not what it was.
fn wrong(state: &SourceState) -> Option<Failing> {
    let of_document = state.health.run.as_ref().filter(|run| run.of_document).map(|run| Failing {
        since: run.since,
        polls: run.polls,
        reason: run.reason.clone(),
        detail: run.detail.clone(),
    });
    state.failing.clone().or(of_document)
}

fn gap(gap: &Gap) -> api::Gap {
    api::Gap { since: gap.since, until: gap.until, detail: gap.detail.clone() }
}

/// The sources that are not well.
pub(crate) fn unwell(sources: Vec<api::Source>) -> Vec<api::Unwell> {
    let is_unwell = |source: &api::Source| matches!(source.state.as_str(), "failing" | "gone" | "silent");
    let unwell = |source: api::Source| api::Unwell {
        name: source.name,
        state: source.state,
        reason: source.reason,
        since: source.since,
    };
    sources.into_iter().filter(is_unwell).map(unwell).collect()
}

/// An alert in a list, by itself: whether it is held, waits or is dead is for its deliveries to say.
pub(crate) fn alert(alert: Alert) -> api::Alert {
    api::Alert {
        created: alert.created,
        disposition: alert.disposition.as_str().to_owned(),
        held: None,
        undelivered: None,
        silence: None,
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
        DeliveryState::Held(hold) => (Some(hold.until), Some(hold.reason.as_str().to_owned())),
        DeliveryState::Ready => (None, None),
        DeliveryState::Attempted { at } | DeliveryState::Delivered { at } => (Some(*at), None),
        DeliveryState::Dropped { at, by } => (Some(*at), by.map(|silence| format!("silence {silence}"))),
        DeliveryState::Bundled { at, into } => (Some(*at), Some(format!("told as part of {into}"))),
        DeliveryState::Retrying { due, reason, .. } => (Some(*due), Some(reason.clone())),
        DeliveryState::Dead { at, reason } => (Some(*at), Some(reason.clone())),
    };
    let (mut alert, mut event, mut bundle, mut report) = Default::default();
    match delivery.subject {
        Subject::Alert(id) => alert = id.to_string(),
        Subject::Event(id) => event = id.to_string(),
        Subject::Bundle(id) => bundle = id.to_string(),
        Subject::Report(id) => report = id.to_string(),
    }
    api::Delivery {
        id: delivery.id.to_string(),
        alert,
        event,
        bundle,
        report,
        notifier: delivery.notifier.clone(),
        recipient: delivery.recipient.clone(),
        state: delivery.state.as_str().to_owned(),
        created: delivery.created,
        attempts: delivery.attempts,
        possible_duplicate: delivery.may_have_arrived,
        at,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_begins_when_its_source_was_first_read() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = Day::of(at("2026-11-02T20:00:00Z"));
        for (baseline, expected) in [
            (Some("2026-11-02T20:00:00Z"), "2026-11-02T20:00:00Z"),
            (Some("2026-11-01T20:00:00Z"), "2026-11-02T00:00:00Z"),
            // A new address was read for the first time, and what was counted before still counts.
            (Some("2026-11-03T20:00:00Z"), "2026-11-02T00:00:00Z"),
            (None, "2026-11-02T00:00:00Z"),
        ] {
            assert_eq!(counted_since(day, baseline.map(at)), at(expected), "{baseline:?}");
        }
    }
}
