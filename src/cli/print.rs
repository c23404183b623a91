//! How a command ends and where its output goes: stdout is data, stderr is talk.

use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::config::{ConfigError, Problems};
use crate::control::Mistake;
use crate::daemon::DaemonError;
use crate::notify::foreign;
use crate::store::StoreError;

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Done, and found something wrong.
    Wrong = 1,
    /// Asked for what there is not.
    Usage = 2,
    /// Could not be done.
    Failed = 74,
    /// The store is in use.
    InUse = 75,
    /// The config is refused.
    Refused = 78,
}

impl Exit {
    /// The exit code of an error.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<Problems>() || error.is::<ConfigError>() {
            return Self::Refused;
        }
        if error.is::<Mistake>() {
            return Self::Usage;
        }
        match store_error(error) {
            Some(StoreError::InUse(_)) => Self::InUse,
            _ => Self::Failed,
        }
    }

    /// [`Exit::Wrong`] when something is.
    pub fn wrong_if(wrong: bool) -> Self {
        if wrong { Self::Wrong } else { Self::Done }
    }
}

/// What to do about an error, where it is known.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(config) = error.downcast_ref::<ConfigError>() {
        return Some(config.hint().to_owned());
    }
    if let Some(mistake) = error.downcast_ref::<Mistake>() {
        return mistake.hint.clone();
    }
    store_error(error).and_then(StoreError::hint)
}

fn store_error(error: &anyhow::Error) -> Option<&StoreError> {
    error.downcast_ref::<StoreError>().or_else(|| match error.downcast_ref::<DaemonError>() {
        Some(DaemonError::Store(store)) => Some(store),
        _ => None,
    })
}

/// Writes a line of data. A reader that went away (`| head`) ends the output, not the program.
pub(super) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    ignore_closed(writeln!(io::stdout().lock(), "{text}"))
}

/// Writes data as it is.
pub(super) fn bytes(data: &[u8]) -> anyhow::Result<()> {
    ignore_closed(io::stdout().lock().write_all(data))
}

/// Writes a line of talk.
pub(super) fn talk(text: impl std::fmt::Display) {
    // Nowhere is left to complain to when stderr is closed.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Shows how far a long job is, on a line of its own that the next one replaces; only to a person who waits.
pub(super) fn progress(text: impl std::fmt::Display) {
    let mut out = io::stderr().lock();
    if out.is_terminal() {
        drop(write!(out, "\r\u{1b}[K{text}"));
    }
}

/// A number of things, by the word for one or the word for any other number: `1 delivery`, `2 deliveries`.
pub(super) fn counted(count: impl std::fmt::Display, [one, several]: [&str; 2]) -> String {
    let count = count.to_string();
    format!("{count} {}", if count == "1" { one } else { several })
}

/// Writes a value as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Writes values as JSON Lines.
pub(super) fn json_lines<T: Serialize>(values: &[T]) -> anyhow::Result<()> {
    values.iter().try_for_each(json)
}

fn ignore_closed(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Foreign text made safe for a terminal, as in messages: one line, at most `most` characters and a `…`.
pub(super) fn plain(text: &str, most: usize) -> String {
    let clean = foreign::line(text);
    match clean.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", clean.get(..end).unwrap_or_default()),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_delivery_is_spoken_of_as_one() {
        let told = |count: u64| counted(count, ["delivery was dropped", "deliveries were dropped"]);
        assert_eq!(
            [0, 1, 2, 11].map(told),
            [
                "0 deliveries were dropped",
                "1 delivery was dropped",
                "2 deliveries were dropped",
                "11 deliveries were dropped"
            ]
        );
    }

    #[test]
    fn foreign_text_cannot_drive_the_terminal() {
        for (text, most, expected) in [
            ("a\n b\t c", 10, "a b c"),
            ("\u{1b}[31mred\u{7}", 10, "[31mred"),
            ("ab\u{202e}cd", 10, "abcd"),
            ("Томбукту", 3, "Том…"),
            ("می\u{200c}خواهم", 20, "می\u{200c}خواهم"),
            ("a\u{fff9}b\u{fffb}c\u{e0041}", 10, "abc"),
        ] {
            assert_eq!(plain(text, most), expected);
        }
    }
}
