//! `harmattan sources list`: the state of each source on one screen.

use crate::cli::At;
use crate::cli::print::{Exit, json_lines, plain};
use crate::cli::reach::{reach, unexpected};
use crate::cli::table::Table;
use crate::control::{Call, Reply, api};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct List {
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
    /// Failing sources alone
    #[arg(long)]
    failing: bool,
}

pub(super) async fn list(at: &At, options: &List) -> anyhow::Result<Exit> {
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
    if let Some(last) = source.gone.last() {
        remarks.push(format!("{} messages gone from the preview, last {}", source.gone.len(), last.url));
    }
    if let Some(order) = source.not_before.filter(|order| Some(*order) >= source.due) {
        remarks.push(format!("its server ordered to wait until {}", short(order)));
    }
    remarks.join("; ")
}
