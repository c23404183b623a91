//! Desks that keep incidents open until they end: PagerDuty, Alertmanager.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Body, Message, foreign, wording};
use super::note::{Note, Shape, clipped};
use crate::event::EventKind;
use crate::rules::spec::Severity;

/// How long an Alertmanager shows an alert: it is told once, where Prometheus repeats what lasts.
const SHOWN: Duration = Duration::from_hours(24);

/// Greatest length of a key by which PagerDuty knows an incident again (Events API v2).
const DEDUP_CHARS_MAX: usize = 255;

/// An incident, and whether it begins or ends.
struct Incident {
    /// The same for all that speaks of it.
    key: String,
    /// The name of its kind.
    kind: String,
    /// Who reports it.
    source: String,
    since: Timestamp,
    ends: bool,
}

impl Incident {
    fn of(message: &Message<'_>) -> Self {
        let lasting = |key: String, kind: &str, source: &str, since| Self {
            key,
            kind: kind.to_owned(),
            source: source.to_owned(),
            since,
            ends: false,
        };
        match &message.body {
            Body::Alert(alert) => {
                let kind = alert.rules.first().map_or_else(String::new, |rule| foreign::line(&rule.rule));
                let story = alert.story.id.to_string();
                lasting(story, &kind, &foreign::line(wording::source_name(alert)), alert.created)
            }
            Body::Digest(digest) => {
                lasting(message.id.to_string(), "alert.digest", "harmattan", digest.created())
            }
            Body::Event(event) => {
                let (kind, ends) = match event.kind {
                    EventKind::SourceFailing | EventKind::SourceSilent => (event.kind.as_str(), false),
                    EventKind::SourceRecovered => (EventKind::SourceFailing.as_str(), true),
                    EventKind::SourceGap => (EventKind::SourceGap.as_str(), false),
                    EventKind::NetworkOffline => (EventKind::NetworkOffline.as_str(), false),
                    EventKind::NetworkOnline => (EventKind::NetworkOffline.as_str(), true),
                    EventKind::NotifierFailing => (EventKind::NotifierFailing.as_str(), false),
                    EventKind::NotifierRecovered => (EventKind::NotifierFailing.as_str(), true),
                };
                // A source that was silent recovers as one that failed does.
                let about = if kind == EventKind::SourceSilent.as_str() { "source.failing" } else { kind };
                let name = foreign::line(&event.name);
                Self { ends, ..lasting(format!("{about}/{name}"), about, &name, event.created) }
            }
            // Each of its own: nobody would be told anew of an incident that is open already.
            Body::Report(report) => {
                lasting(format!("harmattan/report/{}", message.id), "report", "harmattan", report.until)
            }
            Body::Test => lasting(format!("harmattan/test/{}", message.id), "test", "harmattan", message.now),
        }
    }
}

/// An event of version 2. `key` is the integration key; updates of a story speak of one incident.
pub(super) fn pagerduty(message: &Message<'_>, note: &Note, shape: &Shape, key: &str) -> Value {
    let incident = Incident::of(message);
    let severity = match note.severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    };
    let mut event = json!({
        "routing_key": key,
        "event_action": if incident.ends { "resolve" } else { "trigger" },
        "dedup_key": clipped(&incident.key, DEDUP_CHARS_MAX, shape),
        "client": "Harmattan",
        "payload": {
            "summary": note.title(shape),
            "source": incident.source,
            "severity": severity,
            "timestamp": incident.since.to_string(),
            "class": incident.kind,
            "custom_details": { "text": note.text(shape), "delivery": message.id.to_string() },
        },
    });
    if let (Some(link), Value::Object(event)) = (&note.link, &mut event) {
        event.insert("links".to_owned(), json!([{ "href": link, "text": "The item" }]));
    }
    event
}

/// An alert that ends by itself: a day after the attempt, or at once when what it tells of is over. One whose end has
/// passed when it arrives counts as resolved there, and nobody would be told of it.
pub(super) fn alertmanager(message: &Message<'_>, note: &Note, shape: &Shape) -> Value {
    let incident = Incident::of(message);
    let ends = if incident.ends { incident.since } else { incident.since.max(message.now) + SHOWN };
    // What ended has the labels that it had when it began.
    let severity = match &message.body {
        Body::Event(_) => Severity::Medium,
        Body::Alert(_) | Body::Digest(_) | Body::Report(_) | Body::Test => note.severity,
    };
    let mut alert = json!({
        "labels": {
            "alertname": incident.kind,
            "severity": severity.as_str(),
            "source": incident.source,
            "story": incident.key,
            "job": "harmattan",
        },
        "annotations": { "summary": note.title(shape), "description": note.text(shape) },
        "endsAt": ends.to_string(),
    });
    if let Value::Object(alert) = &mut alert {
        if !incident.ends {
            alert.insert("startsAt".to_owned(), json!(incident.since.to_string()));
        }
        alert.extend(note.link.as_ref().map(|link| ("generatorURL".to_owned(), json!(link))));
    }
    json!([alert])
}
