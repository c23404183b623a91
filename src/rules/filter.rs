//! For which languages, sources and kinds of items a rule is.

use std::fmt;

use crate::item::{Item, SourceName};

/// What an engine knows of the source of an item.
#[derive(Clone, Copy, Debug)]
pub struct SourceLabel<'a> {
    /// Its name.
    pub name: &'a SourceName,
    /// Its tags.
    pub tags: &'a [String],
}

/// What an item must be, whatever it says; each list empty means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    /// Languages.
    pub(crate) languages: Languages,
    /// Sources.
    pub(crate) sources: Sources,
    /// Kinds of sources and of Telegram messages.
    pub(crate) kinds: Vec<String>,
    /// Channels that a message was forwarded from.
    pub(crate) forwarded_from: Vec<String>,
}

/// A filter that an item does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barred {
    /// Another language.
    Language,
    /// Another source.
    Source,
    /// Another kind.
    Kind,
    /// Forwarded from elsewhere, or not at all.
    ForwardedFrom,
}

impl Filters {
    /// The first filter that an item does not pass. Tests are of any source and kind unless they state one.
    pub(crate) fn bars(&self, item: &Item, source: Option<SourceLabel<'_>>) -> Option<Barred> {
        if !self.languages.admit(item.lang.as_deref()) {
            return Some(Barred::Language);
        }
        if !self.sources.admit(source) {
            return Some(Barred::Source);
        }
        // An item that comes from nowhere, such as the text of a test, is of any kind.
        if item.source.is_none() && item.telegram.is_none() {
            return None;
        }
        if !self.kinds.is_empty() && !self.kinds.iter().any(|kind| is_of_kind(item, kind)) {
            return Some(Barred::Kind);
        }
        if !self.forwarded_from.is_empty() {
            let origin = forwarded_from(item);
            if !self.forwarded_from.iter().any(|channel| origin.as_ref() == Some(channel)) {
                return Some(Barred::ForwardedFrom);
            }
        }
        None
    }
}

fn is_of_kind(item: &Item, kind: &str) -> bool {
    item.kind.as_str() == kind
        || item.telegram.as_ref().is_some_and(|post| post.kinds.iter().any(|known| known == kind))
}

/// The channel that a message was forwarded from, in lower case: the first part of the path of its link.
fn forwarded_from(item: &Item) -> Option<String> {
    let forward = item.telegram.as_ref()?.forwarded_from.as_ref()?;
    let path = forward.url.as_deref()?.split_once("://")?.1.split_once('/')?.1;
    let path = path.strip_prefix("s/").unwrap_or(path);
    path.split(['/', '?']).next().map(str::to_lowercase)
}

/// The languages of a rule; none means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Languages(Vec<String>);

impl Languages {
    /// Takes language tags in any case.
    pub(crate) fn new(tags: &[String]) -> Self {
        Self(tags.iter().map(|tag| tag.to_lowercase()).collect())
    }

    /// Whether an item of this language passes: one of unknown language does, and `fr` takes `fr-CA` and `fr_CA`.
    pub(crate) fn admit(&self, lang: Option<&str>) -> bool {
        let Some(lang) = lang.filter(|lang| !self.0.is_empty() && !lang.is_empty()) else { return true };
        let lang = lang.to_lowercase();
        lang == "und"
            || self.0.iter().any(|tag| {
                lang.strip_prefix(tag.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
            })
    }
}

/// The sources of a rule or a route, by names, globs and tags; none means all.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<SourceFilter>);

#[derive(Clone, Debug)]
enum SourceFilter {
    Tag(String),
    Name(glob::Pattern),
}

/// What of a source a filter asks for.
pub(crate) enum SourceKey<'a> {
    /// The name.
    Name(&'a str),
    /// A tag.
    Tag(&'a str),
    /// Names that a glob matches.
    Glob,
}

impl Sources {
    /// What each filter asks for.
    pub(crate) fn keys(&self) -> impl Iterator<Item = SourceKey<'_>> {
        self.0.iter().map(|filter| match filter {
            SourceFilter::Tag(tag) => SourceKey::Tag(tag),
            SourceFilter::Name(pattern) if pattern.as_str().contains('*') => SourceKey::Glob,
            SourceFilter::Name(pattern) => SourceKey::Name(pattern.as_str()),
        })
    }

    /// The filters as they are written.
    pub(crate) fn written(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|filter| match filter {
            SourceFilter::Tag(tag) => format!("tag:{tag}"),
            SourceFilter::Name(pattern) => pattern.as_str().to_owned(),
        })
    }

    /// Whether it names any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a name, a glob of names or `tag:x`.
    ///
    /// # Errors
    /// A filter that no source can pass: the reason.
    pub fn add(&mut self, filter: &str) -> Result<(), String> {
        if let Some(tag) = filter.strip_prefix("tag:") {
            if tag.trim().is_empty() {
                return Err(format!("`{filter}` names no tag"));
            }
            self.0.push(SourceFilter::Tag(tag.trim().to_owned()));
            return Ok(());
        }
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '*');
        if filter.is_empty() || !filter.chars().all(fits) {
            return Err(format!("`{filter}` cannot name a source"));
        }
        let pattern = glob::Pattern::new(filter).map_err(|_| format!("`{filter}` cannot name a source"))?;
        self.0.push(SourceFilter::Name(pattern));
        Ok(())
    }

    /// Whether an item of this source passes; without a source it does.
    pub fn admit(&self, source: Option<SourceLabel<'_>>) -> bool {
        let Some(source) = source.filter(|_| !self.0.is_empty()) else { return true };
        self.0.iter().any(|filter| match filter {
            SourceFilter::Tag(tag) => source.tags.contains(tag),
            SourceFilter::Name(pattern) => pattern.matches(source.name.as_str()),
        })
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Forward, SourceKind, TelegramPost};

    #[test]
    fn kinds_and_origins_of_messages_are_told_apart() {
        let forward = Forward { name: "x".to_owned(), url: Some("https://t.me/Grey_Zone/12".to_owned()) };
        let post = TelegramPost {
            kinds: vec!["video".to_owned(), "text".to_owned()],
            forwarded_from: Some(forward),
            ..TelegramPost::default()
        };
        let mut item = Item {
            source: SourceName::new("channel"),
            kind: SourceKind::Telegram,
            telegram: Some(post),
            ..Item::of_text("", "")
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for (kinds, origins, expected) in [
            (&[][..], &[][..], None),
            (&["telegram"], &["grey_zone"], None),
            (&["feed", "video"], &[], None),
            (&["photo"], &[], Some(Barred::Kind)),
            (&[], &["other"], Some(Barred::ForwardedFrom)),
        ] {
            let filters =
                Filters { kinds: words(kinds), forwarded_from: words(origins), ..Filters::default() };
            assert_eq!(filters.bars(&item, None), expected, "{kinds:?} {origins:?}");
        }
        let filters = Filters { kinds: words(&["feed"]), ..Filters::default() };
        (item.telegram, item.kind) = (None, SourceKind::Page);
        assert_eq!(filters.bars(&item, None), Some(Barred::Kind));
        item.source = None;
        assert_eq!(filters.bars(&item, None), None, "a test text is of any kind");
    }

    #[test]
    fn an_item_of_unknown_language_passes_every_filter() {
        let french = Languages::new(&["FR".to_owned()]);
        for (lang, expected) in [
            (None, true),
            (Some(""), true),
            (Some("und"), true),
            (Some("fr"), true),
            (Some("fr-ca"), true),
            (Some("fr_FR"), true),
            (Some("fro"), false),
            (Some("en"), false),
        ] {
            assert_eq!(french.admit(lang), expected, "{lang:?}");
        }
        assert!(Languages::default().admit(Some("en")));
    }

    #[test]
    fn sources_pass_by_name_glob_or_tag() {
        let name = SourceName::new("wagner-channel").expect("a name");
        let tags = ["press".to_owned()];
        let source = Some(SourceLabel { name: &name, tags: &tags });
        for (filter, expected) in [
            ("wagner-channel", true),
            ("wagner-*", true),
            ("*", true),
            ("tag:press", true),
            ("wagner", false),
            ("tag:wire", false),
        ] {
            let mut sources = Sources::default();
            sources.add(filter).expect(filter);
            assert_eq!(sources.admit(source), expected, "{filter}");
            assert!(sources.admit(None), "{filter}");
        }
    }

    #[test]
    fn what_cannot_name_a_source_is_refused() {
        for filter in ["", "tag:", "Wagner", "a b", "a[b]", "a?"] {
            assert!(Sources::default().add(filter).is_err(), "{filter}");
        }
    }
}
