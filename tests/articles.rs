//! The articles behind entries, by the built program against a scripted site on loopback. Each round is a process of its
//! own, so whatever is remembered comes from the disk.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harmattan::article::Pending;
use harmattan::event::Network;
use harmattan::store::{SledStore, Store as _, Transaction};
use jiff::Timestamp;
use serde_json::Value;

use crate::support::calls::{Desk, LOOPBACK, text};
use crate::support::desk;
use crate::support::http::Reply;
use crate::support::site::Site;

/// Fires the rule `convoy`.
const CONVOY: &str = "Convoy attacked";

/// Fires nothing.
const MANGOES: &str = "Mangoes harvested";

/// Two paragraphs in which both rules of a desk fire.
const STORY: &str = "<p>In the morning a convoy attacked north of Gao had to turn round, said the army in a statement of \
    three lines, and nobody could say how many were on board.</p><p>Late in the day the base falls, as two residents \
    said by telephone; the garrison is said to have left for the river before sunset.</p>";

/// A desk with one source, `paper`, whose feed and articles are on one site.
struct Paper {
    site: Site,
    desk: Desk,
}

impl Paper {
    fn new(article: &str) -> Self {
        Self::with(article, "")
    }

    /// One whose desk has more in its config.
    fn with(article: &str, more: &str) -> Self {
        Self::after(article, more, &[])
    }

    /// One whose baseline is of these entries.
    fn after(article: &str, more: &str, baseline: &[(&str, &str)]) -> Self {
        let site = Site::start();
        let desk = Desk::with(&format!("{}{more}", source(&site, article)));
        let paper = Self { site, desk };
        paper.print(baseline);
        assert_eq!(paper.desk.poll()["outcome"], "baseline");
        paper
    }

    /// A feed of entries with these titles and texts; the article of the first is at `/1`.
    fn print(&self, entries: &[(&str, &str)]) {
        self.site.show("/feed", Reply::ok(feed(&self.site, entries)));
    }

    fn article(&self, number: u32, reply: Reply) {
        self.site.show(&format!("/{number}"), reply);
    }

    /// What was asked for besides the feed.
    fn asked(&self) -> Vec<String> {
        self.site.targets().into_iter().filter(|target| target != "/feed").collect()
    }

    /// Lets the one article that waits be due, and looks for it.
    fn try_again(&self) {
        let due = Timestamp::UNIX_EPOCH;
        alter(&self.desk, &Network::default(), |waiting| Pending { due, ..waiting });
        self.desk.poll();
    }

    /// What became of the first article.
    fn fate(&self) -> String {
        text(&self.explain(1), "/article/end")
    }

    /// What is known of the entry with that article.
    fn explain(&self, number: u32) -> Value {
        explain(&self.desk, &self.site.url(&format!("/{number}")))
    }
}

fn explain(desk: &Desk, link: &str) -> Value {
    desk.run(&["explain", link, "--json"]).remove(0)
}

fn source(site: &Site, article: &str) -> String {
    format!("[[source]]\nname = \"paper\"\nfeed = \"{}\"\narticle = \"{article}\"\n", site.url("/feed"))
}

fn feed(site: &Site, entries: &[(&str, &str)]) -> String {
    let entry = |(number, (title, text)): (usize, &(&str, &str))| {
        let link = site.url(&format!("/{}", number + 1));
        format!("<item><title>{title}</title><link>{link}</link><description>{text}</description></item>")
    };
    channel(&entries.iter().enumerate().map(entry).collect::<String>())
}

/// A feed of entries of that title with these links.
fn linking(title: &str, links: &[String]) -> Reply {
    let entry = |link: &String| format!("<item><title>{title}</title><link>{link}</link></item>");
    Reply::ok(channel(&links.iter().map(entry).collect::<String>()))
}

fn channel(entries: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><rss version="2.0"><channel><title>Paper</title>{entries}</channel></rss>"#
    )
}

fn page(body: &str) -> Reply {
    Reply::ok(format!(
        "<!DOCTYPE html><html><head><title>News</title></head><body><article><h1>News</h1>{body}</article></body></html>"
    ))
}

#[test]
fn auto_fetches_only_short_entries_that_did_not_fire() {
    let paper = Paper::new("auto");
    let long = "Rain fell on the fields. ".repeat(20);
    paper.print(&[(MANGOES, "Short."), (CONVOY, "Short."), ("Rain", &long)]);
    for number in 1..=3 {
        paper.article(number, page(STORY));
    }
    paper.desk.poll();
    assert_eq!(paper.asked(), ["/robots.txt", "/1"]);
    assert_eq!(
        paper.desk.told(),
        [format!("alert.new sent {CONVOY}"), format!("alert.new sent {MANGOES}")],
        "the entry by itself, and the other by its article"
    );
    let alerts = paper.desk.alerts();
    let alert = &alerts[1];
    assert!(text(alert, "/item/text").starts_with("Short.\n\nIn the morning a convoy"), "{alert}");
    let starts = alerts.iter().map(|alert| alert["item"]["article_start"].as_u64());
    assert_eq!(starts.collect::<Vec<_>>(), [None, Some(8)], "where the article begins");
    paper.desk.poll();
    assert_eq!(paper.asked(), ["/robots.txt", "/1"], "each once");
}

#[test]
fn always_adds_what_the_article_says_and_never_takes_away() {
    let paper = Paper::new("always");
    paper.print(&[(CONVOY, "Short."), (MANGOES, "Short.")]);
    paper.article(1, page(STORY));
    paper.article(
        2,
        page(
            &"<p>The harvest was good, said the growers of the valley, better than last year's.</p>"
                .repeat(3),
        ),
    );
    paper.desk.poll();
    // The graver rule of the article raises the story that the entry opened.
    assert_eq!(
        paper.desk.told(),
        [format!("alert.new sent {CONVOY}"), format!("alert.update sent {CONVOY}")]
    );
    let raised = &paper.desk.alerts()[1];
    assert_eq!(text(raised, "/rules/0/name"), "base");
    assert_eq!(raised["rules"].as_array().unwrap().len(), 1, "what the entry told is not told again");
    assert_eq!(text(&paper.desk.alerts()[0], "/story/id"), text(raised, "/story/id"));
}

#[test]
fn of_a_baseline_no_article_is_read_whatever_becomes_of_its_entries() {
    let paper = Paper::after("always", "", &[(MANGOES, "Short.")]);
    paper.article(1, page(STORY));
    for text in ["Shorter.", "Short again."] {
        paper.print(&[(MANGOES, text)]);
        paper.desk.poll();
    }
    assert!(paper.asked().is_empty() && paper.desk.alerts().is_empty());
    assert_eq!(paper.fate(), "dropped");
}

#[test]
fn what_several_entries_link_to_and_a_front_page_are_no_articles() {
    let paper = Paper::new("always");
    for path in ["/", "/live", "/1"] {
        paper.site.show(path, page(STORY));
    }
    let entries: String = [("/", 1), ("/", 2), ("/live#post-1", 3), ("/live#post-2", 4), ("/1#comments", 5)]
        .map(|(path, n)| {
            let link = paper.site.url(path);
            format!("<item><guid>{n}</guid><title>{MANGOES}, {n}</title><link>{link}</link></item>")
        })
        .concat();
    paper.site.show("/feed", Reply::ok(channel(&entries)));
    paper.desk.poll();
    assert_eq!(paper.asked(), ["/robots.txt", "/1"]);
    assert_eq!(paper.desk.told(), [format!("alert.new sent {MANGOES}, 5")]);
}

#[test]
fn g8_what_feeds_link_to_is_fetched_once() {
    let site = Site::start();
    let sources = ["one", "two"].map(|name| {
        site.show(&format!("/{name}"), linking("Rain", &[]));
        format!(
            "[[source]]\nname = \"{name}\"\nfeed = \"{}\"\narticle = \"always\"\n",
            site.url(&format!("/{name}"))
        )
    });
    let desk = Desk::with(&sources.concat());
    desk.all();
    for link in ["/art", "/art?utm_source=rss"] {
        site.show(link, page(STORY));
    }
    site.show("/one", linking("Rain", &[site.url("/art")]));
    site.show("/two", linking("Wind", &[site.url("/art?utm_source=rss#top")]));
    desk.all();
    let asked = site.targets().into_iter().filter(|target| target.starts_with("/art")).count();
    assert_eq!(asked, 1, "{:?}", site.targets());
    // Of both entries the article tells the same, so that they are one story.
    let mut told = desk.alerts().iter().map(|alert| text(alert, "/disposition")).collect::<Vec<_>>();
    told.sort();
    assert_eq!(told, ["joined", "sent"]);
}

#[test]
fn never_fetches_nothing() {
    let paper = Paper::new("never");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(STORY));
    paper.desk.poll();
    assert!(paper.asked().is_empty() && paper.desk.alerts().is_empty());
}

#[test]
fn what_stands_in_an_articles_place_alerts_nobody() {
    let padding =
        "<p>The paper reports every day on the region and its people, from the river to the desert.</p>";
    let wall = format!("{STORY}<p>Subscribe to continue reading.</p>");
    let consent = format!("{STORY}<p>We and our partners store data. We value your privacy.</p>");
    let login = format!("{STORY}<p>Please log in to continue.</p>");
    let gone = format!("<p>Page not found.</p>{padding}");
    for (body, expected) in [(wall, "paywall"), (consent, "consent"), (login, "login"), (gone, "not-found")] {
        let paper = Paper::new("always");
        paper.print(&[(MANGOES, "Short.")]);
        paper.article(1, page(&body));
        paper.desk.poll();
        if expected == "not-found" {
            paper.try_again();
            paper.try_again();
        }
        assert!(paper.desk.alerts().is_empty(), "{expected}");
        assert_eq!(paper.fate(), expected);
    }
    for (reply, expected, tries) in [
        (Reply::ok(format!("<html><title>Just a moment...</title>{STORY}</html>")), "challenge", 2),
        (Reply::status(202), "challenge", 2),
        (Reply::status(404), "not-found", 2),
        (Reply::status(403), "failed", 2),
        (Reply::status(204), "failed", 2),
        (Reply::ok(""), "failed", 2),
        (Reply::status(401), "failed", 0),
        (Reply::ok(format!("{{\"text\": \"{CONVOY}\"}}")), "not-html", 0),
        (Reply::status(200).header("Content-Type", "audio/mpeg").endless("ID3"), "not-html", 0),
        (page(""), "no-text", 2),
    ] {
        let paper = Paper::new("always");
        paper.print(&[(CONVOY, "Short.")]);
        paper.article(1, reply);
        paper.desk.poll();
        for _ in 0..tries {
            assert_eq!(paper.fate(), "waiting", "it may be there soon");
            paper.try_again();
        }
        assert_eq!(paper.desk.told(), [format!("alert.new sent {CONVOY}")], "the entry's own alert stands");
        assert_eq!(paper.fate(), expected);
    }
}

#[test]
fn what_stands_around_an_article_alerts_nobody() {
    let entry = |number: u32| {
        format!(
            "<li><h3><a href='/{number}'>{CONVOY} near Gao, army says</a></h3><p>{CONVOY}, and the base falls.</p></li>"
        )
    };
    let list: String = (2..9).map(entry).collect();
    let (list, comment) =
        (format!("<h2>Latest</h2><ul>{list}</ul>"), format!("<p>{CONVOY}, I was there.</p>"));
    let brief = "<p>The harvest of mangoes was good, said the growers of the valley.</p>";
    for (body, expected) in [
        (format!("<article><h1>News</h1>{brief}</article><section>{list}</section>"), "used"),
        (
            format!("<article><h1>News</h1>{brief}</article><div id=comments>{}</div>", comment.repeat(9)),
            "used",
        ),
        (format!("<h1>News</h1><video src=x></video><section>{list}</section>"), "waiting"),
    ] {
        let paper = Paper::new("always");
        paper.print(&[(MANGOES, "Short.")]);
        paper.article(1, Reply::ok(format!("<html><title>News</title><body>{body}</body></html>")));
        paper.desk.poll();
        assert_eq!(paper.fate(), expected, "{body}");
        assert!(paper.desk.alerts().is_empty(), "{body}");
    }
}

#[test]
fn what_stands_beside_an_article_does_not_keep_it_from_us() {
    let more = "<p>The road was closed for the rest of the day, and the survivors walked back to the river. Nobody had \
        claimed the attack by the evening, which is the third there since the beginning of the month.</p>";
    let banner = "<div id=cookie-law-info-bar><span>We use cookies on our website to give you the most relevant experience. \
        By clicking Accept, you consent to the use of ALL the cookies.<a role=button>Accept</a></span></div>";
    let label =
        "<aside><ul><li><span>Article réservé aux abonnés</span> <a href=/2>Orange</a></li></ul></aside>";
    let form = "<div class=news><form><label>Cochez la case si vous n’êtes pas un robot</label></form></div>";
    let comment = "<p>You must be <a href=/in>logged in</a> to post a comment.</p>";
    for beside in [banner, label, form, comment] {
        let paper = Paper::new("always");
        paper.print(&[(MANGOES, "Short.")]);
        let body = format!("<main><article><h1>News</h1>{STORY}{more}</article></main>{beside}");
        paper.article(1, Reply::ok(format!("<html><title>News</title><body>{body}</body></html>")));
        paper.desk.poll();
        assert_eq!(paper.fate(), "used", "{beside}");
        assert_eq!(paper.desk.told(), [format!("alert.new sent {MANGOES}")], "{beside}");
    }
}

#[test]
fn an_article_that_only_the_data_of_its_page_holds_is_read() {
    let paper = Paper::new("always");
    paper.print(&[(MANGOES, "Short.")]);
    let said = STORY.replace("<p>", "").replace("</p>", " ");
    let data = serde_json::json!({ "@type": "NewsArticle", "articleBody": said });
    let head = format!("<title>News</title><script type=\"application/ld+json\">{data}</script>");
    paper.article(1, Reply::ok(format!("<html><head>{head}</head><body><div id=app></div></body></html>")));
    paper.desk.poll();
    assert_eq!(paper.fate(), "used");
    assert_eq!(paper.desk.told(), [format!("alert.new sent {MANGOES}")]);
}

#[test]
fn how_the_articles_of_a_source_ended_is_counted() {
    let paper = Paper::new("always");
    let ends = |paper: &Paper| paper.desk.sources()["paper"]["articles"]["ends"].clone();
    assert_eq!(ends(&paper), Value::Null);
    paper.print(&[(MANGOES, "Short."); 4]);
    for (number, reply) in [
        (1, page(STORY)),
        (2, page(&format!("{STORY}<p>Subscribe to continue reading.</p>"))),
        (3, Reply::status(401)),
        (4, page(STORY)),
    ] {
        paper.article(number, reply);
    }
    paper.desk.poll();
    assert_eq!(ends(&paper), serde_json::json!({ "used": 2, "paywall": 1, "failed": 1 }));
    let long = paper.site.url(&format!("/{}", "x".repeat(2_100)));
    paper.site.show("/feed", linking("Rain", &[long]));
    paper.desk.poll();
    assert_eq!(ends(&paper)["failed"], 2, "what may not wait has failed");
    let told = paper.desk.print(&["sources", "list"]);
    assert!(told.contains("articles of ") && told.contains(": 2 failed, 2 used, 1 paywall"), "{told}");
}

#[test]
fn a_flood_of_entries_does_not_make_articles_wait_without_bound() {
    let paper = Paper::new("auto");
    paper.site.show("/robots.txt", Reply::status(503));
    paper.print(&vec![(MANGOES, "Short."); 501]);
    paper.desk.poll();
    let long = paper.site.url(&format!("/{}", "x".repeat(2_100)));
    paper.site.show("/feed", linking("Rain", std::slice::from_ref(&long)));
    paper.desk.poll();
    assert!(text(&explain(&paper.desk, &long), "/article/detail").contains("longer than 2048 bytes"));
    assert_eq!(paper.desk.sources()["paper"]["articles_waiting"], 500);
    let told = paper.desk.print(&["sources", "list"]);
    assert!(told.contains("500 articles yet to be fetched"), "{told}");
    let store = SledStore::open(&paper.desk.store()).unwrap();
    assert_eq!(store.pending_articles().unwrap().len(), 500);
    let items = store.items(usize::MAX).unwrap();
    let refused: Vec<_> =
        items.iter().filter_map(|stored| store.article(stored.item.id, stored.first).unwrap()).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(
        refused.iter().any(|fate| format!("{fate:?}").contains("500 articles of its source were waiting"))
    );
}

#[test]
fn g9_a_disallowed_article_is_not_asked_for() {
    let paper = Paper::new("always");
    paper.site.show("/robots.txt", Reply::ok("User-agent: *\nDisallow: /1\n"));
    paper.print(&[(MANGOES, "Short."), ("Rain", "Short.")]);
    paper.article(1, page(STORY));
    paper.article(2, page(STORY));
    paper.desk.poll();
    assert_eq!(paper.asked(), ["/robots.txt", "/2"]);
    assert_eq!(paper.fate(), "robots");
}

#[test]
fn g9_a_page_source_obeys_robots_txt() {
    let site = Site::start();
    site.show("/robots.txt", Reply::ok("User-agent: harmattan\nDisallow: /news\n"));
    site.show("/news", page(STORY));
    let select = "select = { item = \"article\", title = \"h1\" }";
    let desk =
        Desk::with(&format!("[[source]]\nname = \"ministry\"\npage = \"{}\"\n{select}\n", site.url("/news")));
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.starts_with("robots: "), "{failure}");
    site.show("/robots.txt", Reply::status(404));
    assert!(text(&desk.poll(), "/failure").starts_with("robots: "), "what it said holds for a day");
    assert_eq!(site.targets(), ["/robots.txt"]);
}

#[test]
fn an_article_whose_length_is_announced_wrong_is_read_where_it_has_its_end() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(STORY).claiming(4_000));
    paper.desk.poll();
    assert_eq!(paper.fate(), "used");
}

#[test]
fn a_server_that_fails_is_asked_again_later() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, Reply::status(503));
    paper.desk.poll();
    paper.article(1, page(STORY));
    paper.desk.poll();
    assert_eq!(paper.asked(), ["/robots.txt", "/1"], "not before its time");
    assert!(paper.desk.alerts().is_empty());
    assert_eq!(paper.fate(), "waiting");
}

/// How many articles wait.
fn waiting(desk: &Desk) -> usize {
    SledStore::open(&desk.store()).unwrap().pending_articles().unwrap().len()
}

/// Changes the one article that waits, and what is known of the network, between two runs.
fn alter(desk: &Desk, network: &Network, change: impl Fn(Pending) -> Pending) {
    let store = SledStore::open(&desk.store()).unwrap();
    let waiting = store.pending_articles().unwrap();
    assert_eq!(waiting.len(), 1);
    let write = &mut |tx: &dyn Transaction| {
        tx.put_network(network)?;
        tx.put_pending_article(&change(waiting[0].clone()))
    };
    store.transact(write).unwrap();
    store.sync().unwrap();
}

#[test]
fn an_outage_of_our_own_uses_up_no_attempt() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, Reply::status(503));
    paper.desk.poll();
    // No server speaks; what is known of the robots.txt is known to a process that has ended.
    for path in ["/feed", "/robots.txt", "/1"] {
        paper.site.show(path, Reply::raw("no HTTP"));
    }
    for (offline, expected) in [(Some(Timestamp::UNIX_EPOCH), "waiting"), (None, "failed")] {
        let network = Network { offline, ..Network::default() };
        let due = Timestamp::UNIX_EPOCH;
        alter(&paper.desk, &network, |waiting| Pending { attempts: 4, due, ..waiting });
        paper.desk.poll();
        assert_eq!(paper.fate(), expected);
    }
}

#[test]
fn g7_an_article_that_waits_for_a_time_years_ahead_is_due_at_once() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, Reply::status(503));
    paper.desk.poll();
    paper.article(1, page(STORY));
    let far = Timestamp::from_second(7_000_000_000).unwrap();
    alter(&paper.desk, &Network::default(), |waiting| Pending { due: far, ..waiting });
    paper.desk.poll();
    assert_eq!(paper.fate(), "used");
}

#[test]
fn an_article_reaches_no_private_address_and_has_a_longest_body() {
    let (site, inner) = (Site::start(), Site::start());
    inner.show("/secret", page(STORY));
    let limits =
        LOOPBACK.replace("127.0.0.0/8", "127.0.0.1/32").replace("[http]", "[http]\nbody_max = \"64KiB\"");
    let desk = Desk::strict(&format!("{limits}{}", source(&site, "always")));
    site.show("/feed", Reply::ok(feed(&site, &[])));
    desk.poll();
    site.show(
        "/feed",
        Reply::ok(feed(&site, &[(MANGOES, "Short."), ("Rain", "Short."), ("Wind", "Short.")])),
    );
    site.show("/1", Reply::to(302, inner.on("127.0.0.2", "/secret")));
    site.show("/2", page(&format!("{STORY}{}", " ".repeat(70_000))));
    site.show("/3", Reply::status(200).endless("<p>x</p>"));
    desk.poll();
    assert_eq!(inner.connections(), 0);
    assert!(desk.alerts().is_empty());
    for (link, expected) in [("/1", "is refused"), ("/2", "longer than 65536"), ("/3", "longer than 65536")] {
        let told = explain(&desk, &site.url(link));
        assert!(text(&told, "/article/detail").contains(expected), "{told}");
    }
}

#[test]
fn a_link_to_a_private_address_is_not_followed() {
    let (site, inner) = (Site::start(), Site::start());
    inner.show("/secret", page(STORY));
    let limits = LOOPBACK.replace("127.0.0.0/8", "127.0.0.1/32");
    let desk = Desk::strict(&format!("{limits}{}", source(&site, "always")));
    site.show("/feed", Reply::ok(feed(&site, &[])));
    desk.poll();
    let link = inner.on("127.0.0.2", "/secret");
    site.show("/feed", linking(MANGOES, std::slice::from_ref(&link)));
    desk.poll();
    assert_eq!(inner.connections(), 0);
    let told = explain(&desk, &link);
    assert!(text(&told, "/article/detail").contains("is refused"), "{told}");
}

#[test]
fn g5_articles_keep_the_pause_of_their_host() {
    let site = Site::start();
    site.show("/feed", Reply::ok(feed(&site, &[])));
    let gap = "[schedule]\nhost_gap = \"200ms\"\n";
    let desk = desk::Desk::new(&format!("{LOOPBACK}{gap}{}", source(&site, "always")));
    desk.run(&["once", "--all"]).ended(0);
    site.show(
        "/feed",
        Reply::ok(feed(&site, &[(MANGOES, "Short."), ("Rain", "Short."), ("Wind", "Short.")])),
    );
    (1..=3).for_each(|number| site.show(&format!("/{number}"), page(STORY)));
    desk.run(&["once", "--all"]).ended(0);
    let asked = site.log();
    let targets: Vec<_> = asked.iter().map(|asked| asked.target.as_str()).collect();
    assert_eq!(targets[..3], ["/feed", "/feed", "/robots.txt"]);
    assert_eq!(targets[3..].iter().collect::<HashSet<_>>(), HashSet::from([&"/1", &"/2", &"/3"]));
    for pair in asked[1..].windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(195), "{targets:?}");
    }
}

#[test]
fn g9_hosts_with_a_crawl_delay_hold_no_other_up() {
    let site = Site::start();
    site.show("/feed", Reply::ok(feed(&site, &[])));
    site.show("/robots.txt", Reply::ok("User-agent: *\nCrawl-delay: 600\n"));
    site.show("/1", page(STORY));
    let rule = "[schedule]\nhost_gap = \"0s\"\ninterval = \"1s\"\ninterval_min = \"1s\"\n[[rule]]\nname = \"base\"\nall = [\"base falls\"]\n";
    let desk = desk::Desk::new(&format!("{LOOPBACK}{rule}{}", source(&site, "auto")));
    desk.run(&["once", "--all"]).ended(0);
    let slow: Vec<_> =
        (1..=4).flat_map(|n| ["/2", "/3"].map(|path| site.on(&format!("127.0.0.{n}"), path))).collect();
    site.show("/feed", linking("Rain", &slow));
    let daemon = desk.start();
    desk.run(&["sources", "poll", "paper"]).ended(0);
    let began = Instant::now();
    while site.asked("/2").len() + site.asked("/3").len() < 4 {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", site.targets());
    }
    site.show("/feed", linking(MANGOES, &[site.on("127.0.0.5", "/1")]));
    desk.run(&["sources", "poll", "paper"]).ended(0);
    let alerts = || desk.run(&["alerts", "list", "--json"]).ended(0).json();
    while alerts().is_empty() {
        assert!(began.elapsed() < Duration::from_mins(1), "{:?}", site.targets());
    }
    assert_eq!(site.asked("/2").len() + site.asked("/3").len(), 4, "the others wait for their pause");
    assert_eq!(daemon.stop().0, Some(0));
}

#[test]
fn g9_a_round_waits_for_the_pause_of_a_host() {
    let paper = Paper::new("auto");
    paper.site.show("/robots.txt", Reply::ok("User-agent: *\nCrawl-delay: 5.2\n"));
    paper.print(&[(MANGOES, "Short."), ("Rain", "Short.")]);
    (1..=2).for_each(|number| paper.article(number, page(STORY)));
    paper.desk.poll();
    let at = |path: &str| paper.site.asked(path)[0].at;
    let (first, second) = (at("/1").min(at("/2")), at("/1").max(at("/2")));
    assert!(second - first >= Duration::from_millis(5_150));
}

#[test]
fn an_articles_alert_is_explained() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(STORY));
    paper.desk.poll();
    let told = paper.explain(1);
    assert_eq!(paper.fate(), "used");
    assert_eq!(told["article"]["start"], 8);
    let printed = paper.desk.print(&["explain", &paper.site.url("/1")]);
    assert!(printed.contains(", in the linked article"), "{printed}");
    let sent = paper.desk.print(&["alerts", "show", &text(&paper.desk.alerts()[0], "/id")]);
    assert!(sent.contains("Found in the linked article"), "{sent}");
    let fired: Vec<_> =
        told["rules"].as_array().unwrap().iter().filter(|rule| rule["fired"] == true).collect();
    assert_eq!(fired.len(), 2, "{told}");
    let why = &fired[0]["why"][0];
    let (start, end) = (why["start"].as_u64().unwrap(), why["end"].as_u64().unwrap());
    let place = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
    assert_eq!(Some(text(&told, "/item/text").as_str()).and_then(|all| all.get(place)), why["text"].as_str());
    paper.print(&[(MANGOES, "Short: a convoy attacked.")]);
    paper.desk.poll();
    assert_eq!(paper.desk.alerts().len(), 1, "an edit that says what the article said is no news");
}

#[test]
fn what_fires_far_behind_the_beginning_of_an_article_is_shown() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    let paragraph =
        "<p>Вдоль реки стоят деревни, и жители каждой говорят о том же: дороги закрыты, хлеб дорог.</p>";
    paper.article(1, page(&format!("{}{STORY}{}", paragraph.repeat(120), paragraph.repeat(30))));
    paper.desk.poll();
    let (alert, told) = (paper.desk.alerts().remove(0), paper.explain(1));
    assert_eq!(alert["item"]["truncated"], true, "{alert}");
    assert_eq!(alert["item"]["article_start"], 8, "{alert}");
    for (rules, shown) in
        [(&alert["rules"], text(&alert, "/item/text")), (&told["rules"], text(&told, "/item/text"))]
    {
        assert_eq!(rules.as_array().unwrap().len(), 2, "{rules}");
        for why in rules.as_array().unwrap().iter().flat_map(|rule| rule["why"].as_array().unwrap()) {
            let byte = |name: &str| usize::try_from(why[name].as_u64().unwrap()).unwrap();
            assert_eq!(shown.get(byte("start")..byte("end")), why["text"].as_str(), "{why}");
        }
        assert!(rules[0]["why"][0].is_object() && rules[1]["why"][0].is_object(), "{rules}");
    }
    assert!(told["rules"].as_array().unwrap().iter().all(|rule| rule["fired"] == true), "{told}");
}

/// Fires on words of which an article may have some and its entry the others.
const WITHDRAWAL: &str =
    "[[rule]]\nname = \"withdrawal\"\nall = [\"Wagner\", \"garrison\"]\nnone = [\"opera\"]\n";

#[test]
fn an_edit_is_judged_together_with_the_article() {
    let paper = Paper::with("always", WITHDRAWAL);
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(&STORY.replace("attacked", "seen").replace("base falls", "base stands")));
    paper.desk.poll();
    assert_eq!(paper.fate(), "used");
    assert!(paper.desk.alerts().is_empty());
    paper.print(&[(MANGOES, "Short: Wagner buys them.")]);
    paper.desk.poll();
    let alerts = paper.desk.alerts();
    assert_eq!(paper.desk.told(), [format!("alert.new sent {MANGOES}")]);
    assert_eq!(text(&alerts[0], "/rules/0/name"), "withdrawal");
    assert!(text(&alerts[0], "/item/text").starts_with("Short: Wagner buys them.\n\nIn the morning"));
    paper.print(&[(MANGOES, "Short: Wagner buys all of them.")]);
    paper.desk.poll();
    assert_eq!(paper.desk.alerts().len(), 1, "it fired before");
}

#[test]
fn an_article_that_speaks_against_a_rule_makes_no_edit_news() {
    let paper = Paper::with("always", WITHDRAWAL);
    paper.print(&[("Wagner", "The garrison leaves.")]);
    paper.article(1, page(&format!("<p>{}</p>", "The opera is closed, said its director. ".repeat(3))));
    paper.desk.poll();
    assert_eq!(paper.fate(), "used");
    paper.print(&[("Wagner", "The garrison leaves today.")]);
    paper.desk.poll();
    assert_eq!(paper.desk.told(), ["alert.new sent Wagner"]);
}

#[test]
fn an_article_that_comes_after_its_entry_is_read_when_it_is_there() {
    for early in [
        Reply::status(404),
        page("<p>More follows shortly.</p>"),
        page("<p>Page not found.</p>"),
        Reply::ok(""),
        Reply::status(403),
        Reply::status(202),
        Reply::ok("<html><title>Just a moment...</title></html>"),
    ] {
        let paper = Paper::new("auto");
        paper.print(&[(MANGOES, "Short.")]);
        paper.article(1, early);
        paper.desk.poll();
        assert_eq!(paper.fate(), "waiting");
        paper.desk.poll();
        assert_eq!(paper.asked(), ["/robots.txt", "/1"], "not before its time");
        paper.article(1, page(STORY));
        paper.try_again();
        assert_eq!(paper.fate(), "used");
        assert_eq!(paper.desk.told(), [format!("alert.new sent {MANGOES}")]);
    }
}

/// A page in which neither rule of a desk fires, with a promise where it is a stub.
fn quiet(promise: &str) -> Reply {
    page(&format!("<p>The harvest of mangoes was good, said the growers of the valley. {promise}</p>"))
}

/// Two paragraphs of which one fires `convoy`.
const HALF: &str = "<p>In the morning a convoy attacked north of Gao had to turn round, said the army.</p>\
    <p>Nobody could say how many were on board, and the road was closed for the rest of the day.</p>";

#[test]
fn an_article_that_promises_more_is_read_once_more_and_tells_what_is_new() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(&format!("{HALF}<p>More details to follow.</p>")));
    paper.desk.poll();
    assert_eq!((paper.fate().as_str(), paper.desk.told().len()), ("used", 1));
    paper.article(1, page(STORY));
    paper.try_again();
    let told = [format!("alert.new sent {MANGOES}"), format!("alert.update sent {MANGOES}")];
    assert_eq!(paper.desk.told(), told);
    let rules = paper.desk.alerts().remove(1)["rules"].take();
    assert_eq!((rules.as_array().unwrap().len(), text(&rules, "/0/name")), (1, "base".to_owned()));
    assert_eq!(waiting(&paper.desk), 0);
}

#[test]
fn an_edit_has_its_article_read_anew_a_few_times_and_nothing_is_told_twice() {
    let paper = Paper::new("auto");
    let edit = |n: usize| paper.print(&[(MANGOES, &"Short. ".repeat(n))]);
    for (n, (reply, alerts)) in (1..).zip([(quiet(""), 0), (page(HALF), 1), (quiet(""), 1), (page(STORY), 1)])
    {
        edit(n);
        paper.article(1, reply);
        paper.desk.poll();
        if n > 1 && waiting(&paper.desk) > 0 {
            let asked = paper.asked().len();
            paper.desk.poll();
            assert_eq!(paper.asked().len(), asked, "not within minutes of the last");
            paper.try_again();
        }
        assert_eq!((paper.fate().as_str(), paper.desk.alerts().len()), ("used", alerts), "{n}");
    }
    assert_eq!(paper.asked().iter().filter(|target| *target == "/1").count(), 3, "three times at most");
    assert_eq!(paper.desk.told(), [format!("alert.new sent {MANGOES}")]);
}

#[test]
fn what_an_article_told_is_not_told_again_when_it_changes() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(HALF));
    paper.desk.poll();
    for (n, reply, fate) in [(2, Reply::status(401), "used"), (3, page(&format!("{HALF}{HALF}")), "used")] {
        paper.print(&[(MANGOES, &"Short. ".repeat(n))]);
        paper.article(1, reply);
        paper.desk.poll();
        paper.try_again();
        assert_eq!(paper.fate(), fate, "what was read is kept");
    }
    paper.print(&[(CONVOY, "Short.")]);
    paper.desk.poll();
    assert_eq!(paper.desk.alerts().len(), 1, "the entry says what the article said");
}

#[test]
fn what_an_entry_told_before_an_edit_its_article_does_not_tell_again() {
    let paper = Paper::new("always");
    paper.print(&[(CONVOY, "Short.")]);
    paper.article(1, Reply::status(503));
    paper.desk.poll();
    paper.print(&[(MANGOES, "Short.")]);
    paper.desk.poll();
    paper.article(1, page(HALF));
    paper.try_again();
    assert_eq!(
        (paper.fate().as_str(), paper.desk.told()),
        ("used", vec![format!("alert.new sent {CONVOY}")])
    );
}

#[test]
fn an_entrys_alert_does_not_wait_and_a_kill_loses_no_article() {
    let paper = Paper::new("always");
    paper.print(&[(CONVOY, "Short.")]);
    paper.article(1, Reply::silence());
    let mut round = Command::new(env!("CARGO_BIN_EXE_harmattan"))
        .arg("-c")
        .arg(paper.desk.config())
        .args(["once", "--all"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let told = BufReader::new(round.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.into_iter().any(|line| line.contains(CONVOY)), "told while the article is silent");
    while paper.site.asked("/1").is_empty() {
        std::thread::yield_now();
    }
    round.kill().unwrap();
    round.wait().unwrap();
    assert_eq!(paper.fate(), "waiting");
    paper.article(1, page(STORY));
    paper.desk.poll();
    assert_eq!(
        paper.desk.told(),
        [format!("alert.new sent {CONVOY}"), format!("alert.update sent {CONVOY}")]
    );
}

#[test]
fn an_article_whose_page_ends_the_program_is_given_up_after_a_few_attempts() {
    let paper = Paper::new("auto");
    paper.print(&[(MANGOES, "Short.")]);
    paper.article(1, page(STORY));
    let round = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harmattan"));
        program.arg("-c").arg(paper.desk.config()).args(["once", "--all"]).env("HARMATTAN_FAIL", "reading:1");
        program.output().unwrap().status.success()
    };
    for attempts in 1..=5 {
        assert!(!round(), "it ended at the point");
        assert!(round(), "the next start does not read it");
        let due = Timestamp::UNIX_EPOCH;
        alter(&paper.desk, &Network::default(), |waiting| {
            assert_eq!(waiting.attempts, attempts);
            Pending { due, ..waiting }
        });
    }
    assert!(round(), "it is given up");
    let article = paper.explain(1);
    assert_eq!(text(&article, "/article/end"), "failed");
    assert_eq!(paper.asked().iter().filter(|target| *target == "/1").count(), 5);
}

#[test]
fn the_daemon_fetches_articles_beside_its_polls() {
    let site = Site::start();
    site.show("/feed", Reply::ok(feed(&site, &[])));
    site.show("/1", page(STORY));
    let rule = "[schedule]\nhost_gap = \"0s\"\ninterval = \"1s\"\ninterval_min = \"1s\"\n[[rule]]\nname = \"base\"\nall = [\"base falls\"]\n";
    let desk = desk::Desk::new(&format!("{LOOPBACK}{rule}{}", source(&site, "auto")));
    desk.run(&["once", "--all"]).ended(0);
    site.show("/feed", Reply::ok(feed(&site, &[(MANGOES, "Short.")])));
    let daemon = desk.start();
    desk.run(&["sources", "poll", "paper"]).ended(0);
    let began = Instant::now();
    let alerts = || desk.run(&["alerts", "list", "--json"]).ended(0).json();
    while alerts().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "no alert from the article");
    }
    assert_eq!(text(&alerts()[0], "/item/title"), MANGOES);
    assert_eq!(daemon.stop().0, Some(0));
}

#[test]
fn once_counts_the_alerts_that_articles_added() {
    let paper = Paper::new("always");
    paper.article(1, page(STORY));
    paper.print(&[(MANGOES, "")]);
    let said = paper.desk.print(&["once", "--all"]);
    assert!(said.contains("1 new item, 1 alert, 0 recorded"), "{said}");
}
