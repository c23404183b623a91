//! `harmattan sources`: the state of each, and what is done with one.

mod list;
mod poll;

use self::list::List;
use self::poll::Poll;
use super::At;
use super::print::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the sources and their state
    List(List),
    /// Poll a source now; its server's orders still hold
    Poll(Poll),
}

pub(super) async fn sources(at: &At, options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Some(Command::Poll(options)) => poll::poll(at, options).await,
        Some(Command::List(options)) => list::list(at, options).await,
        None => list::list(at, &options.list).await,
    }
}
