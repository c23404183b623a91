//! The command line: one file per command, and all printing.

mod alerts;
mod backtest;
mod check;
mod completions;
mod demo;
mod explain;
mod export;
mod history;
mod man;
mod marked;
mod matching;
mod once;
mod outbox;
mod preview;
mod print;
mod reach;
mod reload;
mod routes;
mod run;
mod send_test;
mod silence;
mod sources;
mod status;
mod store;
mod table;
mod tally;
mod test;
mod trial;
mod unsent;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, ConfigError, Environment};
use crate::daemon::clock;
use crate::desk::Desk;

pub use print::{Exit, hint};

/// Watches news feeds and Telegram channels by rules, and alerts by mail and webhook.
#[derive(Debug, Parser)]
#[command(name = "harmattan", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Exit codes: 0 done · 1 done, and found something wrong · 2 usage · 74 could not be done · \
                          75 store in use · 78 config refused.\n\
                          Try `harmattan demo` first: it needs no network and no set-up.";

#[derive(Debug, Args)]
struct Global {
    /// Config file [default: `$HARMATTAN_CONFIG`, ./config/harmattan.toml, /etc/harmattan/harmattan.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: poll, match, alert, until SIGTERM
    Run,
    /// Poll every due source once, deliver what is due, print a summary, exit
    Once(once::Options),
    /// Show the whole program at work on loopback: no network, no set-up
    Demo(demo::Options),
    /// Validate config, rules, secrets and rule tests; creates and changes nothing
    Check(check::Options),
    /// Run the tests that live with the rules
    Test(test::Options),
    /// Judge items: JSON Lines in, JSON Lines of verdicts out; no store, no network
    Match(matching::Options),
    /// Show what would be read from a feed, channel or page; nothing is stored
    Preview(preview::Options),
    /// Tell why each rule did or did not fire on an item
    Explain(explain::Options),
    /// Try the rules on disk on what is stored: what would be added, what removed
    Backtest(backtest::Options),
    /// List the sources and their state, add one, poll one now, exchange them as OPML
    Sources(sources::Options),
    /// List the alerts
    Alerts(alerts::Options),
    /// List deliveries, or try them again
    Outbox(outbox::Options),
    /// List the routes, or tell where an alert would go
    Routes(routes::Options),
    /// Be told nothing of a rule, an entity, a source or a story for a while
    Silence(silence::Options),
    /// Send a test message through the notifiers
    SendTest(send_test::Options),
    /// Tell how the daemon and its store are
    ///
    /// Ends with 1 when there is something to look at: no daemon runs, a source or a notifier fails, a delivery is tried again
    /// after a failure or is dead, the last reload was refused, a rule's test fails, a stored value is damaged. A dead delivery
    /// counts until it is sent again (`outbox retry`) or dropped (`outbox drop`).
    Status(status::Options),
    /// Tell the store's size, verify it, back it up, restore it, compact it
    Store(store::Options),
    /// Make the daemon read its config again, and wait for the verdict
    Reload(reload::Options),
    /// Print a completion script for a shell
    Completions(completions::Options),
    /// Write the manual pages into a folder
    Man(man::Options),
}

/// Runs the command that the command line names.
///
/// # Errors
/// When it could not be done; the exit code is in [`Exit::of`].
pub async fn main(cli: Cli) -> anyhow::Result<Exit> {
    let at = At { config: cli.global.config, environment: Environment::from_process() };
    match cli.command {
        Command::Run => run::run(&at).await,
        Command::Once(options) => once::once(&at, &options).await,
        Command::Demo(options) => demo::demo(&options).await,
        Command::Check(options) => check::check(&at, &options).await,
        Command::Test(options) => test::test(&at, &options),
        Command::Match(options) => matching::matching(&at, &options),
        Command::Preview(options) => preview::preview(&at, &options).await,
        Command::Explain(options) => explain::explain(&at, &options).await,
        Command::Backtest(options) => backtest::backtest(&at, &options).await,
        Command::Sources(options) => sources::sources(&at, &options).await,
        Command::Alerts(options) => alerts::alerts(&at, &options).await,
        Command::Outbox(options) => outbox::outbox(&at, &options).await,
        Command::Routes(options) => routes::routes(&at, &options).await,
        Command::Silence(options) => silence::silence(&at, &options).await,
        Command::SendTest(options) => send_test::send_test(&at, &options).await,
        Command::Status(options) => status::status(&at, &options).await,
        Command::Store(options) => store::store(&at, &options).await,
        Command::Reload(options) => reload::reload(&at, &options).await,
        Command::Completions(options) => completions::completions(&options),
        Command::Man(options) => man::man(&options),
    }
}

/// Where a command finds its config and secrets.
#[derive(Debug)]
struct At {
    config: Option<PathBuf>,
    environment: Environment,
}

impl At {
    /// The config file by the order of precedence.
    fn path(&self) -> Result<PathBuf, ConfigError> {
        config::locate(self.config.as_deref(), self.environment.variable("HARMATTAN_CONFIG").as_deref())
    }

    /// Everything that the config describes.
    fn desk(&self) -> anyhow::Result<Desk> {
        Ok(Desk::load(&self.path()?, &self.environment, clock::now(), None)?)
    }

    /// The same for who means to deliver: every notifier must be there.
    fn delivering_desk(&self) -> anyhow::Result<Desk> {
        Ok(self.desk()?.deliverable()?)
    }
}
