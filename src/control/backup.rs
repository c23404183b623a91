//! A backup of the store that the daemon holds: copied between two commits into a file that has no name, then handed
//! over at the pace of the command that asked. A command that stalls holds up no commit.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::answer::{Context, refused};
use crate::daemon::clock;
use crate::store::{Backup, StoreError};

/// What a backup is called on the wire; a refusal is JSON.
pub const TYPE: &str = "application/vnd.harmattan.backup";

/// Bytes handed over at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// A backup, or why there is none.
pub(super) async fn answer(context: &Context) -> Response {
    let (file, length) = match spool(context).await {
        Ok((file, backup)) => (file, backup.bytes),
        Err(fault) => {
            return Json(refused(format!("{:#}", anyhow::Error::from(fault)))).into_response();
        }
    };
    let chunks = stream::try_unfold(file, |mut file| async move {
        let read = move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let length = file.read(&mut chunk)?;
            chunk.truncate(length);
            std::io::Result::Ok((length > 0).then_some((chunk, file)))
        };
        tokio::task::spawn_blocking(read).await?
    });
    let head = [(CONTENT_TYPE, TYPE.to_owned()), (CONTENT_LENGTH, length.to_string())];
    (head, Body::from_stream(chunks)).into_response()
}

/// Copies the store into a file without a name, beside the store: the service may write nowhere else.
async fn spool(context: &Context) -> Result<(File, Backup), StoreError> {
    let (place, taken) = (context.store_path.join("backup.tmp"), clock::now());
    let copy = move |store: &dyn crate::store::Store| {
        let mut file = nameless(&place).map_err(StoreError::Unwritten)?;
        let backup = write(store, taken, &mut file)?;
        file.rewind().map_err(StoreError::Unwritten)?;
        Ok((file, backup))
    };
    context.station.writer.between(copy).await
}

/// Writes a backup of the store to `file`.
///
/// # Errors
/// When the store cannot be read, or `file` not written.
pub fn write(
    store: &dyn crate::store::Store,
    taken: jiff::Timestamp,
    file: &mut File,
) -> Result<Backup, StoreError> {
    let mut out = BufWriter::new(file);
    let backup = store.back_up(taken, &mut out)?;
    out.flush().map_err(StoreError::Unwritten)?;
    Ok(backup)
}

/// A file for this user alone whose name is gone: it ends with whoever holds it, also by a kill.
fn nameless(place: &Path) -> std::io::Result<File> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(place)?;
    fs::remove_file(place)?;
    Ok(file)
}
