//! What the compiler does not check: who may import what, how long a file may be, and that documents name what is there.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that are functions of their arguments.
const PURE: [&str; 7] = ["schedule", "text", "rules", "story", "route", "outbox", "event"];

/// What would make them depend on something else: runtimes, engines, clocks, chance, the system.
const IMPURE: [&str; 10] = [
    "tokio",
    "reqwest",
    "sled",
    "getrandom",
    "Timestamp::now",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
];

/// Past this, a file without its tests is probably two nouns.
const LINES_MAX: usize = 400;

/// A newcomer reads all of it.
const ARCHITECTURE_LINES_MAX: usize = 200;

#[test]
fn pure_modules_import_no_effects() {
    let found = offences(|file| PURE.iter().any(|module| file.starts_with(module)), &IMPURE);
    assert!(found.is_empty(), "time, chance and the system are passed in:\n{}", found.join("\n"));
}

#[test]
fn the_store_alone_names_its_engine() {
    let found = offences(|file| !file.starts_with("store"), &["sled::", "use sled"]);
    assert!(found.is_empty(), "another engine must be one folder away:\n{}", found.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|file| !file.ends_with("tests.rs"))
        .map(|file| (file, program(file).len()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines without tests:\n{}", long.join("\n"));
}

#[test]
fn the_module_map_is_the_tree() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= ARCHITECTURE_LINES_MAX, "ARCHITECTURE.md is too long to be read");
    let (_, map) = text.split_once("## Module map").unwrap();
    let map = map.split("\n## ").next().unwrap();
    // A row begins: | `name` |
    let mut mapped: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, _)| name)
        .collect();
    let mut modules: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    mapped.sort_unstable();
    modules.sort_unstable();
    assert_eq!(mapped, modules, "left the map of ARCHITECTURE.md, right the modules of src");
}

#[test]
fn invariants_name_tests_that_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, invariants) = text.split_once("\n## Invariants").unwrap();
    let rows = invariants.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| "));
    // The last column holds nothing but names of tests; head and rule of the table have none.
    let last = rows.filter_map(|row| row.trim_end_matches(" |").rsplit("| ").next());
    let named: Vec<&str> = last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(!named.is_empty(), "the invariants name no test");
    let mut program = String::new();
    for file in sources().into_iter().chain(files(&root().join("tests"), "rs")) {
        program.push_str(&fs::read_to_string(file).unwrap());
    }
    let missing: Vec<_> = named.iter().filter(|name| !program.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut dead = Vec::new();
    for document in files(&root(), "md") {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !document.with_file_name(path).exists() {
                dead.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "links to nothing:\n{}", dead.join("\n"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the program.
fn sources() -> Vec<PathBuf> {
    files(&root().join("src"), "rs")
}

/// The files below `folder` with this extension, but for what git ignores and what begins with a dot.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines of a file before its tests.
fn program(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().take_while(|line| *line != "#[cfg(test)]").map(str::to_owned).collect()
}

/// Lines of code that hold one of `words`, in the files that `concerned` picks by their path below `src`.
fn offences(concerned: impl Fn(&Path) -> bool, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources() {
        let below = file.strip_prefix(root().join("src")).unwrap();
        if !concerned(below) || below.ends_with("tests.rs") {
            continue;
        }
        for (line, number) in program(&file).iter().zip(1..) {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| holds(code, word)) {
                found.push(format!("src/{}:{number}: {}", below.display(), line.trim()));
            }
        }
    }
    found
}

/// Whether `word` stands in `code`, not as a part of a longer word.
fn holds(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code.get(..start).is_some_and(|head| head.ends_with(part));
        let after = code.get(start + word.len()..).is_some_and(|tail| tail.starts_with(part));
        !before && (word.ends_with(':') || !after)
    })
}
