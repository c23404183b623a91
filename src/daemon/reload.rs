//! Reload: the new set whole, or the old one stays and the error is told.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::live::{Live, ReloadOrder};
use super::station::Station;
use super::{DaemonError, clock, orphan, poller, sender, systemd};
use crate::config::{Environment, LogSettings};
use crate::control::api;
use crate::control::owed::owed;
use crate::desk::Desk;
use crate::fault;

/// Reload orders waiting: each is answered, so a few suffice.
pub const ORDERS_MAX: usize = 16;

/// The task that replaces what is in force.
pub struct Reloader {
    desk: watch::Sender<Arc<Desk>>,
    environment: Environment,
    station: Station,
    live: Live,
    hangup: Signal,
    fixed: Fixed,
}

/// What a reload cannot change: it was opened at the start.
#[derive(PartialEq)]
struct Fixed {
    store: PathBuf,
    socket: PathBuf,
    log: LogSettings,
}

impl Fixed {
    fn of(desk: &Desk) -> Self {
        let config = &desk.config;
        let (store, socket) = (config.store.path.clone(), config.control.socket.clone());
        Self { store, socket, log: config.log.clone() }
    }

    /// Tells which of it another config wants otherwise.
    fn warnings(&self, new: &Self) -> Vec<String> {
        let changed = [
            ("store.path", self.store != new.store),
            ("control.socket", self.socket != new.socket),
            ("log", self.log != new.log),
        ];
        let changed = changed.into_iter().filter(|(_, changed)| *changed);
        changed
            .map(|(key, _)| format!("{key}: the change takes effect when the daemon is restarted"))
            .collect()
    }
}

impl Reloader {
    /// Listens for SIGHUP.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn new(
        desk: watch::Sender<Arc<Desk>>,
        environment: Environment,
        station: Station,
        live: Live,
    ) -> Result<Self, DaemonError> {
        let hangup = signal(SignalKind::hangup())
            .map_err(|source| DaemonError::System { doing: "listen for SIGHUP", source })?;
        let fixed = Fixed::of(&desk.borrow());
        Ok(Self { desk, environment, station, live, hangup, fixed })
    }

    /// Reloads on every order and SIGHUP until `stop`.
    pub async fn run(mut self, mut orders: mpsc::Receiver<ReloadOrder>, stop: CancellationToken) {
        loop {
            // Every branch is cancel-safe: signals and `recv` lose nothing.
            tokio::select! {
                () = stop.cancelled() => return,
                Some(()) = self.hangup.recv() => drop(self.reload().await),
                order = orders.recv() => match order {
                    Some(reply) => drop(reply.send(self.reload().await)),
                    None => return,
                },
            }
        }
    }

    async fn reload(&self) -> api::Reload {
        systemd::reloading();
        let old = Arc::clone(&self.desk.borrow());
        let verdict = match self.load(&old).await {
            Ok(desk) => self.replace(Arc::new(desk)).await,
            Err(messages) => {
                error!("reload refused, the old config stays in force:\n{}", messages.join("\n"));
                api::Reload {
                    accepted: false,
                    messages,
                    sources: old.sources.len(),
                    rules: old.engine.rule_count(),
                }
            }
        };
        let refused = (!verdict.accepted).then(|| verdict.messages.join("\n"));
        self.live.reload_error.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&refused);
        systemd::ready(&self.desk.borrow(), refused.as_deref());
        verdict
    }

    /// Builds the new set; a failing rule test refuses it too.
    async fn load(&self, old: &Arc<Desk>) -> Result<Desk, Vec<String>> {
        let (path, environment, old) = (old.path.clone(), self.environment.clone(), Arc::clone(old));
        let load =
            move || Desk::load(&path, &environment, clock::now(), Some(&old)).and_then(Desk::deliverable);
        let loaded = tokio::task::spawn_blocking(load).await;
        let mut desk = match loaded {
            Ok(Ok(desk)) => desk,
            Ok(Err(problems)) => return Err(vec![problems.to_string()]),
            Err(panic) => return Err(vec![format!("reading the config ended in a bug: {panic}")]),
        };
        if !desk.failing_tests.is_empty() {
            return Err(desk.failing_tests.iter().map(ToString::to_string).collect());
        }
        desk.warnings.extend(self.fixed.warnings(&Fixed::of(&desk)));
        Ok(desk)
    }

    async fn replace(&self, desk: Arc<Desk>) -> api::Reload {
        info!(sources = desk.sources.len(), rules = desk.engine.rule_count(), "reloaded");
        let mut messages = desk.warnings.clone();
        messages.extend(self.given_up(&desk).await);
        // A task that has ended needs no new config.
        drop(self.live.sender.send(sender::Order::Desk(Arc::clone(&desk))).await);
        fault::point("reload");
        drop(self.live.poller.send(poller::Order::Desk(Arc::clone(&desk))).await);
        self.desk.send_replace(Arc::clone(&desk));
        api::Reload { accepted: true, messages, sources: desk.sources.len(), rules: desk.engine.rule_count() }
    }

    /// What waits for whoever is in the new set no more: the sender gives it up.
    async fn given_up(&self, desk: &Desk) -> Vec<String> {
        let owed = self.station.read(owed).await.unwrap_or_else(|fault| {
            warn!("what is owed is not known: {:#}", anyhow::Error::from(fault));
            Vec::new()
        });
        let told = orphan::told(desk, &owed).into_iter();
        told.map(|what| format!("given up: {what}; `harmattan outbox list --dead` lists it")).collect()
    }
}
