//! Reads a text: letters are folded and hashed, and words begin and end.
//!
//! ASCII is taken eight bytes at a time, letters of two bytes one by one through the table; all else, a few
//! characters in a hundred, goes through [`Reader::take`].

use unicode_normalization::char::compose;

use super::eight::{self, HIGH};
use super::fold::{self, Entry, Fold, Scripts, Table};
use super::hash::{chunk, hash_between};
use super::reference::{self, Reference};
use super::words::{Traits, Word, offset};

/// Bytes that the buffer of letters goes on for behind the last letter: it is written and read in chunks.
const SLACK: usize = 64;

/// Whether the last word can still grow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// No word is open.
    None,
    /// The last word takes letters.
    Word,
    /// The last word is a character of a script without spaces: it takes marks only.
    Single,
}

/// Reads one field.
pub(super) struct Reader<'a> {
    table: &'static Table,
    text: &'a str,
    list: &'a mut Vec<Word>,
    letters: &'a mut Vec<u8>,
    /// Where the next letter goes in `letters`.
    out: usize,
    open: Open,
    /// Whether a single link, and nothing else, stands behind the last word.
    link: bool,
    /// Scripts of the open word.
    scripts: u8,
    /// First byte of the open word.
    start: usize,
    /// One past its last byte.
    end: usize,
    /// Where its letters begin.
    from: usize,
}

impl<'a> Reader<'a> {
    /// Will read `text` into a list of words and their letters, which go into the buffer from `used` on.
    pub(super) fn new(text: &'a str, list: &'a mut Vec<Word>, letters: &'a mut Vec<u8>, used: usize) -> Self {
        let mut reader = Self {
            table: fold::table(),
            text,
            list,
            letters,
            out: used,
            open: Open::None,
            link: false,
            scripts: 0,
            start: 0,
            end: 0,
            from: used,
        };
        reader.make_room(text.len());
        reader
    }

    /// Reads the whole text; returns where its letters end.
    pub(super) fn read(mut self) -> usize {
        self.read_all();
        self.close();
        self.out
    }

    fn read_all(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte.is_ascii_alphanumeric() || letter_of_two(self.table, bytes, at).is_some() {
                at = self.take_run(at);
                continue;
            }
            at = match byte {
                b'\'' | b'-' | b'`' => {
                    self.take(Fold::Link, at, at + 1);
                    at + 1
                }
                b'&' => self.take_reference(at),
                0x80.. => self.take_other(at),
                _ => {
                    self.take(Fold::Break, at, at + 1);
                    at + 1
                }
            };
        }
    }

    /// Takes a run of letters and digits of ASCII and of letters of two bytes that begins at `at`; returns where it ends.
    #[inline]
    fn take_run(&mut self, mut at: usize) -> usize {
        if self.open != Open::Word {
            self.begin(at, Open::Word);
        }
        let (bytes, table) = (self.text.as_bytes(), self.table);
        let mut to = Letters { letters: self.letters, out: self.out };
        let mut scripts = self.scripts;
        loop {
            if bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
                let eight = chunk_or_rest(bytes, at);
                let (run, letters) = ascii_run(eight);
                to.write((eight | LOWER).to_le_bytes(), run);
                scripts |= u8::from(letters) * Scripts::LATIN.0;
                at += run;
                if run == 8 {
                    continue;
                }
            }
            let from = at;
            while let Some(entry) = letter_of_two(table, bytes, at) {
                let [a, b, c, d] = entry.bytes();
                to.write([a, b, c, d, 0, 0, 0, 0], entry.len());
                scripts |= entry.scripts().0;
                at += 2;
            }
            if at == from {
                break;
            }
        }
        self.out = to.out;
        self.scripts = scripts;
        self.end = at;
        if bytes.get(at) == Some(&b' ') {
            self.close();
            return at + 1;
        }
        at
    }

    /// Takes what a `&` begins: a character that markup left over, or nothing.
    fn take_reference(&mut self, at: usize) -> usize {
        let Some((meaning, length)) = self.text.get(at + 1..).and_then(reference::reference) else {
            self.take(Fold::Break, at, at + 1);
            return at + 1;
        };
        let end = at + 1 + length;
        if let Reference::Character(c) = meaning {
            self.take_char(c, at, end);
        }
        end
    }

    /// Takes the character at `at`.
    fn take_other(&mut self, at: usize) -> usize {
        let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { return at + 1 };
        let end = at + c.len_utf8();
        self.take_char(c, at, end);
        end
    }

    /// Takes a character that stands from `start` to `end`.
    fn take_char(&mut self, c: char, start: usize, end: usize) {
        // One character can become many, so the buffer may have to grow.
        self.make_room(self.text.len() - start);
        self.table.fold(c, |fold| self.take(fold, start, end));
    }

    /// Takes the next piece of a character.
    fn take(&mut self, fold: Fold, start: usize, end: usize) {
        match fold {
            Fold::Letter(letter) => {
                if self.open != Open::Word {
                    self.begin(start, Open::Word);
                }
                self.grow(letter, end);
            }
            Fold::Single(letter) => {
                self.begin(start, Open::Single);
                self.grow(letter, end);
            }
            Fold::Join(mark) => self.join(mark, start, end),
            Fold::Mark => self.end = end,
            Fold::Link => {
                self.link = self.open != Open::None;
                self.close();
            }
            Fold::Break => {
                self.link = false;
                self.close();
            }
            Fold::Invisible => {}
        }
    }

    #[inline]
    fn begin(&mut self, start: usize, open: Open) {
        self.close();
        if self.link
            && let Some(before) = self.list.last_mut()
        {
            before.traits.0 |= Traits::LINKED;
        }
        self.link = false;
        self.open = open;
        self.scripts = 0;
        self.start = start;
        self.from = self.out;
    }

    fn grow(&mut self, letter: char, end: usize) {
        let mut bytes = [0; 8];
        let len = letter.encode_utf8(&mut bytes).len();
        let mut to = Letters { letters: self.letters, out: self.out };
        to.write(bytes, len);
        self.out = to.out;
        self.scripts |= Scripts::of(letter).0;
        self.end = end;
    }

    /// Sees that the buffer takes as many letters as `rest` bytes of ordinary text become.
    fn make_room(&mut self, rest: usize) {
        let wanted = self.out + rest + SLACK;
        if self.letters.len() < wanted {
            self.letters.resize(wanted, 0);
        }
    }

    /// A mark makes another letter of the one before it where Unicode knows that letter and folding keeps it.
    fn join(&mut self, mark: char, start: usize, end: usize) {
        let before = if self.open == Open::None { None } else { self.last_letter() };
        if let Some((at, letter)) = before
            && let Some(whole) = compose(letter, mark)
            && fold::is_folded(whole)
        {
            self.out = at;
            self.grow(whole, end);
        } else if fold::is_mark_only(mark) {
            self.end = end;
        } else {
            if self.open == Open::None {
                self.begin(start, Open::Word);
            }
            self.grow(mark, end);
        }
    }

    /// The last letter of the open word, and where it stands in the buffer.
    fn last_letter(&self) -> Option<(usize, char)> {
        let word = self.letters.get(self.from..self.out)?;
        // Only its own bytes are looked at, or a word of nothing but marks would be read again for each of them.
        let behind = word.iter().rev().take_while(|byte| **byte & 0xc0 == 0x80).count();
        let at = self.out.checked_sub(behind + 1)?;
        let letter = std::str::from_utf8(self.letters.get(at..self.out)?).ok()?.chars().next()?;
        (at >= self.from).then_some((at, letter))
    }

    #[inline]
    fn close(&mut self) {
        if self.open != Open::None {
            self.end_word();
        }
    }

    /// Ends the open word.
    fn end_word(&mut self) {
        let traits = Traits(u8::from(self.open == Open::Single) * Traits::SINGLE);
        self.open = Open::None;
        self.list.push(Word {
            hash: hash_between(self.letters, self.from, self.out),
            from: offset(self.from),
            to: offset(self.out),
            start: offset(self.start),
            end: offset(self.end),
            traits,
            scripts: Scripts(self.scripts),
        });
    }
}

/// Where letters go.
struct Letters<'a> {
    letters: &'a mut [u8],
    /// Where the next one goes.
    out: usize,
}

impl Letters<'_> {
    /// Writes eight bytes, of which the first `len` count.
    #[inline]
    fn write(&mut self, bytes: [u8; 8], len: usize) {
        if let Some(to) = self.letters.get_mut(self.out..).and_then(<[u8]>::first_chunk_mut) {
            *to = bytes;
            self.out += len;
        }
    }
}

/// What the character at `at` becomes, if it has two bytes and is a letter.
#[inline]
fn letter_of_two(table: &Table, bytes: &[u8], at: usize) -> Option<Entry> {
    let &[first @ 0xc2..=0xdf, second] = bytes.get(at..)?.first_chunk()? else { return None };
    let code = usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f);
    table.entry(code).filter(|entry| entry.is_letter())
}

/// The bit that makes a small letter of a capital one; digits have it already.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// Of eight bytes: how many of the first are ASCII letters or digits, and whether one of those is a letter.
#[inline]
fn ascii_run(eight: u64) -> (usize, bool) {
    let low = eight::low(eight);
    let letters = eight::within(low | LOWER, b'a', b'z') & !eight;
    let digits = eight::within(low, b'0', b'9') & !eight;
    let stops = !(letters | digits) & HIGH;
    // The bits below that of the first byte that stops the run.
    let before = stops.wrapping_sub(1) & !stops;
    (eight::before_first(stops), letters & HIGH & before != 0)
}

/// Eight bytes of a text from `at` on; near its end the rest, and zeros.
#[inline]
fn chunk_or_rest(bytes: &[u8], at: usize) -> u64 {
    if at + 8 <= bytes.len() {
        return chunk(bytes, at);
    }
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().rev().fold(0, |eight, &byte| eight << 8 | u64::from(byte))
}
