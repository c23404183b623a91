//! The built program's polls of sources on loopback: when it asks, and what it makes of who answers. Names begin with the
//! item of the checklist.

use std::time::{Duration, Instant};

use harmattan::daemon::clock::now;
use harmattan::event::{HostTrouble, Incident, Run, Told};
use harmattan::schedule::PollReason;
use harmattan::store::{Failing, SledStore, Store, Transaction};
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::calls::{LOOPBACK, text};
use crate::support::desk::Desk;
use crate::support::http::Reply;
use crate::support::site::Site;

const FEED: &str = "<rss version=\"2.0\"><channel><title>Paper</title><item><title>Rain</title>\
    <guid>1</guid><link>https://paper.example/1</link></item></channel></rss>";

/// A desk with these sources.
fn desk(sources: &str) -> Desk {
    Desk::new(&format!("{LOOPBACK}[schedule]\nhost_gap = \"0s\"\n{sources}"))
}

fn feed(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n")
}

/// What a poll by hand came to.
fn by_hand(desk: &Desk, name: &str) -> Value {
    desk.run(&["sources", "poll", name, "--json"]).ended(0).json().remove(0)
}

#[test]
fn g8_a_poll_by_hand_keeps_five_minutes_from_the_last() {
    let site = Site::start();
    site.show("/feed", Reply::ok(FEED));
    let desk = desk(&feed("paper", &site.url("/feed")));
    let first = desk.run(&["once", "--json"]).ended(0).json().remove(0);
    assert_eq!(text(&first, "/outcome"), "baseline");
    let waits = || {
        let waiting = by_hand(&desk, "paper");
        assert_eq!(text(&waiting, "/outcome"), "waiting", "{waiting}");
        assert!(text(&waiting, "/due") < text(&first, "/due"), "five minutes, not the interval: {waiting}");
    };
    waits();
    let daemon = desk.start();
    waits();
    waits();
    assert_eq!(daemon.stop().0, Some(0));
    let listed = desk.run(&["sources", "list", "--json"]).json().remove(0);
    assert_eq!(text(&listed, "/due"), text(&first, "/due"), "the plan stands");
    assert_eq!(site.asked("/feed").len(), 1);
}

#[test]
fn the_sources_of_a_host_that_answers_again_are_asked_soon_whatever_their_backoff() {
    let site = Site::start();
    let names: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
    for name in &names {
        site.show(&format!("/{name}"), Reply::ok(FEED));
    }
    let source = |name: &String| feed(name, &site.url(&format!("/{name}"))) + "interval = \"1m\"\n";
    let sources: String = names.iter().map(source).collect();
    let desk = desk(&format!("[store]\npath = \"../store\"\n{sources}"));
    desk.run(&["once"]).ended(0);

    // A day in which the host could not be reached. One source has an order besides, and one fails by itself.
    let (since, later) = (now() - SignedDuration::from_hours(24), now() + SignedDuration::from_hours(20));
    let store = SledStore::open(&desk.path("store")).unwrap();
    let mut states = store.sources().unwrap();
    for state in &mut states {
        let (reason, detail) = ("dns".to_owned(), "no such name".to_owned());
        let by_host = state.name.as_str() != "s2";
        let run = Run {
            since,
            polls: 9,
            repeated: 9,
            reason: reason.clone(),
            detail: detail.clone(),
            of_document: false,
        };
        state.health.told = Some(Told { reason: reason.clone(), since, by_host, detail: None });
        (state.health.run, state.health.host) = (Some(run), Some("127.0.0.1".to_owned()));
        state.failing = Some(Failing { since, polls: 9, reason, detail });
        state.learned.reason = Some(PollReason::Backoff);
        (state.last_poll, state.due) = (Some(since), Some(later));
        state.not_before = (state.name.as_str() == "s1").then_some(later);
    }
    let incident = Incident { reason: "dns".to_owned(), since, answers: false };
    let trouble = HostTrouble { told: Some(incident), ..HostTrouble::default() };
    let put = |tx: &dyn Transaction| {
        tx.put_host("127.0.0.1", &trouble)?;
        states.iter().try_for_each(|state| tx.put_source(state))
    };
    store.transact(&mut |tx| put(tx)).unwrap();
    drop(store);

    let daemon = desk.start();
    by_hand(&desk, "s0");
    // They are spread over a minute: the first begin at once.
    let began = Instant::now();
    let again =
        |names: &[String]| names.iter().filter(|name| site.asked(&format!("/{name}")).len() > 1).count();
    while again(&names[3..]) < 2 {
        assert!(began.elapsed() < Duration::from_mins(1), "nobody else is asked");
        std::thread::yield_now();
    }
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!((again(&names[..1]), again(&names[1..3])), (1, 0), "an order and a failure of its own stand");
}
