//! `harmattan store`: its size and health, a backup of it, and the way back.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures_util::StreamExt as _;

use super::At;
use super::print::{Exit, counted, json, line, plain, progress, talk};
use super::reach::{reach, unexpected};
use crate::config::{self, Places};
use crate::control::client::{self, ClientError};
use crate::control::size::{Checked, Rescued, Size};
use crate::control::{Call, Reply, backup};
use crate::daemon::clock;
use crate::daemon::station::OpenStation;
use crate::store::{self, Backup, Compacted, Head, Keep, Wish};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell its size and what is in it
    Stats(Plain),
    /// Look at every stored value whether it is as it was written; changes nothing
    Verify(Plain),
    /// Copy all of it into one file, also while the daemon runs
    ///
    /// The file is of one moment, is read again before it gets its name, and overwrites nothing. It holds what the desk
    /// knows and owes, no secrets and no config.
    Backup(Saving),
    /// Put a backup in the place of the store, which nobody may use meanwhile
    ///
    /// What was told since the backup was taken is not known then and may be told once more: marked as such, critical
    /// alerts alone and the rest as one message.
    Restore(Restoring),
    /// Rewrite it without the room of what was removed; nobody may use it meanwhile
    ///
    /// All rows are copied into a new store, which is read again and compared before it takes the place of the old one. The
    /// old one is removed then: nothing is lost that was in it.
    Compact(Plain),
}

#[derive(Debug, clap::Args)]
struct Plain {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Saving {
    /// The file to be written
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Restoring {
    /// The backup
    file: PathBuf,
    /// Move the store that is there aside, into a folder of its own within, named after the time
    #[arg(long)]
    replace: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn store(at: &At, options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        None => stats(at, &options.plain).await,
        Some(Command::Stats(plain)) => stats(at, plain).await,
        Some(Command::Verify(plain)) => verify(at, plain).await,
        Some(Command::Backup(saving)) => save(at, saving).await,
        Some(Command::Restore(restoring)) => restore(at, restoring).await,
        Some(Command::Compact(plain)) => compact(at, plain).await,
    }
}

async fn stats(at: &At, options: &Plain) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Store).await?;
    let Reply::Store(size) = reply else { return unexpected(reply) };
    if options.json {
        json(&size)?;
        return Ok(Exit::Done);
    }
    let Size { path, bytes, sources, deliveries_open, deliveries_held, deliveries_dead, damaged, .. } = &size;
    line(format!("store      {path}, {:.1} MiB", mebibytes(*bytes)))?;
    line(format!("sources    {sources} ever polled"))?;
    line(format!("outbox     {deliveries_open} owed, {deliveries_held} held, {deliveries_dead} dead"))?;
    line(format!("damaged    {}", counted(damaged, ["row set aside", "rows set aside"])))?;
    if let (Some(at), Some(taken)) = (size.restored, size.backup) {
        line(format!("restored   {at:.0}, from a backup of {taken:.0}"))?;
    }
    if let Some(Rescued { at, since, detail, kept, aside }) = &size.rescued {
        let left = if *kept { "what could be read was kept" } else { "an empty one was begun" };
        line(format!(
            "rescued    {at:.0}: {}; {left}, and knows for certain what was told until {since:.0}",
            plain(detail, 300)
        ))?;
        aside.iter().try_for_each(|aside| line(format!("           the damaged store is at {aside}")))?;
    }
    Ok(Exit::Done)
}

async fn compact(at: &At, options: &Plain) -> anyhow::Result<Exit> {
    let place = config::places(&at.path()?, &at.environment).store;
    let path = place.display().to_string();
    let work = move || {
        let done = store::compact(&place, &mut |rows| progress(format!("{rows} rows copied")));
        progress("");
        done
    };
    let Compacted { rows, before, after } = tokio::task::spawn_blocking(work).await??;
    if options.json {
        json(&serde_json::json!({ "path": path, "rows": rows, "before": before, "after": after }))?;
    } else {
        let rows = counted(rows, ["row", "rows"]);
        let (before, after) = (mebibytes(before), mebibytes(after));
        line(format!("compacted: {path}, {rows}, {before:.1} MiB before, {after:.1} MiB now"))?;
    }
    Ok(Exit::Done)
}

async fn verify(at: &At, options: &Plain) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::VerifyStore).await?;
    let Reply::Verified(found) = reply else { return unexpected(reply) };
    let Checked { values, damaged, set_aside } = found;
    if options.json {
        json(&found)?;
    } else {
        let values = counted(values, ["value", "values"]);
        line(format!("{values} looked at, {damaged} damaged; {set_aside} rows set aside earlier"))?;
    }
    Ok(Exit::wrong_if(damaged > 0))
}

async fn save(at: &At, options: &Saving) -> anyhow::Result<Exit> {
    let keep = Keep::begin(&options.file)?;
    let Places { socket, store } = config::places(&at.path()?, &at.environment);
    match client::backup(&socket, &store).await {
        Ok(answer) => receive(answer, &keep).await?,
        Err(ClientError::NoDaemon(_)) => copy(store, &keep).await?,
        Err(error @ ClientError::Forbidden(_)) => {
            return Err(error).context("run the command as the daemon's user, or as root");
        }
        Err(error) => return Err(error.into()),
    }
    let backup = keep.finish()?;
    tell(&backup, &options.file, options.json, ("saved", None))
}

/// Writes what the daemon hands over.
async fn receive(answer: client::Streamed, keep: &Keep) -> anyhow::Result<()> {
    let client::Streamed { total, chunks } = answer;
    let (mut file, mut done) = (keep.file()?, 0_u64);
    let mut chunks = std::pin::pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        file.write_all(&chunk).map_err(store::StoreError::Unwritten)?;
        done += chunk.len() as u64;
        progress(format!("{:.1} of {:.1} MiB", mebibytes(done), mebibytes(total)));
    }
    progress("");
    Ok(())
}

/// Copies the store that nobody uses.
async fn copy(place: PathBuf, keep: &Keep) -> anyhow::Result<()> {
    let (mut file, taken) = (keep.file()?, clock::now());
    let opened = OpenStation::open(place).await?;
    let written = opened.station.writer.between(move |store| backup::write(store, taken, &mut file)).await;
    opened.close().await?;
    written?;
    Ok(())
}

async fn restore(at: &At, options: &Restoring) -> anyhow::Result<Exit> {
    let place = config::places(&at.path()?, &at.environment).store;
    let (file, replace) = (options.file.clone(), options.replace);
    let work = move || {
        let wish = Wish { file: &file, place: &place, replace, now: clock::now() };
        let done = store::restore(wish, &mut |rows| progress(format!("{rows} rows written")));
        progress("");
        done
    };
    let (backup, aside) = tokio::task::spawn_blocking(work).await??;
    if let Some(aside) = aside.as_ref().filter(|_| !options.json) {
        talk(format!("the store that was there is now at `{}`", aside.display()));
    }
    tell(&backup, &options.file, options.json, ("restored", aside.as_deref()))
}

fn tell(
    backup: &Backup,
    file: &Path,
    as_json: bool,
    (done, aside): (&str, Option<&Path>),
) -> anyhow::Result<Exit> {
    let Backup { head: Head { format, taken, version }, rows, bytes } = backup;
    let file = file.display().to_string();
    if as_json {
        json(&serde_json::json!({
            "file": file, "taken": taken, "format": format, "version": version, "rows": rows, "bytes": bytes,
            "aside": aside.map(|aside| aside.display().to_string()),
        }))?;
    } else {
        let rows = counted(rows, ["row", "rows"]);
        line(format!("{done}: {file}, {rows}, {:.1} MiB, as of {taken:.0}", mebibytes(*bytes)))?;
    }
    Ok(Exit::Done)
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
