//! Why each rule did or did not fire on an item, and what became of it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::SignedDuration;

use super::answer::{Context, refused};
use super::api::{self, Reply};
use super::rows;
use crate::desk::Desk;
use crate::item::{Item, ItemId, link};
use crate::rules::{Explanation, Outcome, SourceLabel};
use crate::store::{Deliveries, Store, StoreError, StoredItem};
use crate::story::AlertId;
use crate::wire;

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
    let mut told = verdicts(&desk, item, rule);
    let (alerts, deliveries) = context.station.read(move |store| history(store, id)).await?;
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
    let (mut alerts, mut ids) = (Vec::new(), HashSet::new());
    store.visit_alerts(since, &mut |alert| {
        if alert.item.id == item {
            ids.insert(alert.id);
            alerts.push(rows::alert(alert));
        }
        ControlFlow::Continue(())
    })?;
    let mut deliveries = Vec::new();
    if ids.is_empty() {
        return Ok((alerts, deliveries));
    }
    for which in [Deliveries::Open, Deliveries::Closed] {
        store.visit_deliveries(which, &mut |delivery| {
            deliveries.extend(ids.contains(&delivery.alert).then(|| rows::delivery(&delivery)));
            ControlFlow::Continue(())
        })?;
    }
    Ok((alerts, deliveries))
}

/// What the rules in force say of an item.
pub fn verdicts(desk: &Desk, item: Item, rule: Option<&str>) -> api::Explain {
    let source = item.source.as_ref().and_then(|name| desk.source(name.as_str()));
    let label = source.map(|source| SourceLabel { name: source.name(), tags: &source.spec.tags });
    let verdict = desk.engine.judge(&item, label);
    let rules = desk.engine.explain(&item, label, rule).into_iter().map(rule_verdict).collect();
    let places = verdict.places.into_iter().map(|place| place.id);
    let entities = verdict.entities.into_iter().map(|entity| entity.id).chain(places).collect();
    api::Explain {
        item: wire::item::Item::from(item),
        rules,
        entities,
        alerts: Vec::new(),
        deliveries: Vec::new(),
    }
}

fn rule_verdict(told: Explanation) -> api::RuleVerdict {
    let (fired, why, failed) = match told.outcome {
        Outcome::Fired(fired) => (true, fired.why.into_iter().map(Into::into).collect(), None),
        Outcome::Silent(silence) => {
            (false, Vec::new(), Some(format!("{}: {}", silence.clause, silence.detail)))
        }
    };
    api::RuleVerdict { rule: told.rule.to_string(), severity: told.severity.to_string(), fired, why, failed }
}
