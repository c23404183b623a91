//! A desk whose polls happen in this process at times that the test chooses, against a server on loopback.

use std::path::PathBuf;
use std::sync::Arc;

use harmattan::config::Environment;
use harmattan::control::api;
use harmattan::daemon::poll;
use harmattan::daemon::recall::recall;
use harmattan::daemon::station::OpenStation;
use harmattan::desk::Desk;
use harmattan::item::SourceName;
use harmattan::store::SourceState;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// What lets sources be on loopback, with everything else as it is by default.
const CONFIG: &str = r#"
[store]
path = "store"
[http]
contact = "mailto:desk@example.org"
allow_networks = ["127.0.0.0/8"]
[schedule]
host_gap = "0s"
"#;

/// The desk, its store and its time.
pub(crate) struct Lab {
    folder: TempDir,
    open: OpenStation,
    desk: Arc<Desk>,
    /// The time; it stands still unless a test moves it.
    pub(crate) now: Timestamp,
}

impl Lab {
    /// A desk with these sources and settings, on Friday, 15 January 2027 at 08:00 GMT.
    pub(crate) async fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let desk = load(&folder, more, now, None);
        let open = OpenStation::create(store(&folder)).await.unwrap();
        Self { folder, open, desk, now }
    }

    /// Another config over the same store.
    pub(crate) fn change(&mut self, more: &str) {
        self.desk = load(&self.folder, more, self.now, Some(&self.desk));
    }

    /// Reads the same config anew.
    pub(crate) fn reload(&mut self) {
        let desk = Desk::load(&self.desk.path, &environment(&self.folder), self.now, Some(&self.desk));
        self.desk = Arc::new(desk.unwrap());
    }

    /// Ends the process, as far as that can be done in one, and starts it anew.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, open, desk, now } = self;
        open.close().await.unwrap();
        let desk = Arc::new(Desk::load(&desk.path, &environment(&folder), now, None).unwrap());
        let open = OpenStation::open(store(&folder)).await.unwrap();
        recall(&open.station, &desk, now).await.unwrap();
        Self { folder, open, desk, now }
    }

    /// Polls now.
    pub(crate) async fn poll(&self, name: &str) -> api::Poll {
        let source = self.desk.source(name).unwrap();
        poll::poll_at(&self.open.station, &self.desk, source, self.now).await.report
    }

    /// Lets time pass until the source is due, and polls it.
    pub(crate) async fn next(&mut self, name: &str) -> api::Poll {
        self.now = self.due(name).await;
        self.poll(name).await
    }

    /// Polls whenever the source is due, for so many days; tells how often.
    pub(crate) async fn run(&mut self, name: &str, days: i64) -> usize {
        let end = self.now + hours(24 * days);
        let mut polls = 0;
        while self.due(name).await <= end {
            self.next(name).await;
            polls += 1;
        }
        self.now = end;
        polls
    }

    pub(crate) async fn due(&self, name: &str) -> Timestamp {
        self.state(name).await.due.unwrap()
    }

    /// Minutes from now until the source is due.
    pub(crate) async fn wait(&self, name: &str) -> i64 {
        self.due(name).await.duration_since(self.now).as_secs() / 60
    }

    pub(crate) async fn state(&self, name: &str) -> SourceState {
        let name = SourceName::new(name).unwrap();
        self.open.station.read(move |store| store.source(&name)).await.unwrap().unwrap()
    }
}

pub(crate) fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

fn store(folder: &TempDir) -> PathBuf {
    folder.path().join("store")
}

fn environment(folder: &TempDir) -> Environment {
    Environment::bare(folder.path().to_owned())
}

fn load(folder: &TempDir, more: &str, now: Timestamp, old: Option<&Desk>) -> Arc<Desk> {
    let path = folder.path().join("harmattan.toml");
    std::fs::write(&path, format!("{CONFIG}{more}")).unwrap();
    Arc::new(Desk::load(&path, &environment(folder), now, old).unwrap())
}
