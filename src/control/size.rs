//! What is to be said of the store itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::Context;
use super::api::Reply;
use crate::store::{Restored, Stats, StoreError, Verified};

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
    let path = context.store_path.display().to_string();
    context
        .station
        .read(move |store| {
            let Stats { disk_bytes, deliveries_open, deliveries_held, deliveries_dead, damaged } =
                store.stats()?;
            let (restored, backup) = store.restored()?.map(|Restored { at, taken }| (at, taken)).unzip();
            let sources = store.sources()?.len();
            Ok(Reply::Store(Size {
                path,
                bytes: disk_bytes,
                sources,
                deliveries_open,
                deliveries_held,
                deliveries_dead,
                damaged,
                restored,
                backup,
            }))
        })
        .await
}

pub(super) async fn verify(context: &Context) -> Result<Reply, StoreError> {
    let Verified { values, damaged, set_aside } = context.station.read(|store| store.verify()).await?;
    Ok(Reply::Verified(Checked { values, damaged, set_aside }))
}
