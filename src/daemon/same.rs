//! Sources that have the same document: one of them has its items, the others stand aside.

use jiff::Timestamp;
use tracing::info;
use url::Url;

use super::planned;
use super::poll::{Polling, Time};
use super::station::Station;
use crate::control::api;
use crate::desk::{Desk, Source};
use crate::fetch::Freshness;
use crate::ingest::{self, Aside, Harvest, Outcome};
use crate::item::SourceName;
use crate::schedule::{self, PollDecision, PollOutcome, PollReason};
use crate::store::{Failing, SourceState, Store, StoreError};

/// The source that has the document which this one was given and could read, if it is another. Of a page put up while
/// a whole site is at work nothing can be read, and nobody stands aside.
pub(super) fn other(
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    outcome: &Outcome,
) -> Option<SourceName> {
    let from = match outcome {
        Outcome::Read(Harvest { validators: (from, _), .. })
        | Outcome::Repeated { validators: (from, _) } => from,
        Outcome::Unchanged { .. } => &state.validators.as_ref()?.0,
        Outcome::Failed { .. } => return None,
    };
    desk.landings.landed(source.name(), from)
}

/// When a source that was led to the document of another would be asked again if that had been its own.
pub(super) fn by_itself(
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    freshness: Freshness,
    time: Time,
) -> PollDecision {
    let poll = schedule::Poll {
        started: time.started,
        answered: time.answered,
        outcome: PollOutcome::Read,
        freshness,
        hints: state.hints(),
        validators: true,
        news: state.learned.news(state.last_new.max(state.baseline), false),
    };
    schedule::next_poll(source.name(), &source.rhythm(&desk.config), &poll)
}

/// Lets a source stand aside for `other`. Whether that still holds is looked at in a day; a redirect there may be a
/// detour, so it is looked at first when the source would be due by itself (`own`; none of one with the same address,
/// which is not asked), and then after ever longer waits up to that. What it knows of its items stays, should it have a
/// document of its own again.
pub(super) async fn stand_aside(
    station: &Station,
    desk: &Desk,
    source: &Source,
    before: &SourceState,
    other: SourceName,
    own: Option<PollDecision>,
    now: Timestamp,
) -> Result<Polling, StoreError> {
    let name = source.name();
    let again = before.learned.same_as.as_ref() == Some(&other);
    if !again {
        info!(source = %name, %other, "has the same document as another source, which has its items");
    }
    let in_a_day = now.checked_add(schedule::SAME_AGAIN_AFTER).unwrap_or(schedule::NEVER);
    let not_before = own.and_then(|own| own.not_before);
    let due = match own {
        Some(own) if !again => own.due,
        // A detour of some hours is to cost no day: each wait is twice as long as the one before.
        Some(own) => own.due.max(twice_as_late(before, now).unwrap_or(in_a_day).min(in_a_day)),
        None => in_a_day.max(not_before.unwrap_or(in_a_day)),
    };
    let report = api::Poll {
        source: name.to_string(),
        outcome: "same".into(),
        problems: vec![format!("the same document as `{other}`, which has its items")],
        due: Some(due),
        ..api::Poll::default()
    };
    let aside = Aside { source: name.clone(), address: source.address(), other, now, due, not_before };
    let force = desk.in_force.clone();
    let receipt = station.commit(&desk.fetcher, move |tx| ingest::stand_aside(tx, &aside, &force)).await?;
    let deliveries = receipt.deliveries;
    Ok(Polling { report, deliveries, due, doubtful: false, repeat: false, freed: Vec::new(), back: None })
}

/// When a source is due that waits twice as long as it waited last.
fn twice_as_late(before: &SourceState, now: Timestamp) -> Option<Timestamp> {
    let waited = before.due?.duration_since(before.last_poll?);
    now.checked_add(waited.checked_mul(2)?).ok()
}

/// The source for which this one stood aside until now, where that has read what this one shows: the document at `url`,
/// or items of it (`shared`).
pub(super) fn teller(
    store: &dyn Store,
    state: &SourceState,
    url: &Url,
    shared: bool,
) -> Result<Option<SourceState>, StoreError> {
    let Some(other) = &state.learned.told_by else { return Ok(None) };
    let has_read = |other: &SourceState| {
        shared || other.validators.as_ref().is_some_and(|(from, _)| from == url.as_str())
    };
    Ok(store.source(other)?.filter(has_read))
}

/// A source that has stood aside, as if it had read what the other did meanwhile.
pub(super) fn resumed(state: SourceState, teller: Option<&SourceState>) -> SourceState {
    let Some(teller) = teller else { return state };
    SourceState {
        last_success: state.last_success.max(teller.last_success),
        telegram_newest: state.telegram_newest.max(teller.telegram_newest),
        ..state
    }
}

/// Who stood aside for a source and is due now that it fails; `failing` where its last poll failed.
pub(super) fn freed(desk: &Desk, source: &Source, failing: Option<&Failing>) -> Vec<SourceName> {
    desk.landings.failed(source.name(), failing.map_or(0, |failing| failing.polls))
}

/// When a source is due by what the store says of it; `None` when that is now, also because the source for which it
/// stands aside is no more or fails. What became due in hours in which its publisher asks to be left alone waits for
/// their end.
pub(super) fn due_later(
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    now: Timestamp,
) -> Option<Timestamp> {
    // Of one that was asked since, and failed, the failures say when it is due.
    let aside = state.learned.same_as.as_ref().filter(|_| state.learned.reason == Some(PollReason::Same));
    let twin = desk.landings.twin(source);
    let alone = aside.is_some_and(|other| match &twin {
        // What fails at one address would fail there for this one, too.
        Some(twin) if twin == other => !desk.landings.has(other),
        Some(_) | None => !desk.landings.is_well(other),
    });
    let address = source.address();
    let later = state.due_later(&address, now).filter(|_| !alone);
    // A config that has shortened its rhythm since holds at once.
    let later = later.and_then(|_| planned::due(source, state, &desk.config)).filter(|due| *due > now);
    later.or_else(|| {
        let hints = (state.asked == address).then(|| state.hints())?;
        schedule::closed_until(source.name(), &source.rhythm(&desk.config), &hints, now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_as_long_as_the_last() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let source = SourceName::new("paper").unwrap();
        let state = SourceState { last_poll: Some(at(0)), due: Some(at(30)), ..SourceState::blank(&source) };
        assert_eq!(twice_as_late(&state, at(40)), Some(at(100)));
        assert_eq!(twice_as_late(&SourceState::blank(&source), at(40)), None);
    }
}
