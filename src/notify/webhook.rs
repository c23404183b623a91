//! `webhook`: a JSON POST, signed by the rules of Standard Webhooks 1.0.
//!
//! The body is the same on every attempt but for the mark of being late; the timestamp header and so the signature are the attempt's own. Receivers
//! know a repetition by `webhook-id`; a header says so of one whose first answer did not come. Redirects are not followed: body and signature are meant for one address.

use std::fmt;
use std::ops::Not;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use sha2::Sha256;
use url::Url;

use super::digest::Digest;
use super::email::text_part;
use super::post::{Answer, Post, answered, host, reason};
use super::template::Template;
use super::{Accepted, Body, Message, NotifyError, TEST_WORDS, WebhookSettings};
use crate::config::secret::Secret;
use crate::outbox::Failure;
use crate::outbox::classify::{self, HttpVerdict};
use crate::report::Report;
use crate::story::{Alert, AlertKind};
use crate::wire;

/// Characters of an item's text in what templates see as `says`.
const EXCERPT: usize = 600;

/// The header of what its receiver may have by an attempt before: the body stays as it was.
const POSSIBLE_DUPLICATE: &str = "harmattan-possible-duplicate";

/// Version of the body's form.
const VERSION: u32 = 1;

/// A notifier that posts JSON.
pub struct Webhook {
    name: String,
    url: Url,
    keys: Vec<Hmac<Sha256>>,
    template: Option<Template>,
    post: Post,
}

impl Webhook {
    /// Reads the secrets and prepares the connection.
    ///
    /// # Errors
    /// When a secret is empty or not base64 behind its `whsec_`, or when the machine offers no root certificates.
    pub fn new(name: &str, settings: &WebhookSettings) -> Result<Self, NotifyError> {
        let keys = settings.secrets.iter().map(|secret| key(name, secret)).collect::<Result<_, _>>()?;
        let template = settings.template.as_ref().map(Template::new).transpose();
        let template =
            template.map_err(|detail| NotifyError::Template { notifier: name.to_owned(), detail })?;
        let (url, post) = (settings.url.clone(), Post::new(name)?);
        Ok(Self { name: name.to_owned(), url, keys, template, post })
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Posts `message`, in at most twenty seconds.
    ///
    /// # Errors
    /// For every answer but 2xx, and for none.
    ///
    /// # Cancel safety
    /// Dropping it may leave a request accepted without our knowing.
    pub async fn send(&self, message: &Message<'_>) -> Result<Accepted, Failure> {
        let built_in = body(message, &self.name)
            .map_err(|error| Failure::Permanent { reason: format!("no JSON: {error}") })?;
        let body = match &self.template {
            Some(template) => rendered(template, message, &built_in).map_or(built_in, String::into_bytes),
            None => built_in,
        };
        let (id, timestamp) = (message.id.to_string(), message.now.as_second().to_string());
        let mut request = self.post.request(Method::POST, self.url.clone());
        if !self.keys.is_empty() {
            request = request.header("webhook-signature", self.signature(&id, &timestamp, &body));
        }
        if message.possible_duplicate {
            request = request.header(POSSIBLE_DUPLICATE, "true");
        }
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("idempotency-key", id)
            .header("webhook-timestamp", timestamp)
            .body(body);
        self.verdict(&self.post.send(request, &self.url, message.now).await?)
    }

    /// What the answer means.
    fn verdict(&self, answer: &Answer) -> Result<Accepted, Failure> {
        let status = answer.status;
        let reason = reason(&self.url, &answered(status));
        match classify::http(status.as_u16()) {
            HttpVerdict::Accepted => Ok(Accepted::saying(status.as_u16().to_string())),
            HttpVerdict::Way => Err(Failure::Way { reason, retry_after: answer.retry_after }),
            HttpVerdict::Gone => Err(Failure::Gone { reason }),
            HttpVerdict::Transient => Err(Failure::Transient { reason, retry_after: answer.retry_after }),
            HttpVerdict::Permanent => Err(Failure::Permanent { reason }),
        }
    }

    /// `v1,<base64>` for each secret, over id, timestamp and body.
    fn signature(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let sign = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        self.keys.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("name", &self.name)
            .field("host", &host(&self.url))
            .finish_non_exhaustive()
    }
}

/// The body for `message`, the same on every attempt but for the mark of being late.
///
/// # Errors
/// None that is known: every value in it has a JSON form.
pub fn body(message: &Message<'_>, notifier: &str) -> serde_json::Result<Vec<u8>> {
    let envelope = match &message.body {
        Body::Alert(alert) => {
            let told = Alert { untold: Vec::new(), ..(*alert).clone() };
            Envelope {
                kind: match alert.kind {
                    AlertKind::New => "alert.new",
                    AlertKind::Update => "alert.update",
                },
                version: VERSION,
                timestamp: alert.created,
                data: Data::Alert(Box::new(wire::alert::Alert { late: message.late, ..told.into() })),
            }
        }
        Body::Digest(digest @ Digest { alerts, part, parts, .. }) => Envelope {
            kind: "alert.digest",
            version: VERSION,
            timestamp: digest.created,
            data: Data::Digest {
                late: message.late,
                alerts: alerts
                    .iter()
                    .cloned()
                    .map(|alert| Alert { untold: Vec::new(), ..alert }.into())
                    .map(|alert: wire::alert::Alert| wire::alert::Alert {
                        late: message.late && !alert.possible_duplicate,
                        ..alert
                    })
                    .collect(),
                part: *part,
                parts: *parts,
            },
        },
        Body::Event(event) => Envelope {
            kind: event.kind.as_str(),
            version: VERSION,
            timestamp: event.created,
            data: Data::Event {
                name: &event.name,
                state: event.kind.state(),
                reason: event.reason.as_deref(),
                recipient: &event.recipient,
                since: event.since,
                detail: &event.detail,
                late: message.late,
            },
        },
        Body::Report(report) => Envelope {
            kind: "report",
            version: VERSION,
            timestamp: report.until,
            data: Data::Report { report, late: message.late },
        },
        Body::Test => Envelope {
            kind: "test",
            version: VERSION,
            timestamp: message.now,
            data: Data::Test { name: notifier, detail: TEST_WORDS },
        },
    };
    serde_json::to_vec(&envelope)
}

/// What a template makes of a message, and of its built-in body; `None` when it fails, which the log tells.
pub(super) fn rendered(template: &Template, message: &Message<'_>, built_in: &[u8]) -> Option<String> {
    match template.render(context(message, built_in)) {
        Ok(text) => Some(text),
        Err(why) => {
            tracing::warn!(delivery = %message.id, "a template failed, the built-in form is sent: {why}");
            None
        }
    }
}

/// What templates see of a message.
fn context(message: &Message<'_>, built_in: &[u8]) -> serde_json::Value {
    let mut context: serde_json::Value = serde_json::from_slice(built_in).unwrap_or_default();
    if let Some(fields) = context.as_object_mut() {
        fields.insert("says".to_owned(), text_part(message, EXCERPT).into());
    }
    context
}

/// The outer form of every body.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    version: u32,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Alert(Box<wire::alert::Alert>),
    Digest {
        alerts: Vec<wire::alert::Alert>,
        part: usize,
        parts: usize,
        #[serde(skip_serializing_if = "Not::not")]
        late: bool,
    },
    Event {
        name: &'a str,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "str::is_empty")]
        recipient: &'a str,
        since: Timestamp,
        detail: &'a str,
        #[serde(skip_serializing_if = "Not::not")]
        late: bool,
    },
    Report {
        #[serde(flatten)]
        report: &'a Report,
        #[serde(skip_serializing_if = "Not::not")]
        late: bool,
    },
    Test {
        name: &'a str,
        detail: &'static str,
    },
}

/// The signing key: what stands behind `whsec_` in base64, else the bytes as they are.
fn key(notifier: &str, secret: &Secret) -> Result<Hmac<Sha256>, NotifyError> {
    let bad = |detail| NotifyError::Secret { notifier: notifier.to_owned(), detail };
    let secret = secret.expose();
    let bytes = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| bad("is not base64 after `whsec_`"))?,
        None => secret.as_bytes().to_vec(),
    };
    if bytes.is_empty() {
        return Err(bad("is empty"));
    }
    Hmac::new_from_slice(&bytes).map_err(|_| bad("has a length that cannot be used"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::demo::{Answer, Hook};
    use crate::outbox::DeliveryId;

    fn webhook(url: Url, secret: &str) -> Webhook {
        let secrets = vec![Secret::new(secret.to_owned())];
        Webhook::new("ops-hook", &WebhookSettings { url, secrets, template: None }).expect("good settings")
    }

    /// The example that the libraries of Standard Webhooks share.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let url = Url::parse("https://hooks.example.org/").expect("a URL");
        let webhook = webhook(url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature =
            webhook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[tokio::test]
    async fn silence_ends_at_the_deadline() {
        let hook = Hook::start(&[], vec![Answer::Stall]).await.expect("a hook");
        let webhook = webhook(hook.url().clone(), "a secret");
        let webhook = Webhook { post: webhook.post.within(Duration::from_millis(200)), ..webhook };
        let message = Message {
            id: DeliveryId::from_bytes([7; 16]),
            body: Body::Test,
            recipient: "",
            timezone: &TimeZone::UTC,
            now: Timestamp::UNIX_EPOCH,
            sent: Some(Timestamp::UNIX_EPOCH),
            late: false,
            possible_duplicate: false,
            follows: None,
        };
        let failure = webhook.send(&message).await.expect_err("no answer");
        assert!(failure.reason().ends_with("no answer within 0.2 s"), "{failure:?}");
        assert!(matches!(failure, Failure::Lost { .. }), "it may have it: {failure:?}");
    }
}
