//! What a mistyped name was meant to be.

use super::keys;
use super::option::Table;
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

/// A hint for a key that `table` does not have: a near one of its own, the table that has it, or all
/// that are known.
pub(super) fn key(table: &Table, name: &str) -> String {
    let known: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let Some(other) = keys::tables().find(|other| other.key(name).is_some()) else {
        return format!("known here: {}", ticked(&known));
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
    fn a_slip_finds_the_key_that_was_meant() {
        for (table, name, expected) in [
            (&keys::SCHEDULE, "intervall", "did you mean `interval`?"),
            (&keys::SCHEDULE, "host-gap", "did you mean `host_gap`?"),
            (&keys::SOURCE, "Tags", "did you mean `tags`?"),
            (&keys::HTTP, "max_age", "`max_age` is a key of `alerts`"),
            (&keys::STDOUT, "smtp", "`smtp` is a key of `notifier` of type `email`"),
            (&keys::STORE, "include", "`include` stands at the top of the file, before the first table"),
            (&keys::STORE, "zzzzzz", "known here: `path`, `keep`"),
        ] {
            assert_eq!(key(table, name), expected, "{name}");
        }
    }
}
