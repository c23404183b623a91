//! Desks that keep incidents open until they end: PagerDuty, Alertmanager.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::event::is_refused;
use super::super::{Body, Message, foreign, wording};
use super::note::{Note, Shape, clipped};
use crate::event::EventKind;
use crate::outbox::circuit::REFUSED;
use crate::rules::spec::Severity;

/// How long an Alertmanager shows what nothing ends: it is told once, where Prometheus repeats what lasts.
const SHOWN: Duration = Duration::from_hours(24);

/// How long it shows at most what is told of again when it is over: a source that fails, and is taken out of the config
/// before it is well again, must not stay there for ever.
const LASTING: Duration = Duration::from_hours(30 * 24);

/// Greatest length of a key by which PagerDuty knows an incident again (Events API v2).
const DEDUP_CHARS_MAX: usize = 255;

/// How an incident goes on.
enum Course {
    /// It happened, and nothing will tell of its end.
    Happened,
    /// It lasts until its end is told.
    Lasts,
    /// It is over.
    Over,
}

/// An incident, and how it goes on.
struct Incident {
    /// The same for all that speaks of it.
    key: String,
    /// The name of its kind.
    kind: String,
    /// Who reports it.
    source: String,
    since: Timestamp,
    course: Course,
}

impl Incident {
    fn of(message: &Message<'_>) -> Self {
        let happened = |key: String, kind: &str, source: &str, since| Self {
            key,
            kind: kind.to_owned(),
            source: source.to_owned(),
            since,
            course: Course::Happened,
        };
        match &message.body {
            Body::Alert(alert) => {
                let kind = alert.rules.first().map_or_else(String::new, |rule| foreign::line(&rule.rule));
                let story = alert.story.id.to_string();
                happened(story, &kind, &foreign::line(wording::source_name(alert)), alert.created)
            }
            Body::Digest(digest) => {
                happened(message.id.to_string(), "alert.digest", "harmattan", digest.created)
            }
            Body::Event(event) => {
                let (kind, course) = match event.kind {
                    // A source that was silent recovers as one that failed does.
                    EventKind::SourceFailing | EventKind::SourceSilent => {
                        (EventKind::SourceFailing, Course::Lasts)
                    }
                    EventKind::SourceRecovered => (EventKind::SourceFailing, Course::Over),
                    EventKind::SourceGap => (EventKind::SourceGap, Course::Happened),
                    EventKind::NetworkOffline => (EventKind::NetworkOffline, Course::Lasts),
                    EventKind::NetworkOnline => (EventKind::NetworkOffline, Course::Over),
                    EventKind::NotifierFailing => (EventKind::NotifierFailing, Course::Lasts),
                    EventKind::NotifierRecovered => (EventKind::NotifierFailing, Course::Over),
                    EventKind::StoreDamaged => (EventKind::StoreDamaged, Course::Happened),
                };
                let (kind, name) = (kind.as_str(), foreign::line(&event.name));
                // A recipient who takes nothing is an incident beside those of the way and of the other recipients.
                let refused =
                    if is_refused(event) { format!("/{REFUSED}/{}", event.recipient) } else { String::new() };
                let key = foreign::line(&format!("{kind}/{name}{refused}"));
                Self { course, ..happened(key, kind, &name, event.created) }
            }
            // Each of its own: nobody would be told anew of an incident that is open already.
            Body::Report(report) => {
                happened(format!("harmattan/report/{}", message.id), "report", "harmattan", report.until)
            }
            Body::Test => {
                happened(format!("harmattan/test/{}", message.id), "test", "harmattan", message.now)
            }
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
        "event_action": match incident.course {
            Course::Happened | Course::Lasts => "trigger",
            Course::Over => "resolve",
        },
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

/// An alert that ends by itself some time after the attempt, or at once when what it tells of is over. One whose end has
/// passed when it arrives counts as resolved there, and nobody would be told of it.
pub(super) fn alertmanager(message: &Message<'_>, note: &Note, shape: &Shape) -> Value {
    let incident = Incident::of(message);
    let (starts, shown) = match incident.course {
        // What was held up may be overtaken by the news of its end.
        Course::Lasts if !message.late => (Some(incident.since), LASTING),
        Course::Happened | Course::Lasts => (Some(incident.since), SHOWN),
        Course::Over => (None, Duration::ZERO),
    };
    let ends = starts.map_or(incident.since, |starts| starts.max(message.now) + shown);
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
        alert.extend(starts.map(|starts| ("startsAt".to_owned(), json!(starts.to_string()))));
        alert.extend(note.link.as_ref().map(|link| ("generatorURL".to_owned(), json!(link))));
    }
    json!([alert])
}
