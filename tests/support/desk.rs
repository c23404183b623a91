//! A desk in a folder of its own: config, sources on loopback, and the built program run against them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The secret of every desk's notifiers; whatever prints it fails.
pub(crate) const SECRET: &str = "whsec_cGxhbnRlZCBzZWNyZXQgdGhhdCBub2JvZHkgcHJpbnRz";

/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The same, having ended with this exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// The lines of the output, each as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// A folder with a config.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A desk whose `config/harmattan.toml` says this.
    pub(crate) fn new(config: &str) -> Self {
        let desk = Self { folder: TempDir::new().expect("a folder") };
        fs::create_dir(desk.path("config")).expect("a folder for the config");
        desk.configure(config);
        desk
    }

    /// Replaces the config.
    pub(crate) fn configure(&self, config: &str) {
        self.write("config/harmattan.toml", config);
    }

    /// Writes a file into the desk's folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the desk");
    }

    /// A path in the desk's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with a clean environment, in the desk's folder.
    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harmattan"));
        program.env_clear().env("DESK_SECRET", SECRET).env("TZ", "UTC").current_dir(self.folder.path());
        program
    }

    /// Runs a command line.
    pub(crate) fn run(&self, line: &[&str]) -> Ran {
        self.feed(line, "")
    }

    /// Runs a command line with these variables in its environment.
    pub(crate) fn run_among(&self, line: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut program = self.program();
        program.envs(variables.iter().copied());
        ran(program, line, "")
    }

    /// Runs a command line with this on its standard input.
    pub(crate) fn feed(&self, line: &[&str], input: &str) -> Ran {
        ran(self.program(), line, input)
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn start(&self) -> Daemon {
        self.start_among(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_among(&self, variables: &[(&str, &str)]) -> Daemon {
        let notify = self.path("notify.sock");
        let told = UnixDatagram::bind(&notify).expect("a socket to be notified on");
        let (tell, telling) = mpsc::sync_channel(1024);
        // Read at once, as systemd does: a socket that nobody reads holds up whoever writes to it.
        thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok(length @ 1..) = told.recv(&mut message) {
                drop(tell.send(String::from_utf8_lossy(&message[..length]).into_owned()));
            }
        });
        let log = self.path("daemon.log");
        let to = File::create(&log).expect("a log");
        let child = self
            .program()
            .arg("run")
            .env("NOTIFY_SOCKET", &notify)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(to.try_clone().expect("a log"))
            .stderr(to)
            .spawn()
            .expect("the daemon starts");
        let daemon = Daemon { child, told: telling, log, notify };
        daemon.ready();
        daemon
    }
}

/// Runs a command line of `program` with this on its standard input.
fn ran(mut program: Command, line: &[&str], input: &str) -> Ran {
    program.args(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program starts");
    // A command that reads no input may have closed it already.
    drop(child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    let ran = Ran {
        code: output.status.code().expect("no signal ended it"),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert_clean(&ran.out);
    assert_clean(&ran.err);
    ran
}

/// No secret, and nothing that drives a terminal.
#[track_caller]
fn assert_clean(text: &str) {
    assert!(!text.contains(SECRET), "the secret is printed:\n{text}");
    let encoded = SECRET.trim_start_matches("whsec_");
    assert!(!text.contains(encoded), "the secret is printed:\n{text}");
    let hostile = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    // JSON escapes control characters, but not those that turn the direction of text.
    let shown = text.lines().filter(|line| !line.starts_with('{'));
    shown.for_each(|line| assert!(!line.contains(hostile), "{line:?}"));
}

/// A running daemon, killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    told: mpsc::Receiver<String>,
    log: PathBuf,
    notify: PathBuf,
}

impl Daemon {
    /// Waits until it says, as to systemd, that it is ready.
    pub(crate) fn ready(&self) {
        self.status();
    }

    /// The same, and what it says of its status.
    pub(crate) fn status(&self) -> String {
        loop {
            let told = self.told.recv_timeout(PATIENCE).unwrap_or_else(|e| {
                panic!("not ready: {e}\n{}", fs::read_to_string(&self.log).unwrap_or_default())
            });
            if let Some((_, status)) = told.split_once("READY=1\nSTATUS=") {
                return status.trim_end().to_owned();
            }
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Stops it by SIGTERM; its exit code and its log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let status = self.child.wait().expect("it ends");
        let log = fs::read_to_string(&self.log).expect("a log");
        assert_clean(&log);
        (status.code(), log)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has been stopped is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
        // An empty message ends the reading.
        drop(UnixDatagram::unbound().and_then(|socket| socket.send_to(&[], &self.notify)));
        drop(fs::remove_file(&self.notify));
    }
}

/// A web server on loopback whose pages can be replaced. What it does not have is a 404.
pub(crate) struct Web {
    address: SocketAddr,
    pages: Arc<Mutex<Pages>>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Pages {
    bodies: HashMap<String, String>,
    asked: HashMap<String, usize>,
    asking: watch::Sender<()>,
}

impl Web {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let pages = Arc::new(Mutex::new(Pages::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&pages));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, pages, _tasks: tasks }
    }

    /// The address of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a page there.
    pub(crate) fn put(&self, path: &str, body: String) {
        self.pages.lock().expect("no panic").bodies.insert(path.to_owned(), body);
    }

    /// How often a page was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.pages.lock().expect("no panic").asked.get(path).copied().unwrap_or_default()
    }

    /// Waits until a page was asked for so many times more.
    pub(crate) async fn asked_more(&self, path: &str, count: usize) {
        let mut asking = self.pages.lock().expect("no panic").asking.subscribe();
        let enough = self.asked(path) + count;
        while self.asked(path) < enough {
            asking.changed().await.expect("it serves");
        }
    }
}

async fn answer(State(pages): State<Arc<Mutex<Pages>>>, uri: Uri) -> Response {
    let mut pages = pages.lock().expect("no panic");
    *pages.asked.entry(uri.path().to_owned()).or_default() += 1;
    pages.asking.send_replace(());
    match pages.bodies.get(uri.path()) {
        Some(body) => body.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// An RSS feed of these titles, each linking to a page of its own.
pub(crate) fn rss(titles: &[&str]) -> String {
    let item = |(number, title): (usize, &&str)| {
        format!(
            "<item><title><![CDATA[{title}]]></title><link>https://news.example/{number}</link>\
             <guid>https://news.example/{number}</guid><description>Reported by phone.</description></item>"
        )
    };
    let items: String = titles.iter().enumerate().map(item).collect();
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>News</title>{items}</channel></rss>")
}

/// Waits for something that comes by itself, but not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it comes soon")
}

/// Whether anything is there.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
