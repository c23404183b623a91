//! What is to be said of the store itself.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::Context;
use super::api::Reply;
use crate::store::{Cause, Restored, Stats, StoreError, Verified};

/// Size and counts of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Where it is.
    pub path: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Sources ever polled.
    pub sources: usize,
    /// Deliveries owed still, those that are held left out.
    pub deliveries_open: u64,
    /// Deliveries that are held by their routes.
    pub deliveries_held: u64,
    /// Dead letters.
    pub deliveries_dead: u64,
    /// Rows set aside because their checksum did not fit.
    pub damaged: u64,
    /// When it was restored from a backup the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// When that backup was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Timestamp>,
    /// How it came to take the place of one that was found damaged, when that happened later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescued: Option<Rescued>,
}

/// A store that was found damaged, and another took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescued {
    /// When.
    pub at: Timestamp,
    /// Until when it is known for certain what was told.
    pub since: Timestamp,
    /// What was found.
    pub detail: String,
    /// Whether anything could be read; else an empty store was begun.
    pub kept: bool,
    /// Where the damaged store is, as long as it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<String>,
}

impl Rescued {
    /// What is to be said of how the store at `place` was restored, where it was found damaged.
    pub(super) fn of(restored: &Restored, place: &Path) -> Option<Self> {
        let Cause::Damage { aside, detail, kept } = &restored.cause else { return None };
        let aside = Some(place.join(aside)).filter(|aside| aside.is_dir());
        let aside = aside.map(|aside| aside.display().to_string());
        Some(Self { at: restored.at, since: restored.taken, detail: detail.clone(), kept: *kept, aside })
    }
}

/// What a look at every stored value found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Values looked at.
    pub values: u64,
    /// Those that are not as they were written.
    pub damaged: u64,
    /// Rows set aside earlier, since their value was damaged.
    pub set_aside: u64,
}

pub(super) async fn size(context: &Context) -> Result<Reply, StoreError> {
    let place = context.store_path.clone();
    context
        .station
        .read(move |store| {
            let Stats { disk_bytes, deliveries_open, deliveries_held, deliveries_dead, damaged } =
                store.stats()?;
            let restored = store.restored()?;
            let rescued = restored.as_ref().and_then(|restored| Rescued::of(restored, &place));
            let of_backup = restored.filter(|restored| restored.cause == Cause::Backup);
            let (restored, backup) = of_backup.map(|restored| (restored.at, restored.taken)).unzip();
            let sources = store.sources()?.len();
            Ok(Reply::Store(Size {
                path: place.display().to_string(),
                bytes: disk_bytes,
                sources,
                deliveries_open,
                deliveries_held,
                deliveries_dead,
                damaged,
                restored,
                backup,
                rescued,
            }))
        })
        .await
}

pub(super) async fn verify(context: &Context) -> Result<Reply, StoreError> {
    let Verified { values, damaged, set_aside } = context.station.read(|store| store.verify()).await?;
    Ok(Reply::Verified(Checked { values, damaged, set_aside }))
}
