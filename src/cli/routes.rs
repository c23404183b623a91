//! `harmattan routes`: where alerts and events go.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::At;
use super::explain;
use super::print::{Exit, json, line, talk};
use super::reach::reach;
use crate::control::route::Way;
use crate::control::{Call, Mistake, Reply, api};
use crate::daemon::clock;
use crate::desk::Desk;
use crate::event::EventKind;
use crate::route::Facts;
use crate::route::hold::Asked;
use crate::rules::SourceLabel;
use crate::rules::spec::{Mode, Severity};
use crate::rules::verdict::Match;
use crate::silence::{About, Silence};
use crate::store::StoreError;

/// What is said where no route is written.
pub(super) const NO_ROUTES: &str = "no routes: every alert and every event goes to every notifier";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the routes, in the order in which they are asked
    List(List),
    /// Tell where an alert or an event would go
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// What the alert would be like. What is left out is as the rule and the source say, else the most ordinary.
#[derive(Debug, clap::Args)]
struct Test {
    /// The rule that fires; may stand several times
    #[arg(long, value_name = "RULE", required_unless_present_any = ["severity", "event"])]
    rule: Vec<String>,
    /// Severity of the alert [default: the highest of its rules]
    #[arg(long, value_parser = severity)]
    severity: Option<Severity>,
    /// Source of the item [default: one that passes every filter]
    #[arg(long)]
    source: Option<String>,
    /// Tier of the source [default: that of --source, else 2]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    tier: Option<u8>,
    /// An entity that the item mentions, by its id; may stand several times
    #[arg(long, value_name = "ID")]
    entity: Vec<String>,
    /// In place of an alert: an event of this type, such as source.failing
    #[arg(long, value_name = "TYPE", value_parser = event, conflicts_with_all = ["rule", "severity", "source", "tier", "entity"])]
    event: Option<EventKind>,
    /// When the alert is made: a time of day at the desk, or an instant such as 2026-11-23T22:30:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "event")]
    at: Option<Moment>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// When an alert is made.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// At that time of the day that it is.
    Daily(Time),
    Instant(Timestamp),
}

impl Moment {
    fn instant(self, desk: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Instant(at) => Ok(at),
            Self::Daily(time) => {
                let day = desk.to_datetime(clock::now()).date();
                desk.to_ambiguous_timestamp(day.to_datetime(time)).compatible()
            }
        }
    }
}

fn moment(word: &str) -> Result<Moment, String> {
    let daily = || Time::strptime("%H:%M", word).map(Moment::Daily);
    let instant = || word.parse().map(Moment::Instant);
    daily().or_else(|_| instant()).map_err(|_| "write it as 23:30 or 2026-11-23T22:30:00Z".to_owned())
}

pub(super) fn severity(word: &str) -> Result<Severity, String> {
    Severity::from_word(word).ok_or_else(|| "it may be info, low, medium, high or critical".to_owned())
}

fn event(word: &str) -> Result<EventKind, String> {
    EventKind::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("there are {}", known.join(", "))
    })
}

pub(super) async fn routes(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let desk = at.desk()?;
    match &options.command {
        Some(Command::Test(test)) => tell(&desk, test, &silences(at).await),
        Some(Command::List(list)) => show(&desk, list),
        None => show(&desk, &options.list),
    }
}

fn show(desk: &Desk, options: &List) -> anyhow::Result<Exit> {
    let routes = &desk.config.routes;
    if options.json {
        for (number, route) in (1..).zip(routes) {
            let to: Vec<&str> = route.to.iter().map(|name| name.value.as_str()).collect();
            json(&serde_json::json!({
                "number": number, "place": route.origin.to_string(), "takes": route.takes.to_string(),
                "to": to, "continue": route.further, "holds": route.holds.to_string(),
            }))?;
        }
        return Ok(Exit::Done);
    }
    for (number, route) in (1..).zip(routes) {
        line(format!("{number}  {route}  ({})", route.origin))?;
    }
    if routes.is_empty() {
        line(NO_ROUTES)?;
    }
    Ok(Exit::Done)
}

/// The silences, as far as they are known: there may be no store yet.
async fn silences(at: &At) -> Vec<Silence> {
    match reach(at, Call::Silences).await {
        Ok(Reply::Silences(rows)) => rows.iter().filter_map(silence).collect(),
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::Absent(_))) => Vec::new(),
        other => {
            let why =
                other.map_or_else(|error| format!("{error:#}"), |_| "the daemon does not tell".to_owned());
            talk(format!("silences are left out: {why}"));
            Vec::new()
        }
    }
}

fn silence(row: &api::Silence) -> Option<Silence> {
    let name = row.name.clone();
    let about = match row.about.as_str() {
        "rule" => About::Rule(name),
        "entity" => About::Entity(name),
        "source" => About::Source(name),
        _ => About::Story(name.parse().ok()?),
    };
    Some(Silence {
        id: row.id.parse().ok()?,
        ..Silence::new(about, row.since, row.until, row.reason.clone())
    })
}

fn tell(desk: &Desk, options: &Test, silences: &[Silence]) -> anyhow::Result<Exit> {
    let routes = &desk.in_force.routes;
    let way = if let Some(kind) = options.event {
        Way::of(routes, &routes.of_event(kind), None)
    } else {
        let at = options.at.map(|moment| moment.instant(&desk.config.desk.timezone)).transpose()?;
        way(desk, options, silences, at.unwrap_or_else(clock::now))?
    };
    if options.json {
        json(&way)?;
    } else {
        way.lines().into_iter().try_for_each(line)?;
    }
    Ok(Exit::Done)
}

/// Where an alert that is made at `at` would go.
fn way(desk: &Desk, options: &Test, silences: &[Silence], at: Timestamp) -> anyhow::Result<Way> {
    let routes = &desk.in_force.routes;
    let alert = Alert::of(desk, options)?;
    if let Some(mode) = alert.untold {
        return Ok(Way::untold(mode));
    }
    let facts = alert.facts(options);
    let asked = Asked::of_a_new_story(facts.severity, at);
    Ok(Way::of_alert(routes, &facts, asked, (silences, asked.story)))
}

/// The alert that is asked about.
struct Alert<'a> {
    rules: Vec<Match>,
    /// Why nobody would be told, when none of its rules is live.
    untold: Option<Mode>,
    source: Option<SourceLabel<'a>>,
    tier: u8,
    entities: Vec<&'a str>,
}

/// The tier of most sources.
const TIER: u8 = 2;

impl<'a> Alert<'a> {
    fn of(desk: &'a Desk, options: &'a Test) -> anyhow::Result<Self> {
        let (mut rules, mut untold) = (Vec::new(), None);
        for name in &options.rule {
            let Some(spec) = desk.config.rules.iter().find(|spec| spec.name.value == *name) else {
                return Err(Mistake::unknown("rule", name, desk.engine.rule_names()).into());
            };
            if spec.mode != Mode::Live {
                untold = Some(spec.mode);
                continue;
            }
            rules.push(Match {
                rule: name.as_str().into(),
                severity: spec.severity,
                tags: spec.tags.clone(),
                mode: Mode::Live,
                note: None,
                max_age: None,
                score: None,
                why: Vec::new(),
            });
        }
        let names = || desk.sources.iter().map(|source| source.name().as_str());
        let source = match &options.source {
            Some(name) => Some(desk.source(name).ok_or_else(|| Mistake::unknown("source", name, names()))?),
            None => None,
        };
        let ids = || desk.config.entities.iter().map(|entity| entity.id.value.as_str());
        let entities: Vec<&str> = options.entity.iter().map(|id| id.trim_start_matches('@')).collect();
        if let Some(id) = entities.iter().find(|id| ids().all(|known| known != **id)) {
            return Err(explain::entity::unknown(&desk.engine, id).into());
        }
        Ok(Self {
            untold: untold.filter(|_| rules.is_empty()),
            rules,
            source: source.map(|source| SourceLabel { name: source.name(), tags: &source.spec.tags }),
            tier: options.tier.unwrap_or_else(|| source.map_or(TIER, |source| source.spec.tier)),
            entities,
        })
    }

    fn facts<'f>(&'f self, options: &Test) -> Facts<'f> {
        let highest = self.rules.iter().map(|rule| rule.severity).max();
        Facts {
            severity: options.severity.or(highest).unwrap_or(Severity::Medium),
            rules: &self.rules,
            source: self.source,
            tier: self.tier,
            entities: &self.entities,
        }
    }
}
