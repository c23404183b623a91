//! `harmattan test`: the tests that live with the rules.

use super::At;
use super::print::{Exit, json, line};
use crate::control::Mistake;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Only these rules
    #[arg(value_name = "RULE")]
    rules: Vec<String>,
    /// Print failures as JSON Lines
    #[arg(long)]
    json: bool,
}

pub(super) fn test(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let desk = at.desk()?;
    if let Some(unknown) = options.rules.iter().find(|name| !desk.engine.has_rule(name)) {
        return Err(Mistake::unknown("rule", unknown, desk.engine.rule_names()).into());
    }
    let failures = desk.test(&options.rules);
    if options.json {
        for failure in &failures {
            json(&serde_json::json!({
                "rule": &*failure.rule, "file": failure.origin.file.to_string_lossy(), "line": failure.origin.line,
                "text": failure.text, "expected": if failure.expected_to_fire { "fires" } else { "silent" },
                "detail": failure.detail, "nearest": failure.nearest,
            }))?;
        }
    } else {
        failures.iter().try_for_each(line)?;
        let asked = if options.rules.is_empty() { desk.engine.rule_count() } else { options.rules.len() };
        let tests = desk.engine.test_count(&options.rules);
        line(format!("{asked} rules tested with {tests} tests, {} tests failed", failures.len()))?;
    }
    Ok(Exit::wrong_if(!failures.is_empty()))
}
