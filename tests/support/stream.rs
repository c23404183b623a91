//! A feed on loopback whose stream of items goes on with every request while it flows.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Items that the document shows: more than a few lost polls can pass by.
const WINDOW: u64 = 60;

/// New items a request while the stream flows.
const PER_REQUEST: u64 = 2;

/// The feed. Item 1, 3, 5, … matters to [`RULE`], the others do not.
pub(crate) struct Stream {
    address: SocketAddr,
    state: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    published: Mutex<Published>,
    requests: watch::Sender<u64>,
}

#[derive(Clone, Copy)]
struct Published {
    newest: u64,
    flows: bool,
}

/// A rule that fires on every other item.
pub(crate) const RULE: &str = r#"
[[rule]]
name = "convoy"
severity = "high"
all = ["convoy attacked"]
"#;

impl Stream {
    /// Starts with `newest` items and no flow.
    pub(crate) async fn start(newest: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let published = Mutex::new(Published { newest, flows: false });
        let state = Arc::new(Shared { published, requests: watch::channel(0).0 });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, state, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/feed.xml", self.address)
    }

    /// Publishes `items` more at once.
    pub(crate) fn publish(&self, items: u64) {
        self.state.published.lock().unwrap().newest += items;
    }

    pub(crate) fn flow(&self, flows: bool) {
        self.state.published.lock().unwrap().flows = flows;
    }

    pub(crate) fn newest(&self) -> u64 {
        self.state.published.lock().unwrap().newest
    }

    /// Waits for `more` further requests.
    pub(crate) async fn asked(&self, more: u64) {
        let mut requests = self.state.requests.subscribe();
        let goal = *requests.borrow_and_update() + more;
        requests.wait_for(|requests| *requests >= goal).await.unwrap();
    }
}

async fn answer(State(state): State<Arc<Shared>>) -> impl IntoResponse {
    let newest = {
        let mut published = state.published.lock().unwrap();
        if published.flows {
            published.newest += PER_REQUEST;
        }
        published.newest
    };
    state.requests.send_modify(|requests| *requests += 1);
    let oldest = newest.saturating_sub(WINDOW) + 1;
    let items: String = (oldest..=newest).rev().map(item).collect();
    let document = format!(r#"<rss version="2.0"><channel><title>Stream</title>{items}</channel></rss>"#);
    ([(CONTENT_TYPE, "application/rss+xml")], document)
}

fn item(number: u64) -> String {
    let title = if number % 2 == 1 { "Convoy attacked" } else { "Mangoes harvested" };
    format!(
        "<item><title>{title}, report {number}</title><guid>stream-{number}</guid>\
         <link>https://stream.example/{number}</link></item>"
    )
}
