//! A Telegram channel on loopback: its preview shows twenty messages, the newest ones or those before a number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::http::{Asked, Reply, Server};

/// Messages on a page.
const PAGE: usize = 20;

/// What a test may change.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    /// The name in its messages.
    pub(crate) name: String,
    /// The name in its address.
    pub(crate) at: String,
    /// Telegram's own number of it.
    pub(crate) id: i64,
    /// From this number on its messages are of a time still to come, so that they are newer than any baseline.
    pub(crate) recent: u64,
    /// Texts by number.
    pub(crate) messages: BTreeMap<u64, String>,
    /// Answers that stand in for pages.
    pub(crate) instead: BTreeMap<String, Reply>,
}

/// The channel and its server.
pub(crate) struct Preview {
    server: Server,
    channel: Arc<Mutex<Channel>>,
}

impl Preview {
    /// A channel called `post` with these messages.
    pub(crate) fn start(messages: impl IntoIterator<Item = u64>) -> Self {
        let messages = messages.into_iter().map(|number| (number, mangoes(number))).collect();
        let (name, at) = ("post".into(), "post".into());
        let channel = Channel { name, at, id: -1001, recent: u64::MAX, messages, instead: BTreeMap::new() };
        let channel = Arc::new(Mutex::new(channel));
        let shared = Arc::clone(&channel);
        let server = Server::start(move |asked| shared.lock().unwrap().answer(asked));
        Self { server, channel }
    }

    /// Changes the channel.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Channel)) {
        change(&mut self.channel.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Adds messages of no interest.
    pub(crate) fn publish(&self, messages: impl IntoIterator<Item = u64>) {
        self.change(|channel| {
            channel.messages.extend(messages.into_iter().map(|number| (number, mangoes(number))));
        });
    }

    /// Adds a message.
    pub(crate) fn say(&self, number: u64, words: &str) {
        self.change(|channel| drop(channel.messages.insert(number, words.to_owned())));
    }

    /// Deletes a message.
    pub(crate) fn delete(&self, number: u64) {
        self.change(|channel| drop(channel.messages.remove(&number)));
    }

    /// Answers so in place of a page from now on.
    pub(crate) fn instead(&self, target: &str, reply: Reply) {
        self.change(|channel| drop(channel.instead.insert(target.to_owned(), reply)));
    }

    /// The source of that channel, with further keys.
    pub(crate) fn source(&self, more: &str) -> String {
        let base = self.server.url("");
        let base = base.as_str().trim_end_matches('/');
        format!("[[source]]\nname = \"post\"\ntelegram = \"post\"\nhosts = [\"{base}\"]\n{more}\n")
    }

    /// An address of its server.
    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path).to_string()
    }

    /// The paths asked for so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.server.targets()
    }
}

impl Channel {
    fn answer(&self, asked: &Asked) -> Reply {
        if let Some(reply) = self.instead.get(&asked.target) {
            return reply.clone();
        }
        let (path, query) = asked.target.split_once("?before=").unwrap_or((&asked.target, ""));
        if path.strip_prefix("/s/") != Some(&self.at) {
            return Reply::status(404);
        }
        let before = if query.is_empty() { u64::MAX } else { query.parse().unwrap() };
        self.page(before)
    }

    /// The page of the messages before a number.
    pub(crate) fn page(&self, before: u64) -> Reply {
        let mut shown: Vec<_> = self.messages.range(..before).rev().take(PAGE).collect();
        shown.reverse();
        let messages: String = shown.iter().map(|(number, words)| self.message(**number, words)).collect();
        let nothing = r#"<div class="tme_no_messages_found">No posts found</div>"#;
        page(if shown.is_empty() { nothing } else { &messages })
    }

    fn message(&self, number: u64, words: &str) -> String {
        let view = base64(&format!(r#"{{"c":{},"p":{number}}}"#, self.id));
        let shown = message(&format!("{}/{number}", self.name), &format!("data-view=\"{view}\""), words);
        if number < self.recent { shown } else { shown.replace("=\"2026-", "=\"2100-") }
    }
}

/// A preview page with this in its history.
pub(crate) fn page(history: &str) -> Reply {
    let page = format!(
        r#"<!DOCTYPE html><html><body class="tgme_webpreview"><main><section class="tgme_channel_history">{history}</section></main></body></html>"#
    );
    Reply::ok(page).header("Content-Type", "text/html; charset=utf-8")
}

/// A message with further attributes.
pub(crate) fn message(post: &str, attributes: &str, words: &str) -> String {
    let text = match words {
        "" => String::new(),
        words => format!(r#"<div class="tgme_widget_message_text js-message_text">{words}</div>"#),
    };
    format!(
        r#"<div class="tgme_widget_message js-widget_message" data-post="{post}" {attributes}>{text}<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date" href="https://t.me/{post}"><time datetime="2026-11-25T10:00:00+00:00"></time></a></span></div>"#
    )
}

/// Words that no rule asks for.
pub(crate) fn mangoes(number: u64) -> String {
    format!("Mangoes harvested, basket {number}")
}

/// Words that fire the rule `convoy`; each number is a story of its own.
pub(crate) fn convoy(number: u64) -> String {
    format!("Convoy attacked at kilometre {number}")
}

/// As Telegram writes what it says of a message.
pub(crate) fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
