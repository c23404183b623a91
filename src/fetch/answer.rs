//! From a response to an answer: what each status means, and the body under its limit.

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

use super::error::{Failure, bare, shown};
use super::{Answer, Document, Redirects, Validators};

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

/// Sorts an answer by its status and reads the body of a document.
///
/// `conditional` tells whether validators were sent; the body may have `bytes_max` bytes once decoded.
pub(super) async fn read(
    response: Response,
    url: &Url,
    redirects: Redirects,
    conditional: bool,
    bytes_max: u64,
) -> Result<Hop, Failure> {
    let status = response.status();
    let code = status.as_u16();
    if challenged(status, response.headers()) {
        return Err(Failure::Challenge { status: code });
    }
    match code {
        200 | 203 => document(response, url, bytes_max).await.map(Hop::Done),
        304 if conditional => Ok(Hop::Done(Answer::Unchanged { validators: validators(response.headers()) })),
        304 => Err(Failure::Status { status: code, detail: "not modified, though nothing was known" }),
        301 | 302 | 303 | 307 | 308 => redirect(&response, url, redirects),
        204 => Err(Failure::Status { status: code, detail: "empty body" }),
        _ => Err(Failure::Status { status: code, detail: "" }),
    }
}

/// Whether a bot protection answered: 202 is what that of AWS says, the header is Cloudflare's.
fn challenged(status: StatusCode, headers: &HeaderMap) -> bool {
    let mitigated =
        headers.get("cf-mitigated").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"challenge"));
    status == StatusCode::ACCEPTED || mitigated
}

async fn document(response: Response, url: &Url, bytes_max: u64) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let validators = validators(response.headers());
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let bytes = body(response, bytes_max).await?;
    if bytes.is_empty() {
        return Err(Failure::Status { status, detail: "empty body" });
    }
    Ok(Answer::Document(Document { url: bare(url), bytes, content_type, validators }))
}

/// Reads the decoded body; never holds more than the limit and one chunk.
async fn body(mut response: Response, bytes_max: u64) -> Result<Bytes, Failure> {
    let too_large = || Failure::TooLarge { bytes_max };
    // Known only of bodies that are not compressed.
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::sorted(&error))? {
        let length = u64::try_from(body.len().saturating_add(chunk.len())).unwrap_or(u64::MAX);
        if length > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
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
    Ok(if target.origin() == from.origin() { target } else { bare(&target) })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(hop("http://u:p@a.org/x", "http://b.org/y"), Ok("http://b.org/y".to_owned()));
        assert_eq!(hop("http://a.org/x", "http://u:p@b.org/y"), Ok("http://b.org/y".to_owned()));
    }
}
