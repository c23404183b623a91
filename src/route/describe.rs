//! A route in words, for those who check where alerts go.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::Time;

use super::hold::{Holds, Quiet};
use super::{AlertFilter, RouteSpec, Takes};

/// What it takes and to whom it sends: `severity high and up, rules wagner-* -> desk-mail, ops-hook`.
impl fmt::Display for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> ", self.takes)?;
        if self.to.is_empty() {
            f.write_str("nobody: recorded without sending")?;
        }
        let names: Vec<&str> = self.to.iter().map(|name| name.value.as_str()).collect();
        f.write_str(&names.join(", "))?;
        if self.further {
            f.write_str(", and on")?;
        }
        let holds = self.holds.to_string();
        if holds.is_empty() { Ok(()) } else { write!(f, "; {holds}") }
    }
}

/// What it waits for: `digest 07:00 18:00 (Africa/Bamako), budget 20 in 1h`; empty when for nothing.
impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |time: &Time| time.strftime("%H:%M").to_string();
        let digest: Vec<String> = self.digest.iter().map(clock).collect();
        let quiet = |quiet: Quiet| {
            let (from, to) = (clock(&quiet.from), clock(&quiet.to));
            format!("quiet {from} to {to} except {}", quiet.except)
        };
        let parts = [
            (!digest.is_empty()).then(|| format!("digest {}", digest.join(" "))),
            self.quiet.map(quiet),
            self.batch.map(|batch| format!("batch {}", span(batch))),
            self.budget.map(|budget| format!("budget {} in {}", budget.messages, span(budget.per))),
            self.report.map(|time| format!("report {}", clock(&time))),
            self.timezone.as_ref().and_then(|zone| zone.iana_name()).map(|name| format!("times of {name}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alerts(filter) => filter.fmt(f),
            Self::Events(globs) => write!(f, "events {}", joined(globs)),
        }
    }
}

impl fmt::Display for AlertFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |what: &str, list: String| (!list.is_empty()).then(|| format!("{what} {list}"));
        let entities: Vec<String> = self.entities.iter().map(|id| format!("@{}", id.value)).collect();
        let parts = [
            self.severity.map(|least| format!("severity {least} and up")),
            listed("rules", joined(&self.rules)),
            listed("tags", self.tags.join(" ")),
            listed("entities", entities.join(" ")),
            listed("sources", self.source.to_string()),
            self.tier.map(|greatest| format!("tier {greatest} and better")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "every alert" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

fn joined(globs: &[glob::Pattern]) -> String {
    globs.iter().map(glob::Pattern::as_str).collect::<Vec<_>>().join(" ")
}

/// A length of time in short: `90s`, `1h`.
fn span(span: std::time::Duration) -> String {
    SignedDuration::try_from(span).map(|span| format!("{span:#}")).unwrap_or_default()
}
