//! The compiled rules and what they are asked.

mod lookup;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::code::Code;
use super::compile;
use super::evaluate::{Case, Miss};
use super::explain::{self, Explanation, Outcome};
use super::filter::SourceLabel;
use super::literals::{LiteralId, Literals};
use super::mentions::Mentions;
use super::model::{Alias, AliasId, ConceptId, Entity, Extra, Gap, NO_CONCEPT, Role, Rule, RuleId};
use super::presearch::Presearch;
use super::problem::RuleProblem;
use super::spec::{EntitySpec, Mode, RuleSpec};
use super::summary::Summary;
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
    /// What is allowed, and probably not meant.
    pub(super) warnings: Vec<RuleProblem>,
    /// The same of what is odd in many places.
    summaries: Vec<Summary>,
    /// The number of the first concept that is neither entity nor type.
    pub(super) first_extra: ConceptId,
    /// Conditions of the rules, close together.
    code: Code,
    presearch: Presearch,
    /// What each literal is.
    literal_roles: Vec<LiteralRole>,
    alias_ids: Vec<AliasId>,
    aliases: Vec<Alias>,
    entities: Vec<Entity>,
    /// Of each entity: itself, what is above it and its type, as far as somebody asks for these.
    concepts: Vec<Vec<ConceptId>>,
    extras: Vec<Extra>,
    word_gaps: Vec<(LiteralId, Gap)>,
    entity_gaps: Vec<(ConceptId, Gap)>,
    /// Numbers of gaps under the concepts of their rarest piece: those of words, then those with entities.
    gaps_under: HashMap<ConceptId, Vec<u32>>,
    has_masks: bool,
}

/// What a literal stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiteralRole {
    /// The words as a rule or a company asks for them; [`NO_CONCEPT`] when none does.
    pub(super) concept: ConceptId,
    first_alias: u32,
    aliases: u32,
}

/// What the compiler hands over.
pub(super) struct EngineParts {
    pub(super) literals: Literals,
    pub(super) aliases_of: Vec<(LiteralId, AliasId)>,
    pub(super) aliases: Vec<Alias>,
    pub(super) entities: Vec<Entity>,
    /// Number of types.
    pub(super) types: u32,
    /// Entities and types that somebody asks for.
    pub(super) asked: HashSet<ConceptId>,
    pub(super) extras: Vec<Extra>,
    pub(super) word_gaps: Vec<(LiteralId, Gap)>,
    pub(super) rules: Vec<Rule>,
    /// The share of ordinary items that mention each concept.
    pub(super) shares: Vec<compile::Share>,
    pub(super) warnings: Vec<RuleProblem>,
    pub(super) summaries: Vec<Summary>,
}

impl Engine {
    /// Compiles entities and rules.
    ///
    /// # Errors
    /// All mistakes at once, each with its place and, where one is known, a remedy.
    pub fn compile(
        entities: Vec<EntitySpec>,
        rules: impl IntoIterator<Item = RuleSpec>,
    ) -> Result<Self, Vec<RuleProblem>> {
        compile::compile(entities, rules)
    }

    pub(super) fn new(parts: EngineParts) -> Self {
        let EngineParts { literals, mut aliases_of, entities, extras, word_gaps, rules, .. } = parts;
        let types = parts.types;
        let first_extra = number(entities.len()) + types;
        let mut roles = vec![LiteralRole { concept: NO_CONCEPT, first_alias: 0, aliases: 0 }; literals.len()];
        for (extra, at) in extras.iter().zip(first_extra..) {
            if let Extra::Words(literal) = extra
                && let Some(role) = roles.get_mut(*literal as usize)
            {
                role.concept = at;
            }
        }
        aliases_of.sort_unstable();
        for (at, (literal, _)) in aliases_of.iter().enumerate().rev() {
            if let Some(role) = roles.get_mut(*literal as usize) {
                role.first_alias = number(at);
                role.aliases += 1;
            }
        }
        let asked = |concept: &ConceptId| parts.asked.contains(concept);
        let concepts = entities.iter().enumerate().map(|(at, entity)| {
            let of_type = number(entities.len()) + entity.type_id;
            let told = !matches!(entity.role, Role::Context | Role::Mask);
            let all = entity.ancestors.iter().copied().chain([number(at)]).chain(told.then_some(of_type));
            all.filter(asked).collect()
        });
        let concepts: Vec<Vec<ConceptId>> = concepts.collect();
        let entity_gaps: Vec<(ConceptId, Gap)> = extras
            .iter()
            .zip(first_extra..)
            .filter_map(|(extra, at)| match extra {
                Extra::Gap(gap) => Some((at, gap.clone())),
                Extra::Words(_) => None,
            })
            .collect();
        let all_gaps = word_gaps.iter().map(|(_, gap)| gap).chain(entity_gaps.iter().map(|(_, gap)| gap));
        let gaps_under = gaps_under(all_gaps, &parts.shares);
        Self {
            code: Code::new(&rules),
            presearch: Presearch::new(&rules, &parts.shares),
            has_masks: entities.iter().any(|entity| matches!(entity.role, Role::Mask)),
            literal_roles: roles,
            alias_ids: aliases_of.into_iter().map(|(_, alias)| alias).collect(),
            aliases: parts.aliases,
            warnings: parts.warnings,
            summaries: parts.summaries,
            literals,
            rules,
            first_extra,
            entities,
            concepts,
            extras,
            word_gaps,
            entity_gaps,
            gaps_under,
        }
    }

    /// What is allowed, and probably not meant.
    pub fn warnings(&self) -> &[RuleProblem] {
        &self.warnings
    }

    /// The same where it is odd in too many places for a warning each.
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
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

    /// Bytes of the table that words and phrases are looked up in.
    pub fn literal_bytes(&self) -> usize {
        self.literals.heap_bytes() + size_of_val(&*self.literal_roles)
    }

    /// What fires on an item and what it mentions. Without a source every source filter lets it pass.
    ///
    /// What a Telegram message says beside its text ([`Item::whole`]) only ever adds to what fires.
    pub fn judge(&self, item: &Item, source: Option<SourceLabel<'_>>) -> Verdict {
        let mut verdict = self.judge_text(item, source);
        if let Some(whole) = item.whole() {
            verdict.add(self.judge_text(&whole, source));
            let place = |fired: &Match| self.rules.iter().position(|rule| rule.name.value == fired.rule);
            verdict.fired.sort_by_key(place);
        }
        verdict
    }

    fn judge_text(&self, item: &Item, source: Option<SourceLabel<'_>>) -> Verdict {
        self.with_mentions(item, |mentions| {
            let mut verdict = Verdict { cut: mentions.words.cut, ..Verdict::default() };
            for case in self.cases(item, mentions, source) {
                if let Ok(held) = case.judge(source) {
                    verdict.fired.push(case.fired(held));
                }
            }
            self.tell_entities(mentions, &mut verdict);
            verdict
        })
    }

    /// The names of the rules that fire on an item by its title and text: what [`Engine::judge`] finds of these,
    /// without the reasons.
    pub fn fired(&self, item: &Item, source: Option<SourceLabel<'_>>) -> Vec<Arc<str>> {
        self.with_mentions(item, |mentions| {
            let cases = self.cases(item, mentions, source).into_iter();
            cases.filter(|case| case.judge(source).is_ok()).map(|case| case.rule.name.value.clone()).collect()
        })
    }

    /// How many rules are looked at for an item.
    pub fn candidate_count(&self, item: &Item, source: Option<SourceLabel<'_>>) -> usize {
        self.with_mentions(item, |mentions| self.cases(item, mentions, source).len())
    }

    /// How many places of words and phrases that are looked for an item has, from its raw text.
    pub fn hit_count(&self, item: &Item) -> usize {
        MENTIONS.with(|kept| {
            let mut mentions = kept.take();
            let count = mentions.hits(self, item).len();
            kept.replace(mentions);
            count
        })
    }

    /// The rules that only `none` keeps from firing on an item, and why.
    pub fn lost_to_none(&self, item: &Item, source: Option<SourceLabel<'_>>) -> Vec<Explanation> {
        let whole = item.whole();
        let fired = whole.as_ref().map(|_| self.fired(item, source)).unwrap_or_default();
        self.with_mentions(whole.as_ref().unwrap_or(item), |mentions| {
            let cases = self.cases(item, mentions, source).into_iter();
            let cases = cases.filter(|case| !fired.contains(&case.rule.name.value));
            let lost = cases.filter(|case| matches!(case.judge(source), Err(Miss::Veto(_))));
            lost.map(|case| explain::explain(self, &case, source)).collect()
        })
    }

    /// Why each rule, or the one named, fires on an item or stays silent, in the order of the config.
    pub fn explain(
        &self,
        item: &Item,
        source: Option<SourceLabel<'_>>,
        rule: Option<&str>,
    ) -> Vec<Explanation> {
        let mut told = self.explain_text(item, source, rule);
        if let Some(whole) = item.whole() {
            let silent = |told: &Explanation| matches!(told.outcome, Outcome::Silent(_));
            let whole = self.explain_text(&whole, source, rule);
            told.iter_mut().zip(whole).filter(|(own, _)| silent(own)).for_each(|(own, whole)| *own = whole);
        }
        told
    }

    fn explain_text(
        &self,
        item: &Item,
        source: Option<SourceLabel<'_>>,
        rule: Option<&str>,
    ) -> Vec<Explanation> {
        self.with_mentions(item, |mentions| {
            let asked =
                self.rules.iter().zip(0..).filter(|(known, _)| {
                    rule.map_or(known.mode != Mode::Off, |name| &*known.name.value == name)
                });
            let cases = asked.filter_map(|(_, id)| self.case(id, item, mentions));
            cases.map(|case| explain::explain(self, &case, source)).collect()
        })
    }

    /// The rules that are worth a look. All are fetched before the first is looked at: their ways overlap.
    fn cases<'a>(
        &'a self,
        item: &'a Item,
        mentions: &'a Mentions,
        source: Option<SourceLabel<'_>>,
    ) -> Vec<Case<'a>> {
        let candidates = self.presearch.candidates(mentions.concepts(), source);
        candidates.into_iter().filter_map(|id| self.case(id, item, mentions)).collect()
    }

    fn case<'a>(&'a self, id: RuleId, item: &'a Item, mentions: &'a Mentions) -> Option<Case<'a>> {
        let rule = self.rules.get(id as usize)?;
        Some(Case { rule, code: self.code.of(id), item, mentions })
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

    fn tell_entities(&self, mentions: &Mentions, verdict: &mut Verdict) {
        let mut found: Vec<_> = mentions.counted.iter().map(|hit| (hit.entity, hit.span)).collect();
        found.sort_unstable();
        found.dedup_by_key(|(entity, _)| *entity);
        found.sort_unstable_by_key(|&(entity, span)| (span, entity));
        for (entity, _) in found {
            match self.entity(entity).map(|entity| &entity.role) {
                Some(Role::Entity(told)) => verdict.entities.push(told.clone()),
                Some(Role::Place(told)) => verdict.places.push(told.clone()),
                Some(Role::Context | Role::Mask) | None => {}
            }
        }
    }
}

/// Files gaps under the concepts of their rarest piece.
fn gaps_under<'a>(
    gaps: impl Iterator<Item = &'a Gap>,
    shares: &[compile::Share],
) -> HashMap<ConceptId, Vec<u32>> {
    let share = |concept: &ConceptId| shares.get(*concept as usize).copied().unwrap_or_default();
    let cost = |concepts: &[ConceptId]| compile::Share::any(concepts.iter().map(share)).most();
    let mut under: HashMap<ConceptId, Vec<u32>> = HashMap::new();
    for (gap, number) in gaps.zip(0..) {
        let rarest = gap.pieces.iter().min_by(|a, b| cost(&a.1).total_cmp(&cost(&b.1)));
        for concept in rarest.into_iter().flat_map(|(_, concepts)| concepts) {
            under.entry(*concept).or_default().push(number);
        }
    }
    under
}

/// A number of things; there are never more than fit.
fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
