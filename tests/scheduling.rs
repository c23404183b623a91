//! When the built program asks: spread over hosts and time, over restarts and downtime (polling.md, section 1.4). Names
//! begin with the item of the checklist.

use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use harmattan::store::{SledStore, SourceState, Store};
use jiff::{SignedDuration, Timestamp};

use crate::support::calls::{Desk, text};
use crate::support::http::{Asked, Reply, Server};
use crate::support::lab::{Lab, hours};
use crate::support::program::Daemon;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);

fn paper() -> Server {
    Server::start(|asked| {
        let item = format!("<item><title>Report</title><guid>{}</guid></item>", asked.target);
        let feed = format!("<rss version=\"2.0\"><channel><title>Paper</title>{item}</channel></rss>");
        Reply::ok(feed).header("ETag", "\"1\"")
    })
}

fn source(name: usize, url: &str) -> String {
    format!("[[source]]\nname = \"s{name}\"\nfeed = \"{url}\"\n")
}

/// Sources on hosts of their own.
fn apart(server: &Server, sources: usize) -> String {
    let url = |n: usize| server.on(&format!("127.0.{}.{}", n / 200, n % 200 + 1), "/feed").to_string();
    (0..sources).map(|n| source(n, &url(n))).collect()
}

/// Waits for so many requests, and returns them as they came.
fn asked(server: &Server, requests: usize) -> Vec<Asked> {
    let began = Instant::now();
    loop {
        let asked = server.asked();
        if asked.len() >= requests {
            return asked;
        }
        assert!(began.elapsed() < PATIENCE, "{} of {requests} requests", asked.len());
        std::thread::yield_now();
    }
}

/// Changes what is remembered of every source, while no program runs.
fn remember(desk: &Desk, change: impl Fn(SourceState) -> SourceState) {
    let store = SledStore::open(&desk.store()).unwrap();
    let states = store.sources().unwrap();
    store
        .transact(&mut |tx| states.iter().try_for_each(|state| tx.put_source(&change(state.clone()))))
        .unwrap();
}

fn moved(time: Option<Timestamp>, by: SignedDuration) -> Option<Timestamp> {
    time.map(|time| time.checked_add(by).unwrap())
}

#[test]
fn g5_fifty_feeds_of_one_host_are_asked_one_after_the_other() {
    let server = paper();
    let sources: String = (0..50).map(|n| source(n, server.url(&format!("/{n}")).as_str())).collect();
    let desk = Desk::with("");
    let common = "[store]\npath = \"store\"\n[schedule]\nhost_gap = \"20ms\"\n";
    let http = "[http]\nallow_networks = [\"127.0.0.0/8\"]\n";
    std::fs::write(desk.config(), format!("{common}{http}{sources}")).unwrap();
    desk.all();
    let asked = server.asked();
    assert_eq!((asked.len(), server.busiest()), (50, 1));
    let gaps = asked.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at));
    // A millisecond for the clocks of two processes.
    assert!(gaps.min().unwrap() >= Duration::from_millis(19));
}

#[test]
fn g6_a_first_start_and_one_after_downtime_are_no_burst() {
    let server = paper();
    let desk = Desk::with(&apart(&server, 100));
    // So many sources are started over a minute at least, at most twenty a second.
    let spread = |from: usize| {
        let daemon = Daemon::run(&desk.config());
        let asked = asked(&server, from + 4);
        daemon.kill();
        let took = asked[from + 3].at.duration_since(asked[from].at);
        assert!(took >= Duration::from_millis(300), "{took:?}");
        assert!(server.asked().len() < from + 20, "{} at once", server.asked().len() - from);
    };
    spread(0);
    desk.all();
    // Three hours in which nothing ran: all are overdue.
    let ago = SignedDuration::from_hours(-3);
    remember(&desk, |state| SourceState {
        due: moved(state.due, ago),
        last_poll: moved(state.last_poll, ago),
        ..state
    });
    spread(server.asked().len());
}

/// Minutes between the last poll of a source and the next one, as listed.
fn listed_wait(desk: &Desk) -> i64 {
    let source = &desk.sources()["s1"];
    let time = |at| text(source, at).parse::<Timestamp>().unwrap();
    time("/due").duration_since(time("/last_poll")).as_mins()
}

#[test]
fn a_shorter_interval_holds_and_is_listed_from_the_next_load_on() {
    let (shorter, own) = ("interval = \"5m\"\n", "interval = \"12h\"\n");
    for (before, after, waits) in [
        ((own, ""), (shorter, ""), 5..=6),
        ((own, ""), ("interval = \"1h\"\ninterval_max = \"1h\"\n", ""), 60..=66),
        (("", own), ("", shorter), 5..=6),
        ((shorter, ""), (own, ""), 5..=6),
    ] {
        let server = paper();
        let desk = Desk::with("");
        let write = |(schedule, own): (&str, &str)| {
            let common =
                "[store]\npath = \"store\"\n[http]\nallow_networks = [\"127.0.0.0/8\"]\n[schedule]\n";
            let source = source(1, server.url("/feed").as_str());
            std::fs::write(desk.config(), format!("{common}{schedule}{source}{own}")).unwrap();
        };
        write(before);
        desk.due();
        write(after);
        let wait = listed_wait(&desk);
        assert!(waits.contains(&wait), "{wait} after {before:?} and {after:?}");
        assert!(desk.due().is_empty(), "{before:?} and {after:?}");
        let ago = SignedDuration::from_mins(-70);
        remember(&desk, |state| SourceState { last_poll: moved(state.last_poll, ago), ..state });
        assert_eq!(desk.due().len(), usize::from(after != (own, "")), "{before:?} and {after:?}");
    }
}

#[test]
fn an_order_of_the_server_holds_whatever_the_interval_is_since() {
    let server = Server::start(|_| {
        let item = "<item><title>Report</title><guid>1</guid></item>";
        let feed = format!("<rss version=\"2.0\"><channel><title>Paper</title>{item}</channel></rss>");
        Reply::ok(feed).header("ETag", "\"1\"").header("Cache-Control", "max-age=7200")
    });
    let desk = Desk::with(&source(1, server.url("/feed").as_str()));
    desk.due();
    desk.change(&format!("{}interval = \"5m\"\n", source(1, server.url("/feed").as_str())));
    let wait = listed_wait(&desk);
    assert!((120..=132).contains(&wait), "{wait}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the program has no other clock than the machine's")]
fn f5_what_became_due_while_nothing_ran_waits_for_the_end_of_hours_to_be_left_out() {
    let hour = Timestamp::now().as_second() / 3600;
    let hours = [0, 1, 2].map(|n| format!("<hour>{}</hour>", (hour + n) % 24)).concat();
    let server = Server::start(move |asked| {
        let item = format!("<item><title>Report</title><guid>{}</guid></item>", asked.target);
        let skip = format!("<skipHours>{hours}</skipHours>");
        Reply::ok(format!("<rss version=\"2.0\"><channel><title>Paper</title>{skip}{item}</channel></rss>"))
    });
    let fixed = format!("{}interval = \"15m\"\n", source(2, server.url("/fixed").as_str()));
    let desk = Desk::with(&(source(1, server.url("/feed").as_str()) + &fixed));
    desk.due();
    let ago = SignedDuration::from_hours(-30);
    remember(&desk, |state| SourceState {
        due: moved(state.due, ago),
        last_poll: moved(state.last_poll, ago),
        ..state
    });
    assert_eq!(desk.due().keys().collect::<Vec<_>>(), ["s2"], "one with an interval of its own");
    let asked = server.asked().iter().filter(|asked| asked.target == "/feed").count();
    assert_eq!(asked, 1, "the baseline alone");
    assert_eq!(desk.all().len(), 2, "by hand it is asked");
}

#[test]
fn an_address_that_is_new_while_the_old_one_is_asked_does_not_wait_as_that_one_orders() {
    let (answer, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let server = Server::start(move |asked| {
        let feed = Reply::ok("<rss version=\"2.0\"><channel><title>Paper</title></channel></rss>");
        if asked.target != "/old" {
            return feed;
        }
        held.lock().unwrap().recv().unwrap();
        feed.header("Cache-Control", "max-age=7200")
    });
    let desk = Desk::with("");
    let write = |path: &str| {
        let common = "[store]\npath = \"store\"\n[http]\nallow_networks = [\"127.0.0.0/8\"]\n";
        let schedule = "[schedule]\ninterval = \"1s\"\ninterval_min = \"1s\"\n";
        let source = source(1, server.url(path).as_str());
        std::fs::write(desk.config(), format!("{common}{schedule}{source}")).unwrap();
    };
    write("/old");
    let _daemon = Daemon::run(&desk.config());
    asked(&server, 1);
    write("/new");
    desk.run(&["reload"]);
    assert_eq!(server.targets(), ["/old"], "it is asked still");
    answer.send(()).unwrap();
    assert_eq!(asked(&server, 2)[1].target, "/new");
}

#[test]
fn g7_a_restart_polls_nothing_early_and_a_clock_set_back_holds_nothing_up() {
    let server = paper();
    let desk = Desk::with(&apart(&server, 3));
    assert_eq!(desk.due().len(), 3);
    for _ in 0..3 {
        assert_eq!(desk.due().len(), 0, "not due yet");
    }
    let conditional = |asked: &Asked| asked.header("if-none-match").is_some();
    remember(&desk, |state| SourceState { due: moved(state.due, -hours(1)), ..state });
    assert_eq!(desk.due().len(), 3);
    assert!(server.asked()[3..].iter().all(conditional), "validators outlive a restart");
    // What was planned by a clock that ran a year ahead counts as due.
    remember(&desk, |state| SourceState {
        due: moved(state.due, hours(24 * 365)),
        last_poll: moved(state.last_poll, hours(24 * 365)),
        ..state
    });
    assert_eq!(desk.due().len(), 3);
    assert_eq!(server.asked().len(), 9);
}

#[tokio::test]
async fn f8_a_hundred_polls_and_five_restarts_are_never_closer_than_the_interval() {
    for (interval, status) in [("20m", 200), ("20m", 500), ("3h", 200)] {
        let server = Server::start(move |asked| match (status, asked.header("if-none-match")) {
            (200, Some(_)) => Reply::status(304),
            (200, None) => Reply::ok("<rss version=\"2.0\"><channel><title>P</title></channel></rss>")
                .header("ETag", "\"1\""),
            _ => Reply::status(status),
        });
        let more = format!("interval = \"{interval}\"\n");
        let mut lab = Lab::with(&(source(0, server.url("/feed").as_str()) + &more)).await;
        let least = if interval == "20m" { SignedDuration::from_mins(20) } else { hours(3) };
        lab.poll("s0").await;
        let mut polled = lab.now;
        for round in 1..100 {
            if round % 17 == 0 {
                lab = lab.restart().await;
            }
            lab.next("s0").await;
            let gap = lab.now.duration_since(polled);
            assert!(gap >= least, "{interval} {status}: {gap} before poll {round}");
            polled = lab.now;
        }
        assert_eq!(server.asked().len(), 100);
    }
}
