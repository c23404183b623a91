//! Seen keys, packed: a row per key would cost more than all the rest of the store.
//!
//! A source's keys lie in buckets of at most [`ENTRIES_MAX`]. The buckets form a binary tree over the leading bits of
//! the keys, which are hashes and spread evenly: a bucket that grows too full becomes a fork, and its entries move
//! into two new ones. Only that bucket is rewritten, so that a source with millions of keys, even a hostile one,
//! never makes one commit expensive. The common source has one bucket: one look-up for a whole poll.

use super::access::{InTransaction, Read, Row};
use super::keys;
use crate::item::{SeenKey, SourceName};
use crate::store::{Day, Seen, StoreError};

/// Greatest number of entries in a bucket: 128 of 28 bytes fit into one row.
const ENTRIES_MAX: usize = 128;

/// Bits of a key that may choose its bucket; a bucket this deep grows instead of splitting.
const DEPTH_MAX: u8 = 32;

/// Key, first day, last day, content.
const ENTRY_BYTES: usize = 16 + 2 + 2 + 8;

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
            Self::Fork => vec![1],
            Self::Bucket(entries) => {
                let mut bytes = Vec::with_capacity(1 + entries.len() * ENTRY_BYTES);
                bytes.push(0);
                for (key, seen) in entries {
                    bytes.extend(key.to_bytes());
                    bytes.extend(seen.first.0.to_be_bytes());
                    bytes.extend(seen.last.0.to_be_bytes());
                    bytes.extend(seen.content.to_be_bytes());
                }
                bytes
            }
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (1, []) => Some(Self::Fork),
            (0, packed) => {
                let entries = packed.chunks(ENTRY_BYTES).map(unpack).collect::<Option<_>>()?;
                Some(Self::Bucket(entries))
            }
            _ => None,
        }
    }
}

/// One entry back from its bytes.
fn unpack(bytes: &[u8]) -> Option<Entry> {
    let (key, rest) = bytes.split_first_chunk()?;
    let (first, rest) = rest.split_first_chunk()?;
    let (last, rest) = rest.split_first_chunk()?;
    let content = u64::from_be_bytes(rest.try_into().ok()?);
    let (first, last) = (Day(u16::from_be_bytes(*first)), Day(u16::from_be_bytes(*last)));
    Some((SeenKey::from_bytes(*key), Seen { first, last, content }))
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
