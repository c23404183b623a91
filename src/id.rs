//! Ids: sixteen bytes, written as 26 characters that survive being read aloud.

use sha2::{Digest, Sha256};

/// Alphabet of ids: Crockford's base 32 in lower case, so that an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Declares an id of 16 bytes, written as 26 characters.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The raw bytes, for the store.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0
            }

            /// An id read back from the store.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&$crate::id::encode(self.0))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::NotAnId;

            fn from_str(text: &str) -> Result<Self, $crate::id::NotAnId> {
                $crate::id::decode(text).map(Self).ok_or_else(|| $crate::id::NotAnId::of(text))
            }
        }
    };
}
pub(crate) use id;

/// The text is not an id: ids have 26 characters of Crockford's base 32.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id")]
pub struct NotAnId(String);

impl NotAnId {
    /// The error for `text`, cut so that it can be printed.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.chars().take(40).collect())
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
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_border_between_parts_counts() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
