//! What is remembered of a Telegram channel, as it is stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::ChannelState;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct ChannelRow {
    #[serde(default)]
    id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    named: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filed: Option<String>,
    #[serde(default)]
    first: Option<u64>,
    #[serde(default)]
    texts: bool,
    #[serde(default)]
    reread: Option<Timestamp>,
    #[serde(default)]
    gone: Vec<(u64, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fell: Option<u64>,
}

impl From<ChannelState> for ChannelRow {
    fn from(ChannelState { id, named, filed, first, texts, reread, gone, fell }: ChannelState) -> Self {
        Self { id, named, filed, first, texts, reread, gone, fell }
    }
}

impl From<ChannelRow> for ChannelState {
    fn from(ChannelRow { id, named, filed, first, texts, reread, gone, fell }: ChannelRow) -> Self {
        Self { id, named, filed, first, texts, reread, gone, fell }
    }
}
