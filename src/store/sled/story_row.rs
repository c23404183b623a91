//! Stories as they are stored, and the keys under which they are filed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::store::StoreError;
use crate::story::{Informed, Story, StoryId};
use crate::wire;

#[derive(Serialize, Deserialize)]
struct StoryRow {
    #[serde(flatten)]
    story: wire::alert::Story,
    severity: String,
    #[serde(default)]
    told: Vec<ToldRow>,
}

#[derive(Serialize, Deserialize)]
struct ToldRow {
    notifier: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    recipient: String,
    severity: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thread: Option<String>,
}

impl Row for Story {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let told = self.told.iter().map(|told| ToldRow {
            notifier: told.who.0.clone(),
            recipient: told.who.1.clone(),
            severity: told.severity.to_string(),
            before: told.before.iter().map(ToString::to_string).collect(),
            thread: told.thread.clone(),
        });
        to_json(&StoryRow {
            story: self.clone().into(),
            severity: self.severity.to_string(),
            told: told.collect(),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: StoryRow = from_json(bytes)?;
        let told = row.told.into_iter().map(|told| Informed {
            who: (told.notifier, told.recipient),
            severity: wire::alert::severity(&told.severity),
            before: told.before.iter().map(|before| wire::alert::severity(before)).collect(),
            thread: told.thread,
        });
        let story = row.story.into_core(wire::alert::severity(&row.severity)).ok()?;
        Some(Self { told: told.collect(), ..story })
    }
}

/// A story filed under a key, and when it was filed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Filed {
    pub(super) story: StoryId,
    pub(super) at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct FiledRow {
    story: String,
    at: Timestamp,
}

impl Row for Filed {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(&FiledRow { story: self.story.to_string(), at: self.at })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: FiledRow = from_json(bytes)?;
        Some(Self { story: row.story.parse().ok()?, at: row.at })
    }
}
