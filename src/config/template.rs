//! Templates of a `[[notifier]]`: their words, from the config or from files beside it. Whether they can be used is
//! found out when the notifier is built.

use std::fs::File;
use std::io::Read as _;

use super::read::Section;
use crate::notify::MailTemplates;
use crate::notify::template::{Kind, Source};

/// Greatest size of a template, in bytes.
const BYTES_MAX: u64 = 256 * 1024;

/// The templates of a mail.
pub(super) fn mail(section: &Section<'_>) -> MailTemplates {
    let written = section.has("subject_template");
    let words = if written { section.get("subject_template").and_then(|node| node.text()) } else { None };
    MailTemplates {
        subject: words.map(|words| Source { kind: Kind::Line, words: words.value }),
        text: file(section, "text_template", Kind::Text),
        html: file(section, "html_template", Kind::Html),
    }
}

/// The template in the file that `key` names, if it names one; what is wrong with it was noted, and the config will be
/// refused.
pub(super) fn file(section: &Section<'_>, key: &str, kind: Kind) -> Option<Source> {
    if !section.has(key) {
        return None;
    }
    let path = section.path(key)?;
    let mut words = String::new();
    let read = File::open(&path).and_then(|file| file.take(BYTES_MAX + 1).read_to_string(&mut words));
    match read {
        Ok(_) if words.len() as u64 > BYTES_MAX => {
            section.get(key)?.problem("names a file of more than 256 KiB", "write a shorter template")
        }
        Ok(_) => Some(Source { kind, words }),
        Err(error) => section.get(key)?.problem(
            format!("cannot read {}: {error}", path.display()),
            "name a file that the service can read",
        ),
    }
}
