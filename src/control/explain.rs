//! Why each rule did or did not fire on an item, and what became of it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::SignedDuration;

use super::answer::{Context, refused};
use super::api::{self, Reply};
use super::route::Way;
use super::{article, fate, rows};
use crate::daemon::clock;
use crate::desk::Desk;
use crate::item::{Item, ItemId, link};
use crate::route::hold::Asked;
use crate::route::{self, Facts};
use crate::rules::spec::{Mode, RuleSpec};
use crate::rules::verdict::{Match, Verdict};
use crate::rules::{Explanation, Outcome, SourceLabel};
use crate::silence::Silence;
use crate::store::{Deliveries, Store, StoreError, StoredItem};
use crate::story::{Alert, AlertId, StoryId};
use crate::wire;

/// Tier of a source that is not configured: unverified.
const TIER_UNKNOWN: u8 = 3;

/// How long before its item an alert may seem to be made: clocks are set.
const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Explains a stored item: by its id, by the id of one of its alerts, or by its link.
pub(super) async fn explain(
    context: &Context,
    subject: &str,
    rule: Option<&str>,
) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let wanted = subject.to_owned();
    let found = context.station.read(move |store| find(store, &wanted)).await?;
    let Some(item) = found else {
        return Ok(refused(format!(
            "no stored item is `{subject}`; items of a baseline are remembered by their keys alone"
        )));
    };
    let id = item.id;
    let (article, text) = context.station.read(move |store| article::of(store, id)).await?;
    let known = move |store: &dyn Store| Ok((history(store, id)?, store.silences()?));
    let ((alerts, deliveries), silences) = context.station.read(known).await?;
    let story = alerts.first().and_then(|alert| alert.alert.story.id.parse().ok());
    let mut told = verdicts(&desk, item, text.as_deref(), rule, (&silences, story));
    told.article = article;
    told.alerts = alerts;
    told.deliveries = deliveries;
    Ok(Reply::Explain(Box::new(told)))
}

fn find(store: &dyn Store, subject: &str) -> Result<Option<Item>, StoreError> {
    if let Ok(id) = subject.parse::<ItemId>()
        && let Some(stored) = store.find_item(id)?
    {
        return Ok(Some(stored.item));
    }
    if let Ok(id) = subject.parse::<AlertId>() {
        return Ok(store.alert(id)?.map(|alert| alert.item));
    }
    let Some(wanted) = link::normalise(subject) else { return Ok(None) };
    let mut found = None;
    store.visit_items(&mut |StoredItem { item, .. }| {
        if item.url.as_deref().and_then(link::normalise).as_ref() != Some(&wanted) {
            return ControlFlow::Continue(());
        }
        found = Some(item);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// The alerts made of an item, newest first, and their deliveries, those that are owed still first.
fn history(store: &dyn Store, item: ItemId) -> Result<(Vec<api::Alert>, Vec<api::Delivery>), StoreError> {
    // None is older than the item. One whose day is forgotten may have alerts that are still owed.
    let first = store.find_item(item)?.map(|stored| stored.first.start());
    let since = first.and_then(|first| first.checked_sub(CLOCK_SET_BACK).ok());
    let (mut alerts, mut ids) = (Vec::<Alert>::new(), HashSet::new());
    store.visit_alerts(since, &mut |alert| {
        if alert.item.id == item {
            ids.insert(alert.id);
            alerts.push(alert);
        }
        ControlFlow::Continue(())
    })?;
    let mut deliveries = Vec::new();
    if ids.is_empty() {
        return Ok((Vec::new(), deliveries));
    }
    for which in [Deliveries::Open, Deliveries::Closed] {
        store.visit_deliveries(which, &mut |delivery| {
            deliveries.extend(
                delivery
                    .subject
                    .alert()
                    .is_some_and(|alert| ids.contains(&alert))
                    .then(|| rows::delivery(&delivery)),
            );
            ControlFlow::Continue(())
        })?;
    }
    Ok((fate::rows(store, alerts)?, deliveries))
}

/// What the rules of a desk say of an item: what fires on it, and what fires on it and its article together. Where it would
/// go is told by the silences and the story to which it belongs, as far as they are known.
pub fn verdicts(
    desk: &Desk,
    item: Item,
    article: Option<&str>,
    rule: Option<&str>,
    known: (&[Silence], Option<StoryId>),
) -> api::Explain {
    let alone = item;
    let item = article.map_or_else(|| alone.clone(), |text| crate::article::joined(&alone, text));
    let label = label(desk, &alone);
    let verdict = desk.engine.judge(&item, label);
    let mut told = desk.engine.explain(&alone, label, rule);
    if article.is_some() {
        for (own, together) in told.iter_mut().zip(desk.engine.explain(&item, label, rule)) {
            if own.rule == together.rule && !matches!(own.outcome, Outcome::Fired(_)) {
                *own = together;
            }
        }
    }
    let specs: HashMap<&str, &RuleSpec> =
        desk.config.rules.iter().map(|spec| (spec.name.value.as_str(), spec)).collect();
    let rules = told.into_iter().map(|told| rule_verdict(specs.get(&*told.rule).copied(), told)).collect();
    let way = way(desk, &verdict, label, known);
    let places = verdict.places.iter().map(|place| place.id.clone());
    let entities = verdict.entities.iter().map(|entity| entity.id.clone()).chain(places).collect();
    api::Explain {
        item: wire::item::Item::from(verdict.quoted(&item).into_owned()),
        rules,
        entities,
        article: None,
        way,
        alerts: Vec::new(),
        deliveries: Vec::new(),
    }
}

/// Where an alert of what fires would go.
fn way(
    desk: &Desk,
    verdict: &Verdict,
    source: Option<SourceLabel<'_>>,
    (silences, story): (&[Silence], Option<StoryId>),
) -> Option<Way> {
    let rules: Vec<Match> = verdict.fired.iter().filter(|rule| rule.mode == Mode::Live).cloned().collect();
    let Some(severity) = rules.iter().map(|rule| rule.severity).max() else {
        return verdict.fired.first().map(|fired| Way::untold(fired.mode));
    };
    let spec = source.and_then(|source| desk.source(source.name.as_str()));
    let tier = spec.map_or(TIER_UNKNOWN, |source| source.spec.tier);
    let entities = route::mentioned(&verdict.entities, &verdict.places);
    let facts = Facts { severity, rules: &rules, source, tier, entities: &entities };
    let routes = &desk.in_force.routes;
    let asked = Asked::of_a_new_story(severity, clock::now());
    Some(Way::of_alert(routes, &facts, asked, (silences, story.unwrap_or(asked.story))))
}

/// The source of an item as rules see it. One that is no longer configured has its name and no tags.
pub fn label<'a>(desk: &'a Desk, item: &'a Item) -> Option<SourceLabel<'a>> {
    let name = item.source.as_ref()?;
    let spec = desk.config.sources.iter().find(|spec| spec.name == *name);
    Some(SourceLabel { name, tags: spec.map(|spec| spec.tags.as_slice()).unwrap_or_default() })
}

fn rule_verdict(spec: Option<&RuleSpec>, told: Explanation) -> api::RuleVerdict {
    let mode = spec.map_or(Mode::Live, |spec| spec.mode);
    let mut verdict = api::RuleVerdict {
        rule: told.rule.to_string(),
        severity: told.severity.to_string(),
        mode: (mode != Mode::Live).then(|| mode.as_str().to_owned()),
        threshold: spec.and_then(|spec| spec.threshold),
        ..api::RuleVerdict::default()
    };
    match told.outcome {
        Outcome::Fired(fired) => {
            verdict.fired = true;
            verdict.why = fired.why.into_iter().map(Into::into).collect();
            verdict.score = fired.score;
            verdict.note = fired.note.map(|note| note.to_string());
        }
        Outcome::Silent(silence) => {
            verdict.failed = Some(format!("{}: {}", silence.clause, silence.detail));
            verdict.clause = Some(silence.clause);
            verdict.detail = Some(silence.detail);
            verdict.nearest = silence.nearest;
            verdict.only_none = silence.only_none;
        }
    }
    verdict
}
