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
    #[serde(default)]
    common: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
    /// Key of the link, key of the fingerprint.
    #[serde(default)]
    aliases: Option<(Option<String>, String)>,
    content: u64,
}

impl Row for Candidate {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let text = |key: SeenKey| id::encode(key.to_bytes());
        to_json(&HeldRow {
            item: self.item.clone().into(),
            key: text(self.key),
            common: self.common.map(text),
            members: self.members.iter().copied().map(text).collect(),
            aliases: self.aliases.map(|aliases| (aliases.link.map(text), text(aliases.fingerprint))),
            content: self.content,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: HeldRow = from_json(bytes)?;
        let key = |text: &str| id::decode(text).map(SeenKey::from_bytes);
        // Absent is well; present and damaged is not.
        let optional =
            |text: &Option<String>| text.as_deref().map(key).map_or(Some(None), |key| key.map(Some));
        let aliases = match &row.aliases {
            Some((link, fingerprint)) => {
                Some(Aliases { link: optional(link)?, fingerprint: key(fingerprint)? })
            }
            None => None,
        };
        Some(Self {
            item: row.item.try_into().ok()?,
            key: key(&row.key)?,
            common: optional(&row.common)?,
            members: row.members.iter().map(|member| key(member)).collect::<Option<_>>()?,
            aliases,
            content: row.content,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Item, ItemId, SourceName};
    use crate::store::{SledStore, Store as _};

    fn candidate(n: u32) -> Candidate {
        let key = SeenKey::new("test", &n.to_string());
        let source = SourceName::new("rfi").unwrap();
        let id = ItemId::new(&source, key);
        let item = Item { id, source: Some(source), ..Item::of_text("Mali", "текст ".repeat(5_000)) };
        let link = (n > 2).then_some(key);
        let aliases = (n > 1).then_some(Aliases { link, fingerprint: SeenKey::new("text", "x") });
        let members = (0..n).map(|n| SeenKey::new("member", &n.to_string())).collect();
        Candidate { item, key, common: link, members, aliases, content: u64::MAX - u64::from(n) }
    }

    #[test]
    fn what_is_set_aside_comes_back_in_order_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::create(folder.path()).unwrap();
        let [rfi, rf] = ["rfi", "rf"].map(|name| SourceName::new(name).unwrap());
        store
            .transact(&mut |tx| (0..4).try_for_each(|place| tx.put_held(&rfi, place, &candidate(place))))
            .unwrap();
        assert_eq!(store.held(&rfi, 4).unwrap(), [0, 1, 2, 3].map(candidate));
        assert_eq!(store.held(&rfi, 2).unwrap(), [0, 1].map(candidate));
        assert_eq!(store.held(&rf, 3).unwrap(), []);
        store.transact(&mut |tx| tx.drop_held(&rfi, 1)).unwrap();
        assert_eq!(store.held(&rfi, 4).unwrap(), [0, 2, 3].map(candidate));
    }
}
