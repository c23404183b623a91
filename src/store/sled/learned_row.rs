//! What polls have taught, as JSON: short, for it is written with every poll.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::item::SourceName;
use crate::schedule::{Condition, Learned, Moved, PollReason, Refused, Watched, Window};

/// All of it is optional: what a store of an earlier version lacks was not learned yet.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LearnedRow {
    /// Seconds: of the first arrival since 1970, of every further one since that before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arrivals: Vec<i64>,
    /// Items of the last document, and how many were known.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "is_default")]
    skip_hours: u32,
    #[serde(skip_serializing_if = "is_default")]
    skip_days: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_minutes: Option<u32>,
    #[serde(skip_serializing_if = "is_default")]
    mended_last: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    cut_last: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_body: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audited: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watched: Option<WatchedRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct WatchedRow {
    to: String,
    since: Timestamp,
    seen: u32,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct RefusedRow {
    what: String,
    at: Timestamp,
}

impl LearnedRow {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl From<Learned> for LearnedRow {
    fn from(learned: Learned) -> Self {
        Self {
            arrivals: differences(&learned.arrivals),
            window: learned.window.map(|window| (window.items, window.known)),
            skip_hours: learned.skip_hours,
            skip_days: learned.skip_days,
            update_minutes: learned.update_minutes,
            mended_last: learned.mended_last,
            cut_last: learned.cut_last,
            last_body: learned.last_body,
            audited: learned.audited,
            moved_to: learned.moved.to,
            watched: learned.moved.watched.map(|Watched { to, since, seen }| WatchedRow { to, since, seen }),
            same_as: learned.same_as.map(|source| source.to_string()),
            told_by: learned.told_by.map(|source| source.to_string()),
            refused: learned
                .refused
                .map(|Refused { what, at }| RefusedRow { what: what.as_str().to_owned(), at }),
            reason: learned.reason.map(|reason| reason.as_str().to_owned()),
        }
    }
}

impl From<LearnedRow> for Learned {
    fn from(row: LearnedRow) -> Self {
        Self {
            arrivals: sums(&row.arrivals),
            window: row.window.map(|(items, known)| Window { items, known }),
            skip_hours: row.skip_hours,
            skip_days: row.skip_days,
            update_minutes: row.update_minutes,
            mended_last: row.mended_last,
            cut_last: row.cut_last,
            last_body: row.last_body,
            audited: row.audited,
            moved: Moved {
                to: row.moved_to,
                watched: row.watched.map(|WatchedRow { to, since, seen }| Watched { to, since, seen }),
            },
            same_as: row.same_as.as_deref().and_then(SourceName::new),
            // Earlier versions kept the one alone.
            told_by: row.told_by.or(row.same_as).as_deref().and_then(SourceName::new),
            refused: row
                .refused
                .and_then(|RefusedRow { what, at }| Some(Refused { what: Condition::from_word(&what)?, at })),
            reason: row.reason.as_deref().and_then(PollReason::from_word),
        }
    }
}

fn differences(times: &[Timestamp]) -> Vec<i64> {
    let mut before = 0;
    let seconds = times.iter().map(|time| time.as_second());
    seconds
        .map(|second| {
            let step = second - before;
            before = second;
            step
        })
        .collect()
}

/// The reverse of [`differences`].
fn sums(steps: &[i64]) -> Vec<Timestamp> {
    let seconds = steps.iter().scan(0_i64, |second, step| {
        *second = second.saturating_add(*step);
        Some(*second)
    });
    seconds.filter_map(|second| Timestamp::from_second(second).ok()).collect()
}
