//! Whether a report opens a story or joins one.

use std::time::Duration;

use jiff::Timestamp;

use super::{AlertId, AlertKind, Informed, Story, StoryId};
use crate::item::{Item, SeenKey, SourceName};
use crate::route::Recipient;
use crate::rules::spec::Severity;
use crate::text;

/// For how long after its first report a story takes in others.
pub const OPEN_FOR: Duration = Duration::from_hours(24);

/// What a story is filed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// The item that it tells of, for what is told of that later.
    Item,
    /// The link of a report of it.
    Link,
    /// The folded text of one.
    Text,
}

/// The keys under which an item's story is filed, and in whose order it is looked for. `link` is the item's as far as it
/// names this item and no other that its source shows.
pub fn keys(item: &Item, link: Option<&str>) -> Vec<(Under, SeenKey)> {
    let own = SeenKey::new("story-item", &item.id.to_string());
    let link = link.map(|link| (Under::Link, SeenKey::new("story-link", link)));
    let folded = folded(item);
    let text = (!folded.is_empty()).then(|| (Under::Text, SeenKey::new("story-text", &folded)));
    [Some((Under::Item, own)), link, text].into_iter().flatten().collect()
}

/// The words of title and text, folded as for the rules: two wires that print the same dispatch are equal in it.
fn folded(item: &Item) -> String {
    [text::folded(&item.title), text::folded(&item.text)].join(" ").trim().to_owned()
}

/// A report on which rules fired.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The alert that records it.
    pub alert: AlertId,
    /// Its source.
    pub source: &'a SourceName,
    /// Its severity.
    pub severity: Severity,
    /// When it was seen.
    pub now: Timestamp,
}

/// The story with the report in it, and what the report is to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The story after the report.
    pub story: Story,
    /// What its alert tells.
    pub kind: AlertKind,
}

/// Whether a story takes in reports still: it was opened less than [`OPEN_FOR`] ago.
fn is_open(story: &Story, now: Timestamp) -> bool {
    let age = now.duration_since(story.first_seen);
    age.is_negative() || age.unsigned_abs() < OPEN_FOR
}

/// Whether a story that was found so takes in a report. Two items that one source showed under one link are two reports,
/// or they would be one item: a link joins those of different sources.
pub fn takes_in(story: &Story, under: Under, report: Report<'_>) -> bool {
    let is_other = under == Under::Link && story.sources.contains(report.source);
    is_open(story, report.now) && !is_other
}

/// Puts a report into `open`, an open story filed under one of its keys, or opens a new one when there is none.
pub fn join(open: Option<Story>, report: Report<'_>) -> Joined {
    let Some(mut story) = open else {
        let story = Story {
            id: StoryId::opened_by(report.alert),
            reports: 1,
            sources: vec![report.source.clone()],
            first_seen: report.now,
            severity: report.severity,
            told: Vec::new(),
        };
        return Joined { story, kind: AlertKind::New };
    };
    let raised = report.severity > story.severity;
    story.reports = story.reports.saturating_add(1);
    story.severity = story.severity.max(report.severity);
    if !story.sources.contains(report.source) {
        story.sources.push(report.source.clone());
    }
    Joined { story, kind: if raised { AlertKind::Update } else { AlertKind::New } }
}

/// Those of `to` who do not know of the story at this severity yet; they count as told then.
pub fn inform(story: &mut Story, to: Vec<Recipient>, severity: Severity) -> Vec<Recipient> {
    let mut news = Vec::new();
    for who in to {
        match story.told.iter_mut().find(|told| told.who == who) {
            Some(told) if told.severity >= severity => continue,
            Some(told) => told.before.push(std::mem::replace(&mut told.severity, severity)),
            None => {
                story.told.push(Informed { who: who.clone(), severity, before: Vec::new(), thread: None });
            }
        }
        news.push(who);
    }
    news
}

/// Takes back that `who` was told of the story at `severity`. What they were told else counts on, and where that is
/// nothing, they do not know of the story.
pub fn take_back(story: &mut Story, who: &Recipient, severity: Severity) {
    story.told.retain_mut(|told| {
        if told.who != *who {
            return true;
        }
        told.before.retain(|before| *before != severity);
        if told.severity != severity {
            return true;
        }
        let before = told.before.pop();
        told.severity = before.unwrap_or(severity);
        before.is_some()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemId;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_760_000_000 + hours * 3600).unwrap()
    }

    fn report(source: &SourceName, severity: Severity, hours: i64) -> Joined {
        join(None, told(source, severity, hours))
    }

    fn told(source: &SourceName, severity: Severity, hours: i64) -> Report<'_> {
        let item = ItemId::new(source, SeenKey::new("guid", "1"));
        Report { alert: AlertId::new(at(hours), item), source, severity, now: at(hours) }
    }

    #[test]
    fn a_second_report_is_counted_and_a_graver_one_is_an_update() {
        let (first, second) = (SourceName::new("a").unwrap(), SourceName::new("b").unwrap());
        let opened = report(&first, Severity::High, 0);
        assert_eq!(opened.kind, AlertKind::New);

        let same = join(Some(opened.story.clone()), told(&second, Severity::High, 1));
        assert_eq!((same.kind, same.story.reports, same.story.sources.len()), (AlertKind::New, 2, 2));

        let graver = join(Some(same.story), told(&first, Severity::Critical, 2));
        assert_eq!((graver.kind, graver.story.severity), (AlertKind::Update, Severity::Critical));
        assert_eq!((graver.story.reports, graver.story.sources.len()), (3, 2));
    }

    #[test]
    fn everybody_is_told_once_of_each_severity() {
        let who = |name: &str| (name.to_owned(), String::new());
        let mut story = report(&SourceName::new("a").unwrap(), Severity::High, 0).story;
        for (to, severity, expected) in [
            (vec![who("ops")], Severity::High, vec![who("ops")]),
            (vec![who("ops"), who("mail")], Severity::High, vec![who("mail")]),
            (vec![who("ops")], Severity::Low, vec![]),
            (vec![who("ops")], Severity::Critical, vec![who("ops")]),
            (vec![who("ops"), who("mail")], Severity::Critical, vec![who("mail")]),
        ] {
            assert_eq!(inform(&mut story, to, severity), expected);
        }
    }

    #[test]
    fn what_is_taken_back_leaves_what_was_told_else() {
        use Severity::{Critical, High, Low};
        let who = |name: &str| (name.to_owned(), String::new());
        for (taken, left) in [
            (&[][..], Some(Critical)),
            (&[Critical], Some(High)),
            (&[Critical, Critical], Some(High)),
            (&[Critical, High], Some(Low)),
            (&[High, Critical], Some(Low)),
            (&[Low], Some(Critical)),
            (&[Low, Critical], Some(High)),
            (&[Severity::Medium], Some(Critical)),
            (&[Critical, High, Low], None),
            (&[Low, High, Critical], None),
            (&[High, Low, Critical, Critical], None),
        ] {
            let mut story = report(&SourceName::new("a").unwrap(), Critical, 0).story;
            for severity in [Low, High, Critical] {
                inform(&mut story, vec![who("chat"), who("mail")], severity);
                story.told[0].thread.get_or_insert_with(|| "41".to_owned());
            }
            let other = story.told[1].clone();
            for severity in taken {
                take_back(&mut story, &who("chat"), *severity);
            }
            assert_eq!(story.told.pop(), Some(other), "{taken:?}");
            let told = story.told.pop().map(|told| (told.severity, told.thread));
            assert_eq!(told, left.map(|severity| (severity, Some("41".to_owned()))), "{taken:?}");
        }
    }

    #[test]
    fn a_story_closes_after_a_day() {
        let source = SourceName::new("a").unwrap();
        let opened = report(&source, Severity::High, 0);
        assert!(is_open(&opened.story, at(23)) && !is_open(&opened.story, at(24)));
        assert!(is_open(&opened.story, at(-1)), "a clock set back closes nothing");
    }

    #[test]
    fn a_link_joins_reports_of_different_sources() {
        let (source, other) = (SourceName::new("a").unwrap(), SourceName::new("b").unwrap());
        let opened = report(&source, Severity::High, 0).story;
        for (under, source, hours, expected) in [
            (Under::Link, &source, 1, false),
            (Under::Link, &other, 1, true),
            (Under::Item, &source, 1, true),
            (Under::Text, &source, 1, true),
            (Under::Text, &other, 24, false),
        ] {
            let found = takes_in(&opened, under, told(source, Severity::High, hours));
            assert_eq!(found, expected, "{under:?} {source} {hours}");
        }
    }

    #[test]
    fn the_same_dispatch_has_the_same_text_key() {
        let keys = |n: u8, title: &str, text: &str, link| {
            keys(&Item { id: ItemId::from_bytes([n; 16]), ..Item::of_text(title, text) }, link)
        };
        let a = keys(1, "Mali: attack", "Ten dead.", Some("a.example/1"));
        let b = keys(2, "MALI: attack ", "Ten\n dead.", Some("b.example/2"));
        assert_eq!(a.last(), b.last());
        assert!(a[..2].iter().all(|key| !b.contains(key)));
        assert_eq!(keys(1, "", "", None), a[..1], "what says nothing is known by itself");
    }

    #[test]
    fn alert_ids_sort_by_age() {
        let item = ItemId::from_bytes([9; 16]);
        assert!(AlertId::new(at(0), item) < AlertId::new(at(1), item));
        assert!(AlertId::lowest_at(at(1)) <= AlertId::new(at(1), item));
        assert!(AlertId::new(at(0), item) < AlertId::lowest_at(at(1)));
    }
}
