//! All words and phrases that rules and entities look for, found in one pass over the words of an item.
//!
//! A phrase is looked up word after word: the hash of what was read so far and the hash of the next word make the
//! key of an edge, and all edges lie in one open table (`edges`). Prefix words are edges under the hash of the
//! letters before the `*`; which lengths are worth trying is known from a word's first letters. Words that are met
//! by their stem or with a letter wrong are edges under the number of their class (`classes`). Most words of an
//! item are turned away by a bit set that fits the processor's cache and never reach the table.

mod classes;
mod edges;
mod lookalike;
mod scan;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use self::classes::{Classes, ClassesBuilder, class_hash};
use self::edges::{Edges, EdgesBuilder};
use super::stem::Language;
use super::term::{Meets, Phrase};
use crate::text::{Pos, Scripts, hash_after, hash_word};

pub(crate) use self::scan::Scratch;

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

/// The hash of nothing read yet.
const ROOT: u64 = 0;

/// Letters that a word has at least if one of them may be wrong.
const FUZZY_LETTERS_MIN: usize = 6;

/// The compiled table.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    edges: Edges,
    /// Lengths in bytes, as bits, of the prefixes that begin a phrase, by their first letters.
    first_prefixes: HashMap<u32, u64, BuildHasherDefault<AsIs>>,
    /// The same of those that go on from a path, whatever their first letters.
    later_prefixes: HashMap<u64, u64, BuildHasherDefault<AsIs>>,
    /// Whether a phrase begins with a word of a class.
    class_first: bool,
    classes: Classes,
    /// How the words of exact literals are spelt.
    spellings: HashMap<LiteralId, Vec<String>>,
    len: u32,
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

    fn write_u32(&mut self, key: u32) {
        self.0 = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl Literals {
    /// How many literals there are.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Bytes on the heap, as far as they grow with the number of literals.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.edges.heap_bytes()
    }
}

/// Collects literals; equal ones get one number.
#[derive(Debug, Default)]
pub(crate) struct LiteralsBuilder {
    edges: EdgesBuilder,
    table: Literals,
    classes: ClassesBuilder,
    /// By the hashes of forms and spelling.
    numbers: HashMap<u64, LiteralId, BuildHasherDefault<AsIs>>,
    paths: Vec<u64>,
}

impl LiteralsBuilder {
    /// The number of the literal with these forms and, for an exact one, this spelling. Stems are those of
    /// `languages`.
    pub(crate) fn add(
        &mut self,
        forms: &[Phrase],
        spelling: Option<Vec<String>>,
        languages: &[Language],
    ) -> LiteralId {
        let mut paths = std::mem::take(&mut self.paths);
        paths.clear();
        paths.extend(forms.iter().map(|form| self.path(form, languages)));
        let spelt = spelling.iter().flatten().map(|word| hash_word(word.as_bytes()));
        let exact = u64::from(spelling.is_some());
        let key = paths.iter().copied().chain(spelt).fold(exact, hash_after);
        let next = self.table.len;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.table.len += 1;
            for &path in &paths {
                self.edges.end(path, number);
            }
            if let Some(spelling) = spelling {
                self.table.spellings.insert(number, spelling);
            }
        }
        self.paths = paths;
        number
    }

    /// A number for words that are found by other means.
    pub(crate) fn reserve(&mut self) -> LiteralId {
        self.table.len += 1;
        self.table.len - 1
    }

    /// The hash of a phrase, with an edge for each of its words.
    fn path(&mut self, phrase: &Phrase, languages: &[Language]) -> u64 {
        let mut path = ROOT;
        for word in phrase {
            let letters = word.letters.as_bytes();
            let whole = hash_word(letters);
            let next = match word.meets {
                Meets::Whole => whole,
                Meets::Prefix => {
                    let length = 1 << letters.len().min(63);
                    if path == ROOT {
                        *self.table.first_prefixes.entry(first_letters(letters)).or_default() |= length;
                    } else {
                        *self.table.later_prefixes.entry(path).or_default() |= length;
                    }
                    prefix_hash(whole)
                }
                Meets::Stem if !is_stemmed(&word.letters, languages) => whole,
                Meets::Stem => class_hash(self.classes.stem(&word.letters, languages)),
                Meets::Fuzzy => self.classes.fuzzy(&word.letters).map_or(whole, class_hash),
            };
            let by_class = next != whole && matches!(word.meets, Meets::Stem | Meets::Fuzzy);
            if path == ROOT {
                self.table.class_first |= by_class;
            } else {
                self.edges.go_on(path, word.meets == Meets::Prefix, by_class);
            }
            let begins = path == ROOT;
            path = hash_after(path, next);
            self.edges.add(path, begins);
        }
        path
    }

    /// The table, ready to be searched.
    pub(crate) fn finish(mut self) -> Literals {
        self.table.edges = self.edges.finish();
        self.table.classes = self.classes.finish();
        self.table
    }
}

/// Whether one of the languages is written in the script of a word.
fn is_stemmed(letters: &str, languages: &[Language]) -> bool {
    let scripts = Scripts(letters.chars().map(|letter| Scripts::of(letter).0).fold(0, |all, one| all | one));
    languages.iter().any(|language| scripts.has(language.script()))
}

/// The forms of a phrase in which one long word may have a letter wrong; none for a phrase of short ones.
pub(crate) fn fuzzy_forms(forms: &[Phrase]) -> Vec<Phrase> {
    let mut fuzzy = Vec::new();
    for form in forms {
        for (at, word) in form.iter().enumerate() {
            if word.meets == Meets::Whole && word.letters.chars().count() >= FUZZY_LETTERS_MIN {
                let mut form = form.clone();
                if let Some(word) = form.get_mut(at) {
                    word.meets = Meets::Fuzzy;
                }
                fuzzy.push(form);
            }
        }
    }
    fuzzy
}

/// Tells the edge of a prefix from that of a word with the same letters.
fn prefix_hash(letters: u64) -> u64 {
    letters ^ 0x5bd1_e995_7b7d_159d
}

/// The first letters of a word, as far as every prefix has them: two bytes of ASCII, else three or four.
#[inline]
fn first_letters(word: &[u8]) -> u32 {
    let [a, b, c, d] = match word {
        [a, b, c, d, ..] => [*a, *b, *c, *d],
        [a, b, c] => [*a, *b, *c, 0],
        [a, b] => [*a, *b, 0, 0],
        _ => [0; 4],
    };
    match (a, c) {
        (..0x80, _) => u32::from_le_bytes([a, b, 0, 0]),
        (_, ..0x80) => u32::from_le_bytes([a, b, c, 0]),
        _ => u32::from_le_bytes([a, b, c, d]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::term::{Term, parse};
    use super::*;
    use crate::text::Words;

    /// The words that each term finds in a text, in order of terms.
    fn found(terms: &[&str], text: &str) -> Vec<String> {
        let mut builder = LiteralsBuilder::default();
        for written in terms {
            match parse(written).expect(written).remove(0).term {
                Term::Words(forms) => builder.add(&forms, None, &Language::DEFAULT),
                Term::Exact(words, spelt) => builder.add(&[words], Some(spelt), &Language::DEFAULT),
                other @ (Term::Entity(_) | Term::Type(_) | Term::Gap(_) | Term::Everything) => {
                    panic!("no literal: {other:?}")
                }
            };
        }
        let mut words = Words::default();
        words.read("", text);
        let mut hits = Vec::new();
        builder.finish().scan(&words, ["", text], &mut Scratch::default(), &mut hits);
        hits.sort_unstable();
        hits.dedup();
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
            (
                "~withdraw",
                "withdrew, Withdrawing; withdrawn drawn",
                &["withdrew", "Withdrawing", "withdrawn"],
            ),
            (
                "~attaque djihadiste",
                "l'attaque djihadiste, des attaques djihadistes",
                &["attaque djihadiste", "attaques djihadistes"],
            ),
            (
                "Wagner",
                "W A G N E R, w.a.g.n.e.r; V W A G N E R",
                &["W A G N E R", "w.a.g.n.e.r", "W A G N E R"],
            ),
            ("Вагнер", "Вaгнeр В а г н е р; о В А Г Н Е Р", &["Вaгнeр", "В а г н е р", "В А Г Н Е Р"]),
            ("Mali", "Мali Маlі", &["Мali", "Маlі"]),
            ("Goïta", "Go&iuml;ta", &["Go&iuml;ta"]),
        ] {
            assert_eq!(found(&[term], text), expected, "{term} in {text}");
        }
    }

    #[test]
    fn nothing_spans_title_and_text() {
        let mut builder = LiteralsBuilder::default();
        let Term::Words(forms) = parse("niger delta").expect("a term").remove(0).term else { panic!() };
        builder.add(&forms, None, &[]);
        let mut words = Words::default();
        words.read("Niger", "delta");
        let mut hits = Vec::new();
        builder.finish().scan(&words, ["Niger", "delta"], &mut Scratch::default(), &mut hits);
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
        fn a_term_finds_itself(written in "(=|~|)(\\PC|[ \\-'’a-zé0-9]|\\p{Arabic}|\\p{Cyrillic}|\\p{M}){1,30}") {
            let Ok(mut alternatives) = parse(&written) else { return Ok(()) };
            let text = alternatives.remove(0).written.replace('*', "");
            let text = text.strip_prefix(['=', '~']).unwrap_or(&text).to_owned();
            let is_words = parse(&text).is_ok_and(|same| matches!(same[0].term, Term::Words(_)));
            if is_words && !written.contains(['@', '|', '&']) {
                prop_assert!(!found(&[&written], &text).is_empty(), "{:?} in {:?}", written, text);
            }
        }
    }
}
