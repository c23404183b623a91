//! `harmattan completions`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::print::{Exit, bytes};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The shell
    shell: Shell,
}

pub(super) fn completions(options: &Options) -> anyhow::Result<Exit> {
    // Into memory first: the generator panics when its reader goes away (`| head`).
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "harmattan", &mut script);
    bytes(&script)?;
    Ok(Exit::Done)
}
