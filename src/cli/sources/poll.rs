//! `harmattan sources poll`: asks one source now.

use crate::cli::At;
use crate::cli::once::told;
use crate::cli::print::{Exit, json, line, plain, talk};
use crate::cli::reach::{reach, unexpected};
use crate::control::{Call, Reply};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Poll {
    /// Name of the source
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn poll(at: &At, options: &Poll) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Poll { source: options.name.clone() }).await?;
    let Reply::Poll(poll) = reply else { return unexpected(reply) };
    if options.json {
        json(&poll)?;
    } else {
        line(format!("{}: {}", poll.source, told(&poll)))?;
        for problem in &poll.problems {
            talk(format!("  {}", plain(problem, 200)));
        }
    }
    Ok(Exit::wrong_if(poll.failure.is_some()))
}
