//! The files of a config: read under limits, parsed with positions, included files found.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::problem::{Problem, Report};
use crate::rules::spec::Origin;

/// Greatest size of one file: a hundred thousand rules.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// Greatest number of included files; a glob that went astray matches more.
const FILES_MAX: usize = 2000;
/// Errors of syntax shown per file: one slip often causes the next.
const SYNTAX_ERRORS_MAX: usize = 10;

/// One file, read.
#[derive(Debug)]
pub(super) struct File {
    /// The path as shown in messages.
    pub(super) shown: Arc<Path>,
    /// The folder that its relative paths start from, absolute.
    pub(super) directory: PathBuf,
    text: String,
    /// Offsets of the newlines.
    newlines: Vec<usize>,
    /// The newlines before the place that was asked for last: the next one is mostly in that line or the one after.
    last: Cell<usize>,
}

impl File {
    /// Reads the file at `path`, shown as `shown`.
    pub(super) fn read(path: &Path, shown: &Path) -> Result<Self, Problem> {
        let shown: Arc<Path> = shown.into();
        let bytes = read_capped(path).map_err(|error| {
            Problem::new("", format!("`{}` cannot be read: {error}", shown.display()))
                .hint("check the path and who may read it")
        })?;
        let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
        String::from_utf8(bytes).map_or_else(
            |error| {
                let valid = error.utf8_error().valid_up_to();
                let before = error.as_bytes().get(..valid).unwrap_or_default();
                let readable = String::from_utf8_lossy(before).into_owned();
                let origin = Self::new(shown.clone(), PathBuf::new(), readable).origin(valid);
                Err(Problem::new("", "not UTF-8").at(origin).hint("save the file as UTF-8"))
            },
            |text| Ok(Self::new(shown.clone(), directory, text)),
        )
    }

    /// A file whose text is known.
    pub(super) fn new(shown: Arc<Path>, directory: PathBuf, text: String) -> Self {
        let newlines =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { shown, directory, text, newlines, last: Cell::default() }
    }

    /// The line that holds the byte at `offset`.
    pub(super) fn origin(&self, offset: usize) -> Origin {
        let line = self.newlines_before(offset) + 1;
        Origin { file: self.shown.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }

    fn newlines_before(&self, offset: usize) -> usize {
        let is_before = |at: usize| self.newlines.get(at).is_some_and(|newline| *newline < offset);
        let last = self.last.get();
        let close =
            (last..=last + 1).find(|&count| !is_before(count) && count.checked_sub(1).is_none_or(is_before));
        let count = close.unwrap_or_else(|| self.newlines.partition_point(|newline| *newline < offset));
        self.last.set(count);
        count
    }

    /// The column of the character at `offset`, from 1.
    fn column(&self, offset: usize) -> u32 {
        let line = self.newlines_before(offset);
        let start = line.checked_sub(1).and_then(|line| self.newlines.get(line)).map_or(0, |at| at + 1);
        let before = self.text.get(start..offset).unwrap_or_default();
        u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX)
    }

    /// Parses it; `None` when its syntax is wrong, for then a missing key may only be an unread one.
    pub(super) fn parse(&self, report: &Report) -> Option<Document<'_>> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in errors.iter().take(SYNTAX_ERRORS_MAX) {
            report.problem(self.syntax_problem(error));
        }
        if errors.len() > SYNTAX_ERRORS_MAX {
            let more = errors.len() - SYNTAX_ERRORS_MAX;
            let message = format!("and {more} more errors of syntax in `{}`", self.shown.display());
            report.problem(Problem::new("", message));
        }
        errors.is_empty().then_some(Document { file: self, table })
    }

    /// The quotation mark of a text editor at which a value begins, or ends in vain.
    fn curly_at(&self, offset: usize) -> Option<char> {
        let (before, behind) = self.text.split_at_checked(offset)?;
        let mut beside = behind.chars().take(1).chain(before.chars().next_back());
        beside.find(|beside| matches!(beside, '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»'))
    }

    fn syntax_problem(&self, error: &toml::de::Error) -> Problem {
        let span = error.span().unwrap_or_default();
        let message = match (error.message(), self.text.get(span.clone())) {
            ("duplicate key", Some(key)) => format!("`{}` is set twice", key.escape_debug()),
            (message, _) => message.to_owned(),
        };
        let mut problem = Problem::new("", message).at(self.origin(span.start));
        problem.column = Some(self.column(span.start));
        match self.curly_at(span.start) {
            Some(curly) => {
                problem.hint(format!("`{curly}` quotes nothing here: write straight quotes, `\"`"))
            }
            None => problem,
        }
    }
}

/// A file and the tables in it.
pub(super) struct Document<'a> {
    /// The file.
    pub(super) file: &'a File,
    /// Its top.
    pub(super) table: Spanned<DeTable<'a>>,
}

/// Reads at most [`FILE_BYTES_MAX`] bytes of a regular file: a pipe could block, a device never end.
fn read_capped(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("larger than 32 MiB"));
    }
    Ok(bytes)
}

/// One glob of `include` and where it stands.
pub(super) struct Include {
    /// The glob as written.
    pub(super) pattern: String,
    /// Its place.
    pub(super) origin: Origin,
}

/// Reads the files that `includes` of `main` match, each once, in the order of the globs and then of the names.
pub(super) fn included(main: &File, main_path: &Path, includes: &[Include], report: &Report) -> Vec<File> {
    let mut seen = BTreeSet::new();
    seen.extend(main_path.canonicalize());
    let mut files = Vec::new();
    for include in includes {
        for path in matches(main, include, report) {
            let identity = match path.canonicalize() {
                Ok(identity) => identity,
                Err(error) => {
                    let message = format!("`{}` cannot be read: {error}", path.display());
                    report.problem(Problem::new("include", message).at(include.origin.clone()));
                    continue;
                }
            };
            if !seen.insert(identity) {
                continue;
            }
            if files.len() == FILES_MAX {
                let message = format!("more than {FILES_MAX} files are included");
                report.problem(Problem::new("include", message).at(include.origin.clone()));
                return files;
            }
            match File::read(&path, &shown(main, &path)) {
                Ok(file) => files.push(file),
                Err(problem) => report.problem(match problem.origin {
                    Some(_) => problem,
                    None => problem.at(include.origin.clone()),
                }),
            }
        }
    }
    files
}

/// The path of an included file in the form in which the main file was named.
fn shown(main: &File, path: &Path) -> PathBuf {
    match (path.strip_prefix(&main.directory), main.shown.parent()) {
        (Ok(inner), Some(parent)) => parent.join(inner),
        _ => path.to_owned(),
    }
}

/// The files that one glob matches, by name.
fn matches(main: &File, include: &Include, report: &Report) -> Vec<PathBuf> {
    let problem = |message: String| {
        report.problem(Problem::new("include", message).at(include.origin.clone()));
    };
    let Some(directory) = main.directory.to_str().map(glob::Pattern::escape) else {
        problem("cannot be used in a folder whose name is not UTF-8".to_owned());
        return Vec::new();
    };
    let wildcard = include.pattern.contains(['*', '?', '[']);
    let pattern = if Path::new(&include.pattern).is_absolute() {
        include.pattern.clone()
    } else {
        format!("{directory}/{}", include.pattern)
    };
    // Like a shell: `*` takes neither a slash nor a leading dot, under which editors keep their own files.
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = match glob::glob_with(&pattern, options) {
        Ok(found) => found,
        Err(error) => {
            problem(format!("`{}` is no glob: {}", include.pattern, error.msg));
            return Vec::new();
        }
    };
    let mut paths = Vec::new();
    for entry in found.take(FILES_MAX + 1) {
        match entry {
            Ok(path) if wildcard && path.is_dir() => {}
            Ok(path) => paths.push(path),
            Err(error) => problem(format!("`{}` cannot be read: {}", error.path().display(), error.error())),
        }
    }
    if paths.is_empty() && !wildcard {
        let message = format!("`{}` does not exist", include.pattern);
        report.warn(Problem::new("include", message).at(include.origin.clone()));
    }
    paths
}
