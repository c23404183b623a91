//! Telegram channels read through mirrors, by the built program on loopback.

use harmattan::store::{SledStore, Store};
use serde_json::Value;

use crate::support::calls::{Desk, number, text};
use crate::support::http::Reply;
use crate::support::preview::{Channel, Preview, base64, convoy, mangoes, message, page};
use crate::support::site::Site;

/// A mirror's page of messages, each with its number and words.
fn mirrored(posts: &[(u64, String)]) -> Reply {
    mirrored_of("post", posts)
}

/// The same of a channel of that name.
fn mirrored_of(channel: &str, posts: &[(u64, String)]) -> Reply {
    let post = |(number, words): &(u64, String)| {
        format!(
            r#"<div class="post"><a class="orig" href="https://telegram.me/{channel}/{number}">original</a><div class="body">{words}</div><time datetime="2026-11-25T10:00:00Z"></time></div>"#
        )
    };
    let posts: String = posts.iter().map(post).collect();
    Reply::ok(format!(
        r#"<html><body>{posts}<div class="post"><div class="body">advertisement</div></div></body></html>"#
    ))
}

fn desk(preview: &Preview, mirrors: &[&Site]) -> Desk {
    Desk::with(&settings(preview, mirrors))
}

fn settings(preview: &Preview, mirrors: &[&Site]) -> String {
    let mirror = |site: &&Site| {
        format!(
            "{{ page = \"{}/{{channel}}\", item = \".post\", link = \"a.orig@href\", text = \".body\", date = \"time@datetime\" }}",
            site.base()
        )
    };
    let mirrors: Vec<String> = mirrors.iter().map(mirror).collect();
    let source = preview.source(&format!("mirrors = [{}]", mirrors.join(", ")));
    format!("[alerts]\nmax_age = \"9000d\"\n{source}")
}

#[test]
fn mirrors_stand_in_while_the_channel_cannot_be_read() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    site.show("/post", mirrored(&[(22, convoy(22)), (21, mangoes(21)), (20, "Другое".to_owned())]));
    let desk = desk(&preview, &[&site]);
    desk.poll();
    assert_eq!(site.targets().len(), 0, "a channel that can be read needs none");

    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    let poll = desk.poll();
    assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), [2, 0, 1], "{poll}");
    let problems = poll["problems"].to_string();
    assert!(problems.contains("items without a link to a message of `post`: 1"), "{problems}");
    let source = &desk.sources()["post"];
    assert_eq!((text(source, "/state"), text(source, "/reason")), ("failing".into(), "preview-off".into()));
    assert!(text(source, "/detail").ends_with("read through the mirror `127.0.0.1`"), "{source}");
    let alert = &desk.alerts()[0]["item"];
    assert_eq!(
        (text(alert, "/url"), text(alert, "/telegram/via")),
        ("https://t.me/post/22".into(), "127.0.0.1".into())
    );
    assert_eq!(text(alert, "/published"), "2026-11-25T10:00:00Z");

    let poll = desk.poll();
    assert_eq!((number(&poll, "/new"), text(&desk.sources()["post"], "/reason")), (0, "preview-off".into()));

    // The channel is back: a mirror has not moved its high-water mark, so that the gap is walked through.
    preview.change(|channel| channel.instead.clear());
    preview.publish(21..=60);
    preview.say(22, &convoy(22));
    preview.say(30, &convoy(30));
    let asked = preview.targets().len();
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [38, 1], "{poll}");
    assert_eq!(preview.targets()[asked..], ["/s/post", "/s/post?before=41"]);
    assert_eq!(text(&desk.sources()["post"], "/state"), "ok");
}

#[test]
fn mirrors_are_asked_in_order_and_end_with_the_cause() {
    let preview = Preview::start(1..=20);
    let sites = [Site::start(), Site::start()];
    let desk = desk(&preview, &[&sites[0], &sites[1]]);
    desk.poll();
    preview.instead("/s/post", Reply::status(502));
    let poll = desk.poll();
    let refused = "the mirror `127.0.0.1`: the server answered 404";
    assert_eq!(text(&poll, "/failure"), format!("http: the server answered 502; {refused}; {refused}"));
    assert!(sites.iter().all(|site| site.targets() == ["/robots.txt", "/post"]));

    // One that answers and cannot be read does not keep the next from being asked.
    sites[0].show("/post", Reply::ok("<html><body><p>Nothing here</p></body></html>"));
    let failure = text(&desk.poll(), "/failure");
    assert!(failure.contains("the `item` selector finds nothing"), "{failure}");
    assert!(failure.ends_with(refused), "{failure}");

    sites[1].show("/post", mirrored(&[(21, convoy(21))]));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
    assert_eq!(text(&desk.sources()["post"], "/reason"), "http");
}

#[test]
fn mirrors_do_not_dodge_an_order_to_wait() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    site.show("/post", mirrored(&[(21, convoy(21))]));
    let desk = desk(&preview, &[&site]);
    desk.poll();
    preview.instead("/s/post", Reply::status(429).header("Retry-After", "3600"));
    assert_eq!(desk.poll()["outcome"], "failed");
    assert_eq!(site.targets().len(), 0);
}

#[test]
fn what_a_mirror_orders_holds() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let sources = desk(&preview, &[&site]);
    sources.poll();
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    site.show("/post", mirrored(&[(21, convoy(21))]).header("Cache-Control", "max-age=7200"));
    sources.poll();
    let source = &sources.sources()["post"];
    let time = |at| text(source, at).parse::<jiff::Timestamp>().unwrap();
    let wait = time("/due").duration_since(time("/last_poll")).as_mins();
    assert!((120..=132).contains(&wait), "{wait}");

    // One that refuses is left alone, also where it does not say for how long; one that lacks the page is not.
    let answers = [Reply::status(503).header("Retry-After", "7200"), Reply::status(429), Reply::status(404)];
    for (answer, again) in answers.into_iter().zip([0, 0, 1]) {
        let (preview, site) = (Preview::start(1..=20), Site::start());
        let sources = desk(&preview, &[&site]);
        sources.poll();
        preview.instead("/s/post", Reply::status(502));
        site.show("/post", answer);
        sources.poll();
        let asked = site.targets().len();
        let failure = text(&sources.poll(), "/failure");
        assert_eq!(site.targets().len() - asked, again, "{failure}");
    }
}

#[test]
fn a_channel_whose_mirror_is_read_is_asked_for_itself_now_and_then() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    site.show("/post", mirrored(&[(20, "Другое".to_owned())]));
    let desk = desk(&preview, &[&site]);
    desk.poll();
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    let own = |polls: usize| {
        let before = preview.targets().len();
        (0..polls).for_each(|_| drop(desk.poll()));
        preview.targets()[before..].iter().filter(|target| *target == "/s/post").count()
    };
    assert_eq!(own(3), 3, "found and confirmed");
    assert_eq!(own(5), 0);
    site.show("/post", mirrored(&[(21, convoy(21))]));
    assert_eq!(own(1), 1, "the ninth");
    assert_eq!(text(&desk.sources()["post"], "/reason"), "preview-off");
    preview.instead("/s/post", Reply::status(404));
    assert_eq!((own(7), desk.alerts().len()), (0, 1), "told through the mirror meanwhile");
    preview.change(|channel| channel.instead.clear());
    assert_eq!((own(1), text(&desk.sources()["post"], "/state")), (1, "ok".into()));
}

#[test]
fn a_channel_whose_mirrors_are_dead_does_not_rest() {
    let off = "preview-off: the channel has no web preview";
    for (instead, said) in [
        (Reply::to(302, "https://t.me/post"), off),
        (Reply::ok("<html><body><p>Nothing here</p></body></html>"), "layout: "),
    ] {
        let (preview, site) = (Preview::start(1..=20), Site::start());
        site.show("/post", mirrored(&[(20, mangoes(20))]));
        let desk = desk(&preview, &[&site]);
        desk.poll();
        preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
        (0..3).for_each(|_| drop(desk.poll()));

        site.show("/post", Reply::status(404));
        preview.instead("/s/post", instead);
        let before = (preview.targets().len(), site.asked("/post").len());
        let failure = text(&desk.poll(), "/failure");
        assert!(failure.starts_with(said), "{failure}");
        assert!(failure.ends_with("; the mirror `127.0.0.1`: the server answered 404"), "{failure}");
        assert_eq!(preview.targets()[before.0], "/s/post");
        assert_eq!(site.asked("/post").len(), before.1 + 1, "once");
        // The polls that were read through the mirror do not count as failures.
        let source = &desk.sources()["post"];
        let time = |at| text(source, at).parse::<jiff::Timestamp>().unwrap();
        assert_eq!(number(source, "/failures"), 1);
        assert!(time("/due").duration_since(time("/last_poll")) <= jiff::SignedDuration::from_mins(6));

        preview.change(|channel| channel.instead.clear());
        preview.say(21, &convoy(21));
        assert_eq!(number(&desk.poll(), "/alerts"), 1);
        assert_eq!(text(&desk.sources()["post"], "/state"), "ok");
    }
}

#[test]
fn mirrors_stand_in_for_what_is_gone_and_for_an_unknown_layout() {
    for (instead, reason) in [
        (Reply::to(302, "https://t.me/post"), "gone"),
        (Reply::ok("<html><body><section class=\"tgme_channel_history\"></section></body></html>"), "layout"),
    ] {
        let (preview, site) = (Preview::start(1..=20), Site::start());
        site.show("/post", mirrored(&[(21, convoy(21))]));
        let desk = desk(&preview, &[&site]);
        desk.poll();
        preview.instead("/s/post", instead);
        preview.instead("/post", Reply::ok(r#"<div class="tgme_page"><i class="tgme_icon_user"></i></div>"#));
        assert_eq!(number(&desk.poll(), "/alerts"), 1, "{reason}");
        let source = &desk.sources()["post"];
        assert_eq!(text(source, "/reason"), reason);
        if reason == "layout" {
            assert_eq!(text(source, "/detail").matches("sources page").count(), 1, "{source}");
            assert!(desk.print(&["sources", "page", "post"]).contains("tgme_channel_history"));
        }
    }
}

#[test]
fn mirrors_alone_have_a_baseline_too() {
    let (preview, site) = (Preview::start([]), Site::start());
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    site.show("/post", mirrored(&[(7, convoy(7))]));
    let desk = desk(&preview, &[&site]);
    assert_eq!(desk.poll()["outcome"], "baseline");
    site.show("/post", mirrored(&[(8, convoy(8)), (7, convoy(7))]));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
}

#[test]
fn what_is_older_than_a_mirrors_baseline_is_not_told_and_what_is_known_counts_as_shown() {
    let (preview, site) = (Preview::start([]), Site::start());
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    let desk = desk(&preview, &[&site]);
    let show = |numbers: std::ops::RangeInclusive<u64>| {
        let posts: Vec<_> = numbers.rev().map(|number| (number, convoy(number))).collect();
        site.show("/post", mirrored(&posts));
        desk.poll()
    };
    assert_eq!(show(11..=20)["outcome"], "baseline");
    // The newest was deleted, so that an older one comes up; then the mirror shows more; then there is news.
    for (numbers, items, alerts) in [(10..=19, 9, 0), (3..=19, 9, 0), (3..=21, 11, 1), (3..=21, 11, 0)] {
        let poll = show(numbers.clone());
        assert_eq!(
            ["/items", "/alerts", "/edited"].map(|count| number(&poll, count)),
            [items, alerts, 0],
            "{numbers:?}: {poll}"
        );
        assert_eq!(number(&desk.sources()["post"], "/items_last"), items);
    }
}

#[test]
fn a_message_without_words_is_reported_and_alerts_once_it_has_them() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    let show = |words: &str| {
        site.show("/post", mirrored(&[(22, words.to_owned()), (21, mangoes(21)), (20, mangoes(20))]));
        desk.poll()
    };
    let counts = ["/new", "/edited", "/alerts"];
    let poll = show("");
    assert_eq!(counts.map(|count| number(&poll, count)), [2, 0, 0], "{poll}");
    let stored = SledStore::open(&desk.store()).unwrap().items(10).unwrap();
    let link = Some("https://t.me/post/22".to_owned());
    let message = stored.into_iter().map(|stored| stored.item).find(|item| item.url == link).unwrap();
    assert_eq!(message.published, "2026-11-25T10:00:00Z".parse().ok());
    assert_eq!(message.telegram.unwrap().kinds, ["unsupported"]);
    for (words, expected) in [("", [0, 0, 0]), (&convoy(22), [0, 1, 1]), ("", [0; 3]), (&mangoes(22), [0; 3])]
    {
        let poll = show(words);
        assert_eq!(counts.map(|count| number(&poll, count)), expected, "{words}: {poll}");
    }
    assert_eq!(text(&desk.alerts()[0]["item"], "/url"), "https://t.me/post/22");

    // Where no message has words, the selector of the text does not fit.
    site.show("/post", mirrored(&[(24, String::new()), (23, String::new())]));
    assert!(text(&desk.poll(), "/failure").contains("2 messages, all without words"));
}

#[test]
fn blocks_of_one_message_are_read_together() {
    let news = convoy(21);
    let news = news.as_str();
    for blocks in [["", news], [news, ""], ["Photo", news], [news, "Photo"]] {
        let (preview, site) = (Preview::start(1..=20), Site::start());
        let desk = desk(&preview, &[&site]);
        desk.poll();
        preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
        let [one, other] = blocks.map(|words| (21, words.to_owned()));
        site.show("/post", mirrored(&[one, other, (20, mangoes(20))]));
        for (new, alerts) in [(1, 1), (0, 0)] {
            let poll = desk.poll();
            assert_eq!(
                ["/new", "/alerts"].map(|count| number(&poll, count)),
                [new, alerts],
                "{blocks:?}: {poll}"
            );
        }
    }
}

#[test]
fn the_channel_itself_adds_to_what_a_mirror_shows_without_words() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    let bare = |number| (number, String::new());
    site.show("/post", mirrored(&[bare(22), bare(21), (20, mangoes(20))]));
    assert_eq!(number(&desk.poll(), "/new"), 2);
    preview.change(|channel| channel.instead.clear());
    preview.say(21, "");
    preview.say(22, &convoy(22));
    let poll = desk.poll();
    assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), [0, 1, 1], "{poll}");
}

#[test]
fn a_mirrors_page_that_does_not_touch_what_was_read_before_is_a_gap() {
    let (preview, site) = (Preview::start([]), Site::start());
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    let desk = desk(&preview, &[&site]);
    let show = |numbers: std::ops::RangeInclusive<u64>| {
        let posts: Vec<_> = numbers.rev().map(|number| (number, mangoes(number))).collect();
        site.show("/post", mirrored(&posts));
        desk.poll()
    };
    assert_eq!(show(1..=20)["outcome"], "baseline");
    let read = text(&desk.sources()["post"], "/last_success");
    let said = "possible gap: the mirror's page shows none of the messages read before";
    // The second page has messages between; the others touch what was read, by a message or by the number before.
    for (numbers, new, gap) in [(81..=100, 20, true), (91..=110, 10, false), (111..=130, 20, false)] {
        let poll = show(numbers.clone());
        assert_eq!(
            (number(&poll, "/new"), poll["problems"].to_string().contains(said)),
            (new, gap),
            "{poll}"
        );
        let source = &desk.sources()["post"];
        let overlap = ["/window_known", "/window_items"].map(|count| number(source, count));
        assert_eq!(overlap, [20 - new, 20], "{source}");
    }
    let source = &desk.sources()["post"];
    assert_eq!(
        (text(source, "/gaps/0/since"), source["gaps"].as_array().unwrap().len()),
        (read, 1),
        "{source}"
    );
}

#[test]
fn a_preview_that_comes_after_a_baseline_from_a_mirror_tells_nothing_old() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    preview.say(19, &convoy(19));
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    site.show("/post", mirrored(&[(7, mangoes(7))]));
    let desk = desk(&preview, &[&site]);
    assert_eq!(desk.poll()["outcome"], "baseline");

    preview.change(|channel| channel.instead.clear());
    let poll = desk.poll();
    assert_eq!((number(&poll, "/alerts"), &poll["outcome"]), (0, &"read".into()), "{poll}");
    // Also not when a deletion pulls an older one onto the page.
    preview.publish(0..1);
    preview.delete(20);
    preview.say(21, &convoy(21));
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [1, 1], "{poll}");
}

#[test]
fn a_preview_that_comes_after_a_baseline_from_a_mirror_is_read_back_to_that() {
    let (preview, site) = (Preview::start(1..=30), Site::start());
    preview.say(29, &convoy(29));
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    site.show("/post", mirrored(&[(7, mangoes(7))]));
    let desk = desk(&preview, &[&site]);
    assert_eq!(desk.poll()["outcome"], "baseline");

    // Behind what came since lies a page on which that begins.
    preview.publish(31..=60);
    preview.say(33, &convoy(33));
    preview.change(|channel| {
        channel.instead.clear();
        channel.recent = 31;
    });
    let asked = preview.targets().len();
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [30, 1], "{poll}");
    assert_eq!(preview.targets()[asked..], ["/s/post", "/s/post?before=41"]);
    assert!(!poll["problems"].to_string().contains("gap"), "{poll}");
}

/// Has the config name another channel, which its mirror alone shows.
fn rename(desk: &Desk, preview: &Preview, site: &Site, name: &str) {
    preview.instead(&format!("/s/{name}"), Reply::status(503));
    let settings = settings(preview, &[site]);
    desk.change(&settings.replace("telegram = \"post\"", &format!("telegram = \"{name}\"")));
}

/// Polls while the mirror shows these messages of a channel, all of which fire.
fn through(desk: &Desk, site: &Site, name: &str, numbers: std::ops::RangeInclusive<u64>) -> Value {
    let posts: Vec<_> = numbers.map(|number| (number, convoy(number))).collect();
    site.show(&format!("/{name}"), mirrored_of(name, &posts));
    desk.poll()
}

fn counts(poll: &Value) -> [u64; 3] {
    ["/new", "/edited", "/alerts"].map(|count| number(poll, count))
}

#[test]
fn another_channel_that_is_first_read_through_a_mirror_is_judged_by_itself() {
    // The numbers of the channel before are higher, or lower.
    for before in [50_000..=50_019, 50..=69] {
        let (preview, site) = (Preview::start(before), Site::start());
        let desk = desk(&preview, &[&site]);
        desk.poll();
        rename(&desk, &preview, &site, "small");
        assert_eq!(through(&desk, &site, "small", 100..=109)["outcome"], "baseline");
        for newest in 110..=112 {
            let poll = through(&desk, &site, "small", newest - 9..=newest);
            assert_eq!(counts(&poll), [1, 0, 1], "{poll}");
        }
        preview.change(|channel| {
            (channel.name, channel.at, channel.id) = ("small".into(), "small".into(), -2002);
            channel.recent = 110;
            channel.messages = (93..=113).map(|number| (number, convoy(number))).collect();
            channel.instead.clear();
        });
        // Its own version takes the place of the mirror's, which is an edit.
        for expected in [[1, 3, 1], [0, 0, 0]] {
            let poll = desk.poll();
            assert_eq!(counts(&poll), expected, "{poll}");
            assert_eq!(text(&desk.sources()["post"], "/state"), "ok");
        }
    }
}

#[test]
fn a_renamed_channel_that_is_first_read_through_a_mirror_goes_on_where_it_was() {
    let (preview, site) = (Preview::start(1..=30), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    rename(&desk, &preview, &site, "poste");
    preview.publish(31..=60);
    for number in [31, 33, 35, 60] {
        preview.say(number, &convoy(number));
    }
    preview.change(|channel| (channel.name, channel.at) = ("poste".into(), "poste".into()));
    // Nothing tells that it is the same: what the mirror shows first is told to nobody.
    assert_eq!(through(&desk, &site, "poste", 33..=34)["outcome"], "baseline");
    assert_eq!(counts(&through(&desk, &site, "poste", 33..=35)), [1, 0, 1]);

    preview.change(|channel| channel.instead.clear());
    let asked = preview.targets().len();
    let poll = desk.poll();
    assert_eq!(counts(&poll), [29, 1, 3], "{poll}");
    assert_eq!(preview.targets()[asked..], ["/s/poste", "/s/poste?before=41"]);
    assert_eq!(text(&desk.sources()["post"], "/state"), "ok");
    preview.instead("/s/poste", Reply::status(503));
    assert_eq!(counts(&through(&desk, &site, "poste", 60..=61)), [1, 0, 1]);
}

#[test]
fn a_channel_goes_on_where_it_was_once_the_config_has_its_name_again() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    rename(&desk, &preview, &site, "pots");
    assert_eq!(through(&desk, &site, "pots", 7..=9)["outcome"], "baseline");
    rename(&desk, &preview, &site, "post");
    assert_eq!(counts(&through(&desk, &site, "post", 20..=21)), [1, 0, 1]);
    preview.change(|channel| channel.instead.clear());
    preview.publish(21..=50);
    preview.say(21, &convoy(21));
    preview.say(22, &convoy(22));
    let poll = desk.poll();
    assert_eq!(counts(&poll), [29, 1, 1], "{poll}");
}

#[test]
fn a_mirror_adds_what_the_channels_own_page_does_not_show() {
    type Change = fn(&mut Channel);
    let broken: [(&str, Change); 3] = [
        ("none of 20 messages has a text", |channel| {
            channel.messages.extend([(121, String::new()), (122, String::new())]);
            channel.messages.values_mut().for_each(String::clear);
        }),
        ("it shows none of its messages any more", |channel| channel.messages.clear()),
        ("the highest message number fell", |channel| channel.messages.retain(|number, _| *number < 30)),
    ];
    for (said, broken) in broken {
        let (preview, site) = (Preview::start(1..=120), Site::start());
        let desk = desk(&preview, &[&site]);
        desk.poll();
        preview.change(broken);
        site.show("/post", mirrored(&[(122, convoy(122)), (121, mangoes(121)), (120, mangoes(120))]));
        let poll = desk.poll();
        assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), [2, 0, 1], "{poll}");
        let alert = &desk.alerts()[0]["item"];
        let link = ["/url", "/telegram/via"].map(|field| text(alert, field));
        assert_eq!(link, ["https://t.me/post/122", "127.0.0.1"]);
        let source = &desk.sources()["post"];
        let detail = text(source, "/detail");
        assert_eq!(text(source, "/reason"), "layout", "{source}");
        assert!(
            detail.contains(said) && detail.ends_with("; read through the mirror `127.0.0.1`"),
            "{detail}"
        );
        let kept = desk.print(&["sources", "page", "post"]);
        assert!(kept.contains("tgme_channel_history"), "what is kept is the channel's own page: {kept}");

        let polls = [desk.poll(), desk.poll()];
        assert!(
            polls.iter().all(|poll| (number(poll, "/new"), number(poll, "/alerts")) == (0, 0)),
            "{polls:?}"
        );
        preview.change(|channel| {
            channel.messages = (1..=122).map(|number| (number, mangoes(number))).collect();
            channel.messages.insert(122, convoy(122));
        });
        let asked = site.targets().len();
        let polls = [desk.poll(), desk.poll()];
        assert!(
            polls.iter().all(|poll| (number(poll, "/new"), number(poll, "/alerts")) == (0, 0)),
            "{polls:?}"
        );
        let state = text(&desk.sources()["post"], "/state");
        assert_eq!((state.as_str(), site.targets().len() - asked), ("ok", 0), "{said}");
    }
}

#[test]
fn a_mirror_that_dies_leaves_a_channel_without_words_unread() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    preview.change(|channel| channel.messages.values_mut().for_each(String::clear));
    site.show("/post", mirrored(&[(21, convoy(21)), (20, mangoes(20))]));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
    site.show("/post", Reply::status(404));
    let poll = desk.poll();
    let failure = text(&poll, "/failure");
    assert_eq!(poll["outcome"], "failed", "{poll}");
    assert!(failure.ends_with("; the mirror `127.0.0.1`: the server answered 404"), "{failure}");
}

/// A page of the channel that was made in 2023, with these messages.
fn stale(messages: &[(u64, String)]) -> Reply {
    stale_of("post", messages)
}

/// The same of a channel of that name.
fn stale_of(channel: &str, messages: &[(u64, String)]) -> Reply {
    let one = |(number, words): &(u64, String)| {
        let view = base64(&format!(r#"{{"c":-1001,"p":{number},"t":1677228733}}"#));
        message(&format!("{channel}/{number}"), &format!("data-view=\"{view}\""), words)
    };
    page(&messages.iter().map(one).collect::<String>())
}

#[test]
fn a_mirror_beside_an_old_copy_adds_words_with_their_kind_and_gives_no_orders() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let kinds = "[[rule]]\nname = \"texts\"\nall = [\"dunes\"]\nkind = [\"text\"]\n";
    let desk = Desk::with(&format!("{}{kinds}", settings(&preview, &[&site])));
    desk.poll();
    preview.instead("/s/post", stale(&[(20, mangoes(20)), (21, String::new())]));
    let shown = mirrored(&[(22, convoy(22)), (21, "Dunes".to_owned()), (20, mangoes(20))]);
    site.show("/post", shown.header("Cache-Control", "max-age=86400"));
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [2, 2], "{poll}");
    let source = &desk.sources()["post"];
    assert!(text(source, "/detail").contains("stale copy"), "{source}");
    assert!(source["not_before"].is_null(), "its own page ordered nothing: {source}");
}

#[test]
fn a_gap_that_a_mirror_beside_an_old_copy_shows_is_kept() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    let read = text(&desk.sources()["post"], "/last_success");
    preview.instead("/s/post", stale(&[(19, mangoes(19)), (20, mangoes(20))]));
    site.show("/post", mirrored(&[(82, convoy(82)), (81, mangoes(81))]));
    let poll = desk.poll();
    assert_eq!(["/new", "/alerts"].map(|count| number(&poll, count)), [2, 1], "{poll}");
    let source = &desk.sources()["post"];
    assert_eq!(text(source, "/gaps/0/since"), read, "{source}");
}

#[test]
fn a_renamed_channel_whose_page_is_an_old_copy_is_filled_under_its_own_name() {
    let (preview, site) = (Preview::start(1..=20), Site::start());
    let desk = desk(&preview, &[&site]);
    desk.poll();
    preview.say(21, &convoy(21));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
    rename(&desk, &preview, &site, "poste");
    let shown: Vec<(u64, String)> = (10..=20).map(|n| (n, convoy(n))).chain([(21, convoy(21))]).collect();
    preview.instead("/s/poste", stale_of("poste", &[(20, mangoes(20)), (21, convoy(21))]));
    site.show("/poste", mirrored_of("poste", &[vec![(22, convoy(22))], shown].concat()));
    let poll = desk.poll();
    assert_eq!(["/new", "/edited", "/alerts"].map(|count| number(&poll, count)), [1, 0, 1], "{poll}");
}

#[test]
fn what_a_mirror_shows_from_before_an_empty_baseline_is_not_told() {
    let (preview, site) = (Preview::start([]), Site::start());
    let desk = desk(&preview, &[&site]);
    assert_eq!(desk.poll()["outcome"], "baseline");
    preview.instead("/s/post", Reply::to(302, "https://t.me/post"));
    preview.instead("/post", Reply::status(404));
    let old: Vec<(u64, String)> = (1..=9).map(|n| (n, convoy(n))).collect();
    site.show("/post", mirrored(&old));
    assert_eq!(number(&desk.poll(), "/alerts"), 0);
    let new = r#"<div class="post"><a class="orig" href="https://t.me/post/10">original</a><div class="body">Convoy attacked</div><time datetime="2100-01-01T10:00:00Z"></time></div>"#;
    site.show("/post", Reply::ok(format!("<html><body>{new}</body></html>")));
    assert_eq!(number(&desk.poll(), "/alerts"), 1);
}
