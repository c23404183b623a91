//! `[[notifier]]` of the services that have a form of their own.

use url::Url;

use super::environment::Environment;
use super::notifier::Reach;
use super::read::{Node, Section};
use super::secret::{Resolved, Secret, resolve};
use crate::notify::NotifierKind;
use crate::notify::chat::{Address, ChatSettings, Service};

/// Longest topic of ntfy.
const TOPIC_BYTES_MAX: usize = 64;

/// Reads the settings of a notifier for `service`.
pub(super) fn chat(
    section: &Section<'_>,
    service: Service,
    environment: &Environment,
) -> Option<Reach<NotifierKind>> {
    let address = if service.has_secret_address() {
        secret(&section.get("url")?, environment).map(|reach| reach.map(Address::Secret))
    } else {
        server(section, service).map(|url| Reach::All(Address::Open(url)))
    };
    let token = if service.has_secret_address() { None } else { section.get("token") };
    let token = token.map(|node| secret(&node, environment));
    let to = if service.names_recipients() { recipients(section, service) } else { Some(Vec::new()) };
    let token = match token {
        Some(token) => token?.map(Some),
        None => Reach::All(None),
    };
    let (address, to) = (address?, to?);
    Some(match (address, token) {
        (Reach::All(address), Reach::All(token)) => {
            Reach::All(NotifierKind::Chat(ChatSettings { service, address, token, to }))
        }
        (Reach::NotCheckable, _) | (_, Reach::NotCheckable) => Reach::NotCheckable,
    })
}

fn secret(node: &Node<'_>, environment: &Environment) -> Option<Reach<Secret>> {
    Some(match resolve(node, environment)? {
        Resolved::Known(secret) => Reach::All(secret),
        Resolved::NotCheckable => Reach::NotCheckable,
    })
}

/// A server. That of ntfy takes messages as JSON at its root alone: elsewhere it would show the JSON as the message.
fn server(section: &Section<'_>, service: Service) -> Option<Url> {
    let url = section.address("url")?;
    if service == Service::Ntfy && url.path() != "/" {
        let hint = "write the address of the server alone, and topics into `to`";
        return section.get("url")?.problem("has a path, and ntfy is told at its root", hint);
    }
    Some(url)
}

/// Chats, topics or rooms, each once.
fn recipients(section: &Section<'_>, service: Service) -> Option<Vec<String>> {
    let node = section.get("to")?;
    let mut names: Vec<String> = Vec::new();
    for node in node.list()? {
        let Some(text) = node.text() else { continue };
        let name = text.value;
        if name.is_empty() || name.chars().any(|char| char.is_whitespace() || char.is_control()) {
            node.problem::<()>(format!("`{name}` names nobody"), "write one name without blanks");
        } else if service == Service::Ntfy && !is_topic(&name) {
            node.problem::<()>(
                format!("`{name}` is no topic"),
                "write up to 64 letters, digits, `-` and `_`",
            );
        } else if service == Service::Matrix && !name.starts_with('!') {
            node.problem::<()>(
                format!("`{name}` is no id of a room"),
                "write the room's internal id, which begins with `!`: its settings show it under Advanced",
            );
        } else if service == Service::Telegram && !is_chat(&name) {
            node.problem::<()>(
                format!("`{name}` is no chat"),
                "write the chat's number (`-1001234567890`) or a channel's `@name`",
            );
        } else if names.contains(&name) {
            node.problem::<()>(format!("`{name}` is named twice"), "name it once");
        } else {
            names.push(name);
        }
    }
    if node.list()?.is_empty() {
        return node.problem("names nobody", "name those who are told");
    }
    Some(names)
}

/// Whether Telegram takes `name` as a chat: its number, or the name of a channel or supergroup.
fn is_chat(name: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.parse::<i64>().is_ok() || name.strip_prefix('@').is_some_and(is_name)
}

/// Whether ntfy takes `name` as a topic (`topicRegex` in its `server/server.go`).
fn is_topic(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.len() <= TOPIC_BYTES_MAX && name.bytes().all(fits)
}
