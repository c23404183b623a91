//! The command's side of the socket.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;

use super::{BODY_BYTES_MAX, Call, Reply, STORE_HEADER, VERSION};

/// How long a command waits for the daemon: a reload or a test message may take as long as its own timeouts.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Why the daemon did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens there.
    #[error("no daemon listens at `{0}`")]
    NoDaemon(String),
    /// The socket is another user's.
    #[error("the daemon's socket `{0}` belongs to another user")]
    Forbidden(String),
    /// The daemon speaks another version.
    #[error("the daemon is of another version: restart it")]
    Version,
    /// The conversation broke.
    #[error("the daemon did not answer")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes a call to the daemon that listens at `socket`; one that keeps another store than `store` refuses it.
///
/// # Errors
/// When none listens there, or it cannot be understood.
pub async fn call(socket: &Path, store: Option<&Path>, call: &Call) -> Result<Reply, ClientError> {
    let shown = || socket.display().to_string();
    match tokio::net::UnixStream::connect(socket).await {
        Ok(probe) => drop(probe),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(ClientError::Forbidden(shown()));
        }
        Err(_) => return Err(ClientError::NoDaemon(shown())),
    }
    let broken = |e: reqwest::Error| ClientError::Broken(e.into());
    let client =
        reqwest::Client::builder().unix_socket(socket).no_proxy().timeout(TIMEOUT).build().map_err(broken)?;
    let url = format!("http://harmattan/v{VERSION}");
    let mut request = client.post(url).json(call);
    if let Some(store) = store {
        request = request.header(STORE_HEADER, store.as_os_str().as_bytes());
    }
    let response = request.send().await.map_err(broken)?;
    if response.status() == reqwest::StatusCode::NOT_FOUND {
        return Err(ClientError::Version);
    }
    let response = response.error_for_status().map_err(broken)?;
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(broken)?);
        if body.len() > BODY_BYTES_MAX {
            return Err(ClientError::Broken("the answer is too long".into()));
        }
    }
    serde_json::from_slice(&body).map_err(|e| ClientError::Broken(e.into()))
}
