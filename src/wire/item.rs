//! An item as JSON, as `preview`, `match`, `alerts export` and the webhook share it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::item as core;

/// An item; absent fields are omitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// 26 characters, stable over polls.
    pub id: String,
    /// Name of its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `feed`, `telegram` or `page`.
    pub kind: Kind,
    /// Title; may be empty.
    #[serde(default)]
    pub title: String,
    /// Plain text.
    #[serde(default)]
    pub text: String,
    /// Absolute link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Author as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// When published, as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// When changed, as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// Categories as stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The entry's own identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// What only a Telegram message has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram: Option<Telegram>,
}

/// What an item's source is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A feed.
    Feed,
    /// A Telegram channel.
    Telegram,
    /// A page.
    Page,
}

/// The Telegram part of an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Telegram {
    /// Channel name.
    pub channel: String,
    /// Message number.
    pub message: u64,
    /// Numbers of an album's members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub album: Vec<u64>,
    /// Kinds of content.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Views, rounded by Telegram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<u64>,
    /// Whether marked as edited.
    #[serde(default)]
    pub edited: bool,
    /// Signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Origin of a forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<Forward>,
    /// Link of the message replied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Links in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Preview of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// A poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// Titles of documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// Host of the mirror through which it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

/// The origin of a forwarded message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forward {
    /// Name as shown.
    pub name: String,
    /// Link to the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The preview of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A poll in a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Poll {
    /// The question.
    pub question: String,
    /// The answers offered.
    pub options: Vec<String>,
}

impl From<core::SourceKind> for Kind {
    fn from(kind: core::SourceKind) -> Self {
        match kind {
            core::SourceKind::Feed => Self::Feed,
            core::SourceKind::Telegram => Self::Telegram,
            core::SourceKind::Page => Self::Page,
        }
    }
}

impl From<Kind> for core::SourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Feed => Self::Feed,
            Kind::Telegram => Self::Telegram,
            Kind::Page => Self::Page,
        }
    }
}

impl From<core::Item> for Item {
    fn from(item: core::Item) -> Self {
        Self {
            id: item.id.to_string(),
            source: item.source.map(|name| name.to_string()),
            kind: item.kind.into(),
            title: item.title,
            text: item.text,
            url: item.url,
            author: item.author,
            lang: item.lang,
            published: item.published,
            updated: item.updated,
            tags: item.tags,
            guid: item.guid,
            telegram: item.telegram.map(Telegram::from),
        }
    }
}

impl TryFrom<Item> for core::Item {
    type Error = crate::id::NotAnId;

    fn try_from(item: Item) -> Result<Self, Self::Error> {
        Ok(Self {
            id: item.id.parse()?,
            source: item.source.as_deref().and_then(core::SourceName::new),
            kind: item.kind.into(),
            title: item.title,
            text: item.text,
            url: item.url,
            author: item.author,
            lang: item.lang,
            published: item.published,
            updated: item.updated,
            tags: item.tags,
            guid: item.guid,
            telegram: item.telegram.map(core::TelegramPost::from),
        })
    }
}

impl From<core::TelegramPost> for Telegram {
    fn from(post: core::TelegramPost) -> Self {
        Self {
            channel: post.channel,
            message: post.message,
            album: post.album,
            kinds: post.kinds,
            views: post.views,
            edited: post.edited,
            signature: post.signature,
            forwarded_from: post.forwarded_from.map(|from| Forward { name: from.name, url: from.url }),
            reply_to: post.reply_to,
            links: post.links,
            preview: post.preview.map(|preview| Preview {
                url: preview.url,
                title: preview.title,
                description: preview.description,
            }),
            poll: post.poll.map(|poll| Poll { question: poll.question, options: poll.options }),
            documents: post.documents,
            via: post.via,
        }
    }
}

impl From<Telegram> for core::TelegramPost {
    fn from(post: Telegram) -> Self {
        Self {
            channel: post.channel,
            message: post.message,
            album: post.album,
            kinds: post.kinds,
            views: post.views,
            edited: post.edited,
            signature: post.signature,
            forwarded_from: post.forwarded_from.map(|from| core::Forward { name: from.name, url: from.url }),
            reply_to: post.reply_to,
            links: post.links,
            preview: post.preview.map(|preview| core::LinkPreview {
                url: preview.url,
                title: preview.title,
                description: preview.description,
            }),
            poll: post.poll.map(|poll| core::Poll { question: poll.question, options: poll.options }),
            documents: post.documents,
            via: post.via,
        }
    }
}
