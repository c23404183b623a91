//! The pages at `t.me/<name>`: where a channel without preview, and any other name, ends up.

use std::sync::LazyLock;

use scraper::{Html, Selector};

use super::selector;
use crate::source::Unreadable;
use crate::source::html;

struct Layout {
    page: Selector,
    title: Selector,
    extra: Selector,
    action: Selector,
    preview: Selector,
}

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| Layout {
    page: selector(".tgme_page"),
    title: selector(".tgme_page_title"),
    extra: selector(".tgme_page_extra"),
    action: selector(".tgme_page_action a"),
    // The first form is of 2026, the second of 2021.
    preview: selector("a.tgme_page_context_link[href^='/s/'], .tgme_page_context_action a[href^='/s/']"),
});

/// Why a landing page stands where a preview was asked for; `None` when it is no landing page.
///
/// The title says little (channels of 2021 carry that of persons), so the count and the button decide. Asking for
/// the preview led here, so a channel whose page offers one all the same shows it to others, not to us.
pub(super) fn reason(page: &Html) -> Option<Unreadable> {
    page.select(&LAYOUT.page).next()?;
    let texts = |selector| page.select(selector).map(|found| html::element_text(found));
    let extras: Vec<String> = texts(&LAYOUT.extra).collect();
    let extra = |word: &str| extras.iter().any(|extra| extra.to_lowercase().contains(word));
    let action = texts(&LAYOUT.action).next().unwrap_or_default().to_lowercase();
    if extra("subscriber") {
        return Some(without_preview(page, &texts(&LAYOUT.page).collect::<String>()));
    }
    let what = if action.contains("start bot") || extra("monthly users") {
        "bot"
    } else if extra("online") || action.contains("join group") || action.contains("view group") {
        "group"
    } else if extra("member") {
        // Pages of 2021 count the members of channels and of groups alike; channels alone offer a preview.
        let told = without_preview(page, &texts(&LAYOUT.page).collect::<String>());
        if told != Unreadable::PreviewOff {
            return Some(told);
        }
        "group"
    } else if page.select(&LAYOUT.title).next().is_some() {
        "person"
    } else {
        "unknown name"
    };
    Some(Unreadable::NotAChannel(what.to_owned()))
}

/// What keeps a channel's preview from us. Channels for adults and those that were banned are told by Telegram's own
/// sentences, of which no genuine copy was at hand: one that reads otherwise is a preview that is off.
fn without_preview(page: &Html, words: &str) -> Unreadable {
    let words = words.to_lowercase().replace('\u{2019}', "'");
    let says = |sentence: &str| words.contains(sentence);
    if says("channel can't be displayed because") || says("channel cannot be displayed because") {
        let adult = says("porn") || says("adult") || says("sensitive");
        return Unreadable::Withheld(if adult {
            "it is marked as for adults"
        } else {
            "Telegram blocked it"
        });
    }
    if page.select(&LAYOUT.preview).next().is_some() {
        return Unreadable::Withheld(
            "its page offers one that is not shown here, as when it is blocked where this machine asks from",
        );
    }
    Unreadable::PreviewOff
}
