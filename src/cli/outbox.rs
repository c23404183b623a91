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
    #[command(flatten)]
    filter: Filter,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, clap::Args)]
struct Drop {
    /// Ids of deliveries
    #[arg(value_name = "ID", required_unless_present = "dead")]
    ids: Vec<String>,
    /// All that are dead
    #[arg(long, conflicts_with = "ids")]
    dead: bool,
    #[command(flatten)]
    filter: Filter,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// Which deliveries are meant.
#[derive(Clone, Debug, Default, clap::Args)]
struct Filter {
    /// Only those of this notifier
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// Only those to this recipient
    #[arg(long, value_name = "NAME")]
    recipient: Option<String>,
    /// Only those in this state, such as held
    #[arg(long)]
    state: Option<String>,
}

impl Filter {
    fn fits(&self, delivery: &api::Delivery) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        fits(&self.notifier, &delivery.notifier)
            && fits(&self.recipient, &delivery.recipient)
            && fits(&self.state, &delivery.state)
    }

    fn is_any(&self) -> bool {
        self.notifier.is_some() || self.recipient.is_some() || self.state.is_some()
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
    let mut deliveries = ask(at, listing(options)).await?;
    deliveries.retain(|delivery| options.filter.fits(delivery));
    if options.json {
        json_lines(&deliveries)?;
    } else if deliveries.is_empty() {
        talk("nothing is owed");
    } else {
        print(&deliveries)?;
    }
    Ok(Exit::Done)
}

async fn retry(at: &At, options: &Retry) -> anyhow::Result<Exit> {
    let mut ids = options.ids.clone();
    if options.all && options.filter.is_any() {
        let listed = ask(at, Call::Outbox { state: OutboxFilter::Pending, limit: usize::MAX }).await?;
        ids.extend(listed.into_iter().filter(|row| options.filter.fits(row)).map(|row| row.id));
        if ids.is_empty() {
            talk("no such delivery is dead or waiting");
            return Ok(Exit::Done);
        }
    }
    let retried = ask(at, Call::Retry { ids }).await?;
    changed(&retried, options.json, ["is ready to be sent", "are ready to be sent"])
}

async fn drop_some(at: &At, options: &Drop) -> anyhow::Result<Exit> {
    let mut ids = options.ids.clone();
    if options.dead {
        let listed = ask(at, Call::Outbox { state: OutboxFilter::Dead, limit: usize::MAX }).await?;
        ids.extend(listed.into_iter().filter(|row| options.filter.fits(row)).map(|row| row.id));
        if ids.is_empty() {
            talk("no such delivery is dead");
            return Ok(Exit::Done);
        }
    }
    let dropped = ask(at, Call::Drop { ids }).await?;
    changed(&dropped, options.json, ["was dropped", "were dropped"])
}

/// Tells which deliveries were changed; `what` became of one, and of any other number.
fn changed(deliveries: &[api::Delivery], json: bool, what: [&str; 2]) -> anyhow::Result<Exit> {
    if json {
        json_lines(deliveries)?;
    } else {
        talk(counted(deliveries.len(), what));
    }
    Ok(Exit::Done)
}

fn counted(count: usize, [one, several]: [&str; 2]) -> String {
    if count == 1 { format!("1 delivery {one}") } else { format!("{count} deliveries {several}") }
}

async fn ask(at: &At, call: Call) -> anyhow::Result<Vec<api::Delivery>> {
    let reply = reach(at, call).await?;
    let Reply::Outbox(deliveries) = reply else { return unexpected(reply) };
    Ok(deliveries)
}

fn listing(list: &List) -> Call {
    let state = match (list.all, list.dead) {
        (true, _) => OutboxFilter::All,
        (_, true) => OutboxFilter::Dead,
        _ => OutboxFilter::Pending,
    };
    Call::Outbox { state, limit: list.limit }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_delivery_is_spoken_of_as_one() {
        let told = |count| counted(count, ["was dropped", "were dropped"]);
        assert_eq!(
            [0, 1, 2].map(told),
            ["0 deliveries were dropped", "1 delivery was dropped", "2 deliveries were dropped"]
        );
    }
}
