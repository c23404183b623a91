//! Rules and entities as the config hands them over: typed, with the place of every term, not yet compiled.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where something was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    /// The config file.
    pub file: Arc<Path>,
    /// Line in it, from 1.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub origin: Origin,
}

/// How much an alert matters, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth reading today.
    Low,
    /// Worth reading soon.
    Medium,
    /// Worth reading now.
    High,
    /// Worth waking someone.
    Critical,
}

impl Severity {
    /// All of them, in rising order.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in config, JSON and mails.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where `all`, `any` and `near` of a rule look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldFilter {
    /// Title and text.
    #[default]
    Any,
    /// The title alone.
    Title,
    /// The text alone.
    Text,
}

/// One `[[rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// Unique name.
    pub name: Located<String>,
    /// Severity of its alerts.
    pub severity: Severity,
    /// Free labels, for routes and receivers.
    pub tags: Vec<String>,
    /// Terms that must all hold.
    pub all: Vec<Located<String>>,
    /// Terms of which at least one must hold; empty means no such demand.
    pub any: Vec<Located<String>>,
    /// Terms that veto the item, wherever they stand in it.
    pub none: Vec<Located<String>>,
    /// Terms that must stand close together.
    pub near: Option<NearSpec>,
    /// Where `all`, `any` and `near` look.
    pub field: FieldFilter,
    /// Languages; empty means all. An item of unknown or guessed language passes.
    pub lang: Vec<String>,
    /// Source filters: a name, a glob of names (`wagner-*`) or `tag:press`; empty means all.
    pub source: Vec<Located<String>>,
    /// Texts on which the rule must fire.
    pub fires_on: Vec<Located<TestText>>,
    /// Texts on which it must stay silent.
    pub silent_on: Vec<Located<TestText>>,
}

/// The `near` table of a rule: one hit of each term in one field, not overlapping.
#[derive(Clone, Debug, PartialEq)]
pub struct NearSpec {
    /// Greatest distance in words from the first word of the group to its last (neighbours differ by 1).
    pub within: u32,
    /// The terms.
    pub terms: Vec<Located<String>>,
}

/// A text in `fires_on` or `silent_on`. A plain string is a title with empty text (a text when the rule's
/// field is the text), of unknown language, passing every source filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestText {
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
    /// Language, when stated.
    pub lang: Option<String>,
    /// Source name, when stated; then source filters apply.
    pub source: Option<String>,
}

/// One `[[entity]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct EntitySpec {
    /// Unique id (`ml-timbuktu`).
    pub id: Located<String>,
    /// Type: `place`, `person`, `armed-group`, … ; `context` and `mask` have a meaning of their own.
    pub entity_type: String,
    /// Of a place: `country`, `city`, `base`, …
    pub place_kind: Option<String>,
    /// Name in Latin script.
    pub name: String,
    /// Terms that name it.
    pub aliases: Vec<Located<String>>,
    /// Terms that name it only in the right company.
    pub ambiguous: Vec<AmbiguousSpec>,
    /// Parents: a rule that asks for one of them gets this entity too.
    pub parents: Vec<Located<String>>,
    /// Shown beside it, never matched.
    pub related: Vec<Located<String>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Latitude and longitude, decimal degrees, WGS 84.
    pub at: Option<(f64, f64)>,
}

/// An alias that counts only in the right company.
#[derive(Clone, Debug, PartialEq)]
pub struct AmbiguousSpec {
    /// The term.
    pub alias: Located<String>,
    /// Terms of which one must occur; empty: none needed.
    pub needs: Vec<Located<String>>,
    /// Terms of which none may occur.
    pub rejects: Vec<Located<String>>,
    /// Greatest distance in words, in the same field, of needs and rejects; `None`: anywhere in the item.
    pub within: Option<u32>,
    /// The same for rejects alone, where it differs.
    pub rejects_within: Option<u32>,
}
