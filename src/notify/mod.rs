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
mod settings;
pub mod stdout;
pub mod template;
pub mod webhook;
mod wording;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::chat::Chat;
use self::digest::Digest;
use self::email::Email;
pub use self::settings::{
    EmailSettings, Login, MailTemplates, MailWay, NotifierKind, NotifierSettings, OauthSettings,
    RelaySettings, SmtpTls, WebhookSettings,
};
use self::stdout::Stdout;
use self::webhook::Webhook;
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

    /// How many deliveries may be under way to it at once: enough to hide a receiver's latency, few enough for a small
    /// relay. A write to the standard output takes no time beside its records, which are written together.
    pub fn width(&self) -> usize {
        match self {
            Self::Email(_) | Self::Webhook(_) | Self::Chat(_) => 4,
            Self::Stdout(_) => 16,
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

    /// Whether what follows in a story must name the message with which that began there. A mail names its story's root,
    /// which is computed.
    pub fn keeps_threads(&self) -> bool {
        match self {
            Self::Chat(chat) => chat.keeps_threads(),
            Self::Email(_) | Self::Webhook(_) | Self::Stdout(_) => false,
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
    /// Its name for a message that began a thread, for what is told of the same story later.
    pub thread: Option<String>,
}

impl Accepted {
    /// A yes to what begins no thread.
    pub fn saying(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), thread: None }
    }
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
    /// What it goes on from, as [`Accepted::thread`] named it; `None` where it begins a thread, or its notifier keeps none.
    pub follows: Option<&'a str>,
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
}
