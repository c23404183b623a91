//! Where the daemon listens, told without the whole config: a config that would be refused must not keep a
//! command from reaching the daemon whose verdict counts.

use std::path::{Path, PathBuf};

use super::Environment;
use super::general::{default_socket, default_store, is_installed};

/// The control socket by the main file at `path`: its own word, else the default.
///
/// A file that cannot be read or parsed counts as one that says nothing.
pub fn control_socket(path: &Path, environment: &Environment) -> PathBuf {
    let main = environment.working_directory.join(path);
    let text = std::fs::read_to_string(&main).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let installed = is_installed(&main);
    let folder = main.parent().unwrap_or(&main);
    let written =
        |section: &str, key: &str| table.get(section)?.get(key)?.as_str().map(|value| folder.join(value));
    written("control", "socket").unwrap_or_else(|| {
        let store = written("store", "path").unwrap_or_else(|| default_store(installed, environment));
        default_socket(installed, environment, &store)
    })
}
