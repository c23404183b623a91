//! Which rules are worth a look, by what an item mentions.
//!
//! A rule stands under one condition that it cannot do without: the one with the fewest ways to be met. That
//! loses nothing, for a rule whose condition is not mentioned cannot fire.

use std::collections::HashMap;

use super::model::{Alias, Clause, Concept, Entity, Rule, RuleId};

/// The rules under each concept.
pub(super) fn postings(
    rules: &[Rule],
    entities: &[Entity],
    aliases: &[Alias],
) -> HashMap<Concept, Vec<RuleId>> {
    let ways = ways_to_mention(entities, aliases);
    let cost = |clauses: &[Clause]| -> usize {
        let wanted = clauses.iter().flat_map(|clause| &clause.wanted);
        wanted.map(|wanted| ways.get(&wanted.concept).copied().unwrap_or(1)).sum()
    };
    let mut postings: HashMap<Concept, Vec<RuleId>> = HashMap::new();
    for (number, rule) in rules.iter().enumerate() {
        let number = RuleId::try_from(number).unwrap_or(RuleId::MAX);
        let near = rule.near.iter().flat_map(|near| &near.terms);
        let each = rule.all.iter().chain(near).map(std::slice::from_ref);
        let any = Some(rule.any.as_slice()).filter(|any| !any.is_empty());
        let Some(cheapest) = each.chain(any).min_by_key(|clauses| cost(clauses)) else { continue };
        for wanted in cheapest.iter().flat_map(|clause| &clause.wanted) {
            let under = postings.entry(wanted.concept).or_default();
            if under.last() != Some(&number) {
                under.push(number);
            }
        }
    }
    postings
}

/// How many aliases mention each entity and each type.
fn ways_to_mention(entities: &[Entity], aliases: &[Alias]) -> HashMap<Concept, usize> {
    let mut ways: HashMap<Concept, usize> = HashMap::new();
    for alias in aliases {
        let Some(entity) = entities.get(alias.entity as usize) else { continue };
        *ways.entry(Concept::Entity(alias.entity)).or_default() += 1;
        *ways.entry(Concept::Type(entity.type_id)).or_default() += 1;
        for &above in &entity.ancestors {
            *ways.entry(Concept::Entity(above)).or_default() += 1;
        }
    }
    ways
}
