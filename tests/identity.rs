//! Which items of a feed are the same over polls (polling.md, section 2), by the built program on a site on loopback.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::support::calls::{Desk, number, text};
use crate::support::http::Reply;
use crate::support::site::Site;

/// Fires the rule `convoy`.
const CONVOY: &str = "Convoy attacked";

/// Fires nothing.
const MANGOES: &str = "Mangoes harvested";

/// An entry of which any part may be left out by an empty text.
fn entry(guid: &str, link: &str, title: &str) -> String {
    entry_with(guid, link, title, "")
}

fn entry_with(guid: &str, link: &str, title: &str, more: &str) -> String {
    let mut entry = "<item>".to_owned();
    for (name, value) in [("guid isPermaLink=\"false\"", guid), ("link", link), ("title", title)] {
        if !value.is_empty() {
            let end = name.split(' ').next().unwrap();
            write!(entry, "<{name}>{}</{end}>", value.replace('&', "&amp;")).unwrap();
        }
    }
    entry + more + "</item>"
}

fn feed(entries: &[String]) -> Reply {
    let entries = entries.concat();
    Reply::ok(format!("<rss version=\"2.0\"><channel><title>Paper</title>{entries}</channel></rss>"))
}

/// A site with a feed at `/feed`, and a desk that reads it.
struct Paper {
    site: Site,
    desk: Desk,
}

impl Paper {
    /// A paper whose baseline is taken.
    fn with(baseline: &[String]) -> Self {
        Self::beside("", baseline)
    }

    /// The same with more in the config.
    fn beside(more: &str, baseline: &[String]) -> Self {
        let site = Site::start();
        let source = format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\n", site.url("/feed"));
        let desk = Desk::with(&format!("{source}{more}"));
        let paper = Self { site, desk };
        paper.site.show("/feed", feed(baseline));
        assert_eq!(paper.desk.poll()["outcome"], "baseline");
        paper
    }

    /// The counts of items, new items, edits and alerts of the next poll.
    fn poll(&self, entries: &[String]) -> [u64; 4] {
        self.site.show("/feed", feed(entries));
        self.counts()
    }

    fn counts(&self) -> [u64; 4] {
        let poll = self.desk.poll();
        if poll["outcome"] == "unchanged" {
            return [0; 4];
        }
        assert_eq!(poll["outcome"], "read", "{poll}");
        ["/items", "/new", "/edited", "/alerts"].map(|count| number(&poll, count))
    }
}

fn link(n: u32) -> String {
    format!("https://paper.example/{n}")
}

#[test]
fn i1_a_new_guid_with_known_link_and_text_is_the_same_item() {
    let known = [entry("a", &link(1), MANGOES), entry("b", &link(2), CONVOY)];
    let paper = Paper::with(&known[..1]);
    assert_eq!(paper.poll(&known), [2, 1, 0, 1]);
    let renamed = entry("b2", &link(2), CONVOY);
    assert_eq!(paper.poll(&[known[0].clone(), renamed.clone()]), [2, 0, 0, 0]);
    // The item keeps its first id, under which the edit finds the stored version.
    let edited = entry("b2", &link(2), &format!("{CONVOY}, ten dead"));
    assert_eq!(paper.poll(&[known[0].clone(), edited]), [2, 0, 1, 0]);
    assert_eq!(paper.desk.told(), ["alert.new sent Convoy attacked"]);
}

#[test]
fn i1_a_known_link_with_new_guid_and_title_is_an_edit_when_the_old_item_is_gone() {
    let old = entry("a", &link(1), "Explosion heard");
    let paper = Paper::with(&[]);
    assert_eq!(paper.poll(std::slice::from_ref(&old)), [1, 1, 0, 0]);
    let retitled = entry("a2", &link(1), "Convoy attacked: explosion heard");
    assert_eq!(paper.poll(&[retitled]), [1, 0, 1, 1], "the edit makes a rule fire");

    let paper = Paper::with(std::slice::from_ref(&old));
    let other = entry("a2", &link(1), CONVOY);
    assert_eq!(paper.poll(&[other.clone(), old]), [2, 1, 0, 1], "both are shown");
    assert_eq!(paper.poll(&[other]), [1, 0, 0, 0]);
    let third = entry("a3", &link(1), "Convoy attacked again");
    assert_eq!(paper.poll(&[third])[1], 1, "the link is known to be of several items");
}

#[test]
fn i1_a_link_that_all_entries_have_joins_none() {
    let home = "https://paper.example/";
    let bulletin = |n: u32| entry(&format!("g{n}"), home, &format!("Convoy attacked, bulletin {n}"));
    let paper = Paper::with(&[bulletin(1), bulletin(2)]);
    assert_eq!(paper.poll(&[bulletin(3), bulletin(2)])[1..], [1, 0, 1]);
    assert_eq!(paper.poll(&[bulletin(4)])[1..], [1, 0, 1], "also when it is shown alone");
    let edited = entry("g4", home, "Convoy attacked, bulletin 4, put right");
    assert_eq!(paper.poll(&[edited])[1..], [0, 1, 0]);
    // Without guids, likewise.
    let bulletin = |n: u32| entry("", home, &format!("Convoy attacked, bulletin {n}"));
    let paper = Paper::with(&[bulletin(1), bulletin(2)]);
    assert_eq!(paper.poll(&[bulletin(2)]), [1, 0, 0, 0]);
    assert_eq!(paper.poll(&[bulletin(3)])[1..], [1, 0, 1]);
}

#[test]
fn i1_a_link_to_the_front_page_makes_no_edit_of_what_is_new() {
    for home in ["https://paper.example/", "https://www.paper.example/?utm_source=rss"] {
        let bulletin = |guid: &str, title: &str| [entry(guid, home, title)];
        let paper = Paper::with(&[]);
        assert_eq!(paper.poll(&bulletin("g1", "Explosion heard"))[1..], [1, 0, 0]);
        assert_eq!(paper.poll(&bulletin("g2", "Convoy attacked at Gao"))[1..], [1, 0, 1]);
        assert_eq!(paper.poll(&bulletin("g3", "Convoy attacked at Kidal"))[1..], [1, 0, 1]);
        assert_eq!(paper.poll(&bulletin("g3", "Convoy attacked near Kidal"))[1..], [0, 1, 0]);
    }
}

#[test]
fn i1_a_report_dated_a_day_later_under_the_same_link_is_new() {
    let dated = |guid: &str, title: &str, day: u32| {
        let date = format!("<pubDate>{day} Nov 2026 06:00:00 GMT</pubDate>");
        entry_with(guid, "https://paper.example/warning", title, &date)
    };
    let paper = Paper::with(&[]);
    assert_eq!(paper.poll(&[dated("1", "Warning: convoy attacked at Gao", 24)])[1..3], [1, 0]);
    assert_eq!(paper.poll(&[dated("2", "Warning: convoy attacked at Kidal", 25)])[1..3], [1, 0]);
    assert_eq!(paper.poll(&[dated("3", "Warning: convoy attacked near Kidal", 25)])[1..3], [0, 1]);
}

/// A genuine feed, when the fixtures are there.
fn genuine(file: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests find the genuine documents by this variable")]
    let folder = std::env::var("HARMATTAN_FIXTURES").ok()?;
    Some(fs::read_to_string(PathBuf::from(folder).join("feeds").join(file)).unwrap())
}

/// A rule that fires on everything.
const ALL: &str = "[[rule]]\nname = \"all\"\nseverity = \"low\"\nany = [\"*\"]\nsource = [\"paper\"]\n";

#[test]
fn i2_a_genuine_feed_with_all_guids_changed_alerts_nothing() {
    for (file, from, to) in [
        ("indianexpress-world-2017.xml", "<guid isPermaLink=\"false\">", "<guid isPermaLink=\"false\">v2-"),
        ("bbc-news-2026.xml", "<guid isPermaLink=\"false\">", "<guid isPermaLink=\"false\">v2-"),
        ("theverge-atom-2017.xml", "<id>", "<id>v2-"),
        // Another path and guid for everything.
        ("indianexpress-world-2017.xml", "indianexpress.com/", "news.indianexpress.com/2026/"),
    ] {
        let Some(before) = genuine(file) else { return };
        let after = before.replace(from, to);
        assert_ne!(before, after, "{file}");
        let site = Site::start();
        let source = format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\n", site.url("/feed"));
        let desk = Desk::with(&format!("{source}{ALL}"));
        site.show("/feed", Reply::ok(before.clone()));
        assert_eq!(desk.poll()["outcome"], "baseline");
        for body in [&after, &before, &after] {
            site.show("/feed", Reply::ok(body.clone()));
            let poll = desk.poll();
            let counts = ["/new", "/edited", "/alerts", "/recorded"].map(|count| number(&poll, count));
            assert_eq!((poll["outcome"].as_str(), counts), (Some("read"), [0; 4]), "{file} {to}");
        }
    }
}

#[test]
fn i2_a_site_that_moves_tells_what_is_new_in_it_alone() {
    let title = |n: u32| format!("Convoy attacked, report {n}");
    let known: Vec<String> = (1..=6).map(|n| entry(&format!("a{n}"), &link(n), &title(n))).collect();
    let paper = Paper::with(&known);
    let mut moved: Vec<String> =
        (1..=6).map(|n| entry(&format!("b{n}"), &format!("https://new.example/x/{n}"), &title(n))).collect();
    moved.push(entry("b7", "https://new.example/x/7", "Convoy attacked at last"));
    assert_eq!(paper.poll(&moved), [7, 1, 0, 1]);
    assert_eq!(paper.desk.told(), ["alert.new sent Convoy attacked at last"]);
}

#[test]
fn i2_a_feed_that_gains_guids_and_other_summaries_alerts_nothing() {
    let report = |guid: &str, n: u32, lead: &str| {
        let text = format!("<description>{lead} {n}</description>");
        entry_with(guid, &link(n), &format!("Convoy attacked, report {n}"), &text)
    };
    let entries = |guids: bool, lead: &str, newest: u32| -> Vec<String> {
        let guid = |n: u32| if guids { format!("g{n}") } else { String::new() };
        (newest - 9..=newest).rev().map(|n| report(&guid(n), n, lead)).collect()
    };
    let paper = Paper::with(&entries(false, "Lead", 10));
    assert_eq!(paper.poll(&entries(true, "A longer lead", 11))[1..], [1, 9, 1]);
    assert_eq!(paper.poll(&entries(false, "Lead", 11))[1..], [0, 10, 0], "and loses them again");
    assert_eq!(paper.desk.told(), ["alert.new sent Convoy attacked, report 11"]);
}

#[test]
fn i3_links_differ_by_what_leads_elsewhere() {
    let forms = [
        "https://paper.example/1",
        "http://www.paper.example:80/1/",
        "https://paper.example/1?utm_source=rss&utm_medium=feed",
        "https://paper.example/1?at_medium=RSS&at_campaign=KARANGA",
        "https://paper.example/1?maca=en-rss-en-all-1573-rdf",
        "https://paper.example/1#xtor=RSS-1",
        "https://paper.example/1?xtor=RSS-1&CMP=x&fbclid=y&gclid=z&yclid=0",
        "https://paper.example/1#comments",
    ];
    let paper = Paper::with(&[entry("", forms[0], CONVOY)]);
    for (n, form) in (10..).zip(forms) {
        let other = entry("", &link(n), MANGOES);
        assert_eq!(paper.poll(&[entry("", form, CONVOY), other]), [2, 1, 0, 0], "{form}");
    }
    assert_eq!(paper.poll(&[entry("", "https://paper.example/1?id=2", CONVOY)])[1], 1);
}

#[test]
fn i3_a_fragment_counts_where_it_is_the_only_difference() {
    let part = |n: u32, guid: &str| {
        let link = format!("https://paper.example/live#post-{n}");
        entry(&guid.replace('N', &n.to_string()), &link, &format!("Convoy attacked, post {n}"))
    };
    for guid in ["", "live", "post-N"] {
        let paper = Paper::with(&[part(1, guid), part(2, guid)]);
        assert_eq!(paper.poll(&[part(3, guid), part(2, guid), part(1, guid)])[1..], [1, 0, 1]);
        assert_eq!(paper.poll(&[part(2, guid)]), [1, 0, 0, 0], "`{guid}`");
        assert_eq!(paper.poll(&[part(4, guid)])[1..], [1, 0, 1], "shown alone, it is no edit of the page");
        assert_eq!(paper.poll(&[part(6, guid), part(5, guid), part(4, guid)])[1..], [2, 0, 2]);
    }
    // One post at a time.
    let paper = Paper::with(&[]);
    for n in 1..4 {
        assert_eq!(paper.poll(&[part(n, "post-N")])[1..], [1, 0, 1], "post {n}");
    }
}

#[test]
fn i4_a_guid_that_counts_edits_is_one_item() {
    let bbc = |n: u32, title: &str| {
        let link = "https://www.bbc.co.uk/news/articles/c1?at_medium=RSS&at_campaign=rss";
        entry(&format!("https://www.bbc.co.uk/news/articles/c1#{n}"), link, title)
    };
    let paper = Paper::with(&[]);
    assert_eq!(paper.poll(&[bbc(0, CONVOY)])[1..], [1, 0, 1]);
    assert_eq!(paper.poll(&[bbc(1, CONVOY)])[1..], [0, 0, 0], "nothing that a reader sees changed");
    assert_eq!(paper.poll(&[bbc(2, "Convoy attacked: ten dead")])[1..], [0, 1, 0]);
    assert_eq!(paper.poll(&[bbc(3, "Convoy attacked: twelve dead")])[1..], [0, 1, 0]);
    assert_eq!(paper.desk.sources()["paper"]["items"], 1);
}

#[test]
fn i5_one_guid_on_all_items_hides_none() {
    let item = |n: u32| entry("same", &link(n), &format!("Convoy attacked, report {n}"));
    let paper = Paper::with(&[]);
    let mut items: Vec<String> = (1..=10).map(item).collect();
    assert_eq!(paper.poll(&items)[..3], [10, 10, 0]);
    items.reverse();
    assert_eq!(paper.poll(&items), [10, 0, 0, 0]);
    assert_eq!(paper.poll(&items[3..4]), [1, 0, 0, 0], "one of them alone");
    assert_eq!(paper.poll(&[item(11)])[1..3], [1, 0], "another one alone");
    assert_eq!(paper.poll(&items), [10, 0, 0, 0]);
}

#[test]
fn i5_a_guid_that_one_report_after_another_has_names_none() {
    let latest = |n: u32, title: &str| [entry("latest", &link(n), title)];
    let paper = Paper::with(&latest(1, "All calm"));
    for n in 2..5 {
        assert_eq!(paper.poll(&latest(n, &format!("Convoy attacked, no {n}")))[1..], [1, 0, 1], "{n}");
    }
    assert_eq!(paper.poll(&latest(4, "Convoy attacked, number 4 put right"))[1..], [0, 1, 0]);
    for (n, title) in [(1, "All calm"), (3, "Convoy attacked, no 3")] {
        assert_eq!(paper.poll(&latest(n, title))[1..], [0, 0, 0], "an older one comes again");
    }
    // What has no other link, or no other title, is an edit.
    let paper = Paper::with(&[]);
    assert_eq!(paper.poll(&latest(1, "Explosion heard"))[1..], [1, 0, 0]);
    assert_eq!(paper.poll(&latest(1, "Convoy attacked"))[1..], [0, 1, 1]);
    let text = "<description>with a text</description>";
    assert_eq!(paper.poll(&[entry_with("latest", &link(2), "Convoy attacked", text)])[1..], [0, 1, 0]);
}

#[test]
fn i6_an_item_without_guid_or_link_is_known_by_what_it_has() {
    let date = "<pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate>";
    let later = "<pubDate>Mon, 23 Nov 2026 11:00:00 GMT</pubDate>";
    let text = |words: &str| format!("<description>{words}</description>");
    let paper = Paper::with(&[
        entry_with("", &link(1), "One", "<guid> </guid>"),
        entry_with("", "", "Two", &(date.to_owned() + &text("a"))),
        entry_with("", "", "Three", &text("b")),
        entry_with("", "", "", "<author>N</author>"),
        entry_with("", "", "", &format!("<author>N</author>{date}")),
    ]);
    assert_eq!(number(&paper.desk.sources()["paper"], "/items"), 5);
    let changed = [
        entry_with("", "", "", &format!("<author>N</author>{date}")),
        entry_with("", "", "", "<author>N</author>"),
        entry_with("", "", "Three", &(later.to_owned() + &text("b"))),
        entry_with("", "", "Two", &(date.to_owned() + &text("changed"))),
        entry_with("", &link(1), "One, edited", "<guid/>"),
    ];
    assert_eq!(
        paper.poll(&changed),
        [5, 0, 2, 0],
        "reordered, one with another text, one with another title"
    );
    assert_eq!(paper.poll(&[entry_with("", "", "", "<author>M</author>")])[1], 1, "another author");
    assert_eq!(paper.poll(&[entry_with("", "", "Two", &(later.to_owned() + &text("c")))])[1], 1);
}

#[test]
fn i7_an_edited_title_is_one_update() {
    let paper = Paper::with(&[entry("a", &link(1), MANGOES)]);
    let edited = [entry("a", &link(1), "Mangoes harvested early")];
    assert_eq!(paper.poll(&edited), [1, 0, 1, 0]);
    assert_eq!(paper.poll(&edited), [0, 0, 0, 0]);
    assert_eq!(paper.poll(&[edited[0].clone(), entry("b", &link(2), MANGOES)]), [2, 1, 0, 0]);
}

#[test]
fn i8_an_edit_tells_the_rules_that_newly_fire_to_whom_they_are_news() {
    for link in [link(1), "https://paper.example/".to_owned()] {
        let paper = Paper::with(&[]);
        for (title, expected) in [
            ("Convoy attacked", [1, 0, 1]),
            ("Convoy attacked near Gao", [0, 1, 0]),
            ("Convoy attacked, base falls", [0, 1, 1]),
            ("Convoy attacked", [0, 1, 0]),
            ("Convoy attacked, the base falls", [0, 1, 0]),
            ("Base falls", [0, 1, 0]),
            ("Base falls, convoy attacked", [0, 1, 0]),
        ] {
            assert_eq!(paper.poll(&[entry("a", &link, title)])[1..], expected, "{title}");
        }
        let told = [
            "alert.new sent Convoy attacked",
            "alert.update sent Convoy attacked, base falls",
            "alert.new joined Convoy attacked, the base falls",
            "alert.new joined Base falls, convoy attacked",
        ];
        assert_eq!(paper.desk.told(), told);
        let alerts = paper.desk.alerts();
        let rules = |alert: &serde_json::Value| alert["rules"].as_array().unwrap().len();
        assert_eq!((rules(&alerts[1]), text(&alerts[1], "/rules/0/name")), (1, "base".to_owned()));
    }
}

#[test]
fn i8_of_an_item_of_the_baseline_the_first_edit_alone_is_silent() {
    let paper = Paper::with(&[entry("a", &link(1), "All calm"), entry("b", &link(2), MANGOES)]);
    for (title, expected) in
        [("Convoy attacked", [0, 1, 0]), ("Calm again", [0, 1, 0]), ("Convoy attacked near Gao", [0, 1, 1])]
    {
        let shown = [entry("a", &link(1), title), entry("b", &link(2), MANGOES)];
        assert_eq!(paper.poll(&shown)[1..], expected, "{title}");
    }
}

#[test]
fn i8_an_edit_tells_those_who_were_told_nothing() {
    let desks = "[[notifier]]\nname = \"one\"\ntype = \"stdout\"\n[[notifier]]\nname = \"two\"\ntype = \"stdout\"\n\
        [[route]]\nrules = [\"base\"]\nto = [\"one\"]\n[[route]]\nrules = [\"convoy\"]\nto = [\"two\"]\n";
    let paper = Paper::beside(desks, &[]);
    assert_eq!(paper.poll(&[entry("a", &link(1), "Base falls")])[1..], [1, 0, 1]);
    assert_eq!(paper.poll(&[entry("a", &link(1), "Base falls, convoy attacked")])[1..], [0, 1, 1]);
    assert_eq!(paper.poll(&[entry("a", &link(1), "Base falls; convoy attacked")])[1..], [0, 1, 0]);
}

#[test]
fn i9_an_item_shown_twice_is_told_once() {
    let one = entry("a", &link(1), CONVOY);
    let other_guid = entry("b", "http://www.paper.example/1/?utm_source=x", CONVOY);
    let site = Site::start();
    let sources = ["one", "two"].map(|name| {
        site.show(&format!("/{name}"), feed(&[]));
        format!("[[source]]\nname = \"{name}\"\nfeed = \"{}\"\n", site.url(&format!("/{name}")))
    });
    let desk = Desk::with(&sources.concat());
    desk.all();
    site.show("/one", feed(&[one.clone(), one.clone(), other_guid.clone()]));
    let poll = &desk.all()["one"];
    assert_eq!(["/items", "/new", "/alerts", "/recorded"].map(|count| number(poll, count)), [3, 1, 1, 0]);
    site.show("/one", feed(&[other_guid.clone(), one.clone()]));
    assert_eq!(["/new", "/edited"].map(|count| number(&desk.all()["one"], count)), [0, 0]);
    // Another feed of the outlet: recorded as a report of the same story, and not told again.
    site.show("/two", feed(&[other_guid]));
    let poll = &desk.all()["two"];
    assert_eq!(["/new", "/alerts", "/recorded"].map(|count| number(poll, count)), [1, 0, 1]);
    assert_eq!(
        desk.alerts().iter().map(|alert| text(alert, "/disposition")).collect::<Vec<_>>(),
        ["sent", "joined"]
    );
}

// Row 20 of the catalogue of faults

#[test]
fn row_20_guids_that_change_at_every_fetch_repeat_nothing() {
    let stated = |round: u32, n: u32| {
        let link = format!("https://paper.example/{n}");
        entry(&format!("{round}-{n}"), &link, &format!("{CONVOY}, report {n}"))
    };
    let entries =
        |round: u32, newest: u32| (newest - 9..=newest).rev().map(|n| stated(round, n)).collect::<Vec<_>>();
    let paper = Paper::with(&entries(0, 20));
    for round in 1..6 {
        assert_eq!(paper.poll(&entries(round, 20)), [10, 0, 0, 0], "round {round}");
    }
    assert_eq!(paper.poll(&entries(6, 21)), [10, 1, 0, 1]);
    assert_eq!(paper.poll(&entries(7, 21)), [10, 0, 0, 0]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is a year old is told by its date")]
fn row_20_a_feed_that_replays_a_year_tells_nothing_again() {
    let now = jiff::Timestamp::now();
    let dated = |n: u32| {
        let date = now - jiff::SignedDuration::from_hours(24 * i64::from(400 - n));
        let date = date.strftime("<pubDate>%a, %d %b %Y %H:%M:%S GMT</pubDate>").to_string();
        entry_with(
            &format!("g{n}"),
            &format!("https://paper.example/{n}"),
            &format!("{CONVOY}, report {n}"),
            &date,
        )
    };
    let entries = |numbers: std::ops::RangeInclusive<u32>| numbers.rev().map(dated).collect::<Vec<_>>();
    let paper = Paper::with(&entries(380..=399));
    assert_eq!(paper.poll(&entries(381..=400)), [20, 1, 0, 1]);
    // The whole year at once, then the window of every month of it, then that of today.
    let [_, new, _, alerts] = paper.poll(&entries(36..=400));
    assert_eq!((new, alerts), (344, 0), "seen, and too old to be told");
    for month in 1..12 {
        let [_, new, edited, alerts] = paper.poll(&entries(30 * month + 10..=30 * month + 29));
        assert_eq!((new, edited, alerts), (0, 0, 0), "month {month}");
    }
    assert_eq!(paper.poll(&entries(381..=400)), [20, 0, 0, 0]);
}
