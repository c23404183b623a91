//! The tests that rules carry: texts on which they must fire, and texts on which they must stay silent.

use std::fmt;
use std::sync::Arc;

use super::engine::Engine;
use super::explain::{Outcome, quote};
use super::filter::SourceLabel;
use super::model::Rule;
use super::spec::{Located, Origin, TestText};
use crate::item::{Item, SourceName};

/// A test of a rule that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct TestFailure {
    /// Where the test is written.
    pub origin: Origin,
    /// Name of the rule.
    pub rule: Arc<str>,
    /// The text, title and text in one line.
    pub text: String,
    /// Whether the rule should have fired.
    pub expected_to_fire: bool,
    /// The first condition that failed, or the words that made the rule fire.
    pub detail: String,
    /// Of a rule that should have fired: what in the text comes closest, and how to write the term.
    pub nearest: Option<String>,
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wish = if self.expected_to_fire { "should fire on" } else { "should stay silent on" };
        let Self { origin, rule, text, detail, .. } = self;
        write!(f, "{origin}: rule {rule} {wish} `{text}`\n  {detail}")?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "\n  hint: {nearest}"))
    }
}

impl Engine {
    /// Whether a rule has that name.
    pub fn has_rule(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| *rule.name.value == *name)
    }

    /// The names of all rules, in the order of the config.
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.name.value)
    }

    /// Number of tests that the named rules carry; of all rules when none is named.
    pub fn test_count(&self, only: &[String]) -> usize {
        self.tested(only).map(|rule| rule.fires_on.len() + rule.silent_on.len()).sum()
    }

    /// Runs the tests of the named rules, or of all when none is named, and tells those that failed.
    ///
    /// A source that a test states has no tags here; see [`Engine::test_with_tags`].
    pub fn test(&self, only: &[String]) -> Vec<TestFailure> {
        self.test_with_tags(only, |_| Vec::new())
    }

    /// The same, with the tags of the sources that tests state.
    pub fn test_with_tags(&self, only: &[String], tags_of: impl Fn(&str) -> Vec<String>) -> Vec<TestFailure> {
        let mut failures = Vec::new();
        for rule in self.tested(only) {
            let fires = rule.fires_on.iter().map(|text| (text, true));
            for (text, expected) in fires.chain(rule.silent_on.iter().map(|text| (text, false))) {
                failures.extend(self.failure(rule, text, expected, &tags_of));
            }
        }
        failures
    }

    fn tested(&self, only: &[String]) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(move |rule| only.is_empty() || only.iter().any(|name| *name == *rule.name.value))
    }

    fn failure(
        &self,
        rule: &Rule,
        test: &Located<TestText>,
        expected_to_fire: bool,
        tags_of: impl Fn(&str) -> Vec<String>,
    ) -> Option<TestFailure> {
        let item = item(&test.value);
        let tags = test.value.source.as_deref().map(tags_of).unwrap_or_default();
        let name = test.value.source.as_deref().and_then(SourceName::new);
        let source = name.as_ref().map(|name| SourceLabel { name, tags: &tags });
        let told = self.explain(&item, source, Some(&rule.name.value)).pop()?;
        let (detail, nearest) = match told.outcome {
            Outcome::Fired(_) if expected_to_fire => return None,
            Outcome::Silent(_) if !expected_to_fire => return None,
            Outcome::Fired(fired) => {
                let words: Vec<String> = fired
                    .why
                    .iter()
                    .map(|reason| format!("`{}` by {}", reason.term, quote(reason)))
                    .collect();
                (format!("fired: {}", words.join(", ")), None)
            }
            Outcome::Silent(silence) => (format!("{}: {}", silence.clause, silence.detail), silence.nearest),
        };
        Some(TestFailure {
            origin: test.origin.clone(),
            rule: rule.name.value.clone(),
            text: [item.title.as_str(), item.text.as_str()].join(" ").trim().to_owned(),
            expected_to_fire,
            detail,
            nearest,
        })
    }
}

/// A test's text as an item. It comes from nowhere, so that it is of any kind even when it states a source, which
/// only the source filters are asked about.
fn item(stated: &TestText) -> Item {
    Item { lang: stated.lang.clone(), ..Item::of_text(stated.title.clone(), stated.text.clone()) }
}
