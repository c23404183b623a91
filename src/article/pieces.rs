//! A page in small pieces, for what writes it out.
//!
//! For each character that it escapes, the serializer behind the readability algorithm looks through all the rest of a
//! text, so that a long text of such characters takes minutes. A short one costs little, whatever it is made of.

use dom_query::{Document, NodeRef};

/// Longest text of a node and longest value of an attribute, in bytes.
const PIECE_BYTES_MAX: usize = 1024;

/// Parts the long texts of a page; takes out its templates, which are not shown, and what attributes are longer: those
/// of pictures and scripts.
pub(super) fn split(page: &Document) {
    page.select("template").remove();
    for node in page.root().descendants() {
        if node.is_text() {
            split_text(&node);
        }
        for attribute in node.attrs() {
            if attribute.value.len() > PIECE_BYTES_MAX {
                node.remove_attr(&attribute.name.local);
            }
        }
    }
}

fn split_text(node: &NodeRef<'_>) {
    let text = node.text();
    if text.len() <= PIECE_BYTES_MAX {
        return;
    }
    let mut rest: &str = &text;
    while let Some((piece, after)) = rest.split_at_checked(rest.floor_char_boundary(PIECE_BYTES_MAX))
        && !piece.is_empty()
    {
        node.insert_before(&node.tree.new_text(piece));
        rest = after;
    }
    node.remove_from_parent();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_pieces_says_the_same() {
        let text = "Ménaka & Gao, ".repeat(400);
        let page = Document::from(format!(
            "<title>{text}</title><template>{text}</template><p class=lead title='{text}'>{text}<b>Kidal</b> fell</p>"
        ));
        split(&page);
        let said = page.select("p");
        assert_eq!(said.text().to_string(), format!("{text}Kidal fell"));
        assert_eq!(page.select("title").text().to_string(), text);
        assert!(said.has_attr("class") && !said.has_attr("title") && !page.select("template").exists());
        for node in page.root().descendants().iter().filter(|node| node.is_text()) {
            assert!(node.text().len() <= PIECE_BYTES_MAX);
        }
    }
}
