//! Text as the rules read it: folded words that remember where they stood.
//!
//! Pure. `fold` says what one character becomes, `words` cuts a text into words, and `proclitic` knows what
//! Arabic writes in front of one. Offsets are bytes of the original text, taken from the tokeniser and never
//! from a folded string: folding changes lengths.

pub(crate) mod eight;
mod fold;
mod hash;
mod proclitic;
mod reader;
pub(crate) mod reference;
pub(crate) mod segments;
pub(crate) mod spacing;
mod words;

pub(crate) use fold::{Scripts, is_invisible};
pub(crate) use hash::{hash_after, hash_word};
pub(crate) use proclitic::{may_have_proclitics, without_proclitics};
pub use words::{FIELD_BYTES_MAX, Words, folded};
pub(crate) use words::{Pos, TEXT_START, Word};

/// Makes the table by which letters are folded, which whoever reads a text first would else wait for.
pub fn prepare() {
    fold::table();
}

/// A field of an item that rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The title.
    Title,
    /// The text.
    Text,
}

impl Field {
    /// The word used in config and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
        }
    }
}

/// A stretch of a text in bytes, end excluded; both ends lie on character boundaries of the text it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl ByteSpan {
    /// The piece of `text` that it covers; empty when it does not fit that text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}
