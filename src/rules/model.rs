//! Rules and entities compiled: numbers in place of names, terms in place of texts.

use std::sync::Arc;
use std::time::Duration;

use super::filter::Filters;
use super::literals::LiteralId;
use super::spec::{FieldFilter, Located, Mode, Scope, Severity, TestText};
use super::verdict::{EntityRef, PlaceRef};

/// Number of an entity.
pub(crate) type EntityId = u32;

/// Number of an alias of an entity.
pub(crate) type AliasId = u32;

/// Number of a rule, in the order of the config.
pub(crate) type RuleId = u32;

/// Number of something an item can mention: first all entities (each with all that lies below it), then all
/// types, then words and gaps as rules ask for them.
pub(crate) type ConceptId = u32;

/// No concept.
pub(crate) const NO_CONCEPT: ConceptId = ConceptId::MAX;

/// A concept that is neither an entity nor a type.
#[derive(Clone, Debug)]
pub(crate) enum Extra {
    /// Words.
    Words(LiteralId),
    /// Pieces one after the other, an entity among them.
    Gap(Gap),
}

/// Pieces in order, each with the words that may stand before it at most; of the first, none.
#[derive(Clone, Debug)]
pub(crate) struct Gap {
    /// Width of the gap before, and the concepts of which one must stand there.
    pub(crate) pieces: Vec<(u32, Vec<ConceptId>)>,
}

/// An alternative of a term.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// What is to be mentioned.
    pub(crate) concept: ConceptId,
    /// As written in the config.
    pub(crate) written: Arc<str>,
}

/// A term with its alternatives: it holds when one of them is mentioned.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    /// Its alternatives.
    pub(crate) wanted: Vec<Wanted>,
}

impl Clause {
    /// As written in the config.
    pub(crate) fn written(&self) -> String {
        let parts: Vec<&str> = self.wanted.iter().map(|wanted| &*wanted.written).collect();
        parts.join(" | ")
    }

    /// The concepts of its alternatives.
    pub(crate) fn concepts(&self) -> impl Iterator<Item = ConceptId> {
        self.wanted.iter().map(|wanted| wanted.concept)
    }
}

/// How an entity is treated.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// Told as an entity.
    Entity(Arc<EntityRef>),
    /// Told as a place.
    Place(Arc<PlaceRef>),
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
    pub(crate) company: Option<Arc<Company>>,
    /// As written.
    pub(crate) written: Arc<str>,
    /// Other spellings that are found as well.
    pub(crate) variants: Vec<String>,
    /// Whether one wrong letter in a long word is forgiven.
    pub(crate) fuzzy: bool,
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
    /// Whether its alerts are sent.
    pub(crate) mode: Mode,
    /// Printed in its alerts.
    pub(crate) note: Option<Arc<str>>,
    /// Its own greatest age of an item.
    pub(crate) max_age: Option<Duration>,
    /// For which items it is at all.
    pub(crate) filters: Option<Box<Filters>>,
    /// All of these must hold.
    pub(crate) all: Vec<Clause>,
    /// One of these must hold, if there are any.
    pub(crate) any: Vec<Clause>,
    /// None of these may hold.
    pub(crate) none: Vec<Clause>,
    /// Terms that must stand close together.
    pub(crate) near: Vec<Near>,
    /// What few rules ask for.
    pub(crate) seldom: Option<Box<Seldom>>,
    /// Where `all`, `any`, `near` and `score` look.
    pub(crate) field: FieldFilter,
    /// In how large a piece `all`, `any` and `near` must hold.
    pub(crate) scope: Scope,
    /// Texts on which it must fire.
    pub(crate) fires_on: Vec<Located<TestText>>,
    /// Texts on which it must stay silent.
    pub(crate) silent_on: Vec<Located<TestText>>,
}

/// Conditions that few rules have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seldom {
    /// Greatest distance at which a hit is taken away, and the terms that do.
    pub(crate) unless: Option<(u32, Vec<Clause>)>,
    /// Weights.
    pub(crate) score: Option<Score>,
}

/// Weights of terms and the sum at which they suffice.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    /// Each term with its weight.
    pub(crate) terms: Vec<(Clause, i64)>,
    /// The least sum.
    pub(crate) threshold: i64,
    /// What a weight is multiplied by in the title.
    pub(crate) title_factor: i64,
}

/// Terms that must stand close together.
#[derive(Clone, Debug)]
pub(crate) struct Near {
    /// Greatest distance from the first word of the group to its last.
    pub(crate) within: u32,
    /// Whether they must stand in the order of the terms.
    pub(crate) ordered: bool,
    /// The terms, at most [`super::near::TERMS_MAX`].
    pub(crate) terms: Vec<Clause>,
}

impl Rule {
    /// The terms of all its conditions, `none` left out.
    pub(crate) fn clauses(&self) -> impl Iterator<Item = &Clause> {
        let near = self.near.iter().flat_map(|near| &near.terms);
        let unless = self.unless().into_iter().flat_map(|(_, terms)| terms);
        let score = self.score().into_iter().flat_map(|score| score.terms.iter().map(|(clause, _)| clause));
        self.all.iter().chain(&self.any).chain(near).chain(unless).chain(score)
    }

    /// The terms that take hits away, and how far they reach.
    pub(crate) fn unless(&self) -> Option<&(u32, Vec<Clause>)> {
        self.seldom.as_ref().and_then(|seldom| seldom.unless.as_ref())
    }

    /// Its weights.
    pub(crate) fn score(&self) -> Option<&Score> {
        self.seldom.as_ref().and_then(|seldom| seldom.score.as_ref())
    }
}
