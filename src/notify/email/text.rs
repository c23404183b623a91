//! The text part of a mail: complete by itself.

use super::super::digest::{Digest, entry};
use super::super::event::{facts, more};
use super::super::foreign::{cut, line, wrap};
use super::super::wording::{self, Link};
use super::super::{Body, Message, TEST_WORDS, marks, report};
use crate::event::Event;
use crate::story::Alert;

/// Greatest length of a line, in characters; links and long words may pass it.
const WIDTH: usize = 76;

/// What stands before the lines of an alert in a digest.
const INDENT: &str = "   ";

/// The text part for `message`, with at most `excerpt` characters of the item's text.
pub fn text_part(message: &Message<'_>, excerpt: usize) -> String {
    match &message.body {
        Body::Alert(alert) => alert_text(alert, message, excerpt),
        Body::Digest(digest) => digest_text(digest, message),
        Body::Event(event) => event_text(event, message),
        Body::Report(told) => {
            let facts = facts_text(&report::facts(told, message.timezone));
            let head = format!("Daily report: {}\n{}", report::headline(told), late(message));
            format!("{head}\n{facts}\n\nMore:   harmattan status\n")
        }
        Body::Test => format!("{TEST_WORDS}\n"),
    }
}

/// Each fact under its heading, wrapped.
fn event_text(event: &Event, message: &Message<'_>) -> String {
    let facts = facts_text(&facts(event, message.timezone));
    format!("{}{facts}\n\nMore:   {}\n", late(message), more(event))
}

/// A line that says so of what is late.
fn late(message: &Message<'_>) -> String {
    if message.late { format!("{}\n", wording::LATE) } else { String::new() }
}

fn facts_text(facts: &[(&str, String)]) -> String {
    let row = |(heading, fact): &(&str, String)| wrap(&format!("{heading}: {fact}"), WIDTH);
    facts.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Each alert in a few lines, numbered.
fn digest_text(digest: &Digest<'_>, message: &Message<'_>) -> String {
    let mut out = vec![format!("{}, at most {}", digest.headline(), digest.severity())];
    out.extend(message.late.then(|| wording::LATE.to_owned()));
    for (alert, number) in digest.alerts.iter().zip(1_usize..) {
        out.push(String::new());
        let told = entry(alert, message.timezone).join("\n");
        let told = wrap(&told, WIDTH - INDENT.len());
        out.push(format!("{number}."));
        out.extend(told.lines().map(|row| format!("{INDENT}{row}")));
    }
    out.join("\n") + "\n"
}

fn alert_text(alert: &Alert, message: &Message<'_>, excerpt: usize) -> String {
    let desk = message.timezone;
    let mut out = Vec::new();
    out.push(wrap(&format!("{}: {}", alert.severity.as_str().to_uppercase(), wording::rules(alert)), WIDTH));
    out.extend(wording::unverified(alert).map(str::to_uppercase));
    out.extend(message.late.then(|| wording::LATE.to_owned()));
    out.extend(wording::repeat(alert, desk).map(|words| wrap(&words, WIDTH)));
    out.extend(wording::unrouted(alert).map(str::to_owned));
    out.extend(wording::update(alert));
    out.extend(wording::article(alert).map(str::to_owned));
    let notes = wording::notes(alert);
    out.extend(notes.iter().map(|(heading, note)| wrap(&format!("{heading}: {note}"), WIDTH)));
    if wording::has_title(alert) {
        out.push(String::new());
        out.push(wrap(&cut(&line(&alert.item.title), wording::TITLE_CHARS_MAX), WIDTH));
    }
    out.push(String::new());
    out.push(format!("Source:    {}", wording::source(alert)));
    out.extend(wording::forwarded(alert).map(|from| format!("Forwarded: {from}")));
    out.push(format!("Published: {}", wording::published(alert, desk)));
    out.push(format!("Fetched:   {}", wording::time(alert.fetched, desk)));
    out.push(format!("Alerted:   {}", wording::time(alert.created, desk)));
    out.extend(message.sent.map(|at| format!("Sent:      {}", wording::time(at, desk))));
    match wording::link(alert) {
        Link::Address(url) => out.push(format!("\n{url}")),
        Link::LeftOut(why) => out.push(format!("\n({why})")),
        Link::None => out.push("Link:      none".to_owned()),
    }
    let pieces = marks::excerpt(&alert.item.text, &alert.rules, excerpt);
    let text: String = pieces.into_iter().map(|piece| piece.text).collect();
    if !text.trim().is_empty() {
        out.push(format!("\n{}", wrap(text.trim_end(), WIDTH)));
    }
    out.push(format!("\nWhy\n{}", why(alert)));
    out.extend(names(alert));
    out.push(String::new());
    out.push(wrap(&format!("Story: {}", wording::story(&alert.story, desk)), WIDTH));
    out.push(format!("\nMore:    {}\nSilence: {}\n", wording::explain(alert), wording::silence(alert)));
    out.join("\n")
}

/// Each rule, and below it each term with the words that met it.
fn why(alert: &Alert) -> String {
    let mut lines = Vec::new();
    for rule in &alert.rules {
        lines.push(format!("  {}", wording::rule(rule)));
        lines
            .extend(wording::reasons(rule).into_iter().map(|(term, quotes)| format!("    {term}: {quotes}")));
    }
    lines.join("\n")
}

/// The entities and places mentioned, one a line.
fn names(alert: &Alert) -> Vec<String> {
    [("Entities", wording::entities(alert)), ("Places", wording::places(alert))]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(heading, names)| format!("\n{heading}\n  {}", names.join("\n  ")))
        .collect()
}
