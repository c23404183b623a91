//! Events, the network and the trouble of hosts, as they are stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::event::{Event, EventKind, Gathering, HostTrouble, Incident, Member, Network, Suspect};
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct EventRow {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    recipient: String,
    since: Timestamp,
    detail: String,
    created: Timestamp,
}

impl Row for Event {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let event = self.clone();
        to_json(&EventRow {
            id: event.id.to_string(),
            kind: event.kind.as_str().to_owned(),
            name: event.name,
            reason: event.reason,
            recipient: event.recipient,
            since: event.since,
            detail: event.detail,
            created: event.created,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: EventRow = from_json(bytes)?;
        Some(Self {
            id: row.id.parse().ok()?,
            kind: EventKind::from_word(&row.kind)?,
            name: row.name,
            reason: row.reason,
            recipient: row.recipient,
            since: row.since,
            detail: row.detail,
            created: row.created,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct NetworkRow {
    #[serde(default)]
    suspects: Vec<(String, Timestamp)>,
    offline: Option<Timestamp>,
    returned: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    spans: Vec<(Timestamp, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gaps: Option<GatheringRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gaps_told: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct GatheringRow {
    begun: Timestamp,
    due: Timestamp,
    since: Timestamp,
    until: Timestamp,
    sources: Vec<String>,
    others: usize,
    detail: String,
}

impl From<Gathering> for GatheringRow {
    fn from(Gathering { begun, due, since, until, sources, others, detail }: Gathering) -> Self {
        Self { begun, due, since, until, sources, others, detail }
    }
}

impl From<GatheringRow> for Gathering {
    fn from(GatheringRow { begun, due, since, until, sources, others, detail }: GatheringRow) -> Self {
        Self { begun, due, since, until, sources, others, detail }
    }
}

impl Row for Network {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(&NetworkRow {
            suspects: self.suspects.iter().map(|suspect| (suspect.host.clone(), suspect.at)).collect(),
            offline: self.offline,
            returned: self.returned,
            spans: self.spans.clone(),
            gaps: self.gaps.clone().map(GatheringRow::from),
            gaps_told: self.gaps_told,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: NetworkRow = from_json(bytes)?;
        Some(Self {
            suspects: row.suspects.into_iter().map(|(host, at)| Suspect { host, at }).collect(),
            offline: row.offline,
            returned: row.returned,
            spans: row.spans,
            gaps: row.gaps.map(Gathering::from),
            gaps_told: row.gaps_told,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct HostRow {
    #[serde(default)]
    members: Vec<MemberRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<Timestamp>,
    told: Option<(String, Timestamp)>,
    #[serde(default)]
    answers: bool,
}

#[derive(Serialize, Deserialize)]
struct MemberRow {
    source: String,
    reason: String,
    since: Timestamp,
    at: Timestamp,
}

impl Row for HostTrouble {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let row = |member: &Member| MemberRow {
            source: member.source.clone(),
            reason: member.reason.clone(),
            since: member.since,
            at: member.at,
        };
        let told = self.told.as_ref();
        to_json(&HostRow {
            members: self.members.iter().map(row).collect(),
            read: self.read,
            told: told.map(|told| (told.reason.clone(), told.since)),
            answers: told.is_some_and(|told| told.answers),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: HostRow = from_json(bytes)?;
        let member =
            |row: MemberRow| Member { source: row.source, reason: row.reason, since: row.since, at: row.at };
        Some(Self {
            members: row.members.into_iter().map(member).collect(),
            read: row.read,
            told: row.told.map(|(reason, since)| Incident { reason, since, answers: row.answers }),
        })
    }
}
