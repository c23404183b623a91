//! One request to a receiver over HTTP, and its answer: shared by all notifiers that speak HTTP.
//!
//! Redirects are not followed: what is sent is meant for one address. Proxies of the environment are not used.

use std::error::Error as _;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use url::Url;

use super::NotifyError;
use super::foreign::{cut, line};
use crate::fetch::Freshness;
use crate::outbox::Failure;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// Longest wait for the body of an answer, which can only tell why.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of an answer's body is read, so that its connection can be used again; the rest is cut off.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Greatest length of a reason, in characters.
const REASON_CHARS_MAX: usize = 200;

/// The way over HTTP to one receiver.
#[derive(Debug)]
pub(super) struct Post {
    client: Client,
    deadline: Duration,
}

/// What a receiver answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// The wait that `Retry-After` asks for.
    pub(super) retry_after: Option<Duration>,
    /// The beginning of the body, at most [`ANSWER_BYTES_MAX`] bytes.
    pub(super) body: Vec<u8>,
}

impl Post {
    /// Prepares the connection for a notifier of that name.
    ///
    /// # Errors
    /// When the machine offers no root certificates.
    pub(super) fn new(notifier: &str) -> Result<Self, NotifyError> {
        // Fails when another part of the program was first with the same provider.
        let _first = rustls::crypto::ring::default_provider().install_default().is_ok();
        let client = Client::builder()
            .user_agent(concat!("harmattan/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| NotifyError::Http { notifier: notifier.to_owned(), detail: chain(error) })?;
        Ok(Self { client, deadline: DEADLINE })
    }

    /// The same with another wait for an answer.
    #[cfg(test)]
    pub(super) fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// A request to be sent.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request to `url`, and waits at most twenty seconds for its answer.
    ///
    /// # Errors
    /// When there is no answer; any answer is one.
    ///
    /// # Cancel safety
    /// Dropping it may leave a request accepted without our knowing.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        url: &Url,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        match tokio::time::timeout(self.deadline, request.send()).await {
            Ok(Ok(response)) => Ok(answer(response, self.deadline.min(BODY_TIMEOUT), now).await),
            // Without a connection nothing was sent.
            Ok(Err(error)) if error.is_connect() => {
                Err(Failure::Way { reason: reason(url, &chain(error)), retry_after: None })
            }
            Ok(Err(error)) => Err(Failure::Lost { reason: reason(url, &chain(error)) }),
            Err(_) => {
                let what = format!("no answer within {} s", self.deadline.as_secs_f32());
                Err(Failure::Lost { reason: reason(url, &what) })
            }
        }
    }
}

/// Reads the body of an answer. One that breaks off or does not end changes nothing: the status has been read, and a
/// receiver that took a message is not to get it again.
async fn answer(mut response: Response, patience: Duration, now: Timestamp) -> Answer {
    let (status, retry_after) = (response.status(), Freshness::of(response.headers(), now).retry_after);
    let mut body = Vec::new();
    let reading = async {
        while body.len() < ANSWER_BYTES_MAX {
            let Ok(Some(chunk)) = response.chunk().await else { break };
            body.extend_from_slice(&chunk);
        }
    };
    let _in_time = tokio::time::timeout(patience, reading).await.is_ok();
    body.truncate(ANSWER_BYTES_MAX);
    Answer { status, retry_after, body }
}

/// A reason in one short line that names the receiver by host: path and query may hold a token.
pub(super) fn reason(url: &Url, what: &str) -> String {
    cut(&line(&format!("`{}` {what}", host(url))), REASON_CHARS_MAX)
}

/// The receiver as it may be shown: host, and port when it is not the usual one.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("no host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What an answer with this status was, for a reason.
pub(super) fn answered(status: StatusCode) -> String {
    let why = if status.is_redirection() { ": redirects are not followed" } else { "" };
    format!("answered {status}{why}")
}

/// An error and its causes, without the address.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}
