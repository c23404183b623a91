//! Names between Latin and Cyrillic letters.
//!
//! Into Latin as English (BGN/PCGN, simplified as the press does), French and German desks write Russian;
//! into Cyrillic by ear, in the nominative: the other cases are up to who writes the rule.

use std::borrow::Cow;

use super::name::{ALONE_LETTERS_MIN, Name};
use super::spelling::{At, Row, is_vowel, stands, write};
use super::{Change, Edit};
use crate::text::Scripts;

/// Letters that all three write alike.
const COMMON: &[Row] = &[
    ("а", At::Anywhere, "a"),
    ("б", At::Anywhere, "b"),
    ("в", At::Anywhere, "v"),
    ("г", At::Anywhere, "g"),
    ("ґ", At::Anywhere, "g"),
    ("д", At::Anywhere, "d"),
    ("е", At::Anywhere, "e"),
    ("є", At::Anywhere, "ie"),
    ("з", At::Anywhere, "z"),
    ("ий", At::End, "y"),
    ("ый", At::End, "y"),
    ("и", At::Anywhere, "i"),
    ("і", At::Anywhere, "i"),
    ("й", At::Anywhere, "i"),
    ("кс", At::Anywhere, "x"),
    ("к", At::Anywhere, "k"),
    ("л", At::Anywhere, "l"),
    ("м", At::Anywhere, "m"),
    ("н", At::Anywhere, "n"),
    ("о", At::Anywhere, "o"),
    ("п", At::Anywhere, "p"),
    ("р", At::Anywhere, "r"),
    ("с", At::Anywhere, "s"),
    ("т", At::Anywhere, "t"),
    ("у", At::Anywhere, "u"),
    ("ф", At::Anywhere, "f"),
    ("х", At::Anywhere, "kh"),
    ("ц", At::Anywhere, "ts"),
    ("ы", At::Anywhere, "y"),
    ("э", At::Anywhere, "e"),
];

const ENGLISH: &[Row] = &[
    ("дж", At::Anywhere, "j"),
    ("е", At::Start, "ye"),
    ("ж", At::Anywhere, "zh"),
    ("й", At::Anywhere, "y"),
    ("ч", At::Anywhere, "ch"),
    ("ш", At::Anywhere, "sh"),
    ("щ", At::Anywhere, "shch"),
    ("ю", At::Anywhere, "yu"),
    ("я", At::Anywhere, "ya"),
];

const FRENCH: &[Row] = &[
    ("дж", At::Anywhere, "dj"),
    ("г", At::BeforeSoft, "gu"),
    ("ж", At::Anywhere, "j"),
    ("ий", At::End, "i"),
    ("ый", At::End, "y"),
    ("ин", At::End, "ine"),
    ("с", At::BetweenVowels, "ss"),
    ("у", At::Anywhere, "ou"),
    ("ч", At::Anywhere, "tch"),
    ("ш", At::Anywhere, "ch"),
    ("щ", At::Anywhere, "chtch"),
    ("ю", At::Anywhere, "iou"),
    ("я", At::Anywhere, "ia"),
];

const GERMAN: &[Row] = &[
    ("дж", At::Anywhere, "dsch"),
    ("в", At::Anywhere, "w"),
    ("е", At::Start, "je"),
    ("ж", At::Anywhere, "sch"),
    ("з", At::Anywhere, "s"),
    ("ий", At::End, "i"),
    ("ый", At::End, "y"),
    ("с", At::BetweenVowels, "ss"),
    ("х", At::Anywhere, "ch"),
    ("ц", At::Anywhere, "z"),
    ("ч", At::Anywhere, "tsch"),
    ("ш", At::Anywhere, "sch"),
    ("щ", At::Anywhere, "schtsch"),
    ("ю", At::Anywhere, "ju"),
    ("я", At::Anywhere, "ja"),
];

/// What French and English write for sounds of which Cyrillic has one letter.
const FROM_LATIN: &[Row] = &[
    ("shch", At::Anywhere, "щ"),
    ("sch", At::Anywhere, "ш"),
    ("tch", At::Anywhere, "ч"),
    ("sh", At::Anywhere, "ш"),
    ("zh", At::Anywhere, "ж"),
    ("kh", At::Anywhere, "х"),
    ("ph", At::Anywhere, "ф"),
    ("th", At::Anywhere, "т"),
    ("gh", At::Anywhere, "г"),
    ("ts", At::Anywhere, "ц"),
    ("dj", At::Anywhere, "дж"),
    ("ck", At::Anywhere, "к"),
    ("qu", At::Anywhere, "к"),
    ("gu", At::BeforeSoft, "г"),
    ("ine", At::End, "ин"),
    ("ane", At::End, "ан"),
    ("ai", At::End, "ай"),
    ("ei", At::End, "ей"),
    ("oo", At::Anywhere, "у"),
    ("iou", At::Anywhere, "ю"),
    ("you", At::Anywhere, "ю"),
    ("ou", At::Anywhere, "у"),
    ("ya", At::Anywhere, "я"),
    ("yu", At::Anywhere, "ю"),
    ("ye", At::Anywhere, "е"),
    ("y", At::AfterVowel, "й"),
    ("a", At::Anywhere, "а"),
    ("b", At::Anywhere, "б"),
    ("c", At::BeforeSoft, "с"),
    ("c", At::Anywhere, "к"),
    ("d", At::Anywhere, "д"),
    ("e", At::Start, "э"),
    ("e", At::Anywhere, "е"),
    ("f", At::Anywhere, "ф"),
    ("g", At::Anywhere, "г"),
    ("h", At::Anywhere, "х"),
    ("i", At::Anywhere, "и"),
    ("k", At::Anywhere, "к"),
    ("l", At::Anywhere, "л"),
    ("m", At::Anywhere, "м"),
    ("n", At::Anywhere, "н"),
    ("o", At::Anywhere, "о"),
    ("p", At::Anywhere, "п"),
    ("q", At::Anywhere, "к"),
    ("r", At::Anywhere, "р"),
    ("s", At::Anywhere, "с"),
    ("t", At::Anywhere, "т"),
    ("u", At::Anywhere, "у"),
    ("v", At::Anywhere, "в"),
    ("w", At::Start, "в"),
    ("w", At::Anywhere, "у"),
    ("x", At::Anywhere, "кс"),
    ("y", At::Anywhere, "и"),
    ("z", At::Anywhere, "з"),
];

/// Of these the two languages make different sounds.
const FROM_FRENCH: &[Row] = &[("ch", At::Anywhere, "ш"), ("j", At::Anywhere, "ж")];
const FROM_ENGLISH: &[Row] = &[("ch", At::Anywhere, "ч"), ("j", At::Anywhere, "дж")];

/// Appends the name in the other alphabet, and what may change in its Cyrillic words.
pub(super) fn changes(name: &Name, changes: &mut Vec<Change>) {
    if name.is_proper(Scripts::CYRILLIC) {
        for language in [ENGLISH, FRENCH, GERMAN] {
            changes.extend(whole(name, 1, |word| write(word, &[language, COMMON])));
        }
    }
    if name.is_proper(Scripts::LATIN) {
        let french = name.words.iter().any(|word| looks_french(name.of(word)));
        let sounds = if french { FROM_FRENCH } else { FROM_ENGLISH };
        changes.extend(whole(name, 2, |word| write(word, &[sounds, FROM_LATIN])));
    }
    for word in name.varying(Scripts::CYRILLIC) {
        by_ear(name, word.start, name.of(word), changes);
    }
}

/// `Гоита` and `Гойта`, `Буликесси` and `Буликеси`.
fn by_ear(name: &Name, start: usize, letters: &[char], changes: &mut Vec<Change>) {
    let mut change = |at: usize, len: usize, to: &'static str| {
        let edit = Edit { at: start + at, len, to: Cow::Borrowed(to) };
        changes.push(Change { cost: 2, edits: vec![edit], combines: true });
    };
    if letters.len() < ALONE_LETTERS_MIN && name.words.len() == 1 {
        return;
    }
    let vowel = |at: usize| letters.get(at).copied().is_some_and(is_vowel);
    for (at, pair) in letters.windows(2).enumerate() {
        match pair {
            [a, b] if a == b && !is_vowel(*a) => change(at, 1, ""),
            [_, 'и'] if vowel(at) && at + 2 < letters.len() && !vowel(at + 2) => change(at + 1, 1, "й"),
            [_, 'й'] if vowel(at) && at + 2 < letters.len() && !vowel(at + 2) => change(at + 1, 1, "и"),
            _ => {}
        }
    }
}

/// The name with each word written in another script; none when a single word becomes too short for a name.
pub(super) fn whole(name: &Name, cost: u8, spell: impl Fn(&[char]) -> String) -> Option<Change> {
    let edits = name.words.iter().map(|word| {
        let letters: Vec<char> = name.of(word).iter().flat_map(|letter| letter.to_lowercase()).collect();
        Edit { at: word.start, len: word.len(), to: Cow::Owned(spell(&letters)) }
    });
    let edits: Vec<Edit> = edits.collect();
    let is_too_short = |edit: &Edit| edit.to.chars().count() < ALONE_LETTERS_MIN;
    let is_known = edits.len() > 1 || !edits.iter().any(is_too_short);
    is_known.then_some(Change { cost, edits, combines: false })
}

/// Whether a folded Latin word is spelt the French way.
pub(super) fn looks_french(word: &[char]) -> bool {
    let ends = |ending: &str| word.len() > ending.len() && stands(word, word.len() - ending.len(), ending);
    (0..word.len()).any(|at| ["ou", "dj", "tch", "gue", "gui"].iter().any(|from| stands(word, at, from)))
        || ends("ine")
}
