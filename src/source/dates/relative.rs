//! Dates that pages give by their distance from now: `2 hours ago`, `hier à 14h05`, `منذ ساعتين`.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::{Clock, clock, words};

/// Greatest number of seconds back that is believed: a hundred years.
const SECONDS_MAX: i64 = 100 * 365 * DAY;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Phrases for the past that stand before the distance.
const BEFORE: [&str; 6] = ["il y a", "منذ", "قبل", "vor", "hace", "há"];

/// Phrases for the past that stand behind it.
const BEHIND: [&str; 3] = ["ago", "назад", "fa"];

/// Words for one, as far as they stand before units.
const ONE: [&str; 13] =
    ["a", "an", "one", "un", "une", "uno", "una", "um", "uma", "ein", "eine", "einem", "einer"];

/// Words between two parts of one distance.
const AND: [&str; 6] = ["and", "et", "und", "и", "و", "y"];

/// Units by the beginnings of their names, in seconds. Longer beginnings come first where a shorter one would take
/// them.
const UNITS: [(&str, i64); 44] = [
    ("sec", 1),
    ("sek", 1),
    ("seg", 1),
    ("сек", 1),
    ("ثاني", 1),
    ("ثواني", 1),
    ("ثوان", 1),
    ("minut", 60),
    ("min", 60),
    ("мин", 60),
    ("دقيق", 60),
    ("دقائق", 60),
    ("hour", 3600),
    ("heure", 3600),
    ("hr", 3600),
    ("stunde", 3600),
    ("hora", 3600),
    ("час", 3600),
    ("ساع", 3600),
    ("day", DAY),
    ("jour", DAY),
    ("tag", DAY),
    ("día", DAY),
    ("giorn", DAY),
    ("дн", DAY),
    ("день", DAY),
    ("сут", DAY),
    ("يوم", DAY),
    ("ايام", DAY),
    ("week", 7 * DAY),
    ("semaine", 7 * DAY),
    ("semana", 7 * DAY),
    ("settiman", 7 * DAY),
    ("woche", 7 * DAY),
    ("недел", 7 * DAY),
    ("اسبوع", 7 * DAY),
    ("month", 30 * DAY),
    ("mois", 30 * DAY),
    ("monat", 30 * DAY),
    ("месяц", 30 * DAY),
    ("شهر", 30 * DAY),
    ("year", 365 * DAY),
    ("anné", 365 * DAY),
    ("jahr", 365 * DAY),
];

/// More of them, whose names are wholes.
const WHOLE_UNITS: [(&str, i64); 44] = [
    ("s", 1),
    ("m", 60),
    ("mn", 60),
    ("demi-heure", 1800),
    ("полчаса", 1800),
    ("h", 3600),
    ("std", 3600),
    ("stdn", 3600),
    ("ч", 3600),
    ("ora", 3600),
    ("ore", 3600),
    ("d", DAY),
    ("j", DAY),
    ("dia", DAY),
    ("dias", DAY),
    ("w", 7 * DAY),
    ("wk", 7 * DAY),
    ("wks", 7 * DAY),
    ("اسابيع", 7 * DAY),
    ("mo", 30 * DAY),
    ("mes", 30 * DAY),
    ("meses", 30 * DAY),
    ("mese", 30 * DAY),
    ("mesi", 30 * DAY),
    ("اشهر", 30 * DAY),
    ("شهور", 30 * DAY),
    ("y", 365 * DAY),
    ("yr", 365 * DAY),
    ("yrs", 365 * DAY),
    ("an", 365 * DAY),
    ("ans", 365 * DAY),
    ("año", 365 * DAY),
    ("años", 365 * DAY),
    ("anno", 365 * DAY),
    ("anni", 365 * DAY),
    ("год", 365 * DAY),
    ("года", 365 * DAY),
    ("лет", 365 * DAY),
    ("سنة", 365 * DAY),
    ("سنتين", 365 * DAY),
    ("سنوات", 365 * DAY),
    ("عام", 365 * DAY),
    ("عامين", 365 * DAY),
    ("اعوام", 365 * DAY),
];

/// Days by name, as how many days ago they were. Longer names come first where a shorter one is their beginning.
const DAYS: [(&str, i64); 29] = [
    ("avant-hier", 2),
    ("avant hier", 2),
    ("day before yesterday", 2),
    ("позавчера", 2),
    ("vorgestern", 2),
    ("anteayer", 2),
    ("antes de ayer", 2),
    ("anteontem", 2),
    ("l'altro ieri", 2),
    ("altro ieri", 2),
    ("اول من امس", 2),
    ("اول امس", 2),
    ("today", 0),
    ("aujourd'hui", 0),
    ("сегодня", 0),
    ("اليوم", 0),
    ("heute", 0),
    ("hoy", 0),
    ("hoje", 0),
    ("oggi", 0),
    ("yesterday", 1),
    ("hier", 1),
    ("вчера", 1),
    ("امس", 1),
    ("gestern", 1),
    ("ayer", 1),
    ("ontem", 1),
    ("ieri", 1),
    ("البارحة", 1),
];

/// Phrases for this moment.
const NOW: [&str; 5] = ["just now", "à l'instant", "только что", "الان", "gerade eben"];

/// Reads a distance from `now` out of a folded text, wherever it stands there: `Publié il y a 3 heures`.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',').map(bare);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let is_now = || NOW.iter().any(|phrase| around(&words, phrase).is_some());
    distance(&words, now).or_else(|| day(text, now)).or_else(|| is_now().then_some(now))
}

/// Whether words end in a phrase for the past behind which a distance stands.
pub(super) fn leads_to_distance(words: &[&str]) -> bool {
    BEFORE.iter().any(|phrase| words.ends_with(&phrase.split(' ').collect::<Vec<_>>()))
}

/// The text without a distance that ends in `ago`, which is a month in Italian and Spanish.
pub(super) fn without_ago(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let digits = |c: char| c.is_ascii_digit();
    for word in text.split_whitespace() {
        let before = kept.last().map(|before| before.to_lowercase()).unwrap_or_default();
        let is_unit = unit(bare(&before).trim_start_matches(digits), true).is_some();
        if !bare(word).eq_ignore_ascii_case("ago") || !is_unit {
            kept.push(word);
            continue;
        }
        kept.pop();
        kept.pop_if(|number| !before.starts_with(digits) && bare(number).chars().all(digits));
    }
    kept.join(" ")
}

/// A word without the marks around it.
pub(super) fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// The words before a phrase and those behind it.
fn around<'w, 't>(words: &'w [&'t str], phrase: &str) -> Option<(&'w [&'t str], &'w [&'t str])> {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let at = words.windows(phrase.len()).position(|window| window == phrase)?;
    Some((words.get(..at)?, words.get(at + phrase.len()..)?))
}

/// Whether words begin with a phrase.
fn begin_with(words: &[&str], phrase: &str) -> bool {
    words.starts_with(&phrase.split(' ').collect::<Vec<_>>())
}

/// A day by name, with or without a time, in UTC.
fn day(text: &str, now: Timestamp) -> Option<Timestamp> {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(|word| bare(word)).filter(|word| !word.is_empty()).collect();
    let known = |at| DAYS.iter().find(|(name, _)| words.get(at..).is_some_and(|rest| begin_with(rest, name)));
    let (at, ago) = (0..words.len()).find_map(|at| Some((at, known(at)?.1)))?;
    let Clock { time, ends_day } = words.iter().skip(at).find_map(|word| clock(word)).unwrap_or_default();
    let ago = ago - i64::from(ends_day);
    let today = Offset::UTC.to_datetime(now).date();
    let date = today.checked_sub(SignedDuration::from_hours(24 * ago)).ok()?;
    Offset::UTC.to_timestamp(date.to_datetime(time)).ok()
}

/// `2 hours ago`: the distance beside the phrase, so that `5 min read, 2 hours ago` is two hours.
fn distance(words: &[&str], now: Timestamp) -> Option<Timestamp> {
    let first = |phrase| lengths(around(words, phrase)?.1)?.first().copied();
    let last = |phrase| lengths(around(words, phrase)?.0)?.last().copied();
    let back = BEFORE.into_iter().find_map(first).or_else(|| BEHIND.into_iter().find_map(last));
    now.checked_sub(SignedDuration::from_secs(back.filter(|back| *back <= SECONDS_MAX)?)).ok()
}

/// The lengths of time that words name, in seconds; without a number it is one, or two in the Arabic dual. A number
/// of a smaller unit right behind is of the same length (`1 hour 30 minutes`). `None` when one is beyond numbers.
fn lengths(words: &[&str]) -> Option<Vec<i64>> {
    let mut lengths: Vec<i64> = Vec::new();
    // The number before this word, and whether it stands right before.
    let (mut number, mut is_next): (Option<i64>, bool) = (None, false);
    // The unit of a counted length right before this word.
    let mut larger: Option<i64> = None;
    for word in words {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (figures, name) = word.split_at_checked(digits)?;
        if !figures.is_empty() {
            (number, is_next) = (Some(figures.parse().ok()?), true);
        }
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if name.is_empty() {
            continue;
        }
        if ONE.contains(&name) && !is_next {
            (number, is_next) = (Some(1), true);
            continue;
        }
        is_next = false;
        if let Some(unit) = unit(name, number.is_some()) {
            let count = number.take().or(name.ends_with("ين").then_some(2));
            let length = unit.checked_mul(count.unwrap_or(1))?;
            match lengths.last_mut().filter(|_| count.is_some() && larger.is_some_and(|larger| unit < larger))
            {
                Some(last) => *last = last.checked_add(length)?,
                None => lengths.push(length),
            }
            larger = count.map(|_| unit);
        } else if !AND.contains(&name) {
            larger = None;
        }
    }
    Some(lengths)
}

/// A unit in seconds. A letter alone is one behind a number only.
fn unit(name: &str, is_counted: bool) -> Option<i64> {
    let whole = WHOLE_UNITS.iter().find(|(unit, _)| *unit == name);
    let whole = whole.filter(|_| is_counted || name.chars().nth(1).is_some());
    whole.or_else(|| UNITS.iter().find(|(unit, _)| name.starts_with(unit))).map(|&(_, seconds)| seconds)
}
