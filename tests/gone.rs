//! What is owed to whoever is taken out of the config, by the built program on loopback.

use serde_json::Value;

use crate::support::calls::{Desk, text};
use crate::support::desk::{self, rss, soon};
use crate::support::http::Reply;
use crate::support::site::Site;

/// What a receiver of Telegram's kind says.
const TAKEN: &str = r#"{"ok":true}"#;

/// The path at which a bot with the token of these desks sends.
const SEND: &str = "/bottk_desk-of-the-tests/sendMessage";

/// A feed, a bot that tells these chats under that name, and a route to it with these keys.
fn config(site: &Site, name: &str, to: &str, route: &str) -> String {
    format!(
        "[desk]\ntimezone = \"UTC\"\n\
         [[source]]\nname = \"wire\"\nfeed = \"{}\"\n\
         [[notifier]]\nname = \"{name}\"\ntype = \"telegram\"\nurl = \"{}\"\n\
         token = {{ file = \"token\" }}\nto = {to}\n\
         [[route]]\nto = [\"{name}\"]\n{route}\n",
        site.url("/feed"),
        site.url("/"),
    )
}

/// A digest that is not due for hours, whatever the time is.
fn digest() -> String {
    let at = harmattan::daemon::clock::now() + jiff::SignedDuration::from_hours(5);
    format!("digest = [\"{}\"]", jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M"))
}

/// A desk of two chats, and its site; two alerts are owed to each.
fn owing(route: &str, answer: Reply) -> (Site, Desk) {
    let site = Site::start();
    site.show(SEND, answer);
    site.show("/feed", Reply::ok(rss(&["calm"])));
    let desk = Desk::with(&config(&site, "chat", "[\"-1\", \"-2\"]", route));
    std::fs::write(desk.config().with_file_name("token"), "tk_desk-of-the-tests").unwrap();
    desk.poll();
    site.show("/feed", Reply::ok(rss(&["calm", "a convoy attacked", "the base falls"])));
    desk.poll();
    (site, desk)
}

/// Of each delivery to whom it is owed, how it stands and why, sorted.
fn outbox(desk: &Desk) -> Vec<String> {
    let row = |row: &Value| {
        [text(row, "/notifier"), text(row, "/recipient"), text(row, "/state"), text(row, "/reason")].join(" ")
    };
    let mut rows: Vec<String> = desk.run(&["outbox", "list", "--all", "--json"]).iter().map(row).collect();
    rows.sort();
    rows
}

/// Row 11: rows of a deleted destination become dead, and are listed.
#[test]
fn row_11_whoever_is_taken_out_of_a_notifier_is_told_nothing_more() {
    let dead = "chat -2 dead its recipient is no longer configured";
    let down = Reply::status(503).header("Retry-After", "3600");
    for (route, answer, left) in [
        (digest(), Reply::ok(TAKEN), "chat -1 held digest"),
        // One of a failing way is tried at a time: whose turn it is next is open.
        (String::new(), down, "chat -1 "),
    ] {
        let (site, desk) = owing(&route, answer);
        let before = outbox(&desk);
        assert_eq!(before.iter().filter(|row| row.starts_with("chat -2 ")).count(), 2, "{before:?}");
        desk.change(&config(&site, "chat", "[\"-1\"]", &route));
        let asked = site.asked(SEND).len();
        desk.poll();
        let rows = outbox(&desk);
        assert_eq!(rows.iter().filter(|row| *row == dead).count(), 2, "{rows:?}");
        assert_eq!(rows.iter().filter(|row| row.starts_with(left)).count(), 2, "{rows:?}");
        let told = site.asked(SEND).into_iter().skip(asked);
        assert_eq!(told.filter(|asked| String::from_utf8_lossy(&asked.body).contains("-2")).count(), 0);
    }
}

#[test]
fn what_is_held_for_a_notifier_that_has_another_name_now_is_given_up_at_once_and_listed() {
    let (site, desk) = owing(&digest(), Reply::ok(TAKEN));
    desk.change(&config(&site, "news", "[\"-1\", \"-2\"]", &digest()));
    desk.poll();
    let dead = |to| format!("chat {to} dead its notifier is no longer configured");
    assert_eq!(outbox(&desk), [dead("-1"), dead("-1"), dead("-2"), dead("-2")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_gives_up_what_is_owed_says_so_and_check_says_it_before() {
    let site = Site::start();
    let rule = "[[rule]]\nname = \"convoy\"\nseverity = \"high\"\nall = [\"convoy attacked\"]\n";
    let more = "[http]\ncontact = \"mailto:desk@example.org\"\nallow_networks = [\"127.0.0.0/8\"]\n";
    let config = |name: &str, to: &str| format!("{more}{rule}{}", config(&site, name, to, &digest()));
    let desk = desk::Desk::new(&config("chat", "[\"-1\", \"-2\"]"));
    desk.write("config/token", "tk_desk-of-the-tests");
    site.show("/feed", Reply::ok(rss(&["calm"])));
    desk.run(&["once"]).ended(0);
    site.show("/feed", Reply::ok(rss(&["calm", "a convoy attacked"])));
    desk.run(&["once", "--all"]).ended(0);
    let daemon = desk.start();
    for (name, to, told) in [
        ("chat", "[\"-1\"]", "1 delivery owed to `-2`, whom `chat` no longer names in `to`"),
        ("news", "[\"-1\"]", "1 delivery owed to `chat`, which is no longer configured"),
    ] {
        desk.configure(&config(name, to));
        let checked = desk.run(&["check"]).ended(0).err;
        assert!(checked.contains(&format!("a reload gives up {told}")), "{checked}");
        let reloaded = desk.run(&["reload"]).ended(0).err;
        assert!(reloaded.contains(&format!("given up: {told}")), "{reloaded}");
        let dead = async {
            while desk
                .run(&["outbox", "list", "--json"])
                .json()
                .iter()
                .any(|row| row["state"] == "held" && !(name == "chat" && row["recipient"] == "-1"))
            {
            }
        };
        soon(dead).await;
    }
    assert_eq!(desk.run(&["outbox", "list", "--dead", "--json"]).json().len(), 2);
    assert_eq!(daemon.stop().0, Some(0));
}
