//! `harmattan backtest`: what the rules on disk would have made of what is stored.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::At;
use super::alerts::since;
use super::history;
use super::print::{Exit, json as print_json, line, plain, progress};
use super::reach::Session;
use super::send_test::outcome;
use super::table::Table;
use super::tally::{Change, DayCount, LISTED_MAX, Listed, Row, RuleCount, Tally};
use super::trial::{self, Lost};
use super::unsent::Unsent;
use crate::desk::Desk;
use crate::rules::spec::{Mode, Severity};
use crate::store::{Day, StoredItem};

/// Items of a list that are printed; the rest is counted.
const PRINTED_MAX: usize = 10;

/// Instead of the mode of a rule that has alerted and is on disk no more.
const GONE: &str = "gone";

/// What cannot be told.
const AFTER_HELP: &str = "Added is an item on which a live rule fires now and no alert is recorded; removed, one that \
                          has an alert and on which none fires now. Items of a baseline are remembered by their keys \
                          alone and cannot be judged; texts are stored up to 8 KiB. Whether an added alert would have \
                          joined a story told already is not looked at.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Items first seen in the last so long, such as 36h, counted from the beginning of that day (UTC)
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    since: String,
    /// Deliver the added ones, but for stale ones, as one digest through every notifier: once, not tried again
    #[arg(long)]
    send: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn backtest(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let since = since(&options.since)?;
    let desk = Arc::new(at.desk()?);
    let session = Session::open(&desk).await?;
    let done = async {
        let mut unsent = Unsent::new(options.send);
        let tally = run(&session, &desk, since, &mut unsent).await?;
        let sent = unsent.send(&session).await?;
        anyhow::Ok((tally, sent))
    };
    let done = done.await;
    session.close().await?;
    let (tally, sent) = done?;
    if options.json {
        let mut told = value(&tally, &desk, Day::of(since));
        if options.send {
            told["sent"] = serde_json::to_value(&sent)?;
        }
        print_json(&told)?;
    } else {
        print(&tally, &desk, Day::of(since))?;
        if options.send {
            line(if sent.is_empty() { "\nnothing to send" } else { "\nsent once, not tried again" })?;
            sent.iter().map(outcome).try_for_each(line)?;
        }
    }
    Ok(Exit::wrong_if(sent.iter().any(|sent| !sent.accepted)))
}

async fn run(session: &Session, desk: &Desk, since: Timestamp, unsent: &mut Unsent) -> anyhow::Result<Tally> {
    let alerted = history::alerted(session, since).await?;
    let max_age = desk.config.alerts.max_age;
    let mut tally = Tally::default();
    let take = |stored: StoredItem| {
        let judged = trial::judge(desk, &stored.item);
        let change = tally.take(&stored, &judged, alerted.get(&stored.item.id), max_age);
        if change == (Change::Added { stale: false }) {
            unsent.take(desk, stored, judged.verdict);
        }
        ControlFlow::Continue(())
    };
    let walked =
        history::items(session, since, take, |shown| progress(format!("{shown} items judged"))).await;
    progress("");
    walked.map(|()| tally)
}

fn print(tally: &Tally, desk: &Desk, first: Day) -> anyhow::Result<()> {
    let (items, rules) = (tally.items, desk.engine.rule_count());
    line(format!("{items} items first seen since {}, {rules} rules on disk", date(first)))?;
    list("added", &tally.added)?;
    list("removed", &tally.removed)?;
    lost(&tally.lost)?;
    if tally.not_compared > 0 {
        let count = tally.not_compared;
        line(format!("\n{count} alerts not compared: their rules saw more of the text than is stored"))?;
    }
    // What sums it up stands last, where a terminal shows it.
    for table in [by_rule(tally, desk), days(tally)].into_iter().flatten() {
        line("")?;
        table.print()?;
    }
    Ok(())
}

/// Alerts a day, before and after.
fn days(tally: &Tally) -> Option<Table> {
    let mut table = Table::new(&["day", "items", "alerts before", "after", "added", "removed"]);
    let cells = |name: String, count: DayCount| {
        let DayCount { items, before, after, added, removed } = count;
        std::iter::once(name).chain([items, before, after, added, removed].map(|n| n.to_string())).collect()
    };
    for (day, count) in &tally.days {
        table.row(cells(date(*day), *count), "");
    }
    if tally.days.len() > 1 {
        table.row(cells("all".to_owned(), tally.total()), "");
    }
    (!tally.days.is_empty()).then_some(table)
}

fn by_rule(tally: &Tally, desk: &Desk) -> Option<Table> {
    let mut table = Table::new(&["rule", "", "fired", "added", "removed", "lost to none"]);
    let modes = modes(desk);
    for (name, count) in &tally.rules {
        let RuleCount { fired, added, removed, lost } = *count;
        let counts = [fired, added, removed, lost].map(|n| n.to_string());
        let mode = modes.get(name.as_str()).copied().unwrap_or(GONE);
        let mode = if mode == Mode::Live.as_str() { "" } else { mode };
        let names = [name.clone(), mode.to_owned()];
        table.row(names.into_iter().chain(counts).collect(), "");
    }
    (!tally.rules.is_empty()).then_some(table)
}

/// The modes of the rules on disk, by name.
fn modes(desk: &Desk) -> HashMap<&str, &'static str> {
    let specs = desk.config.rules.iter();
    specs.map(|spec| (spec.name.value.as_str(), spec.mode.as_str())).collect()
}

fn list(word: &str, listed: &Listed<Row>) -> anyhow::Result<()> {
    if listed.count == 0 {
        return Ok(());
    }
    line(format!("\n{word}: {}", listed.count))?;
    let mut table = Table::new(&["day", "severity", "rules", "source", "item"]);
    for row in listed.first.iter().take(PRINTED_MAX) {
        let severity = row.severity.map(Severity::as_str).unwrap_or_default();
        let stale = if row.stale { "stale " } else { "" };
        let cells = vec![
            date(row.day),
            format!("{stale}{severity}"),
            row.rules.join(","),
            row.source.clone(),
            row.id.clone(),
        ];
        table.row(cells, &plain(&row.title, 94));
    }
    table.print()?;
    more(listed.count)
}

fn lost(listed: &Listed<(Row, Lost)>) -> anyhow::Result<()> {
    if listed.count == 0 {
        return Ok(());
    }
    line(format!("\nlost only to none: {}", listed.count))?;
    let mut table = Table::new(&["day", "rule", "source", "item"]);
    for (row, Lost { rule, detail }) in listed.first.iter().take(PRINTED_MAX) {
        let cells = vec![date(row.day), rule.clone(), row.source.clone(), row.id.clone()];
        table.row(cells, &format!("{}: {detail}", plain(&row.title, 60)));
    }
    table.print()?;
    more(listed.count)
}

fn more(count: u64) -> anyhow::Result<()> {
    let left = count.saturating_sub(PRINTED_MAX as u64);
    if left == 0 { Ok(()) } else { line(format!("and {left} more; --json lists up to {LISTED_MAX}")) }
}

fn value(tally: &Tally, desk: &Desk, first: Day) -> Value {
    let days: Vec<Value> = tally.days.iter().rev().map(|(day, count)| by_day(&date(*day), *count)).collect();
    let modes = modes(desk);
    let rules: Vec<Value> = tally
        .rules
        .iter()
        .map(|(name, RuleCount { fired, added, removed, lost })| {
            let mode = modes.get(name.as_str()).copied().unwrap_or(GONE);
            json!({
                "rule": name, "mode": mode, "fired": fired, "added": added, "removed": removed,
                "lost_to_none": lost,
            })
        })
        .collect();
    let lost: Vec<Value> = tally
        .lost
        .first
        .iter()
        .map(|(row, lost)| {
            let mut value = item(row);
            value["detail"] = lost.detail.clone().into();
            value
        })
        .collect();
    json!({
        "since": date(first), "items": tally.items, "not_compared": tally.not_compared,
        "total": by_day("all", tally.total()), "days": days, "rules": rules,
        "added": tally.added.first.iter().map(item).collect::<Vec<_>>(),
        "removed": tally.removed.first.iter().map(item).collect::<Vec<_>>(),
        "lost_to_none": { "count": tally.lost.count, "items": lost },
    })
}

fn by_day(day: &str, count: DayCount) -> Value {
    let DayCount { items, before, after, added, removed } = count;
    json!({ "day": day, "items": items, "before": before, "after": after, "added": added, "removed": removed })
}

fn item(row: &Row) -> Value {
    json!({
        "item": row.id, "day": date(row.day), "source": row.source, "title": row.title, "url": row.url,
        "severity": row.severity.map(Severity::as_str), "rules": row.rules, "stale": row.stale,
    })
}

fn date(day: Day) -> String {
    day.start().strftime("%Y-%m-%d").to_string()
}
