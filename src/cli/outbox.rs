//! `harmattan outbox`: what is owed, and trying it again.

use super::At;
use super::print::{Exit, counted, json_lines, talk};
use super::reach::{reach, unexpected};
use super::table::Table;
use crate::control::api::{Only, OutboxFilter};
use crate::control::call::WAITING;
use crate::control::{Call, Reply, api};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List deliveries that wait or are dead
    List(List),
    /// Try deliveries again at once: those named, or all that are dead or waiting
    Retry(Retry),
    /// Drop deliveries: what waits is not sent, what is dead is no longer listed
    Drop(Drop),
}

#[derive(Clone, Debug, clap::Args)]
struct List {
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
    /// Delivered ones too
    #[arg(long, conflicts_with = "dead")]
    all: bool,
    /// Dead ones alone
    #[arg(long)]
    dead: bool,
    #[command(flatten)]
    filter: Filter,
    /// At most so many that are owed still, oldest first, and as many that are closed, newest first
    #[arg(long, default_value_t = 1000, value_name = "N")]
    limit: usize,
}

#[derive(Clone, Debug, clap::Args)]
struct Retry {
    /// Ids of deliveries
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "filter")]
    ids: Vec<String>,
    /// All that are dead or waiting; what is held only with `--state held`
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    #[command(flatten)]
    filter: Filter,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, clap::Args)]
struct Drop {
    /// Ids of deliveries
    #[arg(value_name = "ID", required_unless_present_any = ["dead", "all"], conflicts_with = "filter")]
    ids: Vec<String>,
    /// All that are dead
    #[arg(long, conflicts_with_all = ["ids", "all"])]
    dead: bool,
    /// All that are owed still or dead and fit; it must be said which, such as --notifier NAME
    #[arg(long, conflicts_with = "ids", requires = "filter")]
    all: bool,
    #[command(flatten)]
    filter: Filter,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// What `--state` may say.
const STATES: [&str; 9] =
    [WAITING, "held", "ready", "attempted", "retrying", "delivered", "bundled", "dead", "dropped"];

/// Which deliveries are meant.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "filter", multiple = true)]
struct Filter {
    /// Only those of this notifier
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// Only those to this recipient
    #[arg(long, value_name = "NAME")]
    recipient: Option<String>,
    /// Only those in this state; waiting: all that are owed still and not held
    #[arg(long, value_parser = STATES)]
    state: Option<String>,
}

impl From<Filter> for Only {
    fn from(Filter { notifier, recipient, state }: Filter) -> Self {
        Self { notifier, recipient, state }
    }
}

pub(super) async fn outbox(at: &At, options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Some(Command::Retry(options)) => retry(at, options).await,
        Some(Command::Drop(options)) => drop_some(at, options).await,
        Some(Command::List(list)) => show(at, list).await,
        None => show(at, &options.list).await,
    }
}

async fn show(at: &At, options: &List) -> anyhow::Result<Exit> {
    let deliveries = ask(at, listing(options)).await?;
    if options.json {
        json_lines(&deliveries)?;
    } else if deliveries.is_empty() {
        talk("nothing is owed");
    } else {
        print(&deliveries)?;
    }
    if is_cut(&deliveries, options.limit) {
        talk(format!("at most {} owed and {0} closed ones are listed; `--limit` lists more", options.limit));
    }
    Ok(Exit::Done)
}

/// Whether there may be more than was listed.
fn is_cut(deliveries: &[api::Delivery], limit: usize) -> bool {
    let is_closed =
        |row: &&api::Delivery| matches!(row.state.as_str(), "delivered" | "bundled" | "dead" | "dropped");
    let closed = deliveries.iter().filter(is_closed).count();
    closed >= limit || deliveries.len() - closed >= limit
}

async fn retry(at: &At, options: &Retry) -> anyhow::Result<Exit> {
    let call = if options.all {
        Call::RetryAll { only: options.filter.clone().into() }
    } else {
        Call::Retry { ids: options.ids.clone() }
    };
    let retried = ask(at, call).await?;
    changed(&retried, options.json, ["delivery is ready to be sent", "deliveries are ready to be sent"])
}

async fn drop_some(at: &At, options: &Drop) -> anyhow::Result<Exit> {
    let only = || options.filter.clone().into();
    let call = match (options.dead, options.all) {
        (true, _) => Call::DropDead { only: only() },
        (false, true) => Call::DropAll { only: only() },
        (false, false) => Call::Drop { ids: options.ids.clone() },
    };
    let dropped = ask(at, call).await?;
    changed(&dropped, options.json, ["delivery was dropped", "deliveries were dropped"])
}

/// Tells which deliveries were changed; `what` is said of one, and of any other number.
fn changed(deliveries: &[api::Delivery], json: bool, what: [&str; 2]) -> anyhow::Result<Exit> {
    if json {
        json_lines(deliveries)?;
    } else {
        talk(counted(deliveries.len(), what));
    }
    Ok(Exit::Done)
}

async fn ask(at: &At, call: Call) -> anyhow::Result<Vec<api::Delivery>> {
    let reply = reach(at, call).await?;
    let Reply::Outbox(deliveries) = reply else { return unexpected(reply) };
    Ok(deliveries)
}

fn listing(list: &List) -> Call {
    // Whoever asks for those that are closed means them.
    let is_closed = matches!(list.filter.state.as_deref(), Some("delivered" | "bundled" | "dropped"));
    let state = match (list.all || is_closed, list.dead) {
        (_, true) => OutboxFilter::Dead,
        (true, _) => OutboxFilter::All,
        _ => OutboxFilter::Pending,
    };
    Call::Outbox { state, only: list.filter.clone().into(), limit: list.limit }
}

/// A table of deliveries.
pub(super) fn print(deliveries: &[api::Delivery]) -> anyhow::Result<()> {
    let mut table = Table::new(&["created", "state", "tried", "at", "notifier", "recipient", "id"]);
    for delivery in deliveries {
        let cells = vec![
            delivery.created.strftime("%m-%d %H:%MZ").to_string(),
            delivery.state.clone(),
            delivery.attempts.to_string(),
            delivery.at.map(|at| at.strftime("%m-%d %H:%MZ").to_string()).unwrap_or_default(),
            delivery.notifier.clone(),
            delivery.recipient.clone(),
            delivery.id.clone(),
        ];
        table.row(cells, delivery.reason.as_deref().unwrap_or_default());
    }
    table.print()
}
