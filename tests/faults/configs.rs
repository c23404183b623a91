//! Row 11: configs that are wrong, change or come too often.

use harmattan::demo::{Answer, Hook};
use serde_json::Value;

use super::{desk, restless, until, webhook};
use crate::support::calls::text;
use crate::support::desk::{Desk, SECRET, Web, rss, soon};

#[tokio::test(flavor = "multi_thread")]
async fn row_11_whatever_is_wrong_with_a_config_the_old_one_stays_in_force_and_says_so() {
    let web = Web::start().await;
    let hook = Hook::start(&[SECRET], Vec::new()).await.unwrap();
    let ops = webhook("ops", hook.url()) + "secret = { file = \"secret\" }\n";
    web.put("/feed", rss(&["Mangoes harvested"]));
    let desk = Desk::new("");
    desk.write("config/secret", SECRET);
    let good = restless(&web) + &ops;
    desk.configure(&good);
    let daemon = desk.start();
    let empty = good.replace("all = [\"convoy attacked\"]", "all = []");
    for (bad, why) in [
        (format!("{good}[[rule\n"), "harmattan.toml"),
        (format!("{good}[[rule]]\nnme = \"x\"\n"), "rule.nme"),
        (empty, "rule"),
        (good.replace("feed = \"http", "feed = \"gopher"), "gopher"),
        (good.replace("file = \"secret\"", "file = \"gone\""), "gone"),
        (good.replace("file = \"secret\"", "env = \"NO_SUCH\""), "NO_SUCH"),
    ] {
        desk.configure(&bad);
        let refused = desk.run(&["reload"]).ended(78);
        assert!(refused.err.contains(why), "{why}: {}", refused.err);
        let status = daemon.status();
        assert!(status.contains("; last reload refused, the old config stays in force: "), "{status}");
        assert!(status.starts_with("1 sources, 1 rules, 1 notifiers") && !status.contains('\n'), "{status}");
        let told = desk.run(&["status", "--json"]).ended(1).json();
        assert!(text(&told[0], "/reload_error").contains(why), "{told:?}");
    }
    web.put("/feed", rss(&["Mangoes harvested", "Convoy attacked at dawn"]));
    let requests = soon(hook.wait_for(1)).await;
    assert!(requests[0].signature_ok, "the secret that was read before is still in use");
    desk.configure(&good);
    desk.run(&["reload"]).ended(0);
    let status = daemon.status();
    assert_eq!(status, "1 sources, 1 rules, 1 notifiers");
    assert_eq!(daemon.stop().0, Some(0));
}

#[test]
fn row_11_a_syntax_error_is_told_also_where_it_hides_the_daemon() {
    let desk = Desk::new("[store]\npath = \"elsewhere\"\n[[rule\n");
    let refused = desk.run(&["reload"]).ended(78);
    assert!(
        refused.err.contains("harmattan.toml:3") && !refused.err.contains("no daemon"),
        "{}",
        refused.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn row_11_what_is_owed_to_a_notifier_that_is_gone_is_dead_at_once_and_listed() {
    let web = Web::start().await;
    let wait = Answer::With(503, "retry-after", "7200".to_owned());
    let down = Hook::start(&[], vec![wait; 8]).await.unwrap();
    let up = Hook::start(&[], Vec::new()).await.unwrap();
    let (down_hook, up_hook) = (webhook("down", down.url()), webhook("up", up.url()));
    let titles = ["Convoy attacked at dawn", "In Gao a convoy attacked a camp"];
    let desk = desk(&web, &format!("{down_hook}{up_hook}"), &titles);
    let daemon = desk.start();
    soon(up.wait_for(2)).await;
    soon(down.wait_for(1)).await;
    desk.configure(&(restless(&web) + &up_hook));
    desk.run(&["reload"]).ended(0);
    let dead = until(&desk, &["outbox", "list", "--dead", "--json"], |rows| rows.len() == 2);
    for row in &dead {
        assert_eq!(text(row, "/notifier"), "down");
        assert_eq!(text(row, "/reason"), "its notifier is no longer configured");
    }
    assert_eq!(daemon.stop().0, Some(0));

    // It comes back, and goes again while nobody runs.
    desk.configure(&(restless(&web) + &down_hook + &up_hook));
    desk.run(&["outbox", "retry", "--all"]).ended(0);
    desk.run(&["once"]).ended(1);
    desk.configure(&(restless(&web) + &up_hook));
    desk.run(&["once"]);
    let dead = desk.run(&["outbox", "list", "--dead", "--json"]).json();
    let rows = desk.run(&["outbox", "list", "--all", "--json"]).json();
    let open = rows.iter().filter(|row| row["state"] == "retrying" || row["state"] == "ready").count();
    assert_eq!(open, 0, "{rows:?}");
    let asked = down.received().len();
    let taken = down.received().iter().filter(|request| request.taken).count();
    assert_eq!(dead.len() + taken, 2, "{asked} requests: {rows:?}");
    assert_eq!(up.received().len(), 2, "nobody else notices");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_11_many_hangups_end_with_the_last_config_and_lose_nothing() {
    let web = Web::start().await;
    let hook = Hook::start(&[], Vec::new()).await.unwrap();
    let desk = desk(&web, &webhook("ops", hook.url()), &["Convoy attacked at dawn"]);
    let daemon = desk.start();
    let more = "[[rule]]\nname = \"rain\"\nseverity = \"low\"\nall = [\"rain\"]\n";
    for turn in 0..20 {
        let rules = if turn % 2 == 0 { "" } else { more };
        desk.configure(&(restless(&web) + &webhook("ops", hook.url()) + rules));
        daemon.signal("HUP");
    }
    // Signals that come while one is obeyed are one; that which follows the last edit reads it.
    let rules = |rows: &[Value]| rows[0]["rules"] == 2 && rows[0].get("reload_error").is_none();
    until(&desk, &["status", "--json"], rules);
    soon(hook.wait_for(1)).await;
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.matches(" reloaded").count() <= 20, "{log}");
    assert_eq!(hook.received().len(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_11_a_reload_asks_no_receiver_before_it_wants_to_be_asked() {
    let web = Web::start().await;
    let busy = Hook::start(&[], vec![Answer::With(429, "retry-after", "900".to_owned()); 8]).await.unwrap();
    let other = Hook::start(&[], Vec::new()).await.unwrap();
    let desk = desk(&web, &webhook("ops", busy.url()), &["Convoy attacked at dawn"]);
    let daemon = desk.start();
    soon(busy.wait_for(1)).await;
    until(&desk, &["outbox", "list", "--json"], |rows| rows.iter().any(|row| row["state"] == "retrying"));
    desk.run(&["reload"]).ended(0);
    desk.write("config/secret", SECRET);
    desk.configure(&(restless(&web) + &webhook("ops", busy.url()) + "secret = { file = \"secret\" }\n"));
    desk.run(&["reload"]).ended(0);
    // What the one wants does not bind another. Orders are obeyed in turn, so the one was asked by now, if ever.
    desk.configure(&(restless(&web) + &webhook("ops", other.url())));
    desk.run(&["reload"]).ended(0);
    soon(other.wait_for(1)).await;
    assert_eq!(busy.received().len(), 1, "two reloads");
    assert_eq!(daemon.stop().0, Some(0));
}
