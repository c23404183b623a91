//! The config as its operator meets it: what is taken, what is refused, and in which words.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harmattan::config::keys;
use harmattan::config::option::{Default, Form, Key, Support, Table};
use harmattan::config::{Backlog, Environment, Loaded, Problems, SourceAddress, load, reference};
use harmattan::notify::{NotifierKind, SmtpTls};
use proptest::prelude::*;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config")
}

fn environment(working_directory: &Path) -> Environment {
    Environment::bare(working_directory.to_owned()).with_variables(|name| match name {
        "MAIL" => Some(OsString::from("hunter2\n")),
        "HOOK" | "SMTP_PASSWORD" => Some(OsString::from("hunter2")),
        "EMPTY" => Some(OsString::from("\n")),
        _ => None,
    })
}

/// Loads a main file of that text out of a folder that also holds `others`.
fn load_text(text: &str, others: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in others {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(folder.path().join("harmattan.toml"), text).unwrap();
    load(Path::new("harmattan.toml"), &environment(folder.path()))
}

fn render(loaded: &Result<Loaded, Problems>) -> String {
    match loaded {
        Err(problems) => problems.to_string(),
        Ok(loaded) => loaded.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect(),
    }
}

/// Every `<case>.toml` holds one mistake, or what is worth one warning; `<case>.snap` is what the operator reads.
#[test]
fn every_mistake_is_told_with_its_place_and_its_remedy() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(golden());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut cases: Vec<PathBuf> = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    cases.sort();
    assert!(cases.len() > 100, "the fixtures are gone");
    for case in cases {
        let name = case.file_stem().unwrap().to_str().unwrap();
        let loaded = load(Path::new(&format!("{name}.toml")), &environment(&golden()));
        assert_eq!(loaded.is_ok(), name.starts_with("warn-"), "{name}: {}", render(&loaded));
        let text = render(&loaded);
        assert!(!text.contains("hunter2"), "{name} prints a secret: {text}");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}
