//! Which file is the config.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Where a config is looked for when nobody names one, relative to the working directory.
const HERE: &str = "config/harmattan.toml";
/// Where it is looked for last.
const INSTALLED: &str = "/etc/harmattan/harmattan.toml";

/// Why there is no config to load.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A file was named that does not exist.
    #[error("the config `{}`, named by {by}, does not exist", path.display())]
    Named {
        /// The file.
        path: PathBuf,
        /// What named it.
        by: &'static str,
    },
    /// None was named and none is in the usual places.
    #[error("there is no config: neither `./{HERE}` nor `{INSTALLED}` exists")]
    Nowhere,
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Named { .. } => "check the path",
            Self::Nowhere => "name one with `--config FILE` or in `$HARMATTAN_CONFIG`",
        }
    }
}

/// Finds the config: what the command line names, else what `$HARMATTAN_CONFIG` names, else
/// `./config/harmattan.toml` if there is one, else `/etc/harmattan/harmattan.toml`.
///
/// # Errors
///
/// When a file that is named does not exist, or none is named and neither usual place has one.
pub fn locate(cli: Option<&Path>, env: Option<&OsStr>) -> Result<PathBuf, ConfigError> {
    find(cli, env, Path::exists)
}

fn find(
    cli: Option<&Path>,
    env: Option<&OsStr>,
    exists: impl Fn(&Path) -> bool,
) -> Result<PathBuf, ConfigError> {
    // A variable set to nothing names nothing.
    let env = env.filter(|value| !value.is_empty()).map(Path::new);
    let named = cli.map(|path| (path, "`--config`")).or(env.map(|path| (path, "`$HARMATTAN_CONFIG`")));
    if let Some((path, by)) = named {
        return if exists(path) {
            Ok(path.to_owned())
        } else {
            Err(ConfigError::Named { path: path.to_owned(), by })
        };
    }
    [HERE, INSTALLED]
        .into_iter()
        .map(Path::new)
        .find(|path| exists(path))
        .map(Path::to_owned)
        .ok_or(ConfigError::Nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_command_line_variable_folder_and_etc_wins() {
        let all = ["a.toml", "b.toml", HERE, INSTALLED];
        for (cli, env, there, expected) in [
            (Some("a.toml"), Some("b.toml"), &all[..], "a.toml"),
            (None, Some("b.toml"), &all[..], "b.toml"),
            (None, None, &all[..], HERE),
            (None, Some(""), &all[..], HERE),
            (None, None, &[INSTALLED][..], INSTALLED),
        ] {
            let found = find(cli.map(Path::new), env.map(OsStr::new), |path| {
                there.iter().any(|there| Path::new(there) == path)
            });
            assert_eq!(found, Ok(PathBuf::from(expected)));
        }
    }

    #[test]
    fn a_named_file_must_exist() {
        let missing = |path: &str, by| ConfigError::Named { path: path.into(), by };
        let here = |path: &Path| path == Path::new(HERE);
        assert_eq!(find(Some(Path::new("x")), None, here), Err(missing("x", "`--config`")));
        assert_eq!(find(None, Some(OsStr::new("y")), here), Err(missing("y", "`$HARMATTAN_CONFIG`")));
        assert_eq!(find(None, None, |_| false), Err(ConfigError::Nowhere));
    }
}
