//! What the elements of HTML do to the text around them.

/// Longest name of an element that matters, in bytes.
const NAME_BYTES_MAX: usize = 10;

/// What an element does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Effect {
    /// Nothing.
    None,
    /// `<br>`: ends the line.
    Break,
    /// Ends the line unless it is empty.
    Block,
    /// Its content is no text.
    Hidden,
}

/// The effect of an element, by its name in any case.
pub(in crate::source) fn effect(name: &str) -> Effect {
    let mut lower = [0; NAME_BYTES_MAX];
    let Some(lower) = lower.get_mut(..name.len()) else { return Effect::None };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"br" => Effect::Break,
        b"head" | b"noscript" | b"script" | b"style" | b"template" | b"title" => Effect::Hidden,
        b"address" | b"article" | b"aside" | b"blockquote" | b"caption" | b"center" | b"dd" | b"details"
        | b"dialog" | b"div" | b"dl" | b"dt" | b"fieldset" | b"figcaption" | b"figure" | b"footer"
        | b"form" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"header" | b"hgroup" | b"hr"
        | b"legend" | b"li" | b"main" | b"menu" | b"nav" | b"ol" | b"optgroup" | b"option" | b"p"
        | b"pre" | b"search" | b"section" | b"summary" | b"table" | b"td" | b"th" | b"tr" | b"ul" => {
            Effect::Block
        }
        _ => Effect::None,
    }
}
