//! Deliveries, by the built daemon and receivers on loopback: how fast a backlog drains to a fast webhook, how soon
//! after a poll an alert is there, and what a dead notifier with 10,000 queued deliveries costs the others.
//!
//! `cargo bench --bench delivering`. The clock of a poll starts when the feed has been served.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints what it measured, and stops when it cannot"
)]

#[path = "../tests/support/sample.rs"]
#[expect(dead_code, reason = "the tests of notifiers use more of it")]
mod sample;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use harmattan::daemon::clock;
use harmattan::item::ItemId;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::store::{SledStore, Store};
use harmattan::story::AlertId;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Deliveries of a backlog.
const BACKLOG: u32 = 5_000;

/// Deliveries behind a dead notifier.
const DEAD: u32 = 10_000;

/// Polls of which each brings an alert.
const POLLS: usize = 300;

/// When the feed was served and when hooks were called.
#[derive(Default)]
struct Log {
    published: usize,
    served: Vec<Instant>,
    called: Vec<Instant>,
}

type Shared = Arc<Mutex<Log>>;

fn lock(log: &Shared) -> std::sync::MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    drain().await;
    let (alone, idle) = latency(0).await;
    println!("poll to 2xx, nothing held: p50 {:.1} ms, p99 {:.1} ms over {POLLS} polls", alone.0, alone.1);
    let (beside, busy) = latency(DEAD).await;
    println!(
        "the same beside a dead notifier with {DEAD} queued: p50 {:.1} ms, p99 {:.1} ms",
        beside.0, beside.1
    );
    println!("processor time over that: {:.1} % alone, {:.1} % beside it", idle * 100.0, busy * 100.0);
}

/// How fast a backlog reaches a webhook that answers at once.
async fn drain() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Shared::default();
    let (address, _origin) = serve(&log).await;
    owe(&folder.path().join("store"), "fast", BACKLOG);
    let config = config(folder.path(), &address, false);
    let began = Instant::now();
    let daemon = Daemon::run(&config);
    while lock(&log).called.len() < BACKLOG as usize {
        assert!(began.elapsed() < Duration::from_mins(2), "the backlog does not drain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(daemon);
    let log = lock(&log);
    let (first, last) = (log.called.first().expect("called"), log.called.last().expect("called"));
    let seconds = last.duration_since(*first).as_secs_f64();
    println!(
        "drained {BACKLOG} to a webhook in {seconds:.2} s: {:.0} a second",
        f64::from(BACKLOG) / seconds
    );
}

/// Half and 99 percent of the times from a served feed to the call that it caused, in milliseconds, and the share
/// of a processor that the daemon took.
async fn latency(dead: u32) -> ((f64, f64), f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Shared::default();
    let (address, _origin) = serve(&log).await;
    if dead > 0 {
        owe(&folder.path().join("store"), "dead", dead);
    }
    let config = config(folder.path(), &address, dead > 0);
    let daemon = Daemon::run(&config);
    // The baseline, and the rush of the start.
    while lock(&log).served.len() < 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (before, began) = (daemon.seconds(), Instant::now());
    let mut times = Vec::new();
    for _ in 0..POLLS {
        let calls = {
            let mut log = lock(&log);
            log.published += 1;
            log.called.len()
        };
        while lock(&log).called.len() == calls {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let log = lock(&log);
        let called = *log.called.last().expect("called");
        let served = log.served.iter().rev().find(|served| **served <= called).expect("served");
        times.push(called.duration_since(*served).as_secs_f64() * 1000.0);
    }
    let used = (daemon.seconds() - before) / began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    ((at(50), at(99)), used)
}

/// Writes `count` deliveries of as many alerts for a notifier into a new store.
fn owe(path: &Path, notifier: &str, count: u32) {
    let store = SledStore::create(path).expect("a store");
    let now = clock::now();
    let numbers: Vec<u32> = (0..count).collect();
    for part in numbers.chunks(500) {
        let mut write = |tx: &dyn harmattan::store::Transaction| {
            for number in part {
                let mut alert = sample::french();
                let mut bytes = [0; 16];
                bytes[12..].copy_from_slice(&number.to_be_bytes());
                alert.item.id = ItemId::from_bytes(bytes);
                alert.id = AlertId::new(now, alert.item.id);
                tx.put_alert(&alert)?;
                let who = (notifier.to_owned(), String::new());
                tx.put_delivery(&Delivery::owed(who, alert.id.into(), now, DeliveryState::Ready))?;
            }
            Ok(())
        };
        store.transact(&mut write).expect("written");
    }
    store.sync().expect("synced");
}

fn config(folder: &Path, address: &str, dead: bool) -> std::path::PathBuf {
    let path = folder.join("harmattan.toml");
    let mut text = format!(
        "[store]\npath = \"store\"\n[http]\ncontact = \"mailto:desk@example.org\"\nallow_networks = [\"127.0.0.0/8\"]\n\
         [schedule]\ninterval = \"100ms\"\ninterval_min = \"100ms\"\nhost_gap = \"0s\"\n[log]\nlevel = \"error\"\n\
         [[source]]\nname = \"wire\"\nfeed = \"http://{address}/feed\"\n\
         [[rule]]\nname = \"convoy\"\nall = [\"convoy attacked\"]\n\
         [[notifier]]\nname = \"fast\"\ntype = \"webhook\"\nurl = \"http://{address}/hook\"\n\
         [[route]]\nto = [\"fast\"]\n"
    );
    if dead {
        // Nobody listens there.
        text.push_str(
            "[[notifier]]\nname = \"dead\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:1/hook\"\n",
        );
    }
    std::fs::write(&path, text).expect("written");
    path
}

/// A feed of all that was published, and a hook that takes everything.
async fn serve(log: &Shared) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let router =
        Router::new().route("/feed", get(feed)).route("/hook", post(hook)).with_state(Arc::clone(log));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.expect("serves") });
    (address, tasks)
}

async fn feed(State(log): State<Shared>) -> axum::response::Response {
    let mut log = lock(&log);
    let mut items = String::new();
    for number in (0..=log.published).rev().take(30) {
        let title =
            if number == 0 { "calm".to_owned() } else { format!("a convoy attacked, report {number}") };
        _ = write!(items, "<item><title>{title}</title><guid>{number}</guid></item>");
    }
    log.served.push(Instant::now());
    let body = format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>");
    ([(CONTENT_TYPE, "application/rss+xml")], body).into_response()
}

async fn hook(State(log): State<Shared>, _body: axum::body::Bytes) -> StatusCode {
    lock(&log).called.push(Instant::now());
    StatusCode::NO_CONTENT
}

struct Daemon(Child);

impl Daemon {
    fn run(config: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_harmattan");
        let mut command = Command::new(program);
        command.args(["-c".as_ref(), config.as_os_str(), "run".as_ref()]).stdout(Stdio::null());
        Self(command.spawn().expect("the program runs"))
    }

    /// Processor time so far.
    fn seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it lives");
        let (_, rest) = stat.rsplit_once(") ").expect("a stat");
        let fields: Vec<f64> = rest.split(' ').filter_map(|field| field.parse().ok()).collect();
        // utime and stime, in ticks of a hundredth; the state before them is no number.
        (fields[10] + fields[11]) / 100.0
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
