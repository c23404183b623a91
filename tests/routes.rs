//! Where alerts and events go, by the built program on loopback.

use std::process::Command;

use serde_json::Value;

use crate::support::calls::{Desk, LOOPBACK, text};
use crate::support::http::Reply;
use crate::support::site::Site;

const NOTIFIERS: &str = r#"
[[notifier]]
name = "night"
type = "stdout"
[[notifier]]
name = "ops"
type = "stdout"
"#;

/// A feed with these titles, the newest first.
fn feed(titles: &[&str]) -> Reply {
    let items = titles.iter().fold(String::new(), |items, title| {
        items + &format!("<item><title>{title}</title><guid>{title}</guid></item>")
    });
    Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"))
}

/// A desk with these routes that has taken its baseline, and the site of its one source.
fn desk(routes: &str) -> (Site, Desk) {
    let site = Site::start();
    site.show("/feed", feed(&["calm"]));
    let source = format!("[[source]]\nname = \"wire\"\ntier = 3\nfeed = \"{}\"\n", site.url("/feed"));
    let desk = Desk::with(&format!("{source}{NOTIFIERS}{routes}"));
    assert_eq!(desk.poll()["outcome"], "baseline");
    (site, desk)
}

/// Of each delivery the notifier, sorted.
fn owed(desk: &Desk) -> Vec<String> {
    let rows = desk.run(&["outbox", "list", "--all", "--json"]);
    let mut owed: Vec<String> = rows.iter().map(|row| text(row, "/notifier")).collect();
    owed.sort();
    owed
}

#[test]
fn each_alert_goes_where_the_first_route_that_takes_it_says() {
    let routes = "[[route]]\nseverity = \"critical\"\nto = [\"night\", \"ops\"]\n[[route]]\nto = [\"ops\"]\n";
    let (site, desk) = desk(routes);
    site.show("/feed", feed(&["a convoy attacked", "calm"]));
    desk.poll();
    assert_eq!(owed(&desk), ["ops"]);
    site.show("/feed", feed(&["the base falls", "a convoy attacked", "calm"]));
    desk.poll();
    assert_eq!(owed(&desk), ["night", "ops", "ops"]);
    let unrouted = desk.alerts().iter().filter(|alert| alert["unrouted"] == true).count();
    assert_eq!((desk.alerts().len(), unrouted), (2, 0));
}

#[test]
fn an_alert_that_no_route_takes_goes_to_everybody_and_says_so() {
    let (site, desk) = desk("[[route]]\ntier = 2\nto = [\"ops\"]\n");
    site.show("/feed", feed(&["a convoy attacked", "calm"]));
    desk.poll();
    assert_eq!(owed(&desk), ["night", "ops"]);
    assert_eq!(desk.alerts().first().unwrap()["unrouted"], true);
}

#[test]
fn a_route_to_nobody_records_without_sending() {
    let (site, desk) = desk("[[route]]\nrules = [\"conv*\"]\nto = []\n[[route]]\nto = [\"ops\"]\n");
    site.show("/feed", feed(&["a convoy attacked", "calm"]));
    let poll = desk.poll();
    assert_eq!((poll["alerts"].as_u64(), poll["recorded"].as_u64()), (Some(0), Some(1)), "{poll}");
    assert_eq!(owed(&desk), Vec::<String>::new());
    assert_eq!(desk.told(), ["alert.new recorded a convoy attacked"]);
}

#[test]
fn a_reload_changes_where_alerts_go_and_nothing_that_is_owed() {
    let (site, desk) = desk("[[route]]\nto = [\"night\"]\n");
    site.show("/feed", feed(&["a convoy attacked", "calm"]));
    desk.poll();
    let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", site.url("/feed"));
    desk.change(&format!("{source}{NOTIFIERS}[[route]]\nto = [\"ops\"]\n"));
    site.show("/feed", feed(&["the base falls", "a convoy attacked", "calm"]));
    desk.poll();
    assert_eq!(owed(&desk), ["night", "ops"]);
}

/// What a command says of a desk, both streams, and how it ended.
fn said(desk: &Desk, arguments: &[&str]) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_harmattan");
    let output = Command::new(program).arg("-c").arg(desk.config()).args(arguments).output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(both).unwrap())
}

/// A desk that polls nothing.
fn quiet(routes: &str) -> Desk {
    let source =
        "[[source]]\nname = \"wire\"\ntags = [\"press\"]\ntier = 1\nfeed = \"https://example.org/feed\"\n";
    let place = "[[entity]]\nid = \"ml\"\ntype = \"place\"\nname = \"Mali\"\naliases = [\"Mali\"]\n\
                 [[entity]]\nid = \"ml-gao\"\ntype = \"place\"\nname = \"Gao\"\nin = \"ml\"\naliases = [\"Gao\"]\n";
    Desk::strict(&format!("{LOOPBACK}{source}{place}{NOTIFIERS}{routes}"))
}

#[test]
fn routes_test_tells_where_an_alert_would_go() {
    let desk = quiet(
        "[[route]]\nseverity = \"critical\"\ncontinue = true\nto = [\"night\"]\n\
         [[route]]\nentities = [\"@ml\"]\nsource = [\"tag:press\"]\ntier = 1\nto = [\"ops\"]\n\
         [[route]]\nevents = [\"source.*\"]\nto = [\"ops\"]\n",
    );
    let told = |arguments: &[&str]| {
        let way = desk.run(&[&["routes", "test", "--json"], arguments].concat()).pop().unwrap();
        let numbers: Vec<u64> =
            way["routes"].as_array().unwrap().iter().map(|taken| taken["number"].as_u64().unwrap()).collect();
        let to: Vec<String> = way["to"].as_array().unwrap().iter().map(|to| text(to, "/notifier")).collect();
        (numbers, to.join(" "), way["unrouted"] == true)
    };
    for (arguments, numbers, to, unrouted) in [
        (&["--rule", "base"][..], vec![1], "night", false),
        (&["--rule", "base", "--entity", "ml-gao", "--source", "wire"], vec![1, 2], "night ops", false),
        (&["--rule", "convoy", "--entity", "@ml-gao", "--source", "wire"], vec![2], "ops", false),
        (
            &["--rule", "convoy", "--entity", "ml-gao", "--source", "wire", "--tier", "2"],
            vec![],
            "night ops",
            true,
        ),
        (&["--rule", "convoy"], vec![], "night ops", true),
        (&["--severity", "critical"], vec![1], "night", false),
        (&["--event", "source.gap"], vec![3], "ops", false),
        (&["--event", "network.offline"], vec![], "night ops", false),
    ] {
        assert_eq!(told(arguments), (numbers, to.to_owned(), unrouted), "{arguments:?}");
    }
    for (arguments, expected) in [
        (&["--rule", "bose"][..], "did you mean `base`?"),
        (&["--rule", "base", "--entity", "xx"], "no entity is named `xx`"),
        (&["--event", "x"], "there are source.failing"),
    ] {
        let (code, both) = said(&desk, &[&["routes", "test"], arguments].concat());
        assert!(code == 2 && both.contains(expected), "{code} {both}");
    }
    let (_, listed) = said(&desk, &["routes"]);
    assert!(listed.contains("1  severity critical and up -> night, and on  ("), "{listed}");
}

#[test]
fn explain_tells_the_way_of_what_fires() {
    let desk = quiet("[[route]]\nseverity = \"critical\"\nto = [\"night\"]\n");
    let told = |text: &str| {
        let input = desk.config().with_file_name("item.txt");
        std::fs::write(&input, text).unwrap();
        let program = env!("CARGO_BIN_EXE_harmattan");
        let output = Command::new(program)
            .arg("-c")
            .arg(desk.config())
            .args(["explain", "-", "--json"])
            .stdin(std::fs::File::open(&input).unwrap())
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["way"].clone()
    };
    assert_eq!(told("the base falls")["routes"].as_array().map(Vec::len), Some(1));
    assert_eq!(told("a convoy attacked")["unrouted"], true);
    assert_eq!(told("calm"), Value::Null);
}

#[test]
fn mistakes_in_routes_are_told_with_their_place() {
    for (routes, code, expected) in [
        ("[[route]]\nto = [\"nigth\"]\n", 78, "did you mean `night`?"),
        ("[[route]]\nseverity = \"hi\"\nto = []\n", 78, "`hi` is unknown"),
        ("[[route]]\nseverity = \"high\"\n", 78, "route.to: is missing"),
        ("[[route]]\nentities = [\"@mali\"]\nto = []\n", 78, "there is no entity `mali`"),
        ("[[route]]\nevents = [\"sauce.*\"]\nto = []\n", 78, "no event is called `sauce.*`"),
        ("[[route]]\nevents = [\"*\"]\ntier = 1\nto = []\n", 78, "goes with alerts alone"),
        ("[[route]]\nevents = []\nto = []\n", 78, "names no event"),
        ("[[route]]\nrules = [\"[a]\"]\nto = []\n", 78, "`[a]` is no pattern"),
        ("[[route]]\nseverity = \"critical\"\nto = [\"ops\"]\n", 0, "no route takes all alerts of `convoy`"),
        ("[[route]]\nto = [\"ops\"]\n[[route]]\nto = [\"night\"]\n", 0, "is never asked"),
    ] {
        let (ended, both) = said(&quiet(routes), &["check"]);
        assert!(ended == code && both.contains(expected), "{routes}\n{ended}\n{both}");
    }
    let (_, both) = said(&quiet("[[route]]\nto = [\"ops\"]\n"), &["check"]);
    assert!(both.contains("route 1: every alert -> ops") && !both.contains("no route takes"), "{both}");
}
