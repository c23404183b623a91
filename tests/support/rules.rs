//! Rules, entities and items for tests of the engine.

use std::path::Path;
use std::sync::Arc;

use harmattan::item::Item;
use harmattan::rules::Engine;
use harmattan::rules::spec::{AmbiguousSpec, EntitySpec, Located, Origin, RuleSpec, Severity};

pub(crate) fn located<T>(value: T) -> Located<T> {
    Located { value, origin: Origin { file: Arc::from(Path::new("rules.toml")), line: 7 } }
}

pub(crate) fn terms(terms: &[&str]) -> Vec<Located<String>> {
    terms.iter().map(|term| located((*term).to_owned())).collect()
}

pub(crate) fn entity(id: &str, entity_type: &str, aliases: &[&str]) -> EntitySpec {
    EntitySpec {
        name: id.to_uppercase(),
        aliases: terms(aliases),
        ..EntitySpec::new(located(id.to_owned()), entity_type)
    }
}

pub(crate) fn within(mut entity: EntitySpec, parents: &[&str]) -> EntitySpec {
    entity.parents = terms(parents);
    entity
}

pub(crate) fn ambiguous(mut entity: EntitySpec, alias: &str, needs: &[&str], rejects: &[&str]) -> EntitySpec {
    let alias = located(alias.to_owned());
    let (needs, rejects) = (terms(needs), terms(rejects));
    entity.ambiguous.push(AmbiguousSpec { alias, needs, rejects, within: None, rejects_within: None });
    entity
}

pub(crate) fn rule(name: &str, all: &[&str]) -> RuleSpec {
    RuleSpec {
        severity: Severity::High,
        tags: vec!["desk".to_owned()],
        all: terms(all),
        ..RuleSpec::named(located(name.to_owned()))
    }
}

pub(crate) fn item(title: &str, text: &str) -> Item {
    Item::of_text(title, text)
}

/// A small pack about the Sahel.
pub(crate) fn pack() -> Vec<EntitySpec> {
    vec![
        within(entity("sahel", "place", &["bande sahélienne", "Сахел*"]), &[]),
        ambiguous(
            within(entity("ml", "place", &["Malian", "République du Mali"]), &["sahel", "aes"]),
            "Mali",
            &[],
            &["@sport"],
        ),
        within(entity("ml-timbuktu", "place", &["Tombouctou", "Тимбукту", "تمبكتو"]), &["ml"]),
        entity("aes", "organisation", &["Alliance of Sahel States"]),
        ambiguous(entity("ne", "place", &["Nigérien*"]), "Niger", &[], &[]),
        ambiguous(
            entity("wagner-group", "mercenary", &["Wagner Group", "ЧВК Вагнер*", "مجموعة فاغنر", "=GW"]),
            "Wagner",
            &["@merc", "@sahel"],
            &["Richard Wagner", "@opera"],
        ),
        entity("africa-corps", "mercenary", &["Africa Corps"]),
        entity("deby-father", "person", &["Idriss Déby"]),
        entity("deby-son", "person", &["Mahamat Idriss Déby"]),
        entity("merc", "context", &["mercenar*", "Africa Corps"]),
        entity("opera", "context", &["opera", "Bayreuth"]),
        entity("sport", "context", &["football", "Niger Delta"]),
        entity("masks", "mask", &["Niger Delta", "Wagner Moura"]),
    ]
}

pub(crate) fn engine(entities: Vec<EntitySpec>, rules: Vec<RuleSpec>) -> Engine {
    Engine::compile(entities, rules).unwrap_or_else(|problems| panic!("{problems:#?}"))
}
