//! What becomes of the rules that fire: told, recorded as on trial, or recorded as too old, by a real store.

use std::sync::Arc;
use std::time::Duration;

use harmattan::config::{ArticleChoice, Backlog};
use harmattan::fetch::Validators;
use harmattan::ingest::{
    Beyond, Harvest, InForce, Judged, Outcome, Poll, Polled, Receipt, Vantage, Witness, ingest,
};
use harmattan::item::Item;
use harmattan::route::Routes;
use harmattan::rules::Engine;
use harmattan::rules::spec::{Mode, Severity};
use harmattan::rules::verdict::{Match, Verdict};
use harmattan::schedule::Learned;
use harmattan::source::Candidate;
use harmattan::store::{Cause, Restored, SledStore, SourceState, Store};
use harmattan::story::{Alert, AlertKind, Disposition};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::support::store::{item, name, seen_key};

/// When all polls begin.
const NOW: i64 = 1_800_000_000;

const DAY: Duration = Duration::from_hours(24);

/// A store and two notifiers.
struct Stage {
    store: SledStore,
    force: InForce,
    _folder: TempDir,
}

impl Stage {
    /// A store that knows a source whose baseline was empty.
    fn set() -> Self {
        let stage = Self::bare();
        assert!(stage.poll(Vec::new()).baseline);
        stage
    }

    fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipients = ["mail", "hook"].map(|notifier| (notifier.to_owned(), String::new()));
        Self {
            store: SledStore::create(folder.path()).unwrap(),
            force: InForce {
                engine: Arc::new(Engine::compile(Vec::new(), Vec::new()).unwrap()),
                routes: Arc::new(Routes::to_all(recipients.to_vec())),
                max_age: 14 * DAY,
                vantage: Vantage::default(),
            },
            _folder: folder,
        }
    }

    fn poll(&self, items: Vec<Judged>) -> Receipt {
        let validators = ("https://rfi.example/rss".to_owned(), Validators::default());
        let poll = Poll {
            source: Polled {
                name: name("rfi"),
                address: "https://rfi.example/rss".to_owned(),
                read_as: String::new(),
                tags: Vec::new(),
                tier: 2,
                backlog: Backlog::None,
                article: ArticleChoice::Never,
            },
            started: now(),
            outcome: Outcome::Read(Harvest {
                items,
                lost: 0,
                delta: false,
                whole: true,
                validators,
                body: [7; 16],
                complaint: None,
                beyond: Beyond::default(),
            }),
            hints: None,
            due: now(),
            not_before: None,
            missed: None,
            witness: Witness::default(),
            learned: Learned::default(),
        };
        let mut receipt = None;
        self.store
            .transact(&mut |tx| {
                receipt = Some(ingest(tx, &poll, &self.force)?);
                Ok(())
            })
            .unwrap();
        receipt.unwrap()
    }

    /// Polls one new item; its alert, and how many deliveries that owes.
    fn alert(&self, judged: Judged) -> (Alert, usize) {
        let receipt = self.poll(vec![judged]);
        let [(id, disposition)] = receipt.alerts.as_slice() else { panic!("{receipt:?}") };
        let alert = self.store.alert(*id).unwrap().unwrap();
        assert_eq!(alert.disposition, *disposition);
        (alert, receipt.deliveries.len())
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// An item published so many days ago, of which every number has words and a link of its own.
fn published(number: u64, days: i64) -> Item {
    let published = now() - SignedDuration::from_hours(24 * days);
    Item { published: Some(published), ..item(number) }
}

fn judged(item: Item, fired: &[Match]) -> Judged {
    // The support's items are known by their guid, which is their number.
    let number = item.guid.as_deref().unwrap().parse().unwrap();
    let (key, members) = (seen_key(number), Vec::new());
    let candidate = Candidate { item, key, common: Vec::new(), members, aliases: None, content: number };
    Judged { candidate, verdict: Some(Verdict { fired: fired.to_vec(), ..Verdict::default() }) }
}

fn rule(name: &str, mode: Mode, severity: Severity, max_age: Option<Duration>) -> Match {
    Match {
        rule: name.into(),
        severity,
        tags: Vec::new(),
        mode,
        note: None,
        max_age,
        score: None,
        why: Vec::new(),
    }
}

fn live(severity: Severity) -> Match {
    rule("live", Mode::Live, severity, None)
}

fn trial(severity: Severity) -> Match {
    rule("trial", Mode::Shadow, severity, None)
}

fn names(rules: &[Match]) -> Vec<&str> {
    rules.iter().map(|rule| &*rule.rule).collect()
}

#[test]
fn only_live_rules_are_told_and_raise_the_severity() {
    let stage = Stage::set();
    let (low, critical) = (Severity::Low, Severity::Critical);
    for (number, fired, disposition, severity, told, untold) in [
        (1, vec![live(low)], Disposition::Sent, low, vec!["live"], vec![]),
        (2, vec![trial(critical), live(low)], Disposition::Sent, low, vec!["live"], vec!["trial"]),
        (3, vec![trial(critical)], Disposition::Shadow, critical, vec![], vec!["trial"]),
    ] {
        let (alert, owed) = stage.alert(judged(published(number, 0), &fired));
        assert_eq!((alert.disposition, alert.severity), (disposition, severity), "{number}");
        assert_eq!((names(&alert.rules), names(&alert.untold)), (told, untold), "{number}");
        assert_eq!(owed, if disposition == Disposition::Sent { 2 } else { 0 }, "{number}");
        assert!(alert.untold.iter().all(|rule| rule.mode == Mode::Shadow));
    }
}

#[test]
fn a_rules_own_greatest_age_comes_before_that_of_all() {
    let stage = Stage::set();
    let short = || rule("short", Mode::Live, Severity::Critical, Some(3 * DAY));
    let long = || rule("long", Mode::Live, Severity::High, Some(60 * DAY));
    let all = || vec![short(), live(Severity::Low), long()];
    for (number, days, fired, disposition, severity, told) in [
        (1, 1, all(), Disposition::Sent, Severity::Critical, vec!["short", "live", "long"]),
        (2, 5, all(), Disposition::Sent, Severity::High, vec!["live", "long"]),
        (3, 30, all(), Disposition::Sent, Severity::High, vec!["long"]),
        (4, 90, all(), Disposition::Stale, Severity::Critical, vec![]),
        (5, 5, vec![short()], Disposition::Stale, Severity::Critical, vec![]),
        (6, 5, vec![short(), trial(Severity::Info)], Disposition::Shadow, Severity::Critical, vec![]),
        (7, 30, vec![short(), trial(Severity::Info)], Disposition::Stale, Severity::Critical, vec![]),
        (8, -1, vec![short()], Disposition::Sent, Severity::Critical, vec!["short"]),
    ] {
        let count = fired.len();
        let (alert, owed) = stage.alert(judged(published(number, days), &fired));
        assert_eq!((alert.disposition, alert.severity), (disposition, severity), "{number}");
        assert_eq!(names(&alert.rules), told, "{number}");
        assert_eq!(alert.rules.len() + alert.untold.len(), count, "{number}: all are recorded");
        assert_eq!(owed > 0, disposition == Disposition::Sent, "{number}");
    }
}

#[test]
fn a_rule_on_trial_neither_opens_a_story_nor_joins_one() {
    let stage = Stage::set();
    // The same words make them reports of one story.
    let report = |number: u64, fired: Match| {
        let same = Item { title: "Mali : attaque".into(), ..published(number, 0) };
        let (alert, _) = stage.alert(judged(same, &[fired]));
        (alert.disposition, alert.kind, alert.story.reports)
    };
    let (low, critical) = (Severity::Low, Severity::Critical);
    assert_eq!(report(1, trial(critical)), (Disposition::Shadow, AlertKind::New, 1));
    assert_eq!(report(2, live(low)), (Disposition::Sent, AlertKind::New, 1));
    assert_eq!(report(3, trial(critical)), (Disposition::Shadow, AlertKind::New, 1));
    assert_eq!(report(4, live(low)), (Disposition::Joined, AlertKind::New, 2));
    assert_eq!(report(5, live(critical)), (Disposition::Sent, AlertKind::Update, 3));
}

#[test]
fn a_baseline_counts_what_live_rules_would_have_told() {
    let stage = Stage::bare();
    let items = vec![
        judged(published(1, 0), &[live(Severity::Low)]),
        judged(published(2, 0), &[trial(Severity::High)]),
        judged(published(3, 0), &[trial(Severity::High), live(Severity::Low)]),
        judged(published(4, 0), &[]),
    ];
    let receipt = stage.poll(items);
    assert_eq!((receipt.baseline, receipt.new, receipt.baseline_fired), (true, 4, 2));
    assert!(receipt.alerts.is_empty());
}

/// A case, from what the store was restored, when it knows the source to have been read last where it knows it at all,
/// and the items that are told.
type Forgotten<'a> = (&'a str, Cause, &'a [Option<Timestamp>], &'a [u64]);

#[test]
fn what_a_damaged_store_forgot_is_told_as_far_as_it_may_be_news() {
    let (at, taken) = (now() - SignedDuration::from_hours(2), now() - SignedDuration::from_hours(24));
    let read = |hours: i64| Some(taken - SignedDuration::from_hours(hours));
    let damage = || Cause::Damage { aside: "damaged-1".into(), detail: "cut".into(), kept: true };
    let backup = || Cause::Backup;
    let cases: [Forgotten; 6] = [
        ("a source in force at the damage, of which nothing is known", damage(), &[None], &[1]),
        ("one that came later", damage(), &[], &[]),
        ("one that was read just before", damage(), &[read(2)], &[1, 2, 3]),
        ("one that was read for long without the store's knowing", damage(), &[read(600)], &[1, 3]),
        ("one that a backup knows and had not read", backup(), &[None], &[]),
        ("one that a backup knows", backup(), &[read(600)], &[1, 2, 3]),
    ];
    for (case, cause, known, expected) in cases {
        let stage = if known.iter().any(Option::is_some) { Stage::set() } else { Stage::bare() };
        stage
            .store
            .transact(&mut |tx| {
                for last_success in known {
                    let source = tx.source(&name("rfi"))?.unwrap_or_else(|| SourceState::blank(&name("rfi")));
                    tx.put_source(&SourceState { last_success: *last_success, ..source })?;
                }
                tx.put_restored(&Restored { at, taken, cause: cause.clone() })
            })
            .unwrap();
        let undated = Item { published: None, ..item(3) };
        let items = [published(1, 0), published(2, 3), undated];
        let receipt = stage.poll(items.map(|item| judged(item, &[live(Severity::Low)])).to_vec());
        let told: Vec<Alert> =
            receipt.alerts.iter().map(|(id, _)| stage.store.alert(*id).unwrap().unwrap()).collect();
        let numbers: Vec<u64> =
            told.iter().map(|alert| alert.item.guid.as_deref().unwrap().parse().unwrap()).collect();
        assert_eq!(numbers, expected, "{case}");
        assert!(told.iter().all(|alert| alert.repeat == Some(taken)), "{case}: all are marked");
        let (later, _) = stage.alert(judged(published(4, 9), &[live(Severity::Low)]));
        assert_eq!(later.repeat, None, "{case}: what comes later came later");
    }
}
