//! What became of the article behind a stored entry.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::article::{self, End, Fate, Pending};
use crate::item::ItemId;
use crate::store::{Store, StoreError};

/// What became of the article behind an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// Its address.
    pub url: String,
    /// `waiting`, `used`, `paywall`, `consent`, `challenge`, `login`, `not-found`, `no-text`, `not-html`, `robots`, `failed` or
    /// `dropped`.
    pub end: String,
    /// When that was settled; of one that waits, when it is tried next.
    pub at: Timestamp,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Of one used, the characters of its text that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<u32>,
    /// Of one used, the byte of the text of the item, as it is explained, at which its text begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
}

/// What became of the article of an item, and its text where it was used.
pub(super) fn of(store: &dyn Store, item: ItemId) -> Result<(Option<Article>, Option<String>), StoreError> {
    let Some(stored) = store.find_item(item)? else { return Ok((None, None)) };
    let fate = store.article(item, stored.first)?;
    let is_used = matches!(&fate, Some(Fate { end: End::Used { .. }, .. }));
    let waiting =
        if is_used { None } else { store.pending_articles()?.into_iter().find(|it| it.item == item) };
    if let Some(Pending { url, due, .. }) = waiting {
        let end = "waiting".to_owned();
        let told = Article { url, end, at: due, detail: None, characters: None, start: None };
        return Ok((Some(told), None));
    }
    let Some(fate) = fate else { return Ok((None, None)) };
    let end = fate.end.as_str().to_owned();
    let (text, detail) = match fate.end {
        End::Used { text } => (Some(text), None),
        End::Failed { detail } => (None, Some(detail)),
        End::Unfit(_) | End::Robots | End::Dropped => (None, None),
    };
    let characters = text.as_ref().map(|text| u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
    let start = text.as_ref().map(|_| article::begin(&stored.item));
    Ok((Some(Article { url: fate.url, end, at: fate.at, detail, characters, start }), text))
}
