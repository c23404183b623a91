//! A route in words, for those who check where alerts go.

use std::fmt;

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
        if self.further { f.write_str(", and on") } else { Ok(()) }
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
