//! What systemd is told. Outside systemd every call does nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::debug;

use crate::desk::Desk;

/// How long a start that takes longer may be silent: opening a large store again is one step of it.
const PATIENCE: Duration = Duration::from_mins(10);

/// Ready: the store is open, the config in force, the tasks run. `refused` is why the last reload was refused.
pub fn ready(desk: &Desk, refused: Option<&str>) {
    let status = format!(
        "{} sources, {} rules, {} notifiers{}",
        desk.sources.len(),
        desk.engine.rule_count(),
        desk.notifiers.len(),
        // A status is one line.
        refused.and_then(|why| why.lines().next()).map_or_else(String::new, |why| {
            format!("; last reload refused, the old config stays in force: {why}")
        })
    );
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// How it is, in one line, until [`ready`] tells otherwise.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// The start takes longer, for this reason: systemd is to be patient for ten minutes more from now on.
pub fn delayed(reason: &str) {
    let patience = u32::try_from(PATIENCE.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::ExtendTimeoutUsec(patience), NotifyState::Status(reason)]);
}

/// A reload begins; [`ready`] ends it.
pub fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        states.push(now);
    }
    tell(&states);
}

/// The daemon is stopping.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Real progress was seen.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear of progress; `None` without a watchdog.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!("systemd was not told: {error}");
    }
}
