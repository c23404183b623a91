//! An older page of a source beside what was read before it: what of it is to be told, and where the way back stands.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::{channel, clock, learn};
use crate::desk::Source;
use crate::fetch::Document;
use crate::ingest;
use crate::item::{ItemId, SeenKey, SourceKind};
use crate::source::older::Passed;
use crate::source::telegram::Shown;
use crate::source::{self, Candidate, Plan, Unreadable};
use crate::store::{Seen, SourceState, Store, StoreError};

/// How long before the baseline of its source an item may be dated that is told from an older page: sites date what they
/// show when it was begun.
const DATED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// An older page as read.
pub(super) struct Page {
    /// What of it is new or edited, newest first.
    pub(super) items: Vec<Candidate>,
    pub(super) passed: Passed,
    pub(super) shown: Option<Shown>,
    pub(super) lost: usize,
    /// Whether it ends too early, before anything that was read before.
    pub(super) cut: bool,
}

/// What of the walk so far decides what an older page means.
#[derive(Default)]
pub(super) struct Beside {
    /// What an earlier walk set aside.
    pub(super) held: HashSet<SeenKey>,
    /// What the newest page shows. An older page that shows it as well has it pinned to its top.
    pub(super) front: HashSet<SeenKey>,
    /// When the source was last read before the gap, where some of what came since may be told.
    pub(super) since: Option<Timestamp>,
}

/// Reads an older page. Runs on a thread that may block.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn read(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    document: &Document,
    beside: &Beside,
) -> Result<Result<Page, Unreadable>, StoreError> {
    let plan = Plan { now: Some(clock::now()), ..source.plan() };
    let mut reading = match source::read(document, &plan) {
        Ok(reading) => reading,
        Err(why) => return Ok(Err(why)),
    };
    let id = reading.shown.as_ref().and_then(|shown| shown.id);
    channel::file(store, &mut reading.items, source, &channel::remembered(source, state, id), id)?;
    let first = state.channel.first;
    let begun = channel::unnumbered(state);
    let mut overlap = learn::Shown::default();
    let mut passed = Passed {
        oldest: reading.shown.as_ref().and_then(Shown::oldest),
        older: reading.older,
        ..Passed::default()
    };
    let mut items = Vec::new();
    let mut last_known = 0;
    let answers = ingest::look_up(&reading.items, |keys| store.seen(source.name(), keys))?;
    let told_by = state.learned.told_by.as_ref();
    let elsewhere = ingest::known_by(told_by, &reading.items, |other, keys| store.seen(other, keys))?;
    for ((candidate, answers), elsewhere) in reading.items.into_iter().zip(answers).zip(elsewhere) {
        let keys = ingest::lookups(&candidate);
        let seen = ingest::known(&answers);
        let met = ingest::was_shown(&answers);
        let is_told = met && is_told_since(store, source, beside.since, keys.iter().zip(&answers))?;
        let is_held = beside.held.contains(&candidate.key);
        let elsewhere = elsewhere && !met;
        let is_pinned = (met || elsewhere) && beside.front.contains(&candidate.key);
        let number = candidate.item.telegram.as_ref().map(|post| post.message);
        let published = candidate.item.published.filter(|_| number.is_some());
        let is_before = begun.zip(published).is_some_and(|(begun, published)| published < begun);
        passed.begun |= is_before;
        passed.held |= is_held || is_told;
        if !is_pinned {
            overlap.add(elsewhere || met && !is_told, candidate.item.published);
        }
        match seen {
            Some(seen) => {
                if seen.content != candidate.content {
                    items.push(candidate);
                }
            }
            None if is_held => {}
            // What is older than the baseline was never to be told.
            None if is_before
                || number.is_some_and(|number| first.map_or(begun.is_none(), |first| number < first)) => {}
            None => items.push(candidate),
        }
        if (elsewhere || met && !is_told) && !is_pinned {
            last_known = items.len();
        }
    }
    let since = beside.since.or(state.last_success);
    if source.kind() == SourceKind::Telegram {
        items.reverse();
    } else if overlap.is_touched() {
        // Behind the last one known lies what was there before the source was, but for what is newer by its date.
        let newer = |item: &Candidate| item.item.published.is_some_and(|date| Some(date) > since);
        let behind = items.split_off(last_known);
        items.extend(behind.into_iter().filter(newer));
    } else {
        // An archive shows what is older than the source, too.
        let from = state.baseline.and_then(|baseline| baseline.checked_sub(DATED_BEFORE).ok());
        items.retain(|item| item.item.published.is_none_or(|date| Some(date) >= from));
    }
    passed.known = overlap.reaches(since);
    let cut = reading.truncated && !passed.known;
    Ok(Ok(Page { items, passed, shown: reading.shown, lost: reading.lost, cut }))
}

/// Whether a known item came while it was unsure whether there is a gap, so that it does not tell that there is none.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn came_unsure(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    candidate: &Candidate,
) -> Result<bool, StoreError> {
    if state.unsure.is_none() {
        return Ok(false);
    }
    let keys = ingest::lookups(candidate);
    let answers = store.seen(source.name(), &keys)?;
    is_told_since(store, source, state.unsure, keys.iter().zip(&answers))
}

/// Whether a known item was told after that time, and so closes no gap that began then. Items of a baseline are known
/// by their keys alone.
fn is_told_since<'a>(
    store: &dyn Store,
    source: &Source,
    since: Option<Timestamp>,
    mut known: impl Iterator<Item = (&'a SeenKey, &'a Option<Seen>)>,
) -> Result<bool, StoreError> {
    let Some(since) = since else { return Ok(false) };
    let owner = known.find_map(|(key, seen)| seen.and_then(|seen| Some((seen.owner.of(*key)?, seen.first))));
    let Some((key, first)) = owner else { return Ok(false) };
    let stored = store.item(ItemId::new(source.name(), key), first)?;
    Ok(stored.is_some_and(|stored| stored.fetched > since))
}
