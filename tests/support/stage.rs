//! A stream of items, a relay, a webhook's receiver and the config that joins them; and what both receivers were told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use harmattan::demo::{Answer, Fault, Hook, Letter, Mailbox, Replies, Verb};
use tempfile::TempDir;
use tokio::time::timeout;

use super::program::Daemon;
use super::stream::{RULE, Stream};

/// Mails that the relay takes without saying so: each may be sent once more.
pub(crate) const CUTS: usize = 2;

/// Deliveries that may be under way per notifier when the program is killed, and so may be made twice.
pub(crate) const UNDER_WAY_MAX: usize = 4;

/// Whatever takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A feed, a mailbox and a webhook receiver, with a config that joins them.
pub(crate) struct Stage {
    pub(crate) stream: Stream,
    pub(crate) mailbox: Mailbox,
    pub(crate) hook: Hook,
    pub(crate) config: PathBuf,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// With receivers that take everything.
    pub(crate) async fn set() -> Self {
        Self::with(Replies::default(), Vec::new()).await
    }

    /// The same with receivers that fail now and then.
    pub(crate) async fn flaky() -> Self {
        let relay =
            (0..CUTS).fold(Replies::default(), |relay, _| relay.then(Verb::Content, Fault::DropAfter));
        let relay = relay.then(Verb::Rcpt, Fault::Reply("450 4.2.0 greylisted"));
        let answers = (0..400).map(|turn| Answer::Status(if turn % 40 == 20 { 503 } else { 204 }));
        Self::with(relay, answers.collect()).await
    }

    /// With these answers of the relay and of the webhook's receiver.
    pub(crate) async fn with(relay: Replies, answers: Vec<Answer>) -> Self {
        let stream = Stream::start(30).await;
        let mailbox = Mailbox::start(relay).await.unwrap();
        let hook = Hook::start(&[], answers).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("harmattan.toml");
        let text = format!(
            r#"
            [store]
            path = "store"
            [http]
            contact = "mailto:desk@example.org"
            allow_networks = ["127.0.0.0/8"]
            [schedule]
            interval = "100ms"
            interval_min = "100ms"
            host_gap = "0s"
            [[source]]
            name = "stream"
            feed = "{feed}"
            [[notifier]]
            name = "mail"
            type = "email"
            smtp = "smtp://{smtp}"
            from = "alerts@example.org"
            to = ["desk@example.org"]
            [[notifier]]
            name = "hook"
            type = "webhook"
            url = "{hook}"
            {RULE}"#,
            feed = stream.url(),
            smtp = mailbox.address(),
            hook = hook.url(),
        );
        std::fs::write(&config, text).unwrap();
        Self { stream, mailbox, hook, config, folder }
    }

    /// Starts the program.
    pub(crate) fn run(&self) -> Daemon {
        Daemon::run(&self.config)
    }

    /// The number of the item that each webhook that was taken tells of, with the webhook's id, as they came.
    pub(crate) fn called(&self) -> Vec<(u64, String)> {
        let told = |request: &harmattan::demo::Request| {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            (number(body["data"]["item"]["title"].as_str().unwrap()), request.id.clone())
        };
        self.hook.received().iter().filter(|request| request.taken).map(told).collect()
    }

    /// The same of each mail, with its Message-ID.
    pub(crate) fn mailed(&self) -> Vec<(u64, String)> {
        let told = |mail: &harmattan::demo::Mail| {
            let letter = Letter::read(&mail.bytes).unwrap();
            let id = letter.header("Message-ID").unwrap().to_owned();
            (number(letter.header("Subject").unwrap()), id)
        };
        self.mailbox.received().iter().map(told).collect()
    }

    /// Waits until mails and webhooks tell of all of `numbers`.
    pub(crate) async fn told_of(&self, numbers: &BTreeSet<u64>) {
        let complete =
            |told: &[(u64, String)]| numbers.iter().all(|n| told.iter().any(|(told, _)| told == n));
        let all = async {
            // What came is counted before it is judged: whatever comes in between ends the wait for one more.
            let mut requests = self.hook.received().len();
            while !complete(&self.called()) {
                requests = self.hook.wait_for(requests + 1).await.len();
            }
            let mut mailed = self.mailed();
            while !complete(&mailed) {
                self.mailbox.wait_for(mailed.len() + 1).await;
                mailed = self.mailed();
            }
        };
        let told = timeout(PATIENCE, all).await.is_ok();
        assert!(told, "expected {numbers:?}, webhooks {:?}, mails {:?}", self.called(), self.mailed());
    }
}

/// The number at the end of `…, report 17` or `…, report 17 · stream`.
pub(crate) fn number(title: &str) -> u64 {
    let (_, rest) = title.split_once("report ").unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// Numbers of the items that matter, from `first` to `last`.
pub(crate) fn matter(first: u64, last: u64) -> BTreeSet<u64> {
    (first..=last).filter(|number| number % 2 == 1).collect()
}

/// Asserts that both receivers were told of just these items, each under one id, and at most so often twice.
#[expect(clippy::print_stderr, reason = "the figures of a long run")]
pub(crate) fn told_once(stage: &Stage, expected: &BTreeSet<u64>, at_most: usize) {
    for (by, told) in [("webhook", stage.called()), ("mail", stage.mailed())] {
        let mut ids: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for (number, id) in &told {
            ids.entry(*number).or_default().insert(id);
        }
        assert_eq!(ids.keys().copied().collect::<BTreeSet<_>>(), *expected, "{by}: told of other items");
        assert!(ids.values().all(|ids| ids.len() == 1), "{by}: an item was told under several ids");
        let doubled = told.len() - expected.len();
        eprintln!("{by}: {} sent, {doubled} of them doubles", told.len());
        assert!(doubled <= at_most, "{by}: {doubled} doubles");
    }
}

/// From 0 to 400 ms, by seed and round.
pub(crate) fn moment(seed: u64, round: usize) -> Duration {
    Duration::from_millis(mixed(seed, round as u64) % 400)
}

/// A number by seed and place (`SplitMix64`).
pub(crate) fn mixed(seed: u64, place: u64) -> u64 {
    let mut mixed = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
