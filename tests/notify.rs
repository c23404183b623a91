//! The notifiers against receivers on loopback that speak the real protocols, and do it badly when told.

use std::fmt::Write as _;
use std::time::Duration;

use harmattan::config::secret::Secret;
use harmattan::demo::{Answer, Fault, Hook, Letter, Mail, Mailbox, Replies, Verb};
use harmattan::event::{Event, EventKind};
use harmattan::notify::digest::Digest;
use harmattan::notify::email::{html_part, text_part};
use harmattan::notify::template::{Kind, Source};
use harmattan::notify::{
    Accepted, Body, EmailSettings, Login, MailTemplates, MailWay, Message, Notifier, NotifierKind,
    NotifierSettings, RelaySettings, SmtpTls, WebhookSettings, punctuality, stdout, webhook,
};
use harmattan::outbox::bundle::Cause;
use harmattan::outbox::{DeliveryId, Failure};
use harmattan::report::{Counts, Report, Unwell};
use harmattan::story::Alert;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use scraper::{Html, Selector};

use crate::support::sample::{self, message};

const RECIPIENT: &str = "desk@example.org";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PASSWORD: &str = "hunter2-do-not-print";

fn samples() -> [(&'static str, Alert); 4] {
    [
        ("russian", sample::russian()),
        ("french", sample::french()),
        ("arabic", sample::arabic()),
        ("hostile", sample::hostile()),
    ]
}

fn email_settings(mailbox: &Mailbox) -> EmailSettings {
    email_by(mailbox, SmtpTls::Off, None)
}

fn email_by(mailbox: &Mailbox, tls: SmtpTls, login: Option<Login>) -> EmailSettings {
    let (host, port) = (mailbox.address().ip().to_string(), mailbox.address().port());
    EmailSettings {
        way: MailWay::Relay(RelaySettings { host, port, tls, login }),
        from: "Harmattan <alerts@example.org>".to_owned(),
        to: vec![RECIPIENT.to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    }
}

fn notifier(kind: NotifierKind) -> Notifier {
    Notifier::new(&NotifierSettings { name: "tried".to_owned(), kind }).expect("good settings")
}

fn hook_notifier(hook: &Hook, secrets: &[&str]) -> Notifier {
    let secrets = secrets.iter().map(|&secret| Secret::new(secret.to_owned())).collect();
    notifier(NotifierKind::Webhook(WebhookSettings { url: hook.url().clone(), secrets, template: None }))
}

/// One mail through a mailbox that misbehaves as told.
async fn mailed(alert: &Alert, replies: Replies) -> (Result<Accepted, Failure>, Vec<Mail>) {
    let mailbox = Mailbox::start(replies).await.expect("a mailbox");
    let notifier = notifier(NotifierKind::Email(email_settings(&mailbox)));
    let outcome = notifier.send(&message(alert, RECIPIENT, &TimeZone::UTC)).await;
    (outcome, mailbox.received())
}

/// One request to a receiver that answers as told.
async fn posted(answer: Answer) -> Result<Accepted, Failure> {
    let hook = Hook::start(&[], vec![answer]).await.expect("a hook");
    hook_notifier(&hook, &[]).send(&message(&sample::french(), "", &TimeZone::UTC)).await
}

fn class(outcome: &Result<Accepted, Failure>) -> &'static str {
    match outcome {
        Ok(_) => "accepted",
        Err(Failure::Way { .. }) => "way",
        Err(Failure::Lost { .. }) => "lost",
        Err(Failure::Gone { .. }) => "gone",
        Err(Failure::Transient { .. }) => "transient",
        Err(Failure::Refused { .. }) => "refused",
        Err(Failure::Permanent { .. }) => "permanent",
    }
}

/// The only mail of several.
fn letter(mails: &[Mail]) -> Letter {
    let [mail] = mails else { panic!("{} mails", mails.len()) };
    Letter::read(&mail.bytes).expect("a mail")
}

#[test]
fn what_is_written_reads_well() {
    let desk = TimeZone::get("Africa/Niamey").expect("a zone");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/notify");
    settings.set_prepend_module_to_snapshot(false);
    let _bound = settings.bind_to_scope();
    for (name, alert) in samples() {
        let message = message(&alert, RECIPIENT, &desk);
        insta::assert_snapshot!(format!("{name}.txt"), text_part(&message, 120));
        insta::assert_snapshot!(format!("{name}.html"), html_part(&message, 120));
        insta::assert_snapshot!(format!("{name}.stdout"), stdout::block(&message));
        let body = webhook::body(&message, "tried").expect("JSON");
        let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        insta::assert_snapshot!(format!("{name}.json"), serde_json::to_string_pretty(&value).expect("JSON"));
    }
}

#[test]
fn a_digest_reads_well() {
    let desk = TimeZone::get("Africa/Niamey").expect("a zone");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/notify");
    settings.set_prepend_module_to_snapshot(false);
    let _bound = settings.bind_to_scope();
    let alerts: Vec<Alert> = samples().into_iter().map(|(_, alert)| alert).collect();
    let body = Body::Digest(Digest {
        cause: None,
        alerts: &alerts,
        left: 0,
        part: 2,
        parts: 3,
        created: sample::now(),
    });
    let message = Message { body, ..message(&alerts[0], RECIPIENT, &desk) };
    insta::assert_snapshot!("digest.txt", text_part(&message, 120));
    insta::assert_snapshot!("digest.html", html_part(&message, 120));
    insta::assert_snapshot!("digest.stdout", stdout::block(&message));
}

/// All that is told late, and of it an alert, alone and in a digest, that no route takes: in every form.
#[test]
fn what_is_late_and_what_no_route_takes_reads_well() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/notify");
    settings.set_prepend_module_to_snapshot(false);
    let _bound = settings.bind_to_scope();
    let alert = Alert { unrouted: true, ..sample::arabic() };
    let alerts = [alert.clone(), sample::french()];
    let (left, created) = (0, sample::now());
    let digest = Digest { cause: Some(Cause::Digest), alerts: &alerts, left, part: 1, parts: 1, created };
    let event = |kind, name| Event::new(kind, name, Some("dns"), created, "no such host".to_owned(), created);
    let events = [
        event(EventKind::SourceFailing, "rfi-afrique"),
        event(EventKind::NetworkOffline, "desk-host"),
        event(EventKind::NotifierFailing, "<ops> hook"),
    ];
    let report = Report { since: created, until: created, ..Report::default() };
    let bodies = [Body::Alert(&alert), Body::Digest(digest), Body::Report(&report)].into_iter();
    let (mut text, mut html, mut screen, mut json) = <(String, String, String, String)>::default();
    for body in bodies.chain(events.iter().map(Body::Event)) {
        let utc = TimeZone::UTC;
        let message = Message { body, late: true, ..message(&alert, RECIPIENT, &utc) };
        text += &text_part(&message, 120);
        text += "\n====\n\n";
        html += html_part(&message, 120).split_once("<main>").expect("a body").1;
        screen += &stdout::block(&message);
        let body = webhook::body(&message, "tried").expect("JSON");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let (kind, data) = (&body["type"], &body["data"]);
        let first = &data["alerts"][0];
        writeln!(
            json,
            "{kind} late {} unrouted {}; its first alert late {} unrouted {}",
            data["late"], data["unrouted"], first["late"], first["unrouted"]
        )
        .expect("room");
    }
    insta::assert_snapshot!("late.txt", text);
    insta::assert_snapshot!("late.html", html);
    insta::assert_snapshot!("late.stdout", screen);
    insta::assert_snapshot!("late.json", json);
}

#[tokio::test]
async fn what_may_have_been_told_before_says_so_in_every_form() {
    let alert = Alert { repeat: Some("2026-11-22T03:00:00Z".parse().expect("a time")), ..sample::french() };
    let words = "May have been told before: the store has forgotten what was told since 2026-11-22 03:00 UTC";
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let utc = TimeZone::UTC;
    let alone = message(&alert, RECIPIENT, &utc);
    let digest = Digest {
        cause: Some(Cause::Late),
        alerts: std::slice::from_ref(&alert),
        left: 0,
        part: 1,
        parts: 1,
        created: sample::now(),
    };
    let bundled = Message { body: Body::Digest(digest), ..message(&alert, RECIPIENT, &utc) };
    for message in [&alone, &bundled] {
        for told in [text_part(message, 120), html_part(message, 120), stdout::block(message)] {
            assert!(flat(&told).contains(words), "{told}");
        }
        let body = webhook::body(message, "tried").expect("JSON");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let told = body["data"]["alerts"].get(0).unwrap_or(&body["data"]);
        let marks = (&told["possible_duplicate"], &told["backup"], &told["late"]);
        assert_eq!(marks, (&true.into(), &"2026-11-22T03:00:00Z".into(), &false.into()));
    }
    let (outcome, mails) = mailed(&alert, Replies::default()).await;
    outcome.expect("accepted");
    let letter = letter(&mails);
    let subject = letter.header("Subject").expect("a subject");
    assert!(subject.contains("] Perhaps again: "), "{subject}");
}

#[test]
fn what_the_linked_article_brought_about_says_so_in_every_form() {
    let utc = TimeZone::UTC;
    for article in [None, Some(4)] {
        let alert = Alert { article, ..sample::arabic() };
        let alerts = [alert.clone()];
        let (left, created) = (0, sample::now());
        let digest = Digest { cause: None, alerts: &alerts, left, part: 1, parts: 1, created };
        for body in [Body::Alert(&alert), Body::Digest(digest)] {
            let message = Message { body, ..message(&alert, RECIPIENT, &utc) };
            for told in [text_part(&message, 120), html_part(&message, 120), stdout::block(&message)] {
                assert_eq!(told.contains("Found in the linked article"), article.is_some(), "{told}");
            }
            let body: serde_json::Value =
                serde_json::from_slice(&webhook::body(&message, "tried").expect("JSON")).expect("JSON");
            let data = &body["data"];
            let alert = data.get("alerts").map_or(data, |alerts| &alerts[0]);
            let start = alert["item"].get("article_start").and_then(serde_json::Value::as_u64);
            assert_eq!(start, article.map(|_| 4));
        }
    }
}

#[test]
fn a_report_reads_well() {
    let desk = TimeZone::get("Africa/Niamey").expect("a zone");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/notify");
    settings.set_prepend_module_to_snapshot(false);
    let _bound = settings.bind_to_scope();
    let unwell = |name: &str, reason: Option<&str>| Unwell {
        name: name.to_owned(),
        state: if reason.is_some() { "failing".to_owned() } else { "silent".to_owned() },
        reason: reason.map(str::to_owned),
        since: Some(sample::now()),
    };
    let report = Report {
        since: sample::now() - Duration::from_hours(24),
        until: sample::now(),
        alerts: Counts { critical: 1, high: 3, ..Counts::default() },
        recorded: 12,
        sources: 40,
        unwell: vec![unwell("rfi-afrique", Some("dns")), unwell("<b>wire</b>", None)],
        notifiers_failing: vec!["ops-hook".to_owned()],
        held: 2,
        silences: 1,
        ..Report::default()
    };
    let quiet =
        Report { sources: 40, ..Report { since: report.since, until: report.until, ..Report::default() } };
    let alert = sample::french();
    for (name, report) in [("report", &report), ("report-quiet", &quiet)] {
        let message = Message { body: Body::Report(report), ..message(&alert, RECIPIENT, &desk) };
        insta::assert_snapshot!(format!("{name}.txt"), text_part(&message, 120));
        insta::assert_snapshot!(format!("{name}.html"), html_part(&message, 120));
        insta::assert_snapshot!(format!("{name}.stdout"), stdout::block(&message));
    }
}

#[tokio::test]
async fn templates_of_the_desk_stand_in_place_of_the_built_in_forms() {
    let alert = sample::hostile();
    let utc = TimeZone::UTC;
    let message = message(&alert, RECIPIENT, &utc);
    let source = |kind, words: &str| Some(Source { kind, words: words.to_owned() });
    let hook = Hook::start(&[SECRET], Vec::new()).await.expect("a hook");
    let webhook = WebhookSettings {
        url: hook.url().clone(),
        secrets: vec![Secret::new(SECRET.to_owned())],
        template: source(
            Kind::Json,
            r#"{"kind": {{ type }}, "title": {{ (data.item | default({})).title | default("") }}}"#,
        ),
    };
    notifier(NotifierKind::Webhook(webhook)).send(&message).await.expect("taken");
    let request = hook.received().pop().expect("one");
    assert!(request.signature_ok, "what is sent is what is signed");
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body["kind"], "alert.new");
    assert!(body["title"].as_str().expect("text").contains("<script>alert(1)</script>"), "{body}");

    let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
    let templates = MailTemplates {
        subject: source(Kind::Line, "desk: {{ says }}"),
        text: source(Kind::Text, "In short:\n{{ says }}"),
        html: source(Kind::Html, "<h1>{{ (data.item | default({})).title | default(\"\") }}</h1>"),
    };
    let settings = EmailSettings { templates, ..email_settings(&mailbox) };
    notifier(NotifierKind::Email(settings)).send(&message).await.expect("taken");
    let letter = letter(&mailbox.received());
    let subject = letter.header("Subject").expect("a subject");
    assert!(subject.starts_with("desk: LOW: coup") && letter.header("Bcc").is_none(), "{subject}");
    assert!(letter.text().expect("a text part").starts_with("In short:"), "{letter:?}");
    let raw = String::from_utf8(mailbox.received().pop().expect("one").bytes).expect("ASCII");
    let (_, html) = raw.split_once("text/html").expect("an HTML part");
    assert!(html.contains("<h1>Coup in Mali") && !html.contains("<script>"), "{html}");
}

#[tokio::test]
async fn a_rule_that_is_only_recorded_is_shown_nowhere() {
    let alert = sample::french();
    let untold: Vec<&str> = alert.untold.iter().map(|rule| &*rule.rule).collect();
    assert_eq!(untold, ["on-trial", "too-late"]);
    let utc = TimeZone::UTC;
    let message = message(&alert, RECIPIENT, &utc);
    let (_, mails) = mailed(&alert, Replies::default()).await;
    let raw = String::from_utf8(mails[0].bytes.clone()).expect("ASCII");
    let body = String::from_utf8(webhook::body(&message, "tried").expect("JSON")).expect("UTF-8");
    for shown in [text_part(&message, 600), html_part(&message, 600), stdout::block(&message), raw, body] {
        assert!(untold.iter().all(|name| !shown.contains(name)), "{shown}");
    }
}

#[tokio::test]
async fn a_mail_arrives_whole_and_is_the_same_on_every_attempt() {
    for (name, alert) in samples() {
        let (first, mails) = mailed(&alert, Replies::default()).await;
        assert_eq!(first, Ok(Accepted::saying("250 2.0.0 ok: queued")), "{name}");
        let [mail] = mails.as_slice() else { panic!("{name}: {} mails", mails.len()) };
        assert_eq!(
            (mail.from.as_str(), mail.to.as_slice()),
            ("alerts@example.org", &[RECIPIENT.to_owned()][..])
        );
        let (_, again) = mailed(&alert, Replies::default()).await;
        assert_eq!(again, mails, "{name}");

        let raw = String::from_utf8(mail.bytes.clone()).expect("ASCII");
        assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "{name}");
        let letter = letter(&mails);
        let id = DeliveryId::new(alert.id, "tried", RECIPIENT);
        for (header, expected) in [
            ("Message-ID", format!("<{id}@example.org>")),
            ("Date", "Mon, 23 Nov 2026 17:00:00 +0000".to_owned()),
            ("To", RECIPIENT.to_owned()),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Harmattan-Alert", alert.id.to_string()),
        ] {
            assert_eq!(letter.header(header), Some(expected.as_str()), "{name} {header}");
        }
        let utc = TimeZone::UTC;
        let message = message(&alert, RECIPIENT, &utc);
        let read: Vec<&str> = letter.parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(read, [text_part(&message, 600), html_part(&message, 600)], "{name}");
    }
}

#[tokio::test]
async fn a_mail_that_may_have_come_before_has_one_header_more_and_else_the_same() {
    let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
    let notifier = notifier(NotifierKind::Email(email_settings(&mailbox)));
    let (alert, utc) = (sample::french(), TimeZone::UTC);
    let first = message(&alert, RECIPIENT, &utc);
    for message in [&first, &Message { possible_duplicate: true, ..first.clone() }] {
        assert!(notifier.send(message).await.is_ok());
    }
    let raw = |mail: &Mail| String::from_utf8(mail.bytes.clone()).expect("ASCII");
    let mails: Vec<String> = mailbox.received().iter().map(raw).collect();
    let mark = "X-Harmattan-Possible-Duplicate: yes\r\n";
    assert!(!mails[0].contains(mark) && mails[1].contains(mark), "{mails:?}");
    assert_eq!(mails[0], mails[1].replace(mark, ""));
}

#[tokio::test]
async fn a_digest_is_dated_by_its_making_on_every_attempt() {
    let alerts = [sample::french(), sample::arabic()];
    let created = "2026-11-24T06:00:00Z".parse().expect("a time");
    let digest = Digest { cause: Some(Cause::Digest), alerts: &alerts, left: 0, part: 1, parts: 1, created };
    let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
    let notifier = notifier(NotifierKind::Email(email_settings(&mailbox)));
    for minutes in [0, 5, 90] {
        let now = created + SignedDuration::from_mins(minutes);
        let (late, sent) = punctuality(created, now);
        let body = Body::Digest(digest);
        let utc = TimeZone::UTC;
        let message = Message { body, now, sent: Some(sent), late, ..message(&alerts[0], RECIPIENT, &utc) };
        notifier.send(&message).await.expect("accepted");
    }
    let mails = mailbox.wait_for(3).await;
    assert_eq!(mails[0], mails[1], "an attempt in good time repeats it");
    for (mail, subject) in [
        (&mails[0], "[digest] 2 alerts since the last digest · at most high"),
        (&mails[2], "[digest] Late: 2 alerts since the last digest · at most high"),
    ] {
        let letter = Letter::read(&mail.bytes).expect("a mail");
        assert_eq!(letter.header("Date"), Some("Tue, 24 Nov 2026 06:00:00 +0000"));
        assert_eq!(letter.header("Subject"), Some(subject));
    }
}

#[tokio::test]
async fn subjects_tell_severity_words_and_source() {
    for (alert, expected) in [
        (
            sample::russian(),
            "[critical] Миссия ЧВК «Вагнер» в Мали завершена. Бойцы возвращаются домой из Тимбукту. · wagner-channel",
        ),
        (sample::arabic(), "[medium] مالي: هجوم على موقع للجيش قرب تمبكتو · wire-ar"),
        (
            sample::french(),
            "[high] Update: Mali: l'armée et Africa Corps quittent la base de Tessalit · rfi-afrique",
        ),
        (
            sample::hostile(),
            "[low] Coup in Mali Bcc: victim@evil.example <script>alert(1)</script>gpj.exe[2J · open-feed",
        ),
    ] {
        let (_, mails) = mailed(&alert, Replies::default()).await;
        assert_eq!(letter(&mails).header("Subject"), Some(expected));
    }
}

#[tokio::test]
async fn the_list_id_names_the_most_severe_rule() {
    let (_, mails) = mailed(&sample::french(), Replies::default()).await;
    let letter = letter(&mails);
    assert_eq!(letter.header("List-Id"), Some("<africa-corps-moves.example.org>"));
    assert_eq!(letter.header("X-Harmattan-Rule"), Some("base-falls, africa-corps-moves"));
}

#[tokio::test]
async fn each_smtp_failure_is_sorted_by_its_stage() {
    for (verb, fault, expected, kept) in [
        (Verb::Connect, Fault::Reply("421 4.3.2 closing"), "way", 0),
        (Verb::Connect, Fault::Reply("554 5.3.2 no service"), "way", 0),
        (Verb::Connect, Fault::Reply("SSH-2.0-OpenSSH_9.2"), "way", 0),
        (Verb::Connect, Fault::Drop, "way", 0),
        (Verb::Connect, Fault::Endless, "way", 0),
        (Verb::Ehlo, Fault::Reply("502 5.5.1 no"), "way", 0),
        (Verb::Mail, Fault::Reply("451 4.3.0 later"), "way", 0),
        (Verb::Mail, Fault::Reply("553 5.7.1 not your address"), "way", 0),
        (Verb::Mail, Fault::Endless, "way", 0),
        (Verb::Rcpt, Fault::Reply("450 4.2.0 greylisted"), "transient", 0),
        (Verb::Rcpt, Fault::Reply("530 5.7.0 login required"), "way", 0),
        (Verb::Rcpt, Fault::Reply("550 5.1.1 no such user"), "refused", 0),
        (Verb::Rcpt, Fault::Drop, "way", 0),
        (Verb::Data, Fault::Reply("554 5.7.1 no"), "refused", 0),
        (Verb::Data, Fault::Drop, "way", 0),
        (Verb::Content, Fault::Reply("452 4.3.1 disk full"), "transient", 0),
        (Verb::Content, Fault::Reply("552 5.3.4 too large"), "refused", 0),
        (Verb::Content, Fault::Drop, "lost", 0),
        (Verb::Content, Fault::DropAfter, "lost", 1), // the yes was lost: the next attempt has the same id
        (Verb::Quit, Fault::Drop, "accepted", 1),
        (Verb::Quit, Fault::Reply("500 5.5.2 what?"), "accepted", 1),
    ] {
        let (outcome, mails) = mailed(&sample::russian(), Replies::default().then(verb, fault.clone())).await;
        assert_eq!((class(&outcome), mails.len()), (expected, kept), "{verb:?} {fault:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_reason_names_the_server_the_stage_and_the_reply() {
    let replies = Replies::default().then(Verb::Rcpt, Fault::Reply("550 5.1.1 no\tsuch \u{1b}[31muser"));
    let (outcome, _) = mailed(&sample::russian(), replies).await;
    let reason = outcome.expect_err("refused").reason().to_owned();
    assert!(reason.ends_with(": the recipient: 550 5.1.1 no such [31muser"), "{reason}");
    assert!(reason.starts_with("`127.0.0.1:"), "{reason}");
}

#[tokio::test]
async fn a_server_without_the_demanded_tls_gets_nothing() {
    for (tls, expected) in [(SmtpTls::Required, "offers no STARTTLS"), (SmtpTls::Implicit, "connecting: ")] {
        let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
        let login =
            Some(Login::Password { user: "alerts".to_owned(), password: Secret::new(PASSWORD.to_owned()) });
        let settings = email_by(&mailbox, tls, login);
        let notifier = notifier(NotifierKind::Email(settings));
        let outcome = notifier.send(&message(&sample::russian(), RECIPIENT, &TimeZone::UTC)).await;
        let failure = outcome.expect_err("no TLS");
        assert!(failure.reason().contains(expected), "{failure:?}");
        assert!(matches!(failure, Failure::Way { .. }), "{failure:?}");
        assert_eq!(mailbox.received(), []);
    }
}

#[test]
fn a_giant_title_or_link_makes_no_giant_mail() {
    let mut alert = sample::french();
    alert.item.title = "Mali ".repeat(200_000);
    alert.item.url = Some(format!("https://news.example/{}", "x".repeat(100_000)));
    let utc = TimeZone::UTC;
    let message = message(&alert, RECIPIENT, &utc);
    for part in [text_part(&message, 600), html_part(&message, 600), stdout::block(&message)] {
        assert!(part.len() < 10_000, "{} bytes", part.len());
        assert!(part.contains("link of 100021 characters left out"), "{part}");
    }
}

#[tokio::test]
async fn one_bad_recipient_does_not_stop_another() {
    let mailbox =
        Mailbox::start(Replies::default().then(Verb::Rcpt, Fault::Reply("550 no"))).await.expect("a mailbox");
    let to = vec!["gone@example.org".to_owned(), RECIPIENT.to_owned()];
    let notifier = notifier(NotifierKind::Email(EmailSettings { to, ..email_settings(&mailbox) }));
    let alert = sample::french();
    let mut outcomes = Vec::new();
    for recipient in notifier.recipients() {
        outcomes.push(class(&notifier.send(&message(&alert, &recipient, &TimeZone::UTC)).await));
    }
    assert_eq!(outcomes, ["refused", "accepted"]);
    assert_eq!(mailbox.wait_for(1).await[0].to, [RECIPIENT]);
}

#[tokio::test]
async fn a_webhook_is_signed_by_every_secret_and_repeats_its_body() {
    let secrets = [SECRET, "an older secret, as plain text"];
    let hook = Hook::start(&secrets, vec![Answer::Status(503), Answer::Status(202)]).await.expect("a hook");
    let notifier = hook_notifier(&hook, &secrets);
    let alert = sample::arabic();
    let utc = TimeZone::UTC;
    let first = message(&alert, "", &utc);
    let second = Message { now: sample::now() + Duration::from_secs(5), ..first.clone() };
    assert_eq!(class(&notifier.send(&first).await), "way");
    assert_eq!(notifier.send(&second).await, Ok(Accepted::saying("202")));

    let third = Message { possible_duplicate: true, ..second.clone() };
    assert!(notifier.send(&third).await.is_ok());

    let requests = hook.wait_for(3).await;
    assert!(requests.iter().all(|request| request.signature_ok), "{requests:?}");
    assert_eq!(requests[2].id, requests[0].id);
    assert_eq!(requests[2].body, requests[0].body, "a header alone says that it may have come before");
    assert_eq!(requests[0].signature.split(' ').count(), 2);
    assert_eq!(requests[0].id, first.id.to_string());
    assert_eq!(requests[0].id, requests[1].id);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].content_type, "application/json");
    assert_eq!([&requests[0].timestamp, &requests[1].timestamp], ["1795453205", "1795453210"]);
}

#[tokio::test]
async fn a_wrong_secret_is_noticed_and_none_sends_no_signature() {
    let hook = Hook::start(&[SECRET], Vec::new()).await.expect("a hook");
    let alert = sample::french();
    for secrets in [&["another"][..], &[]] {
        let sent = hook_notifier(&hook, secrets).send(&message(&alert, "", &TimeZone::UTC)).await;
        assert_eq!(sent, Ok(Accepted::saying("204")));
    }
    let requests = hook.wait_for(2).await;
    assert_eq!([requests[0].signature_ok, requests[1].signature_ok], [false, false]);
    assert_eq!([requests[0].signature.is_empty(), requests[1].signature.is_empty()], [false, true]);
}

#[tokio::test]
async fn each_http_answer_has_its_meaning() {
    let elsewhere = || "http://127.0.0.1:9/".to_owned();
    for (answer, expected) in [
        (Answer::Status(200), "accepted"),
        (Answer::Status(204), "accepted"),
        (Answer::Endless, "accepted"), // cut off after 64 KiB
        (Answer::With(301, "location", elsewhere()), "way"),
        (Answer::With(307, "location", elsewhere()), "way"),
        (Answer::Status(400), "permanent"),
        (Answer::Status(401), "way"),
        (Answer::Status(403), "way"),
        (Answer::Status(404), "way"),
        (Answer::Status(408), "way"),
        (Answer::Status(410), "gone"),
        (Answer::Status(413), "permanent"),
        (Answer::Status(422), "permanent"),
        (Answer::Status(425), "transient"),
        (Answer::Status(429), "way"),
        (Answer::Status(500), "way"),
        (Answer::Status(504), "way"),
    ] {
        let outcome = posted(answer.clone()).await;
        assert_eq!(class(&outcome), expected, "{answer:?}: {outcome:?}");
    }
    let moved = posted(Answer::With(302, "location", elsewhere())).await.expect_err("moved");
    assert!(moved.reason().ends_with("answered 302 Found: redirects are not followed"), "{moved:?}");
}

#[tokio::test]
async fn a_wish_to_wait_reaches_the_outbox() {
    let failure = posted(Answer::With(429, "retry-after", "120".to_owned())).await.expect_err("busy");
    let Failure::Way { retry_after, .. } = failure else { panic!("{failure:?}") };
    assert_eq!(retry_after, Some(Duration::from_mins(2)));
}

#[tokio::test]
async fn no_secret_is_ever_printed() {
    let alert = sample::french();
    let utc = TimeZone::UTC;

    let mailbox = Mailbox::start(
        Replies::default()
            .then(Verb::Auth, Fault::Reply("535 5.7.8 bad: alerts hunter2-do-not-print"))
            .then(Verb::Auth, Fault::Reply("535 5.7.8 bad: AGFsZXJ0cwBodW50ZXIyLWRvLW5vdC1wcmludA==")),
    )
    .await
    .expect("a mailbox");
    let login =
        Some(Login::Password { user: "alerts".to_owned(), password: Secret::new(PASSWORD.to_owned()) });
    let settings = NotifierKind::Email(email_by(&mailbox, SmtpTls::Off, login));
    let mut shown = vec![format!("{settings:?}")];
    let email = notifier(settings);
    shown.push(format!("{email:?}"));
    for _ in 0..2 {
        let failure = email.send(&message(&alert, RECIPIENT, &utc)).await.expect_err("no login");
        assert!(matches!(failure, Failure::Way { .. }), "{failure:?}");
        shown.push(format!("{failure:?}"));
    }
    assert!(email.send(&message(&alert, RECIPIENT, &utc)).await.is_ok(), "the third login is taken");

    let hook = Hook::start(&[], vec![Answer::Status(400)]).await.expect("a hook");
    let mut url = hook.url().clone();
    url.set_path("/services/tok3n");
    url.set_query(Some("key=tok3n"));
    url.set_password(Some("tok3n")).expect("a password");
    let mut refused = url.clone();
    refused.set_port(Some(1)).expect("a port");
    for url in [url, refused] {
        let secrets = vec![Secret::new(SECRET.to_owned())];
        let settings = NotifierKind::Webhook(WebhookSettings { url, secrets, template: None });
        shown.push(format!("{settings:?}"));
        let webhook = notifier(settings);
        shown.push(format!("{webhook:?}"));
        let failure = webhook.send(&message(&alert, "", &utc)).await.expect_err("refused");
        shown.push(format!("{failure:?}"));
    }
    let bad = NotifierKind::Webhook(WebhookSettings {
        url: hook.url().clone(),
        secrets: vec![Secret::new("whsec_not!base64".to_owned())],
        template: None,
    });
    let error =
        Notifier::new(&NotifierSettings { name: "tried".to_owned(), kind: bad }).expect_err("a bad secret");
    shown.push(format!("{error} {error:?} {}", error.hint()));

    for text in shown {
        for secret in [PASSWORD, "AGFsZXJ0", "tok3n", SECRET, "MfKQ9r8", "not!base64"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn bad_addresses_are_refused_before_anything_is_sent() {
    let settings = |from: &str, to: &str| EmailSettings {
        way: MailWay::Relay(RelaySettings {
            host: "mail.example.org".to_owned(),
            port: 465,
            tls: SmtpTls::Implicit,
            login: None,
        }),
        from: from.to_owned(),
        to: vec![to.to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    };
    for (from, to, expected) in [
        ("alerts@example.org", RECIPIENT, None),
        ("Désk <alerts@example.org>", RECIPIENT, None),
        ("alerts", RECIPIENT, Some("`alerts` is not a mail address")),
        (
            "Evil\r\nBcc: x <a@b.example>",
            RECIPIENT,
            Some("`Evil Bcc: x <a@b.example>` is not a mail address"),
        ),
        (
            "alerts@example.org",
            "Desk <desk@example.org>",
            Some("`Desk <desk@example.org>` is not a mail address"),
        ),
        ("alerts@example.org", "desk@пример.example", Some("`desk@пример.example` is not a mail address")),
    ] {
        let kind = NotifierKind::Email(settings(from, to));
        let built = Notifier::new(&NotifierSettings { name: "desk-mail".to_owned(), kind });
        let error = built.err().map(|error| error.to_string());
        assert_eq!(error, expected.map(|words| format!("notifier `desk-mail`: {words}")), "{from} {to}");
    }
}

/// Text made of what has broken mail readers before.
fn hostile_text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("\r\n.\r\n".to_owned()),
        Just("Bcc: x@evil.example".to_owned()),
        Just("\"><script>x</script>".to_owned()),
        Just("<img src=x onerror=y>".to_owned()),
        Just("=?utf-8?b?DQpCY2M6IHg=?=".to_owned()),
        Just("\u{202e}\u{2028}\u{0}\u{1b}[2J".to_owned()),
        Just("مالي".to_owned()),
        "[a-z]{1,300}",
        "\\PC{0,20}",
    ];
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_adds_a_header(title in hostile_text(), text in hostile_text()) {
        let mut alert = sample::russian();
        (alert.item.title, alert.item.text) = (title, text);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (outcome, mails) = runtime.block_on(mailed(&alert, Replies::default()));
        prop_assert!(outcome.is_ok(), "{:?}", outcome);
        let letter = letter(&mails);
        let names: Vec<&str> = letter.headers.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted", "References", "X-Harmattan-Alert",
            "X-Harmattan-Rule", "X-Harmattan-Source", "List-Id", "MIME-Version", "Content-Type",
        ];
        prop_assert_eq!(names, expected);
        prop_assert!(mails[0].bytes.split(|&byte| byte == b'\n').all(|line| line.len() <= 998));
    }

    #[test]
    fn no_text_adds_markup(title in hostile_text(), text in hostile_text(), url in hostile_text()) {
        let mut alert = sample::french();
        (alert.item.title, alert.item.text, alert.item.url) = (title, text, Some(url));
        let html = html_part(&message(&alert, RECIPIENT, &TimeZone::UTC), 600);
        let document = Html::parse_document(&html);
        let known = "html head meta style body main p span strong h1 h2 ul li code bdi br mark a".split(' ');
        let known: Vec<&str> = known.collect();
        for element in document.select(&Selector::parse("*").expect("a selector")) {
            let element = element.value();
            prop_assert!(known.contains(&element.name()), "{}", element.name());
            for (name, _) in element.attrs() {
                let expected = ["lang", "charset", "name", "content", "class", "style", "dir", "href", "rel"];
                prop_assert!(expected.contains(&name), "{} {}", element.name(), name);
            }
        }
    }
}
