//! The call of a heartbeat's address.

use jiff::Timestamp;
use reqwest::Method;
use url::Url;

use super::post::{Post, answered, reason};

/// Calls `url` with a GET, as services that watch for it expect.
///
/// # Errors
/// When it does not answer with 2xx, in words that show its host alone.
pub(crate) async fn beat(url: &Url) -> Result<(), String> {
    let post = Post::new("heartbeat").map_err(|error| error.to_string())?;
    let request = post.request(Method::GET, url.clone());
    let answer = post.send(request, url, Timestamp::UNIX_EPOCH).await;
    let answer = answer.map_err(|failure| failure.reason().to_owned())?;
    if answer.status.is_success() { Ok(()) } else { Err(reason(url, &answered(answer.status))) }
}
