//! What was told, looked up and exported, and deliveries dropped, by the built program.

use std::process::Command;

use crate::support::calls::{Desk, text};
use crate::support::http::Reply;
use crate::support::site::Site;

const FIRST: &str = "<item><title>=cmd() a convoy attacked, in [Gao](http://evil.example)</title><guid>1</guid>\
                     <link>https://wire.example/1_x_2?a=(b)</link></item>";
const SECOND: &str = "<item><title>the base falls</title><guid>2</guid><description>\"Quoted\", and\nmore; \
                      الجيش</description></item>";

/// A desk that has told of two items.
fn desk() -> (Site, Desk) {
    answered(204)
}

/// The same; its hook refuses everything for good.
fn refused() -> (Site, Desk) {
    answered(400)
}

fn answered(status: u16) -> (Site, Desk) {
    let site = Site::start();
    let feed = |items: &str| {
        let item = "<item><title>calm</title><guid>0</guid></item>";
        Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}{item}</channel></rss>"))
    };
    site.show("/feed", feed(""));
    site.show("/hook", Reply::status(status));
    let config = format!(
        "[desk]\ntimezone = \"UTC\"\n[[source]]\nname = \"wire\"\ntier = 2\nfeed = \"{}\"\n[[notifier]]\nname = \
         \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n",
        site.url("/feed"),
        site.url("/hook")
    );
    let desk = Desk::with(&config);
    desk.poll();
    site.show("/feed", feed(FIRST));
    desk.poll();
    site.show("/feed", feed(&format!("{SECOND}{FIRST}")));
    desk.poll();
    (site, desk)
}

/// What a command prints.
fn printed(desk: &Desk, arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_harmattan");
    let output = Command::new(program).arg("-c").arg(desk.config()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// How a command ends that is refused, and what it says.
fn refusal(desk: &Desk, arguments: &[&str]) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_harmattan");
    let output = Command::new(program).arg("-c").arg(desk.config()).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn alerts_are_exported_oldest_first_in_three_forms() {
    let (_site, desk) = desk();
    let json = desk.run(&["alerts", "export"]);
    let titles: Vec<String> = json.iter().map(|alert| text(alert, "/item/title")).collect();
    assert_eq!(titles, ["=cmd() a convoy attacked, in [Gao](http://evil.example)", "the base falls"]);

    let table = printed(&desk, &["alerts", "export", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let [title, words, severity, source] = {
        let head = reader.headers().unwrap().clone();
        ["title", "text", "severity", "source"].map(|name| head.iter().position(|head| head == name).unwrap())
    };
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[0][title], "'=cmd() a convoy attacked, in [Gao](http://evil.example)", "no formula");
    assert!(rows[1][words].contains("\"Quoted\", and") && rows[1][words].contains("الجيش"), "{:?}", rows[1]);
    assert_eq!((&rows[1][severity], &rows[1][source]), ("critical", "wire"));

    let timeline = printed(&desk, &["alerts", "export", "--format", "markdown"]);
    let day = text(&json[0], "/created");
    assert!(timeline.contains(&format!("## {}", day.split_once('T').unwrap().0)), "{timeline}");
    let lines: Vec<&str> = timeline.lines().filter(|line| line.starts_with("- **")).collect();
    assert!(lines[0].contains("[\\=cmd() a convoy attacked, in \\[Gao\\](http://evil.example)](<https://wire.example/1_x_2?a=(b)>)"), "{}", lines[0]);
    assert!(lines[1].contains(" CRITICAL · the base falls · wire (tier 2) · `base`"), "{}", lines[1]);
}

#[test]
fn an_export_can_be_narrowed_and_written_to_a_file() {
    let (_site, desk) = desk();
    for (arguments, count) in [
        (vec!["--severity", "critical"], 1),
        (vec!["--rule", "con*"], 1),
        (vec!["--rule", "nothing"], 0),
        (vec!["--source", "wire"], 2),
        (vec!["--since", "1h"], 2),
        (vec!["--since", "0s"], 0),
    ] {
        assert_eq!(
            desk.run(&[vec!["alerts", "export"], arguments.clone()].concat()).len(),
            count,
            "{arguments:?}"
        );
    }
    let (code, said) = refusal(&desk, &["alerts", "export", "--source", "wier"]);
    assert!(code == 2 && said.contains("did you mean `wire`?"), "{code} {said}");
    let file = desk.store().with_file_name("out.jsonl");
    assert_eq!(printed(&desk, &["alerts", "export", "-o", file.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 2);
}

#[test]
fn an_alert_is_shown_with_its_deliveries() {
    let (_site, desk) = refused();
    let id = text(desk.alerts().first().unwrap(), "/id");
    let shown = desk.run(&["alerts", "show", &id, "--json"]).pop().unwrap();
    assert_eq!(text(&shown, "/id"), id);
    assert_eq!(
        (text(&shown, "/deliveries/0/state"), text(&shown, "/deliveries/0/notifier")),
        ("dead".into(), "hook".into())
    );
    let told = printed(&desk, &["alerts", "show", &id]);
    assert!(told.contains("HIGH: convoy") && told.contains("dead") && told.contains("400"), "{told}");
    for (line, expected) in [
        (["alerts", "show", "00000000000000000000000000"], "no alert 0000"),
        (["alerts", "show", "soon"], "hint: `harmattan alerts list` tells the ids"),
        (["outbox", "retry", "soon"], "hint: `harmattan outbox list` tells the ids"),
        (["sources", "poll", "wier"], "did you mean `wire`?"),
    ] {
        let (code, said) = refusal(&desk, &line);
        assert!(code == 2 && said.contains(expected), "{line:?}: {code} {said}");
    }
}

#[test]
fn a_slip_in_what_deliveries_are_meant_is_told() {
    let (_site, desk) = refused();
    let id = text(&desk.run(&["outbox", "list", "--json"])[0], "/id");
    for (line, expected) in [
        (&["list", "--state", "wating"][..], "a similar value exists: 'waiting'"),
        (&["list", "--notifier", "hok"], "did you mean `hook`?"),
        (&["retry", "--all", "--notifier", "hok"], "did you mean `hook`?"),
        (&["drop", "--dead", "--notifier", "hok"], "did you mean `hook`?"),
        (&["drop", "--all", "--notifier", "hok"], "did you mean `hook`?"),
        (&["drop", "--all"], "--notifier"),
        (&["drop", &id, "--state", "held"], "cannot be used with"),
        (&["retry", &id, "--notifier", "hook"], "cannot be used with"),
    ] {
        let (code, said) = refusal(&desk, &[&["outbox"], line].concat());
        assert!(code == 2 && said.contains(expected), "{line:?}: {code} {said}");
    }
    assert_eq!(desk.run(&["outbox", "list", "--dead", "--json"]).len(), 2, "nothing was dropped");
    // What is not in the config any more may have left something.
    desk.change("");
    assert_eq!(desk.run(&["outbox", "list", "--notifier", "hook", "--json"]).len(), 2);
    assert_eq!(desk.run(&["outbox", "drop", "--all", "--notifier", "hook", "--json"]).len(), 2);
    assert_eq!(desk.run(&["outbox", "list", "--state", "dropped", "--json"]).len(), 2);
}

#[test]
fn dead_letters_are_dropped_by_name_and_by_filter() {
    let (_site, desk) = refused();
    let dead = |filter: &[&str]| {
        let rows = desk.run(&[&["outbox", "list", "--dead", "--json"], filter].concat());
        rows.iter().map(|row| text(row, "/id")).collect::<Vec<_>>()
    };
    assert_eq!(
        (dead(&[]).len(), dead(&["--recipient", "other"]).len(), dead(&["--state", "dead"]).len()),
        (2, 0, 2)
    );
    let first = dead(&[]).remove(0);
    assert_eq!(desk.run(&["outbox", "drop", &first, "--json"]).len(), 1);
    assert!(!dead(&[]).contains(&first));
    assert_eq!(desk.run(&["outbox", "drop", "--dead", "--recipient", "other", "--json"]).len(), 0);
    assert_eq!(desk.run(&["outbox", "drop", "--dead", "--json"]).len(), 1);
    assert_eq!(dead(&[]).len(), 0);
    let states = desk.run(&["outbox", "list", "--all", "--json"]);
    assert!(states.iter().all(|row| text(row, "/state") == "dropped"), "{states:?}");
    assert_eq!(desk.alerts().len(), 2, "the alerts stay");
}
