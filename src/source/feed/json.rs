//! JSON Feed 1.0 and 1.1, read leniently: numeric ids, absent `version` and absent `items` are no reason to refuse.

use serde_json::{Map, Value};

use super::around::Surroundings;
use super::facts::Facts;
use super::salvage::{Saved, salvage};

/// A JSON Feed as it was read.
#[derive(Debug, PartialEq)]
pub(super) struct Feed {
    /// What its items say, in order, the one inside which it ends last.
    pub(super) items: Vec<Facts>,
    /// What it says of itself.
    pub(super) around: Surroundings,
    /// What was wrong, when it could not be read in one piece.
    pub(super) damage: Option<Damage>,
}

/// Why and how far a JSON Feed could not be read.
#[derive(Debug, PartialEq)]
pub(super) struct Damage {
    /// In words, why the whole is refused.
    pub(super) reason: String,
    /// Items that could not be read.
    pub(super) lost: usize,
    /// Whether the document ends inside the last item.
    pub(super) begun: bool,
    /// Whether the list of items has its end.
    pub(super) ended: bool,
}

/// Reads a JSON Feed; one that is refused as a whole item by item.
///
/// # Errors
///
/// In words, when the document is no JSON or no feed.
pub(super) fn read(text: &str) -> Result<Feed, String> {
    let (feed, items, damage) = match serde_json::from_str(text) {
        Ok(Value::Object(mut feed)) => {
            let items = listed(&mut feed)?;
            (feed, items, None)
        }
        Ok(_) => return Err("no JSON object".to_owned()),
        Err(refusal) => {
            let reason = refusal.to_string();
            let Some(saved) = salvage(text) else { return Err(reason) };
            let Saved { feed, mut items, begun, lost, ended } = saved;
            let damage = Damage { reason, lost, begun: begun.is_some(), ended };
            items.extend(begun);
            (feed, items, Some(damage))
        }
    };
    let around = Surroundings::of_json(text_of(&feed, "language"), text_of(&feed, "next_url"));
    Ok(Feed { items: items.iter().map(item).collect(), around, damage })
}

/// The items of a feed, taken out of it.
fn listed(feed: &mut Map<String, Value>) -> Result<Vec<Value>, String> {
    match feed.remove("items") {
        Some(Value::Array(items)) => Ok(items),
        None | Some(Value::Null)
            if text_of(feed, "version").is_some_and(|version| version.contains("jsonfeed")) =>
        {
            Ok(Vec::new())
        }
        Some(_) | None => Err("JSON without a list of `items`".to_owned()),
    }
}

fn item(value: &Value) -> Facts {
    let Value::Object(item) = value else { return Facts::default() };
    // The same twice, with and without markup.
    let bodies = ["content_html", "content_text"];
    let attachment = item.get("attachments").and_then(|list| list.get(0)).and_then(Value::as_object);
    let author = item.get("authors").and_then(|list| list.get(0)).or_else(|| item.get("author"));
    Facts {
        guid: text_of(item, "id"),
        link: text_of(item, "url"),
        other_link: text_of(item, "external_url"),
        enclosure: attachment.and_then(|attachment| text_of(attachment, "url")),
        title: text_of(item, "title").unwrap_or_default(),
        leads: text_of(item, "summary").into_iter().collect(),
        bodies: bodies.iter().find_map(|name| text_of(item, name)).into_iter().collect(),
        author: author.and_then(Value::as_object).and_then(|author| text_of(author, "name")),
        tags: item.get("tags").and_then(Value::as_array).map_or(Vec::new(), |tags| {
            tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
        }),
        published: text_of(item, "date_published"),
        updated: text_of(item, "date_modified"),
        lang: text_of(item, "language"),
        ..Facts::default()
    }
}

/// A member as text; numbers count, nothing empty does.
fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match object.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_feed_is_refused() {
        for text in ["", "{", "[]", "{}", r#"{"error":"gone"}"#, r#"{"items":{}}"#, r#"{"items":[1,]}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_summary_is_the_lead_of_a_content() {
        let Feed { items, .. } = read(
            r#"{"items":[{"summary":"L","content_text":"B","content_html":"<p>B"},{"content_text":"B"},{"summary":"L"}]}"#,
        )
        .unwrap();
        let texts: Vec<_> = items.iter().map(|item| (item.leads.concat(), item.bodies.concat())).collect();
        let expected = [("L", "<p>B"), ("", "B"), ("L", "")];
        assert_eq!(texts, expected.map(|(lead, body)| (lead.to_owned(), body.to_owned())));
    }

    #[test]
    fn odd_feeds_are_read() {
        let version = r#"{"version":"https://jsonfeed.org/version/1"}"#;
        assert_eq!(read(version).map(|feed| feed.items.len()), Ok(0));
        let Feed { items, .. } =
            read(r#"{"items":[{"id":1.5,"url":" https://a.example "},{"id":null},7]}"#).unwrap();
        assert_eq!(items[0].identifier(), Some("1.5"));
        assert_eq!(items[0].addresses().next(), Some("https://a.example"));
        assert_eq!(&items[1..], [Facts::default(), Facts::default()]);
    }
}
