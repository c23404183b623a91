//! Servers that are slow, silent, half there or hard to find, over loopback: what they cost in time, connections and tasks.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use harmattan::fetch::{Fetcher, HttpSettings, Names, Network, Networks, Pace};
use tokio::runtime::Handle;
use url::Url;

use crate::support::asking::{document, fetcher, networks, request, settings};
use crate::support::http::{Nobody, Reply, Server};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOCAL_6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A quarter of a second where servers have seconds.
const SHORT: Duration = Duration::from_millis(250);

/// No wait of a test may come near the limits that are not the one it is about.
const SOON: Duration = Duration::from_secs(8);

fn patient() -> Pace {
    Pace { connect_max: SOON * 2, silence_max: SOON * 2, grace: SOON * 2, bytes_per_second_min: 1 }
}

/// A fetcher whose names are answered so.
fn asking(answer: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Fetcher {
    fetcher().asking(Names::Of(Arc::new(answer)))
}

/// Fetches, which fails soon and leaves no task behind; the class and the text of the error.
async fn soon_failed(fetcher: &Fetcher, url: &Url) -> (&'static str, String) {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let (before, started) = (tasks(), Instant::now());
    let error = fetcher.fetch(&request(url)).await.unwrap_err();
    let all_ended = async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, all_ended).await.unwrap();
    assert!(started.elapsed() < SOON, "{error}");
    (error.reason(), error.to_string())
}

/// A listener, and its address under a scheme.
fn listener(scheme: &str) -> (TcpListener, Url) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = Url::parse(&format!("{scheme}://{}/feed", listener.local_addr().unwrap())).unwrap();
    (listener, url)
}

#[tokio::test]
async fn g10_row_7_a_server_that_drops_packets_ends_by_the_limit_for_connections() {
    // A queue of one that is full: the kernel drops whatever knocks further.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let full = socket.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let knock = || std::net::TcpStream::connect_timeout(&address, SHORT);
    let knocking: Vec<_> = (0..8).map(|_| knock()).collect();
    assert!(knocking.iter().any(Result::is_err), "the queue is full");
    let hasty = fetcher().paced(Pace { connect_max: SHORT, ..patient() });
    let url = Url::parse(&format!("http://{address}/feed")).unwrap();
    let (reason, text) = soon_failed(&hasty, &url).await;
    assert_eq!((reason, text.as_str()), ("timeout", "no connection within 0.25 s"));
}

#[tokio::test]
async fn g10_row_7_a_hang_in_the_tls_handshake_ends_by_the_limit_for_connections() {
    let (silent, url) = listener("https");
    let ended = thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        io::copy(&mut stream, &mut io::sink()).unwrap()
    });
    let hasty = fetcher().paced(Pace { connect_max: SHORT, ..patient() });
    let (reason, text) = soon_failed(&hasty, &url).await;
    assert_eq!((reason, text.as_str()), ("timeout", "no connection within 0.25 s"));
    assert!(ended.join().unwrap() > 0, "the connection is closed, and more than the hello never went out");
}

#[tokio::test]
async fn g10_of_all_who_wait_for_a_host_to_which_there_is_no_way_two_find_out() {
    let hasty = fetcher().paced(Pace { connect_max: SHORT * 2, ..patient() });
    for crawled in [false, true] {
        let (silent, url) = listener("https");
        let knocks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&knocks);
        thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in silent.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                // A connection that is closed is an answer.
                kept.push(stream);
            }
        });
        let asked = request(&url);
        let all = (0..40).map(|_| async {
            let answer = if crawled { hasty.crawl(&asked).await } else { hasty.fetch(&asked).await };
            let error = answer.unwrap_err();
            (error.reason(), error.unasked, error.to_string())
        });
        let mut told = join_all(all).await;
        told.sort();
        let told: Vec<_> =
            told.chunk_by(|one, other| one == other).map(|like| (&like[0], like.len())).collect();
        let own = ("timeout", false, "no connection within 0.5 s".to_owned());
        let others = format!("{}, as requests to the same host had found just before", own.2);
        assert_eq!(told, [(&own, 2), (&("timeout", true, others), 38)], "{crawled}");
        assert_eq!(knocks.load(Ordering::SeqCst), 2, "{crawled}");
    }
    let server = Server::always(Reply::ok("<rss/>"));
    assert_eq!(&document(hasty.fetch(&request(&server.url("/feed"))).await).bytes[..], b"<rss/>");
}

#[tokio::test]
async fn g10_row_7_silence_before_and_after_the_first_byte_ends_by_its_limit() {
    let hasty = fetcher().paced(Pace { silence_max: SHORT, ..patient() });
    let half = "HTTP/1.1 200 OK\r\nContent-Len";
    for (said, after, missing) in [
        ("", "before", "no complete headers"),
        (half, "in the headers", "no complete headers"),
        ("HTTP/1.1 200 OK\r\n\r\n<rss>", "in the body", "not one more byte"),
    ] {
        let (silent, url) = listener("http");
        let ended = thread::spawn(move || {
            let (mut stream, _) = silent.accept().unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(said.as_bytes()).unwrap();
            io::copy(&mut stream, &mut io::sink()).unwrap()
        });
        let (reason, text) = soon_failed(&hasty, &url).await;
        assert_eq!((reason, text), ("timeout", format!("{missing} within 0.25 s")), "silence {after}");
        assert!(ended.join().unwrap() > 0, "the connection is closed");
    }
}

#[tokio::test]
async fn g10_headers_that_never_end_are_told_as_such() {
    let hasty = fetcher().paced(Pace { silence_max: SHORT, ..patient() });
    let (talking, url) = listener("http");
    let ended = thread::spawn(move || {
        let (mut stream, _) = talking.accept().unwrap();
        stream.read_exact(&mut [0]).unwrap();
        stream.set_read_timeout(Some(SHORT / 20)).unwrap();
        // A read that times out is the pause; one that ends tells that the client has gone.
        while stream.read(&mut [0]).ok() != Some(0) {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").ok();
        }
    });
    let told = soon_failed(&hasty, &url).await;
    assert_eq!(told, ("timeout", "no complete headers within 0.25 s".to_owned()));
    ended.join().unwrap();
}

#[tokio::test]
async fn row_7_a_reset_is_an_error_at_once() {
    for said in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>"] {
        let (resetting, url) = listener("http");
        // A socket that is closed before its request was read resets the connection.
        let ended = thread::spawn(move || {
            let (mut stream, _) = resetting.accept().unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(said.as_bytes()).unwrap();
        });
        let (reason, text) = soon_failed(&fetcher().paced(patient()), &url).await;
        assert_eq!(reason, "http", "{text}");
        ended.join().unwrap();
    }
}

#[tokio::test]
async fn g10_row_13_a_server_that_drips_holds_neither_its_host_nor_a_slot() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/drip" => Reply::status(200).drip(Duration::from_millis(5)),
        _ => Reply::ok("<rss/>"),
    });
    let narrow = Fetcher::new(HttpSettings { concurrency: 1, ..settings() }).unwrap();
    let hasty = narrow.paced(Pace { grace: SHORT, bytes_per_second_min: 100_000, ..patient() });
    let urls = [server.url("/drip"), server.url("/feed"), server.on("127.0.0.2", "/feed")];
    let requests: Vec<_> = urls.iter().map(request).collect();
    let started = Instant::now();
    let [drip, same, other] =
        join_all(requests.iter().map(|request| hasty.fetch(request))).await.try_into().unwrap();
    assert!(started.elapsed() < SOON);
    let error = drip.unwrap_err();
    let text = "the body comes at less than 100000 bytes a second";
    assert_eq!((error.reason(), error.to_string().as_str()), ("timeout", text));
    assert_eq!(&document(same).bytes[..], b"<rss/>");
    assert_eq!(&document(other).bytes[..], b"<rss/>");
}

#[tokio::test]
async fn g10_a_slow_line_is_no_dripping_server() {
    let server = Server::always(Reply::ok("<rss/>").after(SHORT));
    let pace = Pace { grace: Duration::ZERO, bytes_per_second_min: 1, ..patient() };
    let slow = fetcher().paced(pace);
    assert_eq!(&document(slow.fetch(&request(&server.url("/feed"))).await).bytes[..], b"<rss/>");
}

#[tokio::test]
async fn g11_both_families_of_addresses_are_tried() {
    let four = Server::always(Reply::ok("<rss/>"));
    // A port that listens on IPv6 alone: on IPv4 it is held, or another test's server might have it.
    let (six, _closed, port) = loop {
        let six = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        let port = six.local_addr().unwrap().port();
        if let Ok(closed) = Nobody::at(port) {
            break (six, closed, port);
        }
    };
    let served = thread::spawn(move || {
        let (mut stream, _) = six.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut next = [0; 512];
            let count = stream.read(&mut next).unwrap();
            assert!(count > 0);
            request.extend_from_slice(&next[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>").unwrap();
    });
    let loopback: Networks =
        ["127.0.0.0/8", "::1"].iter().map(|range| range.parse::<Network>().unwrap()).collect();
    let open = HttpSettings { allow_networks: loopback, ..settings() };
    for (answer, url) in [
        ([LOCAL_6, LOCAL], four.on("both.example", "/feed")),
        ([LOCAL, LOCAL_6], four.on("both.example", "/feed")),
        ([LOCAL, LOCAL_6], Url::parse(&format!("http://both.example:{port}/feed")).unwrap()),
    ] {
        let names = Names::Of(Arc::new(move |_: &str| Ok(answer.to_vec())));
        let fetcher = Fetcher::new(open.clone()).unwrap().asking(names);
        assert_eq!(&document(fetcher.fetch(&request(&url)).await).bytes[..], b"<rss/>", "{url} {answer:?}");
    }
    served.join().unwrap();
}

#[tokio::test]
async fn row_9_names_that_lead_nowhere_are_told_apart() {
    let failing = |text: &'static str| asking(move |_| Err(io::Error::other(text)));
    let url = Url::parse("http://paper.example/feed").unwrap();
    let rows = [
        (failing("no such name"), "cannot resolve the host name: no such name"),
        (failing("temporary failure"), "cannot resolve the host name: temporary failure"),
        (asking(|_| Ok(Vec::new())), "cannot resolve the host name: the name has no address"),
    ];
    for (fetcher, text) in rows {
        assert_eq!(soon_failed(&fetcher, &url).await, ("dns", text.to_owned()));
    }
}

#[tokio::test]
async fn row_9_a_name_that_turns_private_is_refused_at_the_connection() {
    let server = Server::always(Reply::ok("<rss/>"));
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    // Public when it is looked at, ours when it is asked: what an attacker's name server does within a second.
    let names = Names::Of(Arc::new(move |_: &str| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(vec![if first { IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)) } else { LOCAL }])
    }));
    let one = HttpSettings { allow_networks: networks("127.0.0.3"), ..settings() };
    let fetcher = Fetcher::new(one).unwrap().asking(names);
    let url = server.on("paper.example", "/feed");
    assert_eq!(&document(fetcher.fetch(&request(&url)).await).bytes[..], b"<rss/>");
    for _ in 0..2 {
        let error = fetcher.fetch(&request(&url)).await.unwrap_err();
        assert_eq!((error.reason(), error.to_string().contains("loopback")), ("refused", true), "{error}");
    }
    assert_eq!((server.connections(), asked.load(Ordering::SeqCst)), (1, 3));
}

#[tokio::test]
async fn row_9_a_thousand_addresses_are_neither_all_tried_nor_a_way_in() {
    let server = Server::always(Reply::ok("<rss/>"));
    let many = |first: usize| {
        move |_: &str| {
            let place = |n: usize| if n == first { LOCAL } else { IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)) };
            Ok((0..1000).map(place).collect())
        }
    };
    let url = server.on("paper.example", "/feed");
    let found = asking(many(999));
    assert_eq!(
        &document(found.fetch(&request(&url)).await).bytes[..],
        b"<rss/>",
        "private ones are passed over"
    );
    let closed = Nobody::anywhere();
    let nobody = Url::parse(&format!("http://paper.example:{}/feed", closed.port())).unwrap();
    let all = asking(|_| Ok(vec![LOCAL; 1000]));
    assert_eq!(soon_failed(&all, &nobody).await.0, "http");
    assert_eq!(server.connections(), 1);
}
