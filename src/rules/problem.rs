//! What is wrong with a rule or an entity.

use std::fmt;

use super::spec::Origin;

/// A mistake in a rule or an entity: what, where, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RuleProblem {
    /// Where it was written.
    pub origin: Origin,
    /// What it is in: "rule `x`" or "entity `y`".
    pub rule_or_entity: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when that is known.
    pub hint: Option<String>,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.origin, self.rule_or_entity, self.message)
    }
}

/// The candidate that a mistyped `word` most likely means.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
