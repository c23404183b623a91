//! Adds sources to a file of the desk's own, so that it can be undone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use url::Url;

use crate::item::SourceName;

/// A source that is not yet in the config.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSource {
    /// Its name.
    pub name: SourceName,
    /// Where it is.
    pub address: NewAddress,
    /// Its language.
    pub lang: Option<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// How far it is trusted; the default where absent.
    pub tier: Option<u8>,
}

/// Where a new source is.
#[derive(Clone, Debug, PartialEq)]
pub enum NewAddress {
    /// A feed.
    Feed(Url),
    /// A Telegram channel.
    Telegram {
        /// Its name.
        channel: String,
        /// The address of the server that shows it, when that is not Telegram's own.
        host: Option<String>,
    },
}

impl NewSource {
    /// The `[[source]]` as it stands in a file.
    pub fn toml(&self) -> String {
        let mut lines = vec!["[[source]]".to_owned(), format!("name = {}", quoted(self.name.as_str()))];
        match &self.address {
            NewAddress::Feed(url) => lines.push(format!("feed = {}", quoted(url.as_str()))),
            NewAddress::Telegram { channel, host } => {
                lines.push(format!("telegram = {}", quoted(&format!("@{channel}"))));
                lines.extend(host.iter().map(|host| format!("hosts = [{}]", quoted(host))));
            }
        }
        lines.extend(self.lang.iter().map(|lang| format!("lang = {}", quoted(lang))));
        if !self.tags.is_empty() {
            let tags: Vec<String> = self.tags.iter().map(|tag| quoted(tag)).collect();
            lines.push(format!("tags = [{}]", tags.join(", ")));
        }
        lines.extend(self.tier.iter().map(|tier| format!("tier = {tier}")));
        lines.join("\n") + "\n"
    }
}

/// A basic string of TOML: what JSON escapes it escapes alike, and of the rest only U+007F may not stand in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// A file that was added to, with what stood in it before. As long as it lasts, nobody else adds to a file of that
/// folder: what others added meanwhile would be undone with it.
#[derive(Debug)]
#[must_use = "a change that the config refuses must be undone"]
pub struct Edit {
    path: PathBuf,
    before: Option<Vec<u8>>,
    _lock: File,
}

impl Edit {
    /// Adds `sources` at the end of the file at `path`, which need not exist, once nobody else adds to it. What stood
    /// there stays byte for byte; a reader sees the old file or the new one, never half of it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written; it is as before then.
    pub fn append(path: &Path, sources: &[NewSource]) -> io::Result<Self> {
        // Of a link, the file behind it: to replace the link would cut it off.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        // The file itself is replaced, and a lock would go with it.
        let folder = folder(&path);
        fs::create_dir_all(folder)?;
        let lock = File::open(folder)?;
        lock.lock()?;
        let before = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut after = before.clone().unwrap_or_default();
        for source in sources {
            if !after.is_empty() {
                let ended = after.ends_with(b"\n");
                after.extend_from_slice(if ended { b"\n" } else { b"\n\n" });
            }
            after.extend_from_slice(source.toml().as_bytes());
        }
        replace(&path, &after)?;
        Ok(Self { path, before, _lock: lock })
    }

    /// Puts back what stood there before.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    pub fn undo(self) -> io::Result<()> {
        match self.before {
            Some(before) => replace(&self.path, &before),
            None => fs::remove_file(&self.path),
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Writes a file beside the old one and puts it in its place.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder(path);
    // The dot keeps it out of every glob of `include`.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = File::create(&draft).and_then(|mut file| {
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&draft, path));
    if renamed.is_err() {
        // What went wrong first is what is told.
        drop(fs::remove_file(&draft));
    }
    renamed?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str) -> NewSource {
        NewSource {
            name: SourceName::new(name).unwrap(),
            address: NewAddress::Feed(Url::parse("https://press.example/rss?a=\"1\"").unwrap()),
            lang: Some("fr".to_owned()),
            tags: vec!["a \"b\"".to_owned(), "c\\d\u{7f}".to_owned()],
            tier: Some(1),
        }
    }

    #[test]
    fn whoever_adds_at_the_same_time_loses_nothing_and_undoes_nothing_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local/sources.toml");
        std::thread::scope(|scope| {
            for number in 0..16 {
                let path = &path;
                scope.spawn(move || {
                    let edit = Edit::append(path, &[source(&format!("source-{number}"))]).unwrap();
                    if number % 2 == 1 {
                        edit.undo().unwrap();
                    }
                });
            }
        });
        let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        let mut names: Vec<&str> = table["source"]
            .as_array()
            .unwrap()
            .iter()
            .map(|source| source["name"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, [0, 10, 12, 14, 2, 4, 6, 8].map(|number| format!("source-{number}")));
    }

    #[test]
    fn what_is_added_is_toml_and_can_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local/sources.toml");
        let edit = Edit::append(&path, &[source("a"), source("b")]).unwrap();
        let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        let first = table["source"][0].clone();
        assert_eq!(first["tags"][1].as_str(), Some("c\\d\u{7f}"));
        assert_eq!(first["feed"].as_str(), Some("https://press.example/rss?a=%221%22"));
        edit.undo().unwrap();
        assert!(!path.exists());

        fs::write(&path, "# mine").unwrap();
        let edit = Edit::append(&path, &[source("a")]).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("# mine\n\n[[source]]\n"));
        edit.undo().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# mine");
        assert_eq!(fs::read_dir(folder.path().join("local")).unwrap().count(), 1, "no draft is left");
    }
}
