//! `harmattan sources`: the state of each, and polling one now.

use super::At;
use super::once::told;
use super::print::{Exit, json, json_lines, line, plain, talk};
use super::reach::{reach, unexpected};
use super::table::Table;
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
    /// List the sources and their state
    List(List),
    /// Poll a source now; its server's orders still hold
    Poll(Poll),
}

#[derive(Clone, Debug, clap::Args)]
struct List {
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
    /// Failing sources alone
    #[arg(long)]
    failing: bool,
}

#[derive(Clone, Debug, clap::Args)]
struct Poll {
    /// Name of the source
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn sources(at: &At, options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Some(Command::Poll(poll)) => poll_one(at, poll).await,
        Some(Command::List(options)) => list(at, options).await,
        None => list(at, &options.list).await,
    }
}

async fn list(at: &At, options: &List) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Sources).await?;
    let Reply::Sources(mut sources) = reply else { return unexpected(reply) };
    if options.failing {
        sources.retain(|source| source.reason.is_some());
    }
    if options.json {
        json_lines(&sources)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["source", "kind", "state", "items", "last new", "last poll", "next"]);
    let shown = |at: Option<jiff::Timestamp>| at.map_or_else(|| "-".to_owned(), short);
    for source in &sources {
        let cells = vec![
            source.name.clone(),
            crate::item::SourceKind::from(source.kind).as_str().to_owned(),
            source.state.clone(),
            source.items.to_string(),
            shown(source.last_new),
            shown(source.last_poll),
            shown(source.due),
        ];
        table.row(cells, &remark(source));
    }
    table.print()?;
    Ok(Exit::Done)
}

fn short(at: jiff::Timestamp) -> String {
    at.strftime("%m-%d %H:%MZ").to_string()
}

fn remark(source: &api::Source) -> String {
    let mut remarks = Vec::new();
    if let (Some(reason), Some(detail)) = (&source.reason, &source.detail) {
        remarks.push(format!("{reason} ({} polls): {}", source.failures, plain(detail, 80)));
    }
    if source.lost_last > 0 {
        remarks.push(format!("{} entries lost in the last reading", source.lost_last));
    }
    if let Some(order) = source.not_before.filter(|order| Some(*order) >= source.due) {
        remarks.push(format!("its server ordered to wait until {}", short(order)));
    }
    remarks.join("; ")
}

async fn poll_one(at: &At, options: &Poll) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Poll { source: options.name.clone() }).await?;
    let Reply::Poll(poll) = reply else { return unexpected(reply) };
    if options.json {
        json(&poll)?;
    } else {
        line(format!("{}: {}", poll.source, told(&poll)))?;
        for problem in &poll.problems {
            talk(format!("  {}", plain(problem, 200)));
        }
    }
    Ok(Exit::wrong_if(poll.failure.is_some()))
}
