//! How a page is known that shows something else in an article's place.
//!
//! Words alone prove little, since articles are written of paywalls and cookies too, and sites ask for consent beside
//! their articles. So words count where the text is short, and where a redirect led to tells more than any words.

use std::sync::LazyLock;

use url::Url;

use super::{Unfit, consent};
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

/// Sentences that only stand on such a page, or beside an article that is not there in full.
struct Marks {
    unfit: Unfit,
    /// The longest text, in characters, beside which they count.
    chars_max: usize,
    place: Place,
    sentences: &'static [&'static str],
}

/// Where in a page sentences count.
#[derive(Clone, Copy)]
enum Place {
    /// Anywhere.
    Page,
    /// In its title, in what was taken for its article, and in the part of the page that it stands in.
    Part,
    /// In its title and in what was taken for its article.
    Article,
    /// In its title: in articles they mean what they say.
    Title,
}

/// In the order in which they are asked.
const MARKS: [Marks; 7] = [
    Marks {
        unfit: Unfit::Challenge,
        chars_max: 1_000,
        place: Place::Page,
        sentences: &[
            "verify you are human",
            "verify that you are human",
            "checking your browser before",
            "enable javascript and cookies to continue",
            "unusual traffic from your computer",
            "vérifiez que vous êtes humain",
            "vous n'êtes pas un robot",
            "подтвердите, что вы не робот",
            "подтвердите, что вы человек",
            "проверка браузера",
            "تحقق من أنك إنسان",
            "تأكد من أنك لست روبوتا",
        ],
    },
    Marks {
        unfit: Unfit::NotFound,
        chars_max: 1_000,
        place: Place::Article,
        sentences: &[
            "page not found",
            "404 not found",
            "error 404",
            "page cannot be found",
            "page you requested could not be found",
            "page you are looking for",
            "page is no longer available",
            "article is no longer available",
            "page introuvable",
            "page non trouvée",
            "erreur 404",
            "cette page n'existe pas",
            "cette page n'existe plus",
            "страница не найдена",
            "страницы не существует",
            "ошибка 404",
            "الصفحة غير موجودة",
            "لم يتم العثور على الصفحة",
            "خطأ 404",
        ],
    },
    Marks {
        unfit: Unfit::NotFound,
        chars_max: 1_000,
        place: Place::Title,
        sentences: &["no longer available"],
    },
    Marks {
        unfit: Unfit::Consent,
        chars_max: 2_000,
        place: Place::Article,
        sentences: &[
            "before you continue",
            "we use cookies",
            "we value your privacy",
            "we and our partners",
            "accept all cookies",
            "nous et nos partenaires",
            "nous respectons votre vie privée",
            "nous utilisons des cookies",
            "continuer sans accepter",
            "accepter les cookies",
            "мы используем файлы cookie",
            "мы используем cookie",
            "использует файлы cookie",
            "نستخدم ملفات تعريف الارتباط",
            "يستخدم هذا الموقع ملفات تعريف الارتباط",
            "نحن وشركاؤنا",
        ],
    },
    Marks {
        unfit: Unfit::Login,
        chars_max: 1_000,
        place: Place::Article,
        sentences: &[
            "log in to continue",
            "sign in to continue",
            "you must be logged in",
            "please log in",
            "connectez-vous pour continuer",
            "identifiez-vous pour",
            "vous devez être connecté",
            "войдите, чтобы продолжить",
            "необходимо авторизоваться",
            "سجل الدخول للمتابعة",
            "يرجى تسجيل الدخول",
            "يجب تسجيل الدخول",
        ],
    },
    Marks {
        unfit: Unfit::Paywall,
        chars_max: PAYWALL_CHARS_MAX,
        // Lists of headlines say so of each that it holds for.
        place: Place::Part,
        sentences: &[
            "subscribe to continue reading",
            "subscribe to read the full",
            "subscribe to keep reading",
            "to continue reading this article",
            "this article is for subscribers",
            "this content is for subscribers",
            "cet article est réservé aux abonnés",
            "cet article est réservé à nos abonnés",
            "article réservé aux abonnés",
            "la suite est réservée aux abonnés",
            "contenu réservé aux abonnés",
            "abonnez-vous pour lire la suite",
            "de cet article à découvrir",
            "материал доступен только подписчикам",
            "доступно только подписчикам",
            "оформите подписку, чтобы",
            "اشترك لقراءة",
            "اشترك لمتابعة القراءة",
            "هذا المحتوى خاص بالمشتركين",
        ],
    },
    // In the head, the foot and the lists of nearly every paper that has subscribers.
    Marks {
        unfit: Unfit::Paywall,
        chars_max: PAYWALL_CHARS_MAX,
        place: Place::Article,
        sentences: &[
            "exclusive to subscribers",
            "already a subscriber",
            "pour lire la suite",
            "только для подписчиков",
            "чтобы читать дальше",
            "للمشتركين فقط",
        ],
    },
];

/// Sentences of an article that is still to be written.
const STUBS: [&str; 20] = [
    "more follows",
    "more to follow",
    "more details to follow",
    "more details soon",
    "more soon",
    "this is a breaking news story",
    "this is a developing story",
    "this story is being updated",
    "plus d'informations à venir",
    "plus d'informations à suivre",
    "plus de détails à venir",
    "plus d'infos à suivre",
    "article en cours de rédaction",
    "подробности позже",
    "подробности следуют",
    "новость дополняется",
    "материал дополняется",
    "التفاصيل لاحقا",
    "المزيد من التفاصيل قريبا",
    "خبر عاجل يتبع",
];

/// A text that is longer says what there is.
const STUB_CHARS_MAX: usize = 1_000;

static FOLDED_STUBS: LazyLock<Vec<String>> =
    LazyLock::new(|| STUBS.iter().map(|sentence| spaced(sentence)).collect());

/// Whether the text of an article is short and promises more.
pub fn is_stub(text: &str) -> bool {
    if text.chars().nth(STUB_CHARS_MAX).is_some() {
        return false;
    }
    let text = spaced(text);
    FOLDED_STUBS.iter().any(|sentence| text.contains(sentence.as_str()))
}

/// A text that is longer is no teaser.
const PAYWALL_CHARS_MAX: usize = 2_000;

/// Words in an address that redirects lead to.
const PLACES: [(Unfit, &[&str]); 3] = [
    (Unfit::Consent, &["consent", "cookie-consent", "privacy-consent", "guce", "cmp"]),
    (Unfit::Login, &["login", "signin", "sign-in", "log-in", "sso", "auth", "connexion", "accounts"]),
    (Unfit::Paywall, &["subscribe", "subscription", "abonnement", "abonnez-vous", "abo", "paywall"]),
];

/// The sentences as words are compared.
static FOLDED: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let fold = |sentences: &[&str]| sentences.iter().map(|sentence| spaced(sentence)).collect();
    MARKS.iter().map(|marks| fold(marks.sentences)).collect()
});

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
    let told = |word: &str| {
        let names = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        PLACES.iter().find(|(_, known)| names(known)).map(|(unfit, _)| *unfit)
    };
    words.find_map(told).or_else(|| front.then_some(Unfit::NotFound))
}

/// What the words of the page say.
fn said(page: &Page<'_>) -> Option<Unfit> {
    let chars = page.text.chars().take(LONGEST + 1).count();
    if chars > LONGEST {
        return None;
    }
    let whole = linked::plain(page.html);
    let (title, main, all) =
        (spaced(page.title), spaced(&[page.title, page.text].join("\n")), spaced(&whole));
    // What stands beside an article that is free speaks of another.
    let beside = if page.free == Some(true) { "" } else { page.part };
    let part = spaced(&[page.title, page.text, beside].join("\n"));
    let is_article = consent::rest(page.text) > CONSENT_REST_CHARS_MAX;
    // Where no article was found, the page is all there is.
    let main = if page.text.is_empty() { &all } else { &main };
    let holds = |marks: &Marks, sentences: &[String]| {
        let text = match marks.place {
            Place::Page => &all,
            Place::Part => &part,
            Place::Article => main,
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

/// Whether a text says of an article that it is for subscribers.
pub(super) fn is_label(text: &str) -> bool {
    let text = spaced(text);
    let is_one = |sentences: &Vec<String>| sentences.iter().any(|sentence| text.contains(sentence.as_str()));
    MARKS
        .iter()
        .zip(FOLDED.iter())
        .any(|(marks, sentences)| matches!(marks.place, Place::Part) && is_one(sentences))
}

/// Beside longer texts no words count.
const LONGEST: usize = 2_000;

/// More than this beside the sentences that ask for consent, in characters without white space, is an article.
const CONSENT_REST_CHARS_MAX: usize = 300;

/// Whether the page says of its article that it is not free, and shows little.
fn priced(page: &Page<'_>) -> Option<Unfit> {
    let short = page.text.chars().nth(PAYWALL_CHARS_MAX).is_none();
    (short && page.free == Some(false)).then_some(Unfit::Paywall)
}

/// The words of a text, folded, each between spaces.
fn spaced(text: &str) -> String {
    format!(" {} ", folded(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_promises_more_is_a_stub_where_it_is_short() {
        for (text, expected) in [
            ("Explosion heard in Bamako. More follows shortly.", true),
            ("Explosion à Bamako. Plus d’informations à suivre…", true),
            ("Взрыв в Бамако. Подробности позже", true),
            ("انفجار في باماكو، التفاصيل لاحقاً", true),
            ("What follows more than a year of siege is unknown.", false),
        ] {
            assert_eq!(is_stub(text), expected, "{text}");
        }
        assert!(!is_stub(&format!("{} More follows.", "Gao. ".repeat(300))));
    }

    #[test]
    fn no_sentence_counts_beside_a_long_text_and_each_says_something() {
        for (marks, sentences) in MARKS.iter().zip(FOLDED.iter()) {
            assert!(marks.chars_max <= LONGEST, "{}", marks.unfit);
            assert!(sentences.iter().all(|sentence| sentence.trim().contains(' ')), "{sentences:?}");
        }
    }
}
