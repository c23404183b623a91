//! The rules on disk, tried on what is stored: which fire, and which only `none` keeps from firing.

use crate::control::explain::label;
use crate::desk::Desk;
use crate::item::Item;
use crate::rules::Outcome;
use crate::rules::verdict::Verdict;

/// What the rules say of an item.
pub(super) struct Judged {
    /// What fires, and what the item mentions.
    pub(super) verdict: Verdict,
    /// What does not because of `none` alone.
    pub(super) lost: Vec<Lost>,
}

/// A rule that only `none` kept from firing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// Its name.
    pub(super) rule: String,
    /// The term that vetoed the item, and where it stands.
    pub(super) detail: String,
}

/// Asks the rules of a desk.
pub(super) fn judge(desk: &Desk, item: &Item) -> Judged {
    Judged { verdict: desk.engine.judge(item, label(desk, item)), lost: lost(desk, item) }
}

/// The rules that an item loses only to `none`.
pub(super) fn lost(desk: &Desk, item: &Item) -> Vec<Lost> {
    let told = desk.engine.lost_to_none(item, label(desk, item)).into_iter();
    let silent = told.filter_map(|told| match told.outcome {
        Outcome::Silent(silence) => Some(Lost { rule: told.rule.to_string(), detail: silence.detail }),
        Outcome::Fired(_) => None,
    });
    silent.collect()
}
