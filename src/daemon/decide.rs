//! When a source is polled next by what a poll came to.

use super::learn::Lesson;
use super::poll::Time;
use super::read::Read;
use crate::desk::{Desk, Source};
use crate::event::Reach;
use crate::fetch::Freshness;
use crate::ingest::{Harvest, Outcome};
use crate::schedule::{self, Condition, PollDecision, PollOutcome, PollReason};
use crate::store::SourceState;

/// When to poll next, and why then.
pub(super) fn decide(
    desk: &Desk,
    source: &Source,
    state: &SourceState,
    read: &Read,
    freshness: Freshness,
    time: Time,
    lesson: &Lesson,
) -> PollDecision {
    let outcome = match &read.outcome {
        Outcome::Failed { .. } if read.gone && !lesson.relocated => {
            // Of one found on the way to another address or back, nobody waited for a day to have it confirmed.
            PollOutcome::Gone { confirmed: state.learned.reason == Some(PollReason::Gone) }
        }
        Outcome::Failed { .. } => PollOutcome::Failed {
            status: read.status,
            failures: state.unread_polls().saturating_add(1),
            cut: read.reach == Reach::Cut,
        },
        Outcome::Read(_) | Outcome::Repeated { .. } | Outcome::Unchanged { .. } => PollOutcome::Read,
    };
    let kept = || state.validators.as_ref().is_some_and(|(_, known)| !known.is_empty());
    let validators = match &read.outcome {
        Outcome::Read(Harvest { validators, whole: true, .. }) | Outcome::Repeated { validators } => {
            !validators.1.is_empty()
        }
        // Of a document that was cut none are kept.
        Outcome::Read(_) => kept(),
        // One that was never read is not known to send none.
        Outcome::Unchanged { .. } | Outcome::Failed { .. } => state.baseline.is_none() || kept(),
    };
    let poll = schedule::Poll {
        started: time.started,
        answered: time.answered,
        outcome,
        freshness,
        hints: read.hints.unwrap_or_else(|| state.hints()),
        validators: validators && lesson.learned.takes(Condition::Validators, time.started),
        news: lesson.news,
    };
    schedule::next_poll(source.name(), &source.rhythm(&desk.config), &poll)
}
