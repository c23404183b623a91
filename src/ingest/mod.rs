//! A poll's result as one transaction: what is new, what it means and what is owed for it.
//!
//! Everything a poll found out is written here or nowhere: seen keys, items, alerts, deliveries, validators
//! and the source's state. The function computes and calls the transaction, nothing else, so the engine may
//! run it again after a conflict.

pub mod article;
mod aside;
mod health;
mod identity;
mod lookup;
mod past;
mod record;
mod stamp;
mod take;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use self::aside::{Aside, stand_aside};
pub use self::health::{desert, tell_gaps};
pub use self::lookup::{known, known_by, look_up, lookups, was_shown};
use self::take::Ingest;
use crate::config::{ArticleChoice, Backlog};
use crate::event::{Event, Reach};
use crate::fetch::Validators;
use crate::item::SourceName;
use crate::outbox::Delivery;
use crate::route::Routes;
use crate::rules::Engine;
use crate::rules::verdict::Verdict;
use crate::schedule::Learned;
use crate::source::{Candidate, Complaint, Hints};
use crate::store::{Cause, ChannelState, Failing, Restored, SourceState, StoreError, Transaction, Walk};
use crate::story::{AlertId, Disposition};

/// What a poll brought.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The source, as configured.
    pub source: Polled,
    /// When the request was made.
    pub started: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// What the document asks of pollers, when one was read.
    pub hints: Option<Hints>,
    /// When the next one is due.
    pub due: Timestamp,
    /// The server's order: no request before.
    pub not_before: Option<Timestamp>,
    /// What of the source may have been missed, when this poll found that out.
    pub missed: Option<Missed>,
    /// What this poll and those before it taught.
    pub learned: Learned,
    /// What it tells of the host, and how long the source may be silent.
    pub witness: Witness,
}

/// What a poll tells beside the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The host asked.
    pub host: Option<String>,
    /// The host that was asked first, where it answered with a redirect to that one.
    pub passed: Option<String>,
    /// Hosts that stand in for it and could not be reached either.
    pub others: Vec<String>,
    /// Whether the poll reached it.
    pub reach: Reach,
    /// For how long nothing new is no silence, where the config says so.
    pub silent_after: Option<Duration>,
    /// What the server's clock showed.
    pub clock: Option<Timestamp>,
}

/// Items that a source may have shown without our seeing them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// When it was last read without a gap.
    pub since: Timestamp,
    /// When it was read again.
    pub until: Timestamp,
    /// How that was noticed, and how far it was filled, in words.
    pub detail: String,
}

/// What the transaction needs to know of a source's settings.
#[derive(Clone, Debug)]
pub struct Polled {
    /// Its name.
    pub name: SourceName,
    /// Its address, as configured.
    pub address: String,
    /// How its documents are read, as far as the config says.
    pub read_as: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its tier, 1 to 3.
    pub tier: u8,
    /// What of the first poll may alert.
    pub backlog: Backlog,
    /// Whether the articles that its entries link to are wanted.
    pub article: ArticleChoice,
}

/// What a poll came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A document was read.
    Read(Harvest),
    /// The document came again as it was read before.
    Repeated {
        /// Where it came from, after redirects, and its validators, which replace those known.
        validators: (String, Validators),
    },
    /// The server says that the document is the one already read.
    Unchanged {
        /// Validators that came with the answer; those that did not stay.
        validators: Validators,
    },
    /// Nothing could be had or read.
    Failed {
        /// Class, as in [`Failing::reason`].
        reason: String,
        /// In words, without secrets.
        detail: String,
    },
}

/// The time by which the age of an item counts: the earlier of our clock and the server's. A clock that runs a year ahead
/// would have all news be stale, and nobody told.
fn by_both(now: Timestamp, clock: Option<Timestamp>) -> Timestamp {
    clock.map_or(now, |clock| clock.min(now))
}

/// What was read from a document.
#[derive(Clone, Debug)]
pub struct Harvest {
    /// Its items, in the order of the document.
    pub items: Vec<Judged>,
    /// Entries that no item stands for.
    pub lost: u32,
    /// Whether the document shows what is new alone, so that what is absent has not vanished.
    pub delta: bool,
    /// Whether the document was whole. The validators of a damaged one are not kept, or its rest would never be asked for.
    pub whole: bool,
    /// Where it came from, after redirects, and its validators.
    pub validators: (String, Validators),
    /// First 16 bytes of the body's SHA-256.
    pub body: [u8; 16],
    /// What is wrong with the source although it could be read; it counts as failing with that reason.
    pub complaint: Option<Complaint>,
    /// What it brings beside the items of its document.
    pub beyond: Beyond,
}

/// What older pages and the state of a channel add to a harvest.
#[derive(Clone, Debug, Default)]
pub struct Beyond {
    /// Whether what a walk through older pages set aside is among the items, and need not be held any more.
    pub held: bool,
    /// A walk that goes on at the next poll, once what it read so far is told.
    pub walk: Option<Box<Walk>>,
    /// As in [`SourceState::unsure`].
    pub unsure: Option<Timestamp>,
    /// What is now known of the Telegram channel.
    pub channel: Option<Box<ChannelState>>,
}

impl Beyond {
    /// Whether the channel is another than the one known before.
    fn is_another(&self, before: &ChannelState) -> bool {
        self.ids(before).is_some_and(|(now, before)| now != before)
    }

    /// Whether the channel is the one known before, whatever it is called now.
    fn is_same(&self, before: &ChannelState) -> bool {
        self.ids(before).is_some_and(|(now, before)| now == before)
    }

    fn ids(&self, before: &ChannelState) -> Option<(i64, i64)> {
        self.channel.as_ref().and_then(|now| now.id).zip(before.id)
    }
}

/// An item and what the rules say of it; not asked where the item seemed known.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The item.
    pub candidate: Candidate,
    /// The rules' verdict.
    pub verdict: Option<Verdict>,
}

/// What is in force while a poll is stored.
#[derive(Clone)]
pub struct InForce {
    /// The rules.
    pub engine: Arc<Engine>,
    /// Which alerts and events go where.
    pub routes: Arc<Routes>,
    /// Items with an older date are recorded as stale, where a rule has no greatest age of its own.
    pub max_age: Duration,
    /// From where sources are watched.
    pub vantage: Vantage,
}

/// From where sources are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// Name of this machine.
    pub machine: Arc<str>,
    /// How many hosts the sources have.
    pub hosts: usize,
}

/// What came of storing a poll.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Receipt {
    /// Whether this was the source's baseline.
    pub baseline: bool,
    /// Items on the page.
    pub items: u32,
    /// Items never seen before; in a baseline, all of them.
    pub new: u32,
    /// Known items whose text changed.
    pub edited: u32,
    /// Items of a baseline on which a live rule would have fired.
    pub baseline_fired: u32,
    /// Alerts made, with what became of them.
    pub alerts: Vec<(AlertId, Disposition)>,
    /// What became of the source, its host and the network, as far as that is told.
    pub events: Vec<Event>,
    /// What is owed for alerts and events.
    pub deliveries: Vec<Delivery>,
    /// Articles that are to be fetched.
    pub articles: u32,
    /// Articles that had no room to wait.
    pub articles_refused: u32,
    /// The failure, while polls fail.
    pub failing: Option<Failing>,
    /// Whether its alerts may have been told before, since the store was restored.
    pub repeat: bool,
    /// The host that answers again, after its sources shared an incident.
    pub back: Option<String>,
}

/// Writes what a poll brought.
///
/// # Errors
/// When the store cannot be read or written.
pub fn ingest(tx: &dyn Transaction, poll: &Poll, force: &InForce) -> Result<Receipt, StoreError> {
    let (known, restored) = (tx.source(&poll.source.name)?, tx.restored()?);
    let this = restored.as_ref().map(|restored| restored.at);
    // One that the store does not know has a baseline to come.
    let mut state =
        known.unwrap_or_else(|| SourceState { restored: this, ..SourceState::blank(&poll.source.name) });
    state = state.at(&poll.source.address);
    let unread = restored.filter(|restored| state.restored != Some(restored.at));
    let repeat = unread.as_ref().map(|restored| restored.taken);
    let lost = unread.and_then(|restored| lost_until(&restored, &state));
    let mut receipt = Receipt { repeat: repeat.is_some(), ..Receipt::default() };
    let before = health::Before::of(&state);
    match &poll.outcome {
        Outcome::Read(harvest) => {
            let id = harvest.beyond.channel.as_ref().and_then(|channel| channel.id);
            state = state.recalled(&poll.source.address, id).unwrap_or(state);
            let elsewhere = state.address != poll.source.address && !harvest.beyond.is_same(&state.channel);
            if elsewhere || harvest.beyond.is_another(&state.channel) {
                // The numbers of another channel say nothing of this one's.
                state.telegram_newest = None;
            }
            let open = state.open_baseline(poll.started).filter(|_| !elsewhere);
            let mended = state.unread_by_selectors(&poll.source.address, &poll.source.read_as);
            let lost = lost.or(state.unread_baseline().filter(|_| !elsewhere));
            Ingest { tx, poll, force, harvest, last_read: state.last_success, repeat, lost, mended, open }
                .take_in(&mut state, &mut receipt)?;
            let run = state.failing.take();
            succeed(&mut state, poll.started);
            if let Some(Complaint { reason, detail }) = &harvest.complaint {
                state.failing = Some(failed(run, poll.started, reason, detail));
            }
            settle(tx, &mut state, &harvest.beyond)?;
        }
        Outcome::Repeated { validators } => {
            state.validators = Some(validators.clone());
            succeed(&mut state, poll.started);
        }
        Outcome::Unchanged { validators } => {
            refresh(&mut state, validators);
            succeed(&mut state, poll.started);
        }
        Outcome::Failed { reason, detail } => {
            // However often it was read with a complaint before: the wait grows with what is not read.
            let polls = state.unread_polls();
            let run = state.failing.take().map(|run| Failing { polls, ..run });
            state.failing = Some(failed(run, poll.started, reason, detail));
        }
    }
    if is_read_up(&poll.outcome, &state) {
        state.restored = this;
    }
    if let Some(hints) = poll.hints {
        state.ttl_minutes = hints.ttl_minutes;
        state.telegram_newest = hints.telegram_newest.or(state.telegram_newest);
    }
    state.learned.clone_from(&poll.learned);
    state.last_poll = Some(poll.started);
    state.due = Some(poll.due);
    state.not_before = poll.not_before;
    health::note(tx, poll, force, &before, &mut state, &mut receipt)?;
    receipt.failing.clone_from(&state.failing);
    tx.put_source(&state)?;
    Ok(receipt)
}

/// A damaged store that knows a source as it was so long before it worked for the last time has lost sight of it.
const LOST_SIGHT: SignedDuration = SignedDuration::from_hours(24);

/// Until when the source was read although a damaged store does not know what it showed; none where what is unknown to
/// the store came since.
fn lost_until(restored: &Restored, state: &SourceState) -> Option<Timestamp> {
    let is_known = state.last_success.is_some_and(|read| restored.taken.duration_since(read) <= LOST_SIGHT);
    match restored.cause {
        Cause::Damage { .. } if !is_known => Some(restored.taken),
        Cause::Damage { .. } | Cause::Backup => None,
    }
}

/// Whether a poll leaves nothing that its source showed unread: what comes later came later.
fn is_read_up(outcome: &Outcome, state: &SourceState) -> bool {
    let whole = match outcome {
        Outcome::Read(harvest) => harvest.whole,
        Outcome::Repeated { .. } | Outcome::Unchanged { .. } => true,
        Outcome::Failed { .. } => false,
    };
    whole && state.walk.is_none()
}

/// One failure more in a run of them.
fn failed(run: Option<Failing>, at: Timestamp, reason: &str, detail: &str) -> Failing {
    Failing {
        since: run.as_ref().map_or(at, |run| run.since),
        polls: run.map_or(0, |run| run.polls).saturating_add(1),
        reason: reason.to_owned(),
        detail: detail.to_owned(),
    }
}

/// Lets go of what a walk set aside, once it is told, and keeps what is known of the channel and of a gap.
fn settle(tx: &dyn Transaction, state: &mut SourceState, beyond: &Beyond) -> Result<(), StoreError> {
    // A walk that was not ended led through another channel.
    if beyond.held || beyond.is_another(&state.channel) {
        let walk = std::mem::replace(&mut state.walk, beyond.walk.as_deref().cloned()).unwrap_or_default();
        (0..walk.held).try_for_each(|place| tx.drop_held(&state.name, place))?;
    }
    state.unsure = beyond.unsure;
    if let Some(channel) = &beyond.channel {
        state.channel = ChannelState::clone(channel);
    }
    Ok(())
}

fn succeed(state: &mut SourceState, at: Timestamp) {
    state.last_success = Some(at);
    state.failing = None;
}

/// A 304 replaces the validators that it carries (RFC 9111 section 4.3.4).
fn refresh(state: &mut SourceState, fresh: &Validators) {
    if let Some((_, stored)) = &mut state.validators {
        *stored = stored.refreshed(fresh);
    }
}
