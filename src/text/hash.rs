//! Hashes of folded words. They are keys of tables built from the config alone. 64 bits keep a chance meeting out of
//! sight; whoever constructs one gains an alert that the plain word would have given.

/// Odd, with its bits well spread: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Odd, from the finaliser of splitmix64.
const FINISH: u64 = 0x94d0_49bb_1331_11eb;

/// The hash of a folded word.
pub(crate) fn hash_word(word: &[u8]) -> u64 {
    let mut state = 0;
    let mut rest = word;
    while let (Some((chunk, more)), true) = (rest.split_first_chunk(), rest.len() > 8) {
        state = step(state, u64::from_le_bytes(*chunk));
        rest = more;
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    finish(step(state, u64::from_le_bytes(last)), word.len())
}

/// The same of the bytes of `buffer` from `from` to `to`; the buffer goes on for eight bytes behind them.
#[inline]
pub(super) fn hash_between(buffer: &[u8], from: usize, to: usize) -> u64 {
    let mut state = 0;
    let mut at = from;
    while to - at > 8 {
        state = step(state, chunk(buffer, at));
        at += 8;
    }
    // Bytes of the last chunk that belong to the word, 1 to 8.
    let own = u64::MAX >> (64 - 8 * (to - at).max(1));
    finish(step(state, chunk(buffer, at) & own), to - from)
}

/// Eight bytes of a buffer, lowest first; zero past its end.
#[inline]
pub(super) fn chunk(buffer: &[u8], at: usize) -> u64 {
    buffer.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline]
fn step(state: u64, chunk: u64) -> u64 {
    let mixed = (state ^ chunk).wrapping_mul(SPREAD);
    mixed ^ (mixed >> 32)
}

#[inline]
fn finish(state: u64, len: usize) -> u64 {
    let mixed = (state ^ len as u64).wrapping_mul(FINISH);
    mixed ^ (mixed >> 29)
}

/// The hash of `next` behind what has the hash `path`: what a phrase is looked up by, word after word.
#[inline]
pub(crate) fn hash_after(path: u64, next: u64) -> u64 {
    let mixed = (path.rotate_left(29) ^ next).wrapping_mul(SPREAD);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_hashes_the_same_wherever_it_stands(before in "\\PC{0,9}", word in "\\PC{1,40}", behind in "\\PC{8,20}") {
            let buffer = [before.as_str(), &word, &behind].concat();
            let (from, to) = (before.len(), before.len() + word.len());
            prop_assert_eq!(hash_between(buffer.as_bytes(), from, to), hash_word(word.as_bytes()));
        }
    }
}
