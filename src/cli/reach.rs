//! Reaching the store: through the daemon when one runs, else directly.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::watch;

use super::At;
use crate::config::{self, Places};
use crate::control::answer::{self, Context};
use crate::control::client::{self, ClientError};
use crate::control::{Call, Reply};
use crate::daemon::clock;
use crate::daemon::station::OpenStation;
use crate::desk::Desk;

/// Makes a call to the daemon, or answers it here when none runs. The daemon is asked whatever the files on disk
/// say: it goes by the last good ones.
pub(super) async fn reach(at: &At, call: Call) -> anyhow::Result<Reply> {
    let Places { socket, store } = config::places(&at.path()?, &at.environment);
    if let Some(reply) = ask_daemon(&socket, Some(&store), &call).await? {
        return Ok(reply);
    }
    let own = Own::open(Arc::new(at.desk()?)).await?;
    let reply = answer::answer(&own.context, call).await;
    own.close().await?;
    Ok(reply)
}

/// The store for many calls by one who has loaded the config: the daemon's, or our own.
pub(super) enum Session {
    /// A daemon answers.
    Daemon {
        /// Where it listens.
        socket: PathBuf,
        /// The store that it must keep.
        store: PathBuf,
    },
    /// None runs.
    Own(Own),
}

impl Session {
    /// Finds out who answers. Opens the store when no daemon does.
    pub(super) async fn open(desk: &Arc<Desk>) -> anyhow::Result<Self> {
        let (socket, store) = (desk.config.control.socket.clone(), desk.config.store.path.clone());
        match ask_daemon(&socket, Some(&store), &Call::Status).await? {
            Some(Reply::Status(_)) => Ok(Self::Daemon { socket, store }),
            Some(other) => unexpected(other),
            None => Ok(Self::Own(Own::open(Arc::clone(desk)).await?)),
        }
    }

    /// Makes a call.
    pub(super) async fn call(&self, call: Call) -> anyhow::Result<Reply> {
        match self {
            Self::Own(own) => Ok(answer::answer(&own.context, call).await),
            Self::Daemon { socket, store } => {
                ask_daemon(socket, Some(store), &call).await?.context("the daemon has stopped: try again")
            }
        }
    }

    /// Lets go of the store.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Own(own) => own.close().await,
            Self::Daemon { .. } => Ok(()),
        }
    }
}

/// The store, held by this command.
pub(super) struct Own {
    context: Context,
    opened: OpenStation,
}

impl Own {
    async fn open(desk: Arc<Desk>) -> anyhow::Result<Self> {
        let store_path = desk.config.store.path.clone();
        // One that is in use belongs to a daemon that is just starting or stopping, or to another command.
        let opened = OpenStation::open(store_path.clone()).await?;
        let (_, desk) = watch::channel(desk);
        let context = Context { station: opened.station.clone(), store_path, desk, live: None };
        Ok(Self { context, opened })
    }

    async fn close(self) -> anyhow::Result<()> {
        drop(self.context);
        Ok(self.opened.close().await?)
    }
}

/// Keeps a fetcher of our own away from hosts that ordered everybody to wait, as far as the daemon or the store tells. Where
/// there is neither, or none that may be asked, nothing is known.
pub(super) async fn heed_orders(desk: &Arc<Desk>) {
    let (socket, store) = (&desk.config.control.socket, &desk.config.store.path);
    let reply = match ask_daemon(socket, Some(store), &Call::Orders).await {
        Ok(Some(reply)) => reply,
        Ok(None) => {
            let Ok(own) = Own::open(Arc::clone(desk)).await else { return };
            let reply = answer::answer(&own.context, Call::Orders).await;
            // Nothing was written that could be lost.
            drop(own.close().await);
            reply
        }
        Err(_) => return,
    };
    let Reply::Orders(orders) = reply else { return };
    let now = clock::now();
    for (host, until) in orders {
        desk.fetcher.hold(&host, Duration::try_from(until.duration_since(now)).unwrap_or_default());
    }
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

/// The error for a reply that is not to the call: a daemon of another version, a refusal, or what was asked is a mistake.
pub(super) fn unexpected<T>(reply: Reply) -> anyhow::Result<T> {
    if let Reply::Mistaken(mistake) = reply {
        return Err(mistake.into());
    }
    if let Reply::Refused { message } = reply {
        bail!(message);
    }
    bail!("the daemon answered something else: {reply:?}")
}
