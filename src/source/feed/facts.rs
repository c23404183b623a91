//! What an entry says of itself, read from the raw elements: its identifiers, links and dates as written, and
//! its texts in case feed-rs cannot read them.
//!
//! feed-rs hides what identity needs: it makes up ids, ignores `rdf:about` and drops `isPermaLink`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::lexer::{Lexer, Tag, Token, split_name};
use crate::source::html;
use crate::text::reference;

/// Among so many texts of an entry repetitions are looked for.
const TEXTS_MAX: usize = 16;

/// Most tags of an entry that are read.
pub(super) const TAGS_MAX: usize = 256;

/// An entry as written. Texts are without XML references and still with their HTML.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// `guid` or Atom `id`.
    pub(super) guid: Option<String>,
    /// Whether the guid is said to be no link.
    pub(super) guid_is_no_link: bool,
    /// `rdf:about`.
    pub(super) about: Option<String>,
    /// The link: RSS text, or Atom with `rel="alternate"` or none.
    pub(super) link: Option<String>,
    /// Any other link of Atom that could stand in.
    pub(super) other_link: Option<String>,
    /// Where an enclosure is.
    pub(super) enclosure: Option<String>,
    /// Title.
    pub(super) title: String,
    /// Title of Media RSS, for entries without one of their own.
    pub(super) media_title: Option<String>,
    /// Descriptions and summaries; none is a body, too.
    pub(super) leads: Vec<String>,
    /// Contents.
    pub(super) bodies: Vec<String>,
    /// What is said of its pictures.
    pub(super) captions: Vec<String>,
    /// Author.
    pub(super) author: Option<String>,
    /// Categories.
    pub(super) tags: Vec<String>,
    /// The date of publication.
    pub(super) published: Option<String>,
    /// Further dates of publication (`dc:date` beside `pubDate`), in case the first cannot be read.
    pub(super) published_too: Vec<String>,
    /// The date of the last change.
    pub(super) updated: Option<String>,
    /// `xml:lang` or `dc:language`.
    pub(super) lang: Option<String>,
    /// `xml:base` of the entry.
    pub(super) base: Option<String>,
    /// Whether any element of it has text or an attribute, read here or not.
    pub(super) says_something: bool,
    /// How a text was written that feed-rs leaves as it is.
    pub(super) odd: Option<Odd>,
}

/// How a text can be written that says less to feed-rs than it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// In base64.
    Base64,
    /// In a CDATA section that is text itself.
    CData,
}

/// A direct child of an element: its start tag, and all that is inside.
struct Field<'a> {
    tag: Tag<'a>,
    content: Cow<'a, str>,
}

impl<'a> Field<'a> {
    /// Adds to the content, which mostly is one piece and then stays where it was read.
    fn add(&mut self, text: Cow<'a, str>) {
        if self.content.is_empty() {
            self.content = text;
        } else {
            self.content.to_mut().push_str(&text);
        }
    }

    fn add_tag(&mut self, open: &str, name: &str, close: &str) {
        let content = self.content.to_mut();
        for part in [open, name, close] {
            content.push_str(part);
        }
    }
}

/// Reads one entry, the whole element, well-formed.
pub(super) fn of_entry(entry: &str) -> Facts {
    let mut tokens = Lexer::new(entry);
    let Some(Token::Start(tag)) = tokens.next() else { return Facts::default() };
    let mut collector = Collector::new(tag);
    tokens.for_each(|token| collector.take(token));
    collector.finish()
}

/// Collects the facts of an entry from its tokens.
pub(super) struct Collector<'a> {
    facts: Facts,
    /// The direct child that was begun last.
    field: Option<Field<'a>>,
    /// How many elements are open inside the entry.
    depth: usize,
}

impl<'a> Collector<'a> {
    /// Begins with the start tag of the entry.
    pub(super) fn new(tag: Tag<'a>) -> Self {
        let facts = Facts {
            about: tag.attribute("rdf:about").and_then(value),
            lang: tag.attribute("xml:lang").and_then(value),
            base: tag.attribute("xml:base").and_then(value),
            ..Facts::default()
        };
        Self { facts, field: None, depth: 0 }
    }

    /// Takes a token from inside the entry, or its end tag.
    pub(super) fn take(&mut self, token: Token<'a>) {
        match token {
            Token::Start(tag) if self.depth == 0 => {
                self.end_field();
                self.field = Some(Field { tag, content: Cow::default() });
                self.depth += usize::from(!tag.empty);
            }
            Token::Start(tag) => {
                // Markup that was not escaped stays markup, for the HTML stage to take off.
                self.add_tag("<", tag.name, if tag.empty { "/>" } else { ">" });
                self.depth += usize::from(!tag.empty);
            }
            Token::End(name) => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth > 0 {
                    self.add_tag("</", name, ">");
                }
            }
            // Inside of markup references stay too: `<i>&lt;b&gt;</i>` shows a tag and is none.
            Token::Text(text) if self.depth > 1 => self.add(Cow::Borrowed(text)),
            Token::LoneBracket if self.depth > 1 => self.add(Cow::Borrowed("&lt;")),
            Token::Text(_) | Token::CData(_) | Token::LoneBracket => {
                if self.depth > 0
                    && let Some(text) = text_of(token)
                {
                    self.add(text);
                }
            }
            Token::Aside | Token::Unfinished => {}
        }
    }

    fn add(&mut self, text: Cow<'a, str>) {
        if let Some(field) = &mut self.field {
            field.add(text);
        }
    }

    fn add_tag(&mut self, open: &str, name: &str, close: &str) {
        if let Some(field) = &mut self.field {
            field.add_tag(open, name, close);
        }
    }

    fn end_field(&mut self) {
        if let Some(field) = self.field.take() {
            self.facts.take(field);
        }
    }

    /// All that the entry says.
    pub(super) fn finish(mut self) -> Facts {
        self.end_field();
        self.facts
    }
}

/// The text of a token; `None` for markup.
pub(super) fn text_of(token: Token<'_>) -> Option<Cow<'_, str>> {
    match token {
        Token::Text(text) => Some(reference::decode(text)),
        Token::CData(text) => Some(Cow::Borrowed(text)),
        Token::LoneBracket => Some(Cow::Borrowed("<")),
        Token::Start(_) | Token::End(_) | Token::Aside | Token::Unfinished => None,
    }
}

/// A trimmed, decoded value; `None` when nothing is left.
pub(super) fn value(raw: &str) -> Option<String> {
    let value = reference::decode(raw).trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// The text of an element said to be in base64 (Atom 0.3 has a mode for it); `None` when it is none.
fn from_base64(tag: Tag<'_>, content: &str) -> Option<String> {
    let said = tag.attribute("mode") == Some("base64")
        || tag.attribute("type").is_some_and(|kind| kind.starts_with("application/octet-stream"));
    if !said {
        return None;
    }
    let letters: String = content.split_whitespace().collect();
    let bytes = STANDARD.decode(letters).ok().filter(|bytes| !bytes.is_empty())?;
    String::from_utf8(bytes).ok()
}

/// The name of a person, who is written as text or as elements.
fn name(person: &str) -> &str {
    let inside = |open, close| Some(person.split_once(open)?.1.split_once(close)?.0);
    let name = inside("<name>", "</name>").filter(|name| !name.trim().is_empty());
    name.or_else(|| inside("<email>", "</email>")).unwrap_or(person)
}

/// Puts a value where none is yet.
fn first(slot: &mut Option<String>, content: &str) {
    if slot.is_none() && !content.trim().is_empty() {
        *slot = Some(content.trim().to_owned());
    }
}

/// Adds a text that is neither there nor among the others, as far as these are compared.
fn take_text(texts: &mut Vec<String>, others: &[String], content: &str) {
    let content = content.trim();
    let known = || texts.iter().take(TEXTS_MAX).chain(others.iter().take(TEXTS_MAX));
    if !content.is_empty() && known().all(|known| known != content) {
        texts.push(content.to_owned());
    }
}

impl Facts {
    fn take(&mut self, field: Field<'_>) {
        let Field { tag, content } = field;
        // An element of an extension can say what it says by being there.
        let (prefix, local) = split_name(tag.name);
        let stated = !content.trim().is_empty() || tag.attributes().next().is_some();
        self.says_something |= stated || !prefix.is_empty();
        let decoded = from_base64(tag, &content);
        self.odd = decoded.as_ref().map(|_| Odd::Base64).or(self.odd);
        let content = decoded.map_or(content, Cow::Owned);
        let inside = html::unwrapped(&content);
        self.odd = self.odd.or(inside.as_ref().map(|_| Odd::CData));
        let content = inside.map_or(content, Cow::Owned);
        match (prefix, local) {
            ("media" | "podcast", _) => self.take_media(tag, &content),
            ("itunes", "summary" | "subtitle") | (_, "description" | "summary") => {
                take_text(&mut self.leads, &self.bodies, &content);
            }
            ("itunes", _) => {}
            // The last two are those of Yandex, Rambler and Mail.ru.
            (_, "content" | "encoded" | "body" | "full-text" | "fulltext") => {
                take_text(&mut self.bodies, &self.leads, &content);
            }
            (_, "guid" | "id") => {
                self.guid_is_no_link |= tag.attribute("isPermaLink").is_some_and(|is| is.trim() == "false");
                first(&mut self.guid, &content);
            }
            (_, "link") => self.take_link(tag, &content),
            (_, "title") if self.title.is_empty() => self.title = content.into_owned(),
            (_, "pubDate" | "pubdate" | "published" | "date" | "issued" | "created") => {
                if self.published.is_some() {
                    self.published_too.extend(value(&content));
                }
                first(&mut self.published, &content);
            }
            (_, "updated" | "modified") => first(&mut self.updated, &content),
            (_, "author" | "creator") => first(&mut self.author, name(&content)),
            (_, "category" | "subject") => self.take_tag(tag, &content),
            (_, "enclosure") => {
                first(&mut self.enclosure, &tag.attribute("url").and_then(value).unwrap_or_default());
            }
            (_, "language") => first(&mut self.lang, &content),
            _ => {}
        }
    }

    fn take_link(&mut self, tag: Tag<'_>, content: &str) {
        let href = tag.attribute("href").and_then(value);
        let target = href.as_deref().unwrap_or(content);
        match tag.attribute("rel").unwrap_or("alternate").trim() {
            "alternate" | "" => first(&mut self.link, target),
            "enclosure" => first(&mut self.enclosure, target),
            "self" | "edit" | "replies" | "hub" if href.is_some() => {}
            _ => first(&mut self.other_link, target),
        }
    }

    fn take_media(&mut self, tag: Tag<'_>, content: &str) {
        match split_name(tag.name).1 {
            "content" => {
                first(&mut self.enclosure, &tag.attribute("url").and_then(value).unwrap_or_default());
            }
            "title" => first(&mut self.media_title, content),
            "description" => take_text(&mut self.captions, &[], content),
            _ => {}
        }
    }

    /// Its texts: leads, bodies and captions.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.leads, &self.bodies, &self.captions].into_iter().flatten().map(String::as_str)
    }

    fn take_tag(&mut self, tag: Tag<'_>, content: &str) {
        let label = ["label", "term"].iter().find_map(|name| tag.attribute(name).and_then(value));
        let text = content.trim();
        if self.tags.len() >= TAGS_MAX {
            return;
        }
        self.tags.extend(label.or_else(|| (!text.is_empty()).then(|| text.to_owned())));
    }

    /// Whether it has what a reader looks for, so that nothing is left to look for elsewhere.
    pub(super) fn suffices(&self) -> bool {
        !self.title.trim().is_empty() && self.texts().next().is_some()
    }

    /// What identifies the entry.
    pub(super) fn identifier(&self) -> Option<&str> {
        self.guid.as_deref().or(self.about.as_deref())
    }

    /// Where the entry may lead, best first: its link, its guid when that is an address, what else is linked.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        let begins = |text: &str, scheme: &str| {
            text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        };
        let web = |text: &&str| begins(text, "http://") || begins(text, "https://");
        let guid = self.guid.as_deref().filter(|_| !self.guid_is_no_link).filter(web);
        let about = self.about.as_deref().filter(web);
        let others = [self.other_link.as_deref(), self.enclosure.as_deref()];
        [self.link.as_deref(), guid, about].into_iter().chain(others).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rss_facts_are_read_as_written() {
        let facts = of_entry(
            "<item><title>A <b>b</b> &amp;amp; c</title><link> https://a.example/1 </link><guid isPermaLink=\"false\">7</guid>\
             <description><![CDATA[<p>x</p>]]></description><pubDate>Mon, 23 Nov 2026</pubDate>\
             <enclosure url=\"https://a.example/1.mp3\"/><category>Mali</category><media:title>no</media:title></item>",
        );
        assert_eq!(facts.title, "A <b>b</b> &amp; c");
        assert_eq!(facts.addresses().next(), Some("https://a.example/1"));
        assert_eq!(facts.identifier(), Some("7"));
        assert_eq!(facts.leads, ["<p>x</p>"]);
        assert_eq!(facts.published.as_deref(), Some("Mon, 23 Nov 2026"));
        assert_eq!(facts.tags, ["Mali"]);
    }

    #[test]
    fn base64_is_read_where_it_is_said() {
        for (attributes, title) in [
            ("mode='base64'", "Mali <b>x</b>"),
            ("type='application/octet-stream'", "Mali <b>x</b>"),
            ("type='text'", "TWFsaSA8Yj54PC9iPg=="),
        ] {
            let facts =
                of_entry(&format!("<entry><title {attributes}>TWFsaSA8\nYj54PC9iPg==</title></entry>"));
            assert_eq!(facts.title.replace('\n', ""), title, "{attributes}");
        }
        let damaged = of_entry("<entry><title mode='base64'>Mali?</title></entry>");
        assert_eq!(damaged.title, "Mali?");
    }

    #[test]
    fn of_texts_without_end_the_first_are_not_taken_twice() {
        let description = |text: usize| format!("<description>text {text}</description>");
        let texts: String = (0..1000).chain([0, TEXTS_MAX - 1, TEXTS_MAX]).map(description).collect();
        let leads = of_entry(&format!("<item>{texts}</item>")).leads;
        assert_eq!((leads.len(), leads.last().map(String::as_str)), (1001, Some("text 16")));
    }

    #[test]
    fn an_entry_says_something_by_any_field() {
        for (inside, says) in [
            ("", false),
            ("<title/><author></author>", false),
            ("<author>N</author>", true),
            ("<a:b c='d'/>", true),
            ("<a:b> </a:b>", true),
        ] {
            assert_eq!(of_entry(&format!("<item>{inside}</item>")).says_something, says, "{inside}");
        }
    }

    #[test]
    fn atom_links_are_chosen_by_relation() {
        let facts = of_entry(
            "<entry xml:lang=\"fr\"><link rel=\"self\" href=\"/s\"/><link rel=\"related\" href=\"/r\"/><link href=\"/a\"/>\
             <id>tag:x</id><author><name>N</name></author></entry>",
        );
        assert_eq!(facts.addresses().next(), Some("/a"));
        assert_eq!(facts.lang.as_deref(), Some("fr"));
        assert_eq!(facts.author.as_deref(), Some("N"));
    }

    #[test]
    fn a_link_that_is_written_as_text_has_a_relation_too() {
        let other = "<link rel='enclosure'>https://a.example/e</link>";
        for (more, address) in [
            ("<link rel='alternate'>https://a.example/a</link>", "https://a.example/a"),
            ("<link href='/a'/>", "/a"),
            ("<link rel='self'>https://a.example/s</link>", "https://a.example/s"),
            ("", "https://a.example/e"),
        ] {
            for inside in [format!("{other}{more}"), format!("{more}{other}")] {
                let facts = of_entry(&format!("<entry>{inside}</entry>"));
                assert_eq!(facts.addresses().next(), Some(address), "{inside}");
            }
        }
    }

    #[test]
    fn an_entry_without_link_leads_to_its_guid_or_enclosure() {
        let with =
            |inside: &str| of_entry(&format!("<item>{inside}</item>")).addresses().next().map(str::to_owned);
        assert_eq!(with("<guid>https://a.example/g</guid>").as_deref(), Some("https://a.example/g"));
        assert_eq!(with("<id>HTTPS://a.example/g</id>").as_deref(), Some("HTTPS://a.example/g"));
        assert_eq!(with("<guid isPermaLink='false'>https://a.example/g</guid>"), None);
        assert_eq!(
            with("<guid>7</guid><enclosure url='https://a.example/e'/>").as_deref(),
            Some("https://a.example/e")
        );
    }
}
