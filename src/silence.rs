//! Silences: alerts that the desk asked not to be told of for a while. They are recorded and counted, never dropped.
//!
//! Pure. A silence has an end and a reason; what it holds back is listed under it.

use jiff::Timestamp;

use crate::id::{digest, id};
use crate::route::{Facts, Routes};
use crate::story::{AlertId, StoryId};

/// Alerts that are listed under a silence; more are counted alone.
pub const LISTED_MAX: usize = 100;

/// Silences that are remembered, those that are over first to go.
const KEPT_MAX: usize = 200;

id! {
    /// Identifies a silence.
    SilenceId
}

/// What a silence is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A rule: alerts that tell of it and of no rule that is not silenced.
    Rule(String),
    /// An entity or place, or what lies below it.
    Entity(String),
    /// A source.
    Source(String),
    /// A story.
    Story(StoryId),
}

impl About {
    /// The word for what it is about, as the option of the command.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rule(_) => "rule",
            Self::Entity(_) => "entity",
            Self::Source(_) => "source",
            Self::Story(_) => "story",
        }
    }

    /// The name of it.
    pub fn name(&self) -> String {
        match self {
            Self::Rule(name) | Self::Entity(name) | Self::Source(name) => name.clone(),
            Self::Story(id) => id.to_string(),
        }
    }
}

/// Alerts that nobody is told of until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its id.
    pub id: SilenceId,
    /// What it is about.
    pub about: About,
    /// When it began.
    pub since: Timestamp,
    /// Its end; earlier than planned when somebody ended it.
    pub until: Timestamp,
    /// Why, in the desk's words.
    pub reason: String,
    /// Alerts that it held back.
    pub held: u32,
    /// The newest of them, oldest first, at most [`LISTED_MAX`].
    pub alerts: Vec<AlertId>,
}

impl Silence {
    /// A silence that begins now.
    pub fn new(about: About, since: Timestamp, until: Timestamp, reason: String) -> Self {
        let (name, begins) = (about.name(), since.to_string());
        let id = digest(&[b"silence", about.word().as_bytes(), name.as_bytes(), begins.as_bytes()]);
        Self { id: SilenceId(id), about, since, until, reason, held: 0, alerts: Vec::new() }
    }

    /// Whether it is in force. A clock set back ends nothing early and prolongs nothing beyond the stated end.
    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Takes note of an alert that it held back.
    pub fn note(&mut self, alert: AlertId) {
        self.held = self.held.saturating_add(1);
        if self.alerts.len() >= LISTED_MAX {
            self.alerts.remove(0);
        }
        self.alerts.push(alert);
    }
}

/// The place in `silences` of the one that holds back an alert with these facts, which belongs to `story`; `routes` know
/// in what its entities lie. Rules are silenced one by one: an alert is held back only when all that it tells of are.
pub fn holding(
    silences: &[Silence],
    facts: &Facts<'_>,
    routes: &Routes,
    story: StoryId,
    now: Timestamp,
) -> Option<usize> {
    let active = || silences.iter().enumerate().filter(|(_, silence)| silence.is_active(now));
    let whole = active().find(|(_, silence)| match &silence.about {
        About::Rule(_) => false,
        About::Entity(id) => routes.lies_in(facts.entities, id),
        About::Source(name) => facts.source.is_some_and(|source| source.name.as_str() == name),
        About::Story(id) => *id == story,
    });
    if let Some((place, _)) = whole {
        return Some(place);
    }
    let of_rule = |rule: &str| {
        active().find(|(_, silence)| matches!(&silence.about, About::Rule(name) if name == rule))
    };
    let places: Option<Vec<usize>> =
        facts.rules.iter().map(|rule| of_rule(&rule.rule).map(|(place, _)| place)).collect();
    places?.first().copied()
}

/// Adds a silence; of those that are over, the oldest make room.
pub fn add(silences: &mut Vec<Silence>, silence: Silence, now: Timestamp) {
    silences.push(silence);
    while silences.len() > KEPT_MAX {
        let Some(over) = silences.iter().position(|silence| !silence.is_active(now)) else { return };
        silences.remove(over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{ItemId, SourceName};
    use crate::rules::SourceLabel;
    use crate::rules::spec::{Mode, Severity};
    use crate::rules::verdict::Match;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn silence(about: About) -> Silence {
        Silence::new(about, at(0), at(10), "known".to_owned())
    }

    fn fired(rule: &str) -> Match {
        Match {
            rule: rule.into(),
            severity: Severity::High,
            tags: Vec::new(),
            mode: Mode::Live,
            note: None,
            max_age: None,
            score: None,
            why: Vec::new(),
        }
    }

    #[test]
    fn an_alert_is_held_back_by_what_it_is_about_and_by_its_rules_only_together() {
        let name = SourceName::new("wire").unwrap();
        let story = StoryId::from_bytes([1; 16]);
        let rules = [fired("a"), fired("b")];
        let facts = Facts {
            severity: Severity::High,
            rules: &rules,
            source: Some(SourceLabel { name: &name, tags: &[] }),
            tier: 2,
            entities: &["ml-gao", "ml"],
        };
        let rule = |name: &str| About::Rule(name.to_owned());
        let routes = Routes::to_all(Vec::new());
        for (about, expected) in [
            (vec![rule("a")], None),
            (vec![rule("a"), rule("b")], Some(0)),
            (vec![rule("c"), rule("b"), rule("a")], Some(2)),
            (vec![About::Entity("ml".to_owned())], Some(0)),
            (vec![About::Entity("ne".to_owned())], None),
            (vec![rule("a"), About::Source("wire".to_owned())], Some(1)),
            (vec![About::Source("other".to_owned())], None),
            (vec![About::Story(story)], Some(0)),
            (vec![About::Story(StoryId::from_bytes([2; 16]))], None),
        ] {
            let silences: Vec<_> = about.iter().cloned().map(silence).collect();
            assert_eq!(holding(&silences, &facts, &routes, story, at(5)), expected, "{about:?}");
            assert_eq!(holding(&silences, &facts, &routes, story, at(10)), None, "over: {about:?}");
        }
        let none = Facts { rules: &[], entities: &[], source: None, ..facts };
        assert_eq!(holding(&[silence(rule("a"))], &none, &routes, story, at(5)), None);
    }

    #[test]
    fn a_silence_lists_the_newest_and_counts_all() {
        let mut silence = silence(About::Source("wire".to_owned()));
        let alert = |n: i64| AlertId::new(at(n), ItemId::from_bytes([0; 16]));
        (0..150).for_each(|n| silence.note(alert(n)));
        assert_eq!((silence.held, silence.alerts.len()), (150, LISTED_MAX));
        assert_eq!(silence.alerts.last(), Some(&alert(149)));
    }

    #[test]
    fn those_in_force_are_never_forgotten() {
        let mut silences = Vec::new();
        let named = |n: usize, until| Silence { until, ..silence(About::Source(n.to_string())) };
        (0..300).for_each(|n| add(&mut silences, named(n, at(10)), at(5)));
        assert_eq!(silences.len(), 300);
        add(&mut silences, named(300, at(30)), at(20));
        assert_eq!(silences.len(), KEPT_MAX);
        assert!(silences.iter().any(|silence| silence.is_active(at(20))));
    }
}
