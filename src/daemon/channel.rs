//! A page of a Telegram channel beside what is remembered of the channel: a stranger under its name, messages that
//! are older than the baseline, messages that are gone.

use jiff::Timestamp;
use tracing::info;

use super::ask::{Via, is_same_document};
use crate::desk::{Source, Target};
use crate::ingest;
use crate::source::telegram::{self, ChannelName, Known, Shown};
use crate::source::{Candidate, Reading};
use crate::store::{ChannelState, GONE_MAX, SourceState, Store, StoreError};

/// What was known of the channel of `source`; nothing where its address was another.
pub fn known(source: &Source, state: &SourceState) -> Known {
    if state.baseline.is_none() || !is_same_document(source, state) {
        return Known::default();
    }
    let ChannelState { id, texts, .. } = state.channel;
    Known { id, newest: state.telegram_newest, texts }
}

/// Takes out of a page what its channel's history says is not to be told, adds what is odd about it, and gives what
/// is known of the channel after it; `None` for a source that is no channel, or a page that shows none.
///
/// # Errors
/// When the store cannot be read.
pub fn settle(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    reading: &mut Reading,
    now: Timestamp,
) -> Result<Option<ChannelState>, StoreError> {
    let Target::Telegram { channel, .. } = &source.target else { return Ok(None) };
    let Some(shown) = reading.shown.take() else { return Ok(None) };
    let known = known(source, state);
    let same = known.newest.is_some();
    reading.complaint = shown.against(known).or(reading.complaint.take());
    let settled = if shown.is_stranger(known) {
        // Its numbers say nothing of the messages of the other channel, nor where to go on there.
        let name = shown.id.unwrap_or_default().to_string();
        reading.items.iter_mut().for_each(|item| telegram::key_by(item, source.name(), &name));
        reading.hints.telegram_newest = None;
        state.channel.clone()
    } else {
        let before = if same { state.channel.clone() } else { ChannelState::default() };
        let first = match state.baseline.filter(|_| is_same_document(source, state)) {
            _ if same => before.first,
            Some(baseline) => Some(first_since(&reading.items, baseline, &shown)),
            None => shown.oldest(),
        };
        // A message deleted from the page pulls one in at its end that is older than the baseline.
        reading.items.retain(|item| is_since(first, item.item.telegram.as_ref().map(|post| post.message)));
        let (id, texts) = (before.id.or(shown.id), before.texts || shown.texts > 0);
        let reread = if same { before.reread } else { Some(now) };
        let gone = gone(store, source, channel, &shown, &before, now)?;
        ChannelState { id, first, texts, reread, gone }
    };
    reading.shown = Some(shown);
    Ok(Some(settled))
}

/// Takes out of a mirror's page what is known already, and what is older than the baseline. What a mirror makes of a
/// known message is no edit of it, and its numbers say nothing of how far the channel was read.
///
/// # Errors
/// When the store cannot be read.
pub fn settle_mirrored(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    reading: &mut Reading,
    via: Via,
) -> Result<Option<ChannelState>, StoreError> {
    let first = state.channel.first.filter(|_| is_same_document(source, state));
    let mut fresh = Vec::new();
    for item in reading.items.drain(..) {
        let is_known = ingest::known(&store.seen(source.name(), &ingest::lookups(&item))?).is_some();
        if !is_known && is_since(first, item.item.telegram.as_ref().map(|post| post.message)) {
            fresh.push(item);
        }
    }
    reading.items = fresh;
    reading.complaint = Some(via.cause);
    Ok(None)
}

/// The first message that is not older than a baseline which a mirror gave; all older ones were never to be told.
fn first_since(items: &[Candidate], baseline: Timestamp, shown: &Shown) -> u64 {
    let since = items.iter().filter(|item| item.item.published.is_none_or(|published| published >= baseline));
    let first = since.filter_map(|item| Some(item.item.telegram.as_ref()?.message)).min();
    first.unwrap_or_else(|| shown.numbers.last().map_or(0, |newest| newest.saturating_add(1)))
}

fn is_since(first: Option<u64>, number: Option<u64>) -> bool {
    first.zip(number).is_none_or(|(first, number)| number >= first)
}

/// The messages that were seen and are gone: only those between two of one page are missing from it.
///
/// # Errors
/// When the store cannot be read.
pub fn gone(
    store: &dyn Store,
    source: &Source,
    channel: &ChannelName,
    shown: &Shown,
    before: &ChannelState,
    now: Timestamp,
) -> Result<Vec<(u64, Timestamp)>, StoreError> {
    let mut gone = before.gone.clone();
    gone.retain(|(number, _)| !shown.numbers.contains(number));
    let missing = shown.missing();
    let name = channel.as_str().to_lowercase();
    let keys: Vec<_> = missing.iter().map(|number| telegram::key_of(&name, *number)).collect();
    let seen = store.seen(source.name(), &keys)?;
    for (number, _) in missing.iter().zip(seen).filter(|(_, seen)| seen.is_some()) {
        if !gone.iter().any(|(known, _)| known == number) {
            info!(source = %source.name(), "https://t.me/{channel}/{number} is gone from the preview");
            gone.push((*number, now));
        }
    }
    let over = gone.len().saturating_sub(GONE_MAX);
    gone.drain(..over);
    Ok(gone)
}
