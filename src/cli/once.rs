//! `harmattan once`: one round, for cron and for trying out.

use std::sync::Arc;

use super::print::{counted, json_lines, line, plain, talk};
use super::{At, Exit};
use crate::control::api;
use crate::daemon::once::{self, Done, Round};
use crate::daemon::station::OpenStation;
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Poll sources that are not due too; servers' orders and `host_gap` still hold
    #[arg(long)]
    all: bool,
    /// Print each poll as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn once(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let desk = Arc::new(at.delivering_desk()?);
    telemetry::start_command(&desk.config.log);
    let opened = OpenStation::serve(desk.config.store.path.clone(), Arc::clone(&desk)).await?;
    let round = if options.all { Round::All } else { Round::Due };
    let mut done = 0_usize;
    let progress = |poll: &api::Poll| {
        done += 1;
        if !options.json {
            talk(format!("{done}: {} {}", poll.source, told(poll)));
        }
    };
    let Done { polls: reports, articles } = once::once(&opened.station, &desk, round, progress).await?;
    let left = opened.station.read(|store| store.stats()).await?;
    opened.close().await?;
    let failed = reports.iter().filter(|poll| poll.failure.is_some()).count();
    if options.json {
        json_lines(&reports)?;
    } else {
        let sum =
            |count: fn(&api::Poll) -> u32| reports.iter().map(|poll| count(poll) as usize).sum::<usize>();
        line(format!(
            "{} polled, {failed} failed; {} new items, {} alerts, {} recorded; {}, {} held, {} dead",
            reports.len(),
            sum(|poll| poll.new),
            sum(|poll| poll.alerts) + articles.alerts,
            sum(|poll| poll.recorded) + articles.recorded,
            counted(left.deliveries_open, ["delivery waiting", "deliveries waiting"]),
            left.deliveries_held,
            left.deliveries_dead,
        ))?;
    }
    Ok(Exit::wrong_if(failed > 0 || left.deliveries_dead > 0 || left.deliveries_open > 0))
}

/// What a poll came to, in words.
pub(super) fn told(poll: &api::Poll) -> String {
    if let Some(failure) = &poll.failure {
        return format!("failed: {}", plain(failure, 300));
    }
    match poll.outcome.as_str() {
        "baseline" => {
            format!("baseline of {} items, {} of which would have alerted", poll.items, poll.baseline_fired)
        }
        "unchanged" => "unchanged".to_owned(),
        "waiting" if !poll.problems.is_empty() => "not asked: it is too soon".to_owned(),
        "waiting" => "not asked: its server ordered to wait".to_owned(),
        _ => {
            format!("{} items, {} new, {} edited, {} alerts", poll.items, poll.new, poll.edited, poll.alerts)
        }
    }
}
