//! What a report says, in words.

use jiff::tz::TimeZone;

use super::foreign::line;
use super::wording;
use crate::report::Report;

/// Sources named; the rest is counted.
const NAMED_MAX: usize = 20;

/// In one short line: `3 alerts, 1 of 12 sources unwell`.
pub(crate) fn headline(report: &Report) -> String {
    let alerts = match report.alerts.sum() {
        0 => "no alerts".to_owned(),
        1 => "1 alert".to_owned(),
        many => format!("{many} alerts"),
    };
    let sources = match report.unwell.len() {
        0 if report.sources == 1 => "its source well".to_owned(),
        0 => format!("all {} sources well", report.sources),
        unwell => format!("{unwell} of {} sources unwell", report.sources),
    };
    let notifiers = match report.notifiers_failing.len() {
        0 => String::new(),
        1 => ", 1 notifier failing".to_owned(),
        failing => format!(", {failing} notifiers failing"),
    };
    format!("{alerts}, {sources}{notifiers}")
}

/// All of it, each part under its heading.
pub(crate) fn facts(report: &Report, desk: &TimeZone) -> Vec<(&'static str, String)> {
    let told = report.alerts.each().into_iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = told.map(|(severity, count)| format!("{count} {severity}")).collect();
    let told = if told.is_empty() { "none".to_owned() } else { told.join(", ") };
    let mut facts = vec![
        ("From", wording::time(report.since, desk)),
        ("To", wording::time(report.until, desk)),
        ("Alerts", format!("{told}; {} only recorded", report.recorded)),
        ("Sources", sources(report, desk)),
        ("Outbox", format!("{} waiting, {} held, {} given up", report.waiting, report.held, report.dead)),
    ];
    if !report.notifiers_failing.is_empty() {
        let names: Vec<String> = report.notifiers_failing.iter().map(|name| line(name)).collect();
        facts.push(("Failing notifiers", names.join(", ")));
    }
    if report.silences > 0 {
        facts.push(("Silences", format!("{} in force: harmattan silence list", report.silences)));
    }
    facts
}

fn sources(report: &Report, desk: &TimeZone) -> String {
    if report.unwell.is_empty() {
        return format!("all {} well", report.sources);
    }
    let mut named: Vec<String> = report
        .unwell
        .iter()
        .take(NAMED_MAX)
        .map(|source| {
            let state = source.reason.as_deref().unwrap_or(&source.state);
            let since =
                source.since.map_or_else(String::new, |at| format!(" since {}", wording::time(at, desk)));
            format!("{} ({}{since})", line(&source.name), line(state))
        })
        .collect();
    let left = report.unwell.len().saturating_sub(NAMED_MAX);
    named.extend((left > 0).then(|| format!("and {left} more")));
    format!("{} of {} unwell: {}", report.unwell.len(), report.sources, named.join(", "))
}
