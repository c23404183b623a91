//! `harmattan once`: one round, for cron and for trying out.

use std::sync::Arc;

use super::print::{counted, json_lines, line, plain, talk};
use super::{At, Exit};
use crate::control::api;
use crate::daemon::once::{self, Done, Round};
use crate::daemon::station::OpenStation;
use crate::schedule;
use crate::telemetry;

/// The outcome of a poll whose items are taken as they are.
const BASELINE: &str = "baseline";

const ITEMS: [&str; 2] = ["item", "items"];
const ALERTS: [&str; 2] = ["alert", "alerts"];

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
        let new = sum(|poll| if poll.outcome == BASELINE { 0 } else { poll.new });
        let baselines = match sum(|poll| if poll.outcome == BASELINE { poll.items } else { 0 }) {
            0 => String::new(),
            items => format!(", {} in baselines", counted(items, ITEMS)),
        };
        line(format!(
            "{} polled, {failed} failed; {}{baselines}, {}, {} recorded; {}, {} held, {} dead",
            reports.len(),
            counted(new, ["new item", "new items"]),
            counted(sum(|poll| poll.alerts) + articles.alerts, ALERTS),
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
        BASELINE => {
            let items = counted(poll.items, ITEMS);
            format!("baseline of {items}, {} of which would have alerted", poll.baseline_fired)
        }
        "unchanged" => "unchanged".to_owned(),
        "waiting" if poll.due == Some(schedule::NEVER) => {
            "not asked: its server says that it is gone for good".to_owned()
        }
        "waiting" if !poll.problems.is_empty() => "not asked: it is too soon".to_owned(),
        "waiting" => "not asked: its server ordered to wait".to_owned(),
        _ => {
            let (items, alerts) = (counted(poll.items, ITEMS), counted(poll.alerts, ALERTS));
            format!("{items}, {} new, {} edited, {alerts}", poll.new, poll.edited)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_told_in_words() {
        let poll = |outcome: &str| api::Poll { outcome: outcome.to_owned(), ..api::Poll::default() };
        for (poll, expected) in [
            (api::Poll { items: 1, ..poll("baseline") }, "baseline of 1 item, 0 of which would have alerted"),
            (api::Poll { items: 2, new: 1, alerts: 1, ..poll("read") }, "2 items, 1 new, 0 edited, 1 alert"),
            (poll("read"), "0 items, 0 new, 0 edited, 0 alerts"),
            (poll("unchanged"), "unchanged"),
            (poll("waiting"), "not asked: its server ordered to wait"),
            (api::Poll { problems: vec!["x".to_owned()], ..poll("waiting") }, "not asked: it is too soon"),
            (
                api::Poll { due: Some(schedule::NEVER), ..poll("waiting") },
                "not asked: its server says that it is gone for good",
            ),
            (api::Poll { failure: Some("http: 404".to_owned()), ..poll("failed") }, "failed: http: 404"),
        ] {
            assert_eq!(told(&poll), expected);
        }
    }
}
