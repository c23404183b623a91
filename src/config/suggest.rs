//! What a mistyped name was meant to be.

use super::keys;
use super::option::{Form, Table};
use super::typed::ticked;

/// The name nearest to `name`, if it is near enough to be meant.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // A third of the letters may differ, in short names one.
    let slips_max = (name.chars().count() / 3).max(1);
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(&name, &known.to_lowercase()), known))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, known)| known)
}

/// A hint for a time zone that nothing has: the place that was meant, or what a fixed distance to UTC is called.
pub(super) fn zone(text: &str, known: &[String]) -> String {
    const FORM: &str = "write an IANA name such as \"Africa/Bamako\"";
    let known = known.iter().map(String::as_str);
    if let Some(hours) = hours_ahead(text) {
        // POSIX counts westwards, and so does the zone of that name.
        let zone = format!("Etc/GMT{:+}", -hours);
        return match known.clone().find(|known| *known == zone) {
            _ if hours == 0 => format!("{FORM}, or \"UTC\""),
            Some(_) => format!("{FORM}; UTC{hours:+} all year is \"{zone}\", with its sign turned round"),
            None => FORM.to_owned(),
        };
    }
    let is_place =
        |zone: &&str| zone.rsplit_once('/').is_some_and(|(_, place)| place.eq_ignore_ascii_case(text));
    // Abbreviations are too short to be told from one another by their letters.
    let near = || nearest(text, known.clone().filter(|zone| zone.len() > 4));
    match known.clone().find(is_place).or_else(near) {
        Some(near) => format!("did you mean `{near}`?"),
        None => FORM.to_owned(),
    }
}

/// The hours in `GMT+1`, `utc-03:00`, `+2` and the like.
fn hours_ahead(text: &str) -> Option<i32> {
    let text = text.to_ascii_uppercase();
    let rest = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(&text).trim();
    let hours = rest.strip_suffix(":00").unwrap_or(rest);
    let digits = hours.strip_prefix(['+', '-'])?;
    (matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| hours.parse().ok())?
}

/// A hint for a key that `table` does not have: a near one of its own, the table that has it, or all
/// that are known.
pub(super) fn key(table: &Table, name: &str) -> String {
    let known: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    // What heads a table is no key to be put at the top.
    let heads = |other: &Table| {
        other.key(name).is_some_and(|key| {
            matches!(
                key.form,
                Form::Table(_) | Form::Tables(_) | Form::TableOrTables(_) | Form::TablesByType(_)
            )
        })
    };
    let Some(other) = keys::tables().find(|other| other.key(name).is_some() && !heads(other)) else {
        return if keys::ROOT.key(name).is_some() {
            format!("`{name}` begins a table of its own")
        } else {
            format!("known here: {}", ticked(&known))
        };
    };
    match (other.name, other.kind) {
        ("", _) => format!("`{name}` stands at the top of the file, before the first table"),
        (owner, Some(kind)) => format!("`{name}` is a key of `{owner}` of type `{kind}`"),
        (owner, None) => format!("`{name}` is a key of `{owner}`"),
    }
}

/// What is wrong with a key that `table` cannot have although what it changes has it, and what to do instead.
pub(super) fn instead(table: &Table, name: &str) -> Option<(&'static str, &'static str)> {
    if std::ptr::eq(table, &raw const keys::OVERRIDE) && keys::RULE.key(name).is_some() {
        return Some((
            "cannot be overridden",
            "switch the rule off by `mode = \"off\"` and write a `[[rule]]` of your own",
        ));
    }
    if std::ptr::eq(table, &raw const keys::EXTEND) && keys::ENTITY.key(name).is_some() {
        return Some((
            "cannot be changed",
            "only `aliases`, `ambiguous`, `related` and `in` can be added to",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_by_its_place_or_its_distance() {
        let known = ["Africa/Bamako", "Etc/GMT-1", "Etc/GMT+3", "GMT+0", "WET", "NZ"].map(str::to_owned);
        for (text, expected) in [
            ("Africa/Bamaco", "did you mean `Africa/Bamako`?"),
            ("bamako", "did you mean `Africa/Bamako`?"),
            ("GMT+1", "UTC+1 all year is \"Etc/GMT-1\""),
            ("utc-03:00", "UTC-3 all year is \"Etc/GMT+3\""),
            ("+01", "UTC+1 all year is \"Etc/GMT-1\""),
            ("UTC+0", "or \"UTC\""),
            ("GMT+25", "such as \"Africa/Bamako\""),
            ("WAT", "such as \"Africa/Bamako\""),
            ("Z", "such as \"Africa/Bamako\""),
            ("", "such as \"Africa/Bamako\""),
        ] {
            let hint = zone(text, &known);
            assert!(
                hint.ends_with(expected) || hint.contains(&format!("{expected}, with")),
                "{text}: {hint}"
            );
        }
    }

    #[test]
    fn a_slip_finds_the_key_that_was_meant() {
        for (table, name, expected) in [
            (&keys::SCHEDULE, "intervall", "did you mean `interval`?"),
            (&keys::SCHEDULE, "host-gap", "did you mean `host_gap`?"),
            (&keys::SOURCE, "Tags", "did you mean `tags`?"),
            (&keys::HTTP, "max_age", "`max_age` is a key of `alerts`"),
            (&keys::STDOUT, "smtp", "`smtp` is a key of `notifier` of type `email`"),
            (&keys::STORE, "include", "`include` stands at the top of the file, before the first table"),
            (&keys::EXTEND, "source", "`source` is a key of `rule`"),
            (&keys::STORE, "entity", "`entity` is a key of `extend`"),
            (&keys::STORE, "notifier", "`notifier` begins a table of its own"),
            (&keys::STORE, "zzzzzz", "known here: `path`, `keep`"),
        ] {
            assert_eq!(key(table, name), expected, "{name}");
        }
    }
}
