//! What asks readers to consent to cookies: the banners beside an article, and how much of a text is something else.
//!
//! Many sites write their banner into every page. Beside a short article it is a good part of what the readability
//! algorithm takes, so it is taken out before. A page that is little but such a request is left as it is: it stands in
//! the article's place, and its words say so.

use std::ops::Range;
use std::sync::LazyLock;

use super::outline::{Outline, Spot};
use crate::text::folded;

/// Longest banner, in characters without white space: some list every cookie.
const BANNER_CHARS_MAX: usize = 5_000;

/// What is found in the names of banners: words for what they ask, and the programs that make them.
const NAMES: [&str; 19] = [
    "axeptio",
    "cc banner",
    "cc window",
    "cmplz",
    "consent",
    "cookie",
    "cybot",
    "didomi",
    "gdpr",
    "iubenda",
    "klaro",
    "onetrust",
    "osano",
    "privacy",
    "qc cmp",
    "rgpd",
    "sp message",
    "tarteaucitron",
    "usercentrics",
];

/// Names that say so by a whole word alone.
const WORDS: [&str; 5] = ["cmp", "cmp2", "cmpbox", "trustarc", "truste"];

/// What the words of such a request begin with.
const STEMS: [&str; 42] = [
    "accept",
    "advertis",
    "consent",
    "cookie",
    "data",
    "partner",
    "personalis",
    "personaliz",
    "preferences",
    "privacy",
    "purposes",
    "reject",
    "tracking",
    "vendors",
    "confidentialité",
    "données",
    "gérer",
    "paramétrer",
    "partenaires",
    "personnalis",
    "privée",
    "publicit",
    "refuser",
    "traceurs",
    "конфиденциальн",
    "куки",
    "партнер",
    "персональн",
    "принять",
    "согласен",
    "согласие",
    "соглаша",
    "файл",
    "أوافق",
    "ارتباط",
    "الارتباط",
    "الخصوصية",
    "الموافقة",
    "خصوصيتك",
    "شركاؤنا",
    "قبول",
    "كوكيز",
];

/// The same as words are compared.
static FOLDED: LazyLock<Vec<String>> = LazyLock::new(|| STEMS.iter().map(|stem| folded(stem)).collect());

/// How much of a text is left without the sentences that speak of consent, in characters without white space.
pub(super) fn rest(text: &str) -> usize {
    let sentences = text.split(['.', '!', '?', '…', '؟', ';', '\n']);
    sentences.filter(|sentence| !is_asking(sentence)).map(solid).sum()
}

fn solid(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn is_asking(sentence: &str) -> bool {
    folded(sentence).split(' ').any(|word| FOLDED.iter().any(|stem| word.starts_with(stem.as_str())))
}

/// Whether a text is little else than a request to consent.
fn asks(text: &str) -> bool {
    2 * rest(text) <= solid(text)
}

/// The banners of a page; none of one that is little else itself.
pub(super) fn banners(outline: &Outline<'_>) -> Vec<Range<usize>> {
    let found: Vec<_> = outline.places().filter(|place| is_banner(outline, *place)).collect();
    if found.is_empty() || asks(&outline.shown(outline.places())) {
        return Vec::new();
    }
    found.into_iter().map(|place| place..place + 1).collect()
}

/// Whether a node has the name of a banner and reads like one; never what holds an article or most of the page.
fn is_banner(outline: &Outline<'_>, place: usize) -> bool {
    let whole = outline.get(0).map_or(0, |body| body.weight.chars);
    let may_be = |spot: &&Spot<'_>| {
        let chars = spot.weight.chars;
        (1..=BANNER_CHARS_MAX).contains(&chars) && 2 * chars <= whole && !spot.has_title
    };
    let Some(spot) = outline.get(place).filter(may_be) else { return false };
    let within = outline.range(place);
    let is_article =
        |place: usize| outline.get(place).is_some_and(|spot| spot.is_named(&["article", "main"]));
    spot.names().iter().any(|name| is_name(name))
        && !within.clone().any(is_article)
        && asks(&outline.shown(within))
}

fn is_name(name: &str) -> bool {
    NAMES.iter().any(|part| name.contains(*part)) || name.split(' ').any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_text_is_no_request_to_consent() {
        for (text, expected) in [
            ("We use cookies. Accept all! Gao fell", 7),
            ("Nous et nos partenaires utilisons des cookies\nGao", 3),
            ("Мы используем файлы cookie. Принять. Гао", 3),
            ("نحن نستخدم ملفات تعريف الارتباط. قبول", 0),
            ("", 0),
        ] {
            assert_eq!(rest(text), expected, "{text}");
        }
    }

    #[test]
    fn banners_are_known_by_their_names() {
        for (name, expected) in [
            ("cookie law info bar", true),
            ("onetrust banner sdk", true),
            ("cybotcookiebotdialog", true),
            ("sp message container 1", true),
            ("cmp", true),
            ("qc cmp2 container", true),
            ("trusted", false),
            ("cmptext", false),
            ("entry content", false),
        ] {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }
}
