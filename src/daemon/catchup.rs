//! Catching up: older pages of a source whose newest page does not reach what was read before, and edits of messages
//! that have left the newest page.
//!
//! What a walk reads is set aside in the store page by page, and told oldest first when the walk ends. A kill costs the
//! page under way: the next poll goes on behind it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use super::ask::{self, Got, Held};
use super::poll::{Time, later};
use super::read::{self, Read};
use super::station::Station;
use super::{channel, clock, learn};
use crate::desk::{Desk, Source, Target};
use crate::fetch::Document;
use crate::ingest::{self, Harvest, Missed, Outcome};
use crate::item::{SeenKey, SourceKind};
use crate::source::older::{Links, Numbers, PAGES_MAX, Passed, Step, Trail};
use crate::source::telegram::Shown;
use crate::source::{self, Candidate, ITEMS_PER_DOCUMENT_MAX, Plan};
use crate::store::{SourceState, Store, StoreError, Walk};

/// How often the page before a channel's newest is read again: edits and deletions there are rarer.
const REREAD_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// So many polls in a row may fail to read an older page before what lies behind it is given up.
const TRIES_MAX: u32 = 4;

/// The newest page of a source, as far as the way back depends on it.
pub(super) struct Front {
    /// Where it came from.
    pub(super) url: Url,
    /// The older page that it names.
    pub(super) older: Option<Url>,
    /// What it shows of a channel.
    pub(super) shown: Option<Shown>,
    /// Whether it touches what was read before.
    pub(super) reaches: bool,
    /// Whether so little of it was known that more may lie behind it all the same.
    pub(super) scant: bool,
}

/// Adds to a reading what older pages have, where it does not reach what was read before.
///
/// # Errors
/// When the store fails.
pub(super) async fn complete(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: &SourceState,
    mut read: Read,
    time: Time,
) -> Result<Read, StoreError> {
    let Some(front) = read.front.take() else { return Ok(read) };
    if !ask::is_same_document(source, state) {
        // What was set aside belongs to another address.
        if let Outcome::Read(harvest) = &mut read.outcome {
            harvest.beyond.held = true;
        }
        return Ok(read);
    }
    let (Time { started, answered }, begun) = (time, Instant::now());
    let catching = Catching { station, desk, source, state, started, answered, begun };
    let Outcome::Read(harvest) = &mut read.outcome else { return Ok(read) };
    match catching.trail(&front, harvest) {
        Some(trail) => {
            let Walked { missed, problems, order } = catching.walk(trail, &front, harvest).await?;
            read.problems.extend(problems);
            read.order = order;
            if let Some(Missed { detail, .. }) = &missed {
                warn!(source = %source.name(), "possible gap: {detail}");
                read.problems.push(format!("possible gap: {detail}"));
            }
            read.missed = missed;
        }
        None => read.order = catching.reread(&front, harvest).await?,
    }
    Ok(read)
}

struct Catching<'a> {
    station: &'a Station,
    desk: &'a Arc<Desk>,
    source: &'a Arc<Source>,
    state: &'a SourceState,
    started: Timestamp,
    /// When the newest page was there, by either clock.
    answered: Timestamp,
    begun: Instant,
}

/// Why an older page could not be read.
struct Unread {
    /// In words.
    why: String,
    /// Whether it was not even asked for, because its host ordered everybody to wait.
    held: bool,
    /// How long the host wants to be left alone from now.
    order: Option<Duration>,
}

impl Unread {
    fn of(why: &impl ToString) -> Self {
        Self { why: why.to_string(), held: false, order: None }
    }
}

/// How a walk ended for now.
#[derive(Default)]
struct Walked {
    missed: Option<Missed>,
    problems: Vec<String>,
    /// How long the host wants to be left alone from now.
    order: Option<Duration>,
}

/// An older page as read.
struct Page {
    /// What of it is new or edited, newest first.
    items: Vec<Candidate>,
    passed: Passed,
    shown: Option<Shown>,
    lost: usize,
}

impl Catching<'_> {
    /// The way back from the newest page; `None` when it reaches what was read before.
    fn trail(&self, front: &Front, harvest: &Harvest) -> Option<Trail> {
        self.state.baseline?;
        let walk = self.state.walk.as_ref();
        if let Target::Telegram { .. } = self.source.target {
            let shown = front.shown.as_ref()?;
            if shown.is_stranger(channel::known(self.source, self.state)) {
                return None;
            }
            let floor = walk.and_then(|walk| walk.floor).or(self.state.telegram_newest)?;
            let low = shown.oldest()?;
            let before = walk.and_then(|walk| Some((walk.cursor.parse().ok()?, walk.top?)));
            let gap = low > self.state.telegram_newest?.saturating_add(1);
            return (gap || walk.is_some()).then(|| Trail::Numbers(Numbers::new(low, floor, before)));
        }
        // A window of one item that moves on is no sign of a gap, unless an older page can tell.
        let window = harvest.items.len() > usize::from(front.older.is_none());
        let unsure = !front.reaches || (front.scant && front.older.is_some());
        let gap = unsure && window && harvest.whole && !harvest.delta && self.state.items_last > 0;
        let before = walk.and_then(|walk| Url::parse(&walk.cursor).ok());
        (gap || walk.is_some()).then(|| Trail::Links(Links::new(&front.url, front.older.clone(), before)))
    }

    /// Walks back, and puts what it read before the items of the newest page.
    async fn walk(
        &self,
        mut trail: Trail,
        front: &Front,
        harvest: &mut Harvest,
    ) -> Result<Walked, StoreError> {
        let mut walk = self.state.walk.clone().unwrap_or_default();
        walk.floor = walk.floor.or(self.state.telegram_newest);
        let (name, count) = (self.source.name().clone(), walk.held);
        let before = self.station.read(move |store| store.held(&name, count)).await?;
        let keys: Arc<HashSet<SeenKey>> = Arc::new(before.iter().map(|held| held.key).collect());
        let ours = harvest.items.iter().any(|judged| keys.contains(&judged.candidate.key));
        if ours && let Trail::Links(_) = trail {
            // The newest page touches what was set aside: the walk goes on where it was cut off.
            let cursor = Url::parse(&walk.cursor).ok();
            trail = Trail::Links(Links::new(&front.url, cursor, None));
        }
        let mut held = before;
        let mut problems = Vec::new();
        let (mut interrupted, mut order) = (false, None);
        let stop = loop {
            let cursor = match trail.next() {
                Step::Ask(cursor) => cursor,
                Step::Reached => break None,
                Step::Ended => break Some(ended(front, walk.pages, harvest.items.len())),
            };
            if walk.pages >= PAGES_MAX || held.len() >= ITEMS_PER_DOCUMENT_MAX {
                break Some(format!("{} older pages did not reach what was read before", walk.pages));
            }
            let page = match self.page(cursor, &keys).await? {
                Ok(page) => page,
                Err(Unread { why, held, order: wait }) => {
                    order = wait;
                    walk.tries += u32::from(!held);
                    interrupted = walk.tries <= TRIES_MAX && self.source.kind() == SourceKind::Telegram;
                    break Some(format!("an older page could not be read: {why}"));
                }
            };
            trail.pass(page.passed);
            harvest.lost = harvest.lost.saturating_add(u32::try_from(page.lost).unwrap_or(u32::MAX));
            walk.pages += 1;
            (walk.cursor, walk.top) = trail.place();
            self.set_aside(&mut walk, &page.items).await?;
            held.extend(page.items);
        };
        if walk.pages > 0 {
            problems.push(format!("caught up: {} items on {} older pages", held.len(), walk.pages));
        }
        self.prepend(held, harvest).await?;
        harvest.beyond.held = true;
        if interrupted {
            // What was read is told; the next poll goes on behind it.
            problems.extend(stop.map(|why| format!("{why}; the walk goes on at the next poll")));
            let newest = front.shown.as_ref().and_then(Shown::newest);
            (walk.cursor, walk.top) = trail.place();
            harvest.beyond.walk = Some(Box::new(Walk { held: 0, top: newest.or(walk.top), ..walk }));
            return Ok(Walked { missed: None, problems, order });
        }
        let since = self.state.last_success.or(self.state.baseline).unwrap_or(self.started);
        let missed = stop.filter(|_| front.shown.is_some() || !front.reaches);
        let missed = missed.map(|detail| Missed { since, until: self.started, detail });
        Ok(Walked { missed, problems, order })
    }

    /// Commits what a page brought, and where the walk stands after it.
    async fn set_aside(&self, walk: &mut Walk, items: &[Candidate]) -> Result<(), StoreError> {
        let from = walk.held;
        walk.held = from.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
        let (name, walk, items) = (self.source.name().clone(), walk.clone(), items.to_vec());
        let commit = self.station.commit(&self.desk.fetcher, move |tx| {
            let Some(mut state) = tx.source(&name)? else { return Ok(()) };
            (from..).zip(&items).try_for_each(|(place, item)| tx.put_held(&name, place, item))?;
            state.walk = Some(walk.clone());
            tx.put_source(&state)
        });
        commit.await
    }

    /// Asks the rules about what was set aside, and puts it before the items of the newest page, oldest first.
    async fn prepend(&self, held: Vec<Candidate>, harvest: &mut Harvest) -> Result<(), StoreError> {
        if held.is_empty() {
            return Ok(());
        }
        let (desk, source) = (Arc::clone(self.desk), Arc::clone(self.source));
        let held = held.into_iter().rev().collect();
        let judged = self.station.read(move |store| read::judge(store, &desk, &source, held)).await?;
        let mut items: Vec<_> = judged.into_iter().map(|(judged, _)| judged).collect();
        let mut newest = std::mem::take(&mut harvest.items);
        if self.source.kind() != SourceKind::Telegram {
            newest.reverse();
        }
        items.append(&mut newest);
        if self.source.kind() == SourceKind::Telegram {
            items.sort_by_key(|judged| judged.candidate.item.telegram.as_ref().map(|post| post.message));
        }
        harvest.items = items;
        // Of the older pages only what is new or edited is among them: nothing follows from what is not.
        harvest.delta = true;
        Ok(())
    }

    /// Reads the page before the newest again when it is time: an edit there is one like any other, and so is a
    /// message that is gone. It can wait for a better day when it cannot be had; tells for how long its host wants to
    /// be left alone.
    async fn reread(&self, front: &Front, harvest: &mut Harvest) -> Result<Option<Duration>, StoreError> {
        let Target::Telegram { channel, .. } = &self.source.target else { return Ok(None) };
        let Some(settled) = harvest.beyond.channel.as_mut() else { return Ok(None) };
        let due = settled.reread.and_then(|last| last.checked_add(REREAD_EVERY).ok());
        let oldest = front.shown.as_ref().and_then(Shown::oldest);
        let stranger = front
            .shown
            .as_ref()
            .is_some_and(|shown| shown.is_stranger(channel::known(self.source, self.state)));
        let Some(oldest) = oldest.filter(|_| !stranger && due.is_none_or(|due| due <= self.started)) else {
            return Ok(None);
        };
        if settled.first.is_some_and(|first| oldest > first) {
            let page = match self.page(oldest.to_string(), &Arc::default()).await? {
                Ok(page) => page,
                Err(Unread { order, .. }) => return Ok(order),
            };
            if let Some(shown) = page.shown {
                let (source, channel) = (Arc::clone(self.source), channel.clone());
                let (before, now) = (settled.clone(), self.started);
                let noted =
                    move |store: &dyn Store| channel::gone(store, &source, &channel, &shown, &before, now);
                settled.gone = self.station.read(noted).await?;
            }
            settled.reread = Some(self.started);
            self.prepend(page.items, harvest).await?;
            return Ok(None);
        }
        settled.reread = Some(self.started);
        Ok(None)
    }

    /// Fetches and reads an older page; `held` are the keys that an earlier walk set aside.
    async fn page(
        &self,
        cursor: String,
        held: &Arc<HashSet<SeenKey>>,
    ) -> Result<Result<Page, Unread>, StoreError> {
        let now = later(self.answered, self.begun.elapsed());
        let asked = ask::ask_older(self.desk, self.source, &cursor, now).await;
        let document = match asked.map(|asked| asked.got) {
            Ok(Got::Document(document)) => document,
            Ok(Got::Unreadable(why)) => return Ok(Err(Unread::of(&why))),
            Ok(Got::Error(error)) => {
                return Ok(Err(Unread { order: error.freshness.retry_after, ..Unread::of(&error) }));
            }
            Ok(Got::Unchanged(_) | Got::Mirrored { .. }) => {
                return Ok(Err(Unread::of(&"the server says that it is unchanged")));
            }
            Err(Held { left }) => {
                let why = format!("its host is on hold for {} s", left.as_secs());
                return Ok(Err(Unread { why, held: true, order: Some(left) }));
            }
        };
        let (source, held) = (Arc::clone(self.source), Arc::clone(held));
        let state = self.state.clone();
        self.station.read(move |store| older(store, &source, &state, &document, &held)).await
    }
}

/// Reads an older page. Runs on a thread that may block.
fn older(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    document: &Document,
    held: &HashSet<SeenKey>,
) -> Result<Result<Page, Unread>, StoreError> {
    let plan = Plan { now: Some(clock::now()), ..source.plan() };
    let reading = match source::read(document, &plan) {
        Ok(reading) => reading,
        Err(why) => return Ok(Err(Unread::of(&why))),
    };
    let first = state.channel.first;
    let mut overlap = learn::Shown::default();
    let mut passed = Passed {
        oldest: reading.shown.as_ref().and_then(Shown::oldest),
        older: reading.older,
        ..Passed::default()
    };
    let mut items = Vec::new();
    let mut last_known = 0;
    for candidate in reading.items {
        let answers = store.seen(source.name(), &ingest::lookups(&candidate))?;
        let seen = ingest::known(&answers);
        let met = ingest::was_shown(&answers);
        let number = candidate.item.telegram.as_ref().map(|post| post.message);
        let is_held = held.contains(&candidate.key);
        passed.held |= is_held;
        overlap.add(met, candidate.item.published);
        match seen {
            Some(seen) => {
                if seen.content != candidate.content {
                    items.push(candidate);
                }
            }
            None if is_held => {}
            // What is older than the baseline was never to be told.
            None if number.is_some_and(|number| first.is_none_or(|first| number < first)) => {}
            None => items.push(candidate),
        }
        if met {
            last_known = items.len();
        }
    }
    if source.kind() == SourceKind::Telegram {
        items.reverse();
    } else if overlap.is_touched() {
        // Behind the last one known lies what was there before the source was, but for what is newer by its date.
        let newer =
            |item: &Candidate| item.item.published.is_some_and(|date| Some(date) > state.last_success);
        let behind = items.split_off(last_known);
        items.extend(behind.into_iter().filter(newer));
    }
    passed.known = overlap.reaches(state.last_success);
    Ok(Ok(Page { items, passed, shown: reading.shown, lost: reading.lost }))
}

/// Why a way back ends before what was read.
fn ended(front: &Front, pages: u32, items: usize) -> String {
    match (front.shown.is_some(), pages) {
        (true, _) => format!("after {pages} older pages the preview shows nothing older"),
        (false, 0) => format!("none of its {items} items was known, and it names no older page"),
        (false, _) => format!("none of its {items} items was known, nor any on {pages} older pages"),
    }
}
