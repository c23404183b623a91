//! Forms of a word, for `~word`: under which stems a folded word is filed.
//!
//! Two words are forms of one another when they share a stem, whether they stand in a rule or in a text. Most
//! of it is Snowball, which expects accents that folding took away and knows no irregular form; each language
//! that news of the Sahel is written in adds what it misses (`english`, `french`, `russian`, `arabic`). What Snowball
//! merges though readers keep it apart is listed there too.

mod arabic;
mod english;
mod families;
mod french;
mod language;
mod russian;

#[cfg(test)]
mod tests;

use crate::text::{Scripts, folded};

pub(crate) use language::Language;

/// Letters of a word that is stemmed, at least; shorter ones have no endings.
const LETTERS_MIN: usize = 2;

/// Letters of a word that is stemmed, at most; longer ones are no words.
const LETTERS_MAX: usize = 40;

/// Stems of one word at most.
const STEMS_MAX: usize = 6;

/// Calls `each` with the stems under which `word`, which is folded, is filed: at least one, each once.
///
/// A word that is not of the language's script, or too short or long to be one, is its own stem.
pub(crate) fn stems(language: Language, word: &str, each: &mut dyn FnMut(&str)) {
    if !is_stemmed(language, word) {
        each(word);
        return;
    }
    let mut stems: Vec<String> = Vec::new();
    let mut file = |reading: &str| {
        let stem = snowball(language, reading);
        if stems.len() < STEMS_MAX && !stems.contains(&stem) {
            stems.push(stem);
        }
    };
    let families = language.families();
    if let Some(base) = families.and_then(|families| families.apart(word)) {
        each(base);
        return;
    }
    let bases = |word| families.map_or(&[][..], |families| families.bases(word));
    file(word);
    for base in bases(word) {
        file(base);
    }
    match language {
        Language::English => english::readings(word, &mut file),
        Language::French => french::readings(word, &mut file),
        Language::Russian => {
            for base in russian::without_reflexive(word).into_iter().flat_map(bases) {
                file(base);
            }
            russian::readings(word, &mut file);
        }
        Language::Arabic => {
            arabic::readings(word, &mut file);
            // Snowball takes endings off that belong to the word: the ن of اعلن, not that of اعلنت.
            if stems.len() < STEMS_MAX && !stems.iter().any(|stem| stem == word) {
                stems.push(word.to_owned());
            }
        }
        Language::Portuguese => {
            // ação and ações
            if let Some(root) = word.strip_suffix("oes") {
                file(&format!("{root}ao"));
            }
        }
        Language::German
        | Language::Spanish
        | Language::Italian
        | Language::Dutch
        | Language::Turkish
        | Language::Romanian
        | Language::Greek => {}
    }
    for stem in &stems {
        each(stem);
    }
}

/// Whether two folded words are forms of one another.
pub(crate) fn is_form_of(language: Language, a: &str, b: &str) -> bool {
    let mut of_a = Vec::new();
    stems(language, a, &mut |stem| of_a.push(stem.to_owned()));
    let mut shared = false;
    stems(language, b, &mut |stem| shared |= of_a.iter().any(|of_a| of_a == stem));
    shared
}

/// Whether the stemmers are asked about a word at all: what they make of other input is not defined.
fn is_stemmed(language: Language, word: &str) -> bool {
    let script = language.script();
    let mut letters = 0;
    word.chars().all(|letter| {
        letters += 1;
        letters <= LETTERS_MAX && Scripts::of(letter) == script
    }) && letters >= LETTERS_MIN
}

/// The folded Snowball stem; the word itself when nothing would be left of it.
fn snowball(language: Language, word: &str) -> String {
    let stem = rust_stemmers::Stemmer::create(language.algorithm()).stem(word);
    if stem.is_empty() {
        return word.to_owned();
    }
    // Only readings with restored accents can have some left.
    if language == Language::French && !stem.is_ascii() { folded(&stem) } else { stem.into_owned() }
}
