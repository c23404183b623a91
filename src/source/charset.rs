//! From bytes to text: which charset a document is in.
//!
//! Asked in this order: the byte order mark, bytes that are UTF-8 whatever they are said to be, the HTTP
//! header, the document's own declaration, and last what the bytes look like, weighed with the language of the
//! source. Text in another charset is practically never valid UTF-8, so validity is a better witness than
//! either label, also where a few places are broken (a text that was cut inside a character); both lie often. Where
//! header and declaration name two single-byte charsets, of which any bytes can be, the one that reads them as they look
//! wins. Text that went through a wrong charset before is mended by [`twice`].

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Encoding, IBM866, ISO_2022_JP, ISO_8859_5, ISO_8859_6, KOI8_R, KOI8_U, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1251, WINDOWS_1252, WINDOWS_1256,
};

use super::twice;

/// How far into a document its declaration of a charset is looked for, in bytes.
const DECLARATION_BYTES_MAX: usize = 1024;

/// Of how many bytes, from the first outside ASCII on, a charset is guessed.
const SAMPLE_BYTES_MAX: usize = 256 * 1024;

/// Characters of several bytes for each broken place, from which on bytes are UTF-8 although a label says otherwise.
const WHOLE_FOR_BROKEN: usize = 4;

/// Broken places after which a text is no UTF-8, unless it has had as many characters of several bytes.
const BROKEN_ENOUGH: usize = 512;

/// A document as text.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// The text, without byte order mark.
    pub(super) text: Cow<'a, str>,
    /// What was wrong with the charset, if anything.
    pub(super) flaw: Option<String>,
}

/// Decodes `bytes`; what does not fit the charset becomes U+FFFD and is told. Text that was encoded twice is mended.
pub(super) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, lang: Option<&str>) -> Decoded<'a> {
    let decoded = once(bytes, content_type, lang);
    let Some(mended) = twice::mend(&decoded.text) else { return decoded };
    let told = format!("{} pieces of text were encoded twice, through {}", mended.pieces, mended.through);
    let flaw = match decoded.flaw {
        Some(flaw) => format!("{flaw}; {told}"),
        None => told,
    };
    Decoded { text: Cow::Owned(mended.text), flaw: Some(flaw) }
}

fn once<'a>(bytes: &'a [u8], content_type: Option<&str>, lang: Option<&str>) -> Decoded<'a> {
    // Before UTF-16, whose mark that of one order begins with.
    if let Some((text, order)) = widest(bytes) {
        return utf32(text, order);
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return with(encoding, bytes, None);
    }
    if let Some(encoding) = wide(bytes) {
        return with(encoding, bytes, None);
    }
    let labels = [content_type.and_then(label_of_header), declared(bytes)];
    let encodings = labels.iter().flatten().filter_map(|label| Encoding::for_label(label.as_bytes()));
    let named = encodings.clone().next();
    // Text in ISO-2022-JP is ASCII as it looks.
    if (named != Some(ISO_2022_JP) || !bytes.is_ascii())
        && let Ok(text) = simdutf8::basic::from_utf8(bytes)
    {
        let lie = named.filter(|&named| named != UTF_8 && !text.is_ascii());
        let flaw = lie.map(|named| format!("said to be {}, is UTF-8", named.name()));
        return Decoded { text: Cow::Borrowed(text), flaw };
    }
    // The bytes are not UTF-8: of the labels, the first that says so too.
    let fits = |named: &&'static Encoding| *named != UTF_8 && *named != UTF_16LE && *named != UTF_16BE;
    let mut fitting = encodings.filter(fits);
    let (whole, broken) = utf8_places(bytes);
    match (fitting.next(), fitting.next()) {
        (Some(label), _) if broken > 0 && whole >= broken * WHOLE_FOR_BROKEN => patched(bytes, label, broken),
        (Some(header), Some(own)) if header != own && header.is_single_byte() && own.is_single_byte() => {
            let likely = likelier(bytes, header, own, lang);
            let said = format!("said to be {} and {}", header.name(), own.name());
            with(likely, bytes, Some(format!("{said}, read as {}", likely.name())))
        }
        (Some(other), _) => with(other, bytes, None),
        (None, _) if whole > broken => with(UTF_8, bytes, None),
        (None, _) => {
            let guess = guess(bytes, lang);
            let said = named.map_or("nothing", Encoding::name);
            with(guess, bytes, Some(format!("said to be {said}, read as {}", guess.name())))
        }
    }
}

/// Decodes in one charset; an unfit byte is a flaw of its own.
fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8], flaw: Option<String>) -> Decoded<'a> {
    let (text, used, unfit) = encoding.decode(bytes);
    let flaw = flaw.or_else(|| unfit.then(|| format!("some bytes are not {}", used.name())));
    Decoded { text, flaw }
}

/// UTF-16 without a mark, known by its first two characters.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, b'<' | b'{', 0, _, ..] => Some(UTF_16BE),
        [b'<' | b'{', 0, _, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

/// How four bytes are a character.
type Order = fn([u8; 4]) -> u32;

/// UTF-32, with its mark or known by its first character: the text behind the mark and the order of its bytes. What it
/// says of its charset needs no reading then. In UTF-16 such beginnings would be a NUL, which no document has.
fn widest(bytes: &[u8]) -> Option<(&[u8], Order)> {
    match bytes {
        [0, 0, 0xfe, 0xff, text @ ..] => Some((text, u32::from_be_bytes)),
        [0xff, 0xfe, 0, 0, text @ ..] => Some((text, u32::from_le_bytes)),
        [0, 0, 0, b'<' | b'{', ..] => Some((bytes, u32::from_be_bytes)),
        [b'<' | b'{', 0, 0, 0, ..] => Some((bytes, u32::from_le_bytes)),
        _ => None,
    }
}

/// Decodes UTF-32, which is none of the charsets of the web.
fn utf32(bytes: &[u8], order: Order) -> Decoded<'static> {
    let (whole, rest) = bytes.as_chunks();
    let characters = whole.iter().map(|four| char::from_u32(order(*four)));
    let cut = (!rest.is_empty()).then_some(None);
    let mut unfit = false;
    let text = characters.chain(cut).map(|character| {
        unfit |= character.is_none();
        character.unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    let text = Cow::Owned(text.collect());
    Decoded { text, flaw: unfit.then(|| "some bytes are not UTF-32".to_owned()) }
}

/// The charset parameter of a `Content-Type`.
fn label_of_header(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    })
}

/// The charset a document claims for itself: the XML declaration or an HTML `meta`.
fn declared(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.trim_ascii_start();
    let head = bytes.get(..DECLARATION_BYTES_MAX).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    ["encoding", "charset"].into_iter().find_map(|word| {
        head.split(word).skip(1).find_map(|after| {
            let value = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
            let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | ':' | '.'));
            let label = value.get(..end.unwrap_or(value.len()))?;
            (!label.is_empty()).then(|| label.to_owned())
        })
    })
}

/// How many characters of several bytes a text has that is read as UTF-8, and how many broken places, as far as it takes
/// to tell.
fn utf8_places(bytes: &[u8]) -> (usize, usize) {
    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        if broken >= BROKEN_ENOUGH && whole < broken {
            break;
        }
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    (whole, broken)
}

/// Decodes as UTF-8, and each broken place in the charset that the label names: it may come from an older text.
fn patched(bytes: &[u8], label: &'static Encoding, broken: usize) -> Decoded<'static> {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&label.decode_without_bom_handling(chunk.invalid()).0);
    }
    let flaw = format!("said to be {}, is UTF-8 but for {broken} of its characters", label.name());
    Decoded { text: Cow::Owned(text), flaw: Some(flaw) }
}

/// Of two single-byte charsets the one in which a text has more letters as it looks; the first when they are as good.
///
/// A server's default for all its files (`ISO-8859-1`) stands against what the author of one of them wrote.
fn likelier(
    bytes: &[u8],
    first: &'static Encoding,
    second: &'static Encoding,
    lang: Option<&str>,
) -> &'static Encoding {
    let upper: Vec<u8> = (0x80..=0xFF).collect();
    let [likely, one, other] = [guess(bytes, lang), first, second]
        .map(|encoding| encoding.decode_without_bom_handling(&upper).0.chars().collect::<Vec<char>>());
    let mut counts = [0_usize; 128];
    for byte in sample(bytes) {
        if let Some(count) = byte.checked_sub(0x80).and_then(|place| counts.get_mut(usize::from(place))) {
            *count += 1;
        }
    }
    let alike = |table: &[char]| -> usize {
        let letters = counts.iter().zip(likely.iter().zip(table));
        letters
            .filter(|(_, (likely, here))| likely == here && likely.is_alphabetic())
            .map(|(count, _)| count)
            .sum()
    };
    if alike(&other) > alike(&one) { second } else { first }
}

/// The bytes by which a charset is guessed.
fn sample(bytes: &[u8]) -> &[u8] {
    let telling =
        bytes.iter().position(|byte| !byte.is_ascii()).and_then(|at| bytes.get(at..)).unwrap_or(bytes);
    telling.get(..SAMPLE_BYTES_MAX).unwrap_or(telling)
}

/// The charset of a text that nobody names: as it looks, among those in which its language is written.
fn guess(bytes: &[u8], lang: Option<&str>) -> &'static Encoding {
    let lang = lang.map(primary);
    // The detector knows lands by their domains; a language says as much about the charsets in use.
    let (hint, script): (Option<&[u8]>, &[&'static Encoding]) = match lang.as_deref() {
        Some("ru" | "bg" | "sr" | "mk" | "be") => {
            (Some(b"ru"), &[WINDOWS_1251, KOI8_R, KOI8_U, IBM866, ISO_8859_5])
        }
        Some("uk") => (Some(b"ua"), &[WINDOWS_1251, KOI8_U, KOI8_R, IBM866, ISO_8859_5]),
        Some("ar" | "fa" | "ur") => (Some(b"eg"), &[WINDOWS_1256, ISO_8859_6]),
        Some("fr" | "en" | "de" | "es" | "it" | "pt" | "nl") => (Some(b"fr"), &[WINDOWS_1252]),
        Some(_) | None => (None, &[]),
    };
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample(bytes), true);
    let seen = detector.guess(hint, Utf8Detection::Deny);
    match script.first() {
        Some(usual) if !script.contains(&seen) => usual,
        Some(_) | None => seen,
    }
}

/// The primary part of a language tag, in lower case (`fr-FR` is `fr`).
pub(super) fn primary(tag: &str) -> String {
    tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Charsets with texts that are written in them.
    const TEXTS: [(&[&str], &str); 11] = [
        (
            &["windows-1251", "koi8-r", "koi8-u", "iso-8859-5", "ibm866", "x-mac-cyrillic"],
            "Вагнер уходит из Мали: что известно о колонне, по которой стреляли у Кидаля. Р. С. Иванов, МИД: СВО",
        ),
        (&["windows-1256", "iso-8859-6"], "انسحاب فاغنر من مالي بعد هجوم على قافلة، قرب كيدال؛ ماذا حدث؟"),
        (
            &["windows-1252", "iso-8859-1", "iso-8859-15", "macintosh", "windows-1254", "windows-1258"],
            "Opération à Ménaka : l'armée «progresse» déjà, été décisif à Gao où naît l'espoir",
        ),
        (&["windows-1250", "iso-8859-2", "iso-8859-16"], "Żołnierze w Mali: żądają wyjaśnień, śledztwo trwa"),
        (&["windows-1253", "iso-8859-7"], "Επίθεση στο Μάλι: τι είναι γνωστό για τη φάλαγγα, όχι άλλη ώρα"),
        (&["windows-1255", "iso-8859-8"], "מתקפה על שיירה במאלי: מה ידוע עד כה"),
        (&["windows-874"], "การโจมตีขบวนรถในมาลี ทหารเสียชีวิตหลายนายที่เมืองกาว"),
        (&["gbk", "gb18030"], "马里车队遇袭,数十名士兵死亡,瓦格纳撤出基达尔,政府称局势已得到控制"),
        (&["big5"], "馬里車隊遇襲,數十名士兵死亡,瓦格納撤出基達爾,政府稱局勢已得到控制"),
        (&["shift_jis", "euc-jp", "iso-2022-jp"], "マリで車列が襲撃され、兵士数十人が死亡した。ガオ近郊"),
        (&["euc-kr"], "말리에서 호송대가 공격을 받아 병사 수십 명이 숨졌다"),
    ];

    fn encoding(label: &str) -> &'static Encoding {
        Encoding::for_label(label.as_bytes()).unwrap()
    }

    fn feed(label: &str, text: &str) -> String {
        format!("<?xml version='1.0' encoding='{label}'?><rss><title>{text}</title></rss>")
    }

    #[test]
    fn a_text_is_read_in_its_charset_and_cut_utf8_under_any_label_is_utf8() {
        let labels = || TEXTS.iter().flat_map(|(labels, _)| *labels);
        for (label, text) in
            TEXTS.iter().flat_map(|(labels, text)| labels.iter().map(move |label| (label, text)))
        {
            let feed = feed(label, text);
            let (bytes, _, unmappable) = encoding(label).encode(&feed);
            assert!(!unmappable, "{label}: {text}");
            let decoded = decode(&bytes, None, None);
            assert_eq!((&*decoded.text, decoded.flaw), (&*feed, None), "{label}");
        }
        for (label, (_, text)) in labels().flat_map(|label| TEXTS.iter().map(move |text| (label, text))) {
            let feed = feed(label, text);
            let mut bytes = feed.clone().into_bytes();
            let last = text.chars().next_back().unwrap();
            let cut = bytes.len() - "</title></rss>".len();
            bytes.splice(cut..cut, *b"\xC3...");
            let decoded = decode(&bytes, None, None);
            assert!(decoded.text.contains(text), "{label}: {last} {}", decoded.text);
            let flaw = decoded.flaw.unwrap();
            assert!(flaw.ends_with("is UTF-8 but for 1 of its characters"), "{label}: {flaw}");
        }
    }

    #[test]
    fn an_older_text_in_a_newer_document_is_read_by_its_label() {
        let bytes = [feed("iso-8859-1", "Opération à Ménaka, été").as_bytes(), b"M\xE9naka"].concat();
        let decoded = decode(&bytes, None, None).text;
        assert!(decoded.contains("Opération à Ménaka, été") && decoded.ends_with("Ménaka"), "{decoded}");
    }

    proptest! {
        /// Words of the texts in any order, in any number.
        #[test]
        fn no_text_in_another_charset_is_taken_for_utf8(
            (label, words) in prop::sample::select(&TEXTS[..]).prop_flat_map(|(labels, text)| {
                let words: Vec<&str> = text.split([' ', ',']).collect();
                (prop::sample::select(labels), prop::collection::vec(prop::sample::select(words), 3..40))
            }),
        ) {
            let text = feed(label, &words.join(" "));
            let bytes = encoding(label).encode(&text).0;
            prop_assume!(bytes.is_ascii() || std::str::from_utf8(&bytes).is_err());
            let decoded = decode(&bytes, None, None);
            prop_assert_eq!((&*decoded.text, decoded.flaw), (&*text, None));
        }
    }

    fn text(bytes: &[u8], content_type: Option<&str>, lang: Option<&str>) -> (String, bool) {
        let decoded = decode(bytes, content_type, lang);
        (decoded.text.into_owned(), decoded.flaw.is_some())
    }

    #[test]
    fn labels_are_believed_only_as_far_as_the_bytes_bear_them_out() {
        let russian = WINDOWS_1251.encode("<p>ЧВК «Вагнер» в Мали</p>").0.into_owned();
        let french = WINDOWS_1252.encode("<p>Opération à Ménaka</p>").0.into_owned();
        for (name, bytes, header, lang, expected, flawed) in [
            (
                "named in the header",
                &russian,
                Some("text/html; charset=\"windows-1251\""),
                None,
                "Вагнер",
                false,
            ),
            ("unnamed, by language", &russian, None, Some("ru-RU"), "Вагнер", true),
            ("said to be UTF-8", &french, Some("text/xml; charset=utf-8"), None, "Opération", true),
            (
                "UTF-8 said to be Latin-1",
                &"<p>Opération".into(),
                Some("a; charset=ISO-8859-1"),
                None,
                "Opération",
                true,
            ),
            ("UTF-8 said to be UTF-16", &"<p>Gao</p>".into(), Some("a; charset=utf-16"), None, "Gao", false),
        ] {
            let (text, flaw) = text(bytes, header, lang);
            assert!(text.contains(expected), "{name}: {text}");
            assert_eq!(flaw, flawed, "{name}");
        }
    }

    #[test]
    fn a_declaration_in_the_document_counts() {
        let mut bytes = b"<?xml version='1.0' encoding='windows-1251'?><rss>".to_vec();
        bytes.extend_from_slice(&WINDOWS_1251.encode("Мали").0);
        assert!(text(&bytes, None, None).0.contains("Мали"));
        let mut bytes = b"<html><meta charset=koi8-r>".to_vec();
        bytes.extend_from_slice(&encoding_rs::KOI8_R.encode("Мали").0);
        assert!(text(&bytes, None, None).0.contains("Мали"));
    }

    #[test]
    fn of_two_charsets_the_one_that_reads_like_words_wins() {
        let russian = "Вагнер уходит из Мали: что известно о колонне";
        let french = "Opération à Ménaka : l’armée «progresse», été décisif";
        for (own, text, header, lang, expected) in [
            ("windows-1251", russian, "iso-8859-1", Some("ru"), "windows-1251"),
            ("windows-1251", russian, "iso-8859-1", None, "windows-1251"),
            ("koi8-r", russian, "windows-1251", Some("ru"), "koi8-r"),
            ("koi8-r", russian, "windows-1252", None, "koi8-r"),
            (
                "windows-1256",
                "انسحاب فاغنر من مالي بعد هجوم على قافلة",
                "iso-8859-1",
                Some("ar"),
                "windows-1256",
            ),
            // The declaration lies, not the header.
            ("windows-1251", french, "windows-1252", Some("fr"), "windows-1252"),
            ("iso-8859-2", french, "iso-8859-1", None, "windows-1252"),
        ] {
            let encoding = Encoding::for_label(expected.as_bytes()).unwrap();
            let feed = format!("<?xml version='1.0' encoding='{own}'?><rss>{text}</rss>");
            let (decoded, flaw) =
                self::text(&encoding.encode(&feed).0, Some(&format!("text/xml; charset={header}")), lang);
            assert_eq!((decoded.contains(text), flaw), (true, true), "{header}, {own}: {decoded}");
        }
        // Two names of one charset are no dispute.
        let bytes = WINDOWS_1252.encode("<?xml version='1.0' encoding='windows-1252'?>été").0;
        assert!(!text(&bytes, Some("text/xml; charset=iso-8859-1"), None).1);
    }

    #[test]
    fn a_header_that_the_bytes_refute_gives_way_to_the_document() {
        let bytes = WINDOWS_1251.encode("<?xml version='1.0' encoding='windows-1251'?>Мали").0;
        assert!(text(&bytes, Some("text/xml; charset=utf-8"), None).0.contains("Мали"));
    }

    #[test]
    fn sixteen_bit_text_is_read_with_and_without_its_mark() {
        for mark in ["", "\u{feff}"] {
            let text: Vec<u16> = format!("{mark}<rss>é</rss>").encode_utf16().collect();
            let big: Vec<u8> = text.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            let little: Vec<u8> = text.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            assert_eq!(decode(&big, None, None).text, "<rss>é</rss>");
            assert_eq!(decode(&little, None, None).text, "<rss>é</rss>");
        }
    }

    #[test]
    fn text_of_four_bytes_a_character_is_read_with_and_without_its_mark() {
        let document = "<?xml version=\"1.0\" encoding=\"utf-32be\"?><rss>Gao 𐎠é</rss>";
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{document}");
            let big: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
            let little: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
            for bytes in [big, little] {
                let decoded = decode(&bytes, Some("text/xml; charset=utf-16"), None);
                assert_eq!((&*decoded.text, decoded.flaw), (document, None), "{mark:?}");
                let cut = decode(&bytes[..bytes.len() - 2], None, None);
                assert!(cut.text.ends_with("</rss\u{fffd}") && cut.flaw.is_some(), "{}", cut.text);
            }
        }
        let surrogate = [0, 0, 0xfe, 0xff, 0, 0, 0xd8, 0, 0, 0, 0, b'x'];
        assert_eq!(decode(&surrogate, None, None).text, "\u{fffd}x");
    }

    #[test]
    fn a_broken_byte_in_utf8_is_told_and_costs_itself_alone() {
        let (text, flaw) = text(b"<p>Op\xC3\xA9ration \xC3\xA0 M\xFFnaka</p>", None, None);
        assert_eq!(text, "<p>Opération à M\u{fffd}naka</p>");
        assert!(flaw);
    }
}
