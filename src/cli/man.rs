//! `harmattan man`: the manual pages, made from the command line's and the config's own definitions.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory;

use super::Cli;
use super::print::{Exit, talk};
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Folder to write into; made when it does not exist
    folder: PathBuf,
}

pub(super) fn man(options: &Options) -> anyhow::Result<Exit> {
    let folder = &options.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let shown = || format!("cannot write into `{}`", folder.display());
    clap_mangen::generate_to(Cli::command(), folder).with_context(shown)?;
    std::fs::write(folder.join("harmattan.toml.5"), config::man_page()).with_context(shown)?;
    talk(format!("manual pages written into `{}`", folder.display()));
    Ok(Exit::Done)
}
