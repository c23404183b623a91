//! What an entity is found by, for whoever wonders why it was or was not.

use super::engine::Engine;
use super::model::{Alias, Clause, ConceptId, EntityId, Extra, Gap, Role, Rule, Wanted};
use crate::text::folded;

/// An entity as the engine knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityFacts {
    /// Its id.
    pub id: String,
    /// Its type.
    pub entity_type: String,
    /// Its name in Latin script; the id when it has none.
    pub name: String,
    /// The terms that name it, in the order of the config.
    pub aliases: Vec<AliasFacts>,
    /// Ids of everything above it, nearest first.
    pub ancestors: Vec<String>,
    /// Ids of everything below it.
    pub below: Vec<String>,
    /// Names of the rules that ask for it, for its type, or for something above it.
    pub rules: Vec<String>,
}

/// A term that names an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasFacts {
    /// As written.
    pub written: String,
    /// Other spellings of it that are found too, made at load.
    pub variants: Vec<String>,
    /// Of an ambiguous alias: terms of which one must occur.
    pub needs: Vec<String>,
    /// Of an ambiguous alias: terms of which none may occur.
    pub rejects: Vec<String>,
    /// Whether one wrong letter in a long word is forgiven.
    pub fuzzy: bool,
}

impl Engine {
    /// What is known of the entity with that id.
    pub fn entity_facts(&self, id: &str) -> Option<EntityFacts> {
        let (number, entity) = (0..).zip(self.entities()).find(|(_, entity)| &*entity.id == id)?;
        let (entity_type, name) = match &entity.role {
            Role::Entity(told) => (told.entity_type.clone(), told.name.clone()),
            Role::Place(told) => ("place".to_owned(), told.name.clone()),
            Role::Context => ("context".to_owned(), id.to_owned()),
            Role::Mask => ("mask".to_owned(), id.to_owned()),
        };
        let below = self.entities().iter().filter(|other| other.ancestors.contains(&number));
        let asks = |rule: &&Rule| self.asks(rule, number);
        Some(EntityFacts {
            id: id.to_owned(),
            entity_type,
            name,
            aliases: self.aliases().iter().filter(|alias| alias.entity == number).map(alias_facts).collect(),
            ancestors: entity.ancestors.iter().filter_map(|&above| self.id_of(above)).collect(),
            below: below.map(|other| other.id.to_string()).collect(),
            rules: self.rules.iter().filter(asks).map(|rule| rule.name.value.to_string()).collect(),
        })
    }

    /// The ids of all entities, in the order of the config.
    pub fn entity_ids(&self) -> impl Iterator<Item = &str> {
        self.entities().iter().map(|entity| &*entity.id)
    }

    /// The ids of those that `name` is an alias of, in whatever case.
    pub fn entities_called(&self, name: &str) -> Vec<&str> {
        let name = folded(name);
        let bare = |written: &str| folded(written.trim_start_matches(['=', '~']).trim_end_matches('*'));
        let is_called = |alias: &&Alias| {
            bare(&alias.written) == name || alias.variants.iter().any(|variant| bare(variant) == name)
        };
        let owners = self.aliases().iter().filter(is_called).filter_map(|alias| self.entity(alias.entity));
        let mut ids: Vec<&str> = owners.map(|entity| &*entity.id).collect();
        ids.dedup();
        ids
    }

    fn id_of(&self, entity: EntityId) -> Option<String> {
        self.entity(entity).map(|entity| entity.id.to_string())
    }

    /// Whether a mention of an entity can meet a term of a rule, or veto the item.
    fn asks(&self, rule: &Rule, entity: EntityId) -> bool {
        let concepts = self.concepts_of(entity);
        let all = rule.clauses().chain(&rule.none);
        all.flat_map(Clause::concepts).any(|concept| self.leads_to(concept, concepts))
    }

    fn leads_to(&self, concept: ConceptId, wanted: &[ConceptId]) -> bool {
        match self.extra(concept) {
            Some(Extra::Gap(Gap { pieces })) => {
                pieces.iter().flat_map(|(_, piece)| piece).any(|&inner| self.leads_to(inner, wanted))
            }
            Some(Extra::Words(_)) => false,
            None => wanted.contains(&concept),
        }
    }
}

fn alias_facts(alias: &Alias) -> AliasFacts {
    let written = |terms: &[Wanted]| terms.iter().map(|wanted| wanted.written.to_string()).collect();
    let company = alias.company.as_deref();
    AliasFacts {
        written: alias.written.to_string(),
        variants: alias.variants.clone(),
        needs: company.map(|company| written(&company.needs)).unwrap_or_default(),
        rejects: company.map(|company| written(&company.rejects)).unwrap_or_default(),
        fuzzy: alias.fuzzy,
    }
}
