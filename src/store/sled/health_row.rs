//! The health of a source, as it is stored within its state. What is not there is left out: rows are rewritten at
//! every poll.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Arrivals, Complaint, Gap, Gapping, Health, Quiet, Run, Told};

#[derive(Default, Serialize, Deserialize)]
pub(super) struct HealthRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunRow>,
    /// Class and words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    complaint: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<ToldRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silent: Option<Timestamp>,
    /// Milliseconds, and whether nobody had looked for long before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quiet: Option<(u64, bool)>,
    /// Unix seconds and minutes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arrivals: Vec<(i64, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<GapRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gapping: Option<GappingRow>,
}

#[derive(Serialize, Deserialize)]
struct RunRow {
    since: Timestamp,
    polls: u32,
    repeated: u32,
    reason: String,
    detail: String,
    #[serde(default)]
    of_document: bool,
}

#[derive(Serialize, Deserialize)]
struct ToldRow {
    reason: String,
    since: Timestamp,
    #[serde(default)]
    by_host: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct GapRow {
    since: Timestamp,
    until: Timestamp,
    detail: String,
}

#[derive(Serialize, Deserialize)]
struct GappingRow {
    told: Option<Timestamp>,
    since: Option<Timestamp>,
    untold: u32,
    goes_on: bool,
}

impl From<Gapping> for GappingRow {
    fn from(Gapping { told, since, untold, goes_on }: Gapping) -> Self {
        Self { told, since, untold, goes_on }
    }
}

impl From<GappingRow> for Gapping {
    fn from(GappingRow { told, since, untold, goes_on }: GappingRow) -> Self {
        Self { told, since, untold, goes_on }
    }
}

impl From<Health> for HealthRow {
    fn from(health: Health) -> Self {
        Self {
            run: health.run.map(|run| RunRow {
                since: run.since,
                polls: run.polls,
                repeated: run.repeated,
                reason: run.reason,
                detail: run.detail,
                of_document: run.of_document,
            }),
            complaint: health.complaint.map(|complaint| (complaint.reason, complaint.detail)),
            told: health.told.map(|told| ToldRow {
                reason: told.reason,
                since: told.since,
                by_host: told.by_host,
                detail: told.detail,
            }),
            host: health.host,
            silent: health.silent,
            quiet: health
                .quiet
                .map(|quiet| (u64::try_from(quiet.time.as_millis()).unwrap_or(u64::MAX), quiet.seldom)),
            arrivals: health
                .arrivals
                .gaps
                .iter()
                .map(|(ended, minutes)| (ended.as_second(), *minutes))
                .collect(),
            gaps: health
                .gaps
                .into_iter()
                .map(|gap| GapRow { since: gap.since, until: gap.until, detail: gap.detail })
                .collect(),
            gapping: health.gapping.map(GappingRow::from),
        }
    }
}

impl From<HealthRow> for Health {
    fn from(row: HealthRow) -> Self {
        let gap = |(ended, minutes)| Some((Timestamp::from_second(ended).ok()?, minutes));
        Self {
            run: row.run.map(|run| Run {
                since: run.since,
                polls: run.polls,
                repeated: run.repeated,
                reason: run.reason,
                detail: run.detail,
                of_document: run.of_document,
            }),
            complaint: row.complaint.map(|(reason, detail)| Complaint { reason, detail }),
            told: row.told.map(|told| Told {
                reason: told.reason,
                since: told.since,
                by_host: told.by_host,
                detail: told.detail,
            }),
            host: row.host,
            silent: row.silent,
            quiet: row.quiet.map(|(time, seldom)| Quiet { time: Duration::from_millis(time), seldom }),
            arrivals: Arrivals { gaps: row.arrivals.into_iter().filter_map(gap).collect() },
            gaps: row
                .gaps
                .into_iter()
                .map(|gap| Gap { since: gap.since, until: gap.until, detail: gap.detail })
                .collect(),
            gapping: row.gapping.map(Gapping::from),
        }
    }
}
