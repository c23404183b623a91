//! Reads typed values out of parsed tables, by the option table, and notes every mistake with its place.
//!
//! A reader that returns `None` where a value was written has noted why, and a config with a noted mistake is
//! refused as a whole; so callers read all they need first and only then ask whether it is all there.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::LazyLock;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::File;
use super::keys;
use super::option::{Fallback, Form, Key, Support, Table};
use super::problem::{Problem, Report};
use super::suggest;
use crate::rules::spec::{Located, Origin};

/// A table of a file, or what several files say of one table.
pub(super) struct Section<'a> {
    table: &'static Table,
    /// The dotted name that its keys are shown under; empty at the top of a file.
    path: Rc<str>,
    /// What was written, in the order of reading: a table has few keys, and a config may have 100,000 tables.
    entries: Vec<(&'a str, Entry<'a>)>,
    /// Keys that were written and not taken.
    refused: Vec<&'a str>,
    file: &'a File,
    offset: usize,
    report: &'a Report,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    file: &'a File,
    key: usize,
    value: &'a Spanned<DeValue<'a>>,
}

/// A dotted key, put together only when somebody is told of it.
#[derive(Clone)]
pub(super) struct KeyPath<'a> {
    above: Rc<str>,
    name: &'a str,
}

impl KeyPath<'_> {
    fn whole(&self) -> Rc<str> {
        if self.name.is_empty() { self.above.clone() } else { self.to_string().into() }
    }
}

impl fmt::Display for KeyPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = if self.above.is_empty() || self.name.is_empty() { "" } else { "." };
        write!(f, "{}{point}{}", self.above, self.name)
    }
}

/// A value and all that is needed to complain about it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    /// What it should look like.
    pub(super) form: &'static Form,
    /// The key it was written under, dotted.
    pub(super) path: KeyPath<'a>,
    pub(super) value: &'a DeValue<'a>,
    pub(super) file: &'a File,
    pub(super) report: &'a Report,
    offset: usize,
}

/// The defaults of the option table, parsed.
static DEFAULTS: LazyLock<BTreeMap<&'static str, DeValue<'static>>> = LazyLock::new(|| {
    keys::tables()
        .flat_map(|table| table.keys)
        .filter_map(|key| match key.fallback {
            Fallback::Value(text) => Some((text, DeValue::parse(text).ok()?.into_inner())),
            Fallback::Nothing | Fallback::Required | Fallback::Words(_) => None,
        })
        .collect()
});

impl<'a> Section<'a> {
    /// A table that nothing was read into yet; `file` and `offset` say where its missing keys are reported.
    pub(super) fn new(
        table: &'static Table,
        path: impl Into<Rc<str>>,
        file: &'a File,
        offset: usize,
        report: &'a Report,
    ) -> Self {
        Self { table, path: path.into(), entries: Vec::new(), refused: Vec::new(), file, offset, report }
    }

    /// Adds what a file says, refusing what the option table does not take.
    pub(super) fn add(&mut self, file: &'a File, table: &'a DeTable<'a>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let place = || file.origin(key.span().start);
            match self.table.key(name).map(|key| key.support) {
                None => {
                    self.refused.push(name);
                    self.report.problem(self.unknown(name).at(place()));
                }
                Some(Support::Planned) => {
                    self.refused.push(name);
                    let problem = Problem::new(&self.dotted(name), "not supported yet").at(place());
                    self.report.problem(problem.hint("take it out: this version would not obey it"));
                }
                Some(Support::Built) => self.insert(name, file, key.span().start, value),
            }
        }
    }

    /// Adds one value that stands at the byte `key` of `file`.
    pub(super) fn insert(
        &mut self,
        name: &'a str,
        file: &'a File,
        key: usize,
        value: &'a Spanned<DeValue<'a>>,
    ) {
        let entry = Entry { file, key, value };
        let known = self.entries.iter_mut().find(|(known, _)| *known == name);
        let Some((_, slot)) = known else {
            self.entries.push((name, entry));
            return;
        };
        let first = std::mem::replace(slot, entry);
        let problem = Problem::new(&self.dotted(name), "is set in two files").at(file.origin(key));
        let first = first.file.origin(first.key);
        self.report.problem(problem.hint(format!("it is also set at {first}")));
    }

    fn unknown(&self, name: &str) -> Problem {
        let path = self.dotted(&name.escape_debug().to_string());
        match suggest::instead(self.table, name) {
            Some((message, hint)) => Problem::new(&path, message).hint(hint),
            None => Problem::new(&path, "unknown key").hint(suggest::key(self.table, name)),
        }
    }

    fn dotted(&self, name: &str) -> String {
        KeyPath { above: self.path.clone(), name }.to_string()
    }

    fn entry(&self, name: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, entry)| entry)
    }

    /// The string that a key holds, if it is one; notes nothing.
    pub(super) fn peek(&self, name: &str) -> Option<&'a str> {
        if let DeValue::String(text) = self.entry(name)?.value.get_ref() { Some(text) } else { None }
    }

    /// Whether the key was written, here or in another file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Whether any of the keys was written, those not taken included.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name) || self.refused.contains(name))
    }

    /// Whether nothing was written but, at most, `name`.
    pub(super) fn has_no_more_than(&self, name: &str) -> bool {
        self.refused.is_empty() && self.entries.iter().all(|(key, _)| *key == name)
    }

    /// Where the table begins.
    pub(super) fn origin(&self) -> Origin {
        self.file.origin(self.offset)
    }

    /// Notes that something is wrong with the table as a whole, or with a key that is missing from it.
    pub(super) fn problem(&self, name: &str, message: impl Into<String>, hint: Option<&str>) {
        let key = if name.is_empty() { self.path.to_string() } else { self.dotted(name) };
        let problem = Problem::new(&key, message).at(self.origin());
        self.report.problem(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }

    /// The value of a key, else its default; notes that it is missing when it must be there.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let Some(key) = self.table.key(name) else {
            self.problem(name, "a bug: read, but not in the option table", None);
            return None;
        };
        let node = |value, file, offset| Node {
            form: &key.form,
            path: KeyPath { above: self.path.clone(), name: key.name },
            value,
            file,
            report: self.report,
            offset,
        };
        if let Some(entry) = self.entry(name) {
            return Some(node(entry.value.get_ref(), entry.file, entry.value.span().start));
        }
        match key.fallback {
            Fallback::Value(text) => DEFAULTS.get(text).map(|value| node(value, self.file, self.offset)),
            Fallback::Required => {
                self.missing(key);
                None
            }
            Fallback::Nothing | Fallback::Words(_) => None,
        }
    }

    fn missing(&self, key: &Key) {
        let hint = format!("write `{} = {}`", key.name, key.example);
        self.problem(key.name, "is missing", Some(&hint));
    }

    /// The table that a key holds, or an empty one at the same place.
    pub(super) fn section(&self, name: &str) -> Option<Section<'a>> {
        self.get(name)?.section()
    }

    /// The tables of a list.
    pub(super) fn sections(&self, name: &str) -> Vec<Section<'a>> {
        self.list(name).iter().filter_map(Node::section).collect()
    }

    /// The elements of a list.
    pub(super) fn list(&self, name: &str) -> Vec<Node<'a>> {
        self.get(name).and_then(|node| node.list()).unwrap_or_default()
    }

    /// A string of one line.
    pub(super) fn text(&self, name: &str) -> Option<Located<String>> {
        self.get(name)?.text()
    }

    /// A list of strings of one line each.
    pub(super) fn texts(&self, name: &str) -> Vec<Located<String>> {
        self.list(name).iter().filter_map(Node::text).collect()
    }

    /// The same without their places.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        self.texts(name).into_iter().map(|text| text.value).collect()
    }
}

impl<'a> Node<'a> {
    /// A value written under `path`.
    pub(super) fn new(
        form: &'static Form,
        path: &str,
        value: &'a Spanned<DeValue<'a>>,
        file: &'a File,
        report: &'a Report,
    ) -> Self {
        let offset = value.span().start;
        let path = KeyPath { above: path.into(), name: "" };
        Self { form, path, value: value.get_ref(), file, report, offset }
    }

    /// Where it was written.
    pub(super) fn origin(&self) -> Origin {
        self.file.origin(self.offset)
    }

    /// A mistake in this value, not noted yet.
    pub(super) fn blame(&self, message: impl Into<String>) -> Problem {
        Problem::new(&self.path.to_string(), message).at(self.origin())
    }

    /// Notes a mistake in this value.
    pub(super) fn problem<T>(&self, message: impl Into<String>, hint: &str) -> Option<T> {
        self.report.problem(self.blame(message).hint(hint));
        None
    }

    /// Notes that the value is of another type; shows the type alone, for the value may be a secret.
    pub(super) fn mismatch<T>(&self, expected: &str, hint: Option<&str>) -> Option<T> {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false without quotes",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let problem = self.blame(format!("expected {expected}, found {found}"));
        self.report.problem(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
        None
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Option<Vec<Node<'a>>> {
        let DeValue::Array(items) = self.value else {
            let hint = if matches!(self.form, Form::Tables(_) | Form::TablesByType(_)) {
                Some(format!("write `[[{}]]`", self.path))
            } else if self.is_string() {
                Some(format!("put the string in brackets: `{} = [\"…\"]`", self.name()))
            } else {
                None
            };
            return self.mismatch("a list", hint.as_deref());
        };
        Some(items.iter().map(|item| self.element(item)).collect())
    }

    fn element(&self, item: &'a Spanned<DeValue<'a>>) -> Self {
        Self { value: item.get_ref(), offset: item.span().start, ..self.clone() }
    }

    /// A value inside this one, under a key and a form of its own.
    pub(super) fn child(&self, path: String, form: &'static Form, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { form, path: KeyPath { above: path.into(), name: "" }, ..self.element(value) }
    }

    /// Whether it is a string.
    pub(super) fn is_string(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// The last part of the key.
    fn name(&self) -> String {
        let path = self.path.whole();
        path.rsplit('.').next().unwrap_or(&path).to_owned()
    }

    /// The table that it is, read by the option table that its form names.
    pub(super) fn section(&self) -> Option<Section<'a>> {
        if let Form::Table(table)
        | Form::Tables(table)
        | Form::TableOrTables(table)
        | Form::TestTexts(table) = self.form
        {
            return self.section_of(table);
        }
        self.mismatch("another form; a bug: the option table says otherwise", None)
    }

    /// The table that it is, read by another option table.
    pub(super) fn section_of(&self, table: &'static Table) -> Option<Section<'a>> {
        let mut section = Section::new(table, self.path.whole(), self.file, self.offset, self.report);
        section.add(self.file, self.table()?);
        Some(section)
    }

    /// What stands in the table that it is, in the order of the file: each key with its value.
    pub(super) fn entries(&self) -> Option<Vec<(Located<String>, Node<'a>)>> {
        let mut written: Vec<_> = self.table()?.iter().collect();
        written.sort_by_key(|(key, _)| key.span().start);
        let mut entries = Vec::with_capacity(written.len());
        for (key, value) in written {
            let name: &str = key.get_ref();
            let origin = self.file.origin(key.span().start);
            let path = KeyPath { above: format!("{}.{name:?}", self.path).into(), name: "" };
            let node = Node { path, ..self.element(value) };
            entries.push((Located { value: name.to_owned(), origin }, node));
        }
        Some(entries)
    }

    /// The table that it is, unread.
    pub(super) fn table(&self) -> Option<&'a DeTable<'a>> {
        match (self.value, self.form) {
            (DeValue::Table(table), _) => Some(table),
            (DeValue::Array(_), Form::Table(_)) => {
                let hint = format!("write `[{}]`, once", self.path);
                self.mismatch("one table", Some(&hint))
            }
            (_, Form::TableOrTables(_)) => {
                self.mismatch("a table", Some("write its keys in braces, or a list of such tables"))
            }
            (_, Form::Weights { .. }) => {
                self.mismatch("a table", Some("write terms and weights in braces: `{ \"cholera\" = 30 }`"))
            }
            _ => self.mismatch("a table", None),
        }
    }
}
