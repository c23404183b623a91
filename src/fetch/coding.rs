//! Compressed bodies: what is undone, whatever the headers claim, and the limits that a bomb ends at.
//!
//! The client hands over what came over the wire, so that this is the one place that decompresses. Layers are undone one
//! inside the other, in pieces: memory holds the wire's bytes, the decoded bytes under their limit, and a window of each
//! layer, whatever a body claims to hold.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use brotli_decompressor::Decompressor;
use bytes::{Buf, Bytes};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::error::Failure;

/// What we can undo, for the `Accept-Encoding` header.
pub(super) const ACCEPTED: &str = "gzip, br, zstd";

/// Greatest growth of a body, as a multiple of what came over the wire. Markup shrinks to a tenth, rarely to a thirtieth.
const RATIO_MAX: u64 = 200;

/// Up to this many decoded bytes, growth is of no interest: short feeds of many like entries grow a lot.
const RATIO_FROM: u64 = 1024 * 1024;

/// Growth for which room is made before it shows.
const LIKELY_RATIO_MAX: usize = 16;

/// Most layers that are undone; two are a server's slip, more are a trap.
const LAYERS_MAX: usize = 3;

/// Longest window of zstd, as a power of two: what RFC 9659 lets a server use.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Bytes that are handed from layer to layer at a time.
const PIECE: usize = 16 * 1024;

/// Bytes that tell a text from what is compressed.
const READABLE: usize = 256;

/// Decoded bytes after which a body is taken to be compressed as stated.
const READ_AHEAD: u64 = 16 * 1024;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// One way to compress (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// What a body becomes.
pub(super) struct Decoded {
    /// What could be decoded, cut at the limit or where the damage is.
    pub(super) bytes: Bytes,
    /// Why that is not all.
    pub(super) failure: Option<Failure>,
}

/// The codings that the headers name, the one that was applied last in front. Names that are none are passed over, since
/// servers write charsets there too: what the body is shows when it is read.
pub(super) fn stated(headers: &HeaderMap) -> Vec<Coding> {
    let lines = headers.get_all(CONTENT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut codings: Vec<Coding> = lines.flat_map(|line| line.split(',')).filter_map(named).collect();
    codings.reverse();
    codings
}

fn named(name: &str) -> Option<Coding> {
    match name.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "deflate" => Some(Coding::Deflate),
        "br" => Some(Coding::Brotli),
        "zstd" => Some(Coding::Zstd),
        _ => None,
    }
}

/// Undoes the stated codings, and gzip that nobody stated: servers compress files that are compressed already.
pub(super) fn decode(wire: Bytes, stated: &[Coding], bytes_max: u64) -> Decoded {
    let mut unpacking = Unpacking::new(wire, stated, bytes_max);
    while unpacking.step(usize::MAX) {}
    unpacking.finish()
}

/// A body that is decoded in steps, so that what it grows to can be given room before.
pub(super) struct Unpacking {
    /// What is left of the body; `None` when nothing is, or nothing can be read.
    body: Option<Box<dyn BufRead + Send>>,
    decoded: Vec<u8>,
    /// A body that is plain as it came.
    plain: Option<Bytes>,
    broken: Option<io::Error>,
    burst: Arc<AtomicBool>,
    grown_max: u64,
    bytes_max: u64,
}

impl Unpacking {
    /// Begins, and decodes nothing yet.
    pub(super) fn new(wire: Bytes, stated: &[Coding], bytes_max: u64) -> Self {
        let wire_bytes = u64::try_from(wire.len()).unwrap_or(u64::MAX);
        let grown_max = wire_bytes.saturating_mul(RATIO_MAX).max(RATIO_FROM);
        let burst = Arc::new(AtomicBool::new(false));
        let (body, decoded, plain, broken) = (None, Vec::new(), None, None);
        let begun = Self { body, decoded, plain, broken, burst, grown_max, bytes_max };
        if stated.is_empty() && !wire.starts_with(&GZIP_MAGIC) {
            return Self { plain: Some(wire), ..begun };
        }
        let limit = Limit { bytes_max: bytes_max.min(grown_max), burst: Arc::clone(&begun.burst) };
        let decoded = Vec::with_capacity(likely_len(&wire, limit.bytes_max));
        match layers(wire, stated, &limit) {
            Ok(body) => Self { body: Some(body), decoded, ..begun },
            Err(error) => Self { broken: Some(error), ..begun },
        }
    }

    /// Decodes on, up to so many bytes in all; whether there may be more.
    pub(super) fn step(&mut self, bytes: usize) -> bool {
        let Some(body) = &mut self.body else { return false };
        let left = u64::try_from(bytes.saturating_sub(self.decoded.len())).unwrap_or(u64::MAX);
        match body.take(left).read_to_end(&mut self.decoded) {
            Ok(read) if u64::try_from(read).is_ok_and(|read| read == left) => true,
            ended => {
                self.broken = ended.err();
                self.body = None;
                false
            }
        }
    }

    /// What came of it.
    pub(super) fn finish(self) -> Decoded {
        let Self { broken, grown_max, bytes_max, .. } = self;
        let failure = match broken {
            _ if self.burst.load(Ordering::Relaxed) && grown_max < bytes_max => {
                Some(Failure::Swollen { ratio_max: RATIO_MAX })
            }
            _ if self.burst.load(Ordering::Relaxed) => Some(Failure::TooLarge { bytes_max }),
            None => None,
            Some(error) => Some(Failure::Transport(format!("cannot decompress the body: {error}"))),
        };
        Decoded { bytes: self.plain.unwrap_or_else(|| Bytes::from(self.decoded)), failure }
    }
}

/// How much room the decoded bytes are given at first: gzip tells how many they are in its last four bytes (RFC 1952), which
/// need not be believed.
fn likely_len(wire: &[u8], bytes_max: u64) -> usize {
    let told =
        wire.last_chunk().map_or(0, |told| usize::try_from(u32::from_le_bytes(*told)).unwrap_or_default());
    let most =
        usize::try_from(bytes_max).unwrap_or(usize::MAX).min(wire.len().saturating_mul(LIKELY_RATIO_MAX));
    // One byte more shows that it is the end.
    told.min(most) + 1
}

/// Undoes gzip around bytes that came as a file, if there is any, under the limits of a body.
///
/// # Errors
/// When they are damaged, hold more than `bytes_max` bytes, or grow too much.
pub fn unpacked(bytes: Bytes, bytes_max: u64) -> Result<Bytes, Failure> {
    let Decoded { bytes, failure } = decode(bytes, &[], bytes_max);
    failure.map_or(Ok(bytes), Err)
}

/// The decoders around the body, each counted.
fn layers(wire: Bytes, stated: &[Coding], limit: &Limit) -> io::Result<Box<dyn BufRead + Send>> {
    let mut body: Box<dyn BufRead + Send> = Box::new(wire.reader());
    let mut undone = 0;
    let mut stated = stated.iter().copied();
    loop {
        let coding = match stated.next() {
            Some(coding) => fits(coding, body.fill_buf()?).then_some(coding),
            None if body.fill_buf()?.starts_with(&GZIP_MAGIC) => Some(Coding::Gzip),
            None => return Ok(body),
        };
        // A body that is not what its header says came plain.
        let Some(coding) = coding else { continue };
        undone += 1;
        if undone > LAYERS_MAX {
            return Err(io::Error::other(format!("more than {LAYERS_MAX} layers")));
        }
        let decoder = undo(coding, body)?;
        let counted = Counted { inner: decoder, left: limit.bytes_max, burst: Arc::clone(&limit.burst) };
        body = Box::new(BufReader::with_capacity(PIECE, counted));
    }
}

/// Whether a body may be compressed so, as far as its first bytes tell. Two codings have no mark: what begins like a plain
/// body, or is marked as gzip, is one of these unless it can be undone as stated.
fn fits(coding: Coding, start: &[u8]) -> bool {
    match coding {
        Coding::Gzip => start.starts_with(&GZIP_MAGIC),
        Coding::Zstd => start.starts_with(&ZSTD_MAGIC),
        Coding::Deflate | Coding::Brotli if is_markup(start) => !is_readable(start) && begins(coding, start),
        Coding::Deflate | Coding::Brotli if start.starts_with(&GZIP_MAGIC) => begins(coding, start),
        Coding::Deflate | Coding::Brotli => !start.is_empty(),
    }
}

/// Whether a body begins as feeds and pages do, in one of the encodings of Unicode or any that has ASCII in it.
fn is_markup(start: &[u8]) -> bool {
    let mark = |byte: &u8| matches!(byte, 0xef | 0xbb | 0xbf | 0xfe | 0xff | 0) || byte.is_ascii_whitespace();
    matches!(start.iter().find(|byte| !mark(byte)), Some(b'<' | b'{'))
}

/// Whether the beginning of a body could be read by a person; what is compressed has control characters soon.
fn is_readable(start: &[u8]) -> bool {
    start.iter().take(READABLE).all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}

/// Whether anything comes of undoing this coding at the beginning of a body.
fn begins(coding: Coding, start: &[u8]) -> bool {
    let mut decoded = Vec::new();
    let ended =
        undo(coding, Box::new(start)).and_then(|body| body.take(READ_AHEAD).read_to_end(&mut decoded));
    // There may be more of it than its beginning.
    ended.map_or_else(|error| error.kind() == ErrorKind::UnexpectedEof, |_| true) && !decoded.is_empty()
}

fn undo<'a>(coding: Coding, mut body: Box<dyn BufRead + Send + 'a>) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match coding {
        Coding::Gzip => Box::new(Members::new(body)),
        // The standard means zlib; some servers leave its frame out.
        Coding::Deflate if is_zlib(body.fill_buf()?) => Box::new(ZlibDecoder::new(body)),
        Coding::Deflate => Box::new(DeflateDecoder::new(body)),
        Coding::Brotli => Box::new(Decompressor::new(body, PIECE)),
        Coding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

/// The members of a gzip file. Some servers write more behind the last one, and that is no part of the body.
struct Members<R> {
    decoder: MultiGzDecoder<R>,
    /// Whether there is a first member.
    begun: bool,
    over: bool,
}

impl<R: BufRead> Members<R> {
    fn new(body: R) -> Self {
        let decoder = MultiGzDecoder::new(body);
        let begun = decoder.header().is_some();
        Self { decoder, begun, over: false }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.over {
            return Ok(0);
        }
        let read = self.decoder.read(into);
        // Only behind a member that is whole, with a sum that fits, is the decoder at a header.
        self.over = read.is_err() && self.begun && self.decoder.header().is_none();
        if self.over { Ok(0) } else { read }
    }
}

/// The check of a zlib header (RFC 1950 section 2.2).
fn is_zlib(start: &[u8]) -> bool {
    let [first, second, ..] = start else { return false };
    first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31)
}

/// How much every layer may bring, and where it is noted that one would have brought more.
struct Limit {
    bytes_max: u64,
    burst: Arc<AtomicBool>,
}

/// A layer that ends in an error once it has brought more than it may.
struct Counted<R> {
    inner: R,
    left: u64,
    burst: Arc<AtomicBool>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let Some(left) = self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX)) else {
            self.burst.store(true, Ordering::Relaxed);
            return Err(io::Error::other("too long"));
        };
        self.left = left;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    fn packed(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match coding {
            Coding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Deflate => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Brotli => {
                let mut packed = Vec::new();
                brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(bytes).unwrap();
                packed
            }
            Coding::Zstd => zstd::encode_all(bytes, 3).unwrap(),
        }
    }

    #[test]
    fn stated_codings_are_read_from_the_last_to_the_first() {
        let mut headers = HeaderMap::new();
        for line in ["gzip, identity", "X-GZIP ,br", "utf-8", "", "Zstd"] {
            headers.append(CONTENT_ENCODING, line.parse().unwrap());
        }
        assert_eq!(stated(&headers), [Coding::Zstd, Coding::Brotli, Coding::Gzip, Coding::Gzip]);
    }

    #[test]
    fn what_stands_behind_the_last_member_of_gzip_is_no_part_of_the_body() {
        let text = b"<rss>".repeat(2_000);
        let member = packed(Coding::Gzip, &text);
        for padding in [b"\n".as_slice(), &[0; 512], b"<!-- cached -->", &GZIP_MAGIC, &[0x1f, 0x8b, 8, 0xff]]
        {
            for whole in [member.clone(), member.repeat(2)] {
                let decoded = decode([&whole, padding].concat().into(), &[Coding::Gzip], 1 << 20);
                assert_eq!(decoded.failure, None, "{padding:?}");
                assert_eq!(decoded.bytes.len() % text.len(), 0);
                assert!(decoded.bytes.starts_with(&text));
            }
        }
        let mut bent = member.clone();
        let sum = bent.len() - 8;
        bent[sum] ^= 1;
        for damaged in [&bent, &member[..sum]] {
            assert!(decode([damaged, b"\n".as_slice()].concat().into(), &[], 1 << 20).failure.is_some());
        }
    }

    #[test]
    fn what_is_not_compressed_as_stated_is_taken_as_it_is() {
        let wide: Vec<u8> = "\u{feff}<rss/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let plain = [
            b"<?xml version='1.0'?><rss>Gao</rss>".to_vec(),
            b"\xef\xbb\xbf \n<rss/>".to_vec(),
            b"\r\n<!DOCTYPE html><p>G\xe9o".to_vec(),
            br#"{"version":"https://jsonfeed.org/version/1.1","items":[]}"#.to_vec(),
            b"{}".to_vec(),
            wide,
        ];
        let stated: [&[Coding]; 3] =
            [&[Coding::Brotli], &[Coding::Deflate], &[Coding::Brotli, Coding::Deflate]];
        for text in plain {
            for stated in stated {
                for wire in [text.clone(), packed(Coding::Gzip, &text)] {
                    let decoded = decode(wire.into(), stated, 1 << 20);
                    assert_eq!(decoded.failure, None, "{stated:?} {text:?}");
                    assert_eq!(&decoded.bytes[..], &text[..], "{stated:?}");
                }
            }
        }
        let raw = |text: &[u8]| {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        for length in 0..3_000 {
            let text = format!("{length}<rss/>").repeat(length / 7 + 1).into_bytes();
            for (coding, wire) in
                [(Coding::Brotli, packed(Coding::Brotli, &text)), (Coding::Deflate, raw(&text))]
            {
                let decoded = decode(wire.into(), &[coding], 1 << 20);
                assert_eq!((decoded.failure, &decoded.bytes[..]), (None, &text[..]), "{coding:?} {length}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(
            bytes in proptest::collection::vec(any::<u8>(), 1..2000),
            codings in proptest::collection::vec(proptest::sample::select(&CODINGS[..]), 1..=LAYERS_MAX),
        ) {
            prop_assume!(!bytes.starts_with(&GZIP_MAGIC));
            let wire = codings.iter().rev().fold(bytes.clone(), |wire, &coding| packed(coding, &wire));
            let decoded = decode(wire.into(), &codings, 4096);
            prop_assert_eq!(decoded.failure, None);
            prop_assert_eq!(&decoded.bytes[..], &bytes[..]);
        }

        #[test]
        fn no_damage_breaks_the_reader_or_its_limit(
            bytes in proptest::collection::vec(0_u8..4, 0..5000),
            coding in proptest::sample::select(&CODINGS[..]),
            stated in proptest::collection::vec(proptest::sample::select(&CODINGS[..]), 0..4),
            damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
            cut: proptest::sample::Index,
        ) {
            let mut wire = packed(coding, &bytes);
            for (place, byte) in damage {
                let at = place.index(wire.len());
                wire[at] = byte;
            }
            wire.truncate(cut.index(wire.len() * 2));
            let decoded = decode(wire.clone().into(), &stated, 2000);
            prop_assert!(decoded.bytes.len() <= 2000 || decoded.bytes == wire);
        }
    }
}
