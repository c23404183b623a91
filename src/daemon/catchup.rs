//! Catching up: older pages of a source whose newest page does not reach what was read before, and edits of messages
//! that have left the newest page.
//!
//! What a walk reads is set aside in the store page by page, and told oldest first when the walk ends. A kill costs the
//! page under way: the next poll goes on behind it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use url::Url;

use super::ask::{self, Got, Held};
use super::past::{self, Beside, Page};
use super::poll::{Time, later};
use super::read::{self, GONE, NOT_FOUND, Read};
use super::station::Station;
use super::{channel, gather};
use crate::desk::{Desk, Source, Target};
use crate::ingest::{Harvest, Missed, Outcome};
use crate::item::SourceKind;
use crate::source::older::{Links, Numbers, PAGES_MAX, Step, Trail};
use crate::source::telegram::Shown;
use crate::source::{Candidate, ITEMS_PER_DOCUMENT_MAX};
use crate::store::{SourceState, Store, StoreError, Walk};

/// How often the page before a channel's newest is read again: edits and deletions there are rarer.
const REREAD_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// How soon that is tried again when it could not be read.
const REREAD_AGAIN: SignedDuration = SignedDuration::from_hours(1);

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
    /// Whether any of its items was known, be it pinned to its top.
    pub(super) touched: bool,
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
    let id = front.shown.as_ref().and_then(|shown| shown.id);
    let recalled = state.recalled(&source.address(), id);
    let state = recalled.as_ref().unwrap_or(state);
    if !channel::is_same(source, state, id) {
        // What was set aside belongs to another address.
        if let Outcome::Read(harvest) = &mut read.outcome {
            harvest.beyond.held = true;
        }
        return Ok(read);
    }
    let (Time { started, answered }, begun) = (time, Instant::now());
    let catching = Catching { station, desk, source, state, started, answered, begun };
    let Outcome::Read(harvest) = &mut read.outcome else { return Ok(read) };
    let walked = match catching.trail(&front, harvest) {
        Some(trail) => Box::pin(catching.walk(trail, &front, harvest)).await?,
        None => Box::pin(catching.reread(&front, harvest)).await?,
    };
    let Walked { missed, problems, order } = walked;
    read.problems.extend(problems);
    read.order = order;
    read.miss(source, missed);
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
    kind: Failed,
    /// How long the host wants to be left alone from now.
    order: Option<Duration>,
}

/// What kind of failure it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failed {
    /// One that may pass.
    Asked,
    /// It was not even asked for, because its host ordered everybody to wait.
    Held,
    /// There is no such page.
    Absent,
}

impl Unread {
    fn of(why: &impl ToString) -> Self {
        Self { why: why.to_string(), kind: Failed::Asked, order: None }
    }
}

/// How a walk, or a second reading, ended for now.
#[derive(Default)]
struct Walked {
    missed: Option<Missed>,
    problems: Vec<String>,
    /// How long the host wants to be left alone from now.
    order: Option<Duration>,
}

impl Catching<'_> {
    /// The way back from the newest page; `None` when it reaches what was read before.
    fn trail(&self, front: &Front, harvest: &mut Harvest) -> Option<Trail> {
        self.state.baseline?;
        let walk = self.state.walk.as_ref();
        if let Target::Telegram { .. } = self.source.target {
            let shown = front.shown.as_ref()?;
            if shown.is_stranger(channel::known(self.source, self.state, shown.id)) {
                return None;
            }
            let newest = self.state.telegram_newest;
            let floor = walk.and_then(|walk| walk.floor).or(newest).unwrap_or_default();
            let low = shown.oldest()?;
            let before = walk.and_then(|walk| Some((walk.cursor.parse().ok()?, walk.top?)));
            // Of a baseline without a number, what is told of the page says whether all of it came since.
            let first = harvest.beyond.channel.as_ref().and_then(|channel| channel.first);
            let within = newest.is_some() || first.is_none_or(|first| first <= low);
            let gap = within && low > newest.unwrap_or_default().saturating_add(1);
            return (gap || walk.is_some()).then(|| Trail::Numbers(Numbers::new(low, floor, before)));
        }
        // A window of one item that moves on is no sign of a gap, unless an older page can tell.
        let window = harvest.items.len() > usize::from(front.older.is_none());
        let unsure = !front.reaches || (front.scant && front.older.is_some());
        let gap = unsure && window && self.state.items_last > 0;
        // Of a document that is cut once, what is known may lie behind the cut; one that always is shows no more.
        let whole = harvest.whole || self.state.learned.cut_last;
        // Nor does one decide that shows nothing, or next to nothing.
        let (empty, open) = (harvest.items.is_empty(), self.state.unsure.is_some());
        if walk.is_none() && (harvest.delta || !whole || empty || open && !window) {
            let open = gap || !front.reaches && (open || empty && self.state.items_last > 0);
            let since = if harvest.delta { self.state.unsure } else { self.last_read().filter(|_| open) };
            harvest.beyond.unsure = since;
            return None;
        }
        let before = walk.and_then(|walk| Url::parse(&walk.cursor).ok());
        (gap || walk.is_some()).then(|| Trail::Links(Links::new(&front.url, front.older.clone(), before)))
    }

    /// When the source was last read without a gap, as far as that is decided.
    fn last_read(&self) -> Option<Timestamp> {
        self.state.unsure.or(self.state.last_success).or(self.state.baseline)
    }

    /// Walks back, and puts what it read before the items of the newest page.
    async fn walk(
        &self,
        mut trail: Trail,
        front: &Front,
        harvest: &mut Harvest,
    ) -> Result<Walked, StoreError> {
        let mut walk = self.begin(front);
        let (name, count) = (self.source.name().clone(), walk.held);
        let mut held = self.station.read(move |store| store.held(&name, count)).await?;
        let beside = Arc::new(self.beside(&held, harvest));
        if let (Trail::Links(_), true) = (&trail, self.goes_on(front, &beside, harvest)) {
            let cursor = Url::parse(&walk.cursor).ok();
            trail = Trail::Links(Links::new(&front.url, cursor, None));
        }
        // The pages of a source that always cuts them show no more.
        let always_cut = !harvest.whole && self.state.learned.cut_last;
        let (mut interrupted, mut order, mut left) = (false, None, None);
        let stop = loop {
            let cursor = match trail.next() {
                Step::Ask(cursor) => cursor,
                Step::Reached => break None,
                Step::Ended => break Some(ended(front, walk.pages, harvest.items.len())),
            };
            if walk.pages >= PAGES_MAX || held.len() >= ITEMS_PER_DOCUMENT_MAX {
                break Some(format!("{} older pages did not reach what was read before", walk.pages));
            }
            let page = match self.page(cursor, &beside).await? {
                Ok(page) => page,
                Err(Unread { why, kind, order: wait }) => {
                    order = wait;
                    walk.tries += u32::from(kind == Failed::Asked);
                    let may_come = kind != Failed::Absent && walk.tries <= TRIES_MAX;
                    interrupted = may_come && walk.since.is_some();
                    break Some(format!("an older page could not be read: {why}"));
                }
            };
            if page.cut && !always_cut && walk.since.is_some() {
                let why = "an older page ended too early".to_owned();
                if walk.tries < TRIES_MAX {
                    // What came of it is told; the next poll asks for it again.
                    (walk.tries, interrupted) = (walk.tries + 1, true);
                    held.extend(page.items);
                    break Some(why);
                }
                left = Some(why);
            }
            walk.tries = 0;
            trail.pass(page.passed);
            harvest.lost = harvest.lost.saturating_add(u32::try_from(page.lost).unwrap_or(u32::MAX));
            walk.pages += 1;
            (walk.cursor, walk.top) = trail.place();
            self.set_aside(&mut walk, &page.items).await?;
            held.extend(page.items);
        };
        let mut problems = Vec::new();
        if walk.pages > 0 {
            problems.push(format!("caught up: {} items on {} older pages", held.len(), walk.pages));
        }
        if let (Some(0), Some(channel)) = (walk.floor, harvest.beyond.channel.as_mut()) {
            // How far the baseline reached is known once the way has led there.
            let numbers = held.iter().filter_map(|held| Some(held.item.telegram.as_ref()?.message));
            channel.first = if stop.is_some() { Some(0) } else { numbers.min().or(channel.first) };
        }
        self.prepend(held, harvest).await?;
        harvest.beyond.held = true;
        let (since, until) = (walk.since, self.started);
        let missed =
            |why: Option<String>| why.zip(since).map(|(detail, since)| Missed { since, until, detail });
        if interrupted {
            // What was read is told; the next poll goes on behind it.
            problems.extend(stop.map(|why| format!("{why}; the walk goes on at the next poll")));
            let top = front.shown.as_ref().and_then(Shown::reached).or(walk.top);
            harvest.beyond.walk = Some(Box::new(Walk { held: 0, top, cursor: trail.here(), ..walk }));
            return Ok(Walked { missed: missed(left), problems, order });
        }
        Ok(Walked { missed: missed(stop.or(left)), problems, order })
    }

    /// The walk that was not ended, or a new one. A gap is certain where the newest page does not touch what was read
    /// before.
    fn begin(&self, front: &Front) -> Walk {
        let mut walk = self.state.walk.clone().unwrap_or_default();
        let beginning = front.shown.as_ref().map(|_| 0);
        walk.floor = walk.floor.or(self.state.telegram_newest).or(beginning);
        if front.shown.is_some() || !front.reaches {
            walk.since = walk.since.or(self.last_read()).or(Some(self.started));
        }
        walk
    }

    fn beside(&self, held: &[Candidate], harvest: &Harvest) -> Beside {
        let told = self.state.walk.as_ref().filter(|_| self.source.kind() != SourceKind::Telegram);
        Beside {
            held: held.iter().map(|held| held.key).collect(),
            front: harvest.items.iter().map(|judged| judged.candidate.key).collect(),
            since: told.and_then(|walk| walk.since).or(self.state.unsure),
        }
    }

    /// Whether the newest page touches what a walk that was not ended has read, set aside or told: it goes on there.
    fn goes_on(&self, front: &Front, beside: &Beside, harvest: &Harvest) -> bool {
        let is_held = harvest.items.iter().any(|judged| beside.held.contains(&judged.candidate.key));
        is_held || (front.reaches && self.state.walk.as_ref().is_some_and(|walk| walk.since.is_some()))
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
        let (desk, source, state) = (Arc::clone(self.desk), Arc::clone(self.source), self.state.clone());
        let held = held.into_iter().rev().collect();
        let judged =
            self.station.read(move |store| gather::judge(store, &desk, &source, &state, held)).await?;
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
    /// message that is gone. It can wait for an hour when it cannot be had.
    async fn reread(&self, front: &Front, harvest: &mut Harvest) -> Result<Walked, StoreError> {
        let nothing = Walked::default();
        let Target::Telegram { channel, .. } = &self.source.target else { return Ok(nothing) };
        let Some(settled) = harvest.beyond.channel.as_mut() else { return Ok(nothing) };
        let due = settled.reread.and_then(|last| last.checked_add(REREAD_EVERY).ok());
        let oldest = front.shown.as_ref().and_then(Shown::oldest);
        let stranger = front
            .shown
            .as_ref()
            .is_some_and(|shown| shown.is_stranger(channel::known(self.source, self.state, shown.id)));
        let Some(oldest) = oldest.filter(|_| !stranger && due.is_none_or(|due| due <= self.started)) else {
            return Ok(nothing);
        };
        if settled.first.is_some_and(|first| oldest > first) {
            let page = match self.page(oldest.to_string(), &Arc::default()).await? {
                Ok(page) => page,
                Err(Unread { why, order, .. }) => {
                    let spared = REREAD_EVERY.saturating_sub(REREAD_AGAIN);
                    settled.reread = self.started.checked_sub(spared).ok();
                    let problem = format!("an older page could not be read again for edits: {why}");
                    return Ok(Walked { missed: None, problems: vec![problem], order });
                }
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
            return Ok(nothing);
        }
        settled.reread = Some(self.started);
        Ok(nothing)
    }

    /// Fetches and reads an older page.
    async fn page(&self, cursor: String, beside: &Arc<Beside>) -> Result<Result<Page, Unread>, StoreError> {
        let now = later(self.answered, self.begun.elapsed());
        let asked = ask::ask_older(self.desk, self.source, &cursor, now).await;
        let document = match asked.map(|asked| asked.got) {
            Ok(Got::Document(document)) => document,
            Ok(Got::Unreadable(why)) => return Ok(Err(Unread::of(&why))),
            Ok(Got::Error(error)) => {
                let is_absent = matches!(error.status(), Some(NOT_FOUND | GONE));
                let kind = if is_absent { Failed::Absent } else { Failed::Asked };
                return Ok(Err(Unread { kind, order: error.freshness.retry_after, ..Unread::of(&error) }));
            }
            Ok(Got::Unchanged(_) | Got::Mirrored { .. }) => {
                return Ok(Err(Unread::of(&"the server says that it is unchanged")));
            }
            Err(Held { left }) => {
                let why = format!("its host is on hold for {} s", left.as_secs());
                return Ok(Err(Unread { why, kind: Failed::Held, order: Some(left) }));
            }
        };
        let (source, beside) = (Arc::clone(self.source), Arc::clone(beside));
        let state = self.state.clone();
        let read =
            move |store: &dyn Store| read::guarded(|| past::read(store, &source, &state, &document, &beside));
        let read = self.station.read(read).await?;
        Ok(read.map_err(|why| Unread::of(&why)))
    }
}

/// Why a way back ends before what was read.
fn ended(front: &Front, pages: u32, items: usize) -> String {
    let but = if front.touched { " but those at its top" } else { "" };
    match (front.shown.is_some(), pages) {
        (true, _) => format!("after {pages} older pages the preview shows nothing older"),
        (false, 0) => format!("none of its {items} items{but} was known, and it names no older page"),
        (false, _) => format!("none of its {items} items{but} was known, nor any on {pages} older pages"),
    }
}
