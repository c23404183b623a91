//! What makes alerts wait and how they leave, by the built program on loopback. Time passes by moving the ends of
//! holds in the store between two runs.

use std::process::Command;

use harmattan::daemon::clock::now;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::support::calls::{Desk, text};
use crate::support::http::Reply;
use crate::support::site::Site;

const SCREEN: &str = r#"
[[notifier]]
name = "screen"
type = "stdout"
[[rule]]
name = "talks"
severity = "medium"
all = ["talks begin"]
"#;

/// A desk whose one route has these keys, and its one source.
struct Stage {
    site: Site,
    desk: Desk,
    titles: Vec<String>,
}

impl Stage {
    fn set(route: &str) -> Self {
        let site = Site::start();
        let zone = "[desk]\ntimezone = \"UTC\"\n";
        let source = format!("{zone}[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", site.url("/feed"));
        let desk = Desk::with(&format!("{source}{SCREEN}[[route]]\nto = [\"screen\"]\n{route}\n"));
        let mut stage = Self { site, desk, titles: Vec::new() };
        assert_eq!(stage.poll(&["calm"]), "");
        stage
    }

    /// Polls once, with these new titles; what was told meanwhile. A title that ends in a link has it, and takes the place
    /// of the one that had it before.
    fn poll(&mut self, titles: &[&str]) -> String {
        let link = |title: &str| title.split_once(" https://").map(|(_, link)| link.to_owned());
        let links: Vec<_> = titles.iter().filter_map(|title| link(title)).collect();
        self.titles.retain(|title| link(title).is_none_or(|link| !links.contains(&link)));
        self.titles.extend(titles.iter().map(|title| (*title).to_owned()));
        let items = self.titles.iter().rev().fold(String::new(), |items, title| {
            let (words, link) = title.split_once(" https://").unwrap_or((title, ""));
            let (guid, link) = match link {
                "" => (words, String::new()),
                link => (link, format!("<link>https://{link}</link>")),
            };
            items
                + &format!(
                    "<item><title>{words}</title><guid isPermaLink=\"false\">{guid}</guid>{link}</item>"
                )
        });
        let feed = format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>");
        self.site.show("/feed", Reply::ok(feed));
        self.once().1
    }

    /// `once --all`: how it ended and what it printed, its last line left out.
    fn once(&self) -> (i32, String) {
        let program = env!("CARGO_BIN_EXE_harmattan");
        let output =
            Command::new(program).arg("-c").arg(self.desk.config()).args(["once", "--all"]).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let (told, _) = told.trim_end().rsplit_once('\n').unwrap_or(("", ""));
        (output.status.code().unwrap(), told.to_owned())
    }

    /// What a command prints.
    fn print(&self, arguments: &[&str]) -> String {
        let program = env!("CARGO_BIN_EXE_harmattan");
        let output =
            Command::new(program).arg("-c").arg(self.desk.config()).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Of each delivery the state and what it waits for, in the order in which they were owed.
    fn outbox(&self) -> Vec<String> {
        let mut rows = self.desk.run(&["outbox", "list", "--all", "--json"]);
        rows.sort_by_key(|row| (text(row, "/created").parse::<Timestamp>().unwrap(), text(row, "/bundle")));
        let says = |row: &Value| {
            let (state, reason) = (text(row, "/state"), text(row, "/reason"));
            if state == "held" { format!("held {reason}") } else { state }
        };
        rows.iter().map(says).collect()
    }

    /// When the holds end, the earliest first.
    fn ends(&self) -> Vec<Timestamp> {
        let store = SledStore::open(&self.desk.store()).unwrap();
        let open = store.open_deliveries().unwrap();
        let mut ends: Vec<Timestamp> =
            open.iter().filter_map(|delivery| delivery.state.held()).map(|hold| hold.until).collect();
        ends.sort_unstable();
        ends
    }

    /// Lets the time of all that is held come.
    fn pass(&self) {
        let store = SledStore::open(&self.desk.store()).unwrap();
        let until = now();
        for delivery in store.open_deliveries().unwrap() {
            let Some(hold) = delivery.state.held() else { continue };
            let delivery = Delivery { state: DeliveryState::Held(Hold { until, ..hold }), ..delivery };
            store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
        }
        store.sync().unwrap();
    }
}

/// `HH:MM` in UTC so many hours from now.
fn clock(hours: i64) -> String {
    let at = now() + jiff::SignedDuration::from_hours(hours);
    TimeZone::UTC.to_datetime(at).strftime("%H:%M").to_string()
}

/// Quiet hours that began an hour ago.
fn quiet() -> String {
    format!("quiet = {{ from = \"{}\", to = \"{}\" }}\ntimezone = \"UTC\"", clock(-1), clock(3))
}

/// Of a text, the lines that open a message.
fn heads(told: &str) -> Vec<&str> {
    told.lines().filter(|line| line.starts_with('[')).collect()
}

#[test]
fn nothing_waits_without_a_hold() {
    let mut stage = Stage::set("");
    assert_eq!(heads(&stage.poll(&["a convoy attacked"])).len(), 1);
    assert_eq!(stage.outbox(), ["delivered"]);
}

#[test]
fn a_digest_tells_all_at_its_time_one_alert_too() {
    let mut stage = Stage::set(&format!("digest = [\"{}\"]\ntimezone = \"UTC\"", clock(2)));
    assert_eq!(stage.poll(&["a convoy attacked", "the base falls", "talks begin"]), "");
    assert_eq!(stage.outbox(), ["held digest"; 3]);
    let ends = stage.ends();
    let hours = ends.first().unwrap().duration_since(now()).as_secs_f64() / 3600.0;
    assert!((1.9..=2.0).contains(&hours), "{hours} h");
    assert!(ends.iter().all(|end| Some(end) == ends.first()), "{ends:?}");
    assert_eq!(stage.once(), (0, String::new()), "a run more hurries nothing, and what is held is not wrong");
    stage.pass();
    let (code, told) = stage.once();
    assert_eq!(code, 0);
    assert_eq!(heads(&told), ["[digest] 3 alerts since the last digest, at most critical"]);
    let place = |title: &str| told.find(title).unwrap();
    assert!(place("base falls") < place("convoy") && place("convoy") < place("talks"), "{told}");
    assert_eq!(stage.outbox(), ["bundled", "bundled", "bundled", "delivered"]);
    assert_eq!(stage.once().1, "", "nothing is told twice");

    assert_eq!(stage.poll(&["talks begin anew"]), "");
    stage.pass();
    assert_eq!(heads(&stage.once().1), ["[digest] 1 alert since the last digest, at most medium"]);
}

#[test]
fn an_alert_is_listed_as_held_until_one_of_its_deliveries_leaves() {
    let mut stage = Stage::set(&quiet());
    stage.poll(&["the base falls", "talks begin", "a convoy attacked"]);
    let listed = |stage: &Stage| -> Vec<(String, String, String)> {
        let alerts = stage.desk.run(&["alerts", "list", "--json"]);
        let row = |alert: &Value| {
            (text(alert, "/severity"), text(alert, "/disposition"), text(alert, "/held/reason"))
        };
        let mut rows: Vec<_> = alerts.iter().map(row).collect();
        rows.sort_unstable();
        rows
    };
    let row = |words: [&str; 3]| <(String, String, String)>::from(words.map(str::to_owned));
    assert_eq!(
        listed(&stage),
        [row(["critical", "sent", ""]), row(["high", "sent", "quiet"]), row(["medium", "sent", "quiet"])]
    );

    let until = stage.ends()[0].strftime("%m-%d %H:%MZ").to_string();
    let held = format!("held (quiet until {until})");
    let alerts = stage.desk.alerts();
    let id = text(alerts.iter().find(|alert| text(alert, "/severity") == "medium").unwrap(), "/id");
    let table = stage.print(&["alerts", "list"]);
    assert_eq!((table.matches(&held).count(), table.matches("  sent  ").count()), (2, 1), "{table}");
    for arguments in [["alerts", "show", id.as_str()].as_slice(), &["explain", &id]] {
        let told = stage.print(arguments);
        assert!(told.contains(&format!("alert.new, {held}")), "{told}");
    }
    let exported = |form| stage.print(&["alerts", "export", "--format", form]);
    let (table, timeline) = (exported("csv"), exported("markdown"));
    assert_eq!((table.matches(",held,").count(), table.matches(",sent,").count()), (2, 1), "{table}");
    assert_eq!((timeline.matches(&format!(" · *{held}*\n")).count(), timeline.matches('*').count()), (2, 16));
    stage.pass();
    stage.once();
    assert_eq!(
        listed(&stage),
        [row(["critical", "sent", ""]), row(["high", "sent", ""]), row(["medium", "sent", ""])]
    );
}

#[test]
fn an_alert_that_one_recipient_has_is_not_held() {
    let both = format!("continue = true\n{}\n[[route]]\nto = [\"desk\"]\n", quiet());
    let mut stage = Stage::set(&format!("{both}[[notifier]]\nname = \"desk\"\ntype = \"stdout\"\n"));
    stage.poll(&["talks begin"]);
    let mut states = stage.outbox();
    states.sort_unstable();
    assert_eq!(states, ["delivered", "held quiet"]);
    assert_eq!(text(&stage.desk.alerts()[0], "/held/reason"), "");
}

#[test]
fn quiet_hours_let_the_gravest_through_and_end_in_one_message() {
    let mut stage = Stage::set(&quiet());
    let told = stage.poll(&["a convoy attacked", "the base falls", "talks begin"]);
    assert_eq!(heads(&told).len(), 1, "{told}");
    assert!(told.contains("base falls"), "{told}");
    assert_eq!(stage.outbox(), ["held quiet", "delivered", "held quiet"]);
    stage.pass();
    // Quiet hours last still by the clock; what has waited to the end that it was given leaves.
    assert_eq!(heads(&stage.once().1), ["[digest] 2 alerts of quiet hours, at most high"]);
    assert_eq!(stage.outbox(), ["bundled", "delivered", "bundled", "delivered"]);
}

#[test]
fn a_batch_gathers_one_story_and_lets_the_critical_pass() {
    let mut stage = Stage::set("batch = \"1h\"");
    assert_eq!(stage.poll(&["talks begin https://a.example/1"]), "");
    assert_eq!(stage.poll(&["nobody talks https://a.example/1"]), "");
    assert_eq!(
        stage.poll(&["talks begin as a convoy attacked https://a.example/1", "talks begin in Gao"]),
        ""
    );
    assert_eq!(stage.outbox(), ["held batch"; 3]);
    let told = stage.poll(&["the base falls"]);
    assert_eq!(heads(&told).len(), 1, "{told}");
    stage.pass();
    let told = stage.once().1;
    let mut heads = heads(&told);
    heads.sort_unstable();
    assert_eq!(heads.len(), 2, "{told}");
    assert!(heads.contains(&"[digest] 2 alerts of one story, at most high"), "{told}");
}

#[test]
fn what_a_budget_holds_leaves_as_one_digest() {
    let mut stage = Stage::set("budget = \"2/1h\"");
    let told = stage.poll(&["a convoy attacked", "talks begin", "the base falls", "talks begin in Gao"]);
    assert_eq!(heads(&told).len(), 2, "{told}");
    let told = stage.poll(&["talks begin in Mopti"]);
    assert_eq!(told, "", "it slides over both runs");
    let mut states = stage.outbox();
    states.sort();
    assert_eq!(states, ["delivered", "delivered", "held budget", "held budget", "held budget"]);
    let room = stage.ends().first().unwrap().duration_since(now()).as_secs_f64() / 3600.0;
    assert!((0.9..=1.0).contains(&room), "{room} h");
    stage.pass();
    let told = stage.once().1;
    assert_eq!(heads(&told).len(), 1, "{told}");
    assert!(told.contains("3 alerts over the budget"), "{told}");
}

#[test]
fn a_held_alert_leaves_early_when_it_is_asked_for_by_name_alone() {
    let mut stage = Stage::set(&quiet());
    assert_eq!(stage.poll(&["a convoy attacked", "talks begin"]), "");
    assert!(stage.desk.run(&["outbox", "retry", "--all", "--json"]).is_empty());
    assert_eq!(stage.outbox(), ["held quiet"; 2]);
    let rows = stage.desk.run(&["outbox", "list", "--json"]);
    let wanted = text(rows.first().unwrap(), "/id");
    assert_eq!(stage.desk.run(&["outbox", "retry", &wanted, "--json"]).len(), 1);
    assert_eq!(heads(&stage.once().1).len(), 1);
    let mut states = stage.outbox();
    states.sort();
    assert_eq!(states, ["delivered", "held quiet"]);
}

#[test]
fn another_config_neither_hurries_nor_loses_what_is_held() {
    let mut stage = Stage::set(&quiet());
    assert_eq!(stage.poll(&["a convoy attacked"]), "");
    let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", stage.site.url("/feed"));
    let ends = stage.ends();
    stage.desk.change(&format!("{source}{SCREEN}"));
    assert_eq!(stage.once(), (0, String::new()));
    assert_eq!(stage.ends(), ends);
    stage.pass();
    assert_eq!(heads(&stage.once().1).len(), 1);
}

#[test]
fn commands_tell_what_an_alert_would_wait_for() {
    let stage = Stage::set(&format!("{}\nbatch = \"30s\"", quiet()));
    for (arguments, hold) in [
        (vec!["--rule", "convoy"], "quiet"),
        (vec!["--rule", "base"], ""),
        (vec!["--rule", "convoy", "--at", "2026-11-23T00:00:00Z", "--severity", "critical"], ""),
    ] {
        let way =
            stage.desk.run(&[vec!["routes", "test", "--json"], arguments.clone()].concat()).pop().unwrap();
        assert_eq!(text(&way, "/to/0/hold"), hold, "{arguments:?}: {way}");
    }
    let later = clock(5);
    let way =
        stage.desk.run(&["routes", "test", "--json", "--rule", "convoy", "--at", &later]).pop().unwrap();
    assert_eq!(text(&way, "/to/0/hold"), "batch", "{way}");
}

#[test]
fn a_report_comes_daily_even_when_nothing_happened_and_once_after_days() {
    let mut stage = Stage::set(&format!("report = \"{}\"\ntimezone = \"UTC\"", clock(2)));
    assert_eq!(stage.poll(&[]), "", "the first comes at the next time of day");
    let who = ("screen".to_owned(), String::new());
    let hours = |hours| now().checked_sub(jiff::SignedDuration::from_hours(hours)).unwrap();
    let let_pass = |stage: &Stage, since| {
        let store = SledStore::open(&stage.desk.store()).unwrap();
        store.transact(&mut |tx| tx.put_reported(&who, since)).unwrap();
        store.sync().unwrap();
    };
    let_pass(&stage, hours(20));
    assert_eq!(stage.poll(&[]), "", "two hours are left");
    let_pass(&stage, hours(72));
    let told = stage.poll(&[]);
    assert_eq!(heads(&told), ["[report] no alerts, its source well"], "{told}");
    assert_eq!(stage.poll(&[]), "", "one for all days that were missed");
    stage.poll(&["a convoy attacked"]);
    let_pass(&stage, hours(25));
    let told = stage.poll(&[]);
    assert_eq!(heads(&told), ["[report] 1 alert, its source well"], "{told}");
    assert_eq!(stage.outbox(), ["delivered"; 3]);
}

/// Row 19: five sources bring 200 matching items each, at once.
#[test]
fn row_19_a_flood_is_told_in_few_messages_and_nothing_of_it_is_lost() {
    let site = Site::start();
    let feed = |source: usize, count: usize| {
        let items = (0..count).fold(String::new(), |items, number| {
            items
                + &format!(
                    "<item><title>a convoy attacked, {source} of {number}</title><guid>{number}</guid></item>"
                )
        });
        Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"))
    };
    let route = "[[route]]\nto = [\"screen\"]\nbudget = \"20/1h\"\n";
    let config = (0..5).fold(format!("[desk]\ntimezone = \"UTC\"\n{SCREEN}{route}"), |config, source| {
        site.show(&format!("/{source}"), feed(source, 0));
        let url = site.url(&format!("/{source}"));
        config + &format!("[[source]]\nname = \"wire-{source}\"\nfeed = \"{url}\"\n")
    });
    let stage = Stage { site, desk: Desk::with(&config), titles: Vec::new() };
    stage.once();
    for source in 0..5 {
        stage.site.show(&format!("/{source}"), feed(source, 200));
    }
    let (code, told) = stage.once();
    assert_eq!(code, 0);
    assert_eq!(heads(&told).len(), 20, "the budget: {:?}", heads(&told));
    assert_eq!(stage.ends().len(), 980, "the rest is held");
    stage.pass();
    let told = stage.once().1;
    let heads = heads(&told);
    assert_eq!(heads.len(), 10, "980 alerts in parts of a hundred");
    for part in 1..=10 {
        let said = format!("over the budget, part {part} of 10,");
        assert_eq!(heads.iter().filter(|head| head.contains(&said)).count(), 1, "{said} {heads:?}");
    }
    let places = told.lines().filter(|line| line.contains("a convoy attacked, ")).count();
    assert_eq!(places, 980);
}

/// A chat is told what fits and how many are left, once, where a mail or a webhook has parts.
#[test]
fn a_chat_has_one_digest_however_many_alerts_were_held() {
    let site = Site::start();
    site.show("/hook", Reply::ok("ok"));
    site.show("/chat", Reply::ok("ok"));
    let feed = |count: usize| {
        let items = (0..count).fold(String::new(), |items, number| {
            items + &format!("<item><title>a convoy attacked, {number}</title><guid>{number}</guid></item>")
        });
        Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"))
    };
    site.show("/feed", feed(0));
    let config = format!(
        "[desk]\ntimezone = \"UTC\"\n[[source]]\nname = \"wire\"\nfeed = \"{}\"\n\
         [[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n\
         [[notifier]]\nname = \"chat\"\ntype = \"slack\"\nurl = {{ file = \"url\" }}\n\
         [[route]]\nto = [\"hook\", \"chat\"]\n{}\n",
        site.url("/feed"),
        site.url("/hook"),
        quiet(),
    );
    let stage = Stage { site, desk: Desk::with(&config), titles: Vec::new() };
    std::fs::write(stage.desk.config().with_file_name("url"), stage.site.url("/chat")).unwrap();
    stage.once();
    stage.site.show("/feed", feed(450));
    assert_eq!(stage.once().0, 0);
    stage.pass();
    assert_eq!(stage.once().0, 0);
    let bodies = |path: &str| -> Vec<Value> {
        let asked = stage.site.asked(path);
        asked.iter().map(|asked| serde_json::from_slice(&asked.body).unwrap()).collect()
    };
    let mut parts: Vec<usize> =
        bodies("/hook").iter().map(|body| body["data"]["alerts"].as_array().unwrap().len()).collect();
    parts.sort_unstable();
    assert_eq!(parts, [50, 100, 100, 100, 100]);
    let told = bodies("/chat");
    let [told] = told.as_slice() else { panic!("{} messages", told.len()) };
    assert_eq!(text(told, "/text"), "[HIGH] 450 alerts of quiet hours");
    let said = told.to_string();
    let listed = said.matches("a convoy attacked, ").count();
    assert!(said.contains(&format!("… ({} more: harmattan alerts list)", 450 - listed)), "{said}");
    assert_eq!(stage.outbox().iter().filter(|state| *state == "bundled").count(), 900);
}

/// The program ends between the parts of a digest: the rest leaves at the next start, and nothing twice.
#[test]
fn row_01_a_crash_between_the_parts_of_a_digest_loses_none_and_tells_none_twice() {
    if !cfg!(feature = "faults") {
        return;
    }
    let site = Site::start();
    site.show("/hook", Reply::ok("ok"));
    let feed = |count: usize| {
        let items = (0..count).fold(String::new(), |items, number| {
            items + &format!("<item><title>a convoy attacked, {number}.</title><guid>{number}</guid></item>")
        });
        Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"))
    };
    site.show("/feed", feed(0));
    let config = format!(
        "[desk]\ntimezone = \"UTC\"\n[[source]]\nname = \"wire\"\nfeed = \"{}\"\n\
         [[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n\
         [[route]]\nto = [\"hook\"]\n{}\n",
        site.url("/feed"),
        site.url("/hook"),
        quiet(),
    );
    let stage = Stage { site, desk: Desk::with(&config), titles: Vec::new() };
    stage.once();
    stage.site.show("/feed", feed(230));
    stage.once();
    stage.pass();
    let mut program = Command::new(env!("CARGO_BIN_EXE_harmattan"));
    program.arg("-c").arg(stage.desk.config()).args(["once", "--all"]).env("HARMATTAN_FAIL", "parted:1");
    assert!(!program.output().unwrap().status.success(), "it ended at the point");
    let mut states = stage.outbox();
    states.sort();
    states.dedup();
    assert_eq!(states, ["bundled", "held quiet", "ready"]);
    assert_eq!(stage.once().0, 0);
    let asked = stage.site.asked("/hook");
    let bodies = asked.iter().map(|asked| serde_json::from_slice::<Value>(&asked.body).unwrap());
    let mut told: Vec<String> = bodies
        .flat_map(|body| body["data"]["alerts"].as_array().unwrap().clone())
        .map(|alert| text(&alert, "/id"))
        .collect();
    assert_eq!(told.len(), 230);
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 230);
}
