//! `[[notifier]]`: where alerts go.

use lettre::Address;
use lettre::message::Mailbox;

use super::chat;
use super::environment::Environment;
use super::option::{Form, Table};
use super::problem::Problem;
use super::read::{Node, Section};
use super::relay;
use super::secret::{Resolved, Secret, resolve};
use super::template;
use super::typed::ticked;
use crate::notify::chat::Service;
use crate::notify::template::Kind;
use crate::notify::{EmailSettings, NotifierKind, NotifierSettings, WebhookSettings};
use crate::rules::spec::Located;

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
    let way = relay::way(section, environment);
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
