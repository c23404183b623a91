use std::time::Duration;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
}

fn well() -> Observed<'static> {
    Observed {
        source: "rfi",
        host: Some("rfi.example"),
        passed: None,
        others: &[],
        hosts: 4,
        machine: "desk",
        reach: Reach::Answered,
        trouble: None,
        for_good: false,
        news: News::Same,
        last_new: Some(at(0)),
        baseline: Some(at(-60 * 24 * 30)),
        last_read: None,
        silent_after: Some(Duration::from_hours(1000)),
        gap: None,
        now: at(0),
    }
}

fn failed(reason: &'static str) -> Observed<'static> {
    let trouble = Some(Trouble { reason, detail: "in words", of_document: false });
    Observed { trouble, news: News::Unread, ..well() }
}

fn cut(source: &'static str, host: &'static str) -> Observed<'static> {
    Observed { source, host: Some(host), reach: Reach::Cut, ..failed("dns") }
}

/// What is known after these polls of a source, and `minute type name reason` of each event.
fn told(known: Known, polls: Vec<(i64, Observed<'_>)>) -> (Known, Vec<String>) {
    let (mut known, mut all, mut read) = (known, Vec::new(), None);
    for (minute, poll) in polls {
        let poll = Observed { now: at(minute), last_read: poll.last_read.or(read), ..poll };
        let (after, events) = judge(known, &poll);
        read = if poll.news == News::Unread { read } else { Some(poll.now) };
        all.extend(events.into_iter().map(|event| {
            let reason = event.reason.unwrap_or_default();
            format!("{minute} {} {} {reason}", event.kind.as_str(), event.name).trim_end().to_owned()
        }));
        known = after;
    }
    (known, all)
}

#[test]
fn failures_are_told_once_and_only_when_they_persist() {
    for (case, polls, expected) in [
        ("two polls", vec![(0, failed("http")), (90, failed("http")), (91, well())], vec![]),
        (
            "three polls in less than an hour, then the hour",
            vec![(0, failed("http")), (10, failed("dns")), (20, failed("http")), (61, failed("http"))],
            vec!["61 source.failing rfi http"],
        ),
        (
            "other failures of the same run",
            vec![(0, failed("http")), (40, failed("http")), (80, failed("http")), (120, failed("tls"))],
            vec!["80 source.failing rfi http"],
        ),
        ("a first 410", vec![(0, failed("gone")), (10, well())], vec![]),
        (
            "a confirmed 410",
            vec![(0, failed("gone")), (1440, failed("gone")), (1441, failed("gone"))],
            vec!["1440 source.failing rfi gone"],
        ),
        (
            "confirmed by the next poll alone",
            vec![(0, failed("layout")), (1, failed("http")), (2, failed("layout")), (3, failed("layout"))],
            vec!["3 source.failing rfi layout"],
        ),
        (
            "gone after other failures",
            vec![
                (0, failed("http")),
                (40, failed("http")),
                (80, failed("http")),
                (120, failed("gone")),
                (1600, failed("gone")),
                (1700, well()),
            ],
            vec![
                "80 source.failing rfi http",
                "1600 source.failing rfi gone",
                "1700 source.recovered rfi gone",
            ],
        ),
        (
            "classes that a second poll confirms, in turn",
            vec![
                (0, failed("layout")),
                (40, failed("preview-off")),
                (80, failed("gone")),
                (120, failed("layout")),
                (160, failed("preview-off")),
                (200, failed("gone")),
            ],
            vec!["80 source.failing rfi gone"],
        ),
    ] {
        assert_eq!(told(Known::default(), polls).1, expected, "{case}");
    }
}

#[test]
fn a_document_that_is_wrong_in_itself_stays_wrong_while_it_is_the_same() {
    let trouble = Some(Trouble { reason: "renamed", detail: "in words", of_document: true });
    let renamed = Observed { trouble, news: News::Read { new: 0 }, ..well() };
    let read = Observed { news: News::Read { new: 1 }, ..well() };
    let (known, events) = told(Known::default(), vec![(0, renamed), (5, well()), (10, well()), (15, read)]);
    assert_eq!(events, ["5 source.failing rfi renamed", "15 source.recovered rfi renamed"]);
    assert_eq!(known.health.run, None);
}

/// A document of `rfi` that has news, and with which something is wrong.
fn read_with(reason: &'static str) -> Observed<'static> {
    let trouble = Some(Trouble { reason, detail: "read all the same", of_document: true });
    Observed { trouble, news: News::Read { new: 1 }, ..well() }
}

#[test]
fn what_is_told_as_failing_and_can_be_read_is_told_once_more_when_it_cannot() {
    let read = |reason, minutes: &[i64]| -> Vec<_> {
        minutes.iter().map(|minute| (*minute, read_with(reason))).collect()
    };
    let lost = |reason, minutes: &[i64]| -> Vec<_> {
        minutes.iter().map(|minute| (*minute, failed(reason))).collect()
    };
    let turns =
        |reason| (0..40).map(move |n| (30 * n, if n % 2 == 0 { read_with(reason) } else { failed("http") }));
    for (case, polls, expected) in [
        (
            "the mirror dies, and comes back",
            vec![
                read("preview-off", &[0, 10]),
                lost("preview-off", &[20, 50, 80, 200]),
                read("preview-off", &[300, 310]),
                vec![(400, well()), (410, Observed { news: News::Read { new: 1 }, ..well() })],
            ],
            &["10 preview-off", "80 preview-off", "410 recovered preview-off"][..],
        ),
        (
            "renamed, then refused",
            vec![
                read("renamed", &[0, 5]),
                lost("http", &[10, 40, 70, 100, 2000]),
                read("renamed", &[2010, 2020]),
            ],
            &["5 renamed", "70 http", "2020 renamed"],
        ),
        (
            "for less than an hour, or less than three polls",
            vec![
                read("renamed", &[0, 5]),
                lost("http", &[10, 20, 30]),
                read("renamed", &[40]),
                lost("http", &[50, 200]),
                read("renamed", &[210, 220]),
            ],
            &["5 renamed"],
        ),
        ("in turn", vec![turns("preview-off").collect()], &["60 preview-off"]),
        (
            "read again for so long that it is another time",
            vec![
                read("http", &[0, 40, 80]),
                lost("http", &[100, 130, 160]),
                read("http", &[170, 200, 230]),
                lost("dns", &[240, 270, 300, 330]),
            ],
            &["80 http", "160 http", "300 dns"],
        ),
        (
            "read again now and then",
            vec![
                read("http", &[0, 40, 80]),
                lost("http", &[100, 130, 160]),
                read("http", &[170, 200]),
                lost("dns", &[240, 270, 300, 330]),
            ],
            &["80 http", "160 http"],
        ),
    ] {
        let (_, events) = told(Known::default(), polls.concat());
        let brief = |event: &String| {
            event.replace("source.failing rfi ", "").replace("source.recovered rfi", "recovered")
        };
        assert_eq!(events.iter().map(brief).collect::<Vec<_>>(), expected, "{case}");
    }
}

#[test]
fn a_run_of_unread_polls_begins_anew_when_the_machine_comes_back() {
    let network = Network { returned: Some(at(75)), ..Network::default() };
    let polls = vec![
        (0, read_with("renamed")),
        (5, read_with("renamed")),
        (10, failed("http")),
        (40, failed("http")),
    ];
    let (known, events) = told(Known::default(), polls);
    assert_eq!(events, ["5 source.failing rfi renamed"]);
    let polls = vec![(80, failed("http")), (110, failed("http")), (140, failed("http"))];
    assert_eq!(told(Known { network, ..known }, polls).1, ["140 source.failing rfi http"]);
}

#[test]
fn channels_of_one_incident_whose_mirror_dies_are_told_once_more_together() {
    let channels = ["a", "b", "c", "d"];
    let read = channels.map(|source| Observed { source, ..read_with("preview-off") });
    let lost = channels.map(|source| Observed { source, ..failed("preview-off") });
    let fine = channels.map(|source| Observed { source, ..well() });
    // A mirror's page keeps its complaint until the channel itself is read.
    let fine = fine.map(|poll| Observed { news: News::Read { new: 1 }, ..poll });
    let told = rounds(&[&read, &read, &lost, &lost, &lost, &lost, &fine, &fine]);
    let expected = [
        "40 source.failing t.me preview-off",
        "160 source.failing t.me preview-off",
        "240 source.recovered t.me preview-off",
    ];
    assert_eq!(told, expected);
}

#[test]
fn silence_is_told_once_and_ends_with_news() {
    let quiet = Observed { silent_after: Some(Duration::from_hours(36)), ..well() };
    let news = Observed { news: News::Read { new: 1 }, ..quiet.clone() };
    let failing = Observed { silent_after: quiet.silent_after, ..failed("http") };
    let polls = vec![
        (12 * 60, quiet.clone()),
        (24 * 60, quiet.clone()),
        (35 * 60, quiet.clone()),
        (36 * 60, failing),
        (37 * 60, quiet.clone()),
        (38 * 60, quiet),
        (39 * 60, news),
    ];
    let expected = ["2220 source.silent rfi", "2340 source.recovered rfi"];
    assert_eq!(told(Known::default(), polls).1, expected, "what cannot be read is not silent");
}

#[test]
fn row_10_no_source_is_silent_for_a_time_that_nobody_watched() {
    let (day, year) = (60 * 24, 60 * 24 * 365);
    let same = |last| Observed {
        silent_after: Some(Duration::from_hours(24)),
        last_new: Some(at(last)),
        baseline: Some(at(-30 * day)),
        ..well()
    };
    let news = |last| Observed { news: News::Read { new: 1 }, ..same(last) };
    let hourly = |from: i64, hours: i64, last| (0..=hours).map(move |hour| (from + 60 * hour, same(last)));
    let every = |days: i64, times: i64| (1..=times).map(move |n| (days * day * n, same(0)));
    for (case, polls, expected) in [
        (
            "set right after a start by the clock of the shutdown",
            hourly(3 * day, 30, 0).collect::<Vec<_>>(),
            96,
        ),
        ("years behind for a while", hourly(20, 30, -6 * year).collect(), 24),
        ("a year ahead for a while", hourly(20, 30, year).collect(), 24),
        ("read every day", every(1, 3).collect(), 24),
        ("read every other day", every(2, 3).collect(), 96),
        ("read once a week", every(7, 3).collect(), 14 * 24),
    ] {
        let last = polls[0].1.last_new.unwrap().duration_since(at(0)).as_secs() / 60;
        let polls = [(last, news(last - 60))].into_iter().chain(polls).collect();
        let (known, events) = told(Known::default(), polls);
        let hour = |event: &String| event.split_once(' ').unwrap().0.parse::<i64>().unwrap() / 60;
        assert_eq!(events.iter().map(hour).collect::<Vec<_>>(), [expected], "{case}: {events:?}");
        assert!(known.health.silent.is_some_and(|since| since <= at(7 * day)), "{case}");
    }
}

#[test]
fn how_long_a_source_may_be_silent_is_learned() {
    let hours = |hours: u64| Duration::from_hours(hours);
    let arrivals = |gaps: &[u32]| Arrivals { gaps: gaps.iter().map(|hours| (at(0), hours * 60)).collect() };
    let (long_known, new) = (Some(at(-60 * 24 * 30)), Some(at(-60)));
    for (case, own, gaps, baseline, expected) in [
        ("as configured", Some(hours(5)), &[400][..], new, hours(5)),
        ("no news yet", None, &[], long_known, hours(14 * 24)),
        ("known for an hour", None, &[1, 1], new, hours(14 * 24)),
        ("a wire", None, &[2, 1], long_known, hours(24)),
        ("not at weekends", None, &[64, 62, 20], long_known, hours(3 * 62)),
        ("one accident", None, &[900, 10, 9], long_known, hours(30)),
    ] {
        assert_eq!(patience(own, &arrivals(gaps), baseline, at(0)), expected, "{case}");
    }
}

#[test]
fn the_longest_gaps_are_remembered_and_old_ones_forgotten() {
    let mut arrivals = Arrivals::default();
    let day = 60 * 24;
    arrivals.note(Duration::from_hours(150), at(9000));
    for n in 0..20_i64 {
        arrivals.note(Duration::from_mins(n.unsigned_abs()), at(9000 + 2 * n));
    }
    assert_eq!((arrivals.gaps.len(), arrivals.gaps[0].1), (8, 9000));
    arrivals.note(Duration::from_mins(5), at(100 * day));
    assert_eq!(arrivals.gaps, [(at(100 * day), 5)]);
}

#[test]
fn a_gap_is_told_those_that_follow_once_a_day_and_the_last_are_listed() {
    let gap = |n| Gap { since: at(n), until: at(n + 60), detail: "no overlap".into() };
    let read = |n, gap| (n, Observed { gap, news: News::Read { new: 10 }, ..well() });
    let hourly = |hours: std::ops::Range<i64>| hours.map(|hour| read(60 * hour, Some(gap(60 * (hour - 1)))));
    let (known, events) = told(Known::default(), hourly(0..60).collect());
    assert_eq!(events, ["0 source.gap rfi", "1440 source.gap rfi", "2880 source.gap rfi"]);
    assert_eq!(known.health.gaps, (54..59).map(|hour| gap(60 * hour)).collect::<Vec<_>>());

    // A 304 is no reading; what is left when they end is told with the next one, or the day after.
    let calm = |hour: i64| read(60 * hour, None);
    let same = |hour: i64| (60 * hour, well());
    for (polls, expected) in [
        (vec![same(60), same(71), same(72), same(73)], &["4320 source.gap rfi"][..]),
        (vec![calm(60), calm(71), calm(72), calm(73)], &["4320 source.gap rfi"]),
        (vec![calm(60), read(3660, Some(gap(3600)))], &["3660 source.gap rfi"]),
        (vec![same(60), read(3660, Some(gap(3600)))], &[]),
    ] {
        assert_eq!(told(known.clone(), polls).1, expected);
    }
    let poll = Observed { gap: Some(gap(60 * 71)), now: at(60 * 72), ..well() };
    let (_, events) = judge(known, &poll);
    assert_eq!(events[0].since, at(60 * 48));
    assert!(events[0].detail.starts_with("12 times since"), "{}", events[0].detail);
    // One that follows a calm reading is told each time.
    let apart = (0..4).flat_map(|hour| [read(120 * hour, Some(gap(0))), calm(2 * hour + 1)]).collect();
    assert_eq!(told(Known::default(), apart).1.len(), 4);
}

/// The network after these polls, each of a source and with a gap since a minute or with none; and of each event
/// `minute name reason: detail`.
fn gathered(mut network: Network, polls: &[(i64, &str, Option<i64>)]) -> (Network, Vec<String>) {
    let mut all = Vec::new();
    for &(now, source, since) in polls {
        let gap = since.map(|since| Gap { since: at(since), until: at(now), detail: "no overlap".into() });
        let poll = Observed { source, gap, news: News::Read { new: 1 }, now: at(now), ..well() };
        let (known, events) = judge(Known { network, ..Known::default() }, &poll);
        network = known.network;
        all.extend(events.into_iter().map(|event| {
            let reason = event.reason.unwrap_or_default();
            format!("{now} {} {reason}: {}", event.name, event.detail)
        }));
    }
    (network, all)
}

#[test]
fn gaps_since_the_machine_was_off_are_told_as_one_and_those_found_later_hours_after() {
    let day = 60 * 24;
    // Off for three days. The clock shows 2027-01-15 08:00 when it is back.
    let network = Network { spans: vec![(at(-3 * day), at(0))], ..Network::default() };
    let since = Some(-3 * day - 5);
    let polls = [(1, "a", since), (2, "b", Some(-3 * day - 10)), (3, "c", None), (15, "a", None)];
    let (network, told) = gathered(network, &polls);
    assert_eq!(told, Vec::<String>::new(), "for a quarter of an hour");
    let (network, told) = gathered(network, &[(16, "c", None), (17, "c", None)]);
    let between = "between 2027-01-12 07:50 UTC and 2027-01-15 08:02 UTC";
    let both = format!("16 desk away: 2 sources {between}, when this machine was off or cut off: a, b");
    assert_eq!(told, [both]);

    let names: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
    let mut late: Vec<_> = names.iter().map(|name| (30, name.as_str(), since)).collect();
    late.extend([(375, "c", None), (376, "c", None), (800, "c", None)]);
    let (after, told) = gathered(network.clone(), &late);
    assert_eq!(told.len(), 1, "{told:?}");
    let listed = "s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11 and 8 more";
    assert!(told[0].starts_with("376 desk away: 20 sources") && told[0].ends_with(listed), "{told:?}");
    assert_eq!((after.gaps, after.gaps_told), (None, Some(at(376))));

    // Another absence does not wait for what is left of the one before.
    let mut network = network;
    network.away(at(40), at(200));
    let polls = [(30, "d", since), (201, "e", Some(40)), (216, "c", None)];
    let (_, told) = gathered(network, &polls);
    assert!(told.len() == 1 && told[0].ends_with(": d, e"), "{told:?}");
}

#[test]
fn a_gap_that_no_other_source_has_is_told_of_its_source() {
    let words = "between 2027-01-15 06:15 UTC and 2027-01-15 08:01 UTC: no overlap";
    let away = |from, until| Network { spans: vec![(at(from), at(until))], ..Network::default() };
    let later = Network { gaps_told: Some(at(60 * 24)), ..away(-100, 0) };
    let waits = gathered(away(-100, 0), &[(1, "a", Some(-105))]).0;
    for (case, network, polls, minute) in [
        ("alone", away(-100, 0), vec![(1, Some(-105)), (15, None), (16, None), (17, None)], 16),
        ("twice", away(-100, 0), vec![(1, Some(-105)), (1, Some(-105)), (16, None)], 16),
        ("under way when it ended", away(-106, 2), vec![(1, Some(-105)), (16, None)], 16),
        ("told by a clock that ran ahead", later, vec![(1, Some(-105)), (16, None)], 16),
        ("found by a clock that ran ahead", waits, vec![(-60, None)], -60),
        ("never away", Network::default(), vec![(1, Some(-105)), (16, None)], 1),
        ("read since", away(-200, -106), vec![(1, Some(-105)), (16, None)], 1),
        ("read meanwhile", away(-200, 0), vec![(1, Some(-105)), (16, None)], 1),
        ("away since", away(-100, 10), vec![(1, Some(-105)), (16, None)], 1),
    ] {
        let polls: Vec<_> = polls.into_iter().map(|(now, since)| (now, "a", since)).collect();
        assert_eq!(gathered(network, &polls).1, [format!("{minute} a : {words}")], "{case}");
    }
}

#[test]
fn gaps_since_the_machine_was_cut_off_are_told_as_one() {
    let network = Network { offline: Some(at(-100)), ..Network::default() };
    let (_, told) = gathered(network, &[(0, "a", Some(-101)), (1, "b", Some(-110)), (15, "b", None)]);
    let online = "0 desk : sources answer again; none could be reached from 2027-01-15 06:20 UTC on";
    let between = "between 2027-01-15 06:10 UTC and 2027-01-15 08:01 UTC";
    let both = format!("15 desk away: 2 sources {between}, when this machine was off or cut off: a, b");
    assert_eq!(told, [online.to_owned(), both]);
}

#[test]
fn sources_of_one_host_share_one_incident() {
    let channels = ["a", "b", "c", "d"];
    let (mut shared, mut healths) = (Known::default(), vec![Health::default(); 4]);
    let mut all = Vec::new();
    // Two hosts in all: too few to say anything of the network.
    let rounds = [(0, true), (40, true), (80, true), (120, true), (160, false), (200, false)];
    for (minute, is_cut) in rounds {
        for (n, source) in channels.into_iter().enumerate() {
            let poll =
                if is_cut { cut(source, "t.me") } else { Observed { source, host: Some("t.me"), ..well() } };
            shared.health = healths[n].clone();
            let (known, events) = told(shared, vec![(minute, poll)]);
            (healths[n], shared) = (known.health.clone(), known);
            all.extend(events);
        }
    }
    assert_eq!(all, ["80 source.failing t.me dns", "160 source.recovered t.me dns"]);
    assert_eq!((&shared.hosts["t.me"], &healths[0].told), (&HostTrouble::default(), &None));
}

/// What is told of the sources of `t.me` when each has its own outcome in every round of 40 minutes.
fn rounds(polls: &[&[Observed<'static>]]) -> Vec<String> {
    let at_t_me = |poll: &Observed<'static>| Observed { host: Some("t.me"), ..poll.clone() };
    let polls: Vec<Vec<_>> = polls.iter().map(|round| round.iter().map(at_t_me).collect()).collect();
    anywhere(&polls)
}

/// The same of sources at any hosts.
fn anywhere(polls: &[Vec<Observed<'static>>]) -> Vec<String> {
    let (mut shared, mut healths) = (Known::default(), std::collections::HashMap::<&str, Health>::new());
    let mut all = Vec::new();
    for (minute, round) in (0..).step_by(40).zip(polls) {
        for poll in round {
            shared.health = healths.remove(poll.source).unwrap_or_default();
            let (known, events) = told(shared, vec![(minute, poll.clone())]);
            healths.insert(poll.source, known.health.clone());
            shared = known;
            all.extend(events);
        }
    }
    all
}

#[test]
fn a_host_that_answers_and_shows_none_of_its_sources_is_one_incident() {
    let fine = |source| Observed { source, ..well() };
    let busy = |source| Observed { source, ..failed("http") };
    let gone = |source| Observed { source, ..failed("gone") };
    let (all, none) = (["a", "b", "c", "d"].map(busy), ["a", "b", "c", "d"].map(fine));
    let once = ["80 source.failing t.me http", "160 source.recovered t.me http"];
    assert_eq!(rounds(&[&all, &all, &all, &all, &none, &none]), once);
    // One that is refused for a reason of its own, and answers that are no better, end nothing.
    let mixed = [gone("a"), busy("b"), busy("c"), busy("d")];
    assert_eq!(rounds(&[&all, &all, &all, &mixed, &none, &none]), once);
    // Where another source of the host can be read, each has a trouble of its own.
    let others = [busy("a"), busy("b"), busy("c"), fine("d")];
    let each = ["a", "b", "c"].map(|source| format!("80 source.failing {source} http"));
    assert_eq!(rounds(&[&others, &others, &others, &others]), each);
    // However seldom that one is asked.
    assert_eq!(rounds(&[&others, &others[..3], &others[..3], &others[..3]]), each);
}

#[test]
fn channels_that_lose_their_preview_together_are_one_incident_and_a_few_are_told_each() {
    const CHANNELS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let fine = CHANNELS.map(|source| Observed { source, ..well() });
    for (reason, told_at) in [("preview-off", 40), ("gone", 40), ("parse", 80)] {
        let off = CHANNELS.map(|source| Observed { source, ..failed(reason) });
        let once = [
            format!("{told_at} source.failing t.me {reason}"),
            format!("160 source.recovered t.me {reason}"),
        ];
        assert_eq!(rounds(&[&off, &off, &off, &off, &fine, &fine]), once);
        // Where others of the host can be read, those that cannot have a trouble of their own each.
        for few in 1..=3 {
            let (mut some, of_these) = (off.clone(), few..);
            some[of_these.clone()].clone_from_slice(&fine[of_these]);
            let each = CHANNELS[..few].iter();
            let each: Vec<_> =
                each.map(|source| format!("{told_at} source.failing {source} {reason}")).collect();
            assert_eq!(rounds(&[&fine, &some, &some, &some]).len(), few, "{reason}");
            assert_eq!(rounds(&[&some, &some, &some, &some]), each);
        }
    }
    // What is not asked for again is told each: nothing else would tell of it once the incident is over.
    let for_good = CHANNELS.map(|source| Observed { source, for_good: true, ..failed("gone") });
    let each = CHANNELS.map(|source| format!("40 source.failing {source} gone"));
    assert_eq!(rounds(&[&for_good, &for_good]), each);
}

#[test]
fn channels_that_mirrors_stand_in_for_are_not_told_each_when_the_incident_of_their_host_ends() {
    let trouble = Some(Trouble { reason: "preview-off", detail: "by a mirror", of_document: true });
    let off = |source| Observed { source, trouble, news: News::Read { new: 1 }, ..well() };
    let all = ["a", "b", "c", "d"].map(off);
    let resting = all.clone().map(|poll| Observed { reach: Reach::Untried, ..poll });
    let mut one_shown = resting.clone();
    one_shown[0] = Observed { source: "a", news: News::Read { new: 1 }, ..well() };
    let shown = one_shown.clone().map(|poll| Observed { source: poll.source, ..one_shown[0].clone() });
    let polls: [&[_]; 7] = [&all, &all, &all, &resting, &one_shown, &one_shown, &shown];
    let once = ["40 source.failing t.me preview-off", "160 source.recovered t.me preview-off"];
    assert_eq!(rounds(&polls), once);
}

#[test]
fn a_source_that_never_failed_ends_an_incident_of_its_host_once_and_for_all() {
    let fine = Observed { source: "d", ..well() };
    let busy = |source| Observed { source, ..failed("http") };
    let (busy, fine) = (["a", "b", "c"].map(busy), [fine]);
    let all: [&[_]; 9] = [&busy, &busy, &busy, &fine, &busy, &busy, &fine, &busy, &busy];
    let told = rounds(&all);
    let each = ["a", "b", "c"].map(|source| format!("160 source.failing {source} http"));
    let once = ["80 source.failing t.me http", "120 source.recovered t.me http"];
    assert_eq!((told.get(..2).unwrap(), told.get(2..).unwrap()), (&once.map(str::to_owned)[..], &each[..]));
}

#[test]
fn a_source_that_fails_on_when_the_incident_of_its_host_ends_is_told_by_its_next_poll() {
    let fine = |source| Observed { source, ..well() };
    let busy = |source| Observed { source, ..failed("http") };
    let all = ["a", "b", "c", "d", "e", "f"].map(busy);
    let incident = ["80 source.failing t.me http", "120 source.recovered t.me http"];
    // However many they are, they are no other incident: one of the host's sources is read.
    for few in [1, 4] {
        let back: Vec<_> = all[few..].iter().map(|poll| fine(poll.source)).collect();
        let (ill, shown) = (&all[..few], [fine("a")]);
        let told = rounds(&[&all, &all, &all, &back, ill, ill, &shown]);
        let mut expected = incident.map(str::to_owned).to_vec();
        expected.extend(ill.iter().map(|poll| format!("160 source.failing {} http", poll.source)));
        expected.push("240 source.recovered a http".to_owned());
        assert_eq!(told, expected);
    }
}

/// Three sources in the same state.
fn three(poll: impl Fn(&'static str) -> Observed<'static>) -> Vec<Observed<'static>> {
    ["a", "b", "c"].map(poll).to_vec()
}

#[test]
fn an_incident_ends_when_its_host_sends_its_sources_on_to_another() {
    let sent = |poll| Observed { passed: Some("t.me"), host: Some("cdn.example"), ..poll };
    let well = || three(|source| sent(Observed { source, ..well() }));
    let ill = || three(|source| sent(Observed { source, ..failed("parse") }));
    let busy = || three(|source| Observed { source, host: Some("t.me"), ..failed("http") });
    let dead = || three(|source| cut(source, "t.me"));
    let two = |down: &dyn Fn() -> _, reason: &str| {
        let polls = [down(), down(), down(), well(), well(), down(), down(), down()];
        let expected = [
            format!("80 source.failing t.me {reason}"),
            format!("120 source.recovered t.me {reason}"),
            format!("280 source.failing t.me {reason}"),
        ];
        assert_eq!(anywhere(&polls), expected);
    };
    two(&busy, "http");
    two(&dead, "dns");
    // What fails at the other host is a trouble of that one.
    let polls = |down: &dyn Fn() -> _| anywhere(&[down(), down(), down(), ill(), ill(), ill(), well()]);
    let other = ["200 source.failing cdn.example parse", "240 source.recovered cdn.example parse"];
    let first = ["80 source.failing t.me dns", "120 source.recovered t.me dns"];
    assert_eq!(polls(&dead), [first, other].concat());
    let first = ["80 source.failing t.me http", "120 source.recovered t.me http"];
    assert_eq!(polls(&busy), [first, other].concat());
}

#[test]
fn an_incident_ends_when_the_last_of_its_sources_is_read_at_another_host() {
    let dead = || three(|source| cut(source, "t.me"));
    let elsewhere = |source| Observed { source, host: Some("telegram.me"), ..well() };
    let mut one = dead();
    one[0] = elsewhere("a");
    let polls = [dead(), dead(), dead(), one, three(elsewhere), three(elsewhere), dead(), dead(), dead()];
    let expected =
        ["80 source.failing t.me dns", "160 source.recovered t.me dns", "320 source.failing t.me dns"];
    assert_eq!(anywhere(&polls), expected);
    // What the poll does not tell ends nothing.
    let untried = || three(|source| Observed { reach: Reach::Untried, ..cut(source, "telegram.me") });
    assert_eq!(anywhere(&[dead(), dead(), dead(), untried(), untried()]), ["80 source.failing t.me dns"]);
}

#[test]
fn an_incident_ends_when_each_of_its_sources_has_a_trouble_of_its_own_which_is_told() {
    let busy = three(|source| Observed { source, ..failed("http") });
    let gone = three(|source| Observed { source, for_good: true, ..failed("gone") });
    let told = rounds(&[&busy, &busy, &busy, &gone, &gone]);
    // Each has failed for long: its own trouble needs no second poll.
    let mut expected = vec!["80 source.failing t.me http".to_owned()];
    expected.extend(["a", "b", "c"].map(|source| format!("120 source.failing {source} gone")));
    expected.push("120 source.recovered t.me http".to_owned());
    assert_eq!(told, expected);
}

#[test]
fn a_page_read_through_a_mirror_says_nothing_good_of_the_host() {
    let cut = |source| Observed { source, ..cut(source, "t.me") };
    let trouble = Some(Trouble { reason: "dns", detail: "read through the mirror", of_document: true });
    let mirrored = Observed { trouble, news: News::Read { new: 1 }, ..cut("d") };
    let all = [cut("a"), cut("b"), cut("c"), mirrored];
    let told = rounds(&[&all, &all, &all, &all, &all]);
    assert_eq!(told, ["80 source.failing t.me dns"]);
}

#[test]
fn each_change_of_a_channels_name_is_told_once() {
    let renamed = |detail| {
        let trouble = Some(Trouble { reason: "renamed", detail, of_document: true });
        Observed { trouble, news: News::Read { new: 0 }, ..well() }
    };
    let (first, second) = (renamed("called otherwise"), renamed("another channel's"));
    let read = Observed { news: News::Read { new: 1 }, ..well() };
    let mut polls = vec![first.clone(), first.clone(), first.clone(), failed("timeout"), first.clone()];
    // A second change is confirmed like any, whatever the poll before it came to.
    polls.extend([second.clone(), first.clone(), failed("timeout"), second.clone(), second.clone()]);
    polls.extend([second.clone(), failed("timeout"), second, read]);
    let polls = (0..).step_by(5).zip(polls).collect();
    let expected =
        ["5 source.failing rfi renamed", "45 source.failing rfi renamed", "65 source.recovered rfi renamed"];
    assert_eq!(told(Known::default(), polls).1, expected);
}

#[test]
fn a_complaint_outlives_a_failed_poll_before_the_same_document() {
    let trouble = Some(Trouble { reason: "layout", detail: "in words", of_document: true });
    let broken = Observed { trouble, news: News::Read { new: 0 }, ..well() };
    let read = Observed { news: News::Read { new: 1 }, ..well() };
    let polls = vec![(0, broken.clone()), (5, broken), (10, failed("timeout")), (15, well()), (20, read)];
    let expected = ["5 source.failing rfi layout", "20 source.recovered rfi layout"];
    assert_eq!(told(Known::default(), polls).1, expected);
}

#[test]
fn a_source_under_a_new_address_is_not_silent_for_what_the_old_one_did() {
    let patience = Some(Duration::from_hours(36));
    let new = Observed { silent_after: patience, baseline: Some(at(50 * 60)), ..well() };
    let polls = vec![(50 * 60, Observed { news: News::Baseline, ..new.clone() }), (51 * 60, new)];
    assert_eq!(told(Known::default(), polls).1, Vec::<String>::new());
}

#[test]
fn a_time_in_which_nobody_looked_is_no_gap_of_the_source() {
    for (last_read, minutes) in [(at(60 * 9), 60 * 10), (at(30), 30), (at(0), 0)] {
        let news = Observed { news: News::Read { new: 1 }, last_read: Some(last_read), ..well() };
        let now = if minutes == 600 { 600 } else { 60 * 24 * 3 };
        let (known, _) = told(Known::default(), vec![(now, news)]);
        assert_eq!(known.health.arrivals.gaps, [(at(now), minutes)]);
    }
}

#[test]
fn a_host_of_the_local_network_says_nothing_of_the_line() {
    for (host, public) in [
        ("t.me", true),
        ("203.0.113.9", true),
        ("2001:db8::1", true),
        ("127.0.0.1", false),
        ("[::1]", false),
        ("::ffff:10.0.0.1", false),
        ("192.168.1.4", false),
        ("fe80::1", false),
        ("fd12::9", false),
        ("localhost", false),
        ("bridge", false),
        ("news.LAN", false),
        ("box.home.arpa", false),
        ("a.local.", false),
    ] {
        assert_eq!(is_public(host), public, "{host}");
    }
    let bridge = || Observed { source: "bridge", host: Some("127.0.0.1"), ..well() };
    let polls = (0..12).flat_map(|n| {
        let host = ["a.example", "b.example", "c.example"][n % 3];
        let minute = i64::try_from(n).unwrap();
        [(minute, cut(host, host)), (minute, bridge())]
    });
    assert_eq!(told(Known::default(), polls.collect()).1, ["2 network.offline desk"]);
}

#[test]
fn a_machine_that_is_cut_off_blames_no_source() {
    let hosts = ["a.example", "b.example", "c.example", "d.example"];
    let (mut shared, mut healths) = (Known::default(), vec![Health::default(); 4]);
    let mut all = Vec::new();
    for round in 0..12 {
        for (n, host) in hosts.into_iter().enumerate() {
            // The first host is down after the network is back as well.
            let is_cut = round < 8 || n == 0;
            let poll =
                if is_cut { cut(host, host) } else { Observed { source: host, host: Some(host), ..well() } };
            shared.health = healths[n].clone();
            let (known, events) = told(shared, vec![(30 * round, poll)]);
            (healths[n], shared) = (known.health.clone(), known);
            all.extend(events);
        }
    }
    // The run of the first host counts from when the network was back: three polls, one hour.
    let expected = ["0 network.offline desk", "240 network.online desk", "330 source.failing a.example dns"];
    assert_eq!(all, expected);
}

#[test]
fn row_10_what_a_clock_dated_ahead_keeps_no_failure_from_being_told() {
    let year = 60 * 24 * 365;
    let run = vec![(year, failed("http")), (10, failed("http")), (20, failed("http"))];
    assert_eq!(told(Known::default(), run).1, ["20 source.failing rfi http"]);
    let network = Network { returned: Some(at(year)), ..Network::default() };
    let run = vec![(0, failed("http")), (40, failed("http")), (80, failed("http"))];
    let known = Known { network, ..Known::default() };
    assert_eq!(told(known, run).1, ["80 source.failing rfi http"]);
}

#[test]
fn hosts_that_answer_in_between_speak_for_the_network() {
    let answer = || Observed { source: "d", host: Some("d.example"), ..well() };
    for (case, polls) in [
        ("an answer", vec![(0, cut("a", "a")), (1, cut("b", "b")), (2, answer()), (3, cut("c", "c"))]),
        ("one host", vec![(0, cut("a", "a")), (1, cut("b", "a")), (2, cut("c", "a")), (3, cut("d", "a"))]),
        (
            "more than a day between",
            vec![(0, cut("a", "a.example")), (1400, cut("b", "b.example")), (1441, cut("c", "c.example"))],
        ),
        (
            "no host answered, but one refused",
            vec![
                (0, cut("a", "a")),
                (1, cut("b", "b")),
                (2, Observed { reach: Reach::Insecure, ..cut("c", "c") }),
            ],
        ),
    ] {
        let (known, events) = told(Known::default(), polls);
        assert_eq!(known.network.offline, None, "{case}: {events:?}");
    }
}

#[test]
fn sources_that_are_asked_every_few_hours_tell_of_the_network_and_are_not_blamed() {
    let hosts = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|name| format!("{name}.example"));
    let hosts: Vec<&'static str> = hosts.map(|host| &*host.leak()).to_vec();
    let (mut network, mut each) = (Network::default(), vec![Known::default(); 10]);
    let mut all = Vec::new();
    let mut ask = |minute, n: usize, is_cut| {
        let host = hosts[n];
        let poll =
            if is_cut { cut(host, host) } else { Observed { source: host, host: Some(host), ..well() } };
        let known = Known { network: network.clone(), ..each[n].clone() };
        let (known, events) = told(known, vec![(minute, Observed { hosts: 10, ..poll })]);
        (network, each[n]) = (known.network.clone(), known);
        all.extend(events);
    };
    // One every 70 minutes, but the first four time and again: five are needed.
    for round in 0..4 {
        ask(70 * round, usize::try_from(round).unwrap(), true);
        (0..round).for_each(|n| ask(70 * round + 1, usize::try_from(n).unwrap(), true));
    }
    ask(280, 4, true);
    (0..10).for_each(|n| ask(300, n, true));
    (0..10).for_each(|n| ask(400, n, false));
    assert_eq!(all, ["280 network.offline desk", "400 network.online desk"]);
}

#[test]
fn a_host_that_cannot_be_reached_is_told_once_another_answered_or_a_day_is_over() {
    let fine = || Observed { source: "b", host: Some("b.example"), ..well() };
    let down = |minute| (minute, cut("a", "a.example"));
    let every = |hours: std::ops::RangeInclusive<i64>| hours.map(|hour| down(60 * hour));
    let alone = |hosts| -> Vec<_> {
        every(0..=3).map(|(minute, poll)| (minute, Observed { hosts, ..poll })).collect()
    };
    let local: Vec<_> = (0..=3).map(|hour| (60 * hour, cut("a", "127.0.0.1"))).collect();
    let asked = |until: i64, then: Option<i64>| {
        let (mut known, mut health, mut all) = (Known::default(), Health::default(), Vec::new());
        for (minute, poll) in every(0..=until) {
            let (after, events) = told(known, vec![(minute, poll)]);
            all.extend(events);
            known = after;
            if then == Some(minute) {
                std::mem::swap(&mut known.health, &mut health);
                (known, _) = told(known, vec![(minute + 1, fine())]);
                std::mem::swap(&mut known.health, &mut health);
            }
        }
        all
    };
    assert_eq!(asked(23, None), Vec::<String>::new(), "nobody else was asked");
    assert_eq!(asked(30, None), ["1440 source.failing a dns"], "a day is long enough");
    assert_eq!(asked(6, Some(180)), ["240 source.failing a dns"], "another host answered");
    assert_eq!(told(Known::default(), alone(1)).1, ["120 source.failing a dns"], "there is no other");
    assert_eq!(told(Known::default(), local).1, ["120 source.failing a dns"], "it says nothing of the line");
}

#[test]
fn few_hosts_are_enough_where_there_are_no_more() {
    let others = ["telegram.me".to_owned(), "telegram.dog".to_owned()];
    let channel = |hosts| Observed { hosts, others: &others, ..cut("a", "t.me") };
    let two = |source, host| Observed { hosts: 2, ..cut(source, host) };
    for (case, polls, expected) in [
        ("both of two", vec![(0, two("a", "a.example")), (5, two("b", "b.example"))], true),
        ("one of two", vec![(0, two("a", "a.example")), (5, two("c", "a.example"))], false),
        ("all that stand in for a channel's", vec![(0, channel(1))], true),
        ("where there are others", vec![(0, channel(4)), (5, channel(4))], false),
        ("one of one", vec![(0, Observed { hosts: 1, ..cut("a", "t.me") })], false),
        ("two of four", vec![(0, cut("a", "a.example")), (5, cut("b", "b.example"))], false),
    ] {
        let (known, events) = told(Known::default(), polls);
        assert_eq!(known.network.offline.is_some(), expected, "{case}: {events:?}");
    }
}

#[test]
fn time_offline_is_remembered_span_by_span() {
    let at = |minute: i64| Timestamp::from_second(1_800_000_000 + minute * 60).unwrap();
    let network = Network {
        spans: vec![(at(10), at(20)), (at(40), at(70))],
        offline: Some(at(90)),
        ..Network::default()
    };
    for (from, until, minutes) in [
        (0, 5, 0),
        (0, 15, 5),
        (15, 50, 15),
        (30, 35, 0),
        (0, 80, 40),
        (0, 100, 50),
        (95, 100, 5),
        (100, 95, 0),
    ] {
        let offline = network.offline_within(at(from), at(until));
        assert_eq!(offline, std::time::Duration::from_secs(minutes * 60), "{from} to {until}");
    }
    // The machine is switched off: what counts already does not count twice.
    for (offline, spans) in [(Some(at(90)), 2), (None, 3)] {
        let mut network = Network { offline, ..network.clone() };
        network.away(at(95), at(99));
        assert_eq!(network.spans.len(), spans, "{offline:?}");
    }
}
