//! A server that goes silent, with the deadline shortened; the rest is in `tests/notify.rs`.

use super::*;
use crate::demo::{Fault, Mailbox, Replies, Verb};
use crate::notify::{MailWay, RelaySettings, SmtpTls};
use crate::outbox::DeliveryId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn email(mailbox: &Mailbox) -> Email {
    let settings = EmailSettings {
        way: MailWay::Relay(RelaySettings {
            host: mailbox.address().ip().to_string(),
            port: mailbox.address().port(),
            tls: SmtpTls::Off,
            login: None,
        }),
        from: "Harmattan <alerts@example.org>".to_owned(),
        to: vec!["desk@example.org".to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    };
    Email {
        deadline: Duration::from_millis(200),
        ..Email::new("desk-mail", &settings).expect("good settings")
    }
}

fn test_message(timezone: &TimeZone) -> Message<'_> {
    Message {
        id: DeliveryId::from_bytes([7; 16]),
        body: Body::Test,
        recipient: "desk@example.org",
        timezone,
        now: Timestamp::UNIX_EPOCH,
        sent: Some(Timestamp::UNIX_EPOCH),
        late: false,
        possible_duplicate: false,
        follows: None,
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    for verb in [Verb::Connect, Verb::Ehlo, Verb::Mail, Verb::Rcpt, Verb::Data, Verb::Content] {
        let mailbox = Mailbox::start(Replies::default().then(verb, Fault::Stall)).await.expect("a mailbox");
        let outcome = email(&mailbox).send(&test_message(&TimeZone::UTC)).await;
        let reason = outcome.expect_err("no answer").reason().to_owned();
        assert!(reason.ends_with("no answer within 0.2 s"), "{verb:?}: {reason}");
    }
}

#[tokio::test]
async fn silence_after_the_yes_is_still_a_yes() {
    let mailbox = Mailbox::start(Replies::default().then(Verb::Quit, Fault::Stall)).await.expect("a mailbox");
    let outcome = email(&mailbox).send(&test_message(&TimeZone::UTC)).await;
    assert_eq!(outcome.map(|accepted| accepted.detail), Ok("250 2.0.0 ok: queued".to_owned()));
    assert_eq!(mailbox.received().len(), 1);
}
