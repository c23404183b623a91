//! From a document to what is stored of it: read, set beside what is remembered, and judged.

use std::mem;

use jiff::Timestamp;

use super::ask::Via;
use super::begun::Fate;
use super::catchup::Front;
use super::learn::Shown;
use super::read::Read;
use super::{begun, beside, channel, clock, past, same};
use crate::desk::{Desk, Source};
use crate::event::Reach;
use crate::fetch::Document;
use crate::ingest::{self, Beyond, Harvest, Judged, Missed, Outcome};
use crate::item::SourceKind;
use crate::rules::SourceLabel;
use crate::source::{self, Candidate, Plan, Problem, Reading, Unreadable};
use crate::store::{ChannelState, Seen, SourceState, Store, StoreError};

/// Whose document it is, what a mirror showed, and how that came to be asked.
pub(super) enum Through {
    /// The source's.
    Own,
    /// The mirror's.
    Mirror(Box<Reading>, Via),
    /// The source's, of which the mirror shows what it lacks.
    Both(Box<Reading>, Via),
}

/// A document, and how it came.
pub(super) struct Arrived {
    pub(super) document: Document,
    /// Whose it is.
    pub(super) through: Through,
    /// The hash of its body.
    pub(super) body: [u8; 16],
    /// Why it is only the beginning of one.
    pub(super) broken: Option<String>,
}

/// What a mirror has to do with what is read.
enum Aid {
    /// Nothing.
    None,
    /// It is the mirror's.
    Instead(Via),
    /// The mirror's page may have what is lacking.
    Beside(Box<Reading>, Via),
}

/// Reads a document and asks the rules about what in it is new or changed. Runs on a thread that may block.
pub(super) fn gather(
    store: &dyn Store,
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    arrived: Arrived,
) -> Result<Result<Read, Unreadable>, StoreError> {
    let Arrived { ref document, through, body, broken } = arrived;
    let now = clock::now();
    let (mut reading, aid) = match open(document, through, &Plan { now: Some(now), ..source.plan() }) {
        Ok(opened) => opened,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(why) = broken {
        reading.broke_off(&why);
    }
    let fate = begun::take(store, source, state, &mut reading, now)?;
    if reading.truncated && reading.items.is_empty() && fate == Fate::Left {
        // As a baseline it would let everything in the next, whole document be told as new.
        return Ok(Err(Unreadable::Parse("cut off before its first item".into())));
    }
    let told = |problem: &Problem| format!("{}: {}", problem.kind.as_str(), problem.detail);
    let problems = reading.problems.iter().map(told).collect();
    let (own, reach) = match &aid {
        Aid::None | Aid::Beside(..) => (true, Reach::Answered),
        Aid::Instead(via) => (false, via.reach),
    };
    let recalled = state.recalled(&source.address(), reading.shown.as_ref().and_then(|shown| shown.id));
    let state = recalled.as_ref().unwrap_or(state);
    if let Some(why) = channel::silence(source, state, &reading).filter(|_| own) {
        return Ok(Err(Unreadable::Layout(why)));
    }
    let mut survey = Survey::of(Shown::with(&reading, document.delta));
    let (channel, missed) = settle(store, source, state, &mut reading, (aid, &mut survey), now)?;
    // Of a stranger they tell no number, which is found out with the channel.
    let hints = own.then_some(reading.hints);
    let judged = judge(store, desk, source, state, mem::take(&mut reading.items))?;
    let missed = missed.or_else(|| unread(source, state, &judged, now));
    let items = survey.count(store, source, state, judged)?;
    survey.add_begun(fate, state);
    let teller = same::teller(store, state, &document.url, survey.shared)?;
    let last_read =
        state.unsure.or(state.last_success).max(teller.as_ref().and_then(|teller| teller.last_success));
    let front = own.then(|| Front {
        url: document.url.clone(),
        older: reading.older,
        shown: reading.shown,
        reaches: survey.reaches(source, last_read),
        touched: survey.overlap.is_touched(),
        scant: survey.overlap.is_scant(),
    });
    let harvest = Harvest {
        items,
        lost: u32::try_from(reading.lost).unwrap_or(u32::MAX),
        delta: document.delta,
        whole: !reading.truncated,
        validators: (document.url.to_string(), document.validators.clone()),
        body,
        complaint: reading.complaint,
        // What was set aside belongs to another address where a mirror's page is a baseline.
        beyond: Beyond {
            held: !own && channel.is_some(),
            channel: channel.map(Box::new),
            ..Beyond::default()
        },
    };
    let (shown, teller) = (Some(survey.shown), teller.map(Box::new));
    let mut read = Read { hints, problems, front, reach, shown, teller, ..Read::of(Outcome::Read(harvest)) };
    read.miss(source, missed);
    Ok(Ok(read))
}

/// What a document says, and what a mirror has to do with it.
fn open(document: &Document, through: Through, plan: &Plan<'_>) -> Result<(Reading, Aid), Unreadable> {
    Ok(match through {
        Through::Own => (source::read(document, plan)?, Aid::None),
        Through::Mirror(reading, via) => (*reading, Aid::Instead(via)),
        Through::Both(mirrored, via) => (source::read(document, plan)?, Aid::Beside(mirrored, via)),
    })
}

/// Sets a channel's page beside what is remembered of the channel; gives what is known of it then, and what may have been
/// missed.
fn settle(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    reading: &mut Reading,
    (aid, survey): (Aid, &mut Survey),
    now: Timestamp,
) -> Result<(Option<ChannelState>, Option<Missed>), StoreError> {
    let (mirrored, via) = match aid {
        Aid::Instead(via) => {
            reading.complaint = Some(via.cause);
            return beside::settle(store, source, state, reading, &mut survey.shown, now);
        }
        Aid::None => (None, None),
        Aid::Beside(mirrored, via) => (Some(mirrored), Some(via)),
    };
    let channel = channel::settle(store, source, state, reading, now)?;
    survey.own = reading.items.len();
    if let (Some(mirrored), Some(via), Some(known)) = (mirrored, via, channel.as_ref()) {
        reading.complaint = Some(via.cause);
        let missed = beside::fill(store, source, state, reading, *mirrored, known, now)?;
        return Ok((channel, missed));
    }
    Ok((channel, None))
}

/// What may have been missed of a page that could not be read until its selectors were mended: what they find is a
/// baseline, of which is told what states a later time than that at which it was last read.
fn unread(source: &Source, state: &SourceState, judged: &[(Judged, Met)], now: Timestamp) -> Option<Missed> {
    let since = state.unread_by_selectors(&source.address(), &source.read_as())?;
    let dates = judged.iter().map(|(judged, _)| judged.candidate.item.published);
    let is_known = judged.iter().any(|(_, met)| *met != Met::Never);
    let reaches = dates.clone().all(|date| date.is_some()) && dates.flatten().any(|date| date <= since);
    let detail = "it could not be read until its selectors were mended".to_owned();
    (!is_known && !reaches).then_some(Missed { since, until: now, detail })
}

/// What a document shows of what was known.
struct Survey {
    /// How many of its items are its own, and counted.
    own: usize,
    /// What is learned of it.
    shown: Shown,
    /// The same, but that what came while it was unsure whether there is a gap counts as unknown.
    overlap: Shown,
    /// Whether any was told by the source alone whose document this is.
    shared: bool,
}

impl Survey {
    fn of(shown: Shown) -> Self {
        Self { own: 0, shown, overlap: Shown::default(), shared: false }
    }

    /// Counts the items that were judged, and gives them on.
    fn count(
        &mut self,
        store: &dyn Store,
        source: &Source,
        state: &SourceState,
        judged: Vec<(Judged, Met)>,
    ) -> Result<Vec<Judged>, StoreError> {
        let mut items = Vec::with_capacity(judged.len());
        for (place, (judged, met)) in judged.into_iter().enumerate() {
            if place < self.own {
                let (known, published) = (met != Met::Never, judged.candidate.item.published);
                self.shown.add(known, published);
                let counts = known && !past::came_unsure(store, source, state, &judged.candidate)?;
                self.overlap.add(counts, published);
            }
            self.shared |= met == Met::Elsewhere;
            items.push(judged);
        }
        Ok(items)
    }

    /// Counts the entry inside which the document ends.
    fn add_begun(&mut self, fate: Fate, state: &SourceState) {
        if fate == Fate::Known {
            self.shown.add(true, None);
            if state.unsure.is_none() {
                self.overlap.add(true, None);
            }
        }
    }

    /// Whether the document touches what was read before. A feed may list its oldest items first.
    fn reaches(&self, source: &Source, last_read: Option<Timestamp>) -> bool {
        let is_topped = source.kind() == SourceKind::Page && self.overlap.is_topped();
        self.overlap.reaches(last_read) && !is_topped
    }
}

/// Where an item was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// Nowhere.
    Never,
    /// At its source.
    Here,
    /// At the source alone that told what this one shows.
    Elsewhere,
}

/// Asks the rules about the items that are new or changed; says of each where it was seen.
pub(super) fn judge(
    store: &dyn Store,
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    candidates: Vec<Candidate>,
) -> Result<Vec<(Judged, Met)>, StoreError> {
    let label = SourceLabel { name: source.name(), tags: &source.spec.tags };
    let answers = ingest::look_up(&candidates, |keys| store.seen(source.name(), keys))?;
    let told_by = state.learned.told_by.as_ref();
    let elsewhere = ingest::known_by(told_by, &candidates, |other, keys| store.seen(other, keys))?;
    let judge = |((candidate, answers), elsewhere): ((Candidate, Vec<Option<Seen>>), bool)| {
        let repeated = ingest::known(&answers).is_some_and(|seen| seen.content == candidate.content);
        let verdict = (!repeated).then(|| desk.engine.judge(&candidate.item, Some(label)));
        let met = match (ingest::was_shown(&answers), elsewhere) {
            (true, _) => Met::Here,
            (false, true) => Met::Elsewhere,
            (false, false) => Met::Never,
        };
        (Judged { candidate, verdict }, met)
    };
    Ok(candidates.into_iter().zip(answers).zip(elsewhere).map(judge).collect())
}
