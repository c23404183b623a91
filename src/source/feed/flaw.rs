//! What mending finds wrong with a feed.

/// What can be wrong with the XML of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flaw {
    /// Something other than the feed stands before it.
    Preamble,
    /// `<rss>` with another version than 2.0, or none.
    Version,
    /// A name of an element in another case (`<RSS>`, `<Item>`).
    Case,
    /// Another default namespace than the format's.
    Namespace,
    /// A bare `&` or an unknown reference.
    Ampersand,
    /// A reference that only HTML knows.
    HtmlEntity,
    /// A `<` that begins nothing.
    Bracket,
    /// A character that XML forbids.
    Character,
    /// A CDATA section, a comment or an end tag without its end.
    Unended,
    /// An end tag too many or too few.
    Nesting,
    /// Nested deeper than the writer keeps.
    Depth,
    /// An empty element of Media RSS.
    EmptyMedia,
    /// An address in an author that feed-rs cannot read.
    Author,
}

impl Flaw {
    /// In words, for a problem.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Preamble => "text before the feed",
            Self::Version => "odd or absent RSS version",
            Self::Case => "name of an element in another case",
            Self::Namespace => "odd default namespace",
            Self::Ampersand => "bare ampersand",
            Self::HtmlEntity => "HTML entity",
            Self::Bracket => "bare `<`",
            Self::Character => "forbidden character",
            Self::Unended => "CDATA, comment or end tag without its end",
            Self::Nesting => "end tag too many or too few",
            Self::Depth => "elements nested too deep",
            Self::EmptyMedia => "empty media element",
            Self::Author => "unreadable author address",
        }
    }
}
