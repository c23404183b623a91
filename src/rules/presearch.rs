//! Which rules are worth a look, by what an item mentions and where it comes from.
//!
//! A rule stands under one condition that it cannot do without: the one that the fewest ordinary items meet. That
//! loses nothing, for a rule whose condition is not mentioned cannot fire. A rule for some sources whose every
//! condition is common, or that has none, stands under its sources.

use std::collections::HashMap;

use super::compile::Share;
use super::filter::{SourceKey, SourceLabel};
use super::model::{Clause, ConceptId, Rule, RuleId, Score};
use super::spec::Mode;

/// The share of ordinary items from which on a rule for some sources is looked up by these.
const SHARE_BY_SOURCE: f32 = 0.2;

/// The rules under each thing that points to them.
#[derive(Debug, Default)]
pub(super) struct Presearch {
    /// By concept: where its rules begin in `rules`; one entry more than there are concepts.
    starts: Vec<u32>,
    rules: Vec<RuleId>,
    by_name: HashMap<String, Vec<RuleId>>,
    by_tag: HashMap<String, Vec<RuleId>>,
    /// Rules for globs of names: asked of every item.
    by_glob: Vec<RuleId>,
    /// All rules that stand under a source.
    of_sources: Vec<RuleId>,
}

impl Presearch {
    /// Files rules under what they cannot do without; `shares` are those of all concepts.
    pub(super) fn new(rules: &[Rule], shares: &[Share]) -> Self {
        let share = |concept: ConceptId| shares.get(concept as usize).copied().unwrap_or(Share::ALL);
        let mut found = Self::default();
        let mut posts: Vec<(ConceptId, RuleId)> = Vec::with_capacity(rules.len());
        for (number, rule) in rules.iter().enumerate() {
            let number = RuleId::try_from(number).unwrap_or(RuleId::MAX);
            if rule.mode == Mode::Off {
                continue;
            }
            let has_sources = rule.filters.as_ref().is_some_and(|filters| !filters.sources.is_empty());
            match rarest(rule, &share) {
                Some((clauses, cost)) if !has_sources || cost <= SHARE_BY_SOURCE => {
                    posts
                        .extend(clauses.iter().flat_map(|clause| clause.concepts()).map(|one| (one, number)));
                }
                _ => found.post_by_source(rule, number),
            }
        }
        posts.sort_unstable();
        posts.dedup();
        found.starts = vec![0; shares.len() + 1];
        for (concept, _) in &posts {
            if let Some(start) = found.starts.get_mut(*concept as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut found.starts {
            sum += *start;
            *start = sum;
        }
        found.rules = posts.into_iter().map(|(_, rule)| rule).collect();
        found
    }

    fn post_by_source(&mut self, rule: &Rule, number: RuleId) {
        self.of_sources.push(number);
        let keys = rule.filters.iter().flat_map(|filters| filters.sources.keys());
        for key in keys {
            match key {
                SourceKey::Name(name) => self.by_name.entry(name.to_owned()).or_default().push(number),
                SourceKey::Tag(tag) => self.by_tag.entry(tag.to_owned()).or_default().push(number),
                SourceKey::Glob => self.by_glob.push(number),
            }
        }
    }

    /// The rules that may fire on what is mentioned, in the order of the config.
    pub(super) fn candidates(
        &self,
        concepts: impl Iterator<Item = ConceptId>,
        source: Option<SourceLabel<'_>>,
    ) -> Vec<RuleId> {
        let mut found = Vec::new();
        for concept in concepts {
            let at = concept as usize;
            if let Some(&[from, to]) = self.starts.get(at..at + 2).and_then(<[u32]>::first_chunk) {
                found.extend_from_slice(self.rules.get(from as usize..to as usize).unwrap_or_default());
            }
        }
        match source {
            // An item from nowhere passes every filter of sources.
            None => found.extend_from_slice(&self.of_sources),
            Some(source) => {
                found.extend(self.by_name.get(source.name.as_str()).into_iter().flatten());
                found.extend(source.tags.iter().filter_map(|tag| self.by_tag.get(tag)).flatten());
                found.extend_from_slice(&self.by_glob);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The clauses one of which must hold for a rule to fire, and the share of items in which one does: of all such
/// sets the rarest. `None` for a rule without conditions.
pub(super) fn rarest<'a>(
    rule: &'a Rule,
    share: &impl Fn(ConceptId) -> Share,
) -> Option<(Vec<&'a Clause>, f32)> {
    let cost = |clauses: &[Clause]| Share::any(clauses.iter().flat_map(Clause::concepts).map(share)).most();
    let near = rule.near.iter().flat_map(|near| &near.terms);
    let each = rule.all.iter().chain(near).map(std::slice::from_ref);
    let any = (!rule.any.is_empty()).then_some(rule.any.as_slice());
    let sets = each.chain(any).map(|clauses| (cost(clauses), clauses));
    let best = sets.min_by(|a, b| a.0.total_cmp(&b.0));
    let Some(score) = rule.score() else {
        return best.map(|(cost, clauses)| (clauses.iter().collect(), cost));
    };
    let needed = needed(score, share);
    let needed_cost = Share::any(needed.iter().flat_map(|clause| clause.concepts()).map(share)).most();
    match best {
        Some((cost, clauses)) if cost <= needed_cost => Some((clauses.iter().collect(), cost)),
        _ => Some((needed, needed_cost)),
    }
}

/// Terms of a score of which one must occur: without the commonest, as long as those left out cannot reach the
/// threshold by themselves.
fn needed<'a>(score: &'a Score, share: &impl Fn(ConceptId) -> Share) -> Vec<&'a Clause> {
    let cost = |clause: &Clause| Share::any(clause.concepts().map(share)).most();
    let mut positive: Vec<(f32, &Clause, i64)> = score
        .terms
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .map(|(clause, weight)| (cost(clause), clause, weight.saturating_mul(score.title_factor)))
        .collect();
    positive.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut left_out = 0_i64;
    let kept = positive.iter().position(|(_, _, weight)| {
        left_out = left_out.saturating_add(*weight);
        left_out >= score.threshold
    });
    positive.split_off(kept.unwrap_or_default()).into_iter().map(|(_, clause, _)| clause).collect()
}
