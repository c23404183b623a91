//! The compiled rules, and what they say of an item.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::compile;
use super::evaluate::Case;
use super::explain::{self, Explanation};
use super::filter::SourceLabel;
use super::literals::{LiteralId, Literals};
use super::mentions::Mentions;
use super::model::{Alias, AliasId, Company, Concept, Entity, EntityId, Role, Rule, RuleId};
use super::problem::RuleProblem;
use super::spec::{EntitySpec, Mode, RuleSpec};
use super::verdict::{Match, Verdict};
use crate::item::Item;

thread_local! {
    /// Buffers for one item, kept for the next one of the thread.
    static MENTIONS: RefCell<Mentions> = RefCell::default();
}

/// Rules and entities, compiled. Share it in an [`std::sync::Arc`]; a reload makes a new one.
#[derive(Debug)]
pub struct Engine {
    /// All words and phrases that are looked for.
    pub(super) literals: Literals,
    /// The rules in the order of the config.
    pub(super) rules: Vec<Rule>,
    /// Aliases of each literal.
    aliases_of: Vec<Vec<AliasId>>,
    /// For each literal, whether a rule or a company asks for it as words.
    terms: Vec<bool>,
    aliases: Vec<Alias>,
    entities: Vec<Entity>,
    /// Under what a rule cannot do without: the rules worth a look when it is mentioned. Each rule stands
    /// under the alternatives of one of its conditions.
    postings: HashMap<Concept, Vec<RuleId>>,
    /// What is allowed, and probably not meant.
    pub(super) warnings: Vec<RuleProblem>,
}

/// What the compiler hands over.
pub(super) struct EngineParts {
    pub(super) literals: Literals,
    pub(super) aliases_of: HashMap<LiteralId, Vec<AliasId>>,
    pub(super) terms: Vec<LiteralId>,
    pub(super) aliases: Vec<Alias>,
    pub(super) entities: Vec<Entity>,
    pub(super) rules: Vec<Rule>,
    pub(super) warnings: Vec<RuleProblem>,
}

impl Engine {
    /// Compiles entities and rules.
    ///
    /// # Errors
    /// All mistakes at once, each with its place and, where one is known, a remedy.
    pub fn compile(entities: Vec<EntitySpec>, rules: Vec<RuleSpec>) -> Result<Self, Vec<RuleProblem>> {
        compile::compile(entities, rules)
    }

    pub(super) fn new(parts: EngineParts) -> Self {
        let mut aliases_of = vec![Vec::new(); parts.literals.len()];
        for (literal, aliases) in parts.aliases_of {
            if let Some(slot) = aliases_of.get_mut(literal as usize) {
                *slot = aliases;
            }
        }
        let mut terms = vec![false; parts.literals.len()];
        for literal in parts.terms {
            if let Some(slot) = terms.get_mut(literal as usize) {
                *slot = true;
            }
        }
        let postings = super::presearch::postings(&parts.rules, &parts.entities, &parts.aliases);
        Self {
            literals: parts.literals,
            rules: parts.rules,
            aliases_of,
            terms,
            aliases: parts.aliases,
            entities: parts.entities,
            postings,
            warnings: parts.warnings,
        }
    }

    /// What is allowed, and probably not meant.
    pub fn warnings(&self) -> &[RuleProblem] {
        &self.warnings
    }

    /// Number of rules.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// Number of entities, word lists and masks among them.
    pub fn entity_count(&self) -> usize {
        self.entities.len()
    }

    /// Number of different words and phrases that are looked for.
    pub fn literal_count(&self) -> usize {
        self.literals.len()
    }

    /// What fires on an item and what it mentions. Without a source every source filter lets it pass.
    pub fn judge(&self, item: &Item, source: Option<SourceLabel<'_>>) -> Verdict {
        self.with_mentions(item, |mentions| {
            let mut verdict = Verdict { cut: mentions.words.cut, ..Verdict::default() };
            for id in self.candidates(mentions) {
                let Some(rule) = self.rules.get(id as usize) else { continue };
                let case = Case { rule, item, mentions };
                if case.judge(source).is_ok() {
                    verdict.fired.push(fired(&case));
                }
            }
            self.tell_entities(mentions, &mut verdict);
            verdict
        })
    }

    /// Why each rule, or the one named, fires on an item or stays silent, in the order of the config.
    pub fn explain(
        &self,
        item: &Item,
        source: Option<SourceLabel<'_>>,
        rule: Option<&str>,
    ) -> Vec<Explanation> {
        self.with_mentions(item, |mentions| {
            let asked = self.rules.iter().filter(|known| rule.is_none_or(|name| &*known.name.value == name));
            asked.map(|rule| explain::explain(self, &Case { rule, item, mentions }, source)).collect()
        })
    }

    /// Reads an item into the buffers of this thread.
    pub(super) fn with_mentions<T>(&self, item: &Item, ask: impl FnOnce(&Mentions) -> T) -> T {
        MENTIONS.with(|kept| {
            // Taken out for the time of the call, so that a call inside it finds buffers of its own.
            let mut mentions = kept.take();
            mentions.read(self, item);
            let answer = ask(&mentions);
            kept.replace(mentions);
            answer
        })
    }

    /// The rules that may fire, in the order of the config.
    fn candidates(&self, mentions: &Mentions) -> Vec<RuleId> {
        let mut found: Vec<RuleId> = mentions
            .concepts()
            .filter_map(|concept| self.postings.get(&concept))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn tell_entities(&self, mentions: &Mentions, verdict: &mut Verdict) {
        let mut found: Vec<_> = mentions.counted.iter().map(|hit| (hit.entity, hit.span)).collect();
        found.sort_unstable();
        found.dedup_by_key(|(entity, _)| *entity);
        found.sort_unstable_by_key(|&(entity, span)| (span, entity));
        for (entity, _) in found {
            match self.role(entity) {
                Role::Entity(told) => verdict.entities.push(told.clone()),
                Role::Place(told) => verdict.places.push(told.clone()),
                Role::Context | Role::Mask => {}
            }
        }
    }

    pub(super) fn aliases_of(&self, literal: LiteralId) -> &[AliasId] {
        self.aliases_of.get(literal as usize).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_term(&self, literal: LiteralId) -> bool {
        self.terms.get(literal as usize).copied().unwrap_or_default()
    }

    pub(super) fn entity_of(&self, alias: AliasId) -> EntityId {
        self.aliases.get(alias as usize).map_or(EntityId::MAX, |alias| alias.entity)
    }

    /// The entities that have an alias.
    pub(super) fn aliased(&self) -> HashSet<EntityId> {
        self.aliases.iter().map(|alias| alias.entity).collect()
    }

    pub(super) fn company(&self, alias: AliasId) -> Option<&Company> {
        self.aliases.get(alias as usize).and_then(|alias| alias.company.as_ref())
    }

    pub(super) fn entity(&self, entity: EntityId) -> Option<&Entity> {
        self.entities.get(entity as usize)
    }

    pub(super) fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter()
    }

    /// The ids of entities.
    pub(super) fn ids(&self, entities: &[EntityId]) -> Vec<String> {
        entities.iter().filter_map(|&id| self.entity(id)).map(|entity| entity.id.to_string()).collect()
    }

    pub(super) fn role(&self, entity: EntityId) -> &Role {
        self.entity(entity).map_or(&Role::Context, |entity| &entity.role)
    }

    pub(super) fn is_mask(&self, alias: AliasId) -> bool {
        matches!(self.role(self.entity_of(alias)), Role::Mask)
    }
}

/// The match of a rule that fires.
pub(super) fn fired(case: &Case<'_>) -> Match {
    Match {
        rule: case.rule.name.value.clone(),
        severity: case.rule.severity,
        tags: case.rule.tags.clone(),
        mode: Mode::Live,
        note: None,
        max_age: None,
        score: None,
        why: case.reasons(),
    }
}
