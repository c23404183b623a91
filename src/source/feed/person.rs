//! Persons as feed-rs may panic on them.

use super::mend::has;

/// Elements that hold a person as text: feed-rs can panic on those with an address.
const PERSONS: [&str; 3] = ["author", "managingEditor", "webMaster"];

/// Whether the text of an element is a person with an address that feed-rs may panic on.
pub(super) fn is_odd(element: &str, text: &str) -> bool {
    has(&PERSONS, element) && text.contains('@') && !text.is_ascii()
}

/// The name in `a@b.example (Name)`; text without a name apart from the address keeps its words.
pub(super) fn without_address(person: &str) -> String {
    let words: Vec<&str> = person.split_whitespace().filter(|word| !word.contains('@')).collect();
    let name = words.join(" ");
    let name = name.trim_matches(|c: char| matches!(c, '(' | ')' | '<' | '>'));
    if name.is_empty() { person.replace('@', " ") } else { name.to_owned() }
}
