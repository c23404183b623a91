//! Answers made to harm whoever reads them, over loopback: bounded in time and in bytes. Names begin with the row of the
//! catalogue of faults.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use harmattan::fetch::{Fetcher, HttpSettings};
use url::Url;

use crate::support::asking::{brotli, document, fetcher, get, gzip, request, settings};
use crate::support::http::{Reply, Server};

/// No hostile answer may cost more.
const SOON: Duration = Duration::from_secs(10);

/// The longest body in these tests.
const MIB: usize = 1 << 20;

/// A server that says this and then that over and over, as fast as a good line brings it.
fn babbling(said: impl Into<Vec<u8>>, again: &'static str) -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = Url::parse(&format!("http://{}/feed", listener.local_addr().unwrap())).unwrap();
    let said = said.into();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let mut going = stream.read(&mut request).map(|_| ()).and_then(|()| stream.write_all(&said));
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        while going.is_ok() && !again.is_empty() && !matches!(stream.read(&mut request), Ok(0)) {
            going = stream.write_all(again.repeat(128).as_bytes());
        }
    });
    url
}

/// Fetches, which fails soon; the class and the text of the error.
async fn failed(fetcher: &Fetcher, url: &Url) -> (&'static str, String) {
    let started = Instant::now();
    let error = fetcher.fetch(&request(url)).await.unwrap_err();
    assert!(started.elapsed() < SOON, "{error}");
    (error.reason(), error.to_string())
}

async fn failure(reply: Reply) -> (&'static str, String) {
    failed(&fetcher(), &Server::always(reply).url("/feed")).await
}

#[tokio::test]
async fn row_8_http_2_is_not_offered_and_its_frames_are_no_answer() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url =
        Url::parse(&format!("https://localhost:{}/feed", listener.local_addr().unwrap().port())).unwrap();
    let hello = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            acceptor.read_tls(&mut stream).unwrap();
            if let Some(accepted) = acceptor.accept().unwrap() {
                let alpn = accepted.client_hello().alpn();
                return alpn.map(|names| names.map(<[u8]>::to_vec).collect::<Vec<_>>()).unwrap_or_default();
            }
        }
    });
    failed(&fetcher(), &url).await;
    assert!(!hello.join().unwrap().contains(&b"h2".to_vec()));

    let settings = "\0\0\u{6}\u{4}\0\0\0\0\0\0\u{3}\0\0\0\u{64}";
    assert_eq!(failed(&fetcher(), &babbling(settings, settings)).await.0, "http");
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";
    assert_eq!(failed(&fetcher(), &babbling(switching, settings)).await.0, "http");
}

#[tokio::test]
async fn row_13_answers_that_never_begin_end_by_the_time_limit() {
    let hasty = Fetcher::new(HttpSettings { timeout: Duration::from_millis(300), ..settings() }).unwrap();
    for hint in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"] {
        assert_eq!(failed(&hasty, &babbling("", hint)).await.0, "timeout", "{hint}");
    }
}

#[tokio::test]
async fn row_13_chunk_bombs_end_by_a_limit() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let rows = [
        ("a size that overflows", "fffffffffffffffff\r\nx".to_owned(), "", "http"),
        ("a size that is none", "-1\r\nx".to_owned(), "", "http"),
        ("an endless size", String::new(), "0", "timeout"),
        ("an endless extension", "5;".to_owned(), "a", "http"),
        ("a chunk without end", "ffffffffffff\r\n".to_owned(), "x", "too-large"),
        ("single bytes without end", String::new(), "1\r\nx\r\n", "too-large"),
        ("trailers without end", "5\r\n<rss>\r\n0\r\n".to_owned(), "X: y\r\n", "http"),
    ];
    let narrow = HttpSettings { body_bytes_max: 8 * 1024, ..settings() };
    let hasty = Fetcher::new(HttpSettings { timeout: Duration::from_millis(300), ..narrow.clone() }).unwrap();
    let narrow = Fetcher::new(narrow).unwrap();
    for (case, said, again, reason) in rows {
        let url = babbling(format!("{chunked}{said}"), again);
        let fetcher = if reason == "timeout" { &hasty } else { &narrow };
        assert_eq!(failed(fetcher, &url).await.0, reason, "{case}");
    }
}

#[tokio::test]
async fn row_13_lengths_that_lie_are_found_out() {
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 9\r\n\r\n<rss/>";
    assert_eq!(failure(Reply::raw(body)).await.0, "http", "two lengths");
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n<rss/>";
    assert_eq!(failure(Reply::raw(body)).await.0, "http", "a length that is no number");
    let body =
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<rss/>\r\n0\r\n\r\n";
    let server = Server::always(Reply::raw(body));
    assert_eq!(&document(get(&server.url("/feed")).await).bytes[..], b"<rss/>", "chunks go before a length");
    let server = Server::always(Reply::ok("<rss/>HTTP/1.1 200 OK\r\n\r\n").claiming(6));
    let fetcher = fetcher();
    for _ in 0..2 {
        assert_eq!(&document(fetcher.fetch(&request(&server.url("/feed"))).await).bytes[..], b"<rss/>");
    }
}

/// A reply in this encoding.
fn packed(encoding: &str, bytes: Vec<u8>) -> Reply {
    Reply::status(200).header("Content-Encoding", encoding).body(bytes)
}

#[tokio::test]
async fn row_14_bombs_end_by_growth_or_size_whatever_they_claim_to_hold() {
    let zeros = vec![0; MIB];
    let wide = Fetcher::new(HttpSettings { body_bytes_max: 16 * 1024 * 1024, ..settings() }).unwrap();
    let (member, frame) = (gzip(&zeros), zstd::encode_all(&zeros[..], 3).unwrap());
    let rows = [
        ("gzip", member.repeat(32)),
        ("br", brotli(&vec![0; 32 * MIB])),
        ("zstd", frame.repeat(32)),
        ("", member.repeat(32)),
        ("gzip", gzip(&member.repeat(2000))),
        ("gzip, gzip, gzip", gzip(&gzip(&member.repeat(2000)))),
        ("zstd, br", brotli(&frame.repeat(2000))),
    ];
    for (encoding, bytes) in rows {
        let length = bytes.len();
        assert!(length < MIB, "{encoding}: a bomb is small");
        let server = Server::always(packed(encoding, bytes));
        let (reason, text) = failed(&wide, &server.url("/feed")).await;
        let growth = "the body grows more than 200-fold when it is decompressed";
        assert_eq!((reason, text.as_str()), ("too-large", growth), "{encoding}: {length}");
    }
    // One that grows slowly enough ends at the limit for all bodies.
    let slowly: Vec<u8> =
        (0..u32::MAX).flat_map(|n| format!("{n:0>64}").into_bytes()).take(8 * MIB).collect();
    let (reason, text) = failure(packed("gzip", gzip(&slowly))).await;
    assert_eq!((reason, text.as_str()), ("too-large", "the body is longer than 1048576 bytes"));
}

#[tokio::test]
async fn row_14_layers_windows_and_damage_have_their_limits() {
    let text = b"<rss/>".repeat(100);
    let thrice = gzip(&gzip(&gzip(&text)));
    let server = Server::always(packed("gzip, gzip, gzip", thrice.clone()));
    assert_eq!(&document(get(&server.url("/feed")).await).bytes[..], &text[..]);
    let (reason, told) = failure(packed("gzip, gzip, gzip, gzip", gzip(&thrice))).await;
    assert_eq!((reason, told.as_str()), ("http", "cannot decompress the body: more than 3 layers"));
    assert_eq!(failure(Reply::ok(gzip(&thrice))).await.1, told, "nor when nobody states them");

    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&text).unwrap();
    let (reason, told) = failure(packed("zstd", encoder.finish().unwrap())).await;
    assert_eq!(reason, "http", "a window of 128 MiB: {told}");

    let whole =
        [("gzip", gzip(&text)), ("br", brotli(&text)), ("zstd", zstd::encode_all(&text[..], 3).unwrap())];
    for (encoding, bytes) in whole {
        let half = bytes.get(..bytes.len() / 2).unwrap().to_vec();
        let mut bent = bytes.clone();
        bent.iter_mut().skip(bytes.len() / 2).for_each(|byte| *byte ^= 0x55);
        for damaged in [half, bent] {
            let (reason, told) = failure(packed(encoding, damaged)).await;
            assert_eq!(reason, "http", "{encoding}: {told}");
            assert!(told.starts_with("cannot decompress the body: "), "{encoding}: {told}");
        }
    }
}

#[tokio::test]
async fn row_14_padding_and_wrong_labels_make_no_body_unreadable() {
    let text = b"<rss version='2.0'/>".repeat(50);
    let padded = |padding: &[u8]| [&gzip(&text), padding].concat();
    let rows = [
        ("gzip", padded(b"\n")),
        ("gzip", padded(&[0; 100])),
        ("", padded(b"\r\n")),
        ("br", text.clone()),
        ("deflate", text.clone()),
        ("br", gzip(&text)),
        ("deflate", gzip(&text)),
    ];
    for (encoding, bytes) in rows {
        let server = Server::always(packed(encoding, bytes));
        assert_eq!(&document(get(&server.url("/feed")).await).bytes[..], &text[..], "{encoding}");
    }
}

#[tokio::test]
async fn row_16_credentials_stay_with_the_host_that_they_are_for() {
    let server = Server::start(|asked| match (asked.target.as_str(), asked.text("host").unwrap()) {
        ("/feed", host) => Reply::to(302, format!("http://{host}/same")),
        ("/same", host) => Reply::to(302, format!("http://{}/other", host.replace("0.1", "0.2"))),
        ("/other", host) => Reply::to(302, format!("http://{}/back", host.replace("0.2", "0.1"))),
        _ => Reply::ok("<rss/>"),
    });
    let mut url = server.url("/feed");
    url.set_username("desk").unwrap();
    url.set_password(Some("s3cret")).unwrap();
    let read = document(get(&url).await);
    assert_eq!(read.url, server.url("/back"), "and are no part of a document's address");
    let sent: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| (asked.target.clone(), asked.header("authorization").is_some()))
        .collect();
    let expected = [("/feed", true), ("/same", true), ("/other", false), ("/back", false)];
    assert_eq!(sent, expected.map(|(path, sent)| (path.to_owned(), sent)));
}

#[tokio::test]
async fn row_16_eleven_hops_are_six_requests() {
    let server = Server::start(|asked| {
        let hop: u32 = asked.target.trim_start_matches('/').parse().unwrap();
        if hop == 11 { Reply::ok("<rss/>") } else { Reply::to(302, format!("/{}", hop + 1)) }
    });
    let (reason, text) = failed(&fetcher(), &server.url("/0")).await;
    assert_eq!((reason, text.as_str()), ("redirect", "redirect not followed: more than 5 of them"));
    assert_eq!(server.targets(), ["/0", "/1", "/2", "/3", "/4", "/5"]);
}
