//! Logs: to the journal under systemd, readable on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{LogFormat, LogSettings};

/// Starts the daemon's log as configured. A second start does nothing.
pub fn start(settings: &LogSettings) {
    start_with(settings, automatic);
}

/// The same for a command that ends by itself: its log is read by whoever called it, on a terminal or in cron's mail.
pub fn start_command(settings: &LogSettings) {
    start_with(settings, lines);
}

fn start_with(settings: &LogSettings, automatic: fn() -> Boxed) {
    let layer = match settings.format {
        LogFormat::Journald => journal().unwrap_or_else(lines),
        LogFormat::Human => lines(),
        LogFormat::Json => json(),
        LogFormat::Auto => automatic(),
    };
    let filter = tracing_subscriber::filter::Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("harmattan", settings.level);
    // Only a test starts twice in one process.
    drop(Registry::default().with(layer.with_filter(filter)).try_init());
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

fn automatic() -> Boxed {
    // Under systemd stderr is the journal's socket, which is no terminal.
    if io::stderr().is_terminal() {
        return lines();
    }
    // Set by systemd for what it starts with its output in the journal (systemd.exec(5)).
    let in_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    in_journal.then(journal).flatten().unwrap_or_else(json)
}

fn journal() -> Option<Boxed> {
    tracing_journald::layer().ok().map(|layer| layer.with_field_prefix(None).boxed())
}

fn lines() -> Boxed {
    let colours = io::stderr().is_terminal();
    fmt::layer().with_writer(io::stderr).with_ansi(colours).with_target(false).boxed()
}

fn json() -> Boxed {
    fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed()
}
