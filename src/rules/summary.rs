//! What is odd in many places of a config, in one line.

use std::fmt;

/// Names that the line shows, the first ones.
const SHOWN_MAX: usize = 5;

/// Oddities of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which kind.
    pub kind: SummaryKind,
    /// What they are found in, all of it: ids of entities in the order of the config, terms from the commonest on.
    pub names: Vec<String>,
}

/// A kind of oddity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryKind {
    /// Entities that alerts name and no rule asks for.
    UnusedEntities,
    /// Terms that stand in many ordinary items, beside rarer conditions.
    CommonTerms,
}

impl SummaryKind {
    /// The key of the whole list in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnusedEntities => "unused_entities",
            Self::CommonTerms => "common_terms",
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, many) = (self.names.len(), self.names.len() != 1);
        let (things, are) = match (self.kind, many) {
            (SummaryKind::UnusedEntities, true) => {
                ("entities", "are asked for by no rule and only named in alerts")
            }
            (SummaryKind::UnusedEntities, false) => {
                ("entity", "is asked for by no rule and only named in alerts")
            }
            (SummaryKind::CommonTerms, true) => (
                "terms",
                "stand in more than 1 % of ordinary items, and only what stands beside them decides",
            ),
            (SummaryKind::CommonTerms, false) => {
                ("term", "stands in more than 1 % of ordinary items, and only what stands beside it decides")
            }
        };
        write!(f, "{count} {things} {are}: ")?;
        for (at, name) in self.names.iter().take(SHOWN_MAX).enumerate() {
            write!(f, "{}`{name}`", if at == 0 { "" } else { ", " })?;
        }
        let left = count.saturating_sub(SHOWN_MAX);
        if left > 0 {
            write!(f, " and {left} more")?;
        }
        write!(f, "\n  hint: `harmattan check --json` lists all under `{}`", self.kind.as_str())
    }
}
