//! The sentences by which a page is known that shows something else in an article's place.

use std::sync::LazyLock;

use super::Unfit;
use super::marks::spaced;

/// Sentences that only stand on such a page, or beside an article that is not there in full.
pub(super) struct Marks {
    /// What such a page is.
    pub(super) unfit: Unfit,
    /// The longest text, in characters, beside which they count.
    pub(super) chars_max: usize,
    /// Where they count.
    pub(super) place: Place,
    sentences: &'static [&'static str],
}

/// Where in a page sentences count.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In its title and in what was taken for its article, or anywhere where hardly anything was: beside an article, the
    /// forms of a page say so, too.
    Page,
    /// In its title, in what was taken for its article, and in the part of the page that it stands in.
    Part,
    /// In its title and in what was taken for its article.
    Article,
    /// In its title: in articles they mean what they say.
    Title,
}

/// In the order in which they are asked.
pub(super) static MARKS: [Marks; 8] = [
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
    // What is embedded in an article says so of itself.
    Marks {
        unfit: Unfit::NotFound,
        chars_max: LITTLE_CHARS_MAX,
        place: Place::Article,
        sentences: &NOT_THERE,
    },
    Marks { unfit: Unfit::NotFound, chars_max: 1_000, place: Place::Title, sentences: &NOT_THERE },
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
            "respect de votre vie privée",
            "partenaires et nous-mêmes",
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
            "авторизуйтесь, чтобы",
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
            "la suite est réservée à nos abonnés",
            "contenu réservé aux abonnés",
            "abonnez-vous pour lire la suite",
            "de cet article à découvrir",
            "de cet article à lire",
            "материал доступен только подписчикам",
            "доступно только подписчикам",
            "оформите подписку, чтобы",
            "اشترك لقراءة",
            "اشترك لمتابعة القراءة",
            "هذا المحتوى خاص بالمشتركين",
        ],
    },
    // In the head, the foot and the lists of nearly every paper that has subscribers, and below what is free.
    Marks {
        unfit: Unfit::Paywall,
        chars_max: LITTLE_CHARS_MAX,
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

/// Sentences of a page that says that there is no article, or none now.
const NOT_THERE: [&str; 32] = [
    "page not found",
    "404 not found",
    "error 404",
    "page cannot be found",
    "page you requested could not be found",
    "page you are looking for",
    "could not find what you",
    "couldn't find what you",
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
    "site is under maintenance",
    "site is down for maintenance",
    "site is undergoing maintenance",
    "site is currently undergoing maintenance",
    "site en maintenance",
    "site est en maintenance",
    "site est actuellement en maintenance",
    "на сайте ведутся технические работы",
    "на сайте проводятся технические работы",
    "الموقع تحت الصيانة",
    "الموقع قيد الصيانة",
];

/// A text that is longer is no teaser.
pub(super) const PAYWALL_CHARS_MAX: usize = 2_000;

/// A text that is longer is no mere notice.
const LITTLE_CHARS_MAX: usize = 300;

/// Beside longer texts no words count.
pub(super) const LONGEST: usize = 2_000;

/// The sentences as words are compared.
pub(super) static FOLDED: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let fold = |sentences: &[&str]| sentences.iter().map(|sentence| spaced(sentence)).collect();
    MARKS.iter().map(|marks| fold(marks.sentences)).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sentence_counts_beside_a_long_text_and_each_says_something() {
        for (marks, sentences) in MARKS.iter().zip(FOLDED.iter()) {
            assert!(marks.chars_max <= LONGEST, "{}", marks.unfit);
            assert!(sentences.iter().all(|sentence| sentence.trim().contains(' ')), "{sentences:?}");
        }
    }
}
