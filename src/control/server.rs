//! The daemon's side of the socket: HTTP with one address, mode 0600.

use std::ffi::OsStr;
use std::future::IntoFuture;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::UnixListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::answer::Context;
use super::backup;
use super::{BODY_BYTES_MAX, Call, Reply, STORE_HEADER, VERSION};

/// How long a client may hold up the end.
const GRACE: Duration = Duration::from_secs(1);

/// A bound socket; its file goes with it.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    file: SocketFile,
}

#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A socket that another start has replaced or removed is no loss.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Binds the socket at `path` for this user alone. A file left by a killed daemon is replaced; whoever calls this
/// holds the store, so only a daemon with another store can be alive there.
///
/// # Errors
/// When the folder cannot be made, the socket not bound, or another daemon listens there.
pub fn bind(path: &Path) -> io::Result<Socket> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "a daemon with another store listens there"));
    }
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // Made under a name nobody asks for until its mode is right.
    let staging = path.with_extension("new");
    match std::fs::remove_file(&staging) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&staging)?;
    std::fs::set_permissions(&staging, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&staging, path)?;
    Ok(Socket { listener, file: SocketFile(path.to_owned()) })
}

/// Answers calls until `stop`; an answer under way then has a second to reach its client.
///
/// # Errors
/// When the socket fails.
pub async fn serve(socket: Socket, context: Context, stop: CancellationToken) -> io::Result<()> {
    let app = Router::new()
        .route(&format!("/v{VERSION}"), post(take))
        .route(&format!("/v{VERSION}/backup"), post(back_up))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(context);
    let served = axum::serve(socket.listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        sleep(GRACE).await;
    };
    // Both branches are cancel-safe: a connection that is cut off has had its time.
    let served = tokio::select! {
        served = served.into_future() => served,
        () = late => Ok(()),
    };
    drop(socket.file);
    served
}

async fn take(State(context): State<Context>, headers: HeaderMap, Json(call): Json<Call>) -> Json<Reply> {
    match other_store(&context, &headers) {
        Some(refusal) => Json(refusal),
        None => Json(super::answer::answer(&context, call).await),
    }
}

async fn back_up(State(context): State<Context>, headers: HeaderMap) -> Response {
    match other_store(&context, &headers) {
        Some(refusal) => Json(refusal).into_response(),
        None => backup::answer(&context).await,
    }
}

/// The refusal of a command that means another store.
fn other_store(context: &Context, headers: &HeaderMap) -> Option<Reply> {
    let named = headers.get(STORE_HEADER).map(|path| Path::new(OsStr::from_bytes(path.as_bytes())));
    let named = named.filter(|named| !same_place(named, &context.store_path))?.display();
    let kept = context.store_path.display();
    Some(super::answer::refused(format!(
        "the daemon that listens here keeps its store at `{kept}`, but this config names `{named}`: \
         pass the daemon's config with --config, or restart the daemon if the config was changed"
    )))
}

fn same_place(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
