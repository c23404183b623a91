//! `harmattan send-test`: a test message through the notifiers.

use super::At;
use super::print::{Exit, json_lines, line, plain};
use super::reach::{ask_daemon, unexpected};
use crate::config::{self, Places};
use crate::control::send::send_tests;
use crate::control::{Call, Reply, api};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Only through this notifier
    notifier: Option<String>,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

pub(super) async fn send_test(at: &At, options: &Options) -> anyhow::Result<Exit> {
    // The daemon's notifiers are the ones that matter; without a daemon the config's are tried, store or not.
    let Places { socket, store } = config::places(&at.path()?, &at.environment);
    let call = Call::SendTest { notifier: options.notifier.clone() };
    let reply = match ask_daemon(&socket, Some(&store), &call).await? {
        Some(reply) => reply,
        None => send_tests(&at.desk()?, options.notifier.as_deref()).await,
    };
    let Reply::SendTest(sent) = reply else { return unexpected(reply) };
    if options.json {
        json_lines(&sent)?;
    } else {
        sent.iter().map(outcome).try_for_each(line)?;
    }
    Ok(Exit::wrong_if(sent.iter().any(|test| !test.accepted)))
}

/// How a message fared, in words.
pub(super) fn outcome(sent: &api::TestSent) -> String {
    let word = if sent.accepted { "accepted" } else { "refused" };
    let to = [sent.notifier.as_str(), sent.recipient.as_str()].join(" ");
    format!("{}: {word}: {}", to.trim_end(), plain(&sent.detail, 300))
}
