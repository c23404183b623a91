//! Telling people: one file per kind of notifier.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::secret::Secret;
use crate::outbox::DeliveryId;
use crate::story::Alert;
use url::Url;

/// One `[[notifier]]`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifierSettings {
    /// Unique name.
    pub name: String,
    /// How it tells.
    pub kind: NotifierKind,
}

/// How a notifier tells.
#[derive(Clone, Debug, PartialEq)]
pub enum NotifierKind {
    /// Mail.
    Email(EmailSettings),
    /// A signed JSON POST.
    Webhook(WebhookSettings),
    /// Lines on the standard output.
    Stdout,
}

/// Settings of an `email` notifier.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailSettings {
    /// Host of the relay.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User to log in as, and the password.
    pub login: Option<(String, Secret)>,
    /// Sender, as `Name <a@b>` or `a@b`.
    pub from: String,
    /// Recipients: plain addresses, one delivery each.
    pub to: Vec<String>,
    /// Characters of the item's text in a mail.
    pub excerpt: usize,
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
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookSettings {
    /// Where to; may carry a token, so it is shown by host only.
    pub url: Url,
    /// Signing secrets: none, one, or two while rotating.
    pub secrets: Vec<Secret>,
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
}

/// What a message tells.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// An alert.
    Alert(&'a Alert),
    /// A message that tries the way (`send-test`).
    Test,
}
