//! What a load takes from around the program, gathered once so that the load itself is a function of it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Looks up a variable.
type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// The surroundings of the program.
#[derive(Clone)]
pub struct Environment {
    /// Where `./harmattan-data` lies and a relative path to the config starts.
    pub working_directory: PathBuf,
    /// `$STATE_DIRECTORY`, as systemd sets it; of several folders the first.
    pub state_directory: Option<PathBuf>,
    /// `$RUNTIME_DIRECTORY`, likewise.
    pub runtime_directory: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`; absent outside systemd.
    pub credentials_directory: Option<PathBuf>,
    variable: Arc<Lookup>,
}

impl Environment {
    /// That of the process; variables for secrets are looked up only when the config names them.
    pub fn from_process() -> Self {
        let folder = |name| first_path(&env::var_os(name)?);
        Self {
            // Without a working directory a relative path fails where it is used, with its name.
            working_directory: env::current_dir().unwrap_or_default(),
            state_directory: folder("STATE_DIRECTORY"),
            runtime_directory: folder("RUNTIME_DIRECTORY"),
            credentials_directory: folder("CREDENTIALS_DIRECTORY"),
            variable: Arc::new(|name| env::var_os(name)),
        }
    }

    /// One without any variable, outside systemd.
    pub fn bare(working_directory: PathBuf) -> Self {
        Self {
            working_directory,
            state_directory: None,
            runtime_directory: None,
            credentials_directory: None,
            variable: Arc::new(|_| None),
        }
    }

    /// The same with another way to look up variables.
    #[must_use]
    pub fn with_variables(
        mut self,
        variable: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.variable = Arc::new(variable);
        self
    }

    /// The value of a variable that names the config or holds a secret.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variable)(name)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("working_directory", &self.working_directory)
            .field("state_directory", &self.state_directory)
            .field("runtime_directory", &self.runtime_directory)
            .field("credentials_directory", &self.credentials_directory)
            .finish_non_exhaustive()
    }
}

/// The first of several paths joined by colons (systemd.exec, `StateDirectory=`); `None` when there is none.
fn first_path(value: &OsStr) -> Option<PathBuf> {
    env::split_paths(value).find(|path| !path.as_os_str().is_empty())
}
