//! Memory and processor time of an idle daemon: 1,000 sources of 30 items each after their baselines, with the
//! shipped entities and rules.
//!
//! `cargo bench --bench idle` waits five minutes after the last baseline; `IDLE_SECONDS=10` waits shorter.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Uri;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const SOURCES: usize = 1_000;
const ITEMS: usize = 30;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let idle = std::env::var_os("IDLE_SECONDS").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(300);
    let folder = tempfile::tempdir()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let mut origin = JoinSet::new();
    origin.spawn(async move { axum::serve(listener, Router::new().fallback(feed)).await });

    let config = folder.path().join("harmattan.toml");
    std::fs::write(&config, config_for(address, folder.path()))?;
    let daemon = Daemon(
        Command::new(env!("CARGO_BIN_EXE_harmattan"))
            .args(["-c".as_ref(), config.as_os_str(), "run".as_ref()])
            .stdout(Stdio::null())
            .spawn()?,
    );
    let began = Instant::now();
    while read(&config)? < SOURCES {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    println!("{SOURCES} baselines of {ITEMS} items taken in {:.1} s", began.elapsed().as_secs_f64());
    let (before, at_once) = daemon.usage()?;
    tokio::time::sleep(Duration::from_secs(idle)).await;
    let (after, resident) = daemon.usage()?;
    println!("resident: {at_once} KiB after the last baseline, {resident} KiB after {idle} s more");
    println!("processor time while idle: {:.2} s in {idle} s", after - before);
    Ok(())
}

fn config_for(address: SocketAddr, folder: &Path) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut config = format!(
        "include = [\"{0}/entities/*.toml\", \"{0}/rules/*.toml\"]\n\
         [store]\npath = \"{1}/store\"\n\
         [http]\ncontact = \"mailto:desk@example.org\"\nallow_networks = [\"127.0.0.0/8\"]\n\
         [schedule]\nhost_gap = \"0s\"\n[log]\nlevel = \"error\"\n",
        shipped.display(),
        folder.display(),
    );
    for number in 0..SOURCES {
        // Writing to a string cannot fail.
        _ = writeln!(
            config,
            "[[source]]\nname = \"source-{number}\"\nfeed = \"http://{address}/{number}.xml\""
        );
    }
    config
}

async fn feed(uri: Uri) -> impl IntoResponse {
    let name = uri.path().trim_start_matches('/');
    let item = |number: usize| {
        format!(
            "<item><title>Report {number} of {name}: the market of the border village opens again</title>\
             <guid>{name}-{number}</guid><link>https://news.example/{name}/{number}</link>\
             <pubDate>Mon, 23 Nov 2026 16:00:00 GMT</pubDate>\
             <description>{}</description></item>",
            "Residents returned after the rain; officials named no reason for the long delay. ".repeat(4)
        )
    };
    let items: String = (0..ITEMS).map(item).collect();
    let document = format!("<rss version=\"2.0\"><channel><title>{name}</title>{items}</channel></rss>");
    ([(CONTENT_TYPE, "application/rss+xml"), (ETAG, "\"1\"")], document)
}

/// Sources whose baseline is taken, as the daemon tells.
fn read(config: &Path) -> io::Result<usize> {
    let listed = Command::new(env!("CARGO_BIN_EXE_harmattan"))
        .args(["-c".as_ref(), config.as_os_str(), "sources".as_ref(), "--json".as_ref()])
        .stderr(Stdio::null())
        .output()?;
    Ok(String::from_utf8_lossy(&listed.stdout).matches("\"baseline\":").count())
}

/// The program under measurement; killed when it is dropped.
struct Daemon(Child);

impl Daemon {
    /// Processor time in seconds and resident memory in KiB (proc(5)).
    fn usage(&self) -> io::Result<(f64, u64)> {
        let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id()));
        let status = of("status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let resident = resident.trim().trim_end_matches(" kB").parse().unwrap_or_default();
        let stat = of("stat")?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks: f64 = [11, 12].iter().filter_map(|&at| fields.get(at)?.parse::<f64>().ok()).sum();
        Ok((ticks / 100.0, resident))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
