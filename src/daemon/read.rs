//! From an answer to what is stored of it: read, and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, warn};
use xxhash_rust::xxh3::xxh3_128;

use super::ask::{self, Got, Via};
use super::begun::Fate;
use super::catchup::Front;
use super::learn::Shown;
use super::station::Station;
use super::{begun, channel, clock, network, same};
use crate::desk::{Desk, Source};
use crate::event::Reach;
use crate::fetch::{Document, FetchError, Validators};
use crate::ingest::{self, Beyond, Harvest, Judged, Missed, Outcome};
use crate::item::SourceKind;
use crate::rules::SourceLabel;
use crate::source::{self, Candidate, Hints, Problem, Reading, Unreadable};
use crate::store::{Seen, SourceState, Store, StoreError};

/// The status of what is not there, or not any more.
pub(super) const NOT_FOUND: u16 = 404;
/// The status of what is gone for good.
pub(super) const GONE: u16 = 410;

/// What was read, ready to be stored.
pub(super) struct Read {
    pub(super) outcome: Outcome,
    pub(super) unchanged: bool,
    pub(super) status: Option<u16>,
    pub(super) hints: Option<Hints>,
    pub(super) problems: Vec<String>,
    /// The page, where older ones may have to be read too.
    pub(super) front: Option<Front>,
    pub(super) missed: Option<Missed>,
    /// Whether the host of which the poll tells was reached.
    pub(super) reach: Reach,
    /// What the document showed.
    pub(super) shown: Option<Shown>,
    /// How long the host of an older page wants to be left alone.
    pub(super) order: Option<Duration>,
    /// Whether the address itself, and no target of a redirect, answered 404 or 410.
    pub(super) missing: bool,
    /// Whether it answered that it is gone for good.
    pub(super) gone: bool,
    /// The source for which this one stood aside until now, where that has read the same.
    pub(super) teller: Option<Box<SourceState>>,
}

impl Read {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            unchanged: false,
            status: None,
            hints: None,
            problems: Vec::new(),
            front: None,
            missed: None,
            reach: Reach::Answered,
            shown: None,
            order: None,
            missing: false,
            gone: false,
            teller: None,
        }
    }

    fn unchanged(validators: Validators) -> Self {
        Self { unchanged: true, ..Self::of(Outcome::Unchanged { validators }) }
    }

    fn unreadable(why: &Unreadable) -> Self {
        Self::of(Outcome::Failed { reason: why.reason().into(), detail: why.to_string() })
    }

    /// Adds to the words of a failure.
    pub(super) fn also(&mut self, more: &str) {
        if let Outcome::Failed { detail, .. } = &mut self.outcome {
            detail.push_str(more);
        }
    }

    /// Takes note of a gap, which is told.
    pub(super) fn miss(&mut self, source: &Source, missed: Option<Missed>) {
        if let Some(Missed { detail, .. }) = &missed {
            warn!(source = %source.name(), "possible gap: {detail}");
            self.problems.push(format!("possible gap: {detail}"));
        }
        self.missed = missed;
    }

    /// The words for what is wrong, if that is the layout: nothing could be read, or what was read is not all.
    pub(super) fn layout(&mut self) -> Option<&mut String> {
        match &mut self.outcome {
            Outcome::Failed { reason, detail } if reason == source::LAYOUT => Some(detail),
            Outcome::Read(harvest) => {
                let complaint = harvest.complaint.as_mut().filter(|wrong| wrong.reason == source::LAYOUT);
                complaint.map(|complaint| &mut complaint.detail)
            }
            Outcome::Failed { .. } | Outcome::Repeated { .. } | Outcome::Unchanged { .. } => None,
        }
    }

    /// A 410 is the one status with a state of its own, unless it is that of a page to which the address leads for a time.
    fn refused(error: &FetchError) -> Self {
        let status = error.status();
        let gone = status == Some(GONE) && !error.detour;
        let reason = if gone { "gone" } else { error.reason() };
        let failed = Outcome::Failed { reason: reason.into(), detail: error.to_string() };
        let missing = matches!(status, Some(NOT_FOUND | GONE)) && !error.redirected;
        let reach = network::reach(&error.failure);
        Self { status, reach, missing, gone, ..Self::of(failed) }
    }
}

/// Reads what a source answered.
///
/// # Errors
/// When the store fails.
pub(super) async fn read(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: &SourceState,
    got: Got,
) -> Result<Read, StoreError> {
    let (document, through) = match got {
        Got::Document(document) => (document, Through::Own),
        Got::Mirrored { reading, via, own: Some(own), .. } => (own, Through::Both(*reading, via)),
        Got::Mirrored { document, reading, via, own: None } => (document, Through::Mirror(*reading, via)),
        Got::Unchanged(validators) => return Ok(Read::unchanged(validators)),
        Got::Unreadable(why) => return Ok(Read::unreadable(&why)),
        Got::Error(error) => return Box::pin(broken_off(station, desk, source, state, error)).await,
    };
    let body = body_hash(&document.bytes);
    // One that was read with a complaint is looked at again: what was wrong may be the time, or the config. So is one
    // behind which a walk goes on.
    let unfinished = state.health.complaint.is_some() || state.walk.is_some();
    let is_alone = matches!(through, Through::Own);
    if state.body == Some(body) && !unfinished && is_alone && ask::is_same_document(source, state) {
        let validators = (document.url.to_string(), document.validators);
        return Ok(Read { unchanged: true, ..Read::of(Outcome::Repeated { validators }) });
    }
    let arrived = Arrived { document, through, body, broken: None };
    Box::pin(gathered(station, desk, source, state, arrived, |why| Read::unreadable(&why))).await
}

/// Reads the entries of a feed that had come when its transfer broke off. Where there are none, and of anything but a
/// feed, it stays an error.
async fn broken_off(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: &SourceState,
    mut error: FetchError,
) -> Result<Read, StoreError> {
    let part = error.part.take().filter(|_| source.kind() == SourceKind::Feed);
    let Some(document) = part.map(|part| *part) else { return Ok(Read::refused(&error)) };
    let body = body_hash(&document.bytes);
    let arrived = Arrived { document, through: Through::Own, body, broken: Some(error.to_string()) };
    gathered(station, desk, source, state, arrived, move |_| Read::refused(&error)).await
}

/// Whose document it is, what a mirror showed, and how that came to be asked.
enum Through {
    /// The source's.
    Own,
    /// The mirror's.
    Mirror(Reading, Via),
    /// The source's, of which the mirror shows what it lacks.
    Both(Reading, Via),
}

/// A document, and how it came.
struct Arrived {
    document: Document,
    /// Whose it is.
    through: Through,
    /// The hash of its body.
    body: [u8; 16],
    /// Why it is only the beginning of one.
    broken: Option<String>,
}

/// What a document says, or `otherwise` what it means that it cannot be read.
async fn gathered(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: &SourceState,
    arrived: Arrived,
    otherwise: impl FnOnce(Unreadable) -> Read + Send + 'static,
) -> Result<Read, StoreError> {
    let (desk, source, state) = (Arc::clone(desk), Arc::clone(source), state.clone());
    let document = arrived.document.clone();
    let read = move |store: &dyn Store| {
        // Where a mirror was asked the page was kept before.
        let is_alone = matches!(arrived.through, Through::Own);
        let read = guarded(|| gather(store, &desk, &source, &state, arrived))?;
        let mut read = read.unwrap_or_else(otherwise);
        if let Some(detail) = read.layout().filter(|_| is_alone) {
            detail.push_str(&keep(store, &source, &state, &document));
        }
        Ok(read)
    };
    station.read(read).await
}

/// Keeps a document whose layout is not known, once for each time that this begins, and says where it can be seen. That
/// it cannot be kept is no reason not to tell of it.
fn keep(store: &dyn Store, source: &Source, state: &SourceState, document: &Document) -> String {
    let name = source.name();
    let before = state.failing.as_ref().map(|failing| failing.reason.as_str());
    let before = before.or(state.health.run.as_ref().map(|run| run.reason.as_str()));
    let goes_on = before == Some(source::LAYOUT);
    let kept = match store.page(name) {
        // One that had to make room for others would only do the same to them.
        Ok(kept) if goes_on => Ok(kept.is_some()),
        Ok(_) | Err(_) => store.keep_page(name, &document.bytes).map(|()| true),
    };
    match kept {
        Ok(false) => String::new(),
        Ok(true) => format!("; `harmattan sources page {name}` prints the page"),
        Err(fault) => {
            warn!(source = %name, "{:#}", anyhow::Error::from(fault));
            String::new()
        }
    }
}

/// A document on which a reader or a rule panics is one that cannot be read: stored, told and asked for as seldom as
/// any other. Nothing that the work shares is left half done: it only reads.
pub(super) fn guarded<T>(
    work: impl FnOnce() -> Result<Result<T, Unreadable>, StoreError>,
) -> Result<Result<T, Unreadable>, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        error!("reading a document ended in a bug: {said}");
        Ok(Err(Unreadable::Parse(format!("reading it ended in a bug: {said}"))))
    })
}

/// What tells a body from another. Whoever could make two of one hash could show either of them, so nothing is asked of it
/// but that chance makes none.
fn body_hash(bytes: &[u8]) -> [u8; 16] {
    xxh3_128(bytes).to_be_bytes()
}

/// Reads a document and asks the rules about what in it is new or changed. Runs on a thread that may block.
fn gather(
    store: &dyn Store,
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    arrived: Arrived,
) -> Result<Result<Read, Unreadable>, StoreError> {
    let Arrived { ref document, through, body, broken } = arrived;
    let now = clock::now();
    let plan = source::Plan { now: Some(now), ..source.plan() };
    let read = || source::read(document, &plan);
    let (read, beside, via) = match through {
        Through::Own => (read(), None, None),
        Through::Mirror(reading, via) => (Ok(reading), None, Some(via)),
        Through::Both(mirrored, via) => (read(), Some((mirrored, via)), None),
    };
    let mut reading = match read {
        Ok(reading) => reading,
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
    let reach = via.as_ref().map_or(Reach::Answered, |via| via.reach);
    let own = via.is_none();
    let recalled = state.recalled(&source.address(), reading.shown.as_ref().and_then(|shown| shown.id));
    let state = recalled.as_ref().unwrap_or(state);
    let mut shown = Shown::with(&reading, document.delta);
    let (channel, missed) = match via {
        Some(via) => {
            reading.complaint = Some(via.cause);
            channel::settle_mirrored(store, source, state, &mut reading, &mut shown, now)?
        }
        None => (channel::settle(store, source, state, &mut reading, now)?, None),
    };
    let shows = reading.items.len();
    let missed = match beside {
        Some((mirrored, via)) => {
            reading.complaint = Some(via.cause);
            channel::fill(store, source, state, &mut reading, mirrored, now)?
        }
        None => missed,
    };
    // Of a stranger they tell no number, which is found out with the channel.
    let hints = own.then_some(reading.hints);
    let mut items = Vec::with_capacity(reading.items.len());
    let mut shared = false;
    for (place, (judged, met)) in judge(store, desk, source, state, reading.items)?.into_iter().enumerate() {
        if own && place < shows {
            shown.add(met != Met::Never, judged.candidate.item.published);
        }
        shared |= met == Met::Elsewhere;
        items.push(judged);
    }
    if fate == Fate::Known {
        shown.add(true, None);
    }
    let teller = same::teller(store, state, &document.url, shared)?;
    let last_read = state.last_success.max(teller.as_ref().and_then(|teller| teller.last_success));
    let harvest = Harvest {
        items,
        lost: u32::try_from(reading.lost).unwrap_or(u32::MAX),
        delta: document.delta,
        whole: !reading.truncated,
        validators: (document.url.to_string(), document.validators.clone()),
        body,
        complaint: reading.complaint,
        // What was set aside belongs to another address where a mirror's page is a baseline.
        beyond: Beyond { held: !own && channel.is_some(), channel: channel.map(Box::new), walk: None },
    };
    let front = Front {
        url: document.url.clone(),
        older: reading.older,
        shown: reading.shown,
        // A feed may list its oldest items first.
        reaches: shown.reaches(last_read) && !(source.kind() == SourceKind::Page && shown.is_topped()),
        touched: shown.is_touched(),
        scant: shown.is_scant(),
    };
    let (front, shown) = (own.then_some(front), Some(shown));
    let teller = teller.map(Box::new);
    let mut read = Read { hints, problems, front, reach, shown, teller, ..Read::of(Outcome::Read(harvest)) };
    read.miss(source, missed);
    Ok(Ok(read))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_reader_makes_a_document_unreadable() {
        let words: [(fn(), &str); 2] = [(|| panic!("at {}", 7), "at 7"), (|| panic!("here"), "here")];
        for (panic, said) in words {
            let read = guarded(|| {
                panic();
                Ok(Ok(()))
            });
            let why = Unreadable::Parse(format!("reading it ended in a bug: {said}"));
            assert_eq!(read.unwrap(), Err(why));
        }
    }
}
