//! `harmattan demo`: the daemon itself, on loopback, against sample sources and receivers of its own.

use std::fs::DirBuilder;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::print::{Exit, line, talk};
use crate::config::Environment;
use crate::control::client;
use crate::control::{Call, Reply};
use crate::daemon::{self, DaemonError, Start, clock};
use crate::demo::origin::FLAGGED;
use crate::demo::{Hook, Letter, Mail, Mailbox, Origin, Replies, Request};
use crate::desk::Desk;
use crate::telemetry;

/// The demo is over by then, or it failed.
const PATIENCE: Duration = Duration::from_secs(14);

/// Greatest length of a line of the webhook as shown, in characters.
const LINE_CHARS_MAX: usize = 100;

/// A secret for the demo's own receiver.
const SECRET: &str = "whsec_ZGVtbyBzZWNyZXQgb2YgaGFybWF0dGFuIQ==";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Leave it running, to look at it with the other commands, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

pub(super) async fn demo(options: &Options) -> anyhow::Result<Exit> {
    // Before the folder is made: from here on a signal ends the demo in order.
    let mut signals = Signals::listen()?;
    let stage = Stage::set().await?;
    telemetry::start_command(&stage.desk()?.config.log);
    let stop = CancellationToken::new();
    let start = Start { desk: stage.desk()?, environment: stage.environment.clone() };
    let mut daemon = JoinSet::new();
    daemon.spawn(daemon::run(start, stop.clone().cancelled_owned()));
    let outcome = tokio::select! {
        played = timeout(PATIENCE, play(&stage)) => played.context("the demo took too long").flatten(),
        ended = daemon.join_next() => Err(early(ended)),
        () = signals.recv() => Err(anyhow::anyhow!("the demo was stopped before its end")),
    };
    if outcome.is_ok() && options.keep {
        invite(&stage);
        signals.recv().await;
    }
    stop.cancel();
    while let Some(ended) = daemon.join_next().await {
        ended??;
    }
    outcome.map(|()| Exit::Done)
}

/// The signals that end the demo.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    /// Waits for one of them. Cancel-safe.
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn early(ended: Option<Result<Result<(), DaemonError>, tokio::task::JoinError>>) -> anyhow::Error {
    match ended {
        Some(Ok(Err(error))) => error.into(),
        other => anyhow::anyhow!("the daemon ended early: {other:?}"),
    }
}

/// Everything around the daemon.
struct Stage {
    folder: Folder,
    config: PathBuf,
    environment: Environment,
    origin: Origin,
    mailbox: Mailbox,
    hook: Hook,
}

impl Stage {
    async fn set() -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let origin = Origin::start().await?;
        let mailbox = Mailbox::start(Replies::default()).await?;
        let hook = Hook::start(&[SECRET], Vec::new()).await?;
        let config = include_str!("../demo/samples/demo.toml")
            .replace("{ORIGIN}", &format!("http://{}", origin.address()))
            .replace("{SMTP}", &mailbox.address().to_string())
            .replace("{HOOK}", hook.url().as_str())
            .replace("{FOLDER}", &folder.0.display().to_string());
        let path = folder.0.join("demo.toml");
        std::fs::write(&path, config)?;
        let environment = Environment::bare(folder.0.clone())
            .with_variables(|name| (name == "DEMO_SECRET").then(|| SECRET.into()));
        Ok(Self { folder, config: path, environment, origin, mailbox, hook })
    }

    fn desk(&self) -> anyhow::Result<Desk> {
        Ok(Desk::load(&self.config, &self.environment, clock::now(), None)?)
    }
}

/// A folder of its own, removed at the end. Others on the machine can neither look into it nor take its name first.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        // The hasher's seed is the random number of the standard library.
        let name = format!("harmattan-demo-{:016x}", RandomState::new().hash_one(0));
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make `{}`", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            talk(format!("cannot remove `{}`: {error}", self.0.display()));
        }
    }
}

async fn play(stage: &Stage) -> anyhow::Result<()> {
    talk("1. first round: an RSS feed in French, an Atom feed in English and a Telegram channel in Russian");
    stage.origin.asked(1).await;
    stage.origin.publish();
    talk("2. second round: five new items appear; three of them matter");
    let mails = stage.mailbox.wait_for(FLAGGED).await;
    let requests = stage.hook.wait_for(FLAGGED).await;
    talk("3. three mails and three webhooks came; two more rounds, in which nothing may come");
    stage.origin.asked(4).await;
    let sources = client::call(&socket(&stage.folder.0), None, &Call::Sources).await?;
    let Reply::Sources(sources) = sources else { bail!("the daemon did not list its sources") };
    show(&mails, &requests)?;
    let items: u64 = sources.iter().map(|source| source.items).sum();
    let (mails, requests) = (stage.mailbox.received(), stage.hook.received());
    let (mailed, called) = (mails.len(), requests.len());
    ensure!(
        mailed == FLAGGED && called == FLAGGED,
        "{mailed} mails and {called} webhooks instead of three each"
    );
    ensure!(requests.iter().all(|request| request.signature_ok), "a webhook's signature is wrong");
    let expected = ["Tombouctou", "Boulikessi", "ЧВК «Вагнер»"];
    for words in expected {
        let told = mails.iter().any(|mail| text_of(mail).contains(words));
        ensure!(told, "no mail tells of {words}");
    }
    line(format!(
        "Of {items} items in three sources, {FLAGGED} were flagged: each went out as one mail and one signed webhook.\n\
         What was there before the first poll, the opera, the hockey match and the river stayed silent."
    ))
}

/// Where the daemon listens: beside its store, as no runtime folder is given.
fn socket(folder: &Path) -> PathBuf {
    folder.join("store").join("control.sock")
}

/// The text part of a mail as its reader sees it.
fn text_of(mail: &Mail) -> String {
    Letter::read(&mail.bytes).and_then(|letter| letter.text().map(str::to_owned)).unwrap_or_default()
}

/// Prints the mail and the webhook of the gravest alert.
fn show(mails: &[Mail], requests: &[Request]) -> anyhow::Result<()> {
    let grave = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("\"severity\":\"critical\"");
    let request = requests.iter().find(|request| grave(&request.body)).context("no critical webhook came")?;
    let mail = mails
        .iter()
        .find(|mail| text_of(mail).contains("vestnik-sahelya"))
        .and_then(|mail| Letter::read(&mail.bytes))
        .context("no mail of the Telegram channel came")?;
    line("──── a mail, as its reader sees it ────")?;
    for (name, value) in mail.headers.iter().filter(|(name, _)| name != "MIME-Version") {
        line(format!("{name}: {value}"))?;
    }
    line(format!("\n{}", mail.text().unwrap_or_default()))?;
    line("\n──── a webhook, long lines cut ────")?;
    line(format!("webhook-id: {}", request.id))?;
    line(format!("webhook-timestamp: {}", request.timestamp))?;
    line(format!("webhook-signature: {} (verified)", request.signature))?;
    let body: serde_json::Value = serde_json::from_slice(&request.body)?;
    format!("{body:#}").lines().try_for_each(|row| line(short(row)))?;
    line("──── ────")
}

/// `row`, cut where a terminal would break it.
fn short(row: &str) -> String {
    match row.char_indices().nth(LINE_CHARS_MAX) {
        Some(_) => row.chars().take(LINE_CHARS_MAX - 1).chain(['…']).collect(),
        None => row.to_owned(),
    }
}

fn invite(stage: &Stage) {
    let config = stage.config.display();
    talk(format!("\nstill running; look at it with `DEMO_SECRET={SECRET} harmattan -c {config} status`"));
    talk("(or sources list, alerts list, outbox list --all); Ctrl-C ends it and removes its folder");
}
