//! How French, English and German desks spell names of the Sahel and of Russia in Latin letters.

use std::borrow::Cow;

use super::name::{ALONE_LETTERS_MIN, Name, Word};
use super::spelling::{is_vowel, stands};
use super::{Change, Edit};
use crate::text::Scripts;

/// Letters of a word at least before which one letter may stand for another; next to other words one less.
const LETTER_RULES_MIN: usize = 6;

/// Letters of a word at least that drops a vowel in speech.
const DROPPING_LETTERS_MIN: usize = 9;

/// Letters that a place name has at least behind `Tin` or `In`.
const BERBER_LETTERS_MIN: usize = 4;

/// What Berber place names begin with, joined or apart: the one of, in.
const BERBER: [&str; 4] = ["tin", "in", "ti", "ta"];

/// Endings of Russian surnames, English and French.
const RUSSIAN: [&str; 9] = ["ine", "in", "ov", "ev", "sky", "ski", "enko", "ich", "itch"];

/// Letters, what others write for them, where, in which words, and the cost.
type Rule = (&'static str, &'static str, Place, Words, u8);

/// Where in a word a rule is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Anywhere,
    Start,
    /// At the start, before a consonant.
    Prefix,
    End,
    /// Not at the end.
    Inside,
    BeforeVowel,
    NotBeforeVowel,
    BetweenVowels,
    /// With consonants or nothing on both sides.
    Nucleus,
    /// Between single consonants with vowels around them, neither in the first syllable nor before the last letter.
    Unstressed,
    /// A `c` or `k` that is hard and stands alone.
    Hard,
    /// Not behind `t`, `s` or `d`, which would make another sound of it.
    Alone,
}

/// In which words a rule is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// Those that bear a change of a whole sound.
    Any,
    /// Those that are still known when one letter changes.
    Long,
    /// Those that are long enough to drop a vowel.
    VeryLong,
    Russian,
    Berber,
    /// Those written with `é` at the end.
    Accented,
}

const RULES: &[Rule] = &[
    // Sounds that French and English write with other letters.
    ("ou", "w", Place::BeforeVowel, Words::Any, 1),
    ("ou", "u", Place::NotBeforeVowel, Words::Any, 1),
    ("ou", "u", Place::BeforeVowel, Words::Any, 2),
    ("w", "ou", Place::BetweenVowels, Words::Any, 1),
    ("w", "ou", Place::Start, Words::Berber, 2),
    ("u", "ou", Place::Nucleus, Words::Any, 1),
    ("tch", "ch", Place::Anywhere, Words::Any, 1),
    ("ch", "sh", Place::Alone, Words::Any, 1),
    ("sh", "ch", Place::Alone, Words::Any, 1),
    ("dj", "j", Place::Anywhere, Words::Any, 1),
    ("j", "zh", Place::Alone, Words::Russian, 1),
    ("zh", "j", Place::Anywhere, Words::Any, 1),
    ("ine", "in", Place::End, Words::Long, 1),
    ("in", "ine", Place::End, Words::Russian, 1),
    ("gue", "ge", Place::Inside, Words::Any, 1),
    ("gui", "gi", Place::Anywhere, Words::Any, 1),
    ("ge", "gue", Place::Anywhere, Words::Russian, 1),
    ("ph", "f", Place::Anywhere, Words::Any, 1),
    ("gh", "g", Place::Anywhere, Words::Any, 1),
    ("kh", "h", Place::Anywhere, Words::Any, 2),
    ("kh", "k", Place::Anywhere, Words::Any, 2),
    ("ch", "tch", Place::Alone, Words::Russian, 2),
    ("zh", "sch", Place::Anywhere, Words::Russian, 2),
    ("j", "dj", Place::Alone, Words::Long, 2),
    // Berber place names.
    ("tin", "tin ", Place::Prefix, Words::Berber, 1),
    ("in", "in ", Place::Prefix, Words::Berber, 1),
    ("en", "ine", Place::End, Words::Berber, 1),
    ("en", "ene", Place::End, Words::Berber, 2),
    ("ene", "en", Place::End, Words::Long, 1),
    ("ine", "en", Place::End, Words::Berber, 2),
    // Vowels that are heard alike or not at all.
    ("i", "", Place::Unstressed, Words::VeryLong, 1),
    ("e", "", Place::Unstressed, Words::VeryLong, 2),
    ("y", "i", Place::End, Words::Long, 1),
    ("i", "y", Place::End, Words::Long, 1),
    ("ie", "i", Place::End, Words::Long, 1),
    ("i", "ie", Place::End, Words::Long, 3),
    ("i", "y", Place::BeforeVowel, Words::Russian, 1),
    ("i", "y", Place::BetweenVowels, Words::Long, 2),
    ("y", "i", Place::Nucleus, Words::Long, 1),
    ("ey", "ei", Place::Inside, Words::Long, 1),
    ("ei", "ey", Place::Inside, Words::Long, 2),
    ("ay", "ai", Place::Inside, Words::Long, 2),
    ("ey", "e", Place::End, Words::Long, 1),
    ("e", "ey", Place::End, Words::Accented, 2),
    ("ane", "an", Place::End, Words::Long, 1),
    ("an", "ane", Place::End, Words::Long, 3),
    // Consonants.
    ("ck", "k", Place::Anywhere, Words::Long, 1),
    ("c", "k", Place::Hard, Words::Long, 1),
    ("k", "c", Place::Hard, Words::Long, 2),
    ("qu", "k", Place::BeforeVowel, Words::Long, 1),
    ("q", "k", Place::Anywhere, Words::Long, 1),
    ("s", "ss", Place::BetweenVowels, Words::Long, 1),
    ("ss", "s", Place::Anywhere, Words::Long, 1),
    ("bb", "b", Place::Anywhere, Words::Long, 1),
    ("dd", "d", Place::Anywhere, Words::Long, 1),
    ("ff", "f", Place::Anywhere, Words::Long, 1),
    ("ll", "l", Place::Anywhere, Words::Long, 1),
    ("mm", "m", Place::Anywhere, Words::Long, 1),
    ("nn", "n", Place::Anywhere, Words::Long, 1),
    ("rr", "r", Place::Anywhere, Words::Long, 1),
    ("tt", "t", Place::Anywhere, Words::Long, 1),
    ("f", "ff", Place::BetweenVowels, Words::Long, 2),
];

/// Appends what may change in the Latin words of a name.
pub(super) fn changes(name: &Name, changes: &mut Vec<Change>) {
    join_berber(name, changes);
    if name.varying(Scripts::LATIN).next().is_none() {
        return;
    }
    for rule in RULES {
        let mut edits = Vec::new();
        for word in name.varying(Scripts::LATIN) {
            find(name, word, rule, &mut edits);
        }
        let cost = rule.4;
        if edits.len() > 1 {
            // Who spells a sound so once does it always; only one of them is a slip.
            changes.push(Change { cost, edits: edits.clone(), combines: true });
            let slips =
                edits.into_iter().map(|edit| Change { cost: cost + 1, edits: vec![edit], combines: true });
            changes.extend(slips);
        } else if !edits.is_empty() {
            changes.push(Change { cost, edits, combines: true });
        }
    }
}

/// `Tin Zaouatine` is also written in one word.
fn join_berber(name: &Name, changes: &mut Vec<Change>) {
    for (word, next) in name.words.iter().zip(name.words.iter().skip(1)) {
        let begins = BERBER.iter().any(|begin| {
            word.len() == begin.len()
                && begin.chars().zip(name.of(word)).all(|(a, b)| b.to_lowercase().eq(std::iter::once(a)))
        });
        if begins && word.proper && next.varies && next.start == word.end + 1 {
            let edit = Edit { at: word.end, len: 1, to: Cow::Borrowed("") };
            changes.push(Change { cost: 1, edits: vec![edit], combines: true });
        }
    }
}

/// Appends the places of a word where a rule is at work.
fn find(name: &Name, word: &Word, rule: &Rule, edits: &mut Vec<Edit>) {
    let (from, to, place, words, _) = *rule;
    let letters = name.of(word);
    let alone = name.words.len() == 1;
    let left = letters.len() + to.len() - from.len();
    if !is_concerned(letters, word, words, alone) || (alone && left < ALONE_LETTERS_MIN) {
        return;
    }
    let mut at = 0;
    while at < letters.len() {
        if stands(letters, at, from) && fits(letters, at, from.len(), place) {
            edits.push(Edit { at: word.start + at, len: from.len(), to: Cow::Borrowed(to) });
            at += from.len();
        } else {
            at += 1;
        }
    }
}

fn is_concerned(letters: &[char], word: &Word, words: Words, alone: bool) -> bool {
    let ends =
        |ending: &str| letters.len() > ending.len() && stands(letters, letters.len() - ending.len(), ending);
    match words {
        Words::Any => letters.len() >= ALONE_LETTERS_MIN,
        Words::Long => letters.len() + usize::from(!alone) >= LETTER_RULES_MIN,
        Words::VeryLong => letters.len() >= DROPPING_LETTERS_MIN,
        Words::Russian => letters.len() >= LETTER_RULES_MIN && RUSSIAN.into_iter().any(ends),
        Words::Berber => BERBER
            .iter()
            .any(|begin| letters.len() >= begin.len() + BERBER_LETTERS_MIN && stands(letters, 0, begin)),
        Words::Accented => word.accented && letters.len() + usize::from(!alone) >= LETTER_RULES_MIN,
    }
}

fn fits(word: &[char], at: usize, len: usize, place: Place) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| word.get(at)).copied();
    let (before, after) = (letter(at.checked_sub(1)), letter(Some(at + len)));
    let vowel = |letter: Option<char>| letter.is_some_and(is_vowel);
    let consonant = |letter: Option<char>| letter.is_some_and(|letter| !is_vowel(letter));
    match place {
        Place::Anywhere => true,
        Place::Start => before.is_none(),
        Place::Prefix => before.is_none() && consonant(after) && word.len() >= at + len + BERBER_LETTERS_MIN,
        Place::End => after.is_none(),
        Place::Inside => after.is_some(),
        Place::BeforeVowel => vowel(after),
        Place::NotBeforeVowel => !vowel(after),
        Place::BetweenVowels => vowel(before) && vowel(after),
        Place::Nucleus => consonant(before) && !vowel(after) && !matches!(before, Some('q' | 'w')),
        Place::Unstressed => {
            consonant(before)
                && consonant(after)
                && at > 2
                && vowel(letter(at.checked_sub(2)))
                && vowel(letter(Some(at + len + 1)))
                && at + len + 2 < word.len()
        }
        Place::Hard => {
            !matches!(before, Some('c' | 'k' | 's'))
                && !matches!(after, Some('e' | 'i' | 'y' | 'h' | 'k' | 'c' | 'q'))
        }
        Place::Alone => !matches!(before, Some('t' | 's' | 'd')),
    }
}
