//! The fetcher as tests set it up, and what servers compress.

use std::io::Write;
use std::time::Duration;

use harmattan::fetch::{
    ACCEPT_FEED, Answer, Document, FetchError, Fetched, Fetcher, HttpSettings, Network, Networks, Redirects,
    Request,
};
use url::Url;

/// One range that is open.
pub(crate) fn networks(range: &str) -> Networks {
    std::iter::once(range.parse::<Network>().unwrap()).collect()
}

/// Settings that let loopback be asked without pauses.
pub(crate) fn settings() -> HttpSettings {
    HttpSettings {
        contact: Some("mailto:desk@example.org".to_owned()),
        concurrency: 8,
        timeout: Duration::from_secs(20),
        body_bytes_max: 1 << 20,
        allow_networks: networks("127.0.0.0/8"),
        proxy: None,
        host_gap: Duration::ZERO,
        sources: 12,
    }
}

pub(crate) fn fetcher() -> Fetcher {
    Fetcher::new(settings()).unwrap()
}

/// A request for a feed of which nothing is known.
pub(crate) fn request(url: &Url) -> Request<'_> {
    Request {
        url,
        validators: None,
        accept: ACCEPT_FEED,
        delta: true,
        redirects: Redirects::Follow,
        proxy: None,
        pinned: None,
        contact: true,
        now: "2026-11-23T17:00:00Z".parse().unwrap(),
    }
}

pub(crate) async fn get(url: &Url) -> Result<Fetched, FetchError> {
    fetcher().fetch(&request(url)).await
}

pub(crate) fn document(fetched: Result<Fetched, FetchError>) -> Document {
    match fetched.unwrap().answer {
        Answer::Document(document) => document,
        other @ (Answer::Unchanged { .. } | Answer::Redirect { .. }) => panic!("no document but {other:?}"),
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(bytes).unwrap();
    packed
}
