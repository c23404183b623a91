//! From specs to an engine. All mistakes are collected, each with its place and its remedy.

mod advice;
mod aliases;
mod entities;
mod rules;
mod shares;
mod summary;
mod terms;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

pub(super) use self::shares::Share;
use self::shares::Shares;
use super::engine::{Engine, EngineParts};
use super::literals::{AsIs, LiteralId, LiteralsBuilder};
use super::model::{Alias, AliasId, ConceptId, Entity, EntityId, Extra, Gap, Role, Rule, Wanted};
use super::problem::RuleProblem;
use super::spec::{EntitySpec, Located, Origin, RuleSpec};
use super::stem::Language;
use super::summary::Summary;

/// Greatest distance in words that a rule or an alias may ask for.
const WITHIN_MAX: u32 = 10_000;

/// Compiles entities and rules.
///
/// # Errors
/// All mistakes at once.
pub(super) fn compile(
    entities: Vec<EntitySpec>,
    rules: impl IntoIterator<Item = RuleSpec>,
) -> Result<Engine, Vec<RuleProblem>> {
    let mut compiler = Compiler { languages: Language::DEFAULT.into(), ..Compiler::default() };
    compiler.entities(entities);
    compiler.rules(rules.into_iter());
    if compiler.problems.is_empty() { Ok(compiler.finish()) } else { Err(compiler.problems) }
}

#[derive(Default)]
struct Compiler {
    literals: LiteralsBuilder,
    /// Pairs of a literal and an alias that it is.
    aliases_of: Vec<(LiteralId, AliasId)>,
    aliases: Vec<Alias>,
    /// The first alias of each entity.
    first_alias_of: HashMap<EntityId, usize>,
    entities: Vec<Entity>,
    /// Names of the entities, with the place of each.
    names: Vec<Located<String>>,
    ids: HashMap<Arc<str>, EntityId>,
    types: Vec<String>,
    /// Concepts beyond entities and types, in the order of their numbers.
    extras: Vec<Extra>,
    /// By literal: its concept, if it is asked for.
    concept_of: Vec<ConceptId>,
    /// Entities and types that somebody asks for.
    asked: HashSet<ConceptId>,
    /// Terms of words alone that have gaps: the number under which they are found.
    word_gaps: Vec<(LiteralId, Gap)>,
    /// Alternatives read before, by the hash of their text and of the languages that their stems are of.
    known_terms: HashMap<u64, Wanted, BuildHasherDefault<AsIs>>,
    shares: Shares,
    /// The languages that stems are of where nothing else is said.
    languages: Arc<[Language]>,
    rules: Vec<Rule>,
    problems: Vec<RuleProblem>,
    warnings: Vec<RuleProblem>,
    /// Common words beside rarer conditions, and their shares.
    common: HashMap<Arc<str>, f32>,
    summaries: Vec<Summary>,
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

    fn is_mask(&self, entity: EntityId) -> bool {
        self.entities.get(entity as usize).is_some_and(|entity| matches!(entity.role, Role::Mask))
    }

    fn within(&mut self, owner: Owner<'_>, origin: &Origin, key: &str, within: u32) {
        if within == 0 || within > WITHIN_MAX {
            let message = format!("{key} is {within} words");
            self.refuse(owner, origin, message, &format!("write 1 to {WITHIN_MAX}"));
        }
    }

    /// The number of the first concept that is neither an entity nor a type.
    fn first_extra(&self) -> ConceptId {
        number(self.entities.len() + self.types.len())
    }

    /// The number of a type.
    fn type_concept(&self, type_id: u32) -> ConceptId {
        number(self.entities.len()) + type_id
    }

    fn finish(mut self) -> Engine {
        self.warn_of_unused_entities();
        self.warn_of_common_terms();
        let first_extra = self.first_extra();
        let shares = self.shares.of_concepts(&self.extras, first_extra);
        let mut engine = Engine::new(EngineParts {
            literals: self.literals.finish(),
            aliases_of: self.aliases_of,
            aliases: self.aliases,
            entities: self.entities,
            types: number(self.types.len()),
            asked: self.asked,
            extras: self.extras,
            word_gaps: self.word_gaps,
            rules: self.rules,
            shares,
            warnings: self.warnings,
            summaries: self.summaries,
        });
        engine.warn_of_unfound_names(&self.names);
        engine
    }
}

/// A number of things; there are never more than fit.
fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
