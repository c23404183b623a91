//! A webhook receiver that keeps what it is given and checks signatures for itself.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, Unix seconds.
    pub timestamp: String,
    /// `webhook-signature` as sent.
    pub signature: String,
    /// Whether each secret of the receiver has its valid signature there; false without secrets.
    pub signature_ok: bool,
    /// `content-type`.
    pub content_type: String,
    /// Whether it was answered with a 2xx, or is to be.
    pub taken: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// How the receiver answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// With this status and one header.
    With(u16, &'static str, String),
    /// With 200 and a body without end.
    Endless,
    /// Never.
    Stall,
}

/// A webhook receiver on loopback.
#[derive(Debug)]
pub struct Hook {
    url: Url,
    received: watch::Receiver<Vec<Request>>,
    _tasks: JoinSet<()>,
}

impl Hook {
    /// Starts it on a free port of 127.0.0.1. It answers as `answers` say, then 204; it checks signatures by
    /// `secrets`, written as in the config.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start(secrets: &[&str], answers: Vec<Answer>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = Url::parse(&format!("http://{}/hook", listener.local_addr()?)).map_err(io::Error::other)?;
        let (sender, received) = watch::channel(Vec::new());
        let shared = Arc::new(Shared {
            secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
            answers: Mutex::new(answers.into()),
            requests: sender,
        });
        let router = Router::new().fallback(take).with_state(shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It serves until it is dropped; it has nobody to tell of an error.
            let _ended = axum::serve(listener, router).await.is_ok();
        });
        Ok(Self { url, received, _tasks: tasks })
    }

    /// Where it takes requests.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What it has received so far.
    pub fn received(&self) -> Vec<Request> {
        self.received.borrow().clone()
    }

    /// Waits until it has received `count` requests, and returns all it has.
    pub async fn wait_for(&self, count: usize) -> Vec<Request> {
        let mut received = self.received.clone();
        match received.wait_for(|requests| requests.len() >= count).await {
            Ok(requests) => requests.clone(),
            // The server's task has ended; what it took is still there.
            Err(_) => self.received(),
        }
    }
}

struct Shared {
    secrets: Vec<String>,
    answers: Mutex<VecDeque<Answer>>,
    requests: watch::Sender<Vec<Request>>,
}

/// Keeps a request and answers it.
async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let header =
        |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut request = Request {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        signature_ok: false,
        content_type: header("content-type"),
        taken: true,
        body: body.to_vec(),
    };
    let signed = |secret: &String| signed(secret, &request).unwrap_or(false);
    request.signature_ok = !shared.secrets.is_empty() && shared.secrets.iter().all(signed);
    let answer = shared.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let answer = answer.unwrap_or(Answer::Status(204));
    request.taken = match &answer {
        Answer::Status(status) | Answer::With(status, ..) => (200..300).contains(status),
        Answer::Endless => true,
        Answer::Stall => false,
    };
    shared.requests.send_modify(|requests| requests.push(request));
    match answer {
        Answer::Status(status) => code(status).into_response(),
        Answer::With(status, name, value) => (code(status), [(name, value)]).into_response(),
        Answer::Endless => {
            let chunk = || Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 8192]));
            let chunks = stream::iter(std::iter::repeat_with(chunk));
            Body::from_stream(chunks).into_response()
        }
        Answer::Stall => std::future::pending().await,
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether one of the signatures is the HMAC-SHA256 of `id.timestamp.body` under `secret`; `None` when the secret
/// cannot be read.
fn signed(secret: &str, request: &Request) -> Option<bool> {
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    let content = [request.id.as_bytes(), request.timestamp.as_bytes(), &request.body].join(&b'.');
    let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(content);
    let signatures = request.signature.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let mut tags = signatures.filter_map(|one| STANDARD.decode(one).ok());
    Some(tags.any(|tag| mac.clone().verify_slice(&tag).is_ok()))
}
