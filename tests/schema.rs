//! The bodies of webhooks against the schema that receivers are given.

use harmattan::event::{Event, EventKind};
use harmattan::notify::digest::Digest;
use harmattan::notify::{Body, Message, webhook};
use harmattan::outbox::DeliveryId;
use harmattan::report::{Report, Unwell};
use harmattan::story::AlertKind;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::support::sample;

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(include_str!("../config/webhook.schema.json")).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn body(told: Body<'_>) -> Value {
    let id = DeliveryId::from_bytes([7; 16]);
    let message = Message {
        id,
        body: told,
        recipient: "",
        timezone: &TimeZone::UTC,
        now: sample::now(),
        sent: Some(sample::now()),
        late: false,
        possible_duplicate: false,
        follows: None,
    };
    serde_json::from_slice(&webhook::body(&message, "ops-hook").unwrap()).unwrap()
}

#[test]
fn every_body_fits_the_schema() {
    let schema = schema();
    for alert in [sample::russian(), sample::french(), sample::arabic(), sample::hostile()] {
        for kind in [AlertKind::New, AlertKind::Update] {
            let mut alert = alert.clone();
            alert.kind = kind;
            let body = body(Body::Alert(&alert));
            let errors: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?} in {body:#}");
        }
    }
    assert!(schema.is_valid(&body(Body::Test)));
    let alerts = [sample::russian(), sample::hostile()];
    let digest = body(Body::Digest(Digest {
        cause: None,
        alerts: &alerts,
        left: 0,
        part: 2,
        parts: 3,
        created: sample::now(),
    }));
    let errors: Vec<_> = schema.iter_errors(&digest).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {digest:#}");
    assert_eq!((&digest["type"], &digest["data"]["part"]), (&"alert.digest".into(), &2.into()));
}

#[test]
fn a_report_fits_the_schema() {
    let schema = schema();
    let unwell = Unwell {
        name: "rfi".to_owned(),
        state: "failing".to_owned(),
        reason: Some("dns".to_owned()),
        since: Some(sample::now()),
    };
    for report in [
        Report { since: sample::now(), until: sample::now(), ..Report::default() },
        Report { unwell: vec![unwell], notifiers_failing: vec!["mail".to_owned()], ..Report::default() },
    ] {
        let body = body(Body::Report(&report));
        let errors: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {body:#}");
        assert_eq!(body["type"], "report");
    }
}

#[test]
fn every_event_fits_the_schema_and_says_what_is_promised() {
    let schema = schema();
    for kind in EventKind::ALL {
        let reason = (kind == EventKind::SourceFailing).then_some("dns");
        let event = Event::new(kind, "rfi", reason, sample::now(), "in words".into(), sample::now());
        let refused = body(Body::Event(&event.clone().about("b@example.org")));
        assert!(schema.is_valid(&refused) && refused["data"]["recipient"] == "b@example.org", "{refused:#}");
        let body = body(Body::Event(&event));
        let errors: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {body:#}");
        assert_eq!(body["type"], kind.as_str());
        let keys: Vec<&str> = body["data"].as_object().unwrap().keys().map(String::as_str).collect();
        let promised = ["name", "state", "reason", "since", "detail"];
        assert!(keys.iter().all(|key| promised.contains(key)) && keys.len() >= 4, "{keys:?}");
    }
}

#[test]
fn the_schema_refuses_what_a_receiver_could_not_use() {
    let schema = schema();
    let alert = sample::russian();
    let whole = body(Body::Alert(&alert));
    for path in ["/data/id", "/data/severity", "/data/rules/0/why/0/start", "/data/item/url", "/timestamp"] {
        let mut broken = whole.clone();
        *broken.pointer_mut(path).unwrap() = Value::Array(Vec::new());
        assert!(!schema.is_valid(&broken), "{path} may be a list");
    }
}
