//! Polls by the built program against a scripted site on loopback: how fetch, source, schedule and store join. Each
//! call is a process of its own, so whatever is remembered comes from the disk.

use harmattan::daemon::clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::asking::gzip;
use crate::support::calls::{Desk, number, text};
use crate::support::http::{Nobody, Reply};
use crate::support::site::Site;

/// Fires the rule `convoy`.
const CONVOY: &str = "Convoy attacked";

/// Fires nothing.
const MANGOES: &str = "Mangoes harvested";

/// An entry of a feed; its guid and link follow from its number.
fn entry(number: u32, title: &str) -> String {
    linked(&format!("paper-{number}"), &format!("https://paper.example/{number}"), title)
}

fn linked(guid: &str, link: &str, title: &str) -> String {
    format!(
        r#"<item><title>{title}</title><guid isPermaLink="false">{guid}</guid><link>{link}</link></item>"#
    )
}

/// An entry published so many days ago.
fn dated(number: u32, title: &str, days: i64) -> String {
    let published = clock::now() - SignedDuration::from_hours(24 * days);
    let date = published.strftime("%a, %d %b %Y %H:%M:%S GMT");
    entry(number, title).replace("</item>", &format!("<pubDate>{date}</pubDate></item>"))
}

fn feed(entries: &[String]) -> String {
    format!(
        r#"<?xml version="1.0"?><rss version="2.0"><channel><title>Paper</title>{}</channel></rss>"#,
        entries.concat()
    )
}

fn reply(entries: &[String]) -> Reply {
    Reply::ok(feed(entries))
}

/// A feed of the name `paper`.
fn paper(url: &str) -> String {
    source("paper", url)
}

fn source(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n")
}

/// A site with a feed at `/feed` whose baseline is taken, and its desk.
fn read(baseline: &[String]) -> (Site, Desk) {
    let site = Site::start();
    site.show("/feed", reply(baseline));
    let desk = Desk::with(&paper(&site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    (site, desk)
}

/// Polls, which must go well, and gives the counts of new items, edits, alerts sent and alerts recorded.
fn counts(desk: &Desk) -> [u64; 4] {
    let poll = desk.poll();
    assert_eq!(poll["outcome"], "read", "{poll}");
    ["/new", "/edited", "/alerts", "/recorded"].map(|count| number(&poll, count))
}

// Validators

#[test]
fn c1_c2_only_the_first_request_is_unconditional_and_the_next_echo_byte_for_byte() {
    let site = Site::start();
    let etag = b"W/\"a b\xe9\"";
    let modified = "Sun, 31 Feb 2041 25:00:00 CEST";
    let tagged =
        |etag: &[u8]| reply(&[entry(1, MANGOES)]).header("ETag", etag).header("Last-Modified", modified);
    site.show("/feed", tagged(etag));
    let desk = Desk::with(&paper(&site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    site.show("/feed", Reply::status(304).header("ETag", "unquoted"));
    assert_eq!(desk.poll()["outcome"], "unchanged");
    site.show("/feed", Reply::status(500));
    assert_eq!(desk.poll()["outcome"], "failed");
    site.show("/feed", Reply::status(304));
    assert_eq!(desk.poll()["outcome"], "unchanged");

    let asked = site.asked("/feed");
    let sent: Vec<_> = asked
        .iter()
        .map(|asked| (asked.header("if-none-match"), asked.header("if-modified-since")))
        .collect();
    let modified = Some(modified.as_bytes());
    let refreshed = (Some(&b"unquoted"[..]), modified);
    assert_eq!(sent, [(None, None), (Some(&etag[..]), modified), refreshed, refreshed]);
}

#[test]
fn c3_a_document_replaces_both_validators_even_when_its_body_is_the_same() {
    let site = Site::start();
    let old = || reply(&[entry(1, MANGOES)]).header("ETag", "\"1\"").header("Last-Modified", "one");
    site.show("/a", old());
    site.show("/b", old());
    let desk = Desk::with(&format!("{}{}", source("a", &site.url("/a")), source("b", &site.url("/b"))));
    desk.all();
    site.show("/a", reply(&[entry(1, MANGOES)]).header("ETag", "\"2\""));
    site.show("/b", reply(&[entry(2, MANGOES)]).header("ETag", "\"2\""));
    desk.all();
    desk.all();
    for path in ["/a", "/b"] {
        let third = &site.asked(path)[2];
        assert_eq!(third.text("if-none-match").as_deref(), Some("\"2\""));
        assert_eq!(third.header("if-modified-since"), None, "a header that disappeared is forgotten");
    }
}

#[test]
fn c7_the_same_body_is_no_work() {
    let (site, desk) = read(&[entry(1, MANGOES), entry(2, CONVOY)]);
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/items")), (&"unchanged".into(), 0));
    assert_eq!(site.asked("/feed")[1].header("if-none-match"), None);
    assert_eq!(desk.sources()["paper"]["items"], 2);
}

#[test]
fn c6_a_constant_etag_hides_no_new_item() {
    let site = Site::start();
    site.show("/feed", reply(&[entry(1, MANGOES)]).header("ETag", "\"same\""));
    let desk = Desk::with(&paper(&site.url("/feed")));
    desk.poll();
    site.show("/feed", reply(&[entry(2, CONVOY), entry(1, MANGOES)]).header("ETag", "\"same\""));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
}

#[test]
fn c4_a_truncated_document_tells_what_it_has_and_keeps_the_old_validators() {
    let site = Site::start();
    let ends = [("inside", "near Kidal"), ("between", "<item><title>Convoy attacked near")];
    let sources = ends.map(|(name, _)| source(name, &site.url(&format!("/{name}")))).concat();
    let desk = Desk::with(&sources);
    let show =
        |name: &str, reply: Reply, etag: &str| site.show(&format!("/{name}"), reply.header("ETag", etag));
    let entries = |name: &str| {
        [("3", "Convoy attacked"), ("2", "Convoy attacked near Kidal"), ("1", MANGOES)].map(
            |(guid, title)| {
                linked(guid, &format!("https://{name}.example/{guid}"), &format!("{title}, says {name}"))
            },
        )
    };
    for (name, _) in ends {
        show(name, reply(&entries(name)[2..]), "\"old\"");
    }
    desk.all();
    for (name, end) in ends {
        let full = feed(&entries(name));
        show(name, Reply::ok(&full.as_bytes()[..full.find(end).unwrap()]), "\"new\"");
    }
    for (name, poll) in desk.all() {
        assert_eq!(number(&poll, "/alerts"), 1, "{poll}");
        let told = format!("salvaged: the document ends {name}");
        assert!(poll["problems"].to_string().contains(&told), "{poll}");
    }
    for (name, _) in ends {
        show(name, reply(&entries(name)), "\"new\"");
    }
    for (_, poll) in desk.all() {
        assert_eq!((number(&poll, "/new"), number(&poll, "/alerts")), (1, 1), "the rest comes: {poll}");
    }
    desk.all();
    for (name, _) in ends {
        let asked = site.asked(&format!("/{name}"));
        let sent: Vec<_> = asked.iter().map(|asked| asked.text("if-none-match")).collect();
        let old = Some("\"old\"".to_owned());
        assert_eq!(sent, [None, old.clone(), old, Some("\"new\"".to_owned())]);
    }
    assert_eq!(desk.told().len(), 4);
}

#[test]
fn c4_a_transfer_that_breaks_off_tells_the_whole_items_that_came_and_keeps_the_old_validators() {
    let site = Site::start();
    let entries = [entry(3, "Convoy attacked near Gao"), entry(2, CONVOY), entry(1, MANGOES)];
    let full = feed(&entries);
    let until = |what: &str| full.as_bytes()[..full.find(what).unwrap()].to_vec();
    let packed = gzip(full.as_bytes());
    let chunk = until("paper-2");
    let chunked =
        format!("HTTP/1.1 200 OK\r\nETag: \"new\"\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", full.len());
    // Each with how many of the two new items are whole in it.
    let breaks = [
        ("length", Reply::ok(until("paper-2")).claiming(full.len()), 1),
        ("chunks", Reply::raw([chunked.as_bytes(), &chunk].concat()), 1),
        ("gzip", Reply::ok(&packed[..packed.len() - 8]).header("Content-Encoding", "gzip"), 2),
        ("behind", Reply::ok(full.as_bytes()).claiming(full.len() + 9), 2),
        ("nothing", Reply::ok(until("<item>")).claiming(full.len()), 0),
    ];
    let path = |name: &str| format!("/{name}");
    let sources = breaks.each_ref().map(|(name, ..)| source(name, &site.url(&path(name)))).concat();
    let desk = Desk::with(&sources);
    for (name, ..) in &breaks {
        site.show(&path(name), reply(&entries[2..]).header("ETag", "\"old\""));
    }
    desk.all();
    for (name, broken, _) in &breaks {
        let named = broken.clone();
        site.show(&path(name), if *name == "chunks" { named } else { named.header("ETag", "\"new\"") });
    }
    let polls = desk.all();
    for (name, _, whole) in &breaks {
        let poll = &polls[*name];
        if *whole == 0 {
            assert_eq!(poll["outcome"], "failed", "{poll}");
            assert!(text(poll, "/failure").starts_with("http: no complete answer"), "{poll}");
            continue;
        }
        assert_eq!((&poll["outcome"], number(poll, "/new")), (&"read".into(), *whole), "{poll}");
        assert!(poll["problems"].to_string().contains("salvaged: the transfer broke off"), "{poll}");
    }
    for (name, ..) in &breaks {
        site.show(&path(name), reply(&entries).header("ETag", "\"new\""));
    }
    let polls = desk.all();
    desk.all();
    for (name, _, whole) in &breaks {
        assert_eq!(number(&polls[*name], "/new"), 2 - whole, "the rest comes: {}", polls[*name]);
        let sent =
            site.asked(&path(name)).iter().map(|asked| asked.text("if-none-match")).collect::<Vec<_>>();
        let old = Some("\"old\"".to_owned());
        assert_eq!(sent, [None, old.clone(), old, Some("\"new\"".to_owned())], "{name}");
    }
    let states = desk.sources();
    assert!(states.values().all(|state| state["state"] == "ok"), "{states:?}");
}

#[test]
fn c4_r8_r9_a_body_that_is_no_feed_keeps_the_old_validators_and_forgets_nothing() {
    let bodies = [
        ("cut", &b"<rss version=\"2.0\"><chan"[..], "parse"),
        ("page", b"<!DOCTYPE html><html><body><p>Back soon</p></body></html>", "parse"),
        ("junk", b"\x00\x01\x02 what", "parse"),
        ("blank", b"  \n ", "parse"),
        ("empty", b"", "http"),
        ("wall", b"<html><head><title>Just a moment...</title></head></html>", "challenge"),
    ];
    let site = Site::start();
    let old = || reply(&[entry(1, MANGOES)]).header("ETag", "\"old\"");
    for (name, ..) in bodies {
        site.show(&format!("/{name}"), old());
    }
    let desk = Desk::with(&bodies.map(|(name, ..)| source(name, &site.url(&format!("/{name}")))).concat());
    desk.all();
    for (name, body, _) in bodies {
        site.show(&format!("/{name}"), Reply::ok(body).header("ETag", "\"bad\""));
    }
    desk.all();
    let states = desk.sources();
    for (name, _, reason) in bodies {
        assert_eq!(
            (&states[name]["state"], &states[name]["reason"]),
            (&"failing".into(), &reason.into()),
            "{name}"
        );
        site.show(&format!("/{name}"), reply(&[entry(2, MANGOES), entry(1, MANGOES)]));
    }
    for (name, poll) in desk.all() {
        assert_eq!((&poll["outcome"], number(&poll, "/new")), (&"read".into(), 1), "{poll}");
        let asked = site.asked(&format!("/{name}"));
        let sent: Vec<_> = asked.iter().map(|asked| asked.text("if-none-match")).collect();
        let old = Some("\"old\"".to_owned());
        assert_eq!(sent, [None, old.clone(), old], "{name}");
    }
}

#[test]
fn c8_no_validator_goes_to_a_changed_address() {
    let site = Site::start();
    site.show("/feed", reply(&[entry(1, MANGOES)]).header("ETag", "\"old\""));
    site.show("/moved", reply(&[entry(1, MANGOES)]).header("ETag", "\"moved\""));
    let desk = Desk::with(&paper(&site.url("/feed")));
    desk.poll();
    desk.change(&paper(&site.url("/moved")));
    desk.poll();
    desk.poll();
    let sent: Vec<_> = site.asked("/moved").iter().map(|asked| asked.text("if-none-match")).collect();
    assert_eq!(sent, [None, Some("\"moved\"".to_owned())]);
}

#[test]
fn c8_no_validator_goes_to_another_target_of_a_redirect() {
    let site = Site::start();
    let body = || reply(&[entry(1, MANGOES)]);
    site.show("/feed", Reply::to(302, "/a"));
    site.show("/a", body().header("ETag", "\"a\""));
    site.show("/b", body().header("ETag", "\"b\""));
    let desk = Desk::with(&paper(&site.url("/feed")));
    desk.poll();
    desk.poll();
    site.show("/feed", Reply::to(302, "/b"));
    desk.poll();
    desk.poll();
    let sent = |path| site.asked(path).iter().map(|asked| asked.text("if-none-match")).collect::<Vec<_>>();
    assert_eq!(sent("/a"), [None, Some("\"a\"".to_owned())]);
    assert_eq!(sent("/b"), [None, Some("\"b\"".to_owned())]);
    assert_eq!(sent("/feed"), [None, None, None, None]);
}

// Servers' orders

#[test]
fn r1_a_429_holds_its_whole_host_over_restarts_and_no_other() {
    let site = Site::start();
    site.show("/a", Reply::status(429).header("Retry-After", "3600"));
    for path in ["/b", "/c"] {
        site.show(path, reply(&[entry(1, MANGOES)]));
    }
    let a = source("a", &site.url("/a"));
    let others = format!("{}{}", source("b", &site.url("/b")), source("c", &site.on("127.0.0.2", "/c")));
    let desk = Desk::with(&a);
    assert_eq!(desk.poll()["outcome"], "failed");
    desk.change(&format!("{a}{others}"));
    for c in ["baseline", "unchanged"] {
        let polls = desk.all();
        let outcomes = ["a", "b", "c"].map(|name| text(&polls[name], "/outcome"));
        assert_eq!(outcomes, ["waiting", "waiting", c]);
    }
    assert_eq!(site.targets(), ["/a", "/c", "/c"]);
    let sources = desk.sources();
    let (ordered, held) = (text(&sources["a"], "/not_before"), text(&sources["b"], "/not_before"));
    assert_eq!(held.get(..16), ordered.get(..16), "the listing tells for how long its host holds `b`, too");
}

#[test]
fn r1_a_429_at_the_end_of_a_redirect_holds_the_host_that_gave_it() {
    let site = Site::start();
    site.show("/a", Reply::to(302, site.on("127.0.0.2", "/far")));
    site.show("/far", Reply::status(429).header("Retry-After", "3600"));
    for path in ["/b", "/c"] {
        site.show(path, reply(&[entry(1, MANGOES)]));
    }
    let a = source("a", &site.url("/a"));
    let others = format!("{}{}", source("b", &site.url("/b")), source("c", &site.on("127.0.0.2", "/c")));
    let desk = Desk::with(&a);
    assert_eq!(desk.poll()["outcome"], "failed");
    desk.change(&format!("{a}{others}"));
    let polls = desk.all();
    let outcomes = ["a", "b", "c"].map(|name| text(&polls[name], "/outcome"));
    assert_eq!(outcomes, ["waiting", "baseline", "waiting"]);
    assert_eq!(site.targets(), ["/a", "/far", "/b"]);
}

#[test]
fn a_429_that_only_says_how_fresh_it_is_holds_nobody_else() {
    let site = Site::start();
    site.show("/a", Reply::status(429).header("Cache-Control", "max-age=3600"));
    site.show("/b", reply(&[entry(1, MANGOES)]));
    let a = source("a", &site.url("/a"));
    let desk = Desk::with(&a);
    assert_eq!(desk.poll()["outcome"], "failed");
    desk.change(&format!("{a}{}", source("b", &site.url("/b"))));
    assert_eq!(desk.all()["b"]["outcome"], "baseline");
}

#[test]
fn r1_a_503_holds_its_source_alone() {
    let site = Site::start();
    site.show("/a", Reply::status(503).header("Retry-After", "3600"));
    site.show("/b", reply(&[entry(1, MANGOES)]));
    let desk = Desk::with(&format!("{}{}", source("a", &site.url("/a")), source("b", &site.url("/b"))));
    for (a, b) in [("failed", "baseline"), ("waiting", "unchanged")] {
        let polls = desk.all();
        assert_eq!(["a", "b"].map(|name| text(&polls[name], "/outcome")), [a, b]);
    }
    assert_eq!((site.asked("/a").len(), site.asked("/b").len()), (1, 2));
    let state = &desk.sources()["a"];
    assert_eq!(
        (&state["state"], &state["reason"]),
        (&"failing".into(), &"http".into()),
        "waiting is no recovery"
    );
    assert_eq!(state["failures"], 1, "and no failure");
}

#[test]
fn f1_f2_max_age_is_obeyed_in_documents_errors_and_304() {
    let answers = [
        ("document", reply(&[entry(1, MANGOES)])),
        ("same", Reply::status(304)),
        ("error", Reply::status(404)),
    ];
    let site = Site::start();
    for (name, _) in &answers {
        site.show(&format!("/{name}"), reply(&[entry(1, MANGOES)]).header("ETag", "\"1\""));
    }
    let sources: String =
        answers.iter().map(|(name, _)| source(name, &site.url(&format!("/{name}")))).collect();
    let desk = Desk::with(&sources);
    desk.all();
    for (name, answer) in &answers {
        site.show(&format!("/{name}"), answer.clone().header("Cache-Control", "max-age=3600"));
    }
    let outcomes = |word: &str| desk.all().values().filter(|poll| poll["outcome"] == word).count();
    assert_eq!(outcomes("waiting"), 0);
    assert_eq!(outcomes("waiting"), 3);
    for (name, _) in &answers {
        assert_eq!(site.asked(&format!("/{name}")).len(), 2, "{name}");
    }
}

#[test]
fn r4_a_source_that_is_gone_is_asked_once_more_a_day_later_and_not_meanwhile() {
    let (site, desk) = read(&[entry(1, MANGOES)]);
    site.show("/feed", Reply::status(410));
    assert_eq!(desk.poll()["outcome"], "failed");
    let state = &desk.sources()["paper"];
    assert_eq!((&state["state"], &state["reason"]), (&"gone".into(), &"gone".into()));
    let due: Timestamp = text(state, "/due").parse().unwrap();
    let hours = due.duration_since(clock::now()).as_hours();
    assert!((23..=24).contains(&hours), "{hours}");
    let listed = desk.print(&["sources", "list"]);
    assert!(listed.contains("its server says that it is gone for good: asked once more at "), "{listed}");
    assert!(!listed.contains("ordered to wait"), "{listed}");
    assert_eq!(desk.poll()["outcome"], "waiting");
    assert!(desk.due().is_empty());
    assert_eq!(site.asked("/feed").len(), 2);
}

#[test]
fn orders_of_an_address_do_not_bind_the_next_one() {
    let orders = [
        ("gone", Reply::status(410)),
        ("busy", Reply::status(503).header("Retry-After", "3600")),
        ("fresh", reply(&[entry(1, MANGOES)]).header("Cache-Control", "max-age=3600")),
    ];
    let site = Site::start();
    let at = |folder: &str| -> String {
        orders.iter().map(|(name, _)| source(name, &site.url(&format!("/{folder}/{name}")))).collect()
    };
    for (name, order) in &orders {
        site.show(&format!("/first/{name}"), order.clone());
        site.show(&format!("/next/{name}"), reply(&[entry(1, MANGOES), entry(2, MANGOES)]));
        site.show(&format!("/last/{name}"), order.clone());
    }
    let desk = Desk::with(&at("first"));
    desk.all();
    desk.change(&at("next"));
    let polls = desk.due();
    assert!(polls.len() == 3 && polls.values().all(|poll| poll.get("failure").is_none()), "{polls:?}");
    desk.change(&at("last"));
    assert!(desk.all().values().all(|poll| poll["outcome"] != "waiting"));
    assert!(
        desk.all().values().all(|poll| poll["outcome"] == "waiting"),
        "the last gave orders of their own"
    );
    assert_eq!(desk.sources()["gone"]["failures"], 1);
    assert_eq!(site.targets().len(), 9);
}

#[test]
fn r3_what_was_not_found_comes_back() {
    let (site, desk) = read(&[entry(1, MANGOES)]);
    site.show("/feed", Reply::status(404));
    for failures in 1..=3 {
        assert_eq!(desk.poll()["outcome"], "failed");
        let state = &desk.sources()["paper"];
        assert_eq!((&state["state"], &state["reason"]), (&"failing".into(), &"http".into()));
        assert_eq!(state["failures"], failures);
    }
    site.show("/feed", reply(&[entry(2, CONVOY), entry(1, MANGOES)]));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
    let state = &desk.sources()["paper"];
    assert_eq!((&state["state"], state.get("reason")), (&"ok".into(), None));
}

// Telegram and pages

/// A message of a channel.
fn message(name: &str, number: u32, words: &str, media: &str) -> String {
    let date = clock::now().strftime("%Y-%m-%dT%H:%M:%S+00:00");
    format!(
        r#"<div class="tgme_widget_message_wrap js-widget_message_wrap">
        <div class="tgme_widget_message js-widget_message" data-post="{name}/{number}">{media}
        <div class="tgme_widget_message_text js-message_text" dir="auto">{words}</div>
        <div class="tgme_widget_message_info"><span class="tgme_widget_message_meta">
        <a class="tgme_widget_message_date" href="https://t.me/{name}/{number}"><time datetime="{date}"></time></a>
        </span></div></div></div>"#
    )
}

/// The preview page.
fn channel(name: &str, messages: &[String]) -> Reply {
    Reply::ok(format!(
        r#"<!DOCTYPE html><html><body class="tgme_webpreview"><main><h1>{name}</h1><section class="tgme_channel_history">{}</section></main></body></html>"#,
        messages.concat()
    ))
    .header("Content-Type", "text/html; charset=utf-8")
}

fn telegram(name: &str, hosts: &[String]) -> String {
    format!("[[source]]\nname = \"{name}\"\ntelegram = \"{name}\"\nhosts = {hosts:?}\n")
}

#[test]
fn hosts_are_asked_in_order_and_show_the_same_items() {
    let (nobody, first, second) = (Nobody::anywhere(), Site::start(), Site::start());
    let page = channel("post", &[message("post", 7, MANGOES, ""), message("post", 8, CONVOY, "")]);
    second.show("/s/post", page.clone());
    let desk = Desk::with(&telegram("post", &[nobody.base(), first.base(), second.base()]));
    assert_eq!(desk.poll()["outcome"], "baseline", "nobody listens, then 404, then the page");
    assert_eq!((first.targets().len(), second.targets().len()), (1, 1));

    let page = |more: &str| channel("post", &[message("post", 8, CONVOY, ""), message("post", 9, more, "")]);
    first.show("/s/post", page(CONVOY));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
    assert_eq!(second.targets().len(), 1, "the first that answers is enough");
    let told = desk.alerts();

    first.show("/s/post", Reply::status(500));
    second.show("/s/post", page(CONVOY));
    desk.poll();
    second.show("/s/post", Reply::status(404));
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.contains("cannot connect") || failure.contains("refused"), "the first's, not {failure}");
    assert_eq!(desk.alerts(), told, "the other host shows the same items");
    assert_eq!(text(&told[0], "/item/url"), "https://t.me/post/9");
}

#[test]
fn a_host_that_orders_to_wait_is_not_dodged_by_asking_its_sister() {
    let (first, second) = (Site::start(), Site::start());
    first.show("/s/post", Reply::status(429).header("Retry-After", "3600"));
    second.show("/s/post", channel("post", &[message("post", 7, MANGOES, "")]));
    let desk =
        Desk::with(&telegram("post", &[first.base(), second.base().replace("127.0.0.1", "127.0.0.2")]));
    assert_eq!(desk.poll()["outcome"], "failed");
    assert_eq!(desk.poll()["outcome"], "waiting");
    assert_eq!((first.targets().len(), second.targets().len()), (1, 0));
}

#[test]
fn a_channel_without_preview_says_why() {
    let landings = [
        (
            "closed",
            landing("11 286 994 subscribers", "Post", "View in Telegram"),
            "preview-off",
            "no web preview",
        ),
        ("nobody", landing("", "", "Send Message"), "gone", "unknown name"),
        ("somebody", landing("@somebody", "A Person", "Send Message"), "gone", "person"),
        ("talk", landing("97 957 members, 4 138 online", "Talk", "View in Telegram"), "gone", "group"),
        ("robot", landing("12 345 monthly users", "A Bot", "Start Bot"), "gone", "bot"),
    ];
    let site = Site::start();
    let mut sources = String::new();
    for (name, page, ..) in &landings {
        site.show(&format!("/s/{name}"), Reply::to(302, format!("https://t.me/{name}")));
        site.show(&format!("/{name}"), Reply::ok(page.as_str()));
        sources += &telegram(name, &[site.base()]);
    }
    let desk = Desk::with(&sources);
    let (polls, states) = (desk.all(), desk.sources());
    for (name, _, reason, detail) in &landings {
        let failure = text(&polls[*name], "/failure");
        assert!(failure.starts_with(reason) && failure.contains(detail), "{failure}");
        assert_eq!(states[*name]["reason"], *reason);
        assert_eq!((site.asked(&format!("/s/{name}")).len(), site.asked(&format!("/{name}")).len()), (1, 1));
        site.show(&format!("/s/{name}"), channel(name, &[message(name, 7, CONVOY, "")]));
    }
    // They come back, and only then have their baseline.
    assert!(desk.all().values().all(|poll| poll["outcome"] == "baseline"));
    assert!(desk.sources().values().all(|source| source["state"] == "ok"));
}

/// The page that says what a name of Telegram stands for.
fn landing(extra: &str, title: &str, button: &str) -> String {
    let part = |class: &str, words: &str| match words {
        "" => String::new(),
        _ => format!(r#"<div class="tgme_page_{class}">{words}</div>"#),
    };
    format!(
        r#"<!DOCTYPE html><html><body><div class="tgme_page">{}{}<div class="tgme_page_action"><a>{button}</a></div></div></body></html>"#,
        part("title", title),
        part("extra", extra)
    )
}

#[test]
fn an_album_counts_once() {
    let site = Site::start();
    site.show("/s/post", channel("post", &[message("post", 7, MANGOES, "")]));
    let desk = Desk::with(&telegram("post", &[site.base()]));
    desk.poll();
    let member = |n: u32| {
        format!(
            r#"<a class="tgme_widget_message_photo_wrap grouped_media_wrap" href="https://t.me/post/{n}?single"></a>"#
        )
    };
    let media = format!(
        r#"<div class="tgme_widget_message_grouped_wrap">{}{}{}</div>"#,
        member(8),
        member(9),
        member(10)
    );
    let album = message("post", 8, CONVOY, &media);
    site.show("/s/post", channel("post", &[message("post", 7, MANGOES, ""), album.clone()]));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
    assert_eq!(desk.alerts()[0]["item"]["telegram"]["album"], serde_json::json!([8, 9, 10]));
    site.show("/s/post", channel("post", &[album, message("post", 11, MANGOES, "")]));
    assert_eq!(counts(&desk), [1, 0, 0, 0]);
}

#[test]
fn a_page_is_read_by_its_selectors() {
    let site = Site::start();
    let article =
        |n: u32, title: &str| format!(r#"<article><h2><a href="/news/{n}">{title}</a></h2></article>"#);
    let page = |articles: &[String]| {
        Reply::ok(format!("<!DOCTYPE html><html><body>{}</body></html>", articles.concat()))
    };
    site.show("/news", page(&[article(1, MANGOES)]));
    let desk = Desk::with(&format!(
        "[[source]]\nname = \"ministry\"\npage = \"{}\"\nselect = {{ item = \"article\", title = \"h2\", link = \"h2 a@href\" }}\n",
        site.url("/news")
    ));
    assert_eq!(desk.poll()["outcome"], "baseline");
    site.show("/news", page(&[article(2, CONVOY), article(1, MANGOES)]));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
    assert_eq!(text(&desk.alerts()[0], "/item/url"), site.url("/news/2"));
    site.show("/news", page(&[]));
    assert!(text(&desk.poll(), "/failure").starts_with("layout"));
}

#[test]
fn a_selector_that_is_mended_hides_nothing_where_the_page_was_read() {
    let site = Site::start();
    let show = |newest: u32| {
        let today = clock::now().strftime("%Y-%m-%d").to_string();
        let article = |n: u32| {
            format!(r#"<article><h2><a href="/news/{n}">{CONVOY} {n}</a></h2><em>{today}</em></article>"#)
        };
        let articles: String = (1..=newest).rev().map(article).collect();
        site.show("/news", Reply::ok(format!("<!DOCTYPE html><html><body>{articles}</body></html>")));
    };
    let source = |date: &str| {
        format!(
            "[[source]]\nname = \"ministry\"\npage = \"{}\"\n\
             select = {{ item = \"article\", title = \"h2\", link = \"h2 a@href\", date = \"{date}\" }}\n",
            site.url("/news")
        )
    };
    show(3);
    let desk = Desk::with(&source("time"));
    for outcome in ["baseline", "read"] {
        let poll = desk.poll();
        assert!(poll["outcome"] == outcome && text(&poll, "/failure").starts_with("layout"), "{poll}");
    }
    desk.change(&source("em"));
    show(4);
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [1, 1], "{poll}");
    assert!(!poll["problems"].to_string().contains("gap"), "{poll}");
}

#[test]
fn what_came_while_selectors_found_nothing_is_told_by_its_date_once_they_are_mended() {
    for (dated, alerts) in [(true, 2), (false, 0)] {
        let site = Site::start();
        let show = |newest: u32, item: &str| {
            let article = |n: u32| {
                let date = if n < 9 { clock::now() - SignedDuration::from_hours(100) } else { clock::now() };
                let date = if dated { format!("<time datetime=\"{date}\"></time>") } else { String::new() };
                // With the layout it has other links and titles.
                format!("<{item}><h2><a href=\"/{item}/{n}\">{CONVOY} {item} {n}</a></h2>{date}</{item}>")
            };
            let articles: String = (newest - 5..=newest).rev().map(article).collect();
            site.show("/news", Reply::ok(format!("<!DOCTYPE html><html><body>{articles}</body></html>")));
        };
        let source = |item: &str| {
            format!(
                "[[source]]\nname = \"ministry\"\npage = \"{}\"\n\
                 select = {{ item = \"{item}\", title = \"h2\", link = \"h2 a@href\", date = \"time@datetime\" }}\n",
                site.url("/news")
            )
        };
        show(8, "article");
        let desk = Desk::with(&source("article"));
        assert_eq!(desk.poll()["outcome"], "baseline");
        show(8, "section");
        assert_eq!(desk.poll()["outcome"], "failed");
        show(10, "section");
        desk.change(&source("section"));
        let poll = desk.poll();
        assert_eq!(
            (poll["outcome"].as_str(), number(&poll, "/alerts")),
            (Some("baseline"), alerts),
            "{poll}"
        );
        let said = "possible gap: it could not be read until its selectors were mended";
        assert_eq!(poll["problems"].to_string().contains(said), !dated, "{poll}");
        assert_eq!(desk.sources()["ministry"]["gaps"].is_array(), !dated);
    }
}

#[test]
fn i13_other_selectors_take_a_baseline_where_they_show_nothing_known() {
    let site = Site::start();
    let show = |newest: u32| {
        let article = |n: u32| {
            format!(r#"<article><h2><a href="/news/{n}">{CONVOY} {n}</a></h2><p>Lead {n}</p></article>"#)
        };
        let articles: String = (1..=newest).rev().map(article).collect();
        site.show("/news", Reply::ok(format!("<!DOCTYPE html><html><body>{articles}</body></html>")));
    };
    let source = |select: &str| {
        format!(
            "[[source]]\nname = \"ministry\"\npage = \"{}\"\nselect = {{ item = \"article\", {select} }}\n",
            site.url("/news")
        )
    };
    show(8);
    let desk = Desk::with(&source("title = \"h2\""));
    assert_eq!(desk.poll()["outcome"], "baseline");
    desk.change(&source("title = \"h2\", text = \"p\""));
    let poll = desk.poll();
    assert_eq!(
        (text(&poll, "/outcome").as_str(), number(&poll, "/baseline_fired")),
        ("baseline", 8),
        "{poll}"
    );
    // By their texts they are known under their links.
    desk.change(&source("title = \"h2\", text = \"p\", link = \"h2 a@href\""));
    show(9);
    let poll = desk.poll();
    assert_eq!((text(&poll, "/outcome").as_str(), number(&poll, "/new")), ("read", 1), "{poll}");
    assert_eq!(desk.told(), [format!("alert.new sent {CONVOY} 9")]);
}

#[test]
fn a_selector_that_finds_nothing_any_more_is_told_and_the_items_are_read() {
    use harmattan::outbox::Subject;
    use harmattan::store::{Deliveries, SledStore, Store as _};

    let site = Site::start();
    let show = |newest: u32, date: &str| {
        let article =
            |n: u32| format!(r#"<article><h2><a href="/news/{n}">{CONVOY} {n}</a></h2><{date}></article>"#);
        let articles: String = (1..=newest).rev().map(article).collect();
        site.show("/news", Reply::ok(format!("<!DOCTYPE html><html><body>{articles}</body></html>")));
    };
    let date = "time datetime=\"2026-11-23T10:00:00Z\"";
    show(3, date);
    let select = "item = \"article\", title = \"h2\", link = \"h2 a@href\", date = \"time@datetime\"";
    let desk = Desk::with(&format!(
        "[[source]]\nname = \"ministry\"\npage = \"{}\"\nselect = {{ {select} }}\n",
        site.url("/news")
    ));
    let events = || {
        let store = SledStore::open(&desk.store()).unwrap();
        let closed = store.deliveries(Deliveries::Closed, 99).unwrap();
        let events = closed.into_iter().rev().filter_map(|delivery| {
            let Subject::Event(id) = delivery.subject else { return None };
            store.event(id).unwrap()
        });
        events.map(|event| format!("{} {}", event.kind.as_str(), event.detail)).collect::<Vec<_>>()
    };
    assert_eq!(desk.poll()["outcome"], "baseline");
    show(4, "span");
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/new")), (&"read".into(), 1), "{poll}");
    assert_eq!(desk.told(), [format!("alert.new sent {CONVOY} 4")]);
    let detail = "selectors that find nothing in 4 items: `date`";
    assert!(text(&poll, "/failure").starts_with(&format!("layout: {detail}")), "{poll}");
    assert!(poll["problems"].to_string().contains(&format!("lost: {detail}")), "{poll}");
    assert_eq!(events().len(), 0, "a second poll confirms it");
    for _ in 0..2 {
        desk.poll();
        let told = events();
        assert!(told.len() == 1 && told[0].starts_with(&format!("source.failing {detail}")), "{told:?}");
    }
    show(5, date);
    desk.poll();
    assert_eq!(text(&desk.sources()["ministry"], "/state"), "ok");
    let told = events();
    assert!(told.len() == 2 && told[1].starts_with("source.recovered "), "{told:?}");
}

// Refused addresses

#[test]
fn a_private_address_is_refused_without_a_connection() {
    let site = Site::start();
    let feeds = [
        ("ip", "127.0.0.1"),
        ("name", "localhost"),
        ("mapped", "[::ffff:127.0.0.1]"),
        ("decimal", "2130706433"),
    ];
    let feeds = feeds.map(|(name, host)| source(name, &site.on(host, &format!("/{name}")))).concat();
    let desk = Desk::strict(&format!("{feeds}{}", telegram("post", &[site.base()])));
    desk.all();
    let states = desk.sources();
    assert!(states.len() == 5 && states.values().all(|source| source["reason"] == "refused"), "{states:?}");
    assert_eq!(site.connections(), 0);
}

#[test]
fn a_redirect_to_a_private_address_is_refused_without_a_connection() {
    let (outer, inner) = (Site::start(), Site::start());
    let targets = [("ip", "127.0.0.2"), ("name", "localhost"), ("six", "[::1]")];
    let sources = targets.map(|(name, host)| {
        outer.show(&format!("/{name}"), Reply::to(302, inner.on(host, "/feed")));
        source(name, &outer.url(&format!("/{name}")))
    });
    let leave = "[http]\nallow_networks = [\"127.0.0.3/32\"]\n";
    let desk = Desk::strict(&format!("{leave}{}", sources.concat().replace("127.0.0.1", "127.0.0.3")));
    for (name, poll) in desk.all() {
        assert!(text(&poll, "/failure").starts_with("refused"), "{name}: {poll}");
    }
    assert_eq!((outer.targets().len(), inner.connections()), (3, 0));
}

// Baselines

#[test]
fn i13_a_baseline_tells_nothing_but_its_backlog() {
    let site = Site::start();
    let backlogs = [
        ("unset", "", 0),
        ("none", "backlog = 0", 0),
        ("one", "backlog = 1", 1),
        ("age", "backlog = \"2d\"", 1),
        ("many", "backlog = 9", 3),
    ];
    let mut sources = String::new();
    for (name, backlog, _) in backlogs {
        let entries = [dated(1, CONVOY, 1), dated(2, CONVOY, 3), entry(3, CONVOY)];
        // Sources of their own stories.
        let apart = |(n, entry): (usize, &String)| {
            entry
                .replace("paper.example", &format!("{name}.example"))
                .replace(CONVOY, &format!("{CONVOY}, {name} {n}"))
        };
        site.show(&format!("/{name}"), reply(&entries.iter().enumerate().map(apart).collect::<Vec<_>>()));
        sources += &source(name, &site.url(&format!("/{name}")));
        sources += backlog;
        sources.push('\n');
    }
    let desk = Desk::with(&sources);
    let polls = desk.all();
    for (name, _, alerts) in backlogs {
        let poll = &polls[name];
        assert_eq!((&poll["outcome"], number(poll, "/new")), (&"baseline".into(), 3));
        assert_eq!(
            (number(poll, "/alerts"), number(poll, "/baseline_fired")),
            (alerts, 3 - alerts),
            "{name}"
        );
    }
}

#[test]
fn failed_polls_are_no_baseline_and_an_empty_feed_is_one() {
    let site = Site::start();
    let desk = Desk::with(&paper(&site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "failed");
    site.show("/feed", reply(&[]));
    assert_eq!(desk.poll()["outcome"], "baseline");
    site.show("/feed", reply(&[entry(1, CONVOY)]));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
}

/// A feed of so many reports that fire `convoy`, and the same cut before one of them.
fn reports(many: u32) -> (Vec<u8>, impl Fn(u32) -> Reply) {
    let title = |n: u32| format!("Convoy attacked, report {n}");
    let entries: Vec<String> = (1..=many).map(|n| entry(n, &title(n))).collect();
    let whole = feed(&entries);
    let cut = whole.clone();
    let until = move |n: u32| Reply::ok(&cut.as_bytes()[..cut.find(&format!("paper-{n}<")).unwrap()]);
    (whole.into_bytes(), until)
}

#[test]
fn a_baseline_cut_short_is_completed_by_the_first_whole_document() {
    let (whole, until) = reports(40);
    let site = Site::start();
    let desk = Desk::with(&paper(&site.url("/feed")));
    site.show("/feed", until(1));
    assert_eq!(desk.poll()["outcome"], "failed", "nothing before the cut is no baseline");
    for (reply, new) in [(until(6), 5), (until(26), 20), (Reply::ok(whole), 15)] {
        site.show("/feed", reply);
        let poll = desk.poll();
        assert_eq!((&poll["outcome"], number(&poll, "/new")), (&"baseline".into(), new));
        assert_eq!(number(&poll, "/alerts"), 0, "{poll}");
    }
    assert_eq!(desk.sources()["paper"]["baseline_fired"], 40);
    site.show("/feed", reply(&[entry(41, CONVOY)]));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
}

#[test]
fn a_feed_that_is_always_cut_alerts_after_four_readings() {
    let (whole, until) = reports(40);
    let site = Site::start();
    let desk = Desk::with(&paper(&site.url("/feed")));
    for n in 2..=5 {
        site.show("/feed", until(n));
        let poll = desk.poll();
        assert_eq!((&poll["outcome"], number(&poll, "/alerts")), (&"baseline".into(), 0));
    }
    for n in 6..=7 {
        site.show("/feed", until(n));
        assert_eq!(counts(&desk), [1, 0, 1, 0]);
    }
    site.show("/feed", Reply::ok(whole));
    assert_eq!(number(&desk.poll(), "/new"), 34);
}

#[test]
fn what_is_dated_after_a_baseline_cut_short_was_begun_is_news() {
    let old: Vec<String> = (1..=3).map(|n| dated(n, "Convoy attacked long ago", 3)).collect();
    let cut = |entries: &[String]| Reply::ok(feed(entries).replace("</channel></rss>", "<item>"));
    let site = Site::start();
    site.show("/feed", cut(&old[..1]));
    let desk = Desk::with(&paper(&site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    let late = (clock::now() + SignedDuration::from_secs(2)).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let fresh = entry(9, CONVOY).replace("</item>", &format!("<pubDate>{late}</pubDate></item>"));
    site.show("/feed", cut(&[fresh, old[0].clone(), old[1].clone()]));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/alerts")), (2, 1), "{poll}");
    assert_eq!(desk.told(), [format!("alert.new sent {CONVOY}")]);
}

#[test]
fn a_changed_address_is_a_baseline_only_when_nothing_is_known_there() {
    let (site, desk) = read(&[entry(1, MANGOES), entry(2, CONVOY)]);
    site.show("/same", reply(&[entry(2, CONVOY), entry(1, MANGOES)]));
    desk.change(&paper(&site.url("/same")));
    assert_eq!(counts(&desk), [0, 0, 0, 0]);
    site.show("/more", reply(&[entry(3, CONVOY), entry(2, CONVOY)]));
    desk.change(&paper(&site.url("/more")));
    assert_eq!(counts(&desk), [1, 0, 1, 0], "what is new there is told");
    site.show("/other", reply(&[entry(11, CONVOY), entry(12, CONVOY)]));
    desk.change(&paper(&site.url("/other")));
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/baseline_fired")), (&"baseline".into(), 2));
    assert_eq!(desk.told().len(), 1);
}

#[test]
fn i2_new_guids_on_known_items_tell_nothing() {
    let title = |n: u32| format!("Convoy attacked, report {n}");
    let known: Vec<String> = (1..=5).map(|n| entry(n, &title(n))).collect();
    let (site, desk) = read(&known[1..]);
    site.show("/feed", reply(&known));
    assert_eq!(counts(&desk), [1, 0, 1, 0]);
    let migrated = |guid: &str| -> Vec<String> {
        (1..=5)
            .map(|n| {
                linked(
                    &format!("{guid}-{n}"),
                    &format!("http://www.paper.example/{n}/?utm_source=rss"),
                    &title(n),
                )
            })
            .collect()
    };
    for guid in ["cms", "next"] {
        site.show("/feed", reply(&migrated(guid)));
        assert_eq!(counts(&desk), [0, 0, 0, 0]);
    }
    let edited: Vec<String> =
        migrated("next").iter().map(|entry| entry.replace("report", "update")).collect();
    site.show("/feed", reply(&edited));
    assert_eq!(counts(&desk), [0, 5, 0, 0], "an item is known by its new guid alone once that was seen");
    assert_eq!(desk.told().len(), 1);
}

#[test]
fn i12_reordered_shrunk_and_emptied_feeds_forget_nothing() {
    let entries: Vec<String> = (1..=4).map(|n| entry(n, &format!("Convoy attacked, report {n}"))).collect();
    let (site, desk) = read(&entries);
    let mut reversed = entries.clone();
    reversed.reverse();
    for shown in [&reversed[..], &entries[..1], &[], &entries[2..], &entries] {
        site.show("/feed", reply(shown));
        assert_eq!(counts(&desk), [0, 0, 0, 0], "{} items", shown.len());
    }
    assert!(desk.alerts().is_empty());
}

#[test]
fn old_news_is_recorded_and_undated_news_is_sent() {
    let (site, desk) = read(&[entry(1, MANGOES)]);
    let zero = "<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate></item>";
    let new = [
        dated(2, "Convoy attacked long ago", 30),
        dated(3, "Convoy attacked today", 0),
        entry(4, CONVOY),
        entry(5, "Convoy attacked, says a clock that was never set").replace("</item>", zero),
    ];
    site.show("/feed", reply(&new));
    assert_eq!(counts(&desk), [4, 0, 3, 1]);
    let mut told = desk.told();
    told.sort();
    assert_eq!(
        told,
        [
            "alert.new sent Convoy attacked",
            "alert.new sent Convoy attacked today",
            "alert.new sent Convoy attacked, says a clock that was never set",
            "alert.new stale Convoy attacked long ago",
        ]
    );
}

#[test]
fn a_date_that_all_entries_have_though_they_came_one_by_one_makes_none_old() {
    let imported = |number: u32, title: &str| {
        entry(number, title).replace("</item>", "<pubDate>Mon, 04 May 2020 10:00:00 GMT</pubDate></item>")
    };
    let show = |site: &Site, desk: &Desk, entries: &[(u32, &str)]| {
        let entries: Vec<String> = entries.iter().map(|(number, title)| imported(*number, title)).collect();
        site.show("/feed", reply(&entries));
        counts(desk)
    };
    let old: Vec<(u32, String)> = (1..=5).map(|number| (number, format!("Mangoes {number}"))).collect();
    let mut shown: Vec<(u32, &str)> = old.iter().map(|(number, title)| (*number, title.as_str())).collect();
    let entries: Vec<String> = shown.iter().map(|(number, title)| imported(*number, title)).collect();
    let (site, desk) = read(&entries);
    shown.insert(0, (6, CONVOY));
    assert_eq!(show(&site, &desk, &shown), [1, 0, 1, 0]);
    assert_eq!(text(&desk.alerts()[0]["item"], "/dated"), "undated");
    shown[0] = (6, "Convoy attacked: base falls");
    assert_eq!(show(&site, &desk, &shown), [0, 1, 1, 0]);

    // What comes up below what was known is old.
    let below: Vec<(u32, &str)> = (21..=23).map(|number| (number, "Convoy attacked in May")).collect();
    assert_eq!(show(&site, &desk, &[&shown[..], &below[..]].concat()), [3, 0, 0, 3]);

    // A document of which most is new may be an old one.
    let archive: Vec<(u32, &str)> = (11..=16).map(|number| (number, "Convoy attacked")).collect();
    assert_eq!(show(&site, &desk, &[&archive[..], &shown[..2]].concat()), [6, 0, 0, 6]);
}

// Edits

#[test]
fn an_old_report_that_says_it_was_changed_today_is_not_stale() {
    let (site, desk) = read(&[entry(1, MANGOES)]);
    let show = |number: u32, title: &str, days: i64| {
        let changed = clock::now() - SignedDuration::from_hours(24 * days);
        let entry = dated(number, title, 60)
            .replace("</item>", &format!("<atom:updated>{changed}</atom:updated></item>"));
        site.show("/feed", reply(&[entry]));
        counts(&desk)
    };
    assert_eq!(show(2, "Explosion heard", 60), [1, 0, 0, 0]);
    assert_eq!(show(2, "Explosion heard: Convoy attacked", 0), [0, 1, 1, 0]);
    assert_eq!(show(3, "Explosion heard", 60), [1, 0, 0, 0]);
    assert_eq!(show(3, "Explosion heard: Convoy attacked", 59), [0, 1, 0, 1]);
    assert_eq!(show(4, "Convoy attacked, seen for the first time", 0), [1, 0, 1, 0]);
}

#[test]
fn an_edit_alerts_once_when_it_makes_a_rule_fire() {
    let (site, desk) = read(&[entry(1, MANGOES)]);
    let show = |title: &str| site.show("/feed", reply(&[entry(2, title), entry(1, MANGOES)]));
    show("Explosion heard");
    assert_eq!(counts(&desk), [1, 0, 0, 0]);
    show("Convoy attacked: explosion heard");
    assert_eq!(counts(&desk), [0, 1, 1, 0]);
    show("Convoy attacked: ten dead");
    assert_eq!(counts(&desk), [0, 1, 0, 0]);
    site.show("/feed", reply(&[entry(2, "Convoy attacked: ten dead"), entry(1, CONVOY)]));
    assert_eq!(counts(&desk), [0, 1, 0, 0], "a baseline item edited tells nothing");
    assert_eq!(desk.told(), ["alert.new sent Convoy attacked: explosion heard"]);
}

// Rules on trial

#[test]
fn a_rule_on_trial_is_recorded_and_a_live_one_keeps_its_own_age() {
    const TUNED: &str = "[[override]]\nrule = \"base\"\nmode = \"shadow\"\n\
                         [[override]]\nrule = \"convoy\"\nmax_age = \"3d\"\n";
    let site = Site::start();
    let desk = Desk::with(&format!("{}{TUNED}", paper(&site.url("/feed"))));
    let known = [entry(1, MANGOES), entry(2, "Base falls, first case")];
    site.show("/feed", reply(&known));
    assert_eq!(number(&desk.poll(), "/baseline_fired"), 0);

    let [mangoes, first] = &known;
    let mut shown = vec![mangoes.clone(), first.clone()];
    let mut next = |number: u32, entry: String| {
        shown.retain(|known| !known.contains(&format!("paper-{number}<")));
        shown.push(entry);
        site.show("/feed", reply(&shown));
        counts(&desk)
    };
    assert_eq!(next(3, entry(3, "Base falls")), [1, 0, 0, 1]);
    assert_eq!(next(4, entry(4, "Convoy attacked, base falls")), [1, 0, 1, 0]);
    assert_eq!(next(5, dated(5, "Convoy attacked last week", 7)), [1, 0, 0, 1]);
    assert_eq!(next(6, entry(6, "Nothing falls")), [1, 0, 0, 0]);
    assert_eq!(next(6, entry(6, "Base falls again")), [0, 1, 0, 0], "an edit that only a trial fires on");
    assert_eq!(next(6, entry(6, "Base falls again, convoy attacked")), [0, 1, 1, 0]);

    let told = |alert: &Value| {
        let marked = |rule: &Value| match (rule["mode"].as_str(), rule["stale"].as_bool()) {
            (Some(mode), _) => format!("{}:{mode}", text(rule, "/name")),
            (None, Some(true)) => format!("{}:stale", text(rule, "/name")),
            (None, _) => text(rule, "/name"),
        };
        let rules: Vec<String> = alert["rules"].as_array().unwrap().iter().map(marked).collect();
        format!("{} {} {}", text(alert, "/disposition"), text(alert, "/severity"), rules.join(","))
    };
    let alerts: Vec<String> = desk.alerts().iter().map(told).collect();
    assert_eq!(
        alerts,
        [
            "shadow critical base:shadow",
            "sent high convoy,base:shadow",
            "stale high convoy:stale",
            "sent high convoy,base:shadow",
        ]
    );
}

// Stories

/// What `second` becomes after `first` was told of; `{}` stands for the case, in links and titles.
struct Story {
    second: [&'static str; 2],
    told: &'static str,
}

const STORIES: [Story; 4] = [
    Story {
        second: ["http://www.wire.example/{}?id=7&utm_source=b&fbclid=x", "Convoy attacked, ten dead"],
        told: "alert.new joined",
    },
    Story {
        second: ["https://paper.example/{}", "CONVOY attacked  in Mali, case {}"],
        told: "alert.new joined",
    },
    Story {
        second: ["https://wire.example/{}?id=8", "Convoy attacked again, case {}"],
        told: "alert.new sent",
    },
    Story {
        second: ["https://wire.example/{}?id=7", "Convoy attacked, base falls"],
        told: "alert.update sent",
    },
];

#[test]
fn a_story_is_told_once_and_again_when_it_is_graver() {
    let site = Site::start();
    for path in ["/a", "/b"] {
        site.show(path, reply(&[]));
    }
    let desk = Desk::with(&format!("{}{}", source("a", &site.url("/a")), source("b", &site.url("/b"))));
    desk.all();
    let show = |path: &str, shown: [[&str; 2]; 4]| {
        let entry = |(case, [link, title]): (usize, [&str; 2])| {
            let [link, title] =
                [link, title].map(|text| text.replace("{}", &case.to_string()).replace('&', "&amp;"));
            linked(&format!("{path}{case}"), &link, &title)
        };
        site.show(path, reply(&shown.into_iter().enumerate().map(entry).collect::<Vec<_>>()));
        desk.all();
    };
    show("/a", [["https://wire.example/{}?id=7&utm_source=a", "Convoy attacked in Mali, case {}"]; 4]);
    show("/b", STORIES.map(|story| story.second));

    let alerts = desk.alerts();
    assert_eq!(alerts.len(), 8);
    for (case, story) in STORIES.iter().enumerate() {
        let of = |source: &str| {
            let guid = format!("/{source}{case}");
            alerts.iter().find(|alert| text(alert, "/item/guid") == guid).unwrap()
        };
        let (first, second) = (of("a"), of("b"));
        let told = |alert| format!("{} {}", text(alert, "/type"), text(alert, "/disposition"));
        assert_eq!([told(first), told(second)], ["alert.new sent", story.told], "case {case}");
        let joined = story.told != "alert.new sent";
        assert_eq!(first["story"]["id"] == second["story"]["id"], joined, "case {case}");
        if joined {
            let counted = (&second["story"]["reports"], &second["story"]["sources"]);
            assert_eq!(counted, (&2.into(), &serde_json::json!(["a", "b"])), "case {case}");
        }
    }
}
