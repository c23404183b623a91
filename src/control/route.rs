//! Where an alert would go, as commands tell it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::notify::foreign;
use crate::route::hold::Asked;
use crate::route::{Facts, Recipient, Routed, Routes};
use crate::rules::spec::Mode;
use crate::silence::{self, Silence};
use crate::story::StoryId;

/// Where an alert or an event goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// The routes that take it, in order.
    pub routes: Vec<Taken>,
    /// Whether there are routes and none takes it, so that it goes to everybody.
    pub unrouted: bool,
    /// To whom: none where its routes only record it, and where the following says why nobody is told.
    pub to: Vec<To>,
    /// The silence that holds it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silenced>,
    /// Of what only rules tell of that are not live: `shadow` or `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// A silence, as it is told of what it holds back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    /// Its id.
    pub id: String,
    /// `rule`, `entity`, `source` or `story`.
    pub about: String,
    /// Its name or id.
    pub name: String,
    /// Its end.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl Silenced {
    /// By `silence`.
    pub fn by(silence: &Silence) -> Self {
        Self {
            id: silence.id.to_string(),
            about: silence.about.word().to_owned(),
            name: silence.about.name(),
            until: silence.until,
            reason: silence.reason.clone(),
        }
    }
}

impl std::fmt::Display for Silenced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, about, name, until, reason } = self;
        let (name, until) = (foreign::line(name), until.strftime("%Y-%m-%d %H:%MZ"));
        write!(f, "{id} on {about} `{name}` until {until}: {}", foreign::line(reason))
    }
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
            silence: None,
            mode: None,
        }
    }

    /// Where an alert with these facts goes that belongs to `story`, while `silences` hold back theirs.
    pub fn of_alert(
        routes: &Routes,
        facts: &Facts<'_>,
        asked: Asked,
        (silences, story): (&[Silence], StoryId),
    ) -> Self {
        let way = Self::of(routes, &routes.of_alert(facts), Some(asked));
        let holding = silence::holding(silences, facts, routes, story, asked.now);
        match holding.and_then(|place| silences.get(place)) {
            Some(silence) => Self { to: Vec::new(), silence: Some(Silenced::by(silence)), ..way },
            None => way,
        }
    }

    /// Of what only rules in this mode tell of.
    pub fn untold(mode: Mode) -> Self {
        Self { mode: Some(mode.as_str().to_owned()), ..Self::default() }
    }

    /// For people: a line for each route, then one that says who is told.
    pub fn lines(&self) -> Vec<String> {
        let route = |taken: &Taken| format!("route     {} ({}): {}", taken.number, taken.place, taken.says);
        let mut lines: Vec<String> = self.routes.iter().map(route).collect();
        if self.unrouted {
            lines.push("route     none takes it: it goes to everybody, marked unrouted".to_owned());
        }
        let to: Vec<String> = self.to.iter().map(To::to_string).collect();
        let to = match (&self.silence, self.mode.as_deref()) {
            (Some(silence), _) => format!("nobody: silenced by {silence}"),
            (None, Some("off")) => "nobody: the rule is switched off".to_owned(),
            (None, Some(_)) => "nobody: on trial, recorded without sending".to_owned(),
            (None, None) if to.is_empty() => "nobody: recorded without sending".to_owned(),
            (None, None) => to.join(", "),
        };
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
