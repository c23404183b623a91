//! `[[entity]]`: who and what rules may name.

use super::read::{Node, Section};
use crate::rules::spec::{AmbiguousSpec, EntitySpec, Located};

/// Reads one `[[entity]]`; its terms are checked when the rules are compiled.
pub(super) fn entity(section: &Section<'_>) -> Option<EntitySpec> {
    let id = section.get("id").and_then(|node| id(&node));
    let entity_type = section.text("type");
    let place_kind = section.text("kind").map(|kind| kind.value);
    let name = section.text("name").map(|name| name.value);
    let aliases = section.texts("aliases");
    let ambiguous = ambiguous(section);
    let related = section.texts("related");
    let parents = parents(section);
    let country = section.get("country").and_then(|node| country(&node));
    let at = section.point("at");
    let fuzzy = section.integer::<u8>("fuzzy");
    let id = id?;
    Some(EntitySpec {
        name: name.unwrap_or_else(|| id.value.clone()),
        id,
        entity_type: entity_type?.value,
        place_kind,
        aliases,
        ambiguous,
        parents,
        related,
        country,
        at,
        fuzzy: fuzzy? == 1,
    })
}

fn id(node: &Node<'_>) -> Option<Located<String>> {
    let text = node.text()?;
    if text.value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Some(text);
    }
    node.problem(format!("`{}` is no id", text.value), "write `a-z`, `0-9` and `-`")
}

/// The parents that `in` names.
pub(super) fn parents(section: &Section<'_>) -> Vec<Located<String>> {
    let Some(node) = section.get("in") else { return Vec::new() };
    if node.is_string() {
        return node.text().into_iter().collect();
    }
    node.list().unwrap_or_default().iter().filter_map(Node::text).collect()
}

fn country(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(text);
    }
    node.problem(format!("`{text}` is no country"), "write its two letters of ISO 3166-1, such as \"ML\"")
}

/// The aliases that `ambiguous` lists.
pub(super) fn ambiguous(section: &Section<'_>) -> Vec<AmbiguousSpec> {
    section.sections("ambiguous").iter().filter_map(ambiguous_alias).collect()
}

fn ambiguous_alias(section: &Section<'_>) -> Option<AmbiguousSpec> {
    let alias = section.text("alias");
    let needs = section.texts("needs");
    let rejects = section.texts("rejects");
    let within = section.integer("within");
    let rejects_within = section.integer("rejects_within");
    Some(AmbiguousSpec { alias: alias?, needs, rejects, within, rejects_within })
}
