//! `harmattan explain --entity`: what an entity is found by. Neither store nor network is needed.

use serde_json::json;

use super::super::print::{Exit, json as print_json, line, plain};
use crate::control::Mistake;
use crate::desk::Desk;
use crate::rules::{AliasFacts, Engine, EntityFacts};

/// Entities below it that are named; the rest is counted.
const BELOW_MAX: usize = 10;

/// Greatest length of a list on its line.
const LIST_CHARS_MAX: usize = 2000;

/// Prints what is known of the entity `id`.
pub(super) fn explain(desk: &Desk, id: &str, as_json: bool) -> anyhow::Result<Exit> {
    let id = id.strip_prefix('@').unwrap_or(id);
    let facts = desk.engine.entity_facts(id).ok_or_else(|| unknown(&desk.engine, id))?;
    if as_json {
        print_json(&value(&facts))?;
    } else {
        lines(&facts).into_iter().try_for_each(line)?;
    }
    Ok(Exit::Done)
}

/// Nothing has that id; what it is called by may have been meant.
pub(in crate::cli) fn unknown(engine: &Engine, id: &str) -> Mistake {
    let mistake = Mistake::unknown("entity", id, engine.entity_ids());
    match engine.entities_called(id).as_slice() {
        [] => mistake,
        called => Mistake::new(mistake.message, format!("it is an alias of `{}`", called.join("`, `"))),
    }
}

/// For people.
fn lines(facts: &EntityFacts) -> Vec<String> {
    let EntityFacts { id, entity_type, name, aliases, ancestors, below, rules } = facts;
    let mut lines = vec![
        format!("entity   {id}"),
        format!("type     {entity_type}"),
        format!("name     {}", plain(name, 200)),
    ];
    if !ancestors.is_empty() {
        lines.push(format!("within   {}", list(ancestors, " < ")));
    }
    if !below.is_empty() {
        let (shown, left) = below.split_at(below.len().min(BELOW_MAX));
        let more = if left.is_empty() { String::new() } else { format!(" and {} more", left.len()) };
        lines.push(format!("holds    {}: {}{more}", below.len(), list(shown, " ")));
    }
    lines.push(format!("aliases  {}", aliases.len()));
    lines.extend(aliases.iter().flat_map(alias));
    let asked = if rules.is_empty() { "no rule asks for it".to_owned() } else { list(rules, " ") };
    lines.push(format!("rules    {asked}"));
    lines
}

/// An alias, and under it what else it finds and what it depends on.
fn alias(alias: &AliasFacts) -> Vec<String> {
    let AliasFacts { written, variants, needs, rejects, fuzzy } = alias;
    let mut lines = vec![format!("  {}", plain(written, 200))];
    let parts = [("also", variants), ("needs", needs), ("rejects", rejects)];
    for (word, terms) in parts.into_iter().filter(|(_, terms)| !terms.is_empty()) {
        lines.push(format!("      {word:<8} {}", list(terms, ", ")));
    }
    if *fuzzy {
        lines.push("      fuzzy    one wrong letter in a long word is forgiven".to_owned());
    }
    lines
}

fn list(words: &[String], between: &str) -> String {
    plain(&words.join(between), LIST_CHARS_MAX)
}

/// For machines.
fn value(facts: &EntityFacts) -> serde_json::Value {
    let EntityFacts { id, entity_type, name, aliases, ancestors, below, rules } = facts;
    let aliases: Vec<serde_json::Value> = aliases
        .iter()
        .map(|AliasFacts { written, variants, needs, rejects, fuzzy }| {
            json!({ "alias": written, "variants": variants, "needs": needs, "rejects": rejects, "fuzzy": fuzzy })
        })
        .collect();
    json!({
        "id": id, "type": entity_type, "name": name, "in": ancestors, "below": below, "aliases": aliases, "rules": rules,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn an_entity_is_told_with_all_it_is_found_by() {
        let boulikessi = AliasFacts {
            written: "Boulikessi".to_owned(),
            variants: words(&["boulkessi", "boulkessy"]),
            needs: words(&["@ml"]),
            rejects: words(&["film"]),
            fuzzy: true,
        };
        let facts = EntityFacts {
            id: "ml-boulikessi".to_owned(),
            entity_type: "place".to_owned(),
            name: "Boulikessi".to_owned(),
            aliases: vec![boulikessi],
            ancestors: words(&["ml-mopti", "ml", "sahel"]),
            below: (1..=12).map(|number| format!("camp-{number}")).collect(),
            rules: words(&["base-falls", "attack"]),
        };
        let expected = [
            "entity   ml-boulikessi",
            "type     place",
            "name     Boulikessi",
            "within   ml-mopti < ml < sahel",
            "holds    12: camp-1 camp-2 camp-3 camp-4 camp-5 camp-6 camp-7 camp-8 camp-9 camp-10 and 2 more",
            "aliases  1",
            "  Boulikessi",
            "      also     boulkessi, boulkessy",
            "      needs    @ml",
            "      rejects  film",
            "      fuzzy    one wrong letter in a long word is forgiven",
            "rules    base-falls attack",
        ];
        assert_eq!(lines(&facts), expected);
        assert_eq!(value(&facts)["below"].as_array().map(Vec::len), Some(12));
    }
}
