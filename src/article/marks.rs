//! How a page is known that shows something else in an article's place.
//!
//! Words alone prove little, since articles are written of paywalls and cookies too, and sites ask for consent beside
//! their articles. So words count where the text is short, and where a redirect led to tells more than any words.

use std::sync::LazyLock;

use url::Url;

use super::read::TEXT_CHARS_MIN;
use super::sentences::{FOLDED, LONGEST, MARKS, Marks, PAYWALL_CHARS_MAX, Place};
use super::{TEXT_BYTES_MAX, Unfit, consent};
use crate::item::link;
use crate::source::linked;
use crate::text::folded;

/// A page and what was taken for its article.
pub(super) struct Page<'a> {
    /// The address that the entry links to.
    pub(super) asked: &'a Url,
    /// Where that led.
    pub(super) url: &'a Url,
    /// The page.
    pub(super) html: &'a str,
    /// Its title.
    pub(super) title: &'a str,
    /// Text of the article.
    pub(super) text: &'a str,
    /// What readers see in the part of the page that the article stands in.
    pub(super) part: &'a str,
    /// Whether the page says of its article that it is free.
    pub(super) free: Option<bool>,
}

/// Words of a sentence that speaks of what else there is to read.
const OF_OTHERS: [&str; 3] = ["lire la suite de nos", "continue reading our", "keep reading our"];

/// What the words of a sentence begin with that speaks of what readers write.
const OF_COMMENTS: [&str; 10] = [
    "comment",
    "discussion",
    "forum",
    "poster",
    "reply",
    "комментар",
    "обсужден",
    "تعليق",
    "التعليق",
    "للتعليق",
];

/// What the words of a link begin with that leads to where one subscribes or logs in.
const OF_OFFERS: [&str; 15] = [
    "abonn",
    "connectez",
    "formule",
    "identifiez",
    "inscrivez",
    "login",
    "offre",
    "register",
    "subscri",
    "войдите",
    "оформите",
    "подписк",
    "подпиши",
    "اشترك",
    "الاشتراك",
];

/// Words in an address that redirects lead to.
const PLACES: [(Unfit, &[&str]); 3] = [
    (Unfit::Consent, &["consent", "cookie-consent", "privacy-consent", "guce", "cmp"]),
    (Unfit::Login, &["login", "signin", "sign-in", "log-in", "sso", "auth", "connexion", "accounts"]),
    (Unfit::Paywall, &["subscribe", "subscription", "abonnement", "abonnez-vous", "abo", "paywall"]),
];

/// The same as words are compared.
static FOLDED_OF_OTHERS: LazyLock<Vec<String>> =
    LazyLock::new(|| OF_OTHERS.iter().map(|words| spaced(words)).collect());

static FOLDED_OF_COMMENTS: LazyLock<Vec<String>> =
    LazyLock::new(|| OF_COMMENTS.iter().map(|stem| folded(stem)).collect());

static FOLDED_OF_OFFERS: LazyLock<Vec<String>> =
    LazyLock::new(|| OF_OFFERS.iter().map(|stem| folded(stem)).collect());

/// What a page is instead of an article; `None` when nothing speaks against it.
pub(super) fn unfit(page: &Page<'_>) -> Option<Unfit> {
    redirected(page).or_else(|| said(page)).or_else(|| priced(page))
}

/// What the address that a redirect led to says.
fn redirected(page: &Page<'_>) -> Option<Unfit> {
    let same = |a: &Url, b: &Url| (a.host_str(), a.path()) == (b.host_str(), b.path());
    let front = link::is_front(page.url.as_str()) && !link::is_front(page.asked.as_str());
    if same(page.asked, page.url) && !front {
        return None;
    }
    let host = page.url.host_str().unwrap_or_default().split('.').next().unwrap_or_default();
    let mut words = std::iter::once(host).chain(page.url.path().split('/').filter(|word| !word.is_empty()));
    words.find_map(place).or_else(|| front.then_some(Unfit::NotFound))
}

/// What a word of an address says of where that leads.
fn place(word: &str) -> Option<Unfit> {
    let names = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    PLACES.iter().find(|(_, known)| names(known)).map(|(unfit, _)| *unfit)
}

/// What the words of the page say.
fn said(page: &Page<'_>) -> Option<Unfit> {
    let chars = page.text.chars().take(LONGEST + 1).count();
    if chars > LONGEST {
        return None;
    }
    let is_crumb = chars < TEXT_CHARS_MIN;
    let all = if is_crumb { told(&linked::plain(page.html)) } else { String::new() };
    let (title, main) = (told(page.title), told(&[page.title, page.text].join("\n")));
    // What stands beside an article that is free speaks of another.
    let beside = if page.free == Some(true) { "" } else { page.part };
    let part = told(&[page.title, page.text, beside].join("\n"));
    let is_article = consent::rest(page.text) > CONSENT_REST_CHARS_MAX;
    // Where no article was found, the page is all there is.
    let main = if page.text.is_empty() { &all } else { &main };
    let holds = |marks: &Marks, sentences: &[String]| {
        let text = match marks.place {
            Place::Page if is_crumb => &all,
            Place::Page | Place::Article => main,
            Place::Part => &part,
            Place::Title => &title,
        };
        let fits = chars <= marks.chars_max && !(is_article && marks.unfit == Unfit::Consent);
        fits && sentences.iter().any(|sentence| text.contains(sentence.as_str()))
    };
    MARKS
        .iter()
        .zip(FOLDED.iter())
        .find(|(marks, sentences)| holds(marks, sentences))
        .map(|(marks, _)| marks.unfit)
}

/// The words of a text, folded, without what they say of comments and of what else there is to read.
fn told(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(4 * TEXT_BYTES_MAX)).unwrap_or_default();
    let sentences = text.split(['.', '!', '?', '…', '؟', '\n']).map(spaced);
    let sentences = sentences.filter(|sentence| !is_of_comments(sentence)).map(|sentence| {
        let words =
            FOLDED_OF_OTHERS.iter().fold(sentence, |words, others| words.replace(others.as_str(), " "));
        words.trim().to_owned()
    });
    let sentences: Vec<String> = sentences.filter(|sentence| !sentence.is_empty()).collect();
    format!(" {} ", sentences.join(" "))
}

/// Whether a sentence says that those who comment must log in.
fn is_of_comments(sentence: &str) -> bool {
    says(sentence, |marks| marks.unfit == Unfit::Login) && begins(sentence, &FOLDED_OF_COMMENTS)
}

/// Whether words have a sentence of these marks.
fn says(words: &str, which: fn(&Marks) -> bool) -> bool {
    let mut all = MARKS.iter().zip(FOLDED.iter()).filter(|(marks, _)| which(marks));
    all.any(|(_, sentences)| sentences.iter().any(|sentence| words.contains(sentence.as_str())))
}

/// Whether one of some words begins so.
fn begins(words: &str, stems: &[String]) -> bool {
    words.split(' ').any(|word| stems.iter().any(|stem| word.starts_with(stem.as_str())))
}

/// Whether a text says anything that tells of a page without an article.
pub(super) fn is_mark(text: &str) -> bool {
    says(&spaced(text), |_| true)
}

/// Whether a text says of an article that it is for subscribers.
pub(super) fn is_label(text: &str) -> bool {
    says(&spaced(text), is_of_part)
}

fn is_of_part(marks: &Marks) -> bool {
    matches!(marks.place, Place::Part)
}

/// The words of a text but for those that say so.
pub(super) fn without_labels(text: &str) -> String {
    let labels = MARKS.iter().zip(FOLDED.iter()).filter(|(marks, _)| is_of_part(marks));
    let labels = labels.flat_map(|(_, sentences)| sentences);
    labels.fold(spaced(text), |words, label| words.replace(label.as_str(), " "))
}

/// Whether a link of these words, to these addresses, leads to where one subscribes or logs in.
pub(super) fn is_offer(words: &str, targets: &[String]) -> bool {
    let leads = |target: &String| target.split(['/', '?', '#', '&', '=']).any(|word| place(word).is_some());
    begins(words, &FOLDED_OF_OFFERS) || targets.iter().any(leads)
}

/// More than this beside the sentences that ask for consent, in characters without white space, is an article.
const CONSENT_REST_CHARS_MAX: usize = 300;

/// Whether the page says of its article that it is not free, and shows little.
fn priced(page: &Page<'_>) -> Option<Unfit> {
    let short = page.text.chars().nth(PAYWALL_CHARS_MAX).is_none();
    (short && page.free == Some(false)).then_some(Unfit::Paywall)
}

/// The words of a text, folded, each between spaces.
pub(super) fn spaced(text: &str) -> String {
    format!(" {} ", folded(text))
}
