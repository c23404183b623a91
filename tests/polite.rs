//! Politeness towards servers over loopback, beyond what `fetch.rs` and `polling.rs` hold. Names begin with the item of the
//! checklist.

use std::time::Duration;

use harmattan::fetch::{Answer, FetchError, Fetcher, Freshness, Request, Validators};
use harmattan::item::{SourceKind, SourceName};
use harmattan::schedule::{self, PollDecision, PollOutcome, Rhythm};
use harmattan::source::{self, Hints, Kind};
use jiff::Timestamp;

use crate::support::asking::{brotli, document, fetcher, get, gzip, request, settings};
use crate::support::http::{Reply, Server};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Headers, and for how many seconds they forbid to ask.
type Row = (&'static [(&'static str, &'static str)], Option<u64>);

/// When every answer of a test came.
fn now() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

/// The next poll of a source that wishes to be polled every minute.
fn next(outcome: PollOutcome, freshness: Freshness) -> PollDecision {
    let minute = Duration::from_mins(1);
    let rhythm = Rhythm {
        kind: SourceKind::Feed,
        interval: minute,
        fixed: true,
        min: minute,
        max: Duration::from_secs(DAY),
    };
    let poll = schedule::Poll {
        started: now(),
        answered: now(),
        outcome,
        freshness,
        hints: Hints::default(),
        validators: true,
        news: schedule::News::default(),
    };
    schedule::next_poll(&SourceName::new("paper").unwrap(), &rhythm, &poll)
}

fn failed(error: &FetchError) -> PollDecision {
    next(PollOutcome::Failed { status: error.status(), failures: 1, cut: false }, error.freshness())
}

/// How long nobody may ask, in seconds.
fn ordered(decision: &PollDecision) -> Option<u64> {
    let order = decision.not_before?;
    assert!(decision.due >= order);
    Some(u64::try_from(order.duration_since(now()).as_secs()).unwrap())
}

/// What the source may be polled for at the earliest, by the headers of an answer with this status.
async fn order_of(status: u16, headers: &[(&str, &str)]) -> Option<u64> {
    let reply = headers.iter().fold(Reply::status(status), |reply, (name, value)| reply.header(name, value));
    let server = Server::always(if status == 200 { reply.body("<rss/>") } else { reply });
    let url = server.url("/feed");
    let known = Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None };
    let asked = Request { validators: Some((&url, &known)), ..request(&url) };
    match fetcher().fetch(&asked).await {
        Ok(fetched) => ordered(&next(PollOutcome::Read, fetched.freshness)),
        Err(error) => ordered(&failed(&error)),
    }
}

#[tokio::test]
async fn f1_f2_lifetimes_hold_in_documents_errors_and_304() {
    let rows: [Row; 7] = [
        (&[("Cache-Control", "max-age=3600")], Some(HOUR)),
        (&[("Cache-Control", "max-age=7200"), ("Age", "3600")], Some(HOUR)),
        (
            &[("Expires", "Mon, 23 Nov 2026 19:00:00 GMT"), ("Date", "Mon, 23 Nov 2026 18:00:00 GMT")],
            Some(HOUR),
        ),
        (&[("Cache-Control", "max-age=60, s-maxage=3600")], Some(60)),
        (&[("Cache-Control", "s-maxage=3600")], None),
        (&[("Cache-Control", "no-cache, max-age=3600")], None),
        (&[("Cache-Control", "no-store, max-age=3600")], Some(HOUR)),
    ];
    for status in [200, 304, 404, 500] {
        for (headers, expected) in rows {
            assert_eq!(order_of(status, headers).await, expected, "{status} {headers:?}");
        }
    }
}

#[tokio::test]
async fn f3_absurd_lifetimes_are_cut_and_damaged_ones_are_none() {
    let rows: [Row; 9] = [
        (&[("Cache-Control", "max-age=31536000")], Some(DAY)),
        (&[("Expires", "Thu, 31 Dec 2099 23:59:59 GMT")], Some(DAY)),
        (&[("Cache-Control", "max-age=0")], None),
        (&[("Cache-Control", "max-age=-3600")], None),
        (&[("Cache-Control", "max-age=\"3600\"")], None),
        (&[("Cache-Control", "max-age=an hour")], None),
        (&[("Cache-Control", "max-age=3600, max-age=60")], None),
        (&[("Cache-Control", "max-age=3600"), ("Cache-Control", "max-age=3600")], None),
        (&[("Expires", "-1")], None),
    ];
    for (headers, expected) in rows {
        assert_eq!(order_of(200, headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn r1_retry_after_is_obeyed_in_every_form() {
    let forms = [
        ("7200", Some(2 * HOUR)),
        ("Mon, 23 Nov 2026 19:00:00 GMT", Some(2 * HOUR)),
        ("Monday, 23-Nov-26 19:00:00 GMT", Some(2 * HOUR)),
        ("Mon Nov 23 19:00:00 2026", Some(2 * HOUR)),
        ("Mon, 23 Nov 2026 15:00:00 GMT", None),
        ("-7200", None),
        ("in two hours", None),
    ];
    for status in [413, 429, 503] {
        for (form, expected) in forms {
            assert_eq!(order_of(status, &[("Retry-After", form)]).await, expected, "{status} {form}");
        }
        let week = if status == 429 { 7 * DAY } else { DAY };
        assert_eq!(
            order_of(status, &[("Retry-After", "315360000")]).await,
            Some(week),
            "{status}: ten years"
        );
    }
    let both = [("Retry-After", "60"), ("Cache-Control", "max-age=3600")];
    assert_eq!(order_of(503, &both).await, Some(HOUR), "the later of two orders");
}

#[tokio::test]
async fn r3_every_failure_has_its_words_and_the_same_backoff() {
    let mut told = std::collections::BTreeSet::new();
    let mut dues = std::collections::BTreeSet::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = url::Url::parse(&format!("http://{}/feed", silent.local_addr().unwrap())).unwrap();
    let mut urls = vec![
        (url::Url::parse("http://no-such-host.invalid/feed").unwrap(), "dns"),
        (url::Url::parse(&silent.as_str().replace("http:", "https:")).unwrap(), "timeout"),
    ];
    let statuses = [401_u16, 403, 404, 451, 500, 502, 504];
    let server = Server::start(|asked| {
        Reply::status(asked.target.trim_start_matches('/').parse().unwrap()).claiming(0)
    });
    urls.extend(statuses.map(|status| (server.url(&format!("/{status}")), "http")));
    let hasty = harmattan::fetch::HttpSettings { timeout: Duration::from_millis(300), ..settings() };
    let fetcher = Fetcher::new(hasty).unwrap();
    for (url, reason) in &urls {
        let error = fetcher.fetch(&request(url)).await.unwrap_err();
        assert_eq!(error.reason(), *reason, "{error}");
        assert!(told.insert(error.to_string()), "{error} is told of another, too");
        dues.insert(failed(&error).due);
    }
    assert_eq!((told.len(), dues.len()), (urls.len(), 1));
}

#[tokio::test]
async fn r9_pages_of_bot_protections_are_no_errors_of_the_server() {
    let wait = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
    let platform =
        "<html><script src=\"/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1\"></script></html>";
    let script = "<html><script src=\"/cdn-cgi/challenge-platform/scripts/jsd/main.js\"></script></html>";
    let captcha = "<html><script src='https://ct.captcha-delivery.com/captcha/?x'></script></html>";
    let paper = "<html><h1>403 Forbidden</h1></html>";
    let rows = [
        (403, wait, "challenge"),
        (503, wait, "challenge"),
        (429, platform, "challenge"),
        (403, script, "challenge"),
        (401, captcha, "challenge"),
        (405, "<html><div id=\"px-captcha\"></div></html>", "challenge"),
        (403, paper, "http"),
        (404, wait, "http"),
        (503, "", "http"),
    ];
    for (status, page, reason) in rows {
        let reply = Reply::status(status).header("Content-Type", "text/html");
        for reply in [
            reply.clone().header("Retry-After", "7200").body(page),
            reply
                .header("Content-Encoding", "gzip")
                .header("Retry-After", "7200")
                .body(gzip(page.as_bytes())),
        ] {
            let server = Server::always(reply);
            let error = get(&server.url("/feed")).await.unwrap_err();
            assert_eq!((error.reason(), error.status()), (reason, Some(status)), "{status} {page}");
            assert_eq!(ordered(&failed(&error)), Some(2 * HOUR), "what it orders counts all the same");
            assert_eq!(server.asked().len(), 1, "and nobody asks again in a browser's name");
        }
    }
    // With a 200 the page itself is the answer, and a script that stands in every page tells nothing.
    for (page, kind) in [(wait, Kind::Challenge), (platform, Kind::Challenge), (script, Kind::Page)] {
        let server = Server::always(Reply::ok(page));
        let document = document(get(&server.url("/feed")).await);
        assert_eq!(source::sniff(&document.bytes, None), kind, "{page}");
    }
}

#[tokio::test]
async fn r9_an_error_page_that_does_not_end_costs_neither_time_nor_the_status() {
    let endless = Reply::status(403).header("Content-Type", "text/html");
    let slow = Reply::status(403).header("Content-Type", "text/html").header("Retry-After", "7200");
    let hasty = harmattan::fetch::HttpSettings { timeout: Duration::from_millis(400), ..settings() };
    let hasty = Fetcher::new(hasty).unwrap();
    for reply in [endless.endless(vec![b'x'; 4096]), slow.drip(Duration::from_millis(20))] {
        let server = Server::always(reply);
        let error = hasty.fetch(&request(&server.url("/feed"))).await.unwrap_err();
        assert_eq!(error.to_string(), "the server answered 403");
    }
}

#[tokio::test]
async fn g3_bodies_are_read_however_they_were_compressed() {
    let text = "<rss>".repeat(1000);
    let (plain, packed) = (text.clone().into_bytes(), gzip(text.as_bytes()));
    let raw = {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    let rows: [(&str, Vec<u8>); 12] = [
        ("", packed.clone()),
        ("identity", packed.clone()),
        ("gzip", plain.clone()),
        ("zstd", plain.clone()),
        ("UTF-8", plain.clone()),
        ("X-GZIP", packed.clone()),
        ("gzip", gzip(&packed)),
        ("gzip, gzip", gzip(&packed)),
        ("gzip, br", brotli(&packed)),
        ("deflate", raw),
        ("gzip", [packed.clone(), packed.clone()].concat()),
        ("zstd", zstd::encode_all(&packed[..], 3).unwrap()),
    ];
    for (case, (encoding, bytes)) in rows.into_iter().enumerate() {
        let reply = if encoding.is_empty() {
            Reply::status(200)
        } else {
            Reply::status(200).header("Content-Encoding", encoding)
        };
        let server = Server::always(reply.body(bytes));
        let read = document(get(&server.url("/feed")).await).bytes;
        let times = if case == 10 { 2 } else { 1 };
        assert_eq!(read, text.repeat(times).as_bytes(), "{case}: {encoding}");
    }
}

#[tokio::test]
async fn o1_r10_new_entries_alone_are_asked_for_only_with_an_etag() {
    let server = Server::start(|asked| match (asked.text("a-im").as_deref(), asked.target.as_str()) {
        (Some("feed"), "/bytes") => Reply::status(226).header("IM", "vcdiff").body("\u{1}\u{2}"),
        (Some("feed"), "/plain") => Reply::ok("<rss/>"),
        (Some("feed"), _) => {
            Reply::status(226).header("IM", "feed").header("ETag", "\"2\"").body("<rss><item/></rss>")
        }
        _ => Reply::ok("<rss/>").header("ETag", "\"1\"").header("Last-Modified", "one"),
    });
    let url = server.url("/feed");
    let first = document(get(&url).await);
    assert!(!first.delta);
    let again = Request { validators: Some((&first.url, &first.validators)), ..request(&url) };
    let second = document(fetcher().fetch(&again).await);
    assert!(second.delta, "what is absent has not vanished");
    assert_eq!(second.validators, Validators { etag: Some(b"\"2\"".to_vec()), last_modified: None });
    let asked: Vec<_> =
        server.asked().iter().map(|asked| (asked.text("a-im"), asked.text("if-none-match"))).collect();
    assert_eq!(asked, [(None, None), (Some("feed".to_owned()), Some("\"1\"".to_owned()))]);

    let dated = Validators { etag: None, ..first.validators.clone() };
    for (validators, delta) in [(&dated, true), (&first.validators, false)] {
        let asked = Request { validators: Some((&url, validators)), delta, ..again.clone() };
        assert!(!document(fetcher().fetch(&asked).await).delta, "neither by a date alone nor unasked");
    }
    let plain = server.url("/plain");
    let asked = Request { validators: Some((&plain, &first.validators)), ..request(&plain) };
    assert!(!document(fetcher().fetch(&asked).await).delta, "the whole feed is taken as usual");
    let bytes = server.url("/bytes");
    let asked = Request { validators: Some((&bytes, &first.validators)), ..request(&bytes) };
    assert_eq!(fetcher().fetch(&asked).await.unwrap_err().status(), Some(226));
}

#[tokio::test]
async fn r8_a_304_with_a_body_is_unchanged_and_harms_no_later_answer() {
    let known = Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None };
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbogus";
    let lying = format!("HTTP/1.1 304 Not Modified\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Server::start(move |asked| match asked.header("if-none-match") {
        Some(_) => Reply::raw(lying.clone()),
        None => Reply::ok("<rss/>"),
    });
    let (fetcher, url) = (fetcher(), server.url("/feed"));
    for _ in 0..2 {
        let asked = Request { validators: Some((&url, &known)), ..request(&url) };
        let answer = fetcher.fetch(&asked).await.unwrap().answer;
        assert_eq!(answer, Answer::Unchanged { validators: Validators::default() });
        let whole = document(fetcher.fetch(&request(&url)).await);
        assert_eq!(&whole.bytes[..], b"<rss/>", "the body of the 304 is not taken for the next answer");
    }
}
