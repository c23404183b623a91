//! The daemon's tasks as others reach them: the control socket, the signals, the watchdog.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::unrecorded::Unrecorded;
use super::{poller, sender};
use crate::control::api;
use crate::item::SourceName;
use crate::outbox::Delivery;

/// A wish for a reload and where its verdict goes.
pub type ReloadOrder = oneshot::Sender<api::Reload>;

/// Handles of the running tasks.
#[derive(Clone)]
pub struct Live {
    /// When the daemon started.
    pub started: Timestamp,
    /// The poller's orders.
    pub poller: mpsc::Sender<poller::Order>,
    /// The sender's orders.
    pub sender: mpsc::Sender<sender::Order>,
    /// The reloader's orders.
    pub reloader: mpsc::Sender<ReloadOrder>,
    /// Why the last reload was refused.
    pub reload_error: Arc<Mutex<Option<String>>>,
    /// What left without a record while the disk refused it.
    pub unrecorded: Unrecorded,
}

impl Live {
    /// Polls a source now; `None` when the daemon is stopping.
    pub async fn poll(&self, source: SourceName) -> Option<api::Poll> {
        let (reply, report) = oneshot::channel();
        self.poller.send(poller::Order::PollNow(source, reply)).await.ok()?;
        report.await.ok()
    }

    /// Hands deliveries to the sender. When it has ended they wait in the store for the next start.
    pub async fn owe(&self, deliveries: Vec<Delivery>) {
        drop(self.sender.send(sender::Order::Owed(deliveries)).await);
    }

    /// The same with what is to be tried at once, asked for by hand.
    pub async fn retry(&self, deliveries: Vec<Delivery>) {
        drop(self.sender.send(sender::Order::Retry(deliveries)).await);
    }

    /// Reloads and waits for the verdict; `None` when the daemon is stopping.
    pub async fn reload(&self) -> Option<api::Reload> {
        let (reply, verdict) = oneshot::channel();
        self.reloader.send(reply).await.ok()?;
        verdict.await.ok()
    }

    /// Whether poller and sender answer. Waits until they do.
    pub async fn is_alive(&self) -> bool {
        let (to_poller, from_poller) = oneshot::channel();
        let (to_sender, from_sender) = oneshot::channel();
        let asked = self.poller.send(poller::Order::Ping(to_poller)).await.is_ok()
            && self.sender.send(sender::Order::Ping(to_sender)).await.is_ok();
        asked && from_poller.await.is_ok() && from_sender.await.is_ok()
    }

    /// Why the last reload was refused.
    pub fn reload_error(&self) -> Option<String> {
        self.reload_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
