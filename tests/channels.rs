//! What becomes of a Telegram channel: states, albums, edits, deletions, strangers and broken layouts, by the built
//! program on loopback.

use harmattan::fetch::{Document, Validators};
use harmattan::item::SourceName;
use harmattan::outbox::Subject;
use harmattan::source::telegram::ChannelName;
use harmattan::source::{self, Plan, ReadAs};
use harmattan::store::{Deliveries, SledStore, Store as _};
use serde_json::{Value, json};

use crate::support::calls::{Desk, number, text};
use crate::support::http::Reply;
use crate::support::preview::{Preview, convoy, mangoes, message, page};
use crate::support::site::Site;

fn channel(messages: std::ops::RangeInclusive<u64>) -> (Preview, Desk) {
    let preview = Preview::start(messages);
    let desk = Desk::with(&format!("[alerts]\nmax_age = \"9000d\"\n{}", preview.source("")));
    assert_eq!(desk.poll()["outcome"], "baseline");
    (preview, desk)
}

/// State and reason of the source.
fn state(desk: &Desk) -> (String, String) {
    let source = &desk.sources()["post"];
    (text(source, "/state"), text(source, "/reason"))
}

fn complaint(desk: &Desk) -> String {
    text(&desk.sources()["post"], "/detail")
}

/// The page at `t.me/<name>`.
fn landing(extra: &str, more: &str) -> Reply {
    Reply::ok(format!(
        r#"<!DOCTYPE html><html><body><div class="tgme_page"><div class="tgme_page_title">Post</div><div class="tgme_page_extra">{extra}</div>{more}</div></body></html>"#
    ))
}

#[test]
fn telegram_states_are_told_apart_and_end_with_the_cause() {
    let (preview, desk) = channel(1..=20);
    let offered = r#"<a class="tgme_page_context_link" href="/s/post">Preview channel</a>"#;
    let banned = "<p>This channel can’t be displayed because it was used to spread pornographic content.</p>";
    let button = |words: &str| format!(r#"<div class="tgme_page_action"><a>{words}</a></div>"#);
    for (page, reason, detail) in [
        (landing("1 234 subscribers", ""), "preview-off", "no web preview"),
        (landing("1 234 subscribers", offered), "preview-off", "blocked where this machine asks from"),
        (landing("1 234 subscribers", banned), "preview-off", "marked as for adults"),
        (landing("977 members, 41 online", ""), "gone", "group"),
        (landing("57 members", ""), "gone", "group"),
        (landing("57 members", offered), "preview-off", "blocked where this machine asks from"),
        (landing("@post", &button("Send Message")), "gone", "person"),
        (landing("12 monthly users", &button("Start Bot")), "gone", "bot"),
        (Reply::ok(r#"<div class="tgme_page"><i class="tgme_icon_user"></i></div>"#), "gone", "unknown name"),
        (Reply::status(500), "preview-off", "no web preview"),
    ] {
        preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
        preview.instead("/post", page);
        let asked = preview.targets().len();
        let poll = desk.poll();
        assert_eq!(poll["outcome"], "failed");
        let failure = text(&poll, "/failure");
        assert!(failure.starts_with(reason) && failure.contains(detail), "{failure}");
        assert_eq!(preview.targets()[asked..], ["/s/post", "/post"], "its page is asked for once");
        assert_eq!(state(&desk).1, reason);

        preview.change(|channel| channel.instead.clear());
        assert_eq!(text(&desk.poll(), "/failure"), "", "it comes back");
        assert_eq!(state(&desk), ("ok".into(), String::new()));
    }
}

#[test]
fn telegram_states_renamed_tells_the_new_name_and_no_message_twice() {
    let (preview, desk) = channel(1..=20);
    preview.change(|channel| channel.name = "Poste".into());
    preview.say(21, &convoy(21));
    for (new, alerts) in [(1, 1), (0, 0)] {
        let poll = desk.poll();
        assert_eq!((number(&poll, "/new"), number(&poll, "/alerts")), (new, alerts), "{poll}");
        assert_eq!(state(&desk), ("failing".into(), "renamed".into()));
        assert!(complaint(&desk).contains("`post` is now called `Poste`"), "{}", complaint(&desk));
    }
    preview.change(|channel| channel.name = "POST".into());
    assert_eq!(number(&desk.poll(), "/new"), 0);
    assert_eq!(state(&desk).0, "ok");
}

#[test]
fn telegram_states_a_renamed_channel_goes_on_where_it_was_once_the_config_has_its_new_name() {
    let (preview, desk) = channel(1..=20);
    let settings = |name: &str| {
        let source = preview.source("").replace("telegram = \"post\"", &format!("telegram = \"{name}\""));
        format!("[alerts]\nmax_age = \"9000d\"\n{source}")
    };
    let rename = |name: &str| {
        preview.change(|channel| (channel.name, channel.at) = (name.into(), name.into()));
        preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    };
    rename("Post_News");
    preview.publish(21..=70);
    preview.say(25, &convoy(25));
    preview.say(60, &convoy(60));
    assert_eq!(desk.poll()["outcome"], "failed");
    preview.instead("/s/post_news?before=51", Reply::status(500));
    preview.change(|channel| channel.at = "post_news".into());
    desk.change(&settings("post_news"));
    let counts = |poll: &Value| ["/new", "/edited", "/alerts"].map(|count| number(poll, count));
    let poll = desk.poll();
    assert_eq!((counts(&poll), &poll["outcome"]), ([20, 0, 1], &"read".into()), "{poll}");
    preview.change(|channel| drop(channel.instead.remove("/s/post_news?before=51")));
    let poll = desk.poll();
    assert_eq!(counts(&poll), [30, 0, 1], "{poll}");
    assert_eq!(state(&desk), ("ok".into(), String::new()));

    // What the page shows of old is known still, and so is what is told under the new name.
    preview.say(69, &convoy(69));
    preview.delete(65);
    preview.say(71, &mangoes(71));
    let poll = desk.poll();
    assert_eq!(counts(&poll), [1, 1, 1], "{poll}");
    assert_eq!(desk.sources()["post"]["gone"][0]["url"], "https://t.me/post_news/65");

    // Another channel is another, though it has the same numbers.
    rename("other");
    preview.change(|channel| channel.id = -2002);
    desk.change(&settings("other"));
    assert_eq!(desk.poll()["outcome"], "baseline");
}

#[test]
fn telegram_states_a_stranger_under_the_name_is_shown_and_told() {
    let (preview, desk) = channel(81..=100);
    preview.change(|channel| {
        channel.id = -2002;
        channel.messages.clear();
    });
    preview.publish(500..=599);
    // A number that the channel before had too.
    preview.say(95, &mangoes(95));
    preview.say(600, &convoy(600));
    let asked = preview.targets().len();
    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), number(&poll, "/alerts")), (20, 1), "{poll}");
    assert_eq!(preview.targets().len(), asked + 1, "its history is not walked through");
    assert_eq!(state(&desk), ("failing".into(), "renamed".into()));
    let told = complaint(&desk);
    assert!(told.contains("-2002") && told.contains("-1001"), "{told}");

    preview.change(|channel| {
        channel.id = -1001;
        channel.messages.clear();
    });
    preview.publish(82..=101);
    assert_eq!(number(&desk.poll(), "/new"), 1, "the channel goes on where it was left");
    assert_eq!(state(&desk).0, "ok", "{}", complaint(&desk));
}

#[test]
fn telegram_states_a_stranger_is_watched_like_any_channel_once_it_is_told() {
    let (preview, desk) = channel(481..=500);
    let counts = |poll: &Value| ["/new", "/alerts"].map(|count| number(poll, count));
    // Numbers that the channel before had too, and lower ones.
    let take_over = |id: i64, messages: std::ops::RangeInclusive<u64>| {
        preview.change(|channel| {
            channel.id = id;
            channel.messages.clear();
        });
        preview.publish(messages);
    };
    take_over(-2002, 471..=490);
    assert_eq!(counts(&desk.poll()), [20, 0]);
    preview.say(491, &convoy(491));
    assert_eq!(counts(&desk.poll()), [1, 1], "and now it is confirmed, and told");
    assert_eq!(state(&desk), ("failing".into(), "renamed".into()));

    preview.publish(492..=540);
    preview.say(500, &convoy(500));
    let asked = preview.targets().len();
    let poll = desk.poll();
    assert_eq!(counts(&poll), [49, 1], "{poll}");
    assert_eq!(preview.targets()[asked..], ["/s/post", "/s/post?before=521", "/s/post?before=501"]);
    assert_eq!(state(&desk).0, "ok", "{}", complaint(&desk));
    assert_eq!(desk.sources()["post"]["taken_over"], json!([-2002, -1001]), "that stays in sight");
    preview.say(530, &convoy(530));
    preview.delete(535);
    let poll = desk.poll();
    assert_eq!(number(&poll, "/edited"), 1, "{poll}");
    assert_eq!(desk.sources()["post"]["gone"][0]["url"], "https://t.me/post/535");

    // The first one is back: what it showed is known still, and it is watched again once that is told.
    take_over(-1001, 482..=501);
    assert_eq!(counts(&desk.poll()), [1, 0]);
    desk.poll();
    assert_eq!(state(&desk).1, "renamed");
    preview.publish(502..=541);
    let poll = desk.poll();
    assert_eq!((counts(&poll), state(&desk).0.as_str()), ([40, 0], "ok"), "{poll}");
    assert_eq!(desk.sources()["post"]["taken_over"], Value::Null);
}

#[test]
fn telegram_states_a_stranger_is_read_from_where_it_was_found() {
    let (preview, desk) = channel(1..=20);
    preview.change(|channel| {
        channel.id = -2002;
        channel.messages.clear();
    });
    preview.publish(1..=10);
    let counts = |poll: &Value| ["/new", "/alerts"].map(|count| number(poll, count));
    assert_eq!(counts(&desk.poll()), [10, 0]);
    // More than a page comes before the second poll, which confirms it.
    preview.publish(11..=60);
    preview.say(15, &convoy(15));
    assert_eq!(counts(&desk.poll()), [20, 0]);
    let asked = preview.targets().len();
    let poll = desk.poll();
    assert_eq!(counts(&poll), [30, 1], "{poll}");
    assert_eq!(preview.targets()[asked..], ["/s/post", "/s/post?before=41", "/s/post?before=21"]);
    assert_eq!(state(&desk).0, "ok", "{}", complaint(&desk));
}

/// What events told of the source, oldest first.
fn events(desk: &Desk) -> Vec<String> {
    let store = SledStore::open(&desk.store()).unwrap();
    let mut told = Vec::new();
    for delivery in store.deliveries(Deliveries::Closed, 99).unwrap() {
        let Subject::Event(id) = delivery.subject else { continue };
        let event = store.event(id).unwrap().unwrap();
        told.push(format!("{} {}", event.kind.as_str(), event.detail));
    }
    told.reverse();
    told
}

#[test]
fn telegram_states_a_stranger_takes_the_name_that_its_owner_gave_up_and_each_is_told() {
    let (preview, desk) = channel(481..=500);
    preview.change(|channel| channel.name = "Poste".into());
    (0..3).for_each(|_| assert_eq!(desk.poll()["outcome"], "read"));
    preview.change(|channel| {
        channel.id = -2002;
        channel.name = "post".into();
        channel.messages.clear();
    });
    preview.publish(1..=20);
    desk.poll();
    assert_eq!(events(&desk).len(), 1, "a second poll confirms it");
    desk.poll();
    assert_eq!(desk.sources()["post"]["taken_over"], json!([-2002, -1001]));
    desk.poll();
    let told = events(&desk);
    let begins = [
        "source.failing the channel `post` is now called `Poste`",
        "source.failing the name `post` now belongs to another channel (-2002, was -1001)",
        "source.recovered what is shown under the name is read",
    ];
    assert_eq!(told.len(), begins.len(), "{told:?}");
    assert!(told.iter().zip(begins).all(|(told, begin)| told.starts_with(begin)), "{told:?}");
}

#[test]
fn a_channel_none_of_whose_hosts_can_be_reached_is_no_failure_of_its_own_where_there_are_no_others() {
    let hosts = r#"["http://a.invalid", "http://b.invalid", "http://c.invalid"]"#;
    let desk = Desk::with(&format!("[[source]]\nname = \"post\"\ntelegram = \"post\"\nhosts = {hosts}\n"));
    assert_eq!(desk.poll()["outcome"], "failed");
    let told = events(&desk);
    let begin = "network.offline none of 3 hosts in a row could be reached: a.invalid, b.invalid, c.invalid";
    assert_eq!(told, [begin]);
}

/// A genuine page, where `HARMATTAN_FIXTURES` names the folder that has it; it belongs to its publisher.
fn genuine(file: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("HARMATTAN_FIXTURES")?;
    Some(std::fs::read(std::path::Path::new(&folder).join("telegram").join(file)).unwrap())
}

#[test]
fn telegram_states_of_genuine_pages_are_told() {
    let (preview, desk) = channel(1..=20);
    for (file, reason, detail) in [
        ("contact_tme_bot_2026-08.html", "gone", "bot"),
        ("contact_tme_free_2026-08.html", "gone", "unknown name"),
        ("contact_tme_channel_2026-08.html", "preview-off", "not shown here"),
        ("contact_nexta_live_channel_2021.html", "preview-off", "not shown here"),
    ] {
        let Some(page) = genuine(file) else { return };
        preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
        preview.instead("/post", Reply::ok(page));
        let failure = text(&desk.poll(), "/failure");
        assert!(failure.starts_with(reason) && failure.contains(detail), "{file}: {failure}");
    }
    // A page of summer is a stale copy by now, and its messages count all the same.
    let Some(page) = genuine("page_durov_2026-08.html") else { return };
    preview.instead("/s/durov", Reply::ok(page));
    let desk = Desk::with(&preview.source("").replace("\"post\"", "\"durov\""));
    assert!(number(&desk.poll(), "/new") > 10);
    let source = &desk.sources()["durov"];
    assert_eq!((text(source, "/state"), text(source, "/reason")), ("failing".into(), "layout".into()));
}

#[test]
fn albums_of_genuine_pages_fill_their_numbers() {
    for file in ["page_durov_2026-08.html", "page_topwar_2023-02.html"] {
        let Some(page) = genuine(file) else { return };
        let document = Document {
            url: "https://t.me/s/x".parse().unwrap(),
            bytes: page.into(),
            content_type: None,
            validators: Validators::default(),
            delta: false,
        };
        let source = SourceName::new("post").unwrap();
        let channel: ChannelName = "durov".parse().unwrap();
        let plan =
            Plan { source: &source, kind: ReadAs::Telegram { channel: &channel }, lang: None, now: None };
        let shown = source::read(&document, &plan).unwrap().shown.unwrap();
        // A page holds twenty, albums counted singly; of the older one a message is deleted since.
        assert!([19, 20].contains(&shown.numbers.len()), "{file}: {shown:?}");
        assert!(shown.messages <= 20 && shown.id.is_some_and(|id| id < 0), "{file}: {shown:?}");
    }
}

// Albums, edits, deletions

/// An album of these members.
fn album(members: std::ops::RangeInclusive<u64>) -> String {
    let words = mangoes(*members.start());
    captioned(members, &words)
}

/// An album of these members and these words.
fn captioned(members: std::ops::RangeInclusive<u64>, words: &str) -> String {
    let first = *members.start();
    let member = |n: u64| {
        format!(
            r#"<a class="tgme_widget_message_photo_wrap grouped_media_wrap" href="https://t.me/post/{n}?single"></a>"#
        )
    };
    let members: String = members.map(member).collect();
    let inner = format!(r#"<div class="tgme_widget_message_grouped_wrap">{members}</div>"#);
    message(&format!("post/{first}"), "", words).replacen('>', &format!(">{inner}"), 1)
}

#[test]
fn albums_are_one_entry_and_all_their_members_are_seen() {
    let (preview, desk) = channel(1..=20);
    preview.instead("/s/post", page(&format!("{}{}", message("post/20", "", &mangoes(20)), album(21..=30))));
    let poll = desk.poll();
    assert_eq!((number(&poll, "/items"), number(&poll, "/new")), (2, 1));
    let asked = preview.targets().len();
    preview
        .instead("/s/post", page(&format!("{}{}", message("post/31", "", "a"), message("post/32", "", "b"))));
    assert_eq!(number(&desk.poll(), "/new"), 2);
    assert_eq!(preview.targets().len(), asked + 1, "31 comes after the last member: no gap");
    preview.instead("/s/post", page(&album(33..=40)));
    assert_eq!(number(&desk.poll(), "/new"), 1);
    assert_eq!(preview.targets().len(), asked + 2, "33 is the first member: no gap");
}

#[test]
fn albums_that_are_cut_are_the_album_still() {
    let (preview, desk) = channel(1..=20);
    // What is shown, and what of it is new, edited and told.
    for (members, words, expected) in [
        (22..=30, convoy(22), [1, 0, 1]),
        (21..=30, convoy(22), [0, 0, 0]),
        (23..=30, convoy(22), [0, 0, 0]),
        (24..=28, String::new(), [0, 0, 0]),
        (22..=30, convoy(22), [0, 0, 0]),
        (24..=30, mangoes(24), [0, 1, 0]),
        (31..=34, String::new(), [1, 0, 0]),
        (32..=34, convoy(32), [0, 1, 1]),
    ] {
        preview.instead("/s/post", page(&captioned(members.clone(), &words)));
        let poll = desk.poll();
        let counts = ["/new", "/edited", "/alerts"].map(|count| number(&poll, count));
        assert_eq!(counts, expected, "{members:?} {words}: {poll}");
    }
    assert_eq!(text(&desk.alerts()[0], "/item/url"), "https://t.me/post/22");
}

/// Lets the page before the newest be due for a second reading: the program's clock cannot be set.
fn let_reread(desk: &Desk) {
    let_pass(desk, 7);
}

/// Lets so many hours pass since the page before the newest was read.
fn let_pass(desk: &Desk, hours: i64) {
    let store = SledStore::open(&desk.store()).unwrap();
    let name = SourceName::new("post").unwrap();
    let mut state = store.source(&name).unwrap().unwrap();
    state.channel.reread = state.channel.reread.map(|at| at - jiff::SignedDuration::from_hours(hours));
    store.transact(&mut |tx| tx.put_source(&state)).unwrap();
    store.sync().unwrap();
}

#[test]
fn edits_alert_when_the_new_version_fires_on_both_pages() {
    let (preview, desk) = channel(1..=20);
    preview.publish(21..=40);
    desk.poll();
    preview.say(39, &convoy(39));
    let poll = desk.poll();
    assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), [0, 1, 1], "{poll}");

    preview.publish(41..=50);
    preview.say(28, &convoy(28));
    let asked = preview.targets().len();
    assert_eq!(number(&desk.poll(), "/edited"), 0);
    assert_eq!(preview.targets().len(), asked + 1, "the page before is read every few hours");
    let_reread(&desk);
    preview.say(51, &mangoes(51));
    let poll = desk.poll();
    assert_eq!(preview.targets()[asked + 1..], ["/s/post", "/s/post?before=32"]);
    assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), [1, 1, 1], "{poll}");
    assert_eq!(text(&desk.alerts()[1], "/item/url"), "https://t.me/post/28");
    preview.say(52, &mangoes(52));
    desk.poll();
    assert_eq!(preview.targets().len(), asked + 4, "and then not again");
}

#[test]
fn an_older_page_that_fails_is_read_again_in_an_hour() {
    let (preview, desk) = channel(1..=20);
    preview.publish(21..=40);
    desk.poll();
    preview.publish([41]);
    preview.say(21, &convoy(21));
    preview.instead("/s/post?before=22", Reply::status(500));
    let_reread(&desk);
    let poll = desk.poll();
    let said = "an older page could not be read again for edits: the server answered 500";
    assert!(poll["problems"].to_string().contains(said), "{poll}");
    preview.change(|channel| channel.instead.clear());
    preview.publish([42]);
    let asked = preview.targets().len();
    assert_eq!(desk.poll()["problems"].as_array().map_or(0, Vec::len), 0);
    assert_eq!(preview.targets().len(), asked + 1, "not at each poll");
    let_pass(&desk, 1);
    preview.publish([43]);
    desk.poll();
    assert_eq!(preview.targets()[asked + 1..], ["/s/post", "/s/post?before=24"]);
}

#[test]
fn a_pin_does_not_say_once_more_what_it_quotes() {
    let (preview, desk) = channel(1..=20);
    let pin = message("post/21", "", &format!("Post pinned «{}»", convoy(3)));
    let service = pin.replacen("js-widget_message", "service_message js-widget_message", 1);
    for (shown, alerts) in [(service, 0), (pin.replace("post/21", "post/22"), 1)] {
        preview.instead("/s/post", page(&shown));
        let poll = desk.poll();
        assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [1, alerts], "{poll}");
    }
}

#[test]
fn words_beside_a_quotation_stay_apart_from_it() {
    let (preview, desk) = channel(1..=20);
    preview.say(21, "Ministry of Defence:<blockquote>Convoy attacked</blockquote>More to follow.");
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
    let told = text(&desk.alerts()[0], "/item/text");
    assert_eq!(told, "Ministry of Defence:\nConvoy attacked\nMore to follow.");
}

#[test]
fn edits_of_counts_and_marks_are_none() {
    let preview = Preview::start([]);
    let shown = |views: &str| {
        let meta = r#"<span class="tgme_widget_message_meta">"#;
        let mark = format!(r#"<span class="tgme_widget_message_views">{views}</span>{meta}edited "#);
        page(&message("post/7", "", &mangoes(7)).replace(meta, &mark))
    };
    preview.instead("/s/post", shown("746"));
    let desk = Desk::with(&preview.source(""));
    desk.poll();
    preview.instead("/s/post", shown("17.2K"));
    let poll = desk.poll();
    assert_eq!((&poll["outcome"], number(&poll, "/edited")), (&"read".into(), 0));
}

/// A message of a bare address, and the card under it.
fn carded(number: u64, title: &str) -> String {
    let card = format!(
        r#"<a class="tgme_widget_message_link_preview" href="https://paper.example/{number}"><div class="link_preview_title">{title}</div></a></div>"#
    );
    let end = "</div>";
    let message = message(&format!("post/{number}"), "", &format!("https://paper.example/{number}"));
    format!("{}{card}", message.strip_suffix(end).unwrap())
}

#[test]
fn what_only_a_card_says_alerts_and_is_quoted() {
    let (preview, desk) = channel(1..=20);
    preview.instead("/s/post", page(&carded(21, &convoy(21))));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
    let alert = &desk.alerts()[0];
    let shown = text(alert, "/item/text");
    assert_eq!(shown, format!("https://paper.example/21\n\n{}", convoy(21)));
    let why = &alert["rules"][0]["why"][0];
    let span = usize::try_from(number(why, "/start")).unwrap()..usize::try_from(number(why, "/end")).unwrap();
    assert_eq!(shown.get(span).unwrap(), text(why, "/text"));
    let told = &desk.run(&["explain", "https://t.me/post/21", "--json"])[0];
    assert_eq!(text(told, "/item/text"), shown);
    assert_eq!(number(&desk.poll(), "/edited"), 0);
}

#[test]
fn a_card_that_comes_or_goes_is_no_edit() {
    let (preview, desk) = channel(1..=20);
    let bare = message("post/21", "", "https://paper.example/21");
    for (shown, expected) in [
        (bare.clone(), [1, 0, 0]),
        (carded(21, &convoy(21)), [0, 0, 1]),
        (bare, [0, 0, 0]),
        (carded(21, &convoy(21)), [0, 0, 0]),
        (carded(21, "").replace("paper.example/21<", "paper.example/21 and more<"), [0, 1, 0]),
    ] {
        preview.instead("/s/post", page(&shown));
        let poll = desk.poll();
        assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), expected, "{shown}");
    }
}

#[test]
fn deletions_are_noted_where_the_page_proves_them() {
    let (preview, desk) = channel(11..=30);
    let gone = |desk: &Desk| -> Vec<Value> {
        desk.sources()["post"]["gone"].as_array().cloned().unwrap_or_default()
    };
    preview.say(10, &convoy(10));
    preview.delete(20);
    preview.delete(30);
    let poll = desk.poll();
    assert_eq!(
        (number(&poll, "/new"), number(&poll, "/alerts")),
        (0, 0),
        "10 is older than the baseline: {poll}"
    );
    let noted: Vec<Value> = gone(&desk).iter().map(|gone| gone["url"].clone()).collect();
    assert_eq!(noted, [json!("https://t.me/post/20")], "30 is not between two of the page");
    assert_eq!(state(&desk).0, "ok", "the highest number may fall by a page");

    preview.publish(31..=60);
    desk.poll();
    preview.delete(35);
    preview.publish(61..=62);
    let_reread(&desk);
    desk.poll();
    assert_eq!(
        gone(&desk).len(),
        3,
        "30 is proven now, and 35 on the page before the newest: {:?}",
        gone(&desk)
    );
    preview.publish([35]);
    preview.say(63, &mangoes(63));
    let_reread(&desk);
    assert_eq!(number(&desk.poll(), "/new"), 1);
    assert_eq!(gone(&desk).len(), 2, "it is back");
}

/// A message of another channel.
fn advertisement(words: &str) -> String {
    // Of the channel -7777.
    message("Other_Channel/8000000", r#"data-view="eyJjIjotNzc3NywicCI6ODAwMDAwMH0""#, words)
}

#[test]
fn a_message_of_another_channel_on_the_page_is_none_of_this_one() {
    let (preview, desk) = channel(1..=20);
    let shown = |numbers: std::ops::RangeInclusive<u64>| -> String {
        let view = r#"data-view="eyJjIjotMTAwMX0""#;
        numbers.map(|n| message(&format!("post/{n}"), view, &mangoes(n))).collect()
    };
    for (page_of, new) in [
        (format!("{}{}", shown(3..=21), advertisement(&convoy(1))), 1),
        (format!("{}{}", advertisement(&convoy(1)), shown(4..=22)), 1),
    ] {
        preview.instead("/s/post", page(&page_of));
        let poll = desk.poll();
        assert_eq!(["/items", "/new", "/alerts"].map(|count| number(&poll, count)), [19, new, 0], "{poll}");
        assert!(poll["problems"].to_string().contains("messages of another channel: 1"), "{poll}");
        assert_eq!(state(&desk), ("ok".into(), String::new()));
    }
    // What came since is walked through all the same.
    preview.change(|channel| channel.instead.clear());
    preview.publish(21..=72);
    preview.say(30, &convoy(30));
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [50, 1], "{poll}");
}

#[test]
fn a_wrong_number_hides_no_gap() {
    let (preview, desk) = channel(1..=20);
    preview.say(9_000_021, &mangoes(1));
    assert_eq!(number(&desk.poll(), "/new"), 1);
    preview.delete(9_000_021);
    preview.publish(21..=71);
    preview.say(25, &convoy(25));
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [51, 1], "{poll}");
    assert_eq!(state(&desk), ("ok".into(), String::new()));
}

#[test]
fn a_highest_number_that_fell_is_believed_at_the_second_poll_and_hides_no_gap() {
    let (preview, desk) = channel(1..=20);
    // A whole page of wrong numbers; then they are gone, and what comes between two polls fills more than a page.
    preview.publish(9_000_001..=9_000_020);
    desk.poll();
    preview.change(|channel| drop(channel.messages.split_off(&9_000_001)));
    preview.publish([21]);
    assert_eq!(number(&desk.poll(), "/new"), 1);
    assert!(complaint(&desk).contains("fell from 9000020 to 21"), "{}", complaint(&desk));
    preview.publish(22..=71);
    preview.say(25, &convoy(25));
    let counts = |poll: &Value| ["/new", "/alerts"].map(|count| number(poll, count));
    assert_eq!(counts(&desk.poll()), [20, 0]);
    assert!(complaint(&desk).contains("fell from 9000020 to 71"), "{}", complaint(&desk));
    let poll = desk.poll();
    assert_eq!(counts(&poll), [30, 1], "{poll}");
    assert_eq!(state(&desk), ("ok".into(), String::new()));
}

// Row 21 of the bad input: what is no page of a channel, and what is only half of one

#[test]
fn row_21_pages_without_messages_are_failures_and_forget_nothing() {
    let (preview, desk) = channel(1..=20);
    for (shown, reason) in [
        (
            Reply::ok(
                r#"<body class="tgme_webpreview"><section class="tgme_channel_history"><div class="msg">x</div></section></body>"#,
            ),
            "layout",
        ),
        (page(r#"<div class="tgme_widget_message" data-post="none">x</div>"#), "layout"),
        (
            Reply::ok(
                "<html><body><h1>Before you continue</h1><form>Accept all cookies</form></body></html>",
            ),
            "layout",
        ),
        (Reply::ok(" \n"), "parse"),
        (Reply::ok(r#"<div class="tgme_widget_message_error">Post not found</div>"#), "gone"),
    ] {
        for _ in 0..2 {
            preview.instead("/s/post", shown.clone());
            assert_eq!(desk.poll()["outcome"], "failed", "{reason}");
            assert_eq!(state(&desk).1, reason);
        }
        preview.change(|channel| channel.instead.clear());
        assert_eq!(number(&desk.poll(), "/new"), 0);
        assert_eq!(state(&desk).0, "ok");
    }
    assert_eq!(number(&desk.sources()["post"], "/items"), 20);
}

/// What `sources page` prints.
fn kept(desk: &Desk, source: &str) -> String {
    desk.print(&["sources", "page", source])
}

#[test]
fn row_21_the_page_of_another_layout_is_kept_and_printed() {
    let (preview, desk) = channel(1..=20);
    let other = |words: &str| {
        format!(r#"<section class="tgme_channel_history"><div class="post">{words}</div></section>"#)
    };
    let show = |words: &str| preview.instead("/s/post", Reply::ok(other(words)));
    show("first");
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.ends_with("; `harmattan sources page post` prints the page"), "{failure}");
    assert_eq!(kept(&desk, "post"), other("first"), "as it came");
    show("second");
    desk.poll();
    assert_eq!(kept(&desk, "post"), other("first"), "the one with which it began");
    assert!(complaint(&desk).contains("sources page post"));
    assert!(desk.sources()["post"]["page_kept"].is_string());
    let listed = desk.print(&["sources", "list"]);
    assert!(listed.contains("a history without messages; `harmattan sources page post` prints"), "{listed}");

    preview.change(|channel| channel.instead.clear());
    desk.poll();
    assert!(!desk.print(&["sources", "list"]).contains("sources page"), "it can be read");
    assert_eq!(kept(&desk, "post"), other("first"), "and looked into still");
    // So is what stands where a redirect leads that means that there is no preview.
    let landing = "<html><body><h1>Channel</h1><p>Join us on Telegram</p></body></html>";
    preview.instead("/s/post", Reply::to(302, "/post"));
    preview.instead("/post", Reply::ok(landing));
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.starts_with("layout") && failure.ends_with("prints the page"), "{failure}");
    assert_eq!((kept(&desk, "post"), state(&desk).1), (landing.to_owned(), "layout".to_owned()));
    preview.change(|channel| channel.instead.clear());
    desk.poll();
    // Half of a layout is another one, too.
    let undated = message("post/21", "", "a").replace("datetime", "when");
    preview.instead("/s/post", page(&undated));
    assert_eq!(desk.poll()["outcome"], "read");
    assert!(complaint(&desk).ends_with("prints the page"), "{}", complaint(&desk));
    assert!(kept(&desk, "post").contains("post/21"));
}

#[test]
fn row_21_of_a_page_without_its_items_no_more_than_a_piece_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::start();
    let select = "select = { item = \"article\", title = \"h2\" }";
    let desk =
        Desk::with(&format!("[[source]]\nname = \"site\"\npage = \"{}\"\n{select}\n", site.url("/news")));
    site.show("/news", Reply::ok(format!("<p>{}</p>", "x".repeat(2 * 1024 * 1024))));
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.contains("finds nothing; `harmattan sources page site`"), "{failure}");
    assert_eq!(kept(&desk, "site").len(), 512 * 1024);
    let file = desk.store().join("pages/site.html").metadata().unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    // What cannot be kept is told all the same.
    std::fs::remove_dir_all(desk.store().join("pages")).unwrap();
    std::fs::write(desk.store().join("pages"), "").unwrap();
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.ends_with("finds nothing"), "{failure}");
}

#[test]
fn row_21_half_a_layout_keeps_the_good_entries_and_complains() {
    let undated = |n: u64, words: &str| message(&format!("post/{n}"), "", words).replace("datetime", "when");
    let stale = "eyJjIjotMTAwMSwicCI6MjEsInQiOjE2NzcyMjg3MzN9";
    for (shown, words) in [
        (format!("{}{}", undated(21, &convoy(21)), undated(22, "a")), "2 of 2 messages have no date"),
        (message("post/21", &format!("data-view=\"{stale}\""), &convoy(21)), "away from our clock"),
    ] {
        let (preview, desk) = channel(1..=20);
        preview.instead("/s/post", page(&shown));
        let poll = desk.poll();
        assert_eq!((&poll["outcome"], number(&poll, "/alerts")), (&"read".into(), 1), "{poll}");
        for polls in [1, 2] {
            assert_eq!(state(&desk), ("failing".into(), "layout".into()));
            assert_eq!(number(&desk.sources()["post"], "/failures"), polls, "it is confirmed");
            assert!(complaint(&desk).contains(words), "{}", complaint(&desk));
            desk.poll();
        }
        preview.change(|channel| channel.instead.clear());
        desk.poll();
        assert_eq!(state(&desk).0, "ok");
    }
}

#[test]
fn row_21_a_known_channel_that_shows_no_message_is_told_and_an_empty_one_is_not() {
    let (preview, desk) = channel(1..=20);
    preview.change(|channel| channel.messages.clear());
    desk.poll();
    assert_eq!(events(&desk).len(), 0, "a second poll confirms it");
    desk.poll();
    assert_eq!(state(&desk), ("failing".into(), "layout".into()));
    assert!(complaint(&desk).contains("none of its messages any more"), "{}", complaint(&desk));
    assert_eq!(events(&desk).len(), 1, "{:?}", events(&desk));
    preview.publish(2..=20);
    preview.say(21, &convoy(21));
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [1, 1], "{poll}");
    assert_eq!(state(&desk).0, "ok", "{}", complaint(&desk));

    let empty = Preview::start([]);
    let desk = Desk::with(&empty.source(""));
    (0..3).for_each(|_| drop(desk.poll()));
    assert_eq!(state(&desk), ("ok".into(), String::new()));
}

#[test]
fn row_21_what_is_said_while_no_words_can_be_read_is_told_once_they_can() {
    let (preview, desk) = channel(1..=40);
    for numbers in [41..=60, 61..=90, 91..=120] {
        preview.change(|channel| {
            channel.messages.extend(numbers.map(|number| (number, String::new())));
            channel.messages.values_mut().for_each(String::clear);
        });
        let poll = desk.poll();
        assert_eq!((&poll["outcome"], number(&poll, "/new")), (&"failed".into(), 0), "{poll}");
    }
    assert_eq!(state(&desk), ("failing".into(), "layout".into()));
    preview.publish(1..=120);
    for number in [45, 75, 118] {
        preview.say(number, &convoy(number));
    }
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [80, 3], "{poll}");
    let source = &desk.sources()["post"];
    assert_eq!((text(source, "/state"), &source["gaps"]), ("ok".into(), &Value::Null));
}

#[test]
fn row_21_a_channel_whose_first_page_is_empty_messages_is_told() {
    let preview = Preview::start(1..=20);
    preview.change(|channel| channel.messages.values_mut().for_each(String::clear));
    let desk = Desk::with(&preview.source(""));
    for _ in 0..2 {
        let poll = desk.poll();
        assert!(
            text(&poll, "/failure").contains("none of 20 messages has a text, and most have nothing"),
            "{poll}"
        );
    }
    assert_eq!(state(&desk), ("failing".into(), "layout".into()));
    preview.publish(1..=20);
    assert_eq!(desk.poll()["outcome"], "baseline");
}

#[test]
fn row_21_captions_that_vanish_from_all_pictures_at_once_are_told() {
    let picture = |n: u64, words: &str| {
        let photo =
            "<a class=\"tgme_widget_message_photo_wrap\" href=\"https://t.me/post/1\"></a><span class";
        message(&format!("post/{n}"), "", words).replacen("<span class", photo, 1)
    };
    let photos = |numbers: std::ops::RangeInclusive<u64>, words: fn(u64) -> String| {
        page(&numbers.map(|n| picture(n, &words(n))).collect::<String>())
    };
    let (preview, desk) = channel(1..=20);
    let show = |numbers, words| {
        preview.instead("/s/post", photos(numbers, words));
        desk.poll()
    };
    assert_eq!(number(&show(5..=24, mangoes), "/new"), 4);
    for numbers in [9..=28, 15..=34, 25..=44] {
        assert_eq!(show(numbers, |_| String::new())["outcome"], "failed");
    }
    assert!(complaint(&desk).contains("none of 20 messages has a text any more"), "{}", complaint(&desk));
    // Nor does a server that fails in between make it known.
    preview.instead("/s/post", Reply::status(502));
    desk.poll();
    assert_eq!(show(25..=44, |_| String::new())["outcome"], "failed");
    let poll = show(25..=44, convoy);
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [20, 20], "{poll}");
    // Pictures without captions of another time are no sign, nor is what only the app shows.
    let (preview, desk) = channel(1..=20);
    let app = message("post/60", "", "").replacen(
        "<span",
        "<div class=\"message_media_not_supported\"></div><span",
        1,
    );
    let pictures: String = (41..=59).map(|n| picture(n, "")).collect();
    preview.instead("/s/post", page(&format!("{pictures}{app}")));
    assert_eq!(desk.poll()["outcome"], "read");
    // Nor are pictures that never had captions.
    let preview = Preview::start([]);
    let desk = Desk::with(&preview.source(""));
    let show = |numbers| {
        preview.instead("/s/post", photos(numbers, |_| String::new()));
        desk.poll()
    };
    assert_eq!((&show(1..=20)["outcome"], &show(5..=24)["outcome"]), (&"baseline".into(), &"read".into()));
}

#[test]
fn row_21_texts_that_vanish_and_come_back_are_not_told_again() {
    let preview = Preview::start(1..=20);
    preview.say(18, &convoy(18));
    let desk = Desk::with(&format!("[alerts]\nmax_age = \"9000d\"\n{}", preview.source("")));
    desk.poll();
    preview.say(21, &convoy(21));
    preview.say(22, &mangoes(22));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
    let mut messages = Vec::new();
    preview.change(|channel| messages.extend(channel.messages.clone()));
    let counts = |poll: &Value| ["/new", "/edited", "/alerts", "/recorded"].map(|count| number(poll, count));
    // All of them, with one that is new meanwhile, and some.
    for (from, new) in [(1, Some(23)), (21, None)] {
        preview.change(|channel| channel.messages.range_mut(from..).for_each(|(_, words)| words.clear()));
        if let Some(new) = new {
            preview.say(new, "");
        }
        // A page without any words is not read.
        assert_eq!(counts(&desk.poll()), [0; 4]);
        preview.change(|channel| channel.messages.extend(messages.clone()));
        assert_eq!(counts(&desk.poll()), [new.is_some().into(), 0, 0, 0]);
    }
    // What came without words is told by them, and an edit is compared with what was said before.
    preview.say(23, &convoy(23));
    preview.say(22, &convoy(22));
    assert_eq!(counts(&desk.poll()), [0, 2, 2, 0]);
}

#[test]
fn row_21_the_texts_of_a_page_that_vanish_and_come_back_are_not_told_again() {
    let site = Site::start();
    let select = "select = { item = \"article\", title = \"h2\", link = \"a@href\", text = \".lead\" }";
    let desk =
        Desk::with(&format!("[[source]]\nname = \"site\"\npage = \"{}\"\n{select}\n", site.url("/news")));
    let show = |numbers: std::ops::RangeInclusive<u64>, class: &str| {
        let article = |n: u64| {
            format!(
                "<article><h2>Mali {n}</h2><a href=\"/{n}\">»</a><p class=\"{class}\">{}</p></article>",
                convoy(n)
            )
        };
        site.show("/news", Reply::ok(numbers.rev().map(article).collect::<String>()));
        let poll = desk.poll();
        number(&poll, "/alerts") + number(&poll, "/recorded")
    };
    let told = [(1..=3, "lead"), (1..=5, "lead"), (1..=5, "intro"), (1..=5, "lead")];
    assert_eq!(told.map(|(numbers, class)| show(numbers, class)), [0, 2, 0, 0]);
}

#[test]
fn row_21_texts_and_numbers_that_vanish_are_noticed() {
    let (preview, desk) = channel(101..=120);
    let photo = r#"><a class="tgme_widget_message_photo_wrap"></a>"#;
    let photos = (121..=140).map(|n| message(&format!("post/{n}"), "", "").replacen('>', photo, 1));
    preview.instead("/s/post", page(&photos.collect::<String>()));
    desk.poll();
    assert_eq!(state(&desk), ("ok".into(), String::new()), "photos need no captions");
    preview.change(|channel| channel.instead.clear());
    preview.change(|channel| channel.messages.values_mut().for_each(String::clear));
    desk.poll();
    assert!(complaint(&desk).contains("none of 20 messages has a text"), "{}", complaint(&desk));
    preview.change(|channel| channel.messages.clear());
    preview.publish(51..=70);
    let poll = desk.poll();
    assert_eq!(number(&poll, "/new"), 0, "they are older than the baseline");
    assert!(complaint(&desk).contains("fell from 140 to 70"), "{}", complaint(&desk));
}
