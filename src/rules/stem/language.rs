//! Languages whose words are stemmed.

use std::sync::OnceLock;

use rust_stemmers::Algorithm;

use super::families::Families;
use super::{arabic, english, french, russian};
use crate::text::Scripts;

/// A language whose words are stemmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    English,
    French,
    Russian,
    Arabic,
    German,
    Spanish,
    Portuguese,
    Italian,
    Dutch,
    Turkish,
    Romanian,
    Greek,
}

impl Language {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::English,
        Self::French,
        Self::Russian,
        Self::Arabic,
        Self::German,
        Self::Spanish,
        Self::Portuguese,
        Self::Italian,
        Self::Dutch,
        Self::Turkish,
        Self::Romanian,
        Self::Greek,
    ];

    /// Those that a rule without `lang` is stemmed in.
    pub(crate) const DEFAULT: [Self; 4] = [Self::English, Self::French, Self::Russian, Self::Arabic];

    /// The language of a tag like `fr` or `fr-CA` (RFC 5646; ISO 639-1).
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Its tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Russian => "ru",
            Self::Arabic => "ar",
            Self::German => "de",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Italian => "it",
            Self::Dutch => "nl",
            Self::Turkish => "tr",
            Self::Romanian => "ro",
            Self::Greek => "el",
        }
    }

    /// The script of its words.
    pub(crate) fn script(self) -> Scripts {
        match self {
            Self::Russian => Scripts::CYRILLIC,
            Self::Arabic => Scripts::ARABIC,
            Self::Greek => Scripts::GREEK,
            Self::English
            | Self::French
            | Self::German
            | Self::Spanish
            | Self::Portuguese
            | Self::Italian
            | Self::Dutch
            | Self::Turkish
            | Self::Romanian => Scripts::LATIN,
        }
    }

    /// Its Snowball stemmer.
    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::English => Algorithm::English,
            Self::French => Algorithm::French,
            Self::Russian => Algorithm::Russian,
            Self::Arabic => Algorithm::Arabic,
            Self::German => Algorithm::German,
            Self::Spanish => Algorithm::Spanish,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Italian => Algorithm::Italian,
            Self::Dutch => Algorithm::Dutch,
            Self::Turkish => Algorithm::Turkish,
            Self::Romanian => Algorithm::Romanian,
            Self::Greek => Algorithm::Greek,
        }
    }

    /// Its irregular words, where we list them.
    pub(super) fn families(self) -> Option<&'static Families> {
        static ENGLISH: OnceLock<Families> = OnceLock::new();
        static FRENCH: OnceLock<Families> = OnceLock::new();
        static ARABIC: OnceLock<Families> = OnceLock::new();
        static RUSSIAN: OnceLock<Families> = OnceLock::new();
        match self {
            Self::English => Some(ENGLISH.get_or_init(|| Families::new(english::FAMILIES, english::APART))),
            Self::French => Some(FRENCH.get_or_init(|| Families::new(french::FAMILIES, french::APART))),
            Self::Russian => Some(RUSSIAN.get_or_init(|| Families::new(russian::FAMILIES, russian::APART))),
            Self::Arabic => Some(ARABIC.get_or_init(|| Families::new(&[], arabic::APART))),
            Self::German
            | Self::Spanish
            | Self::Portuguese
            | Self::Italian
            | Self::Dutch
            | Self::Turkish
            | Self::Romanian
            | Self::Greek => None,
        }
    }
}
