//! Alerts as Harmattan makes them, without clock or chance: the same bytes in every run.

use harmattan::item::{Dating, Item, ItemId, SeenKey, SourceKind, SourceName, TelegramPost};
use harmattan::notify::{Body, Message};
use harmattan::outbox::DeliveryId;
use harmattan::rules::spec::{Mode, Severity};
use harmattan::rules::verdict::{EntityRef, Match, PlaceRef, Reason};
use harmattan::story::{Alert, AlertId, AlertKind, Disposition, Story, StoryId};
use harmattan::text::{ByteSpan, Field};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A Telegram post in Russian without a title: unverified, critical.
pub(crate) fn russian() -> Alert {
    let text = "Миссия ЧВК «Вагнер» в Мали завершена. Бойцы возвращаются домой из Тимбукту.\n\n\
                Главная задача выполнена: столицы всех регионов вернулись под контроль законной власти.";
    let mut item = item("wagner-channel", SourceKind::Telegram, "", text, "https://t.me/wagner_sample/123");
    item.lang = Some("ru".to_owned());
    item.telegram = Some(TelegramPost {
        channel: "wagner_sample".to_owned(),
        message: 123,
        kinds: vec!["text".to_owned()],
        views: Some(86_700),
        forwarded_from: Some(harmattan::item::Forward {
            name: "Разгрузка".to_owned(),
            url: Some("https://t.me/razgruzka_sample/77".to_owned()),
        }),
        ..TelegramPost::default()
    });
    let why = vec![
        reason(&item, "@wagner-group", Field::Text, "Вагнер"),
        reason(&item, "@ml", Field::Text, "Мали"),
        reason(&item, "возвращаются", Field::Text, "возвращаются"),
        reason(&item, "@ml", Field::Text, "Тимбукту"),
    ];
    let mut leaves = rule("wagner-leaves-sahel", Severity::Critical, why);
    leaves.note = Some("Call the desk head.\nThen <Bamako>.".into());
    let mut alert = alert(item, Severity::Critical, vec![leaves], 3);
    alert.entities = vec![entity("wagner-group", "mercenary", "Wagner Group")];
    alert.places = vec![timbuktu()];
    alert
}

/// A French article with a title, an update of a story of three reports: press, high. Two rules fired that it does
/// not tell of.
pub(crate) fn french() -> Alert {
    let title = "Mali: l'armée et Africa Corps quittent la base de Tessalit";
    let text = "Des éléments de l’Africa Corps et des Forces armées maliennes ont quitté le camp de Tessalit, \
                dans l’extrême nord du pays, selon plusieurs sources locales. Le départ a commencé à l’aube.";
    let link = "https://www.rfi.example/fr/afrique/20261123-mali-tessalit?utm_source=rss&x=1";
    let mut item = item("rfi-afrique", SourceKind::Feed, title, text, link);
    item.lang = Some("fr".to_owned());
    item.guid = Some("20261123-mali-tessalit".to_owned());
    let wagner = vec![
        reason(&item, "@africa-corps", Field::Title, "Africa Corps"),
        reason(&item, "quitt*", Field::Title, "quittent"),
        reason(&item, "@africa-corps", Field::Text, "Africa Corps"),
        reason(&item, "quitt*", Field::Text, "quitté"),
    ];
    let bases = vec![
        reason(&item, "@ml-tessalit", Field::Title, "base de Tessalit"),
        reason(&item, "base de", Field::Title, "la base de"),
    ];
    let trial = Match { mode: Mode::Shadow, ..rule("on-trial", Severity::Critical, bases.clone()) };
    let late = rule("too-late", Severity::Critical, wagner.clone());
    let mut falls = rule("base-falls", Severity::Medium, bases);
    falls.note = Some("Ask the desk in Dakar.".into());
    falls.score = Some(45);
    let rules = vec![falls, rule("africa-corps-moves", Severity::High, wagner)];
    let mut alert = alert(item, Severity::High, rules, 2);
    alert.untold = vec![trial, late];
    alert.kind = AlertKind::Update;
    alert.story.reports = 3;
    alert.story.sources = ["studio-tamani", "africa-corps-channel", "rfi-afrique"].map(source).to_vec();
    alert.entities = vec![
        entity("africa-corps", "state-force", "Africa Corps"),
        entity("fama", "army", "Malian Armed Forces"),
    ];
    alert.places = vec![PlaceRef {
        id: "ml-tessalit".to_owned(),
        name: "Tessalit".to_owned(),
        country: Some("ML".to_owned()),
        within: ["ml-kidal-region", "ml", "sahel"].map(str::to_owned).to_vec(),
        at: Some((20.1986, 1.0114)),
    }];
    alert
}

/// An Arabic dispatch: wire, medium, undated.
pub(crate) fn arabic() -> Alert {
    let title = "مالي: هجوم على موقع للجيش قرب تمبكتو";
    let text = "قُتل عدد من الجنود في هجوم استهدف موقعا عسكريا قرب تمبكتو شمال مالي، وفق مصدر أمني.";
    let mut item = item("wire-ar", SourceKind::Feed, title, text, "https://wire.example/ar/2026/11/مالي");
    item.lang = Some("ar".to_owned());
    item.published = None;
    let why = vec![
        reason(&item, "هجوم", Field::Title, "هجوم"),
        reason(&item, "@ml-timbuktu", Field::Title, "تمبكتو"),
        reason(&item, "@ml-timbuktu", Field::Text, "تمبكتو"),
    ];
    let mut alert = alert(item, Severity::Medium, vec![rule("attack-on-army", Severity::Medium, why)], 1);
    alert.places = vec![timbuktu()];
    alert
}

/// What a source could write to harm its reader.
pub(crate) fn hostile() -> Alert {
    let title = "Coup in Mali\r\nBcc: victim@evil.example\r\n\r\n<script>alert(1)</script>\u{202e}gpj.exe\u{0}\u{1b}[2J";
    let text = "\u{1b}]0;owned\u{7}\n.\nQUIT\n.hidden\n\n\n\n\n\"><img src=https://evil.example/pixel.png onerror=x> \
                &amp; {{7*7}} @everyone \u{2028}=cmd()|'/C calc'!A0 \u{2066}Mali\u{2069}";
    let mut item = item("open-feed", SourceKind::Feed, title, text, "javascript:alert(document.cookie)");
    item.lang = Some("en\" onload=\"x".to_owned());
    item.author = Some("Evil\r\nBcc: victim@evil.example".to_owned());
    let mut why =
        vec![reason(&item, "@ml", Field::Title, "Mali"), reason(&item, "<b>", Field::Title, "<script>")];
    // Spans that fit nothing: beyond the end, within a character, backwards.
    for (start, end) in [(900, 910), (61, 62), (40, 20)] {
        let span = ByteSpan { start, end };
        why.push(Reason { term: "bad".to_owned(), text: String::new(), field: Field::Text, span });
    }
    let mut alert = alert(item, Severity::Low, vec![rule("coup", Severity::Low, why)], 3);
    alert.entities = vec![entity("x", "person\u{1b}[0m", "<b>Evil</b>\r\n")];
    alert
}

/// When every attempt of the samples begins.
pub(crate) fn now() -> Timestamp {
    time("2026-11-23T17:00:05Z")
}

fn alert(item: Item, severity: Severity, rules: Vec<Match>, tier: u8) -> Alert {
    let story = Story {
        id: StoryId::from_bytes([0x51; 16]),
        reports: 1,
        sources: item.source.clone().into_iter().collect(),
        first_seen: time("2026-11-23T16:41:30Z"),
        told: Vec::new(),
        severity,
    };
    Alert {
        id: AlertId::from_bytes([1, 0x9a, 0x12, 0x34, 0x56, 0x78, tier, 7, 7, 7, 7, 7, 7, 7, 7, 7]),
        kind: AlertKind::New,
        disposition: Disposition::Sent,
        unrouted: false,
        created: time("2026-11-23T17:00:00Z"),
        severity,
        rules,
        untold: Vec::new(),
        truncated: false,
        article: None,
        tier,
        fetched: time("2026-11-23T16:59:58Z"),
        dating: Dating::Plain,
        repeat: None,
        entities: Vec::new(),
        places: Vec::new(),
        story,
        item,
    }
}

fn item(name: &str, kind: SourceKind, title: &str, text: &str, url: &str) -> Item {
    let source = source(name);
    Item {
        id: ItemId::new(&source, SeenKey::new("link", url)),
        source: Some(source),
        kind,
        url: Some(url.to_owned()),
        published: Some(time("2026-11-23T16:40:00Z")),
        ..Item::of_text(title, text)
    }
}

/// The first occurrence of `words` in a field, as what met `term`.
fn reason(item: &Item, term: &str, field: Field, words: &str) -> Reason {
    let text = match field {
        Field::Title => &item.title,
        Field::Text => &item.text,
    };
    let start = text.find(words).expect("the sample has these words");
    let span = ByteSpan { start, end: start + words.len() };
    Reason { term: term.to_owned(), text: words.to_owned(), field, span }
}

fn rule(name: &str, severity: Severity, why: Vec<Reason>) -> Match {
    Match {
        rule: name.into(),
        severity,
        tags: vec!["sample".to_owned()],
        mode: Mode::Live,
        note: None,
        max_age: None,
        score: None,
        why,
    }
}

fn entity(id: &str, entity_type: &str, name: &str) -> EntityRef {
    EntityRef { id: id.to_owned(), entity_type: entity_type.to_owned(), name: name.to_owned() }
}

fn timbuktu() -> PlaceRef {
    PlaceRef {
        id: "ml-timbuktu".to_owned(),
        name: "Timbuktu".to_owned(),
        country: Some("ML".to_owned()),
        within: ["ml-tombouctou-region", "ml", "sahel"].map(str::to_owned).to_vec(),
        at: Some((16.7735, -3.0074)),
    }
}

fn source(name: &str) -> SourceName {
    SourceName::new(name).expect("a source name")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The message that tells `alert` to `recipient`, in good time.
pub(crate) fn message<'a>(alert: &'a Alert, recipient: &'a str, timezone: &'a TimeZone) -> Message<'a> {
    let id = DeliveryId::new(alert.id, "tried", recipient);
    Message {
        id,
        body: Body::Alert(alert),
        recipient,
        timezone,
        now: now(),
        sent: Some(now()),
        late: false,
        possible_duplicate: false,
        follows: None,
    }
}
