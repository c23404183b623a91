//! Documents that end inside an entry, or whose transfer breaks off: what of them is read, and what becomes of it when the
//! whole is there. By the built program on loopback.

use harmattan::daemon::clock;
use jiff::SignedDuration;
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

/// A desk whose source is the feed of a site.
fn desk_of(site: &Site) -> Desk {
    Desk::with(&format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\n", site.url("/feed")))
}

/// A desk whose source has the reports with these numbers as its baseline.
fn desk(baseline: &[u32]) -> (Site, Desk) {
    let site = Site::start();
    site.show("/feed", Reply::ok(feed(baseline)));
    let desk = desk_of(&site);
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
    site.show("/feed", cut(" falls</description>"));
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/alerts")), (&"failed".into(), 0), "{poll}");
    site.show("/feed", Reply::ok(feed(&[4, 1])));
    assert_eq!(found(&desk.poll()), [1, 0, 1]);
}

#[test]
fn a_baseline_takes_the_entry_inside_which_it_ends_and_tells_nothing_of_it() {
    let site = Site::start();
    site.show("/feed", behind_a_whole_one(" falls</description>"));
    let desk = desk_of(&site);
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/new")), (&"baseline".into(), 2), "{poll}");
    assert_eq!(number(&poll, "/baseline_fired"), 1, "{poll}");
    site.show("/feed", Reply::ok(feed(&[1, 4])));
    assert_eq!(found(&desk.poll()), [0, 1, 0]);
    assert_eq!(desk.alerts().len(), 0);
}

/// An entry of RSS with these fields.
fn item(fields: &str) -> String {
    format!("<item>{fields}</item>")
}

/// A feed of these entries, without the ends of the last of them and of all around it.
fn unended(entries: &[String]) -> Reply {
    let entries = entries.concat();
    Reply::ok(format!(
        "<rss version='2.0'><channel><title>Paper</title>{}",
        entries.trim_end_matches("</item>")
    ))
}

/// A date so many days ago, as an element.
fn dated(days: i64) -> String {
    let date = clock::now() - SignedDuration::from_hours(24 * days);
    format!("<pubDate>{}</pubDate>", date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
}

#[test]
fn a_feed_that_always_ends_inside_its_oldest_entry_tells_nothing_old() {
    let named = |n: u32| {
        format!(
            "<title>Convoy attacked {n}</title><guid>paper-{n}</guid><link>https://paper.example/{n}</link>"
        )
    };
    let entries = |date: &str| [item(&(named(2) + date)), item(&named(1))];
    for date in ["", &dated(1)] {
        let site = Site::start();
        site.show("/feed", unended(&entries(date)));
        let desk = desk_of(&site);
        for round in 0..6 {
            let poll = desk.poll();
            assert_eq!(
                (number(&poll, "/alerts"), number(&poll, "/new")),
                (0, if round == 0 { 2 } else { 0 }),
                "{poll}"
            );
        }
    }
}

#[test]
fn what_stands_above_known_entries_is_news_though_no_document_was_whole_yet() {
    let whole = |n: u32| item(&format!("<title>Convoy attacked {n}</title><guid>paper-{n}</guid>"));
    let without_end = |newest: u32| {
        let entries: String = (1..=newest).rev().map(whole).collect();
        Reply::ok(format!("<rss version='2.0'><channel><title>Paper</title>{entries}"))
    };
    let site = Site::start();
    site.show("/feed", without_end(5));
    let desk = desk_of(&site);
    assert_eq!(number(&desk.poll(), "/alerts"), 0);
    for newest in 6..9 {
        site.show("/feed", without_end(newest));
        assert_eq!(number(&desk.poll(), "/alerts"), 1, "{newest}");
    }
}

#[test]
fn an_entry_whose_date_has_not_come_waits_where_others_have_dates() {
    let named = |n: u32, more: &str| {
        let names = format!("<guid>paper-{n}</guid><link>https://paper.example/{n}</link>");
        item(&format!("<title>Convoy attacked {n}</title>{names}{more}"))
    };
    let site = Site::start();
    site.show(
        "/feed",
        Reply::ok(format!("<rss version='2.0'><channel>{}</channel></rss>", named(1, &dated(0)))),
    );
    let desk = desk_of(&site);
    desk.poll();
    site.show("/feed", unended(&[named(1, &dated(0)), named(2, "")]));
    assert_eq!(number(&desk.poll(), "/new"), 0);
    site.show("/feed", unended(&[named(1, &dated(0)), named(2, &dated(300))]));
    assert_eq!(number(&desk.poll(), "/new"), 1);
    assert_eq!(desk.told(), ["alert.new stale Convoy attacked 2"]);
}

#[test]
fn an_address_that_stands_in_for_a_link_names_no_entry() {
    let entry = |n: u32, more: &str| {
        let enclosure = format!("<enclosure url='https://cdn.example/{n}.jpg' type='image/jpeg'/>");
        item(&format!("<title>Convoy attacked {n}</title>{enclosure}{more}"))
    };
    let link = |n: u32| format!("<link>https://paper.example/{n}</link>");
    let site = Site::start();
    site.show(
        "/feed",
        Reply::ok(format!("<rss version='2.0'><channel>{}</channel></rss>", entry(1, &link(1)))),
    );
    let desk = desk_of(&site);
    desk.poll();
    for (more, expected) in [(String::new(), [0, 0, 0]), (link(2), [1, 0, 1])] {
        site.show("/feed", unended(&[entry(1, &link(1)), entry(2, &more)]));
        assert_eq!(found(&desk.poll()), expected);
    }
}

#[test]
fn a_feed_of_one_entry_that_lacks_end_tags_is_read() {
    let entry = |n: u32| {
        let names = format!("<guid>paper-{n}</guid><link>https://paper.example/{n}</link>");
        item(&format!("{names}<title>Convoy attacked {n}</title>"))
    };
    let site = Site::start();
    site.show("/feed", unended(&[entry(1)]));
    let desk = desk_of(&site);
    (0..5).for_each(|_| assert_eq!(number(&desk.poll(), "/alerts"), 0));
    for n in 2..=3 {
        site.show("/feed", unended(&[entry(n)]));
        assert_eq!(found(&desk.poll()), [1, 0, 1]);
        assert_eq!(found(&desk.poll()), [0, 0, 0]);
    }
    assert_eq!(desk.sources()["paper"]["state"], "ok");
}

#[test]
fn what_stood_behind_the_cut_all_the_time_is_no_news_when_it_comes() {
    let entry = |n: u32, days: i64| {
        let names = format!("<guid>paper-{n}</guid><link>https://paper.example/{n}</link>");
        item(&format!("<title>Convoy attacked {n}</title>{names}{}", dated(days)))
    };
    let (old, late) = (entry(1, 1), [entry(1, 1), entry(2, 1)].concat());
    let site = Site::start();
    site.show("/feed", Reply::ok(format!("<rss version='2.0'><channel>{old}")));
    let desk = desk_of(&site);
    (0..5).for_each(|_| drop(desk.poll()));
    site.show("/feed", Reply::ok(format!("<rss version='2.0'><channel>{late}</channel></rss>")));
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], found(&poll)), (&"read".into(), [1, 0, 0]), "{poll}");
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

/// A page of news, of which the first may fire `convoy`.
fn page(title: &str) -> String {
    format!(
        "<html><body><article><h2><a href=/1>{title}</a></h2><p>In Gao.</p></article><article><h2><a href=/2>Rain</a></h2>\
         </article></body></html>\n"
    )
}

#[test]
fn a_page_whose_length_is_announced_wrong_is_read_where_it_has_its_end() {
    let site = Site::start();
    let wrong = |page: &str| Reply::ok(page).claiming(page.len() + 40);
    let select = "select = { item = \"article\", title = \"h2\", link = \"h2 a@href\" }";
    site.show("/news", wrong(&page("Mangoes harvested")));
    let config = format!("[[source]]\nname = \"ministry\"\npage = \"{}\"\n{select}\n", site.url("/news"));
    let desk = Desk::with(&config);
    assert_eq!(desk.poll()["outcome"], "baseline");
    site.show("/news", wrong(&page("Convoy attacked").replace("href=/1", "href=/3")));
    assert_eq!(found(&desk.poll()), [1, 0, 1]);
    let address = site.url("/news");
    let shown = desk.run(&["preview", "--json", &address]);
    assert_eq!(
        shown.iter().map(|item| text(item, "/title")).collect::<Vec<_>>(),
        ["Convoy attacked", "Rain"]
    );
    let half = page("Convoy attacked");
    site.show("/news", wrong(half.split("</body>").next().unwrap()));
    assert_eq!(desk.poll()["outcome"], "failed", "what may lack its other half is no page");
    let shown = desk.run(&["preview", "--json", &address]);
    assert!(text(&shown[0], "/problem").starts_with("cannot fetch"), "{shown:?}");
}

#[test]
fn preview_and_add_read_of_a_feed_whose_transfer_breaks_off_what_the_daemon_reads() {
    let site = Site::start();
    let whole = feed(&[4, 1]);
    let desk = Desk::with("");
    let broke_off = |problem: &str| problem.starts_with("salvaged: the transfer broke off: ");
    let until = |end| whole.split(end).next().unwrap();
    for (name, feed, items) in [("whole", whole.as_str(), 2), ("half", until("Mangoes"), 1)] {
        let path = format!("/{name}");
        site.show(&path, Reply::ok(feed).claiming(whole.len() + 40));
        let lines = desk.run(&["preview", "--json", &site.url(&path)]);
        let shown = lines.iter().filter(|line| line.get("id").is_some() && line["partial"].is_null());
        assert_eq!(shown.count(), items, "{lines:?}");
        assert!(lines.iter().any(|line| broke_off(&text(line, "/problem"))), "{lines:?}");
        let added = desk.run(&["sources", "add", "--dry-run", "--json", &site.url(&path)]).remove(0);
        assert_eq!(added["items"], items, "{added}");
        let problems = added["problems"].as_array().unwrap();
        assert!(problems.iter().any(|problem| broke_off(problem.as_str().unwrap())), "{added}");
    }
}
