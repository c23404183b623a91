//! What an option is: the shape of a row in the table of [`super::keys`].
//!
//! One row drives all that is known of a key: whether it is taken, within which bounds, what it is when absent,
//! and what the reference says of it.

use std::time::Duration;

/// A table of the config and the keys it may hold.
#[derive(Debug)]
pub struct Table {
    /// Name as written, dotted for tables inside tables (`rule.near`); empty for the top of a file.
    pub name: &'static str,
    /// The `type` whose keys these are, where a table's keys depend on its type.
    pub kind: Option<&'static str>,
    /// What it is for, in one sentence.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
}

impl Table {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Name as written.
    pub name: &'static str,
    /// Whether this version takes it.
    pub support: Support,
    /// What its value looks like.
    pub form: Form,
    /// What holds when it is absent.
    pub fallback: Fallback,
    /// A value as it would be written in a file; empty for tables and for keys not built yet.
    pub example: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It is read.
    Built,
    /// Its name is fixed and it is refused: nothing would obey it.
    Planned,
}

/// What an absent key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing.
    Nothing,
    /// It must be there.
    Required,
    /// This value, as it would be written in a file.
    Value(&'static str),
    /// Something that depends on where the program runs, in words.
    Words(&'static str),
}

/// What a value looks like, with its bounds.
#[derive(Debug)]
pub enum Form {
    /// A string of one line, not empty.
    Text,
    /// A string that may be empty and have several lines.
    FreeText,
    /// A text for people, of one or several lines.
    Prose {
        /// Greatest length in characters.
        chars_max: usize,
    },
    /// A list of strings of one line, none empty.
    Texts,
    /// One such string or a list of them.
    TextOrTexts,
    /// One of a few words.
    Word {
        /// Those taken.
        built: &'static [&'static str],
        /// Those refused as not supported yet.
        planned: &'static [&'static str],
    },
    /// A list of a few words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A table of terms and their weights, which are whole numbers within bounds.
    Weights {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A duration within bounds.
    Duration {
        /// The least.
        min: Duration,
        /// The greatest.
        max: Duration,
    },
    /// A number of bytes within bounds.
    Size {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// An absolute address.
    Address {
        /// The schemes it may have.
        schemes: &'static [&'static str],
    },
    /// A path, relative to the file that holds it.
    Path,
    /// An IANA time zone.
    Zone,
    /// A time of day, `HH:MM`.
    TimeOfDay,
    /// A list of times of day.
    TimesOfDay,
    /// A count of messages and a time, `20/1h`.
    Budget {
        /// Greatest count.
        count_max: usize,
        /// The least time.
        min: Duration,
        /// The greatest.
        max: Duration,
    },
    /// A list of networks in CIDR notation.
    Networks,
    /// A count of newest items or an age.
    Backlog {
        /// Greatest count.
        count_max: u32,
        /// Greatest age.
        age_max: Duration,
    },
    /// Latitude and longitude.
    Point,
    /// A secret: where it is kept, never its value.
    Secret,
    /// One secret, or a list of two while rotating.
    Secrets,
    /// A list of test texts: strings or tables.
    TestTexts(&'static Table),
    /// A table, there at most once.
    Table(&'static Table),
    /// A list of tables.
    Tables(&'static Table),
    /// One table or a list of them.
    TableOrTables(&'static Table),
    /// A list of tables whose keys depend on their `type`.
    TablesByType(&'static [&'static Table]),
    /// Not built yet.
    Later,
}

impl Key {
    /// A key that is read and may be absent.
    pub(super) const fn new(
        name: &'static str,
        form: Form,
        example: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, support: Support::Built, form, fallback: Fallback::Nothing, example, doc }
    }

    /// A key that must be there.
    pub(super) const fn required(
        name: &'static str,
        form: Form,
        example: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, support: Support::Built, form, fallback: Fallback::Required, example, doc }
    }

    /// A key with a value of its own when absent; the default also serves as the example.
    pub(super) const fn with_default(
        name: &'static str,
        form: Form,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        let value = Fallback::Value(default);
        Self { name, support: Support::Built, form, fallback: value, example: default, doc }
    }

    /// A key whose default depends on where the program runs.
    pub(super) const fn with_words(
        name: &'static str,
        form: Form,
        example: &'static str,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        let words = Fallback::Words(default);
        Self { name, support: Support::Built, form, fallback: words, example, doc }
    }

    /// A table inside this one.
    pub(super) const fn nested(name: &'static str, form: Form, doc: &'static str) -> Self {
        Self { name, support: Support::Built, form, fallback: Fallback::Nothing, example: "", doc }
    }

    /// A key whose name is fixed and that nothing obeys yet.
    pub(super) const fn planned(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            support: Support::Planned,
            form: Form::Later,
            fallback: Fallback::Nothing,
            example: "",
            doc,
        }
    }
}
