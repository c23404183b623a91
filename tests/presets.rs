//! Chats, telephones and incident desks: what they are sent, against what they publish that they take.

use std::fmt::Write as _;
use std::sync::Mutex;

use harmattan::config::secret::Secret;
use harmattan::event::{Event, EventKind};
use harmattan::notify::chat::{Address, ChatSettings, Service};
use harmattan::notify::digest::Digest;
use harmattan::notify::{Accepted, Body, Message, Notifier, NotifierKind, NotifierSettings, punctuality};
use harmattan::outbox::bundle::Cause;
use harmattan::outbox::circuit::Circuit;
use harmattan::outbox::{DeliveryId, Failure};
use harmattan::report::Report;
use harmattan::story::Alert;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::checker::check;
use crate::support::http::{Asked, Reply, Server};
use crate::support::sample;

const TOKEN: &str = "tk_do-not-print-0123456789";

/// A notifier for `service` at `server`.
fn notifier(service: Service, server: &Server) -> Notifier {
    let (address, token) = if service.has_secret_address() {
        (Address::Secret(Secret::new(server.url(&format!("/hooks/{TOKEN}")).into())), None)
    } else {
        (Address::Open(server.url("/")), Some(Secret::new(TOKEN.to_owned())))
    };
    let names = [
        (Service::Telegram, "-100123"),
        (Service::Ntfy, "desk-alerts"),
        (Service::Matrix, "!desk:example.org"),
    ];
    let to = names.into_iter().filter(|(named, _)| *named == service).map(|(_, to)| to.to_owned()).collect();
    let kind = NotifierKind::Chat(ChatSettings { service, address, token, to });
    Notifier::new(&NotifierSettings { name: "tried".to_owned(), kind }).expect("good settings")
}

/// Sends `body` through a notifier for `service` to a receiver that answers so; what came, and how it ended.
async fn sent(service: Service, body: &Body<'_>, reply: Reply) -> (Vec<Asked>, Result<Accepted, Failure>) {
    sent_at(sample::now(), service, body, reply).await
}

/// The same at another time.
async fn sent_at(
    now: Timestamp,
    service: Service,
    body: &Body<'_>,
    reply: Reply,
) -> (Vec<Asked>, Result<Accepted, Failure>) {
    let server = Server::always(reply);
    let notifier = notifier(service, &server);
    let recipient = notifier.recipients().into_iter().next().expect("one");
    let (late, sent) = punctuality(sample::now(), now);
    let message = Message {
        id: DeliveryId::from_bytes([7; 16]),
        body: body.clone(),
        recipient: &recipient,
        timezone: &TimeZone::UTC,
        now,
        sent: Some(sent),
        late,
        possible_duplicate: false,
        follows: None,
    };
    let outcome = notifier.send(&message).await;
    (server.asked(), outcome)
}

async fn checked(service: Service, body: &Body<'_>) -> Value {
    checked_at(sample::now(), service, body).await
}

async fn checked_at(now: Timestamp, service: Service, body: &Body<'_>) -> Value {
    let (asked, outcome) = sent_at(now, service, body, Reply::ok("ok")).await;
    outcome.expect("taken");
    assert_eq!(asked.len(), 1);
    check(service, asked.first().expect("one"), now)
}

fn event(kind: EventKind, name: &str) -> Event {
    Event::new(kind, name, Some("dns"), sample::now(), "no such host @everyone".to_owned(), sample::now())
}

#[tokio::test]
async fn every_service_is_told_in_its_own_form() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/presets");
    settings.set_prepend_module_to_snapshot(false);
    let (alert, hostile) = (sample::russian(), sample::hostile());
    let alerts = [sample::french(), sample::arabic(), sample::hostile()];
    let digest = Digest {
        cause: Some(Cause::Quiet),
        alerts: &alerts,
        left: 0,
        part: 1,
        parts: 2,
        created: sample::now(),
    };
    let (failing, recovered) =
        (event(EventKind::SourceFailing, "rfi-afrique"), event(EventKind::SourceRecovered, "rfi-afrique"));
    let report = Report { since: sample::now(), until: sample::now(), ..Report::default() };
    for service in Service::ALL {
        let mut all = String::new();
        for (name, body) in [
            ("alert", Body::Alert(&alert)),
            ("hostile", Body::Alert(&hostile)),
            ("digest", Body::Digest(digest)),
            ("failing", Body::Event(&failing)),
            ("recovered", Body::Event(&recovered)),
            ("report", Body::Report(&report)),
        ] {
            let told = checked(service, &body).await;
            writeln!(all, "{name} {told:#}").expect("room");
        }
        assert!(service == Service::PagerDuty || !all.contains(TOKEN), "{all}");
        settings.bind(|| insta::assert_snapshot!(service.as_str(), all));
    }
}

#[tokio::test]
async fn what_the_linked_article_brought_about_says_so() {
    for (article, times) in [(None, 0), (Some(4), 1)] {
        let alert = Alert { article, ..sample::arabic() };
        for service in Service::ALL {
            let told = checked(service, &Body::Alert(&alert)).await.to_string();
            assert_eq!(
                told.matches("Found in the linked article").count(),
                times,
                "{}: {told}",
                service.as_str()
            );
        }
    }
}

#[tokio::test]
async fn what_is_late_and_what_no_route_takes_says_so() {
    let unrouted = Alert { unrouted: true, ..sample::arabic() };
    let alerts = [unrouted.clone(), sample::french()];
    let (left, created) = (0, sample::now());
    let digest = Digest { cause: Some(Cause::Quiet), alerts: &alerts, left, part: 1, parts: 1, created };
    let failing = event(EventKind::NotifierFailing, "ops-hook");
    let report = Report { since: created, until: created, ..Report::default() };
    let (late, unsaid) = ("Late: a stop or an outage held it up", "No route takes it: everybody is told");
    for service in Service::ALL {
        for (body, is_unrouted) in [
            (Body::Alert(&unrouted), true),
            (Body::Digest(digest), true),
            (Body::Event(&failing), false),
            (Body::Report(&report), false),
        ] {
            for hours in [0, 1] {
                let now = created + SignedDuration::from_hours(hours);
                let told = checked_at(now, service, &body).await.to_string();
                let said = (told.contains(late), told.matches(unsaid).count());
                assert_eq!(said, (hours == 1, usize::from(is_unrouted)), "{}: {told}", service.as_str());
            }
        }
    }
}

/// An alert of which everything is as long as it can be, in letters that cost most.
fn giant(filling: &str) -> Alert {
    let mut alert = sample::russian();
    alert.item.title = filling.repeat(2_000);
    alert.item.text = filling.repeat(2_000);
    alert.item.url = Some(format!("https://a.example/{}", "x".repeat(1_900)));
    for rule in &mut alert.rules {
        rule.note = Some(filling.repeat(1_000).into());
    }
    alert.rules = alert.rules.iter().cycle().take(12).cloned().collect();
    alert
}

#[tokio::test]
async fn the_largest_messages_keep_to_every_limit() {
    for filling in ["x", "\u{1}\"\\<&>*_", "👩🏽\u{200d}🚒", "م ", "**[a](b)** @all ", "\n"] {
        let alert = giant(filling);
        let many = vec![alert.clone(); 40];
        for service in Service::ALL {
            checked(service, &Body::Alert(&alert)).await;
            let told = checked(
                service,
                &Body::Digest(Digest {
                    cause: None,
                    alerts: &many,
                    left: 0,
                    part: 1,
                    parts: 1,
                    created: sample::now(),
                }),
            )
            .await;
            assert!(told.to_string().contains("more: harmattan alerts list"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_link_that_grows_too_long_in_a_form_is_left_out_and_no_alert_is_lost() {
    for filling in ["a&", "|", "\\", "'", "x"] {
        let mut link = format!("https://a.example/?{}", filling.repeat(1_990 / filling.len()));
        link.truncate(2_000);
        let (mut alert, mut giant) = (sample::russian(), giant("\""));
        (alert.item.url, giant.item.url) = (Some(link.clone()), Some(link));
        for service in Service::ALL {
            checked(service, &Body::Alert(&giant)).await;
            let told = checked(service, &Body::Alert(&alert)).await.to_string();
            let whole = told.contains("https://a.example/?");
            assert!(whole || told.contains("characters left out)"), "{}: {told}", service.as_str());
            assert!(whole || filling != "x", "{}", service.as_str());
        }
    }
}

#[tokio::test]
async fn a_test_is_as_large_as_the_service_takes() {
    for (service, least) in [
        (Service::Slack, 8_500),
        (Service::Discord, 3_500),
        (Service::Mattermost, 6_500),
        (Service::Teams, 10_000),
        (Service::Telegram, 3_500),
        (Service::Ntfy, 3_900),
        (Service::Gotify, 16_000),
        (Service::Matrix, 25_000),
        (Service::PagerDuty, 16_000),
        (Service::Alertmanager, 16_000),
    ] {
        let told = checked(service, &Body::Test).await.to_string();
        assert!(told.len() > least, "{}: {}", service.as_str(), told.len());
    }
}

#[tokio::test]
async fn an_attempt_is_repeated_byte_by_byte_under_its_id() {
    let alert = sample::french();
    for service in Service::ALL {
        let both: Mutex<Vec<Asked>> = Mutex::default();
        for _ in 0..2 {
            let (asked, _) = sent(service, &Body::Alert(&alert), Reply::status(503)).await;
            both.lock().expect("whole").extend(asked);
        }
        let both = both.into_inner().expect("whole");
        assert_eq!(both[0].body, both[1].body, "{}", service.as_str());
        assert_eq!(both[0].target, both[1].target, "Matrix knows a repetition by its path");
        for header in ["idempotency-key", "webhook-id"] {
            assert_eq!(both[0].text(header), Some(DeliveryId::from_bytes([7; 16]).to_string()), "{header}");
        }
    }
}

#[tokio::test]
async fn no_secret_is_shown_whatever_a_receiver_says() {
    let alert = sample::french();
    for service in Service::ALL {
        for status in [400, 401, 404, 500] {
            let echo = format!("{{\"error\":\"bad token {TOKEN} in /hooks/{TOKEN}\"}}");
            let (asked, outcome) =
                sent(service, &Body::Alert(&alert), Reply::status(status).body(echo)).await;
            let reason = outcome.expect_err("refused").reason().to_owned();
            assert!(!reason.contains(TOKEN), "{reason}");
            assert!(reason.contains(&status.to_string()) && reason.contains("bad token"), "{reason}");
            assert_eq!(asked.len(), 1, "no attempt in the attempt");
        }
        let server = Server::always(Reply::ok("ok"));
        assert!(!format!("{:?}", notifier(service, &server)).contains(TOKEN));
    }
}

#[tokio::test]
async fn a_group_that_moved_is_told_where_it_is_now() {
    let moved =
        r#"{"ok":false,"description":"group chat was upgraded","parameters":{"migrate_to_chat_id":-100777}}"#;
    let server = Server::start(move |asked| {
        let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
        if body["chat_id"] == "-100777" { Reply::ok("{}") } else { Reply::status(400).body(moved) }
    });
    let notifier = notifier(Service::Telegram, &server);
    let alert = sample::french();
    let message = Message {
        id: DeliveryId::from_bytes([7; 16]),
        body: Body::Alert(&alert),
        recipient: "-100123",
        timezone: &TimeZone::UTC,
        now: sample::now(),
        sent: Some(sample::now()),
        late: false,
        possible_duplicate: false,
        follows: None,
    };
    let accepted = notifier.send(&message).await.expect("taken");
    assert!(accepted.detail.contains("-100777"), "{accepted:?}");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn every_report_and_every_test_is_an_incident_of_its_own() {
    let report = Report { since: sample::now(), until: sample::now(), ..Report::default() };
    let id = DeliveryId::from_bytes([7; 16]).to_string();
    for body in [Body::Report(&report), Body::Test] {
        for (service, key) in [(Service::PagerDuty, "/dedup_key"), (Service::Alertmanager, "/0/labels/story")]
        {
            let told = checked(service, &body).await;
            let key = told.pointer(key).and_then(Value::as_str).expect("a key");
            assert!(key.ends_with(&format!("/{id}")), "{key}");
        }
    }
}

#[tokio::test]
async fn an_alert_that_arrives_days_late_is_not_resolved_already() {
    let (alert, failing) = (sample::french(), event(EventKind::SourceFailing, "rfi-afrique"));
    let alerts = [sample::french(), sample::arabic()];
    let report = Report { since: sample::now(), until: sample::now(), ..Report::default() };
    for body in [
        Body::Alert(&alert),
        Body::Digest(Digest {
            cause: None,
            alerts: &alerts,
            left: 0,
            part: 1,
            parts: 1,
            created: sample::now(),
        }),
        Body::Event(&failing),
        Body::Report(&report),
        Body::Test,
    ] {
        for late in
            [SignedDuration::ZERO, SignedDuration::from_hours(30), SignedDuration::from_hours(24 * 40)]
        {
            let told = checked_at(sample::now() + late, Service::Alertmanager, &body).await;
            assert!(told[0].get("startsAt").is_some(), "{told}");
        }
    }
}

#[tokio::test]
async fn what_lasts_is_shown_until_it_is_over() {
    let late = SignedDuration::from_hours(1);
    for (kind, after, days) in [
        (EventKind::SourceFailing, SignedDuration::ZERO, 30),
        (EventKind::SourceSilent, SignedDuration::ZERO, 30),
        (EventKind::NetworkOffline, SignedDuration::ZERO, 30),
        (EventKind::NotifierFailing, SignedDuration::ZERO, 30),
        (EventKind::NotifierFailing, late, 1),
        (EventKind::SourceGap, SignedDuration::ZERO, 1),
        (EventKind::StoreDamaged, SignedDuration::ZERO, 1),
        (EventKind::SourceRecovered, SignedDuration::ZERO, 0),
        (EventKind::NetworkOnline, SignedDuration::ZERO, 0),
        (EventKind::NotifierRecovered, SignedDuration::ZERO, 0),
    ] {
        let now = sample::now() + after;
        let event = event(kind, "rfi-afrique");
        let told = checked_at(now, Service::Alertmanager, &Body::Event(&event)).await;
        let ends = now + SignedDuration::from_hours(24 * days);
        assert_eq!(told[0]["endsAt"], ends.to_string(), "{kind:?}");
        assert_eq!(told[0].get("startsAt").is_none(), days == 0, "{kind:?}");
    }
}

#[tokio::test]
async fn a_recipient_who_is_heard_again_ends_no_incident_of_another() {
    let refused = Failure::Refused { reason: "550 no such user".to_owned() };
    let (times, mut circuit, mut events) = ((sample::now(), sample::now()), Circuit::default(), Vec::new());
    let (one, other) = ("a@example.org", "b@example.org");
    for recipient in [one, one, one, other, other, other] {
        events.extend(circuit.learn(("mail", recipient), Err(&refused), times, false));
    }
    events.extend(circuit.learn(("mail", one), Ok(()), times, false));
    events.push(event(EventKind::NotifierFailing, "mail"));
    assert_eq!(events.len(), 4);
    assert_ne!(events[0].id, events[1].id, "of one moment");
    for (service, key, title) in [
        (Service::PagerDuty, "/dedup_key", "/payload/summary"),
        (Service::Alertmanager, "/0/labels/story", "/0/annotations/summary"),
    ] {
        let mut told = Vec::new();
        for event in &events {
            let body = checked(service, &Body::Event(event)).await;
            let said = |path| body.pointer(path).and_then(Value::as_str).expect("words").to_owned();
            assert!(said(title).contains(&event.recipient), "{body}");
            told.push(said(key));
        }
        let [one, other, over, way] = told.try_into().expect("four");
        assert_eq!((&one, one != other, one != way), (&over, true, true), "{other} {way}");
    }
}
