//! Words that differ by one slip: a letter too many, too few, another, or two neighbours swapped.
//!
//! Two words are one slip apart only if they share what is left of them when a letter is deleted, or if one is
//! what is left of the other. So each word is filed under itself and all its deletions, and a look-up asks for
//! the same of the word in the text (the idea of SymSpell): a dozen probes, however many words there are. What
//! the keys say is checked letter by letter.

use std::collections::HashMap;

/// Letters of a word that is found with a slip, at least; shorter ones are too often one slip from another.
pub(crate) const FUZZY_LETTERS_MIN: usize = 6;

/// Letters of a word that is filed or looked up, at most.
const LETTERS_MAX: usize = 40;

/// Number of a word, from 0 in the order in which words came.
pub(crate) type FuzzyId = u32;

/// Collects words; equal ones get one number.
#[derive(Debug, Default)]
pub(crate) struct FuzzyBuilder {
    ids: HashMap<String, FuzzyId>,
    words: Vec<Box<[char]>>,
}

impl FuzzyBuilder {
    /// The number of a folded word; none for one that is too short or too long to be found with a slip.
    pub(crate) fn add(&mut self, word: &str) -> Option<FuzzyId> {
        if let Some(&known) = self.ids.get(word) {
            return Some(known);
        }
        let letters: Box<[char]> = word.chars().take(LETTERS_MAX + 1).collect();
        if !(FUZZY_LETTERS_MIN..=LETTERS_MAX).contains(&letters.len()) {
            return None;
        }
        let next = FuzzyId::try_from(self.words.len()).ok()?;
        self.words.push(letters);
        self.ids.insert(word.to_owned(), next);
        Some(next)
    }

    /// The index of all words.
    pub(crate) fn build(self) -> FuzzyIndex {
        let mut filed: Vec<(u64, FuzzyId)> = Vec::new();
        for (word, id) in self.words.iter().zip(0..) {
            let keys = Keys::of(word);
            filed.push((keys.whole(), id));
            filed.extend(deletions(word).map(|at| (keys.without(at), id)));
        }
        filed.sort_unstable();
        filed.dedup();
        let mut index = FuzzyIndex { words: self.words, filed, starts: Vec::new() };
        index.starts = index.drawers();
        index
    }
}

/// Words, filed under what is left of them.
#[derive(Debug, Default)]
pub(crate) struct FuzzyIndex {
    words: Vec<Box<[char]>>,
    /// Sorted by key.
    filed: Vec<(u64, FuzzyId)>,
    /// Where the keys that begin with the same bits begin in `filed`, and where the last of them end. A power
    /// of two and one; none when nothing is filed.
    starts: Vec<u32>,
}

impl FuzzyIndex {
    /// Calls `each` for every word that is exactly one slip away from a folded word, once each.
    pub(crate) fn find(&self, word: &str, each: &mut dyn FnMut(FuzzyId)) {
        if self.filed.is_empty() {
            return;
        }
        let mut buffer = ['\0'; LETTERS_MAX];
        let mut len = 0;
        for letter in word.chars() {
            let Some(slot) = buffer.get_mut(len) else { return };
            *slot = letter;
            len += 1;
        }
        if len + 1 < FUZZY_LETTERS_MIN {
            return;
        }
        let word = buffer.get(..len).unwrap_or_default();
        let keys = Keys::of(word);
        for (id, filed) in self.under(keys.whole()) {
            if is_longer_by_one(filed, word) {
                each(id);
            }
        }
        for at in deletions(word) {
            for (id, filed) in self.under(keys.without(at)) {
                if is_without(word, at, filed) || is_first_slip(word, at, filed) {
                    each(id);
                }
            }
        }
    }

    /// The words that are filed under a key.
    fn under(&self, key: u64) -> impl Iterator<Item = (FuzzyId, &[char])> {
        let drawer = self.drawer(key);
        let bound = |at: usize| self.starts.get(at).map_or(0, |&start| start as usize);
        let filed = self.filed.get(bound(drawer)..bound(drawer + 1)).unwrap_or_default();
        filed.iter().filter(move |(other, _)| *other == key).filter_map(|&(_, id)| {
            let word = self.words.get(id as usize)?;
            Some((id, &**word))
        })
    }

    /// The number of the drawer that a key lies in: its first bits.
    fn drawer(&self, key: u64) -> usize {
        let bits = drawer_bits(self.filed.len());
        usize::try_from(key.unbounded_shr(u64::BITS - bits)).unwrap_or_default()
    }

    /// Where the drawers begin.
    fn drawers(&self) -> Vec<u32> {
        if self.filed.is_empty() {
            return Vec::new();
        }
        let mut starts = vec![0_u32; (1_usize << drawer_bits(self.filed.len())) + 1];
        for (key, _) in &self.filed {
            if let Some(count) = starts.get_mut(self.drawer(*key) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        starts
    }
}

/// Bits of a key that name its drawer: about one key for each.
fn drawer_bits(keys: usize) -> u32 {
    keys.next_power_of_two().trailing_zeros()
}

/// The places where deleting a letter leaves different words: of equal letters in a row only the first.
fn deletions(word: &[char]) -> impl Iterator<Item = usize> {
    (0..word.len()).filter(|&at| at == row_start(word, at))
}

/// The first of the equal letters in a row that a place lies in.
fn row_start(word: &[char], at: usize) -> usize {
    let letter = word.get(at);
    (0..at).rev().take_while(|&before| word.get(before) == letter).last().unwrap_or(at)
}

/// Whether `longer` without one letter is `word`.
fn is_longer_by_one(longer: &[char], word: &[char]) -> bool {
    let at = first_difference(longer, word);
    longer.len() == word.len() + 1 && longer.get(at + 1..) == word.get(at..)
}

/// Whether `word` without the letter at a place is `shorter`.
fn is_without(word: &[char], at: usize, shorter: &[char]) -> bool {
    word.len() == shorter.len() + 1
        && word.get(..at) == shorter.get(..at)
        && word.get(at + 1..) == shorter.get(at..)
}

/// Whether `other` is as long as `word` and differs by another letter or by a swap. A swap is found by two
/// deletions; the one at `at` must be that of the first letter that differs.
fn is_first_slip(word: &[char], at: usize, other: &[char]) -> bool {
    let slip = first_difference(word, other);
    if word.len() != other.len() || slip == word.len() || row_start(word, slip) != at {
        return false;
    }
    let is_swap = word.get(slip) == other.get(slip + 1)
        && word.get(slip + 1) == other.get(slip)
        && word.get(slip + 2..) == other.get(slip + 2..);
    word.get(slip + 1..) == other.get(slip + 1..) || is_swap
}

/// The first place where two words differ; the end of the shorter one when it begins the other.
fn first_difference(a: &[char], b: &[char]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Odd, with its bits well spread: 2^64 over the golden ratio.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// What undoes a multiplication by [`BASE`].
const BASE_INVERSE: u64 = inverse(BASE);

/// By Newton's method: each round doubles the bits that are right, beginning with three.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

/// The keys of a word and of its deletions. A word is the number whose digits in [`BASE`] are its letters, so
/// that what is left without one of them follows from the sums before and behind it.
struct Keys {
    /// The sum of the digits before each place, and of all.
    sums: [u64; LETTERS_MAX + 1],
    len: usize,
}

impl Keys {
    fn of(word: &[char]) -> Self {
        let mut keys = Self { sums: [0; LETTERS_MAX + 1], len: word.len().min(LETTERS_MAX) };
        let (mut sum, mut power) = (0_u64, 1_u64);
        for (slot, &letter) in keys.sums.iter_mut().skip(1).zip(word) {
            sum = sum.wrapping_add(mix(u64::from(letter) + 1).wrapping_mul(power));
            power = power.wrapping_mul(BASE);
            *slot = sum;
        }
        keys
    }

    fn sum(&self, letters: usize) -> u64 {
        self.sums.get(letters).copied().unwrap_or_default()
    }

    fn whole(&self) -> u64 {
        mix(self.sum(self.len))
    }

    fn without(&self, at: usize) -> u64 {
        let behind = self.sum(self.len).wrapping_sub(self.sum(at + 1));
        mix(self.sum(at).wrapping_add(behind.wrapping_mul(BASE_INVERSE)))
    }
}

/// Spreads the bits of a number over all of it.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn index(words: &[String]) -> (FuzzyIndex, Vec<Option<FuzzyId>>) {
        let mut builder = FuzzyBuilder::default();
        let ids = words.iter().map(|word| builder.add(word)).collect();
        (builder.build(), ids)
    }

    fn found(index: &FuzzyIndex, word: &str) -> Vec<FuzzyId> {
        let mut found = Vec::new();
        index.find(word, &mut |id| found.push(id));
        found
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, none of them
    /// in letters that were changed already.
    fn distance(a: &str, b: &str) -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                if i == 0 || j == 0 {
                    rows[i][j] = i + j;
                    continue;
                }
                let same = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j - 1] + same).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                rows[i][j] = best;
            }
        }
        rows[a.len()][b.len()]
    }

    #[test]
    fn a_word_is_found_by_one_slip() {
        for (filed, word, expected) in [
            ("boulikessi", "boulikessi", false),
            ("boulikessi", "boulkessi", true),
            ("boulikessi", "boullikessi", true),
            ("boulikessi", "boulikesssi", true),
            ("boulikessi", "boulikesi", true),
            ("boulikessi", "boulykessi", true),
            ("boulikessi", "boulikessy", true),
            ("boulikessi", "obulikessi", true),
            ("boulikessi", "boulikesis", true),
            ("boulikessi", "oulikessi", true),
            ("boulikessi", "boulkesi", false),
            ("boulikessi", "bolkessi", false),
            ("boulikessi", "uobilikessi", false),
            ("wagner", "wager", true),
            ("wagner", "agner", true),
            ("wagner", "wanger", true),
            ("wagner", "wagners", true),
            ("wagner", "wage", false),
            ("пригожин", "пригожен", true),
            ("بريغوجين", "بريغجين", true),
            ("wagner", "", false),
        ] {
            let (index, _) = index(&[filed.to_owned()]);
            assert_eq!(found(&index, word), if expected { &[0][..] } else { &[] }, "{word} for {filed}");
        }
    }

    #[test]
    fn equal_words_get_one_number_and_words_of_other_lengths_none() {
        let longest = "a".repeat(LETTERS_MAX);
        let too_long = "a".repeat(LETTERS_MAX + 1);
        let words = ["wagner", "kidal", "", "prigojine", "wagner", &longest, &too_long].map(str::to_owned);
        let (index, ids) = index(&words);
        assert_eq!(ids, [Some(0), None, None, Some(1), Some(0), Some(2), None]);
        assert_eq!(found(&index, &longest.replacen('a', "b", 1)), [2]);
        assert_eq!(found(&index, &longest.replacen('a', "", 1)), [2]);
        assert_eq!(found(&index, &too_long), [0; 0], "too long to be looked up");
    }

    #[test]
    fn an_empty_index_finds_nothing_and_holds_nothing() {
        let (built, _) = index(&[]);
        for index in [built, FuzzyIndex::default()] {
            assert_eq!(found(&index, "wagner"), [0; 0]);
            assert_eq!((index.filed.capacity(), index.starts.capacity()), (0, 0));
        }
    }

    proptest! {
        #[test]
        fn look_up_and_brute_force_agree(
            words in vec("[ab]{4,9}|[abc]{5,8}|[аб]{5,9}|[ابت]{5,8}", 0..24),
            asked in vec("[ab]{4,9}|[abc]{4,9}|[аб]{4,10}|[ابت]{4,9}|\\PC{0,8}|a{38,42}", 1..8),
        ) {
            let (index, ids) = index(&words);
            for asked in &asked {
                let mut expected: Vec<FuzzyId> = words
                    .iter()
                    .zip(&ids)
                    .filter(|(word, _)| distance(word, asked) == 1)
                    .filter_map(|(_, id)| *id)
                    .collect();
                expected.sort_unstable();
                expected.dedup();
                let mut found = found(&index, asked);
                found.sort_unstable();
                prop_assert_eq!(found, expected, "{}", asked);
            }
        }
    }
}
