//! Where an alert would go, as commands tell it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::route::hold::Asked;
use crate::route::{Recipient, Routed, Routes};

/// Where an alert or an event goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// The routes that take it, in order.
    pub routes: Vec<Taken>,
    /// Whether there are routes and none takes it, so that it goes to everybody.
    pub unrouted: bool,
    /// To whom: none where its routes only record it.
    pub to: Vec<To>,
}

/// A route that takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Its number in the config, from 1.
    pub number: usize,
    /// The file and line where it stands.
    pub place: String,
    /// What it takes and where to, in words.
    pub says: String,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct To {
    /// The notifier.
    pub notifier: String,
    /// The recipient, where the notifier has several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipient: String,
    /// What it waits for before they are told: `batch digest quiet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Way {
    /// As told; of an alert, with what of it decides whether it waits. Budgets are left out: what they allow is known
    /// only when it leaves.
    pub fn of(routes: &Routes, goes: &Routed, asked: Option<Asked>) -> Self {
        let taken = |place: &usize| {
            let spec = routes.specs().nth(*place)?;
            Some(Taken { number: place + 1, place: spec.origin.to_string(), says: spec.to_string() })
        };
        let to = |who: &Recipient| {
            let hold = asked.and_then(|asked| routes.hold(goes, who, asked));
            let (notifier, recipient) = who.clone();
            To {
                notifier,
                recipient,
                hold: hold.map(|hold| hold.reason.as_str().to_owned()),
                until: hold.map(|hold| hold.until),
            }
        };
        Self {
            routes: goes.routes.iter().filter_map(taken).collect(),
            unrouted: goes.unrouted,
            to: goes.to.iter().map(to).collect(),
        }
    }

    /// For people: a line for each route, then one that says who is told.
    pub fn lines(&self) -> Vec<String> {
        let route = |taken: &Taken| format!("route     {} ({}): {}", taken.number, taken.place, taken.says);
        let mut lines: Vec<String> = self.routes.iter().map(route).collect();
        if self.unrouted {
            lines.push("route     none takes it: it goes to everybody, marked unrouted".to_owned());
        }
        let to: Vec<String> = self.to.iter().map(To::to_string).collect();
        let to = if to.is_empty() { "nobody: recorded without sending".to_owned() } else { to.join(", ") };
        lines.push(format!("to        {to}"));
        lines
    }
}

impl std::fmt::Display for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.notifier)?;
        if !self.recipient.is_empty() {
            write!(f, " <{}>", self.recipient)?;
        }
        let (Some(hold), Some(until)) = (&self.hold, self.until) else { return Ok(()) };
        write!(f, " (held till {}: {hold})", until.strftime("%Y-%m-%d %H:%M:%SZ"))
    }
}
