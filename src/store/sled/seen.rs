//! Seen keys, packed: a row per key would cost more than all the rest of the store.
//!
//! A source's keys lie in buckets of at most [`ENTRIES_MAX`]. The buckets form a binary tree over the leading bits of
//! the keys, which are hashes and spread evenly: a bucket that grows too full becomes a fork, and its entries move
//! into two new ones. Only that bucket is rewritten, so that a source with millions of keys, even a hostile one,
//! never makes one commit expensive. The common source has one bucket: one look-up for a whole poll.

use super::access::{InTransaction, Read, Row};
use super::keys;
use crate::item::{SeenKey, SourceName};
use crate::store::{Day, Owner, Seen, StoreError};

/// Greatest number of entries in a bucket: of a mixture of both lengths as many fit into one row.
const ENTRIES_MAX: usize = 96;

/// Bits of a key that may choose its bucket; a bucket this deep grows instead of splitting.
const DEPTH_MAX: u8 = 32;

/// What a node begins with: a bucket of an earlier version, whose entries have no owner; a fork; a bucket.
const UNOWNED: u8 = 0;
const FORK: u8 = 1;
const BUCKET: u8 = 2;

/// Key, first day, last day, content, and then in a bucket the owner and the changes.
const ENTRY_BYTES: usize = 16 + 2 + 2 + 8 + 1 + 1;

/// Whose the key of an entry is; the owner's key follows the entry of another item's.
const ITSELF: u8 = 0;
const ITEM: u8 = 1;
const SEVERAL: u8 = 2;

/// A key and what is remembered under it.
pub(super) type Entry = (SeenKey, Seen);

/// What lies at a place of the tree; where nothing lies, there is an empty bucket.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    /// Entries, by key.
    Bucket(Vec<Entry>),
    /// The entries are one bit further down.
    Fork,
}

impl Row for Node {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        Ok(match self {
            Self::Fork => vec![FORK],
            Self::Bucket(entries) => {
                let mut bytes = Vec::with_capacity(1 + entries.len() * (ENTRY_BYTES + 16));
                bytes.push(BUCKET);
                for (key, seen) in entries {
                    bytes.extend(key.to_bytes());
                    bytes.extend(seen.first.0.to_be_bytes());
                    bytes.extend(seen.last.0.to_be_bytes());
                    bytes.extend(seen.content.to_be_bytes());
                    let (owner, name): (u8, &[u8]) = match &seen.owner {
                        Owner::Itself => (ITSELF, &[]),
                        Owner::Item(key) => (ITEM, &key.to_bytes()),
                        Owner::Several => (SEVERAL, &[]),
                    };
                    bytes.extend([owner, seen.changes]);
                    bytes.extend(name);
                }
                bytes
            }
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, mut packed) = bytes.split_first()?;
        if *kind == FORK && packed.is_empty() {
            return Some(Self::Fork);
        }
        let mut entries = Vec::with_capacity(packed.len() / ENTRY_BYTES);
        while !packed.is_empty() {
            let (mut entry, rest) = unpack(packed)?;
            packed = match *kind {
                UNOWNED => rest,
                BUCKET => owned(&mut entry.1, rest)?,
                _ => return None,
            };
            entries.push(entry);
        }
        matches!(*kind, UNOWNED | BUCKET).then_some(Self::Bucket(entries))
    }
}

/// One entry back from its bytes, as far as earlier versions have it, and the bytes that follow.
fn unpack(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (key, rest) = bytes.split_first_chunk()?;
    let (first, rest) = rest.split_first_chunk()?;
    let (last, rest) = rest.split_first_chunk()?;
    let (content, rest) = rest.split_first_chunk()?;
    let (first, last) = (Day(u16::from_be_bytes(*first)), Day(u16::from_be_bytes(*last)));
    let content = u64::from_be_bytes(*content);
    Some(((SeenKey::from_bytes(*key), Seen { first, last, content, owner: Owner::Itself, changes: 0 }), rest))
}

/// Reads owner and changes into `seen`; returns the bytes that follow.
fn owned<'a>(seen: &mut Seen, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let ([owner, changes], rest) = bytes.split_first_chunk()?;
    seen.changes = *changes;
    let (owner, rest) = match *owner {
        ITSELF => (Owner::Itself, rest),
        SEVERAL => (Owner::Several, rest),
        ITEM => {
            let (key, rest) = rest.split_first_chunk()?;
            (Owner::Item(SeenKey::from_bytes(*key)), rest)
        }
        _ => return None,
    };
    seen.owner = owner;
    Some(rest)
}

/// A place in the tree: the bits that lead there, the first one highest.
#[derive(Clone, Copy)]
struct Place {
    depth: u8,
    path: u32,
}

impl Place {
    const ROOT: Self = Self { depth: 0, path: 0 };

    fn below(self, bit: bool) -> Self {
        Self { depth: self.depth + 1, path: (self.path << 1) | u32::from(bit) }
    }

    /// Which way `key` goes from here.
    fn turn(self, key: SeenKey) -> bool {
        let [a, b, c, d, ..] = key.to_bytes();
        let bits = u32::from_be_bytes([a, b, c, d]);
        self.depth < DEPTH_MAX && (bits << self.depth) >> 31 == 1
    }

    fn key(self, source: &SourceName) -> Vec<u8> {
        keys::seen(source, self.depth, self.path)
    }
}

/// What is remembered under each of `wanted`, in their order.
pub(super) fn look_up(
    rows: &impl Read,
    source: &SourceName,
    wanted: &[SeenKey],
) -> Result<Vec<Option<Seen>>, StoreError> {
    let mut found = vec![None; wanted.len()];
    let all: Vec<_> = wanted.iter().copied().zip(&mut found).collect();
    let mut places = vec![(Place::ROOT, all)];
    while let Some((place, wanted)) = places.pop() {
        match rows.row(&place.key(source))? {
            None => {}
            Some(Node::Fork) => places.extend(fork(place, wanted)),
            Some(Node::Bucket(entries)) => {
                for (key, slot) in wanted {
                    let at = entries.binary_search_by_key(&key, |entry| entry.0).ok();
                    *slot = at.and_then(|at| entries.get(at)).map(|entry| entry.1);
                }
            }
        }
    }
    Ok(found)
}

/// Remembers `entries`; buckets in which nothing changes are not written.
pub(super) fn remember(
    rows: &InTransaction<'_>,
    source: &SourceName,
    entries: &[Entry],
) -> Result<(), StoreError> {
    let mut places = vec![(Place::ROOT, entries.to_vec())];
    while let Some((place, new)) = places.pop() {
        let key = place.key(source);
        let mut bucket = match rows.row(&key)? {
            Some(Node::Fork) => {
                places.extend(fork(place, new));
                continue;
            }
            Some(Node::Bucket(entries)) => entries,
            None => Vec::new(),
        };
        for (key, seen) in new {
            match bucket.binary_search_by_key(&key, |entry| entry.0) {
                Ok(at) => bucket.splice(at..=at, [(key, seen)]).for_each(drop),
                Err(at) => bucket.insert(at, (key, seen)),
            }
        }
        if bucket.len() > ENTRIES_MAX && place.depth < DEPTH_MAX {
            rows.put(&key, &Node::Fork)?;
            places.extend(fork(place, bucket));
        } else {
            rows.put(&key, &Node::Bucket(bucket))?;
        }
    }
    Ok(())
}

/// Removes from the bucket at `key` what was last shown before `limit`; returns how much that was.
pub(super) fn forget(rows: &InTransaction<'_>, key: &[u8], limit: Day) -> Result<u64, StoreError> {
    let Some(Node::Bucket(mut entries)) = rows.row(key)? else { return Ok(0) };
    let before = entries.len();
    entries.retain(|(_, seen)| seen.last >= limit);
    let gone = before - entries.len();
    if entries.is_empty() {
        rows.remove(key)?;
    } else if gone > 0 {
        rows.put(key, &Node::Bucket(entries))?;
    }
    Ok(gone as u64)
}

/// The two places below `place`, each with its share; one without any is left out.
fn fork<T>(place: Place, entries: Vec<(SeenKey, T)>) -> impl Iterator<Item = (Place, Vec<(SeenKey, T)>)> {
    let (ones, zeros): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| place.turn(*key));
    [(place.below(false), zeros), (place.below(true), ones)]
        .into_iter()
        .filter(|(_, share)| !share.is_empty())
}
