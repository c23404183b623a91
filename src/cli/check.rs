//! `harmattan check`: everything that can be wrong before it matters. Creates and changes nothing.

use super::At;
use super::print::{Exit, json, line, talk};
use super::reach::ask_daemon;
use crate::control::{Call, Reply};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn check(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let desk = at.desk()?;
    let mut warnings = desk.warnings.clone();
    let store =
        match ask_daemon(&desk.config.control.socket, Some(&desk.config.store.path), &Call::Status).await {
            Ok(Some(Reply::Status(status))) => {
                if status.store_damaged > 0 {
                    warnings.push(format!("the store has {} damaged values", status.store_damaged));
                }
                "the daemon runs"
            }
            Ok(Some(Reply::Refused { message })) => {
                warnings.push(message);
                "the daemon was not asked"
            }
            Ok(_) => "no daemon runs",
            Err(error) => {
                warnings.push(format!("{error:#}"));
                "the daemon was not asked"
            }
        };
    let failures: Vec<String> = desk.failing_tests.iter().map(ToString::to_string).collect();
    let tests = desk.engine.test_count(&[]);
    if options.json {
        json(&serde_json::json!({
            "config": desk.path, "sources": desk.sources.len(), "rules": desk.engine.rule_count(),
            "entities": desk.engine.entity_count(), "notifiers": desk.notifiers.len(), "tests": tests,
            "failures": failures, "warnings": warnings,
        }))?;
    } else {
        for warning in &warnings {
            talk(format!("warning: {warning}"));
        }
        for failure in &failures {
            talk(format!("failed: {failure}"));
        }
        line(format!(
            "{}: {} sources, {} rules, {} entities, {} notifiers; {tests} rule tests, {} failed; {} warnings; {store}",
            desk.path.display(),
            desk.sources.len(),
            desk.engine.rule_count(),
            desk.engine.entity_count(),
            desk.notifiers.len(),
            failures.len(),
            warnings.len(),
        ))?;
    }
    Ok(if failures.is_empty() { Exit::Done } else { Exit::Refused })
}
