//! The search of an item's words. Each word is read as it stands and, where there is reason to, in other ways:
//! joined with the next one it is linked to, without what Arabic writes in front, with its lookalikes of another
//! script, as one letter of a spaced-out word, by its stem, or with a letter wrong.

use std::ops::Range;

use super::classes::{Memory, class_hash};
use super::edges::Edge;
use super::{Hit, Literals, ROOT, first_letters, lookalike, prefix_hash};
use crate::rules::term::spelling;
use crate::text::{
    ByteSpan, Field, Scripts, Word, Words, hash_after, hash_word, may_have_proclitics, without_proclitics,
};

/// Linked words that are also read as one (`Jama'at-al-Islam`); longer chains are read in pairs alone.
const CHAIN_WORDS_MAX: usize = 6;

/// Single letters that are read as a spaced-out word (`W A G N E R`).
const SPACED_LETTERS: Range<usize> = 4..25;

/// Bytes between two letters of a spaced-out word at most: a space, a dot, an emoji between spaces.
const SPACED_GAP_BYTES_MAX: usize = 8;

/// Buffers of a search, kept for the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    memory: Memory,
    letters: String,
    steps: Vec<Step>,
}

/// An edge that is looked for.
#[derive(Clone, Copy, Debug)]
struct Step {
    key: u64,
    /// Place of the first word of the phrase.
    first: usize,
    /// Place of the word behind it.
    next: usize,
    /// What lies in the table where its search begins.
    edge: Edge,
}

impl Literals {
    /// Appends to `hits` where literals stand in `words`, which were read from a title and a text. A hit can come
    /// twice, when two readings of the same words lead to it.
    pub(crate) fn scan(&self, words: &Words, texts: [&str; 2], scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        if self.len == 0 {
            return;
        }
        for (field, source) in [Field::Title, Field::Text].into_iter().zip(texts) {
            let mut walk = Walk { table: self, words, source, range: words.field(field), scratch, hits };
            walk.search();
        }
    }
}

/// What was read so far, and how it may go on.
#[derive(Clone, Copy)]
struct Node {
    path: u64,
    prefixes: bool,
    classes: bool,
}

impl Node {
    fn behind(edge: Edge, path: u64) -> Self {
        Self { path, prefixes: edge.by_prefix(), classes: edge.by_class() }
    }
}

/// A way to read words of the item as one.
#[derive(Clone, Copy)]
struct Reading<'a> {
    letters: &'a [u8],
    hash: u64,
    /// Place of the first word of the phrase.
    first: usize,
    /// Place of the word behind this reading.
    next: usize,
}

/// The search of one field.
struct Walk<'a> {
    table: &'a Literals,
    words: &'a Words,
    source: &'a str,
    range: Range<usize>,
    scratch: &'a mut Scratch,
    hits: &'a mut Vec<Hit>,
}

impl<'a> Walk<'a> {
    /// Finds all that begins at any word. Plain readings, nearly all, are looked up together, and so are those of
    /// the next words of whatever goes on.
    fn search(&mut self) {
        let table = self.table;
        let root =
            Node { path: ROOT, prefixes: !table.first_prefixes.is_empty(), classes: table.class_first };
        let mut steps = std::mem::take(&mut self.scratch.steps);
        steps.clear();
        for place in self.range.clone() {
            let Some(word) = self.words.word(place) else { continue };
            let key = hash_after(ROOT, word.hash);
            if table.edges.may_begin(key) {
                steps.push(Step { key, first: place, next: place + 1, edge: Edge::default() });
            }
            self.step_specially(root, place, place, word);
        }
        let mut from = 0;
        while from < steps.len() {
            let to = steps.len();
            for step in steps.get_mut(from..).unwrap_or_default() {
                step.edge = table.edges.first_slot(step.key);
            }
            for at in from..to {
                let Some(&Step { key, first, next, edge }) = steps.get(at) else { break };
                let Some(edge) = table.edges.resolve(key, edge) else { continue };
                self.end(edge, first, next);
                let Some(word) = self.next_word(edge, next) else { continue };
                let beyond = hash_after(key, word.hash);
                if table.edges.may_have(beyond) {
                    steps.push(Step { key: beyond, first, next: next + 1, edge: Edge::default() });
                }
                self.step_specially(Node::behind(edge, key), first, next, word);
            }
            from = to;
        }
        self.scratch.steps = steps;
    }

    /// The word at `next`, if something goes on there behind an edge.
    #[inline]
    fn next_word(&self, edge: Edge, next: usize) -> Option<&'a Word> {
        if edge.goes_on() && next < self.range.end { self.words.word(next) } else { None }
    }

    /// Follows the readings of a word but for the plain one.
    #[inline]
    fn step_specially(&mut self, node: Node, first: usize, place: usize, word: &'a Word) {
        if node.prefixes {
            let letters = self.words.bytes_of(word);
            self.follow_prefixes(node, Reading { letters, hash: word.hash, first, next: place + 1 });
        }
        if node.classes || !word.is_plain() {
            self.step_otherwise(node, first, place, word);
        }
    }

    /// Follows the readings of a word beyond the plain one.
    fn step_otherwise(&mut self, node: Node, first: usize, place: usize, word: &'a Word) {
        let words: &'a Words = self.words;
        if node.classes {
            self.follow_classes(node, words.letters(place, place), word.scripts, first, place + 1);
        }
        if word.traits.linked() {
            self.step_joined(node, first, place);
        }
        if word.is_letter() {
            self.step_spaced(node, first, place);
        }
        if word.scripts.has(Scripts::ARABIC) {
            if may_have_proclitics(words.bytes_of(word)) {
                self.step_without_proclitics(node, first, place, words.letters(place, place));
            }
        } else if word.scripts.has(Scripts::LATIN) && word.scripts != Scripts::LATIN {
            let mut buffer = std::mem::take(&mut self.scratch.letters);
            lookalike::in_one_script(words.letters(place, place), word.scripts, &mut buffer, |one| {
                self.follow(node, Reading::of(one, first, place + 1));
            });
            self.scratch.letters = buffer;
        }
    }

    fn step_without_proclitics(&mut self, node: Node, first: usize, place: usize, letters: &'a str) {
        without_proclitics(letters, |stem, article| {
            if article {
                let with_article = ["\u{627}\u{644}", stem].concat();
                self.follow(node, Reading::of(&with_article, first, place + 1));
            } else {
                self.follow(node, Reading::of(stem, first, place + 1));
                if node.classes {
                    self.follow_classes(node, stem, Scripts::ARABIC, first, place + 1);
                }
            }
        });
    }

    /// Reads the word at `place` as one with the next, and a whole chain of linked words as one.
    fn step_joined(&mut self, node: Node, first: usize, place: usize) {
        let words = self.words;
        let is_linked = |place: usize| words.word(place).is_some_and(|word| word.traits.linked());
        let mut ends = [Some(place + 1), None];
        if place == self.range.start || !is_linked(place - 1) {
            let last = (place..self.range.end).take(CHAIN_WORDS_MAX + 1).find(|&at| !is_linked(at));
            ends[1] = last.filter(|last| (place + 2..place + CHAIN_WORDS_MAX).contains(last));
        }
        for last in ends.into_iter().flatten() {
            self.step_as_one(node, first, place, last);
        }
    }

    /// Reads a whole run of single letters as one word, from its first letter or, as that may be a word by itself,
    /// from its second. The same stands between all of them.
    fn step_spaced(&mut self, node: Node, first: usize, place: usize) {
        let Some(gap) = self.gap_to_letter(place) else { return };
        let goes_back = |letters: usize| {
            let before = place.checked_sub(letters).filter(|&at| at >= self.range.start);
            before.is_some_and(|at| self.gap_to_letter(at) == Some(gap))
        };
        if goes_back(1) && goes_back(2) {
            return;
        }
        let run = (place..).take(SPACED_LETTERS.end);
        let letters = 1 + run.take_while(|&at| self.gap_to_letter(at) == Some(gap)).count();
        if SPACED_LETTERS.contains(&letters) {
            self.step_as_one(node, first, place, place + letters - 1);
        }
    }

    /// What stands between a single letter and the next one.
    fn gap_to_letter(&self, at: usize) -> Option<&'a str> {
        let is_letter = |at: usize| self.words.word(at).is_some_and(Word::is_letter);
        if at + 1 >= self.range.end || !is_letter(at) || !is_letter(at + 1) {
            return None;
        }
        let gap = ByteSpan { start: self.words.bytes(at).end, end: self.words.bytes(at + 1).start };
        Some(gap.of(self.source)).filter(|gap| gap.len() <= SPACED_GAP_BYTES_MAX)
    }

    fn step_as_one(&mut self, node: Node, first: usize, place: usize, last: usize) {
        let words = self.words;
        let letters = words.letters(place, last).as_bytes();
        self.follow(node, Reading { letters, hash: words.hash(place, last), first, next: last + 1 });
    }

    /// Takes the edges from `node` of the classes that a word belongs to.
    fn follow_classes(&mut self, node: Node, letters: &str, scripts: Scripts, first: usize, next: usize) {
        let mut memory = std::mem::take(&mut self.scratch.memory);
        let classes = self.table.classes.of(letters, scripts, &mut memory);
        // Few words have any, and fewer have more than one.
        let classes: Vec<u32> = classes.to_vec();
        self.scratch.memory = memory;
        for class in classes {
            self.take(hash_after(node.path, class_hash(class)), first, next);
        }
    }

    /// Takes the edges from `node` that a reading satisfies.
    #[inline]
    fn follow(&mut self, node: Node, reading: Reading<'_>) {
        self.take(hash_after(node.path, reading.hash), reading.first, reading.next);
        if node.prefixes {
            self.follow_prefixes(node, reading);
        }
    }

    #[inline]
    fn follow_prefixes(&mut self, node: Node, reading: Reading<'_>) {
        let table = self.table;
        let lengths = if node.path == ROOT {
            table.first_prefixes.get(&first_letters(reading.letters))
        } else {
            table.later_prefixes.get(&node.path)
        };
        let Some(&lengths) = lengths else { return };
        let mut lengths = lengths & (u64::MAX >> (63 - reading.letters.len().min(63)));
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            let hash = prefix_hash(hash_word(reading.letters.get(..length).unwrap_or_default()));
            self.take(hash_after(node.path, hash), reading.first, reading.next);
        }
    }

    /// Follows the edge with that key, if there is one.
    #[inline]
    fn take(&mut self, key: u64, first: usize, next: usize) {
        if let Some(edge) = self.table.edges.get(key) {
            self.arrive(edge, key, first, next);
        }
    }

    fn arrive(&mut self, edge: Edge, path: u64, first: usize, next: usize) {
        self.end(edge, first, next);
        if let Some(word) = self.next_word(edge, next) {
            self.take(hash_after(path, word.hash), first, next + 1);
            self.step_specially(Node::behind(edge, path), first, next, word);
        }
    }

    /// Notes the literals that end at an edge.
    #[inline]
    fn end(&mut self, edge: Edge, first: usize, next: usize) {
        for &literal in self.table.edges.ends(&edge) {
            if self.table.spellings.is_empty() || self.is_spelt(literal, first, next) {
                let (first, last) = (self.words.pos(first), self.words.pos(next - 1));
                self.hits.push(Hit { literal, first, last });
            }
        }
    }

    /// Whether the words stand there as an exact literal has them; true for all others.
    fn is_spelt(&self, literal: u32, first: usize, next: usize) -> bool {
        let Some(wanted) = self.table.spellings.get(&literal) else { return true };
        wanted.len() == next - first
            && wanted.iter().zip(first..next).all(|(wanted, place)| {
                let written = self.words.bytes(place).of(self.source);
                written == wanted || (!written.is_ascii() && spelling(written) == *wanted)
            })
    }
}

impl<'a> Reading<'a> {
    fn of(letters: &'a str, first: usize, next: usize) -> Self {
        Self { letters: letters.as_bytes(), hash: hash_word(letters.as_bytes()), first, next }
    }
}
