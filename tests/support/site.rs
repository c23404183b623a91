//! A web site whose pages a test exchanges between two runs of the program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::http::{Asked, Reply, Server};

/// The site. A path that shows nothing answers 404.
pub(crate) struct Site {
    server: Server,
    pages: Arc<Mutex<HashMap<String, Reply>>>,
}

impl Site {
    pub(crate) fn start() -> Self {
        let pages: Arc<Mutex<HashMap<String, Reply>>> = Arc::default();
        let shared = Arc::clone(&pages);
        let server = Server::start(move |asked| {
            let pages = shared.lock().unwrap_or_else(PoisonError::into_inner);
            pages.get(&asked.target).cloned().unwrap_or_else(|| Reply::status(404))
        });
        Self { server, pages }
    }

    /// Answers so at `path` from now on.
    pub(crate) fn show(&self, path: &str, reply: Reply) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), reply);
    }

    /// An address under 127.0.0.1.
    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path).to_string()
    }

    /// An address under another host.
    pub(crate) fn on(&self, host: &str, path: &str) -> String {
        self.server.on(host, path).to_string()
    }

    /// The base address under 127.0.0.1, as `hosts` of a Telegram source takes it.
    pub(crate) fn base(&self) -> String {
        self.url("/").trim_end_matches('/').to_owned()
    }

    /// The requests for `path` so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.server.asked().into_iter().filter(|asked| asked.target == path).collect()
    }

    /// All requests so far, in order.
    pub(crate) fn log(&self) -> Vec<Asked> {
        self.server.asked()
    }

    /// The paths asked for so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.server.targets()
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }
}
