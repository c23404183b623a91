//! `[[rule]]`: what matters.

use super::read::{Node, Section};
use super::source::language;
use super::tuning::{Scalars, Tuning};
use crate::rules::spec::{FieldFilter, Located, NearSpec, RuleSpec, Severity, TestText, UnlessSpec};
use crate::source::telegram::ChannelName;

/// Reads one `[[rule]]` with what overrides say of it; its terms are checked when the rules are compiled.
pub(super) fn rule(section: &Section<'_>, tuning: &Tuning) -> Option<RuleSpec> {
    let name = section.text("name");
    let tuned = name.as_ref().map(|name| tuning.of(&name.value)).unwrap_or_default();
    let tags = section.words("tags");
    let [all, any, none] = ["all", "any", "none"].map(|name| section.texts(name));
    let unless = section.get("unless").and_then(|node| unless(&node));
    let near = section.get("near").map(|node| near(&node)).unwrap_or_default();
    let lang = section.list("lang").iter().filter_map(language).collect();
    let source = section.texts("source");
    let kind = section.list("kind").iter().filter_map(Node::listed_word).collect();
    let forwarded_from = section.list("forwarded_from").iter().filter_map(channel).collect();
    let score = section.get("score").and_then(|node| node.weights()).unwrap_or_default();
    let own = Scalars::read(section);
    check_conditions(section);
    check_weights(section);
    let scalars = own.with(tuned);
    let field = scalars.field.unwrap_or_default();
    let [fires_on, silent_on] = ["fires_on", "silent_on"]
        .map(|name| section.list(name).iter().filter_map(|node| test_text(node, field)).collect());
    Some(RuleSpec {
        name: name?,
        // Of a value that could not be read the mistake is noted; the rule is still one that can be named.
        severity: scalars.severity.unwrap_or(Severity::Medium),
        tags,
        mode: scalars.mode.unwrap_or_default(),
        note: scalars.note,
        all,
        any,
        none,
        unless,
        near,
        scope: scalars.scope.unwrap_or_default(),
        field,
        lang,
        source,
        kind,
        forwarded_from,
        max_age: scalars.max_age,
        score,
        threshold: scalars.threshold.map(|threshold| threshold.value),
        title_factor: scalars.title_factor.map_or(1, |factor| factor.value),
        fires_on,
        silent_on,
    })
}

/// Whether the rule asks for anything, and its `unless` has something to take away.
fn check_conditions(section: &Section<'_>) {
    if !section.has_any(&["all", "any", "near", "score", "when"]) {
        let hint = "write at least one of `all`, `any`, `near` and `score`";
        section.problem("", "has no condition", Some(hint));
    } else if section.has("unless")
        && !section.has_any(&["all", "any", "near"])
        && let Some(node) = section.get("unless")
    {
        let hint =
            "it takes away hits of `all`, `any` and `near`; give its terms a negative weight in `score`";
        node.report.warn(node.blame("has no effect on `score`").hint(hint));
    }
}

/// Whether `score` and what goes with it stand together.
fn check_weights(section: &Section<'_>) {
    const HINT: &str = "take it out, or write the weights of terms as `score = { \"…\" = 10 }`";
    if section.has("score") {
        if !section.has("threshold")
            && let Some(node) = section.get("score")
        {
            let hint = "say at which sum the rule fires: `threshold = 40`";
            node.report.problem(node.blame("stands without `threshold`").hint(hint));
        }
        return;
    }
    for key in ["threshold", "title_factor"] {
        if section.has(key)
            && let Some(node) = section.get(key)
        {
            node.report.problem(node.blame("goes with `score` alone").hint(HINT));
        }
    }
}

fn near(node: &Node<'_>) -> Vec<NearSpec> {
    if !node.is_list() {
        return group(node).into_iter().collect();
    }
    let groups = node.list().unwrap_or_default();
    if groups.is_empty() {
        node.problem::<()>("is empty", "write a table with `within` and `terms`, or leave `near` out");
    }
    groups.iter().filter_map(group).collect()
}

fn group(node: &Node<'_>) -> Option<NearSpec> {
    let section = node.section()?;
    let within = section.integer("within");
    let ordered = section.flag("ordered");
    let terms = section.texts("terms");
    if section.has("terms") && terms.len() < 2 {
        return section.get("terms")?.problem("needs two terms or more", "one term alone belongs into `all`");
    }
    Some(NearSpec { within: within?, terms, ordered: ordered? })
}

fn unless(node: &Node<'_>) -> Option<UnlessSpec> {
    let section = node.section()?;
    let within = section.integer("within");
    let terms = section.texts("terms");
    if section.has("terms") && terms.is_empty() {
        return section.get("terms")?.problem("is empty", "write a term, or leave `unless` out");
    }
    Some(UnlessSpec { within: within?, terms })
}

/// A Telegram channel by its name, in lower case: Telegram does not tell the cases apart.
fn channel(node: &Node<'_>) -> Option<Located<String>> {
    let text = node.text()?;
    if let Ok(name) = text.value.parse::<ChannelName>() {
        return Some(Located { value: name.as_str().to_ascii_lowercase(), ..text });
    }
    let hint = "write its name, as in `grey_zone`, or its address, as in `https://t.me/grey_zone`";
    node.problem(format!("`{}` is no channel", text.value), hint)
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
