//! What reading a linked article shares with reading a source.

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
