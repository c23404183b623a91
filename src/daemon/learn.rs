//! What a poll teaches of its source: rhythm, overlap, hints.

use jiff::Timestamp;
use tracing::info;
use url::Url;

use super::ask::{self, is_same_document};
use super::read::Read;
use crate::desk::Source;
use crate::ingest::Outcome;
use crate::schedule::{Learned, News, Trace, Window};
use crate::source::{Hints, ProblemKind, Reading};
use crate::store::SourceState;

/// Most items pinned to the top of a page.
const PINNED_MAX: u32 = 3;

/// So many items that are not known must stand below each that is pinned. On a page that lost most of its items old
/// ones come up from behind, which were never read either.
const PINNED_ONE_TO: u32 = 3;

/// What a document showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// How many of its items were known.
    known: u32,
    /// The dates of the others.
    dates: Vec<Option<Timestamp>>,
    /// The date of its last item, if that is not known.
    tail: Option<Timestamp>,
    /// Whether a known item comes after one that is not, or one that is not known is younger than the one above it that
    /// is not: then nothing is pinned above what is new.
    mixed: bool,
    /// Flaws mended without loss.
    mended: u32,
    /// Whether it ended too early.
    cut: bool,
    /// Whether it holds what is new alone, so that it says nothing of how fast its window moves.
    delta: bool,
}

impl Shown {
    /// Of a document, before its items are looked at.
    pub(super) fn with(reading: &Reading, delta: bool) -> Self {
        let mended = reading.problems.iter().filter(|problem| problem.kind == ProblemKind::Repaired);
        let mended = mended.map(|problem| problem.times).sum();
        Self { mended: count(mended), cut: reading.truncated, delta, ..Self::default() }
    }

    /// Counts an item of that date in.
    pub(super) fn add(&mut self, known: bool, published: Option<Timestamp>) {
        if known {
            self.known = self.known.saturating_add(1);
            self.mixed |= !self.dates.is_empty();
        } else {
            let above = self.dates.last().copied().flatten();
            self.mixed |= published.zip(above).is_some_and(|(below, above)| below > above);
            self.dates.push(published);
        }
        self.tail = published.filter(|_| !known);
    }

    /// Whether it touches what was read before, at `since`. Known items at its top may have been pinned there: where
    /// those below them fall in time and end with one that is newer than the last reading, more lies behind it.
    pub(super) fn reaches(&self, since: Option<Timestamp>) -> bool {
        let newer = self.tail.zip(since).is_some_and(|(published, since)| published > since);
        // What a feed adds at its end, or in an order of its own, is no more than new.
        self.known > 0 && !(newer && self.dates.len() > 1 && self.may_be_pinned(1))
    }

    /// Whether nothing of it is known but a few items at its top, before many that state no date: those are pinned
    /// there, and do not tell that it touches what was read before.
    pub(super) fn is_topped(&self) -> bool {
        self.dates.last().is_some_and(Option::is_none) && self.may_be_pinned(PINNED_ONE_TO)
    }

    /// Whether what is known of it is no more than a few items at its top, each before so many that are not.
    fn may_be_pinned(&self, one_to: u32) -> bool {
        let few = (1..=PINNED_MAX).contains(&self.known);
        few && !self.mixed && count(self.dates.len()) >= self.known.saturating_mul(one_to)
    }

    /// Whether any of its items was known.
    pub(super) fn is_touched(&self) -> bool {
        self.known > 0
    }

    /// Whether so little of it was known that more may lie behind it.
    pub(super) fn is_scant(&self) -> bool {
        self.window().is_scant()
    }

    fn window(&self) -> Window {
        Window { items: self.known.saturating_add(count(self.dates.len())), known: self.known }
    }
}

/// What a poll taught, with what was known before.
pub(super) struct Lesson {
    /// To be kept.
    pub(super) learned: Learned,
    /// What of it decides when to come again.
    pub(super) news: News,
    /// Whether another address is to be asked from now on.
    pub(super) relocated: bool,
}

/// What was known of a source, and what a poll begun at `started` adds to it; `led` is where it came from, if permanent
/// redirects alone led there.
pub(super) fn learn(
    source: &Source,
    state: &SourceState,
    read: &Read,
    led: Option<&Url>,
    started: Timestamp,
) -> Lesson {
    let mut learned = state.learned.clone();
    learned.bring_back(started);
    let audited = learned.is_audit_due(started);
    learned.audited = if audited { Some(started) } else { learned.audited };
    if !matches!(read.outcome, Outcome::Failed { .. }) {
        learned.same_as = None;
    }
    if is_read_up(state, &read.outcome) {
        learned.told_by = None;
    }
    match &read.outcome {
        Outcome::Read(harvest) if !harvest.delta => learned.last_body = Some(started),
        Outcome::Repeated { .. } => learned.last_body = Some(started),
        // A delta shows as little of the rest as a 304. Where an earlier version has read the source, its week begins now.
        Outcome::Read(_) | Outcome::Unchanged { .. } => _ = learned.last_body.get_or_insert(started),
        Outcome::Failed { .. } => {}
    }
    if ask::known(source, state, started).is_some() && learned.refuse(read.status, started) {
        let left = learned.refused.map_or("", |refused| refused.what.as_str());
        info!(source = %source.name(), left, "its server takes no such request, and is asked without that for a month");
    }
    let relocated = relocate(source, state, read, led, started, &mut learned);
    let since = match &read.shown {
        Some(shown) => take_in(source, state, shown, read.hints, started, &mut learned),
        None => state.last_new.max(state.baseline),
    };
    let delta = read.shown.as_ref().is_some_and(|shown| shown.delta);
    let fresh = since == Some(started) && (learned.window.is_some() || delta);
    Lesson { news: learned.news(since, fresh), learned, relocated }
}

/// Whether a poll leaves nothing unread of what was to be read: of a document that is always cut what it shows is all.
fn is_read_up(state: &SourceState, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Read(harvest) => (harvest.whole || state.learned.cut_last) && harvest.beyond.walk.is_none(),
        Outcome::Repeated { .. } | Outcome::Unchanged { .. } => true,
        Outcome::Failed { .. } => false,
    }
}

/// Takes in a document, of which a mirror gives no hints; tells when the last new item was seen.
fn take_in(
    source: &Source,
    state: &SourceState,
    shown: &Shown,
    hints: Option<Hints>,
    started: Timestamp,
    learned: &mut Learned,
) -> Option<Timestamp> {
    if let Some(hints) = hints {
        learned.skip_hours = hints.skip_hours;
        learned.skip_days = hints.skip_days;
        learned.update_minutes = hints.update_minutes;
    }
    learned.mended_last = shown.mended;
    learned.cut_last = shown.cut;
    let since = state.last_success.filter(|_| !is_baseline(source, state, shown, started));
    learned.window = since.filter(|_| !shown.delta).map(|_| shown.window());
    match since {
        None => Some(started),
        Some(_) if shown.dates.is_empty() => state.last_new.max(state.baseline),
        Some(since) => {
            learned.arrive(since, started, &shown.dates);
            Some(started)
        }
    }
}

/// Follows where the source has moved, and tells of it once.
fn relocate(
    source: &Source,
    state: &SourceState,
    read: &Read,
    led: Option<&Url>,
    now: Timestamp,
    learned: &mut Learned,
) -> bool {
    let trace = match (&read.outcome, led) {
        (Outcome::Failed { .. }, _) if read.missing => Trace::Missing,
        (Outcome::Failed { .. }, _) => Trace::Failed { failures: state.unread_polls().saturating_add(1) },
        (Outcome::Read(_) | Outcome::Repeated { .. } | Outcome::Unchanged { .. }, Some(led)) => {
            Trace::Led(led.as_str())
        }
        // A transfer that broke off does not tell what led to it.
        (Outcome::Read(harvest), None) if !harvest.whole => Trace::Failed { failures: 0 },
        (Outcome::Read(_) | Outcome::Repeated { .. } | Outcome::Unchanged { .. }, None) => Trace::Here,
    };
    let relocated = learned.moved.note(&source.address(), trace, now);
    if relocated {
        let name = source.name();
        let to = learned.moved.to.as_deref().unwrap_or("the address of the config again");
        info!(source = %name, to, "asked elsewhere from now on: it has moved for good, or back");
    }
    relocated
}

/// Whether all that a document shows is new because the source is: then it tells nothing of a rhythm.
fn is_baseline(source: &Source, state: &SourceState, shown: &Shown, started: Timestamp) -> bool {
    let elsewhere = !is_same_document(source, state) && shown.known == 0;
    state.baseline.is_none() || elsewhere || state.open_baseline(started).is_some()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
