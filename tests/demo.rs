//! `harmattan demo` as somebody runs it who has just built the program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The greatest width that its output may have, in characters.
const WIDTH: usize = 100;

/// Starts the demo with a folder of its own for temporary files.
fn start(temporary: &Path, keep: bool) -> Child {
    let mut program = Command::new(env!("CARGO_BIN_EXE_harmattan"));
    program.arg("demo").args(keep.then_some("--keep"));
    program.env("TMPDIR", temporary).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What lies in `folder`.
fn entries(folder: &Path) -> Vec<PathBuf> {
    folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_signal_ends_it_at_any_time_and_its_folder_goes() {
    for (keep, words, name, code) in [
        (false, "1. first round", "INT", 74),
        (false, "1. first round", "TERM", 74),
        (true, "still running", "INT", 0),
    ] {
        let temporary = TempDir::new().unwrap();
        let mut demo = start(temporary.path(), keep);
        let mut talk = BufReader::new(demo.stderr.take().unwrap()).lines();
        assert!(talk.any(|line| line.unwrap().contains(words)), "{words}");

        let folders = entries(temporary.path());
        let [folder] = folders.as_slice() else { panic!("{folders:?}") };
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let name_random = folder.to_str().unwrap().rsplit('-').next().unwrap();
        assert!(name_random.len() == 16 && u64::from_str_radix(name_random, 16).is_ok(), "{folder:?}");

        let sent = Command::new("kill").args([&format!("-{name}"), &demo.id().to_string()]).status();
        assert!(sent.unwrap().success());
        assert_eq!(demo.wait().unwrap().code(), Some(code), "{name} {:?}", talk.collect::<Vec<_>>());
        assert_eq!(entries(temporary.path()), Vec::<PathBuf>::new(), "{name}");
    }
}

#[test]
fn it_shows_a_mail_and_a_webhook_that_fit_a_terminal() {
    let temporary = TempDir::new().unwrap();
    let mut demo = start(temporary.path(), false);
    let (mut shown, mut talk) = (String::new(), String::new());
    demo.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    demo.stderr.take().unwrap().read_to_string(&mut talk).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(0), "{talk}");
    for words in
        ["Subject: [critical] ", "CRITICAL: wagner-leaves-sahel", "webhook-id: ", "\"type\": \"alert.new\""]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    for line in shown.lines().chain(talk.lines()) {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
    assert_eq!(entries(temporary.path()), Vec::<PathBuf>::new());
}
