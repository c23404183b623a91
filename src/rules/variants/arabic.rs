//! Foreign names in Arabic letters.
//!
//! Arabic has no g and no v: one desk writes غ, another ج or ق. Names of the Sahel have their vowels written
//! out, so that they can be written from the Latin spelling by ear.

use std::borrow::Cow;

use super::cyrillic::whole;
use super::name::{ALONE_LETTERS_MIN, Name};
use super::spelling::{At, Row, stands, write};
use super::{Change, Edit};
use crate::text::Scripts;

/// Letters of a word at least that may lose a long vowel.
const DROPPING_LETTERS_MIN: usize = 7;

/// The article: what follows is an Arabic word, which knows its letters.
const ARTICLE: &str = "ال";

/// Letters of foreign sounds, by what else is written for them, and the cost.
const SOUNDS: &[(char, &str, u8)] = &[
    ('غ', "ج", 1),
    ('غ', "ق", 1),
    ('غ', "ك", 2),
    ('ج', "غ", 2),
    ('ق', "غ", 2),
    ('ك', "غ", 3),
    ('گ', "غ", 1),
    ('گ', "ج", 1),
    ('گ', "ك", 1),
    ('ڤ', "ف", 1),
    ('ف', "ڤ", 2),
    ('پ', "ب", 1),
    ('چ', "ج", 1),
];

/// The same in Latin letters: what follows would be spelt wrongly by ear.
const LATIN_ARTICLES: [[char; 2]; 2] = [['a', 'l'], ['e', 'l']];

/// By ear, as news in Arabic writes names that are not Arabic.
const FROM_LATIN: &[Row] = &[
    ("tch", At::Anywhere, "تش"),
    ("sch", At::Anywhere, "ش"),
    ("sh", At::Anywhere, "ش"),
    ("ch", At::Anywhere, "ش"),
    ("zh", At::Anywhere, "ج"),
    ("kh", At::Anywhere, "خ"),
    ("gh", At::Anywhere, "غ"),
    ("ph", At::Anywhere, "ف"),
    ("dj", At::Anywhere, "ج"),
    ("ck", At::Anywhere, "ك"),
    ("qu", At::BeforeSoft, "ك"),
    ("gu", At::BeforeSoft, "غ"),
    ("ne", At::End, "ن"),
    ("er", At::End, "ر"),
    ("ou", At::Anywhere, "و"),
    ("oo", At::Anywhere, "و"),
    ("bb", At::Anywhere, "ب"),
    ("dd", At::Anywhere, "د"),
    ("ff", At::Anywhere, "ف"),
    ("kk", At::Anywhere, "ك"),
    ("ll", At::Anywhere, "ل"),
    ("mm", At::Anywhere, "م"),
    ("nn", At::Anywhere, "ن"),
    ("pp", At::Anywhere, "ب"),
    ("rr", At::Anywhere, "ر"),
    ("ss", At::Anywhere, "س"),
    ("tt", At::Anywhere, "ت"),
    ("zz", At::Anywhere, "ز"),
    ("a", At::Anywhere, "ا"),
    ("b", At::Anywhere, "ب"),
    ("c", At::BeforeSoft, "س"),
    ("c", At::Anywhere, "ك"),
    ("d", At::Anywhere, "د"),
    ("iy", At::Start, "اي"),
    ("ey", At::Anywhere, "ي"),
    ("ei", At::Anywhere, "ي"),
    ("e", At::Start, "اي"),
    ("e", At::Anywhere, "ي"),
    ("f", At::Anywhere, "ف"),
    ("g", At::Anywhere, "غ"),
    ("h", At::Anywhere, "ه"),
    ("i", At::Start, "اي"),
    ("i", At::Anywhere, "ي"),
    ("j", At::Anywhere, "ج"),
    ("k", At::Anywhere, "ك"),
    ("l", At::Anywhere, "ل"),
    ("m", At::Anywhere, "م"),
    ("n", At::Anywhere, "ن"),
    ("o", At::Start, "او"),
    ("o", At::Anywhere, "و"),
    ("p", At::Anywhere, "ب"),
    ("q", At::Anywhere, "ق"),
    ("r", At::Anywhere, "ر"),
    ("s", At::Anywhere, "س"),
    ("t", At::Anywhere, "ت"),
    ("u", At::Start, "او"),
    ("u", At::Anywhere, "و"),
    ("v", At::Anywhere, "ف"),
    ("w", At::Anywhere, "و"),
    ("x", At::Anywhere, "كس"),
    ("y", At::Anywhere, "ي"),
    ("z", At::Anywhere, "ز"),
];

/// Appends the name in Arabic letters, and what may change in its Arabic words, one letter at a time.
pub(super) fn changes(name: &Name, changes: &mut Vec<Change>) {
    if name.is_proper(Scripts::LATIN) && !has_latin_article(name) {
        changes.extend(whole(name, 2, |word| write(word, &[FROM_LATIN])));
    }
    for word in name.varying(Scripts::ARABIC) {
        let letters = name.of(word);
        if letters.len() < ALONE_LETTERS_MIN || stands(letters, 0, ARTICLE) {
            continue;
        }
        let mut change = |at: usize, to: &'static str, cost: u8| {
            let edit = Edit { at: word.start + at, len: 1, to: Cow::Borrowed(to) };
            changes.push(Change { cost, edits: vec![edit], combines: false });
        };
        for (at, letter) in letters.iter().enumerate() {
            for (_, to, cost) in SOUNDS.iter().filter(|(from, ..)| from == letter) {
                change(at, to, *cost);
            }
            let inside = at > 1 && at + 2 < letters.len();
            if *letter == 'ي' && inside && letters.len() >= DROPPING_LETTERS_MIN {
                change(at, "", 3);
            }
        }
    }
}

fn has_latin_article(name: &Name) -> bool {
    name.words.iter().any(|word| {
        let letters: Vec<char> = name.of(word).iter().flat_map(|letter| letter.to_lowercase()).collect();
        LATIN_ARTICLES.iter().any(|article| letters == article)
    })
}
