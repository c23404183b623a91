//! A mirror's page of a Telegram channel beside what is remembered of the channel, or beside the channel's own page.

use std::collections::HashMap;
use std::iter;

use jiff::Timestamp;

use super::ask::is_same_document;
use super::channel::{file, filed, is_since, number, unnumbered};
use super::learn::Shown as Overlap;
use crate::desk::{Source, Target};
use crate::ingest::{self, Missed};
use crate::item::ItemId;
use crate::source::telegram;
use crate::source::{Candidate, Reading, wordless};
use crate::store::{ChannelState, Day, Owner, Seen, SourceState, Store, StoreError};

/// A message of a mirror's page.
struct Mirrored {
    message: Candidate,
    /// Whether it was seen before.
    seen: bool,
    /// Whether it was, or is older than the baseline.
    is_old: bool,
}

/// Takes out of a mirror's page what is older than the baseline, and gives what is known of the channel where the page is
/// one, and the gap when it does not touch what was read before. Its numbers say nothing of how far the channel was read.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn settle(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    reading: &mut Reading,
    overlap: &mut Overlap,
    now: Timestamp,
) -> Result<(Option<ChannelState>, Option<Missed>), StoreError> {
    let is_same = is_same_document(source, state);
    let oldest = reading.items.iter().filter_map(number).min();
    let blank = ChannelState::default();
    let channel = if is_same { &state.channel } else { &blank };
    let begun = unnumbered(state).filter(|_| is_same);
    let messages = messages(store, source, reading, channel, None, begun)?;
    for mirrored in &messages {
        overlap.add(mirrored.is_old, mirrored.message.item.published);
    }
    let gap = apart(store, source, state, &messages, now)?;
    let is_told = |mirrored: &Mirrored| mirrored.seen || !mirrored.is_old;
    reading.items = messages.into_iter().filter(is_told).map(|mirrored| mirrored.message).collect();
    if state.baseline.is_some() && is_same {
        return Ok((None, gap));
    }
    let left = state.left().filter(|_| state.baseline.is_some());
    Ok((Some(ChannelState { first: oldest, left, ..blank }), None))
}

/// Adds to a channel's own page, of which that is now known, what a mirror's page has more: the words and dates that are
/// missing, and messages. Gives the gap where the mirror's touches neither that page nor what was read before.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn fill(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    reading: &mut Reading,
    mut mirrored: Reading,
    channel: &ChannelState,
    now: Timestamp,
) -> Result<Option<Missed>, StoreError> {
    let id = reading.shown.as_ref().and_then(|shown| shown.id);
    let messages = messages(store, source, &mut mirrored, channel, id, None)?;
    let gap = apart(store, source, state, &messages, now)?;
    let mut places = HashMap::new();
    for (place, own) in reading.items.iter().enumerate() {
        places.extend(iter::once(own.key).chain(own.members.iter().copied()).map(|key| (key, place)));
    }
    let mut touches = false;
    for Mirrored { message, seen, is_old } in messages {
        let place = places.get(&message.key);
        match place.and_then(|place| reading.items.get_mut(*place)) {
            Some(own) => {
                touches = true;
                complete(own, message);
            }
            None if seen || !is_old => reading.items.push(message),
            None => {}
        }
    }
    Ok(gap.filter(|_| !touches))
}

/// The messages of a mirror's page, filed as those of the channel that has the number `id`. What a mirror makes of a known
/// one is no edit of it unless those are the first words of it. Where no number tells what is older than the baseline, its
/// time does, which is `begun`.
fn messages(
    store: &dyn Store,
    source: &Source,
    reading: &mut Reading,
    channel: &ChannelState,
    id: Option<i64>,
    begun: Option<Timestamp>,
) -> Result<Vec<Mirrored>, StoreError> {
    let mut items = std::mem::take(&mut reading.items);
    file(store, &mut items, source, channel, id)?;
    let answers = ingest::look_up(&items, |keys| store.seen(source.name(), keys))?;
    let begun = begun.filter(|_| channel.first.is_none());
    let mut messages = Vec::with_capacity(items.len());
    for (mut message, answers) in items.into_iter().zip(answers) {
        let seen = answers.iter().flatten().find(|seen| seen.owner != Owner::Several);
        // A date without a time counts to the end of its day.
        let is_before = begun
            .zip(message.item.published)
            .is_some_and(|(begun, published)| published < begun && !Day::of(begun).is_stated_by(published));
        let is_old = seen.is_some() || is_before || !is_since(channel.first, number(&message));
        message.content = match seen {
            Some(seen) if !is_first_to_speak(store, source, &message, *seen)? => seen.content,
            Some(_) | None => message.content,
        };
        messages.push(Mirrored { message, seen: seen.is_some(), is_old });
    }
    Ok(messages)
}

/// The gap where none of the messages of a mirror's page was read before, nor the one in front of them.
fn apart(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    messages: &[Mirrored],
    now: Timestamp,
) -> Result<Option<Missed>, StoreError> {
    let Some(since) = state.baseline else { return Ok(None) };
    // A window of one message that moves on is no sign of a gap.
    if messages.len() < 2 || messages.iter().any(|mirrored| mirrored.is_old) {
        return Ok(None);
    }
    let oldest = messages.iter().filter_map(|mirrored| number(&mirrored.message)).min();
    if follows(store, source, state, oldest)? {
        return Ok(None);
    }
    let detail = "the mirror's page shows none of the messages read before".to_owned();
    Ok(Some(Missed { since: state.last_success.unwrap_or(since), until: now, detail }))
}

/// Gives a message of the channel's own page the words and the date that it lacks there.
fn complete(own: &mut Candidate, mirrored: Candidate) {
    own.item.published = own.item.published.or(mirrored.item.published);
    if own.item.text.is_empty() && !mirrored.item.text.is_empty() {
        own.item.text = mirrored.item.text;
        own.content = mirrored.content;
        if let Some((post, through)) = own.item.telegram.as_mut().zip(mirrored.item.telegram) {
            post.via = through.via;
            post.kinds.extend(through.kinds);
        }
    }
}

/// Whether a known message that a mirror shows has words, and none were seen of it before.
///
/// # Errors
/// When the store cannot be read.
fn is_first_to_speak(
    store: &dyn Store,
    source: &Source,
    message: &Candidate,
    seen: Seen,
) -> Result<bool, StoreError> {
    if message.item.text.is_empty() || message.content == seen.content {
        return Ok(false);
    }
    let Some(owner) = seen.owner.of(message.key) else { return Ok(false) };
    let stored = store.item(ItemId::new(source.name(), owner), seen.first)?;
    Ok(stored.map_or(seen.content == wordless(), |stored| stored.item.text.is_empty()))
}

/// Whether the message before that number was read: at the channel itself, or through a mirror.
fn follows(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    number: Option<u64>,
) -> Result<bool, StoreError> {
    let Target::Telegram { channel, .. } = &source.target else { return Ok(true) };
    let Some(before) = number.and_then(|number| number.checked_sub(1)) else { return Ok(true) };
    if state.telegram_newest.is_some_and(|newest| before <= newest) {
        return Ok(true);
    }
    let key = telegram::key_of(&filed(channel, &state.channel, None), before);
    Ok(store.seen(source.name(), &[key])?.iter().any(Option::is_some))
}
