//! A desk in a folder of its own, and the built program's commands on it; each call is a new process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

/// What every desk has: two rules, the second graver.
const COMMON: &str = r#"
[store]
path = "store"
[schedule]
host_gap = "0s"
[[rule]]
name = "convoy"
severity = "high"
all = ["convoy attacked"]
[[rule]]
name = "base"
severity = "critical"
all = ["base falls"]
"#;

/// Settings that let sources be on loopback.
pub(crate) const LOOPBACK: &str =
    "[http]\ncontact = \"mailto:desk@example.org\"\nallow_networks = [\"127.0.0.0/8\"]\n";

/// The desk.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A desk that may read loopback, with these sources and whatever else is to stand in its config.
    pub(crate) fn with(more: &str) -> Self {
        Self::strict(&format!("{LOOPBACK}{more}"))
    }

    /// A desk without any leave.
    pub(crate) fn strict(more: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write(more);
        desk
    }

    /// Another config in the same place, over the same store.
    pub(crate) fn change(&self, more: &str) {
        self.write(&format!("{LOOPBACK}{more}"));
    }

    /// `once --all`: the polls by source.
    pub(crate) fn all(&self) -> BTreeMap<String, Value> {
        by("source", self.run(&["once", "--all", "--json"]))
    }

    /// `once`: the polls of what is due.
    pub(crate) fn due(&self) -> BTreeMap<String, Value> {
        by("source", self.run(&["once", "--json"]))
    }

    /// `once --all` of a desk with one source.
    pub(crate) fn poll(&self) -> Value {
        let polls = self.all();
        assert_eq!(polls.len(), 1, "{polls:?}");
        polls.into_values().next().unwrap()
    }

    /// `sources list`, by name.
    pub(crate) fn sources(&self) -> BTreeMap<String, Value> {
        by("name", self.run(&["sources", "list", "--json"]))
    }

    /// `alerts list`, oldest first.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        let mut alerts = self.run(&["alerts", "list", "--json"]);
        alerts.sort_by_key(|alert| text(alert, "/created").parse::<Timestamp>().unwrap());
        alerts
    }

    /// Of each alert, its type, what became of it and the title of its item, oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = |alert: &Value| {
            format!("{} {} {}", text(alert, "/type"), text(alert, "/disposition"), text(alert, "/item/title"))
        };
        self.alerts().iter().map(told).collect()
    }

    /// Where its store is; a test may open it between two runs.
    #[allow(dead_code, reason = "most tests leave the store alone")]
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The file of its config.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("harmattan.toml")
    }

    fn write(&self, more: &str) {
        std::fs::write(self.config(), format!("{COMMON}{more}")).unwrap();
    }

    /// Runs a command; the lines of JSON among its output. What the notifier `stdout` writes is none.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let program = env!("CARGO_BIN_EXE_harmattan");
        let output = Command::new(program).arg("-c").arg(self.config()).args(arguments).output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {}: {talk}", output.status);
        let lines = String::from_utf8(output.stdout).unwrap();
        lines
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Desk {
    /// What a command that ends well prints.
    #[allow(dead_code, reason = "most tests read JSON")]
    pub(crate) fn print(&self, arguments: &[&str]) -> String {
        let program = env!("CARGO_BIN_EXE_harmattan");
        let output = Command::new(program).arg("-c").arg(self.config()).args(arguments).output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}: {talk}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

fn by(key: &str, values: Vec<Value>) -> BTreeMap<String, Value> {
    values.into_iter().map(|value| (value[key].as_str().unwrap().to_owned(), value)).collect()
}

/// The text at a JSON pointer; empty when there is none.
pub(crate) fn text(value: &Value, at: &str) -> String {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The number at a JSON pointer.
pub(crate) fn number(value: &Value, at: &str) -> u64 {
    value.pointer(at).and_then(Value::as_u64).unwrap()
}
