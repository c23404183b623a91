//! Filters of rules and routes that nothing in the config meets: most are slips, so what was probably meant is told.

use std::collections::BTreeSet;

use super::problem::{Problem, Report};
use super::settings::Config;
use super::suggest;
use crate::route::Takes;
use crate::rules::spec::Origin;

/// Warns of each.
pub(super) fn warn(config: &Config, report: &Report) {
    let sources = Known {
        names: config.sources.iter().map(|source| source.name.as_str()).collect(),
        words: config
            .sources
            .iter()
            .flat_map(|source| &source.tags)
            .map(|tag| format!("tag:{tag}"))
            .collect(),
        none: "no source answers to",
        hint: "write a source's name, a glob such as `wagner-*`, or `tag:press`",
    };
    let rules = Known {
        names: config.rules.iter().map(|rule| rule.name.value.as_str()).collect(),
        words: BTreeSet::new(),
        none: "no rule is named",
        hint: "write a rule's name, or a glob such as `wagner-*`",
    };
    let tags = Known {
        names: BTreeSet::new(),
        words: config.rules.iter().flat_map(|rule| rule.tags.iter().cloned()).collect(),
        none: "no rule has the tag",
        hint: "write a tag of a rule; those of sources go into `source`, such as `tag:press`",
    };
    for filter in config.rules.iter().flat_map(|rule| &rule.source) {
        sources.check("rule.source", &filter.value, &filter.origin, report);
    }
    for route in &config.routes {
        let Takes::Alerts(filter) = &route.takes else { continue };
        for glob in &filter.rules {
            rules.check("route.rules", glob.as_str(), &route.origin, report);
        }
        for tag in &filter.tags {
            tags.check("route.tags", tag, &route.origin, report);
        }
        for source in filter.source.written() {
            sources.check("route.source", &source, &route.origin, report);
        }
    }
}

/// What a filter can meet.
struct Known<'a> {
    /// What globs match.
    names: BTreeSet<&'a str>,
    /// What is written as it is.
    words: BTreeSet<String>,
    /// The complaint.
    none: &'static str,
    /// What may be written.
    hint: &'static str,
}

impl Known<'_> {
    /// Warns unless `text` meets anything.
    fn check(&self, key: &str, text: &str, origin: &Origin, report: &Report) {
        let is_met = self.words.contains(text)
            || self.names.contains(text)
            || glob::Pattern::new(text).is_ok_and(|glob| self.names.iter().any(|name| glob.matches(name)));
        if is_met {
            return;
        }
        let known = self.names.iter().copied().chain(self.words.iter().map(String::as_str));
        let warning = Problem::new(key, format!("{} `{text}`", self.none)).at(origin.clone());
        report.warn(match suggest::nearest(text, known) {
            Some(near) => warning.hint(format!("did you mean `{near}`?")),
            None => warning.hint(self.hint),
        });
    }
}
