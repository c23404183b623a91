//! What is stored, page by page: for commands that look through all of it while the daemon holds the store.
//!
//! A page is a call of its own, so neither side holds more than one, and polls go on between them. What is stored
//! meanwhile stands before the pages already read and is not seen.

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::{Context, refused};
use super::api::Reply;
use super::fate;
use crate::id::NotAnId;
use crate::item::ItemId;
use crate::store::{Day, Store, StoreError, StoredItem, gather};
use crate::story::{Alert, AlertId};
use crate::wire;

/// Items on a page.
pub const PAGE_ITEMS_MAX: usize = 500;

/// Bytes of title and text after which a page ends.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Alerts on a page: each is a line of some hundred bytes.
pub const PAGE_ALERTS_MAX: usize = 5_000;

/// Where a page of items ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Days since 1970 of the last item's first sight.
    pub day: u16,
    /// The last item.
    pub id: String,
}

/// A page of stored items, newest day first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemsPage {
    /// The items.
    pub items: Vec<Stored>,
    /// Where to go on; absent after the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Place>,
}

/// A stored item; its text is cut at 8 KiB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The item.
    pub item: wire::item::Item,
    /// Days since 1970 of its first sight.
    pub day: u16,
    /// When this version was fetched.
    pub fetched: Timestamp,
}

/// A page of alerts, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToldPage {
    /// The alerts.
    pub alerts: Vec<Told>,
    /// The last one, behind which to go on; absent after the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An alert, as far as it is compared with what rules say now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Its item.
    pub item: String,
    /// The rules that fired, and whether each was live then.
    pub rules: Vec<(String, bool)>,
    /// Whether the rules saw more of the text than is stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl From<StoredItem> for Stored {
    fn from(stored: StoredItem) -> Self {
        Self { item: stored.item.into(), day: stored.first.0, fetched: stored.fetched }
    }
}

impl TryFrom<Stored> for StoredItem {
    type Error = NotAnId;

    fn try_from(stored: Stored) -> Result<Self, NotAnId> {
        Ok(Self {
            item: stored.item.try_into()?,
            first: Day(stored.day),
            fetched: stored.fetched,
            before: None,
            fired: None,
        })
    }
}

/// A page of the items first seen since the day of `since`.
pub(super) async fn items(
    context: &Context,
    since: Timestamp,
    after: Option<Place>,
) -> Result<Reply, StoreError> {
    let after = match after.map(|place| place.id.parse::<ItemId>().map(|id| (Day(place.day), id))) {
        Some(Ok(place)) => Some(place),
        Some(Err(error)) => return Ok(refused(error.to_string())),
        None => None,
    };
    let page = context.station.read(move |store| items_page(store, Day::of(since), after)).await?;
    Ok(Reply::Items(page))
}

fn items_page(store: &dyn Store, oldest: Day, after: Option<(Day, ItemId)>) -> Result<ItemsPage, StoreError> {
    let mut page = ItemsPage::default();
    let (mut bytes, mut last) = (0, None);
    let mut visit = |stored: StoredItem| {
        if stored.first < oldest {
            return ControlFlow::Break(());
        }
        if page.items.len() >= PAGE_ITEMS_MAX || bytes >= PAGE_BYTES_MAX {
            page.next = last.take();
            return ControlFlow::Break(());
        }
        bytes += stored.item.title.len() + stored.item.text.len();
        last = Some(Place { day: stored.first.0, id: stored.item.id.to_string() });
        page.items.push(stored.into());
        ControlFlow::Continue(())
    };
    match after {
        Some(place) => store.visit_items_after(place, &mut visit)?,
        None => store.visit_items(&mut visit)?,
    }
    Ok(page)
}

/// The newest alerts made since `since` and before `after`, at most `limit`.
pub(super) async fn alerts(
    context: &Context,
    since: Option<Timestamp>,
    limit: usize,
    after: Option<String>,
) -> Result<Reply, StoreError> {
    let after = match after.map(|id| id.parse::<AlertId>()).transpose() {
        Ok(after) => after,
        Err(error) => return Ok(refused(error.to_string())),
    };
    let listed = move |store: &dyn Store| {
        let alerts = match after {
            None => store.alerts(since, limit)?,
            Some(after) => gather(limit, |visit| store.visit_alerts_after(since, after, visit))?,
        };
        fate::rows(store, alerts)
    };
    Ok(Reply::Alerts(context.station.read(listed).await?))
}

/// A page of the alerts made since `since`.
pub(super) async fn told(
    context: &Context,
    since: Timestamp,
    after: Option<String>,
) -> Result<Reply, StoreError> {
    let after = match after.map(|id| id.parse::<AlertId>()).transpose() {
        Ok(after) => after,
        Err(error) => return Ok(refused(error.to_string())),
    };
    let page = context.station.read(move |store| told_page(store, since, after)).await?;
    Ok(Reply::Told(page))
}

fn told_page(store: &dyn Store, since: Timestamp, after: Option<AlertId>) -> Result<ToldPage, StoreError> {
    let mut page = ToldPage::default();
    let mut last = None;
    let mut visit = |alert: Alert| {
        if page.alerts.len() >= PAGE_ALERTS_MAX {
            page.next = last.map(|id: AlertId| id.to_string());
            return ControlFlow::Break(());
        }
        last = Some(alert.id);
        page.alerts.push(row(alert));
        ControlFlow::Continue(())
    };
    match after {
        Some(last) => store.visit_alerts_after(Some(since), last, &mut visit)?,
        None => store.visit_alerts(Some(since), &mut visit)?,
    }
    Ok(page)
}

fn row(alert: Alert) -> Told {
    let live = |mode| mode == crate::rules::spec::Mode::Live;
    let rules = alert.rules.into_iter().map(|fired| (fired.rule.to_string(), live(fired.mode))).collect();
    Told { item: alert.item.id.to_string(), rules, truncated: alert.truncated }
}
