//! What commands are told of a store, asked as they ask it when no daemon runs.

use std::fs;
use std::sync::Arc;

use harmattan::config::Environment;
use harmattan::control::answer::{Context, answer};
use harmattan::control::api::{Explain, Only, OutboxFilter, Status};
use harmattan::control::history::{PAGE_ALERTS_MAX, PAGE_ITEMS_MAX};
use harmattan::control::{Call, Reply};
use harmattan::daemon::station::OpenStation;
use harmattan::desk::Desk;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::{Hold, HoldReason};
use harmattan::store::{Day, StoreError, Transaction};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::store::*;

/// A store of its own, and what answers from it.
struct Answers {
    context: Context,
    _open: OpenStation,
    _folder: TempDir,
}

impl Answers {
    async fn with(fill: impl FnMut(&dyn Transaction) -> Result<(), StoreError> + Send + 'static) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("harmattan.toml");
        fs::write(&path, "").unwrap();
        let environment = Environment::bare(folder.path().to_owned());
        let desk = Desk::load(&path, &environment, at(1), None).unwrap();
        let store_path = folder.path().join("store");
        let open = OpenStation::create(store_path.clone()).await.unwrap();
        open.station.writer.commit(fill).await.unwrap();
        let (_, desk) = watch::channel(Arc::new(desk));
        let context = Context { station: open.station.clone(), store_path, desk, live: None };
        Self { context, _open: open, _folder: folder }
    }

    async fn outbox(&self, call: Call) -> Vec<String> {
        let Reply::Outbox(listed) = answer(&self.context, call).await else { panic!("not an outbox") };
        listed.into_iter().map(|delivery| delivery.id).collect()
    }

    async fn status(&self) -> Status {
        let Reply::Status(status) = answer(&self.context, Call::Status).await else { panic!("no status") };
        *status
    }

    async fn explain(&self, subject: String) -> Explain {
        let told = answer(&self.context, Call::Explain { subject, rule: None }).await;
        let Reply::Explain(told) = told else { panic!("not explained: {told:?}") };
        *told
    }
}

fn dead(n: u8) -> Delivery {
    with_state(delivery(n), DeliveryState::Dead { at: at(n.into()), reason: "550".into() })
}

fn id(n: u8) -> String {
    delivery(n).id.to_string()
}

/// Nine: one owed, one waiting, two dead, then five delivered.
fn nine(rows: &dyn Transaction) -> Result<(), StoreError> {
    let waiting = DeliveryState::Retrying { failed: at(8), due: at(9), reason: "421".into() };
    rows.put_delivery(&delivery(1))?;
    rows.put_delivery(&with_state(delivery(2), waiting))?;
    [dead(3), dead(4)].iter().try_for_each(|delivery| rows.put_delivery(delivery))?;
    (5..=9).try_for_each(|n| rows.put_delivery(&delivered(n, at(n.into()))))
}

#[tokio::test]
async fn delivered_ones_do_not_push_dead_letters_out_of_the_list() {
    let desk = Answers::with(nine).await;
    for (state, limit, expected) in [
        (OutboxFilter::Dead, 2, vec![4, 3]),
        (OutboxFilter::Dead, 1, vec![4]),
        (OutboxFilter::Pending, 2, vec![1, 2, 4, 3]),
        (OutboxFilter::All, 2, vec![1, 2, 9, 8]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(id).collect();
        assert_eq!(
            desk.outbox(Call::Outbox { state, only: Only::default(), limit }).await,
            expected,
            "{state:?} {limit}"
        );
    }
}

#[tokio::test]
async fn a_filter_is_asked_before_the_limit_counts() {
    let desk = Answers::with(|rows| {
        nine(rows)?;
        let other = |n| Delivery { notifier: "other".into(), ..delivered(n, at(n.into())) };
        (10..=19).try_for_each(|n| rows.put_delivery(&other(n)))?;
        (20..=29).try_for_each(|n| rows.put_delivery(&Delivery { created: at(n.into()), ..delivery(n) }))
    })
    .await;
    let only = |notifier: &str, state: Option<&str>| Only {
        notifier: Some(notifier.to_owned()),
        state: state.map(str::to_owned),
        ..Only::default()
    };
    let (own, all) = (delivery(1).notifier, OutboxFilter::All);
    for (state, only, limit, expected) in [
        (all, only(&own, None), 2, vec![1, 2, 9, 8]),
        (all, only("other", None), 2, vec![19, 18]),
        (all, only(&own, Some("ready")), 3, vec![1, 20, 21]),
        (OutboxFilter::Pending, only(&own, Some("dead")), 1, vec![4]),
    ] {
        let told = format!("{state:?} {only:?} {limit}");
        let expected: Vec<_> = expected.into_iter().map(id).collect();
        assert_eq!(desk.outbox(Call::Outbox { state, only, limit }).await, expected, "{told}");
    }
}

#[tokio::test]
async fn all_that_fit_are_revived_or_dropped_and_no_others() {
    let desk = Answers::with(|rows| {
        let hold = Hold { reason: HoldReason::Quiet, until: at(90) };
        let other = |n| Delivery { notifier: "other".into(), ..dead(n) };
        nine(rows)?;
        rows.put_delivery(&other(10))?;
        rows.put_delivery(&with_state(delivery(11), DeliveryState::Held(hold)))
    })
    .await;
    let only = |notifier: Option<&str>, state: Option<&str>| Only {
        notifier: notifier.map(str::to_owned),
        state: state.map(str::to_owned),
        ..Only::default()
    };
    let other = only(Some("other"), None);
    assert_eq!(desk.outbox(Call::RetryAll { only: other.clone() }).await, [id(10)]);
    assert!(desk.outbox(Call::DropDead { only: other }).await.is_empty(), "it is dead no more");
    let own = delivery(1).notifier;
    assert_eq!(desk.outbox(Call::RetryAll { only: only(Some(&own), Some("retrying")) }).await, [id(2)]);
    assert_eq!(desk.outbox(Call::DropDead { only: only(Some(&own), None) }).await, [id(4), id(3)]);
    assert_eq!(desk.outbox(Call::RetryAll { only: only(Some(&own), None) }).await, [id(2)], "held ones stay");
    assert_eq!(desk.outbox(Call::RetryAll { only: only(None, Some("held")) }).await, [id(11)]);
}

#[tokio::test]
async fn the_status_counts_dead_letters_and_a_retry_revives_them() {
    let desk = Answers::with(nine).await;
    let status = desk.status().await;
    assert_eq!((status.deliveries_open, status.deliveries_dead), (2, 2));
    assert_eq!(desk.outbox(Call::RetryAll { only: Only::default() }).await, [id(2), id(4), id(3)]);
    let status = desk.status().await;
    assert_eq!((status.deliveries_open, status.deliveries_dead), (4, 0));
}

#[tokio::test]
async fn more_deliveries_than_one_transaction_takes_are_all_revived() {
    let many = |n: u16| {
        let mut bytes = [7; 16];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        Delivery { id: harmattan::outbox::DeliveryId::from_bytes(bytes), ..dead(1) }
    };
    let desk = Answers::with(move |rows| (0..2_500).try_for_each(|n| rows.put_delivery(&many(n)))).await;
    assert_eq!(desk.outbox(Call::RetryAll { only: Only::default() }).await.len(), 2_500);
    assert_eq!(desk.status().await.deliveries_dead, 0);
}

#[tokio::test]
async fn an_item_is_explained_with_its_alerts_and_their_deliveries() {
    // An alert of the first item from before its day, as a clock that was set back has it, and one of another item.
    let day = |n: i64| at(n * 86_400);
    let (early, late, other) = (alert_at(1, day(99)), alert_at(1, day(101)), alert_at(2, day(102)));
    let made = [early.clone(), late.clone(), other.clone()];
    let desk = Answers::with(move |rows| {
        rows.put_item(&stored_item(1, Day(100)))?;
        rows.put_item(&stored_item(2, Day(102)))?;
        made.iter().try_for_each(|alert| rows.put_alert(alert))?;
        rows.put_delivery(&with_alert(delivered(1, day(99)), made[0].id))?;
        rows.put_delivery(&with_alert(delivery(2), made[1].id))?;
        rows.put_delivery(&with_alert(dead(3), made[2].id))
    })
    .await;
    for subject in [item(1).id.to_string(), late.id.to_string(), "https://rfi.example/1".into()] {
        let told = desk.explain(subject.clone()).await;
        let alerts: Vec<_> = told.alerts.iter().map(|alert| alert.created).collect();
        assert_eq!(alerts, [day(101), day(99)], "{subject}");
        let deliveries: Vec<_> = told.deliveries.into_iter().map(|delivery| delivery.id).collect();
        assert_eq!(deliveries, [id(2), id(1)], "{subject}");
    }
}

#[tokio::test]
async fn what_is_stored_is_told_page_by_page_and_each_once() {
    let (items, alerts) = (PAGE_ITEMS_MAX as u64 * 2, PAGE_ALERTS_MAX as u64 + 1);
    let day = |n: u64| Day(u16::try_from(100 + n % 3).unwrap());
    let told = |n: u64| {
        let made = at(86_400 * 101 + i64::try_from(n).unwrap());
        harmattan::story::Alert { item: item(n), ..alert_at(1, made) }
    };
    let desk = Answers::with(move |rows| {
        (0..items + items / 2).try_for_each(|n| rows.put_item(&stored_item(n, day(n))))?;
        rows.put_alert(&alert_at(2, at(86_400 * 101 - 1)))?;
        (0..alerts).try_for_each(|n| rows.put_alert(&told(n)))
    })
    .await;
    let since = at(86_400 * 101 + 7);
    let (mut seen, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let Reply::Items(page) = answer(&desk.context, Call::Items { since, after }).await else {
            panic!("no items")
        };
        seen.extend(page.items.into_iter().map(|stored| (stored.day, stored.item.id)));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    once.reverse();
    // A day that began before `since` counts whole; the one before it does not.
    assert_eq!((seen.len() as u64, pages, &seen), (items, 2, &once));
    assert_eq!((seen[0].0, seen[seen.len() - 1].0), (102, 101));

    let since = at(86_400 * 101);
    let Reply::Told(first) = answer(&desk.context, Call::Told { since, after: None }).await else {
        panic!("no alerts")
    };
    let Reply::Told(rest) = answer(&desk.context, Call::Told { since, after: first.next }).await else {
        panic!("no alerts")
    };
    assert_eq!((first.alerts.len(), rest.alerts.len(), rest.next), (PAGE_ALERTS_MAX, 1, None));
    assert_eq!(first.alerts[0].item, item(alerts - 1).id.to_string());
    assert_eq!(rest.alerts[0].rules, [("sahel".to_owned(), true)]);
    let misplaced = answer(&desk.context, Call::Told { since, after: Some("x".into()) }).await;
    assert!(matches!(&misplaced, Reply::Refused { message } if message.contains("`x`")), "{misplaced:?}");
}
