//! How the text of an article is known that is still to be written.

use std::sync::LazyLock;

use super::marks::spaced;

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

/// The same as words are compared.
static FOLDED: LazyLock<Vec<String>> =
    LazyLock::new(|| STUBS.iter().map(|sentence| spaced(sentence)).collect());

/// Whether the text of an article is short and promises more.
pub fn is_stub(text: &str) -> bool {
    if text.chars().nth(STUB_CHARS_MAX).is_some() {
        return false;
    }
    let text = spaced(text);
    FOLDED.iter().any(|sentence| text.contains(sentence.as_str()))
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
}
