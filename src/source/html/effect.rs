//! The elements of HTML, and what they do to the text around them.

/// Longest name of an element, in bytes.
const NAME_BYTES_MAX: usize = 15;

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
    known(name).unwrap_or(Effect::None)
}

/// The same; `None` where HTML has no element of that name.
///
/// All names of the HTML standard: those in its index of elements, `math` and `svg` among them, those of its section on
/// features that do not conform, and `image`, which its parser takes for `img`.
pub(super) fn known(name: &str) -> Option<Effect> {
    let mut lower = [0; NAME_BYTES_MAX];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"br" => Effect::Break,
        b"head" | b"noscript" | b"script" | b"style" | b"template" | b"title" => Effect::Hidden,
        b"address" | b"article" | b"aside" | b"blockquote" | b"caption" | b"center" | b"dd" | b"details"
        | b"dialog" | b"div" | b"dl" | b"dt" | b"fieldset" | b"figcaption" | b"figure" | b"footer"
        | b"form" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"header" | b"hgroup" | b"hr"
        | b"legend" | b"li" | b"main" | b"menu" | b"nav" | b"ol" | b"optgroup" | b"option" | b"p"
        | b"pre" | b"search" | b"section" | b"summary" | b"table" | b"td" | b"th" | b"tr" | b"ul" => {
            Effect::Block
        }
        b"a" | b"abbr" | b"acronym" | b"applet" | b"area" | b"audio" | b"b" | b"base" | b"basefont"
        | b"bdi" | b"bdo" | b"bgsound" | b"big" | b"blink" | b"body" | b"button" | b"canvas" | b"cite"
        | b"code" | b"col" | b"colgroup" | b"data" | b"datalist" | b"del" | b"dfn" | b"dir" | b"em"
        | b"embed" | b"font" | b"frame" | b"frameset" | b"html" | b"i" | b"iframe" | b"image" | b"img"
        | b"input" | b"ins" | b"isindex" | b"kbd" | b"keygen" | b"label" | b"link" | b"listing" | b"map"
        | b"mark" | b"marquee" | b"math" | b"menuitem" | b"meta" | b"meter" | b"multicol" | b"nextid"
        | b"nobr" | b"noembed" | b"noframes" | b"object" | b"output" | b"param" | b"picture"
        | b"plaintext" | b"progress" | b"q" | b"rb" | b"rp" | b"rt" | b"rtc" | b"ruby" | b"s" | b"samp"
        | b"select" | b"selectedcontent" | b"slot" | b"small" | b"source" | b"spacer" | b"span"
        | b"strike" | b"strong" | b"sub" | b"sup" | b"svg" | b"tbody" | b"textarea" | b"tfoot" | b"thead"
        | b"time" | b"track" | b"tt" | b"u" | b"var" | b"video" | b"wbr" | b"xmp" => Effect::None,
        _ => return None,
    })
}
