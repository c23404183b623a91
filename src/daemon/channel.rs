//! A page of a Telegram channel beside what is remembered of the channel: a stranger under its name, messages that
//! are older than the baseline, messages that are gone.

use jiff::Timestamp;
use tracing::info;

use super::ask::is_same_document;
use crate::desk::{Source, Target};
use crate::item::ItemId;
use crate::source::telegram::{self, ChannelName, Known, Shown};
use crate::source::{Candidate, Complaint, Reading};
use crate::store::{ChannelState, GONE_MAX, SourceState, Store, StoreError, Stranger};

/// Whether a page on which a channel has the number `id` is of the one that was read before: at the same address, or
/// under another name that the config has for it now.
pub fn is_same(source: &Source, state: &SourceState, id: Option<i64>) -> bool {
    let has_its_number = id.is_some() && id == state.channel.id && state.baseline.is_some();
    is_same_document(source, state) || has_its_number
}

/// What is remembered of the channel that has the number `id` on a page; nothing where it is another. Its messages stay
/// filed under the name that it had first.
pub fn remembered(source: &Source, state: &SourceState, id: Option<i64>) -> ChannelState {
    let channel = state.channel.clone();
    if is_same_document(source, state) {
        return channel;
    }
    if !is_same(source, state, id) {
        return ChannelState::default();
    }
    let name = state.address.parse::<ChannelName>().ok();
    let filed = channel.filed.or_else(|| Some(name?.as_str().to_lowercase()));
    ChannelState { filed, ..channel }
}

/// What was known of the channel that has the number `id` on a page; nothing where it is another.
pub fn known(source: &Source, state: &SourceState, id: Option<i64>) -> Known {
    if state.baseline.is_none() || !is_same(source, state, id) {
        return Known::default();
    }
    let ChannelState { id, texts, said, .. } = state.channel;
    Known { id, newest: state.telegram_newest, texts, said, odd: state.is_layout_unknown() }
}

/// Why nothing of the channel can be read from its page, beside what is known of it.
pub(super) fn silence(source: &Source, state: &SourceState, reading: &Reading) -> Option<String> {
    let shown = reading.shown.as_ref()?;
    shown.silence(known(source, state, shown.id))
}

/// The time of the baseline, where no number says how far the channel was read by then: it was empty, or read through a
/// mirror. What was published before was never to be told.
pub fn unnumbered(state: &SourceState) -> Option<Timestamp> {
    let floor = state.walk.as_ref().and_then(|walk| walk.floor).or(state.telegram_newest);
    state.baseline.filter(|_| floor.unwrap_or_default() == 0)
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
    let known = known(source, state, shown.id);
    let same = known.newest.is_some();
    let is_known = same || known.id.is_some();
    let before = if is_known { remembered(source, state, shown.id) } else { ChannelState::default() };
    file(store, &mut reading.items, source, &before, shown.id)?;
    let odd = shown.against(known);
    let settled = if let Some(stranger) = stranger(&before, &shown).filter(|_| shown.is_stranger(known)) {
        reading.items.retain(|item| is_since(Some(stranger.first), number(item)));
        if is_told(state, odd.as_ref()) {
            // The next poll walks back to where its first page ended.
            reading.hints.telegram_newest = Some(stranger.newest);
            adopted(&before, stranger, shown.texts > 0, now)
        } else {
            // Its numbers say nothing of the messages of the other channel, nor where to go on there.
            reading.hints.telegram_newest = None;
            ChannelState { stranger: Some(stranger), ..before }
        }
    } else {
        let first = match state.baseline.filter(|_| is_same(source, state, shown.id)) {
            _ if same => before.first,
            Some(baseline) => Some(first_since(&reading.items, baseline, &shown)),
            None => shown.oldest(),
        };
        // A message deleted from the page pulls one in at its end that is older than the baseline.
        reading.items.retain(|item| is_since(first, number(item)));
        let (id, texts) = (before.id.or(shown.id), before.texts || shown.texts > 0);
        let said = shown.said.filter(|_| shown.texts * 2 > shown.messages);
        let reread = if same { before.reread } else { Some(now) };
        let gone = gone(store, source, channel, &shown, &before, now)?;
        let is_odd = reading.complaint.is_some();
        let (newest, fell) = mark(&shown, known, before.fell, is_odd);
        reading.hints.telegram_newest = newest;
        // Of two channels the number tells which is read; without one it may yet be the one left.
        let left = state.channel.left.clone().filter(|_| shown.id.is_none());
        ChannelState { id, first, texts, said, reread, gone, fell, stranger: None, left, ..before }
    };
    reading.complaint = odd.or(reading.complaint.take());
    reading.shown = Some(shown);
    Ok(Some(settled))
}

/// How far the channel was read once this page is told, and how far the page goes, should the highest number have fallen.
/// A second page that shows that is believed, and the mark falls to the first one's: what came between is walked through.
/// One that is odd by itself, as a stale copy is, says nothing.
fn mark(shown: &Shown, known: Known, fell: Option<u64>, is_odd: bool) -> (Option<u64>, Option<u64>) {
    match (shown.fall(known), fell) {
        (None, _) => (known.newest.max(shown.reached()), None),
        (Some(_), _) if is_odd => (known.newest, None),
        (Some(_), None) => (known.newest, shown.reached()),
        (Some((now, _)), Some(fell)) => (Some(fell.min(now)), None),
    }
}

/// Whether the poll before found the same stranger under the name, so that this one is told of it.
fn is_told(state: &SourceState, odd: Option<&Complaint>) -> bool {
    let run = state.health.run.as_ref().zip(odd);
    run.is_some_and(|(run, odd)| (run.reason.as_str(), &run.detail) == (odd.reason, &odd.detail))
}

/// The stranger that a page shows: as it was found first, where that was at the page before.
fn stranger(before: &ChannelState, shown: &Shown) -> Option<Stranger> {
    let id = shown.id?;
    let found = before.stranger.filter(|stranger| stranger.id == id);
    found.or_else(|| Some(Stranger { id, first: shown.oldest()?, newest: shown.reached()? }))
}

/// What is known once the channel that took over the name is told of: from here on it is the one that is watched. The page
/// on which it was found is its baseline; numbers of the other are not compared with its own.
fn adopted(before: &ChannelState, stranger: Stranger, texts: bool, now: Timestamp) -> ChannelState {
    let named = before.named.or(before.id);
    ChannelState {
        id: Some(stranger.id),
        named: named.filter(|named| *named != stranger.id),
        filed: before.filed.clone(),
        first: Some(stranger.first),
        texts,
        reread: Some(now),
        ..ChannelState::default()
    }
}

/// What the messages of the channel with that number are remembered under: the name for the one that had it first, which
/// may be called otherwise by now, also in the config, and the number for any that took it over.
pub(super) fn filed(channel: &ChannelName, before: &ChannelState, id: Option<i64>) -> String {
    let id = id.or(before.id);
    match id.zip(before.named.or(before.id)) {
        Some((id, named)) if id != named => id.to_string(),
        Some(_) | None => before.filed.clone().unwrap_or_else(|| channel.as_str().to_lowercase()),
    }
}

/// Files messages of the channel with that number under its keys. Those that were judged on a mirror's page before the
/// number was seen have their key of then, too; those of its baseline were told to nobody, and no item of them is stored.
///
/// # Errors
/// When the store cannot be read.
pub fn file(
    store: &dyn Store,
    items: &mut [Candidate],
    source: &Source,
    before: &ChannelState,
    id: Option<i64>,
) -> Result<(), StoreError> {
    let Target::Telegram { channel, .. } = &source.target else { return Ok(()) };
    let name = filed(channel, before, id);
    for item in &mut *items {
        telegram::key_by(item, source.name(), &name);
    }
    let Some(mirrored) = before.mirrored.as_ref().filter(|_| id.is_none() || id == before.id) else {
        return Ok(());
    };
    for item in items {
        let Some(key) = number(item).map(|number| telegram::key_of(mirrored, number)) else { continue };
        let Some(seen) = store.seen(source.name(), &[key])?.into_iter().flatten().next() else { continue };
        let owner = ItemId::new(source.name(), seen.owner.of(key).unwrap_or(key));
        if store.item(owner, seen.first)?.is_some() {
            item.members.push(key);
        }
    }
    Ok(())
}

/// The number of a message.
pub(super) fn number(message: &Candidate) -> Option<u64> {
    message.item.telegram.as_ref().map(|post| post.message)
}

/// The first message that is not older than a baseline which a mirror gave; all older ones were never to be told.
fn first_since(items: &[Candidate], baseline: Timestamp, shown: &Shown) -> u64 {
    let since = items.iter().filter(|item| item.item.published.is_none_or(|published| published >= baseline));
    let first = since.filter_map(|item| Some(item.item.telegram.as_ref()?.message)).min();
    first.unwrap_or_else(|| shown.reached().map_or(0, |reached| reached.saturating_add(1)))
}

/// Whether a message is none of those before the first.
pub(super) fn is_since(first: Option<u64>, number: Option<u64>) -> bool {
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
    let name = filed(channel, before, shown.id);
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
