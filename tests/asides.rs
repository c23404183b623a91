//! Sources that have stood aside for another and read by themselves again: what that one told is not told again, and what
//! neither read is missed. Time is passed in.

use std::ops::RangeInclusive;

use harmattan::control::api;

use crate::support::http::Reply;
use crate::support::lab::{Lab, hours};
use crate::support::preview::{Preview, convoy};
use crate::support::site::Site;

const RULE: &str =
    "[alerts]\nmax_age = \"9000d\"\n[[rule]]\nname = \"convoy\"\nall = [\"convoy attacked\"]\n";

/// The reports `first` to `last`, each a story of its own, the newest in front; `more` stands in the channel.
fn feed(reports: RangeInclusive<u32>, more: &str) -> Reply {
    let report = |n: u32| {
        format!(
            "<item><title>Convoy attacked at kilometre {n}</title><guid isPermaLink=\"false\">{n}</guid>\
             <link>https://paper.example/{n}</link></item>"
        )
    };
    let reports: String = reports.rev().map(report).collect();
    let channel = format!("<channel><title>Paper</title>{more}{reports}</channel>");
    Reply::ok(format!("<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">{channel}</rss>"))
}

fn source(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n")
}

fn sources(site: &Site, names: &[&str]) -> String {
    let sources: String = names.iter().map(|name| source(name, &site.url(&format!("/{name}")))).collect();
    format!("{RULE}{sources}")
}

/// Sources `one` and `two` whose baselines are the first twenty reports; then `one` leads to `two` for a week, in which
/// that tells those up to `last`.
async fn aside(last: u32) -> (Site, Lab) {
    let site = Site::start();
    for path in ["/one", "/two"] {
        site.show(path, feed(1..=20, ""));
    }
    let mut lab = Lab::with(&sources(&site, &["one", "two"])).await;
    for name in ["one", "two"] {
        assert_eq!(lab.poll(name).await.outcome, "baseline");
    }
    site.show("/one", Reply::to(302, "/two"));
    for newest in (20..=last).step_by(10).skip(1) {
        lab.now += hours(24);
        site.show("/two", feed(newest - 19..=newest, ""));
        let told = lab.poll("two").await;
        assert_eq!((told.alerts, gap(&told)), (10, None));
        assert_eq!(lab.poll("one").await.outcome, "same");
    }
    lab.now += hours(24);
    (site, lab)
}

fn gap(poll: &api::Poll) -> Option<&str> {
    poll.problems.iter().find_map(|problem| problem.strip_prefix("possible gap: "))
}

/// New items and alerts.
fn counts(poll: &api::Poll) -> (u32, u32) {
    assert_eq!(poll.outcome, "read", "{poll:?}");
    (poll.new, poll.alerts)
}

#[tokio::test]
async fn r7_what_another_told_is_not_told_again_and_no_gap() {
    // Of its own page some, hardly any or none is known to the source itself.
    for last in [30, 40, 60] {
        let (site, lab) = aside(last).await;
        site.show("/one", feed(last - 17..=last + 2, ""));
        let mut lab = lab.restart().await;
        let poll = lab.poll("one").await;
        assert_eq!((counts(&poll), gap(&poll)), ((2, 2), None), "{last}: {poll:?}");
        let learned = lab.state("one").await.learned;
        assert_eq!(learned.window.map(|window| (window.items, window.known)), Some((20, 18)), "{last}");
        assert_eq!((learned.arrivals.len(), learned.told_by), (2, None), "{last}");

        site.show("/one", feed(last - 16..=last + 3, ""));
        assert_eq!(counts(&lab.next("one").await), (1, 1), "{last}: it is a source like any other");
    }
}

#[tokio::test]
async fn r7_what_another_told_is_not_told_again_when_that_is_no_more() {
    for last in [40, 60] {
        let (site, mut lab) = aside(last).await;
        lab.change(&sources(&site, &["one"]));
        site.show("/two", feed(last - 18..=last + 1, ""));
        let poll = lab.poll("one").await;
        assert_eq!((counts(&poll), gap(&poll)), ((1, 1), None), "{last}: {poll:?}");
    }
}

#[tokio::test]
async fn r7_what_neither_read_is_a_gap_since_either_did() {
    let untouched = "none of its 20 items was known, and it names no older page";
    for same in [true, false] {
        let (site, mut lab) = aside(40).await;
        let last_read = lab.state(if same { "two" } else { "one" }).await.last_success;
        if same {
            lab.change(&sources(&site, &["one"]));
        }
        site.show(if same { "/two" } else { "/one" }, feed(81..=100, ""));
        let poll = lab.poll("one").await;
        assert_eq!((counts(&poll), gap(&poll)), ((20, 20), Some(untouched)));
        let gaps = lab.state("one").await.health.gaps;
        assert_eq!(gaps.last().map(|gap| gap.since), last_read, "{same}");
    }
}

#[tokio::test]
async fn r7_what_another_told_is_not_told_again_from_behind_a_cut() {
    let (site, mut lab) = aside(40).await;
    let own = || feed(23..=42, "");
    site.show("/one", own().less("</item></channel></rss>"));
    assert_eq!(counts(&lab.poll("one").await).0, 2);
    site.show("/one", feed(20..=42, ""));
    let poll = lab.next("one").await;
    assert_eq!((counts(&poll), gap(&poll)), ((0, 0), None));
}

#[tokio::test]
async fn r7_what_another_told_ends_the_way_back_through_older_pages() {
    let (site, lab) = aside(40).await;
    let older = |page: u32| format!("<atom:link rel=\"prev-archive\" href=\"/page/{page}\"/>");
    site.show("/one", feed(61..=80, &older(1)));
    site.show("/page/1", feed(41..=60, &older(2)));
    site.show("/page/2", feed(31..=42, &older(3)));
    let poll = lab.poll("one").await;
    assert_eq!((counts(&poll), gap(&poll)), ((40, 40), None), "{poll:?}");
    assert_eq!((site.asked("/page/2").len(), site.asked("/page/3").len()), (1, 0));
}

#[tokio::test]
async fn r7_a_channel_goes_on_where_another_source_read_it_last() {
    let preview = Preview::start(1..=20);
    let [first, second] = ["first", "second"]
        .map(|name| preview.source("").replacen("name = \"post\"", &format!("name = \"{name}\""), 1));
    let mut lab = Lab::with(&format!("{RULE}{second}")).await;
    assert_eq!(lab.poll("second").await.outcome, "baseline");
    lab.change(&format!("{RULE}{first}{second}"));
    assert_eq!(lab.poll("second").await.outcome, "same");
    assert_eq!(lab.poll("first").await.outcome, "baseline");
    for from in [21, 36, 51] {
        preview.change(|channel| channel.messages.extend((from..from + 15).map(|n| (n, convoy(n)))));
        lab.now += hours(1);
        assert_eq!(lab.poll("first").await.alerts, 15);
    }
    preview.say(66, &convoy(66));
    lab.change(&format!("{RULE}{second}"));
    let asked = preview.targets().len();
    lab.now += hours(1);
    let poll = lab.poll("second").await;
    assert_eq!((counts(&poll), gap(&poll)), ((1, 1), None), "{poll:?}");
    assert_eq!(preview.targets().get(asked).map(String::as_str), Some("/s/post"), "{:?}", preview.targets());
    assert!(preview.targets().len() <= asked + 2, "the page before it, for edits: {:?}", preview.targets());
}
