//! `stdout`: one block of lines for each alert.

use std::io::{self, Write as _};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::digest::{Digest, entry};
use super::event::{facts, headline};
use super::foreign::{cut, line};
use super::report;
use super::wording::{self, Link};
use super::{Accepted, Body, Message, TEST_WORDS};
use crate::event::Event;
use crate::outbox::Failure;
use crate::story::Alert;

/// Who may write. The standard output is one, however many notifiers lead to it, and a write into a full pipe
/// cannot be called back: were each attempt to begin its own, they would use up the threads of the runtime.
static TURN: Semaphore = Semaphore::const_new(1);

/// The waits of every attempt: the other end has a while to read, and a write under way a moment to end.
const PATIENCE: Patience = Patience { turn: Duration::from_secs(1), write: Duration::from_secs(20) };

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
    /// When nobody reads: the pipe is broken, or full for long. What is stuck in a full pipe may still be written
    /// when its reader returns, beside the copy of the next attempt.
    ///
    /// # Cancel safety
    /// Dropping it does not take back what is written.
    pub async fn send(&self, message: &Message<'_>) -> Result<Accepted, Failure> {
        let block = block(message);
        let write = move || {
            let mut out = io::stdout().lock();
            out.write_all(block.as_bytes())?;
            out.flush()
        };
        match in_turn(&TURN, PATIENCE, write).await {
            Ok(()) => Ok(Accepted::saying("written")),
            Err(reason) => Err(Failure::Way { reason, retry_after: None }),
        }
    }
}

/// How long an attempt waits.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For an earlier write to end.
    turn: Duration,
    /// For its own.
    write: Duration,
}

/// Runs `write` on a thread of its own as soon as no other holds the turn, or says why not. The turn ends with the
/// write, not with the wait for it.
async fn in_turn(
    turn: &'static Semaphore,
    patience: Patience,
    write: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> Result<(), String> {
    let Ok(Ok(permit)) = tokio::time::timeout(patience.turn, turn.acquire()).await else {
        return Err("an earlier write to the standard output is stuck: nobody reads it".to_owned());
    };
    let written = tokio::task::spawn_blocking(move || {
        let _until_written = permit;
        write()
    });
    match tokio::time::timeout(patience.write, written).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(format!("cannot write to the standard output: {error}")),
        Ok(Err(ended)) => Err(format!("cannot write to the standard output: {ended}")),
        Err(_) => Err(format!("nobody read the standard output for {} s", patience.write.as_secs_f32())),
    }
}

/// What is written for `message`: lines of plain text, foreign words on one line each and harmless to a terminal.
pub fn block(message: &Message<'_>) -> String {
    match &message.body {
        Body::Alert(alert) => alert_block(alert, message),
        Body::Digest(digest) => digest_block(digest, message),
        Body::Event(event) => event_block(event, message),
        Body::Report(told) => {
            let facts = report::facts(told, message.timezone).into_iter();
            facts_block(&format!("[report] {}", report::headline(told)), message, facts)
        }
        Body::Test => format!("[test] {TEST_WORDS}\n\n"),
    }
}

fn event_block(event: &Event, message: &Message<'_>) -> String {
    let facts = facts(event, message.timezone).into_iter().skip(1);
    facts_block(&format!("[{}] {}", event.kind.as_str(), headline(event)), message, facts)
}

fn facts_block(
    head: &str,
    message: &Message<'_>,
    facts: impl Iterator<Item = (&'static str, String)>,
) -> String {
    let mut out = vec![head.to_owned()];
    out.extend(message.late.then(|| wording::LATE.to_owned()));
    out.extend(facts.map(|(heading, fact)| format!("{}: {fact}", heading.to_lowercase())));
    format!("{}\n\n", out.join("\n  "))
}

/// A heading, then each alert under it.
fn digest_block(digest: &Digest<'_>, message: &Message<'_>) -> String {
    let mut out = vec![format!("[digest] {}, at most {}", digest.headline(), digest.severity())];
    out.extend(message.late.then(|| format!("  {}", wording::LATE)));
    for alert in digest.alerts {
        out.push(format!("  {}", entry(alert, message.timezone).join("\n    ")));
    }
    format!("{}\n\n", out.join("\n"))
}

fn alert_block(alert: &Alert, message: &Message<'_>) -> String {
    let desk = message.timezone;
    let mut out = vec![format!("[{}] {}", alert.severity, wording::rules(alert))];
    out.extend(message.late.then(|| wording::LATE.to_owned()));
    out.extend(wording::repeat(alert, message.timezone));
    out.extend(wording::unrouted(alert).map(str::to_owned));
    out.extend(wording::update(alert));
    out.extend(wording::article(alert).map(str::to_owned));
    out.extend(wording::notes(alert).iter().map(|(heading, note)| format!("{heading}: {}", line(note))));
    out.push(wording::headline(alert));
    out.push(format!("{}; published {}", wording::source(alert), wording::published(alert, desk)));
    match wording::link(alert) {
        Link::Address(url) => out.push(url.into()),
        Link::LeftOut(why) => out.push(why),
        Link::None => {}
    }
    for rule in &alert.rules {
        let terms: Vec<String> =
            wording::reasons(rule).into_iter().map(|(term, quotes)| format!("{term} {quotes}")).collect();
        out.push(cut(&format!("why: {}: {}", line(&rule.rule), terms.join("; ")), WHY_CHARS_MAX));
    }
    out.push(wording::explain(alert));
    let indented = out.join("\n  ");
    format!("{indented}\n\n")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn one_stuck_write_holds_one_thread_and_the_others_never_begin() {
        static TURN: Semaphore = Semaphore::const_new(1);
        let short = Patience { turn: Duration::from_millis(20), write: Duration::from_millis(20) };
        let (reader, full) = mpsc::channel::<()>();
        let (told, writes) = mpsc::channel();
        let begin = |name| {
            let told = told.clone();
            move || told.send(name).map_err(io::Error::other)
        };
        let stuck = in_turn(&TURN, short, move || full.recv().or(Ok(())));
        assert_eq!(stuck.await, Err("nobody read the standard output for 0.02 s".to_owned()));
        for name in ["second", "third"] {
            let failed = in_turn(&TURN, short, begin(name)).await.expect_err("the turn is taken");
            assert!(failed.starts_with("an earlier write"), "{failed}");
        }
        drop(reader);
        assert_eq!(in_turn(&TURN, PATIENCE, begin("after")).await, Ok(()));
        assert_eq!(writes.try_iter().collect::<Vec<_>>(), ["after"]);
    }

    #[tokio::test]
    async fn a_broken_pipe_frees_the_turn() {
        static TURN: Semaphore = Semaphore::const_new(1);
        for _ in 0..2 {
            let broken = in_turn(&TURN, PATIENCE, || Err(io::ErrorKind::BrokenPipe.into())).await;
            assert_eq!(broken, Err("cannot write to the standard output: broken pipe".to_owned()));
        }
    }
}
