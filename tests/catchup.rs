//! Catching up after an absence: older pages of channels, feeds and sites, by the built program on loopback.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::calls::{Desk, LOOPBACK, number, text};
use crate::support::http::Reply;
use crate::support::preview;
use crate::support::preview::{Preview, convoy};
use crate::support::site::Site;

/// A channel whose baseline is taken, and its desk. Its messages are old by now: no rule has them stale.
fn channel(messages: std::ops::RangeInclusive<u64>) -> (Preview, Desk) {
    let preview = Preview::start(messages);
    let desk = Desk::with(&format!("[alerts]\nmax_age = \"9000d\"\n{}", preview.source("")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    (preview, desk)
}

fn gap(poll: &Value) -> Option<String> {
    let problems = poll["problems"].as_array()?;
    problems.iter().find_map(|told| Some(told.as_str()?.strip_prefix("possible gap: ")?.to_owned()))
}

fn urls(desk: &Desk) -> Vec<String> {
    desk.alerts().iter().map(|alert| text(alert, "/item/url")).collect()
}

#[test]
fn o3_three_pages_of_a_channel_are_read_back_and_told_oldest_first() {
    let (preview, desk) = channel(1..=20);
    assert_eq!(preview.targets(), ["/s/post"], "a baseline is one page");
    preview.publish(21..=70);
    for number in [69, 25, 47] {
        preview.say(number, &convoy(number));
    }
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/alerts"), gap(&poll)), (50, 3, None), "{poll}");
    assert_eq!(preview.targets()[1..], ["/s/post", "/s/post?before=51", "/s/post?before=31"]);
    let told = ["https://t.me/post/25", "https://t.me/post/47", "https://t.me/post/69"];
    assert_eq!(urls(&desk), told);

    let poll = desk.poll();
    assert_eq!(
        (poll["outcome"].as_str(), preview.targets().len()),
        (Some("unchanged"), 5),
        "nothing is asked twice"
    );
    preview.say(71, &convoy(71));
    assert_eq!(number(&desk.poll(), "/new"), 1);
    assert_eq!(preview.targets().len(), 6, "a page that touches what is known is enough");
}

#[test]
fn o3_what_an_empty_channel_shows_first_is_read_back_to_its_beginning() {
    let preview = Preview::start([]);
    let desk = Desk::with(&preview.source(""));
    assert_eq!(desk.poll()["outcome"], "baseline");
    preview.change(|channel| channel.recent = 0);
    preview.publish(2..=50);
    preview.say(3, &convoy(3));
    preview.instead("/s/post?before=31", Reply::status(500));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (20, None), "{poll}");
    preview.change(|channel| channel.instead.clear());
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/alerts"), gap(&poll)), (29, 1, None), "{poll}");
    assert_eq!(
        preview.targets()[3..],
        ["/s/post", "/s/post?before=31", "/s/post?before=11", "/s/post?before=2"]
    );
    assert_eq!(desk.poll()["outcome"], "unchanged");

    let busy = Preview::start([]);
    let desk = Desk::with(&busy.source(""));
    desk.poll();
    busy.change(|channel| channel.recent = 0);
    busy.publish(1..=600);
    let poll = desk.poll();
    assert_eq!(number(&poll, "/new"), 26 * 20);
    assert_eq!(gap(&poll).as_deref(), Some("25 older pages did not reach what was read before"));
}

#[test]
fn o3_holes_in_the_numbers_are_no_gap() {
    let (preview, desk) = channel(1..=20);
    preview.publish((21..=300).filter(|number| number % 10 == 0));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (28, None), "{poll}");
    assert_eq!(preview.targets()[1..], ["/s/post", "/s/post?before=110"]);
}

#[test]
fn o3_a_walk_ends_at_its_cap_and_tells_what_it_left() {
    let (preview, desk) = channel(1..=20);
    preview.publish(21..=2000);
    let poll = desk.poll();
    assert_eq!(number(&poll, "/new"), 26 * 20);
    assert_eq!(gap(&poll).as_deref(), Some("25 older pages did not reach what was read before"));
    assert_eq!(preview.targets().len(), 1 + 26);
    let poll = desk.poll();
    assert_eq!((gap(&poll), preview.targets().len()), (None, 28), "a gap is told once");
}

#[test]
fn o3_a_page_that_leads_no_further_ends_the_walk() {
    let (preview, desk) = channel(1..=20);
    preview.publish(101..=120);
    for number in 1..=20 {
        preview.delete(number);
    }
    let poll = desk.poll();
    assert_eq!(gap(&poll).as_deref(), Some("after 1 older pages the preview shows nothing older"));
    assert_eq!(number(&poll, "/new"), 20);

    preview.publish(201..=220);
    preview.change(|channel| {
        let same = channel.page(u64::MAX);
        channel.instead.insert("/s/post?before=201".into(), same);
    });
    let poll = desk.poll();
    assert!(gap(&poll).is_some() && number(&poll, "/new") == 20, "{poll}");
    assert_eq!(preview.targets().iter().filter(|target| *target == "/s/post?before=201").count(), 1);
}

#[test]
fn o3_an_older_page_that_fails_is_asked_for_again_and_the_news_are_told() {
    let (preview, desk) = channel(1..=20);
    preview.publish(21..=79);
    preview.say(80, &convoy(80));
    preview.say(30, &convoy(30));
    preview.instead("/s/post?before=41", Reply::status(500));
    let poll = desk.poll();
    let counts = |poll: &Value| [number(poll, "/new"), number(poll, "/alerts")];
    assert_eq!(
        (poll["outcome"].as_str(), counts(&poll), gap(&poll)),
        (Some("read"), [40, 1], None),
        "{poll}"
    );
    assert!(poll["problems"].to_string().contains("the walk goes on at the next poll"), "{poll}");

    // What comes meanwhile is told as ever, and does not close the gap.
    preview.publish(81..=85);
    let poll = desk.poll();
    assert_eq!((counts(&poll), gap(&poll)), ([5, 0], None), "{poll}");
    preview.change(|channel| channel.instead.clear());
    let from = preview.targets().len();
    let poll = desk.poll();
    assert_eq!((counts(&poll), gap(&poll)), ([20, 1], None), "{poll}");
    assert_eq!(preview.targets()[from..], ["/s/post", "/s/post?before=41"]);
    assert_eq!(desk.poll()["outcome"], "unchanged");
}

#[test]
fn o3_an_older_page_that_fails_again_and_again_is_given_up_as_a_gap() {
    let (preview, desk) = channel(1..=20);
    preview.publish(21..=80);
    preview.instead("/s/post?before=62", Reply::status(500));
    let gaps: Vec<Option<String>> = (81..=87)
        .map(|number| {
            preview.publish([number]);
            gap(&desk.poll())
        })
        .collect();
    assert_eq!(gaps.iter().filter(|gap| gap.is_some()).count(), 1, "{gaps:?}");
    assert!(gaps[4].as_deref().is_some_and(|why| why.contains("500")), "{gaps:?}");
    let asked = preview.targets().iter().filter(|target| target.ends_with("before=62")).count();
    assert_eq!(asked, 5, "then no more");
}

#[test]
fn o3_what_lies_between_two_walks_that_failed_is_read_too() {
    let (preview, desk) = channel(1..=20);
    preview.publish(21..=80);
    preview.instead("/s/post?before=41", Reply::status(500));
    assert_eq!(number(&desk.poll(), "/new"), 40);
    preview.publish(81..=140);
    preview.instead("/s/post?before=121", Reply::status(500));
    assert_eq!(number(&desk.poll(), "/new"), 20);
    preview.change(|channel| channel.instead.clear());
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (40 + 20, None), "{poll}");
}

#[test]
fn o3_older_pages_come_from_any_host() {
    let preview = Preview::start(1..=20);
    // Nobody listens on port 1.
    let source = preview.source("").replace("hosts = [", "hosts = [\"http://127.0.0.1:1\", ");
    let desk = Desk::with(&source);
    desk.poll();
    preview.publish(21..=60);
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (40, None), "{poll}");
}

#[test]
fn o3_a_kill_between_two_pages_goes_on_behind_the_last_one() {
    let preview = Preview::start(1..=20);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("harmattan.toml");
    let rule = "[[rule]]\nname = \"convoy\"\nall = [\"convoy attacked\"]\n";
    let settings =
        "[store]\npath = \"store\"\n[schedule]\nhost_gap = \"0s\"\n[alerts]\nmax_age = \"9000d\"\n";
    std::fs::write(&config, format!("{LOOPBACK}{settings}{rule}{}", preview.source(""))).unwrap();
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harmattan"));
        program.arg("-c").arg(&config).args(["once", "--all", "--json"]).stdout(Stdio::piped());
        program
    };
    assert!(program().status().unwrap().success());

    preview.publish(21..=120);
    for number in [30, 70, 90, 110] {
        preview.say(number, &convoy(number));
    }
    preview.instead("/s/post?before=61", Reply::silence());
    let mut child = program().spawn().unwrap();
    let asked = || preview.targets().iter().any(|target| target == "/s/post?before=61");
    while !asked() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // Meanwhile more was published than a page shows, so that the newest page does not touch what was set aside.
    preview.publish(121..=150);
    preview.change(|channel| channel.instead.clear());
    let from = preview.targets().len();
    let mut out = String::new();
    let mut child = program().spawn().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success(), "{out}");
    let lines: Vec<Value> = out
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let poll = lines.iter().find(|line| line["source"] == "post" && line.get("outcome").is_some()).unwrap();
    assert_eq!((number(poll, "/new"), number(poll, "/alerts"), gap(poll)), (130, 4, None), "{poll}");
    let asked = &preview.targets()[from..];
    let expected = ["", "?before=131", "?before=111", "?before=61", "?before=41"];
    assert_eq!(
        asked,
        expected.map(|query| format!("/s/post{query}")),
        "what was set aside is not asked for again"
    );
}

// Feeds and pages

fn entry(number: u32) -> String {
    let title =
        if number.is_multiple_of(5) { convoy(number.into()) } else { preview::mangoes(number.into()) };
    format!(
        "<item><title>{title}</title><guid isPermaLink=\"false\">p{number}</guid><link>https://paper.example/{number}</link></item>"
    )
}

/// A feed of these entries, newest first, that names an older document.
fn feed(entries: std::ops::RangeInclusive<u32>, older: &str) -> Reply {
    let link = match older {
        "" => String::new(),
        older => format!("<atom:link rel=\"prev-archive\" href=\"{older}\"/>"),
    };
    let entries: String = entries.rev().map(entry).collect();
    Reply::ok(format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>Paper</title>{link}{entries}</channel></rss>"
    ))
}

fn paper(site: &Site) -> Desk {
    let desk = Desk::with(&format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\n", site.url("/feed")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    desk
}

#[test]
fn o3_three_pages_of_a_feed_are_followed_up_to_what_is_known() {
    let site = Site::start();
    site.show("/feed", feed(11..=20, "/3"));
    let desk = paper(&site);
    assert_eq!(site.targets(), ["/feed"], "a baseline is one document");
    site.show("/feed", feed(41..=50, "/1"));
    site.show("/1", feed(31..=40, "/2"));
    site.show("/2", feed(21..=30, "/3"));
    // Its entries below the known ones are older than the baseline.
    site.show("/3", feed(1..=20, "/4"));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/alerts"), gap(&poll)), (30, 6, None), "{poll}");
    assert_eq!(site.targets()[1..], ["/feed", "/1", "/2", "/3"]);
    let told: Vec<String> = [25, 30, 35, 40, 45, 50].map(|n| format!("https://paper.example/{n}")).into();
    assert_eq!(urls(&desk), told, "oldest first");
}

#[test]
fn o3_a_feed_that_cannot_be_followed_tells_a_possible_gap() {
    let site = Site::start();
    let elsewhere = site.on("127.0.0.2", "/1");
    for (older, baseline, newest, expected) in [
        ("", 1..=10, 21..=30, Some("none of its 10 items was known, and it names no older page")),
        ("/gone", 1..=10, 21..=30, Some("an older page could not be read: the server answered 404")),
        (
            elsewhere.as_str(),
            1..=10,
            21..=30,
            Some("none of its 10 items was known, and it names no older page"),
        ),
        ("/feed", 1..=10, 21..=30, Some("none of its 10 items was known, and it names no older page")),
        ("", 1..=10, 10..=19, None),
        ("", 1..=1, 2..=2, None),
    ] {
        site.show("/feed", feed(baseline, older));
        let desk = paper(&site);
        site.show("/feed", feed(newest, older));
        let poll = desk.poll();
        assert_eq!(gap(&poll).as_deref(), expected, "{older} {poll}");
        assert_eq!(gap(&desk.poll()), None, "once");
    }
    assert!(!site.targets().contains(&"/1".to_owned()), "another host");
}

#[test]
fn o3_an_older_document_of_a_feed_that_fails_is_asked_for_again_and_the_news_are_told() {
    let site = Site::start();
    site.show("/feed", feed(11..=20, "/3"));
    let desk = paper(&site);
    let tagged = |entries, older| feed(entries, older).header("ETag", "\"1\"");
    site.show("/feed", feed(41..=50, "/1"));
    site.show("/1", feed(31..=40, "/2"));
    site.show("/2", Reply::status(500));
    let counts = |poll: &Value| [number(poll, "/new"), number(poll, "/alerts")];
    let poll = desk.poll();
    assert_eq!(
        (poll["outcome"].as_str(), counts(&poll), gap(&poll)),
        (Some("read"), [20, 4], None),
        "{poll}"
    );
    assert!(poll["problems"].to_string().contains("the walk goes on at the next poll"), "{poll}");

    // What comes meanwhile is told as ever, and does not close the gap.
    site.show("/feed", tagged(42..=51, "/1"));
    let poll = desk.poll();
    assert_eq!((counts(&poll), gap(&poll)), ([1, 0], None), "{poll}");
    // Its entries below the known ones are older than the baseline.
    site.show("/3", feed(1..=20, "/4"));
    site.show("/2", feed(21..=30, "/3"));
    let from = site.targets().len();
    let poll = desk.poll();
    assert_eq!((counts(&poll), gap(&poll)), ([10, 2], None), "{poll}");
    assert_eq!(site.targets()[from..], ["/feed", "/2", "/3"]);
    assert_eq!(desk.poll()["outcome"], "unchanged");
    let conditional: Vec<bool> =
        site.asked("/feed").iter().map(|asked| asked.header("if-none-match").is_some()).collect();
    assert_eq!(conditional, [false, false, false, false, true], "a walk wants the document whole");
}

#[test]
fn o3_more_news_than_a_document_holds_do_not_hide_where_a_walk_was_cut_off() {
    // The second older document fails at first: of the walk before, or of what came since.
    for (failing, asked) in
        [("/2", vec!["/feed", "/b", "/a", "/2", "/3"]), ("/b", vec!["/feed", "/b", "/a", "/1", "/2", "/3"])]
    {
        let site = Site::start();
        site.show("/feed", feed(11..=20, "/3"));
        let desk = paper(&site);
        site.show("/feed", feed(41..=50, "/1"));
        site.show("/1", feed(31..=40, "/2"));
        site.show("/2", Reply::status(500));
        site.show("/3", feed(1..=20, "/4"));
        assert_eq!(number(&desk.poll(), "/new"), 20);
        site.show("/a", feed(41..=50, "/1"));
        site.show("/b", feed(51..=60, "/a"));
        site.show("/feed", feed(61..=70, "/b"));
        if failing == "/b" {
            site.show("/b", Reply::status(500));
            assert_eq!(number(&desk.poll(), "/new"), 10);
            site.show("/b", feed(51..=60, "/a"));
        }
        site.show("/2", feed(21..=30, "/3"));
        let from = site.targets().len();
        let poll = desk.poll();
        assert_eq!(gap(&poll), None, "{poll}");
        assert_eq!(site.targets()[from..], asked, "{failing}");
        assert_eq!(number(&desk.sources()["paper"], "/items"), 60, "{failing}");
    }
}

#[test]
fn o3_a_walk_that_is_given_up_tells_the_gap_since_it_began() {
    let site = Site::start();
    site.show("/feed", feed(11..=20, ""));
    let desk = paper(&site);
    let began = text(&desk.sources()["paper"], "/last_success");
    site.show("/1", Reply::status(500));
    let gaps: Vec<Option<String>> = (50..=56)
        .map(|newest| {
            site.show("/feed", feed(newest - 9..=newest, "/1"));
            gap(&desk.poll())
        })
        .collect();
    assert_eq!(gaps.iter().filter(|gap| gap.is_some()).count(), 1, "{gaps:?}");
    assert!(gaps[4].as_deref().is_some_and(|why| why.contains("500")), "{gaps:?}");
    assert_eq!(site.asked("/1").len(), 5, "then no more");
    assert_eq!(text(&desk.sources()["paper"], "/gaps/0/since"), began);
}

/// A page of these articles, newest first, that names the page with older ones.
fn articles(numbers: std::ops::RangeInclusive<u32>, next: &str) -> Reply {
    let article = |n: u32| format!("<article><h2><a href=\"/{n}\">{}</a></h2></article>", convoy(n.into()));
    let articles: String = numbers.rev().map(article).collect();
    Reply::ok(format!("<html><body>{articles}<a class=\"next\" href=\"{next}\">older</a></body></html>"))
}

/// The desk of a site whose baseline is taken.
fn reader(site: &Site) -> Desk {
    let desk = Desk::with(&format!(
        "[[source]]\nname = \"site\"\npage = \"{}\"\nselect = {{ item = \"article\", title = \"h2\", link = \"h2 a@href\", next = \"a.next\" }}\n",
        site.url("/news")
    ));
    assert_eq!(desk.poll()["outcome"], "baseline");
    desk
}

#[test]
fn o3_an_older_page_of_a_site_that_fails_is_asked_for_again_though_all_pages_moved_on() {
    let site = Site::start();
    site.show("/news", articles(11..=14, "/news?p=2"));
    let desk = reader(&site);
    // Four articles a page; `newest` decides where each page begins.
    let publish = |newest: u32| {
        for page in 1..=6 {
            let path = if page == 1 { "/news".to_owned() } else { format!("/news?p={page}") };
            let top = newest - 4 * (page - 1);
            site.show(&path, articles(top - 3..=top, &format!("/news?p={}", page + 1)));
        }
    };
    publish(26);
    site.show("/news?p=3", Reply::status(503));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (8, None), "{poll}");
    publish(28);
    let from = site.targets().len();
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/alerts"), gap(&poll)), (6, 6, None), "{poll}");
    let asked: Vec<_> =
        site.targets().split_off(from).into_iter().filter(|target| target != "/robots.txt").collect();
    assert_eq!(asked, ["/news", "/news?p=3", "/news?p=4"], "known ones at the top of a page end nothing");
}

#[test]
fn o3_the_next_pages_of_a_site_are_followed() {
    let site = Site::start();
    site.show("/news", articles(1..=4, "/news?p=2"));
    let desk = reader(&site);
    site.show("/news", articles(9..=12, "/news?p=2"));
    site.show("/news?p=2", articles(5..=8, "/news?p=3"));
    site.show("/news?p=3", articles(1..=4, "/news?p=4"));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (8, None), "{poll}");
    let asked: Vec<_> = site.targets().into_iter().filter(|target| target != "/robots.txt").collect();
    assert_eq!(asked[1..], ["/news", "/news?p=2", "/news?p=3"]);
    let titles: Vec<String> = desk.alerts().iter().map(|alert| text(alert, "/item/title")).collect();
    assert_eq!(titles, (5..=12).map(convoy).collect::<Vec<_>>());
}

#[test]
fn o3_an_item_pinned_to_the_top_hides_no_gap() {
    let site = Site::start();
    site.show("/feed", dated([20, 19, 18], "/2"));
    let desk = paper(&site);
    // Dated after the baseline, below one that was known.
    site.show("/feed", dated([20, 209, 208, 207], "/2"));
    site.show("/2", dated([20, 206, 205, 204], "/3"));
    site.show("/3", dated([203, 19, 18, 17], "/4"));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (7, None), "{poll}");
    assert_eq!(site.targets()[1..], ["/feed", "/2", "/3"]);
}

/// Entries with these numbers in this order, each dated so many minutes after a hundred minutes ago, and a link to older
/// ones.
#[expect(clippy::disallowed_methods, reason = "what is newer than the last reading is told by its date")]
fn dated(numbers: impl IntoIterator<Item = i64>, older: &str) -> Reply {
    let now = jiff::Timestamp::now().as_second();
    let entry = |n: i64| {
        let date =
            jiff::Timestamp::from_second(now + 60 * (n - 100)).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let title = convoy(n.unsigned_abs());
        format!("<item><title>{title}</title><guid>p{n}</guid><pubDate>{date}</pubDate></item>")
    };
    let entries: String = numbers.into_iter().map(entry).collect();
    let link = format!("<atom:link rel=\"next\" href=\"{older}\"/>");
    Reply::ok(format!(
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel>{link}{entries}</channel></rss>"
    ))
}

#[test]
fn o3_what_a_feed_adds_at_its_end_or_in_an_order_of_its_own_is_no_gap() {
    for (baseline, newest) in [
        // Oldest first, and by weight.
        ((1..=10).collect::<Vec<_>>(), (1..=10).chain([209]).collect::<Vec<_>>()),
        ((1..=3).collect(), (1..=3).chain([207, 208, 209]).collect()),
        (vec![9, 2, 7, 4, 8], vec![9, 2, 7, 4, 8, 209]),
        (vec![9, 2, 7, 4, 8], vec![9, 2, 7, 4, 209, 208]),
    ] {
        let site = Site::start();
        site.show("/feed", dated(baseline, "/2"));
        let desk = paper(&site);
        site.show("/feed", dated(newest.clone(), "/2"));
        let poll = desk.poll();
        let new = newest.iter().filter(|n| **n > 200).count() as u64;
        assert_eq!((number(&poll, "/new"), gap(&poll)), (new, None), "{newest:?}: {poll}");
        assert_eq!(site.targets(), ["/feed"; 2], "{newest:?}");
    }
}

#[test]
fn o3_an_archive_behind_a_gap_is_not_told_as_news() {
    let site = Site::start();
    site.show("/feed", dated([20, 19, 18], "/2"));
    let desk = paper(&site);
    site.show("/feed", dated([209, 208, 207], "/2"));
    site.show("/2", dated([206, 205, 204], "/3"));
    // All that was known is gone: behind the gap lies what was written days before the source was.
    site.show("/3", dated([-3000, -3010, -3020], "/4"));
    let poll = desk.poll();
    assert_eq!(number(&poll, "/new"), 6, "{poll}");
    assert!(gap(&poll).is_some(), "{poll}");
}

#[test]
fn o3_a_feed_that_is_always_cut_tells_a_possible_gap_too() {
    let site = Site::start();
    let cut = |numbers: std::ops::RangeInclusive<i64>| dated(numbers, "").less("</channel></rss>");
    site.show("/feed", cut(1..=10));
    let desk = paper(&site);
    site.show("/feed", cut(2..=11));
    assert_eq!(gap(&desk.poll()), None);
    site.show("/feed", cut(221..=230));
    let poll = desk.poll();
    assert!(gap(&poll).is_some(), "{poll}");
}

#[test]
fn o3_an_empty_document_in_between_hides_no_gap() {
    let empty = || Reply::ok("<rss version=\"2.0\"><channel><title>Paper</title></channel></rss>");
    let site = Site::start();
    site.show("/feed", feed(11..=20, ""));
    let desk = paper(&site);
    site.show("/feed", empty());
    let poll = desk.poll();
    assert_eq!((number(&poll, "/items"), gap(&poll)), (0, None), "{poll}");
    site.show("/feed", feed(41..=50, "/1"));
    site.show("/1", feed(31..=40, "/2"));
    site.show("/2", feed(11..=30, "/3"));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (30, None), "{poll}");
    // Without a way back it is told.
    site.show("/feed", empty());
    desk.poll();
    site.show("/feed", feed(61..=70, ""));
    let poll = desk.poll();
    let told = "none of its 10 items was known, and it names no older page";
    assert_eq!((number(&poll, "/new"), gap(&poll).as_deref()), (10, Some(told)), "{poll}");
    // What comes first behind an empty baseline is all there was.
    site.show("/feed", empty());
    let desk = paper(&site);
    site.show("/feed", feed(41..=50, ""));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (10, None), "{poll}");
}

#[test]
fn o3_a_document_that_is_cut_once_hides_no_gap() {
    let untold = "none of its 10 items was known, and it names no older page";
    for (from, older, new, expected) in [(41, "/1", 25, None), (41, "", 5, Some(untold)), (16, "", 25, None)]
    {
        let whole = || feed(from..=50, older);
        let cut = || feed(46..=50, older).less("</channel></rss>");
        // The document itself, or its transfer.
        for cut in [cut(), cut().claiming(100_000)] {
            let site = Site::start();
            site.show("/feed", feed(11..=20, ""));
            let desk = paper(&site);
            let began = text(&desk.sources()["paper"], "/last_success");
            site.show("/1", feed(31..=40, "/2"));
            site.show("/2", feed(11..=30, "/3"));
            site.show("/feed", cut);
            let poll = desk.poll();
            assert_eq!(
                (number(&poll, "/new"), gap(&poll)),
                (5, None),
                "it may reach it behind the cut: {poll}"
            );
            site.show("/feed", whole());
            let poll = desk.poll();
            assert_eq!((number(&poll, "/new"), gap(&poll).as_deref()), (new, expected), "{older}: {poll}");
            let since = expected.map(|_| began).unwrap_or_default();
            assert_eq!(text(&desk.sources()["paper"], "/gaps/0/since"), since, "{older}");
            // That is decided now: what came meanwhile is known.
            site.show("/feed", feed(46..=55, older));
            let poll = desk.poll();
            assert_eq!((number(&poll, "/new"), gap(&poll)), (5, None), "{older}: {poll}");
        }
    }
}

#[test]
fn o3_what_shows_nothing_decides_nothing() {
    let empty = || Reply::ok("<rss version=\"2.0\"><channel><title>Paper</title></channel></rss>");
    let cut = |from: u32| feed(from..=50, "").less("</channel></rss>");
    for between in [vec![cut(46), empty()], vec![cut(46), cut(50)], vec![empty()], vec![empty(), cut(46)]] {
        let site = Site::start();
        site.show("/feed", feed(11..=20, ""));
        let desk = paper(&site);
        let began = text(&desk.sources()["paper"], "/last_success");
        for document in between {
            site.show("/feed", document);
            assert_eq!(gap(&desk.poll()), None);
        }
        site.show("/feed", feed(41..=50, ""));
        let told = "none of its 10 items was known, and it names no older page";
        assert_eq!(gap(&desk.poll()).as_deref(), Some(told));
        assert_eq!(text(&desk.sources()["paper"], "/gaps/0/since"), began);
    }
}

#[test]
fn o3_an_older_document_that_ends_too_early_is_asked_for_again() {
    let site = Site::start();
    let desk = || {
        site.show("/feed", feed(11..=20, ""));
        let desk = paper(&site);
        site.show("/feed", feed(41..=50, "/1"));
        site.show("/1", feed(36..=40, "/2").less("</channel></rss>"));
        site.show("/2", feed(11..=30, "/3"));
        desk
    };
    let counts = |poll: &Value| [number(poll, "/new"), number(poll, "/alerts")];
    let mended = desk();
    let from = site.targets().len();
    let poll = mended.poll();
    assert_eq!((counts(&poll), gap(&poll)), ([15, 3], None), "what came of it is told: {poll}");
    assert!(poll["problems"].to_string().contains("the walk goes on at the next poll"), "{poll}");
    site.show("/1", feed(31..=40, "/2"));
    let poll = mended.poll();
    assert_eq!((counts(&poll), gap(&poll)), ([15, 3], None), "{poll}");
    assert_eq!(site.targets()[from..], ["/feed", "/1", "/feed", "/1", "/2"]);
    assert_eq!(mended.poll()["outcome"], "unchanged");

    // One that stays so is a gap, and the way goes on behind it.
    let stays = desk();
    let began = text(&stays.sources()["paper"], "/last_success");
    let polls: Vec<(u64, Option<String>)> = (0..5)
        .map(|_| {
            let poll = stays.poll();
            (number(&poll, "/new"), gap(&poll))
        })
        .collect();
    let told = Some("an older page ended too early".to_owned());
    assert_eq!(polls, [(15, None), (0, None), (0, None), (0, None), (10, told)]);
    assert_eq!(text(&stays.sources()["paper"], "/gaps/0/since"), began);
    assert_eq!(stays.poll()["outcome"], "unchanged");
}

#[test]
fn o3_an_undated_item_pinned_to_the_top_hides_no_gap() {
    let site = Site::start();
    let pinned = |numbers: &[u32], next: &str| {
        let article =
            |n: &u32| format!("<article><h2><a href=\"/{n}\">{}</a></h2></article>", convoy((*n).into()));
        let articles: String = numbers.iter().map(article).collect();
        Reply::ok(format!("<html><body>{articles}<a class=\"next\" href=\"{next}\">older</a></body></html>"))
    };
    site.show("/news", pinned(&[7, 20, 19, 18], "/news?p=2"));
    let desk = reader(&site);
    // What comes to an end behind a pinned one is none: the next is known.
    site.show("/news", pinned(&[7, 21, 20, 19], "/news?p=2"));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (1, None), "{poll}");
    site.show("/news", pinned(&[7, 29, 28, 27], "/news?p=2"));
    site.show("/news?p=2", pinned(&[7, 26, 25, 24], "/news?p=3"));
    site.show("/news?p=3", pinned(&[7, 23, 22, 21], "/news?p=4"));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), gap(&poll)), (8, None), "{poll}");
    // Without a way back it is told.
    site.show("/news", pinned(&[7, 43, 42, 41], "javascript:more()"));
    let poll = desk.poll();
    let told = "none of its 4 items but those at its top was known, and it names no older page";
    assert_eq!((number(&poll, "/new"), gap(&poll).as_deref()), (3, Some(told)), "{poll}");
}
