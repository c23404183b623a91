//! Rules and entities as the config hands them over: typed, with the place of every term, not yet compiled.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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

/// Whether a rule's alerts are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Sent.
    #[default]
    Live,
    /// Recorded, not sent: a rule on trial.
    Shadow,
    /// Checked and tested, never asked of an item.
    Off,
}

impl Mode {
    /// The word used in config and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }

    /// The mode that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Live, Self::Shadow, Self::Off].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// In how large a piece of an item `all`, `any` and `near` must hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The whole item.
    #[default]
    Item,
    /// One paragraph: what stands between two line ends; the title is one by itself.
    Paragraph,
    /// One sentence.
    Sentence,
}

impl Scope {
    /// The word used in config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Paragraph => "paragraph",
            Self::Sentence => "sentence",
        }
    }

    /// The scope that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Item, Self::Paragraph, Self::Sentence].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Where `all`, `any`, `near` and `score` of a rule look.
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
    /// Whether its alerts are sent.
    pub mode: Mode,
    /// Printed in its alerts.
    pub note: Option<String>,
    /// Terms that must all hold.
    pub all: Vec<Located<String>>,
    /// Terms of which at least one must hold; empty means no such demand.
    pub any: Vec<Located<String>>,
    /// Terms that veto the item, wherever they stand in it.
    pub none: Vec<Located<String>>,
    /// Terms that take away the hits of `all`, `any` and `near` close to them.
    pub unless: Option<UnlessSpec>,
    /// Groups of terms that must stand close together; every group must be found.
    pub near: Vec<NearSpec>,
    /// In how large a piece of the item `all`, `any` and `near` must hold together.
    pub scope: Scope,
    /// Where `all`, `any`, `near` and `score` look.
    pub field: FieldFilter,
    /// Languages; empty means all. An item of unknown or guessed language passes.
    pub lang: Vec<String>,
    /// Source filters: a name, a glob of names (`wagner-*`) or `tag:press`; empty means all.
    pub source: Vec<Located<String>>,
    /// Kinds of sources (`feed`, `telegram`, `page`) and of Telegram messages (`video`); empty means all.
    pub kind: Vec<Located<String>>,
    /// Telegram channels that a message was forwarded from; empty means any origin and none.
    pub forwarded_from: Vec<Located<String>>,
    /// Items that are older by a stated date are recorded as stale; `None`: as `[alerts]` says.
    pub max_age: Option<Duration>,
    /// Terms and their weights, in the order of the file.
    pub score: Vec<(Located<String>, i64)>,
    /// The sum of weights at which the rule fires; at least 1. Written exactly when `score` is.
    pub threshold: Option<i64>,
    /// What a weight is multiplied by when its term occurs in the title; at least 1.
    pub title_factor: i64,
    /// Texts on which the rule must fire.
    pub fires_on: Vec<Located<TestText>>,
    /// Texts on which it must stay silent.
    pub silent_on: Vec<Located<TestText>>,
}

impl RuleSpec {
    /// Whether its alerts are sent.
    pub fn is_live(&self) -> bool {
        self.mode == Mode::Live
    }

    /// A rule without any condition, every other key at its default.
    pub fn named(name: Located<String>) -> Self {
        Self {
            name,
            severity: Severity::Medium,
            tags: Vec::new(),
            mode: Mode::Live,
            note: None,
            all: Vec::new(),
            any: Vec::new(),
            none: Vec::new(),
            unless: None,
            near: Vec::new(),
            scope: Scope::Item,
            field: FieldFilter::Any,
            lang: Vec::new(),
            source: Vec::new(),
            kind: Vec::new(),
            forwarded_from: Vec::new(),
            max_age: None,
            score: Vec::new(),
            threshold: None,
            title_factor: 1,
            fires_on: Vec::new(),
            silent_on: Vec::new(),
        }
    }
}

/// A `near` table of a rule: one hit of each term in one field, not overlapping.
#[derive(Clone, Debug, PartialEq)]
pub struct NearSpec {
    /// Greatest distance in words from the first word of the group to its last (neighbours differ by 1).
    pub within: u32,
    /// The terms.
    pub terms: Vec<Located<String>>,
    /// Whether the hits must stand in the order of the terms.
    pub ordered: bool,
}

/// The `unless` table of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct UnlessSpec {
    /// Greatest distance in words, in the same field, at which a hit is taken away (neighbours differ by 1).
    pub within: u32,
    /// The terms that take it away.
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
    /// Whether words of six letters and more in its aliases may be spelt with one letter wrong, missing or added.
    pub fuzzy: bool,
}

impl EntitySpec {
    /// An entity named by its id that no alias finds, every other key at its default.
    pub fn new(id: Located<String>, entity_type: &str) -> Self {
        Self {
            name: id.value.clone(),
            id,
            entity_type: entity_type.to_owned(),
            place_kind: None,
            aliases: Vec::new(),
            ambiguous: Vec::new(),
            parents: Vec::new(),
            related: Vec::new(),
            country: None,
            at: None,
            fuzzy: false,
        }
    }
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
