//! In what share of ordinary news items a word occurs: how much a term narrows a rule down.
//!
//! An ordinary item is a title and summary of about 60 words in English, French, Russian or Arabic; a word of
//! several of them has its greatest share. `words.tsv` holds the commoner words and says how they were counted.

use std::sync::OnceLock;

use crate::text::PrefixHasher;

/// The share of every word that is not in the table: less than the least share in it.
pub(crate) const RARE_SHARE: f32 = 0.0005;

/// What the shares in the table are counted in.
const ITEMS: f32 = 10_000.0;

const TABLE: &str = include_str!("words.tsv");

/// The share of ordinary items, from [`RARE_SHARE`] to 1, in which a folded word occurs.
pub(crate) fn share(word: &str) -> f32 {
    index().find(word).map_or(RARE_SHARE, |row| row.share)
}

/// The share of ordinary items in which any word occurs that begins with some folded letters, as if words
/// occurred independently of each other; at least [`RARE_SHARE`].
pub(crate) fn share_of_prefix(prefix: &str) -> f32 {
    let rows = &index().rows;
    let first = rows.partition_point(|row| row.word < prefix);
    let begun = rows.iter().skip(first).take_while(|row| row.word.starts_with(prefix));
    let none: f32 = begun.map(|row| 1.0 - row.share).product();
    (1.0 - none).max(RARE_SHARE)
}

/// Whether a folded word is one of the commoner words of its language.
pub(crate) fn is_known(word: &str) -> bool {
    index().find(word).is_some()
}

struct Row {
    word: &'static str,
    share: f32,
}

/// The table, ready to be asked: rules of a large desk have several 100,000 words.
struct Index {
    /// Sorted by word.
    rows: Vec<Row>,
    /// One more than the place of a row, from where its hash says on; 0 is free. A power of two of them.
    slots: Vec<u16>,
}

impl Index {
    fn find(&self, word: &str) -> Option<&Row> {
        let mask = self.slots.len() - 1;
        let mut at = slot(word) & mask;
        // A part of the slots stays free, so it ends.
        loop {
            let row = self.rows.get(usize::from(*self.slots.get(at)?).checked_sub(1)?)?;
            if row.word == word {
                return Some(row);
            }
            at = (at + 1) & mask;
        }
    }
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let rows: Vec<Row> = lines.filter_map(row).collect();
        let mut slots = vec![0; (rows.len() * 2).next_power_of_two()];
        for (number, row) in (1..=u16::MAX).zip(&rows) {
            let mut at = slot(row.word) & (slots.len() - 1);
            while slots.get(at).is_some_and(|&taken| taken != 0) {
                at = (at + 1) & (slots.len() - 1);
            }
            if let Some(free) = slots.get_mut(at) {
                *free = number;
            }
        }
        Index { rows, slots }
    })
}

fn row(line: &'static str) -> Option<Row> {
    let (word, items) = line.split_once('\t')?;
    Some(Row { word, share: f32::from(items.parse::<u16>().ok()?) / ITEMS })
}

fn slot(word: &str) -> usize {
    let mut hasher = PrefixHasher::default();
    word.chars().for_each(|letter| hasher.push(letter));
    // Half of the hash is more than the table needs, and fits everywhere.
    usize::try_from(hasher.hash() >> 33).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::folded;

    #[test]
    fn every_line_is_read_and_rows_are_sorted_and_folded() {
        let rows = &index().rows;
        assert_eq!(rows.len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
        assert!(rows.len() < usize::from(u16::MAX), "slots number rows by 16 bits");
        for pair in rows.windows(2) {
            assert!(pair[0].word < pair[1].word, "{} {}", pair[0].word, pair[1].word);
        }
        for row in rows {
            assert_eq!(folded(row.word), row.word);
            assert!(row.share > RARE_SHARE && row.share <= 1.0, "{} {}", row.word, row.share);
            assert!(is_known(row.word) && share(row.word).to_bits() == row.share.to_bits(), "{}", row.word);
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
            for row in index().rows.iter().filter(|row| row.word.starts_with(prefix)) {
                assert!(whole >= row.share - f32::EPSILON, "{prefix} {}", row.word);
            }
        }
        assert!(share_of_prefix("attack") > share("attack"));
        assert!(share_of_prefix("") > 0.99);
        assert_eq!(share_of_prefix("boulikessi").to_bits(), RARE_SHARE.to_bits());
    }
}
