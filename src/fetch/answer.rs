//! From a response to an answer: what each status means, and the body under its limit.

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED, LOCATION};
use url::Url;

use super::body::Limits;
use super::coding::Decoded;
use super::error::{Failure, FetchError, bare, shown};
use super::room::Room;
use super::{Answer, Document, Redirects, Validators, body, challenge};

/// The header that names what was done to a document in a 226 (RFC 3229).
const IM: &str = "im";

/// What one request of a chain came to.
pub(super) enum Hop {
    /// The end of the chain.
    Done(Answer),
    /// A redirect to follow.
    Onward {
        /// Where to.
        target: Url,
        /// Whether the server calls it permanent (301, 308).
        for_good: bool,
    },
}

/// What was asked, as far as the meaning of the answer depends on it.
pub(super) struct Asked<'a> {
    /// Where.
    pub(super) url: &'a Url,
    /// Whether redirects are followed or handed back.
    pub(super) redirects: Redirects,
    /// Whether validators were sent.
    pub(super) conditional: bool,
    /// Whether the new entries alone would do.
    pub(super) delta: bool,
    /// Whether it must be a page: what says of itself that it is none is not read.
    pub(super) page: bool,
}

/// Sorts an answer by its status and reads the body of a document, within its limits.
pub(super) async fn read(
    response: Response,
    asked: &Asked<'_>,
    limits: &Limits<'_>,
    room: &mut Room,
) -> Result<Hop, FetchError> {
    let status = response.status();
    let code = status.as_u16();
    if challenge::is_announced(status, response.headers()) {
        return Err(Failure::Challenge { status: code }.into());
    }
    let failure = match code {
        200 | 203
            if asked.page
                && let Some(content_type) = media(response.headers()) =>
        {
            Failure::NotAPage { content_type }
        }
        200 | 203 => return document(response, asked.url, limits, room).await.map(Hop::Done),
        226 if asked.delta && is_delta(response.headers()) => {
            return document(response, asked.url, limits, room).await.map(Hop::Done);
        }
        226 => Failure::Status { status: code, detail: "a change to a document that nobody asked for" },
        // A body that comes with it is not looked at.
        304 if asked.conditional => {
            return Ok(Hop::Done(Answer::Unchanged { validators: validators(response.headers()) }));
        }
        304 => Failure::Status { status: code, detail: "not modified, though nothing was known" },
        301 | 302 | 303 | 307 | 308 => return Ok(redirect(&response, asked.url, asked.redirects)?),
        204 => Failure::Status { status: code, detail: "empty body" },
        _ if body::hides_a_challenge(response, limits.until).await => Failure::Challenge { status: code },
        _ => Failure::Status { status: code, detail: "" },
    };
    Err(failure.into())
}

/// Whether a 226 holds the new entries and nothing else: a difference of bytes would need the document that we did not
/// keep.
fn is_delta(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(IM).iter().filter_map(|line| line.to_str().ok());
    let mut done: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    done.retain(|name| !matches!(name.as_str(), "" | "gzip" | "identity"));
    done == ["feed"]
}

/// What a document says of its type, when nobody would call that a page. The bytes decide about all other types: many a
/// page is sent as plain text or XML.
fn media(headers: &HeaderMap) -> Option<String> {
    let stated = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let name = stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, form) = name.split_once('/')?;
    let is_media = match kind {
        "audio" | "video" | "image" | "font" => true,
        "application" => {
            matches!(form, "pdf" | "octet-stream" | "zip" | "gzip" | "epub+zip" | "msword" | "ogg")
                || form.starts_with("vnd.openxmlformats-")
                || form.starts_with("vnd.ms-")
        }
        _ => false,
    };
    is_media.then_some(name)
}

async fn document(
    response: Response,
    url: &Url,
    limits: &Limits<'_>,
    room: &mut Room,
) -> Result<Answer, FetchError> {
    let status = response.status().as_u16();
    let validators = validators(response.headers());
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let Decoded { bytes, failure } = body::read(response, limits, room).await?;
    let empty = bytes.is_empty();
    let document = Document { url: bare(url), bytes, content_type, validators, delta: status == 226 };
    match failure {
        // Whoever announced more than there is has sent all of it.
        Some(_) if body::is_whole_page(&document.bytes) => Ok(Answer::Document(document)),
        Some(failure) => {
            let part = (!empty).then(|| Box::new(document));
            Err(FetchError { part, ..failure.into() })
        }
        None if empty => Err(Failure::Status { status, detail: "empty body" }.into()),
        None => Ok(Answer::Document(document)),
    }
}

fn validators(headers: &HeaderMap) -> Validators {
    let opaque =
        |name| headers.get(name).map(|value| value.as_bytes().to_vec()).filter(|value| !value.is_empty());
    Validators { etag: opaque(ETAG), last_modified: opaque(LAST_MODIFIED) }
}

fn redirect(response: &Response, url: &Url, redirects: Redirects) -> Result<Hop, Failure> {
    let location = response.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let location = location.ok_or_else(|| Failure::Redirect("it does not say where to".to_owned()))?;
    match redirects {
        Redirects::Report => Ok(Hop::Done(Answer::Redirect { location: location.into_owned() })),
        Redirects::Follow => {
            let target = target(url, &location)?;
            Ok(Hop::Onward { target, for_good: matches!(response.status().as_u16(), 301 | 308) })
        }
    }
}

/// Where a redirect leads. Credentials stay with the origin they were written for.
fn target(from: &Url, location: &str) -> Result<Url, Failure> {
    let joined = from.join(location);
    let mut target = joined.map_err(|_| Failure::Redirect("it leads to no valid address".to_owned()))?;
    target.set_fragment(None);
    match (from.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => {}
        (_, "http") => return Err(Failure::Redirect(format!("from https to {}", shown(&target)))),
        (_, scheme) => return Err(Failure::Redirect(format!("to the scheme `{scheme}`"))),
    }
    if target.origin() != from.origin() {
        return Ok(bare(&target));
    }
    if target.username().is_empty() && target.password().is_none() {
        // Refused only for URLs without a host; those were sorted out.
        target.set_username(from.username()).ok();
        target.set_password(from.password()).ok();
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_known_by_the_type_that_they_state() {
        for (stated, expected) in [
            ("audio/mpeg", true),
            ("Video/MP4; codecs=avc1", true),
            ("image/jpeg", true),
            ("application/pdf", true),
            ("application/octet-stream", true),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", true),
            ("text/html; charset=utf-8", false),
            ("application/xhtml+xml", false),
            ("application/xml", false),
            ("text/plain", false),
            ("html", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, stated.parse().unwrap())]);
            assert_eq!(media(&headers).is_some(), expected, "{stated}");
        }
        assert_eq!(media(&HeaderMap::new()), None);
    }

    fn hop(from: &str, location: &str) -> Result<String, String> {
        target(&Url::parse(from).unwrap(), location).map(String::from).map_err(|failure| failure.to_string())
    }

    #[test]
    fn r6_redirects_keep_to_http_and_never_lose_tls() {
        assert_eq!(hop("http://a.org/x", "/y#z"), Ok("http://a.org/y".to_owned()));
        assert_eq!(hop("http://a.org/x", "https://b.org"), Ok("https://b.org/".to_owned()));
        assert_eq!(hop("https://a.org/x", "//b.org/y"), Ok("https://b.org/y".to_owned()));
        for bad in
            ["file:///etc/passwd", "ftp://b.org/", "data:text/plain,x", "javascript:alert(1)", "http://[bad"]
        {
            assert!(hop("http://a.org/x", bad).is_err(), "{bad}");
        }
        let downgrade = hop("https://a.org/x", "http://b.org/y?token=s3cret").unwrap_err();
        assert_eq!(downgrade, "redirect not followed: from https to http://b.org/y?…");
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        assert_eq!(hop("http://u:p@a.org/x", "/y"), Ok("http://u:p@a.org/y".to_owned()));
        assert_eq!(hop("http://u:p@a.org/x", "http://a.org/y"), Ok("http://u:p@a.org/y".to_owned()));
        assert_eq!(hop("http://u:p@a.org/x", "http://b.org/y"), Ok("http://b.org/y".to_owned()));
        assert_eq!(hop("http://a.org/x", "http://u:p@b.org/y"), Ok("http://b.org/y".to_owned()));
    }
}
