//! What months, zones and halves of the day are called.

use jiff::tz::{Offset, TimeZone};
use unicode_normalization::UnicodeNormalization as _;

/// Month names by their beginnings in English, French, German, Spanish, Italian, Portuguese and Russian. Longer
/// beginnings come first where a shorter one would take them.
const MONTHS: [(&str, i8); 48] = [
    ("jan", 1),
    ("gen", 1),
    ("ene", 1),
    ("янв", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("фев", 2),
    ("mar", 3),
    ("mär", 3),
    ("мар", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("апр", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("мая", 5),
    ("май", 5),
    ("juin", 6),
    ("jun", 6),
    ("giu", 6),
    ("июн", 6),
    ("jui", 7),
    ("jul", 7),
    ("lug", 7),
    ("июл", 7),
    ("aug", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("авг", 8),
    ("sep", 9),
    ("set", 9),
    ("сен", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
    ("out", 10),
    ("окт", 10),
    ("nov", 11),
    ("ноя", 11),
    ("dec", 12),
    ("déc", 12),
    ("dez", 12),
    ("dic", 12),
    ("дек", 12),
];

/// Arabic month names as [`folded`] writes them: the Levantine set, the Egyptian, the Maghrebi and the Moroccan.
const ARABIC_MONTHS: [(&str, i8); 36] = [
    ("شباط", 2),
    ("اذار", 3),
    ("نيسان", 4),
    ("ايار", 5),
    ("حزيران", 6),
    ("تموز", 7),
    ("اب", 8),
    ("ايلول", 9),
    ("يناير", 1),
    ("فبراير", 2),
    ("مارس", 3),
    ("ابريل", 4),
    ("مايو", 5),
    ("يونيو", 6),
    ("يونيه", 6),
    ("يوليو", 7),
    ("يوليه", 7),
    ("اغسطس", 8),
    ("سبتمبر", 9),
    ("اكتوبر", 10),
    ("نوفمبر", 11),
    ("ديسمبر", 12),
    ("جانفي", 1),
    ("فيفري", 2),
    ("افريل", 4),
    ("ماي", 5),
    ("جوان", 6),
    ("جويلية", 7),
    ("جويليه", 7),
    ("اوت", 8),
    ("يوليوز", 7),
    ("غشت", 8),
    ("شتنبر", 9),
    ("نونبر", 11),
    ("دجنبر", 12),
    ("دسمبر", 12),
];

/// Arabic months of two words as [`folded`] writes them, with the names that the Egyptian set has for the first and the
/// second of that name.
const TWO_WORDS: [(&str, &str, &str); 2] = [("كانون", "ديسمبر", "يناير"), ("تشرين", "اكتوبر", "نوفمبر")];

/// How first and second are written behind them. Longer words come first where a shorter one would take them.
const FIRST: [&str; 2] = ["الاول", "اول"];
const SECOND: [&str; 5] = ["الثاني", "الثانى", "ثاني", "ثانى", "ثان"];

/// Zone abbreviations in use by publishers, as minutes from UTC. Those with several meanings (IST, AST) are left
/// out, CST and EST have the meaning of RFC 2822.
const ZONES: [(&str, i32); 43] = [
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WET", 0),
    ("WAT", 60),
    ("CET", 60),
    ("MEZ", 60),
    ("BST", 60),
    ("WEST", 60),
    ("CAT", 120),
    ("EET", 120),
    ("CEST", 120),
    ("MESZ", 120),
    ("SAST", 120),
    ("EAT", 180),
    ("MSK", 180),
    ("МСК", 180),
    ("EEST", 180),
    ("TRT", 180),
    ("MSD", 240),
    ("PKT", 300),
    ("WIB", 420),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("ACDT", 630),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("BRT", -180),
    ("EDT", -240),
    ("EST", -300),
    ("CDT", -300),
    ("CST", -360),
    ("MDT", -360),
    ("MST", -420),
    ("PDT", -420),
    ("PST", -480),
];

/// Zones of North America by letters that say nothing of winter and summer: their rules since 2007.
const PREVAILING: [(&str, &str); 4] = [
    ("ET", "EST5EDT,M3.2.0,M11.1.0"),
    ("CT", "CST6CDT,M3.2.0,M11.1.0"),
    ("MT", "MST7MDT,M3.2.0,M11.1.0"),
    ("PT", "PST8PDT,M3.2.0,M11.1.0"),
];

/// Words that end a time of the morning and of the afternoon.
const MORNING: [&str; 4] = ["am", "a.m", "ص", "صباحا"];
const AFTERNOON: [&str; 4] = ["pm", "p.m", "م", "مساء"];

/// A month by its name, and whether the word can be nothing else.
pub(super) enum Month {
    Sure(i8),
    /// `mar` is March, and Tuesday in French, Italian and Spanish.
    OrWeekday(i8),
}

/// The month that a word in lower case names.
pub(super) fn month(word: &str) -> Option<Month> {
    if let Some(&(_, month)) = ARABIC_MONTHS.iter().find(|(name, _)| *name == word) {
        return Some(Month::Sure(month));
    }
    // They begin like months and are none.
    if ["mardi", "martes", "martedì", "martedi"].contains(&word) {
        return None;
    }
    let &(name, month) = MONTHS.iter().find(|(name, _)| word.starts_with(name))?;
    Some(if word == "mar" && name == "mar" { Month::OrWeekday(month) } else { Month::Sure(month) })
}

/// Whether a word in lower case says that a time is after noon; `None` when it says nothing of it.
pub(super) fn after_noon(word: &str) -> Option<bool> {
    if AFTERNOON.contains(&word) {
        return Some(true);
    }
    MORNING.contains(&word).then_some(false)
}

/// A zone: an abbreviation, `+0200`, `-05:00`, `GMT+0200`.
pub(super) fn zone(word: &str) -> Option<Offset> {
    let upper = word.to_uppercase();
    if let Some(&(_, minutes)) = ZONES.iter().find(|(name, _)| *name == upper) {
        return Offset::from_seconds(minutes * 60).ok();
    }
    let number = ["GMT", "UTC"].iter().find_map(|name| upper.strip_prefix(name)).unwrap_or(&upper);
    let (sign, number) = match number.strip_prefix('+') {
        Some(number) => (1, number),
        None => (-1, number.strip_prefix(['-', '−'])?),
    };
    let digits: String = number.chars().filter(|&c| c != ':').collect();
    if digits.len() > 4 || digits.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    let value: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 { (value, 0) } else { (value / 100, value % 100) };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// The zone that stands behind a time in capitals: `10:15 PM ET`. In small letters `et` is a word of French.
pub(super) fn prevailing(text: &str) -> Option<TimeZone> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let (_, rule) = words.windows(2).find_map(|pair| {
        let [before, zone] = pair else { return None };
        let ends_time = before.ends_with(|c: char| c.is_ascii_digit() || matches!(c, 'm' | 'M'));
        PREVAILING.iter().find(|(name, _)| ends_time && name == zone)
    })?;
    TimeZone::posix(rule).ok()
}

/// Lower case, with whole letters for those in pieces, ASCII digits for those of Arabic and Persian, one form of alef, and
/// without marks that are not seen; the two words of a Levantine month are joined by the name of the Egyptian set.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfc().flat_map(char::to_lowercase) {
        match c {
            '٠'..='٩' | '۰'..='۹' => {
                let digit = u32::from(c) & 0xF;
                folded.extend(char::from_digit(digit, 10));
            }
            'أ' | 'إ' | 'آ' => folded.push('ا'),
            '،' => folded.push(','),
            '’' => folded.push('\''),
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{64b}'..='\u{652}' => {}
            c if c.is_whitespace() => folded.push(' '),
            c => folded.push(c),
        }
    }
    for (name, first, second) in TWO_WORDS {
        if !folded.contains(name) {
            continue;
        }
        for (ordinals, short) in [(&FIRST[..], first), (&SECOND[..], second)] {
            for ordinal in ordinals {
                folded = folded.replace(&format!("{name} {ordinal}"), short);
            }
        }
    }
    folded
}
