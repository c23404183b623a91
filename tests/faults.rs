//! Receivers, clocks, configs, texts and backups that are out to lose, double or delay an alert, over loopback and mostly
//! against the built program. Names begin with the row of the catalogue of faults. What one notifier makes of one answer is
//! in `notify.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harmattan::config::secret::Secret;
use harmattan::daemon::clock::now;
use harmattan::demo::{Answer, Fault, Hook, Letter, Mailbox, Replies, Verb};
use harmattan::notify::{
    Accepted, Body, EmailSettings, MailTemplates, MailWay, Message, Notifier, NotifierKind, NotifierSettings,
    RelaySettings, SmtpTls, WebhookSettings,
};
use harmattan::outbox::{Delivery, DeliveryId, DeliveryState, Failure};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::calls::{self, LOOPBACK, text};
use crate::support::desk::{Desk, SECRET, Web, rss, soon};
use crate::support::http::{Asked, Reply, Server};
use crate::support::program;
use crate::support::site::Site;
use crate::tls;

/// A config that polls every second.
fn restless(web: &Web) -> String {
    let rule = "[[rule]]\nname = \"convoy\"\nseverity = \"high\"\nall = [\"convoy attacked\"]\n";
    let schedule = "[schedule]\ninterval = \"1s\"\ninterval_min = \"1s\"\nhost_gap = \"0s\"\n";
    let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", web.url("/feed"));
    format!("{LOOPBACK}{schedule}{source}{rule}")
}

fn webhook(name: &str, url: impl std::fmt::Display) -> String {
    format!("[[notifier]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"{url}\"\n")
}

fn mail(name: &str, mailbox: &Mailbox) -> String {
    let relay = mailbox.address();
    format!(
        "[[notifier]]\nname = \"{name}\"\ntype = \"email\"\nsmtp = \"smtp://{relay}\"\n\
         from = \"Harmattan <alerts@example.org>\"\nto = [\"desk@example.org\"]\n"
    )
}

/// A desk that has taken its baseline, and what its feed shows from then on.
fn desk(web: &Web, notifiers: &str, titles: &[&str]) -> Desk {
    web.put("/feed", rss(&["Mangoes harvested"]));
    let desk = Desk::new(&(restless(web) + notifiers));
    desk.run(&["once"]).ended(0);
    web.put("/feed", rss(&[&["Mangoes harvested"][..], titles].concat()));
    desk
}

/// Asks until it holds. Every question is a new process, so the machine is not kept busy.
#[track_caller]
fn until(desk: &Desk, line: &[&str], holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..600 {
        let rows = desk.run(line).json();
        if holds(&rows) {
            return rows;
        }
    }
    panic!("{line:?} never told what was waited for: {:?}", desk.run(line));
}

/// A test message by mail, through a notifier for this port of 127.0.0.1.
async fn mailed(port: u16, tls: SmtpTls) -> Result<Accepted, Failure> {
    let login = Some(("alerts".to_owned(), Secret::new("hunter2".to_owned())));
    let way = MailWay::Relay(RelaySettings { host: "127.0.0.1".to_owned(), port, tls, login });
    send(NotifierKind::Email(EmailSettings {
        way,
        from: "alerts@example.org".to_owned(),
        to: vec!["desk@example.org".to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    }))
    .await
}

async fn send(kind: NotifierKind) -> Result<Accepted, Failure> {
    let notifier = Notifier::new(&NotifierSettings { name: "tried".to_owned(), kind }).unwrap();
    let recipient = notifier.recipients().into_iter().next().unwrap_or_default();
    let (id, timezone) = (DeliveryId::from_bytes([7; 16]), &TimeZone::UTC);
    let now = now();
    let message =
        Message { id, body: Body::Test, recipient: &recipient, timezone, now, sent: Some(now), late: false };
    notifier.send(&message).await
}

#[tokio::test]
async fn row_05_replies_without_end_are_cut_off_at_every_step() {
    for (verb, fault, kept) in [
        (Verb::Connect, Fault::EndlessLine, 0),
        (Verb::Ehlo, Fault::EndlessLine, 0),
        (Verb::Ehlo, Fault::Endless, 0),
        (Verb::Auth, Fault::EndlessLine, 0),
        (Verb::Auth, Fault::Endless, 0),
        (Verb::Rcpt, Fault::EndlessLine, 0),
        (Verb::Rcpt, Fault::Endless, 0),
        (Verb::Data, Fault::Endless, 0),
        (Verb::Content, Fault::EndlessLine, 0),
        (Verb::Content, Fault::Endless, 0),
        (Verb::Quit, Fault::EndlessLine, 1),
        (Verb::Quit, Fault::Endless, 1),
    ] {
        let mailbox = Mailbox::start(Replies::default().then(verb, fault.clone())).await.unwrap();
        let outcome = mailed(mailbox.address().port(), SmtpTls::Off).await;
        assert_eq!(mailbox.received().len(), kept, "{verb:?} {fault:?}: {outcome:?}");
        match outcome {
            Ok(_) => assert_eq!(verb, Verb::Quit, "{fault:?}"),
            Err(Failure::Way { reason, .. }) => {
                let why = if fault == Fault::Endless { "too large" } else { "it says too much" };
                assert!(reason.ends_with(why), "{verb:?} {fault:?}: {reason}");
            }
            Err(other) => panic!("{verb:?} {fault:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn row_05_a_relay_without_a_tls_that_can_be_trusted_gets_neither_login_nor_mail() {
    // It offers STARTTLS and then knows nothing of it; or somebody between cuts the offer out.
    for (hello, why) in [
        ("250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN", "TLS: 500 "),
        ("250-relay\r\n250-XXXXXXXX\r\n250 AUTH PLAIN", "it offers no STARTTLS, which is required"),
    ] {
        let replies = Replies::default().then(Verb::Ehlo, Fault::Reply(hello));
        let mailbox = Mailbox::start(replies.then(Verb::Auth, Fault::Reply("235 got it"))).await.unwrap();
        let failure = mailed(mailbox.address().port(), SmtpTls::Required).await.unwrap_err();
        assert!(matches!(&failure, Failure::Way { reason, .. } if reason.contains(why)), "{failure:?}");
        assert_eq!(mailbox.received(), []);
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let port = tls::serve(tls::certificate("127.0.0.1", [2020, 2090], None), "220 relay\r\n", &asked);
    let failure = mailed(port, SmtpTls::Implicit).await.unwrap_err();
    assert!(matches!(&failure, Failure::Way { reason, .. } if reason.contains("certificate")), "{failure:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "not a byte of the conversation");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_05_receivers_that_stall_or_flood_delay_no_other_and_fill_no_memory() {
    let web = Web::start().await;
    let stalling = Mailbox::start(Replies::default().then(Verb::Content, Fault::Stall)).await.unwrap();
    let flooding = Mailbox::start(Replies::default().then(Verb::Ehlo, Fault::EndlessLine)).await.unwrap();
    let silent = Hook::start(&[], vec![Answer::Stall; 8]).await.unwrap();
    let endless = Hook::start(&[], vec![Answer::Endless; 8]).await.unwrap();
    let well = Hook::start(&[], Vec::new()).await.unwrap();
    let store = "[store]\npath = \"store\"\n".to_owned();
    let notifiers = store
        + &mail("a-stalling", &stalling)
        + &mail("b-flooding", &flooding)
        + &webhook("c-silent", silent.url())
        + &webhook("d-endless", endless.url())
        + &webhook("e-well", well.url());
    let desk = desk(&web, &notifiers, &["Convoy attacked at dawn"]);
    let daemon = program::Daemon::run(&desk.path("config/harmattan.toml"));
    soon(well.wait_for(1)).await;
    soon(silent.wait_for(1)).await;
    web.put(
        "/feed",
        rss(&["Mangoes harvested", "Convoy attacked at dawn", "In Gao a convoy attacked a camp"]),
    );
    soon(well.wait_for(2)).await;
    // What was cut off with the first is made up for with the next attempt, while the silent ones are waited for still.
    soon(flooding.wait_for(1)).await;
    soon(endless.wait_for(2)).await;
    assert!(daemon.memory_peak() < 150 * 1024, "{} KiB", daemon.memory_peak());
    let rows = until(&desk, &["outbox", "list", "--all", "--json"], |rows| {
        let of = |name: &str| rows.iter().filter(|row| row["notifier"] == name).collect::<Vec<_>>();
        of("d-endless").len() == 2 && of("d-endless").iter().all(|row| row["state"] == "delivered")
    });
    let waits = |name: &str| rows.iter().any(|row| row["notifier"] == name && row["state"] == "attempted");
    assert!(waits("a-stalling") && waits("c-silent"), "{rows:?}");
    daemon.kill();
}

#[tokio::test]
async fn row_06_the_status_counts_however_its_body_comes() {
    let said = |status| async move {
        let server = Server::always(Reply::status(status).drip(Duration::from_millis(100)));
        let url = server.url("/hook");
        let outcome =
            send(NotifierKind::Webhook(WebhookSettings { url, secrets: Vec::new(), template: None }));
        (outcome.await, server.asked().len())
    };
    let (taken, busy, gone) = tokio::join!(said(200), said(503), said(410));
    assert_eq!(taken, (Ok(Accepted { detail: "200".to_owned() }), 1), "or it would come again and again");
    assert!(matches!(&busy.0, Err(Failure::Way { reason, .. }) if reason.contains("503")), "{busy:?}");
    assert!(matches!(&gone.0, Err(Failure::Permanent { reason }) if reason.contains("410")), "{gone:?}");
}

/// A desk of `calls`, whose runs poll at once, and a site with its feed and its receivers.
struct Scene {
    site: Site,
    desk: calls::Desk,
    items: Vec<String>,
}

impl Scene {
    /// Notifiers by the paths of their receivers, after a baseline.
    fn set(receivers: &[&str], more: &str) -> Self {
        let site = Site::start();
        let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", site.url("/feed"));
        let hooks: String =
            receivers.iter().map(|name| webhook(name, site.url(&format!("/{name}")))).collect();
        let desk = calls::Desk::with(&format!("{source}{hooks}{more}"));
        let mut scene = Self { site, desk, items: Vec::new() };
        for name in receivers {
            scene.answer(name, Reply::status(200));
        }
        scene.poll(&["calm"]);
        scene
    }

    fn answer(&self, receiver: &str, reply: Reply) {
        self.site.show(&format!("/{receiver}"), reply);
    }

    /// Polls once, with new items of these titles, or of a title and a date.
    fn poll(&mut self, titles: &[&str]) {
        for title in titles {
            let (words, date) = title.split_once(" on ").unwrap_or((title, ""));
            let date = if date.is_empty() { String::new() } else { format!("<pubDate>{date}</pubDate>") };
            self.items.insert(0, format!("<item><title>{words}</title><guid>{words}</guid>{date}</item>"));
        }
        let items = self.items.concat();
        let feed = format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>");
        self.site.show("/feed", Reply::ok(feed));
        self.desk.all();
    }

    fn asked(&self, receiver: &str) -> Vec<Asked> {
        self.site.asked(&format!("/{receiver}"))
    }

    /// What a receiver was told, each with its title and what it is of.
    fn told(&self, receiver: &str) -> Vec<(String, Value)> {
        let told =
            |asked: &Asked| (asked.text("webhook-id").unwrap(), serde_json::from_slice(&asked.body).unwrap());
        self.asked(receiver).iter().map(told).collect()
    }

    /// Of each delivery its state.
    fn states(&self) -> Vec<String> {
        let rows = self.desk.run(&["outbox", "list", "--all", "--json"]);
        rows.iter().map(|row| text(row, "/state")).collect()
    }

    /// Moves all that deliveries and ways remember: the clock leaps the other way.
    fn shift(&self, by: SignedDuration) {
        let store = SledStore::open(&self.desk.store()).unwrap();
        let moved = |at: Timestamp| at.checked_add(by).unwrap();
        for (name, mut circuit) in store.circuits().unwrap() {
            if let Some(fault) = &mut circuit.fault {
                for at in [&mut fault.since, &mut fault.last, &mut fault.until] {
                    *at = moved(*at);
                }
            }
            store.transact(&mut |tx| tx.put_circuit(&name, &circuit)).unwrap();
        }
        for delivery in store.open_deliveries().unwrap() {
            let state = match delivery.state.clone() {
                DeliveryState::Retrying { due, reason } => {
                    DeliveryState::Retrying { due: moved(due), reason }
                }
                DeliveryState::Held(Hold { reason, until }) => {
                    DeliveryState::Held(Hold { reason, until: moved(until) })
                }
                DeliveryState::Attempted { at } => DeliveryState::Attempted { at: moved(at) },
                state @ (DeliveryState::Ready
                | DeliveryState::Delivered { .. }
                | DeliveryState::Dropped { .. }
                | DeliveryState::Bundled { .. }
                | DeliveryState::Dead { .. }) => state,
            };
            let (created, ready) = (moved(delivery.created), moved(delivery.ready));
            let delivery = Delivery { created, ready, state, ..delivery };
            store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
        }
        store.sync().unwrap();
    }

    /// For how many seconds each way is shut since its latest failure.
    fn shut(&self) -> BTreeMap<String, i64> {
        let circuits = SledStore::open(&self.desk.store()).unwrap().circuits().unwrap();
        let faults = circuits.into_iter().filter_map(|(name, circuit)| Some((name, circuit.fault?)));
        faults.map(|(name, fault)| (name, fault.until.duration_since(fault.last).as_secs())).collect()
    }
}

fn years(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n * 365 * 24)
}

#[test]
fn row_06_wishes_to_wait_are_kept_as_far_as_they_make_sense() {
    let wishes = [
        ("past", "Wed, 21 Oct 2015 07:28:00 GMT", 5),
        ("now", "0", 5),
        ("damaged", "soon", 5),
        ("seconds", "90", 90),
        ("date", "Mon, 23 Nov 2026 17:02:00 GMT", 120),
        ("decade", "315360000", 21_600),
        ("century", "Thu, 31 Dec 2099 23:59:59 GMT", 21_600),
    ];
    let mut scene = Scene::set(&wishes.map(|(name, ..)| name), "");
    for (name, wish, _) in wishes {
        let reply = Reply::status(429).header("Retry-After", wish);
        // By the clock of the receiver, which is not ours.
        scene.answer(name, reply.header("Date", "Mon, 23 Nov 2026 17:00:00 GMT"));
    }
    scene.poll(&["a convoy attacked"]);
    let expected = wishes.map(|(name, _, seconds)| (name.to_owned(), seconds));
    assert_eq!(scene.shut(), BTreeMap::from(expected));
    assert_eq!(scene.states(), ["retrying"; 7]);
}

#[test]
fn row_10_a_clock_that_leaps_ahead_gives_up_nothing_and_ends_in_no_burst() {
    let busy = || Reply::status(503).header("Retry-After", "3600");
    // A year; and a start in 1970.
    for leap in [years(1), now().duration_since(Timestamp::UNIX_EPOCH) - SignedDuration::from_hours(24)] {
        let mut scene = Scene::set(&["ops"], "");
        scene.answer("ops", busy());
        scene.poll(&["a convoy attacked"]);
        let more = ["at dawn", "at noon", "at night", "in Gao", "in Kidal", "in Mopti"];
        let more = more.map(|when_or_where| format!("a convoy attacked {when_or_where}"));
        scene.poll(&more.iter().map(String::as_str).collect::<Vec<_>>());
        let (first, _) = scene.told("ops").remove(0);
        scene.shift(-leap);
        scene.poll(&[]);
        assert!(!scene.states().contains(&"dead".to_owned()), "{:?}", scene.states());
        scene.answer("ops", Reply::status(200));
        scene.shift(-SignedDuration::from_hours(2));
        let asked = scene.asked("ops").len();
        scene.poll(&[]);
        let told = scene.told("ops").split_off(asked);
        // Those that were tried, the one that got through, and the rest as one.
        assert!(told.len() <= 4, "{told:?}");
        assert!(told.iter().any(|(_, body)| body["type"] == "alert.digest"), "{told:?}");
        assert!(told.iter().any(|(id, _)| *id == first), "what was tried keeps its id: {told:?}");
        let states = scene.states();
        assert!(states.iter().all(|state| state == "delivered" || state == "bundled"), "{states:?}");
        for asked in scene.asked("ops").split_off(asked) {
            let signed: i64 = asked.text("webhook-timestamp").unwrap().parse().unwrap();
            assert!(now().as_second() - signed < 300, "the clock of the attempt, not of the alert");
        }
    }
}

#[test]
fn row_10_a_clock_set_back_a_year_leaves_no_delivery_stuck() {
    let route = "[[notifier]]\nname = \"screen\"\ntype = \"stdout\"\n[[route]]\nrules = [\"base\"]\nto = [\"night\"]\n\
                 digest = [\"00:00\", \"12:00\"]\n[[route]]\nto = [\"ops\"]\n";
    let mut scene = Scene::set(&["ops", "night"], &format!("[desk]\ntimezone = \"UTC\"\n{route}"));
    scene.answer("ops", Reply::status(503).header("Retry-After", "3600"));
    scene.poll(&["a convoy attacked", "the base falls"]);
    let mut states = scene.states();
    states.sort();
    assert_eq!(states, ["held", "retrying"]);
    scene.shift(years(1));
    scene.answer("ops", Reply::status(200));
    scene.poll(&[]);
    let ops = scene.told("ops");
    assert_eq!(ops.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&ops[0].0; 2], "once more, under its id");
    assert_eq!(scene.told("night").len(), 1, "what was held for a day of next year");
    assert!(
        !scene.states().iter().any(|state| state == "held" || state == "retrying"),
        "{:?}",
        scene.states()
    );
}

#[test]
fn row_10_items_from_the_future_alert() {
    let mut scene = Scene::set(&["ops"], "");
    scene.poll(&[
        "a convoy attacked on Thu, 31 Dec 2099 23:59:59 GMT",
        "the base falls on Fri, 31 Dec 9999 23:59:59 GMT",
    ]);
    let mut titles: Vec<_> =
        scene.told("ops").iter().map(|(_, body)| text(body, "/data/item/title")).collect();
    titles.sort();
    assert_eq!(titles, ["a convoy attacked", "the base falls"]);
}

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
async fn row_12_a_stop_during_deliveries_ends_in_time_and_loses_and_doubles_nothing() {
    let web = Web::start().await;
    let stalling = Mailbox::start(Replies::default().then(Verb::Content, Fault::Stall)).await.unwrap();
    let silent = Hook::start(&[], vec![Answer::Stall]).await.unwrap();
    // It thinks for longer than a stop takes to be asked for, and then says yes.
    let slow = Server::always(Reply::status(200).after(Duration::from_secs(3)));
    let notifiers = mail("a-stalling", &stalling)
        + &webhook("b-silent", silent.url())
        + &webhook("c-slow", slow.url("/hook"));
    let desk = desk(&web, &notifiers, &["Convoy attacked at dawn"]);
    let daemon = desk.start();
    soon(silent.wait_for(1)).await;
    until(&desk, &["outbox", "list", "--json"], |rows| {
        rows.len() == 3 && !slow.asked().is_empty() && rows.iter().all(|row| row["state"] == "attempted")
    });
    // Within the half minute that a stop may take.
    let (code, log) = soon(async { tokio::task::spawn_blocking(move || daemon.stop()).await.unwrap() }).await;
    assert_eq!(code, Some(0), "{log}");
    let rows = desk.run(&["outbox", "list", "--all", "--json"]).json();
    let row = |name: &str| rows.iter().find(|row| row["notifier"] == name).unwrap();
    let states = ["a-stalling", "b-silent", "c-slow"].map(|name| text(row(name), "/state"));
    assert_eq!(states, ["attempted", "attempted", "delivered"], "{log}");

    desk.run(&["once"]).ended(0);
    let mails = stalling.received();
    let letters: Vec<Letter> = mails.iter().map(|mail| Letter::read(&mail.bytes).unwrap()).collect();
    let ids: Vec<_> = letters.iter().map(|letter| letter.header("Message-ID").unwrap()).collect();
    assert_eq!(ids, [format!("<{}@example.org>", text(row("a-stalling"), "/id"))]);
    let ids: Vec<_> = silent.received().into_iter().map(|request| request.id).collect();
    assert_eq!(ids, [text(row("b-silent"), "/id"), text(row("b-silent"), "/id")], "once more, under its id");
    assert_eq!(slow.asked().len(), 1, "what ended in time is not sent again");
    assert_eq!(desk.run(&["outbox", "list"]).ended(0).err, "nothing is owed\n");
}

/// Titles that mean something to one program or another.
fn hostile() -> Vec<String> {
    [
        "Convoy attacked at dawn\r\nBcc: victim@evil.example\r\n\r\nbody",
        "In Gao a convoy attacked a camp <script>alert(1)</script><img src=x onerror=alert(1)>",
        "Near Mopti: convoy attacked \u{202e}gpj.exe\u{2066}",
        "Fuel convoy attacked,\0 drivers missing",
        "@everyone @here <!channel> <!here> <@U123> <@&9> another convoy attacked by night",
        "{{7*7}} {% raw %} ${7*7} #{7*7} convoy attacked again, says ministry",
        "=cmd()|'/C calc'!A0 convoy attacked on the road to Kidal",
        "Aid convoy attacked \u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m in the north",
        "[click](javascript:alert(1)) ](x) *_`~| convoy attacked & <b>bold</b>",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["Grain convoy attacked ".to_owned() + &"A\u{301}".repeat(400_000)])
    .collect()
}

fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[tokio::test(flavor = "multi_thread")]
async fn row_18_hostile_titles_stay_text_on_every_way() {
    let titles = hostile();
    let web = Web::start().await;
    let mailbox = Mailbox::start(Replies::default()).await.unwrap();
    let hook = Hook::start(&[SECRET], Vec::new()).await.unwrap();
    let chat = Server::always(Reply::ok("ok"));
    let services = ["slack", "discord", "mattermost", "teams"].map(|service| {
        let url = format!("url = {{ file = \"{service}\" }}");
        format!("[[notifier]]\nname = \"{service}\"\ntype = \"{service}\"\n{url}\n")
    });
    let telegram = format!(
        "[[notifier]]\nname = \"telegram\"\ntype = \"telegram\"\nurl = \"{}\"\ntoken = {{ file = \"token\" }}\n\
         to = [\"-100\"]\n",
        chat.url("/")
    );
    let notifiers = mail("mail", &mailbox)
        + &webhook("hook", hook.url())
        + "secret = { env = \"DESK_SECRET\" }\n[[notifier]]\nname = \"screen\"\ntype = \"stdout\"\n"
        + &services.concat()
        + &telegram;
    web.put("/feed", rss(&["Mangoes harvested"]));
    let desk = Desk::new("");
    for service in ["slack", "discord", "mattermost", "teams"] {
        desk.write(&format!("config/{service}"), chat.url(&format!("/{service}")).as_str());
    }
    desk.write("config/token", "123:abc");
    desk.configure(&(restless(&web) + &notifiers));
    // A daemon's log and what it prints, and the output of every command, must not drive a terminal: `Desk` sees to it.
    let daemon = desk.start();
    until(&desk, &["sources", "list", "--json"], |rows| !text(&rows[0], "/last_poll").is_empty());
    let all: Vec<&str> = titles.iter().map(String::as_str).collect();
    let feed = rss(&[&["Mangoes harvested"][..], &all].concat()).replace(
        "<link>https://news.example/1</link>",
        "<link>javascript:alert(document.cookie)</link><author>=cmd()\r\nBcc: victim@evil.example</author>",
    );
    web.put("/feed", feed.replace("<channel>", "<channel><language>=cmd()</language>"));
    soon(hook.wait_for(titles.len())).await;
    soon(mailbox.wait_for(titles.len())).await;
    until(&desk, &["outbox", "list", "--all", "--json"], |rows| {
        rows.len() == titles.len() * 8 && rows.iter().all(|row| row["state"] == "delivered")
    });
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");

    check_mails(&mailbox);
    for request in hook.received() {
        assert!(request.signature_ok && request.body.len() < 1_000_000);
        assert!(!request.body.iter().any(u8::is_ascii_control), "escaped, all of them");
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["type"], "alert.new");
    }
    assert_eq!(chat.asked().len(), titles.len() * 5);
    check_chats(&chat);
    shown(&desk, titles.len());
}

/// No mail has a header, a mark or a link that a title made.
fn check_mails(mailbox: &Mailbox) {
    for mail in mailbox.received() {
        assert!(mail.to == ["desk@example.org"] && mail.bytes.len() < 100_000);
        let letter = Letter::read(&mail.bytes).unwrap();
        assert!(letter.header("Bcc").is_none() && letter.header("Reply-To").is_none(), "{letter:?}");
        for (name, value) in &letter.headers {
            assert!(!value.contains(is_hostile), "{name}: {value:?}");
        }
        let [plain, html] = letter.parts.as_slice() else { panic!("{letter:?}") };
        assert!(!plain.text.contains(|c| is_hostile(c) && !"\r\n".contains(c)), "{}", plain.text);
        for sign in ["<script", "<img", "href=\"javascript:"] {
            assert!(!html.text.contains(sign), "{}", html.text);
        }
    }
}

/// No message calls anybody or is longer than a service takes.
fn check_chats(chat: &Server) {
    for asked in chat.asked() {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let says = body.to_string();
        assert!(says.len() < 30_000, "{}: {} bytes", asked.target, says.len());
        match asked.target.as_str() {
            "/slack" => assert!(!marked(&body).contains('<'), "{says}"),
            "/discord" => assert_eq!(body["allowed_mentions"]["parse"], Value::Array(Vec::new())),
            "/mattermost" => assert!(!says.contains("@everyone") && !says.contains("@here"), "{says}"),
            _ => assert!(!says.contains("<script"), "{says}"),
        }
    }
}

/// What a message to Slack says where Slack reads marks, less its own links.
fn marked(body: &Value) -> String {
    let blocks = body["blocks"].as_array().unwrap().iter().map(|block| &block["text"]);
    let marked = blocks.filter(|block| block["type"] == "mrkdwn").map(|block| text(block, "/text"));
    text(body, "/text") + &marked.collect::<String>().replace("<https://news.example/", "")
}

/// What the commands show of `count` hostile alerts.
fn shown(desk: &Desk, count: usize) {
    assert_eq!(desk.run(&["alerts", "list", "--json"]).ended(0).json().len(), count);
    let listed = desk.run(&["alerts", "list"]).ended(0);
    assert!(listed.out.lines().all(|line| line.chars().count() < 1_000), "{}", listed.out);
    let table = desk.run(&["alerts", "export", "--format", "csv"]).ended(0).out;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), count);
    for cell in records.iter().flat_map(csv::StringRecord::iter) {
        assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    let timeline = desk.run(&["alerts", "export", "--format", "markdown"]).ended(0).out;
    assert!(!timeline.contains("<script") && !timeline.contains("](javascript:"), "{timeline}");
}

#[test]
fn row_23_a_store_put_back_from_a_copy_tells_all_at_least_once_and_doubles_by_their_ids() {
    let mut scene = Scene::set(&["ops"], "");
    scene.answer("ops", Reply::status(503).header("Retry-After", "3600"));
    scene.poll(&["a convoy attacked"]);
    let (owed, _) = scene.told("ops").remove(0);
    let backup = tempfile::tempdir().unwrap();
    copy(scene.desk.store(), backup.path().join("store"));

    let again = |scene: &mut Scene, titles: &[&str]| {
        let asked = scene.asked("ops").len();
        scene.desk.run(&["outbox", "retry", "--all", "--json"]);
        scene.poll(titles);
        scene.told("ops").split_off(asked)
    };
    scene.answer("ops", Reply::status(200));
    let before = again(&mut scene, &["the base falls"]);
    assert_eq!(before.len(), 2);
    std::fs::remove_dir_all(scene.desk.store()).unwrap();
    copy(backup.path().join("store"), scene.desk.store());
    let after = again(&mut scene, &["in Gao a convoy attacked a camp"]);
    let ids = |told: &[(String, Value)]| told.iter().filter(|(id, _)| *id == owed).count();
    assert_eq!((ids(&before), ids(&after)), (1, 1), "what the copy owed keeps its id");
    let item = |told: &[(String, Value)], title: &str| {
        let told = told.iter().find(|(_, body)| text(body, "/data/item/title") == title);
        text(&told.unwrap().1, "/data/item/id")
    };
    let base = "the base falls";
    assert_eq!(
        item(&before, base),
        item(&after, base),
        "what it did not know comes again, the item by its id"
    );
    item(&after, "in Gao a convoy attacked a camp");
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(scene.states().iter().all(|state| state == "delivered"), "{:?}", scene.states());
}

/// Copies a folder as an operator does it.
fn copy(from: PathBuf, to: PathBuf) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}
