//! When sources are asked, and where: polls against a server on loopback over days that pass in moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use harmattan::schedule::{self, PollReason};

use crate::support::http::{Asked, Reply, Server};
use crate::support::lab::{Lab, hours};
use crate::support::site::Site;

/// A feed with the items `first` to `last`, the newest in front, and more in its channel.
fn feed(items: std::ops::RangeInclusive<u32>, more: &str) -> String {
    let item = |n: u32| {
        format!(
            "<item><title>Report {n}</title><guid>{n}</guid><link>https://paper.example/{n}</link></item>"
        )
    };
    let items: String = items.rev().map(item).collect();
    format!(
        r#"<?xml version="1.0"?><rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
        <channel><title>Paper</title>{more}{items}</channel></rss>"#
    )
}

/// A feed with an `ETag`.
fn tagged(etag: &str, more: &str) -> Reply {
    Reply::ok(feed(1..=20, more)).header("ETag", format!("\"{etag}\""))
}

fn source(name: &str, url: &str, more: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n{more}\n")
}

/// A site that shows this at `/feed`, and a desk with the source `paper`.
async fn paper(reply: Reply, more: &str) -> (Site, Lab) {
    let site = Site::start();
    site.show("/feed", reply);
    let lab = Lab::with(&source("paper", &site.url("/feed"), more)).await;
    (site, lab)
}

// Hints of the document

#[tokio::test]
async fn f4_a_ttl_is_a_floor_within_the_longest_interval() {
    for (ttl, own, minutes) in
        [(1, "", 15), (60, "", 60), (600, "", 600), (99_999, "", 1440), (60, "10m", 10)]
    {
        let own = if own.is_empty() { String::new() } else { format!("interval = \"{own}\"") };
        let (_site, lab) = paper(tagged("a", &format!("<ttl>{ttl}</ttl>")), &own).await;
        lab.poll("paper").await;
        let wait = lab.wait("paper").await;
        assert!((minutes..=minutes * 11 / 10).contains(&wait), "{ttl}: {wait} minutes");
    }
}

#[tokio::test]
async fn f5_nobody_is_asked_in_hours_to_be_left_out() {
    let skip = "<skipHours><hour>8</hour><hour>9</hour></skipHours><skipDays><day>Saturday</day></skipDays>";
    let (site, mut lab) = paper(tagged("a", skip), "").await;
    lab.poll("paper").await;
    assert_eq!(lab.state("paper").await.learned.reason, Some(PollReason::Skip));
    assert!((120..=132).contains(&lab.wait("paper").await), "until 10:00");
    site.show("/feed", Reply::status(304));
    let mut polled_on = Vec::new();
    let end = lab.now + hours(48);
    while lab.due("paper").await < end {
        lab.next("paper").await;
        polled_on.push((lab.now.as_second() - 1_799_971_200) / 3600);
    }
    assert!(polled_on.iter().all(|hour| ![8, 9].contains(&(hour % 24))), "{polled_on:?}");
    assert!(polled_on.contains(&23) && polled_on.contains(&48), "Friday and Sunday: {polled_on:?}");
    assert!(!polled_on.iter().any(|hour| (24..48).contains(hour)), "Saturday: {polled_on:?}");
}

#[tokio::test]
async fn f6_a_promised_update_is_waited_for_and_its_absence_ends_the_wait() {
    let hourly = "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>";
    let (site, mut lab) = paper(tagged("a", hourly), "").await;
    lab.poll("paper").await;
    assert!((60..=66).contains(&lab.wait("paper").await));
    site.show("/feed", Reply::status(304));
    lab.next("paper").await;
    assert!((15..=16).contains(&lab.wait("paper").await), "nothing new came in the hour");
    site.show("/feed", Reply::ok(feed(2..=21, hourly)).header("ETag", "\"b\""));
    lab.next("paper").await;
    assert!((60..=66).contains(&lab.wait("paper").await), "something new came");
}

#[tokio::test]
async fn f7_a_feed_without_validators_is_asked_every_half_hour_at_most() {
    let (_site, lab) = paper(Reply::ok(feed(1..=20, "")), "").await;
    lab.poll("paper").await;
    assert!((30..=33).contains(&lab.wait("paper").await));
    let (_site, lab) = paper(Reply::ok(feed(1..=20, "")), "interval = \"10m\"").await;
    lab.poll("paper").await;
    assert!((10..=11).contains(&lab.wait("paper").await));
}

#[tokio::test]
async fn f7_a_feed_that_is_always_cut_is_asked_as_one_without_validators() {
    let cut = |newest: u32| {
        let tagged = Reply::ok(feed(1..=newest, "")).header("ETag", format!("\"{newest}\""));
        tagged.less("</link></item></channel></rss>")
    };
    let (site, mut lab) = paper(cut(20), "").await;
    lab.poll("paper").await;
    for newest in 21..=28 {
        let wait = lab.wait("paper").await;
        assert!((30..=33).contains(&wait), "{wait} minutes, {newest}");
        site.show("/feed", cut(newest));
        assert_eq!(lab.next("paper").await.failure, None);
    }
    assert!(site.asked("/feed").iter().all(|asked| asked.header("if-none-match").is_none()));
    assert!(lab.state("paper").await.last_new > lab.state("paper").await.baseline, "some of it was news");
}

// Answers

/// A server that gives its document to whoever asks without validators, and 304 to everybody else.
struct Stuck {
    server: Server,
    newest: Arc<AtomicU32>,
}

impl Stuck {
    fn start() -> Self {
        let newest = Arc::new(AtomicU32::new(20));
        let shown = Arc::clone(&newest);
        let server = Server::start(move |asked| {
            if asked.header("if-none-match").is_some() {
                return Reply::status(304);
            }
            let newest = shown.load(Ordering::SeqCst);
            Reply::ok(feed(newest - 19..=newest, "")).header("ETag", "\"for ever\"")
        });
        Self { server, newest }
    }

    fn unconditional(&self) -> usize {
        self.server.asked().iter().filter(|asked| asked.header("if-none-match").is_none()).count()
    }
}

#[tokio::test]
async fn c5_a_server_that_answers_304_for_ever_is_found_out_within_the_week() {
    let stuck = Stuck::start();
    let url = stuck.server.url("/feed");
    let mut lab = Lab::with(&source("paper", url.as_str(), "interval = \"6h\"")).await;
    lab.poll("paper").await;
    stuck.newest.store(23, Ordering::SeqCst);
    lab.run("paper", 6).await;
    assert_eq!((stuck.unconditional(), lab.state("paper").await.items), (1, 20));
    lab.run("paper", 2).await;
    assert_eq!((stuck.unconditional(), lab.state("paper").await.items), (2, 23));
    lab.run("paper", 21).await;
    assert_eq!(stuck.unconditional(), 5, "once a week");
}

#[tokio::test]
async fn c5_a_clock_that_ran_ahead_puts_no_request_for_a_body_off() {
    let stuck = Stuck::start();
    let url = stuck.server.url("/feed");
    let mut lab = Lab::with(&source("paper", url.as_str(), "interval = \"6h\"")).await;
    let today = lab.now;
    lab.now += hours(365 * 24);
    lab.poll("paper").await;
    lab.now = today;
    lab.poll("paper").await;
    lab.run("paper", 8).await;
    assert_eq!(stuck.unconditional(), 2);
}

#[tokio::test]
async fn row_10_a_rhythm_learned_while_the_clock_ran_ahead_is_forgotten() {
    let (site, mut lab) = paper(tagged("a", ""), "").await;
    lab.poll("paper").await;
    let mut newest = 20;
    let mut publish = |count| {
        newest += count;
        site.show("/feed", Reply::ok(feed(newest - 19..=newest, "")));
    };
    let today = lab.now;
    lab.now += hours(365 * 24);
    for _ in 0..5 {
        lab.now += hours(1);
        publish(6);
        lab.poll("paper").await;
    }
    lab.now = today;
    for _ in 0..6 {
        lab.now += hours(24);
        publish(1);
        lab.poll("paper").await;
    }
    let rhythm = lab.state("paper").await.learned.gap();
    assert_eq!(rhythm.map(|gap| gap.as_secs()), Some(24 * 3600));
}

#[tokio::test]
async fn c5_a_server_of_deltas_is_asked_for_all_once_a_week() {
    let asked = AtomicU32::new(20);
    let server = Server::start(move |request| {
        let newest = asked.fetch_add(1, Ordering::SeqCst);
        match request.header("if-none-match") {
            Some(_) => Reply::status(226).header("IM", "feed").body(feed(newest..=newest, "")),
            None => Reply::ok(feed(1..=newest, "")),
        }
        .header("ETag", format!("\"{newest}\""))
    });
    let mut lab = Lab::with(&source("paper", server.url("/feed").as_str(), "interval = \"6h\"")).await;
    lab.poll("paper").await;
    lab.run("paper", 22).await;
    let whole = server.asked().iter().filter(|asked| asked.header("if-none-match").is_none()).count();
    assert_eq!(whole, 4);
}

#[tokio::test]
async fn c2_o1_what_of_a_request_a_server_does_not_take_is_left_out_of_those_that_follow() {
    for (status, left) in [(226, [false, true]), (412, [false, false])] {
        let shown = AtomicU32::new(20);
        let server = Server::start(move |asked| {
            let condition = if status == 226 { "a-im" } else { "if-none-match" };
            let newest = shown.fetch_add(1, Ordering::SeqCst);
            let tag = format!("\"{newest}\"");
            let whole = Reply::ok(feed(newest - 19..=newest, "")).header("ETag", tag);
            if asked.header(condition).is_some() { Reply::status(status).body("what changed") } else { whole }
        });
        let mut lab = Lab::with(&source("paper", server.url("/feed").as_str(), "interval = \"12h\"")).await;
        assert_eq!(lab.poll("paper").await.outcome, "baseline");
        assert_eq!(lab.next("paper").await.outcome, "failed");
        for _ in 0..2 {
            lab = lab.restart().await;
            assert_eq!(lab.next("paper").await.failure, None, "{status}");
        }
        let sent = |asked: &Asked| ["a-im", "if-none-match"].map(|name| asked.header(name).is_some());
        let all: Vec<_> = server.asked().iter().map(sent).collect();
        assert_eq!(all, [[false, false], [true, true], left, left], "{status}");
        lab.run("paper", 61).await;
        let asked = server.asked();
        assert_eq!(asked.iter().filter(|asked| sent(asked) == [true, true]).count(), 3, "once a month");
    }
}

#[tokio::test]
async fn window_guard_a_name_that_all_entries_share_makes_none_known() {
    let page = |items: std::ops::RangeInclusive<u32>, names: &str| {
        let item = |n: u32| {
            let names = names.replace('#', &n.to_string());
            format!("<item><title>Report {n}</title>{names}</item>")
        };
        let items: String = items.rev().map(item).collect();
        format!("<rss version=\"2.0\"><channel><title>Paper</title>{items}</channel></rss>")
    };
    for names in [
        "<link>https://paper.example/</link>",
        "<link>https://paper.example/</link><guid>#</guid>",
        "<link>https://paper.example/#</link><guid>same</guid>",
    ] {
        let (site, mut lab) = paper(Reply::ok(page(1..=10, names)), "").await;
        lab.poll("paper").await;
        site.show("/feed", Reply::ok(page(21..=30, names)));
        let poll = lab.next("paper").await;
        assert!(
            poll.problems.iter().any(|problem| problem.starts_with("possible gap: ")),
            "{names} {poll:?}"
        );
        let learned = lab.state("paper").await.learned;
        assert_eq!(learned.window.map(|window| window.known), Some(0), "{names}");
        assert_eq!(learned.arrivals.len(), 10, "{names}");
    }
}

#[tokio::test]
async fn r2_a_503_without_an_order_is_asked_ever_less_often() {
    let (_site, mut lab) = paper(Reply::status(503), "interval = \"1m\"").await;
    lab.poll("paper").await;
    for minutes in [15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440] {
        let wait = lab.wait("paper").await;
        assert!((minutes..=minutes * 11 / 10).contains(&wait), "{wait} for {minutes} minutes");
        lab.next("paper").await;
    }
}

#[tokio::test]
async fn r4_what_is_gone_is_asked_twice_and_never_again() {
    let (site, mut lab) = paper(Reply::status(410), "interval = \"1m\"").await;
    lab.poll("paper").await;
    lab.now += hours(23);
    assert_eq!(lab.poll("paper").await.outcome, "waiting");
    lab.next("paper").await;
    assert_eq!(lab.due("paper").await, schedule::NEVER);
    lab = lab.restart().await;
    lab.now += hours(24 * 30);
    assert_eq!(lab.poll("paper").await.outcome, "waiting", "by hand too");
    assert_eq!(site.asked("/feed").len(), 2);
}

#[tokio::test]
async fn r4_what_is_gone_on_the_way_to_another_address_and_back_is_confirmed_a_day_later() {
    let (site, mut lab) = moving(Reply::to(301, "/new")).await;
    for path in ["/old", "/new"] {
        site.show(path, Reply::status(410));
    }
    // The old address, its target, and the old one again: the first that leads nowhere else.
    for asked in [[2, 1], [2, 2], [3, 2]] {
        lab.next("paper").await;
        assert_eq!(["/old", "/new"].map(|path| site.asked(path).len()), asked);
    }
    let wait = lab.wait("paper").await;
    assert_eq!(wait, 24 * 60, "a day to be confirmed");
    site.show("/old", tagged("old", ""));
    assert_eq!(lab.next("paper").await.failure, None, "it was an accident");
    site.show("/old", Reply::status(410));
    lab.next("paper").await;
    lab.next("paper").await;
    assert_eq!(lab.due("paper").await, schedule::NEVER);
}

#[tokio::test]
async fn r4_what_a_temporary_redirect_leads_to_may_be_gone_without_the_source() {
    for (redirect, asked) in [(302, 6), (307, 6), (301, 2)] {
        let (site, mut lab) = paper(Reply::to(redirect, "/gone"), "interval = \"12h\"").await;
        site.show("/gone", Reply::status(410));
        lab.poll("paper").await;
        for _ in 0..5 {
            if lab.due("paper").await != schedule::NEVER {
                lab.next("paper").await;
            }
        }
        let reason = lab.state("paper").await.failing.unwrap().reason;
        assert_eq!(reason, if redirect == 301 { "gone" } else { "http" }, "{redirect}");
        assert_eq!(site.asked("/feed").len(), asked, "{redirect}");
        site.show("/feed", tagged("1", ""));
        if redirect != 301 {
            assert_eq!(lab.next("paper").await.failure, None);
        }
    }
}

// Redirects

/// A source at `/old`, which answers so, while `/new` shows a feed.
async fn moving(old: Reply) -> (Site, Lab) {
    let site = Site::start();
    site.show("/new", tagged("new", ""));
    site.show("/old", old);
    let lab = Lab::with(&source("paper", &site.url("/old"), "interval = \"12h\"")).await;
    lab.poll("paper").await;
    (site, lab)
}

#[tokio::test]
async fn r5_a_permanent_redirect_is_kept_after_a_week_and_the_old_address_left_alone() {
    for status in [301, 308] {
        let (site, mut lab) = moving(Reply::to(status, "/new")).await;
        site.show("/new", Reply::status(304));
        lab.run("paper", 6).await;
        assert_eq!(lab.state("paper").await.learned.moved.to, None);
        lab.run("paper", 2).await;
        let asked = site.asked("/old").len();
        let moved = lab.state("paper").await.learned.moved.to;
        assert_eq!(moved, Some(site.url("/new")));
        lab = lab.restart().await;
        let polls = lab.run("paper", 5).await;
        assert!(polls >= 8 && site.asked("/old").len() == asked, "the old address is asked no more");
        assert_eq!(lab.state("paper").await.failing, None);
        lab.change(&source("paper", &site.url("/new"), ""));
        lab.poll("paper").await;
        assert_eq!(lab.state("paper").await.learned.moved.to, None, "the config says so now");
    }
}

#[tokio::test]
async fn r5_a_transfer_that_breaks_off_does_not_begin_the_week_anew() {
    let (site, mut lab) = moving(Reply::to(301, "/new")).await;
    lab.run("paper", 5).await;
    site.show("/new", tagged("broken", "").claiming(1 << 16));
    let broken = lab.next("paper").await;
    assert_eq!(broken.outcome, "read", "{broken:?}");
    assert!(broken.problems.concat().contains("broke off"), "{broken:?}");
    site.show("/new", tagged("new", ""));
    lab.run("paper", 3).await;
    assert_eq!(lab.state("paper").await.learned.moved.to, Some(site.url("/new")));
}

#[tokio::test]
async fn r5_a_redirect_that_was_a_mistake_is_forgotten() {
    let (site, mut lab) = moving(Reply::to(301, "/new")).await;
    site.show("/old", tagged("old", ""));
    lab.run("paper", 10).await;
    assert_eq!(lab.state("paper").await.learned.moved, schedule::Moved::default());

    let (site, mut lab) = moving(Reply::to(301, "/page")).await;
    site.show("/page", Reply::ok("<!DOCTYPE html><html><body><p>Back soon</p></body></html>"));
    lab.run("paper", 10).await;
    assert_eq!(lab.state("paper").await.learned.moved, schedule::Moved::default(), "it leads to no feed");
    assert_eq!(lab.state("paper").await.failing.unwrap().reason, "parse");
}

#[tokio::test]
async fn r5_an_address_that_vanishes_gives_way_to_its_known_target() {
    for status in [404, 410] {
        let (site, mut lab) = moving(Reply::to(301, "/new")).await;
        site.show("/old", Reply::status(status));
        lab.next("paper").await;
        assert_eq!(lab.state("paper").await.learned.moved.to, Some(site.url("/new")));
        assert_eq!(lab.next("paper").await.failure, None);
        assert_eq!(site.asked("/old").len(), 2);
    }
}

#[tokio::test]
async fn r6_a_chain_that_is_not_permanent_throughout_is_not_kept() {
    for (first, second) in [(302, 301), (301, 302), (307, 308), (303, 301)] {
        let (site, mut lab) = moving(Reply::to(first, "/between")).await;
        site.show("/between", Reply::to(second, "/new"));
        lab.next("paper").await;
        lab.run("paper", 9).await;
        assert_eq!(lab.state("paper").await.failing, None);
        assert_eq!(lab.state("paper").await.learned.moved, schedule::Moved::default(), "{first}, {second}");
    }
}

/// Two sources, `one` at `/one` and `two` at `/two`.
async fn pair(site: &Site) -> Lab {
    let more = "interval = \"1h\"";
    let two = source("two", &site.url("/two"), more);
    Lab::with(&format!("{}{two}", source("one", &site.url("/one"), more))).await
}

#[tokio::test]
async fn r7_a_redirect_to_another_source_gives_items_to_that_one_alone() {
    let site = Site::start();
    site.show("/one", Reply::to(302, "/two"));
    site.show("/two", tagged("a", ""));
    let mut lab = pair(&site).await;
    assert_eq!(lab.poll("one").await.outcome, "same");
    assert_eq!(lab.poll("two").await.outcome, "baseline");
    let same_as = lab.state("one").await.learned.same_as;
    assert_eq!(same_as.as_ref().map(ToString::to_string).as_deref(), Some("two"));
    assert_eq!((lab.state("one").await.items, lab.state("two").await.items), (0, 20));
    site.show("/two", Reply::status(304));
    let (before, asked) = (site.asked("/one").len(), site.asked("/two").len());
    lab = lab.restart().await;
    let polls = lab.run("two", 1).await;
    assert_eq!(site.asked("/two").len() - asked, polls, "one request for both");
    assert_eq!(site.asked("/one").len(), before);

    site.show("/one", Reply::ok(feed(50..=55, "")));
    lab.next("one").await;
    assert_eq!(lab.state("one").await.learned.same_as, None, "it has a document of its own again");
    assert_eq!(lab.state("one").await.items, 6);
}

#[tokio::test]
async fn r7_of_two_redirects_to_one_target_the_first_to_arrive_has_it() {
    let site = Site::start();
    site.show("/one", Reply::to(302, "/shared"));
    site.show("/two", Reply::to(302, "/shared"));
    site.show("/shared", tagged("a", ""));
    let mut lab = pair(&site).await;
    assert_eq!(lab.poll("two").await.outcome, "baseline");
    assert_eq!(lab.poll("one").await.outcome, "same");
    lab = lab.restart().await;
    assert_eq!(lab.poll("one").await.outcome, "same", "also when it is asked first after a restart");
    lab.change(&source("one", &site.url("/one"), ""));
    assert_eq!(lab.poll("one").await.outcome, "baseline", "the other is no more");
}

#[tokio::test]
async fn r7_a_source_that_fails_has_no_document_that_another_reads() {
    let site = Site::start();
    site.show("/one", Reply::to(301, "/real"));
    site.show("/two", Reply::to(302, "/real"));
    site.show("/real", tagged("a", ""));
    let mut lab = pair(&site).await;
    assert_eq!(lab.poll("one").await.outcome, "baseline");
    assert_eq!(lab.poll("two").await.outcome, "same");
    site.show("/one", Reply::status(500));
    lab.next("one").await;
    assert_eq!(lab.poll("two").await.outcome, "same", "one failure may be chance");
    lab.next("one").await;
    assert_eq!(lab.poll("two").await.outcome, "baseline");
    site.show("/real", Reply::ok(feed(2..=21, "")));
    let poll = lab.poll("two").await;
    assert_eq!((poll.outcome.as_str(), poll.new), ("read", 1));

    lab = lab.restart().await;
    assert_eq!(lab.poll("two").await.outcome, "unchanged", "what failed before a restart has nothing either");
    site.show("/one", Reply::to(301, "/real"));
    assert_eq!(lab.next("one").await.outcome, "same", "the other has it now");
    assert_eq!(lab.poll("two").await.outcome, "unchanged");
}

#[tokio::test]
async fn r7_one_detour_to_another_source_does_not_cost_a_day() {
    let site = Site::start();
    site.show("/one", tagged("a", ""));
    site.show("/two", tagged("b", ""));
    let mut lab = pair(&site).await;
    for name in ["one", "two"] {
        lab.poll(name).await;
    }
    site.show("/one", Reply::to(302, "/two"));
    assert_eq!(lab.next("one").await.outcome, "same");
    assert!((60..=66).contains(&lab.wait("one").await), "after its own interval");
    site.show("/one", Reply::ok(feed(2..=21, "")));
    assert_eq!(lab.next("one").await.new, 1);

    site.show("/one", Reply::to(302, "/two"));
    site.show("/two", tagged("b", "").header("Cache-Control", "max-age=7200"));
    for hours in [2, 4, 8] {
        assert_eq!(lab.next("one").await.outcome, "same");
        assert!((60 * hours..=66 * hours).contains(&lab.wait("one").await), "{hours} hours");
        let order = lab.state("one").await.not_before.expect("the order of the answer holds");
        assert_eq!(order.duration_since(lab.now).as_hours(), 2);
    }
}

#[tokio::test]
async fn r7_a_page_for_a_whole_site_makes_no_source_stand_aside() {
    let site = Site::start();
    site.show("/one", tagged("a", ""));
    site.show("/two", Reply::ok(feed(30..=40, "")));
    site.show("/pause", Reply::ok("<!DOCTYPE html><html><body><p>Back soon</p></body></html>"));
    let mut lab = pair(&site).await;
    for name in ["one", "two"] {
        lab.poll(name).await;
        site.show(&format!("/{name}"), Reply::to(302, "/pause"));
    }
    for name in ["one", "two"] {
        lab.next(name).await;
        assert_eq!(lab.state(name).await.failing.unwrap().reason, "parse");
        assert_eq!(lab.state(name).await.learned.same_as, None);
    }
}

#[tokio::test]
async fn r7_two_sources_of_one_address_are_asked_once() {
    let site = Site::start();
    site.show("/feed", tagged("a", ""));
    let url = site.url("/feed");
    let lab = Lab::with(&format!("{}{}", source("one", &url, ""), source("two", &url, ""))).await;
    assert_eq!(lab.poll("two").await.outcome, "same");
    assert_eq!(lab.poll("one").await.outcome, "baseline");
    assert_eq!(site.asked("/feed").len(), 1);
}
