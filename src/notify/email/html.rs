//! The HTML part of a mail: built from plain text that is escaped here, so that no markup of a source survives.
//!
//! No image, no script, no form; links only to web addresses, their real host shown. Styles work from 320 to 600
//! pixels, on light and dark backgrounds, and the words keep their order and sense without any style.

use jiff::tz::TimeZone;

use super::super::digest::Digest;
use super::super::event;
use super::super::foreign::cut;
use super::super::marks::{self, Piece};
use super::super::wording::{self, Link};
use super::super::{Body, Message, TEST_WORDS, report};
use crate::event::Event;
use crate::rules::spec::Severity;
use crate::story::Alert;
use crate::text::Field;

/// Greatest length of an address as shown, in characters; the link itself is whole.
const LINK_CHARS_MAX: usize = 100;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 16px; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 600px; margin: 0 auto; overflow-wrap: break-word; word-break: break-word; }
h1 { font-size: 20px; line-height: 1.35; margin: 12px 0; }
h2 { font-size: 14px; margin: 20px 0 4px; }
p, ul { margin: 4px 0; }
ul { padding-left: 20px; }
a { color: #0b57d0; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 14px; }
.word { white-space: nowrap; }
mark { background: #ffe58f; color: #1a1a1a; }
.badge { display: inline-block; border-radius: 4px; font-weight: 600; }
.warning { border: 2px solid #b3261e; border-radius: 4px; padding: 4px 8px; font-weight: 600; }
.quiet { color: #5f6368; font-size: 14px; }
.text { border-inline-start: 3px solid #c4c7c5; padding-inline-start: 12px; margin: 12px 0; }
@media (prefers-color-scheme: dark) {
  a { color: #8ab4f8; }
  .word { white-space: nowrap; }
mark { background: #6b5300; color: #fff3c4; }
  .warning { border-color: #f2b8b5; }
  .quiet { color: #a8abaf; }
  .text { border-color: #5f6368; }
}
</style>
</head>
<body>
<main>
"#;

const FOOT: &str = "</main>\n</body>\n</html>\n";

/// The HTML part for `message`, with at most `excerpt` characters of the item's text.
pub fn html_part(message: &Message<'_>, excerpt: usize) -> String {
    let body = match &message.body {
        Body::Alert(alert) => alert_html(alert, message, excerpt),
        Body::Digest(digest) => digest_html(digest, message),
        Body::Event(event) => event_html(event, message),
        Body::Report(told) => {
            let title = format!("Daily report: {}", report::headline(told));
            facts_html(&title, &report::facts(told, message.timezone), "harmattan status", message)
        }
        Body::Test => format!("<p>{}</p>\n", escape(TEST_WORDS)),
    };
    format!("{HEAD}{body}{FOOT}")
}

/// What happened as the title, then each fact under its heading.
fn event_html(told: &Event, message: &Message<'_>) -> String {
    let facts = event::facts(told, message.timezone);
    let facts = facts.get(1..).unwrap_or_default();
    facts_html(&event::headline(told), facts, &event::more(told), message)
}

fn facts_html(title: &str, facts: &[(&str, String)], more: &str, message: &Message<'_>) -> String {
    let mut out = vec![format!("<h1>{}</h1>", escape(title))];
    out.extend(late(message));
    out.extend(facts.iter().map(|(heading, fact)| {
        format!("<p><strong>{heading}:</strong> <span dir=\"auto\">{}</span></p>", escape(fact))
    }));
    out.push(format!("<p class=\"quiet\">More: <code>{}</code></p>\n", escape(more)));
    out.join("\n")
}

/// Each alert in a few lines, numbered.
fn digest_html(digest: &Digest<'_>, message: &Message<'_>) -> String {
    let desk = message.timezone;
    let mut out = vec![format!("<h1>{}, at most {}</h1>", digest.headline(), digest.severity())];
    out.extend(late(message));
    out.push("<ol>".to_owned());
    for alert in digest.alerts {
        out.push(format!(
            "<li>\n<p>{} {}</p>\n<p dir=\"auto\"{}><strong>{}</strong></p>\n<p class=\"quiet\">{}<br>\npublished {}</p>",
            badge(alert.severity),
            escape(&wording::rules(alert)),
            lang(alert),
            escape(&wording::headline(alert)),
            escape(&wording::source(alert)),
            escape(&wording::published(alert, desk)),
        ));
        out.extend(link(alert));
        out.extend(remarks(alert, desk));
        out.push(format!(r#"<p class="quiet">More: {}</p>"#, command(&wording::explain(alert))));
        out.push("</li>".to_owned());
    }
    out.push("</ol>\n".to_owned());
    out.join("\n")
}

/// What is late says so.
fn late(message: &Message<'_>) -> Option<String> {
    message.late.then(|| strong(wording::LATE))
}

/// What is said of an alert before all that it says itself, in a digest too.
fn remarks(alert: &Alert, desk: &TimeZone) -> impl Iterator<Item = String> {
    let unrouted = wording::unrouted(alert).map(strong);
    let article = wording::article(alert).map(strong);
    wording::repeat(alert, desk).map(|words| strong(&words)).into_iter().chain(unrouted).chain(article)
}

fn strong(words: &str) -> String {
    format!("<p><strong>{}</strong></p>", escape(words))
}

fn badge(severity: Severity) -> String {
    let colour = colour(severity);
    format!(
        r#"<span class="badge" style="background:{colour};color:#ffffff;padding:2px 8px">{severity}</span>"#
    )
}

fn alert_html(alert: &Alert, message: &Message<'_>, excerpt: usize) -> String {
    let desk = message.timezone;
    let mut out = vec![format!("<p>{} {}</p>", badge(alert.severity), escape(&wording::rules(alert)))];
    out.extend(wording::unverified(alert).map(|words| format!(r#"<p class="warning">{words}</p>"#)));
    out.extend(late(message));
    out.extend(remarks(alert, desk));
    out.extend(wording::update(alert).map(|update| strong(&update)));
    out.extend(wording::notes(alert).iter().map(|(heading, note)| noted(heading, note)));
    let lang = lang(alert);
    if wording::has_title(alert) {
        let spans = marks::spans(&alert.rules, Field::Title);
        let title = marked(&marks::pieces(alert.item.title.trim_end(), &spans, wording::TITLE_CHARS_MAX));
        out.push(format!(r#"<h1 dir="auto"{lang}>{}</h1>"#, title.replace("<br>\n", " ")));
    }
    out.push(facts(alert, message));
    out.extend(link(alert));
    let text = marked(&marks::excerpt(&alert.item.text, &alert.rules, excerpt));
    if !text.is_empty() {
        out.push(format!(r#"<p class="text" dir="auto"{lang}>{text}</p>"#));
    }
    out.push(why(alert));
    out.push(list("Entities", &wording::entities(alert)));
    out.push(list("Places", &wording::places(alert)));
    out.push(format!("<h2>Story</h2>\n<p>{}</p>", escape(&wording::story(&alert.story, desk))));
    let (more, silence) = (command(&wording::explain(alert)), command(&wording::silence(alert)));
    out.push(format!(
        "<p class=\"quiet\">More: {more}</p>\n<p class=\"quiet\">Silence this story: {silence}</p>"
    ));
    out.retain(|block| !block.is_empty());
    out.join("\n") + "\n"
}

/// A note of the desk, its lines kept.
fn noted(heading: &str, note: &str) -> String {
    let note = escape(note).replace('\n', "<br>\n");
    format!("<p><strong>{}:</strong> <span dir=\"auto\">{note}</span></p>", escape(heading))
}

/// The source with its trust, then origin and times.
fn facts(alert: &Alert, message: &Message<'_>) -> String {
    let desk = message.timezone;
    let mut lines = Vec::new();
    lines
        .extend(wording::forwarded(alert).map(|from| format!("forwarded from <bdi>{}</bdi>", escape(&from))));
    lines.push(format!("published {}", escape(&wording::published(alert, desk))));
    lines.push(format!("fetched {}", escape(&wording::time(alert.fetched, desk))));
    lines.push(format!("alerted {}", escape(&wording::time(alert.created, desk))));
    lines.extend(message.sent.map(|at| format!("sent {}", escape(&wording::time(at, desk)))));
    let source = escape(&wording::source(alert));
    format!("<p><strong>{source}</strong></p>\n<p class=\"quiet\">{}</p>", lines.join("<br>\n"))
}

/// The link with its host before it, since the address may be long enough to hide it.
fn link(alert: &Alert) -> Option<String> {
    let url = match wording::link(alert) {
        Link::Address(url) => url,
        Link::LeftOut(why) => return Some(format!(r#"<p class="quiet">{}</p>"#, escape(&why))),
        Link::None => return None,
    };
    let host = escape(url.host_str().unwrap_or_default());
    let (address, shown) = (escape(url.as_str()), escape(&cut(url.as_str(), LINK_CHARS_MAX)));
    Some(format!(r#"<p>On <strong>{host}</strong>: <a href="{address}" rel="noreferrer">{shown}</a></p>"#))
}

/// Each rule with its terms and the words that met them.
fn why(alert: &Alert) -> String {
    let mut out = vec!["<h2>Why</h2>".to_owned()];
    for rule in &alert.rules {
        out.push(format!("<p>{}</p>\n<ul>", escape(&wording::rule(rule))));
        for (term, quotes) in wording::reasons(rule) {
            out.push(format!(
                "<li><code dir=\"auto\">{}</code>: <bdi>{}</bdi></li>",
                escape(&term),
                escape(&quotes)
            ));
        }
        out.push("</ul>".to_owned());
    }
    out.join("\n")
}

/// A heading and a list; empty when there is nothing to list.
fn list(heading: &str, entries: &[String]) -> String {
    let entries: Vec<String> = entries.iter().map(|entry| format!("<li>{}</li>", escape(entry))).collect();
    if entries.is_empty() {
        return String::new();
    }
    format!("<h2>{heading}</h2>\n<ul>\n{}\n</ul>", entries.join("\n"))
}

/// A command to type, its words kept whole: a line would break within `--story`.
fn command(words: &str) -> String {
    let words: Vec<String> =
        words.split(' ').map(|word| format!(r#"<span class="word">{}</span>"#, escape(word))).collect();
    format!("<code>{}</code>", words.join(" "))
}

/// A text, escaped, with the words that met a rule in `<mark>`.
fn marked(pieces: &[Piece]) -> String {
    pieces.iter().map(piece).collect()
}

fn piece(piece: &Piece) -> String {
    let text = escape(&piece.text).replace('\n', "<br>\n");
    if piece.marked { format!("<mark>{text}</mark>") } else { text }
}

/// The item's language as an attribute, when it is a plain tag.
fn lang(alert: &Alert) -> String {
    let plain = |tag: &&str| tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let tag = alert.item.lang.as_deref().filter(plain);
    tag.map_or_else(String::new, |tag| format!(r#" lang="{tag}""#))
}

/// Background of a severity; white text on each has a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#b3261e",
        Severity::High => "#b54708",
        Severity::Medium => "#7a5900",
        Severity::Low => "#0b57d0",
        Severity::Info => "#5f6368",
    }
}

/// `text` with the five characters of markup replaced, fit for content and for quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
