//! Finding, importing and exporting sources through the built program, against a site on loopback.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::http::Reply;
use crate::support::site::Site;

const FEED: &str = "<rss version='2.0'><channel><title>Gao</title>\
    <item><guid>1</guid><title>Premier</title><pubDate>Tue, 10 Jun 2025 04:00:00 GMT</pubDate></item>\
    <item><guid>2</guid><title>Second</title><pubDate>Wed, 11 Jun 2025 04:00:00 GMT</pubDate></item></channel></rss>";

/// A desk whose config includes files of its own, or does not.
fn desk(include: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let store = "[store]\npath = \"data\"\n[http]\nallow_networks = [\"127.0.0.0/8\"]\n[schedule]\nhost_gap = \"0s\"\n";
    fs::write(folder.path().join("harmattan.toml"), format!("include = [{include}]\n{store}")).unwrap();
    folder
}

fn run(folder: &Path, line: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harmattan"))
        .current_dir(folder)
        .args(["-c", "harmattan.toml", "sources"])
        .args(line)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
    (out, err)
}

const COVERED: &str = "\"local/*.toml\"";

#[test]
fn a_site_is_added_by_the_feed_that_it_links_to() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/", Reply::ok("<html><link rel=alternate type='application/rss+xml' href='/une.xml'><p>Gao"));
    site.show("/une.xml", Reply::ok(FEED));
    let (out, _) = ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 0);
    assert!(out.contains("2 items") && out.contains("2025-06-11 04:00Z  Second"), "{out}");
    assert!(!desk.path().join("local").exists(), "a dry run writes nothing");
    fs::create_dir(desk.path().join("local")).unwrap();
    fs::write(desk.path().join("local/sources.toml"), "# mine\n").unwrap();
    let line = [
        "add",
        &site.url("/"),
        "--name",
        "gao",
        "--lang",
        "fr",
        "--tags",
        "press,mali",
        "--tier",
        "2",
        "--json",
    ];
    let (out, _) = ended(&run(desk.path(), &line), 0);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&told["added"], &told["items"], &told["newest"]),
        (&true.into(), &2.into(), &"2025-06-11T04:00:00Z".into())
    );
    let file = fs::read_to_string(desk.path().join("local/sources.toml")).unwrap();
    let feed = site.url("/une.xml");
    assert_eq!(
        file,
        format!(
            "# mine\n\n[[source]]\nname = \"gao\"\nfeed = \"{feed}\"\nlang = \"fr\"\ntags = [\"press\", \"mali\"]\ntier = 2\n"
        )
    );
    let asked = site.targets().len();
    let (_, err) = ended(&run(desk.path(), &["add", &feed]), 74);
    assert!(err.contains("is a source already: `gao`"), "{err}");
    assert_eq!(site.targets().len(), asked, "what is known is not asked for");
}

#[test]
fn who_adds_at_the_same_time_waits_for_the_others() {
    let (site, desk) = (Site::start(), desk(COVERED));
    let urls: Vec<String> = (0..8).map(|number| site.url(&format!("/{number}"))).collect();
    for number in 0..8 {
        site.show(&format!("/{number}"), Reply::ok(FEED));
    }
    let added = |number: usize, url: &str| {
        run(desk.path(), &["add", url, "--name", &format!("paper-{number}"), "--yes"])
    };
    // Of the last two, one is refused for the other's address, and must take nobody's source with it.
    let ended: Vec<Output> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..9)
            .map(|number| {
                scope.spawn({
                    let (added, url) = (&added, &urls[number.min(7)]);
                    move || added(number, url)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused: Vec<&Output> = ended.iter().filter(|output| !output.status.success()).collect();
    assert_eq!(refused.len(), 1);
    let why = String::from_utf8_lossy(&refused[0].stderr);
    assert!(why.contains("has the same address as") || why.contains("is a source already"), "{why}");
    let file = fs::read_to_string(desk.path().join("local/sources.toml")).unwrap();
    for (number, output) in ended.iter().enumerate() {
        let name = format!("name = \"paper-{number}\"");
        assert_eq!(file.matches(&name).count(), usize::from(output.status.success()), "{number}: {file}");
    }
}

#[test]
fn a_site_without_links_is_asked_in_the_usual_places_alone() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/", Reply::ok("<html><p>Gao"));
    site.show("/atom.xml", Reply::ok(FEED));
    let (out, _) = ended(&run(desk.path(), &["add", &site.url("/"), "--yes"]), 0);
    assert!(out.contains("name = \"127-0-0-1\""), "{out}");
    assert_eq!(site.targets(), ["/", "/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml"]);
}

#[test]
fn a_site_is_added_by_the_link_that_is_called_a_feed() {
    for (link, path) in
        [("<a href='/real/feed'>Abonnez-vous</a>", "/real/feed"), ("<a href='/x'>RSS</a>", "/x")]
    {
        let (site, desk) = (Site::start(), desk(COVERED));
        site.show("/", Reply::ok(format!("<html><p>Gao {link}")));
        site.show(path, Reply::ok(FEED));
        ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 0);
        assert_eq!(site.targets(), ["/", path]);
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_left_alone() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/", Reply::ok("<html><p>Gao"));
    site.show("/feed", Reply::status(429).body("slow down"));
    ended(&run(desk.path(), &["add", &site.url("/")]), 74);
    assert_eq!(site.targets(), ["/", "/feed"]);
}

#[test]
fn an_empty_feed_is_added_only_where_the_site_links_to_none_that_says_something() {
    let link = |path: &str| format!("<link rel=alternate type='application/rss+xml' href='{path}'>");
    for (linked, found, asked) in [
        (&["/empty.xml", "/une.xml"][..], "/une.xml", &["/", "/empty.xml", "/une.xml"][..]),
        (&["/empty.xml"], "/empty.xml", &["/", "/empty.xml"]),
        (&["/empty.xml", "/comments.xml"], "/empty.xml", &["/", "/empty.xml"]),
    ] {
        let (site, desk) = (Site::start(), desk(COVERED));
        let links: String = linked.iter().map(|path| link(path)).collect();
        site.show("/", Reply::ok(format!("<html>{links}<p>Gao")));
        site.show("/empty.xml", Reply::ok("<rss version='2.0'><channel><title>Gao</title></channel></rss>"));
        site.show("/une.xml", Reply::ok(FEED));
        site.show("/comments.xml", Reply::ok(FEED));
        let (out, _) = ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 0);
        assert!(out.contains(&format!("feed = \"{}\"", site.url(found))), "{linked:?}: {out}");
        assert_eq!(site.targets(), asked);
    }
}

#[test]
fn a_feed_of_comments_is_taken_only_where_the_site_has_no_other() {
    const USUAL: [&str; 8] = [
        "/feed",
        "/rss",
        "/rss.xml",
        "/feed.xml",
        "/atom.xml",
        "/index.xml",
        "/feeds/posts/default",
        "/feed.json",
    ];
    for has_feed in [true, false] {
        let (site, desk) = (Site::start(), desk(COVERED));
        let link = "<link rel=alternate type='application/rss+xml' href='/comments/feed/'>";
        site.show("/", Reply::ok(format!("<html>{link}<p>Gao")));
        site.show("/comments/feed/", Reply::ok(FEED));
        if has_feed {
            site.show("/feed", Reply::ok(FEED));
        }
        let (out, err) = ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 0);
        let (found, asked) = if has_feed { ("/feed", &USUAL[..1]) } else { ("/comments/feed/", &USUAL[..]) };
        assert!(out.contains(&format!("feed = \"{}\"", site.url(found))), "{has_feed}: {out}");
        assert_eq!(err.contains("is, by its address, a feed of comments"), !has_feed, "{err}");
        let last: &[&str] = if has_feed { &[] } else { &["/comments/feed/"] };
        assert_eq!(site.targets(), [&["/"][..], asked, last].concat(), "{has_feed}");
    }
}

#[test]
fn the_beginning_of_a_feed_without_an_entry_wins_over_no_whole_one() {
    let (site, desk) = (Site::start(), desk(COVERED));
    let link = "<link rel=alternate type='application/rss+xml' href='/bad.xml'>";
    site.show("/", Reply::ok(format!("<html>{link}<p>Gao")));
    site.show("/bad.xml", Reply::ok("<rss version='2.0'><channel><title>Gao</title>"));
    site.show("/feed", Reply::ok(FEED));
    let (out, _) = ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 0);
    assert!(out.contains(&format!("feed = \"{}\"", site.url("/feed"))), "{out}");
    assert_eq!(site.targets(), ["/", "/bad.xml", "/feed"]);
}

#[test]
fn a_front_page_that_leads_on_is_followed_once() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/", Reply::ok("<html><meta http-equiv=refresh content='0;url=/fr/'>"));
    site.show("/fr/", Reply::ok("<html><meta http-equiv=refresh content='0;url=/'><a href='/x'>RSS</a>"));
    site.show("/x", Reply::ok(FEED));
    let (out, _) = ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 0);
    assert!(out.contains(&format!("feed = \"{}\"", site.url("/x"))), "{out}");
    assert_eq!(site.targets(), ["/", "/fr/", "/x"]);
    site.show("/fr/", Reply::ok("<html><meta http-equiv=refresh content='0;url=/de/'><p>Gao"));
    ended(&run(desk.path(), &["add", &site.url("/"), "--dry-run"]), 74);
    assert!(site.asked("/de/").is_empty(), "{:?}", site.targets());
}

#[test]
fn a_list_of_addresses_is_told_and_nothing_else_is_asked() {
    for (body, told) in [
        (
            "<?xml version='1.0'?><opml><body><outline text='a' xmlUrl='https://a.example/'/></body></opml>",
            "is a list of feeds: save it, and add them by `harmattan sources import FILE`",
        ),
        ("<urlset><url><loc>https://a.example/</loc></url></urlset>", "is a sitemap, not a feed"),
        ("<sitemapindex></sitemapindex>", "is a sitemap, not a feed"),
    ] {
        let (site, desk) = (Site::start(), desk(COVERED));
        site.show("/list.xml", Reply::ok(body));
        let (_, err) = ended(&run(desk.path(), &["add", &site.url("/list.xml")]), 74);
        assert!(err.contains(told), "{err}");
        assert_eq!(site.targets(), ["/list.xml"]);
    }
}

#[test]
fn an_address_with_a_password_is_refused_unasked_and_not_shown() {
    let (site, desk) = (Site::start(), desk(COVERED));
    let with_user = site.url("/une.xml").replace("http://", "http://desk:s3cret@");
    let without_scheme = with_user.replace("http://", "");
    let secret = "the address holds a user or a password";
    for (typed, told) in [
        (with_user.as_str(), secret),
        (without_scheme.as_str(), secret),
        ("ftp://desk:s3cret@a.example/", "this is no address"),
        ("http://desk:s3/cret@a.example/", "this is no address"),
    ] {
        let (out, err) = ended(&run(desk.path(), &["add", typed]), 74);
        assert!(err.contains(told) && !err.contains("cret"), "{err}");
        assert_eq!(out, "");
    }
    assert_eq!(site.targets(), [""; 0]);
}

/// An address that nobody listens at.
fn closed() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[test]
fn a_server_that_is_not_there_does_not_end_the_search() {
    let (site, desk) = (Site::start(), desk(COVERED));
    let link = |address: &str| format!("<link rel=alternate type='application/rss+xml' href='{address}'>");
    site.show("/moved.xml", Reply::to(302, closed()));
    site.show("/une.xml", Reply::ok(FEED));
    let links = [closed(), "/moved.xml".to_owned(), "/une.xml".to_owned()].map(|address| link(&address));
    site.show("/", Reply::ok(format!("<html>{}<p>Gao", links.concat())));
    let (out, _) = ended(&run(desk.path(), &["add", &site.url("/")]), 0);
    assert!(out.contains(&format!("feed = \"{}\"", site.url("/une.xml"))), "{out}");
}

#[test]
fn a_channel_is_looked_for_at_all_hosts_of_telegram() {
    let desk = desk(COVERED);
    let config = desk.path().join("harmattan.toml");
    let proxied = fs::read_to_string(&config)
        .unwrap()
        .replace("[http]\n", &format!("[http]\nproxy = \"{}\"\n", closed()));
    fs::write(&config, proxied).unwrap();
    let (_, err) = ended(&run(desk.path(), &["add", "@grey_zone"]), 74);
    for host in ["t.me", "telegram.me", "telegram.dog"] {
        assert!(err.contains(&format!("https://{host}/s/grey_zone: ")), "{err}");
    }
}

#[test]
fn an_address_without_scheme_is_tried_with_both() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/une.xml", Reply::ok(FEED));
    let typed = site.url("/une.xml").replace("http://", "");
    let forms = [&typed, &format!("feed://{typed}"), &format!("Feed:http://{typed}")].map(String::clone);
    for form in forms {
        let (out, _) = ended(&run(desk.path(), &["add", &form, "--dry-run"]), 0);
        assert!(out.contains(&format!("feed = \"http://{typed}\"")), "{form}: {out}");
    }
}

#[test]
fn a_channel_shown_by_another_host_is_added_with_it() {
    let (site, desk) = (Site::start(), desk(COVERED));
    let page = include_str!("golden/telegram/channel.html").replace('\r', "");
    site.show("/s/sahel_terrain", Reply::ok(page));
    let (out, _) = ended(&run(desk.path(), &["add", &site.url("/s/sahel_terrain")]), 0);
    let host = site.base();
    assert!(out.contains(&format!("telegram = \"@sahel_terrain\"\nhosts = [\"{host}\"]")), "{out}");
}

#[test]
fn what_has_no_feed_is_told_with_all_that_was_tried() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/news", Reply::ok("<html><p>Gao"));
    let (_, err) = ended(&run(desk.path(), &["add", &site.url("/news")]), 74);
    assert!(err.contains("no feed was found") && err.contains(", /rss.xml, /feed.xml, /atom.xml,"), "{err}");
    assert_eq!(err.matches("the server answered 404").count(), 1, "told together: {err}");
    let page = format!("harmattan preview {} --as page", site.url("/news"));
    assert!(err.contains("the page can be a source by itself") && err.contains(&page), "{err}");
    assert!(site.targets().len() <= 11, "{:?}", site.targets());
    assert!(!desk.path().join("local").exists());
}

#[test]
fn a_source_that_the_config_would_not_read_is_taken_back() {
    let (site, desk) = (Site::start(), desk(""));
    site.show("/une.xml", Reply::ok(FEED));
    let (_, err) = ended(&run(desk.path(), &["add", &site.url("/une.xml")]), 74);
    assert!(err.contains("does not cover `local/sources.toml`"), "{err}");
    assert!(!desk.path().join("local/sources.toml").exists());
}

#[test]
fn a_source_that_the_config_refuses_is_taken_back() {
    let (site, desk) = (Site::start(), desk(COVERED));
    site.show("/une.xml", Reply::ok(FEED));
    let (_, err) = ended(&run(desk.path(), &["add", &site.url("/une.xml"), "--lang", "french"]), 78);
    assert!(err.contains("is no language"), "{err}");
    assert!(!desk.path().join("local/sources.toml").exists());
}

#[test]
fn a_list_is_imported_whole_and_exported_again() {
    let desk = desk(COVERED);
    let list = "<opml version='2.0'><body><outline text='Sahel'>\
        <outline text='RFI Afrique' xmlUrl='https://rfi.example/afrique'/>\
        <outline text='RFI Afrique' xmlUrl='https://rfi.example/monde'/>\
        <outline text='again' xmlUrl='http://www.rfi.example/afrique/'/>\
        <outline text='channel' xmlUrl='https://t.me/s/grey_zone'/></outline></body></opml>";
    fs::write(desk.path().join("list.opml"), list).unwrap();
    let (_, err) = ended(&run(desk.path(), &["import", "list.opml", "--dry-run"]), 0);
    assert!(err.contains("3 would be added, 1 skipped"), "{err}");
    let (out, err) = ended(&run(desk.path(), &["import", "list.opml"]), 0);
    assert_eq!(out, "rfi-afrique\nrfi\nchannel\n");
    assert!(
        err.contains("skipped: `http://www.rfi.example/afrique/` is source `rfi-afrique` already"),
        "{err}"
    );
    let (out, err) = ended(&run(desk.path(), &["export"]), 0);
    insta::with_settings!({ snapshot_path => "golden/commands", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("export", out);
    });
    assert!(!err.contains("comments"), "{err}");
    fs::write(desk.path().join("again.opml"), &out).unwrap();
    let (_, err) = ended(&run(desk.path(), &["import", "again.opml"]), 0);
    assert!(err.contains("0 added, 3 skipped"), "{err}");
    let before = fs::read(desk.path().join("local/sources.toml")).unwrap();
    fs::write(desk.path().join("bad.opml"), list.replace("</outline></body></opml>", "")).unwrap();
    // It is cut off, where one that lacks an end alone is read.
    ended(&run(desk.path(), &["import", "bad.opml"]), 74);
    assert_eq!(fs::read(desk.path().join("local/sources.toml")).unwrap(), before);
}

#[test]
fn what_is_switched_off_is_commented_out_in_a_list_and_back() {
    let desk = desk(COVERED);
    let list = "<opml version='2.0'><body><outline text='on' xmlUrl='https://a.example/'/>\
        <outline text='off' xmlUrl='https://b.example/' isComment='true'/>\
        <outline text='old' isComment='true'><outline text='both' xmlUrl='https://c.example/'/></outline>\
        <outline text='both' xmlUrl='https://c.example/'/></body></opml>";
    fs::write(desk.path().join("list.opml"), list).unwrap();
    let (_, err) = ended(&run(desk.path(), &["import", "list.opml"]), 0);
    assert!(err.contains("3 added (1 switched off, as the list comments it out), 1 skipped"), "{err}");
    let file = fs::read_to_string(desk.path().join("local/sources.toml")).unwrap();
    assert!(file.ends_with("feed = \"https://b.example/\"\nenabled = false\n"), "{file}");
    assert_eq!(file.matches("enabled").count(), 1, "{file}");
    let (out, _) = ended(&run(desk.path(), &["export"]), 0);
    assert!(out.contains(r#"xmlUrl="https://b.example/" isComment="true""#), "{out}");
    assert_eq!(out.matches("isComment").count(), 1, "{out}");
}

#[test]
fn one_odd_line_refuses_no_list() {
    let desk = desk(COVERED);
    let list = "<opml version='2.0'><head><title>News & more</title></head><body>\
        <outline text='a' xmlUrl='feed://rfi.example/afrique'/>\
        <outline text='e' xmlUrl='https://desk:s3cret@rfi.example/europe'/>\
        <outline text='b' xmlUrl='file:///tmp/rss'/>\
        <outline text='c' xmlUrl='https://t.me/joinchat/x'/>\
        <outline text='f' type='rss' htmlUrl='https://rfi.example/'/>\
        <outline text='d' xmlUrl='https://rfi.example/monde'/></body></opml>";
    fs::write(desk.path().join("list.opml"), list).unwrap();
    let (out, err) = ended(&run(desk.path(), &["import", "list.opml"]), 0);
    assert_eq!(out, "a\nd\n");
    for told in [
        "`b`: `file:///tmp/rss`",
        "`https://t.me/joinchat/x` is no channel",
        "`e`: its address at `rfi.example` holds a user or a password",
        "`f`: it has no `xmlUrl`",
        "2 added, 4 skipped",
    ] {
        assert!(err.contains(told) && !err.contains("s3cret"), "{err}");
    }
    fs::write(desk.path().join("broken.opml"), "<opml>\n<body>\n<outline text='a'").unwrap();
    let (_, err) = ended(&run(desk.path(), &["import", "broken.opml"]), 74);
    assert!(err.contains("in line 3"), "{err}");
}
