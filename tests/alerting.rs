//! Promises 1, 2 and 4, by the built program on loopback: nothing is lost, nothing is sent twice needlessly, and a
//! first poll alerts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use harmattan::demo::{Answer, Fault, Hook, Letter, Mailbox, Replies, Verb};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::support::program::Daemon;
use crate::support::stream::{RULE, Stream};

/// Rounds of the kill test, unless `HARMATTAN_KILLS` says another number.
const KILLS: usize = 30;

/// Mails that the relay takes without saying so: each may be sent once more.
const CUTS: usize = 2;

/// Deliveries that may be under way per notifier when the program is killed, and so may be made twice.
const UNDER_WAY_MAX: usize = 4;

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// A feed, a mailbox and a webhook receiver, with a config that joins them.
struct Stage {
    stream: Stream,
    mailbox: Mailbox,
    hook: Hook,
    config: PathBuf,
    _folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        Self::with(Replies::default(), Vec::new()).await
    }

    /// The same with receivers that fail now and then.
    async fn flaky() -> Self {
        let relay =
            (0..CUTS).fold(Replies::default(), |relay, _| relay.then(Verb::Content, Fault::DropAfter));
        let relay = relay.then(Verb::Rcpt, Fault::Reply("450 4.2.0 greylisted"));
        let answers = (0..400).map(|turn| Answer::Status(if turn % 40 == 20 { 503 } else { 204 }));
        Self::with(relay, answers.collect()).await
    }

    async fn with(relay: Replies, answers: Vec<Answer>) -> Self {
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
        Self { stream, mailbox, hook, config, _folder: folder }
    }

    fn run(&self) -> Daemon {
        Daemon::run(&self.config)
    }

    /// The number of the item that each webhook that was taken tells of, with the webhook's id, as they came.
    fn called(&self) -> Vec<(u64, String)> {
        let told = |request: &harmattan::demo::Request| {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            (number(body["data"]["item"]["title"].as_str().unwrap()), request.id.clone())
        };
        self.hook.received().iter().filter(|request| request.taken).map(told).collect()
    }

    /// The same of each mail, with its Message-ID.
    fn mailed(&self) -> Vec<(u64, String)> {
        let told = |mail: &harmattan::demo::Mail| {
            let letter = Letter::read(&mail.bytes).unwrap();
            let id = letter.header("Message-ID").unwrap().to_owned();
            (number(letter.header("Subject").unwrap()), id)
        };
        self.mailbox.received().iter().map(told).collect()
    }

    /// Waits until mails and webhooks tell of all of `numbers`.
    async fn told_of(&self, numbers: &BTreeSet<u64>) {
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
fn number(title: &str) -> u64 {
    let (_, rest) = title.split_once("report ").unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// Numbers of the items that matter, from `first` to `last`.
fn matter(first: u64, last: u64) -> BTreeSet<u64> {
    (first..=last).filter(|number| number % 2 == 1).collect()
}

#[tokio::test]
async fn a_baseline_is_silent_and_a_new_item_is_told_once() {
    let stage = Stage::set().await;
    let daemon = stage.run();
    // The second request is made when the first poll is stored.
    stage.stream.asked(2).await;
    assert_eq!((stage.called().len(), stage.mailed().len()), (0, 0), "a baseline alerted");

    let published = Instant::now();
    stage.stream.publish(1);
    stage.hook.wait_for(1).await;
    stage.mailbox.wait_for(1).await;
    eprintln!(
        "told {} ms after publication, of which up to 100 ms are the interval",
        published.elapsed().as_millis()
    );
    stage.stream.asked(3).await;
    assert!(daemon.terminate().success(), "SIGTERM ends it in good order");

    let daemon = stage.run();
    stage.stream.asked(20).await;
    assert!(daemon.terminate().success());
    let once = |told: Vec<(u64, String)>| told.iter().map(|(number, _)| *number).collect::<Vec<_>>();
    assert_eq!((once(stage.called()), once(stage.mailed())), (vec![31], vec![31]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i14_a_kill_at_any_moment_loses_nothing_and_doubles_only_what_was_under_way() {
    let stage = Stage::flaky().await;
    let kills =
        std::env::var_os("HARMATTAN_KILLS").and_then(|count| count.to_str()?.parse().ok()).unwrap_or(KILLS);
    let seed = RandomState::new().hash_one(0);
    eprintln!("seed {seed}");
    let daemon = stage.run();
    stage.stream.asked(2).await;
    stage.stream.flow(true);
    stage.stream.asked(1).await;
    daemon.kill();
    for round in 0..kills {
        let daemon = stage.run();
        // A random moment is what is tested, so it is waited for: in start-up, or after polls began.
        if round % 3 > 0 {
            stage.stream.asked(1).await;
        }
        sleep(moment(seed, round)).await;
        daemon.kill();
    }
    stage.stream.flow(false);
    let expected = matter(31, stage.stream.newest());
    eprintln!("{kills} kills, {} items that matter", expected.len());
    let daemon = stage.run();
    stage.told_of(&expected).await;
    stage.stream.asked(5).await;
    assert!(daemon.terminate().success());

    for (by, told) in [("webhook", stage.called()), ("mail", stage.mailed())] {
        let mut ids: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for (number, id) in &told {
            ids.entry(*number).or_default().insert(id);
        }
        assert_eq!(ids.keys().copied().collect::<BTreeSet<_>>(), expected, "{by}: told of other items");
        assert!(ids.values().all(|ids| ids.len() == 1), "{by}: an item was told under several ids");
        let doubled = told.len() - expected.len();
        eprintln!("{by}: {} sent, {doubled} of them doubles", told.len());
        assert!(doubled <= kills * UNDER_WAY_MAX + CUTS, "{by}: {doubled} doubles");
    }
}

/// From 0 to 400 ms, by seed and round (`SplitMix64`).
fn moment(seed: u64, round: usize) -> Duration {
    let mut mixed = seed.wrapping_add((round as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Duration::from_millis((mixed ^ (mixed >> 31)) % 400)
}
