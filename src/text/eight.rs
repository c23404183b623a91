//! Eight bytes at once: each is tested in its own place of one number.
//!
//! Adding a constant to the low seven bits of a byte carries into its eighth exactly when it lies above a bound.

/// The eighth bit of every byte.
pub(crate) const HIGH: u64 = 0x8080_8080_8080_8080;

/// One in every byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Eight bytes from `at` on, the first in the lowest place; `None` where fewer are left.
#[inline]
pub(crate) fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*eight))
}

/// The low seven bits of every byte.
#[inline]
pub(crate) fn low(eight: u64) -> u64 {
    eight & !HIGH
}

/// In the eighth bit of every byte whether it is at least `first` and at most `last`, both below 0x7f; the other bits mean
/// nothing. `low` has seven bits in each byte.
#[inline]
pub(crate) fn within(low: u64, first: u8, last: u8) -> u64 {
    at_least(low, first) & !at_least(low, last + 1)
}

/// In the eighth bit of every byte whether it is at least `bound`, 1 to 0x80; the other bits mean nothing.
#[inline]
pub(crate) fn at_least(low: u64, bound: u8) -> u64 {
    low + EACH * u64::from(0x80 - bound)
}

/// How many bytes stand before the first of which the eighth bit is set.
#[inline]
pub(crate) fn before_first(marks: u64) -> usize {
    // At most eight.
    (marks & HIGH).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_tested_in_its_place() {
        for byte in 0..0x80_u8 {
            let bytes = [b'x', byte, 0, byte, 0x7f, byte, byte, b'x'];
            let low = low(eight(&bytes, 0).unwrap());
            for (first, last) in [(b'A', b'Z'), (1, 1), (0x20, 0x20), (0x61, 0x63), (0x70, 0x7e)] {
                let marks = within(low, first, last) & HIGH;
                let expected = bytes.map(|byte| u8::from((first..=last).contains(&byte)) << 7);
                assert_eq!(marks.to_le_bytes(), expected, "{byte} {first} {last}");
            }
        }
        assert_eq!((before_first(0), before_first(HIGH << 16), before_first(0x80)), (8, 2, 0));
        assert_eq!(eight(b"1234567", 0), None);
    }
}
