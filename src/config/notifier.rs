//! `[[notifier]]`: where alerts go.

use std::net::IpAddr;

use lettre::Address;
use lettre::message::Mailbox;

use super::chat;
use super::environment::Environment;
use super::option::{Form, Table};
use super::problem::Problem;
use super::read::{Node, Section};
use super::secret::{Resolved, Secret, resolve};
use super::template;
use super::typed::ticked;
use crate::notify::chat::Service;
use crate::notify::template::Kind;
use crate::notify::{
    EmailSettings, MailWay, NotifierKind, NotifierSettings, RelaySettings, SmtpTls, WebhookSettings,
};
use crate::rules::spec::Located;

/// Submission over TLS (RFC 8314 section 3.3).
const PORT_IMPLICIT: u16 = 465;
/// Submission with STARTTLS (RFC 6409 section 3.1).
const PORT_SUBMISSION: u16 = 587;
/// Relay without TLS (RFC 5321 section 4.5.4.2).
const PORT_RELAY: u16 = 25;
/// Longest name of a notifier: it stands in keys of the store.
const NAME_BYTES_MAX: usize = 64;

/// A `[[notifier]]` that was read.
pub(super) struct Read {
    /// Its name and where that stands.
    pub(super) name: Located<String>,
    /// Its settings; absent when a credential of it can only be read by the service.
    pub(super) settings: Option<NotifierSettings>,
}

/// What a secret that may lie out of reach leaves of the settings that need it.
pub(super) enum Reach<T> {
    All(T),
    NotCheckable,
}

impl<T> Reach<T> {
    /// The same of what is made of it.
    pub(super) fn map<U>(self, make: impl FnOnce(T) -> U) -> Reach<U> {
        match self {
            Self::All(value) => Reach::All(make(value)),
            Self::NotCheckable => Reach::NotCheckable,
        }
    }
}

/// Reads one `[[notifier]]`.
pub(super) fn notifier(node: &Node<'_>, environment: &Environment) -> Option<Read> {
    let section = node.section_of(table(node)?)?;
    let name = section.get("name").and_then(|node| name(&node));
    let kind = match section.word("type")? {
        "email" => email(&section, environment),
        "webhook" => webhook(&section, environment),
        word => match Service::from_word(word) {
            Some(service) => chat::chat(&section, service, environment),
            None => Some(Reach::All(NotifierKind::Stdout)),
        },
    };
    let name = name?;
    let settings = match kind? {
        Reach::All(kind) => Some(NotifierSettings { name: name.value.clone(), kind }),
        Reach::NotCheckable => None,
    };
    Some(Read { name, settings })
}

/// The option table of the notifier's type: without a type that is built, its keys mean nothing.
fn table(node: &Node<'_>) -> Option<&'static Table> {
    let Form::TablesByType(tables) = node.form else {
        return node.mismatch("another value; a bug: its form names no types", None);
    };
    let key = format!("{}.type", node.path);
    let Some(written) = node.table()?.get("type") else {
        let built: Vec<&str> = tables.iter().filter_map(|table| table.kind).collect();
        let hint = format!("it may be {}", ticked(&built));
        node.report.problem(Problem::new(&key, "is missing").at(node.origin()).hint(hint));
        return None;
    };
    let word = written.get_ref().as_str();
    let found = tables.iter().copied().find(|table| table.kind.is_some_and(|kind| Some(kind) == word));
    if found.is_none() {
        // Asked for its message alone: of another type than text, unknown, or not supported yet.
        let form = &tables.first()?.key("type")?.form;
        node.child(key, form, written).word();
    }
    found
}

fn name(node: &Node<'_>) -> Option<Located<String>> {
    let text = node.text()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.value.len() <= NAME_BYTES_MAX && text.value.bytes().all(fits) {
        return Some(text);
    }
    node.problem(
        format!("`{}` is no name of a notifier", text.value),
        "write up to 64 letters, digits, `-`, `_` and `.`",
    )
}

fn email(section: &Section<'_>, environment: &Environment) -> Option<Reach<NotifierKind>> {
    let way = way(section, environment);
    let from = section.get("from").and_then(|node| mailbox(&node));
    let to = recipients(section);
    let excerpt = section.integer("excerpt");
    let templates = template::mail(section);
    let Reach::All(way) = way? else { return Some(Reach::NotCheckable) };
    Some(Reach::All(NotifierKind::Email(EmailSettings {
        way,
        from: from?,
        to: to?,
        excerpt: excerpt?,
        templates,
    })))
}

/// The relay or the program, of which there must be one.
fn way(section: &Section<'_>, environment: &Environment) -> Option<Reach<MailWay>> {
    if section.has("sendmail") {
        let program = section.path("sendmail");
        if let Some(other) = ["smtp", "password", "tls"].into_iter().find(|key| section.has(key)) {
            return section
                .get(other)?
                .problem("stands beside `sendmail`, which has no use for it", "take one of the two out");
        }
        return program.map(|program| Reach::All(MailWay::Sendmail(program)));
    }
    if !section.has_any(&["smtp"]) {
        let hint =
            "write `smtp = \"smtps://alerts@mail.example.org:465\"`, or `sendmail = \"/usr/sbin/sendmail\"`";
        section.problem("smtp", "is missing", Some(hint));
    }
    let relay = relay(section);
    let password = section.get("password").map(|node| resolve(&node, environment));
    let relay = relay?;
    let login = match (relay.user, password) {
        (None, None) => None,
        (Some(user), Some(password)) => match password? {
            Resolved::Known(secret) => Some((user, secret)),
            Resolved::NotCheckable => return Some(Reach::NotCheckable),
        },
        (Some(_), None) => {
            return section.get("smtp")?.problem(
                "names a user, but there is no `password`",
                "write `password = { credential = \"NAME\" }`, or take the user out of `smtp`",
            );
        }
        (None, Some(_)) => {
            return section.get("smtp")?.problem(
                "names no user for the `password`",
                "write it like \"smtps://alerts@mail.example.org\"",
            );
        }
    };
    if login.is_some() && relay.tls == SmtpTls::Off && !relay.loopback {
        let node = section.get("tls")?;
        node.report.warn(node.blame("the password travels unprotected").hint("use `smtps` or STARTTLS"));
    }
    let (host, port, tls) = (relay.host, relay.port, relay.tls);
    Some(Reach::All(MailWay::Relay(RelaySettings { host, port, tls, login })))
}

struct Relay {
    host: String,
    port: u16,
    tls: SmtpTls,
    loopback: bool,
    user: Option<String>,
}

fn relay(section: &Section<'_>) -> Option<Relay> {
    let node = section.get("smtp")?;
    let url = node.address_with_user()?;
    if url.password().is_some() {
        return node.problem(
            "holds a password",
            "take it out and write `password = { credential = \"NAME\" }`: secrets are never in these files",
        );
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return node
            .problem("goes on after the port", "write it like \"smtps://alerts@mail.example.org:465\"");
    }
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let loopback = is_loopback(&host);
    let stated = if section.has("tls") { Some(section.word("tls")?) } else { None };
    let tls = match (url.scheme(), stated) {
        ("smtps", Some("off")) => {
            return section.get("tls")?.problem("contradicts `smtps`", "write `smtp` or take out `tls`");
        }
        ("smtps", _) => SmtpTls::Implicit,
        (_, Some("off")) => SmtpTls::Off,
        (_, None) if loopback => SmtpTls::Off,
        _ => SmtpTls::Required,
    };
    let port = url.port().unwrap_or(match tls {
        SmtpTls::Implicit => PORT_IMPLICIT,
        SmtpTls::Required => PORT_SUBMISSION,
        SmtpTls::Off => PORT_RELAY,
    });
    let user = if url.username().is_empty() {
        None
    } else if let Some(user) = unescaped(url.username()) {
        Some(user)
    } else {
        return node.problem("names a user that is not UTF-8", "write `%40` for the `@` in a user");
    };
    Some(Relay { host, port, tls, loopback, user })
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// A part of an address, its escapes undone; `None` when they undo to no text.
fn unescaped(part: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        match escape(byte, &mut ahead) {
            Some(value) => {
                bytes.push(value);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The byte that `%` and the next two stand for (RFC 3986 section 2.1).
fn escape(first: u8, rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digits = [rest.next()?, rest.next()?];
    let is_escape = first == b'%' && digits.iter().all(u8::is_ascii_hexdigit);
    is_escape.then(|| u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok())?
}

fn mailbox(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    match text.parse::<Mailbox>() {
        Ok(_) => Some(text),
        Err(_) => node.problem(
            format!("`{text}` is no mail address"),
            "write it like \"alerts@example.org\" or \"Harmattan <alerts@example.org>\"",
        ),
    }
}

fn recipients(section: &Section<'_>) -> Option<Vec<String>> {
    let node = section.get("to")?;
    let mut addresses: Vec<String> = Vec::new();
    for node in node.list()? {
        let Some(text) = node.text() else { continue };
        if text.value.parse::<Address>().is_err() {
            node.problem::<()>(
                format!("`{}` is no plain mail address", text.value),
                "write it like \"desk@example.org\"",
            );
        } else if addresses.contains(&text.value) {
            node.problem::<()>(format!("`{}` is named twice", text.value), "name it once");
        } else {
            addresses.push(text.value);
        }
    }
    if node.list()?.is_empty() {
        return node.problem("names nobody", "write `to = [\"desk@example.org\"]`");
    }
    Some(addresses)
}

fn webhook(section: &Section<'_>, environment: &Environment) -> Option<Reach<NotifierKind>> {
    let url = section.address("url");
    let mut secrets: Vec<Secret> = Vec::new();
    let mut reach = true;
    if let Some(node) = section.get("secret") {
        let nodes = if node.is_list() { node.list()? } else { vec![node.clone()] };
        if !(1..=2).contains(&nodes.len()) {
            return node.problem("is a list of one secret or two", "two serve while rotating");
        }
        for node in &nodes {
            match resolve(node, environment) {
                Some(Resolved::Known(secret)) => secrets.push(secret),
                // What is wrong with it was noted: the config will be refused.
                Some(Resolved::NotCheckable) | None => reach = false,
            }
        }
    }
    let template = template::file(section, "template", Kind::Json);
    let url = url?;
    Some(if reach {
        Reach::All(NotifierKind::Webhook(WebhookSettings { url, secrets, template }))
    } else {
        Reach::NotCheckable
    })
}
