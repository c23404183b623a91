//! Where the daemon listens and keeps its store, told without the whole config: a config that would be refused
//! must not keep a command from the daemon that runs by the last good one.

use std::path::{Path, PathBuf};

use super::Environment;
use super::general::{default_socket, default_store, is_installed};

/// Where a command finds the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The control socket.
    pub socket: PathBuf,
    /// The store.
    pub store: PathBuf,
}

/// The places by the main file at `path`: its own words, else the defaults.
///
/// A file that cannot be read or parsed counts as one that says nothing.
pub fn places(path: &Path, environment: &Environment) -> Places {
    let main = environment.working_directory.join(path);
    let text = std::fs::read_to_string(&main).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let folder = main.parent().unwrap_or(&main);
    let installed = is_installed(&main);
    let written =
        |section: &str, key: &str| table.get(section)?.get(key)?.as_str().map(|value| folder.join(value));
    let store = written("store", "path").unwrap_or_else(|| default_store(installed, environment));
    let socket =
        written("control", "socket").unwrap_or_else(|| default_socket(installed, environment, &store));
    Places { socket, store }
}
