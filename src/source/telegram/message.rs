//! One message of a preview page.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use scraper::{ElementRef, Selector};

use super::selector;
use crate::item::{Forward, LinkPreview, Poll, TelegramPost, link};
use crate::source::candidate::Draft;
use crate::source::html;

/// Most links kept of one message; Telegram allows 100 of them.
const LINKS_MAX: usize = 100;

/// Most members of an album that are read; Telegram allows ten.
const ALBUM_MAX: usize = 100;

/// What stands before the words of a message that was pinned.
const PINNED: &str = " pinned «";

/// What was read of a message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) draft: Draft,
    /// Telegram's own number of the channel.
    pub(super) channel: Option<i64>,
    /// Server time when the page was made.
    pub(super) rendered: Option<Timestamp>,
}

/// The selectors of a message, by what they find.
struct Layout {
    date: Selector,
    text: Selector,
    reply: Selector,
    forward: Selector,
    forward_name: Selector,
    signature: Selector,
    meta: Selector,
    views: Selector,
    member: Selector,
    link: Selector,
    preview: Selector,
    preview_title: Selector,
    preview_description: Selector,
    poll: Selector,
    question: Selector,
    option: Selector,
    player: Selector,
    looped: Selector,
    music: Selector,
    unsupported: Selector,
    photo: Selector,
    round_video: Selector,
    voice: Selector,
    document: Selector,
    document_title: Selector,
    sticker: Selector,
    location: Selector,
}

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| Layout {
    // A video's duration is a `time` as well, and comes first: the date has `datetime`.
    date: selector(".tgme_widget_message_date time[datetime], .tgme_widget_message_meta time[datetime]"),
    text: selector(".js-message_text"),
    reply: selector(".tgme_widget_message_reply"),
    forward: selector(".tgme_widget_message_forwarded_from"),
    forward_name: selector(".tgme_widget_message_forwarded_from_name"),
    signature: selector(".tgme_widget_message_meta .tgme_widget_message_from_author"),
    meta: selector(".tgme_widget_message_meta"),
    views: selector(".tgme_widget_message_views"),
    member: selector(".tgme_widget_message_grouped_wrap .grouped_media_wrap[href]"),
    link: selector("a[href]"),
    preview: selector(".tgme_widget_message_link_preview"),
    preview_title: selector(".link_preview_title"),
    preview_description: selector(".link_preview_description"),
    poll: selector(".tgme_widget_message_poll"),
    question: selector(".tgme_widget_message_poll_question"),
    option: selector(".tgme_widget_message_poll_option_text"),
    player: selector(".tgme_widget_message_video_player"),
    looped: selector("video[loop]"),
    music: selector(".tgme_widget_message_document_icon.audio"),
    unsupported: selector(".message_media_not_supported, .message_media_not_supported_wrap"),
    photo: selector(".tgme_widget_message_photo_wrap"),
    round_video: selector(".tgme_widget_message_roundvideo_player"),
    voice: selector(".tgme_widget_message_voice_player"),
    document: selector(".tgme_widget_message_document_wrap"),
    document_title: selector(".tgme_widget_message_document_title"),
    sticker: selector(".tgme_widget_message_sticker, .tgme_widget_message_tgsticker, .js-videosticker_video"),
    location: selector(".tgme_widget_message_location_wrap"),
});

/// Reads a message; `None` when it has no number.
pub(super) fn read(message: ElementRef<'_>) -> Option<Message> {
    let (channel, number) = message.attr("data-post")?.trim().split_once('/')?;
    let number: u64 = number.parse().ok()?;
    let channel_fits = channel.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !channel_fits || channel.is_empty() {
        return None;
    }
    let element = text_element(message);
    let mut text = element.map(|element| html::element_text(element)).unwrap_or_default();
    if is_service(message) {
        leave_out_pinned(&mut text);
    }
    let album = album(message);
    let preview = message.select(&LAYOUT.preview).next();
    let post = TelegramPost {
        channel: channel.to_owned(),
        message: number,
        kinds: kinds(message, !text.is_empty(), preview.is_some()),
        views: first_text(message, &LAYOUT.views).and_then(|views| count(&views)),
        edited: edited(message),
        signature: first_text(message, &LAYOUT.signature),
        forwarded_from: forward(message),
        reply_to: message.select(&LAYOUT.reply).next().and_then(href),
        links: element.map(links).unwrap_or_default(),
        preview: preview.map(link_preview),
        poll: poll(message),
        documents: documents(message),
        album,
        via: None,
    };
    let date = message.select(&LAYOUT.date).find_map(|time| time.attr("datetime"));
    let draft = Draft {
        text,
        url: Some(format!("https://t.me/{channel}/{number}")),
        published: date.and_then(|date| date.trim().parse().ok()),
        telegram: Some(post),
        ..Draft::default()
    };
    let view = message.attr("data-view").and_then(view);
    let part = |name| view.as_ref().and_then(|view| view.get(name)).and_then(serde_json::Value::as_i64);
    let rendered = part("t").and_then(|second| Timestamp::from_second(second).ok());
    Some(Message { draft, channel: part("c"), rendered })
}

/// The text: the outermost element, as captions of albums nest two; the quote of a reply is none.
fn text_element(message: ElementRef<'_>) -> Option<ElementRef<'_>> {
    message.select(&LAYOUT.text).find(|found| {
        let around = found.ancestors().filter_map(ElementRef::wrap);
        !around.take_while(|ancestor| *ancestor != message).any(|ancestor| LAYOUT.reply.matches(&ancestor))
    })
}

/// Whether the service itself says it: that the channel was created, or something pinned.
fn is_service(message: ElementRef<'_>) -> bool {
    message.value().classes().any(|class| class == "service_message")
}

/// Takes the quotation out of `Name pinned «…»`: its words are of another message, which may be years old, and the pin's
/// date is not theirs.
fn leave_out_pinned(text: &mut String) {
    if let Some((pin, _)) = text.split_once(PINNED) {
        *text = format!("{pin}{}", PINNED.trim_end_matches([' ', '«']));
    }
}

/// Numbers of the members of an album, from their links `https://t.me/channel/12?single`.
fn album(message: ElementRef<'_>) -> Vec<u64> {
    let mut members: Vec<u64> = Vec::new();
    for member in message.select(&LAYOUT.member).take(ALBUM_MAX) {
        let path = member.attr("href").and_then(|href| href.split('?').next());
        let number = path.and_then(|path| path.rsplit('/').next()).and_then(|number| number.parse().ok());
        members.extend(number.filter(|number| !members.contains(number)));
    }
    members.sort_unstable();
    members
}

/// The kinds of content, in a fixed order.
fn kinds(message: ElementRef<'_>, text: bool, preview: bool) -> Vec<String> {
    let has = |selector| message.select(selector).next().is_some();
    // Of each element found, whether it has the mark inside: a loop makes a gif, a note makes music.
    let marked = |selector, mark| -> Vec<bool> {
        message.select(selector).map(|found| found.select(mark).next().is_some()).collect()
    };
    let players = marked(&LAYOUT.player, &LAYOUT.looped);
    let documents = marked(&LAYOUT.document, &LAYOUT.music);
    let kinds = [
        ("service", is_service(message)),
        ("photo", has(&LAYOUT.photo)),
        ("video", players.contains(&false)),
        ("gif", players.contains(&true)),
        ("round_video", has(&LAYOUT.round_video)),
        ("voice", has(&LAYOUT.voice)),
        ("document", documents.contains(&false)),
        ("audio", documents.contains(&true)),
        ("poll", has(&LAYOUT.poll)),
        ("sticker", has(&LAYOUT.sticker)),
        ("location", has(&LAYOUT.location)),
        ("text", text),
        ("link_preview", preview),
    ];
    let mut kinds: Vec<String> =
        kinds.into_iter().filter(|(_, present)| *present).map(|(kind, _)| kind.to_owned()).collect();
    // Almost every player hides a "not supported" notice: it counts when there is nothing else.
    if kinds.is_empty() && has(&LAYOUT.unsupported) {
        kinds.push("unsupported".to_owned());
    }
    kinds
}

/// Whether the line below the message says `edited`, outside the signature.
fn edited(message: ElementRef<'_>) -> bool {
    message.select(&LAYOUT.meta).flat_map(|meta| meta.children()).any(|child| {
        let text = child.value().as_text();
        text.is_some_and(|text| text.split(|c: char| !c.is_alphabetic()).any(|word| word == "edited"))
    })
}

fn forward(message: ElementRef<'_>) -> Option<Forward> {
    let line = message.select(&LAYOUT.forward).next()?;
    let name = line.select(&LAYOUT.forward_name).next();
    let text = html::element_text(name.unwrap_or(line));
    let text = html::one_line(text.strip_prefix("Forwarded from").unwrap_or(&text));
    Some(Forward { name: text, url: name.and_then(href) })
}

/// Links of the text to other places; hashtags lead into the page's own search, and are left out.
fn links(text: ElementRef<'_>) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for link in text.select(&LAYOUT.link).filter_map(href) {
        if links.len() < LINKS_MAX && !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

/// The address that an element leads to, as written; `None` when it is relative or no web address.
fn href(element: ElementRef<'_>) -> Option<String> {
    let href = element.attr("href")?.trim();
    link::normalise(href).map(|_| href.to_owned())
}

fn link_preview(preview: ElementRef<'_>) -> LinkPreview {
    LinkPreview {
        url: href(preview),
        title: first_text(preview, &LAYOUT.preview_title),
        description: first_text(preview, &LAYOUT.preview_description),
    }
}

fn poll(message: ElementRef<'_>) -> Option<Poll> {
    let poll = message.select(&LAYOUT.poll).next()?;
    let texts = poll.select(&LAYOUT.option).map(|option| html::element_text(option));
    Some(Poll { question: first_text(poll, &LAYOUT.question).unwrap_or_default(), options: texts.collect() })
}

fn documents(message: ElementRef<'_>) -> Vec<String> {
    let titles = message.select(&LAYOUT.document_title).take(ALBUM_MAX);
    let titles = titles.map(|title| html::element_text(title));
    titles.filter(|title| !title.is_empty()).collect()
}

/// The text of the first element found; `None` when it is empty.
fn first_text(within: ElementRef<'_>, selector: &Selector) -> Option<String> {
    let text = html::element_text(within.select(selector).next()?);
    (!text.is_empty()).then_some(text)
}

/// `746`, `17.2K` and `8.67M` as numbers.
fn count(text: &str) -> Option<u64> {
    let (digits, scale) = match text.trim().strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1_000),
        None => text.trim().strip_suffix(['M', 'm']).map_or((text.trim(), 1), |digits| (digits, 1_000_000)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut value = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut unit = scale;
    for digit in part.chars() {
        unit /= 10;
        value = value.checked_add(u64::from(digit.to_digit(10)?) * unit)?;
    }
    Some(value)
}

/// What `data-view` says, base64 of `{"c":-1006503122,"p":519,"t":1786277379,"h":"…"}`: the channel, the message and
/// the server's time.
fn view(view: &str) -> Option<serde_json::Value> {
    let json = URL_SAFE_NO_PAD.decode(view.trim().trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_expanded() {
        for (text, expected) in [
            ("746", Some(746)),
            ("17.2K", Some(17_200)),
            ("8.67M", Some(8_670_000)),
            ("29.0K", Some(29_000)),
            ("", None),
            ("many", None),
            ("99999999999999999999M", None),
            ("1.23456789K", Some(1_234)),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_pinned_is_not_said_once_more() {
        for (text, expected) in [
            ("Post pinned «Convoy attacked»", "Post pinned"),
            ("Post pinned «Convoy\nattacked: «all» dead…", "Post pinned"),
            ("Post pinned a photo", "Post pinned a photo"),
            ("Channel name was changed to «Post»", "Channel name was changed to «Post»"),
        ] {
            let mut left = text.to_owned();
            leave_out_pinned(&mut left);
            assert_eq!(left, expected);
        }
    }

    #[test]
    fn a_view_tells_channel_and_time() {
        let text = "eyJjIjotMTU5MTUzNzY3NCwicCI6MTMsInQiOjE2NzcyMjg3MzMsImgiOiI4YTgyMWYwY2NiZTkxODFmNzcifQ";
        let found = view(text).unwrap();
        assert_eq!((found["c"].as_i64(), found["t"].as_i64()), (Some(-1_591_537_674), Some(1_677_228_733)));
        assert_eq!(view("!"), None);
    }
}
