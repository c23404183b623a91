//! Which alerts and events go where.
//!
//! Pure. Routes are asked in their order: the first that takes an alert decides, and those behind it that a route
//! lets through with `continue`. An alert that none takes goes to everybody and says so, for nobody may miss it by a
//! mistake in a config.

mod describe;
pub mod hold;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::hold::{Asked, Budget, Hold, HoldReason, Holds};
use crate::event::EventKind;
use crate::rules::spec::{EntitySpec, Located, Origin, RuleSpec, Severity};
use crate::rules::verdict::{EntityRef, Match, PlaceRef};
use crate::rules::{SourceFilters, SourceLabel};

/// One `[[route]]`, checked.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    /// Where it stands.
    pub origin: Origin,
    /// What it takes.
    pub takes: Takes,
    /// Names of the notifiers it sends to; none records without sending.
    pub to: Vec<Located<String>>,
    /// Whether routes behind it are asked as well.
    pub further: bool,
    /// What makes its alerts wait.
    pub holds: Holds,
}

/// What a route takes.
#[derive(Clone, Debug)]
pub enum Takes {
    /// Alerts that fit.
    Alerts(Box<AlertFilter>),
    /// Events of the kinds that one of these globs matches.
    Events(Vec<glob::Pattern>),
}

/// Which alerts a route takes; what is empty or absent asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// The least severity.
    pub severity: Option<Severity>,
    /// Globs of which one matches the name of a rule that the alert tells of.
    pub rules: Vec<glob::Pattern>,
    /// Tags of which such a rule has one.
    pub tags: Vec<String>,
    /// Entities and places of which the alert mentions one, or what lies below it.
    pub entities: Vec<Located<String>>,
    /// Sources.
    pub source: SourceFilters,
    /// The greatest tier of the source: 1 wire or official, 2 press, 3 unverified.
    pub tier: Option<u8>,
}

/// What of an alert routes look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its severity.
    pub severity: Severity,
    /// The rules that it tells of.
    pub rules: &'a [Match],
    /// The source of its item; none passes every filter.
    pub source: Option<SourceLabel<'a>>,
    /// Tier of that source.
    pub tier: u8,
    /// Ids of entities and places that it mentions.
    pub entities: &'a [&'a str],
}

/// The ids of entities, of places and of all that the places lie in.
pub fn mentioned<'a, E, P>(entities: &'a [E], places: &'a [P]) -> Vec<&'a str>
where
    E: Borrow<EntityRef>,
    P: Borrow<PlaceRef>,
{
    let within = |place: &'a P| {
        let place: &PlaceRef = place.borrow();
        std::iter::once(&place.id).chain(&place.within)
    };
    let entities = entities.iter().map(|entity| &Borrow::<EntityRef>::borrow(entity).id);
    entities.chain(places.iter().flat_map(within)).map(String::as_str).collect()
}

/// A notifier and one whom it tells.
pub type Recipient = (String, String);

/// Where an alert or an event goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// The routes that took it, by their place in the config.
    pub routes: Vec<usize>,
    /// To whom, each once, in the order of the routes.
    pub to: Vec<Recipient>,
    /// Whether there are routes and none took it.
    pub unrouted: bool,
}

/// The routes in force.
#[derive(Debug)]
pub struct Routes {
    list: Vec<Route>,
    /// The zone of times of day where a route names none.
    timezone: TimeZone,
    /// Everybody whom the notifiers tell.
    everybody: Vec<Recipient>,
    /// In which entities each lies directly.
    parents: HashMap<String, Vec<String>>,
}

#[derive(Debug)]
struct Route {
    spec: RouteSpec,
    /// The ids of its entities and of all below them.
    entities: HashSet<String>,
    /// Everybody whom its notifiers tell.
    to: Vec<Recipient>,
}

impl Routes {
    /// The routes for these recipients. Names of notifiers and entities that there are not were refused with the
    /// config.
    pub fn new(
        specs: &[RouteSpec],
        entities: &[EntitySpec],
        everybody: Vec<Recipient>,
        timezone: TimeZone,
    ) -> Self {
        let below = Below::of(entities);
        let route = |spec: &RouteSpec| Route {
            entities: match &spec.takes {
                Takes::Alerts(filter) => below.all(&filter.entities),
                Takes::Events(_) => HashSet::new(),
            },
            to: spec
                .to
                .iter()
                .flat_map(|name| everybody.iter().filter(move |(notifier, _)| *notifier == name.value))
                .cloned()
                .collect(),
            spec: spec.clone(),
        };
        let parents = |entity: &EntitySpec| {
            let parents: Vec<String> = entity.parents.iter().map(|parent| parent.value.clone()).collect();
            (!parents.is_empty()).then(|| (entity.id.value.clone(), parents))
        };
        let parents = entities.iter().filter_map(parents).collect();
        Self { list: specs.iter().map(route).collect(), timezone, everybody, parents }
    }

    /// Everything goes to everybody at once.
    pub fn to_all(everybody: Vec<Recipient>) -> Self {
        Self { list: Vec::new(), timezone: TimeZone::UTC, everybody, parents: HashMap::new() }
    }

    /// Whether one of `mentioned` is the entity `group`, or lies below it.
    pub fn lies_in(&self, mentioned: &[&str], group: &str) -> bool {
        let mut open: Vec<&str> = mentioned.to_vec();
        let mut seen = HashSet::new();
        while let Some(id) = open.pop() {
            if id == group {
                return true;
            }
            if seen.insert(id) {
                open.extend(self.parents.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        false
    }

    /// Where an alert goes.
    pub fn of_alert(&self, facts: &Facts<'_>) -> Routed {
        self.routed(|route| match &route.spec.takes {
            Takes::Alerts(filter) => filter.takes(facts, &route.entities),
            Takes::Events(_) => false,
        })
    }

    /// Where an event of that type goes (`source.failing`).
    pub fn of_event(&self, kind: EventKind) -> Routed {
        let routed = self.routed(|route| match &route.spec.takes {
            Takes::Alerts(_) => false,
            Takes::Events(kinds) => kinds.iter().any(|glob| glob.matches(kind.as_str())),
        });
        // Few desks route events: that one goes to everybody is no mistake.
        Routed { unrouted: false, ..routed }
    }

    /// Where an event of a notifier goes: not to that notifier, or, when it is about one of its recipients, not to that
    /// one, as long as there is another.
    pub fn of_notifier_event(&self, kind: EventKind, notifier: &str, only: Option<&str>) -> Vec<Recipient> {
        let others = |to: &[Recipient]| -> Vec<Recipient> {
            let is_about =
                |(name, to): &&Recipient| name == notifier && only.is_none_or(|recipient| recipient == to);
            to.iter().filter(|to| !is_about(to)).cloned().collect()
        };
        let routed = self.of_event(kind);
        let to = others(&routed.to);
        // A route to nobody records without sending.
        if to.is_empty() && !routed.to.is_empty() { others(&self.everybody) } else { to }
    }

    fn routed(&self, takes: impl Fn(&Route) -> bool) -> Routed {
        let mut routed = Routed { routes: Vec::new(), to: Vec::new(), unrouted: false };
        for (place, route) in self.list.iter().enumerate().filter(|(_, route)| takes(route)) {
            routed.routes.push(place);
            for recipient in &route.to {
                if !routed.to.contains(recipient) {
                    routed.to.push(recipient.clone());
                }
            }
            if !route.spec.further {
                break;
            }
        }
        if routed.routes.is_empty() {
            routed.unrouted = !self.list.is_empty();
            routed.to.clone_from(&self.everybody);
        }
        routed
    }

    /// Whether an alert that is `routed` waits before `who` is told, but for a budget. Where several routes lead to
    /// them, the one that lets it go first decides.
    pub fn hold(&self, routed: &Routed, who: &Recipient, asked: Asked) -> Option<Hold> {
        self.earliest(routed, who, |holds| holds.hold(asked, &self.timezone))
    }

    /// Whether it waits when it is about to leave, for quiet hours that have begun or for room in a budget, given when
    /// the last messages to `who` left. One of several budgets is enough.
    pub fn hold_back(
        &self,
        routed: &Routed,
        who: &Recipient,
        asked: Asked,
        left: &[Timestamp],
    ) -> Option<Hold> {
        let quiet =
            |now| self.earliest(routed, who, |holds| holds.quiet(asked.severity, now, &self.timezone));
        if let Some(hold) = quiet(asked.now) {
            return Some(hold);
        }
        let full: Option<Vec<Timestamp>> =
            self.budgets(routed, who).iter().map(|budget| budget.full_until(left, asked.now)).collect();
        let until = full?.into_iter().min()?;
        // What is held is not let go in quiet hours.
        let until = quiet(until).map_or(until, |hold| hold.until);
        Some(Hold { reason: HoldReason::Budget, until })
    }

    fn earliest(
        &self,
        routed: &Routed,
        who: &Recipient,
        hold: impl Fn(&Holds) -> Option<Hold>,
    ) -> Option<Hold> {
        let holds: Option<Vec<Hold>> = self.leading(routed, who).map(hold).collect();
        holds?.into_iter().min_by_key(|hold| hold.until)
    }

    /// Who has a daily report.
    pub fn reported(&self) -> Vec<Recipient> {
        let reporting = self.list.iter().filter(|route| route.spec.holds.report.is_some());
        let everybody: BTreeSet<&Recipient> = reporting.flat_map(|route| &route.to).collect();
        everybody.into_iter().cloned().collect()
    }

    /// When `who` has the next report after `time`.
    pub fn report_after(&self, who: &Recipient, time: Timestamp) -> Option<Timestamp> {
        let holds = self.list.iter().filter(|route| route.to.contains(who)).map(|route| &route.spec.holds);
        holds.filter_map(|holds| holds.report_after(time, &self.timezone)).min()
    }

    /// The budgets of which one must have room before `who` is told; none when nothing bounds it.
    pub fn budgets(&self, routed: &Routed, who: &Recipient) -> Vec<Budget> {
        let budgets: Option<Vec<Budget>> = self.leading(routed, who).map(|holds| holds.budget).collect();
        budgets.unwrap_or_default()
    }

    /// The holds of the routes by which an alert that is `routed` reaches `who`.
    fn leading<'a>(&'a self, routed: &'a Routed, who: &'a Recipient) -> impl Iterator<Item = &'a Holds> {
        let leading = routed.routes.iter().filter_map(|place| self.list.get(*place));
        leading.filter(|route| route.to.contains(who)).map(|route| &route.spec.holds)
    }

    /// Everybody whom the notifiers tell.
    pub fn everybody(&self) -> &[Recipient] {
        &self.everybody
    }

    /// The routes, in the order of the config.
    pub fn specs(&self) -> impl Iterator<Item = &RouteSpec> {
        self.list.iter().map(|route| &route.spec)
    }
}

impl AlertFilter {
    fn takes(&self, facts: &Facts<'_>, entities: &HashSet<String>) -> bool {
        let rules: Vec<(&str, &[String])> =
            facts.rules.iter().map(|rule| (&*rule.rule, rule.tags.as_slice())).collect();
        let mentions = || facts.entities.iter().any(|id| entities.contains(*id));
        self.severity.is_none_or(|least| facts.severity >= least)
            && self.takes_rules(&rules)
            && self.tier.is_none_or(|greatest| facts.tier <= greatest)
            && self.source.admit(facts.source)
            && (self.entities.is_empty() || mentions())
    }

    /// Whether one of the rules has a name that is asked for, and one a tag.
    fn takes_rules(&self, rules: &[(&str, &[String])]) -> bool {
        let named = |(name, _): &(&str, _)| self.rules.iter().any(|glob| glob.matches(name));
        let tagged = |(_, tags): &(_, &[String])| self.tags.iter().any(|tag| tags.contains(tag));
        (self.rules.is_empty() || rules.iter().any(named))
            && (self.tags.is_empty() || rules.iter().any(tagged))
    }

    /// Whether it takes every alert that tells of `rule`, whatever the item is.
    fn takes_all_of(&self, rule: &RuleSpec) -> bool {
        self.severity.is_none_or(|least| rule.severity >= least)
            && self.takes_rules(&[(&rule.name.value, &rule.tags)])
            && self.tier.is_none_or(|greatest| greatest >= TIER_MAX)
            && self.source.is_empty()
            && self.entities.is_empty()
    }

    /// Whether it takes every alert.
    fn takes_everything(&self) -> bool {
        self.severity.is_none_or(|least| least == Severity::Info)
            && self.rules.iter().all(|glob| glob.as_str() == "*")
            && self.tags.is_empty()
            && self.tier.is_none_or(|greatest| greatest >= TIER_MAX)
            && self.source.is_empty()
            && self.entities.is_empty()
    }
}

/// The greatest tier of a source.
const TIER_MAX: u8 = 3;

/// The rules that may raise an alert that no route takes; none where there are no routes.
pub fn uncovered<'r>(routes: &[RouteSpec], rules: &'r [RuleSpec]) -> Vec<&'r RuleSpec> {
    if routes.is_empty() {
        return Vec::new();
    }
    let covered = |rule: &RuleSpec| {
        routes.iter().any(|route| match &route.takes {
            Takes::Alerts(filter) => filter.takes_all_of(rule),
            Takes::Events(_) => false,
        })
    };
    rules.iter().filter(|rule| rule.is_live() && !covered(rule)).collect()
}

/// The routes that are never asked: one before them takes every alert and lets nothing through. With each the one that
/// hides it.
pub fn unreached(routes: &[RouteSpec]) -> Vec<(&RouteSpec, &RouteSpec)> {
    let is_end = |route: &&RouteSpec| match &route.takes {
        Takes::Alerts(filter) => !route.further && filter.takes_everything(),
        Takes::Events(_) => false,
    };
    let Some(end) = routes.iter().find(is_end) else { return Vec::new() };
    let behind = routes.iter().skip_while(|route| !std::ptr::eq(*route, end)).skip(1);
    behind.filter(|route| matches!(route.takes, Takes::Alerts(_))).map(|route| (route, end)).collect()
}

/// Which entities lie directly below each.
struct Below<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> Below<'a> {
    fn of(entities: &'a [EntitySpec]) -> Self {
        let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
        for entity in entities {
            for parent in &entity.parents {
                children.entry(&parent.value).or_default().push(&entity.id.value);
            }
        }
        Self(children)
    }

    /// These and all below them.
    fn all(&self, ids: &[Located<String>]) -> HashSet<String> {
        let mut open: BTreeSet<&str> = ids.iter().map(|id| id.value.as_str()).collect();
        let mut found = HashSet::new();
        while let Some(id) = open.pop_first() {
            if found.insert(id.to_owned()) {
                open.extend(self.0.get(id).into_iter().flatten());
            }
        }
        found
    }
}
