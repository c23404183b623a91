//! What identifies an item over polls.
//!
//! A source remembers keys, not items: sixteen bytes of SHA-256 over a labelled value. Feeds are hostile
//! input, so the hash must resist chosen collisions; sixteen bytes do.

use std::fmt;

use super::SourceName;
use crate::id::{digest, encode, id};

/// A key under which an item is remembered: a labelled value, hashed to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenKey([u8; 16]);

impl SeenKey {
    /// Hashes `value` under `label`, so that a guid and a link of the same text differ.
    pub fn new(label: &str, value: &str) -> Self {
        Self(digest(&[label.as_bytes(), value.as_bytes()]))
    }

    /// The raw bytes, for the store.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// A key read back from the store.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SeenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(self.0))
    }
}

id! {
    /// The public id of an item: the same over polls, restarts, mirrors and edits.
    ItemId
}

impl ItemId {
    /// The id of the item that `source` remembers under `key`.
    pub fn new(source: &SourceName, key: SeenKey) -> Self {
        Self(digest(&[source.as_str().as_bytes(), &key.to_bytes()]))
    }
}
