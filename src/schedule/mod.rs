//! When to poll next. Pure: the clock is passed in.
//!
//! A poll comes at the source's interval, counted from the start of the last request: its own, or one that follows its
//! rhythm ([`Learned`]). Failures stretch it, what the publisher hints at (`ttl`, `skipHours`, `sy:updatePeriod`) may
//! stretch it, and what a server orders (`Retry-After`, `max-age`, a confirmed 410) nothing shortens. Every decision
//! carries its reason.

mod backoff;
mod jitter;
mod learned;
mod moved;
mod plan;
mod terms;
mod wait;

use std::time::Duration;

use jiff::Timestamp;

use crate::fetch::Freshness;
use crate::item::{SourceKind, SourceName};
use crate::source::Hints;

pub use learned::{ARRIVALS_MAX, Learned, Window};
pub use moved::{Moved, Trace, Watched};
pub use plan::{Start, plan, space, step};
pub use terms::{Condition, Refused};

/// Longest `Retry-After` obeyed with a 429: servers do shut out for days.
pub const RETRY_AFTER_MAX_429: Duration = Duration::from_hours(168);
/// Longest `Retry-After` obeyed with any other status; a longer one is taken for a mistake.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// How long after a first 410 it is asked once more, before it is believed.
pub const GONE_CONFIRMED_AFTER: Duration = Duration::from_hours(24);
/// How long a source whose document another has is not asked at most.
pub const SAME_AGAIN_AFTER: Duration = Duration::from_hours(24);
/// Least interval of a feed that can only be asked unconditionally, unless it has an interval of its own.
pub const UNCONDITIONAL_MIN: Duration = Duration::from_mins(30);
/// Below this interval, which no config for real servers has, there is neither jitter nor floor: tests run on it.
pub const FAST: Duration = Duration::from_secs(10);
/// The due time of a source that is not polled any more.
pub const NEVER: Timestamp = Timestamp::MAX;

/// Least time between a poll of a source and one by hand, unless it may be polled sooner by itself.
pub const BY_HAND_MIN: Duration = Duration::from_mins(5);

/// How far a clock may step back before what was written is not believed any more.
pub const CLOCK_STEP_MAX: Duration = Duration::from_mins(1);

/// Whether a clock that shows `now` was set back since it showed `before`, by more than a correction.
pub fn is_set_back(before: Timestamp, now: Timestamp) -> bool {
    before > now.checked_add(CLOCK_STEP_MAX).unwrap_or(Timestamp::MAX)
}

/// How often a source is to be polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// What it is read as: the floor for unconditional polls holds for feeds alone.
    pub kind: SourceKind,
    /// The source's own interval, else the one to start from.
    pub interval: Duration,
    /// Whether it is the source's own: then hints do not stretch it, nor do `min` and `max` bound it.
    pub fixed: bool,
    /// Shortest interval.
    pub min: Duration,
    /// Longest interval, and the longest `max-age` obeyed.
    pub max: Duration,
}

/// A poll that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When the first request went out.
    pub started: Timestamp,
    /// When the answer came; a server's orders count from here.
    pub answered: Timestamp,
    /// What it came to.
    pub outcome: PollOutcome,
    /// What the server said of coming again, in errors too.
    pub freshness: Freshness,
    /// What the document says of it; of the last one that could be read.
    pub hints: Hints,
    /// Whether there are validators to send with the next request.
    pub validators: bool,
    /// What the source's items say of its rhythm.
    pub news: News,
}

/// What the items of a source say of when to come again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The usual time between two of them, once it is known.
    pub gap: Option<Duration>,
    /// Whether hardly an item of the last document was known.
    pub scant: bool,
    /// Whether this poll brought a new one.
    pub fresh: bool,
    /// When the last new one was seen.
    pub latest: Option<Timestamp>,
}

/// What a poll came to, as far as the next one depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// A document that could be read, or a 304.
    Read,
    /// No document, or one that could not be read.
    Failed {
        /// The status code, if there was an answer.
        status: Option<u16>,
        /// Failures in a row, this one included.
        failures: u32,
        /// Whether no host of the source could be reached.
        cut: bool,
    },
    /// A 410.
    Gone {
        /// Whether the poll before this one, a day ago, brought a 410 too.
        confirmed: bool,
    },
}

/// When to poll next, and why then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollDecision {
    /// When; [`NEVER`] for a source that is gone.
    pub due: Timestamp,
    /// What decided it.
    pub reason: PollReason,
    /// The server's order: a poll by hand and `once --all` wait for it too.
    pub not_before: Option<Timestamp>,
}

/// What decided when to poll next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PollReason {
    /// The source's interval, or the one to start from.
    Interval,
    /// The rhythm of its items.
    Learned,
    /// A new item, after which more may come soon.
    Burst,
    /// Hardly an item of the last document was known.
    Overlap,
    /// There are no validators to ask with.
    Unconditional,
    /// The feed's `ttl`.
    Ttl,
    /// The feed's `sy:updatePeriod`.
    Promise,
    /// The feed's `skipHours` and `skipDays`.
    Skip,
    /// `Cache-Control: max-age` or `Expires`.
    MaxAge,
    /// `Retry-After`.
    RetryAfter,
    /// Failures in a row.
    Backoff,
    /// A 410, to be confirmed or confirmed.
    Gone,
    /// Another source has the same document.
    Same,
}

impl PollReason {
    pub(crate) const ALL: [Self; 13] = [
        Self::Interval,
        Self::Learned,
        Self::Burst,
        Self::Overlap,
        Self::Unconditional,
        Self::Ttl,
        Self::Promise,
        Self::Skip,
        Self::MaxAge,
        Self::RetryAfter,
        Self::Backoff,
        Self::Gone,
        Self::Same,
    ];

    /// The word for logs, tables and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interval => "interval",
            Self::Learned => "rhythm",
            Self::Burst => "burst",
            Self::Overlap => "overlap",
            Self::Unconditional => "unconditional",
            Self::Ttl => "ttl",
            Self::Promise => "update-period",
            Self::Skip => "skip-hours",
            Self::MaxAge => "max-age",
            Self::RetryAfter => "retry-after",
            Self::Backoff => "backoff",
            Self::Gone => "gone",
            Self::Same => "same-document",
        }
    }

    /// The reason of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Decides when a source is polled next.
///
/// Never before `poll.started` plus its interval, and never before the server's order; at the latest after
/// `rhythm.max`, a day of backoff or the interval, whichever is longest, unless the server orders a later time. A tenth
/// at most is added, different for every source, so that sources that started together drift apart. A time that the
/// publisher asks to be left out (`skipHours`, `skipDays`) ends before it.
pub fn next_poll(source: &SourceName, rhythm: &Rhythm, poll: &Poll) -> PollDecision {
    if let PollOutcome::Gone { confirmed } = poll.outcome {
        let due = if confirmed { NEVER } else { after(poll.answered, GONE_CONFIRMED_AFTER) };
        return PollDecision { due, reason: PollReason::Gone, not_before: Some(due) };
    }
    let (interval, by) = wait::wait(rhythm, poll);
    let (wait, by) = match poll.outcome {
        PollOutcome::Read | PollOutcome::Gone { .. } => (interval, by),
        PollOutcome::Failed { status, failures, cut } => {
            let longest = backoff::longest(rhythm.kind, cut);
            (backoff::wait(interval, status, failures, longest), PollReason::Backoff)
        }
    };
    let order = order(rhythm, poll);
    let own = after(poll.started, wait);
    let (planned, reason) = match order {
        Some((not_before, by)) if not_before > own => (not_before, by),
        Some(_) | None => (own, by),
    };
    let latest = planned.max(after(poll.started, rhythm.max.max(interval).max(backoff::BACKOFF_MAX)));
    let due = jitter::later(source, poll.started, planned).min(latest);
    let not_before = order.map(|(not_before, _)| not_before);
    let open = if rhythm.fixed { due } else { wait::outside_skips(&poll.hints, due) };
    if open > due {
        return PollDecision {
            due: jitter::opening(source, poll.started, open),
            reason: PollReason::Skip,
            not_before,
        };
    }
    PollDecision { due, reason, not_before }
}

/// Until when a publisher asks to be left alone at `now` (`skipHours`, `skipDays`); `None` outside such hours, and for a
/// source with an interval of its own.
pub fn closed_until(
    source: &SourceName,
    rhythm: &Rhythm,
    hints: &Hints,
    now: Timestamp,
) -> Option<Timestamp> {
    let open = Some(wait::outside_skips(hints, now)).filter(|open| *open > now && !rhythm.fixed)?;
    Some(jitter::opening(source, now, open))
}

/// From when on a source that was last polled at `last` may be polled by hand; `None` when that is now.
pub fn by_hand_from(rhythm: &Rhythm, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let own = if rhythm.fixed { rhythm.interval } else { rhythm.interval.min(rhythm.min) };
    let free = after(last, own.min(BY_HAND_MIN));
    (free > now && !is_set_back(last, now)).then_some(free)
}

/// What the server ordered: the later of `Retry-After` and `max-age`, each within its limit.
fn order(rhythm: &Rhythm, poll: &Poll) -> Option<(Timestamp, PollReason)> {
    let longest = match poll.outcome {
        PollOutcome::Failed { status: Some(429), .. } => RETRY_AFTER_MAX_429,
        PollOutcome::Read | PollOutcome::Failed { .. } | PollOutcome::Gone { .. } => RETRY_AFTER_MAX,
    };
    let retry_after = poll.freshness.retry_after.map(|wait| (wait.min(longest), PollReason::RetryAfter));
    let max_age = poll.freshness.max_age.map(|wait| (wait.min(rhythm.max), PollReason::MaxAge));
    let (wait, by) = retry_after.max(max_age)?;
    Some((after(poll.answered, wait), by))
}

/// A time so much later, at most the end of time.
fn after(from: Timestamp, wait: Duration) -> Timestamp {
    from.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
