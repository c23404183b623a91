//! Whether a report opens a story or joins one.

use std::time::Duration;

use jiff::Timestamp;

use super::{AlertId, AlertKind, Informed, Story, StoryId};
use crate::item::{Item, SeenKey, SourceName, link};
use crate::route::Recipient;
use crate::rules::spec::Severity;
use crate::text;

/// For how long after its first report a story takes in others.
pub const OPEN_FOR: Duration = Duration::from_hours(24);

/// The keys under which an item's story is filed: its normalised link and its folded text.
pub fn keys(item: &Item) -> Vec<SeenKey> {
    let link = item.url.as_deref().and_then(link::normalise).map(|link| SeenKey::new("story-link", &link));
    let folded = folded(item);
    let text = (!folded.is_empty()).then(|| SeenKey::new("story-text", &folded));
    link.into_iter().chain(text).collect()
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
pub fn is_open(story: &Story, now: Timestamp) -> bool {
    let age = now.duration_since(story.first_seen);
    age.is_negative() || age.unsigned_abs() < OPEN_FOR
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
            Some(told) => told.severity = severity,
            None => story.told.push(Informed { who: who.clone(), severity }),
        }
        news.push(who);
    }
    news
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
    fn a_story_closes_after_a_day() {
        let source = SourceName::new("a").unwrap();
        let opened = report(&source, Severity::High, 0);
        assert!(is_open(&opened.story, at(23)) && !is_open(&opened.story, at(24)));
        assert!(is_open(&opened.story, at(-1)), "a clock set back closes nothing");
    }

    #[test]
    fn the_same_dispatch_has_the_same_text_key() {
        let item = |title: &str, text: &str, url: Option<&str>| Item {
            url: url.map(Into::into),
            ..Item::of_text(title, text)
        };
        let a = keys(&item("Mali: attack", "Ten dead.", Some("https://a.example/1")));
        let b = keys(&item("MALI: attack ", "Ten\n dead.", Some("https://www.b.example/2")));
        assert_eq!(a[1], b[1]);
        assert_ne!(a[0], b[0]);
        assert!(keys(&item("", "", None)).is_empty());
    }

    #[test]
    fn alert_ids_sort_by_age() {
        let item = ItemId::from_bytes([9; 16]);
        assert!(AlertId::new(at(0), item) < AlertId::new(at(1), item));
        assert!(AlertId::lowest_at(at(1)) <= AlertId::new(at(1), item));
        assert!(AlertId::new(at(0), item) < AlertId::lowest_at(at(1)));
    }
}
