//! What a mail says to a mail reader: its thread, its headers, and what a relay may do to it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use harmattan::demo::{Letter, Mailbox, Replies};
use harmattan::notify::email::{html_part, text_part};
use harmattan::notify::{
    Accepted, EmailSettings, MailTemplates, MailWay, Message, Notifier, NotifierKind, NotifierSettings,
    RelaySettings, SmtpTls,
};
use harmattan::outbox::Failure;
use harmattan::story::{Alert, AlertId, AlertKind};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::support::sample::{self, message};

const RECIPIENT: &str = "desk@example.org";

/// The headers of a mail that follows up, in the order of the alphabet.
const HEADERS: [&str; 14] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "List-Id",
    "MIME-Version",
    "Message-ID",
    "References",
    "Subject",
    "To",
    "X-Harmattan-Alert",
    "X-Harmattan-Rule",
    "X-Harmattan-Source",
];

fn settings(mailbox: &Mailbox) -> EmailSettings {
    EmailSettings {
        way: MailWay::Relay(RelaySettings {
            host: mailbox.address().ip().to_string(),
            port: mailbox.address().port(),
            tls: SmtpTls::Off,
            login: None,
        }),
        from: "Harmattan <alerts@example.org>".to_owned(),
        to: vec![RECIPIENT.to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    }
}

fn notifier(settings: EmailSettings) -> Notifier {
    let kind = NotifierKind::Email(settings);
    Notifier::new(&NotifierSettings { name: "tried".to_owned(), kind }).expect("good settings")
}

/// The mail that tells `alert` to `recipient`, as it arrived.
async fn arrived(alert: &Alert, recipient: &str) -> Letter {
    let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
    let sent = notifier(settings(&mailbox)).send(&message(alert, recipient, &TimeZone::UTC)).await;
    sent.expect("accepted");
    Letter::read(&mailbox.received()[0].bytes).expect("a mail")
}

/// One attempt at `alert` by a program that is this shell script.
async fn handed(script: &str) -> (Result<Accepted, Failure>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("sendmail");
    fs::write(&program, format!("#!/bin/sh\ncd '{}'\n{script}\n", folder.path().display()))
        .expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a script to run");
    let settings = EmailSettings {
        way: MailWay::Sendmail(program),
        from: "Harmattan <alerts@example.org>".to_owned(),
        to: vec![RECIPIENT.to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    };
    let (alert, utc) = (sample::hostile(), TimeZone::UTC);
    let outcome = notifier(settings).send(&message(&alert, RECIPIENT, &utc)).await;
    (outcome, folder)
}

#[tokio::test]
async fn a_local_program_gets_the_mail_whole_and_its_recipient_as_no_option() {
    let (outcome, folder) = handed(r#"printf '%s\n' "$@" >args; cat >mail"#).await;
    assert_eq!(outcome.expect("taken").detail, "taken by the local mail system");
    let args = fs::read_to_string(folder.path().join("args")).expect("arguments");
    assert_eq!(args.lines().collect::<Vec<_>>(), ["-i", "-f", "alerts@example.org", "--", RECIPIENT]);
    let bytes = fs::read(folder.path().join("mail")).expect("a mail");
    assert!(!bytes.contains(&b'\r'), "lines end as on this machine");
    let wire = String::from_utf8(bytes).expect("ASCII").replace('\n', "\r\n");
    let letter = Letter::read(wire.as_bytes()).expect("a mail");
    let alert = sample::hostile();
    let read: Vec<&str> = letter.parts.iter().map(|part| part.text.trim_end()).collect();
    let utc = TimeZone::UTC;
    let message = message(&alert, RECIPIENT, &utc);
    assert_eq!(read, [text_part(&message, 600).trim_end(), html_part(&message, 600).trim_end()]);
}

#[tokio::test]
async fn each_end_of_a_local_program_has_its_meaning() {
    for (script, expected) in [
        ("cat >/dev/null; echo 'no such user' >&2; exit 67", "refused: exit code 67 no such user"),
        ("cat >/dev/null; exit 75", "transient: exit code 75"),
        ("exit 78", "way: exit code 78"),
        ("kill -9 $$", "lost: ended by a signal (signal: 9 (SIGKILL))"),
        // What goes on in the background holds the error output open, and delays nothing.
        ("cat >/dev/null; echo busy >&2; sleep 30 & exit 75", "transient: exit code 75 busy"),
        // More words than a pipe holds.
        ("yes no | head -c 300000 >&2; cat >/dev/null; exit 75", "transient: exit code 75 no no no"),
    ] {
        let (outcome, _folder) = handed(script).await;
        let failure = outcome.expect_err(script);
        let class = match failure {
            Failure::Way { .. } => "way",
            Failure::Lost { .. } => "lost",
            Failure::Gone { .. } => "gone",
            Failure::Transient { .. } => "transient",
            Failure::Refused { .. } => "refused",
            Failure::Permanent { .. } => "permanent",
        };
        let reason = failure.reason().split_once("`: ").map(|(_, said)| said.to_owned());
        let told = format!("{class}: {}", reason.expect("the program, then what it said"));
        assert!(told.starts_with(expected), "{script}: {told}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_matter_for_the_operator() {
    let settings = EmailSettings {
        way: MailWay::Sendmail("/nonexistent/sendmail".into()),
        from: "alerts@example.org".to_owned(),
        to: vec![RECIPIENT.to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    };
    let (alert, utc) = (sample::french(), TimeZone::UTC);
    let failure = notifier(settings).send(&message(&alert, RECIPIENT, &utc)).await.expect_err("no program");
    assert!(matches!(failure, Failure::Way { .. }), "{failure:?}");
    assert!(failure.reason().starts_with("`/nonexistent/sendmail`: cannot be run: "), "{failure:?}");
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

#[test]
fn a_mail_tells_when_it_was_sent_and_what_is_only_shown_does_not() {
    let (alert, desk) = (sample::french(), TimeZone::get("Africa/Niamey").expect("a zone"));
    let held = Message {
        sent: Some("2026-11-24T06:00:30Z".parse().expect("a time")),
        ..message(&alert, RECIPIENT, &desk)
    };
    let shown = Message { sent: None, ..held.clone() };
    let told = "2026-11-24 07:00 WAT (06:00 UTC)";
    let lines = |text: String, line: &str| text.lines().filter(|found| *found == line).count();
    for (message, expected) in [(&held, 1), (&shown, 0)] {
        assert_eq!(lines(text_part(message, 0), &format!("Sent:      {told}")), expected);
        assert_eq!(html_part(message, 0).matches(&format!("<br>\nsent {told}</p>")).count(), expected);
    }
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
    cyrillic.item.title.push_str(
        "Бойцы ЧВК «Вагнер» и Африканского корпуса покидают опорные пункты на севере Мали; \
                           колонна замечена на трассе Гао — Ансонго — Лаббезанга\u{202e}<script>",
    );
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
        insta::assert_snapshot!(name, html_part(&message(&alert, RECIPIENT, &desk), 600));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_a_source_adds_a_header_or_a_long_line(
        title in "(\\PC|[\\x00-\\x1f\\u{202a}-\\u{202e}\\u{2028}\\u{85}]|\r\nBcc: x@y|=\\?utf-8\\?q\\?a\\?=){0,300}",
        rule in "\\PC{0,80}",
        unbroken in 0_usize..3000,
    ) {
        let mut alert = sample::french();
        alert.item.title = title + &"x".repeat(unbroken);
        alert.rules[0].rule = rule.as_str().into();
        let bytes = sent(&alert);
        let raw = String::from_utf8(bytes).expect("ASCII");
        prop_assert!(raw.is_ascii());
        prop_assert!(raw.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
        let (head, _) = raw.split_once("\r\n\r\n").expect("a head");
        let mut names: Vec<&str> =
            head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).filter_map(|line| line.split(':').next()).collect();
        names.sort_unstable();
        prop_assert_eq!(names, HEADERS);
        let letter = Letter::read(raw.as_bytes()).expect("a mail");
        let subject = letter.header("Subject").expect("a subject");
        prop_assert!(subject.chars().count() <= 200 && !subject.chars().any(char::is_control), "{:?}", subject);
    }
}

/// The mail that tells `alert`, as it arrived, byte for byte.
fn sent(alert: &Alert) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
        let outcome = notifier(settings(&mailbox)).send(&message(alert, RECIPIENT, &TimeZone::UTC)).await;
        outcome.expect("accepted");
        mailbox.received().remove(0).bytes
    })
}
