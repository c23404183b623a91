//! Secrets: read from a credential, a file or the environment, never printed.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use toml::de::DeValue;

use super::environment::Environment;
use super::keys;
use super::read::{Node, Section};

/// Greatest size of a secret.
const SECRET_BYTES_MAX: u64 = 64 << 10;

const INLINE: &str = "secrets are never in these files: write `{ credential = \"NAME\" }`, `{ file = \"…\" }` or \
                      `{ env = \"NAME\" }`";

/// A secret in memory. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What became of a secret that the config names.
#[derive(Debug)]
pub(super) enum Resolved {
    /// Its value.
    Known(Secret),
    /// A credential, and the program does not run under systemd: only the service can read it.
    NotCheckable,
}

/// Reads the secret that `node` names; notes a mistake when there is none.
pub(super) fn resolve(node: &Node<'_>, environment: &Environment) -> Option<Resolved> {
    if matches!(node.value, DeValue::String(_)) {
        return node.problem("a secret is written here", INLINE);
    }
    let section = node.section_of(&keys::SECRET)?;
    match [section.has("credential"), section.has("file"), section.has("env")] {
        [true, false, false] => credential(&section, node, environment),
        [false, true, false] => {
            let path = section.path("file")?;
            read(node, &path).map(Resolved::Known)
        }
        [false, false, true] => variable(&section, node, environment).map(Resolved::Known),
        _ => node.problem("names no secret or several", INLINE),
    }
}

fn credential(section: &Section<'_>, node: &Node<'_>, environment: &Environment) -> Option<Resolved> {
    let name = section.text("credential")?.value;
    if name.contains('/') || name.starts_with('.') {
        return node
            .problem("is the name of a credential, not a path", "to name a file write `{ file = \"…\" }`");
    }
    let Some(directory) = &environment.credentials_directory else {
        node.report.warn(
            node.blame(format!("credential `{name}` is not checkable here"))
                .hint("only the service can read it: `$CREDENTIALS_DIRECTORY` is not set outside systemd"),
        );
        return Some(Resolved::NotCheckable);
    };
    let candidates = [directory.join(&name), directory.join(format!("secret_{name}"))];
    match candidates.iter().find(|path| path.exists()) {
        Some(path) => read(node, path).map(Resolved::Known),
        None => node.problem(
            format!("credential `{name}` does not exist"),
            &format!("give it to the service: `LoadCredential={name}:/path/to/file`"),
        ),
    }
}

fn variable(section: &Section<'_>, node: &Node<'_>, environment: &Environment) -> Option<Secret> {
    let name = section.text("env")?.value;
    match environment.variable(&name).map(std::ffi::OsString::into_string) {
        Some(Ok(value)) => checked(node, value, &format!("the variable `{name}`")),
        Some(Err(_)) => node.problem(format!("the variable `{name}` is not UTF-8"), "set it anew"),
        None => node.problem(format!("the variable `{name}` is not set"), "set it before the program starts"),
    }
}

fn read(node: &Node<'_>, path: &Path) -> Option<Secret> {
    let shown = path.display();
    match read_capped(path) {
        Ok(value) => checked(node, value, &format!("the file `{shown}`")),
        Err(error) => node.problem(
            format!("the secret in `{shown}` cannot be read: {error}"),
            "the user that runs the program must be able to read it",
        ),
    }
}

fn read_capped(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut value = String::new();
    fs::File::open(path)?.take(SECRET_BYTES_MAX + 1).read_to_string(&mut value)?;
    if value.len() as u64 > SECRET_BYTES_MAX {
        return Err(io::Error::other("larger than 64 KiB"));
    }
    Ok(value)
}

/// The secret less one newline at its end, which editors and `echo` add.
fn checked(node: &Node<'_>, mut value: String, place: &str) -> Option<Secret> {
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    if value.is_empty() {
        return node.problem(format!("{place} is empty"), "put the secret into it");
    }
    Some(Secret::new(value))
}
