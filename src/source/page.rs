//! Pages read by CSS selectors.

use jiff::Timestamp;
use scraper::{ElementRef, Selector};
use url::Url;

use super::candidate::{Draft, identify};
use super::dates::{self, Dated};
use super::html;
use super::{
    Complaint, ITEMS_PER_DOCUMENT_MAX, LAYOUT, Plan, Problem, ProblemKind, Reading, Unreadable, charset,
    web_link,
};
use crate::item::SourceKind;

/// Most elements and texts looked at in all items of a page: items may lie in one another, and then each is
/// looked at again with every one around it.
const NODES_VISITED_MAX: usize = 4 * html::HTML_NODES_MAX;

/// Of so many items one has what a selector looks for, unless the page has another layout than it is for.
const ITEMS_TOLD_MIN: usize = 3;

/// Where a page has its items, and an item its parts.
#[derive(Clone, Debug)]
pub struct Selectors {
    item: Selector,
    title: Option<Part>,
    link: Option<Part>,
    date: Option<Part>,
    text: Option<Part>,
    next: Option<Part>,
    /// Whether an item that has a link may be without words.
    wordless: bool,
}

/// What selects one part of an item: `css`, `css@attribute`, or `@attribute` of the item itself.
#[derive(Clone, Debug)]
struct Part {
    css: Option<Selector>,
    attribute: Option<String>,
}

/// A selector that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct SelectorProblem {
    /// The key it stands under.
    pub key: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl Selectors {
    /// Checks and compiles selectors as written in the config.
    ///
    /// # Errors
    ///
    /// The first one that is no CSS selector; also when neither `title` nor `text` is given, as an item would
    /// then have nothing to match.
    pub fn parse(
        item: &str,
        title: Option<&str>,
        link: Option<&str>,
        date: Option<&str>,
        text: Option<&str>,
    ) -> Result<Self, SelectorProblem> {
        if title.is_none() && text.is_none() {
            return Err(problem("title", "neither `title` nor `text` is given: items would be empty"));
        }
        let part = |key, text: Option<&str>| text.map(|text| Part::parse(key, text)).transpose();
        Ok(Self {
            item: css("item", item)?,
            title: part("title", title)?,
            link: part("link", link)?,
            date: part("date", date)?,
            text: part("text", text)?,
            next: None,
            wordless: false,
        })
    }

    /// The same with the selector of the link to the page with older items.
    ///
    /// # Errors
    ///
    /// When it is no CSS selector.
    pub fn with_next(self, next: Option<&str>) -> Result<Self, SelectorProblem> {
        let next = next.map(|text| Part::parse("next", text)).transpose()?;
        Ok(Self { next, ..self })
    }

    /// The same for pages whose items may be without words where they have a link, as messages of a picture alone.
    #[must_use]
    pub fn with_wordless(self) -> Self {
        Self { wordless: true, ..self }
    }
}

impl Part {
    fn parse(key: &'static str, text: &str) -> Result<Self, SelectorProblem> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'))
        };
        let (path, attribute) = match text.trim().rsplit_once('@') {
            Some((path, name)) if is_name(name) => (path.trim(), Some(name.to_ascii_lowercase())),
            Some(_) | None => (text.trim(), None),
        };
        if path.is_empty() && attribute.is_some() {
            return Ok(Self { css: None, attribute });
        }
        Ok(Self { css: Some(css(key, path)?), attribute })
    }

    /// The element in `item`; the first that has the attribute, where one is asked for.
    fn element<'a>(&self, item: ElementRef<'a>) -> Option<ElementRef<'a>> {
        let Some(css) = &self.css else { return Some(item) };
        item.select(css).find(|found| self.attribute.as_ref().is_none_or(|name| found.attr(name).is_some()))
    }

    /// The value: the attribute asked for, else the first of `attributes` that is there, else the text.
    fn value(&self, item: ElementRef<'_>, attributes: &[&str]) -> Option<String> {
        let element = self.element(item)?;
        let own = self.attribute.as_deref();
        let names: Vec<&str> = own.map_or_else(|| attributes.to_vec(), |name| vec![name]);
        let value = match names.iter().find_map(|name| element.attr(name)) {
            Some(value) => html::one_line(value),
            None if own.is_some() => return None,
            None => html::element_text(element),
        };
        (!value.is_empty()).then_some(value)
    }
}

fn css(key: &'static str, text: &str) -> Result<Selector, SelectorProblem> {
    Selector::parse(text).map_err(|error| problem(key, &format!("`{text}` is no CSS selector: {error}")))
}

fn problem(key: &'static str, message: &str) -> SelectorProblem {
    SelectorProblem { key, message: message.to_owned() }
}

/// Reads a decoded page that was fetched from `url`.
pub(super) fn read(
    text: &str,
    select: &Selectors,
    url: &Url,
    plan: &Plan<'_>,
) -> Result<Reading, Unreadable> {
    let (page, cut) = html::parse(text);
    let mut reading = Reading::default();
    reading.problems.extend(cut.map(|cut| Problem::new(ProblemKind::Cut, cut)));
    let base = first_attribute(&page, "base[href]", "href").and_then(|href| url.join(href.trim()).ok());
    let base = base.unwrap_or_else(|| url.clone());
    let lang = first_attribute(&page, "html[lang]", "lang").map(|tag| charset::primary(&tag));
    let found = page.select(&select.item).count();
    if found == 0 {
        return Err(Unreadable::Layout("the `item` selector finds nothing".to_owned()));
    }
    reading.older = select.next.as_ref().and_then(|next| older(&page, next, &base, url));
    let near = Near { lang: plan.lang.or(lang.as_deref()), now: plan.now };
    let mut drafts = Vec::new();
    let (mut blank, mut oversize, mut found_in) = (0, 0, Found::default());
    let mut visited = 0;
    let items = page.select(&select.item).take(ITEMS_PER_DOCUMENT_MAX).take_while(|item| {
        visited += item.descendants().count();
        visited <= NODES_VISITED_MAX
    });
    let items: Vec<ElementRef<'_>> = items.collect();
    let over = found - items.len();
    for item in items {
        let mut draft = draft(item, select, &base, near, &mut found_in);
        draft.lang = lang.clone().filter(|lang| !lang.is_empty());
        oversize += usize::from(draft.cut());
        let is_wordless = draft.title.is_empty() && draft.text.is_empty();
        if is_wordless && !(select.wordless && draft.url.is_some()) {
            blank += 1;
        } else {
            drafts.push(draft);
        }
    }
    if drafts.is_empty() {
        return Err(Unreadable::Layout(format!("{found} items, all without title and text")));
    }
    reading.lost = blank + over;
    reading.tell(blank, ProblemKind::Lost, "items without title and text");
    reading.tell(over, ProblemKind::Cut, "items more than are read");
    reading.tell(oversize, ProblemKind::Cut, "items with a text over 64 KiB");
    reading.complaint = found_in.complaint(select, drafts.len());
    let complaint = reading.complaint.iter().map(|complaint| complaint.detail.as_str());
    reading.problems.extend(complaint.map(|detail| Problem::new(ProblemKind::Lost, detail)));
    reading.problems.extend(found_in.undated.map(|detail| Problem::new(ProblemKind::Repaired, detail)));
    reading.items = identify(drafts, plan, SourceKind::Page);
    Ok(reading)
}

/// The page with older items; one that links to itself has none.
fn older(page: &scraper::Html, next: &Part, base: &Url, url: &Url) -> Option<Url> {
    let link = next.value(page.root_element(), &["href"])?;
    let older = Url::parse(&web_link(base, &link)?).ok()?;
    let whole = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    (whole(&older) != whole(url)).then_some(older)
}

/// What the dates of a page are read by.
#[derive(Clone, Copy)]
struct Near<'a> {
    lang: Option<&'a str>,
    now: Option<Timestamp>,
}

/// What was found in any of the items.
#[derive(Default)]
struct Found {
    title: bool,
    link: bool,
    date: bool,
    /// What is wrong with the first date that could not be read.
    undated: Option<String>,
}

impl Found {
    /// What is wrong with a page of so many items: selectors that find nothing in any of them. Of the text nothing is
    /// said: items need none beside a title.
    fn complaint(&self, select: &Selectors, items: usize) -> Option<Complaint> {
        let parts = [
            ("`title`", &select.title, self.title),
            ("`link`", &select.link, self.link),
            ("`date`", &select.date, self.date),
        ];
        let vain = parts.into_iter().filter(|(_, part, found)| part.is_some() && !found);
        let vain: Vec<&str> = vain.map(|(key, ..)| key).collect();
        if items < ITEMS_TOLD_MIN || vain.is_empty() {
            return None;
        }
        let detail = format!("selectors that find nothing in {items} items: {}", vain.join(", "));
        Some(Complaint { reason: LAYOUT, detail })
    }
}

fn draft(item: ElementRef<'_>, select: &Selectors, base: &Url, near: Near<'_>, found: &mut Found) -> Draft {
    let value = |part: &Option<Part>, attributes: &[&str]| {
        part.as_ref().and_then(|part| part.value(item, attributes))
    };
    let title = value(&select.title, &[]);
    let link = value(&select.link, &["href"]);
    let date = value(&select.date, &["datetime", "content"]);
    found.title |= title.is_some();
    found.link |= link.is_some();
    found.date |= date.is_some();
    let dated = date.as_deref().and_then(|date| dates::parse_near(date, near.lang, near.now));
    if dated.is_none() {
        let complaint = date.map(|date| dates::complaint(&date, near.lang));
        found.undated = found.undated.take().or(complaint);
    }
    Draft {
        title: html::one_line(&title.unwrap_or_default()),
        text: value(&select.text, &[]).unwrap_or_default(),
        url: link.and_then(|link| web_link(base, &link)),
        published: dated.map(Dated::at),
        reckoned: matches!(dated, Some(Dated::Reckoned(_))),
        ..Draft::default()
    }
}

fn first_attribute(page: &scraper::Html, css: &str, name: &str) -> Option<String> {
    let selector = Selector::parse(css).ok()?;
    page.select(&selector).next()?.attr(name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_checked_when_read() {
        let parse = |item, title, link| Selectors::parse(item, title, link, None, None).map(|_| ());
        assert_eq!(parse("article", Some("h2"), Some("a@href")), Ok(()));
        assert_eq!(parse("a[href*='@x']", Some("@title"), Some("a[title='b@c']@href")), Ok(()));
        assert_eq!(parse("article", None, None).map_err(|problem| problem.key), Err("title"));
        assert_eq!(parse("..x", Some("h2"), None).map_err(|problem| problem.key), Err("item"));
        assert_eq!(parse("article", Some("h2"), Some("a[@href")).map_err(|problem| problem.key), Err("link"));
    }

    #[test]
    fn the_link_to_older_items_is_absolute_and_leads_elsewhere() {
        let url = Url::parse("https://press.example/news/?page=1").unwrap();
        for (html, selector, expected) in [
            ("<a class=n href='?page=2'>plus</a>", "a.n", Some("https://press.example/news/?page=2")),
            ("<a class=n href='/old'>plus</a>", "a.n@href", Some("https://press.example/old")),
            ("<li data-next='/old'>", "li@data-next", Some("https://press.example/old")),
            (
                "<base href='https://cdn.example/'><link rel=next href=p2>",
                "[rel=next]",
                Some("https://cdn.example/p2"),
            ),
            ("<a class=n href='?page=1#top'>", "a.n", None),
            ("<a class=n href='javascript:more()'>", "a.n", None),
            ("<p>", "a.n", None),
        ] {
            let select = Selectors::parse("article", Some("h2"), None, None, None).unwrap();
            let select = select.with_next(Some(selector)).unwrap();
            let source = crate::item::SourceName::new("page").unwrap();
            let kind = super::super::ReadAs::Page { select: &select };
            let plan = Plan { source: &source, kind, lang: None, now: None };
            let reading = read(&format!("{html}<article><h2>Gao"), &select, &url, &plan).unwrap();
            assert_eq!(reading.older.as_ref().map(Url::as_str), expected, "{html}");
        }
    }

    #[test]
    fn a_reckoned_date_names_no_item() {
        let url = Url::parse("https://press.example/news").unwrap();
        let select = Selectors::parse("article", Some("h2"), None, Some("time"), None).unwrap();
        let source = crate::item::SourceName::new("page").unwrap();
        let key = |date: &str, hour: &str| {
            let now = format!("2025-06-10T{hour}:00:00Z").parse().ok();
            let kind = super::super::ReadAs::Page { select: &select };
            let plan = Plan { source: &source, kind, lang: None, now };
            let page = format!("<article><h2>Attaque à Gao</h2><time>{date}</time></article>");
            let items = read(&page, &select, &url, &plan).unwrap().items;
            assert!(items[0].item.published.is_some(), "{date}");
            items[0].key
        };
        assert_eq!(key("il y a 2 heures", "14"), key("il y a 3 heures", "15"));
        assert_eq!(key("il y a 2 heures", "14"), key("il y a 2 heures", "15"));
        assert_ne!(key("10 juin 2025", "14"), key("11 juin 2025", "14"));
    }

    #[test]
    fn a_selector_that_finds_nothing_in_any_of_several_items_is_told() {
        let url = Url::parse("https://press.example/news").unwrap();
        let parts = (Some("h2"), Some("h2 a@href"), Some("time"), Some("p"));
        let select = Selectors::parse("article", parts.0, parts.1, parts.2, parts.3).unwrap();
        let source = crate::item::SourceName::new("page").unwrap();
        let whole = "<article><h2><a href=/1>Gao</a></h2><time>10 juin 2025</time><p>Deux morts</article>";
        let undated = whole.replace("time", "span");
        for (page, told) in [
            (whole.repeat(3), None),
            (undated.repeat(2), None),
            (undated.repeat(3), Some("selectors that find nothing in 3 items: `date`")),
            (undated.repeat(3) + whole, None),
            (
                undated.repeat(3) + "<article></article>",
                Some("selectors that find nothing in 3 items: `date`"),
            ),
            (
                "<article><a href=/1><h2>Gao</h2></a><p>Deux morts</article>".repeat(4),
                Some("selectors that find nothing in 4 items: `link`, `date`"),
            ),
            (
                whole.replace("h2", "h3").repeat(3),
                Some("selectors that find nothing in 3 items: `title`, `link`"),
            ),
            (whole.replace("<p>Deux morts", "").repeat(3), None),
        ] {
            let kind = super::super::ReadAs::Page { select: &select };
            let plan = Plan { source: &source, kind, lang: None, now: None };
            let reading = read(&page, &select, &url, &plan).unwrap();
            let complaint = told.map(|detail| Complaint { reason: LAYOUT, detail: detail.to_owned() });
            assert_eq!(reading.complaint, complaint, "{page}");
            let is_problem = reading.problems.iter().any(|problem| Some(problem.detail.as_str()) == told);
            assert_eq!((is_problem, reading.items.is_empty()), (told.is_some(), false), "{page}");
        }
    }

    #[test]
    fn selectors_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Selectors>();
    }
}
