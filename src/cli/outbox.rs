//! `harmattan outbox`: what is owed, and trying it again.

use super::At;
use super::print::{Exit, json_lines, talk};
use super::reach::{reach, unexpected};
use super::table::Table;
use crate::control::api::OutboxFilter;
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
    /// At most so many that are closed
    #[arg(long, default_value_t = 1000, value_name = "N")]
    limit: usize,
}

#[derive(Clone, Debug, clap::Args)]
struct Retry {
    /// Ids of deliveries
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// All that are dead or waiting
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

pub(super) async fn outbox(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let (call, json) = match &options.command {
        Some(Command::Retry(retry)) => (Call::Retry { ids: retry.ids.clone() }, retry.json),
        Some(Command::List(list)) => (listing(list), list.json),
        None => (listing(&options.list), options.list.json),
    };
    let retried = matches!(call, Call::Retry { .. });
    let reply = reach(at, call).await?;
    let Reply::Outbox(deliveries) = reply else { return unexpected(reply) };
    if json {
        json_lines(&deliveries)?;
    } else if retried {
        talk(format!("{} deliveries are ready to be sent", deliveries.len()));
    } else if deliveries.is_empty() {
        talk("nothing is owed");
    } else {
        print(&deliveries)?;
    }
    Ok(Exit::Done)
}

fn listing(list: &List) -> Call {
    let state = match (list.all, list.dead) {
        (true, _) => OutboxFilter::All,
        (_, true) => OutboxFilter::Dead,
        _ => OutboxFilter::Pending,
    };
    Call::Outbox { state, limit: list.limit }
}

fn print(deliveries: &[api::Delivery]) -> anyhow::Result<()> {
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
