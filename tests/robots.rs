//! robots.txt over loopback: what the fetcher asks before it asks for a page or an article. Time is passed in.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harmattan::fetch::{
    ACCEPT_PAGE, Answer, Failure, FetchError, Fetched, Fetcher, HttpSettings, Network, Networks, Redirects,
    Request,
};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::support::http::{Reply, Server};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap() + SignedDuration::from_mins(minutes)
}

fn fetcher() -> Fetcher {
    let networks: Networks = std::iter::once("127.0.0.0/8".parse::<Network>().unwrap()).collect();
    let settings =
        HttpSettings { allow_networks: networks, host_gap: Duration::ZERO, ..HttpSettings::default() };
    Fetcher::new(settings).unwrap()
}

async fn crawl(fetcher: &Fetcher, url: &Url, now: Timestamp) -> Result<Fetched, FetchError> {
    let request = Request {
        url,
        validators: None,
        accept: ACCEPT_PAGE,
        delta: false,
        redirects: Redirects::Follow,
        proxy: None,
        pinned: None,
        contact: true,
        now,
    };
    fetcher.crawl(&request).await
}

/// A server that answers this to a request for its robots.txt, and 200 to everything else.
fn server(robots: Reply) -> Server {
    Server::start(move |asked| match asked.target.as_str() {
        "/robots.txt" => robots.clone(),
        _ => Reply::ok("page"),
    })
}

fn text(rules: &str) -> Reply {
    Reply::ok(rules).header("Content-Type", "text/plain")
}

fn reason(answer: Result<Fetched, FetchError>) -> String {
    answer.map_or_else(|error| error.reason().to_owned(), |_| "document".to_owned())
}

#[tokio::test]
async fn g9_what_is_disallowed_is_not_asked_for() {
    let server =
        server(text("User-agent: *\nDisallow: /news\n\nUser-agent: Harmattan\nDisallow: /private\n"));
    let fetcher = fetcher();
    for (path, expected) in [("/private/1", "robots"), ("/news/1", "document"), ("/private/2", "robots")] {
        assert_eq!(reason(crawl(&fetcher, &server.url(path), at(0)).await), expected, "{path}");
    }
    assert_eq!(server.targets(), ["/robots.txt", "/news/1"]);
}

#[tokio::test]
async fn g9_a_robots_txt_is_kept_for_a_day() {
    let server = server(text("User-agent: *\nDisallow:\n"));
    let fetcher = fetcher();
    for minutes in [0, 60, 24 * 60 - 1, 24 * 60 + 1, 25 * 60] {
        crawl(&fetcher, &server.url("/a"), at(minutes)).await.unwrap();
    }
    let asked: Vec<_> = server.targets();
    assert_eq!(asked, ["/robots.txt", "/a", "/a", "/a", "/robots.txt", "/a", "/a"]);
}

#[tokio::test]
async fn g9_a_server_that_fails_is_left_alone_and_one_without_robots_txt_is_not() {
    for (status, expected) in [
        (500, "robots"),
        (503, "robots"),
        (429, "robots"),
        (404, "document"),
        (403, "document"),
        (410, "document"),
    ] {
        let server = server(Reply::status(status));
        let got = crawl(&fetcher(), &server.url("/a"), at(0)).await;
        let why = got.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(why.contains(&format!("(the server answered {status})")), expected == "robots", "{why}");
        assert_eq!(reason(got), expected, "{status}");
        let asked = if expected == "document" { vec!["/robots.txt", "/a"] } else { vec!["/robots.txt"] };
        assert_eq!(server.targets(), asked, "{status}");
    }
    let broken = server(Reply::raw("no HTTP"));
    assert_eq!(reason(crawl(&fetcher(), &broken.url("/a"), at(0)).await), "http");
    assert_eq!(broken.targets(), ["/robots.txt"]);
    let empty = server(Reply::ok(""));
    assert_eq!(reason(crawl(&fetcher(), &empty.url("/a"), at(0)).await), "document");
}

#[tokio::test]
async fn g9_rules_outlive_a_failure_of_their_server() {
    let answers = AtomicUsize::new(0);
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/robots.txt" if answers.fetch_add(1, Ordering::SeqCst) == 0 => text("User-agent: *\nDisallow: /b\n"),
        "/robots.txt" => Reply::status(502),
        _ => Reply::ok("page"),
    });
    let fetcher = fetcher();
    for minutes in [0, 24 * 60 + 1, 24 * 60 + 10, 24 * 60 + 40] {
        assert_eq!(reason(crawl(&fetcher, &server.url("/a"), at(minutes)).await), "document", "{minutes}");
        assert_eq!(reason(crawl(&fetcher, &server.url("/b"), at(minutes)).await), "robots", "{minutes}");
    }
    let asked = server.targets().into_iter().filter(|target| target == "/robots.txt").count();
    assert_eq!(asked, 3, "again after half an hour, not at every request");
}

#[tokio::test]
async fn g9_redirects_of_a_robots_txt_are_followed_up_to_five() {
    let hops = |most: usize| {
        Server::start(move |asked| match asked.target.as_str() {
            "/a" => Reply::ok("page"),
            "/robots.txt" => Reply::to(302, "/1"),
            hop => match hop.trim_start_matches('/').parse::<usize>() {
                Ok(n) if n < most => Reply::to(301, format!("/{}", n + 1)),
                _ => text("User-agent: *\nAllow: /\n"),
            },
        })
    };
    assert_eq!(reason(crawl(&fetcher(), &hops(5).url("/a"), at(0)).await), "document");
    assert_eq!(reason(crawl(&fetcher(), &hops(6).url("/a"), at(0)).await), "robots");
}

#[tokio::test]
async fn g9_the_target_of_a_redirect_has_a_say_of_its_own() {
    let target = server(text("User-agent: *\nDisallow: /closed\n"));
    let closed = target.url("/closed").to_string();
    let first = Server::start(move |asked| match asked.target.as_str() {
        "/robots.txt" => Reply::status(404),
        _ => Reply::to(302, &closed),
    });
    let refused = crawl(&fetcher(), &first.url("/a"), at(0)).await.unwrap_err();
    assert!(matches!(refused.failure, Failure::Robots { .. }), "{refused:?}");
    assert_eq!(target.targets(), ["/robots.txt"]);
}

#[tokio::test]
async fn g9_a_crawl_delay_is_the_gap_between_two_pages_and_not_between_feeds() {
    let server = server(text("User-agent: *\nCrawl-delay: 0.3\n"));
    let fetcher = fetcher();
    for _ in 0..2 {
        let got = crawl(&fetcher, &server.url("/a"), at(0)).await.unwrap();
        assert!(matches!(got.answer, Answer::Document(_)));
    }
    let url = server.url("/feed");
    let request = Request {
        url: &url,
        validators: None,
        accept: ACCEPT_PAGE,
        delta: false,
        redirects: Redirects::Follow,
        proxy: None,
        pinned: None,
        contact: true,
        now: at(0),
    };
    fetcher.fetch(&request).await.unwrap();
    let asked = server.asked();
    assert_eq!(server.targets(), ["/robots.txt", "/a", "/a", "/feed"]);
    assert!(asked[2].at - asked[1].at >= Duration::from_millis(290));
    assert!(asked[3].at - asked[2].at < Duration::from_millis(290));
}

#[tokio::test]
async fn g9_many_who_wait_ask_once() {
    let server = server(text("User-agent: *\nAllow: /\n").after(Duration::from_millis(50)));
    let fetcher = fetcher();
    let (first, second) = (server.url("/a"), server.url("/b"));
    let (a, b) = tokio::join!(crawl(&fetcher, &first, at(0)), crawl(&fetcher, &second, at(0)));
    assert!(a.is_ok() && b.is_ok());
    let asked = server.targets().into_iter().filter(|target| target == "/robots.txt").count();
    assert_eq!(asked, 1);
}
