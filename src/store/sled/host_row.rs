//! What a host ordered, as it is stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::fetch::Order;
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct OrderRow {
    at: Timestamp,
    until: Timestamp,
}

impl Row for Order {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let Self { at, until } = *self;
        to_json(&OrderRow { at, until })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let OrderRow { at, until } = from_json(bytes)?;
        Some(Self { at, until })
    }
}
