//! What a mail says to a mail reader: its thread, its headers, and what a relay may do to it.
#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "support/sample.rs"]
mod sample;

use harmattan::demo::{Letter, Mailbox, Replies};
use harmattan::notify::email::html_part;
use harmattan::notify::{Body, EmailSettings, Message, Notifier, NotifierKind, NotifierSettings, SmtpTls};
use harmattan::outbox::DeliveryId;
use harmattan::story::{Alert, AlertId, AlertKind};
use jiff::tz::TimeZone;

const RECIPIENT: &str = "desk@example.org";

fn settings(mailbox: &Mailbox) -> EmailSettings {
    EmailSettings {
        host: mailbox.address().ip().to_string(),
        port: mailbox.address().port(),
        tls: SmtpTls::Off,
        login: None,
        from: "Harmattan <alerts@example.org>".to_owned(),
        to: vec![RECIPIENT.to_owned()],
        excerpt: 600,
    }
}

/// The mail that tells `alert` to `recipient`, as it arrived.
async fn arrived(alert: &Alert, recipient: &str) -> Letter {
    let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
    let kind = NotifierKind::Email(settings(&mailbox));
    let notifier =
        Notifier::new(&NotifierSettings { name: "tried".to_owned(), kind }).expect("good settings");
    let id = DeliveryId::new(alert.id, "tried", recipient);
    let message =
        Message { id, body: Body::Alert(alert), recipient, timezone: &TimeZone::UTC, now: sample::now() };
    notifier.send(&message).await.expect("accepted");
    Letter::read(&mailbox.received()[0].bytes).expect("a mail")
}

#[tokio::test]
async fn follow_ups_find_the_thread_of_their_story_though_the_first_mail_was_lost() {
    let first = sample::russian();
    let mut update = first.clone();
    update.id = AlertId::from_bytes([9; 16]);
    update.kind = AlertKind::Update;
    update.item.title = "Another title altogether".to_owned();
    let mut joined = update.clone();
    (joined.kind, joined.story.reports) = (AlertKind::New, 2);

    let opened = arrived(&first, RECIPIENT).await;
    let root = opened.header("References").expect("a root").to_owned();
    assert!(root.ends_with("@example.org>"), "{root}");
    assert_eq!(opened.header("In-Reply-To"), None, "it answers nothing");
    for later in [&update, &joined] {
        let letter = arrived(later, RECIPIENT).await;
        assert_eq!(letter.header("References"), Some(root.as_str()));
        assert_eq!(letter.header("In-Reply-To"), Some(root.as_str()));
        assert_ne!(letter.header("Message-ID"), opened.header("Message-ID"));
    }
    let other = arrived(&first, "night@example.org").await;
    assert_ne!(other.header("References"), Some(root.as_str()), "each recipient has threads of their own");
}

/// Alerts as a desk gets them on a bad day, for the pictures in `deploy/`: long titles from right to left and in
/// Cyrillic, with what a source could hide in them.
fn pictured() -> [(&'static str, Alert); 2] {
    let mut arabic = sample::arabic();
    arabic.item.title = format!(
        "{}: مقتل عدد من الجنود وإصابة آخرين بعد انسحاب وحدات من فيلق أفريقيا (Africa Corps) من محيط المدينة، \
         ومصادر محلية تتحدث عن سيطرة مسلحين على الطريق الرابط بين تمبكتو وغوندام \u{202e}<b>عاجل</b>",
        arabic.item.title
    );
    arabic.story.reports = 4;
    let mut cyrillic = sample::russian();
    cyrillic.item.title =
        "Бойцы ЧВК «Вагнер» и Африканского корпуса покидают опорные пункты на севере Мали; \
                           колонна замечена на трассе Гао — Ансонго — Лаббезанга\u{202e}<script>"
            .to_owned();
    cyrillic.item.url = Some("https://раypal.example/новости/2026/11/23?x=<b>".to_owned());
    cyrillic.story.reports = 2;
    [("picture-arabic.html", arabic), ("picture-cyrillic.html", cyrillic)]
}

#[test]
fn the_mails_of_the_pictures_stand_as_they_were_looked_at() {
    let desk = TimeZone::get("Africa/Niamey").expect("a zone");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/notify");
    settings.set_prepend_module_to_snapshot(false);
    let _bound = settings.bind_to_scope();
    for (name, alert) in pictured() {
        let id = DeliveryId::new(alert.id, "tried", RECIPIENT);
        let body = Body::Alert(&alert);
        let message = Message { id, body, recipient: RECIPIENT, timezone: &desk, now: sample::now() };
        insta::assert_snapshot!(name, html_part(&message, 600));
    }
}
