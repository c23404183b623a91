//! What stands around an article, or between its paragraphs, and speaks of others: lists of headlines, teasers, "read also",
//! what readers comment, and banners about cookies.
//!
//! The readability algorithm leaves them out where an article is long. Beside a short one they are most of the page, and it
//! takes them. So they are taken out before, by what they are made of: lines that are little but a link to another page,
//! and siblings that each begin with such a line. A sentence with a link in it is neither, nor is an entry of a live blog,
//! whose links lead to the page itself.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use dom_query::Document;
use url::Url;

use super::outline::{Line, Outline, Role, Spot, Weight};
use super::pointer::{HEADLINE_CHARS_MIN, is_headline, is_pointer, is_sold};
use super::{consent, marks};
use crate::text::folded;

/// The longest form or hidden part whose words are none of an article, in characters.
const FORM_CHARS_MAX: usize = 300;

/// Most articles behind that of a page with which it goes on; the entries of a live blog are more.
const NEXT_MAX: usize = 3;

/// Longest line before the headline of a teaser, in characters.
const KICKER_CHARS_MAX: usize = 30;

/// Most that a teaser says beside its headline, in characters.
const TEASER_CHARS_MAX: usize = 300;

/// Most lines of a teaser.
const TEASER_LINES_MAX: usize = 8;

/// Most that a part named after related articles says beside their headlines, in characters.
const RELATED_CHARS_MAX: usize = 600;

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

/// Neighbours in the name of a part that tells of the author.
const AUTHORS: [&str; 4] = ["about author", "about the author", "author bio", "author box"];

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
    let is_gone = |place: &usize| is_aside(&outline, *place) || is_form(&outline, *place);
    gone.extend(outline.places().filter(is_gone).map(|place| place..place + 1));
    gone.extend(teasers(&outline, &lines));
    gone.extend(next_articles(&outline, &page.select_single("title").text()));
    let sold = lines.iter().filter(|line| is_sold(&outline, line.nodes.clone(), line.weight));
    gone.extend(sold.map(|line| line.nodes.clone()));
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
    let gone: HashSet<usize> = gone.iter().flat_map(|range| outline.topmost(range.clone())).collect();
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
    let is_one_of = |words: &[&str], name: &String| {
        let name = format!(" {name} ");
        words.iter().any(|word| name.contains(&format!(" {word} ")))
    };
    let related = |name: &String| is_one_of(&RELATED, name);
    let is_short = spot.weight.own() <= RELATED_CHARS_MAX;
    // What is most of the page is what it is about, whatever it is called.
    let is_part = 2 * chars <= outline.get(0).map_or(0, |body| body.weight.chars);
    let points = linked >= HEADLINE_CHARS_MIN && is_short;
    names.iter().any(comments)
        || points && names.iter().any(related)
        || is_short && is_part && names.iter().any(|name| is_one_of(&AUTHORS, name))
        || is_short && is_part && names.iter().any(|name| is_offer_of_letters(outline, place, name))
        || spot.is_block() && is_sold(outline, outline.range(place), spot.weight)
}

/// Whether a node of that name offers letters from the paper: a form is in it, which no part of an article has.
fn is_offer_of_letters(outline: &Outline<'_>, place: usize, name: &str) -> bool {
    let asks = |place: usize| outline.get(place).is_some_and(|spot| spot.is_named(&["form", "input"]));
    name.split(' ').any(|word| word == "newsletter") && outline.range(place).any(asks)
}

/// Whether a node is a form or not to be seen, is a small part of the page, and has words that elsewhere tell that there
/// is no article.
fn is_form(outline: &Outline<'_>, place: usize) -> bool {
    let whole = outline.get(0).map_or(0, |body| body.weight.chars);
    outline.get(place).is_some_and(|spot| {
        let chars = spot.weight.chars;
        (1..=FORM_CHARS_MAX).contains(&chars)
            && 5 * chars <= whole
            && !spot.has_title
            && (spot.is_named(&["form", "label"]) || spot.is_unseen())
            && marks::is_mark(&outline.text(outline.range(place)))
    })
}

/// Whether a list says of the articles that it links to which are for subscribers.
fn is_labelled(outline: &Outline<'_>, place: usize, weight: Weight) -> bool {
    weight.linked > 0
        && weight.own() <= RELATED_CHARS_MAX
        && marks::is_label(&outline.shown(outline.range(place)))
}

/// Whether a line is a headline, or a link alone that is too short for one by itself.
fn may_be_headline(weight: Weight) -> bool {
    is_headline(weight) || weight.linked > 0 && weight.letters == 0
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

/// The articles with which a page of that title goes on behind its own, which has a heading of the same words: siblings of
/// it that have a heading as of a page, or one that leads to theirs.
fn next_articles(outline: &Outline<'_>, title: &str) -> Vec<Range<usize>> {
    let title = folded(title);
    let is_ours = |article: &usize| {
        let is_title = |place: &usize| {
            let is_one = |spot: &Spot<'_>| spot.role == Role::Title && spot.weight.chars <= TEASER_CHARS_MAX;
            outline.get(*place).is_some_and(is_one)
        };
        let heading = outline.range(*article).find(is_title);
        let words = heading.map(|place| folded(&outline.text(outline.range(place)))).unwrap_or_default();
        words.contains(' ') && title.contains(&words)
    };
    let is_next = |article: &usize| {
        let is_heading = |spot: &&Spot<'_>| matches!(spot.role, Role::Title | Role::Heading);
        let mut spots = outline.range(*article).filter_map(|place| outline.get(place));
        let first = spots.find(is_heading);
        first.is_some_and(|spot| spot.role == Role::Title || is_headline(spot.weight)) && !is_ours(article)
    };
    let has_title = |place: &usize| outline.get(*place).is_some_and(|spot| spot.has_title);
    for parent in outline.places().filter(has_title) {
        let is_article = |child: &usize| outline.get(*child).is_some_and(|spot| spot.is_named(&["article"]));
        let behind =
            outline.children(parent).filter(is_article).skip_while(|article| !is_ours(article)).skip(1);
        let next: Vec<usize> = behind.filter(is_next).collect();
        if (1..=NEXT_MAX).contains(&next.len()) {
            return next.into_iter().map(|article| article..article + 1).collect();
        }
    }
    Vec::new()
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
            format!("<p><strong>Pour aller plus loin : </strong><a href=/n>{OTHER}</a></p>"),
            format!("<p>Sur le même thème : <a href=/n>{OTHER} ?</a></p>"),
            format!("<p>&gt;&gt; Retrouvez notre dossier : <a href=/n>{OTHER}</a></p>"),
            format!("<p>For more on this story, see: <a href=/n>{OTHER}</a></p>"),
            format!("<p>The dossier of the dam &gt;&gt; <a href=/n>{OTHER}</a></p>"),
            "<p>По этой же теме читайте: <a href=/n>Sabotage: диверсия на плотине в Селенге</a></p>"
                .to_owned(),
            "<p>Ранее сообщалось: <a href=/n>Sabotage: диверсия на плотине в Селенге</a></p>".to_owned(),
            "<p>موضوعات ذات صلة: <a href=/n>sabotage هجوم على السد في سيلينغي اليوم</a></p>".to_owned(),
            format!("<p>Lire aussi | <a href=/n>{OTHER}</a> <span>Article réservé aux abonnés</span></p>"),
            format!(
                "<div class=card><h4><a href=/n>{OTHER}</a></h4><p>Article réservé aux abonnés</p></div>"
            ),
            format!("<div><a href=/n>{OTHER} <span>Article réservé aux abonnés</span></a></div>"),
            "<div class=newsletter><p>Our letter on the sabotage.</p><form><input></form></div>".to_owned(),
            "<div class=author-bio><p>A. Writer is the author of a book on sabotage.</p></div>".to_owned(),
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
    fn a_page_that_goes_on_with_the_next_article_is_of_the_first() {
        let other = format!("<p>{SENTENCE} Sabotage.</p>").repeat(6);
        let next = |heading: &str| format!("<article>{heading}{other}</article>");
        let page = |behind: &str| {
            format!("<main><article><h1>Cup drawn</h1>{}</article>{behind}</main>", paragraphs(2))
        };
        let away = "<h2><a href=/n>The dam of Selingue is closed</a></h2>";
        for (behind, is_other) in [
            (next("<h1>Dam of Selingue</h1>"), true),
            (next("<h1>Dam of Selingue</h1>").repeat(2), true),
            (next(away), true),
            (next("<h1>12:30</h1>").repeat(4), false),
            (next("<h2>12:30</h2>"), false),
        ] {
            let found = text(&page(&behind)).unwrap();
            assert_eq!(found.contains("Sabotage"), !is_other, "{behind}: {found}");
            assert!(!is_other || found.contains(SENTENCE), "{behind}: {found}");
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
        let quoted =
            "The army said: <a href=/news/n2>a report by the experts on Mali was wrong</a>, and left.";
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
            (between(&format!("<p>{quoted}</p>")), "a report by the experts", 1),
            (between(&format!("<p>He said this: {linked}</p>")), "a statement of three lines", 1),
            (
                between(
                    "<div class=newsletter><p>The letter of the general says more of what was lost there.</p></div>",
                ),
                "The letter of the general",
                1,
            ),
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
    fn what_is_called_a_letter_or_quoted_behind_a_colon_stays_in_it() {
        for (body, words, times) in [
            (
                format!(
                    "<div class='site has-newsletter'><article><h2>Gao</h2>{}</article><form><input></form></div>",
                    paragraphs(1)
                ),
                "The column left",
                1,
            ),
            (
                between(
                    "<p>Le porte-parole l'a dit : <a href=/t/1>« Nous avons repris Kidal, et la tenons »</a></p>",
                ),
                "Nous avons repris",
                1,
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
    fn names_are_written_as_they_are_compared() {
        let all = COMMENTS.iter().chain(&NOT_OF_COMMENTS).chain(&RELATED).chain(&AUTHORS);
        all.for_each(|word| assert_eq!(*word, word.to_ascii_lowercase()));
    }
}
