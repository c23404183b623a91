//! From an answer to what is stored of it: read, and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, warn};
use xxhash_rust::xxh3::xxh3_128;

use super::ask::{self, Got};
use super::catchup::Front;
use super::gather::{Arrived, Through, gather};
use super::learn::Shown;
use super::network;
use super::station::Station;
use crate::desk::{Desk, Source};
use crate::event::Reach;
use crate::fetch::{Document, FetchError, Validators};
use crate::ingest::{Missed, Outcome};
use crate::item::SourceKind;
use crate::source::{self, Hints, Unreadable};
use crate::store::{SourceState, Store, StoreError};

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
    pub(super) fn of(outcome: Outcome) -> Self {
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
        let Some(missed) = missed else { return };
        warn!(source = %source.name(), "possible gap: {}", missed.detail);
        self.problems.push(format!("possible gap: {}", missed.detail));
        self.missed = Some(missed);
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
        Got::Mirrored { reading, via, own: Some(own), .. } => (*own, Through::Both(reading, via)),
        Got::Mirrored { document, reading, via, own: None } => (document, Through::Mirror(reading, via)),
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
        // A page that was read with a complaint says nothing of another that cannot be read.
        let is_read = matches!(read.outcome, Outcome::Read(_));
        let is_other = source.kind() == SourceKind::Page && is_read != (state.unread_polls() == 0);
        let goes_on = state.is_layout_unknown() && !is_other;
        if let Some(detail) = read.layout().filter(|_| is_alone) {
            detail.push_str(&keep(store, &source, goes_on, &document));
        }
        Ok(read)
    };
    station.read(read).await
}

/// Keeps a document whose layout is not known, once for each time that this begins, and says where it can be seen. That
/// it cannot be kept is no reason not to tell of it.
fn keep(store: &dyn Store, source: &Source, goes_on: bool, document: &Document) -> String {
    let name = source.name();
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
