//! Times for which items may have been missed. Each is told, but not again and again where a source shows more at every
//! poll than its document holds.

use jiff::{SignedDuration, Timestamp};

use super::health::Health;
use super::observed::{News, Observed};
use super::{Event, EventKind, minute};

/// Gaps remembered of a source.
const GAPS_MAX: usize = 5;

/// How often a gap is told while poll after poll finds one.
const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// A time for which items may have been missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the source was last read without a gap.
    pub since: Timestamp,
    /// When it was read again.
    pub until: Timestamp,
    /// In words.
    pub detail: String,
}

/// What is told of gaps of which one follows another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gapping {
    /// When one was told last.
    pub told: Option<Timestamp>,
    /// Since when there are others, that were not told.
    pub since: Option<Timestamp>,
    /// How many they are.
    pub untold: u32,
    /// Whether the last reading found one.
    pub goes_on: bool,
}

impl Health {
    /// A gap that the poll found, and what of gaps is to be told: one that follows a reading without any, and once a day
    /// what came since. A 304 is no reading.
    pub(super) fn miss(&mut self, poll: &Observed<'_>) -> Option<Event> {
        let mut gapping = self.gapping.take().unwrap_or_default();
        let begins = poll.gap.is_some() && !gapping.goes_on;
        if let Some(gap) = poll.gap.clone() {
            gapping.untold = gapping.untold.saturating_add(1);
            gapping.since = gapping.since.or(Some(gap.since));
            if self.gaps.len() >= GAPS_MAX {
                self.gaps.remove(0);
            }
            self.gaps.push(gap);
        }
        gapping.goes_on = match poll.news {
            News::Read { .. } | News::Baseline => poll.gap.is_some(),
            News::Same | News::Unread => gapping.goes_on || poll.gap.is_some(),
        };
        let is_told = begins || gapping.is_due(poll.now);
        let event = self.gaps.last().filter(|_| is_told).and_then(|last| gapping.tell(last, poll));
        self.gapping = Some(gapping).filter(|gapping| gapping.goes_on || gapping.untold > 0);
        event
    }
}

impl Gapping {
    /// Whether others can be told; after the clock was set back, too.
    fn is_due(&self, now: Timestamp) -> bool {
        let ago = self.told.map(|told| now.duration_since(told));
        ago.is_none_or(|ago| !(SignedDuration::ZERO..TOLD_EVERY).contains(&ago))
    }

    /// Tells those that were not told, of which this is the last.
    fn tell(&mut self, last: &Gap, poll: &Observed<'_>) -> Option<Event> {
        let since = self.since.take()?;
        let (untold, told) = (std::mem::take(&mut self.untold), self.told.replace(poll.now));
        let (from, until) = (minute(last.since), minute(last.until));
        let between = format!("between {from} and {until}: {}", last.detail);
        let detail = match told {
            Some(told) if untold > 1 => format!("{untold} times since {}, last {between}", minute(told)),
            Some(_) | None => between,
        };
        Some(poll.event(EventKind::SourceGap, None, since, detail))
    }
}
