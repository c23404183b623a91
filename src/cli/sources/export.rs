//! `harmattan sources export`: the feeds and channels as an OPML list.

use std::collections::BTreeSet;

use crate::cli::At;
use crate::cli::print::{Exit, bytes, talk};
use crate::config::SourceAddress;
use crate::source::opml::{self, Outline};
use crate::source::telegram::ChannelName;

pub(super) fn export(at: &At) -> anyhow::Result<Exit> {
    let desk = at.desk()?;
    let (mut feeds, mut others) = (Vec::new(), Vec::new());
    for source in &desk.config.sources {
        let url = match &source.what {
            SourceAddress::Feed(url) => Some(url.clone()),
            // As `import` and other readers take it.
            SourceAddress::Telegram { channel, .. } => {
                channel.parse::<ChannelName>().ok().and_then(|channel| channel.preview_url("t.me"))
            }
            SourceAddress::Page { url, .. } => {
                others.push(format!("page {}: {url}", source.name));
                None
            }
        };
        feeds.extend(url.map(|url| Outline {
            title: source.name.as_str().to_owned(),
            url,
            tags: source.tags.clone(),
            lang: source.lang.clone(),
            is_off: !source.enabled,
        }));
    }
    let tags: BTreeSet<&String> = feeds.iter().flat_map(|feed| &feed.tags).collect();
    bytes(opml::write(&feeds, &others).as_bytes())?;
    if !others.is_empty() {
        talk(format!("{} pages are no feeds: they stand in comments", others.len()));
    }
    for (tag, written) in tags.into_iter().map(|tag| (tag, opml::tag_of(tag))) {
        if *tag != written {
            talk(format!("the tag `{tag}` is written as `{written}`, which is how such a list is read"));
        }
    }
    Ok(Exit::Done)
}
