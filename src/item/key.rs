//! What identifies an item over polls.
//!
//! A source remembers keys, not items: sixteen bytes of SHA-256 over a labelled value. Feeds are hostile
//! input, so the hash must resist chosen collisions; sixteen bytes do.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::SourceName;

/// Alphabet of ids: Crockford's base 32 in lower case, so that an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

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

/// The public id of an item: 26 characters, the same over polls, restarts, mirrors and edits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId([u8; 16]);

impl ItemId {
    /// The id of the item that `source` remembers under `key`.
    pub fn new(source: &SourceName, key: SeenKey) -> Self {
        Self(digest(&[source.as_str().as_bytes(), &key.0]))
    }

    /// The raw bytes, for the store.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// An id read back from the store.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(self.0))
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id: ids have 26 characters of Crockford's base 32.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id")]
pub struct NotAnId(String);

impl FromStr for ItemId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        decode(text).map(Self).ok_or_else(|| NotAnId(text.to_owned()))
    }
}

/// The first 16 bytes of SHA-256 over the parts, each preceded by its length.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let full = hash.finalize();
    std::array::from_fn(|i| full[i])
}

/// 16 bytes as 26 characters.
pub(crate) fn encode(bytes: [u8; 16]) -> String {
    let mut value = u128::from_be_bytes(bytes);
    let mut text = [0_u8; 26];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text.iter().map(|&b| char::from(b)).collect()
}

/// The reverse of [`encode`]; `None` for anything that it cannot have written.
pub(crate) fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&a| a == byte)? as u128;
        if place == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | digit;
    }
    Some(value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_being_written_and_read() {
        for bytes in [[0; 16], [255; 16], digest(&[b"a", b"b"])] {
            assert_eq!(decode(&encode(bytes)), Some(bytes));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "8zzzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000u", "00"] {
            assert!(text.parse::<ItemId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_label_and_the_border_between_parts_count() {
        assert_ne!(SeenKey::new("guid", "x"), SeenKey::new("link", "x"));
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
