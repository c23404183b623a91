//! An alert as it is stored: its JSON as receivers see it, and what that leaves out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::item::Dating;
use crate::rules::verdict::{EntityRef, Match, PlaceRef};
use crate::store::StoreError;
use crate::story::{Alert, AlertKind, Disposition};
use crate::wire;
use crate::wire::alert::severity;

#[derive(Serialize, Deserialize)]
struct AlertRow {
    alert: wire::alert::Alert,
    kind: Kind,
    disposition: Fate,
    created: Timestamp,
    story_severity: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    New,
    Update,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fate {
    Sent,
    Recorded,
    Silenced,
    Joined,
    Stale,
    Shadow,
}

impl Row for Alert {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(&AlertRow {
            alert: self.clone().into(),
            kind: match self.kind {
                AlertKind::New => Kind::New,
                AlertKind::Update => Kind::Update,
            },
            disposition: match self.disposition {
                Disposition::Sent => Fate::Sent,
                Disposition::Recorded => Fate::Recorded,
                Disposition::Silenced => Fate::Silenced,
                Disposition::Joined => Fate::Joined,
                Disposition::Stale => Fate::Stale,
                Disposition::Shadow => Fate::Shadow,
            },
            created: self.created,
            story_severity: self.story.severity.to_string(),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: AlertRow = from_json(bytes)?;
        let alert = row.alert;
        let (rules, untold): (Vec<_>, Vec<_>) =
            alert.rules.into_iter().partition(|rule| rule.untold().is_none());
        Some(Self {
            id: alert.id.parse().ok()?,
            kind: match row.kind {
                Kind::New => AlertKind::New,
                Kind::Update => AlertKind::Update,
            },
            disposition: match row.disposition {
                Fate::Sent => Disposition::Sent,
                Fate::Recorded => Disposition::Recorded,
                Fate::Silenced => Disposition::Silenced,
                Fate::Joined => Disposition::Joined,
                Fate::Stale => Disposition::Stale,
                Fate::Shadow => Disposition::Shadow,
            },
            created: row.created,
            unrouted: alert.unrouted,
            severity: severity(&alert.severity),
            rules: rules.into_iter().map(Match::from).collect(),
            untold: untold.into_iter().map(Match::from).collect(),
            item: alert.item.item.try_into().ok()?,
            truncated: alert.item.truncated,
            article: alert.item.article_start,
            tier: alert.item.tier,
            fetched: alert.item.fetched,
            dating: Dating::from_word(alert.item.dated.as_deref()),
            repeat: alert.backup,
            entities: alert.entities.into_iter().map(EntityRef::from).collect(),
            places: alert.places.into_iter().map(PlaceRef::from).collect(),
            story: alert.story.into_core(severity(&row.story_severity)).ok()?,
        })
    }
}
