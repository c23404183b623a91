//! How a value lies in the tree: versioned, checksummed, and cut into rows that sled keeps in its log.
//!
//! sled moves a page of more than 128 KiB into a file of its own under `blobs/`, which our `fdatasync` of the log
//! does not cover. A page holds about 17 rows, so rows stay at or below [`ROW_BYTES_MAX`] and a longer value
//! continues in further rows.

use super::keys;

/// Version of the frame; a row of another version is not ours to read.
const VERSION: u8 = 1;

/// Version, number of further rows, checksum.
const HEAD_BYTES: usize = 1 + 2 + 4;

/// Greatest length of one row's value: 17 of them stay far below the 128 KiB of a page kept in the log.
const ROW_BYTES_MAX: usize = 4096;

/// Why a value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    /// It is shorter than its head.
    #[error("cut short")]
    Short,
    /// It has a version of which nothing is known.
    #[error("unknown version {0}")]
    Version(u8),
    /// One of its further rows is missing.
    #[error("a further row is missing")]
    PartMissing,
    /// Its bytes are not those that were written under this key.
    #[error("wrong checksum")]
    Checksum,
    /// The bytes are as written, yet mean nothing to this version.
    #[error("unreadable content")]
    Content,
}

/// The rows of a value: the first goes to its key, the others to [`keys::part`] 1, 2, …
///
/// `None` when it is longer than 65,536 rows.
pub(super) fn seal(key: &[u8], payload: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (first, rest) = payload.split_at(payload.len().min(ROW_BYTES_MAX - HEAD_BYTES));
    let parts = u16::try_from(rest.len().div_ceil(ROW_BYTES_MAX)).ok()?;
    let mut head = Vec::with_capacity(HEAD_BYTES + first.len());
    head.push(VERSION);
    head.extend(parts.to_be_bytes());
    head.extend(checksum(key, parts, payload).to_be_bytes());
    head.extend(first);
    Some(std::iter::once(head).chain(rest.chunks(ROW_BYTES_MAX).map(<[u8]>::to_vec)).collect())
}

/// The number of further rows that the value beginning with `head` has.
pub(super) fn parts(head: &[u8]) -> u16 {
    head.get(1..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

/// The value that begins with `head` at `key`; `part` reads a row at a key.
pub(super) fn open<E>(
    key: &[u8],
    head: &[u8],
    mut part: impl FnMut(&[u8]) -> Result<Option<sled::IVec>, E>,
) -> Result<Result<Vec<u8>, Damage>, E> {
    let Some((fixed, first)) = head.split_first_chunk::<HEAD_BYTES>() else { return Ok(Err(Damage::Short)) };
    let [version, parts_high, parts_low, crc @ ..] = *fixed;
    if version != VERSION {
        return Ok(Err(Damage::Version(version)));
    }
    let parts = u16::from_be_bytes([parts_high, parts_low]);
    let mut payload = first.to_vec();
    for n in 1..=parts {
        match part(&keys::part(key, n))? {
            Some(row) => payload.extend_from_slice(&row),
            None => return Ok(Err(Damage::PartMissing)),
        }
    }
    let fits = checksum(key, parts, &payload) == u32::from_be_bytes(crc);
    Ok(if fits { Ok(payload) } else { Err(Damage::Checksum) })
}

/// Covers the key too, so that a value read under a wrong key does not pass.
fn checksum(key: &[u8], parts: u16, payload: &[u8]) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(&[VERSION]);
    hash.update(&parts.to_be_bytes());
    hash.update(key);
    hash.update(payload);
    hash.finalize()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn open_with(key: &[u8], rows: &[Vec<u8>]) -> Result<Vec<u8>, Damage> {
        let found = open::<Infallible>(key, &rows[0], |asked| {
            let hit = (1..rows.len()).find(|&n| keys::part(key, u16::try_from(n).unwrap()) == asked);
            Ok(hit.map(|n| rows[n].as_slice().into()))
        });
        match found {
            Ok(found) => found,
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(payload in prop::collection::vec(any::<u8>(), 0..10_000)) {
            let rows = seal(b"key", &payload).unwrap();
            prop_assert!(rows.iter().all(|row| row.len() <= ROW_BYTES_MAX));
            prop_assert_eq!(usize::from(parts(&rows[0])), rows.len() - 1);
            prop_assert_eq!(open_with(b"key", &rows), Ok(payload));
        }

        #[test]
        fn no_changed_bit_passes(
            payload in prop::collection::vec(any::<u8>(), 0..6_000), row: prop::sample::Index,
            at: prop::sample::Index, bit in 0..8_u8,
        ) {
            let mut rows = seal(b"key", &payload).unwrap();
            let row = row.index(rows.len());
            let at = at.index(rows[row].len());
            rows[row][at] ^= 1 << bit;
            prop_assert!(open_with(b"key", &rows).is_err());
        }
    }

    #[test]
    fn a_value_under_a_wrong_key_or_without_its_rows_is_refused() {
        let rows = seal(b"key", &[7; 9000]).unwrap();
        assert_eq!(open_with(b"key", &rows[..2]), Err(Damage::PartMissing));
        let small = seal(b"key", b"x").unwrap();
        assert_eq!(open_with(b"kez", &small), Err(Damage::Checksum));
        assert_eq!(open_with(b"key", &[vec![]]), Err(Damage::Short));
    }
}
