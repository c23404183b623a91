//! What is said of an event, in words for whoever keeps the desk running.

use jiff::tz::TimeZone;

use super::foreign::{cut, line};
use super::wording;
use crate::event::{AWAY, Event, EventKind};
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
        EventKind::SourceGap if is_of_several(event) => {
            format!("sources of {name} may have shown items that were missed")
        }
        EventKind::SourceGap => format!("{name} may have shown items that were missed"),
        EventKind::NetworkOffline => format!("{name} is cut off from its sources"),
        EventKind::NetworkOnline => format!("{name} reaches its sources again"),
        EventKind::NotifierFailing if is_refused(event) => {
            format!("notifier {name} is failing: its messages{} are refused", whom(" to", event))
        }
        EventKind::NotifierFailing => format!("notifier {name} is failing: its alerts wait"),
        EventKind::NotifierRecovered if is_refused(event) => {
            format!("notifier {name} is heard again{}: a message was taken", whom(" by", event))
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
pub(super) fn is_refused(event: &Event) -> bool {
    event.reason.as_deref() == Some(REFUSED)
}

/// Whether it is about several sources that share a cause.
fn is_of_several(event: &Event) -> bool {
    event.reason.as_deref() == Some(AWAY)
}

/// The recipient behind `word`, where the notifier names them.
fn whom(word: &str, event: &Event) -> String {
    let recipient = line(&event.recipient);
    if recipient.is_empty() { recipient } else { format!("{word} {recipient}") }
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
        EventKind::SourceFailing => {
            failing(event.reason.as_deref().unwrap_or_default(), &line(&event.detail))
        }
        EventKind::SourceSilent => {
            format!(
                "look at its site; in the config, change its address if it moved, or set its `silent_after` if it is slow; \
                 to have it read now: harmattan sources poll {name}"
            )
        }
        EventKind::SourceGap if is_of_several(event) => {
            "look through their sites for that time; `harmattan sources list` tells of each".to_owned()
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

/// What to do about a failure of that class, as far as its words tell which one it is.
fn failing(reason: &str, detail: &str) -> String {
    let words = match reason {
        "gone" => "it is gone for good: look for its new address, or take it out of the config",
        "renamed" => return renamed(detail),
        "layout" => layout(detail),
        "preview-off" => {
            "the channel switched its web preview off: add a mirror, or take it out of the config"
        }
        "challenge" => {
            "its server asks for a browser: ask its owner to let the feed through, or find another"
        }
        "parse" if detail.contains("OPML") => {
            "`harmattan sources import FILE` takes in the feeds that such a list names"
        }
        "parse" => "look at what it answers with `harmattan preview`; it may have become a page",
        "http" => http(detail),
        "tls" if detail.contains("expired") || detail.contains("not valid yet") => {
            "the time of its certificate is over, or has not come; where sources of several hosts say so, check the clock of this machine"
        }
        "tls" if detail.contains("`ca`") => {
            "if its owner vouches for it, have its certificate, or that of who signed it, in a file in PEM, and name that as `ca` of the source"
        }
        "tls" if detail.contains("no https") => {
            "write its address with `http://`, or with the port of its https"
        }
        "dns" | "tls" | "timeout" => {
            "open its address in a browser; polls go on by themselves, ever less often"
        }
        _ => "see `harmattan sources list`",
    };
    words.to_owned()
}

/// A channel has another name, or its name another channel.
fn renamed(detail: &str) -> String {
    let name = detail.split_once("is now called `").and_then(|(_, rest)| rest.split_once('`'));
    match name {
        Some((name, _)) => format!("give its source the new name: `telegram = \"{name}\"`"),
        None => "the name belongs to another channel now: check whether it is still the one meant".to_owned(),
    }
}

/// A page is not what it was. That of a channel has no selectors.
fn layout(detail: &str) -> &'static str {
    let has = |words| detail.contains(words);
    if has("from our clock") {
        "check the clock of this machine, and whether a proxy or a cache hands out old pages"
    } else if has("selector") || has("without title and text") || has("links to a message") {
        "what it shows is laid out anew: check it with `harmattan preview` and mend its selectors"
    } else if has("of its messages any more") || has("message number fell") {
        "open the channel in a browser: its messages may have been deleted, or old copies of it be shown"
    } else {
        "open the channel in a browser; where its preview is laid out anew, a newer version of harmattan may read it"
    }
}

/// A server was asked in vain, or may not be asked.
fn http(detail: &str) -> &'static str {
    let main = detail.split(';').next().unwrap_or(detail);
    let has = |words| main.contains(words);
    if has("robots.txt") && has("does not allow") {
        "the robots.txt of its server forbids it: ask its owner for leave, or take it out of the config"
    } else if has("robots.txt") {
        "open the robots.txt of its server in a browser: until that can be had, or is not there (404), nothing else is asked for"
    } else if has("is refused: the address") {
        "list the range under `allow_networks` in `[http]` if it is meant"
    } else if has("the body is longer") {
        "raise `body_max` in `[http]` if the document is that long"
    } else if has("redirect not followed") {
        "open its address in a browser, and put the one that it leads to into the config"
    } else if has("answered 401") || has("answered 403") {
        "its server keeps it closed: ask its owner to let the feed through, or find another"
    } else {
        "open its address in a browser; polls go on by themselves, ever less often"
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn gaps_of_several_sources_are_told_of_the_machine_that_has_them() {
        let told = |name, reason| {
            let (now, detail) = (Timestamp::UNIX_EPOCH, "in words".to_owned());
            let facts =
                facts(&Event::new(EventKind::SourceGap, name, reason, now, detail, now), &TimeZone::UTC);
            [facts[0].1.clone(), facts[3].1.clone()]
        };
        let own = ["rfi may have shown items that were missed", "look through its site for that time"];
        assert_eq!(told("rfi", None), own);
        let several = [
            "sources of desk may have shown items that were missed",
            "look through their sites for that time; `harmattan sources list` tells of each",
        ];
        assert_eq!(told("desk", Some(AWAY)), several);
    }

    #[test]
    fn the_remedy_is_that_of_the_trouble_at_hand() {
        for (reason, detail, words) in [
            ("renamed", "the channel `alpha` is now called `alpha_news`", "`telegram = \"alpha_news\"`"),
            ("renamed", "the name `alpha` now belongs to another channel (-2, was -1)", "another channel"),
            ("layout", "unknown layout: the `item` selector finds nothing", "mend its selectors"),
            ("layout", "unknown layout: 7 items, all without title and text", "mend its selectors"),
            ("layout", "the page was made 10 h away from our clock: a stale copy, or a wrong clock", "clock"),
            ("layout", "2 of 2 messages have no date", "newer version"),
            ("layout", "unknown layout: a history without messages", "newer version"),
            ("layout", "the highest message number fell from 140 to 70", "deleted"),
            ("http", "the robots.txt of `a.example` does not allow it", "forbids it"),
            (
                "http",
                "the robots.txt of `a.example` cannot be had (the server answered 503), so nothing else is asked for",
                "until that",
            ),
            ("http", "`a.example` is refused: the address is private", "allow_networks"),
            ("http", "the body is longer than 16777216 bytes", "body_max"),
            ("http", "redirect not followed: it goes round in circles", "put the one"),
            ("http", "the server answered 403", "closed"),
            ("http", "the server answered 503; the mirror `b`: the server answered 403", "polls go on"),
            ("tls", "invalid peer certificate: certificate expired: x", "clock of this machine"),
            ("tls", "its certificate is signed by nobody trusted, here or in `ca` of the source", "in PEM"),
            ("tls", "what answers there speaks no TLS: no https at this port", "`http://`"),
            ("parse", "a list of feeds (OPML), not a feed", "sources import"),
            ("parse", "an HTML page, not a feed", "preview"),
        ] {
            let remedy = failing(reason, detail);
            assert!(remedy.contains(words), "{detail}: {remedy}");
        }
    }
}
