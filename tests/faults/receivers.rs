//! Rows 5, 6 and 12: receivers that stall, flood or answer oddly, and a stop while they do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harmattan::config::secret::Secret;
use harmattan::daemon::clock::now;
use harmattan::demo::{Answer, Fault, Hook, Letter, Mailbox, Replies, Verb};
use harmattan::notify::{
    Accepted, Body, EmailSettings, Login, MailTemplates, MailWay, Message, Notifier, NotifierKind,
    NotifierSettings, RelaySettings, SmtpTls, WebhookSettings,
};
use harmattan::outbox::{DeliveryId, Failure};
use jiff::tz::TimeZone;

use super::{Scene, desk, mail, until, webhook};
use crate::support::calls::text;
use crate::support::desk::{Web, rss, soon};
use crate::support::http::{Reply, Server};
use crate::support::program;
use crate::tls;

/// A test message by mail, through a notifier for this port of 127.0.0.1.
async fn mailed(port: u16, tls: SmtpTls) -> Result<Accepted, Failure> {
    let login =
        Some(Login::Password { user: "alerts".to_owned(), password: Secret::new("hunter2".to_owned()) });
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
    let message = Message {
        id,
        body: Body::Test,
        recipient: &recipient,
        timezone,
        now,
        sent: Some(now),
        late: false,
        possible_duplicate: false,
        follows: None,
    };
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
            Err(Failure::Way { reason, .. } | Failure::Lost { reason }) => {
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
    assert_eq!(taken, (Ok(Accepted::saying("200")), 1), "or it would come again and again");
    assert!(matches!(&busy.0, Err(Failure::Way { reason, .. }) if reason.contains("503")), "{busy:?}");
    assert!(matches!(&gone.0, Err(Failure::Gone { reason }) if reason.contains("410")), "{gone:?}");
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
