//! What reading a linked article shares with reading a source.

use super::html::Effect;
use super::{charset, html};
use crate::fetch::Document;

/// A body as text, by the same rules as that of a source.
pub(crate) fn decoded(document: &Document, lang: Option<&str>) -> String {
    charset::decode(&document.bytes, document.content_type.as_deref(), lang).text.into_owned()
}

/// The longest beginning of a page whose nesting and number of nodes a parser bears.
pub(crate) fn bounded(page: &str) -> &str {
    html::bounded(page)
}

/// The plain text of a piece of HTML, a line for each block.
pub(crate) fn plain(html: &str) -> String {
    html::plain(html)
}

/// Whether an element of that name begins a line.
pub(crate) fn is_block(name: &str) -> bool {
    html::effect(name) == Effect::Block
}

/// Whether what is in an element of that name is no text.
pub(crate) fn is_hidden(name: &str) -> bool {
    html::effect(name) == Effect::Hidden
}
