//! `[[rule]]`: what matters.

use super::read::{Node, Section};
use super::source::language;
use crate::rules::spec::{FieldFilter, Located, NearSpec, RuleSpec, Severity, TestText};

/// Reads one `[[rule]]`; its terms are checked when the rules are compiled.
pub(super) fn rule(section: &Section<'_>) -> Option<RuleSpec> {
    let name = section.text("name");
    let severity = section.word("severity").and_then(Severity::from_word);
    let tags = section.words("tags");
    let [all, any, none] = ["all", "any", "none"].map(|name| section.texts(name));
    let near = section.get("near").and_then(|node| near(&node));
    let field = match section.word("field") {
        Some("title") => FieldFilter::Title,
        Some("text") => FieldFilter::Text,
        _ => FieldFilter::Any,
    };
    let lang = section.list("lang").iter().filter_map(language).collect();
    let source = section.texts("source");
    let [fires_on, silent_on] = ["fires_on", "silent_on"]
        .map(|name| section.list(name).iter().filter_map(|node| test_text(node, field)).collect());
    if !section.has_any(&["all", "any", "near", "score", "when"]) {
        section.problem("", "has no condition", Some("write at least one of `all`, `any` and `near`"));
    }
    Some(RuleSpec {
        severity: severity?,
        tags,
        all,
        any,
        none,
        near: near.into_iter().collect(),
        field,
        lang,
        source,
        fires_on,
        silent_on,
        ..RuleSpec::named(name?)
    })
}

fn near(node: &Node<'_>) -> Option<NearSpec> {
    if node.is_list() {
        return node.problem("a list of tables is not supported yet", "write one table");
    }
    let section = node.section()?;
    let within = section.integer("within");
    let terms = section.texts("terms");
    if section.has("terms") && terms.len() < 2 {
        return section.get("terms")?.problem("needs two terms or more", "one term alone belongs into `all`");
    }
    Some(NearSpec { within: within?, terms, ordered: false })
}

fn test_text(node: &Node<'_>, field: FieldFilter) -> Option<Located<TestText>> {
    let origin = node.origin();
    if node.is_string() {
        let plain = node.free_text()?.value;
        let value = match field {
            FieldFilter::Any | FieldFilter::Title => TestText { title: plain, ..TestText::default() },
            FieldFilter::Text => TestText { text: plain, ..TestText::default() },
        };
        return Some(Located { value, origin });
    }
    let section = node.section()?;
    let title = section.get("title").and_then(|node| node.free_text());
    let text = section.get("text").and_then(|node| node.free_text());
    let lang = section.get("lang").and_then(|node| language(&node));
    let source = section.text("source").map(|source| source.value);
    let value = TestText { title: title?.value, text: text?.value, lang, source };
    Some(Located { value, origin })
}
