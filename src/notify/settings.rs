//! What the config says of a notifier, checked.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::chat::ChatSettings;
use super::{post, template};
use crate::config::secret::Secret;

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

#[cfg(test)]
mod tests {
    use super::*;

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
