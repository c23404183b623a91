//! What an entity is found by, for whoever wonders why it was or was not.

use super::engine::Engine;

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
        let number = self.entities().position(|entity| &*entity.id == id)?;
        let entity = self.entities().nth(number)?;
        Some(EntityFacts {
            id: id.to_owned(),
            entity_type: String::new(),
            name: id.to_owned(),
            aliases: Vec::new(),
            ancestors: self.ids(&entity.ancestors),
            below: Vec::new(),
            rules: Vec::new(),
        })
    }
}
