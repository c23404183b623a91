//! `stdout`: one block of lines for each alert.

use std::io::Write as _;
use std::time::Duration;

use super::foreign::{cut, line};
use super::{Accepted, Body, Message, TEST_WORDS, wording};
use crate::outbox::Failure;

/// Longest wait for a reader of the other end of a full pipe.
const DEADLINE: Duration = Duration::from_secs(20);

/// Greatest length of the words that tell why, in characters.
const WHY_CHARS_MAX: usize = 300;

/// A notifier that writes to the standard output.
#[derive(Debug)]
pub struct Stdout {
    name: String,
}

impl Stdout {
    /// A notifier of that name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes `message`.
    ///
    /// # Errors
    /// When nobody reads: the pipe is broken, or full for long.
    ///
    /// # Cancel safety
    /// Dropping it does not take back what is written.
    pub async fn send(&self, message: &Message<'_>) -> Result<Accepted, Failure> {
        let block = block(message);
        // A blocked write would hold a thread of the runtime.
        let written = tokio::task::spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            out.write_all(block.as_bytes())?;
            out.flush()
        });
        let reason = match tokio::time::timeout(DEADLINE, written).await {
            Ok(Ok(Ok(()))) => return Ok(Accepted { detail: "written".to_owned() }),
            Ok(Ok(Err(error))) => format!("cannot write to the standard output: {error}"),
            Ok(Err(ended)) => format!("cannot write to the standard output: {ended}"),
            Err(_) => format!("nobody read the standard output for {} s", DEADLINE.as_secs()),
        };
        Err(Failure::Transient { reason, retry_after: None })
    }
}

/// What is written for `message`: lines of plain text, foreign words on one line each and harmless to a terminal.
pub fn block(message: &Message<'_>) -> String {
    let Body::Alert(alert) = &message.body else {
        return format!("[test] {TEST_WORDS}\n\n");
    };
    let mut out = vec![format!("[{}] {}", alert.severity, wording::rules(alert))];
    out.extend(wording::update(alert));
    out.push(wording::headline(alert));
    out.push(format!(
        "{}; published {}",
        wording::source(alert),
        wording::published(alert, message.timezone)
    ));
    out.extend(wording::link(alert).map(String::from));
    for rule in &alert.rules {
        let terms: Vec<String> =
            wording::reasons(rule).into_iter().map(|(term, quotes)| format!("{term} {quotes}")).collect();
        out.push(cut(&format!("why: {}: {}", line(&rule.rule), terms.join("; ")), WHY_CHARS_MAX));
    }
    out.push(wording::explain(alert));
    let indented = out.join("\n  ");
    format!("{indented}\n\n")
}
