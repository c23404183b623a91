//! `[[notifier]]` of the services that have a form of their own.

use super::environment::Environment;
use super::notifier::Reach;
use super::read::{Node, Section};
use super::secret::{Resolved, Secret, resolve};
use crate::notify::NotifierKind;
use crate::notify::chat::{Address, ChatSettings, Service};

/// Reads the settings of a notifier for `service`.
pub(super) fn chat(
    section: &Section<'_>,
    service: Service,
    environment: &Environment,
) -> Option<Reach<NotifierKind>> {
    let address = if service.has_secret_address() {
        secret(&section.get("url")?, environment).map(|reach| reach.map(Address::Secret))
    } else {
        section.address("url").map(|url| Reach::All(Address::Open(url)))
    };
    let token = if service.has_secret_address() { None } else { section.get("token") };
    let token = token.map(|node| secret(&node, environment));
    let to = if service.names_recipients() { recipients(section) } else { Some(Vec::new()) };
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

/// Chats, topics or rooms, each once.
fn recipients(section: &Section<'_>) -> Option<Vec<String>> {
    let node = section.get("to")?;
    let mut names: Vec<String> = Vec::new();
    for node in node.list()? {
        let Some(text) = node.text() else { continue };
        let name = text.value;
        if name.is_empty() || name.chars().any(|char| char.is_whitespace() || char.is_control()) {
            node.problem::<()>(format!("`{name}` names nobody"), "write one name without blanks");
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
