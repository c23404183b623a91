//! How commands reach the store: through the running daemon's socket, or directly when none runs.
//!
//! sled admits one process. So every listing command makes a [`Call`] and prints the [`Reply`]; the daemon
//! answers it over HTTP on a unix socket, and without a daemon the same [`answer`] runs in the command itself.

pub mod answer;
pub mod api;
pub mod article;
pub mod backup;
pub mod call;
pub mod client;
pub mod explain;
mod fate;
mod health;
pub mod history;
mod learned;
mod mistake;
mod outbox;
pub(crate) mod owed;
pub mod route;
pub(crate) mod rows;
pub mod send;
pub mod server;
mod shown;
mod silence;
pub mod size;
mod verdict;

pub use api::{Call, Reply};
pub use mistake::Mistake;

/// Version of the calls and replies, part of the socket's address: a command of another version is told so.
pub const VERSION: u32 = 1;

/// Header of a call: the path of the store that the command's config names.
pub(crate) const STORE_HEADER: &str = "harmattan-store";

/// Greatest size of a call or reply.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
