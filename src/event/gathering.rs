//! Gaps of many sources for one cause: while this machine was off or cut off, the documents of many moved on. They are
//! gathered for a while, and told as one.

use jiff::{SignedDuration, Timestamp};

use super::gap::Gap;
use super::network::Network;
use super::observed::Observed;
use super::{Event, EventKind, minute};

/// For how long gaps are gathered: by then sources that all were due at once have been polled.
const GATHERED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// How often gaps are told that are found when others of the same absence were told: of sources polled seldom.
const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// How far the times of an absence and those of a gap may be apart: what was under way meanwhile has an earlier one.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

/// Sources that are named. Of more it is told how many they are.
const NAMED_MAX: usize = 12;

/// The class of an event that tells of the gaps of several sources, since this machine was off or cut off.
pub const AWAY: &str = "away";

/// Gaps that are to be told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathering {
    /// When the first was found.
    pub begun: Timestamp,
    /// When they are told.
    pub due: Timestamp,
    /// When the earliest began.
    pub since: Timestamp,
    /// When the latest ended.
    pub until: Timestamp,
    /// The sources, as far as they are named.
    pub sources: Vec<String>,
    /// How many others there are.
    pub others: usize,
    /// The first in words: what is told where it stays the only one.
    pub detail: String,
}

impl Network {
    /// Keeps what is to be told of the gap of a poll, where this machine was off or cut off meanwhile; else gives it
    /// back, to be told at once.
    pub(super) fn gather(&mut self, event: Event, poll: &Observed<'_>) -> Option<Event> {
        let Some((gap, back)) = poll.gap.as_ref().and_then(|gap| Some((gap, self.back_within(gap)?))) else {
            return Some(event);
        };
        let soon = after(poll.now, GATHERED_FOR);
        let due = match self.gaps_told {
            Some(told) if told >= back && !is_ahead(told, poll.now) => soon.max(after(told, TOLD_EVERY)),
            Some(_) | None => soon,
        };
        let gathering = self.gaps.get_or_insert_with(|| Gathering {
            begun: poll.now,
            due,
            since: event.since,
            until: gap.until,
            sources: Vec::new(),
            others: 0,
            detail: event.detail.clone(),
        });
        // Another absence than the one that was told does not wait for what is left of that.
        gathering.due = gathering.due.min(due);
        gathering.since = gathering.since.min(event.since);
        gathering.until = gathering.until.max(gap.until);
        if !gathering.sources.contains(&event.name) {
            if gathering.sources.len() < NAMED_MAX {
                gathering.sources.push(event.name);
            } else {
                gathering.others = gathering.others.saturating_add(1);
            }
        }
        None
    }

    /// Tells the gaps that were gathered, once it is time to.
    pub(super) fn tell_gaps(&mut self, machine: &str, now: Timestamp) -> Option<Event> {
        self.tell_gaps_due(now, machine, now)
    }

    /// The same where all sources that were due have been polled: nothing is gained by waiting for those that were found
    /// in this round.
    pub fn tell_gaps_early(&mut self, machine: &str, now: Timestamp) -> Option<Event> {
        self.tell_gaps_due(after(now, GATHERED_FOR), machine, now)
    }

    fn tell_gaps_due(&mut self, due: Timestamp, machine: &str, now: Timestamp) -> Option<Event> {
        // A clock that was set back since would have them wait until it shows again what it showed.
        let is_due = |gathering: &mut Gathering| gathering.due <= due || is_ahead(gathering.begun, now);
        let gathering = self.gaps.take_if(is_due)?;
        self.gaps_told = Some(now);
        Some(gathering.tell(machine, now))
    }

    /// When this machine was back from the last of the absences that lie within the gap.
    fn back_within(&self, gap: &Gap) -> Option<Timestamp> {
        let is_within = |(from, until): &&(Timestamp, Timestamp)| {
            gap.since <= *until
                && gap.since.duration_since(*from) <= SLACK
                && until.duration_since(gap.until) <= SLACK
        };
        self.spans.iter().filter(is_within).map(|(_, until)| *until).max()
    }
}

impl Gathering {
    /// What is told of them: of a single one as ever.
    fn tell(self, machine: &str, now: Timestamp) -> Event {
        if let ([only], 0) = (self.sources.as_slice(), self.others) {
            return Event::new(EventKind::SourceGap, only, None, self.since, self.detail, now);
        }
        let count = self.sources.len().saturating_add(self.others);
        let more = if self.others == 0 { String::new() } else { format!(" and {} more", self.others) };
        let (since, until, names) = (minute(self.since), minute(self.until), self.sources.join(", "));
        let detail = format!(
            "{count} sources between {since} and {until}, when this machine was off or cut off: {names}{more}"
        );
        Event::new(EventKind::SourceGap, machine, Some(AWAY), self.since, detail, now)
    }
}

/// Whether a time was stated by a clock that ran ahead: polls that end later may have begun a little earlier.
fn is_ahead(time: Timestamp, now: Timestamp) -> bool {
    time.duration_since(now) > GATHERED_FOR
}

fn after(time: Timestamp, wait: SignedDuration) -> Timestamp {
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}
