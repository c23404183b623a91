//! Items of older pages, set aside until the walk through them ends.

use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::id;
use crate::item::SeenKey;
use crate::source::{Aliases, Candidate};
use crate::store::StoreError;
use crate::wire;

#[derive(Serialize, Deserialize)]
struct HeldRow {
    item: wire::item::Item,
    key: String,
    /// Key of the link, key of the fingerprint.
    #[serde(default)]
    aliases: Option<(String, String)>,
    content: u64,
}

impl Row for Candidate {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let text = |key: SeenKey| id::encode(key.to_bytes());
        to_json(&HeldRow {
            item: self.item.clone().into(),
            key: text(self.key),
            aliases: self.aliases.map(|aliases| (text(aliases.link), text(aliases.fingerprint))),
            content: self.content,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: HeldRow = from_json(bytes)?;
        let key = |text: &str| id::decode(text).map(SeenKey::from_bytes);
        let aliases = match &row.aliases {
            Some((link, fingerprint)) => Some(Aliases { link: key(link)?, fingerprint: key(fingerprint)? }),
            None => None,
        };
        Some(Self { item: row.item.try_into().ok()?, key: key(&row.key)?, aliases, content: row.content })
    }
}
