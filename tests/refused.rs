//! Digests that a receiver refuses, by the built program on loopback.

use harmattan::daemon::clock::now;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store};

use crate::support::calls::{Desk, text};
use crate::support::desk::rss;
use crate::support::http::{Asked, Reply, Server};
use crate::support::site::Site;

/// How many alerts a webhook tells.
fn alerts(asked: &Asked) -> usize {
    String::from_utf8_lossy(&asked.body).matches("\"item\":").count()
}

#[test]
fn of_a_digest_that_is_refused_all_is_told_that_is_taken() {
    let site = Site::start();
    // A receiver with little room, which one of the alerts trips in any company.
    let hook = Server::start(|asked| match alerts(asked) {
        3.. => Reply::status(413),
        _ if String::from_utf8_lossy(&asked.body).contains("poison") => Reply::status(400),
        _ => Reply::status(204),
    });
    site.show("/feed", Reply::ok(rss(&["calm"])));
    let digest = {
        let at = now() + jiff::SignedDuration::from_hours(5);
        jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M").to_string()
    };
    let desk = Desk::with(&format!(
        "[desk]\ntimezone = \"UTC\"\n[[source]]\nname = \"wire\"\nfeed = \"{}\"\n\
         [[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n\
         [[route]]\nto = [\"hook\"]\ndigest = [\"{digest}\"]\n",
        site.url("/feed"),
        hook.url("/hook"),
    ));
    desk.poll();
    let titles = [
        "calm",
        "a convoy attacked",
        "a convoy attacked, poison",
        "the base falls",
        "the base falls again",
        "one more convoy attacked",
    ];
    site.show("/feed", Reply::ok(rss(&titles)));
    desk.poll();
    let store = SledStore::open(&desk.store()).unwrap();
    // One moment for all, or they are several digests.
    let until = now();
    for delivery in store.open_deliveries().unwrap() {
        let hold = delivery.state.held().unwrap();
        let delivery = Delivery { state: DeliveryState::Held(Hold { until, ..hold }), ..delivery };
        store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
    }
    store.sync().unwrap();
    drop(store);
    // Halves leave with the round, or with one of the next.
    let dead = || {
        let rows = desk.run(&["outbox", "list", "--state", "dead", "--json"]).into_iter();
        let alerts = rows.filter(|row| row["alert"].is_string());
        alerts.map(|row| text(&row, "/reason")).collect::<Vec<String>>()
    };
    for _ in 0..6 {
        desk.all();
        if !dead().is_empty() {
            break;
        }
    }
    let told: Vec<String> = hook
        .asked()
        .iter()
        .filter(|asked| alerts(asked) < 3)
        .map(|asked| String::from_utf8_lossy(&asked.body).into_owned())
        .collect();
    for title in titles.iter().skip(1).filter(|title| !title.contains("poison")) {
        let quoted = format!("\"title\":\"{title}\"");
        let times = told.iter().filter(|body| body.contains(&quoted) && !body.contains("poison")).count();
        assert_eq!(times, 1, "{title}: {told:#?}");
    }
    let dead = dead();
    assert_eq!(dead.len(), 1, "what nobody takes is listed by itself: {dead:?}");
    assert!(dead[0].contains("400"), "{dead:?}");
}
