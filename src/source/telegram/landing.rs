//! The pages at `t.me/<name>`: where a channel without preview, and any other name, ends up.

use std::sync::LazyLock;

use scraper::{Html, Selector};

use super::selector;
use crate::source::Unreadable;
use crate::source::html::{self, Breaks};

struct Layout {
    page: Selector,
    title: Selector,
    extra: Selector,
    action: Selector,
}

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| Layout {
    page: selector(".tgme_page"),
    title: selector(".tgme_page_title"),
    extra: selector(".tgme_page_extra"),
    action: selector(".tgme_page_action a"),
});

/// Why a landing page stands where a preview was asked for; `None` when it is no landing page.
///
/// The title says little (channels of 2021 carry that of persons), so the count and the button decide. A
/// channel whose landing page offers a preview counts as one without: asking for the preview led here.
pub(super) fn reason(page: &Html) -> Option<Unreadable> {
    page.select(&LAYOUT.page).next()?;
    let texts = |selector| page.select(selector).map(|found| html::element_text(found, Breaks::Explicit));
    let extras: Vec<String> = texts(&LAYOUT.extra).collect();
    let extra = |word: &str| extras.iter().any(|extra| extra.to_lowercase().contains(word));
    let action = texts(&LAYOUT.action).next().unwrap_or_default().to_lowercase();
    if extra("subscriber") {
        return Some(Unreadable::PreviewOff);
    }
    let what = if action.contains("start bot") || extra("monthly users") {
        "bot"
    } else if extra("online") || action.contains("join group") || action.contains("view group") {
        "group"
    } else if extra("member") {
        // Pages of 2021 count the members of channels and of groups alike; only groups say who is online.
        return Some(Unreadable::PreviewOff);
    } else if page.select(&LAYOUT.title).next().is_some() {
        "person"
    } else {
        "unknown name"
    };
    Some(Unreadable::NotAChannel(what.to_owned()))
}
