//! From specs to an engine. All mistakes are collected, each with its place and its remedy.

mod entities;
mod rules;

use std::collections::HashMap;
use std::sync::Arc;

use super::engine::{Engine, EngineParts};
use super::literals::{LiteralId, LiteralsBuilder};
use super::model::{Alias, AliasId, Clause, Concept, Entity, EntityId, Role, Rule, Wanted};
use super::problem::{RuleProblem, nearest};
use super::spec::{EntitySpec, Located, Origin, RuleSpec};
use super::term::{self, Term};
use crate::text::Words;

/// Type of events, whose names are labels and not what a text says.
const EVENT_TYPE: &str = "event-type";

/// Greatest distance in words that a rule or an alias may ask for.
const WITHIN_MAX: u32 = 10_000;

/// Compiles entities and rules.
///
/// # Errors
/// All mistakes at once.
pub(super) fn compile(entities: Vec<EntitySpec>, rules: Vec<RuleSpec>) -> Result<Engine, Vec<RuleProblem>> {
    let mut compiler = Compiler::default();
    compiler.entities(entities);
    compiler.rules(rules);
    if compiler.problems.is_empty() { Ok(compiler.finish()) } else { Err(compiler.problems) }
}

#[derive(Default)]
struct Compiler {
    literals: LiteralsBuilder,
    /// Aliases of each literal.
    aliases_of: HashMap<LiteralId, Vec<AliasId>>,
    /// Literals that a rule or an alias's company asks for.
    terms: Vec<LiteralId>,
    aliases: Vec<Alias>,
    entities: Vec<Entity>,
    /// Names of the entities, with the place of each.
    names: Vec<Located<String>>,
    ids: HashMap<Arc<str>, EntityId>,
    types: Vec<String>,
    rules: Vec<Rule>,
    problems: Vec<RuleProblem>,
    warnings: Vec<RuleProblem>,
}

/// What is being compiled, for messages: "rule `x`", "entity `y`".
#[derive(Clone, Copy)]
struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
}

impl Owner<'_> {
    fn problem(self, origin: &Origin, message: impl Into<String>, hint: Option<String>) -> RuleProblem {
        RuleProblem {
            origin: origin.clone(),
            rule_or_entity: format!("{} `{}`", self.kind, self.name),
            message: message.into(),
            hint,
        }
    }
}

impl Compiler {
    fn refuse(&mut self, owner: Owner<'_>, origin: &Origin, message: impl Into<String>, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.problems.push(owner.problem(origin, message, hint));
    }

    fn warn(&mut self, owner: Owner<'_>, origin: &Origin, message: impl Into<String>, hint: &str) {
        self.warnings.push(owner.problem(origin, message, Some(hint.to_owned())));
    }

    /// Reads a list of terms into clauses; those with a mistake are left out and reported.
    fn clauses(&mut self, owner: Owner<'_>, key: &str, terms: &[Located<String>]) -> Vec<Clause> {
        terms.iter().filter_map(|term| self.clause(owner, key, term)).collect()
    }

    fn clause(&mut self, owner: Owner<'_>, key: &str, written: &Located<String>) -> Option<Clause> {
        let alternatives = self.parse(owner, key, written)?;
        let mut wanted = Vec::with_capacity(alternatives.len());
        for alternative in alternatives {
            let concept = match self.concept(alternative.term) {
                Ok(concept) => concept,
                Err((message, hint)) => {
                    let message = format!("{key}: {message}");
                    self.problems.push(owner.problem(&written.origin, message, hint));
                    return None;
                }
            };
            wanted.push(Wanted { concept, written: alternative.written.into() });
        }
        Some(Clause { written: written.value.trim().into(), wanted })
    }

    fn parse(
        &mut self,
        owner: Owner<'_>,
        key: &str,
        written: &Located<String>,
    ) -> Option<Vec<term::Alternative>> {
        match term::parse(&written.value) {
            Ok(alternatives) => Some(alternatives),
            Err(error) => {
                let message = format!("{key}: {}", error.message);
                self.problems.push(owner.problem(&written.origin, message, error.hint));
                None
            }
        }
    }

    /// The concept a term asks for, or what is wrong with it and the remedy.
    fn concept(&mut self, term: Term) -> Result<Concept, (String, Option<String>)> {
        match term {
            Term::Phrase(_) | Term::Exact(..) => {
                let literal = self.literal(term).unwrap_or(LiteralId::MAX);
                self.terms.push(literal);
                Ok(Concept::Phrase(literal))
            }
            Term::Entity(id) => match self.ids.get(id.as_str()) {
                Some(&entity) if self.is_mask(entity) => Err((
                    format!("`@{id}` is a mask, whose words are never a hit"),
                    Some("name the words themselves, or another entity".to_owned()),
                )),
                Some(&entity) => Ok(Concept::Entity(entity)),
                None => {
                    let near = nearest(&id, self.ids.keys().map(|known| &**known));
                    let hint = near.map(|known| format!("did you mean `@{known}`?"));
                    Err((format!("no entity has the id `{id}`"), hint))
                }
            },
            Term::Type(name) => match self.types.iter().position(|known| *known == name) {
                Some(_) if matches!(name.as_str(), "context" | "mask") => Err((
                    format!("`@type:{name}` asks for what is reported nowhere"),
                    Some("name the entity itself: `@id`".to_owned()),
                )),
                Some(number) => Ok(Concept::Type(u32::try_from(number).unwrap_or(u32::MAX))),
                None => {
                    let near = nearest(&name, self.types.iter().map(String::as_str));
                    let hint = near.map(|known| format!("did you mean `@type:{known}`?"));
                    Err((format!("no entity has the type `{name}`"), hint))
                }
            },
        }
    }

    /// The number of a term of words; `None` for a term that asks for an entity or a type.
    fn literal(&mut self, term: Term) -> Option<LiteralId> {
        match term {
            Term::Phrase(forms) => Some(self.literals.add(forms, None)),
            Term::Exact(words, spelling) => Some(self.literals.add(vec![words], Some(spelling))),
            Term::Entity(_) | Term::Type(_) => None,
        }
    }

    fn is_mask(&self, entity: EntityId) -> bool {
        self.entities.get(entity as usize).is_some_and(|entity| matches!(entity.role, Role::Mask))
    }

    fn within(&mut self, owner: Owner<'_>, origin: &Origin, key: &str, within: u32) {
        if within == 0 || within > WITHIN_MAX {
            let message = format!("{key} is {within} words");
            self.refuse(owner, origin, message, &format!("write 1 to {WITHIN_MAX}"));
        }
    }

    fn finish(self) -> Engine {
        let names = self.names;
        let mut engine = Engine::new(EngineParts {
            literals: self.literals.finish(),
            aliases_of: self.aliases_of,
            terms: self.terms,
            aliases: self.aliases,
            entities: self.entities,
            rules: self.rules,
            warnings: self.warnings,
        });
        engine.warn_of_unfound_names(&names);
        engine
    }
}

impl Engine {
    /// A name is shown, never matched. Whoever expects otherwise is told.
    fn warn_of_unfound_names(&mut self, names: &[Located<String>]) {
        let aliased = self.aliased();
        let mut words = Words::default();
        let mut hits = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let number = EntityId::try_from(number).unwrap_or(EntityId::MAX);
            let Some(entity) = self.entity(number) else { continue };
            let id = entity.id.clone();
            let is_named = match &entity.role {
                Role::Entity(told) => told.entity_type != EVENT_TYPE,
                Role::Place(_) => true,
                Role::Context | Role::Mask => false,
            };
            words.read(&name.value, "");
            hits.clear();
            self.literals.scan(&words, &name.value, "", &mut hits);
            let mut found = hits.iter().flat_map(|hit| self.aliases_of(hit.literal));
            if is_named && aliased.contains(&number) && !found.any(|&alias| self.entity_of(alias) == number) {
                let owner = Owner { kind: "entity", name: &id };
                let message = format!("no alias finds its name, `{}`", name.value);
                let hint = "a name is only shown: add it to `aliases`, or to `ambiguous`".to_owned();
                self.warnings.push(owner.problem(&name.origin, message, Some(hint)));
            }
        }
    }
}
