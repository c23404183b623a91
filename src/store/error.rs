//! Why the store did not do it, and what to do about it.

use std::io;
use std::ops::RangeInclusive;
use std::path::Path;

/// Users that systemd makes up for `DynamicUser=` (systemd, docs/UIDS-GIDS.md).
const DYNAMIC_USERS: RangeInclusive<u32> = 61_184..=65_519;

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
    /// A backup cannot be restored.
    #[error("`{path}` cannot be restored: {detail}")]
    Unfit {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// A backup would take the place of a store.
    #[error("there is a store at `{0}` already")]
    Present(String),
    /// A backup would take the place of a file.
    #[error("`{0}` exists already, and a backup overwrites nothing")]
    Exists(String),
    /// A backup cannot be written; the store is well.
    #[error("the backup could not be written")]
    Unwritten(#[source] io::Error),
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
            Self::Foreign { path, owner, .. } if is_systemd_given(path, *owner) => Some(
                "start the service, `systemctl start harmattan`: commands run as root then reach it through its socket"
                    .into(),
            ),
            Self::Foreign { owner, .. } => {
                Some(format!("run the command as that user: `sudo -u '#{owner}' harmattan …`"))
            }
            Self::Damaged { .. } => Some(
                "start `harmattan run` or `once`: it goes on with what can be read, sets the damaged store aside and tells; \
                 or restore a backup: `harmattan store restore FILE --replace`"
                    .into(),
            ),
            Self::Newer { .. } => {
                Some("install the newer version again, or restore a backup that this one took: `harmattan store restore`".into())
            }
            Self::Unfit { .. } => Some("nothing was changed; take another backup of yours".into()),
            Self::Present(_) => Some("`--replace` moves it aside and removes nothing".into()),
            Self::Exists(_) => Some("name another file".into()),
            Self::Unwritten(_) => Some("check the folder, its free space and its permissions".into()),
            Self::Io { .. } => Some("check the free space and the health of the disk".into()),
            Self::Conflict | Self::Stopped | Self::Panicked(_) => None,
        }
    }

    /// Whether it is the disk that refuses: nothing is wrong with what was to be done.
    pub fn is_of_disk(&self) -> bool {
        matches!(self, Self::Io { .. })
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
            Self::Unfit { path, detail } => Self::Unfit { path: path.clone(), detail: detail.clone() },
            Self::Present(path) => Self::Present(path.clone()),
            Self::Exists(path) => Self::Exists(path.clone()),
            Self::Unwritten(source) => Self::Unwritten(io::Error::new(source.kind(), source.to_string())),
            Self::Io { doing, source } => {
                Self::Io { doing, source: io::Error::new(source.kind(), source.to_string()) }
            }
            Self::Conflict => Self::Conflict,
            Self::Stopped => Self::Stopped,
            Self::Panicked(detail) => Self::Panicked(detail.clone()),
        }
    }
}

/// Whether systemd made the store for a service with `DynamicUser=`: its owner has no name to `sudo` to, and its
/// folder is closed to everybody else.
fn is_systemd_given(path: &str, owner: u32) -> bool {
    DYNAMIC_USERS.contains(&owner) || Path::new(path).starts_with("/var/lib/private")
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_only_what_exists_and_works() {
        let foreign = |path: &str, owner| StoreError::Foreign { path: path.into(), owner, us: 0 };
        let damaged = StoreError::Damaged { path: "/srv/store".into(), detail: String::new() };
        let newer = StoreError::Newer { path: "/srv/store".into(), found: 2, known: 1 };
        for (error, expected, wrong) in [
            (foreign("/srv/store", 1_000), "sudo -u '#1000' harmattan", "systemctl"),
            (foreign("/var/lib/harmattan", 65_151), "systemctl start harmattan", "sudo"),
            (foreign("/var/lib/private/harmattan", 1_000), "systemctl start harmattan", "sudo"),
            (foreign("/srv/store", 65_520), "sudo", "systemctl"),
            (damaged, "store restore FILE --replace", "copy"),
            (newer, "restore a backup that this one took", "copy"),
        ] {
            let hint = error.hint().unwrap();
            assert!(hint.contains(expected) && !hint.contains(wrong), "{error}: {hint}");
        }
    }
}
