//! `[[route]]`: which alerts go where.

use super::problem::{Problem, Report};
use super::read::{Node, Section};
use super::{hold, suggest};
use crate::event::EventKind;
use crate::route::{AlertFilter, RouteSpec, Takes};
use crate::rules::SourceFilters;
use crate::rules::spec::{EntitySpec, Located, Severity};

/// What a route for events cannot ask for.
const OF_ALERTS: [&str; 6] = ["severity", "rules", "tags", "entities", "source", "tier"];

/// Reads one `[[route]]`; names of notifiers and entities are checked once all files are read.
pub(super) fn route(section: &Section<'_>) -> Option<RouteSpec> {
    let takes = if section.has("events") { events(section) } else { Some(alerts(section)) };
    let to = section.get("to").and_then(|node| node.list());
    let to = to.map(|nodes| nodes.iter().filter_map(Node::text).collect());
    let further = section.flag("continue");
    let holds = hold::holds(section);
    Some(RouteSpec { origin: section.origin(), takes: takes?, to: to?, further: further?, holds })
}

fn alerts(section: &Section<'_>) -> Takes {
    let severity =
        section.has("severity").then(|| section.word("severity")).flatten().and_then(Severity::from_word);
    let mut source = SourceFilters::default();
    for node in section.list("source") {
        let Some(filter) = node.text() else { continue };
        if let Err(why) = source.add(&filter.value) {
            node.problem::<()>(why, "write a source's name, a glob such as `wagner-*`, or `tag:press`");
        }
    }
    let entity = |mut id: Located<String>| {
        id.value = id.value.strip_prefix('@').unwrap_or(&id.value).to_owned();
        id
    };
    Takes::Alerts(Box::new(AlertFilter {
        severity,
        rules: section.list("rules").iter().filter_map(|node| glob(node)).collect(),
        tags: section.words("tags"),
        entities: section.texts("entities").into_iter().map(entity).collect(),
        source,
        tier: if section.has("tier") { section.integer("tier") } else { None },
    }))
}

fn events(section: &Section<'_>) -> Option<Takes> {
    for name in OF_ALERTS.into_iter().chain(hold::OF_ALERTS).filter(|name| section.has(name)) {
        if let Some(node) = section.get(name) {
            node.problem::<()>("goes with alerts alone", "write a route of its own for `events`");
        }
    }
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let mut globs = Vec::new();
    for node in section.list("events") {
        let Some(found) = glob(&node) else { continue };
        if kinds.iter().any(|kind| found.matches(kind)) {
            globs.push(found);
            continue;
        }
        let hint = match suggest::nearest(found.as_str(), kinds.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", super::typed::ticked(&kinds)),
        };
        node.problem::<()>(format!("no event is called `{found}`"), &hint);
    }
    if section.list("events").is_empty() {
        let node = section.get("events")?;
        return node.problem("names no event", "write `events = [\"*\"]` for all");
    }
    Some(Takes::Events(globs))
}

/// A glob in which `*` stands for any letters.
fn glob(node: &Node<'_>) -> Option<glob::Pattern> {
    let text = node.text()?.value;
    match glob::Pattern::new(&text) {
        Ok(glob) if !text.contains(['?', '[', ']']) => Some(glob),
        _ => node.problem(format!("`{text}` is no pattern"), "`*` stands for any letters, nothing else does"),
    }
}

/// Notes the notifiers and entities of routes that there are not.
pub(super) fn check_names(
    routes: &[RouteSpec],
    notifiers: &[&str],
    entities: &[EntitySpec],
    report: &Report,
) {
    let ids: Vec<&str> = entities.iter().map(|entity| entity.id.value.as_str()).collect();
    for route in routes {
        for name in &route.to {
            check(name, "route.to", "notifier", notifiers, report);
        }
        if let Takes::Alerts(filter) = &route.takes {
            for id in &filter.entities {
                check(id, "route.entities", "entity", &ids, report);
            }
        }
    }
}

fn check(name: &Located<String>, key: &str, what: &str, known: &[&str], report: &Report) {
    if known.contains(&name.value.as_str()) {
        return;
    }
    let problem = Problem::new(key, format!("there is no {what} `{}`", name.value)).at(name.origin.clone());
    report.problem(match suggest::nearest(&name.value, known.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    });
}
