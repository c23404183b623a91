//! What stands around an article, or between its paragraphs, and speaks of others: lists of headlines, teasers, "read also",
//! what readers comment, and banners about cookies.
//!
//! The readability algorithm leaves them out where an article is long. Beside a short one they are most of the page, and it
//! takes them. So they are taken out before, by what they are made of: lines that are little but a link to another page,
//! and siblings that each begin with such a line. A sentence with a link in it is neither, nor is an entry of a live blog,
//! whose links lead to the page itself.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use dom_query::Document;
use url::Url;

use super::outline::{Line, Outline, Role, Spot, Weight};
use super::{consent, marks};
use crate::text::folded;

/// The shortest headline, in characters without white space: what is shorter is the name of a section or a time.
const HEADLINE_CHARS_MIN: usize = 15;

/// Most letters beside a headline in its line: a date, a section, "read also".
const BESIDE_LETTERS_MAX: usize = 12;

/// Longest line before the headline of a teaser, in characters.
const KICKER_CHARS_MAX: usize = 30;

/// Most that a teaser says beside its headline, in characters.
const TEASER_CHARS_MAX: usize = 300;

/// Most lines of a teaser.
const TEASER_LINES_MAX: usize = 8;

/// Most that a part named after related articles says beside their headlines, in characters.
const RELATED_CHARS_MAX: usize = 600;

/// What a line that sends readers to another article begins with.
const LEADS: [&str; 33] = [
    "also read",
    "more on this",
    "read also",
    "read more",
    "read next",
    "recommended",
    "related",
    "see also",
    "watch also",
    "watch",
    "à lire",
    "à lire aussi",
    "à voir aussi",
    "lire",
    "lire également",
    "lire aussi",
    "sur le même sujet",
    "voir aussi",
    "lea también",
    "leia também",
    "leggi anche",
    "lesen sie auch",
    "lees ook",
    "mehr zum thema",
    "читайте также",
    "читать также",
    "смотрите также",
    "по теме",
    "подробнее",
    "اقرأ أيضا",
    "إقرأ أيضا",
    "اقرأ المزيد",
    "شاهد أيضا",
];

/// The same as words are compared.
static FOLDED: LazyLock<Vec<String>> =
    LazyLock::new(|| LEADS.iter().map(|lead| folded(lead) + " ").collect());

/// Words of the name of a part that holds comments.
const COMMENTS: [&str; 9] = [
    "comment",
    "comments",
    "commentlist",
    "commentaire",
    "commentaires",
    "disqus",
    "hypercomments",
    "kommentare",
    "respond",
];

/// Words beside those that make the name of something else: of an article in the section for opinions, or of one that
/// can be commented on.
const NOT_OF_COMMENTS: [&str; 16] = [
    "allowed", "category", "closed", "count", "enabled", "has", "no", "off", "on", "open", "pillar", "tag",
    "tone", "type", "with", "without",
];

/// Words, or neighbours, of the name of a part that holds related articles.
const RELATED: [&str; 17] = [
    "alsoread",
    "also read",
    "lire aussi",
    "a lire",
    "most popular",
    "most read",
    "mostread",
    "outbrain",
    "read also",
    "read more",
    "readmore",
    "recommended",
    "related",
    "relatedposts",
    "see also",
    "taboola",
    "trending",
];

/// Takes out of a page what is no part of its article, and says what readers see in the part that the article stands
/// in. `None` where it has more than `most` elements: then it is left as it is. `own` are the addresses of the page.
pub(super) fn strip(page: &Document, own: [&Url; 2], most: usize) -> Option<String> {
    let outline = Outline::of(page, own, most)?;
    let lines = outline.lines();
    let mut gone: Vec<Range<usize>> = Vec::new();
    gone.extend(outline.places().filter(|place| is_aside(&outline, *place)).map(|place| place..place + 1));
    gone.extend(teasers(&outline, &lines));
    // With the links that lead out of it: an offer to subscribe is one.
    let part = part(&outline, &gone);
    gone.extend(consent::banners(&outline));
    gone.extend(lines.into_iter().filter(|line| is_pointer(&outline, line)).map(|line| line.nodes));
    for range in gone {
        outline.remove(range);
    }
    Some(part)
}

/// What readers see in the main part of a page, or else in its articles, or else in all of it; not what is `gone`, nor
/// lists with links in them and what stands aside, which speak of other articles.
fn part(outline: &Outline<'_>, gone: &[Range<usize>]) -> String {
    let gone: HashSet<usize> = gone.iter().map(|range| range.start).collect();
    let is_of_others = |place: usize, spot: &Spot<'_>| {
        let is_list = spot.role == Role::List && spot.weight.linked > 0;
        is_list || gone.contains(&place) || spot.is_named(&["aside", "footer", "nav"])
    };
    let is_there = |name: &&str| {
        outline.places().any(|place| outline.get(place).is_some_and(|spot| spot.is_named(&[*name])))
    };
    let root = ["main", "article"].into_iter().find(is_there).unwrap_or("body");
    let (mut seen, mut place, mut end) = (Vec::new(), 0, 0);
    while let Some(spot) = outline.get(place) {
        if is_of_others(place, spot) {
            place = outline.range(place).end;
            continue;
        }
        if spot.is_named(&[root]) {
            end = outline.range(place).end.max(end);
        }
        if place < end {
            seen.push(place);
        }
        place += 1;
    }
    outline.shown(seen.into_iter())
}

/// Whether a node holds comments, related articles or a list of links.
fn is_aside(outline: &Outline<'_>, place: usize) -> bool {
    let Some(spot) = outline.get(place).filter(|spot| place > 0 && !spot.has_title && spot.weight.chars > 0)
    else {
        return false;
    };
    let Weight { linked, chars, .. } = spot.weight;
    match spot.role {
        Role::List if 2 * linked >= chars || is_labelled(outline, place, spot.weight) => return true,
        Role::Text | Role::Link | Role::Hidden | Role::Title => return false,
        Role::List | Role::Inline | Role::Block | Role::Heading => {}
    }
    let names = spot.names();
    let holds =
        |words: &[&str], name: &String| words.iter().any(|word| name.split(' ').any(|part| part == *word));
    let comments = |name: &String| holds(&COMMENTS, name) && !holds(&NOT_OF_COMMENTS, name);
    let related = |name: &String| {
        let name = format!(" {name} ");
        RELATED.iter().any(|word| name.contains(&format!(" {word} ")))
    };
    let points = linked >= HEADLINE_CHARS_MIN && spot.weight.own() <= RELATED_CHARS_MAX;
    names.iter().any(comments) || points && names.iter().any(related)
}

/// Whether a list says of the articles that it links to which are for subscribers.
fn is_labelled(outline: &Outline<'_>, place: usize, weight: Weight) -> bool {
    weight.linked > 0
        && weight.own() <= RELATED_CHARS_MAX
        && marks::is_label(&outline.shown(outline.range(place)))
}

/// Whether a line only points to another page.
fn is_pointer(outline: &Outline<'_>, line: &Line) -> bool {
    let Weight { chars, linked, letters, .. } = line.weight;
    let is_title = outline
        .topmost(line.nodes.clone())
        .any(|place| outline.get(place).is_some_and(|spot| spot.has_title));
    if linked == 0 || is_title {
        return false;
    }
    letters == 0
        || is_headline(line.weight)
        || 5 * linked >= 2 * chars && is_lead(&outline.text(line.nodes.clone()))
}

/// Whether a line is little but a link, and no sentence.
fn is_headline(weight: Weight) -> bool {
    let is_sentence = matches!(weight.last, Some('.' | '!' | '?' | '…' | '؟' | '۔' | ':' | ',' | ';' | '،'));
    weight.linked >= HEADLINE_CHARS_MIN
        && (weight.letters == 0 || weight.letters <= BESIDE_LETTERS_MAX && !is_sentence)
}

/// Whether a line is a headline, or a link alone that is too short for one by itself.
fn may_be_headline(weight: Weight) -> bool {
    is_headline(weight) || weight.linked > 0 && weight.letters == 0
}

fn is_lead(text: &str) -> bool {
    let begin: String = text.trim_start().chars().take(60).collect();
    let begin = folded(&begin) + " ";
    FOLDED.iter().any(|lead| begin.starts_with(lead.as_str()))
}

/// Siblings of a kind of which each begins with a headline that leads elsewhere, and says little more; beside two of them
/// short headlines are some, too.
fn teasers(outline: &Outline<'_>, lines: &[Line]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for parent in outline.places().filter(|place| outline.get(*place).is_some_and(Spot::is_block)) {
        let alike: Vec<(usize, Vec<String>)> = outline
            .children(parent)
            .filter(|child| is_teaser(outline, lines, *child, may_be_headline))
            .filter_map(|child| Some((child, kinds(outline.get(child)?))))
            .collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let certain = alike.iter().filter(|(child, _)| is_teaser(outline, lines, *child, is_headline));
        certain.flat_map(|(_, kinds)| kinds).for_each(|kind| *counts.entry(kind).or_default() += 1);
        let is_one_of_many =
            |kinds: &[String]| kinds.iter().any(|kind| counts.get(kind.as_str()) >= Some(&2));
        found.extend(
            alike.iter().filter(|(_, kinds)| is_one_of_many(kinds)).map(|(child, _)| *child..*child + 1),
        );
    }
    found
}

/// What siblings of a kind share: the element and a class. Without a class, those of a list and articles alone: the parts
/// that a page is laid out in look like each other, too.
fn kinds(spot: &Spot<'_>) -> Vec<String> {
    let name = spot.node.node_name().unwrap_or_default();
    let classes = spot.node.attr("class").unwrap_or_default();
    if classes.trim().is_empty() {
        let is_entry = matches!(&*name, "li" | "article" | "tr" | "td" | "dd" | "a");
        return is_entry.then(|| name.to_string()).into_iter().collect();
    }
    classes.split_ascii_whitespace().map(|class| format!("{name}.{class}")).collect()
}

fn is_teaser(outline: &Outline<'_>, lines: &[Line], place: usize, is_head: fn(Weight) -> bool) -> bool {
    let Some(spot) = outline.get(place).filter(|spot| spot.is_block() && !spot.has_title) else {
        return false;
    };
    if spot.role == Role::Heading || spot.weight.linked == 0 || spot.weight.own() > TEASER_CHARS_MAX {
        return false;
    }
    let within = outline.range(place);
    let first = lines.partition_point(|line| line.nodes.start < within.start);
    let lines = lines.iter().skip(first).take_while(|line| line.nodes.end <= within.end);
    let lines: Vec<&Line> = lines.take(TEASER_LINES_MAX + 1).collect();
    let head = lines.iter().position(|line| is_head(line.weight));
    let Some((before, _)) = head.and_then(|head| lines.split_at_checked(head)) else { return false };
    // Where it has a heading of its own, the links are beside its text.
    let is_own_heading = |line: &&&Line| {
        outline.get(line.nodes.start).is_some_and(|spot| spot.role == Role::Heading) && !is_head(line.weight)
    };
    lines.len() <= TEASER_LINES_MAX
        && before.iter().all(|line| line.weight.chars <= KICKER_CHARS_MAX)
        && lines.iter().find(is_own_heading).is_none()
}

#[cfg(test)]
mod tests {
    use crate::article::{Unfit, read};
    use crate::fetch::{Document, Validators};

    use super::*;

    fn text(body: &str) -> Result<String, Unfit> {
        let url = Url::parse("https://paper.example/news/convoy?utm_source=rss").unwrap();
        let html =
            format!("<html><head><title>Cup drawn - The Paper</title></head><body>{body}</body></html>");
        let content_type = Some("text/html; charset=utf-8".to_owned());
        let (bytes, validators) = (html.into(), Validators::default());
        let document = Document { url: url.clone(), bytes, content_type, validators, delta: false };
        read(&document, &url, None)
    }

    /// A headline of another article.
    const OTHER: &str = "Sabotage at the dam of Selingue, two held";

    const SENTENCE: &str =
        "The column left before dawn and was hit an hour later on the road, officials said.";

    fn paragraphs(count: usize) -> String {
        format!("<p>{SENTENCE}</p>").repeat(count)
    }

    fn brief(beside: &str) -> String {
        format!("<main><article><h1>Cup drawn</h1>{}</article></main>{beside}", paragraphs(1))
    }

    fn between(what: &str) -> String {
        let half = paragraphs(4);
        format!("<article><h1>Cup drawn</h1>{half}{what}{half}</article>")
    }

    /// Other articles, each in `open` and `close`, with `{}` for its headline.
    fn list(entry: &str) -> String {
        let titles = [
            OTHER,
            "Price of rice rises in Kayes after sabotage",
            "Sabotage seen",
            "Qui l’a saboté ? Sabotage !",
        ];
        let entry = |(number, title): (usize, &&str)| {
            let link = format!("<a href=/news/n{number}>{title}</a>");
            let summary =
                format!("{title} and more of it, said by officials, in a long sentence, with details.");
            entry.replace("{}", &link).replace("{title}", title).replace("{summary}", &summary)
        };
        titles.iter().cycle().take(9).enumerate().map(entry).collect()
    }

    #[test]
    fn headlines_of_others_are_no_part_of_an_article() {
        let listed = |entry: &str| format!("<section><h2>Latest news</h2><ul>{}</ul></section>", list(entry));
        for beside in [
            listed("<li>{}</li>"),
            listed("<li>{}<p>{summary}</p></li>"),
            listed("<li><h3>{}</h3><p>{summary}</p></li>"),
            listed("<li><span>Mali</span><time>23 Nov</time><h3>{}</h3><p>{summary}</p></li>"),
            listed("<li><a href=/news/x><h3>{title}</h3><p>{summary}</p></a></li>"),
            format!("<div>{}</div>", list("<div class='card wide'><h3>{}</h3><div>{summary}</div></div>")),
            format!("<div>{}</div>", list("<article><h2>{}</h2><p>{summary}</p></article>")),
            format!("<table>{}</table>", list("<tr><td>{}<p>{summary}</p></td></tr>")),
            list("<p><a href=/n>{title}</a></p>"),
            list("<div>{}</div>"),
            list("<div>23.11.2026 | {}</div>"),
            format!(
                "<div class=related-story><h4><a href=/n>{OTHER}</a></h4><p>{OTHER}, more of it.</p></div>"
            ),
        ] {
            let found = text(&brief(&beside)).unwrap();
            assert!(
                found.contains(SENTENCE) && !found.to_lowercase().contains("sabotage"),
                "{beside}: {found}"
            );
            let alone = format!(
                "<nav><a href=/>Home</a></nav><main><h1>The day in pictures</h1><video src=x></video></main>{beside}"
            );
            assert_eq!(text(&alone), Err(Unfit::NoText), "{beside}");
        }
    }

    #[test]
    fn what_sends_readers_to_another_article_is_no_part_of_one() {
        for what in [
            format!("<p><strong>Lire aussi : </strong><a href=/n>{OTHER}</a></p>"),
            "<p>À LIRE AUSSI : <a href=/n>Qui a voulu ce sabotage ?</a></p>".to_owned(),
            format!("<p><a href=/n>READ MORE: {OTHER}</a></p>"),
            format!("<p>Read also | <a href='https://other.example/n'>{OTHER}.</a></p>"),
            "<p>Читайте также: <a href=/n>Sabotage: диверсия на плотине в Селенге</a></p>".to_owned(),
            "<p>اقرأ أيضا: <a href=/n>sabotage هجوم على السد في سيلينغي اليوم</a></p>".to_owned(),
            format!("<p>→ <a href=/n>{OTHER}</a></p>"),
            format!("<div>12:30 <a href=/n>{OTHER}</a></div>"),
            format!("<h3><a href=/n>{OTHER}</a></h3>"),
            format!("<blockquote><p><a href=/n>{OTHER}</a></p></blockquote>"),
            format!("<div class=related><h3>Read also</h3><ul><li><a href=/n>{OTHER}</a></li></ul></div>"),
        ] {
            let found = text(&between(&what)).unwrap();
            assert_eq!(found.matches(SENTENCE).count(), 8, "{what}: {found}");
            assert!(!found.to_lowercase().contains("sabotage"), "{what}: {found}");
        }
    }

    #[test]
    fn what_readers_comment_is_no_part_of_an_article() {
        let said = "<p>This is all sabotage by the opposition, I tell you, they have done it before, believe me.</p>";
        for (open, each) in [
            ("<div id=comments class=comments-area>", "<div class=comment>"),
            ("<section id=disqus_thread>", "<div>"),
            ("<ol class=commentlist>", "<li class='comment even'><article class=comment-body>"),
            ("<div class=commentaires>", "<div>"),
            ("<div id=respond>", "<div>"),
        ] {
            let beside = format!("{open}{}", format!("{each}{said}").repeat(6));
            let found = text(&brief(&beside)).unwrap();
            assert!(found.contains(SENTENCE) && !found.contains("sabotage"), "{open}: {found}");
        }
    }

    #[test]
    fn what_an_article_says_stays_in_it() {
        let linked = "The army said in <a href=/news/n1>a statement of three lines</a> that nobody was hurt.";
        let said =
            "<p>According to <a href=/news/n2>a report by the experts on Mali published on Tuesday</a>.</p>";
        let facts = format!("<ul>{}</ul>", format!("<li>{linked}</li>").repeat(4));
        let lead = "<li><a href=/news/n3>Two lorries burned on the road</a> to Ansongo, and the survivors walked back.</li>";
        let live = |link: &str| {
            let entry = format!(
                "<article class=post><h3><a href='{link}'>12:30 The convoy is hit near Gao</a></h3><p>Shots are heard.</p></article>"
            );
            format!("<article><h1>Live</h1>{}</article>", entry.repeat(12))
        };
        let questions = format!(
            "<article><h1>What we know</h1>{}</article>",
            "<h3>Who was hit?</h3><p>A convoy of the army.</p>".repeat(8)
        );
        let crumbs = format!(
            "<div class=row><a href=/>Home</a> » <a href=/s>News of the Sahel</a></div>\
            <div class=row><div class=crumbs><a href=/s>News of the Sahel</a></div><h2>Cup drawn</h2><p>{SENTENCE}</p></div>"
        );
        for (body, words, times) in [
            (between(&format!("<p>{linked}</p>")), "a statement of three lines", 1),
            (between(said), "a report by the experts", 1),
            (between(&facts), "a statement of three lines", 4),
            (between(&format!("<ul>{}</ul>", lead.repeat(4))), "Two lorries burned", 4),
            (live("#post-1"), "12:30 The convoy", 12),
            (live("/news/convoy?page=with:block-1"), "12:30 The convoy", 12),
            (live("https://www.paper.example/news/convoy/post-1"), "Shots are heard", 12),
            (questions, "A convoy of the army", 8),
            (crumbs, "The column left", 1),
            (
                format!("<article class='post comments-open tone-comment'>{}</article>", paragraphs(3)),
                "The column",
                3,
            ),
            (format!("<div class=comment><h1>Why</h1>{}</div>", paragraphs(6)), "The column", 6),
            (format!("<article><h1>Cup</h1><a href=/photo>{}</article>", paragraphs(6)), "The column", 6),
            (
                format!(
                    "<h1>Cup</h1>{}",
                    "<div><div>The column left before dawn, and was hit.</div></div>".repeat(12)
                ),
                "The column",
                12,
            ),
        ] {
            let found = text(&body).unwrap();
            assert_eq!(found.matches(words).count(), times, "{body}: {found}");
        }
    }

    #[test]
    fn a_query_names_a_page_where_it_has_one() {
        let other =
            format!("<ul>{}</ul>", format!("<li><a href='/index.php?id=2'>{OTHER}</a></li>").repeat(6));
        let html = format!("<html><title>x</title>{}", brief(&other));
        let url = Url::parse("https://paper.example/index.php?id=1").unwrap();
        let page = dom_query::Document::from(html.as_str());
        strip(&page, [&url, &url], 100).unwrap();
        assert_eq!(strip(&page, [&url, &url], 4), None);
        assert!(!page.text().contains("Sabotage") && page.text().contains(SENTENCE));
    }

    #[test]
    fn leads_and_names_are_written_as_they_are_compared() {
        assert!(FOLDED.iter().all(|lead| lead.len() > 1));
        let all = COMMENTS.iter().chain(&NOT_OF_COMMENTS).chain(&RELATED);
        all.for_each(|word| assert_eq!(*word, word.to_ascii_lowercase()));
    }
}
