//! A page as a row of nodes, with what each weighs: how much text it holds, and how much of that leads to other pages.

use std::collections::HashMap;
use std::ops::Range;

use dom_query::{Document, NodeRef};
use html5ever::tendril::StrTendril;
use url::Url;

use crate::item::link;
use crate::source::linked;

/// A link around more characters is no link: somebody forgot to close it.
const LINK_CHARS_MAX: usize = 400;

/// What a node is to the lines of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Text.
    Text,
    /// An element within a line.
    Inline,
    /// A link to another page.
    Link,
    /// An element that begins a line.
    Block,
    /// A list.
    List,
    /// A heading below that of the page.
    Heading,
    /// The heading of the page.
    Title,
    /// What shows no text.
    Hidden,
}

/// The text of a node, white space aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Its characters.
    pub(super) chars: usize,
    /// Those of them that lead to another page.
    pub(super) linked: usize,
    /// The letters that do not.
    pub(super) letters: usize,
    /// The last character.
    pub(super) last: Option<char>,
}

impl Weight {
    fn of(text: &str, is_linked: bool) -> Self {
        let mut weight = Self::default();
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            weight.chars += 1;
            weight.linked += usize::from(is_linked);
            weight.letters += usize::from(!is_linked && c.is_alphabetic());
            weight.last = Some(c);
        }
        weight
    }

    /// This, and behind it that.
    fn then(self, next: Self) -> Self {
        Self {
            chars: self.chars + next.chars,
            linked: self.linked + next.linked,
            letters: self.letters + next.letters,
            last: next.last.or(self.last),
        }
    }

    /// The characters that lead nowhere else.
    pub(super) fn own(self) -> usize {
        self.chars - self.linked
    }
}

/// A node.
pub(super) struct Spot<'a> {
    pub(super) node: NodeRef<'a>,
    pub(super) role: Role,
    pub(super) weight: Weight,
    /// Place of the node that it lies in.
    parent: usize,
    /// Place behind all that lies in it.
    end: usize,
    /// Whether a block lies in it.
    has_block: bool,
    /// Whether it is the heading of the page, or that lies in it.
    pub(super) has_title: bool,
}

/// A line of a page: neighbours that no block parts, or one block without another in it.
pub(super) struct Line {
    /// The places of its nodes.
    pub(super) nodes: Range<usize>,
    /// All of them together.
    pub(super) weight: Weight,
}

/// What a range says in its links to other pages and beside them.
#[derive(Default)]
pub(super) struct Links {
    /// How many links it has.
    pub(super) count: usize,
    /// The text before the first.
    pub(super) before: String,
    /// The text of them.
    pub(super) linked: String,
    /// The other text.
    pub(super) behind: String,
    /// Their addresses, as they are written.
    pub(super) targets: Vec<String>,
}

/// The nodes of a page, each before those that lie in it.
pub(super) struct Outline<'a> {
    spots: Vec<Spot<'a>>,
}

impl<'a> Outline<'a> {
    /// The outline of what a page shows; none of one with more than `most` elements. `own` are the addresses of the page
    /// itself.
    pub(super) fn of(page: &'a Document, own: [&Url; 2], most: usize) -> Option<Self> {
        let own = own.map(Own::of);
        let body = page.body()?;
        let nodes: Vec<NodeRef<'_>> = std::iter::once(body).chain(body.descendants_it()).collect();
        if nodes.iter().filter(|node| node.is_element()).count() > most {
            return None;
        }
        let mut outline = Self { spots: Vec::new() };
        let mut places = HashMap::new();
        for node in nodes {
            let place = outline.spots.len();
            let parent = node.parent().and_then(|parent| places.get(&parent.id).copied()).unwrap_or_default();
            places.insert(node.id, place);
            let role = role(&node, &own);
            let (weight, has_title) = (Weight::default(), role == Role::Title);
            outline.spots.push(Spot {
                node,
                role,
                weight,
                parent,
                end: place + 1,
                has_block: false,
                has_title,
            });
        }
        outline.weigh(|_| false);
        let is_long = |spot: &&mut Spot<'_>| spot.role == Role::Link && spot.weight.chars > LINK_CHARS_MAX;
        outline.spots.iter_mut().filter(is_long).for_each(|spot| spot.role = Role::Inline);
        outline.weigh(|role| role == Role::Link);
        Some(outline)
    }

    /// Finds what each node weighs, and what lies in it. `links` says what leads to another page.
    fn weigh(&mut self, links: impl Fn(Role) -> bool) {
        let mut inside: Vec<(bool, bool)> = Vec::with_capacity(self.spots.len());
        for spot in &mut self.spots {
            let (linked, hidden) = inside.get(spot.parent).copied().unwrap_or_default();
            inside.push((linked || links(spot.role), hidden || spot.role == Role::Hidden));
            let is_shown = spot.role == Role::Text && !hidden;
            spot.weight = if is_shown { Weight::of(&spot.node.text(), linked) } else { Weight::default() };
        }
        for place in (1..self.spots.len()).rev() {
            let Some((before, [spot, ..])) = self.spots.split_at_mut_checked(place) else { continue };
            let Some(parent) = before.get_mut(spot.parent) else { continue };
            parent.weight = spot.weight.then(parent.weight);
            parent.end = parent.end.max(spot.end);
            parent.has_block |= spot.is_block();
            parent.has_title |= spot.has_title;
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<&Spot<'a>> {
        self.spots.get(place)
    }

    /// The places of all nodes.
    pub(super) fn places(&self) -> Range<usize> {
        0..self.spots.len()
    }

    /// The places of a node and all that lies in it.
    pub(super) fn range(&self, place: usize) -> Range<usize> {
        place..self.get(place).map_or(place, |spot| spot.end)
    }

    /// The places of those nodes of a range that lie in no other of it.
    pub(super) fn topmost(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let mut next = range.start;
        std::iter::from_fn(move || {
            let place = (next < range.end).then_some(next)?;
            next = self.get(place)?.end;
            Some(place)
        })
    }

    /// The places of what lies directly in a node.
    pub(super) fn children(&self, place: usize) -> impl Iterator<Item = usize> {
        self.topmost(place + 1..self.range(place).end)
    }

    /// The lines of the page that hold text.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut run: Range<usize> = 0..0;
        let mut place = 0;
        while let Some(spot) = self.get(place) {
            let goes_on =
                !spot.is_block() && self.get(run.start).is_some_and(|first| first.parent == spot.parent);
            if !(goes_on && run.end == place) {
                lines.extend(self.line(std::mem::replace(&mut run, place..place)));
            }
            match (spot.has_block, spot.is_block()) {
                (true, _) => (place, run) = (place + 1, 0..0),
                (false, true) => {
                    lines.extend(self.line(place..spot.end));
                    (place, run) = (spot.end, 0..0);
                }
                (false, false) => (place, run.end) = (spot.end, spot.end),
            }
        }
        lines.extend(self.line(run));
        lines
    }

    fn line(&self, nodes: Range<usize>) -> Option<Line> {
        let weights = self.topmost(nodes.clone()).filter_map(|place| Some(self.get(place)?.weight));
        let weight = weights.fold(Weight::default(), Weight::then);
        (weight.chars > 0).then_some(Line { nodes, weight })
    }

    /// The text of a range.
    pub(super) fn text(&self, range: Range<usize>) -> String {
        let texts = self.spots.get(range).unwrap_or_default().iter().filter(|spot| spot.role == Role::Text);
        texts.map(|spot| spot.node.text().to_string()).collect()
    }

    /// What readers see of the nodes at these places, a line for each block.
    pub(super) fn shown(&self, places: impl Iterator<Item = usize>) -> String {
        let mut text = String::new();
        for spot in places.filter_map(|place| self.get(place)) {
            if spot.is_block() {
                text.push('\n');
            } else if spot.role == Role::Text && spot.weight.chars > 0 {
                text.push_str(&spot.node.text());
                text.push(' ');
            }
        }
        text
    }

    /// The links to other pages in a range, and what stands beside them.
    pub(super) fn links(&self, range: Range<usize>) -> Links {
        let (mut links, mut place) = (Links::default(), range.start);
        while let Some(spot) = self.get(place).filter(|_| place < range.end) {
            place += 1;
            if spot.weight.chars == 0 {
                continue;
            }
            if spot.role == Role::Link {
                links.count += 1;
                links.linked.push_str(&self.shown(place - 1..spot.end));
                links.targets.extend(spot.node.attr("href").map(|href| href.to_string()));
                place = spot.end;
            } else if spot.role == Role::Text {
                let side = if links.count == 0 { &mut links.before } else { &mut links.behind };
                side.push_str(&spot.node.text());
                side.push(' ');
            }
        }
        links
    }

    /// Takes the nodes of a range out of the page.
    pub(super) fn remove(&self, range: Range<usize>) {
        for spot in self.topmost(range).filter_map(|place| self.get(place)) {
            spot.node.remove_from_parent();
        }
    }
}

impl Spot<'_> {
    /// Whether it begins a line, or something in it does.
    pub(super) fn is_block(&self) -> bool {
        let by_itself = match self.role {
            Role::Block | Role::List | Role::Heading | Role::Title => true,
            Role::Text | Role::Inline | Role::Link | Role::Hidden => false,
        };
        by_itself || self.has_block
    }

    /// Whether it is an element of one of these names.
    pub(super) fn is_named(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.node.has_name(name))
    }

    /// Whether a page says that it is not to be seen.
    pub(super) fn is_unseen(&self) -> bool {
        let style = self.node.attr("style").unwrap_or_default().to_ascii_lowercase();
        let style: String = style.split_whitespace().collect();
        self.node.has_attr("hidden") || style.contains("display:none") || style.contains("visibility:hidden")
    }

    /// The names that a page gives it, its id and its classes, as words.
    pub(super) fn names(&self) -> Vec<String> {
        let words =
            |name: &str| name.split(['-', '_']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let stated = ["id", "class"].into_iter().filter_map(|attribute| self.node.attr(attribute));
        let names = |stated: StrTendril| stated.split_ascii_whitespace().map(words).collect::<Vec<_>>();
        stated.flat_map(names).map(|name| name.to_ascii_lowercase()).collect()
    }
}

fn role(node: &NodeRef<'_>, own: &[Own<'_>]) -> Role {
    if node.is_text() {
        return Role::Text;
    }
    let name = node.node_name().unwrap_or_default();
    match &*name {
        "a" if node.attr("href").is_some_and(|href| leads_away(&href, own)) => Role::Link,
        "h1" => Role::Title,
        "h2" | "h3" | "h4" | "h5" | "h6" => Role::Heading,
        "ul" | "ol" | "dl" | "menu" | "nav" => Role::List,
        name if linked::is_hidden(name) => Role::Hidden,
        name if linked::is_block(name) => Role::Block,
        _ => Role::Inline,
    }
}

/// An address of the page itself.
struct Own<'a> {
    url: &'a Url,
    /// The same without what only says where a reader came from, where a query names the page.
    queried: Option<String>,
}

impl<'a> Own<'a> {
    fn of(url: &'a Url) -> Self {
        Self { url, queried: link::normalise(url.as_str()).filter(|normal| normal.contains('?')) }
    }

    /// Whether an address is a place in this page, as of an entry of a live blog, or one below it.
    fn holds(&self, target: &Url) -> bool {
        let host = |url: &Url| url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned();
        let path = self.url.path().trim_end_matches('/');
        let rest = target.path().strip_prefix(path).filter(|_| !path.is_empty());
        let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match &self.queried {
            Some(queried) => link::normalise(target.as_str()).as_ref() == Some(queried),
            None => is_below && host(self.url) == host(target),
        }
    }
}

/// Whether a link leads to another page.
fn leads_away(href: &str, own: &[Own<'_>]) -> bool {
    let href = href.trim();
    let target = own.first().and_then(|own| own.url.join(href).ok());
    let target =
        target.filter(|target| matches!(target.scheme(), "http" | "https") && !href.starts_with('#'));
    target.is_some_and(|target| !own.iter().any(|own| own.holds(&target)))
}
