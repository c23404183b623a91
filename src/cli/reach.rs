//! Reaching the store: through the daemon when one runs, else directly.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::sync::watch;

use super::At;
use crate::config::{self, Places};
use crate::control::answer::{self, Context};
use crate::control::client::{self, ClientError};
use crate::control::{Call, Reply};
use crate::daemon::station::OpenStation;

/// Makes a call to the daemon, or answers it here when none runs. The daemon is asked whatever the files on disk
/// say: it goes by the last good ones.
pub(super) async fn reach(at: &At, call: Call) -> anyhow::Result<Reply> {
    let Places { socket, store } = config::places(&at.path()?, &at.environment);
    if let Some(reply) = ask_daemon(&socket, Some(&store), &call).await? {
        return Ok(reply);
    }
    let desk = at.desk()?;
    let store_path = desk.config.store.path.clone();
    // One that is in use belongs to a daemon that is just starting or stopping, or to another command.
    let opened = OpenStation::open(store_path.clone()).await?;
    let (_, desk) = watch::channel(Arc::new(desk));
    let context = Context { station: opened.station.clone(), store_path, desk, live: None };
    let reply = answer::answer(&context, call).await;
    drop(context);
    opened.close().await?;
    Ok(reply)
}

/// What the daemon says; `None` when none listens.
pub(super) async fn ask_daemon(
    socket: &Path,
    store: Option<&Path>,
    call: &Call,
) -> anyhow::Result<Option<Reply>> {
    match client::call(socket, store, call).await {
        Ok(reply) => Ok(Some(reply)),
        Err(ClientError::NoDaemon(_)) => Ok(None),
        Err(error @ ClientError::Forbidden(_)) => {
            Err(error).context("run the command as the daemon's user, or as root")
        }
        Err(error) => Err(error.into()),
    }
}

/// The error for a reply that is not to the call: a daemon of another version, or a refusal.
pub(super) fn unexpected<T>(reply: Reply) -> anyhow::Result<T> {
    if let Reply::Refused { message } = reply {
        bail!(message);
    }
    bail!("the daemon answered something else: {reply:?}")
}
