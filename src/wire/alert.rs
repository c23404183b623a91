//! An alert as JSON: `data` of the webhook body, a line of `alerts list --json`, and what the store keeps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::Item;
use crate::id::NotAnId;
use crate::item::SourceName;
use crate::rules::spec::{Mode, Severity};
use crate::rules::verdict::{EntityRef, Match, PlaceRef, Reason};
use crate::story as core;
use crate::text::{ByteSpan, Field};

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// 26 characters; ids sort by age.
    pub id: String,
    /// `info low medium high critical`.
    pub severity: String,
    /// Whether no route took it.
    #[serde(default)]
    pub unrouted: bool,
    /// Whether it left late, after an outage.
    #[serde(default)]
    pub late: bool,
    /// Whether it may have been told before: the store was restored from a backup or was damaged, and does not know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub possible_duplicate: bool,
    /// Of such a one: when the backup was taken, or until when the damaged store knows for certain what was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Timestamp>,
    /// The rules that fired.
    pub rules: Vec<Rule>,
    /// The item.
    pub item: AlertItem,
    /// Entities mentioned.
    pub entities: Vec<Entity>,
    /// Places mentioned.
    pub places: Vec<Place>,
    /// The story.
    pub story: Story,
    /// Of an update: what is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// The item of an alert: an [`Item`] and what only its alert knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertItem {
    /// The item; its text is cut at 8 KiB.
    #[serde(flatten)]
    pub item: Item,
    /// Tier of the source: 1 wire or official, 2 press, 3 unverified.
    pub tier: u8,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// What is odd about its date: `undated`, `future`, or `backdated` when its source was read long after it without
    /// showing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<String>,
    /// Whether the text was cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Of an alert that the linked article brought about: the byte of the text at which that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article_start: Option<usize>,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Name.
    pub name: String,
    /// Severity.
    pub severity: String,
    /// Sum of weights, of rules that have them.
    pub score: Option<i64>,
    /// Tags.
    pub tags: Vec<String>,
    /// What the desk wrote for whoever reads the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `shadow` of a rule on trial, which is recorded and not told; absent when it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Whether the item was too old for this rule, which is recorded and not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// The words that met it.
    pub why: Vec<Why>,
}

/// Words that met a term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The term.
    pub term: String,
    /// The words.
    pub text: String,
    /// `title` or `text`.
    pub field: String,
    /// First byte in that field as sent.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// An entity mentioned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Id.
    pub id: String,
    /// Type.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// Name in Latin script.
    pub name: String,
}

/// A place mentioned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Id.
    pub id: String,
    /// Name in Latin script.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Ancestors, nearest first.
    #[serde(rename = "in")]
    pub within: Vec<String>,
    /// Latitude, decimal degrees, WGS 84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Longitude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
}

/// The story an alert belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Id.
    pub id: String,
    /// Reports so far.
    pub reports: u32,
    /// Sources that reported.
    pub sources: Vec<String>,
    /// When the first report was seen.
    pub first_seen: Timestamp,
}

impl From<core::Alert> for Alert {
    fn from(alert: core::Alert) -> Self {
        let new = match alert.kind {
            core::AlertKind::New => None,
            core::AlertKind::Update => Some(format!("severity raised to {}", alert.severity)),
        };
        let told = alert.rules.into_iter().map(Rule::from);
        // What is live and untold is stale: a rule is untold for one of two reasons.
        let untold =
            alert.untold.into_iter().map(|fired| Rule { stale: fired.mode == Mode::Live, ..fired.into() });
        Self {
            id: alert.id.to_string(),
            severity: alert.severity.to_string(),
            unrouted: alert.unrouted,
            late: false,
            possible_duplicate: alert.repeat.is_some(),
            backup: alert.repeat,
            rules: told.chain(untold).collect(),
            item: AlertItem {
                item: alert.item.into(),
                tier: alert.tier,
                fetched: alert.fetched,
                dated: alert.dating.word().map(str::to_owned),
                truncated: alert.truncated,
                article_start: alert.article,
            },
            entities: alert.entities.into_iter().map(Entity::from).collect(),
            places: alert.places.into_iter().map(Place::from).collect(),
            story: alert.story.into(),
            new,
        }
    }
}

impl Rule {
    /// Why it is recorded and not told: `shadow` or `stale`.
    pub fn untold(&self) -> Option<&str> {
        self.mode.as_deref().or(self.stale.then_some("stale"))
    }
}

impl From<Match> for Rule {
    fn from(fired: Match) -> Self {
        Self {
            name: fired.rule.to_string(),
            severity: fired.severity.to_string(),
            score: fired.score,
            tags: fired.tags,
            note: fired.note.map(|note| note.to_string()),
            mode: (fired.mode != Mode::Live).then(|| fired.mode.as_str().to_owned()),
            stale: false,
            why: fired.why.into_iter().map(Why::from).collect(),
        }
    }
}

impl From<Rule> for Match {
    fn from(rule: Rule) -> Self {
        Self {
            rule: rule.name.into(),
            severity: severity(&rule.severity),
            tags: rule.tags,
            mode: rule.mode.as_deref().and_then(Mode::from_word).unwrap_or_default(),
            note: rule.note.map(Into::into),
            max_age: None,
            score: rule.score,
            why: rule.why.into_iter().map(Reason::from).collect(),
        }
    }
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        Self {
            term: reason.term,
            text: reason.text,
            field: reason.field.as_str().to_owned(),
            start: reason.span.start,
            end: reason.span.end,
        }
    }
}

impl From<Why> for Reason {
    fn from(why: Why) -> Self {
        let field = if why.field == Field::Title.as_str() { Field::Title } else { Field::Text };
        Self { term: why.term, text: why.text, field, span: ByteSpan { start: why.start, end: why.end } }
    }
}

impl From<EntityRef> for Entity {
    fn from(entity: EntityRef) -> Self {
        Self { id: entity.id, entity_type: entity.entity_type, name: entity.name }
    }
}

impl From<Entity> for EntityRef {
    fn from(entity: Entity) -> Self {
        Self { id: entity.id, entity_type: entity.entity_type, name: entity.name }
    }
}

impl From<PlaceRef> for Place {
    fn from(place: PlaceRef) -> Self {
        Self {
            id: place.id,
            name: place.name,
            country: place.country,
            within: place.within,
            lat: place.at.map(|(lat, _)| lat),
            lon: place.at.map(|(_, lon)| lon),
        }
    }
}

impl From<Place> for PlaceRef {
    fn from(place: Place) -> Self {
        Self {
            id: place.id,
            name: place.name,
            country: place.country,
            within: place.within,
            at: place.lat.zip(place.lon),
        }
    }
}

impl From<core::Story> for Story {
    fn from(story: core::Story) -> Self {
        Self {
            id: story.id.to_string(),
            reports: story.reports,
            sources: story.sources.iter().map(ToString::to_string).collect(),
            first_seen: story.first_seen,
        }
    }
}

impl Story {
    /// The story back from its JSON; the severity and who was told are not part of that.
    pub(crate) fn into_core(self, severity: Severity) -> Result<core::Story, NotAnId> {
        Ok(core::Story {
            id: self.id.parse()?,
            reports: self.reports,
            sources: self.sources.iter().filter_map(|name| SourceName::new(name)).collect(),
            first_seen: self.first_seen,
            severity,
            told: Vec::new(),
        })
    }
}

/// The severity that `word` names; `info` for a word of a later version.
pub(crate) fn severity(word: &str) -> Severity {
    Severity::from_word(word).unwrap_or(Severity::Info)
}
