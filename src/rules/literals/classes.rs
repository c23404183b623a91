//! Words of terms that are met by more than their letters: all forms of a word (`~withdraw`), or a long name with
//! one letter wrong. Each is a class with a number; a word of an item belongs to few classes or none, and which it
//! belongs to is remembered, for stemming a word costs more than all the rest together.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering};

use super::AsIs;
use crate::rules::frequency;
use crate::rules::fuzzy::{FuzzyBuilder, FuzzyIndex};
use crate::rules::stem::{self, Language};
use crate::text::{Scripts, hash_after, hash_word};

/// Number of a class of words.
type ClassId = u32;

/// Words whose classes are remembered at most; then all are forgotten.
const REMEMBERED_MAX: usize = 1 << 16;

/// The hash that stands for a class in the key of an edge.
pub(super) fn class_hash(class: ClassId) -> u64 {
    (u64::from(class) + 1).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// All classes.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// Languages that some class asks for.
    languages: Vec<Language>,
    by_stem: HashMap<u64, Vec<ClassId>, BuildHasherDefault<AsIs>>,
    fuzzy: FuzzyIndex,
    /// The class of each word of the index.
    misspelt: Vec<ClassId>,
    /// Tells these classes from those of other tables, whose memory is of no use here.
    stamp: u64,
}

impl Classes {
    /// The classes of a folded word, each once.
    pub(super) fn of<'a>(&self, word: &str, scripts: Scripts, memory: &'a mut Memory) -> &'a [ClassId] {
        if memory.stamp != self.stamp || memory.known.len() > REMEMBERED_MAX {
            *memory = Memory { stamp: self.stamp, ..Memory::default() };
        }
        let known = memory.known.get(&hash_word(word.as_bytes())).copied();
        let (start, end) = known.unwrap_or_else(|| self.learn(word, scripts, memory));
        memory.classes.get(start as usize..end as usize).unwrap_or_default()
    }

    fn learn(&self, word: &str, scripts: Scripts, memory: &mut Memory) -> (u32, u32) {
        let start = memory.classes.len();
        for &language in self.languages.iter().filter(|language| scripts.has(language.script())) {
            stem::stems(language, word, &mut |stem| {
                let classes = self.by_stem.get(&stem_key(language, stem)).into_iter().flatten();
                memory.classes.extend(classes);
            });
        }
        // A misspelt name is a rare word; one that many texts use is another word.
        if !self.misspelt.is_empty() && !frequency::is_known(word) {
            self.fuzzy.find(word, &mut |found| {
                memory.classes.extend(self.misspelt.get(found as usize));
            });
        }
        if let Some(own) = memory.classes.get_mut(start..) {
            own.sort_unstable();
        }
        let mut last = None;
        let mut at = start;
        while let Some(&class) = memory.classes.get(at) {
            if last == Some(class) {
                memory.classes.remove(at);
            } else {
                last = Some(class);
                at += 1;
            }
        }
        let offset = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let range = (offset(start), offset(memory.classes.len()));
        memory.known.insert(hash_word(word.as_bytes()), range);
        range
    }
}

/// The classes of words met lately.
#[derive(Debug, Default)]
pub(super) struct Memory {
    stamp: u64,
    known: HashMap<u64, (u32, u32), BuildHasherDefault<AsIs>>,
    classes: Vec<ClassId>,
}

fn stem_key(language: Language, stem: &str) -> u64 {
    hash_after(language as u64, hash_word(stem.as_bytes()))
}

/// Collects classes; equal ones get one number.
#[derive(Debug, Default)]
pub(super) struct ClassesBuilder {
    classes: Classes,
    stems: HashMap<(String, Vec<Language>), ClassId>,
    fuzzy: FuzzyBuilder,
    next: ClassId,
}

impl ClassesBuilder {
    /// The class of all forms of a word in these languages.
    pub(super) fn stem(&mut self, word: &str, languages: &[Language]) -> ClassId {
        let key = (word.to_owned(), languages.to_owned());
        if let Some(&known) = self.stems.get(&key) {
            return known;
        }
        let class = self.number();
        for &language in languages {
            if !self.classes.languages.contains(&language) {
                self.classes.languages.push(language);
            }
            stem::stems(language, word, &mut |stem| {
                self.classes.by_stem.entry(stem_key(language, stem)).or_default().push(class);
            });
        }
        self.stems.insert(key, class);
        class
    }

    /// The class of a long word with one letter wrong.
    pub(super) fn fuzzy(&mut self, word: &str) -> Option<ClassId> {
        let id = self.fuzzy.add(word)? as usize;
        if let Some(&known) = self.classes.misspelt.get(id) {
            return Some(known);
        }
        let class = self.number();
        self.classes.misspelt.push(class);
        Some(class)
    }

    fn number(&mut self) -> ClassId {
        self.next += 1;
        self.next
    }

    pub(super) fn finish(self) -> Classes {
        static STAMP: AtomicU64 = AtomicU64::new(1);
        let stamp = STAMP.fetch_add(1, Ordering::Relaxed);
        Classes { fuzzy: self.fuzzy.build(), stamp, ..self.classes }
    }
}
