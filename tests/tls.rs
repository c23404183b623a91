//! Connections that cannot be trusted, over loopback: the built program with an authority of the test's own. Names begin with
//! the row of the catalogue of faults.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

const FEED: &str =
    "<rss version=\"2.0\"><channel><title>P</title><item><title>T</title></item></channel></rss>";

/// Who signs.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a host that is valid in these years, and its key; signed by nobody but itself without an authority.
pub(crate) fn certificate(host: &str, years: [i32; 2], by: Option<&Authority>) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    let key = KeyPair::generate().unwrap();
    let signed = match by {
        Some(authority) => params.signed_by(&key, authority),
        None => params.self_signed(&key),
    };
    let chain: Vec<CertificateDer<'static>> = vec![signed.unwrap().der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// A server that answers one request with this; its port. What it was asked counts.
pub(crate) fn serve(config: Arc<ServerConfig>, answer: &'static str, asked: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::clone(asked);
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        // Of a client that trusts nobody not a byte comes through.
        if matches!(stream.read(&mut [0; 1024]), Ok(1..)) {
            asked.fetch_add(1, Ordering::SeqCst);
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
    port
}

/// A server that knows nothing newer than TLS 1.0: it ends the handshake with an alert of that version.
fn serve_old() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream.write_all(&[0x15, 3, 1, 0, 2, 2, 70]).unwrap();
    });
    port
}

#[test]
fn row_17_what_cannot_be_trusted_is_not_asked() {
    let (ours, theirs) = (authority(), authority());
    let now = [2020, 2090];
    let found =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{FEED}", FEED.len());
    let found: &'static str = found.leak();
    let onward =
        "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: http://127.0.0.1/\r\n\r\n";
    let rows = [
        ("good", certificate("127.0.0.1", now, Some(&ours)), found, ""),
        (
            "downgrade",
            certificate("127.0.0.1", now, Some(&ours)),
            onward,
            "redirect: redirect not followed: from https to",
        ),
        (
            "expired",
            certificate("127.0.0.1", [2020, 2021], Some(&ours)),
            found,
            "tls: no secure connection: ",
        ),
        ("early", certificate("127.0.0.1", [2089, 2090], Some(&ours)), found, "tls: no secure connection: "),
        ("other", certificate("paper.example", now, Some(&ours)), found, "tls: no secure connection: "),
        ("unsigned", certificate("127.0.0.1", now, None), found, "tls: no secure connection: "),
        ("unknown", certificate("127.0.0.1", now, Some(&theirs)), found, "tls: no secure connection: "),
    ];
    let asked = Arc::new(AtomicUsize::new(0));
    let mut ports: Vec<(&str, u16, &str)> = rows
        .into_iter()
        .map(|(name, config, answer, failure)| (name, serve(config, answer, &asked), failure))
        .collect();
    ports.push(("old", serve_old(), "tls: no secure connection: "));

    let folder = tempfile::tempdir().unwrap();
    let [config, trusted] = ["harmattan.toml", "authority.pem"].map(|name| folder.path().join(name));
    let lines = STANDARD.encode(ours.der());
    std::fs::write(&trusted, format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"))
        .unwrap();
    let source = |(name, port, _): &(&str, u16, &str)| {
        format!("[[source]]\nname = \"{name}\"\nfeed = \"https://127.0.0.1:{port}/feed\"\n")
    };
    let sources = ports.iter().map(source).collect::<Vec<_>>().concat();
    let common = "[store]\npath = \"store\"\n[http]\nallow_networks = [\"127.0.0.0/8\"]\n[schedule]\nhost_gap = \"0s\"\n";
    std::fs::write(&config, format!("{common}{sources}")).unwrap();
    let program = env!("CARGO_BIN_EXE_harmattan");
    let polled = Command::new(program)
        .env("SSL_CERT_FILE", &trusted)
        .arg("-c")
        .arg(&config)
        .args(["once", "--all", "--json"])
        .output()
        .unwrap();
    let polls: Vec<Value> = String::from_utf8(polled.stdout)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(polls.len(), ports.len(), "{}", String::from_utf8_lossy(&polled.stderr));
    for (name, _, expected) in &ports {
        let poll = polls.iter().find(|poll| poll["source"] == *name).unwrap();
        let failure = poll["failure"].as_str().unwrap_or_default();
        assert!(failure.starts_with(expected) && failure.is_empty() == expected.is_empty(), "{name}: {poll}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "not a byte of a request went to the others");
}
