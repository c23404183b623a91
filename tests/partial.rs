//! Documents that end inside an entry: what of it is read, and what becomes of it when the whole is there. By the built
//! program on loopback.

use serde_json::Value;

use crate::support::calls::{Desk, number, text};
use crate::support::http::Reply;
use crate::support::site::Site;

/// Reports, of which the first ends before `end`.
fn cut(end: &str) -> Reply {
    let feed = feed(&[4, 1]);
    Reply::ok(&feed.as_bytes()[..feed.find(end).unwrap()])
}

/// Reports whose title fires `convoy` and whose text fires `base`, where the number is 4; others fire nothing.
fn feed(numbers: &[u32]) -> String {
    let entry = |n: &u32| {
        let (title, text) = if *n == 4 {
            ("Convoy attacked", "The base falls")
        } else {
            ("Mangoes harvested", "Many of them")
        };
        format!(
            "<item><title>{title}</title><guid isPermaLink='false'>paper-{n}</guid><link>https://paper.example/{n}</link>\
             <description>{text}</description><author>desk {n}</author></item>"
        )
    };
    let entries: String = numbers.iter().map(entry).collect();
    format!("<rss version='2.0'><channel><title>Paper</title>{entries}</channel></rss>")
}

/// A desk whose source has the reports with these numbers as its baseline.
fn desk(baseline: &[u32]) -> (Site, Desk) {
    let site = Site::start();
    site.show("/feed", Reply::ok(feed(baseline)));
    let desk = Desk::with(&format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\n", site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    (site, desk)
}

/// What a poll found: new items, edits, alerts.
fn found(poll: &Value) -> [u64; 3] {
    assert_ne!(poll["outcome"], "failed", "{poll}");
    ["/new", "/edited", "/alerts"].map(|count| number(poll, count))
}

/// Of [`feed`], all that stands before the author of report 4, behind a whole one.
fn behind_a_whole_one(end: &str) -> Reply {
    let feed = feed(&[1, 4]);
    Reply::ok(&feed.as_bytes()[..feed.find(end).unwrap()])
}

#[test]
fn an_entry_that_has_its_name_alerts_at_once_and_its_rest_as_an_edit() {
    let (site, desk) = desk(&[1]);
    site.show("/feed", behind_a_whole_one(" falls</description>"));
    for expected in [[1, 0, 1], [0, 0, 0]] {
        let poll = desk.poll();
        assert_eq!(found(&poll), expected, "{poll}");
        assert!(poll["problems"].to_string().contains("ends inside an entry: 1 whole ones read"), "{poll}");
    }
    site.show("/feed", behind_a_whole_one("<author>desk 4"));
    assert_eq!(found(&desk.poll()), [0, 0, 0], "a longer piece is no edit");
    site.show("/feed", Reply::ok(feed(&[1, 4])));
    for expected in [[0, 1, 1], [0, 0, 0]] {
        assert_eq!(found(&desk.poll()), expected);
    }
    let told = ["alert.new sent Convoy attacked", "alert.update sent Convoy attacked"];
    assert_eq!(desk.told(), told);
    let source = &desk.sources()["paper"];
    assert_eq!((number(source, "/window_items"), number(source, "/window_known")), (2, 2), "{source}");
}

#[test]
fn an_entry_that_is_known_is_no_edit_when_a_document_ends_inside_it() {
    let (site, desk) = desk(&[1, 4]);
    for end in ["<description>The", " falls", "<author>desk 4"] {
        site.show("/feed", behind_a_whole_one(end));
        assert_eq!(found(&desk.poll()), [0, 0, 0], "{end}");
    }
    site.show("/feed", Reply::ok(feed(&[1, 4])));
    assert_eq!(found(&desk.poll()), [0, 0, 0]);
}

#[test]
fn an_entry_without_its_name_waits_for_the_whole() {
    let (site, desk) = desk(&[1]);
    for end in ["</title><guid isPermaLink='false'>paper-4", "aper-4</guid>"] {
        site.show("/feed", behind_a_whole_one(end));
        assert_eq!(found(&desk.poll()), [0, 0, 0], "{end}");
        assert_eq!(number(&desk.sources()["paper"], "/lost_last"), 1);
    }
    site.show("/feed", Reply::ok(feed(&[4, 1])));
    assert_eq!(found(&desk.poll()), [1, 0, 1]);
}

#[test]
fn a_document_that_ends_inside_its_first_entry_is_a_failure() {
    let (site, desk) = desk(&[1]);
    site.show("/feed", cut("<author>desk 4"));
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/alerts")), (&"failed".into(), 0), "{poll}");
    site.show("/feed", Reply::ok(feed(&[4, 1])));
    assert_eq!(found(&desk.poll()), [1, 0, 1]);
}

#[test]
fn a_baseline_leaves_the_entry_inside_which_it_ends_to_the_whole() {
    let site = Site::start();
    site.show("/feed", behind_a_whole_one("<author>desk 4"));
    let desk = Desk::with(&format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\n", site.url("/feed")));
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/new")), (&"baseline".into(), 1), "{poll}");
    site.show("/feed", Reply::ok(feed(&[1, 4])));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/baseline_fired")), (1, 1), "{poll}");
}

#[test]
fn preview_shows_the_entry_inside_which_a_document_ends() {
    let (site, desk) = desk(&[1]);
    for (what, title) in [
        ("<rss version='2.0'><channel><item><title><![CD", ""),
        ("<rss version='2.0'><channel><item><title>T</title><link>https", "T"),
        (r#"{"items":[{"title":"T","url":"htt"#, "T"),
    ] {
        site.show("/feed", Reply::ok(what));
        let lines = desk.run(&["preview", "--json", "--as", "feed", &site.url("/feed")]);
        let (entry, problems) = lines.split_last().unwrap();
        assert_eq!((text(entry, "/title").as_str(), &entry["partial"]), (title, &Value::Bool(true)));
        let told = problems
            .iter()
            .any(|line| text(line, "/problem").ends_with("inside an entry: 0 whole ones read"));
        assert!(told, "{lines:?}");
    }
}
