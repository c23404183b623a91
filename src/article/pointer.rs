//! Lines that only send readers to another article: its headline by itself, or behind words that say so.

use std::ops::Range;
use std::sync::LazyLock;

use super::marks;
use super::outline::{Line, Links, Outline, Weight};
use crate::text::folded;

/// The shortest headline, in characters without white space: what is shorter is the name of a section or a time.
pub(super) const HEADLINE_CHARS_MIN: usize = 15;

/// Most letters beside a headline in its line: a date, a section, "read also".
const BESIDE_LETTERS_MAX: usize = 12;

/// Most letters that announce a headline behind them.
const LEAD_LETTERS_MAX: usize = 40;

/// The shortest headline of an article for subscribers: a shorter link may lead to its author.
const SOLD_CHARS_MIN: usize = 25;

/// The longest card of another article for subscribers, in characters, and most that it says beside the headline.
const CARD_CHARS_MAX: [usize; 2] = [400, 120];

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

/// Whether a line only points to another page.
pub(super) fn is_pointer(outline: &Outline<'_>, line: &Line) -> bool {
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
        || is_announced(&outline.links(line.nodes.clone()), line.weight)
}

/// Whether a line is a few words that announce something, and then one link of the length of a headline.
fn is_announced(links: &Links, weight: Weight) -> bool {
    let lead = links.before.trim_end();
    let letters = lead.chars().filter(|c| c.is_alphabetic()).count();
    // What is quoted is no headline.
    let ends = ['.', '!', '…', '۔', ':', ',', ';', '،', '»', '”', '"'];
    let is_sentence = weight.last.is_some_and(|last| ends.contains(&last));
    links.count == 1
        && weight.linked >= HEADLINE_CHARS_MIN
        && (1..=LEAD_LETTERS_MAX).contains(&letters)
        && lead.ends_with([':', '|', '>'])
        && !lead.contains(['.', '!', '?', '…', '؟'])
        && !links.behind.contains(char::is_alphabetic)
        && !is_sentence
}

/// Whether a line is little but a link, and no sentence.
pub(super) fn is_headline(weight: Weight) -> bool {
    let is_sentence = matches!(weight.last, Some('.' | '!' | '?' | '…' | '؟' | '۔' | ':' | ',' | ';' | '،'));
    weight.linked >= HEADLINE_CHARS_MIN
        && (weight.letters == 0 || weight.letters <= BESIDE_LETTERS_MAX && !is_sentence)
}

/// Whether a line begins with words that send readers to another article.
fn is_lead(text: &str) -> bool {
    let begin: String = text.trim_start().chars().take(60).collect();
    let begin = folded(&begin) + " ";
    FOLDED.iter().any(|lead| begin.starts_with(lead.as_str()))
}

/// Whether a line or a card says of another article, whose headline it has, that it is for subscribers.
pub(super) fn is_sold(outline: &Outline<'_>, range: Range<usize>, weight: Weight) -> bool {
    let [chars_max, own_max] = CARD_CHARS_MAX;
    let is_title = |place: usize| outline.get(place).is_some_and(|spot| spot.has_title);
    if weight.linked < SOLD_CHARS_MIN || weight.chars > chars_max || weight.own() > own_max {
        return false;
    }
    if outline.topmost(range.clone()).any(is_title) {
        return false;
    }
    let Links { before, linked, behind, targets, .. } = outline.links(range);
    // What leads to where one subscribes speaks of this article.
    let headline = marks::without_labels(&linked);
    let has_headline = headline.chars().filter(|c| !c.is_whitespace()).count() >= SOLD_CHARS_MIN;
    has_headline
        && !marks::is_offer(&headline, &targets)
        && marks::is_label(&[before, linked, behind].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_are_written_as_they_are_compared() {
        assert!(FOLDED.iter().all(|lead| lead.len() > 1));
    }
}
