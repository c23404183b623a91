//! The built program as its users call it: every command against sources and receivers on loopback.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use harmattan::demo::{Answer, Hook, Mailbox, Replies};
use serde_json::Value;

use crate::support::asking::gzip;
use crate::support::desk;
use crate::support::desk::{Desk, SECRET, Web, exists, rss, soon};

const RULES: &str = r#"
[[rule]]
name = "cholera"
severity = "high"
all = ["cholera"]
fires_on = ["Cholera in Mopti"]
silent_on = ["Rain in Mopti"]
"#;

const OTHER_RULES: &str = r#"
[[rule]]
name = "floods"
severity = "low"
all = ["ground"]
[[rule]]
name = "rain"
severity = "low"
all = ["rain"]
[[rule]]
name = "press"
severity = "low"
all = ["cholera"]
source = ["tag:press"]
"#;

const COMMANDS: [&str; 27] = [
    "run",
    "once",
    "demo",
    "check",
    "test",
    "match",
    "preview",
    "explain",
    "backtest",
    "sources",
    "sources list",
    "sources add",
    "sources import",
    "sources export",
    "sources poll",
    "alerts",
    "alerts list",
    "outbox",
    "outbox list",
    "outbox retry",
    "send-test",
    "status",
    "store",
    "store backup",
    "store restore",
    "reload",
    "man",
];

/// A config with one feed, polled once an hour.
fn config(web: &Web) -> String {
    format!(
        r#"
[http]
contact = "mailto:desk@example.org"
allow_networks = ["127.0.0.0/8"]
[schedule]
interval = "1s"
interval_min = "1s"
host_gap = "0s"
[desk]
timezone = "Africa/Bamako"
{}{RULES}"#,
        source("news", &web.url("/news.xml"))
    )
}

fn source(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\ninterval = \"1h\"\n")
}

/// The same config with sources that may be polled every second.
fn restless(config: &str) -> String {
    config.replace("interval = \"1h\"\n", "")
}

fn webhook(name: &str, hook: &Hook) -> String {
    let url = hook.url();
    format!(
        "[[notifier]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"{url}\"\nsecret = {{ env = \"DESK_SECRET\" }}\n"
    )
}

fn mail(mailbox: &Mailbox) -> String {
    let relay = mailbox.address();
    format!(
        "[[notifier]]\nname = \"desk-mail\"\ntype = \"email\"\nsmtp = \"smtp://{relay}\"\n\
         from = \"Harmattan <alerts@example.org>\"\nto = [\"desk@example.org\"]\n"
    )
}

/// A desk whose feed has been read once and now holds an item that alerts.
fn told(web: &Web, notifiers: &str) -> Desk {
    web.put("/news.xml", rss(&["Rain in Mopti"]));
    let desk = Desk::new(&(config(web) + notifiers));
    desk.run(&["once"]).ended(0);
    web.put("/news.xml", rss(&["Rain in Mopti", "Cholera in Mopti"]));
    desk
}

#[test]
fn the_help_is_as_pinned() {
    let desk = Desk::new("");
    let mut help = desk.run(&["--help"]).ended(0).out;
    for command in COMMANDS {
        let line: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let told = desk.run(&line).ended(0).out;
        help.extend(["\n$ harmattan ", &line.join(" "), "\n", &told]);
    }
    let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > 100).collect();
    assert_eq!(wide, [""; 0]);
    insta::with_settings!({ snapshot_path => "golden/commands", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("help", help);
    });
}

#[test]
fn the_small_commands_work_without_a_config() {
    let desk = Desk::new("nonsense");
    assert_eq!(desk.run(&["--version"]).ended(0).out, concat!("harmattan ", env!("CARGO_PKG_VERSION"), "\n"));
    for (shell, mark) in
        [("bash", "complete -F"), ("zsh", "#compdef harmattan"), ("fish", "complete -c harmattan")]
    {
        assert!(desk.run(&["completions", shell]).ended(0).out.contains(mark), "{shell}");
    }
    desk.run(&["completions", "dos"]).ended(2);
    desk.run(&["frobnicate"]).ended(2);
    desk.run(&["man", "pages"]).ended(0);
    let pages: Vec<_> =
        fs::read_dir(desk.path("pages")).expect("pages").map(|page| page.expect("a page").path()).collect();
    assert!(pages.iter().any(|page| page.ends_with("harmattan.toml.5")));
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        assert!(text.contains(".TH") && text.contains(".SH"), "{}", page.display());
        match Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(&page)
            .env("LC_ALL", "C.UTF-8")
            .output()
        {
            Ok(shown) => assert_eq!(String::from_utf8_lossy(&shown.stderr), "", "{}", page.display()),
            Err(_) => println!("skipped: there is no `man` to render {}", page.display()),
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_output_and_nothing_else() {
    let desk = Desk::new(RULES);
    for line in ["completions bash", "check", "--help"] {
        let shell = format!("{} {line} | true; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_harmattan"));
        let ran =
            Command::new("bash").args(["-c", &shell]).current_dir(desk.path(".")).output().expect("bash");
        assert!(!String::from_utf8_lossy(&ran.stderr).contains("panicked"), "{ran:?}");
        assert_eq!(ran.status.code(), Some(0), "{line}");
    }
}

#[test]
fn check_takes_a_good_config_and_creates_nothing() {
    let desk = Desk::new(RULES);
    let checked = desk.run(&["check"]).ended(0);
    assert!(checked.out.contains("1 rules"), "{}", checked.out);
    assert!(checked.err.contains("warning: source: none is enabled"), "{}", checked.err);
    assert_eq!(desk.run(&["check", "--json"]).ended(0).json()[0]["tests"], 2);
    let left: Vec<_> =
        fs::read_dir(desk.path(".")).expect("the folder").map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(left, ["config"]);
}

#[test]
fn check_tells_all_mistakes_at_once_with_their_places() {
    let desk = Desk::new(
        "[store]\npth = \"x\"\n[[source]]\nname = \"a\"\nfeed = \"nope\"\n[[rule]]\nname = \"r\"\nseverity = \"hgh\"\nall = [\"x\"]\n",
    );
    for command in ["check", "run", "once", "status", "test"] {
        let refused = desk.run(&[command]).ended(78);
        for expected in [
            "harmattan.toml:2: store.pth: unknown key\n  hint: did you mean `path`?",
            "harmattan.toml:5: source.feed: ",
            "harmattan.toml:8: rule `r`: severity: `hgh` is unknown\n  hint: did you mean `high`?",
            "3 problems",
        ] {
            assert!(refused.err.contains(expected), "{command}: {}", refused.err);
        }
        assert_eq!(refused.out, "");
    }
    let missing = desk.run(&["-c", "none.toml", "check"]).ended(78);
    assert!(missing.err.contains("`none.toml`"), "{}", missing.err);
    assert!(!exists(&desk.path("harmattan-data")));
}

#[test]
fn a_failing_rule_test_is_told_with_its_place() {
    let desk = Desk::new(&RULES.replace("Rain in", "Cholera rain in"));
    let checked = desk.run(&["check"]).ended(78);
    assert!(checked.err.contains("harmattan.toml:7: "), "{}", checked.err);
    assert!(checked.err.contains("cholera"), "{}", checked.err);
    let tested = desk.run(&["test", "cholera"]).ended(1);
    assert!(tested.out.contains("1 tests failed"), "{}", tested.out);
    let failure = &desk.run(&["test", "--json"]).ended(1).json()[0];
    assert_eq!((&failure["rule"], &failure["line"]), (&Value::from("cholera"), &Value::from(7)));
    assert!(desk.run(&["test", "colera"]).ended(2).err.contains("`colera`"));
}

#[test]
fn match_judges_every_line_it_can_read() {
    let desk = Desk::new(RULES);
    let lines = "{\"id\":\"a\",\"title\":\"Cholera in Mopti\",\"text\":\"\"}\nbad\n\n{\"id\":\"b\",\"title\":\"Rain\",\"text\":\"none\"}\n";
    let judged = desk.feed(&["match"], lines).ended(1);
    assert!(judged.err.starts_with("line 2: "), "{}", judged.err);
    let expected = serde_json::json!([
        { "id": "a", "entities": [], "places": [], "fired": [ { "rule": "cholera", "severity": "high", "score": null,
          "why": [ { "term": "cholera", "text": "Cholera", "field": "title", "start": 0, "end": 7 } ] } ] },
        { "id": "b", "entities": [], "places": [], "fired": [] },
    ]);
    assert_eq!(Value::from(judged.json()), expected);
    let line = r#"{"id":"a","title":"Cholera","kind":"telegram","telegram":{"channel":"x","message":1}}"#;
    assert_eq!(desk.feed(&["match"], line).ended(0).json()[0]["fired"][0]["rule"], "cholera");
    let line = r#"{"text":"Mopti","telegram":{"channel":"x","message":1,"documents":["Cholera.pdf"]}}"#;
    let judged = &desk.feed(&["match"], line).ended(0).json()[0];
    let [text, why, start] =
        ["/text", "/fired/0/why/0/text", "/fired/0/why/0/start"].map(|at| judged.pointer(at).unwrap());
    assert_eq!(
        (text.as_str(), why.as_str(), start.as_u64()),
        (Some("Mopti\n\nCholera.pdf"), Some("Cholera"), Some(7))
    );
    desk.write("items.jsonl", &lines.replace("bad\n", ""));
    assert_eq!(Value::from(desk.run(&["match", "items.jsonl"]).ended(0).json()), expected);
    assert!(desk.run(&["match", "none.jsonl"]).ended(74).err.contains("none.jsonl"));
    assert!(!exists(&desk.path("harmattan-data")));
}

#[test]
fn what_a_line_does_not_say_its_source_does() {
    let desk = Desk::new(
        "[[source]]\nname = \"zone\"\ntelegram = \"grey_zone\"\nlang = \"fr\"\n\
         [[rule]]\nname = \"kind\"\nseverity = \"low\"\nall = [\"cholera\"]\nkind = [\"telegram\"]\n\
         [[rule]]\nname = \"lang\"\nseverity = \"low\"\nall = [\"cholera\"]\nlang = [\"en\"]\n",
    );
    for (line, expected) in [
        (r#"{"title":"Cholera","source":"zone"}"#, &["kind"][..]),
        (r#"{"title":"Cholera","source":"zone","lang":"en"}"#, &["kind", "lang"]),
        (r#"{"title":"Cholera","source":"zone","kind":"feed"}"#, &[]),
        (r#"{"title":"Cholera"}"#, &["kind", "lang"]),
    ] {
        let judged = desk.feed(&["match"], line).ended(0).json();
        let fired = judged[0]["fired"].as_array().unwrap();
        let fired: Vec<&str> = fired.iter().filter_map(|fired| fired["rule"].as_str()).collect();
        assert_eq!(fired, expected, "{line}");
    }
}

#[test]
fn what_preview_reads_match_and_explain_can_judge() {
    let desk = Desk::new(RULES);
    desk.write("feed.xml", &rss(&["Cholera in Mopti", "Rain in Mopti"]));
    let items = desk.run(&["preview", "--json", "feed.xml"]).ended(0);
    assert_eq!(items.json()[0]["title"], "Cholera in Mopti");
    let fired: Vec<usize> = desk
        .feed(&["match"], &items.out)
        .ended(0)
        .json()
        .iter()
        .map(|v| v["fired"].as_array().map_or(9, Vec::len))
        .collect();
    assert_eq!(fired, [1, 0]);
    let first = items.out.lines().next().unwrap_or_default();
    let told = desk.feed(&["explain", "-"], first).ended(0);
    assert!(told.out.contains("FIRED     cholera (high)"), "{}", told.out);
    let told = &desk.feed(&["explain", "-", "--json"], "Rain in Mopti\nNo more").ended(0).json()[0];
    assert_eq!(
        (&told["item"]["text"], &told["rules"][0]["fired"]),
        (&Value::from("No more"), &Value::from(false))
    );
    assert!(desk.feed(&["explain", "-", "--rule", "none"], first).ended(2).err.contains("`none`"));
}

#[test]
fn explain_marks_the_words_and_tells_what_was_lost_to_none() {
    let desk = Desk::new(&format!("{RULES}none = [\"football\"]\n{OTHER_RULES}"));
    let told = desk.feed(&["explain", "-"], "Cholera at \u{1b}[2J the football ground").ended(0);
    let expected = "item      00000000000000000000000000\nmentions\n\n  Cholera at [2J the football ground\n\n\
        FIRED     floods (low)\n  ground  \"ground\"  title 29..35\n\
        silent    cholera\n  lost only to none: `football` vetoes it by `football` (title 20..28)\n\
        silent    rain: all: rain: nothing in the item meets it\n\
        not asked 1 rules are not for this item (1 by source); --rule tells\n\
        to        screen\n";
    let input = r#"{"title": "Cholera at \u001b[2J the football ground", "source": "news"}"#;
    let told_of_a_source = desk.feed(&["explain", "-"], input).ended(0);
    assert_eq!(told_of_a_source.out.replace("source    from news\n", ""), expected);
    assert!(told.out.contains("lost only to none"), "{}", told.out);
    let asked = desk.feed(&["explain", "-", "--rule", "press"], input).ended(0);
    assert!(asked.out.contains("silent    press\n  source: the item is from `news`\n"), "{}", asked.out);
    let told = &desk.feed(&["explain", "-", "--json"], input).ended(0).json()[0]["rules"];
    assert_eq!((&told[0]["only_none"], &told[0]["clause"]), (&true.into(), &"none: football".into()));
    assert_eq!(told[2]["detail"], "nothing in the item meets it");
}

#[test]
fn explain_tells_what_an_entity_is_found_by() {
    let desk = Desk::new(
        "[[entity]]\nid = \"ml\"\ntype = \"place\"\nname = \"Mali\"\naliases = [\"Mali\"]\n\
         [[entity]]\nid = \"ml-mopti\"\ntype = \"place\"\nname = \"Mopti\"\nin = \"ml\"\naliases = [\"Mopti\", \"=Venice of Mali\"]\n\
         [[rule]]\nname = \"rain\"\nseverity = \"low\"\nall = [\"rain\", \"@ml\"]\n",
    );
    let told = desk.run(&["explain", "--entity", "ml-mopti"]).ended(0);
    assert!(told.out.starts_with("entity   ml-mopti\n"), "{}", told.out);
    assert!(told.out.contains("within   ml\n"), "{}", told.out);
    let facts = &desk.run(&["explain", "--entity", "@ml-mopti", "--json"]).ended(0).json()[0];
    assert_eq!((&facts["id"], &facts["in"][0]), (&"ml-mopti".into(), &"ml".into()));
    for (id, hint) in [
        ("ml-mopt", "did you mean `ml-mopti`?"),
        ("Mopti", "it is an alias of `ml-mopti`"),
        ("venice of mali", "it is an alias of `ml-mopti`"),
    ] {
        let unknown = desk.run(&["explain", "--entity", id]).ended(2);
        assert_eq!(unknown.err, format!("harmattan: no entity is named `{id}`\n  hint: {hint}\n"));
    }
    for arguments in [&["test", "rains"][..], &["explain", "-", "--rule", "rains"]] {
        let unknown = desk.feed(arguments, "Rain").ended(2);
        assert_eq!(unknown.err, "harmattan: no rule is named `rains`\n  hint: did you mean `rain`?\n");
    }
    desk.run(&["explain"]).ended(2);
    desk.run(&["explain", "x", "--entity", "ml"]).ended(2);
    assert!(!exists(&desk.path("harmattan-data")));
}

#[tokio::test(flavor = "multi_thread")]
async fn preview_reads_every_kind_and_tells_what_is_wrong() {
    let web = Web::start().await;
    let desk = Desk::new(&config(&web));
    let telegram = include_str!("../src/demo/samples/telegram-1.html").replace("{NEW}", "");
    web.put("/news.xml", rss(&["Rain in Mopti"]));
    web.put("/s/vestnik_sahelya", telegram.clone());
    web.put("/page", "<html><article><h2>Rain</h2><a href='/1'>more</a></article></html>".to_owned());
    for (path, kind) in [("/news.xml", "feed"), ("/s/vestnik_sahelya", "telegram"), ("/page", "page")] {
        let shown = desk.run(&["preview", &web.url(path)]).ended(0);
        assert!(shown.out.starts_with("published "), "{}", shown.out);
        assert_eq!(shown.err, "1 item, 0 lost\n", "{path}");
        assert_eq!(desk.run(&["preview", "--json", &web.url(path)]).ended(0).json()[0]["kind"], kind);
    }
    desk.write("channel.html", &telegram);
    assert_eq!(desk.run(&["preview", "channel.html"]).ended(0).err, "1 item, 0 lost\n");
    fs::write(desk.path("feed.xml.gz"), gzip(rss(&["Rain in Mopti"]).as_bytes())).unwrap();
    assert_eq!(desk.run(&["preview", "feed.xml.gz"]).ended(0).err, "1 item, 0 lost\n");
    fs::write(desk.path("bomb.gz"), gzip(&vec![b' '; 2 * 1024 * 1024])).unwrap();
    let bomb = desk.run(&["preview", "bomb.gz"]).ended(74);
    assert!(bomb.err.contains("`bomb.gz`") && bomb.err.contains("200"), "{}", bomb.err);
    let cut = rss(&["Rain in Mopti", "Cholera in Mopti"]);
    desk.write(
        "cut.xml",
        cut.split("in Mopti]]></title><link>https://news.example/1").next().unwrap_or_default(),
    );
    let salvaged = desk.run(&["preview", "--json", "cut.xml"]).ended(1);
    assert!(salvaged.json().iter().any(|line| line["problem"].is_string()), "{}", salvaged.out);
    assert!(salvaged.json().iter().any(|line| line["title"] == "Rain in Mopti"), "{}", salvaged.out);
    for nothing in [web.url("/none"), "http://127.0.0.1:1/".to_owned()] {
        let missing = desk.run(&["preview", "--json", &nothing]).ended(1);
        assert!(missing.json()[0]["problem"].is_string(), "{}", missing.out);
        assert!(missing.err.contains(&nothing), "{}", missing.err);
    }
    let no_file = desk.run(&["preview", "no such thing"]).ended(74).err;
    assert!(no_file.contains("there is no such file") && no_file.contains("@grey_zone"), "{no_file}");
    let typed = web.url("/news.xml").replace("http://", "");
    assert_eq!(desk.run(&["preview", &typed]).ended(0).err, "1 item, 0 lost\n", "without a scheme");
    web.put("/front", "<html><p>Gao</p></html>".to_owned());
    let address = web.url("/front");
    let front = desk.run(&["preview", &address]).ended(1).err;
    let hint = format!("`harmattan sources add {address}` finds the feeds of its site");
    assert!(front.contains("it is an HTML page, not a feed") && front.contains(&hint), "{front}");
    for selected in [&["--item", ".news"][..], &["--as", "page"]] {
        let mut line = vec!["preview", address.as_str()];
        line.extend(selected);
        let unknown = desk.run(&line).ended(1).err;
        assert!(unknown.contains("the `item` selector finds nothing"), "{unknown}");
    }
    assert!(!exists(&desk.path("harmattan-data")));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_takes_a_baseline_then_alerts_by_mail_and_webhook() {
    let web = Web::start().await;
    let (mailbox, hook) = (
        Mailbox::start(Replies::default()).await.expect("a relay"),
        Hook::start(&[SECRET], Vec::new()).await.expect("a hook"),
    );
    let desk = told(&web, &(mail(&mailbox) + &webhook("ops-hook", &hook)));
    assert!(mailbox.received().is_empty() && hook.received().is_empty());
    let idle = desk.run(&["once"]).ended(0);
    assert!(idle.out.starts_with("0 polled"), "{}", idle.out);
    assert_eq!(web.asked("/news.xml"), 1);
    let round = desk.run(&["once", "--all"]).ended(0);
    assert!(round.out.contains("1 new item, 1 alert, "), "{}", round.out);
    assert!(round.err.contains("news 2 items, 1 new"), "{}", round.err);
    assert_eq!(soon(mailbox.wait_for(1)).await.len(), 1);
    let hooked = soon(hook.wait_for(1)).await;
    assert!(hooked[0].signature_ok);
    let polls = desk.run(&["once", "--all", "--json"]).ended(0).json();
    assert_eq!((polls.len(), &polls[0]["outcome"]), (1, &Value::from("unchanged")));
    assert_eq!((mailbox.received().len(), hook.received().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_counts_a_baseline_by_itself_and_no_page_is_kept_of_what_was_read() {
    let web = Web::start().await;
    web.put("/news.xml", rss(&["Rain in Mopti"]));
    let desk = Desk::new(&config(&web));
    let round = desk.run(&["once"]).ended(0);
    assert!(
        round.out.starts_with("1 polled, 0 failed; 0 new items, 1 item in baselines, 0 alerts, "),
        "{}",
        round.out
    );
    assert!(round.err.contains("news baseline of 1 item, "), "{}", round.err);
    let none = desk.run(&["sources", "page", "news"]).ended(74).err;
    assert!(none.contains("its layout was known as long as it was read"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_tells_of_a_failing_source_by_its_exit_code() {
    let web = Web::start().await;
    let desk = Desk::new(&(config(&web) + &source("old", &web.url("/old.xml")) + "enabled = false\n"));
    let round = desk.run(&["once"]).ended(1);
    assert!(round.out.contains("1 polled, 1 failed"), "{}", round.out);
    let listed = desk.run(&["sources", "--json"]).ended(0).json();
    assert_eq!((&listed[0]["state"], &listed[0]["reason"]), (&Value::from("failing"), &Value::from("http")));
    assert_eq!((listed.len(), &listed[1]["state"]), (2, &Value::from("off")));
    assert!(desk.run(&["sources"]).ended(0).out.contains("404"));
    for unread in ["news", "old"] {
        let none = desk.run(&["sources", "page", unread]).ended(74).err;
        assert!(none.contains(&format!("no page is kept of `{unread}`: it was never read")), "{none}");
    }
    let unknown = desk.run(&["sources", "page", "nwes"]).ended(2).err;
    assert_eq!(unknown, "harmattan: no source is named `nwes`\n  hint: did you mean `news`?\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_without_a_store_say_so_and_make_none() {
    let web = Web::start().await;
    let desk = Desk::new(&config(&web));
    for line in [
        "alerts",
        "outbox",
        "sources",
        "status",
        "explain x",
        "backtest",
        "sources poll news",
        "outbox retry --all",
    ] {
        let line: Vec<&str> = line.split(' ').collect();
        let missing = desk.run(&line).ended(74);
        assert!(missing.err.starts_with("harmattan: no store at "), "{line:?}: {}", missing.err);
        assert_eq!(missing.out, "");
    }
    assert!(desk.run(&["reload"]).ended(74).err.contains("no daemon"));
    assert!(!exists(&desk.path("harmattan-data")));
}

/// A value without what differs between a daemon and a command that opens the store itself.
fn comparable(ran: &desk::Ran) -> Vec<Value> {
    let mut values = ran.json();
    for value in &mut values {
        let fields = value.as_object_mut().expect("an object");
        for name in ["running", "pid", "started", "loaded", "store_bytes"] {
            fields.remove(name);
        }
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_and_a_command_alone_tell_the_same() {
    let web = Web::start().await;
    let hook = Hook::start(&[SECRET], Vec::new()).await.expect("a hook");
    let desk = told(&web, &webhook("ops-hook", &hook));
    desk.run(&["once", "--all"]).ended(0);
    let alerts = desk.run(&["alerts", "--json"]).ended(0).json();
    let (alert, item) = (text(&alerts[0]["id"]), text(&alerts[0]["item"]["id"]));
    let lines = [
        vec!["alerts", "list", "--json"],
        vec!["outbox", "list", "--all", "--json"],
        vec!["sources", "list", "--json"],
        vec!["explain", &alert, "--json"],
        vec!["explain", &item, "--json"],
        vec!["explain", "https://news.example/1?utm_source=x", "--json"],
    ];
    let ask = || lines.iter().map(|line| comparable(&desk.run(line).ended(0))).collect::<Vec<_>>();
    let alone = ask();
    assert!(alone.iter().all(|values| values.len() == 1), "{alone:?}");
    assert_eq!(alone[1][0]["state"], "delivered");
    assert_eq!(alone[3], alone[4]);
    assert_eq!(alone[3], alone[5]);
    let status = comparable(&desk.run(&["status", "--json"]).ended(1));
    let daemon = desk.start();
    assert_eq!(ask(), alone);
    assert_eq!(comparable(&desk.run(&["status", "--json"]).ended(0)), status);
    for alone in [&["once"][..], &["run"]] {
        assert!(desk.run(alone).ended(75).err.contains("in use"));
    }
    assert!(desk.run(&["check"]).ended(0).out.contains("the daemon runs"));
    assert!(desk.run(&["explain", "https://news.example/none"]).ended(74).err.contains("no stored item"));
    assert_eq!(daemon.stop().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_tells_what_other_rules_would_have_made_of_it() {
    let web = Web::start().await;
    let desk = told(&web, "");
    let titles =
        ["Rain in Mopti", "Cholera in Mopti", "Locusts near Gao", "Locusts beat Cranes in Gao", "Calm"];
    web.put("/news.xml", rss(&titles));
    desk.run(&["once", "--all"]).ended(0);
    let same = desk.run(&["backtest", "--json"]).ended(0).json();
    assert_eq!(same.len(), 1);
    let counts =
        |value: &Value| ["items", "before", "after", "added", "removed"].map(|name| value[name].as_u64());
    let counted = |numbers: [u64; 5]| numbers.map(Some);
    assert_eq!(counts(&same[0]["total"]), counted([4, 1, 1, 0, 0]));

    let locusts =
        "[[rule]]\nname = \"locusts\"\nseverity = \"low\"\nall = [\"locusts\"]\nnone = [\"cranes\"]\n";
    let other = (config(&web) + locusts)
        .replace("all = [\"cholera\"]", "all = [\"plague\"]")
        .replace("Cholera in", "Plague in");
    desk.configure(&other);
    let alone = desk.run(&["backtest", "--json"]).ended(0).json();
    let told = &alone[0];
    assert_eq!(counts(&told["total"]), counted([4, 1, 1, 1, 1]));
    assert_eq!(counts(&told["days"][0]), counted([4, 1, 1, 1, 1]));
    assert_eq!(
        (&told["added"][0]["title"], &told["added"][0]["severity"]),
        (&"Locusts near Gao".into(), &"low".into())
    );
    assert_eq!(
        (&told["removed"][0]["title"], &told["removed"][0]["rules"][0]),
        (&"Cholera in Mopti".into(), &"cholera".into())
    );
    let lost = &told["lost_to_none"];
    assert_eq!(
        (&lost["count"], &lost["items"][0]["title"]),
        (&1.into(), &"Locusts beat Cranes in Gao".into())
    );
    let rules: Vec<_> = ["cholera", "locusts"].into_iter().zip([(0, 0, 1, 0), (1, 1, 0, 1)]).collect();
    for (rule, (name, (fired, added, removed, lost))) in
        told["rules"].as_array().expect("rules").iter().zip(rules)
    {
        let expected = serde_json::json!({ "rule": name, "mode": "live", "fired": fired, "added": added, "removed": removed, "lost_to_none": lost });
        assert_eq!(rule, &expected);
    }
    let shown = desk.run(&["backtest", "--since", "2d"]).ended(0);
    for expected in ["4 items first seen since ", "added: 1\n", "removed: 1\n", "lost only to none: 1\n"] {
        assert!(shown.out.contains(expected), "{expected}: {}", shown.out);
    }
    let checked = desk.run(&["check"]).ended(0);
    let warning = "rule `locusts`: 1 stored item of the last 7 days is lost only to `none`, such as `Locusts beat Cranes in Gao`";
    assert!(checked.err.contains(warning), "{}", checked.err);

    // The daemon keeps the store and its own rules; those on disk are judged all the same.
    desk.configure(&config(&web));
    let daemon = desk.start();
    desk.configure(&other);
    assert_eq!(desk.run(&["backtest", "--json"]).ended(0).json(), alone);
    assert!(desk.run(&["check"]).ended(0).err.contains(warning));
    assert_eq!(daemon.stop().0, Some(0));
    assert!(desk.run(&["backtest", "--since", "soon"]).ended(74).err.contains("`soon`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_sends_what_it_adds_as_one_digest() {
    let web = Web::start().await;
    let (up, down) = (
        Hook::start(&[SECRET], Vec::new()).await.expect("a hook"),
        Hook::start(&[SECRET], vec![Answer::Status(401); 2]).await.expect("a hook"),
    );
    let mailbox = Mailbox::start(Replies::default()).await.expect("a relay");
    let notifiers = webhook("a-down", &down) + &webhook("b-up", &up) + &mail(&mailbox);
    let desk = told(&web, "");
    let old = "<pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate></item></channel>";
    let titles = ["Rain in Mopti", "Locusts near Gao", "Locusts at Kidal", "Old locusts"];
    web.put("/news.xml", rss(&titles).replace("</item></channel>", old));
    desk.run(&["once", "--all"]).ended(0);
    let nothing = desk.run(&["backtest", "--send"]).ended(0);
    assert!(nothing.out.ends_with("\nnothing to send\n"), "{}", nothing.out);

    let locusts = "[[rule]]\nname = \"locusts\"\nseverity = \"low\"\nall = [\"locusts\"]\n";
    desk.configure(&(config(&web) + &notifiers + locusts));
    let told = &desk.run(&["backtest", "--send", "--json"]).ended(1).json()[0];
    assert_eq!(told["added"].as_array().map(Vec::len), Some(3));
    let sent: Vec<_> = ["a-down", "b-up", "desk-mail"].into_iter().zip([false, true, true]).collect();
    for (told, (notifier, accepted)) in told["sent"].as_array().expect("outcomes").iter().zip(sent) {
        assert_eq!((&told["notifier"], &told["accepted"]), (&notifier.into(), &accepted.into()));
    }
    let body: Value = serde_json::from_slice(&soon(up.wait_for(1)).await[0].body).expect("JSON");
    assert_eq!(
        (&body["type"], &body["data"]["part"], &body["data"]["parts"]),
        (&"alert.digest".into(), &1.into(), &1.into())
    );
    let mut titles: Vec<_> = body["data"]["alerts"]
        .as_array()
        .expect("alerts")
        .iter()
        .map(|alert| text(&alert["item"]["title"]))
        .collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Locusts at Kidal", "Locusts near Gao"]);
    assert_eq!((up.received().len(), mailbox.received().len()), (1, 1));

    // Nothing of it is recorded, and a daemon sends it through its own notifiers.
    let daemon = desk.start();
    let again = desk.run(&["backtest", "--send"]).ended(1);
    assert!(again.out.contains("sent once, not tried again\na-down: refused: "), "{}", again.out);
    assert_eq!((soon(up.wait_for(2)).await.len(), soon(mailbox.wait_for(2)).await.len()), (2, 2));
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(desk.run(&["outbox", "--all"]).ended(0).err, "nothing is owed\n");
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_the_users_alone_and_goes_with_the_daemon() {
    let web = Web::start().await;
    let desk = Desk::new(&config(&web));
    let daemon = desk.start();
    let socket = desk.path("harmattan-data/control.sock");
    assert_eq!(fs::metadata(&socket).expect("a socket").permissions().mode() & 0o777, 0o600);
    let other = config(&web)
        + "[store]\npath = \"../elsewhere\"\n[control]\nsocket = \"../harmattan-data/control.sock\"\n";
    desk.write("config/other.toml", &other);
    let refused = desk.run(&["-c", "config/other.toml", "status"]).ended(74);
    assert!(refused.err.contains("elsewhere"), "{}", refused.err);
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!exists(&socket));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_a_good_config_and_refuses_a_bad_one() {
    let web = Web::start().await;
    let hook = Hook::start(&[SECRET], Vec::new()).await.expect("a hook");
    let first = config(&web) + &webhook("ops-hook", &hook);
    let desk = told(&web, &webhook("ops-hook", &hook));
    web.put("/more.xml", rss(&["Locusts near Gao"]));
    let daemon = desk.start();

    desk.configure(&format!("{first}[[rule]]\nnme = \"x\"\n"));
    let refused = desk.run(&["reload"]).ended(78);
    assert!(refused.err.contains("rule.nme"), "{}", refused.err);
    assert!(refused.out.contains("the old config stays in force: 1 sources, 1 rules"), "{}", refused.out);
    let status = desk.run(&["status", "--json"]).ended(1);
    assert!(text(&status.json()[0]["reload_error"]).contains("rule.nme"), "{}", status.out);

    desk.configure(&first.replace("Rain in", "Cholera rain in"));
    assert!(desk.run(&["reload", "--json"]).ended(78).json()[0]["messages"][0].is_string());

    let rule = "[[rule]]\nname = \"locusts\"\nseverity = \"low\"\nall = [\"locusts\"]\n";
    let more = source("more", &web.url("/more.xml")) + "backlog = 1\n";
    desk.configure(&format!("{first}{more}{rule}"));
    daemon.signal("HUP");
    // One `READY=1` for each refusal, one for the signal.
    (0..3).for_each(|_| daemon.ready());
    let status = &desk.run(&["status", "--json"]).ended(0).json()[0];
    assert_eq!(
        (&status["sources"], &status["rules"], status.get("reload_error")),
        (&2.into(), &2.into(), None)
    );
    desk.run(&["sources", "poll", "more"]).ended(0);
    let body: Value = serde_json::from_slice(&soon(hook.wait_for(1)).await[0].body).expect("JSON");
    assert_eq!(body["data"]["rules"][0]["name"], "locusts");
    let by_hand = || desk.run(&["sources", "poll", "news"]).ended(0).out;
    let waiting = by_hand();
    assert!(waiting.contains("news: not asked: it is too soon"), "{waiting}");
    desk.configure(&format!("{}{more}{rule}", restless(&first)));
    desk.run(&["reload"]).ended(0);
    while by_hand().contains("too soon") {}
    soon(hook.wait_for(2)).await;

    desk.configure(&format!("{first}[log]\nlevel = \"error\"\n"));
    assert!(
        desk.run(&["reload"])
            .ended(0)
            .err
            .contains("log: the change takes effect when the daemon is restarted")
    );
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_delays_nobody_and_can_be_tried_again() {
    let web = Web::start().await;
    let down = Hook::start(&[SECRET], vec![Answer::With(503, "retry-after", "3600".to_owned())])
        .await
        .expect("a hook");
    let up = Hook::start(&[SECRET], Vec::new()).await.expect("a hook");
    let notifiers = webhook("a-down", &down) + &webhook("b-up", &up);
    let desk = told(&web, &notifiers);
    desk.configure(&(restless(&config(&web)) + &notifiers));
    let daemon = desk.start();
    while desk.run(&["sources", "poll", "news"]).ended(0).out.contains("too soon") {}
    soon(up.wait_for(1)).await;
    soon(down.wait_for(1)).await;
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");

    let waiting = desk.run(&["outbox", "--json"]).ended(0).json();
    assert_eq!((waiting.len(), &waiting[0]["state"]), (1, &Value::from("retrying")));
    assert!(text(&waiting[0]["reason"]).contains("503"));
    assert!(desk.run(&["outbox"]).ended(0).out.contains("retrying"));
    assert!(desk.run(&["once"]).ended(1).out.ends_with("; 1 delivery waiting, 0 held, 0 dead\n"));
    assert!(
        desk.run(&["status"])
            .ended(1)
            .out
            .contains("  1 delivery owed, 1 tried again after a failure, 0 held, 0 dead\n")
    );
    let daemon = desk.start();
    desk.run(&["outbox", "retry", &text(&waiting[0]["id"])]).ended(0);
    let requests = soon(down.wait_for(2)).await;
    assert_eq!(requests[0].id, requests[1].id);
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(desk.run(&["outbox"]).ended(0).err, "nothing is owed\n");
    assert!(
        desk.run(&["outbox", "retry", &text(&waiting[0]["id"])]).ended(74).err.contains("no such delivery")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_tells_which_notifier_fails() {
    let web = Web::start().await;
    let down = Hook::start(&[SECRET], vec![Answer::Status(401)]).await.expect("a hook");
    let mailbox = Mailbox::start(Replies::default()).await.expect("a relay");
    let desk = Desk::new(&(config(&web) + &webhook("ops-hook", &down) + &mail(&mailbox)));
    let sent = desk.run(&["send-test"]).ended(1);
    assert!(sent.out.contains("ops-hook: refused: "), "{}", sent.out);
    assert!(sent.out.contains("desk-mail desk@example.org: accepted: "), "{}", sent.out);
    assert_eq!(desk.run(&["send-test", "desk-mail", "--json"]).ended(0).json()[0]["accepted"], true);
    assert_eq!(mailbox.received().len(), 2);
    assert!(desk.run(&["send-test", "pigeon"]).ended(2).err.contains("no notifier is named `pigeon`"));
    assert!(desk.run(&["send-test", "desk-mial"]).ended(2).err.contains("did you mean `desk-mail`?"));
    assert!(!exists(&desk.path("harmattan-data")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_title_drives_the_terminal() {
    let web = Web::start().await;
    let desk = told(&web, "");
    let hostile = "Cholera \u{1b}[2J\u{9b}31m in \u{202e}itpoM\u{2066} \u{7}now\u{8}";
    web.put(
        "/news.xml",
        rss(&["Rain in Mopti", hostile]).replace("<channel>", "<channel><language>e\u{202e}n</language>"),
    );
    // Every run asserts that its output is harmless.
    desk.run(&["once", "--all"]).ended(0);
    let id = text(&desk.run(&["alerts", "--json"]).ended(0).json()[0]["id"]);
    for line in [
        &["alerts"][..],
        &["outbox", "--all"],
        &["sources"],
        &["status"],
        &["explain", &id],
        &["preview", &web.url("/news.xml")],
    ] {
        let shown = desk.run(line);
        assert!(shown.code <= 1, "{line:?}: {}", shown.err);
    }
    assert!(desk.run(&["alerts"]).ended(0).out.contains("itpoM"));
}

#[test]
fn nobody_delivers_while_a_notifier_is_missing() {
    let notifier = "[[notifier]]\nname = \"ops\"\ntype = \"webhook\"\nurl = \"https://hooks.example.org/\"\n";
    let desk = Desk::new(&format!("{notifier}secret = {{ credential = \"hook-secret\" }}\n"));
    desk.run(&["check"]).ended(0);
    for command in ["run", "once"] {
        let refused = desk.run(&[command]).ended(78);
        assert!(
            refused.err.contains("`ops` needs a credential that only the service can read"),
            "{}",
            refused.err
        );
    }
    let tried = desk.run(&["send-test", "--json"]).ended(1).json();
    assert_eq!((text(&tried[0]["notifier"]), &tried[0]["accepted"]), ("ops".into(), &false.into()));
    assert!(!exists(&desk.path("store")) && !exists(&desk.path("harmattan-data")), "a store was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_does_not_hold_up_the_end() {
    let web = Web::start().await;
    let desk = told(&web, "");
    let daemon = desk.start();
    let socket = desk.run(&["status", "--json"]).ended(0).json();
    let socket = std::path::PathBuf::from(text(&socket[0]["store"])).join("control.sock");
    let mut client = std::os::unix::net::UnixStream::connect(socket).expect("the socket");
    std::io::Write::write_all(&mut client, b"POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{")
        .expect("half a call");
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
}
