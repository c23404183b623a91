//! Connections that cannot be trusted, over loopback: the built program with an authority of the test's own. Names begin with
//! the row of the catalogue of faults.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::support::lab::Lab;

const FEED: &str =
    "<rss version=\"2.0\"><channel><title>P</title><item><title>T</title></item></channel></rss>";

/// Who signs.
pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file by which the program trusts an authority and no other.
fn trust(authority: &Authority, folder: &Path) -> PathBuf {
    let path = folder.join("machine.pem");
    std::fs::write(&path, pem(authority.der())).unwrap();
    path
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

/// A server that answers each request with this; its port. What it was asked counts.
pub(crate) fn serve(config: Arc<ServerConfig>, answer: &'static str, asked: &Arc<AtomicUsize>) -> u16 {
    serve_at("127.0.0.1", config, answer, asked)
}

/// The same at another address of this machine.
fn serve_at(host: &str, config: Arc<ServerConfig>, answer: &'static str, asked: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind((host, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::clone(asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // Of a client that trusts nobody not a byte comes through.
            if matches!(stream.read(&mut [0; 1024]), Ok(1..)) {
                asked.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer.as_bytes()).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    port
}

fn found() -> &'static str {
    let length = FEED.len();
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{FEED}").leak()
}

fn onward(url: &str) -> &'static str {
    let head = "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation";
    format!("{head}: {url}\r\n\r\n").leak()
}

/// A certificate as a file.
pub(crate) fn pem(certificate: &[u8]) -> String {
    let lines = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
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
    let (found, onward) = (found(), onward("http://127.0.0.1/"));
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

    let source = |(name, port, _): &(&str, u16, &str)| source(name, *port);
    let polls = once(&ours, &ports.iter().map(source).collect::<Vec<_>>().concat(), &[]);
    assert_eq!(polls.len(), ports.len());
    for (name, _, expected) in &ports {
        assert_failure(&polls, name, expected);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "not a byte of a request went to the others");
}

fn source(name: &str, port: u16) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"https://127.0.0.1:{port}/feed\"\n")
}

/// The polls of a machine that trusts one authority, with these files beside its config.
fn once(trusted: &Authority, sources: &str, files: &[(&str, String)]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("harmattan.toml");
    let machine = trust(trusted, folder.path());
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let common = "[store]\npath = \"store\"\n[http]\nallow_networks = [\"127.0.0.0/8\"]\n[schedule]\nhost_gap = \"0s\"\n";
    std::fs::write(&config, format!("{common}{sources}")).unwrap();
    let program = env!("CARGO_BIN_EXE_harmattan");
    let polled = Command::new(program)
        .env("SSL_CERT_FILE", &machine)
        .arg("-c")
        .arg(&config)
        .args(["once", "--all", "--json"])
        .output()
        .unwrap();
    assert!(matches!(polled.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&polled.stderr));
    let lines = String::from_utf8(polled.stdout).unwrap();
    lines
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How the failure of a source begins; with nothing for none.
#[track_caller]
fn assert_failure(polls: &[Value], name: &str, expected: &str) {
    let poll = polls.iter().find(|poll| poll["source"] == name).unwrap();
    let failure = poll["failure"].as_str().unwrap_or_default();
    assert!(failure.starts_with(expected) && failure.is_empty() == expected.is_empty(), "{name}: {poll}");
}

#[test]
fn row_17_a_source_with_an_authority_of_its_own_trusts_nobody_else_and_at_its_host_alone() {
    const REFUSED: &str = "tls: no secure connection: ";
    const EXPIRED: &str = "tls: no secure connection: invalid peer certificate: certificate expired: ";
    let (machine, ours, theirs) = (authority(), authority(), authority());
    let (asked, found, now) = (Arc::new(AtomicUsize::new(0)), found(), [2020, 2090]);
    let at = |host: &str, years, by| serve(certificate(host, years, Some(by)), found, &asked);
    let leading = |to: String| serve(certificate("127.0.0.1", now, Some(&ours)), onward(&to), &asked);
    let near = at("127.0.0.1", now, &ours);
    let far = serve_at("127.0.0.2", certificate("127.0.0.2", now, Some(&ours)), found, &asked);
    let public = serve_at("127.0.0.2", certificate("127.0.0.2", now, Some(&machine)), found, &asked);
    let rows = [
        ("right", near, "ours.pem", ""),
        ("several", at("127.0.0.1", now, &theirs), "both.pem", ""),
        ("without", at("127.0.0.1", now, &ours), "", REFUSED),
        ("wrong", at("127.0.0.1", now, &ours), "theirs.pem", REFUSED),
        ("expired", at("127.0.0.1", [2020, 2021], &ours), "ours.pem", EXPIRED),
        ("other", at("paper.example", now, &ours), "ours.pem", REFUSED),
        ("machine", at("127.0.0.1", now, &machine), "ours.pem", REFUSED),
        ("neighbour", at("127.0.0.1", now, &machine), "", ""),
        ("near", leading(format!("https://127.0.0.1:{near}/")), "ours.pem", ""),
        ("far", leading(format!("https://127.0.0.2:{far}/")), "ours.pem", REFUSED),
        ("public", leading(format!("https://127.0.0.2:{public}/")), "ours.pem", ""),
    ];
    let ca = |file: &str| if file.is_empty() { String::new() } else { format!("ca = \"{file}\"\n") };
    let sources: String = rows.iter().map(|(name, port, file, _)| source(name, *port) + &ca(file)).collect();
    let both = format!("ours:\n{}theirs:\n{}", pem(ours.der()), pem(theirs.der()));
    let files = [("ours.pem", pem(ours.der())), ("theirs.pem", pem(theirs.der())), ("both.pem", both)];
    let polls = once(&machine, &sources, &files);
    for (name, _, _, expected) in rows {
        assert_failure(&polls, name, expected);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 8, "not a byte of a request went to the others");
}

/// A certificate that signs itself, as an authority's or not, and its key.
fn own(names: &[&str], years: [i32; 2], is_ca: IsCa) -> (CertificateDer<'static>, KeyPair) {
    let mut params =
        CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    params.is_ca = is_ca;
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().der().clone(), key)
}

/// A server that shows a certificate, and may have another key.
fn showing(certificate: &CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let shown = SingleCertAndKey::from(CertifiedKey::new(vec![certificate.clone()], key));
    Arc::new(ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(shown)))
}

#[test]
fn row_17_a_certificate_that_stands_in_ca_itself_is_taken_at_its_host_in_its_time_with_its_key() {
    const REFUSED: &str = "tls: no secure connection: ";
    const NOT_IN_CA: &str =
        "tls: no secure connection: its certificate is self-signed, or an authority's own, and not in `ca`";
    let machine = authority();
    let (asked, found, now, here) = (Arc::new(AtomicUsize::new(0)), found(), [2020, 2090], ["127.0.0.1"]);
    let (as_authority, as_server) = (IsCa::Ca(BasicConstraints::Unconstrained), IsCa::ExplicitNoCa);
    let (usual, key) = own(&here, now, as_authority);
    let (_, stolen) = own(&here, now, as_authority);
    let at = |pinned: (CertificateDer<'static>, KeyPair)| {
        let port = serve(showing(&pinned.0, &pinned.1), found, &asked);
        (port, Some(pinned.0))
    };
    let signed = {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(here.map(str::to_owned)).unwrap();
        params.distinguished_name.push(DnType::CommonName, "paper");
        (params.signed_by(&key, &authority()).unwrap().der().clone(), key)
    };
    let other = at(own(&here, now, as_authority)).0;
    let without = at(own(&here, now, as_authority)).0;
    let plain = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                stream.unwrap().write_all(found.as_bytes()).unwrap();
            }
        });
        port
    };
    let pinned = Some(usual.clone());
    let rows = [
        ("usual", at((usual.clone(), key)), ""),
        ("server", at(own(&here, now, as_server)), ""),
        ("signed", at(signed), ""),
        ("nameless", at(own(&[], now, as_authority)), ""),
        ("nameless-server", at(own(&[], now, as_server)), ""),
        ("other-name", at(own(&["127.0.0.2"], now, as_authority)), REFUSED),
        ("other-name-server", at(own(&["127.0.0.2"], now, as_server)), REFUSED),
        ("expired", at(own(&here, [2020, 2021], as_authority)), REFUSED),
        ("early", at(own(&here, [2089, 2090], as_authority)), REFUSED),
        ("keyless", (serve(showing(&usual, &stolen), found, &asked), pinned.clone()), REFUSED),
        ("other", (other, pinned.clone()), NOT_IN_CA),
        ("without", (without, None), NOT_IN_CA),
        ("plain", (plain, pinned), "tls: no secure connection: what answers there speaks no TLS"),
    ];
    let mut files = Vec::new();
    let mut sources = String::new();
    for (name, (port, pinned), _) in &rows {
        sources.push_str(&source(name, *port));
        if let Some(pinned) = pinned {
            sources.extend(["ca = \"", name, ".pem\"\n"]);
            files.push((format!("{name}.pem"), pem(pinned)));
        }
    }
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let polls = once(&machine, &sources, &files);
    for (name, _, expected) in &rows {
        assert_failure(&polls, name, expected);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 5, "not a byte of a request went to the others");
}

/// A proxy at 127.0.0.2 that is known by one certificate, and itself is the server, known by another, to whom it should
/// connect its clients; its port. Connections that got so far count.
fn relaying(known: Arc<ServerConfig>, server: Arc<ServerConfig>, asked: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, found) = (Arc::clone(asked), found());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut outer =
                StreamOwned::new(ServerConnection::new(Arc::clone(&known)).unwrap(), stream.unwrap());
            if !matches!(outer.read(&mut [0; 1024]), Ok(1..)) {
                continue;
            }
            outer.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let mut inner = StreamOwned::new(ServerConnection::new(Arc::clone(&server)).unwrap(), outer);
            if matches!(inner.read(&mut [0; 1024]), Ok(1..)) {
                asked.fetch_add(1, Ordering::SeqCst);
                inner.write_all(found.as_bytes()).unwrap();
                inner.conn.send_close_notify();
                inner.flush().unwrap();
            }
        }
    });
    port
}

#[test]
fn row_17_a_proxy_is_trusted_by_the_machine_and_the_server_behind_it_by_the_sources_authority() {
    const REFUSED: &str = "tls: no secure connection: ";
    let (machine, ours) = (authority(), authority());
    let asked = Arc::new(AtomicUsize::new(0));
    let of = |host: &str, by: &Authority| certificate(host, [2020, 2090], Some(by));
    let rows = [
        ("right", &machine, "127.0.0.1", &ours, ""),
        ("proxy", &ours, "127.0.0.1", &ours, REFUSED),
        ("server", &machine, "127.0.0.1", &machine, REFUSED),
        // Nobody can tell who is who at one host: there the source's authority alone counts.
        ("shared", &ours, "127.0.0.2", &ours, ""),
        ("mixed", &machine, "127.0.0.2", &ours, REFUSED),
    ];
    let source = |(name, proxy, host, server, _): &(&str, &Authority, &str, &Authority, _)| {
        let port = relaying(of("127.0.0.2", proxy), of(host, server), &asked);
        let feed = format!("name = \"{name}\"\nfeed = \"https://{host}:9/{name}\"\nca = \"ours.pem\"\n");
        format!("[[source]]\n{feed}proxy = \"https://127.0.0.2:{port}\"\n")
    };
    let sources: String = rows.iter().map(source).collect();
    let polls = once(&machine, &sources, &[("ours.pem", pem(ours.der()))]);
    for (name, _, _, _, expected) in rows {
        assert_failure(&polls, name, expected);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "not a byte of a request went to the others");
}

#[tokio::test]
async fn row_17_a_reload_takes_another_authority() {
    let (ours, theirs) = (authority(), authority());
    let asked = Arc::new(AtomicUsize::new(0));
    let port = serve(certificate("127.0.0.1", [2020, 2090], Some(&ours)), found(), &asked);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem(theirs.der())).unwrap();
    let mut lab = Lab::with(&format!("{}ca = \"{}\"\n", source("paper", port), ca.display())).await;
    for (authority, outcome) in [(&theirs, "failed"), (&ours, "baseline"), (&theirs, "failed")] {
        std::fs::write(&ca, pem(authority.der())).unwrap();
        lab.reload();
        assert_eq!(lab.poll("paper").await.outcome, outcome);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// A relay with TLS from the first byte on, and a certificate of `authority`: it says these lines, each after one of the
/// client, and the last of them without an end; its port.
fn relay(authority: &Authority, lines: Vec<&'static str>) -> u16 {
    let config = certificate("127.0.0.1", [2020, 2090], Some(authority));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        let (last, before) = lines.split_last().unwrap();
        for line in before {
            stream.write_all(line.as_bytes()).unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        }
        // Until the client has heard enough.
        while stream.write_all(last.as_bytes()).is_ok() {}
    });
    port
}

#[test]
fn row_05_a_relay_that_is_trusted_is_not_heard_without_end_either() {
    let ours = authority();
    let folder = tempfile::tempdir().unwrap();
    let trusted = trust(&ours, folder.path());
    let takes = [
        "220 relay\r\n",
        "250 relay\r\n",
        "250 ok\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "250 queued\r\n",
        "221 bye",
    ];
    for (lines, expected) in [
        (vec!["220 xxxxxxxx"], "it says too much"),
        (vec!["220 relay\r\n", "250 relay\r\n", "250 xxxxxxxx"], "it says too much"),
        (takes.to_vec(), "250 queued"),
    ] {
        let config = folder.path().join("harmattan.toml");
        let smtp = format!("smtp = \"smtps://127.0.0.1:{}\"", relay(&ours, lines.clone()));
        let people = "from = \"a@example.org\"\nto = [\"b@example.org\"]\n";
        let mail = format!("[[notifier]]\nname = \"desk\"\ntype = \"email\"\n{smtp}\n{people}");
        std::fs::write(&config, format!("[store]\npath = \"store\"\n{mail}")).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_harmattan"));
        program.env("SSL_CERT_FILE", &trusted).arg("-c").arg(&config).args(["send-test", "--json"]);
        let sent = program.output().unwrap();
        let told = String::from_utf8_lossy(&sent.stdout) + String::from_utf8_lossy(&sent.stderr);
        assert!(told.contains(expected), "{lines:?}: {told}");
    }
}
