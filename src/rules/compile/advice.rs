//! What is allowed, and probably not meant.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::engine::Engine;
use super::super::literals::Scratch;
use super::super::model::{Clause, ConceptId, EntityId, Role, Rule};
use super::super::spec::{EntitySpec, FieldFilter, Located, Origin};
use super::aliases::EVENT_TYPE;
use super::entities::PLACE;
use super::{Compiler, Owner, number};
use crate::text::{Words, folded};

/// The share of ordinary items above which a word narrows nothing down.
const COMMON_SHARE: f32 = 0.01;

/// The same of an alias with a capital letter: what is in the news often is no common word yet.
const COMMON_NAME_SHARE: f32 = 0.03;

impl Compiler {
    /// Warns of terms too common to mean anything, and of rules that can never fire. `alone` are the clauses one of
    /// which the rule cannot do without: a common word beside them is fine, among them it fires on what it was not
    /// meant for.
    pub(super) fn advise(&mut self, place: (Owner<'_>, &Origin), rule: &Rule, alone: &[&Clause]) {
        let (owner, origin) = place;
        let first_extra = self.first_extra();
        let share = |concept| self.shares.of(concept, &self.extras, first_extra);
        let wanted = alone.iter().copied().chain(&rule.none).flat_map(|clause| &clause.wanted);
        let words = wanted.filter(|wanted| wanted.concept >= first_extra);
        let common: Vec<(Arc<str>, f32)> = words
            .map(|wanted| (wanted.written.clone(), share(wanted.concept).most()))
            .filter(|(_, share)| *share > COMMON_SHARE)
            .collect();
        self.note_common(rule, &common);
        for (written, share) in common {
            let message = format!("`{written}` stands in {:.0} % of ordinary items", share * 100.0);
            let hint = "by itself it means too little: take a phrase, or add a condition with rarer words";
            self.warn(owner, origin, message, hint);
        }
        if let Some(reason) = self.never(rule) {
            let hint = "take one of the two out, or switch the rule off with `mode = \"off\"`";
            self.warn(owner, origin, format!("it can never fire: {reason}"), hint);
        }
    }

    /// Remembers common words of a rule that stand beside rarer conditions, without those warned of.
    fn note_common(&mut self, rule: &Rule, warned: &[(Arc<str>, f32)]) {
        let first_extra = self.first_extra();
        for wanted in rule.clauses().flat_map(|clause| &clause.wanted) {
            if wanted.concept < first_extra {
                continue;
            }
            let share = self.shares.of(wanted.concept, &self.extras, first_extra).most();
            if share > COMMON_SHARE && !warned.iter().any(|(written, _)| *written == wanted.written) {
                self.common.insert(wanted.written.clone(), share);
            }
        }
    }

    /// Why a rule can never fire, when that is plain.
    fn never(&self, rule: &Rule) -> Option<String> {
        let vetoes: HashSet<ConceptId> = rule.none.iter().flat_map(Clause::concepts).collect();
        let near = rule.near.iter().flat_map(|near| &near.terms);
        let is_vetoed = |clause: &&Clause| clause.concepts().all(|concept| self.vetoes(concept, &vetoes));
        if let Some(clause) = rule.all.iter().chain(near.clone()).find(is_vetoed) {
            return Some(format!("what meets `{}` is vetoed by `none`", clause.written()));
        }
        if !rule.any.is_empty() && rule.any.iter().all(|clause| is_vetoed(&clause)) {
            return Some("what meets `any` is vetoed by `none`".to_owned());
        }
        let found = |clause: &&Clause| clause.concepts().any(|concept| self.is_found(concept));
        if let Some(clause) = rule.all.iter().chain(near).find(|clause| !found(clause)) {
            return Some(format!("no alias finds `{}`", clause.written()));
        }
        if !rule.any.is_empty() && !rule.any.iter().any(|clause| found(&clause)) {
            return Some("no alias finds anything of `any`".to_owned());
        }
        let kinds = rule.filters.as_ref().map(|filters| filters.kinds.as_slice()).unwrap_or_default();
        let only_messages = !kinds.is_empty() && kinds.iter().all(|kind| !matches!(&**kind, "feed" | "page"));
        (only_messages && rule.field == FieldFilter::Title)
            .then(|| "`field` is the title, and messages of Telegram have none".to_owned())
    }

    /// Whether every mention of a concept is one of something that vetoes.
    fn vetoes(&self, concept: ConceptId, vetoes: &HashSet<ConceptId>) -> bool {
        let above =
            self.entities.get(concept as usize).into_iter().flat_map(|entity| {
                entity.ancestors.iter().copied().chain([self.type_concept(entity.type_id)])
            });
        vetoes.contains(&concept) || above.into_iter().any(|above| vetoes.contains(&above))
    }

    /// Whether anything can mention a concept.
    fn is_found(&self, concept: ConceptId) -> bool {
        self.shares.of(concept, &self.extras, self.first_extra()).most() > 0.0
    }

    /// An alias that two entities own names both of them; that is allowed, and often a slip.
    pub(super) fn warn_of_shared_aliases(&mut self, specs: &[EntitySpec]) {
        let mut owners: Vec<(String, EntityId, u32)> = Vec::new();
        for (alias, known) in (0..).zip(&self.aliases) {
            let role = self.entities.get(known.entity as usize).map(|entity| &entity.role);
            if known.company.is_none() && matches!(role, Some(Role::Entity(_) | Role::Place(_))) {
                // Exact terms, prefixes and stems share words, not meanings.
                let sigils: String = known.written.chars().filter(|c| matches!(c, '=' | '~' | '*')).collect();
                owners.push((sigils + &folded(&known.written), known.entity, alias));
            }
        }
        owners.sort_unstable();
        let kind = |id: EntityId| specs.get(id as usize).map(|spec| &spec.entity_type);
        let mut shared = Vec::new();
        for same in owners.chunk_by(|a, b| a.0 == b.0) {
            // An event may well share a word with what it is done by, and a country with who rules it.
            let is_told = |id| kind(id).is_some_and(|kind| !matches!(&**kind, EVENT_TYPE | PLACE));
            let pairs = same
                .iter()
                .enumerate()
                .flat_map(|(at, first)| same.iter().skip(at + 1).map(move |second| (first, second)));
            let is_slip = |a: EntityId, b: EntityId| kind(a) == kind(b) || (is_told(a) && is_told(b));
            let slips = pairs.filter(|(a, b)| a.1 != b.1 && is_slip(a.1, b.1)).take(1);
            shared.extend(slips.map(|(first, second)| (first.1, second.1, second.2)));
        }
        for (first, second, alias) in shared {
            let (Some(first), Some(second)) = (specs.get(first as usize), specs.get(second as usize)) else {
                continue;
            };
            let Some(written) = self.aliases.get(alias as usize).map(|alias| alias.written.clone()) else {
                continue;
            };
            let place = place_of(second, &written);
            let owner = Owner { kind: "entity", name: &second.id.value };
            let message = format!("`{written}` is an alias of `{}` too", first.id.value);
            self.warn(owner, &place, message, "make it ambiguous in both, with what tells them apart");
        }
    }

    /// Warns of an alias that is a word of everyday language; an event or a word list is made of such words.
    pub(super) fn warn_of_common_aliases(&mut self, specs: &[EntitySpec]) {
        let mut common = Vec::new();
        for &(literal, alias) in &self.aliases_of {
            let Some(known) = self.aliases.get(alias as usize).filter(|known| known.company.is_none()) else {
                continue;
            };
            let named = self.entities.get(known.entity as usize).is_some_and(|entity| match &entity.role {
                Role::Entity(told) => told.entity_type != EVENT_TYPE,
                Role::Place(_) => true,
                Role::Context | Role::Mask => false,
            });
            let share = self.shares.of_literal(literal).most();
            let is_name = known.written.chars().any(char::is_uppercase);
            if named && share > if is_name { COMMON_NAME_SHARE } else { COMMON_SHARE } {
                common.push((known.entity, known.written.clone(), share));
            }
        }
        for (entity, written, share) in common {
            let Some(spec) = specs.get(entity as usize) else { continue };
            let owner = Owner { kind: "entity", name: &spec.id.value };
            let message = format!(
                "`{written}` is a common word: it stands in {:.0} % of ordinary items",
                share * 100.0
            );
            let place = place_of(spec, &written);
            self.warn(owner, &place, message, "make it ambiguous, with the company that it needs");
        }
    }
}

/// Where an alias of an entity is written.
fn place_of(spec: &EntitySpec, written: &Arc<str>) -> Origin {
    let holds = |alias: &&Located<String>| alias.value.split('|').any(|part| part.trim() == &**written);
    let place = spec
        .aliases
        .iter()
        .find(holds)
        .or_else(|| spec.aliases.iter().find(|alias| folded(&alias.value) == folded(written)));
    place.map_or_else(|| spec.id.origin.clone(), |alias| alias.origin.clone())
}

impl Engine {
    /// A name is shown, never matched. Whoever expects otherwise is told.
    pub(super) fn warn_of_unfound_names(&mut self, names: &[Located<String>]) {
        let aliased = self.aliased();
        let (mut words, mut hits, mut scratch) = (Words::default(), Vec::new(), Scratch::default());
        for (at, name) in names.iter().enumerate() {
            let Some(entity) = self.entity(number(at)) else { continue };
            let id = entity.id.clone();
            let is_named = match &entity.role {
                Role::Entity(told) => told.entity_type != EVENT_TYPE,
                Role::Place(_) => true,
                Role::Context | Role::Mask => false,
            };
            if !is_named || !aliased.contains(&number(at)) {
                continue;
            }
            words.read(&name.value, "");
            hits.clear();
            self.literals.scan(&words, [&name.value, ""], &mut scratch, &mut hits);
            let mut found = hits.iter().flat_map(|hit| self.aliases_of(hit.literal));
            if !found.any(|&alias| self.entity_of(alias) == number(at)) {
                let owner = Owner { kind: "entity", name: &id };
                let message = format!("no alias finds its name, `{}`", name.value);
                let hint = "a name is only shown: add it to `aliases`, or to `ambiguous`".to_owned();
                self.warnings.push(owner.problem(&name.origin, message, Some(hint)));
            }
        }
    }
}
