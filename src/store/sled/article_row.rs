//! Articles as they are stored: those to be fetched, and what became of the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::article::{Counts, End, Fate, Pending, Tally, Unfit};
use crate::item::SourceName;
use crate::store::{Day, StoreError};

#[derive(Serialize, Deserialize)]
struct PendingRow {
    item: String,
    first: u16,
    source: String,
    url: String,
    #[serde(default)]
    attempts: u32,
    due: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    repeat: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anew: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
}

/// The names of rules as they are written, and as they are used.
fn named(rules: &BTreeSet<Arc<str>>) -> Vec<String> {
    rules.iter().map(ToString::to_string).collect()
}

fn rules(names: Vec<String>) -> BTreeSet<Arc<str>> {
    names.into_iter().map(Arc::from).collect()
}

impl Row for Pending {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(&PendingRow {
            item: self.item.to_string(),
            first: self.first.0,
            source: self.source.to_string(),
            url: self.url.clone(),
            attempts: self.attempts,
            due: self.due,
            repeat: self.repeat,
            anew: self.anew,
            told: named(&self.told),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: PendingRow = from_json(bytes)?;
        Some(Self {
            item: row.item.parse().ok()?,
            first: Day(row.first),
            source: SourceName::new(&row.source)?,
            url: row.url,
            attempts: row.attempts,
            due: row.due,
            repeat: row.repeat,
            anew: row.anew,
            told: rules(row.told),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct FateRow {
    item: String,
    first: u16,
    url: String,
    at: Timestamp,
    end: String,
    /// Of one used, its text; of one that failed, why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    more: String,
    /// Earlier versions read each article once.
    #[serde(default = "once")]
    readings: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
}

fn once() -> u8 {
    1
}

/// Counts of the articles of a source.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct TallyRow {
    /// Days since 1970.
    began: u16,
    now: Counts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Counts>,
}

impl TallyRow {
    pub(super) fn is_empty(&self) -> bool {
        self.now.is_empty()
    }
}

impl From<Tally> for TallyRow {
    fn from(Tally { began, now, before }: Tally) -> Self {
        Self { began: began.0, now, before }
    }
}

impl From<TallyRow> for Tally {
    fn from(TallyRow { began, now, before }: TallyRow) -> Self {
        Self { began: Day(began), now, before }
    }
}

impl Row for Fate {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let more = match &self.end {
            End::Used { text } => text.clone(),
            End::Failed { detail } => detail.clone(),
            End::Unfit(_) | End::Robots | End::Dropped => String::new(),
        };
        to_json(&FateRow {
            item: self.item.to_string(),
            first: self.first.0,
            url: self.url.clone(),
            at: self.at,
            end: self.end.as_str().to_owned(),
            more,
            readings: self.readings,
            told: named(&self.told),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: FateRow = from_json(bytes)?;
        let end = match row.end.as_str() {
            "used" => End::Used { text: row.more },
            "failed" => End::Failed { detail: row.more },
            "robots" => End::Robots,
            "dropped" => End::Dropped,
            other => End::Unfit(Unfit::ALL.into_iter().find(|unfit| unfit.as_str() == other)?),
        };
        Some(Self {
            item: row.item.parse().ok()?,
            first: Day(row.first),
            url: row.url,
            at: row.at,
            end,
            readings: row.readings,
            told: rules(row.told),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemId;

    #[test]
    fn every_end_is_read_as_it_was_written() {
        let texts = [End::Used { text: "Gao\n\nمالي".into() }, End::Failed { detail: "503".into() }];
        let unfit = Unfit::ALL.into_iter().map(End::Unfit);
        for end in texts.into_iter().chain([End::Robots, End::Dropped]).chain(unfit) {
            let fate = Fate {
                item: ItemId::from_bytes([7; 16]),
                first: Day(20_000),
                url: "https://paper.example/1".into(),
                at: Timestamp::UNIX_EPOCH,
                end,
                readings: 2,
                told: BTreeSet::from(["convoy".into()]),
            };
            assert_eq!(Fate::decode(&fate.encode().unwrap()), Some(fate));
        }
    }
}
