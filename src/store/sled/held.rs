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
    common_too: Vec<String>,
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
        let mut common = self.common.iter().copied().map(text);
        to_json(&HeldRow {
            item: self.item.clone().into(),
            key: text(self.key),
            common: common.next(),
            common_too: common.collect(),
            members: self.members.iter().copied().map(text).collect(),
            aliases: self.aliases.map(|aliases| (aliases.link.map(text), text(aliases.fingerprint))),
            content: self.content,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: HeldRow = from_json(bytes)?;
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
            common: keys(row.common.iter().chain(&row.common_too))?,
            members: keys(&row.members)?,
            aliases,
            content: row.content,
        })
    }
}

fn key(text: &str) -> Option<SeenKey> {
    id::decode(text).map(SeenKey::from_bytes)
}

fn keys<'a>(texts: impl IntoIterator<Item = &'a String>) -> Option<Vec<SeenKey>> {
    texts.into_iter().map(|text| key(text)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::item::{Item, ItemId, SourceName};
    use crate::store::{SledStore, Store as _, StoreError, Transaction, Work};

    fn candidate(n: u32) -> Candidate {
        let key = SeenKey::new("test", &n.to_string());
        let source = SourceName::new("rfi").unwrap();
        let id = ItemId::new(&source, key);
        let item = Item { id, source: Some(source), ..Item::of_text("Mali", "текст ".repeat(5_000)) };
        let link = (n > 2).then_some(key);
        let aliases = (n > 1).then_some(Aliases { link, fingerprint: SeenKey::new("text", "x") });
        let members: Vec<_> = (0..n).map(|n| SeenKey::new("member", &n.to_string())).collect();
        Candidate { item, key, common: members.clone(), members, aliases, content: u64::MAX - u64::from(n) }
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

    /// How a work ends.
    #[derive(Clone, Copy, Debug)]
    enum End {
        Well,
        Failing,
        Panicking,
    }

    /// What a work writes at places: the candidate of that number, or nothing.
    type Writes = Vec<(u32, Option<u32>)>;

    fn works() -> impl Strategy<Value = Vec<(Writes, End)>> {
        let end = prop_oneof![Just(End::Well), Just(End::Failing), Just(End::Panicking)];
        vec((vec((0..4_u32, proptest::option::of(0..4_u32)), 0..5), end), 1..6)
    }

    fn work(
        source: &SourceName,
        (writes, end): (Writes, End),
    ) -> impl FnMut(&dyn Transaction) -> Result<(), StoreError> {
        move |tx| {
            for (place, held) in &writes {
                match held {
                    Some(n) => tx.put_held(source, *place, &candidate(*n))?,
                    None => tx.drop_held(source, *place)?,
                }
            }
            match end {
                End::Well => Ok(()),
                End::Failing => Err(StoreError::Stopped),
                End::Panicking => panic!("on purpose"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn of_works_that_share_a_transaction_those_that_fail_leave_what_was_there(groups in vec(works(), 1..4)) {
            let folder = tempfile::tempdir().unwrap();
            let store = SledStore::create(folder.path()).unwrap();
            let source = SourceName::new("rfi").unwrap();
            let mut expected = [None; 4];
            for group in groups {
                for (writes, _) in group.iter().filter(|(_, end)| matches!(end, End::Well)) {
                    for (place, held) in writes {
                        expected[*place as usize] = *held;
                    }
                }
                let mut works: Vec<_> = group.iter().map(|of| work(&source, of.clone())).collect();
                let mut works: Vec<&mut Work<'_>> = works.iter_mut().map(|work| work as &mut Work<'_>).collect();
                let ended = store.transact_together(&mut works);
                for (ended, (_, end)) in ended.iter().zip(&group) {
                    let is_told = match end {
                        End::Well => ended.is_ok(),
                        End::Failing => matches!(ended, Err(StoreError::Stopped)),
                        End::Panicking => matches!(ended, Err(StoreError::Panicked(said)) if said == "on purpose"),
                    };
                    prop_assert!(is_told, "{end:?}: {ended:?}");
                }
                for count in 1..=4 {
                    let held = expected.iter().take(count as usize).flatten().map(|n| candidate(*n));
                    prop_assert_eq!(store.held(&source, count).unwrap(), held.collect::<Vec<_>>());
                }
            }
        }
    }
}
