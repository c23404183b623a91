//! The body of an answer under its limits: of bytes, of growth, of silence and of slowness.

use std::time::Duration;

use bytes::BytesMut;
use memchr::memmem;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::time::{Instant, timeout, timeout_at};

use super::Pace;
use super::challenge;
use super::coding::{self, Decoded, Unpacking};
use super::error::Failure;
use super::room::Room;

/// How much of an error's page is looked at, in bytes over the wire; a challenge tells what it is at once.
const ERROR_PAGE_BYTES_MAX: usize = 64 * 1024;

/// How much of an error's page is looked at, decoded.
const ERROR_PAGE_DECODED_MAX: u64 = 512 * 1024;

/// How long an error's page is waited for, if the request has so much time left.
const ERROR_PAGE_WAIT_MAX: Duration = Duration::from_secs(5);

/// The limits of a body.
pub(super) struct Limits<'a> {
    /// Its length in bytes, over the wire or decoded.
    pub(super) bytes_max: u64,
    pub(super) pace: &'a Pace,
    /// When the whole request must have come to its end.
    pub(super) until: Instant,
    /// How long that is from its beginning.
    pub(super) whole: Duration,
}

/// Reads the body, decoded; never more of it than the limits allow, and none for which there is no room yet: that time is
/// nobody's fault and does not count. One that breaks off comes with the reason, as far as it came.
pub(super) async fn read(
    mut response: Response,
    limits: &Limits<'_>,
    room: &mut Room,
) -> Result<Decoded, Failure> {
    let bytes_max = limits.bytes_max;
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(Failure::TooLarge { bytes_max });
    }
    let codings = coding::stated(response.headers());
    let mut wire = Wire { bytes: BytesMut::new(), started: Instant::now() };
    let mut until = limits.until;
    let broken = loop {
        let filled = timeout_at(until, wire.fill(&mut response, room.bytes(), limits)).await;
        match filled.unwrap_or_else(|_elapsed| Err(Failure::late(limits.whole)))? {
            Filled::Ended => break None,
            Filled::Broken(failure) => break Some(failure),
            Filled::Full => {
                let full = Instant::now();
                room.grow().await;
                until += full.elapsed();
                wire.started += full.elapsed();
            }
        }
    };
    let wire = wire.bytes.freeze();
    let wire_bytes = wire.len();
    let mut unpacking = Unpacking::new(wire, &codings, bytes_max);
    while unpacking.step(room.bytes() - wire_bytes) {
        room.grow().await;
    }
    let Decoded { bytes, failure } = unpacking.finish();
    match failure {
        // One that bursts is none of which a part is wanted.
        Some(failure) if !failure.is_of_the_network() => Err(failure),
        failure => Ok(Decoded { bytes, failure: broken.or(failure) }),
    }
}

/// Whether a body ends as a page does that lacks nothing: many a server announces a length other than that of what it sends.
/// Caches write comments behind the end.
pub(super) fn is_whole_page(bytes: &[u8]) -> bool {
    let mut rest = bytes.trim_ascii_end();
    while let Some(comment) = rest.strip_suffix(b"-->") {
        let Some(begin) = memmem::rfind(comment, b"<!--") else { return false };
        rest = comment.get(..begin).unwrap_or_default().trim_ascii_end();
    }
    let ends_with = |tag: &[u8]| rest.last_chunk::<7>().is_some_and(|end| end.eq_ignore_ascii_case(tag));
    ends_with(b"</html>") || ends_with(b"</body>")
}

/// What has come over the wire, and since when.
struct Wire {
    bytes: BytesMut,
    started: Instant,
}

/// Why no more comes over the wire for now.
enum Filled {
    Ended,
    Broken(Failure),
    /// There is no room for it.
    Full,
}

impl Wire {
    /// Takes what comes, until it is as much as there is room for.
    async fn fill(
        &mut self,
        response: &mut Response,
        room: usize,
        limits: &Limits<'_>,
    ) -> Result<Filled, Failure> {
        while self.bytes.len() < room {
            match response.chunk().await {
                Ok(Some(chunk)) => self.take(&chunk, limits.bytes_max, limits.pace)?,
                Ok(None) => return Ok(Filled::Ended),
                Err(error) => return Ok(Filled::Broken(Failure::sorted(&error, limits.pace))),
            }
        }
        Ok(Filled::Full)
    }

    fn take(&mut self, chunk: &[u8], bytes_max: u64, pace: &Pace) -> Result<(), Failure> {
        let length = u64::try_from(self.bytes.len().saturating_add(chunk.len())).unwrap_or(u64::MAX);
        if length > bytes_max {
            return Err(Failure::TooLarge { bytes_max });
        }
        let elapsed = self.started.elapsed();
        let expected = u64::from(pace.bytes_per_second_min).saturating_mul(elapsed.as_secs());
        if elapsed >= pace.grace && length < expected {
            return Err(Failure::TooSlow { bytes_per_second_min: pace.bytes_per_second_min });
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

/// Whether the page of an error is that of a bot protection. Whatever is not there in good time counts as not said: the
/// status stands for itself.
pub(super) async fn hides_a_challenge(mut response: Response, until: Instant) -> bool {
    if !challenge::may_hide_in(response.status()) || !may_be_a_page(response.headers()) {
        return false;
    }
    let codings = coding::stated(response.headers());
    let mut wire = BytesMut::new();
    let reading = async {
        while wire.len() < ERROR_PAGE_BYTES_MAX
            && let Ok(Some(chunk)) = response.chunk().await
        {
            let room = ERROR_PAGE_BYTES_MAX - wire.len();
            wire.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        }
    };
    // One that did not end has brought something all the same.
    let left = until.saturating_duration_since(Instant::now());
    timeout(ERROR_PAGE_WAIT_MAX.min(left / 2), reading).await.ok();
    let page = coding::decode(wire.freeze(), &codings, ERROR_PAGE_DECODED_MAX).bytes;
    challenge::is_challenge_of_error(&String::from_utf8_lossy(&page))
}

fn may_be_a_page(headers: &HeaderMap) -> bool {
    let stated = headers.get(CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
    stated.is_none_or(|stated| stated.windows(4).any(|letters| letters == b"html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_has_its_end_is_whole() {
        for (body, expected) in [
            ("<p>Gao</p></body></html>", true),
            ("<p>Gao</p></BODY>\n</HTML>\r\n \n", true),
            ("<p>Gao</p></body>", true),
            ("<p>Gao</p></html> <!-- cached --> <!-- in 3 ms -->\n", true),
            ("<p>Gao</p></html> <!-- cached", false),
            ("<p>Gao</p> -->", false),
            ("<p>Gao</p></htm", false),
            ("<p>Gao</p>", false),
            ("</rss>", false),
            ("", false),
        ] {
            assert_eq!(is_whole_page(body.as_bytes()), expected, "{body}");
        }
    }
}
