//! What is said of an event, in words for whoever keeps the desk running.

use jiff::tz::TimeZone;

use super::foreign::{cut, line};
use super::wording;
use crate::event::{Event, EventKind};
use crate::outbox::circuit::REFUSED;

/// Greatest length of the words of a server or a document, in characters.
const DETAIL_CHARS_MAX: usize = 400;

/// What happened, in one short line: `rfi-afrique is failing: dns`.
pub(crate) fn headline(event: &Event) -> String {
    let name = line(&event.name);
    match event.kind {
        EventKind::SourceFailing => {
            format!("{name} is failing: {}", line(event.reason.as_deref().unwrap_or("unknown")))
        }
        EventKind::SourceSilent => format!("{name} has brought nothing new for long"),
        EventKind::SourceRecovered => format!("{name} is well again"),
        EventKind::SourceGap => format!("{name} may have shown items that were missed"),
        EventKind::NetworkOffline => format!("{name} is cut off from its sources"),
        EventKind::NetworkOnline => format!("{name} reaches its sources again"),
        EventKind::NotifierFailing if is_refused(event) => {
            format!("notifier {name} is failing: its messages are refused")
        }
        EventKind::NotifierFailing => format!("notifier {name} is failing: its alerts wait"),
        EventKind::NotifierRecovered if is_refused(event) => {
            format!("notifier {name} is heard again: a message was taken")
        }
        EventKind::NotifierRecovered => {
            format!("notifier {name} gets through again: what waited is being sent")
        }
        EventKind::StoreDamaged => {
            format!("the store of {name} was damaged: alerts may be missing or repeated")
        }
    }
}

/// Whether it is about a recipient who takes nothing, not about the way.
fn is_refused(event: &Event) -> bool {
    event.reason.as_deref() == Some(REFUSED)
}

/// What happened, since when, in detail, and what to do; each under its heading.
pub(crate) fn facts(event: &Event, desk: &TimeZone) -> Vec<(&'static str, String)> {
    vec![
        ("What", headline(event)),
        ("Since", wording::time(event.since, desk)),
        ("Detail", cut(&line(&event.detail), DETAIL_CHARS_MAX)),
        ("To do", remedy(event)),
    ]
}

/// The command that tells more.
pub(crate) fn more(event: &Event) -> String {
    match event.kind {
        EventKind::SourceFailing
        | EventKind::SourceSilent
        | EventKind::SourceRecovered
        | EventKind::SourceGap => "harmattan sources list".to_owned(),
        EventKind::NotifierFailing | EventKind::NotifierRecovered => {
            format!("harmattan outbox list --notifier {}", line(&event.name))
        }
        EventKind::NetworkOffline | EventKind::NetworkOnline | EventKind::StoreDamaged => {
            "harmattan status".to_owned()
        }
    }
}

/// What to do about it.
fn remedy(event: &Event) -> String {
    let name = line(&event.name);
    match event.kind {
        EventKind::SourceFailing => failing(event.reason.as_deref().unwrap_or_default()).to_owned(),
        EventKind::SourceSilent => {
            format!(
                "look at its site; if it moved, change its address, if it is slow, set `silent_after`: harmattan sources poll {name}"
            )
        }
        EventKind::SourceGap => "look through its site for that time".to_owned(),
        EventKind::NetworkOffline => {
            "see to the network and the resolver of this machine; polling goes on by itself".to_owned()
        }
        EventKind::NotifierFailing if is_refused(event) => {
            format!(
                "see to the recipient, then try: harmattan send-test {name}; what was given up: harmattan outbox list --dead"
            )
        }
        EventKind::NotifierFailing => {
            format!(
                "see to its receiver or its secret, then try: harmattan send-test {name}; what waits is tried for three days"
            )
        }
        EventKind::StoreDamaged => {
            "check the disk; look through what was published since; if a backup tells more, stop the daemon and bring it \
             back: harmattan store restore FILE --replace"
                .to_owned()
        }
        EventKind::SourceRecovered | EventKind::NetworkOnline | EventKind::NotifierRecovered => {
            "nothing".to_owned()
        }
    }
}

fn failing(reason: &str) -> &'static str {
    match reason {
        "gone" => "it is gone for good: look for its new address, or take it out of the config",
        "renamed" => "the name belongs to another channel now: check whether it is still the one meant",
        "layout" => {
            "what it shows is laid out anew: check it with `harmattan preview` and mend its selectors"
        }
        "preview-off" => {
            "the channel switched its web preview off: add a mirror, or take it out of the config"
        }
        "challenge" => {
            "its server asks for a browser: ask its owner to let the feed through, or find another"
        }
        "parse" => "look at what it answers with `harmattan preview`; it may have become a page",
        "dns" | "tls" | "timeout" | "http" => {
            "open its address in a browser; polls go on by themselves, ever less often"
        }
        _ => "see `harmattan sources list`",
    }
}
