//! The fetcher against a scripted server on loopback. Names begin with the item of the politeness checklist they hold.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use harmattan::fetch::{
    ACCEPT_FEED, ACCEPT_PAGE, Answer, Fetcher, HttpSettings, Networks, Redirects, Request, Validators,
};
use url::Url;

use crate::support::asking::{brotli, document, fetcher, get, gzip, networks, request, settings};
use crate::support::http::{Nobody, Reply, Server};

/// Fetches from a server that always gives this answer; the class and the text of the error.
async fn failure(reply: Reply) -> (&'static str, String) {
    let server = Server::always(reply);
    let error = get(&server.url("/feed")).await.unwrap_err();
    (error.reason(), error.to_string())
}

#[tokio::test]
async fn g4_a_document_comes_with_its_address_and_no_fragment_is_sent() {
    let server =
        Server::always(Reply::ok("<rss/>").header("Content-Type", "text/xml").header("ETag", "\"1\""));
    let url = server.url("/feed#part");
    let document = document(get(&url).await);
    assert_eq!(document.url, server.url("/feed"));
    assert_eq!(&document.bytes[..], b"<rss/>");
    assert_eq!(document.content_type.as_deref(), Some("text/xml"));
    assert_eq!(document.validators, Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None });
    assert_eq!(server.targets(), ["/feed"]);
}

#[tokio::test]
async fn an_answer_may_have_hundreds_of_headers() {
    let cookie = |reply: Reply, n| reply.header("Set-Cookie", format!("c{n}=1"));
    let server = Server::always((0..400).fold(Reply::ok("<rss/>"), cookie));
    assert_eq!(&document(get(&server.url("/feed")).await).bytes[..], b"<rss/>");
    let (reason, text) = failure((0..600).fold(Reply::ok("<rss/>"), cookie)).await;
    assert_eq!((reason, text.as_str()), ("http", "no complete answer: message head is too large"));
}

#[tokio::test]
async fn c1_validators_are_echoed_byte_for_byte() {
    let rows: [(&[u8], &[u8]); 4] = [
        (b"W/\"a b\"", b"Tue, 01 Jan 2041 00:00:00 GMT"),
        (b"unquoted", b"2026-11-23 17:00:00"),
        (b"\"caf\xe9\"", b"yesterday"),
        (b"\"\"", b"Mon, 23 Nov 2026 17:00:00 +0100"),
    ];
    for (etag, last_modified) in rows {
        let server = Server::start(move |asked| {
            let known = asked.header("if-none-match").is_some();
            let reply = if known { Reply::status(304) } else { Reply::ok("<rss/>") };
            reply.header("ETag", etag).header("Last-Modified", last_modified)
        });
        let url = server.url("/feed");
        let first = document(get(&url).await);
        let again = Request { validators: Some((&first.url, &first.validators)), ..request(&url) };
        let second = fetcher().fetch(&again).await.unwrap();
        let asked = server.asked();
        assert_eq!(asked[0].header("if-none-match"), None);
        assert_eq!(asked[0].header("if-modified-since"), None);
        assert_eq!(asked[1].header("if-none-match"), Some(etag));
        assert_eq!(asked[1].header("if-modified-since"), Some(last_modified));
        assert_eq!(
            second.answer,
            Answer::Unchanged { validators: first.validators },
            "C3: a 304 refreshes them"
        );
    }
}

#[tokio::test]
async fn c8_validators_go_to_the_address_they_came_from_alone() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/a" => Reply::to(302, "/b"),
        _ => Reply::ok("<rss/>"),
    });
    let (a, b) = (server.url("/a"), server.url("/b"));
    let known = Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None };
    for (of, expected) in [(&a, [true, false]), (&b, [false, true])] {
        let before = server.asked().len();
        let fetched = fetcher().fetch(&Request { validators: Some((of, &known)), ..request(&a) }).await;
        assert_eq!(document(fetched).url, b);
        let sent: Vec<bool> =
            server.asked()[before..].iter().map(|asked| asked.header("if-none-match").is_some()).collect();
        assert_eq!(sent, expected, "{of}");
    }
}

#[test]
fn c3_a_304_refreshes_what_it_carries() {
    let of = |etag: Option<&str>, last_modified: Option<&str>| Validators {
        etag: etag.map(|text| text.as_bytes().to_vec()),
        last_modified: last_modified.map(|text| text.as_bytes().to_vec()),
    };
    let known = of(Some("1"), Some("monday"));
    assert_eq!(known.refreshed(&of(None, Some("friday"))), of(Some("1"), Some("friday")));
    assert_eq!(known.refreshed(&of(Some("2"), None)), of(Some("2"), Some("monday")));
    assert_eq!(known.refreshed(&of(None, None)), known);
    assert!(of(None, None).is_empty() && !known.is_empty());
}

#[tokio::test]
async fn r8_a_304_that_nobody_asked_for_is_an_error() {
    let server = Server::always(Reply::status(304));
    let (url, nothing) = (server.url("/feed"), Validators::default());
    for validators in [None, Some((&url, &nothing))] {
        let error = fetcher().fetch(&Request { validators, ..request(&url) }).await.unwrap_err();
        assert_eq!(error.to_string(), "the server answered 304: not modified, though nothing was known");
        assert_eq!((error.reason(), error.status()), ("http", Some(304)));
    }
}

#[tokio::test]
async fn f2_errors_and_304_carry_what_the_server_orders() {
    let server = Server::start(|asked| {
        let status = if asked.header("if-none-match").is_some() { 304 } else { 404 };
        Reply::status(status).header("Cache-Control", "max-age=7200")
    });
    let url = server.url("/feed");
    let missing = get(&url).await.unwrap_err();
    assert_eq!((missing.status(), missing.freshness().max_age), (Some(404), Some(Duration::from_hours(2))));
    let known = Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None };
    let unchanged =
        fetcher().fetch(&Request { validators: Some((&url, &known)), ..request(&url) }).await.unwrap();
    assert_eq!(unchanged.freshness.max_age, Some(Duration::from_hours(2)));
}

#[tokio::test]
async fn g1_g2_g4_headers_tell_who_asks_and_nothing_else() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/a" => Reply::to(302, "/b").header("Set-Cookie", "id=1"),
        _ => Reply::ok("<rss/>").header("Set-Cookie", "id=2"),
    });
    let (fetcher, url) = (fetcher(), server.url("/a"));
    fetcher.fetch(&request(&url)).await.unwrap();
    fetcher.fetch(&Request { contact: false, ..request(&url) }).await.unwrap();
    let asked = server.asked();
    let version = env!("CARGO_PKG_VERSION");
    let full = format!("Harmattan/{version} (+mailto:desk@example.org; 12 feeds)");
    let anonymous = format!("Harmattan/{version} (12 feeds)");
    let agents: Vec<_> = asked.iter().filter_map(|asked| asked.text("user-agent")).collect();
    assert_eq!(agents, [&full, &full, &anonymous, &anonymous].map(String::from));
    for asked in &asked {
        assert_eq!(asked.text("accept").as_deref(), Some(ACCEPT_FEED));
        let encodings = asked.text("accept-encoding").unwrap();
        assert!(["gzip", "br", "zstd"].iter().all(|encoding| encodings.contains(encoding)), "{encodings}");
        for absent in ["cookie", "referer", "from", "authorization"] {
            assert_eq!(asked.header(absent), None, "{absent}");
        }
    }
}

#[tokio::test]
async fn g3_compressed_bodies_are_decoded() {
    let text = "<rss>".repeat(1000);
    for (encoding, bytes) in [
        ("gzip", gzip(text.as_bytes())),
        ("br", brotli(text.as_bytes())),
        ("zstd", zstd::encode_all(text.as_bytes(), 3).unwrap()),
    ] {
        let server = Server::always(Reply::ok(bytes).header("Content-Encoding", encoding));
        assert_eq!(document(get(&server.url("/feed")).await).bytes, text.as_bytes(), "{encoding}");
    }
}

#[tokio::test]
async fn g3_row_14_bombs_end_at_the_limit_for_decoded_bytes() {
    let zeros = vec![0; 4 << 20];
    for (encoding, bytes) in
        [("gzip", gzip(&zeros)), ("br", brotli(&zeros)), ("zstd", zstd::encode_all(&zeros[..], 3).unwrap())]
    {
        assert!(bytes.len() < 1 << 17, "{encoding}: a bomb is small");
        let (reason, text) = failure(Reply::ok(bytes).header("Content-Encoding", encoding)).await;
        assert_eq!(
            (reason, text.as_str()),
            ("too-large", "the body is longer than 1048576 bytes"),
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn g3_the_limit_itself_is_allowed_and_one_byte_more_is_not() {
    let at = Server::always(Reply::ok(vec![b'x'; 1 << 20]));
    assert_eq!(document(get(&at.url("/")).await).bytes.len(), 1 << 20);
    assert_eq!(failure(Reply::ok(vec![b'x'; (1 << 20) + 1])).await.0, "too-large");
    assert_eq!(failure(Reply::status(200).endless(vec![b'x'; 4096])).await.0, "too-large");
    let promised = Reply::status(200).claiming(1 << 40).drip(Duration::from_mins(1));
    assert_eq!(failure(promised).await.0, "too-large", "a stated length is believed before a byte is read");
}

#[tokio::test]
async fn c4_a_body_cut_short_is_no_document() {
    let packed = gzip("<rss>".repeat(1000).as_bytes());
    let half = packed.get(..packed.len() / 2).unwrap().to_vec();
    assert_eq!(failure(Reply::ok(half).header("Content-Encoding", "gzip")).await.0, "http");
    assert_eq!(failure(Reply::ok("<rss>").claiming(100)).await.0, "http");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n";
    assert_eq!(failure(Reply::raw(chunked)).await.0, "http");
}

#[tokio::test]
async fn c4_the_error_of_a_transfer_that_broke_off_holds_what_came() {
    let long = vec![b'x'; (1 << 20) + 1];
    for (name, reply, part) in [
        ("short", Reply::ok("<rss>").claiming(100), Some("<rss>")),
        ("nothing", Reply::ok("").claiming(100), None),
        ("too long", Reply::ok(long), None),
        (
            "a bomb that is cut",
            Reply::ok(gzip(&vec![0; 4 << 20])).header("Content-Encoding", "gzip").claiming(1 << 19),
            None,
        ),
        ("an error's page", Reply::status(404).body("<rss>").claiming(100), None),
    ] {
        let server = Server::always(reply);
        let error = get(&server.url("/feed")).await.unwrap_err();
        let came = error.part.map(|part| String::from_utf8_lossy(&part.bytes).into_owned());
        assert_eq!(came.as_deref(), part, "{name}");
        // Of a page nothing is kept: half of one misleads.
        let url = server.url("/page");
        let error = fetcher().fetch(&Request { accept: ACCEPT_PAGE, ..request(&url) }).await.unwrap_err();
        assert_eq!(error.part, None, "{name}");
    }
}

#[tokio::test]
async fn g10_the_time_limit_holds_for_the_whole_request() {
    let hasty = Fetcher::new(HttpSettings { timeout: Duration::from_millis(300), ..settings() }).unwrap();
    let slow = [Reply::silence(), Reply::status(200).drip(Duration::from_millis(20))];
    for reply in slow {
        let server = Server::always(reply);
        let started = Instant::now();
        let error = hasty.fetch(&request(&server.url("/feed"))).await.unwrap_err();
        assert_eq!(error.reason(), "timeout");
        assert_eq!(error.to_string(), "no complete answer within 0.3 s");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn bodies_that_nobody_reads_hold_back_others_and_the_wait_is_nobodys_failure() {
    let text = "un village du Nord ".repeat(50_000);
    let (plain, packed) = (text.clone(), gzip(text.as_bytes()));
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/silent" => Reply::silence(),
        "/short" => Reply::ok("<rss/>"),
        "/packed" => Reply::ok(packed.clone()).header("Content-Encoding", "gzip"),
        _ => Reply::ok(plain.clone()),
    });
    let timeout = Duration::from_secs(12);
    let wide = Fetcher::new(HttpSettings { concurrency: 64, timeout, ..settings() }).unwrap();
    let path = |n: usize| ["/plain", "/plain", "/plain", "/packed"][n % 4];
    let address = |n: usize| server.on(&format!("127.0.0.{}", n + 2), path(n));
    let urls: Vec<Url> = (0..20).map(address).collect();
    let requests: Vec<_> = urls.iter().map(request).collect();
    let mut coming: FuturesUnordered<_> = requests.iter().map(|request| wide.fetch(request)).collect();
    let mut kept = Vec::new();
    let (silent, short) = (server.url("/silent"), server.on("127.0.0.99", "/short"));
    let (silent, short) = (request(&silent), request(&short));
    let mut limit = std::pin::pin!(wide.fetch(&silent));
    loop {
        tokio::select! {
            failed = &mut limit => break assert_eq!(failed.unwrap_err().reason(), "timeout"),
            Some(fetched) = coming.next() => kept.push(document(fetched).bytes),
        }
    }
    assert!(!kept.is_empty() && kept.len() < 16, "{} bodies of 0.95 MB in 4 MiB", kept.len());
    assert_eq!(&document(wide.fetch(&short).await).bytes[..], b"<rss/>", "a short one needs no room");
    kept.clear();
    while let Some(fetched) = coming.next().await {
        assert_eq!(&document(fetched).bytes[..], text.as_bytes());
    }
}

#[tokio::test]
async fn g10_redirects_share_one_time_limit() {
    let server = Server::start(|asked| {
        let hop = asked.target.len();
        let reply = if hop < 5 { Reply::to(302, format!("{}x", asked.target)) } else { Reply::ok("<rss/>") };
        reply.after(Duration::from_millis(300))
    });
    let hasty = Fetcher::new(HttpSettings { timeout: Duration::from_secs(1), ..settings() }).unwrap();
    let error = hasty.fetch(&request(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.reason(), "timeout");
    assert!(server.asked().len() > 1, "no single request took that long");
}

#[tokio::test]
async fn row_13_header_bombs_and_what_is_no_http_are_errors() {
    let bomb = "X-Again: and again\r\n".repeat(50_000);
    for hostile in [
        format!("HTTP/1.1 200 OK\r\n{bomb}\r\n"),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        String::new(),
    ] {
        let (reason, text) = failure(Reply::raw(hostile)).await;
        assert_eq!(reason, "http");
        assert!(text.starts_with("no complete answer: "), "{text}");
    }
}

#[tokio::test]
async fn sloppy_headers_do_not_cost_the_document() {
    let sloppy = "HTTP/1.1 200 OK\r\nBad Header: 1\r\nX-Folded: a\r\n b\r\n\
        X-Space : c\r\nContent-Length: 6\r\n\r\n<rss/>";
    let server = Server::always(Reply::raw(sloppy));
    assert_eq!(&document(get(&server.url("/feed")).await).bytes[..], b"<rss/>");
}

#[tokio::test]
async fn r8_answers_without_a_document_are_errors_with_their_status() {
    for status in [201, 204, 205, 206, 226, 300, 400, 401, 403, 404, 410, 418, 451, 500, 502, 503, 504, 599] {
        let server = Server::always(Reply::status(status).claiming(0));
        let error = get(&server.url("/feed")).await.unwrap_err();
        assert_eq!((error.reason(), error.status()), ("http", Some(status)));
    }
    assert_eq!(failure(Reply::ok("")).await.1, "the server answered 200: empty body");
    assert_eq!(
        failure(Reply::ok(gzip(b"")).header("Content-Encoding", "gzip")).await.1,
        "the server answered 200: empty body"
    );
}

#[tokio::test]
async fn r9_challenges_are_told_from_errors() {
    for status in [200, 403, 429, 503] {
        let (reason, _) =
            failure(Reply::status(status).header("cf-mitigated", "challenge").body("<html>")).await;
        assert_eq!(reason, "challenge", "{status}");
    }
    assert_eq!(failure(Reply::status(202).body("<html>")).await.0, "challenge");
    for (action, reason) in [("challenge", "challenge"), ("CAPTCHA", "challenge"), ("allow", "http")] {
        let reply = Reply::status(405).header("x-amzn-waf-action", action);
        assert_eq!(failure(reply.body("")).await.0, reason, "{action}");
    }
    assert_eq!(failure(Reply::status(403).body("<html>")).await.0, "http");
}

#[tokio::test]
async fn r1_a_429_holds_its_whole_host_and_no_other() {
    let server = Server::always(Reply::status(429).header("Retry-After", "120"));
    let fetcher = fetcher();
    let first = fetcher.fetch(&request(&server.url("/a"))).await.unwrap_err();
    assert_eq!(first.freshness().retry_after, Some(Duration::from_mins(2)));
    let second = fetcher.fetch(&request(&server.url("/b"))).await.unwrap_err();
    assert!(second.is_held() && !first.is_held());
    let left = second.freshness().retry_after.unwrap();
    assert!(left > Duration::from_secs(100) && left <= Duration::from_mins(2), "{left:?}");
    assert!(!fetcher.fetch(&request(&server.on("127.0.0.2", "/c"))).await.unwrap_err().is_held());
    assert_eq!(server.targets(), ["/a", "/c"]);
}

#[tokio::test]
async fn r1_a_503_holds_its_source_alone() {
    let server = Server::always(Reply::status(503).header("Retry-After", "120"));
    let fetcher = fetcher();
    for path in ["/a", "/b"] {
        let error = fetcher.fetch(&request(&server.url(path))).await.unwrap_err();
        assert_eq!(
            (error.status(), error.freshness().retry_after),
            (Some(503), Some(Duration::from_mins(2)))
        );
    }
}

#[tokio::test]
async fn a_hold_from_before_a_restart_can_be_put_back() {
    let server = Server::always(Reply::ok("<rss/>"));
    let fetcher = fetcher();
    fetcher.hold("127.0.0.1", Duration::from_mins(1));
    assert!(fetcher.fetch(&request(&server.url("/"))).await.unwrap_err().is_held());
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn r6_five_redirects_are_followed_and_no_sixth() {
    let server = Server::start(|asked| match asked.target.trim_start_matches('/').parse::<u32>() {
        Ok(0) | Err(_) => Reply::ok("<rss/>"),
        Ok(hops) => Reply::to(if hops.is_multiple_of(2) { 302 } else { 307 }, format!("/{}", hops - 1)),
    });
    assert_eq!(document(get(&server.url("/5")).await).url, server.url("/0"));
    let error = get(&server.url("/6")).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.to_string().as_str()),
        ("redirect", "redirect not followed: more than 5 of them")
    );
}

#[tokio::test]
async fn r6_row_16_loops_and_redirects_to_nowhere_end() {
    for (location, text) in [
        ("/feed", "it goes round in circles"),
        ("file:///etc/passwd", "to the scheme `file`"),
        ("ftp://example.org/", "to the scheme `ftp`"),
        ("data:text/xml,<rss/>", "to the scheme `data`"),
        ("http://", "it leads to no valid address"),
    ] {
        let expected = ("redirect", format!("redirect not followed: {text}"));
        assert_eq!(failure(Reply::to(302, location)).await, expected);
    }
    assert_eq!(failure(Reply::status(301)).await.1, "redirect not followed: it does not say where to");
}

#[tokio::test]
async fn r5_the_permanent_start_of_a_chain_is_told() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/a" => Reply::to(301, "/b"),
        "/b" => Reply::to(308, "/c"),
        "/c" => Reply::to(302, "/d"),
        "/d" => Reply::to(301, "/e"),
        _ => Reply::ok("<rss/>"),
    });
    for (from, moved) in [("/a", Some("/c")), ("/c", None), ("/d", Some("/e")), ("/e", None)] {
        assert_eq!(get(&server.url(from)).await.unwrap().moved, moved.map(|path| server.url(path)), "{from}");
    }
}

#[tokio::test]
async fn a_redirect_can_be_handed_back() {
    let server = Server::always(Reply::to(302, "https://t.me/durov"));
    let url = server.url("/s/durov");
    let fetched = fetcher().fetch(&Request { redirects: Redirects::Report, ..request(&url) }).await.unwrap();
    assert_eq!(fetched.answer, Answer::Redirect { location: "https://t.me/durov".to_owned() });
}

#[tokio::test]
async fn private_addresses_are_refused_before_a_connection() {
    let server = Server::always(Reply::ok("<rss/>"));
    let closed = Fetcher::new(HttpSettings { allow_networks: Networks::default(), ..settings() }).unwrap();
    for host in
        ["127.0.0.1", "localhost", "LOCALHOST", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
    {
        let error = closed.fetch(&request(&server.on(host, "/feed"))).await.unwrap_err();
        assert_eq!(error.reason(), "refused", "{host}: {error}");
        assert!(error.hint().unwrap().contains("allow_networks"));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn r6_row_16_redirects_to_private_addresses_are_refused() {
    let one = networks("127.0.0.1");
    let careful = Fetcher::new(HttpSettings { allow_networks: one, ..settings() }).unwrap();
    for target in [
        "127.0.0.2",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::]",
        "[fd00:ec2::254]",
    ] {
        let server = Server::start(move |asked| match asked.target.as_str() {
            "/feed" => Reply::to(302, format!("http://{target}/latest/meta-data")),
            _ => Reply::ok("secret"),
        });
        let error = careful.fetch(&request(&server.url("/feed"))).await.unwrap_err();
        assert_eq!(error.reason(), "refused", "{target}");
        assert_eq!(server.targets(), ["/feed"], "{target}");
    }
}

#[tokio::test]
async fn r3_failures_are_sorted_by_their_cause() {
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let secure = Url::parse(&format!("https://{}/feed", plain.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        plain.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let closed = Nobody::anywhere();
    for (url, reason) in [
        (secure, "tls"),
        (Url::parse("http://no-such-host.invalid/feed").unwrap(), "dns"),
        (Url::parse(&format!("{}/feed", closed.base())).unwrap(), "http"),
        (Url::parse("ftp://example.org/feed").unwrap(), "http"),
    ] {
        let error = get(&url).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
    }
}

#[tokio::test]
async fn row_17_a_certificate_that_nobody_signed_is_refused() {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (chain, signer) = (vec![key.cert.der().clone()], key.signing_key.serialize_der());
    let fetcher = fetcher();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, rustls::pki_types::PrivateKeyDer::Pkcs8(signer.into()))
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/feed", listener.local_addr().unwrap())).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut session = rustls::ServerConnection::new(config.into()).unwrap();
        let mut request = [0; 16];
        rustls::Stream::new(&mut session, &mut stream).read(&mut request)
    });
    let error = fetcher.fetch(&request(&url)).await.unwrap_err();
    assert_eq!(error.reason(), "tls");
    let told =
        "no secure connection: its certificate is signed by nobody trusted, here or in `ca` of the source";
    assert_eq!(error.to_string(), told);
    assert!(server.join().unwrap().is_err(), "not a byte of the request went out");
}

#[tokio::test]
async fn errors_show_no_secret() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/feed?token=s3cret" => Reply::to(302, "ftp://s3cret:s3cret@example.org/?s3cret"),
        _ => Reply::status(404),
    });
    for path in ["/feed?token=s3cret", "/gone?token=s3cret"] {
        let mut url = server.url(path);
        url.set_username("s3cret").unwrap();
        url.set_password(Some("s3cret")).unwrap();
        let error = get(&url).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        url.set_host(Some("no-such-host.invalid")).unwrap();
        let error = get(&url).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn g5_a_host_has_one_request_at_a_time_and_a_pause_between() {
    let gap = Duration::from_millis(40);
    let server = Server::always(Reply::ok("<rss/>").after(Duration::from_millis(10)));
    let spaced = Fetcher::new(HttpSettings { host_gap: gap, ..settings() }).unwrap();
    let urls: Vec<Url> = (0..6).map(|n| server.url(&format!("/{n}"))).collect();
    let requests: Vec<_> = urls.iter().map(request).collect();
    let fetched = join_all(requests.iter().map(|request| spaced.fetch(request))).await;
    assert!(fetched.iter().all(Result::is_ok));
    assert_eq!(server.busiest(), 1);
    let times: Vec<Instant> = server.asked().iter().map(|asked| asked.at).collect();
    assert_eq!(times.len(), 6);
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] >= gap.checked_sub(Duration::from_millis(5)).unwrap())
    );
    assert!(
        fetched.last().unwrap().as_ref().unwrap().waited >= gap * 4,
        "waiting is told, for it is no part of the poll"
    );
}

#[tokio::test]
async fn few_requests_are_in_flight_over_all_hosts() {
    let server = Server::always(Reply::ok("<rss/>").after(Duration::from_millis(100)));
    let narrow = Fetcher::new(HttpSettings { concurrency: 2, ..settings() }).unwrap();
    let urls: Vec<Url> = (1..=8).map(|n| server.on(&format!("127.0.0.{n}"), "/feed")).collect();
    let requests: Vec<_> = urls.iter().map(request).collect();
    let fetched = join_all(requests.iter().map(|request| narrow.fetch(request))).await;
    assert!(fetched.iter().all(Result::is_ok));
    assert_eq!(server.busiest(), 2);
}

#[tokio::test]
async fn redirects_wait_for_the_turn_of_the_new_host() {
    let server = Server::start(|asked| match asked.text("host").unwrap().split_once(':').unwrap() {
        ("127.0.0.1", port) if asked.target == "/a" => Reply::to(302, format!("http://127.0.0.2:{port}/x")),
        ("127.0.0.2", port) if asked.target == "/b" => Reply::to(302, format!("http://127.0.0.1:{port}/y")),
        _ => Reply::ok("<rss/>"),
    });
    let fetcher = fetcher();
    let (a, b) = (server.url("/a"), server.on("127.0.0.2", "/b"));
    let (a, b) = (request(&a), request(&b));
    let both = join_all([fetcher.fetch(&a), fetcher.fetch(&b)]).await;
    assert!(
        both.iter().all(Result::is_ok),
        "two hosts that lead to each other do not wait for each other for ever"
    );
}

#[tokio::test]
async fn english_is_asked_of_telegram_alone() {
    let proxy = Server::always(Reply::ok("<rss/>"));
    let fetcher = Fetcher::new(HttpSettings { proxy: Some(proxy.url("")), ..settings() }).unwrap();
    for address in ["http://t.me/s/post", "http://telegram.dog/post", "http://feeds.example.invalid/rss"] {
        document(fetcher.fetch(&request(&Url::parse(address).unwrap())).await);
    }
    let languages: Vec<_> = proxy.asked().iter().map(|asked| asked.text("accept-language")).collect();
    assert_eq!(languages, [Some("en".to_owned()), Some("en".to_owned()), None]);
}

#[tokio::test]
async fn a_proxy_of_the_operator_is_reached_wherever_it_lies() {
    let proxy = Server::always(Reply::ok("<rss/>"));
    let address = proxy.url("");
    let closed = HttpSettings { allow_networks: Networks::default(), ..settings() };
    let common = Fetcher::new(HttpSettings { proxy: Some(address.clone()), ..closed.clone() }).unwrap();
    let named =
        Fetcher::new(HttpSettings { proxy: Some(proxy.on("localhost", "")), ..closed.clone() }).unwrap();
    let own = Fetcher::new(closed).unwrap();
    let url = Url::parse("http://feeds.example.invalid/rss").unwrap();
    document(common.fetch(&request(&url)).await);
    document(named.fetch(&request(&url)).await);
    document(own.fetch(&Request { proxy: Some(&address), ..request(&url) }).await);
    assert_eq!(proxy.targets(), ["http://feeds.example.invalid/rss"; 3]);
    let literal = Url::parse("http://10.0.0.1/rss").unwrap();
    assert_eq!(common.fetch(&request(&literal)).await.unwrap_err().reason(), "refused");
    assert_eq!(
        own.fetch(&request(&url)).await.unwrap_err().reason(),
        "dns",
        "without a proxy it is asked directly"
    );
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let contact = HttpSettings { contact: Some("desk\r\nX-Evil: 1".to_owned()), ..settings() };
    let error = Fetcher::new(contact).err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot set up HTTP: `contact` has characters that cannot stand in a header"
    );
}
