//! Wiring: tasks, channels, signals, reload, systemd.
//!
//! Nine long-lived tasks sit in one set that [`run`] awaits: the poller, the fetcher of articles, the sender, the reporter, the control socket, the
//! reloader with SIGHUP, retention, the heartbeat and the watchdog. One that ends or panics ends the daemon, and
//! systemd starts it anew; the store makes that safe.

mod absence;
mod article;
pub mod articles;
pub mod ask;
mod begun;
mod beside;
mod calendar;
pub mod catchup;
pub mod channel;
pub mod clock;
pub mod conclusion;
mod decide;
pub mod deliver;
mod deserted;
mod failing;
mod gather;
mod heartbeat;
mod hold;
mod hush;
mod jam;
mod lane;
mod late;
mod learn;
pub mod live;
mod mirrored;
mod network;
pub mod once;
pub(crate) mod orphan;
mod past;
pub(crate) mod planned;
pub mod poll;
pub mod poller;
mod question;
mod read;
pub mod recall;
mod refusal;
mod release;
pub mod reload;
mod report;
mod rescue;
mod same;
pub mod sender;
mod shelf;
mod split;
pub mod station;
pub mod systemd;
mod thread;
pub mod unrecorded;
mod untold;
pub mod upkeep;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::Environment;
use crate::control::answer::Context;
use crate::control::server;
use crate::desk::Desk;
use crate::store::StoreError;
use articles::Articles;
use live::Live;
use poller::Poller;
use sender::Sender;
use station::{OpenStation, Station};
use unrecorded::Unrecorded;

/// How long deliveries under way may take to end after the stop signal: the promise is 30 s for all of the stop.
const DRAIN: Duration = Duration::from_secs(15);

/// Why the daemon could not run or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The control socket.
    #[error("cannot listen at `{path}`")]
    Socket {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A task ended that should not.
    #[error("the {0} ended unexpectedly")]
    TaskEnded(&'static str),
    /// The system refused a thread or a signal handler.
    #[error("cannot {doing}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What the daemon runs on.
pub struct Start {
    /// What is in force at the start.
    pub desk: Desk,
    /// Where config and secrets are read from at a reload.
    pub environment: Environment,
}

/// A task's name and how it ended.
type Ended = (&'static str, Result<(), DaemonError>);

/// Runs until `stop`, which a test can pull as well as a signal.
///
/// # Errors
/// When the store or the socket cannot be had, or a task ends.
pub async fn run(start: Start, stop: impl Future<Output = ()> + Send) -> Result<(), DaemonError> {
    let desk = Arc::new(start.desk);
    let path = desk.config.store.path.clone();
    let opened = OpenStation::serve(path.clone(), Arc::clone(&desk)).await?;
    let outcome = work(&opened.station, path, desk, start.environment, stop).await;
    let closed = opened.close().await;
    if let (Err(_), Err(fault)) = (&outcome, &closed) {
        error!("the store did not close in good order: {fault}");
    }
    outcome.and(closed.map_err(DaemonError::from))
}

async fn work(
    station: &Station,
    store_path: PathBuf,
    desk: Arc<Desk>,
    environment: Environment,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), DaemonError> {
    let (to_poller, poller_orders) = mpsc::channel(poller::ORDERS_MAX);
    let (to_sender, sender_orders) = mpsc::channel(sender::ORDERS_MAX);
    let (to_reloader, reload_orders) = mpsc::channel(reload::ORDERS_MAX);
    absence::note_start(station, clock::now()).await?;
    // The sender begins with what the store says is owed.
    drop(deserted::end(station, &desk, clock::now()).await);
    let unrecorded = Unrecorded::default();
    let sender = Sender::start(station.clone(), Arc::clone(&desk), unrecorded.clone()).await?;
    let poller = Poller::start(station.clone(), Arc::clone(&desk), to_sender.clone()).await?;
    let articles = Articles::start(station.clone(), Arc::clone(&desk)).await?;
    let article_alerts = to_sender.clone();
    let socket_path = desk.config.control.socket.clone();
    let socket = server::bind(&socket_path)
        .map_err(|source| DaemonError::Socket { path: socket_path.display().to_string(), source })?;
    let live = Live {
        started: clock::now(),
        poller: to_poller,
        sender: to_sender,
        reloader: to_reloader,
        reload_error: Arc::new(Mutex::new(None)),
        unrecorded,
    };
    let (desk_in, desk_out) = watch::channel(Arc::clone(&desk));
    let damaged = store_path.display().to_string();
    let context =
        Context { station: station.clone(), store_path, desk: desk_out.clone(), live: Some(live.clone()) };

    let halt = CancellationToken::new();
    let mut tasks: JoinSet<Ended> = JoinSet::new();
    tasks.spawn(named("poller", poller.run(poller_orders, halt.child_token())));
    let fetch = articles.run(desk_out.clone(), article_alerts, halt.child_token());
    tasks.spawn(named("fetcher of articles", fetch));
    let serve = server::serve(socket, context, halt.child_token());
    tasks.spawn(async move {
        let served = serve.await;
        ("control socket", served.map_err(|source| DaemonError::System { doing: "serve commands", source }))
    });
    let reloader = reload::Reloader::new(desk_in, environment, station.clone(), live.clone())?;
    tasks.spawn(named("reloader", reloader.run(reload_orders, halt.child_token())));
    let reports = report::run(station.clone(), desk_out.clone(), live.sender.clone(), halt.child_token());
    tasks.spawn(named("retention", upkeep::retain(station.clone(), desk_out.clone(), halt.child_token())));
    let beats = heartbeat::run(station.clone(), desk_out.clone(), live.clone(), halt.child_token());
    tasks.spawn(named("heartbeat", beats));
    tasks.spawn(named("watchdog", upkeep::prove(station.clone(), live, halt.child_token())));
    tasks.spawn(named("reporter", reports));
    tasks.spawn(named("sender", sender.run(sender_orders, halt.child_token())));

    systemd::ready(&desk, None);
    info!(sources = desk.sources.len(), rules = desk.engine.rule_count(), "running");
    let outcome = tokio::select! {
        () = stop => { info!("stopping"); Ok(()) }
        Some(ended) = tasks.join_next() => Err(early(ended)),
        // The next start looks into it, and puts another in its place where it is so.
        detail = station.damage() => {
            Err(StoreError::Damaged { path: damaged, detail }.into())
        }
    };
    systemd::stopping();
    halt.cancel();
    // What the sender does not begin any more lies in the store and is sent at the next start.
    if timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        warn!("what was under way did not end in time; deliveries are sent again at the next start");
        tasks.shutdown().await;
    }
    // Orders that came with the last answers outlive us too.
    let desk = Arc::clone(&desk_out.borrow());
    if let Err(fault) = station.save(&desk.fetcher).await {
        warn!("what servers ordered last could not be stored: {:#}", anyhow::Error::from(fault));
    }
    outcome
}

async fn named(name: &'static str, task: impl Future<Output = ()>) -> Ended {
    task.await;
    (name, Ok(()))
}

/// The error for a task that ended before the stop.
fn early(ended: Result<Ended, JoinError>) -> DaemonError {
    match ended {
        Ok((_, Err(fault))) => fault,
        Ok((name, Ok(()))) => DaemonError::TaskEnded(name),
        Err(panic) => {
            error!("a task ended in a bug: {panic}");
            DaemonError::TaskEnded("task")
        }
    }
}
