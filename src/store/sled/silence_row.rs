//! Silences as they are stored: all in one row, for they are few and every alert asks for them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::silence::{About, Silence};
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct SilenceRow {
    id: String,
    about: String,
    name: String,
    since: Timestamp,
    until: Timestamp,
    reason: String,
    held: u32,
    alerts: Vec<String>,
}

impl Row for Vec<Silence> {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let row = |silence: &Silence| SilenceRow {
            id: silence.id.to_string(),
            about: silence.about.word().to_owned(),
            name: silence.about.name(),
            since: silence.since,
            until: silence.until,
            reason: silence.reason.clone(),
            held: silence.held,
            alerts: silence.alerts.iter().map(ToString::to_string).collect(),
        };
        to_json(&self.iter().map(row).collect::<Vec<_>>())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let rows: Vec<SilenceRow> = from_json(bytes)?;
        let silence = |row: SilenceRow| {
            Some(Silence {
                id: row.id.parse().ok()?,
                about: match row.about.as_str() {
                    "rule" => About::Rule(row.name),
                    "entity" => About::Entity(row.name),
                    "source" => About::Source(row.name),
                    _ => About::Story(row.name.parse().ok()?),
                },
                since: row.since,
                until: row.until,
                reason: row.reason,
                held: row.held,
                alerts: row.alerts.iter().filter_map(|id| id.parse().ok()).collect(),
            })
        };
        rows.into_iter().map(silence).collect()
    }
}
