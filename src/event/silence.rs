//! When a source that can be read has been without news for too long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// No source is called silent sooner, unless its `silent_after` says so: nights are quiet everywhere.
const PATIENCE_MIN: Duration = Duration::from_hours(24);

/// So many times its longest usual gap may a source be without news.
const USUAL_GAPS: u32 = 3;

/// For how long a source is watched before its gaps are believed: two weekends.
const LEARNED_IN: Duration = Duration::from_hours(14 * 24);

/// Gaps older than this are forgotten: a source's habits change.
const GAP_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The longest gaps that are remembered.
const GAPS_MAX: usize = 8;

/// Polls of a source that goes well are at most a day apart: in a longer time between two readings nobody looked, or the
/// clock leapt.
const WATCHED_EVERY: Duration = Duration::from_hours(25);

/// For how long a source has been without news, as far as it was watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quiet {
    /// How long.
    pub time: Duration,
    /// Whether nobody had looked for long before the last reading.
    pub seldom: bool,
}

impl Quiet {
    /// Adds the time since the last reading. What nobody watched does not count; but whoever looks so seldom time and
    /// again looks all the same.
    pub(super) fn look(&mut self, since: Duration) {
        let is_long = since > WATCHED_EVERY;
        if !is_long || self.seldom {
            self.time = self.time.saturating_add(since);
        }
        self.seldom = is_long;
    }
}

/// What is learned of how often a source has news: its longest gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// When a gap ended, and how many minutes it lasted; the longest first.
    pub gaps: Vec<(Timestamp, u32)>,
}

impl Arrivals {
    /// Takes note of news at `now`, after so long without any.
    pub(super) fn note(&mut self, quiet: Duration, now: Timestamp) {
        let minutes = u32::try_from(quiet.as_secs() / 60).unwrap_or(u32::MAX);
        self.gaps.retain(|(ended, _)| now.duration_since(*ended) < GAP_KEPT);
        self.gaps.push((now, minutes));
        self.gaps.sort_by_key(|(_, minutes)| std::cmp::Reverse(*minutes));
        self.gaps.truncate(GAPS_MAX);
    }

    /// The longest usual gap: the second longest, since the longest may have been an accident.
    pub fn usual(&self) -> Option<Duration> {
        let (_, minutes) = self.gaps.get(1).or(self.gaps.first())?;
        Some(Duration::from_mins(u64::from(*minutes)))
    }
}

/// For how long a source may be without news at `now`: as its config says, else three times its longest usual gap of
/// 90 days, at least a day, and two weeks while it is not known for two weeks yet.
pub fn patience(
    own: Option<Duration>,
    arrivals: &Arrivals,
    baseline: Option<Timestamp>,
    now: Timestamp,
) -> Duration {
    if let Some(own) = own {
        return own;
    }
    let known_for = baseline.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
    let is_new = known_for.is_negative() || known_for.unsigned_abs() < LEARNED_IN;
    match arrivals.usual() {
        Some(usual) if !is_new => (usual * USUAL_GAPS).max(PATIENCE_MIN),
        Some(usual) => (usual * USUAL_GAPS).max(LEARNED_IN),
        None => LEARNED_IN,
    }
}
