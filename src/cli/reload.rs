//! `harmattan reload`: makes the daemon read its config again and waits for the verdict.

use anyhow::bail;

use super::At;
use super::print::{Exit, json, line, talk};
use super::reach::{ask_daemon, unexpected};
use crate::config;
use crate::control::{Call, Reply};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn reload(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let socket = config::places(&at.path()?, &at.environment).socket;
    let Some(reply) = ask_daemon(&socket, None, &Call::Reload).await? else {
        // A config that cannot be parsed does not tell where the daemon is, and is what is wrong.
        at.desk()?;
        bail!("no daemon listens at `{}`", socket.display());
    };
    let Reply::Reload(verdict) = reply else { return unexpected(reply) };
    if options.json {
        json(&verdict)?;
    } else {
        for message in &verdict.messages {
            talk(message);
        }
        let (sources, rules) = (verdict.sources, verdict.rules);
        let told = if verdict.accepted { "reloaded" } else { "refused, the old config stays in force" };
        line(format!("{told}: {sources} sources, {rules} rules"))?;
    }
    Ok(if verdict.accepted { Exit::Done } else { Exit::Refused })
}
