//! Row 19: more at once than anybody can read.

use std::collections::BTreeMap;

use harmattan::daemon::clock::now;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store};
use serde_json::Value;

use super::webhook;
use crate::support::calls::{Desk, text};
use crate::support::http::Reply;
use crate::support::site::Site;

/// Sources, each of a host of its own.
const SOURCES: usize = 10;

/// Matching items of each source: a document holds no more than two thousand.
const ITEMS: usize = 1_000;

/// Messages in any hour.
const BUDGET: usize = 20;

/// A feed of that source: so many items that matter, and a quarter as many that do not.
fn feed(source: usize, items: usize) -> Reply {
    let item = |number: usize, words: &str| {
        format!("<item><title>{words} {source:02}-{number:04}</title><guid>{words} {number}</guid></item>")
    };
    let matching = (0..items).map(|number| item(number, "a convoy attacked at"));
    let others = (0..items / 4).map(|number| item(number, "mangoes harvested at"));
    let items: String = matching.chain(others).collect();
    Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"))
}

/// How often the title of each item was told by webhooks.
fn told(bodies: &[Value]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for body in bodies {
        let alerts: Vec<String> = match body["data"]["alerts"].as_array() {
            Some(alerts) => alerts.iter().map(|alert| text(alert, "/item/title")).collect(),
            None => vec![text(body, "/data/item/title")],
        };
        for title in alerts {
            *told.entry(title).or_default() += 1;
        }
    }
    told
}

/// Lets the time of all that is held come, in one transaction; how many those are.
fn pass(desk: &Desk) -> usize {
    let store = SledStore::open(&desk.store()).unwrap();
    let until = now();
    let open = store.open_deliveries().unwrap();
    let due = |delivery: &Delivery| {
        let hold = delivery.state.held()?;
        Some(Delivery { state: DeliveryState::Held(Hold { until, ..hold }), ..delivery.clone() })
    };
    let due: Vec<Delivery> = open.iter().filter_map(due).collect();
    store.transact(&mut |tx| due.iter().try_for_each(|delivery| tx.put_delivery(delivery))).unwrap();
    store.sync().unwrap();
    due.len()
}

#[test]
fn row_19_ten_thousand_alerts_at_once_are_few_messages_and_each_is_told_once() {
    let site = Site::start();
    site.show("/ops", Reply::status(204));
    let sources = (0..SOURCES).fold(String::new(), |sources, number| {
        site.show(&format!("/{number}"), feed(number, 1));
        let url = site.on(&format!("127.0.0.{}", number + 2), &format!("/{number}"));
        sources + &format!("[[source]]\nname = \"wire-{number}\"\nfeed = \"{url}\"\n")
    });
    let route = format!("[[route]]\nto = [\"ops\"]\nbudget = \"{BUDGET}/1h\"\n");
    let desk = Desk::with(&format!("{sources}{}{route}", webhook("ops", site.url("/ops"))));
    desk.all();
    (0..SOURCES).for_each(|number| site.show(&format!("/{number}"), feed(number, ITEMS + 1)));

    let polls = desk.all();
    let sum = |what: &str| polls.values().map(|poll| poll[what].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("alerts"), sum("recorded")), (10_000, 0), "{polls:?}");
    let bodies = || -> Vec<Value> {
        site.asked("/ops").iter().map(|asked| serde_json::from_slice(&asked.body).unwrap()).collect()
    };
    assert_eq!(bodies().len(), BUDGET, "what the budget lets through");
    assert_eq!(pass(&desk), SOURCES * ITEMS - BUDGET, "the rest is held");

    desk.all();
    let bodies = bodies();
    // A hundred alerts, or 256 KiB of them, make a message.
    assert!(bodies.len() <= BUDGET + SOURCES * ITEMS / 50, "{} messages", bodies.len());
    let told = told(&bodies);
    let expected = (0..SOURCES).flat_map(|source| (1..=ITEMS).map(move |item| (source, item)));
    for (source, item) in expected {
        let title = format!("a convoy attacked at {source:02}-{item:04}");
        assert_eq!(told.get(&title), Some(&1), "{title}");
    }
    assert_eq!(told.len(), SOURCES * ITEMS, "and nothing else");
    assert_eq!(pass(&desk), 0, "nothing is left");
}
