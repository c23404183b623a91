//! Values as JSON: structs of the disk's own, so that the core types are free to change.
//!
//! A field that comes later gets `#[serde(default)]` and needs no migration. What else changes raises the
//! version of the store.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::access::{Row, unfit};
use super::article_row::TallyRow;
use super::channel_row::ChannelRow;
use super::health_row::HealthRow;
use super::learned_row::LearnedRow;
use crate::fetch::Validators;
use crate::id;
use crate::item::SourceName;
use crate::store::{Day, Failing, SourceState, StoreError, StoredItem, Walk};
use crate::wire;

/// The JSON of `value`.
pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| unfit(error.into()))
}

/// What the JSON says, when it says that.
pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// The format of the store.
impl Row for u32 {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(self)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        from_json(bytes)
    }
}

/// The number of commits.
impl Row for u64 {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(self)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        from_json(bytes)
    }
}

/// A row whose key says it all.
impl Row for () {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

#[derive(Serialize, Deserialize)]
struct SourceRow {
    name: String,
    address: String,
    #[serde(default)]
    asked: String,
    #[serde(default)]
    read_as: String,
    baseline: Option<Timestamp>,
    #[serde(default)]
    baseline_fired: u32,
    #[serde(default)]
    baseline_cut: u8,
    validators: Option<ValidatorsRow>,
    body: Option<String>,
    due: Option<Timestamp>,
    not_before: Option<Timestamp>,
    last_poll: Option<Timestamp>,
    last_success: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_shown: Option<Timestamp>,
    last_new: Option<Timestamp>,
    #[serde(default)]
    items: u64,
    #[serde(default)]
    items_last: u32,
    #[serde(default)]
    lost_last: u32,
    failing: Option<FailingRow>,
    telegram_newest: Option<u64>,
    #[serde(default)]
    ttl_minutes: Option<u32>,
    #[serde(default)]
    channel: ChannelRow,
    #[serde(default)]
    walk: Option<WalkRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsure: Option<Timestamp>,
    #[serde(default)]
    health: HealthRow,
    #[serde(default, skip_serializing_if = "LearnedRow::is_empty")]
    learned: LearnedRow,
    #[serde(default, skip_serializing_if = "TallyRow::is_empty")]
    articles: TallyRow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restored: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct WalkRow {
    cursor: String,
    #[serde(default)]
    top: Option<u64>,
    pages: u32,
    held: u32,
    #[serde(default)]
    floor: Option<u64>,
    #[serde(default)]
    tries: u32,
    #[serde(default)]
    since: Option<Timestamp>,
}

impl From<Walk> for WalkRow {
    fn from(Walk { cursor, top, pages, held, floor, tries, since }: Walk) -> Self {
        Self { cursor, top, pages, held, floor, tries, since }
    }
}

impl From<WalkRow> for Walk {
    fn from(WalkRow { cursor, top, pages, held, floor, tries, since }: WalkRow) -> Self {
        Self { cursor, top, pages, held, floor, tries, since }
    }
}

#[derive(Serialize, Deserialize)]
struct ValidatorsRow {
    address: String,
    etag: Option<String>,
    last_modified: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct FailingRow {
    since: Timestamp,
    polls: u32,
    reason: String,
    #[serde(default)]
    detail: String,
}

impl Row for SourceState {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let state = self.clone();
        to_json(&SourceRow {
            name: state.name.to_string(),
            address: state.address,
            asked: state.asked,
            read_as: state.read_as,
            baseline: state.baseline,
            baseline_fired: state.baseline_fired,
            baseline_cut: state.baseline_cut,
            validators: state.validators.map(|(address, validators)| ValidatorsRow {
                address,
                etag: validators.etag.as_deref().map(latin),
                last_modified: validators.last_modified.as_deref().map(latin),
            }),
            body: state.body.map(id::encode),
            due: state.due,
            not_before: state.not_before,
            last_poll: state.last_poll,
            last_success: state.last_success,
            last_shown: state.last_shown,
            last_new: state.last_new,
            items: state.items,
            items_last: state.items_last,
            lost_last: state.lost_last,
            failing: state.failing.map(|failing| FailingRow {
                since: failing.since,
                polls: failing.polls,
                reason: failing.reason,
                detail: failing.detail,
            }),
            telegram_newest: state.telegram_newest,
            ttl_minutes: state.ttl_minutes,
            channel: state.channel.into(),
            walk: state.walk.map(WalkRow::from),
            unsure: state.unsure,
            health: state.health.into(),
            learned: state.learned.into(),
            articles: state.articles.into(),
            restored: state.restored,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: SourceRow = from_json(bytes)?;
        Some(Self {
            name: SourceName::new(&row.name)?,
            address: row.address,
            asked: row.asked,
            read_as: row.read_as,
            baseline: row.baseline,
            baseline_fired: row.baseline_fired,
            baseline_cut: row.baseline_cut,
            validators: row.validators.map(|row| {
                let etag = row.etag.as_deref().and_then(from_latin);
                let last_modified = row.last_modified.as_deref().and_then(from_latin);
                (row.address, Validators { etag, last_modified })
            }),
            body: row.body.as_deref().and_then(id::decode),
            due: row.due,
            not_before: row.not_before,
            last_poll: row.last_poll,
            last_success: row.last_success,
            last_shown: row.last_shown,
            last_new: row.last_new,
            items: row.items,
            items_last: row.items_last,
            lost_last: row.lost_last,
            failing: row.failing.map(|row| Failing {
                since: row.since,
                polls: row.polls,
                reason: row.reason,
                detail: row.detail,
            }),
            telegram_newest: row.telegram_newest,
            ttl_minutes: row.ttl_minutes,
            channel: row.channel.into(),
            walk: row.walk.map(Walk::from),
            unsure: row.unsure,
            health: row.health.into(),
            learned: row.learned.into(),
            articles: row.articles.into(),
            restored: row.restored,
        })
    }
}

/// Header bytes as text, a character for each: any byte may stand in an `ETag`.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The reverse of [`latin`].
fn from_latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

#[derive(Serialize, Deserialize)]
struct ItemRow {
    item: wire::item::Item,
    first: u16,
    fetched: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fired: Option<BTreeSet<String>>,
}

impl Row for StoredItem {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let Self { item, first, fetched, before, fired } = self.clone();
        to_json(&ItemRow { item: item.into(), first: first.0, fetched, before, fired })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let ItemRow { item, first, fetched, before, fired } = from_json(bytes)?;
        Some(Self { item: item.try_into().ok()?, first: Day(first), fetched, before, fired })
    }
}
