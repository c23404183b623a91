//! All words and phrases that rules and entities look for, found in one pass over the words of an item.
//!
//! One hash table holds every phrase under the hashes of its beginnings: from a node, the hash of the next
//! word leads to the next node. Prefix words are edges of the same table under the hash of the letters
//! before the `*`; which lengths are worth trying is known from a word's first two letters. Most words of an
//! item are turned away by a bit set of first words and never reach the table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::term::{Phrase, PhraseWord, spelling};
use crate::text::{Field, Pos, PrefixHasher, Words, hash_letters, without_proclitics};

/// Number of a word or phrase.
pub(crate) type LiteralId = u32;

/// A place where a literal stands: the positions of its first and last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    /// What was found.
    pub(crate) literal: LiteralId,
    /// Its first word.
    pub(crate) first: Pos,
    /// Its last word.
    pub(crate) last: Pos,
}

/// Linked words that are also read as one (`Jama'at-al-Islam`); longer chains are read in pairs alone.
const CHAIN_WORDS_MAX: usize = 6;

/// Bits of the first-word filter for each first word: one word in sixteen passes by chance.
const FILTER_BITS_PER_WORD: usize = 16;

const ROOT: u32 = 0;

/// The compiled table.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    edges: Edges,
    nodes: Vec<Node>,
    /// A bit for each first word, by the low bits of its hash.
    first_words: Vec<u64>,
    /// For the first two letters of a prefix that begins a phrase: the lengths of such prefixes, as bits.
    first_prefixes: HashMap<u64, u64, BuildHasherDefault<AsIs>>,
    /// How the words of an exact literal are spelt.
    spellings: Vec<Option<Vec<String>>>,
}

type Edges = HashMap<u64, u32, BuildHasherDefault<AsIs>>;

#[derive(Debug, Default)]
struct Node {
    /// Literals that end here.
    ends: Vec<LiteralId>,
    /// Whether phrases go on from here.
    goes_on: bool,
    /// Lengths of the prefixes that may come next, as bits.
    prefix_lengths: u64,
}

/// Keys are hashes already.
#[derive(Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// Collects literals; equal ones get one number.
#[derive(Debug, Default)]
pub(crate) struct LiteralsBuilder {
    table: Literals,
    numbers: HashMap<(Vec<Phrase>, Option<Vec<String>>), LiteralId>,
    first_hashes: Vec<u64>,
}

impl LiteralsBuilder {
    /// The number of the literal with these forms and, for an exact one, this spelling.
    pub(crate) fn add(&mut self, forms: Vec<Phrase>, spelling: Option<Vec<String>>) -> LiteralId {
        let next = LiteralId::try_from(self.table.spellings.len()).unwrap_or(LiteralId::MAX);
        let key = (forms, spelling);
        if let Some(&known) = self.numbers.get(&key) {
            return known;
        }
        for form in &key.0 {
            let node = self.path(form);
            if let Some(node) = self.table.nodes.get_mut(node as usize)
                && !node.ends.contains(&next)
            {
                node.ends.push(next);
            }
        }
        self.table.spellings.push(key.1.clone());
        self.numbers.insert(key, next);
        next
    }

    /// The node at the end of a phrase.
    fn path(&mut self, phrase: &[PhraseWord]) -> u32 {
        let nodes = &mut self.table.nodes;
        if nodes.is_empty() {
            nodes.push(Node::default());
        }
        let mut at = ROOT;
        for word in phrase {
            let hash = hash_letters(&word.letters);
            if word.prefix {
                let length = length_bit(word.letters.len());
                if at == ROOT {
                    *self.table.first_prefixes.entry(first_two(&word.letters)).or_default() |= length;
                }
                nodes[at as usize].prefix_lengths |= length;
            } else if at == ROOT {
                self.first_hashes.push(hash);
            }
            nodes[at as usize].goes_on = true;
            let next = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            let key = if word.prefix { prefix_edge(at, hash) } else { word_edge(at, hash) };
            at = *self.table.edges.entry(key).or_insert(next);
            if at == next {
                nodes.push(Node::default());
            }
        }
        at
    }

    /// The table, ready to be searched.
    pub(crate) fn finish(mut self) -> Literals {
        let bits = (self.first_hashes.len() * FILTER_BITS_PER_WORD).next_power_of_two().max(64);
        self.table.first_words = vec![0; bits / 64];
        for hash in self.first_hashes {
            let (slot, bit) = filter_place(hash, self.table.first_words.len());
            self.table.first_words[slot] |= bit;
        }
        self.table
    }
}

impl Literals {
    /// How many literals there are.
    pub(crate) fn len(&self) -> usize {
        self.spellings.len()
    }

    /// Appends to `hits` where literals stand in `words`, which were read from `title` and `text`.
    ///
    /// Sorted by literal, then by place; each hit once.
    pub(crate) fn scan(&self, words: &Words, title: &str, text: &str, hits: &mut Vec<Hit>) {
        if self.nodes.is_empty() {
            return;
        }
        for (field, source) in [(Field::Title, title), (Field::Text, text)] {
            let range = words.field(field);
            let mut walk = Walk { table: self, words, source, begin: range.start, end: range.end, hits };
            for place in range {
                walk.step(ROOT, place, place);
            }
        }
        hits.sort_unstable();
        hits.dedup();
    }

    fn may_begin(&self, hash: u64) -> bool {
        let (slot, bit) = filter_place(hash, self.first_words.len());
        self.first_words.get(slot).is_some_and(|bits| bits & bit != 0)
    }
}

/// The search of one field.
struct Walk<'a> {
    table: &'a Literals,
    words: &'a Words,
    source: &'a str,
    begin: usize,
    end: usize,
    hits: &'a mut Vec<Hit>,
}

impl Walk<'_> {
    /// Follows all readings of the word at `place` from `node`; `first` is where the phrase began.
    fn step(&mut self, node: u32, first: usize, place: usize) {
        let words = self.words;
        let Some(word) = words.word(place) else { return };
        let letters = words.letters(place, place);
        self.follow(node, letters, word.hash, first, place + 1);
        if word.linked {
            self.step_joined(node, first, place);
        }
        let mut with_article = Vec::new();
        without_proclitics(letters, |at, article| {
            let stem = letters.get(at..).unwrap_or_default();
            if article {
                with_article.clear();
                with_article.extend(['\u{627}', '\u{644}']);
                with_article.extend_from_slice(stem);
                self.follow(node, &with_article, hash_letters(&with_article), first, place + 1);
            } else {
                self.follow(node, stem, hash_letters(stem), first, place + 1);
            }
        });
    }

    /// Reads the word at `place` as one with the next, and a whole chain of linked words as one.
    fn step_joined(&mut self, node: u32, first: usize, place: usize) {
        let words = self.words;
        let is_linked = |place: usize| words.word(place).is_some_and(|word| word.linked);
        let mut ends = [Some(place + 1), None];
        if place == self.begin || !is_linked(place - 1) {
            let last = (place..self.end).find(|&at| !is_linked(at)).unwrap_or(place);
            ends[1] = (place + 2..place + CHAIN_WORDS_MAX).contains(&last).then_some(last);
        }
        for last in ends.into_iter().flatten() {
            let letters = words.letters(place, last);
            self.follow(node, letters, hash_letters(letters), first, last + 1);
        }
    }

    /// Takes the edges from `node` that `letters` satisfies; the phrase then goes on at `next`.
    fn follow(&mut self, node: u32, letters: &[char], hash: u64, first: usize, next: usize) {
        let table = self.table;
        if (node != ROOT || table.may_begin(hash))
            && let Some(&child) = table.edges.get(&word_edge(node, hash))
        {
            self.arrive(child, first, next);
        }
        let mut lengths = if node == ROOT {
            table.first_prefixes.get(&first_two(letters)).copied().unwrap_or_default()
        } else {
            table.nodes.get(node as usize).map_or(0, |node| node.prefix_lengths)
        };
        let mut hasher = PrefixHasher::default();
        for (before, &letter) in letters.iter().enumerate() {
            if lengths == 0 {
                break;
            }
            hasher.push(letter);
            let length = length_bit(before + 1);
            if lengths & length != 0 {
                lengths ^= length;
                if let Some(&child) = table.edges.get(&prefix_edge(node, hasher.hash())) {
                    self.arrive(child, first, next);
                }
            }
        }
    }

    fn arrive(&mut self, node: u32, first: usize, next: usize) {
        let Some(at) = self.table.nodes.get(node as usize) else { return };
        for &literal in &at.ends {
            if self.is_spelt(literal, first, next) {
                let last = self.words.pos(next - 1);
                self.hits.push(Hit { literal, first: self.words.pos(first), last });
            }
        }
        if at.goes_on && next < self.end {
            self.step(node, first, next);
        }
    }

    /// Whether the words stand there as an exact literal has them; true for all others.
    fn is_spelt(&self, literal: LiteralId, first: usize, next: usize) -> bool {
        let Some(Some(wanted)) = self.table.spellings.get(literal as usize) else { return true };
        wanted.len() == next - first
            && wanted.iter().zip(first..next).all(|(wanted, place)| {
                let written = self.words.bytes(place).of(self.source);
                written == wanted || (!written.is_ascii() && spelling(written) == *wanted)
            })
    }
}

/// Hashes are well mixed; the node moves them to a stretch of the table of its own.
fn word_edge(node: u32, hash: u64) -> u64 {
    hash.wrapping_add(u64::from(node).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn prefix_edge(node: u32, hash: u64) -> u64 {
    word_edge(node, hash ^ 0x5bd1_e995_7b7d_159d)
}

/// The bit of a prefix length; lengths past the limit of the term syntax have none.
fn length_bit(letters: usize) -> u64 {
    u32::try_from(letters).ok().and_then(|letters| 1_u64.checked_shl(letters)).unwrap_or_default()
}

fn first_two(letters: &[char]) -> u64 {
    match letters {
        [a, b, ..] => (u64::from(*a) << 32 | u64::from(*b)).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        _ => 0,
    }
}

/// The slot and the bit of a hash in a filter of `slots`, a power of two.
fn filter_place(hash: u64, slots: usize) -> (usize, u64) {
    let slot = usize::try_from(hash >> 6 & 0xffff_ffff).unwrap_or_default() & slots.saturating_sub(1);
    (slot, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::term::{Term, parse};
    use super::*;

    /// The words that each term finds in a text, in order of terms.
    fn found(terms: &[&str], text: &str) -> Vec<String> {
        let mut builder = LiteralsBuilder::default();
        for written in terms {
            match parse(written).expect(written).remove(0).term {
                Term::Phrase(forms) => builder.add(forms, None),
                Term::Exact(words, spelt) => builder.add(vec![words], Some(spelt)),
                Term::Entity(_) | Term::Type(_) => panic!("no literal: {written}"),
            };
        }
        let mut words = Words::default();
        words.read("", text);
        let mut hits = Vec::new();
        builder.finish().scan(&words, "", text, &mut hits);
        hits.iter().map(|hit| words.span(hit.first, hit.last).1.of(text).to_owned()).collect()
    }

    #[test]
    fn a_term_finds_the_words_it_means() {
        for (term, text, expected) in [
            ("wagner", "WAGNER, Wagner's; Wagnerian", &["WAGNER", "Wagner"][..]),
            ("groupe Wagner", "le Groupe\n«Wagner»", &["Groupe\n«Wagner"]),
            ("wagner*", "Wagner Wagnerian swagner", &["Wagner", "Wagnerian"]),
            (
                "групп* Вагнера",
                "Группировка Вагнера, группу Вагнера",
                &["Группировка Вагнера", "группу Вагнера"],
            ),
            ("част* военн* комп*", "частной военной компании", &["частной военной компании"]),
            ("Al-Qaida", "al qaida, Al-Qaida, alqaida", &["al qaida", "Al-Qaida", "alqaida"]),
            ("alqaida", "al-Qaida-linked", &["al-Qaida"]),
            ("abcd", "a-b-c-d", &["a-b-c-d"]),
            ("armée", "l'armee, L’Armée", &["armee", "Armée"]),
            ("هجوم", "والهجوم", &["والهجوم"]),
            ("الجيش", "للجيش", &["للجيش"]),
            ("مسلح*", "المسلحين", &["المسلحين"]),
            ("=US", "us US U.S. ＵＳ", &["US"]),
            ("=Élan", "Elan élan É\u{301}lan E\u{301}lan", &["E\u{301}lan"]),
            ("=Africa Corps", "Africa\nCorps, africa corps", &["Africa\nCorps"]),
            ("Söldner", "Soldner Soeldner Söldner", &["Soldner", "Soeldner", "Söldner"]),
            ("東京", "大東京都", &["東京"]),
            ("mali", "maliMali", &[]),
        ] {
            assert_eq!(found(&[term], text), expected, "{term} in {text}");
        }
    }

    #[test]
    fn nothing_spans_title_and_text() {
        let mut builder = LiteralsBuilder::default();
        let Term::Phrase(forms) = parse("niger delta").expect("a term").remove(0).term else { panic!() };
        builder.add(forms, None);
        let mut words = Words::default();
        words.read("Niger", "delta");
        let mut hits = Vec::new();
        builder.finish().scan(&words, "Niger", "delta", &mut hits);
        assert_eq!(hits, []);
    }

    #[test]
    fn many_terms_do_not_hide_each_other() {
        let terms = ["mali", "mali gao", "ma*", "mal* gao", "=Mali", "gao"];
        let all: Vec<String> = terms.iter().flat_map(|term| found(&[term], "Mali Gao")).collect();
        assert_eq!(found(&terms, "Mali Gao"), all);
        assert_eq!(all.len(), terms.len());
    }

    proptest! {
        /// Whatever may be written as a term: it is read or refused, and once read it finds itself.
        #[test]
        fn a_term_finds_itself(written in "(=|)(\\PC|[ \\-'’a-zé0-9]|\\p{Arabic}|\\p{Cyrillic}|\\p{M}){1,30}") {
            let Ok(mut alternatives) = parse(&written) else { return Ok(()) };
            let text = alternatives.remove(0).written.replace('*', "");
            let text = text.strip_prefix('=').unwrap_or(&text).to_owned();
            let is_words = parse(&text).is_ok_and(|same| matches!(same[0].term, Term::Phrase(_)));
            if is_words && !written.contains('@') && !written.contains('|') {
                prop_assert!(!found(&[&written], &text).is_empty(), "{:?} in {:?}", written, text);
            }
        }
    }
}
