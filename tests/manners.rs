//! The built program towards servers on loopback, polite ones and hostile ones, beyond what `polling.rs` holds. Names begin
//! with the item of the checklist or the row of the catalogue of faults.

use std::time::{Duration, Instant};

use crate::support::asking::{brotli, gzip};
use crate::support::calls::{Desk, number, text};
use crate::support::http;
use crate::support::http::Reply;
use crate::support::program::Daemon;
use crate::support::site::Site;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A feed with these titles; a title is also guid and link.
fn feed(titles: &[&str]) -> String {
    let entry = |title: &&str| {
        format!(
            "<item><title>{title}</title><guid>{title}</guid><link>https://paper.example/{title}</link></item>"
        )
    };
    let entries = titles.iter().map(entry).collect::<Vec<_>>().concat();
    format!("<rss version=\"2.0\"><channel><title>Paper</title>{entries}</channel></rss>")
}

fn reply(titles: &[&str]) -> Reply {
    Reply::ok(feed(titles))
}

fn source(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n")
}

/// A desk whose daemon polls every second.
fn quick(http: &str, sources: &str) -> Desk {
    let desk = Desk::with("");
    let schedule = "[schedule]\ninterval = \"1s\"\ninterval_min = \"1s\"\nhost_gap = \"0s\"\n";
    let common =
        format!("[store]\npath = \"store\"\n{schedule}[http]\nallow_networks = [\"127.0.0.0/8\"]\n{http}");
    std::fs::write(desk.config(), format!("{common}\n{sources}")).unwrap();
    desk
}

/// A site with a feed at `/feed` whose baseline is taken, and its desk.
fn read(baseline: Reply) -> (Site, Desk) {
    let site = Site::start();
    site.show("/feed", baseline);
    let desk = Desk::with(&source("paper", &site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    (site, desk)
}

/// Waits until a path was asked for so often, without a sleep: every look takes the lock that the server needs.
fn asked(site: &Site, path: &str, times: usize) {
    let started = Instant::now();
    while site.asked(path).len() < times {
        assert!(started.elapsed() < PATIENCE, "{path} was asked for {} times", site.asked(path).len());
        std::thread::yield_now();
    }
}

/// A site where `/two` leads where `/one` does, and a desk whose source `two` stands aside for `one`, for minutes.
fn aside() -> (Site, Desk) {
    let site = Site::start();
    site.show("/one", Reply::to(301, "/real"));
    site.show("/two", Reply::to(302, "/real"));
    site.show("/real", reply(&["one"]));
    let [one, two] = ["one", "two"].map(|name| source(name, &site.url(&format!("/{name}"))));
    let desk = quick("", &one);
    assert_eq!(desk.poll()["outcome"], "baseline");
    let config = std::fs::read_to_string(desk.config()).unwrap();
    let rule = "[[rule]]\nname = \"convoy\"\nall = [\"convoy attacked\"]\n";
    std::fs::write(desk.config(), format!("{config}{two}{rule}")).unwrap();
    // Each time for twice as long, from the second on.
    for _ in 0..9 {
        assert_eq!(desk.all()["two"]["outcome"], "same");
    }
    site.show("/one", Reply::status(500));
    (site, desk)
}

#[test]
fn r7_who_stands_aside_for_a_source_that_fails_is_asked_at_once() {
    let (site, desk) = aside();
    let [one, two] = ["/one", "/two"].map(|path| site.asked(path).len());
    let daemon = Daemon::run(&desk.config());
    asked(&site, "/two", two + 1);
    daemon.kill();
    assert!(site.asked("/one").len() >= one + 2, "after two failures in a row");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the program has no other clock than the machine's")]
fn r7_who_stood_aside_is_not_asked_in_hours_to_be_left_out() {
    let hour = jiff::Timestamp::now().as_second() / 3600;
    let hours = [0, 1, 2].map(|n| format!("<hour>{}</hour>", (hour + n) % 24)).concat();
    let skip = format!("<title>Paper</title><skipHours>{hours}</skipHours>");
    let site = Site::start();
    for path in ["/one", "/two"] {
        site.show(path, Reply::ok(feed(&[path]).replace("<title>Paper</title>", &skip)));
    }
    site.show("/three", reply(&["three"]));
    let sources = ["one", "two", "three"].map(|name| source(name, &site.url(&format!("/{name}")))).concat();
    let desk = quick("", &sources);
    desk.all();
    site.show("/two", Reply::to(302, "/one"));
    for _ in 0..2 {
        assert_eq!(desk.all()["two"]["outcome"], "same");
    }
    site.show("/one", Reply::status(500));
    let (two, three) = (site.asked("/two").len(), site.asked("/three").len());
    let _daemon = Daemon::run(&desk.config());
    asked(&site, "/three", three + 1);
    let started = Instant::now();
    while number(&desk.sources()["one"], "/failures") < 2 {
        assert!(started.elapsed() < PATIENCE);
        desk.run(&["sources", "poll", "one", "--json"]);
    }
    asked(&site, "/three", site.asked("/three").len() + 3);
    assert_eq!(site.asked("/two").len(), two);
}

#[test]
fn r7_who_stands_aside_for_a_source_that_fails_is_due() {
    let (site, desk) = aside();
    assert!(!desk.due().contains_key("two"));
    let started = Instant::now();
    while number(&desk.sources()["one"], "/failures") < 2 {
        assert!(started.elapsed() < PATIENCE);
        desk.run(&["sources", "poll", "one", "--json"]);
    }
    site.show("/real", reply(&["Convoy attacked", "one"]));
    let two = &desk.due()["two"];
    assert_eq!(
        (&two["outcome"], number(two, "/alerts")),
        (&"baseline".into(), 1),
        "what the other never saw"
    );
    site.show("/real", reply(&["Convoy attacked again", "Convoy attacked", "one"]));
    assert_eq!(number(&desk.all()["two"], "/new"), 1);
}

#[test]
fn c2_one_request_is_unconditional_over_a_kill_and_twenty_polls() {
    let site = Site::start();
    site.show("/feed", reply(&["one"]).header("ETag", "\"1\""));
    let desk = quick("", &source("paper", &site.url("/feed")));
    let daemon = Daemon::run(&desk.config());
    asked(&site, "/feed", 2);
    daemon.kill();
    while site.asked("/feed").len() < 21 {
        desk.all();
    }
    let conditional: Vec<bool> =
        site.asked("/feed").iter().map(|asked| asked.header("if-none-match") == Some(b"\"1\"")).collect();
    assert_eq!(conditional.iter().filter(|conditional| !**conditional).count(), 1);
    assert!(!conditional[0]);
}

#[test]
fn c3_every_answer_brings_its_own_validators() {
    let (site, desk) = read(reply(&["one"]).header("ETag", "\"1\"").header("Last-Modified", "monday"));
    let answers = [
        reply(&["two"]).header("ETag", "\"2\"").header("Last-Modified", "monday"),
        Reply::status(304).header("Last-Modified", "tuesday"),
        Reply::status(304).header("ETag", "\"3\""),
        reply(&["three"]).header("Last-Modified", "sunday, long before"),
        Reply::status(304),
    ];
    for answer in answers {
        site.show("/feed", answer);
        desk.poll();
    }
    let sent: Vec<_> = site
        .asked("/feed")
        .iter()
        .map(|asked| ["if-none-match", "if-modified-since"].map(|name| asked.text(name).unwrap_or_default()))
        .collect();
    let expected = [
        ["", ""],
        ["\"1\"", "monday"],
        ["\"2\"", "monday"],
        ["\"2\"", "tuesday"],
        ["\"3\"", "tuesday"],
        ["", "sunday, long before"],
    ];
    assert_eq!(sent, expected.map(|pair| pair.map(str::to_owned)));
}

#[test]
fn f1_of_a_body_not_to_be_stored_the_items_alone_are_known() {
    let marked = |titles: &[&str]| {
        let body = feed(titles).replace("<channel>", "<channel><!-- not-to-be-kept -->");
        Reply::ok(body).header("Cache-Control", "no-store")
    };
    let (site, desk) = read(marked(&["one"]));
    site.show("/feed", marked(&["two", "one"]));
    assert_eq!(number(&desk.poll(), "/new"), 1, "what was read before is known");
    let folder = desk.config().parent().unwrap().join("store");
    let mut files = vec![folder];
    let mut bytes = Vec::new();
    while let Some(path) = files.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => bytes.extend(std::fs::read(&path).unwrap()),
        }
    }
    let holds = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(holds("paper") && !holds("not-to-be-kept"));
}

#[test]
fn g1_the_user_agent_tells_how_many_feeds_are_behind_it() {
    let site = Site::start();
    let sources: Vec<String> =
        ["a", "b", "c"].map(|name| source(name, &site.url(&format!("/{name}")))).to_vec();
    let desk = Desk::with(&format!("{}contact = \"none\"\n", sources.concat()));
    desk.all();
    let version = env!("CARGO_PKG_VERSION");
    let agent = |path| site.asked(path)[0].text("user-agent").unwrap();
    assert_eq!(agent("/a"), format!("Harmattan/{version} (+mailto:desk@example.org; 3 feeds)"));
    assert_eq!(agent("/c"), format!("Harmattan/{version} (3 feeds)"));
}

#[test]
fn o1_r10_a_delta_adds_its_items_and_takes_none_away() {
    let (site, desk) = read(reply(&["one", "two"]).header("ETag", "\"1\""));
    let delta = Reply::status(226).header("IM", "feed").header("ETag", "\"2\"").body(feed(&["three"]));
    site.show("/feed", delta);
    let poll = desk.poll();
    assert_eq!((text(&poll, "/outcome"), number(&poll, "/new")), ("read".to_owned(), 1));
    site.show("/feed", reply(&["three", "two", "one"]).header("ETag", "\"3\""));
    let poll = desk.poll();
    assert_eq!((text(&poll, "/outcome"), number(&poll, "/new")), ("read".to_owned(), 0));
    let sent: Vec<_> = site.asked("/feed").iter().map(|asked| asked.text("if-none-match")).collect();
    assert_eq!(sent, [None, Some("\"1\"".to_owned()), Some("\"2\"".to_owned())]);
}

#[test]
fn r8_answers_without_news_forget_nothing() {
    let (site, desk) = read(reply(&["one"]).header("ETag", "\"1\""));
    let rows = [
        (Reply::status(304).body(feed(&["bogus"])), "unchanged", ""),
        (Reply::ok(""), "failed", "http: the server answered 200: empty body"),
        (Reply::status(204), "failed", "http: the server answered 204: empty body"),
        (
            Reply::status(202).body("<html>"),
            "failed",
            "challenge: a bot protection asks for a browser (status 202)",
        ),
        (Reply::status(206).body(feed(&["bogus"])), "failed", "http: the server answered 206"),
    ];
    for (answer, outcome, failure) in rows {
        site.show("/feed", answer);
        let poll = desk.poll();
        assert_eq!(
            (text(&poll, "/outcome"), text(&poll, "/failure")),
            (outcome.to_owned(), failure.to_owned())
        );
    }
    site.show("/feed", reply(&["two", "one"]));
    assert_eq!(number(&desk.poll(), "/new"), 1);
    let known = |asked: &http::Asked| asked.header("if-none-match") == Some(b"\"1\"");
    assert!(site.asked("/feed")[1..].iter().all(known));
}

/// Three GiB of nothing in bodies of a few MiB and less, and others of the kind.
fn bombs() -> [(&'static str, &'static str, Vec<u8>); 6] {
    let zeros = vec![0; 1 << 20];
    let (member, frame) = (gzip(&zeros), zstd::encode_all(&zeros[..], 3).unwrap());
    [
        ("plain", "", vec![b' '; 8 << 20]),
        ("gzip", "gzip", member.repeat(3000)),
        ("brotli", "br", brotli(&vec![0; 8 << 20])),
        ("zstd", "zstd", frame.repeat(3000)),
        ("nested", "gzip, gzip", gzip(&gzip(&member.repeat(3000)))),
        ("hidden", "", gzip(&member.repeat(3000))),
    ]
}

#[test]
fn row_13_row_14_bombs_cost_their_own_source_alone_and_little_memory() {
    let site = Site::start();
    let mut sources = String::new();
    for (at, (name, encoding, bytes)) in bombs().into_iter().enumerate() {
        let reply = Reply::status(200).body(bytes);
        let reply = if encoding.is_empty() { reply } else { reply.header("Content-Encoding", encoding) };
        site.show(&format!("/{name}"), reply);
        sources += &source(name, &site.on(&format!("127.0.0.{}", at + 2), &format!("/{name}")));
    }
    site.show("/drip", Reply::status(200).drip(Duration::from_millis(20)));
    sources += &source("drip", &site.url("/drip"));
    site.show("/feed", reply(&["one"]));
    sources += &source("paper", &site.url("/feed"));
    let desk = quick("timeout = \"6s\"\nbody_max = \"4MiB\"", &sources);
    let daemon = Daemon::run(&desk.config());
    for (name, ..) in bombs() {
        asked(&site, &format!("/{name}"), 2);
    }
    asked(&site, "/drip", 2);
    asked(&site, "/feed", 3);
    let peak = daemon.memory_peak();
    assert!(peak < 100 * 1024, "{peak} KiB");
    daemon.kill();
    let states = desk.sources();
    assert_eq!(states["paper"]["state"], "ok");
    for (name, ..) in bombs() {
        assert_eq!(states[name]["reason"], "too-large", "{name}: {}", states[name]);
    }
    assert_eq!(states["drip"]["reason"], "timeout");
}

/// Documents made to exhaust their reader, by name, with the items that each still gives.
fn hostile() -> Vec<(&'static str, Vec<u8>, u64)> {
    let feed = |rest: &str| {
        format!("<rss version='2.0'><channel><item><title>T</title></item>{rest}</channel></rss>")
            .into_bytes()
    };
    let entity = |n: u32| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
    let laughs = format!("<!DOCTYPE rss [<!ENTITY l0 'ha'>{}]>", (1..10).map(entity).collect::<String>());
    let external = "<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd'>";
    let attribute = format!("<item a='{}'><title>U</title></item>", "x".repeat(10 << 20));
    let wide = String::from_utf8(feed("")).unwrap();
    let wide = "\u{feff}".chars().chain(wide.chars()).collect::<String>();
    vec![
        ("items", feed(&"<item><title>T</title></item>".repeat(400_000)), 2_000),
        ("depth", feed(&"<a>".repeat(100_000)), 1),
        ("attribute", feed(&attribute), 2),
        ("laughs", [laughs.into_bytes(), feed("<item><title>&l9;</title></item>")].concat(), 2),
        ("external", [external.as_bytes(), &feed("")].concat(), 1),
        ("utf16", wide.encode_utf16().flat_map(u16::to_le_bytes).collect(), 1),
        ("nul", feed(&"\0".repeat(1 << 20)), 1),
        ("invalid", [feed(""), vec![0xFF; 1 << 20]].concat(), 1),
    ]
}

#[test]
fn row_15_documents_made_to_exhaust_their_reader_cost_little_and_give_what_they_hold() {
    let site = Site::start();
    let mut sources = String::new();
    for (at, (name, bytes, _)) in hostile().into_iter().enumerate() {
        site.show(&format!("/{name}"), Reply::ok(bytes));
        sources += &source(name, &site.on(&format!("127.0.0.{}", at + 2), &format!("/{name}")));
    }
    site.show("/huge", Reply::ok(format!("<rss><channel>{}", "<a/>".repeat(5 << 20))));
    sources += &source("huge", &site.on("127.0.0.30", "/huge"));
    let desk = quick("", &sources);
    let daemon = Daemon::run(&desk.config());
    for (name, ..) in hostile() {
        asked(&site, &format!("/{name}"), 2);
    }
    asked(&site, "/huge", 1);
    let peak = daemon.memory_peak();
    assert!(peak < 250 * 1024, "{peak} KiB");
    daemon.kill();
    let states = desk.sources();
    for (name, _, items) in hostile() {
        assert_eq!(number(&states[name], "/items_last"), items, "{name}: {}", states[name]);
        assert_eq!(states[name]["reason"], serde_json::Value::Null, "{name}");
    }
}
