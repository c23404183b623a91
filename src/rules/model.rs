//! Rules and entities compiled: ids in place of names, terms in place of texts.

use std::sync::Arc;

use super::filter::{Languages, Sources};
use super::literals::LiteralId;
use super::spec::{FieldFilter, Located, Severity, TestText};
use super::verdict::{EntityRef, PlaceRef};

/// Number of an entity.
pub(crate) type EntityId = u32;

/// Number of an alias of an entity.
pub(crate) type AliasId = u32;

/// Number of a rule, in the order of the config.
pub(crate) type RuleId = u32;

/// Something an item can mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Concept {
    /// Words.
    Phrase(LiteralId),
    /// An entity, or anything below it.
    Entity(EntityId),
    /// Any entity of a type.
    Type(u32),
}

/// An alternative of a term.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// What is to be mentioned.
    pub(crate) concept: Concept,
    /// As written in the config.
    pub(crate) written: Arc<str>,
}

/// A term with its alternatives: it holds when one of them is mentioned.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    /// As written in the config.
    pub(crate) written: Arc<str>,
    /// Its alternatives.
    pub(crate) wanted: Vec<Wanted>,
}

/// How an entity is treated.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// Told as an entity.
    Entity(EntityRef),
    /// Told as a place.
    Place(PlaceRef),
    /// A word list: told nowhere.
    Context,
    /// What lies inside its match is no hit.
    Mask,
}

/// An entity.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    /// Its id.
    pub(crate) id: Arc<str>,
    /// Number of its type.
    pub(crate) type_id: u32,
    /// How it is treated.
    pub(crate) role: Role,
    /// Everything above it, nearest first.
    pub(crate) ancestors: Vec<EntityId>,
}

/// A term that names an entity.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    /// Whom it names.
    pub(crate) entity: EntityId,
    /// The company it needs; `None` when it counts anywhere.
    pub(crate) company: Option<Company>,
}

/// When an ambiguous alias counts. Distances are in words; `Pos::MAX` reaches over the whole item.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    /// One of these must occur, if there are any.
    pub(crate) needs: Vec<Wanted>,
    /// None of these may occur.
    pub(crate) rejects: Vec<Wanted>,
    /// How far a need may be.
    pub(crate) needs_within: u32,
    /// How far a reject acts.
    pub(crate) rejects_within: u32,
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Its name.
    pub(crate) name: Located<Arc<str>>,
    /// Severity of its alerts.
    pub(crate) severity: Severity,
    /// Its tags.
    pub(crate) tags: Vec<String>,
    /// All of these must hold.
    pub(crate) all: Vec<Clause>,
    /// One of these must hold, if there are any.
    pub(crate) any: Vec<Clause>,
    /// None of these may hold.
    pub(crate) none: Vec<Clause>,
    /// Terms that must stand close together.
    pub(crate) near: Vec<Near>,
    /// Where `all`, `any` and `near` look.
    pub(crate) field: FieldFilter,
    /// Languages it is for.
    pub(crate) languages: Languages,
    /// Sources it is for.
    pub(crate) sources: Sources,
    /// Texts on which it must fire.
    pub(crate) fires_on: Vec<Located<TestText>>,
    /// Texts on which it must stay silent.
    pub(crate) silent_on: Vec<Located<TestText>>,
}

/// Terms that must stand close together.
#[derive(Clone, Debug)]
pub(crate) struct Near {
    /// Greatest distance from the first word of the group to its last.
    pub(crate) within: u32,
    /// The terms, at most [`super::near::TERMS_MAX`].
    pub(crate) terms: Vec<Clause>,
}
