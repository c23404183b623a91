//! In what share of ordinary news items a word occurs: how much a term narrows a rule down.
//!
//! An ordinary item is a title and summary of about 60 words in English, French, Russian or Arabic; a word of
//! several of them has its greatest share. `words.tsv` holds the commoner words and says how they were counted.

use std::sync::OnceLock;

/// The share of every word that is not in the table: a tenth of the least share in it, for most such words are
/// names and far rarer than what just missed the table.
pub(crate) const RARE_SHARE: f32 = 0.000_05;

/// What the shares in the table are counted in.
const ITEMS: f32 = 10_000.0;

const TABLE: &str = include_str!("words.tsv");

/// The share of ordinary items, from [`RARE_SHARE`] to 1, in which a folded word occurs.
pub(crate) fn share(word: &str) -> f32 {
    index().find(word).unwrap_or(RARE_SHARE)
}

/// The share of ordinary items in which any word occurs that begins with some folded letters, as if words
/// occurred independently of each other; at least [`RARE_SHARE`].
pub(crate) fn share_of_prefix(prefix: &str) -> f32 {
    let rows = &index().rows;
    let first = rows.partition_point(|&row| word_of(row) < prefix);
    let begun = rows.iter().skip(first).take_while(|&&row| word_of(row).starts_with(prefix));
    let none: f32 = begun.map(|&row| 1.0 - share(word_of(row))).product();
    (1.0 - none).max(RARE_SHARE)
}

/// Whether a folded word is one of the commoner words of its language.
pub(crate) fn is_known(word: &str) -> bool {
    index().find(word).is_some()
}

/// Where the words of the table stand in it. Shares are read when they are asked for: a start of the program
/// asks for few of them, a large desk for several 100,000.
struct Index {
    /// First bytes of the lines, sorted by word.
    rows: Vec<u32>,
    /// One more than the place of a row, from where its hash says on; 0 is free. A power of two of them.
    slots: Vec<u16>,
}

impl Index {
    fn new() -> Self {
        // One pass over the bytes: a word ends at the tab, and the head of the table has none.
        let mut rows = Vec::new();
        let mut hashes = Vec::new();
        let (mut start, mut hash) = (0, HASH_OF_NOTHING);
        for (at, byte) in (0_u32..).zip(TABLE.bytes()) {
            match byte {
                b'\n' => (start, hash) = (at + 1, HASH_OF_NOTHING),
                b'\t' => {
                    rows.push(start);
                    hashes.push(hash);
                }
                letter => hash = longer_by(hash, letter),
            }
        }
        let mut slots: Vec<u16> = vec![0; (rows.len() * 2).next_power_of_two()];
        for (number, hash) in (1..=u16::MAX).zip(hashes) {
            let mut at = slot(hash, &slots);
            while slots.get(at).is_some_and(|&taken| taken != 0) {
                at = next(at, &slots);
            }
            if let Some(free) = slots.get_mut(at) {
                *free = number;
            }
        }
        Self { rows, slots }
    }

    /// The share of a word of the table.
    fn find(&self, word: &str) -> Option<f32> {
        let mut at = slot(word.bytes().fold(HASH_OF_NOTHING, longer_by), &self.slots);
        // A part of the slots stays free, so it ends.
        loop {
            let row = self.rows.get(usize::from(*self.slots.get(at)?).checked_sub(1)?)?;
            let number = from(*row).strip_prefix(word).and_then(|rest| rest.strip_prefix('\t'));
            if let Some(number) = number {
                return Some(f32::from(number.lines().next()?.parse::<u16>().ok()?) / ITEMS);
            }
            at = next(at, &self.slots);
        }
    }
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(Index::new)
}

/// The table from a row on.
fn from(row: u32) -> &'static str {
    TABLE.get(row as usize..).unwrap_or_default()
}

fn word_of(row: u32) -> &'static str {
    from(row).split('\t').next().unwrap_or_default()
}

/// FNV-1a of no bytes.
const HASH_OF_NOTHING: u32 = 0x811c_9dc5;

/// The hash of what was hashed and one more byte. The words are ours, so nobody chooses them to collide.
fn longer_by(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// Where to look for a hash first.
fn slot(hash: u32, slots: &[u16]) -> usize {
    (hash ^ (hash >> 15)) as usize & (slots.len() - 1)
}

/// Where to look next.
fn next(at: usize, slots: &[u16]) -> usize {
    (at + 1) & (slots.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::folded;

    /// The lines of the table, read anew.
    fn rows() -> Vec<(&'static str, f32)> {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let row = |line: &'static str| {
            let (word, items) = line.split_once('\t').unwrap();
            (word, f32::from(items.parse::<u16>().unwrap()) / ITEMS)
        };
        lines.map(row).collect()
    }

    #[test]
    fn every_row_is_found_and_rows_are_sorted_and_folded() {
        let rows = rows();
        assert!(rows.len() < usize::from(u16::MAX), "slots number rows by 16 bits");
        for pair in rows.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} {}", pair[0].0, pair[1].0);
        }
        for (word, expected) in rows {
            assert_eq!(folded(word), word);
            assert!(expected > RARE_SHARE && expected <= 1.0, "{word} {expected}");
            assert!(is_known(word) && share(word).to_bits() == expected.to_bits(), "{word}");
        }
    }

    #[test]
    fn shares_are_those_of_news() {
        for (word, least, most) in [
            ("the", 0.9, 1.0),
            ("de", 0.9, 1.0),
            ("в", 0.8, 1.0),
            ("في", 0.8, 1.0),
            ("said", 0.2, 0.8),
            ("army", 0.005, 0.06),
            ("government", 0.02, 0.12),
            ("attack", 0.005, 0.06),
            ("president", 0.02, 0.12),
            ("police", 0.005, 0.06),
            ("killed", 0.005, 0.06),
            ("armee", 0.005, 0.06),
            ("attaque", 0.005, 0.06),
            ("президент", 0.02, 0.12),
            ("армии", 0.005, 0.06),
            ("الجيش", 0.005, 0.06),
            (&folded("الرئيس"), 0.02, 0.12),
            ("withdraw", 0.001, 0.01),
            ("boulikessi", RARE_SHARE, RARE_SHARE),
            ("вагнер", RARE_SHARE, RARE_SHARE),
            ("", RARE_SHARE, RARE_SHARE),
        ] {
            let share = share(word);
            assert!((least..=most).contains(&share), "{word}: {share}");
            assert_eq!(is_known(word), share > RARE_SHARE, "{word}");
        }
    }

    #[test]
    fn a_prefix_is_at_least_as_common_as_each_word_it_begins() {
        for prefix in ["attack", "withdr", "вывод", "قتل", "t", "the"] {
            let whole = share_of_prefix(prefix);
            assert!((RARE_SHARE..=1.0).contains(&whole), "{prefix}: {whole}");
            for (word, share) in rows().into_iter().filter(|(word, _)| word.starts_with(prefix)) {
                assert!(whole >= share - f32::EPSILON, "{prefix} {word}");
            }
        }
        assert!(share_of_prefix("attack") > share("attack"));
        assert!(share_of_prefix("") > 0.99);
        assert_eq!(share_of_prefix("boulikessi").to_bits(), RARE_SHARE.to_bits());
    }
}
