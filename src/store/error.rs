//! Why the store did not do it, and what to do about it.

use std::io;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("the store at `{0}` is in use by another process")]
    InUse(String),
    /// There is none.
    #[error("no store at `{0}`")]
    Absent(String),
    /// It belongs to another user.
    #[error("the store at `{path}` belongs to user {owner}, not to {us}")]
    Foreign {
        /// Where it is.
        path: String,
        /// Its owner's numeric id.
        owner: u32,
        /// Ours.
        us: u32,
    },
    /// It is damaged.
    #[error("the store at `{path}` is damaged: {detail}")]
    Damaged {
        /// Where it is.
        path: String,
        /// What was found.
        detail: String,
    },
    /// It was written by a newer version.
    #[error("the store at `{path}` has format {found}; this version of harmattan reads up to {known}")]
    Newer {
        /// Where it is.
        path: String,
        /// Its format.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// The disk refused.
    #[error("the store could not {doing}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Two transactions met; the engine runs the work again.
    #[error("conflicting transactions")]
    Conflict,
    /// The writer thread has ended.
    #[error("the store's writer has stopped")]
    Stopped,
    /// The work of a transaction panicked; nothing of it was written.
    #[error("a transaction panicked: {0}")]
    Panicked(String),
}

impl StoreError {
    /// What the operator can do, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::InUse(_) => {
                Some("wait until the other process ends, or stop it: one process at a time".into())
            }
            Self::Absent(_) => Some("`harmattan run` creates it; check `store` in the config".into()),
            Self::Foreign { owner, .. } => {
                Some(format!("run the command as that user: `sudo -u '#{owner}' harmattan …`"))
            }
            Self::Damaged { path, .. } => Some(format!(
                "move `{path}` away and restore a backup with `harmattan store restore`; without one, an empty store \
                 starts with a baseline of each source"
            )),
            Self::Newer { .. } => {
                Some("install the newer version again, or restore a backup made by this one".into())
            }
            Self::Io { .. } => Some("check the free space and the health of the disk".into()),
            Self::Conflict | Self::Stopped | Self::Panicked(_) => None,
        }
    }

    /// The same error for one more receiver.
    pub(super) fn share(&self) -> Self {
        match self {
            Self::InUse(path) => Self::InUse(path.clone()),
            Self::Absent(path) => Self::Absent(path.clone()),
            Self::Foreign { path, owner, us } => Self::Foreign { path: path.clone(), owner: *owner, us: *us },
            Self::Damaged { path, detail } => Self::Damaged { path: path.clone(), detail: detail.clone() },
            Self::Newer { path, found, known } => {
                Self::Newer { path: path.clone(), found: *found, known: *known }
            }
            Self::Io { doing, source } => {
                Self::Io { doing, source: io::Error::new(source.kind(), source.to_string()) }
            }
            Self::Conflict => Self::Conflict,
            Self::Stopped => Self::Stopped,
            Self::Panicked(detail) => Self::Panicked(detail.clone()),
        }
    }
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
