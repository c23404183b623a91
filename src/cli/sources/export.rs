//! `harmattan sources export`: the feeds as an OPML list.

use crate::cli::At;
use crate::cli::print::{Exit, bytes, talk};
use crate::config::SourceAddress;
use crate::source::opml::{self, Outline};

pub(super) fn export(at: &At) -> anyhow::Result<Exit> {
    let desk = at.desk()?;
    let (mut feeds, mut others) = (Vec::new(), Vec::new());
    for source in &desk.config.sources {
        match &source.what {
            SourceAddress::Feed(url) => feeds.push(Outline {
                title: source.name.as_str().to_owned(),
                url: url.clone(),
                tags: source.tags.clone(),
                lang: source.lang.clone(),
            }),
            SourceAddress::Telegram { channel, .. } => {
                others.push(format!("telegram {}: {channel}", source.name));
            }
            SourceAddress::Page { url, .. } => others.push(format!("page {}: {url}", source.name)),
        }
    }
    bytes(opml::write(&feeds, &others).as_bytes())?;
    if !others.is_empty() {
        talk(format!("{} channels and pages are no feeds: they stand in comments", others.len()));
    }
    Ok(Exit::Done)
}
