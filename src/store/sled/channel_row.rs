//! What is remembered of a Telegram channel, as it is stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::{ChannelState, Left, Stranger};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<u64>,
    #[serde(default)]
    reread: Option<Timestamp>,
    #[serde(default)]
    gone: Vec<(u64, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fell: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stranger: Option<StrangerRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mirrored: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<Box<LeftRow>>,
}

#[derive(Serialize, Deserialize)]
struct LeftRow {
    address: String,
    baseline: Option<Timestamp>,
    newest: Option<u64>,
    channel: ChannelRow,
}

#[derive(Serialize, Deserialize)]
struct StrangerRow {
    id: i64,
    first: u64,
    newest: u64,
}

impl From<ChannelState> for ChannelRow {
    fn from(state: ChannelState) -> Self {
        let ChannelState {
            id,
            named,
            filed,
            first,
            texts,
            said,
            reread,
            gone,
            fell,
            stranger,
            mirrored,
            left,
        } = state;
        let stranger = stranger.map(|Stranger { id, first, newest }| StrangerRow { id, first, newest });
        let left = left.map(|left| {
            let Left { address, baseline, newest, channel } = *left;
            Box::new(LeftRow { address, baseline, newest, channel: channel.into() })
        });
        Self { id, named, filed, first, texts, said, reread, gone, fell, stranger, mirrored, left }
    }
}

impl From<ChannelRow> for ChannelState {
    fn from(row: ChannelRow) -> Self {
        let ChannelRow { id, named, filed, first, texts, said, reread, gone, fell, stranger, mirrored, left } =
            row;
        let stranger = stranger.map(|StrangerRow { id, first, newest }| Stranger { id, first, newest });
        let left = left.map(|left| {
            let LeftRow { address, baseline, newest, channel } = *left;
            Box::new(Left { address, baseline, newest, channel: channel.into() })
        });
        Self { id, named, filed, first, texts, said, reread, gone, fell, stranger, mirrored, left }
    }
}
