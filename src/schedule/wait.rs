//! The wait between polls that go well: the source's rhythm, and the floors under it.

use std::time::Duration;

use jiff::Timestamp;

use super::{FAST, News, Poll, PollReason, Rhythm, UNCONDITIONAL_MIN, after};
use crate::item::SourceKind;
use crate::source::Hints;

/// Longest wait for what `sy:updatePeriod` promises.
const PROMISE_MAX: Duration = Duration::from_hours(24);

const HOUR_SECONDS: i64 = 3600;
/// Hours of a day and days of a week: whoever lists them all asks for nothing.
const ALL_HOURS: u32 = (1 << 24) - 1;
const ALL_DAYS: u8 = (1 << 7) - 1;
/// The first of January 1970 was a Thursday; bit 0 of the days is Monday.
const FIRST_DAY: i64 = 3;

/// The wait from the start of this poll to that of the next, and what decided it. An interval of the source's own is
/// that; hints of the document are for those without one.
pub(super) fn wait(rhythm: &Rhythm, poll: &Poll) -> (Duration, PollReason) {
    if rhythm.fixed {
        return (rhythm.interval, PollReason::Interval);
    }
    let ttl = Duration::from_secs(60 * u64::from(poll.hints.ttl_minutes.unwrap_or(0))).min(rhythm.max);
    let blind = rhythm.kind == SourceKind::Feed && !poll.validators && rhythm.interval >= FAST;
    let floors = [
        (ttl, PollReason::Ttl),
        (promised(rhythm, poll), PollReason::Promise),
        (if blind { UNCONDITIONAL_MIN } else { Duration::ZERO }, PollReason::Unconditional),
    ];
    let own = adapted(rhythm, &poll.news);
    floors.into_iter().fold(own, |longest, floor| if floor.0 > longest.0 { floor } else { longest })
}

/// Half the time between two items, so that none waits long; at once again after a new item, because news come in
/// bursts; and twice as often while a document shows hardly anything known, because it may have lost some.
fn adapted(rhythm: &Rhythm, news: &News) -> (Duration, PollReason) {
    let bounded = |wait: Duration| wait.min(rhythm.max).max(rhythm.min);
    if rhythm.interval < FAST {
        return (bounded(rhythm.interval), PollReason::Interval);
    }
    let (base, by) = match news.gap {
        Some(gap) => (bounded(gap / 2), PollReason::Learned),
        None => (bounded(rhythm.interval), PollReason::Interval),
    };
    if base == rhythm.min {
        (base, by)
    } else if news.fresh {
        (rhythm.min, PollReason::Burst)
    } else if news.scant {
        (bounded(base / 2), PollReason::Overlap)
    } else {
        (base, by)
    }
}

/// How long until the time for which the feed promises an update. Once that has passed with nothing new, the promise
/// counts no more, nor does it when the feed brings more than its document holds.
fn promised(rhythm: &Rhythm, poll: &Poll) -> Duration {
    // A clock that ran ahead may have dated the last item.
    let latest = poll.news.latest.filter(|latest| *latest <= poll.started);
    let (Some(minutes), Some(latest), false) = (poll.hints.update_minutes, latest, poll.news.scant) else {
        return Duration::ZERO;
    };
    let period = Duration::from_secs(60 * u64::from(minutes)).min(PROMISE_MAX).min(rhythm.max);
    Duration::try_from(after(latest, period).duration_since(poll.started))
        .unwrap_or(Duration::ZERO)
        .min(period)
}

/// The first time from `due` on that lies in none of the hours and days on which the publisher asks to be left alone.
pub(super) fn outside_skips(hints: &Hints, due: Timestamp) -> Timestamp {
    let hours = if hints.skip_hours & ALL_HOURS == ALL_HOURS { 0 } else { hints.skip_hours };
    let days = if hints.skip_days & ALL_DAYS == ALL_DAYS { 0 } else { hints.skip_days };
    let first = due.as_second().div_euclid(HOUR_SECONDS);
    let skipped = |hour: &i64| {
        let day = (hour.div_euclid(24) + FIRST_DAY).rem_euclid(7);
        hours >> hour.rem_euclid(24) & 1 == 1 || days >> day & 1 == 1
    };
    let open = (first..=first + 24 * 8).find(|hour| !skipped(hour)).unwrap_or(first);
    Timestamp::from_second(open.saturating_mul(HOUR_SECONDS)).map_or(due, |open| open.max(due))
}
