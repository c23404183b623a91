//! `harmattan sources page`: the page of a source whose layout is not known any more.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cli::At;
use crate::cli::print::{Exit, bytes, line, plain, talk};
use crate::cli::reach::{reach, unexpected};
use crate::control::{Call, Reply};

/// Longest line shown on a terminal, in characters.
const LINE_CHARS_MAX: usize = 2_000;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Page {
    /// Name of the source
    name: String,
}

/// Prints the page as it came; on a terminal made safe for that.
pub(super) async fn page(at: &At, options: &Page) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Page { source: options.name.clone() }).await?;
    let Reply::Page(page) = reply else { return unexpected(reply) };
    let body = STANDARD.decode(&page.body).context("the daemon sent a page that cannot be read")?;
    talk(format!("kept at {:.0}", page.kept));
    if io::stdout().is_terminal() {
        let text = String::from_utf8_lossy(&body);
        text.lines().try_for_each(|shown| line(plain(shown, LINE_CHARS_MAX)))?;
    } else {
        bytes(&body)?;
    }
    Ok(Exit::Done)
}
