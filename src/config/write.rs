//! Adds sources to a file of the desk's own, so that it can be undone.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
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
    /// Whether it is polled.
    pub enabled: bool,
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
        if !self.enabled {
            lines.push("enabled = false".to_owned());
        }
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
    /// there stays byte for byte; a reader sees the old file or the new one, never half of it. The file keeps its
    /// owner, its group and its mode: a daemon that could read it still can, whoever adds. Where these cannot be given
    /// to a new file, the old one is written on, and a reader may see a part of what is added.
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
            Err(error) if error.kind() == ErrorKind::NotFound => None,
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
    let replaced = draw_up(&draft, fs::metadata(path).ok().as_ref(), bytes).and_then(|is_alike| {
        if is_alike {
            fs::rename(&draft, path)?;
        }
        Ok(is_alike)
    });
    if !matches!(replaced, Ok(true)) {
        // What went wrong first is what is told.
        drop(fs::remove_file(&draft));
    }
    if !replaced? {
        write_over(path, bytes)?;
    }
    File::open(folder)?.sync_all()
}

/// Writes a draft with the owner, the group and the mode of the old file; whether it may have that owner and group.
/// Where it may not, nothing is written.
fn draw_up(draft: &Path, old: Option<&Metadata>, bytes: &[u8]) -> io::Result<bool> {
    // One left by a process that was killed, or a link that somebody laid there.
    drop(fs::remove_file(draft));
    let mut file = File::create_new(draft)?;
    if let Some(old) = old {
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            match fchown(&file, Some(old.uid()), Some(old.gid())) {
                Ok(()) => {}
                // An owner that this process must not make, or that has no number in its container.
                Err(error)
                    if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) =>
                {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        // After the owner, as a change of that takes rights away.
        file.set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(true)
}

/// Writes into the old file. What stands in it begins as `bytes` do, or `bytes` as it does, so no reader sees less than
/// what both have.
fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let before = file.metadata()?.len();
    let written = file.write_all(bytes).and_then(|()| file.set_len(bytes.len() as u64));
    if written.is_err() {
        drop(file.set_len(before));
    }
    written?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn source(name: &str) -> NewSource {
        NewSource {
            name: SourceName::new(name).unwrap(),
            address: NewAddress::Feed(Url::parse("https://press.example/rss?a=\"1\"").unwrap()),
            lang: Some("fr".to_owned()),
            tags: vec!["a \"b\"".to_owned(), "c\\d\u{7f}".to_owned()],
            tier: Some(1),
            enabled: true,
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

    /// The owner, the group and the mode of a file.
    fn rights(path: &Path) -> (u32, u32, u32) {
        let told = fs::metadata(path).unwrap();
        (told.uid(), told.gid(), told.mode() & 0o7777)
    }

    #[test]
    fn a_file_keeps_its_owner_its_group_and_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources.toml");
        fs::write(&path, "# mine\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        // Root alone can give a file away; anybody else's stays their own.
        let is_given = std::os::unix::fs::chown(&path, Some(54_321), Some(54_322)).is_ok();
        let before = rights(&path);
        assert_eq!((before.0 == 54_321, before.2), (is_given, 0o640));
        let edit = Edit::append(&path, &[source("a")]).unwrap();
        assert_eq!(rights(&path), before);
        assert!(fs::read_to_string(&path).unwrap().starts_with("# mine\n\n[[source]]\n"));
        edit.undo().unwrap();
        assert_eq!((rights(&path), fs::read_to_string(&path).unwrap()), (before, "# mine\n".to_owned()));
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources.toml");
        fs::write(&path, "# mine\n").unwrap();
        let number = fs::metadata(&path).unwrap().ino();
        for text in ["# mine\n\n[[source]]\n", "# mine\n"] {
            write_over(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::metadata(&path).unwrap().ino(), number, "it is the same file");
        assert!(write_over(&folder.path().join("none.toml"), b"").is_err(), "none is made");
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
