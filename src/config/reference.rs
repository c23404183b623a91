//! The option table written out for people, in Markdown.

use std::fmt::Write;

use super::keys;
use super::option::{Fallback, Form, Key, Support, Table};
use super::typed::ticked;
use super::value::{duration_text, size_text};

/// The reference of the config in Markdown: every table, its keys, their forms, bounds and defaults.
pub fn reference() -> String {
    let mut out = String::new();
    for table in keys::tables() {
        heading(&mut out, table);
        for key in table.keys {
            entry(&mut out, key);
        }
    }
    out
}

/// The reference as a manual page of section 5.
pub fn man_page() -> String {
    let mut page =
        ".TH harmattan.toml 5\n.SH NAME\nharmattan.toml \\- configuration of harmattan(1)\n".to_owned();
    for line in reference().lines() {
        let line = line.replace('\\', "\\e").replace('`', "");
        if let Some(title) = line.strip_prefix("## ") {
            _ = writeln!(page, ".SH \"{}\"", title.replace('"', "\\(dq"));
        } else if let Some((key, doc)) = line.strip_prefix("- ").and_then(|entry| entry.split_once(": ")) {
            _ = writeln!(page, ".TP\n.B {key}\n{doc}");
        } else if !line.is_empty() {
            // A leading dot or quote would be a request to the formatter.
            _ = writeln!(page, "\\&{line}");
        }
    }
    page
}

fn heading(out: &mut String, table: &Table) {
    let is_list = keys::tables()
        .flat_map(|owner| owner.keys)
        .any(|key| matches!(&key.form, Form::Tables(inner) if std::ptr::eq(*inner, table)));
    let title = match (table.name, table.kind) {
        ("", _) => "Top of a file".to_owned(),
        ("secret", _) => "Secrets".to_owned(),
        (name, Some(kind)) => format!("`[[{name}]]` of type `{kind}`"),
        (name, None) if is_list => format!("`[[{name}]]`"),
        (name, None) => format!("`[{name}]`"),
    };
    let gap = if out.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail.
    _ = writeln!(out, "{gap}## {title}\n\n{}\n", table.doc);
}

fn entry(out: &mut String, key: &Key) {
    if key.support == Support::Planned {
        _ = writeln!(out, "- `{}`: {} Not supported yet.", key.name, key.doc);
        return;
    }
    let default = match key.fallback {
        Fallback::Nothing => String::new(),
        Fallback::Required => "; required".to_owned(),
        Fallback::Value(value) => format!("; default `{value}`"),
        Fallback::Words(words) => format!("; default: {words}"),
    };
    _ = writeln!(out, "- `{}` ({}{default}): {}", key.name, form(&key.form), key.doc);
}

fn form(form: &Form) -> String {
    match form {
        Form::Text | Form::FreeText => "text".to_owned(),
        Form::Prose { chars_max } => format!("text, up to {chars_max} characters"),
        Form::Texts => "list of texts".to_owned(),
        Form::TextOrTexts => "text or list of texts".to_owned(),
        Form::Word { built, .. } => ticked(built),
        Form::Words(known) => format!("list out of {}", ticked(known)),
        Form::Flag => "`true` or `false`".to_owned(),
        Form::Integer { min, max } => format!("{min} to {max}"),
        Form::Weights { min, max } => format!("table of terms and whole numbers, {min} to {max}"),
        Form::Duration { min, max } => {
            format!("duration, \"{}\" to \"{}\"", duration_text(*min), duration_text(*max))
        }
        Form::Size { min, max } => format!("size, \"{}\" to \"{}\"", size_text(*min), size_text(*max)),
        Form::Address { schemes } => format!("address with {}", ticked(schemes)),
        Form::Path => "path".to_owned(),
        Form::Zone => "time zone".to_owned(),
        Form::TimeOfDay => "time of day".to_owned(),
        Form::TimesOfDay => "list of times of day".to_owned(),
        Form::Budget { count_max, min, max } => {
            let (min, max) = (duration_text(*min), duration_text(*max));
            format!("1 to {count_max} messages in \"{min}\" to \"{max}\"")
        }
        Form::Networks => "list of networks".to_owned(),
        Form::Backlog { count_max, age_max } => {
            format!("0 to {count_max}, or a duration up to \"{}\"", duration_text(*age_max))
        }
        Form::Point => "pair of numbers".to_owned(),
        Form::Secret => "secret".to_owned(),
        Form::Secrets => "secret or list of two".to_owned(),
        Form::TestTexts(_) => "list of texts or tables".to_owned(),
        Form::Table(_) => "table".to_owned(),
        Form::TableOrTables(_) => "table or list of tables".to_owned(),
        Form::Tables(_) | Form::TablesByType(_) => "list of tables".to_owned(),
        Form::Later => "not supported yet".to_owned(),
    }
}
