//! The sample sources of `harmattan demo`: an RSS feed in French, an Atom feed in English and the preview page
//! of a Telegram channel in Russian, each in a first state and with what is new in the second.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A sample source: path, type, first state, what is new in the second.
struct Sample {
    path: &'static str,
    content_type: &'static str,
    page: &'static str,
    new: &'static str,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        path: "/rss.xml",
        content_type: "application/rss+xml; charset=utf-8",
        page: include_str!("samples/rss-1.xml"),
        new: include_str!("samples/rss-2.xml"),
    },
    Sample {
        path: "/atom.xml",
        content_type: "application/atom+xml",
        page: include_str!("samples/atom-1.xml"),
        new: include_str!("samples/atom-2.xml"),
    },
    Sample {
        path: "/s/vestnik_sahelya",
        content_type: "text/html; charset=utf-8",
        page: include_str!("samples/telegram-1.html"),
        new: include_str!("samples/telegram-2.html"),
    },
];

/// Items that should be flagged in the second round: one of each source.
pub const FLAGGED: usize = 3;

/// A web server on loopback with the sample sources. It stops when it is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    second: Mutex<bool>,
    /// Answers given since the round began, by path.
    answers: watch::Sender<HashMap<String, usize>>,
}

impl Origin {
    /// Starts it on a free port of 127.0.0.1, in the first round.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { second: Mutex::new(false), answers: watch::channel(HashMap::new()).0 });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It serves until it is dropped; it has nobody to tell of an error.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins the second round: the new items appear.
    pub fn publish(&self) {
        *self.shared.second.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.answers.send_replace(HashMap::new());
    }

    /// Waits until every sample was asked for `times` times since the round began.
    pub async fn asked(&self, times: usize) {
        let mut answers = self.shared.answers.subscribe();
        let all = |answers: &HashMap<String, usize>| {
            SAMPLES.iter().all(|sample| answers.get(sample.path).is_some_and(|asked| *asked >= times))
        };
        // The sender lives as long as `self`.
        drop(answers.wait_for(all).await);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(sample) = SAMPLES.iter().find(|sample| sample.path == uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let second = *shared.second.lock().unwrap_or_else(PoisonError::into_inner);
    let etag = if second { "\"round-2\"" } else { "\"round-1\"" };
    shared.answers.send_modify(|answers| *answers.entry(sample.path.to_owned()).or_default() += 1);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == etag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    let body = sample.page.replace("{NEW}", if second { sample.new } else { "" });
    ([(ETAG, etag), (CONTENT_TYPE, sample.content_type)], body).into_response()
}
