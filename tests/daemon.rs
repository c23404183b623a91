//! The built program's polls of sources on loopback: when it asks, and what it makes of who answers. Names begin with the
//! item of the checklist.

use serde_json::Value;

use crate::support::calls::{LOOPBACK, text};
use crate::support::desk::Desk;
use crate::support::http::Reply;
use crate::support::site::Site;

const FEED: &str = "<rss version=\"2.0\"><channel><title>Paper</title><item><title>Rain</title>\
    <guid>1</guid><link>https://paper.example/1</link></item></channel></rss>";

/// A desk with these sources.
fn desk(sources: &str) -> Desk {
    Desk::new(&format!("{LOOPBACK}[schedule]\nhost_gap = \"0s\"\n{sources}"))
}

fn feed(name: &str, url: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{url}\"\n")
}

/// What a poll by hand came to.
fn by_hand(desk: &Desk, name: &str) -> Value {
    desk.run(&["sources", "poll", name, "--json"]).ended(0).json().remove(0)
}

#[test]
fn g8_a_poll_by_hand_keeps_five_minutes_from_the_last() {
    let site = Site::start();
    site.show("/feed", Reply::ok(FEED));
    let desk = desk(&feed("paper", &site.url("/feed")));
    let first = desk.run(&["once", "--json"]).ended(0).json().remove(0);
    assert_eq!(text(&first, "/outcome"), "baseline");
    let waits = || {
        let waiting = by_hand(&desk, "paper");
        assert_eq!(text(&waiting, "/outcome"), "waiting", "{waiting}");
        assert!(text(&waiting, "/due") < text(&first, "/due"), "five minutes, not the interval: {waiting}");
    };
    waits();
    let daemon = desk.start();
    waits();
    waits();
    assert_eq!(daemon.stop().0, Some(0));
    let listed = desk.run(&["sources", "list", "--json"]).json().remove(0);
    assert_eq!(text(&listed, "/due"), text(&first, "/due"), "the plan stands");
    assert_eq!(site.asked("/feed").len(), 1);
}
