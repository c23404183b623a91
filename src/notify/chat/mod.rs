//! Chats, telephones and incident desks: one file per kind of service.
//!
//! Bodies are built as values, never by joining strings, and each keeps to its service's limits (`limits`). Nothing
//! that a source wrote calls people, becomes markup, or makes the service fetch a page to show a preview of it.

mod answer;
mod channels;
mod incident;
mod limits;
mod note;
mod push;
mod rooms;

use std::borrow::Cow;
use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use self::answer::Verdict;
use self::note::Note;
use super::post::{self, Answer, Post};
use super::{Accepted, Message, NotifyError};
use crate::config::secret::Secret;
use crate::outbox::Failure;

/// A service whose messages have a form of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// An incoming webhook of Slack.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// A workflow of Microsoft Teams that takes a posted card.
    Teams,
    /// A bot of Telegram.
    Telegram,
    /// Topics of an ntfy server.
    Ntfy,
    /// An application of a Gotify server.
    Gotify,
    /// Rooms of a Matrix homeserver.
    Matrix,
    /// A service of PagerDuty that takes events of version 2.
    PagerDuty,
    /// A Prometheus Alertmanager; one notifier for each of its peers.
    Alertmanager,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Slack,
        Self::Discord,
        Self::Mattermost,
        Self::Teams,
        Self::Telegram,
        Self::Ntfy,
        Self::Gotify,
        Self::Matrix,
        Self::PagerDuty,
        Self::Alertmanager,
    ];

    /// Its `type` in the config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Mattermost => "mattermost",
            Self::Teams => "teams",
            Self::Telegram => "telegram",
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
            Self::Matrix => "matrix",
            Self::PagerDuty => "pagerduty",
            Self::Alertmanager => "alertmanager",
        }
    }

    /// Whether its address lets in whoever knows it, and nothing else is asked for.
    pub fn has_secret_address(self) -> bool {
        matches!(self, Self::Slack | Self::Discord | Self::Mattermost | Self::Teams)
    }

    /// Whether `to` says who is told; of the others the address or the token says it.
    pub fn names_recipients(self) -> bool {
        matches!(self, Self::Telegram | Self::Ntfy | Self::Matrix)
    }

    /// The service of that `type`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == word)
    }
}

/// Settings of a notifier for such a service.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatSettings {
    /// Which one.
    pub service: Service,
    /// Where it is reached.
    pub address: Address,
    /// What proves who we are, where that is not the address itself.
    pub token: Option<Secret>,
    /// Chats, topics or rooms, one delivery each; empty where the address or the token says whom.
    pub to: Vec<String>,
}

/// Where a service is reached.
#[derive(Clone, PartialEq)]
pub enum Address {
    /// A server.
    Open(Url),
    /// An address that lets in whoever knows it.
    Secret(Secret),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(url) => f.write_str(&post::host(url)),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

/// A notifier for such a service.
pub struct Chat {
    name: String,
    service: Service,
    url: Url,
    to: Vec<String>,
    token: Option<Secret>,
    header: Option<(HeaderName, HeaderValue)>,
    post: Post,
}

/// What is to be sent.
struct Request {
    method: Method,
    url: Url,
    body: Value,
}

impl Chat {
    /// Reads the secrets and prepares the connection.
    ///
    /// # Errors
    /// When a secret is no address or cannot stand in a header, or when the machine offers no root certificates.
    pub fn new(name: &str, settings: &ChatSettings) -> Result<Self, NotifyError> {
        let bad = |detail| NotifyError::Secret { notifier: name.to_owned(), detail };
        let url = match &settings.address {
            Address::Open(url) => url.clone(),
            Address::Secret(secret) => {
                web_address(secret).ok_or_else(|| bad("is no http or https address"))?
            }
        };
        let header = match &settings.token {
            Some(token) => header(settings.service, token).map_err(|()| bad("cannot stand in a header"))?,
            None => None,
        };
        Ok(Self {
            name: name.to_owned(),
            service: settings.service,
            url,
            to: settings.to.clone(),
            token: settings.token.clone(),
            header,
            post: Post::new(name)?,
        })
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The chats, topics or rooms; one empty string where the service knows whom.
    pub fn recipients(&self) -> Vec<String> {
        if self.to.is_empty() { vec![String::new()] } else { self.to.clone() }
    }

    /// Whether the service names what it takes, so that what follows in a story can go on from that.
    pub fn keeps_threads(&self) -> bool {
        matches!(self.service, Service::Telegram | Service::Matrix)
    }

    /// Makes one attempt, in at most twenty seconds; in forty where a group of Telegram has another id now, or where what
    /// the message goes on from is gone.
    ///
    /// # Errors
    /// For every answer but yes, and for none.
    ///
    /// # Cancel safety
    /// Dropping it may leave a request accepted without our knowing.
    pub async fn send(&self, message: &Message<'_>) -> Result<Accepted, Failure> {
        let answer = self.ask(message, message.recipient).await?;
        let alone = Message { follows: None, ..message.clone() };
        // Whoever answers so has taken nothing, and is asked anew without repeating anything.
        if let Some(moved) = answer::moved_to(self.service, &answer) {
            // Messages have other numbers there.
            let accepted = self.outcome(&alone, &self.ask(&alone, &moved).await?)?;
            let now = format!("{}; the group's id is {moved} now: write it into `to`", accepted.detail);
            return Ok(Accepted::saying(now));
        }
        if message.follows.is_some() && answer.status == StatusCode::BAD_REQUEST {
            return self.outcome(&alone, &self.ask(&alone, message.recipient).await?);
        }
        self.outcome(message, &answer)
    }

    async fn ask(&self, message: &Message<'_>, recipient: &str) -> Result<Answer, Failure> {
        let request = self.request(message, recipient);
        let bytes = serde_json::to_vec(&request.body)
            .map_err(|error| Failure::Permanent { reason: format!("no JSON: {error}") })?;
        let built: RequestBuilder = self
            .post
            .request(request.method, request.url)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id.to_string())
            .header("idempotency-key", message.id.to_string())
            .body(bytes);
        let built = match &self.header {
            Some((name, value)) => built.header(name, value),
            None => built,
        };
        self.post.send(built, &self.url, message.now).await
    }

    fn outcome(&self, message: &Message<'_>, answer: &Answer) -> Result<Accepted, Failure> {
        let reason = |why: &str| {
            let what = post::answered(answer.status);
            let told = if why.is_empty() { what } else { format!("{what}: {why}") };
            post::reason(&self.url, &told)
        };
        match answer::verdict(self.service, answer, |words| self.redacted(words)) {
            Verdict::Accepted(detail) => {
                let thread = answer::name(self.service, answer, message.follows.is_some());
                Ok(Accepted { thread, ..Accepted::saying(detail) })
            }
            Verdict::Way { why, retry_after } => Err(Failure::Way { reason: reason(&why), retry_after }),
            Verdict::Transient { why, retry_after } => {
                Err(Failure::Transient { reason: reason(&why), retry_after })
            }
            Verdict::Permanent { why } => Err(Failure::Permanent { reason: reason(&why) }),
        }
    }

    /// A receiver's words without what it may have read in our request.
    fn redacted(&self, words: &str) -> String {
        let token = self.token.as_ref().map(Secret::expose);
        let path = self.url.path_segments().into_iter().flatten();
        // The signature of a workflow of Teams stands in the query; a receiver may repeat it as it came or as read.
        let pairs = self.url.query().into_iter().flat_map(|query| query.split('&'));
        let query = pairs.filter_map(|pair| Some(pair.split_once('=')?.1));
        let read = self.url.query_pairs().map(|(_, value)| value);
        let secrets = token.into_iter().chain(path).chain(query).map(Cow::from).chain(read);
        // What is shorter than a token can be is a word.
        let secrets = secrets.filter(|secret| secret.len() >= 8);
        secrets.fold(words.to_owned(), |words, secret| words.replace(&*secret, "…"))
    }

    /// What is to be sent for `message`: the same on every attempt, but for a test, and for the time at which an
    /// Alertmanager is to let go of it; it knows an alert again by its labels.
    fn request(&self, message: &Message<'_>, recipient: &str) -> Request {
        let (service, token) = (self.service, self.token.as_ref().map_or("", Secret::expose));
        let note = Note::of(message).with_fitting_link(|link| limits::takes_link(service, link));
        let shape = &limits::of(service);
        let (method, url, body) = match service {
            Service::Slack => (Method::POST, self.url.clone(), channels::slack(&note, shape)),
            Service::Discord => (Method::POST, waiting(self.url.clone()), channels::discord(&note, shape)),
            Service::Mattermost => (Method::POST, self.url.clone(), channels::mattermost(&note, shape)),
            Service::Teams => (Method::POST, self.url.clone(), channels::teams(&note, shape)),
            Service::Telegram => {
                let url = below(&self.url, &[&format!("bot{token}"), "sendMessage"]);
                (Method::POST, url, rooms::telegram(&note, shape, recipient, message.follows))
            }
            Service::Matrix => {
                let id = message.id.to_string();
                let path = ["_matrix", "client", "v3", "rooms", recipient, "send", "m.room.message", &id];
                (Method::PUT, below(&self.url, &path), rooms::matrix(&note, shape, message.follows))
            }
            Service::Ntfy => {
                (Method::POST, self.url.clone(), push::ntfy(&note, shape, recipient, message.id))
            }
            Service::Gotify => (Method::POST, below(&self.url, &["message"]), push::gotify(&note, shape)),
            Service::PagerDuty => {
                (Method::POST, self.url.clone(), incident::pagerduty(message, &note, shape, token))
            }
            Service::Alertmanager => {
                let url = below(&self.url, &["api", "v2", "alerts"]);
                (Method::POST, url, incident::alertmanager(message, &note, shape))
            }
        };
        Request { method, url, body }
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat")
            .field("name", &self.name)
            .field("service", &self.service)
            .field("host", &post::host(&self.url))
            .finish_non_exhaustive()
    }
}

fn web_address(secret: &Secret) -> Option<Url> {
    let url = Url::parse(secret.expose().trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(url)
}

/// The header that carries the token, where one does.
fn header(service: Service, token: &Secret) -> Result<Option<(HeaderName, HeaderValue)>, ()> {
    let (name, value) = match service {
        Service::Gotify => (HeaderName::from_static("x-gotify-key"), token.expose().to_owned()),
        Service::Ntfy | Service::Matrix | Service::Alertmanager => {
            (AUTHORIZATION, format!("Bearer {}", token.expose()))
        }
        // In the path or in the body, or the address itself.
        Service::Telegram
        | Service::PagerDuty
        | Service::Slack
        | Service::Discord
        | Service::Mattermost
        | Service::Teams => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| ())?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// `url` with these behind its path, escaped.
fn below(url: &Url, path: &[&str]) -> Url {
    let mut url = url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// The address of a webhook of Discord that answers when the message is there, not before.
fn waiting(mut url: Url) -> Url {
    url.query_pairs_mut().append_pair("wait", "true");
    url
}
