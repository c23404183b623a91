//! `harmattan status`: how the daemon and its store are.

use super::At;
use super::print::{Exit, counted, json, line};
use super::reach::{reach, unexpected};
use crate::control::{Call, Reply, api};

/// Sources named in one line.
const NAMED_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn status(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Status).await?;
    let Reply::Status(status) = reply else { return unexpected(reply) };
    if options.json {
        json(&status)?;
    } else {
        print(&status)?;
    }
    Ok(Exit::wrong_if(is_wrong(&status)))
}

/// Whether the operator should look.
fn is_wrong(status: &api::Status) -> bool {
    !status.running
        || status.sources_failing > 0
        || status.store_damaged > 0
        || status.store_refused.is_some()
        || status.reload_error.is_some()
        || status.rule_tests_failing > 0
        || !status.notifiers_failing.is_empty()
        || status.deliveries_retrying > 0
        || status.deliveries_dead > 0
}

fn print(status: &api::Status) -> anyhow::Result<()> {
    let daemon = match (status.running, status.pid, status.started) {
        (true, Some(pid), Some(started)) => {
            format!("running since {} (process {pid})", started.strftime("%Y-%m-%d %H:%MZ"))
        }
        _ => "not running".to_owned(),
    };
    line(format!("daemon     {daemon}, version {}", status.version))?;
    line(format!("config     {}", status.config))?;
    line(format!(
        "store      {}, {:.1} MiB, {} damaged values",
        status.store,
        mebibytes(status.store_bytes),
        status.store_damaged
    ))?;
    if let Some(api::Refused { since, reason, unrecorded }) = &status.store_refused {
        let since = short(*since);
        line(format!(
            "disk       refuses since {since}: {reason}; {unrecorded} deliveries left without a record"
        ))?;
    }
    line(format!("sources    {}, {} failing{}", status.sources, status.sources_failing, unwell(status)))?;
    if let Some(since) = status.offline {
        line(format!("network    cut off since {}: no source can be reached", short(since)))?;
    }
    line(format!(
        "rules      {}, {} entities, {} tests failing",
        status.rules, status.entities, status.rule_tests_failing
    ))?;
    let failing = match status.notifiers_failing.as_slice() {
        [] => String::new(),
        failing => format!("; failing: {}", failing.join(", ")),
    };
    line(format!("notifiers  {}{failing}", status.notifiers.join(", ")))?;
    line(format!("outbox     {}", outbox(status)))?;
    if let Some(error) = &status.reload_error {
        line(format!("last reload refused:\n{error}"))?;
    }
    status.warnings.iter().try_for_each(|warning| line(format!("warning: {warning}")))
}

/// What is owed, and what to do about what is dead.
fn outbox(status: &api::Status) -> String {
    let owed = counted(status.deliveries_open, ["delivery owed", "deliveries owed"]);
    let retrying = match status.deliveries_retrying {
        0 => String::new(),
        retrying => format!(", {retrying} tried again after a failure"),
    };
    let remedy = if status.deliveries_dead > 0 { ": harmattan outbox retry, or drop" } else { "" };
    format!("{owed}{retrying}, {} held, {} dead{remedy}", status.deliveries_held, status.deliveries_dead)
}

/// The sources that are not well, by name, and how many are left.
fn unwell(status: &api::Status) -> String {
    let one = |source: &api::Unwell| {
        let state = source.reason.as_deref().filter(|_| source.state == "failing").unwrap_or(&source.state);
        let since = source.since.map_or_else(String::new, |since| format!(" since {}", short(since)));
        format!("{} ({state}{since})", source.name)
    };
    let named: Vec<String> = status.sources_unwell.iter().take(NAMED_MAX).map(one).collect();
    let left = status.sources_unwell.len().saturating_sub(NAMED_MAX);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    if named.is_empty() { String::new() } else { format!(": {}{more}", named.join(", ")) }
}

fn short(at: jiff::Timestamp) -> String {
    at.strftime("%m-%d %H:%MZ").to_string()
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_should_look_at_is_wrong() {
        let well = || api::Status { running: true, deliveries_open: 3, ..api::Status::default() };
        let refused = || api::Refused { since: jiff::Timestamp::MIN, reason: "full".into(), unrecorded: 1 };
        for (case, status, expected) in [
            ("well", well(), false),
            ("stopped", api::Status { running: false, ..well() }, true),
            ("a failing source", api::Status { sources_failing: 1, ..well() }, true),
            ("a damaged value", api::Status { store_damaged: 1, ..well() }, true),
            ("a disk that refuses", api::Status { store_refused: Some(refused()), ..well() }, true),
            ("a refused reload", api::Status { reload_error: Some("no".into()), ..well() }, true),
            ("a failing rule test", api::Status { rule_tests_failing: 1, ..well() }, true),
            ("a delivery tried again", api::Status { deliveries_retrying: 1, ..well() }, true),
            ("a failing notifier", api::Status { notifiers_failing: vec!["ops".into()], ..well() }, true),
            ("a held delivery", api::Status { deliveries_held: 1, ..well() }, false),
            ("a dead letter", api::Status { deliveries_dead: 1, ..well() }, true),
        ] {
            assert_eq!(is_wrong(&status), expected, "{case}");
        }
    }
}
