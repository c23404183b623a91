//! A name as it can be changed: letter by letter, with the words that may change.

use super::Edit;
use crate::text::Scripts;
use crate::text::folded;

/// Letters of a word that may change, at least.
const WORD_LETTERS_MIN: usize = 4;

/// Letters of a word that is as good as its spelling when it stands alone, at least.
pub(super) const ALONE_LETTERS_MIN: usize = 5;

/// Letters of a name at most; longer ones are no names.
const NAME_LETTERS_MAX: usize = 60;

/// Words of a name at most; with more of them it is a description.
const NAME_WORDS_MAX: usize = 4;

/// What makes more of an alias than words.
const SYNTAX: [char; 4] = ['=', '~', '@', '|'];

/// A name that can be spelt otherwise.
#[derive(Debug)]
pub(super) struct Name {
    /// Its letters, folded where they may change, and what stands between its words.
    pub(super) letters: Vec<char>,
    pub(super) words: Vec<Word>,
}

/// A word of a name.
#[derive(Debug)]
pub(super) struct Word {
    /// Its first letter, counted from the beginning of the name.
    pub(super) start: usize,
    /// One past its last letter.
    pub(super) end: usize,
    /// The script that all its letters are of.
    pub(super) script: Option<Scripts>,
    /// Whether it may change.
    pub(super) varies: bool,
    /// Whether it begins with a capital, or its script has none.
    pub(super) proper: bool,
    /// Whether it was written with an accent on its last letter.
    pub(super) accented: bool,
}

impl Name {
    /// The name that an alias is; none when nothing of it may change.
    pub(super) fn read(alias: &str, is_common: &dyn Fn(&str) -> bool) -> Option<Self> {
        if alias.contains(SYNTAX) || alias.contains("..") || alias.chars().count() > NAME_LETTERS_MAX {
            return None;
        }
        let mut name = Self { letters: Vec::new(), words: Vec::new() };
        let mut written = String::new();
        for letter in alias.chars() {
            // Marks are no letters, but their word goes on behind them.
            if letter.is_alphanumeric() || letter == '*' || (!letter.is_ascii() && folded_away(letter)) {
                written.push(letter);
            } else {
                name.push_word(&written, is_common);
                written.clear();
                name.letters.push(letter);
            }
        }
        name.push_word(&written, is_common);
        let is_varied = name.words.len() <= NAME_WORDS_MAX && name.words.iter().any(|word| word.varies);
        is_varied.then_some(name)
    }

    fn push_word(&mut self, written: &str, is_common: &dyn Fn(&str) -> bool) {
        if written.is_empty() {
            return;
        }
        let bare = folded(written);
        let script = bare.chars().next().map(Scripts::of).filter(|script| *script != Scripts::default());
        let script = script.filter(|_| bare.chars().all(|letter| Some(Scripts::of(letter)) == script));
        let proper = match script {
            Some(Scripts::LATIN | Scripts::CYRILLIC) => written.starts_with(char::is_uppercase),
            Some(Scripts::ARABIC) => true,
            _ => false,
        };
        let capitals = script != Some(Scripts::ARABIC) && !written.chars().any(char::is_lowercase);
        let long_enough = bare.chars().count() >= WORD_LETTERS_MIN;
        let varies = proper && !capitals && long_enough && !written.contains('*') && !is_common(&bare);
        let start = self.letters.len();
        if varies {
            self.letters.extend(bare.chars());
        } else {
            self.letters.extend(written.chars());
        }
        let accented = written.ends_with(['é', 'É', '\u{301}']);
        self.words.push(Word {
            start,
            end: self.letters.len(),
            script,
            varies,
            proper: proper && !capitals,
            accented,
        });
    }

    /// The words of a script that may change.
    pub(super) fn varying(&self, script: Scripts) -> impl Iterator<Item = &Word> {
        self.words.iter().filter(move |word| word.varies && word.script == Some(script))
    }

    /// Whether it is a name of this script as a whole, long enough to be known in another script.
    pub(super) fn is_proper(&self, script: Scripts) -> bool {
        let is_long = |word: &Word| word.varies && word.len() >= ALONE_LETTERS_MIN;
        self.words.iter().all(|word| word.proper && word.script == Some(script))
            && self.words.iter().any(is_long)
    }

    /// The folded letters of a word.
    pub(super) fn of(&self, word: &Word) -> &[char] {
        self.letters.get(word.start..word.end).unwrap_or_default()
    }

    /// The name after some edits, which are in order and do not overlap: folded, but for what stands between
    /// its words.
    pub(super) fn folded(&self, edits: &[&Edit]) -> String {
        let mut out = String::with_capacity(self.letters.len() * 2);
        self.write(edits, |letter, _| out.extend(letter.to_lowercase()));
        out
    }

    /// The same as people would write it.
    pub(super) fn shown(&self, edits: &[&Edit]) -> String {
        let mut out = String::with_capacity(self.letters.len() * 2);
        self.write(edits, |letter, proper| {
            if proper && !out.ends_with(char::is_alphanumeric) {
                out.extend(letter.to_uppercase());
            } else {
                out.push(letter);
            }
        });
        out
    }

    /// Calls `each` with every letter and whether it is of a word with a capital.
    fn write(&self, edits: &[&Edit], mut each: impl FnMut(char, bool)) {
        let mut edits = edits.iter().peekable();
        let mut words = self.words.iter().peekable();
        let mut skipped = 0;
        for (at, &letter) in self.letters.iter().enumerate() {
            while words.peek().is_some_and(|word| word.end <= at) {
                words.next();
            }
            let proper = words.peek().is_some_and(|word| word.proper && word.start <= at);
            if let Some(edit) = edits.next_if(|edit| edit.at == at) {
                edit.to.chars().for_each(|letter| each(letter, proper));
                skipped = edit.len;
            }
            if skipped > 0 {
                skipped -= 1;
            } else {
                each(letter, proper);
            }
        }
    }
}

impl Word {
    /// Its letters.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Whether folding leaves nothing of a character: accents, vowel points, invisible ones.
fn folded_away(letter: char) -> bool {
    letter.is_alphabetic() || unicode_normalization::char::is_combining_mark(letter)
}
