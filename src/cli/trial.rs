//! The rules on disk, tried on what is stored: which fire, and which only `none` keeps from firing.

use anyhow::anyhow;

use crate::control::explain::label;
use crate::desk::Desk;
use crate::item::Item;
use crate::rules::spec::{Mode, RuleSpec};
use crate::rules::verdict::Verdict;
use crate::rules::{Engine, Outcome};

/// The rules, and those that have a `none` once more without it.
pub(super) struct Trial<'a> {
    desk: &'a Desk,
    unvetoed: Option<Engine>,
}

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

impl<'a> Trial<'a> {
    /// Compiles what is needed beside the desk's own rules.
    pub(super) fn new(desk: &'a Desk) -> anyhow::Result<Self> {
        let vetoing = |rule: &&RuleSpec| !rule.none.is_empty() && rule.mode != Mode::Off;
        let bare = |rule: &RuleSpec| RuleSpec { none: Vec::new(), ..rule.clone() };
        let rules: Vec<RuleSpec> = desk.config.rules.iter().filter(vetoing).map(bare).collect();
        if rules.is_empty() {
            return Ok(Self { desk, unvetoed: None });
        }
        let unvetoed = Engine::compile(desk.config.entities.clone(), rules).map_err(|problems| {
            let first = problems.into_iter().next().map(crate::desk::problem);
            anyhow!("{}", first.map(|problem| problem.to_string()).unwrap_or_default())
        })?;
        Ok(Self { desk, unvetoed: Some(unvetoed) })
    }

    /// Whether any rule has a `none`.
    pub(super) fn has_vetoes(&self) -> bool {
        self.unvetoed.is_some()
    }

    /// Asks the rules.
    pub(super) fn judge(&self, item: &Item) -> Judged {
        let label = label(self.desk, item);
        let verdict = self.desk.engine.judge(item, label);
        let bare = self.unvetoed.as_ref().map(|engine| engine.judge(item, label).fired).unwrap_or_default();
        let silent =
            bare.into_iter().filter(|bare| verdict.fired.iter().all(|fired| fired.rule != bare.rule));
        let lost = silent.filter_map(|bare| {
            let told = self.desk.engine.explain(item, label, Some(&bare.rule)).pop()?;
            match told.outcome {
                Outcome::Silent(silence) if silence.only_none => {
                    Some(Lost { rule: told.rule.to_string(), detail: silence.detail })
                }
                Outcome::Silent(_) | Outcome::Fired(_) => None,
            }
        });
        let lost = lost.collect();
        Judged { verdict, lost }
    }
}
