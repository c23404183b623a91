//! What a message says in the few lines that chats and telephones show, and how it is made to fit.

use unicode_segmentation::UnicodeSegmentation as _;

use super::super::digest::{self, Digest};
use super::super::foreign::{cut, line};
use super::super::wording::{self, Link};
use super::super::{Body, Message, TEST_WORDS, event, marks, report};
use crate::event::{Event, EventKind};
use crate::report::Report;
use crate::rules::spec::Severity;
use crate::story::Alert;

/// Characters of an item's text, as in a mail.
const EXCERPT_CHARS_MAX: usize = 600;

/// Greatest length of a note of the desk, or of what met a rule, in characters.
const LINE_CHARS_MAX: usize = 400;

/// A message in short.
#[derive(Clone, Debug)]
pub(super) struct Note {
    /// How grave it is.
    pub(super) severity: Severity,
    /// What it is about, in one line.
    pub(super) title: String,
    /// Where it leads.
    pub(super) link: Option<String>,
    text: Text,
}

#[derive(Clone, Debug)]
enum Text {
    /// One thing: what must be said, what may be cut, and what is said last.
    One { head: Vec<String>, excerpt: String, tail: Vec<String> },
    /// Several things of equal worth, some of which may have to be left out, how many are left out already, and what is
    /// said before.
    Several { head: Option<&'static str>, entries: Vec<String>, left: usize },
}

/// What a service takes of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Greatest length of the title, as `size` counts.
    pub(super) title: usize,
    /// Greatest length of the text, as `size` counts.
    pub(super) text: usize,
    /// How the service counts.
    pub(super) size: fn(&str) -> usize,
    /// Takes from a text what the service would obey: marks of its markup, names that call people.
    pub(super) plain: fn(&str) -> String,
}

impl Note {
    /// What `message` says.
    pub(super) fn of(message: &Message<'_>) -> Self {
        match &message.body {
            Body::Alert(alert) => of_alert(alert, message),
            Body::Digest(digest) => of_digest(digest, message),
            Body::Event(told) => of_event(told, message),
            Body::Report(told) => of_report(told, message),
            Body::Test => of_test(),
        }
    }

    /// The same without its link where that does not fit; the text says so then.
    pub(super) fn with_fitting_link(mut self, fits: impl Fn(&str) -> bool) -> Self {
        if let Some(link) = self.link.take_if(|link| !fits(link))
            && let Text::One { tail, .. } = &mut self.text
        {
            tail.insert(0, format!("({})", wording::left_out(&link)));
        }
        self
    }

    /// The title as `shape` takes it.
    pub(super) fn title(&self, shape: &Shape) -> String {
        clipped(&self.title, shape.title, shape)
    }

    /// The text as `shape` takes it. What does not fit is cut between characters as readers see them and ends in `…`;
    /// of several alerts those that fit are told, and how many are left.
    pub(super) fn text(&self, shape: &Shape) -> String {
        match &self.text {
            Text::One { head, excerpt, tail } => one(head, excerpt, tail, shape),
            Text::Several { head: None, entries, left } => several(entries, *left, shape),
            Text::Several { head: Some(head), entries, left } => {
                let head = (shape.plain)(head) + "\n\n";
                let text = shape.text.saturating_sub((shape.size)(&head));
                head + &several(entries, *left, &Shape { text, ..*shape })
            }
        }
    }
}

fn one(head: &[String], excerpt: &str, tail: &[String], shape: &Shape) -> String {
    let mut room = shape.text;
    let mut fitting = |lines: &[String]| -> Vec<String> {
        let mut kept = Vec::new();
        for row in lines {
            let row = (shape.plain)(row);
            let size = (shape.size)(&row) + (shape.size)("\n");
            if size <= room {
                room -= size;
                kept.push(row);
            }
        }
        kept
    };
    let (mut lines, tail) = (fitting(head), fitting(tail));
    // A blank line stands before the excerpt and one behind it.
    let breaks = 4 * (shape.size)("\n");
    if !excerpt.is_empty() && room > breaks + (shape.size)("…") {
        lines.push(String::new());
        lines.push(clipped(excerpt, room - breaks, shape));
        lines.push(String::new());
    }
    lines.extend(tail);
    lines.join("\n")
}

fn several(entries: &[String], left: usize, shape: &Shape) -> String {
    let entries: Vec<String> = entries.iter().map(|entry| (shape.plain)(entry)).collect();
    let whole = entries.join("\n\n");
    if left == 0 && (shape.size)(&whole) <= shape.text {
        return whole;
    }
    let all = entries.len() + left;
    let more = |left: usize| format!("… ({left} more: harmattan alerts list)");
    let gap = 2 * (shape.size)("\n");
    let mut room = shape.text.saturating_sub((shape.size)(&more(all)));
    let fits = |entry: &&String| {
        let size = (shape.size)(entry) + gap;
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    };
    let mut kept: Vec<String> = entries.iter().take_while(fits).cloned().collect();
    kept.push(more(all - kept.len()));
    kept.join("\n\n")
}

/// `text` made plain, whole or cut before the first character that does not fit, with `…`.
pub(super) fn clipped(text: &str, room: usize, shape: &Shape) -> String {
    let whole = (shape.plain)(text);
    if (shape.size)(&whole) <= room {
        return whole;
    }
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let kept = |end: &usize| (shape.plain)(text.get(..*end).unwrap_or_default().trim_end()) + "…";
    let fitting = ends.partition_point(|end| (shape.size)(&kept(end)) <= room);
    fitting.checked_sub(1).and_then(|at| ends.get(at)).map(kept).unwrap_or_default()
}

/// `text` in parts that fit `room` each, divided between paragraphs; where one is longer, between its lines, and where a
/// line is, between characters as readers see them. `size` of a whole must be that of its parts together.
pub(super) fn parted(text: &str, room: usize, size: fn(&str) -> usize) -> Vec<String> {
    let (mut parts, mut left) = (vec![String::new()], room);
    for piece in pieces(text, &|piece| size(piece) <= room) {
        if size(piece) > left {
            parts.push(String::new());
            left = room;
        }
        left -= size(piece);
        if let Some(part) = parts.last_mut() {
            part.push_str(piece);
        }
    }
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// `text` in pieces that fit, as large as may be. A character that does not fit alone is left out.
fn pieces<'a>(text: &'a str, fits: &dyn Fn(&str) -> bool) -> Vec<&'a str> {
    let whole_or = |piece: &'a str, smaller: &dyn Fn(&'a str) -> Vec<&'a str>| {
        if fits(piece) { vec![piece] } else { smaller(piece) }
    };
    let characters = |line: &'a str| line.graphemes(true).filter(|piece| fits(piece)).collect();
    let lines = |paragraph: &'a str| {
        paragraph.split_inclusive('\n').flat_map(|line| whole_or(line, &characters)).collect()
    };
    text.split_inclusive("\n\n").flat_map(|paragraph| whole_or(paragraph, &lines)).collect()
}

fn of_alert(alert: &Alert, message: &Message<'_>) -> Note {
    let desk = message.timezone;
    let rules: Vec<String> = alert.rules.iter().map(wording::rule).collect();
    let listed = |what: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| cut(&format!("{what}: {}", names.join(", ")), LINE_CHARS_MAX))
    };
    let mut head = vec![rules.join(", ")];
    head.extend(wording::unverified(alert).map(str::to_owned));
    head.extend(message.late.then(|| wording::LATE.to_owned()));
    head.extend(wording::repeat(alert, message.timezone));
    head.extend(wording::unrouted(alert).map(str::to_owned));
    head.extend(wording::update(alert));
    head.extend(wording::article(alert).map(str::to_owned));
    let notes = wording::notes(alert);
    head.extend(
        notes.iter().map(|(heading, note)| cut(&format!("{heading}: {}", line(note)), LINE_CHARS_MAX)),
    );
    head.push(format!("Source: {}", line(&wording::source(alert))));
    head.extend(wording::forwarded(alert).map(|from| format!("Forwarded: {from}")));
    head.push(format!("Published: {}", wording::published(alert, desk)));
    head.extend(listed("Entities", wording::entities(alert)));
    head.extend(listed("Places", wording::places(alert)));
    let why = alert.rules.iter().flat_map(wording::reasons).map(|(term, quotes)| format!("{term} {quotes}"));
    head.extend(listed("Why", why.collect()));
    let mut tail = Vec::new();
    let link = match wording::link(alert) {
        Link::Address(url) => Some(url.to_string()),
        Link::LeftOut(why) => {
            tail.push(format!("({why})"));
            None
        }
        Link::None => None,
    };
    if alert.story.reports > 1 {
        tail.push(format!("Story: {}", wording::story(&alert.story, desk)));
    }
    tail.push(wording::explain(alert));
    tail.push(wording::silence(alert));
    let pieces = marks::excerpt(&alert.item.text, &alert.rules, EXCERPT_CHARS_MAX).into_iter();
    let excerpt: String = pieces.map(|piece| piece.text).collect();
    Note {
        severity: alert.severity,
        title: format!("[{}] {}", alert.severity.as_str().to_uppercase(), wording::headline(alert)),
        link,
        text: Text::One { head, excerpt: excerpt.trim().to_owned(), tail },
    }
}

fn of_digest(digest: &Digest<'_>, message: &Message<'_>) -> Note {
    let entries = digest.alerts.iter().map(|alert| digest::entry(alert, message.timezone).join("\n"));
    let severity = digest.severity();
    Note {
        severity,
        title: format!("[{}] {}", severity.as_str().to_uppercase(), digest.headline()),
        link: None,
        text: Text::Several {
            head: message.late.then_some(wording::LATE),
            entries: entries.collect(),
            left: digest.left,
        },
    }
}

fn of_event(told: &Event, message: &Message<'_>) -> Note {
    let facts = event::facts(told, message.timezone).into_iter().skip(1);
    let head = stated(facts, message);
    Note {
        severity: severity(told.kind),
        title: format!("[{}] {}", told.kind.as_str(), event::headline(told)),
        link: None,
        text: Text::One { head, excerpt: String::new(), tail: vec![event::more(told)] },
    }
}

fn of_report(told: &Report, message: &Message<'_>) -> Note {
    let head = stated(report::facts(told, message.timezone).into_iter(), message);
    Note {
        severity: Severity::Info,
        title: format!("[report] {}", report::headline(told)),
        link: None,
        text: Text::One { head, excerpt: String::new(), tail: vec!["harmattan status".to_owned()] },
    }
}

/// Facts in a line each, and before them that they are late.
fn stated(facts: impl Iterator<Item = (&'static str, String)>, message: &Message<'_>) -> Vec<String> {
    let late = message.late.then(|| wording::LATE.to_owned()).into_iter();
    late.chain(facts.map(|(heading, fact)| format!("{heading}: {fact}"))).collect()
}

/// How loud an event is.
fn severity(kind: EventKind) -> Severity {
    match kind {
        EventKind::NetworkOffline | EventKind::NotifierFailing | EventKind::StoreDamaged => Severity::High,
        EventKind::SourceFailing | EventKind::SourceSilent | EventKind::SourceGap => Severity::Medium,
        EventKind::SourceRecovered | EventKind::NetworkOnline | EventKind::NotifierRecovered => {
            Severity::Info
        }
    }
}

/// As much as every service takes, and more: what is too long for one must not show first in an alert.
fn of_test() -> Note {
    let filling =
        |number| format!("Line {number:04} fills this test up to what the service takes: Мали مالي 马里 👩🏽‍🚒.");
    let excerpt: Vec<String> = (1..=1_000).map(filling).collect();
    Note {
        severity: Severity::Info,
        title: "[TEST] Harmattan: a test message".to_owned(),
        link: None,
        text: Text::One { head: vec![TEST_WORDS.to_owned()], excerpt: excerpt.join("\n"), tail: Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Service, limits};
    use super::*;

    fn bytes(text: &str) -> usize {
        text.len()
    }

    fn shape(text: usize) -> Shape {
        Shape { title: 20, text, size: bytes, plain: |text| text.replace('&', "&amp;") }
    }

    #[test]
    fn a_cut_falls_between_what_readers_see_as_characters() {
        for (text, room, expected) in [
            ("Mali", 4, "Mali"),
            ("Mali!", 4, "M…"),
            ("a&b", 7, "a&amp;b"),
            ("a&b&c", 9, "a&amp;…"),
            ("x👩🏽\u{200d}🚒", 15, "x…"),
            ("e\u{301}e\u{301}", 6, "e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e", 6, "e\u{301}…"),
            ("long words go", 9, "long w…"),
            ("abc", 2, ""),
        ] {
            assert_eq!(clipped(text, room, &shape(0)), expected, "{text} in {room}");
        }
    }

    #[test]
    fn of_several_those_that_fit_are_told_and_the_rest_counted() {
        let entries: Vec<String> = (1..=9).map(|number| format!("alert {number}")).collect();
        let told = |left, room| several(&entries, left, &shape(room));
        assert_eq!(told(0, 90), entries.join("\n\n"));
        assert_eq!(told(0, 60), "alert 1\n\nalert 2\n\n… (7 more: harmattan alerts list)");
        assert_eq!(told(0, 40), "… (9 more: harmattan alerts list)");
        assert_eq!(told(90, 60), "alert 1\n\nalert 2\n\n… (97 more: harmattan alerts list)");
        let all = format!("{}\n\n… (90 more: harmattan alerts list)", entries.join("\n\n"));
        assert_eq!(told(90, 200), all);
    }

    #[test]
    fn a_message_of_ntfy_is_never_so_long_that_it_becomes_an_attachment() {
        let shape = limits::of(Service::Ntfy);
        for entries in [vec!["x".repeat(4_096)], vec!["x".repeat(2_047); 2], vec!["x".repeat(62); 64]] {
            let told = several(&entries, 0, &shape);
            assert!((1..4_096).contains(&told.len()), "{}", told.len());
        }
    }

    #[test]
    fn what_must_be_said_is_said_before_the_excerpt() {
        let lines = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let told = |room| one(&lines("head more"), "an excerpt that goes on", &lines("tail"), &shape(room));
        assert_eq!(told(100), "head\nmore\n\nan excerpt that goes on\n\ntail");
        assert_eq!(told(33), "head\nmore\n\nan excerpt…\n\ntail");
        assert_eq!(told(18), "head\nmore\ntail");
        assert_eq!(told(9), "head");
    }

    #[test]
    fn a_text_is_divided_where_it_divides_itself() {
        for (text, expected) in [
            ("one", &["one"][..]),
            ("one two\nthree\n\nfour", &["one two", "three\n\nfour"]),
            ("one\n\nfour\n\nfive six 7", &["one\n\nfour", "five six 7"]),
            ("one two three four", &["one two thre", "e four"]),
            ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", &["e\u{301}e\u{301}e\u{301}e\u{301}", "e\u{301}"]),
            ("\n\n\n \n\none", &["one"]),
            ("", &[]),
        ] {
            assert_eq!(parted(text, 12, bytes), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn of_a_text_in_parts_nothing_is_lost(text in "(\\PC|\n){0,200}", room in 30_usize..100) {
            let parts = parted(&text, room, bytes);
            prop_assert!(parts.iter().all(|part| bytes(part) <= room && !part.trim().is_empty()));
            let said = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(said(&parts.concat()), said(&text));
        }

        #[test]
        fn every_text_fits(
            head in prop::collection::vec("\\PC{0,30}", 0..4), excerpt in "\\PC{0,200}",
            entries in prop::collection::vec("\\PC{0,40}", 1..20), left in 0_usize..90, room in 40_usize..300,
        ) {
            let shape = shape(room);
            prop_assert!(bytes(&one(&head, &excerpt, &head, &shape)) <= room);
            let told = several(&entries, left, &shape);
            prop_assert!(bytes(&told) <= room);
            let more = told.rsplit_once("… (").and_then(|(_, rest)| rest.split_once(' ')?.0.parse::<usize>().ok());
            prop_assert!(more.is_none_or(|more| more <= entries.len() + left));
            let clipped = clipped(&excerpt, room, &shape);
            prop_assert!(bytes(&clipped) <= room);
        }
    }
}
