//! `harmattan alerts`: what was told, what was only recorded.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use super::export::Export;
use super::print::{Exit, json, json_lines, line, plain, talk};
use super::reach::{reach, unexpected};
use super::table::Table;
use super::{At, export, outbox};
use crate::control::{Call, Reply, api};
use crate::daemon::clock;
use crate::wire::alert::Rule;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the newest alerts
    List(List),
    /// Show one alert: what it says, and its deliveries
    Show(Show),
    /// Write alerts as JSON Lines, CSV or a timeline in Markdown, oldest first
    Export(Export),
}

#[derive(Clone, Debug, clap::Args)]
struct List {
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
    /// Only alerts of the last so long, such as 36h
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
}

#[derive(Clone, Debug, clap::Args)]
struct Show {
    /// Its id
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints an alert as a mail would tell it, and what became of it.
async fn show(at: &At, options: &Show) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Alert { id: options.id.clone() }).await?;
    let Reply::Alert(shown) = reply else { return unexpected(reply) };
    if options.json {
        json(&shown)?;
        return Ok(Exit::Done);
    }
    line(shown.says.trim_end())?;
    line(format!("\n{}, {}", shown.alert.kind, fate(&shown.alert)))?;
    if let Some(silence) = &shown.alert.silence {
        line(format!("silenced by {silence}"))?;
    }
    if !shown.deliveries.is_empty() {
        outbox::print(&shown.deliveries)?;
    }
    Ok(Exit::Done)
}

pub(super) async fn alerts(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let list = match &options.command {
        Some(Command::Show(options)) => return show(at, options).await,
        Some(Command::Export(options)) => return export::export(at, options).await,
        Some(Command::List(list)) => list,
        None => &options.list,
    };
    let since = list.since.as_deref().map(since).transpose()?;
    let reply = reach(at, Call::Alerts { since, limit: list.limit, after: None }).await?;
    let Reply::Alerts(alerts) = reply else { return unexpected(reply) };
    if list.json {
        json_lines(&alerts)?;
        return Ok(Exit::Done);
    }
    if alerts.is_empty() {
        talk("no alerts");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["created", "severity", "", "source", "rules", "id"]);
    for alert in alerts {
        let item = &alert.alert.item.item;
        let head = if item.title.is_empty() { &item.text } else { &item.title };
        let rules: Vec<String> =
            alert.alert.rules.iter().map(|rule| name(rule, &alert.disposition)).collect();
        let cells = vec![
            alert.created.strftime("%Y-%m-%d %H:%MZ").to_string(),
            alert.alert.severity.clone(),
            fate(&alert),
            item.source.clone().unwrap_or_default(),
            rules.join(","),
            alert.alert.id.clone(),
        ];
        table.row(cells, &plain(head, 90));
    }
    table.print()?;
    Ok(Exit::Done)
}

/// What became of an alert; of one that is to be sent also what it waits for, and whether it was given up.
pub(super) fn fate(alert: &api::Alert) -> String {
    match (&alert.held, &alert.undelivered) {
        (Some(held), _) => format!("held ({} until {})", held.reason, held.until.strftime("%m-%d %H:%MZ")),
        (None, Some(undelivered)) => undelivered.clone(),
        (None, None) if alert.alert.possible_duplicate => format!("{}, perhaps again", alert.disposition),
        (None, None) => alert.disposition.clone(),
    }
}

/// A rule's name, and why it is not told of where that is not what became of the whole alert.
fn name(rule: &Rule, disposition: &str) -> String {
    match rule.untold().filter(|untold| *untold != disposition) {
        Some(untold) => format!("{} ({untold})", rule.name),
        None => rule.name.clone(),
    }
}

/// The time so long ago as `text` says.
pub(super) fn since(text: &str) -> anyhow::Result<Timestamp> {
    let age =
        crate::config::duration(text).with_context(|| format!("`{text}` is no duration such as 36h"))?;
    let age = SignedDuration::try_from(age)?;
    Ok(clock::now().checked_sub(age)?)
}
