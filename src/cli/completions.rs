//! `harmattan completions`: a completion script for a shell.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The shell
    shell: Shell,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has the same face")]
pub(super) fn completions(options: &Options) -> anyhow::Result<Exit> {
    clap_complete::generate(options.shell, &mut Cli::command(), "harmattan", &mut io::stdout().lock());
    Ok(Exit::Done)
}
