//! Telling people: one file per kind of notifier.
//!
//! A notifier is built once from its settings and makes one attempt per call; when to try again is for
//! [`crate::outbox`]. Text of sources goes through [`foreign`] on every way out, and no reason, error or `Debug`
//! shows a secret.

pub(crate) mod beat;
pub mod chat;
pub mod digest;
pub mod email;
mod event;
pub mod foreign;
mod marks;
mod post;
mod report;
pub mod stdout;
pub mod template;
pub mod webhook;
mod wording;

use std::fmt;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use self::chat::{Chat, ChatSettings};
use self::digest::Digest;
use self::email::Email;
use self::stdout::Stdout;
use self::webhook::Webhook;
use crate::config::secret::Secret;
use crate::event::Event;
use crate::outbox::{DeliveryId, Failure};
use crate::report::Report;
use crate::story::Alert;

/// From which age on a message says that it is late.
pub const LATE: SignedDuration = SignedDuration::from_mins(15);

/// What a test message says.
const TEST_WORDS: &str = "A test message from Harmattan, sent by hand. The way works; nothing has happened.";

/// One way to tell people, ready to use.
#[derive(Debug)]
pub enum Notifier {
    /// Mail.
    Email(Box<Email>),
    /// A signed JSON POST.
    Webhook(Webhook),
    /// A chat, a telephone or an incident desk.
    Chat(Chat),
    /// Lines on the standard output.
    Stdout(Stdout),
}

impl Notifier {
    /// A notifier by its settings. Connects to nothing.
    ///
    /// # Errors
    /// When an address or a secret is malformed.
    pub fn new(settings: &NotifierSettings) -> Result<Self, NotifyError> {
        let name = &settings.name;
        Ok(match &settings.kind {
            NotifierKind::Email(email) => Self::Email(Box::new(Email::new(name, email)?)),
            NotifierKind::Webhook(webhook) => Self::Webhook(Webhook::new(name, webhook)?),
            NotifierKind::Chat(chat) => Self::Chat(Chat::new(name, chat)?),
            NotifierKind::Stdout => Self::Stdout(Stdout::new(name)),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Email(email) => email.name(),
            Self::Webhook(webhook) => webhook.name(),
            Self::Chat(chat) => chat.name(),
            Self::Stdout(stdout) => stdout.name(),
        }
    }

    /// To whom it tells, one delivery each; one empty string where there is only one receiver.
    pub fn recipients(&self) -> Vec<String> {
        match self {
            Self::Email(email) => email.recipients().to_vec(),
            Self::Chat(chat) => chat.recipients(),
            Self::Webhook(_) | Self::Stdout(_) => vec![String::new()],
        }
    }

    /// Whether it tells that recipient.
    pub fn tells(&self, recipient: &str) -> bool {
        self.recipients().iter().any(|told| told == recipient)
    }

    /// Whether a digest comes to it in parts that tell every alert; else it is one message that lists what fits, and how
    /// many are left.
    pub fn takes_parts(&self) -> bool {
        match self {
            Self::Email(_) | Self::Webhook(_) | Self::Stdout(_) => true,
            Self::Chat(_) => false,
        }
    }

    /// Makes one attempt, within a time of its own (a minute at most).
    ///
    /// # Errors
    /// When the receiver did not take it, with what that means for another attempt.
    ///
    /// # Cancel safety
    /// Dropping it may leave a message accepted without our knowing; its id is the same on the next attempt.
    pub async fn send(&self, message: &Message<'_>) -> Result<Accepted, Failure> {
        match self {
            Self::Email(email) => email.send(message).await,
            Self::Webhook(webhook) => webhook.send(message).await,
            Self::Chat(chat) => chat.send(message).await,
            Self::Stdout(stdout) => stdout.send(message).await,
        }
    }
}

/// The receiver's yes. It means accepted, not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What it said: `250 2.0.0 ok`, `204`.
    pub detail: String,
}

/// Why a notifier cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// Not an address.
    #[error("notifier `{notifier}`: `{address}` is not a mail address")]
    Address {
        /// Name of the notifier.
        notifier: String,
        /// What stands there.
        address: String,
    },
    /// A secret that cannot be used.
    #[error("notifier `{notifier}`: its secret {detail}")]
    Secret {
        /// Name of the notifier.
        notifier: String,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// A template that cannot be used.
    #[error("notifier `{notifier}`: the template {detail}")]
    Template {
        /// Name of the notifier.
        notifier: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No HTTP client.
    #[error("notifier `{notifier}`: cannot prepare HTTP: {detail}")]
    Http {
        /// Name of the notifier.
        notifier: String,
        /// What failed.
        detail: String,
    },
}

impl NotifyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => {
                "write `desk@example.org`, in `from` also `Name <desk@example.org>`; other scripts in punycode"
            }
            Self::Secret { detail, .. } if detail.contains("address") => {
                "the secret is the whole address that the service gave, with https:// in front"
            }
            Self::Secret { detail, .. } if detail.contains("header") => {
                "the secret is the token alone, in one line of ASCII"
            }
            Self::Secret { .. } => "use `whsec_` and 24 to 64 random bytes in base64, or any other text",
            Self::Template { .. } => {
                "write it for every type of message, and `| default(\"\")` behind what may be absent"
            }
            Self::Http { .. } => "install the system's root certificates (Debian: `ca-certificates`)",
        }
    }
}

/// One `[[notifier]]`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifierSettings {
    /// Unique name.
    pub name: String,
    /// How it tells.
    pub kind: NotifierKind,
}

impl NotifierSettings {
    /// Whether they lead to the receiver to which `other` leads, whatever else differs.
    pub fn has_receiver_of(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (NotifierKind::Email(one), NotifierKind::Email(other)) => match (&one.way, &other.way) {
                (MailWay::Relay(one), MailWay::Relay(other)) => {
                    (&one.host, one.port) == (&other.host, other.port)
                }
                (MailWay::Sendmail(one), MailWay::Sendmail(other)) => one == other,
                (MailWay::Relay(_) | MailWay::Sendmail(_), _) => false,
            },
            (NotifierKind::Webhook(one), NotifierKind::Webhook(other)) => one.url == other.url,
            (NotifierKind::Chat(one), NotifierKind::Chat(other)) => {
                (one.service, &one.address) == (other.service, &other.address)
            }
            (NotifierKind::Stdout, NotifierKind::Stdout) => true,
            (
                NotifierKind::Email(_)
                | NotifierKind::Webhook(_)
                | NotifierKind::Chat(_)
                | NotifierKind::Stdout,
                _,
            ) => false,
        }
    }
}

/// How a notifier tells.
#[derive(Clone, Debug, PartialEq)]
pub enum NotifierKind {
    /// Mail.
    Email(EmailSettings),
    /// A signed JSON POST.
    Webhook(WebhookSettings),
    /// A service whose messages have a form of their own.
    Chat(ChatSettings),
    /// Lines on the standard output.
    Stdout,
}

/// Settings of an `email` notifier.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailSettings {
    /// By what it leaves the machine.
    pub way: MailWay,
    /// Sender, as `Name <a@b>` or `a@b`.
    pub from: String,
    /// Recipients: plain addresses, one delivery each.
    pub to: Vec<String>,
    /// Characters of the item's text in a mail.
    pub excerpt: usize,
    /// What stands in place of its parts.
    pub templates: MailTemplates,
}

/// Templates in place of the parts of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailTemplates {
    /// The subject.
    pub subject: Option<template::Source>,
    /// The text part.
    pub text: Option<template::Source>,
    /// The HTML part.
    pub html: Option<template::Source>,
}

/// By what mail leaves the machine.
#[derive(Clone, Debug, PartialEq)]
pub enum MailWay {
    /// A mail server.
    Relay(RelaySettings),
    /// A program of the machine that takes mail as `sendmail` does.
    Sendmail(PathBuf),
}

/// A mail server that takes our mail.
#[derive(Clone, Debug, PartialEq)]
pub struct RelaySettings {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// As whom to log in, and how.
    pub login: Option<Login>,
}

/// A login at a mail server.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    /// By a password (AUTH PLAIN or LOGIN, RFC 4954).
    Password {
        /// The user.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// By access tokens (AUTH XOAUTH2), which a server of the mail's provider gives out.
    Oauth {
        /// The user whose mailbox sends.
        user: String,
        /// How tokens are had.
        oauth: Box<OauthSettings>,
    },
}

/// How access tokens are had (RFC 6749): by a refresh token where there is one (section 6), else by the credentials of
/// the client itself (section 4.4).
#[derive(Clone, Debug, PartialEq)]
pub struct OauthSettings {
    /// The token endpoint: `https`, or loopback.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// The secret of who asks; there is one wherever `refresh_token` is none.
    pub client_secret: Option<Secret>,
    /// What a user's consent gave.
    pub refresh_token: Option<Secret>,
    /// What the tokens are for.
    pub scope: Option<String>,
}

/// How an SMTP connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps://`).
    Implicit,
    /// STARTTLS, refused when the server does not offer it.
    Required,
    /// None: loopback, or stated by `tls = "off"`.
    Off,
}

/// Settings of a `webhook` notifier.
#[derive(Clone, PartialEq)]
pub struct WebhookSettings {
    /// Where to; may carry a token, so it is shown by host only.
    pub url: Url,
    /// Signing secrets: none, one, or two while rotating.
    pub secrets: Vec<Secret>,
    /// What makes the body, in place of the built-in form.
    pub template: Option<template::Source>,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = post::host(&self.url);
        f.debug_struct("WebhookSettings")
            .field("host", &host)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// One message for one recipient.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Its id, the same on every attempt.
    pub id: DeliveryId,
    /// What is told.
    pub body: Body<'a>,
    /// To whom; empty where the notifier has only one receiver.
    pub recipient: &'a str,
    /// The desk's time zone.
    pub timezone: &'a TimeZone,
    /// When this attempt begins.
    pub now: Timestamp,
    /// The time of sending that a mail tells; `None` where the message is only shown.
    pub sent: Option<Timestamp>,
    /// Whether it leaves more than [`LATE`] after it could.
    pub late: bool,
    /// Whether its receiver may have it by an attempt before, under the same id: a header of a mail or a webhook says so,
    /// for what a receiver compares stays as it was.
    pub possible_duplicate: bool,
}

/// Whether an attempt at `now` of what could leave since `ready` is late, and the time of sending that it tells.
///
/// That is `ready`, so that all attempts in good time say the same. One that is late differs from them in any case:
/// it tells its own time, since `ready` may be days ago.
pub fn punctuality(ready: Timestamp, now: Timestamp) -> (bool, Timestamp) {
    let late = now.duration_since(ready) > LATE;
    (late, if late { now } else { ready })
}

/// What a message tells.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// An alert.
    Alert(&'a Alert),
    /// Several alerts.
    Digest(Digest<'a>),
    /// Something that happened to a source or the network.
    Event(&'a Event),
    /// A daily report.
    Report(&'a Report),
    /// A message that tries the way (`send-test`).
    Test,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_in_good_time_tell_one_time_of_sending_and_a_late_one_its_own() {
        let at = |minute: i64| Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time");
        for (now, expected) in [
            (at(0), (false, at(0))),
            (at(15), (false, at(0))),
            (at(16), (true, at(16))),
            (at(4000), (true, at(4000))),
            (at(-5), (false, at(0))),
        ] {
            assert_eq!(punctuality(at(0), now), expected, "{now}");
        }
    }

    #[test]
    fn a_receiver_is_the_same_whatever_else_is_said_of_the_way_to_it() {
        let url = |url: &str| Url::parse(url).expect("an address");
        let hook = |at: &str, secret: &str| {
            let secrets = vec![Secret::new(secret.to_owned())];
            NotifierKind::Webhook(WebhookSettings { url: url(at), secrets, template: None })
        };
        let mail = |host: &str, excerpt| {
            let way = MailWay::Relay(RelaySettings {
                host: host.to_owned(),
                port: 25,
                tls: SmtpTls::Off,
                login: None,
            });
            let (from, to) = ("a@example.org".to_owned(), Vec::new());
            NotifierKind::Email(EmailSettings { way, from, to, excerpt, templates: MailTemplates::default() })
        };
        for (one, other, expected) in [
            (hook("https://a.example/1", "x"), hook("https://a.example/1", "y"), true),
            (hook("https://a.example/1", "x"), hook("https://a.example/2", "x"), false),
            (mail("a.example", 1), mail("a.example", 2), true),
            (mail("a.example", 1), mail("b.example", 1), false),
            (mail("a.example", 1), hook("https://a.example/", "x"), false),
            (NotifierKind::Stdout, NotifierKind::Stdout, true),
        ] {
            let told = format!("{one:?} {other:?}");
            let named = |kind| NotifierSettings { name: "ops".to_owned(), kind };
            assert_eq!(named(one).has_receiver_of(&named(other)), expected, "{told}");
        }
    }
}
