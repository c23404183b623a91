//! What servers order and allow, over restarts: whoever was told it, nobody asks before its time. Names begin with the item
//! of the checklist (polling.md).

use std::time::{Duration, Instant};

use harmattan::fetch::Order;
use harmattan::store::{SledStore, Store as _};
use jiff::{SignedDuration, Timestamp};

use crate::support::calls::{Desk, LOOPBACK, text};
use crate::support::desk;
use crate::support::http::Reply;
use crate::support::lab::{Lab, hours};
use crate::support::preview::Preview;
use crate::support::program::Daemon;
use crate::support::site::Site;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);

fn feed(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n")
}

fn page(name: &str, url: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\npage = \"{url}\"\nselect = {{ item = \"article\", title = \"h2\" }}\n"
    )
}

fn rss(entries: &str) -> Reply {
    let feed = format!("<rss version=\"2.0\"><channel><title>Paper</title>{entries}</channel></rss>");
    Reply::ok(feed).header("ETag", "\"1\"")
}

/// An order to come again in two hours.
fn later(status: u16) -> Reply {
    Reply::status(status).header("Retry-After", "7200")
}

/// Lets all that is stored of orders and due times be so much older, while no program runs.
fn age(desk: &Desk, by: SignedDuration) {
    let store = SledStore::open(&desk.store()).unwrap();
    let before = |time: Timestamp| time.checked_sub(by).unwrap();
    let (orders, states) = (store.orders().unwrap(), store.sources().unwrap());
    store
        .transact(&mut |tx| {
            for (host, Order { at, until }) in &orders {
                tx.put_order(host, &Order { at: before(*at), until: before(*until) })?;
            }
            states.iter().cloned().try_for_each(|mut state| {
                state.due = state.due.map(before);
                state.not_before = state.not_before.map(before);
                state.last_poll = state.last_poll.map(before);
                tx.put_source(&state)
            })
        })
        .unwrap();
}

/// Two sources of 127.0.0.1, one of which fetches articles, and one of another host, each polled every second; baselines
/// are taken.
fn papers() -> (Site, Desk) {
    let site = Site::start();
    for path in ["/paper", "/second", "/elsewhere"] {
        site.show(path, rss(""));
    }
    let sources = [
        feed("paper", &site.url("/paper")) + "article = \"always\"\n",
        feed("second", &site.url("/second")),
        feed("elsewhere", &site.on("127.0.0.2", "/elsewhere")),
    ];
    let desk = Desk::with("");
    let common = "[store]\npath = \"store\"\n[http]\nallow_networks = [\"127.0.0.0/8\"]\n";
    let schedule = "[schedule]\ninterval = \"1s\"\ninterval_min = \"1s\"\nhost_gap = \"0s\"\n";
    std::fs::write(desk.config(), format!("{common}{schedule}{}", sources.concat())).unwrap();
    assert_eq!(desk.all().len(), 3);
    (site, desk)
}

#[test]
fn r1_an_order_to_an_article_holds_its_host_over_a_kill_and_every_round_until_its_time() {
    let (site, desk) = papers();
    let link = site.url("/1");
    site.show("/paper", rss(&format!("<item><title>Mangoes</title><link>{link}</link></item>")));
    site.show("/1", later(429));
    desk.all();
    assert_eq!(site.asked("/1").len(), 1);
    let asked = || [site.asked("/paper").len(), site.asked("/second").len(), site.asked("/1").len()];
    let before = asked();

    let listed = desk.sources();
    for name in ["paper", "second"] {
        let source = &listed[name];
        assert!(source["not_before"].is_string(), "no poll of it has met the order yet: {source}");
        assert_eq!(source["due"], source["not_before"]);
    }
    assert!(listed["elsewhere"]["not_before"].is_null());
    assert_eq!(desk.print(&["sources", "list"]).matches("its server ordered to wait until").count(), 2);

    for _ in 0..2 {
        let polls = desk.all();
        for name in ["paper", "second"] {
            assert_eq!(text(&polls[name], "/outcome"), "waiting", "{name}");
        }
        assert_eq!(text(&polls["elsewhere"], "/outcome"), "unchanged");
    }
    assert!(desk.sources()["second"]["not_before"].is_string(), "shown where sources are listed");
    age(&desk, hours(1));
    for _ in 0..2 {
        let (daemon, polls) = (Daemon::run(&desk.config()), site.asked("/elsewhere").len());
        let began = Instant::now();
        while site.asked("/elsewhere").len() < polls + 2 {
            assert!(began.elapsed() < PATIENCE);
            std::thread::yield_now();
        }
        daemon.kill();
    }
    assert_eq!(asked(), before, "nobody asked the host");

    age(&desk, hours(1));
    let polls = desk.due();
    assert_eq!(text(&polls["second"], "/outcome"), "unchanged", "{polls:?}");
}

#[test]
fn r1_nobody_looks_at_a_host_that_ordered_to_wait_with_a_daemon_or_without() {
    let site = Site::start();
    site.show("/busy", later(429));
    site.show("/new", rss("<item><title>Mangoes</title><link>https://paper.example/1</link></item>"));
    let desk = desk::Desk::new(&format!("{LOOPBACK}{}", feed("busy", &site.url("/busy"))));
    let (new, elsewhere) = (site.url("/new"), site.on("127.0.0.2", "/new"));
    assert_eq!(desk.run(&["preview", &new]).ended(0).err.trim(), "1 item, 0 lost", "there is no store yet");
    desk.run(&["once"]).ended(1);
    let asked = site.targets().len();
    let refused = |line: &[&str], code| {
        let ran = desk.run(line).ended(code);
        assert!(ran.err.contains("not asked: `127.0.0.1` wants to be left alone for 7"), "{}", ran.err);
    };
    let look = || {
        refused(&["preview", &new], 1);
        refused(&["sources", "add", "--dry-run", &new], 74);
    };
    look();
    let daemon = desk.start();
    look();
    assert_eq!(site.targets().len(), asked);
    desk.run(&["preview", &elsewhere]).ended(0);
    assert_eq!(daemon.stop().0, Some(0));
}

#[test]
fn a_round_forgets_once_a_day_what_is_past_its_time() {
    let (_site, desk) = papers();
    let open = || SledStore::open(&desk.store()).unwrap();
    let first = open().retained().unwrap().expect("the first round did it");
    let over = Order { at: first - hours(3), until: first - hours(2) };
    // The clock may have been set back since the last time.
    for (last, forgets) in
        [(first, false), (first - hours(23), false), (first - hours(25), true), (first + hours(1), true)]
    {
        open()
            .transact(&mut |tx| tx.put_order("over.example", &over).and_then(|()| tx.put_retained(last)))
            .unwrap();
        desk.all();
        let known = open().orders().unwrap().iter().any(|(host, _)| host == "over.example");
        assert_eq!(known, !forgets, "{last}");
        assert_eq!(open().retained().unwrap() != Some(last), forgets, "{last}");
    }
}

#[test]
fn r1_an_order_to_a_request_for_robots_txt_holds_its_host_over_restarts() {
    let site = Site::start();
    site.show("/second", rss(""));
    site.show("/robots.txt", later(429));
    let second = feed("second", &site.url("/second"));
    let desk = Desk::with(&second);
    desk.all();
    desk.change(&format!("{second}{}", page("news", &site.url("/news"))));
    desk.run(&["sources", "poll", "news"]);
    assert_eq!(site.targets(), ["/second", "/robots.txt"]);
    let polls = desk.all();
    assert_eq!(text(&polls["second"], "/outcome"), "waiting", "{polls:?}");
    assert_eq!(site.targets(), ["/second", "/robots.txt"]);
}

#[tokio::test]
async fn r1_an_order_to_an_older_page_is_one_to_the_source_and_of_a_429_to_its_host() {
    for (status, second) in [(429, "waiting"), (503, "unchanged")] {
        let preview = Preview::start(1..=20);
        preview.instead("/feed", rss(""));
        let more = preview.source("") + &feed("second", &preview.url("/feed"));
        let mut lab = Lab::with(&more).await;
        assert_eq!(lab.poll("post").await.outcome, "baseline");
        lab.poll("second").await;
        lab.now += hours(1);
        preview.publish(21..=90);
        preview.instead("/s/post?before=71", later(status));
        assert_eq!(lab.poll("post").await.outcome, "read");
        assert_eq!(preview.targets().last().unwrap(), "/s/post?before=71");
        let asked = preview.targets().len();
        assert!(lab.wait("post").await >= 119, "{status}");

        lab.now += SignedDuration::from_mins(110);
        let mut lab = lab.restart().await;
        assert_eq!(lab.poll("post").await.outcome, "waiting", "{status}");
        assert_eq!(preview.targets().len(), asked, "{status}");
        assert_eq!(lab.poll("second").await.outcome, second, "{status}");

        lab.now += SignedDuration::from_mins(11);
        preview.change(|channel| drop(channel.instead.remove("/s/post?before=71")));
        let lab = lab.restart().await;
        let poll = lab.poll("post").await;
        assert_eq!((poll.outcome.as_str(), poll.new), ("read", 50), "{status}");
        assert_eq!(lab.poll("second").await.outcome, "unchanged", "{status}");
    }
}

#[test]
fn g9_two_rounds_within_a_day_ask_for_robots_txt_once() {
    let site = Site::start();
    site.show("/robots.txt", Reply::ok("User-agent: *\nDisallow: /closed\n"));
    site.show("/news", Reply::ok("<article><h2>Mangoes</h2></article>"));
    let sources = [page("news", &site.url("/news")), page("closed", &site.url("/closed"))];
    let desk = Desk::with(&sources.concat());
    for outcome in ["baseline", "unchanged", "unchanged"] {
        let polls = desk.all();
        assert_eq!(text(&polls["news"], "/outcome"), outcome);
        assert!(text(&polls["closed"], "/failure").starts_with("robots: "), "{polls:?}");
    }
    assert_eq!(site.targets(), ["/robots.txt", "/news", "/news", "/news"]);
}

#[tokio::test]
async fn g9_what_a_server_says_to_crawlers_holds_for_a_day_over_restarts() {
    let allowed = || Reply::ok("User-agent: *\nDisallow:\n");
    let rows = [
        // Answer, whether the page is asked for, minutes for which robots.txt is not.
        (allowed(), true, 24 * 60),
        (Reply::status(404), true, 24 * 60),
        (Reply::status(500), false, 30),
        (later(503), false, 120),
        (Reply::status(503).header("Retry-After", "864000"), false, 24 * 60),
    ];
    for (answer, asked, minutes) in rows {
        let site = Site::start();
        site.show("/robots.txt", answer.clone());
        site.show("/news", Reply::ok("<article><h2>Mangoes</h2></article>"));
        let mut lab = Lab::with(&page("news", &site.url("/news"))).await;
        let start = lab.now;
        for (after, times) in [(0, 1), (1, 1), (minutes - 1, 1), (minutes + 1, 2)] {
            lab.now = start + SignedDuration::from_mins(after);
            lab = lab.restart().await;
            let outcome = lab.poll("news").await.outcome;
            assert_eq!(site.asked("/robots.txt").len(), times, "{answer:?} after {after} min: {outcome}");
        }
        assert_eq!(!site.asked("/news").is_empty(), asked, "{answer:?}");
    }
}

#[tokio::test]
async fn g9_rules_hold_on_over_a_restart_while_robots_txt_cannot_be_had() {
    let site = Site::start();
    site.show("/robots.txt", Reply::ok("User-agent: *\nDisallow: /closed\n"));
    site.show("/news", Reply::ok("<article><h2>Mangoes</h2></article>"));
    let sources = [page("news", &site.url("/news")), page("closed", &site.url("/closed"))];
    let mut lab = Lab::with(&sources.concat()).await;
    assert_eq!(lab.poll("news").await.outcome, "baseline");
    site.show("/robots.txt", Reply::status(502));
    for (hour, times) in [(25, 2), (26, 3)] {
        lab.now += hours(hour);
        lab = lab.restart().await;
        for (name, outcome) in [("news", "unchanged"), ("closed", "failed")] {
            assert_eq!(lab.poll(name).await.outcome, outcome, "{name}");
        }
        assert_eq!(site.asked("/robots.txt").len(), times);
    }
    assert!(site.asked("/closed").is_empty());
}

/// `paper`, polled every 20 minutes, and `busy` at the same host, which answers that it wants to be left alone.
async fn beside_one_that_is_busy(paper: Reply, own: &str, seconds: u32) -> Lab {
    let site = Site::start();
    site.show("/paper", paper);
    site.show("/busy", Reply::status(429).header("Retry-After", seconds.to_string()));
    let paper = feed("paper", &site.url("/paper")) + own;
    let lab = Lab::with(&(paper + &feed("busy", &site.url("/busy")))).await;
    assert_eq!(lab.poll("paper").await.outcome, "baseline");
    lab
}

#[tokio::test]
async fn r1_a_poll_asked_for_during_an_order_brings_none_forward() {
    let fresh = rss("").header("Cache-Control", "max-age=60");
    let mut lab = beside_one_that_is_busy(fresh, "interval = \"20m\"\n", 60).await;
    let due = Some(lab.due("paper").await);
    let poll = lab.poll("paper").await;
    assert_eq!((poll.outcome.as_str(), poll.due), ("waiting", due), "the order was to the source");
    lab.now += SignedDuration::from_mins(2);
    assert_eq!(lab.poll("busy").await.outcome, "failed");
    let poll = lab.poll("paper").await;
    assert_eq!((poll.outcome.as_str(), poll.due), ("waiting", due), "the order was to its host");
    assert_eq!(lab.state("paper").await.due, due);
}

#[tokio::test]
async fn f5_nobody_is_asked_in_hours_to_be_left_out_because_an_order_ends_in_them() {
    let skip = "<skipHours><hour>9</hour></skipHours>";
    let mut lab = beside_one_that_is_busy(rss(skip), "", 4200).await;
    let ten = lab.now + hours(2);
    lab.now += SignedDuration::from_mins(20);
    assert_eq!(lab.poll("busy").await.outcome, "failed");
    let poll = lab.poll("paper").await;
    assert_eq!(poll.outcome, "waiting", "until half past nine");
    let due = lab.due("paper").await;
    assert!(due >= ten && poll.due == Some(due), "{due}");
}
