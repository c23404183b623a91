//! Silences and who is told of a story, by the built program on loopback.

use std::process::Command;

use crate::support::calls::{Desk, number, text};
use crate::support::http::Reply;
use crate::support::site::Site;

/// A desk with two sources whose baselines are taken, and what else its config says.
struct Stage {
    site: Site,
    desk: Desk,
}

impl Stage {
    fn set(more: &str) -> Self {
        let site = Site::start();
        let source = |name: &str, tier: u8| {
            site.show(&format!("/{name}"), feed(&["calm"]));
            format!(
                "[[source]]\nname = \"{name}\"\ntier = {tier}\nfeed = \"{}\"\n",
                site.url(&format!("/{name}"))
            )
        };
        let notifiers = "[[notifier]]\nname = \"night\"\ntype = \"stdout\"\n\
                         [[notifier]]\nname = \"ops\"\ntype = \"stdout\"\n";
        let config = [&source("wire", 1), &source("blog", 3), notifiers, PLACES, more].concat();
        let desk = Desk::with(&config);
        desk.all();
        Self { site, desk }
    }

    /// Shows these titles in a source, and polls.
    fn tell(&self, source: &str, titles: &[&str]) {
        self.site.show(&format!("/{source}"), feed(titles));
        self.desk.all();
    }

    /// Of each delivery the notifier, sorted.
    fn owed(&self) -> Vec<String> {
        let rows = self.desk.run(&["outbox", "list", "--all", "--json"]);
        let mut owed: Vec<String> = rows.iter().map(|row| text(row, "/notifier")).collect();
        owed.sort();
        owed
    }

    fn dispositions(&self) -> Vec<String> {
        self.desk.alerts().iter().map(|alert| text(alert, "/disposition")).collect()
    }
}

const PLACES: &str = r#"
[[entity]]
id = "ml"
type = "place"
name = "Mali"
aliases = ["Mali"]
[[entity]]
id = "ml-gao"
type = "place"
name = "Gao"
in = "ml"
aliases = ["Gao"]
[[entity]]
id = "leaders"
type = "group"
name = "Leaders"
[[entity]]
id = "goita"
type = "person"
name = "Assimi Goita"
in = "leaders"
aliases = ["Goita"]
"#;

fn feed(titles: &[&str]) -> Reply {
    let items = titles.iter().fold(String::new(), |items, title| {
        items + &format!("<item><title>{title}</title><guid>{title}</guid></item>")
    });
    Reply::ok(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"))
}

#[test]
fn a_silence_holds_back_what_it_is_about_and_lists_it() {
    let stage = Stage::set("");
    let add = |what: [&str; 2]| {
        let line = [&["silence", "add", "--for", "4h", "--reason", "known", "--json"], &what[..]].concat();
        stage.desk.run(&line).pop().unwrap()
    };
    let silence = add(["--entity", "@ml"]);
    stage.tell("wire", &["a convoy attacked near Gao", "a convoy attacked near Niamey", "calm"]);
    assert_eq!(stage.owed(), ["night", "ops"], "what is about Niger is told");
    let listed = stage.desk.run(&["silence", "list", "--json"]).pop().unwrap();
    assert_eq!((number(&listed, "/held"), text(&listed, "/reason")), (1, "known".to_owned()));
    let silenced = stage.desk.alerts().into_iter().find(|alert| alert["disposition"] == "silenced").unwrap();
    assert_eq!(
        (text(&silenced, "/id"), text(&silenced, "/item/title")),
        (text(&listed, "/alerts/0"), "a convoy attacked near Gao".to_owned())
    );

    let ended = stage.desk.run(&["silence", "end", &text(&silence, "/id"), "--json"]).pop().unwrap();
    assert_eq!(ended["active"], false);
    assert!(stage.desk.run(&["silence", "--json"]).is_empty());
    assert_eq!(stage.desk.run(&["silence", "list", "--all", "--json"]).len(), 1);
    stage.tell("wire", &["Gao: a convoy attacked again", "calm"]);
    assert_eq!(stage.owed().len(), 4);

    add(["--rule", "convoy"]);
    add(["--source", "blog"]);
    stage.tell("wire", &["one more convoy attacked", "the base falls and a convoy attacked", "calm"]);
    stage.tell("blog", &["the base falls again", "calm"]);
    assert_eq!(stage.owed().len(), 6, "an alert of a rule that is not silenced is told");
    assert_eq!(stage.dispositions().iter().filter(|word| *word == "silenced").count(), 3);
}

#[test]
fn a_silence_on_a_group_holds_back_what_tells_of_a_person_in_it() {
    let stage = Stage::set("");
    let line = ["silence", "add", "--entity", "leaders", "--for", "4h", "--reason", "known", "--json"];
    stage.desk.run(&line);
    stage.tell("wire", &["a convoy attacked, says Assimi Goita", "a convoy attacked near Niamey", "calm"]);
    assert_eq!(stage.owed(), ["night", "ops"]);
    assert_eq!(stage.dispositions().iter().filter(|word| *word == "silenced").count(), 1);
}

#[test]
fn a_silenced_story_is_told_once_the_silence_is_over() {
    let stage = Stage::set("");
    stage.tell("wire", &["a convoy attacked", "calm"]);
    let alert = stage.desk.alerts().remove(0);
    let begin = |story: &str| {
        let line = ["silence", "add", "--story", story, "--for", "1h", "--reason", "we are on it", "--json"];
        stage.desk.run(&line).pop().unwrap()
    };
    // By its own id, or by that of an alert of it.
    let (story, by_alert) = (text(&alert, "/story/id"), begin(&text(&alert, "/id")));
    assert_eq!((text(&by_alert, "/name"), text(&by_alert, "/about")), (story.clone(), "story".to_owned()));
    stage.desk.run(&["silence", "end", &text(&by_alert, "/id")]);
    let silence = begin(&story);
    let graver = "<rss version=\"2.0\"><channel><title>t</title><item><title>a convoy attacked</title>\
                  <link>https://x.example/1</link><guid>2</guid></item></channel></rss>";
    stage.site.show("/blog", Reply::ok(graver));
    stage.desk.all();
    assert_eq!(stage.dispositions(), ["sent", "silenced"]);
    stage.desk.run(&["silence", "end", &text(&silence, "/id")]);
    stage.tell("blog", &["A convoy attacked!", "calm"]);
    assert_eq!(
        stage.dispositions(),
        ["sent", "silenced", "joined"],
        "who was told is not told of the same again"
    );
}

#[test]
fn nobody_is_left_out_because_others_know() {
    let stage = Stage::set("[[route]]\ntier = 2\nto = [\"ops\", \"night\"]\n[[route]]\nto = [\"ops\"]\n");
    stage.tell("blog", &["a convoy attacked", "calm"]);
    assert_eq!(stage.owed(), ["ops"]);
    stage.tell("wire", &["a convoy attacked", "calm"]);
    assert_eq!(stage.owed(), ["night", "ops"], "the night desk had not heard of it");
    assert_eq!(stage.dispositions(), ["sent", "sent"]);
}

#[test]
fn what_a_silence_held_back_is_news_to_those_who_hear_it_later() {
    let stage = Stage::set("");
    let line = ["silence", "add", "--source", "blog", "--for", "1h", "--reason", "unreliable", "--json"];
    stage.desk.run(&line);
    stage.tell("blog", &["a convoy attacked", "calm"]);
    assert_eq!(stage.owed(), Vec::<String>::new());
    stage.tell("wire", &["a convoy attacked", "calm"]);
    assert_eq!(
        (stage.owed().len(), stage.dispositions()),
        (2, vec!["silenced".to_owned(), "sent".to_owned()])
    );
}

#[test]
fn a_silence_needs_an_end_a_reason_and_something_that_exists() {
    let stage = Stage::set("");
    for (line, code, expected) in [
        (&["--rule", "convoy", "--reason", "x"][..], 2, "--for"),
        (&["--rule", "convoy", "--for", "4h"], 2, "--reason"),
        (&["--for", "4h", "--reason", "x"], 2, "--rule"),
        (&["--rule", "convoy", "--source", "wire", "--for", "4h", "--reason", "x"], 2, "cannot be used with"),
        (&["--rule", "convoy", "--for", "4 hours", "--reason", "x"], 2, "such as 4h"),
        (&["--rule", "convoi", "--for", "4h", "--reason", "x"], 2, "did you mean `convoy`?"),
        (&["--source", "zzz", "--for", "4h", "--reason", "x"], 2, "no source is named `zzz`"),
        (&["--story", "x", "--for", "4h", "--reason", "x"], 2, "has the id `x`"),
        (&["--story", "00000000000000000000000000", "--for", "4h", "--reason", "x"], 2, "has the id `0000"),
        (&["--rule", "convoy", "--for", "91d", "--reason", "x"], 2, "at most 90 days"),
    ] {
        let program = env!("CARGO_BIN_EXE_harmattan");
        let line = [&["silence", "add"], line].concat();
        let output = Command::new(program).arg("-c").arg(stage.desk.config()).args(&line).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(code) && said.contains(expected),
            "{line:?}: {} {said}",
            output.status
        );
    }
}

#[test]
fn an_alert_that_nobody_is_told_of_says_by_what() {
    let trial = "[[rule]]\nname = \"talks\"\nmode = \"shadow\"\nseverity = \"low\"\nall = [\"talks begin\"]\n\
                 [[rule]]\nname = \"rain\"\nmode = \"off\"\nseverity = \"low\"\nall = [\"rain\"]\n";
    let stage = Stage::set(trial);
    let add = |what: [&str; 2]| {
        let line =
            [&["silence", "add", "--for", "4h", "--reason", "we are on it", "--json"], &what[..]].concat();
        text(stage.desk.run(&line).first().unwrap(), "/id")
    };
    let (rule, place) = (add(["--rule", "convoy"]), add(["--entity", "ml"]));
    stage.tell("wire", &["a convoy attacked", "talks begin", "calm"]);
    let alerts = stage.desk.alerts();
    let named = |title: &str| {
        let alert = alerts.iter().find(|alert| text(alert, "/item/title") == title).unwrap();
        text(alert, "/id")
    };
    let (silenced, on_trial) = (named("a convoy attacked"), named("talks begin"));
    for (line, expected) in [
        (&["alerts", "show", &silenced][..], format!("silenced by {rule} on rule `convoy` until ")),
        (&["explain", &silenced], format!("to        nobody: silenced by {rule} on rule `convoy` until ")),
        (&["explain", &silenced], format!("silenced  {silenced}  by {rule} on rule ")),
        (&["explain", &on_trial], "to        nobody: on trial".to_owned()),
        (&["routes", "test", "--rule", "convoy"], format!("nobody: silenced by {rule} on rule ")),
        (
            &["routes", "test", "--rule", "base", "--entity", "ml-gao"],
            format!("nobody: silenced by {place} "),
        ),
        (&["routes", "test", "--rule", "base", "--rule", "convoy"], "to        night, ops".to_owned()),
        (&["routes", "test", "--rule", "talks"], "nobody: on trial".to_owned()),
        (&["routes", "test", "--rule", "rain"], "nobody: the rule is switched off".to_owned()),
        (&["silence", "list"], format!("held back by {rule}: {silenced}\n")),
    ] {
        let told = stage.desk.print(line);
        assert!(told.contains(&expected), "{line:?}: {expected}: {told}");
    }
    let listed = stage.desk.run(&["alerts", "list", "--json"]);
    let by = listed.iter().find(|alert| text(alert, "/id") == silenced).unwrap();
    assert_eq!((text(by, "/silence/id"), text(by, "/silence/reason")), (rule, "we are on it".to_owned()));
}
