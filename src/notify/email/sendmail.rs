//! Mail by a program of the machine: `sendmail -i -f FROM -- TO`, as most mail systems bring it.
//!
//! It cannot work under the shipped unit: a queue of the machine is written by a program with rights of its own, which
//! a service without privileges cannot gain. There `smtp = "smtp://127.0.0.1"` reaches the same mail server.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::{Either, select};
use lettre::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};

use super::super::Accepted;
use super::super::foreign::{cut, line};
use crate::outbox::Failure;
use crate::outbox::classify::{self, SmtpVerdict};

/// Longest wait for the last words of a program that has ended: what it left running may hold its mouth open.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_millis(200);

/// Greatest length of a reason, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Bytes of a program's words that are kept.
const WORDS_BYTES_MAX: usize = 4096;

/// A program that takes mail.
pub(super) struct Sendmail {
    /// Where it lies.
    pub(super) program: PathBuf,
}

impl Sendmail {
    /// Hands over one mail; a program that has not ended by `deadline` is killed.
    ///
    /// # Errors
    /// When the program could not be run or said no.
    ///
    /// # Cancel safety
    /// Dropping it kills the program, which may have taken the mail.
    pub(super) async fn deliver(
        &self,
        (from, to): (&Address, &Address),
        mail: &[u8],
        deadline: Duration,
    ) -> Result<Accepted, Failure> {
        // -i: a line with a lone dot does not end the mail. --: no address is an option.
        let mut command = Command::new(&self.program);
        command.arg("-i").arg("-f").arg(from).arg("--").arg(to);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().map_err(|error| self.closed(&format!("cannot be run: {error}")))?;
        let Ok(ended) = tokio::time::timeout(deadline, run(child, &unix_lines(mail))).await else {
            return Err(self.lost(&format!("not done within {} s", deadline.as_secs_f32())));
        };
        let (status, words) = ended.map_err(|error| self.lost(&error.to_string()))?;
        let Some(code) = status.code() else {
            return Err(self.lost(&format!("ended by a signal ({status}) {words}")));
        };
        let said = self.reason(&format!("exit code {code} {words}"));
        match classify::sendmail(code) {
            SmtpVerdict::Accepted => Ok(Accepted::saying("taken by the local mail system")),
            SmtpVerdict::Way => Err(Failure::Way { reason: said, retry_after: None }),
            SmtpVerdict::Transient => Err(Failure::Transient { reason: said, retry_after: None }),
            SmtpVerdict::Refused => Err(Failure::Refused { reason: said }),
        }
    }

    fn closed(&self, what: &str) -> Failure {
        Failure::Way { reason: self.reason(what), retry_after: None }
    }

    fn lost(&self, what: &str) -> Failure {
        Failure::Lost { reason: self.reason(what) }
    }

    fn reason(&self, what: &str) -> String {
        cut(&line(&format!("`{}`: {what}", self.program.display())), REASON_CHARS_MAX)
    }
}

/// Feeds the program and waits for its end, heeding what it says meanwhile.
async fn run(mut child: Child, mail: &[u8]) -> io::Result<(ExitStatus, String)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut words = Vec::new();
    let status = {
        let ending = pin!(async {
            let mut fed = Ok(());
            if let Some(mut stdin) = stdin {
                fed = stdin.write_all(mail).await;
                drop(stdin);
            }
            let status = child.wait().await?;
            // A program that says no need not have read everything; one that says yes must have.
            if status.success() { fed.map(|()| status) } else { Ok(status) }
        });
        let listening = pin!(listen(stderr, &mut words));
        match select(ending, listening).await {
            Either::Left((status, listening)) => {
                let _late = tokio::time::timeout(LAST_WORDS_TIMEOUT, listening).await;
                status?
            }
            Either::Right(((), ending)) => ending.await?,
        }
    };
    Ok((status, line(&String::from_utf8_lossy(&words))))
}

/// Reads to the end, so that the program never waits for us, and keeps the beginning.
async fn listen(stderr: Option<ChildStderr>, words: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = [0; 512];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        let room = WORDS_BYTES_MAX.saturating_sub(words.len());
        words.extend(chunk.iter().take(read.min(room)));
    }
}

/// The mail with the line ends that a program of the machine expects on its input.
fn unix_lines(mail: &[u8]) -> Vec<u8> {
    let next = mail.iter().copied().skip(1).map(Some).chain([None]);
    mail.iter()
        .copied()
        .zip(next)
        .filter(|pair| *pair != (b'\r', Some(b'\n')))
        .map(|(byte, _)| byte)
        .collect()
}
