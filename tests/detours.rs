//! The hosts of a Telegram channel that stand in for each other: which is asked, and what leads away from them. Time is
//! passed in.

use jiff::SignedDuration;

use crate::support::http::Reply;
use crate::support::lab::Lab;
use crate::support::preview::Preview;

const PAGE: &str = "/s/post";

/// A channel on two hosts, of which the first can be reached or not.
async fn channel() -> ([Preview; 2], Lab) {
    let hosts = [Preview::start(1..=20), Preview::start(1..=20)];
    let names = hosts.each_ref().map(|host| format!("\"{}\"", host.url("").trim_end_matches('/')));
    let source = "[[source]]\nname = \"post\"\ntelegram = \"post\"\ninterval = \"1m\"\n";
    let lab = Lab::with(&format!("{source}hosts = [{}]\n", names.join(", "))).await;
    (hosts, lab)
}

/// How often the page of each was asked for.
fn asked(hosts: &[Preview; 2]) -> [usize; 2] {
    hosts.each_ref().map(|host| host.targets().iter().filter(|target| *target == PAGE).count())
}

#[tokio::test]
async fn t4_a_host_that_cannot_be_reached_costs_one_request_in_ten_minutes() {
    let (hosts, mut lab) = channel().await;
    hosts[0].instead(PAGE, Reply::raw("no HTTP"));
    let start = lab.now;
    for (minutes, expected) in [(0, [1, 1]), (2, [1, 2]), (9, [1, 3]), (10, [2, 4]), (12, [2, 5])] {
        lab.now = start + SignedDuration::from_mins(minutes);
        let poll = lab.poll("post").await;
        assert_eq!((poll.failure, asked(&hosts)), (None, expected), "{minutes}");
    }
    // The other fails too, by an answer: the failure told is that of the first.
    hosts[1].instead(PAGE, Reply::status(500));
    lab.now = start + SignedDuration::from_mins(14);
    let failure = lab.poll("post").await.failure.unwrap();
    assert!(failure.starts_with("http: no complete answer"), "{failure}");
    assert_eq!(asked(&hosts), [3, 6]);
    // It is back, and in its own place again from the first answer on.
    for host in &hosts {
        host.change(|channel| channel.instead.clear());
    }
    for (minutes, expected) in [(16, [3, 7]), (24, [4, 7]), (26, [5, 7])] {
        lab.now = start + SignedDuration::from_mins(minutes);
        assert_eq!((lab.poll("post").await.failure, asked(&hosts)), (None, expected), "{minutes}");
    }
}

#[tokio::test]
async fn t4_what_is_known_of_hosts_outlives_a_reload() {
    let (hosts, mut lab) = channel().await;
    hosts[0].instead(PAGE, Reply::raw("no HTTP"));
    lab.poll("post").await;
    lab.reload();
    lab.now += SignedDuration::from_mins(2);
    lab.poll("post").await;
    assert_eq!(asked(&hosts), [1, 2]);
}

#[tokio::test]
async fn t11_a_redirect_that_leads_away_from_telegram_lets_the_next_host_be_asked() {
    let (hosts, mut lab) = channel().await;
    let portal = Preview::start(1..=20);
    let far = portal.url("/login").replace("127.0.0.1", "127.0.0.2");
    hosts[0].instead(PAGE, Reply::to(302, &far));
    let poll = lab.poll("post").await;
    assert_eq!((poll.outcome.as_str(), poll.failure), ("baseline", None));
    assert!(portal.targets().is_empty());

    hosts[1].instead(PAGE, Reply::to(302, far.replace("/login", "/s/post")));
    lab.now += SignedDuration::from_mins(2);
    let failure = lab.poll("post").await.failure.unwrap();
    assert_eq!(failure, "redirect: redirect not followed: to `127.0.0.2`, which is not Telegram's");
    assert!(portal.targets().is_empty());
}

#[tokio::test]
async fn t11_a_redirect_to_another_host_of_telegram_is_followed() {
    let (hosts, mut lab) = channel().await;
    hosts[0].instead(PAGE, Reply::to(302, hosts[1].url(PAGE)));
    let poll = lab.poll("post").await;
    assert_eq!((poll.outcome.as_str(), poll.items, asked(&hosts)), ("baseline", 20, [1, 1]));
    // Round in circles, through each other.
    hosts[1].instead(PAGE, Reply::to(302, hosts[0].url(PAGE)));
    lab.now += SignedDuration::from_mins(2);
    let failure = lab.poll("post").await.failure.unwrap();
    assert_eq!(failure, "redirect: redirect not followed: more than 5 of them");
}

#[tokio::test]
async fn t11_a_page_that_stands_in_for_telegram_lets_the_next_host_be_asked() {
    let (hosts, mut lab) = channel().await;
    let blocked = || Reply::ok("<html><body><h1>Access to this resource is restricted</h1></body></html>");
    hosts[0].instead(PAGE, blocked());
    let poll = lab.poll("post").await;
    assert_eq!((poll.outcome.as_str(), poll.failure, asked(&hosts)), ("baseline", None, [1, 1]));
    // Where all are blocked, it is the page that cannot be read.
    hosts[1].instead(PAGE, blocked());
    lab.now += SignedDuration::from_mins(2);
    let failure = lab.poll("post").await.failure.unwrap();
    assert!(failure.starts_with("layout: "), "{failure}");
}
