//! The command's side of the socket.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode};

use super::backup::TYPE;
use super::{BODY_BYTES_MAX, Call, Reply, STORE_HEADER, VERSION};

/// How long a command waits for the daemon: a reload or a test message may take as long as its own timeouts.
const TIMEOUT: Duration = Duration::from_mins(2);

/// How long a backup may stand still: the daemon copies its store before it hands anything over.
const PATIENCE: Duration = Duration::from_mins(15);

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
    /// The daemon says why it cannot.
    #[error("{0}")]
    Refused(String),
    /// The conversation broke.
    #[error("the daemon did not answer")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes a call to the daemon that listens at `socket`; one that keeps another store than `store` refuses it.
///
/// # Errors
/// When none listens there, or it cannot be understood.
pub async fn call(socket: &Path, store: Option<&Path>, call: &Call) -> Result<Reply, ClientError> {
    let client = connect(socket, |client| client.timeout(TIMEOUT)).await?;
    let mut request = client.post(format!("http://harmattan/v{VERSION}")).json(call);
    if let Some(store) = store {
        request = request.header(STORE_HEADER, store.as_os_str().as_bytes());
    }
    whole(send(request).await?).await
}

/// A backup on its way.
pub struct Streamed {
    /// Its length.
    pub total: u64,
    /// Its bytes.
    pub chunks: BoxStream<'static, Result<Bytes, ClientError>>,
}

/// Asks the daemon that listens at `socket` for a backup of the store at `store`.
///
/// # Errors
/// As [`call`]; [`ClientError::Refused`] when the daemon cannot make one.
pub async fn backup(socket: &Path, store: &Path) -> Result<Streamed, ClientError> {
    let client = connect(socket, |client| client.read_timeout(PATIENCE)).await?;
    let request = client.post(format!("http://harmattan/v{VERSION}/backup"));
    let answer = send(request.header(STORE_HEADER, store.as_os_str().as_bytes())).await?;
    let kind = answer.headers().get(CONTENT_TYPE);
    if kind.is_none_or(|kind| kind.as_bytes() != TYPE.as_bytes()) {
        let reply = whole(answer).await?;
        let Reply::Refused { message } = reply else { return Err(ClientError::Version) };
        return Err(ClientError::Refused(message));
    }
    let total = answer.content_length().unwrap_or_default();
    Ok(Streamed { total, chunks: answer.bytes_stream().map_err(broken).boxed() })
}

/// A client for the socket, when somebody listens there.
async fn connect(
    socket: &Path,
    limits: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, ClientError> {
    let shown = || socket.display().to_string();
    match tokio::net::UnixStream::connect(socket).await {
        Ok(probe) => drop(probe),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(ClientError::Forbidden(shown()));
        }
        Err(_) => return Err(ClientError::NoDaemon(shown())),
    }
    limits(Client::builder().unix_socket(socket).no_proxy()).build().map_err(broken)
}

async fn send(request: RequestBuilder) -> Result<Response, ClientError> {
    let response = request.send().await.map_err(broken)?;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(ClientError::Version);
    }
    response.error_for_status().map_err(broken)
}

fn broken(error: reqwest::Error) -> ClientError {
    ClientError::Broken(error.into())
}

/// A reply, read to its end.
async fn whole(response: Response) -> Result<Reply, ClientError> {
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
