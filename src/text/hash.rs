//! Hashes of folded words. They are keys of tables built from the config alone, so a hostile text can at
//! most look up what is not there; 64 bits keep a chance meeting out of sight.

/// Odd, with its bits well spread: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a whole word.
pub(crate) fn hash_letters(letters: &[char]) -> u64 {
    let mut hasher = PrefixHasher::default();
    for &letter in letters {
        hasher.push(letter);
    }
    hasher.hash()
}

/// Hashes a word letter by letter, so that the hash of each of its beginnings is to be had on the way.
#[derive(Default)]
pub(crate) struct PrefixHasher(u64);

impl PrefixHasher {
    /// Takes the next letter.
    pub(crate) fn push(&mut self, letter: char) {
        self.0 = (self.0.rotate_left(23) ^ u64::from(letter)).wrapping_add(1).wrapping_mul(SPREAD);
    }

    /// The hash of all letters so far.
    pub(crate) fn hash(&self) -> u64 {
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ (mixed >> 29)
    }
}
