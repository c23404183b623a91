//! What a poll teaches of its source: rhythm, overlap, hints.

use jiff::Timestamp;

use crate::desk::Source;
use crate::schedule::{Learned, News, Window};
use crate::source::{Hints, Problem, ProblemKind};
use crate::store::SourceState;

/// What a document showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// How many of its items were known.
    known: u32,
    /// The dates of the others.
    dates: Vec<Option<Timestamp>>,
    /// Flaws mended without loss.
    mended: u32,
}

impl Shown {
    /// Of a document with these problems, before its items are looked at.
    pub(super) fn with(problems: &[Problem]) -> Self {
        let mended = problems.iter().filter(|problem| problem.kind == ProblemKind::Repaired).count();
        Self { mended: count(mended), ..Self::default() }
    }

    /// Counts an item of that date in.
    pub(super) fn add(&mut self, known: bool, published: Option<Timestamp>) {
        if known {
            self.known = self.known.saturating_add(1);
        } else {
            self.dates.push(published);
        }
    }

    fn window(&self) -> Window {
        Window { items: self.known.saturating_add(count(self.dates.len())), known: self.known }
    }
}

/// What was known of a source, and what a poll begun at `started` adds to it: what a document showed and hinted at,
/// if one was read.
pub(super) fn learn(
    source: &Source,
    state: &SourceState,
    read: Option<(&Shown, Hints)>,
    started: Timestamp,
) -> (Learned, News) {
    let mut learned = state.learned.clone();
    let Some((shown, hints)) = read else {
        let news = learned.news(state.last_new.or(state.baseline), false);
        return (learned, news);
    };
    learned.skip_hours = hints.skip_hours;
    learned.skip_days = hints.skip_days;
    learned.update_minutes = hints.update_minutes;
    learned.mended_last = shown.mended;
    let since = state.last_success.filter(|_| !is_baseline(source, state, shown));
    learned.window = since.map(|_| shown.window());
    if let Some(since) = since {
        learned.arrive(since, started, &shown.dates);
    }
    let fresh = since.is_some() && !shown.dates.is_empty();
    let latest = if fresh || since.is_none() { Some(started) } else { state.last_new.or(state.baseline) };
    let news = learned.news(latest, fresh);
    (learned, news)
}

/// Whether all that a document shows is new because the source is: then it tells nothing of a rhythm.
fn is_baseline(source: &Source, state: &SourceState, shown: &Shown) -> bool {
    let elsewhere = state.address != source.address() && shown.known == 0;
    let cut_short = state.body.is_none() && state.last_success == state.baseline;
    state.baseline.is_none() || elsewhere || cut_short
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
