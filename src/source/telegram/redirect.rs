//! What a redirect of a preview means. Telegram leads from `/s/<channel>` to `/<channel>` where it shows no preview; whoever
//! else leads away (a captive portal, a page that says what is blocked) says nothing of the channel.

use url::Url;

use super::ChannelName;
use super::channel::HOSTS;

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To the channel's landing page: it has no preview.
    Landing,
    /// To its preview on a host that is Telegram's too.
    Preview(Url),
    /// Elsewhere; in words.
    Astray(String),
}

/// What it means that `asked`, a page of the preview of `channel`, redirects to `location`; `hosts` are those at which
/// the channel is asked for, as configured.
pub fn turn(channel: &ChannelName, asked: &Url, hosts: &[String], location: &str) -> Turn {
    let Ok(mut to) = asked.join(location) else { return Turn::Astray("to what is no address".to_owned()) };
    let Some(host) = to.host_str().map(str::to_ascii_lowercase) else {
        return Turn::Astray(format!("to an address of `{}`", to.scheme()));
    };
    let configured = hosts.iter().filter_map(|host| channel.preview_url(host));
    let ours = asked.host_str() == Some(&host)
        || HOSTS.contains(&host.as_str())
        || configured.into_iter().any(|url| url.host_str() == Some(&host));
    if !ours || !matches!(to.scheme(), "http" | "https") {
        return Turn::Astray(format!("to `{host}`, which is not Telegram's"));
    }
    let path = to.path().trim_end_matches('/').to_ascii_lowercase();
    let name = channel.as_str().to_ascii_lowercase();
    let path = path.strip_prefix(&base(asked, &name)).unwrap_or(&path);
    if path == format!("/{name}") {
        return Turn::Landing;
    }
    if path != format!("/s/{name}") {
        return Turn::Astray(format!("to another page of `{host}`"));
    }
    if asked.scheme() == "https" && to.scheme() == "http" {
        return Turn::Astray("from https to http".to_owned());
    }
    if to.query().is_none() {
        // The number before which messages were asked for.
        to.set_query(asked.query());
    }
    if to == *asked { Turn::Astray("to itself".to_owned()) } else { Turn::Preview(to) }
}

/// What stands before the path of a page that was asked for: a host may be configured with a folder.
fn base(asked: &Url, name: &str) -> String {
    let path = asked.path().trim_end_matches('/').to_ascii_lowercase();
    path.strip_suffix(&format!("/s/{name}")).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t11_only_the_landing_page_on_a_host_of_telegram_means_that_there_is_no_preview() {
        let channel: ChannelName = "Grey_zone".parse().unwrap();
        let hosts = ["t.me".to_owned(), "http://127.0.0.1:8080".to_owned()];
        let astray = |words: &str| Turn::Astray(words.to_owned());
        let preview = |url: &str| Turn::Preview(Url::parse(url).unwrap());
        let stranger = astray("to `portal.example`, which is not Telegram's");
        for (asked, location, expected) in [
            ("https://t.me/s/Grey_zone", "https://t.me/Grey_zone", Turn::Landing),
            ("https://t.me/s/Grey_zone", "https://t.me/grey_zone/", Turn::Landing),
            ("https://t.me/s/Grey_zone", "/Grey_zone", Turn::Landing),
            ("https://t.me/s/Grey_zone", "//telegram.dog/grey_zone?x=1", Turn::Landing),
            ("http://127.0.0.1:8080/s/Grey_zone", "https://t.me/Grey_zone", Turn::Landing),
            ("https://mirror.example/s/Grey_zone", "/Grey_zone", Turn::Landing),
            ("https://mirror.example/Tg/s/Grey_zone", "/tg/Grey_zone", Turn::Landing),
            (
                "https://t.me/s/Grey_zone",
                "https://telegram.me/s/grey_zone",
                preview("https://telegram.me/s/grey_zone"),
            ),
            (
                "https://t.me/s/Grey_zone?before=20",
                "https://telegram.me/s/Grey_zone",
                preview("https://telegram.me/s/Grey_zone?before=20"),
            ),
            (
                "http://127.0.0.1:8080/s/Grey_zone",
                "/s/Grey_zone/",
                preview("http://127.0.0.1:8080/s/Grey_zone/"),
            ),
            ("https://t.me/s/Grey_zone", "https://portal.example/Grey_zone", stranger.clone()),
            ("https://t.me/s/Grey_zone", "https://portal.example/s/Grey_zone", stranger.clone()),
            ("https://t.me/s/Grey_zone", "http://portal.example/login?to=t.me/Grey_zone", stranger),
            (
                "https://t.me/s/Grey_zone",
                "https://t.me.evil.example/Grey_zone",
                astray("to `t.me.evil.example`, which is not Telegram's"),
            ),
            ("https://t.me/s/Grey_zone", "https://t.me/s/other", astray("to another page of `t.me`")),
            ("https://t.me/s/Grey_zone", "https://t.me/", astray("to another page of `t.me`")),
            ("https://t.me/s/Grey_zone", "http://telegram.me/s/Grey_zone", astray("from https to http")),
            ("https://t.me/s/Grey_zone", "/s/Grey_zone", astray("to itself")),
            ("https://t.me/s/Grey_zone", "tg:resolve?domain=Grey_zone", astray("to an address of `tg`")),
            ("https://t.me/s/Grey_zone", "https://[", astray("to what is no address")),
        ] {
            let asked = Url::parse(asked).unwrap();
            assert_eq!(turn(&channel, &asked, &hosts, location), expected, "{asked} {location}");
        }
    }
}
