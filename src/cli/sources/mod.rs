//! `harmattan sources`: the state of each, and what is done with one.

mod add;
mod export;
mod find;
mod import;
mod list;
mod page;
mod poll;
mod write;

use self::add::Add;
pub(super) use self::find::address;
use self::import::Import;
use self::list::List;
use self::page::Page;
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
    /// Find the feed behind an address, show it and add it to `local/sources.toml`
    Add(Add),
    /// Add the feeds and channels of an OPML list
    Import(Import),
    /// Print the feeds and channels as an OPML list
    Export,
    /// Poll a source now; its server's orders still hold
    Poll(Poll),
    /// Print the page that was kept of a source when its layout was not known any more
    Page(Page),
}

pub(super) async fn sources(at: &At, options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Some(Command::Add(options)) => Box::pin(add::add(at, options)).await,
        Some(Command::Import(options)) => import::import(at, options).await,
        Some(Command::Export) => export::export(at),
        Some(Command::Poll(options)) => poll::poll(at, options).await,
        Some(Command::Page(options)) => page::page(at, options).await,
        Some(Command::List(options)) => list::list(at, options).await,
        None => list::list(at, &options.list).await,
    }
}
