//! What a page says of its own article in the words of schema.org: whether it is free, and its text.
//!
//! Only its JSON-LD counts. Scripts use the same words for settings, and lists say them of other articles.

use dom_query::{Document, NodeRef};
use serde_json::Value;
use url::Url;

use crate::item::link;

/// The property that tells whether a work is free.
const FREE: &str = "isAccessibleForFree";

/// The property that has the text of a work.
const BODY: &str = "articleBody";

/// What the names of types end with that an article can be of.
const WORKS: [&str; 5] = ["Article", "CreativeWork", "Posting", "Report", "WebPage"];

/// What a page says of its article.
pub(super) struct Told {
    /// Whether it is free. One that is said to be free in one place is, whatever another says.
    pub(super) free: Option<bool>,
    /// Its text, where one is stated and no other.
    pub(super) body: Option<String>,
}

/// What a page says of its article; nothing of what it does not say. `own` are the addresses of the page.
pub(super) fn told(page: &Document, own: [&Url; 2]) -> Told {
    let is_data = |node: &&NodeRef<'_>| {
        let kind = node.attr("type").unwrap_or_default();
        kind.trim().to_ascii_lowercase().starts_with("application/ld+json")
    };
    let scripts = page.select("script");
    let data = scripts.nodes().iter().filter(is_data);
    let values: Vec<Value> = data.filter_map(|node| serde_json::from_str(node.text().trim()).ok()).collect();
    let ours: Vec<&Value> = values.iter().flat_map(works).filter(|work| is_of(work, own)).collect();
    let free = ours.iter().filter_map(|work| stated(work)).reduce(|one, other| one || other);
    let mut bodies = ours.iter().filter_map(|work| work.get(BODY)?.as_str());
    let body = bodies.next().filter(|first| bodies.all(|other| other == *first));
    Told { free, body: body.map(str::to_owned) }
}

/// The works that a value describes; those in lists are others.
fn works(value: &Value) -> Vec<&Value> {
    let inner = ["@graph", "mainEntity"].into_iter().filter_map(|name| value.get(name));
    let own = Some(value).filter(|value| is_work(value));
    match value.as_array() {
        Some(values) => values.iter().flat_map(works).collect(),
        None => own.into_iter().chain(inner.flat_map(works)).collect(),
    }
}

fn is_work(value: &Value) -> bool {
    let is_one =
        |kind: &Value| kind.as_str().is_some_and(|kind| WORKS.iter().any(|end| kind.ends_with(*end)));
    value.is_object() && value.get("@type").is_none_or(|kind| many(kind).iter().any(is_one))
}

/// Whether a work is the article of a page with these addresses: one that names an address of its own there, or none.
fn is_of(work: &Value, own: [&Url; 2]) -> bool {
    let place = work.get("mainEntityOfPage");
    let inner = |name: &str| place.and_then(|place| place.get(name));
    let stated = [work.get("url"), place, inner("@id"), inner("url")];
    let mut addresses = stated.into_iter().flatten().filter_map(Value::as_str).peekable();
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let [first, _] = own;
    // Some name the front page of their site there.
    let leads_here = |address: &str| {
        let url = first.join(address).ok();
        url.is_some_and(|url| link::is_front(url.as_str()) || own.iter().any(|own| path(own) == path(&url)))
    };
    addresses.peek().is_none() || addresses.any(leads_here)
}

/// What a work says of itself, or else of its parts.
fn stated(work: &Value) -> Option<bool> {
    let parts = work.get("hasPart").map(many).unwrap_or_default();
    let is_sold = parts.iter().any(|part| part.get(FREE).and_then(truth) == Some(false));
    work.get(FREE).and_then(truth).or_else(|| is_sold.then_some(false))
}

/// A truth, also as a word or as the address of one.
fn truth(value: &Value) -> Option<bool> {
    let word = value.as_str().and_then(|word| word.trim().rsplit('/').next());
    value.as_bool().or_else(|| word.and_then(|word| word.to_ascii_lowercase().parse().ok()))
}

/// A value, or those of a list.
fn many(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_the_article_itself_tells_whether_it_is_free() {
        let url = Url::parse("https://paper.example/2026/convoy").unwrap();
        let asked = Url::parse("https://paper.example/r/1").unwrap();
        let sold = r#"{"@type":"NewsArticle","isAccessibleForFree":false}"#;
        let free = r#"{"@type":"NewsArticle","isAccessibleForFree":"True"}"#;
        let list = format!(r#"{{"@type":"ItemList","itemListElement":[{sold}]}}"#);
        let at = |url: &str| sold.replace('}', &format!(r#","url":"{url}"}}"#));
        let data = |value: &str| format!("<script type='application/ld+json'>{value}</script>");
        for (html, expected) in [
            (data(sold), Some(false)),
            (data(free), Some(true)),
            (data(r#"{"isAccessibleForFree":"http://schema.org/False"}"#), Some(false)),
            (data(&format!(r#"{{"@graph":[{{"@type":"WebSite"}},{sold}]}}"#)), Some(false)),
            (data(&format!(r#"{{"@type":["WebPage"],"mainEntity":{sold}}}"#)), Some(false)),
            (data(&format!(r#"{{"@type":"Article","hasPart":{sold}}}"#)), Some(false)),
            (data(free) + &data(&list), Some(true)),
            (data(free) + &data(sold), Some(true)),
            (data(&list), None),
            (data(&at("/2026/convoy/")), Some(false)),
            (data(&at("https://www.paper.example/r/1#top")), Some(false)),
            (data(&at("/2026/harvest")), None),
            (data(r#"{"@type":"Product","isAccessibleForFree":false}"#), None),
            (data("{"), None),
            ("<script>var cfg={isAccessibleForFree:false}</script>".to_owned(), None),
        ] {
            let page = Document::from(html.as_str());
            assert_eq!(told(&page, [&url, &asked]).free, expected, "{html}");
        }
    }

    #[test]
    fn the_text_of_the_article_itself_is_the_one_that_is_stated_of_it() {
        let url = Url::parse("https://paper.example/2026/convoy").unwrap();
        let data = |values: &[&str]| {
            let script = |value: &&str| format!("<script type='application/ld+json'>{value}</script>");
            values.iter().map(script).collect::<String>()
        };
        let ours = r#"{"@type":"NewsArticle","url":"/2026/convoy","articleBody":"Gao fell."}"#;
        let bare = r#"{"@type":"NewsArticle","articleBody":"Gao fell."}"#;
        let other = r#"{"@type":"NewsArticle","articleBody":"Opera stages Wagner."}"#;
        let elsewhere = r#"{"@type":"NewsArticle","url":"/2026/opera","articleBody":"Opera stages Wagner."}"#;
        for (values, expected) in [
            (vec![ours], Some("Gao fell.")),
            (vec![bare, ours], Some("Gao fell.")),
            (vec![elsewhere, bare], Some("Gao fell.")),
            (vec![elsewhere], None),
            (vec![bare, other], None),
            (vec![r#"{"@type":"NewsArticle","articleBody":["Gao fell."]}"#], None),
            (vec![r#"{"@type":"NewsArticle"}"#], None),
        ] {
            let page = Document::from(data(&values));
            assert_eq!(told(&page, [&url, &url]).body.as_deref(), expected, "{values:?}");
        }
    }
}
