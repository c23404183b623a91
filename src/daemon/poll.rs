//! One poll of one source: asked, read, judged, stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::ask::{self, Asked, Held};
use super::decide::decide;
use super::station::Station;
use super::{catchup, clock, learn, mirrored, planned, read, same};
use crate::control::api;
use crate::desk::{Desk, Source};
use crate::fault;
use crate::fetch::Freshness;
use crate::ingest::{self, Outcome, Polled, Receipt, Witness};
use crate::item::SourceName;
use crate::outbox::Delivery;
use crate::schedule::{self, Learned, PollReason};
use crate::store::{SourceState, StoreError, Transaction};
use crate::story::{AlertId, Disposition};

/// What a poll came to.
#[derive(Debug)]
pub struct Polling {
    /// For people.
    pub report: api::Poll,
    /// What is newly owed; durable.
    pub deliveries: Vec<Delivery>,
    /// When the next poll is due.
    pub due: Timestamp,
    /// Whether the store failed it. What it found may be on disk all the same, and then is owed.
    pub doubtful: bool,
    /// Whether what is owed may have been told before, since the store was restored.
    pub repeat: bool,
    /// Sources that stood aside for this one, which fails: they are due now.
    pub freed: Vec<SourceName>,
    /// The host that answers again, after its sources shared an incident.
    pub back: Option<String>,
}

/// After how long a source is asked again at the soonest when the store failed its poll.
const AFTER_FAULT: Duration = Duration::from_mins(1);

/// Polls a source, unless its server forbids that now.
///
/// # Cancel safety
/// Dropped before the commit, nothing happened; during it, the commit goes on and is durable.
pub async fn poll(station: &Station, desk: &Arc<Desk>, source: &Arc<Source>) -> Polling {
    poll_at(station, desk, source, clock::now()).await
}

/// Polls a source because somebody asks for it, unless it was polled a few minutes ago.
///
/// # Cancel safety
/// As [`poll`].
pub async fn poll_by_hand(station: &Station, desk: &Arc<Desk>, source: &Arc<Source>) -> Polling {
    let now = clock::now();
    let (name, address) = (source.name().clone(), source.address());
    let known = station.read(move |store| store.source(&name)).await.ok().flatten();
    // How another address fared says nothing, and a server's order tells a later time.
    let known = known.filter(|state| state.asked == address && state.forbidden_until(now).is_none());
    let rhythm = source.rhythm(&desk.config);
    let too_soon = known.and_then(|state| {
        let last = state.last_poll?;
        Some((schedule::by_hand_from(&rhythm, last, now)?, last, state))
    });
    let Some((free, last, state)) = too_soon else { return poll_at(station, desk, source, now).await };
    let due = planned::after(source, &state, &desk.config, free, now);
    let problems = vec![format!("polled at {last:.0} already; by hand again from {free:.0} on")];
    let report = api::Poll { problems, ..waiting(source, free).report };
    Polling {
        report,
        deliveries: Vec::new(),
        due,
        doubtful: false,
        repeat: false,
        freed: Vec::new(),
        back: None,
    }
}

/// The same as [`poll`] at a time that is passed in.
///
/// # Cancel safety
/// As [`poll`].
pub async fn poll_at(station: &Station, desk: &Arc<Desk>, source: &Arc<Source>, now: Timestamp) -> Polling {
    let work = async {
        let name = source.name().clone();
        let state = station.read(move |store| store.source(&name)).await?;
        Box::pin(try_poll(station, desk, source, state, now)).await
    };
    unless_refused(station, desk, source, now, work).await
}

/// The same as [`poll`] of a source of which the store said `state`, and which nobody polled since.
///
/// # Cancel safety
/// As [`poll`].
pub(super) async fn poll_from(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: Option<SourceState>,
) -> Polling {
    let now = clock::now();
    let work = Box::pin(try_poll(station, desk, source, state, now));
    unless_refused(station, desk, source, now, work).await
}

/// Polls by `work`, unless the disk refuses: what cannot be stored is not asked for.
async fn unless_refused(
    station: &Station,
    desk: &Desk,
    source: &Source,
    now: Timestamp,
    work: impl Future<Output = Result<Polling, StoreError>>,
) -> Polling {
    let refusal = station.writer.refusal();
    let doubtful = refusal.is_none();
    let polled = match refusal {
        Some(refusal) => Err(refusal),
        None => work.await,
    };
    match polled {
        Ok(polling) => polling,
        Err(fault) => {
            let fault = format!("{:#}", anyhow::Error::from(fault));
            if doubtful {
                warn!(source = %source.name(), "the store failed a poll, which will be made again: {fault}");
            } else {
                debug!(source = %source.name(), "not polled: {fault}");
            }
            let interval = source.rhythm(&desk.config).interval;
            let wait = if interval < schedule::FAST { interval } else { AFTER_FAULT.max(interval) };
            let due = later(now, wait);
            let report = api::Poll {
                source: source.name().to_string(),
                outcome: "failed".into(),
                failure: Some(format!("store: {fault}")),
                due: Some(due),
                ..api::Poll::default()
            };
            Polling {
                report,
                deliveries: Vec::new(),
                due,
                doubtful,
                repeat: false,
                freed: Vec::new(),
                back: None,
            }
        }
    }
}

/// The poll. A thousand may wait for their servers at once, so what few of them come to has its memory for itself.
async fn try_poll(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: Option<SourceState>,
    asked: Timestamp,
) -> Result<Polling, StoreError> {
    let begun = Instant::now();
    let state = state.unwrap_or_else(|| SourceState::blank(source.name())).at(&source.address());
    if let Some(order) = state.forbidden_until(asked) {
        return Ok(waiting(source, planned::after(source, &state, &desk.config, order, asked)));
    }
    if let Some(twin) = desk.landings.twin(source) {
        return Box::pin(same::stand_aside(station, desk, source, &state, twin, None, asked)).await;
    }
    let Asked { got, mut freshness, waited, led, host, passed, others, mirrors } =
        match ask::ask(desk, source, &state, asked).await {
            Ok(asked) => asked,
            Err(Held { left }) => {
                let end = later(asked, begun.elapsed().saturating_add(left));
                return Box::pin(wait_with_host(station, desk, source, &state, asked, end)).await;
            }
        };
    fault::point("fetched");
    let took = begun.elapsed();
    let time = Time { started: later(asked, waited), answered: later(asked, took) };
    let page = got.document().cloned();
    let mut read = read::read(station, desk, source, &state, got).await?;
    let (mut read, max_age) = if mirrors.is_empty() && read.layout().is_some() {
        Box::pin(mirrored::or_instead(station, desk, source, &state, (read, page), asked)).await?
    } else {
        (read, None)
    };
    freshness.max_age = freshness.max_age.max(max_age);
    read.also(&mirrors);
    if let Some(other) = same::other(desk, source, &state, &read.outcome) {
        let own = same::by_itself(desk, source, &state, freshness, time);
        let aside = same::stand_aside(station, desk, source, &state, other, Some(own), time.started);
        return Box::pin(aside).await;
    }
    let state = same::resumed(state, read.teller.as_deref());
    let read = catchup::complete(station, desk, source, &state, read, time).await?;
    // What is ordered at an older page is ordered to the source; it counts from when that page was asked for.
    let order = read.order.map(|left| left.saturating_add(begun.elapsed().saturating_sub(took)));
    let freshness = Freshness { retry_after: freshness.retry_after.max(order), ..freshness };
    let lesson = learn::learn(source, &state, &read, led.as_ref(), time.started);
    let decision = decide(desk, source, &state, &read, freshness, time, &lesson);
    let poll = ingest::Poll {
        source: polled(source),
        started: time.started,
        outcome: read.outcome,
        hints: read.hints,
        due: decision.due,
        not_before: decision.not_before,
        missed: read.missed,
        learned: Learned { reason: Some(decision.reason), ..lesson.learned },
        witness: Witness {
            host: host.or_else(|| source.host()),
            passed,
            others,
            reach: read.reach,
            silent_after: source.spec.silent_after,
            clock: freshness.clock,
        },
    };
    let word = word(&poll.outcome, read.unchanged);
    let force = desk.in_force.clone();
    let receipt = station.commit(&desk.fetcher, move |tx| ingest::ingest(tx, &poll, &force)).await?;
    if receipt.articles > 0 {
        station.articles.notify_one();
    }
    log(source, &state, &receipt, decision.reason);
    let freed = same::freed(desk, source, receipt.failing.as_ref().filter(|_| word == "failed"));
    let report = report(source, &receipt, word, read.problems, decision.due);
    let Receipt { deliveries, repeat, back, .. } = receipt;
    Ok(Polling { report, deliveries, due: decision.due, doubtful: false, repeat, freed, back })
}

/// What a poll came to, in a word.
fn word(outcome: &Outcome, unchanged: bool) -> &'static str {
    match outcome {
        Outcome::Failed { .. } => "failed",
        _ if unchanged => "unchanged",
        Outcome::Read(_) | Outcome::Repeated { .. } | Outcome::Unchanged { .. } => "read",
    }
}

/// What a poll's transaction has to know of its source.
fn polled(source: &Source) -> Polled {
    Polled {
        name: source.name().clone(),
        address: source.address(),
        read_as: source.read_as(),
        tags: source.spec.tags.clone(),
        tier: source.spec.tier,
        backlog: source.spec.backlog,
        article: source.spec.article,
    }
}

/// When the first request of a poll went out, and when its answer was there.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) started: Timestamp,
    pub(super) answered: Timestamp,
}

pub(super) fn later(time: Timestamp, wait: Duration) -> Timestamp {
    let wait = Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// A poll that the order of its host to another source forbids: kept, so that it is seen and outlives a restart.
async fn wait_with_host(
    station: &Station,
    desk: &Desk,
    source: &Source,
    known: &SourceState,
    now: Timestamp,
    end: Timestamp,
) -> Result<Polling, StoreError> {
    let due = planned::after(source, known, &desk.config, end, now);
    let (name, address) = (source.name().clone(), source.address());
    let wait = move |tx: &dyn Transaction| {
        let state = tx.source(&name)?.unwrap_or_else(|| SourceState::blank(&name)).at(&address);
        tx.put_source(&SourceState { due: Some(due), not_before: Some(end), ..state })
    };
    station.commit(&desk.fetcher, wait).await?;
    Ok(waiting(source, due))
}

/// A poll that a server's order forbids, and when the source is polled next.
fn waiting(source: &Source, due: Timestamp) -> Polling {
    let report = api::Poll {
        source: source.name().to_string(),
        outcome: "waiting".into(),
        due: Some(due),
        ..api::Poll::default()
    };
    Polling {
        report,
        deliveries: Vec::new(),
        due,
        doubtful: false,
        repeat: false,
        freed: Vec::new(),
        back: None,
    }
}

/// Tells of changes of state and of alerts, not of every poll.
fn log(source: &Source, before: &SourceState, receipt: &Receipt, next: PollReason) {
    let name = source.name();
    match (&before.failing, &receipt.failing) {
        (None, Some(failing)) => {
            warn!(source = %name, reason = failing.reason, "polls fail: {}", failing.detail);
        }
        (Some(_), None) => info!(source = %name, "polls succeed again"),
        _ => {
            debug!(source = %name, items = receipt.items, new = receipt.new, next = next.as_str(), "polled");
        }
    }
    if receipt.baseline {
        let fired = receipt.baseline_fired;
        info!(source = %name, items = receipt.items, fired, "baseline taken; `fired` would have alerted");
    }
    let mut owed: HashMap<AlertId, usize> = HashMap::new();
    for alert in receipt.deliveries.iter().filter_map(|delivery| delivery.subject.alert()) {
        *owed.entry(alert).or_default() += 1;
    }
    for (alert, disposition) in &receipt.alerts {
        let owed = owed.get(alert).copied().unwrap_or_default();
        info!(source = %name, %alert, disposition = disposition.as_str(), owed, "alert made");
    }
    for event in &receipt.events {
        info!(event = event.kind.as_str(), name = event.name, reason = event.reason, "{}", event.detail);
    }
}

fn report(
    source: &Source,
    receipt: &Receipt,
    word: &str,
    problems: Vec<String>,
    due: Timestamp,
) -> api::Poll {
    let outcome = if receipt.baseline { "baseline" } else { word };
    let sent = receipt.alerts.iter().filter(|(_, disposition)| *disposition == Disposition::Sent).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    api::Poll {
        source: source.name().to_string(),
        outcome: outcome.into(),
        items: receipt.items,
        new: receipt.new,
        edited: receipt.edited,
        baseline_fired: receipt.baseline_fired,
        alerts: count(sent),
        recorded: count(receipt.alerts.len() - sent),
        failure: receipt.failing.as_ref().map(|failing| format!("{}: {}", failing.reason, failing.detail)),
        problems,
        due: Some(due),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reckoned_from_the_clock_has_whole_milliseconds_too() {
        let time = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
        let later = later(time, Duration::from_nanos(2_000_999_999));
        assert_eq!(later.to_string(), "2027-01-15T08:00:02.123Z");
    }
}
