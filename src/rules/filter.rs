//! For which languages and sources a rule is.

use crate::item::SourceName;

/// What an engine knows of the source of an item.
#[derive(Clone, Copy, Debug)]
pub struct SourceLabel<'a> {
    /// Its name.
    pub name: &'a SourceName,
    /// Its tags.
    pub tags: &'a [String],
}

/// The languages of a rule; none means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Languages(Vec<String>);

impl Languages {
    /// Takes language tags in any case.
    pub(crate) fn new(tags: &[String]) -> Self {
        Self(tags.iter().map(|tag| tag.to_lowercase()).collect())
    }

    /// Whether an item of this language passes: one of unknown language does, and `fr` takes `fr-CA`.
    pub(crate) fn admit(&self, lang: Option<&str>) -> bool {
        let Some(lang) = lang.filter(|lang| !self.0.is_empty() && !lang.is_empty()) else { return true };
        let lang = lang.to_lowercase();
        lang == "und"
            || self.0.iter().any(|tag| {
                lang.strip_prefix(tag.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
    }
}

/// The sources of a rule; none means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<SourceFilter>);

#[derive(Clone, Debug)]
enum SourceFilter {
    Tag(String),
    Name(glob::Pattern),
}

impl Sources {
    /// Adds a name, a glob of names or `tag:x`.
    ///
    /// # Errors
    /// A filter that no source can pass: the reason.
    pub(crate) fn add(&mut self, filter: &str) -> Result<(), String> {
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
    pub(crate) fn admit(&self, source: Option<SourceLabel<'_>>) -> bool {
        let Some(source) = source.filter(|_| !self.0.is_empty()) else { return true };
        self.0.iter().any(|filter| match filter {
            SourceFilter::Tag(tag) => source.tags.contains(tag),
            SourceFilter::Name(pattern) => pattern.matches(source.name.as_str()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_unknown_language_passes_every_filter() {
        let french = Languages::new(&["FR".to_owned()]);
        for (lang, expected) in [
            (None, true),
            (Some(""), true),
            (Some("und"), true),
            (Some("fr"), true),
            (Some("fr-ca"), true),
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
