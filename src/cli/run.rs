//! `harmattan run`: the daemon.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{At, Exit};
use crate::daemon::{self, Start};
use crate::telemetry;

pub(super) async fn run(at: &At) -> anyhow::Result<Exit> {
    let desk = at.delivering_desk()?;
    telemetry::start(&desk.config.log);
    for warning in &desk.warnings {
        tracing::warn!("{warning}");
    }
    for failure in &desk.failing_tests {
        tracing::warn!("rule test fails: {failure}");
    }
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = async move {
        // `recv` is cancel-safe.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    daemon::run(Start { desk, environment: at.environment.clone() }, stop).await?;
    Ok(Exit::Done)
}
