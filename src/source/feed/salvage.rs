//! What can be saved of a JSON Feed that is refused as a whole: item by item, each mended by itself.
//!
//! A quote ends a string only where the string can end, so that `"He said "no" to it"` is one. What follows a comma
//! too many, a raw line break or half a surrogate is read as it was meant; an item that stays unreadable costs itself
//! alone.

use std::fmt::Write;

use serde::de::DeserializeOwned;

/// The member of a JSON Feed that holds its items.
const ITEMS: &str = "\"items\"";

/// Ends of items that are looked for in vain before the rest is given up: each may cost the length of the document.
const VAIN_MAX: usize = 32;

/// What was saved beside the items that could be read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Saved<Head, Item> {
    /// The members of the feed that stand before its items.
    pub(super) head: Head,
    /// The item inside which the document ends, with its whole members.
    pub(super) begun: Option<Item>,
    /// Other items, which could not be read.
    pub(super) lost: usize,
    /// Whether the list of items has its end, and the document ends inside none of them.
    pub(super) ended: bool,
}

/// Saves the items of a document that is no JSON as it stands, and hands over those that can be read, in order; `None`
/// when it has no list of items, or nothing in it can be read.
pub(super) fn salvage<Head, Item>(text: &str, mut take: impl FnMut(Item)) -> Option<Saved<Head, Item>>
where
    Head: DeserializeOwned + Default,
    Item: DeserializeOwned,
{
    let list = items_of(text)?;
    let head = text.get(..list.key)?.trim_end().trim_end_matches(',');
    let head = object(&format!("{head}}}")).unwrap_or_default();
    let mut saved = Saved { head, begun: None, lost: 0, ended: false };
    let (mut at, mut vain, mut found) = (list.first, 0, false);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b']' => {
                saved.ended = true;
                break;
            }
            b'{' => {
                let end = end_of(text, at);
                if let Some(end) = end
                    && let Some(item) = text.get(at..end).and_then(object)
                {
                    take(item);
                    found = true;
                    at = end;
                    continue;
                }
                // A quote astray may have hidden where it ends, and others with it.
                let next = seam(text.get(..end.unwrap_or(text.len()))?, at);
                if next.or(end).is_none() {
                    saved.begun = begun(text.get(at..)?);
                    break;
                }
                saved.lost += 1;
                vain += usize::from(next.is_some());
                match next.filter(|_| vain <= VAIN_MAX).or(end) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            b'"' => at = end_of_string(text, at).unwrap_or(text.len()),
            _ => at += 1,
        }
    }
    (found || saved.begun.is_some()).then_some(saved)
}

/// Where the list of items stands.
struct List {
    /// The quote before its name.
    key: usize,
    /// What follows its bracket.
    first: usize,
}

/// The list of items among the members of the feed itself.
fn items_of(text: &str) -> Option<List> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_string(text, at)?;
                let after = text.get(end..)?;
                let list = after.trim_start().strip_prefix(':').map(str::trim_start);
                let list = list.and_then(|list| list.strip_prefix('['));
                if let Some(list) = list.filter(|_| depth == 1 && text.get(at..end) == Some(ITEMS)) {
                    return Some(List { key: at, first: text.len() - list.len() });
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place behind the bracket that closes the one at `start`.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match text.as_bytes().get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                at = end_of_string(text, at)?;
                continue;
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The members of an object that are followed by another one, where it has no end.
fn begun<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = text.as_bytes();
    let (mut depth, mut whole, mut at) = (0_usize, 1, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => whole = at,
            b'"' => match end_of_string(text, at) {
                Some(end) => {
                    at = end;
                    continue;
                }
                None => break,
            },
            _ => {}
        }
        at += 1;
    }
    object(&format!("{}}}", text.get(..whole)?))
}

/// The place behind the quote that ends the string which begins at `start`.
fn end_of_string(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' if ends_string(bytes, at) => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Whether the quote at `place` can end a string: what follows is what may follow one.
fn ends_string(bytes: &[u8], place: usize) -> bool {
    let mut after = bytes.iter().skip(place + 1).skip_while(|byte| byte.is_ascii_whitespace());
    after.next().is_none_or(|byte| matches!(byte, b',' | b':' | b'}' | b']'))
}

/// Where the item after the one at `start` begins, as far as brackets alone tell.
fn seam(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut closes = text.get(start..)?.match_indices('}').map(|(place, _)| start + place + 1);
    closes.find_map(|place| {
        let mut after = (place..).zip(bytes.get(place..)?).skip_while(|(_, byte)| byte.is_ascii_whitespace());
        let (_, comma) = after.next()?;
        let (next, open) = after.find(|(_, byte)| !byte.is_ascii_whitespace())?;
        (*comma == b',' && *open == b'{').then_some(next)
    })
}

/// An object as it was meant.
fn object<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&mended(text)?).ok())
}

/// The same without what JSON forbids and publishers write.
fn mended(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        if *byte == b'"' {
            let end = end_of_string(text, at)?;
            out.push('"');
            mend_string(text.get(at + 1..end - 1)?, &mut out);
            out.push('"');
            at = end;
            continue;
        }
        let rest = text.get(at..)?;
        let c = rest.chars().next()?;
        at += c.len_utf8();
        let idle = c == ',' && matches!(rest.get(1..)?.trim_start().bytes().next(), Some(b'}' | b']' | b','));
        if !idle {
            out.push(c);
        }
    }
    Some(out)
}

/// Writes the inside of a string so that JSON takes it.
fn mend_string(inside: &str, out: &mut String) {
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => rest = mend_escape(rest, out),
            '"' => out.push_str("\\\""),
            // A string takes whatever is written to it.
            control if control < ' ' => _ = write!(out, "\\u{:04x}", u32::from(control)),
            other => out.push(other),
        }
    }
}

/// Writes the escape of which `rest` is all but the backslash, and returns what follows it.
fn mend_escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let after = |length: usize| rest.get(length..).unwrap_or_default();
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok();
    let whole = rest.get(..11).filter(|pair| {
        let low = pair.get(5..).and_then(|low| unit(low.strip_prefix('\\')?));
        unit(pair).is_some_and(|unit| (0xD800..0xDC00).contains(&unit))
            && low.is_some_and(|unit| (0xDC00..0xE000).contains(&unit))
    });
    if let Some(pair) = whole {
        out.push('\\');
        out.push_str(pair);
        return after(pair.len());
    }
    match (rest.chars().next(), unit(rest)) {
        (Some('u'), Some(0xD800..0xE000)) => {
            out.push(char::REPLACEMENT_CHARACTER);
            after(5)
        }
        (Some('u'), Some(_)) => {
            out.push('\\');
            out.push_str(rest.get(..5).unwrap_or_default());
            after(5)
        }
        (Some(known @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')), _) => {
            out.push('\\');
            out.push(known);
            after(1)
        }
        // `\'` and the like: the backslash says nothing.
        (Some(_) | None, _) => rest,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    /// The items of a text, and what else was saved of it.
    type Found = (Vec<Value>, Saved<Value, Map<String, Value>>);

    fn saved(text: &str) -> Option<Found> {
        let mut items = Vec::new();
        let saved = salvage(text, |item: Map<String, Value>| items.push(Value::Object(item)))?;
        Some((items, saved))
    }

    fn titles(items: &[Value]) -> Vec<&str> {
        items.iter().map(|item| item["title"].as_str().unwrap_or("?")).collect()
    }

    #[test]
    fn what_json_forbids_costs_no_item() {
        let cases = [
            (r#"{"title":"a",},{"title":"b"},"#, vec!["a", "b"]),
            (r#"{"title":"a","tags":["x",,"y",],},{"title":"b"}"#, vec!["a", "b"]),
            ("{\"title\":\"a\nb\t\u{1}\"},{\"title\":\"c\"}", vec!["a\nb\t\u{1}", "c"]),
            (
                r#"{"title":"it\'s \x"},{"title":"\u00e9\ud83d\ude00 \ud83d!"}"#,
                vec!["it's x", "é😀 \u{fffd}!"],
            ),
            (r#"{"title":"He said "no" to it"},{"title":"b"}"#, vec![r#"He said "no" to it"#, "b"]),
        ];
        for (items, expected) in cases {
            let text = format!(r#"{{"version":"1","items":[{items}]}}"#);
            assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
            let (items, saved) = saved(&text).unwrap();
            assert_eq!((titles(&items), saved.lost, saved.ended), (expected, 0, true), "{text}");
            assert_eq!(saved.head["version"], "1");
        }
    }

    #[test]
    fn an_item_that_stays_unreadable_costs_itself_alone() {
        let text =
            r#"{"items":[{"title":"a"},{"title":nonsense},{"title":"b, "no", or"x","y},{"title":"c"}]}"#;
        let (items, saved) = saved(text).unwrap();
        assert_eq!((titles(&items), saved.lost, saved.ended), (vec!["a", "c"], 2, true));
    }

    #[test]
    fn a_document_that_was_cut_keeps_its_whole_items() {
        let text = r#"{"next_url":"x","items":[{"title":"a"},{"title":"b","tags":["t"]},{"title":"c"}]}"#;
        let first = text.find(r#"{"title":"b"#).unwrap();
        for end in first..text.len() - 2 {
            let Some(cut) = text.get(..end) else { continue };
            let (items, saved) = saved(cut).unwrap();
            let whole = cut.matches('}').count();
            assert_eq!((items.len(), saved.lost, saved.ended), (whole, 0, false), "{cut}");
            let is_begun = cut.ends_with(['{', 't', ']']) || cut.rfind('{') > cut.rfind('}');
            assert_eq!(saved.begun.is_some(), is_begun, "{cut}");
            let named = saved.begun.is_some_and(|begun| begun.get("title").is_some_and(|title| title == "b"));
            let last = cut.rfind('{').and_then(|last| cut.get(last..)).unwrap();
            assert_eq!(named, is_begun && last.contains(r#""b","#), "{cut}");
        }
    }

    #[test]
    fn hostile_text_costs_time_by_its_length() {
        let open = "{\"items\":[{\"a\":1},".to_owned();
        for filling in ["{", "{\"", "{\"a\":{},{", "\"},{\"", "[", "}", "{\"a\":x},"] {
            let (items, _) = saved(&(open.clone() + &filling.repeat(200_000))).unwrap();
            assert!(!items.is_empty(), "{filling}");
        }
    }

    proptest! {
        #[test]
        fn what_was_whole_is_saved_whole(values in prop::collection::vec(".*", 1..5), end in 0..3_usize) {
            let items: Vec<Value> = values.iter().map(|text| serde_json::json!({ "title": text })).collect();
            let list = items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + ",";
            let text = format!("{{\"items\":[{list}{}", ["", "]", "]}"][end]);
            let (found, saved) = saved(&text).unwrap();
            prop_assert_eq!((&found, saved.lost), (&items, 0));
        }

        #[test]
        fn no_text_is_too_odd(text in r#"[{"items:\[\]}, \\u'a-f0-9\n]{0,80}"#) {
            drop(saved(&text));
            drop(saved(&format!("{{\"items\":[{{\"a\":1}},{text}")));
        }
    }
}
