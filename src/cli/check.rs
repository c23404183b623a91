//! `harmattan check`: everything that can be wrong before it matters. Creates and changes nothing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::SignedDuration;

use super::print::{Exit, json, line, plain, talk};
use super::reach::{Session, ask_daemon};
use super::routes::NO_ROUTES;
use super::tally::title;
use super::trial;
use super::{At, history};
use crate::control::{Call, Reply};
use crate::daemon::{clock, orphan};
use crate::desk::Desk;
use crate::rules::SummaryKind;
use crate::store::{StoreError, StoredItem};

/// Stored items that are looked at for what is lost only to `none`: those first seen in so many days,
const LOST_DAYS: i64 = 7;

/// of these at most so many,
const LOST_ITEMS_MAX: usize = 20_000;

/// and for at most so long.
const LOST_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn check(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let desk = Arc::new(at.desk()?);
    let mut warnings = desk.warnings.clone();
    warnings.extend(desk.engine.summaries().iter().map(ToString::to_string));
    let (store, reachable) =
        match ask_daemon(&desk.config.control.socket, Some(&desk.config.store.path), &Call::Status).await {
            Ok(Some(Reply::Status(status))) => {
                if status.store_damaged > 0 {
                    warnings.push(format!("the store has {} damaged values", status.store_damaged));
                }
                let gone = orphan::told(&desk, &status.owed).into_iter();
                warnings.extend(gone.map(|what| format!("a reload gives up {what}")));
                ("the daemon runs", true)
            }
            Ok(Some(Reply::Refused { message })) => {
                warnings.push(message);
                ("the daemon was not asked", false)
            }
            Ok(_) => ("no daemon runs", true),
            Err(error) => {
                warnings.push(format!("{error:#}"));
                ("the daemon was not asked", false)
            }
        };
    if reachable {
        warnings.extend(lost_to_none(&desk).await);
    }
    let failures: Vec<String> = desk.failing_tests.iter().map(ToString::to_string).collect();
    let tests = desk.engine.test_count(&[]);
    let routes: Vec<String> = desk.config.routes.iter().map(ToString::to_string).collect();
    if options.json {
        let mut told = serde_json::json!({
            "config": desk.path, "sources": desk.sources.len(), "rules": desk.engine.rule_count(),
            "entities": desk.engine.entity_count(), "notifiers": desk.notifiers.len(), "tests": tests,
            "failures": failures, "warnings": warnings, "routes": routes,
        });
        for kind in [SummaryKind::UnusedEntities, SummaryKind::CommonTerms] {
            let all = desk.engine.summaries().iter().filter(|summary| summary.kind == kind);
            told[kind.as_str()] = all.flat_map(|summary| summary.names.clone()).collect();
        }
        json(&told)?;
    } else {
        for warning in &warnings {
            talk(format!("warning: {warning}"));
        }
        for failure in &failures {
            talk(format!("failed: {failure}"));
        }
        for (number, route) in (1..).zip(&routes) {
            line(format!("route {number}: {route}"))?;
        }
        if routes.is_empty() {
            line(NO_ROUTES)?;
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

/// For each rule, the stored items that it loses only to `none`. Without a store that can be read there are none.
async fn lost_to_none(desk: &Arc<Desk>) -> Vec<String> {
    match lost(desk).await {
        Ok(warnings) => warnings,
        // That it is absent, in use or another's is no fault of the config; the daemon has been asked already.
        Err(error) if error.is::<StoreError>() => Vec::new(),
        Err(error) => vec![format!("the stored items were not looked at: {error:#}")],
    }
}

async fn lost(desk: &Arc<Desk>) -> anyhow::Result<Vec<String>> {
    if desk.config.rules.iter().all(|rule| rule.none.is_empty()) {
        return Ok(Vec::new());
    }
    let week = SignedDuration::from_hours(24 * LOST_DAYS);
    let since = clock::now().checked_sub(week).context("the clock is before its time")?;
    let session = Session::open(desk).await?;
    let mut found: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let (began, mut left) = (Instant::now(), LOST_ITEMS_MAX);
    let visit = |stored: StoredItem| {
        for lost in trial::lost(desk, &stored.item) {
            found.entry(lost.rule).or_insert_with(|| (0, title(&stored.item))).0 += 1;
        }
        left -= 1;
        if left == 0 || began.elapsed() > LOST_PATIENCE {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let walked = history::items(&session, since, visit, |_| {}).await;
    session.close().await?;
    walked?;
    let told = found.into_iter().map(|(rule, (count, title))| {
        let (items, are) = if count == 1 { ("item", "is") } else { ("items", "are") };
        format!(
            "rule `{rule}`: {count} stored {items} of the last {LOST_DAYS} days {are} lost only to `none`, such as `{}`",
            plain(&title, 80)
        )
    });
    Ok(told.collect())
}
