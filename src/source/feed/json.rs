//! JSON Feed 1.0 and 1.1, read leniently: numeric ids, absent `version` and absent `items` are no reason to refuse.

use serde::de::{MapAccess, SeqAccess};

use super::around::Surroundings;
use super::facts::{Facts, TAGS_MAX};
use super::salvage::{Saved, salvage};
use super::shape::{self, First, Shape, Shaped, Word};
use super::surplus::Ends;

/// A JSON Feed as it was read.
#[derive(Debug, PartialEq)]
pub(super) struct Feed {
    /// What its items say, the one inside which it ends last.
    pub(super) items: Ends,
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
    let (head, items, damage) = match serde_json::from_str(text) {
        Ok(Shaped(whole)) => {
            let (head, items) = Whole::parts(whole)?;
            (head, items, None)
        }
        Err(refusal) => by_item(text, refusal.to_string())?,
    };
    Ok(Feed { items, around: Surroundings::of_json(head.language.0, head.next_url.0), damage })
}

/// Reads what can be saved of a feed.
fn by_item(text: &str, reason: String) -> Result<(Head, Ends, Option<Damage>), String> {
    let mut items = Ends::default();
    let saved = salvage::<Shaped<Head>, Shaped<Item>>(text, |Shaped(item)| items.push(item.into()));
    let Some(Saved { head: Shaped(head), begun, lost, ended }) = saved else { return Err(reason) };
    let damage = Damage { reason, lost, begun: begun.is_some(), ended };
    if let Some(Shaped(item)) = begun {
        items.push(item.into());
    }
    Ok((head, items, Some(damage)))
}

/// What a feed says of itself.
#[derive(Debug, Default)]
struct Head {
    version: Word,
    language: Word,
    next_url: Word,
}

impl Shape for Head {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, feed: &mut A) -> Result<(), A::Error> {
        let word = match name {
            "version" => &mut self.version,
            "language" => &mut self.language,
            "next_url" => &mut self.next_url,
            _ => return shape::ignored(feed),
        };
        *word = shape::value(feed)?;
        Ok(())
    }
}

/// The whole of a feed.
#[derive(Debug, Default)]
struct Whole {
    head: Head,
    list: Option<List>,
}

impl Shape for Whole {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, feed: &mut A) -> Result<(), A::Error> {
        if name != "items" {
            return self.head.member(name, feed);
        }
        self.list = Some(shape::value(feed)?);
        Ok(())
    }
}

impl Whole {
    fn parts(self) -> Result<(Head, Ends), String> {
        let Self { head, list } = self;
        let is_feed = head.version.0.as_deref().is_some_and(|version| version.contains("jsonfeed"));
        match list {
            Some(List { items: Some(items), .. }) => Ok((head, items)),
            None | Some(List { null: true, .. }) if is_feed => Ok((head, Ends::default())),
            Some(_) | None => Err("JSON without a list of `items`".to_owned()),
        }
    }
}

/// What a feed has for its items.
#[derive(Debug, Default)]
struct List {
    items: Option<Ends>,
    null: bool,
}

impl Shape for List {
    fn null(&mut self) {
        self.null = true;
    }

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let items = self.items.get_or_insert_default();
        let Some(item) = shape::element::<Item, A>(list)? else { return Ok(false) };
        items.push(item.into());
        Ok(true)
    }
}

/// An item.
#[derive(Debug, Default)]
struct Item {
    id: Word,
    url: Word,
    external_url: Word,
    title: Word,
    summary: Word,
    content_html: Word,
    content_text: Word,
    date_published: Word,
    date_modified: Word,
    language: Word,
    attachments: First<Part>,
    authors: First<Part>,
    author: Part,
    tags: Tags,
}

impl Shape for Item {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, item: &mut A) -> Result<(), A::Error> {
        match name {
            "id" => self.id = shape::value(item)?,
            "url" => self.url = shape::value(item)?,
            "external_url" => self.external_url = shape::value(item)?,
            "title" => self.title = shape::value(item)?,
            "summary" => self.summary = shape::value(item)?,
            "content_html" => self.content_html = shape::value(item)?,
            "content_text" => self.content_text = shape::value(item)?,
            "date_published" => self.date_published = shape::value(item)?,
            "date_modified" => self.date_modified = shape::value(item)?,
            "language" => self.language = shape::value(item)?,
            "attachments" => self.attachments = shape::value(item)?,
            "authors" => self.authors = shape::value(item)?,
            "author" => self.author = shape::value(item)?,
            "tags" => self.tags = shape::value(item)?,
            _ => shape::ignored(item)?,
        }
        Ok(())
    }
}

impl From<Item> for Facts {
    fn from(item: Item) -> Self {
        Self {
            guid: item.id.0,
            link: item.url.0,
            other_link: item.external_url.0,
            enclosure: item.attachments.0.and_then(|attachment| attachment.url.0),
            title: item.title.0.unwrap_or_default(),
            leads: item.summary.0.into_iter().collect(),
            // The same twice, with and without markup.
            bodies: item.content_html.0.or(item.content_text.0).into_iter().collect(),
            author: item.authors.0.unwrap_or(item.author).name.0,
            tags: item.tags.0,
            published: item.date_published.0,
            updated: item.date_modified.0,
            lang: item.language.0,
            ..Self::default()
        }
    }
}

/// An attachment or an author, as far as one is read.
#[derive(Debug, Default)]
struct Part {
    url: Word,
    name: Word,
}

impl Shape for Part {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, part: &mut A) -> Result<(), A::Error> {
        match name {
            "url" => self.url = shape::value(part)?,
            "name" => self.name = shape::value(part)?,
            _ => shape::ignored(part)?,
        }
        Ok(())
    }
}

/// The tags of an item, at most [`TAGS_MAX`].
#[derive(Debug, Default)]
struct Tags(Vec<String>);

impl Shape for Tags {
    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(Word(tag)) = shape::element(list)? else { return Ok(false) };
        self.0.extend(tag.filter(|_| self.0.len() < TAGS_MAX));
        Ok(true)
    }
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
        assert_eq!(read(version).map(|feed| feed.items.found()), Ok(0));
        let Feed { items, .. } =
            read(r#"{"items":[{"id":1.5,"url":" https://a.example "},{"id":null},7]}"#).unwrap();
        let items: Vec<Facts> = items.iter().cloned().collect();
        assert_eq!(items[0].identifier(), Some("1.5"));
        assert_eq!(items[0].addresses().next(), Some("https://a.example"));
        assert_eq!(&items[1..], [Facts::default(), Facts::default()]);
    }

    #[test]
    fn of_a_member_the_last_value_of_its_type_counts() {
        let Feed { items, around, .. } = read(
            r#"{"language":["x"],"items":[{"title":"no"}],"items":[{"id":"1","id":{"a":1},"title":"T","title":"U",
                "authors":[{"name":"A","url":"/a"},{"name":"B"}],"author":{"name":"C"},"tags":["a",{"b":[]}," c ",7],
                "attachments":[{"size":1e3,"url":"/f","x":[[{}]]},{"url":"/g"}],"x":{"title":"V"}}],"language":"fr"}"#,
        )
        .unwrap();
        let [item] = items.iter().collect::<Vec<_>>()[..] else { panic!("{items:?}") };
        assert_eq!((item.guid.as_deref(), item.title.as_str()), (None, "U"));
        assert_eq!((item.author.as_deref(), item.enclosure.as_deref()), (Some("A"), Some("/f")));
        assert_eq!(item.tags, ["a", "c", "7"]);
        assert_eq!(around.lang.as_deref(), Some("fr"));
    }
}
