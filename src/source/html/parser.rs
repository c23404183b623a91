//! The parser of pages, which is fed tag by tag, so that it can be stopped.
//!
//! It holds each attribute of a tag against all before it, which takes minutes where there are a million, and it says
//! nothing of a tag before that has ended. So what it is to read is looked at where a tag is long: what is no tag to it (in
//! comments, scripts and values) can only be told by where it is silent.

use std::cell::Cell;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer};
use html5ever::tree_builder::{TreeBuilder, TreeSink};
use html5ever::{ParseOpts, TokenizerResult};
use memchr::{memchr, memrchr};
use scraper::Html;

use super::markup::Attributes;
use super::sink::{Excess, Sink};

/// Most attributes of a tag.
const ATTRIBUTES_MAX: usize = 1_000;

/// Tags of up to so many bytes are not looked at: hardly more attributes fit in.
const SHORT_BYTES_MAX: usize = 4 * 1024;

/// The parser of a page.
pub(super) struct Parser<'a> {
    page: &'a str,
    read: usize,
    queue: BufferQueue,
    tokenizer: Tokenizer<Listener>,
    /// The tag or comment that has begun and not ended.
    open: Option<Open>,
    /// Whether what was read last may end inside a reference, which is told when more is read.
    referring: bool,
    excess: Option<Excess>,
}

/// What has begun.
struct Open {
    start: usize,
    /// The end of what was looked at.
    seen: usize,
    attributes: Attributes,
}

impl Open {
    /// Whether it has too many attributes up to this place.
    fn is_swollen(&mut self, page: &str, end: usize) -> bool {
        if end - self.start <= SHORT_BYTES_MAX {
            return false;
        }
        self.attributes.read(page.as_bytes().get(self.seen..end).unwrap_or_default());
        self.seen = end;
        self.attributes.count() > ATTRIBUTES_MAX
    }
}

/// Bytes of the bracket and the name of a tag, and the one behind it.
fn head(tag: &str) -> usize {
    let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let end = tag.bytes().skip("</".len()).position(ends);
    end.map_or(tag.len(), |end| "</".len() + end + 1)
}

/// Whether a text may end inside a reference.
fn ends_in_reference(text: &str) -> bool {
    let begun = memrchr(b'&', text.as_bytes()).and_then(|place| text.get(place + 1..));
    begun.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#'))
}

impl<'a> Parser<'a> {
    pub(super) fn new(page: &'a str, options: ParseOpts) -> Self {
        let listener =
            Listener { tree: TreeBuilder::new(Sink::new(), options.tree_builder), heard: Cell::new(false) };
        Self {
            page,
            read: 0,
            queue: BufferQueue::default(),
            tokenizer: Tokenizer::new(listener, options.tokenizer),
            open: None,
            referring: false,
            excess: None,
        }
    }

    /// Bytes that were read.
    pub(super) fn read(&self) -> usize {
        self.read
    }

    /// The same without the tag or comment that has not ended.
    pub(super) fn whole(&self) -> usize {
        self.open.as_ref().map_or(self.read, |open| open.start)
    }

    /// What there is too much of by now: whoever feeds the parser should stop.
    pub(super) fn excess(&self) -> Option<Excess> {
        self.excess
    }

    /// Reads the next tag, and the text that follows it; `false` when nothing is left.
    pub(super) fn step(&mut self) -> bool {
        let rest = self.page.get(self.read..).unwrap_or_default();
        let next = rest.as_bytes().get(1..).and_then(|rest| memchr(b'<', rest));
        let piece = next.and_then(|place| rest.get(..=place)).unwrap_or(rest);
        if piece.is_empty() {
            return false;
        }
        if piece.starts_with('<') {
            self.tag(piece);
        } else {
            self.tell(piece);
        }
        if self.excess.is_none() {
            self.read += piece.len();
            self.referring = ends_in_reference(piece);
            self.excess = self.tokenizer.sink.tree.sink.excess();
        }
        true
    }

    /// Reads what begins with a bracket and has no other.
    fn tag(&mut self, piece: &str) {
        let (start, mut rest) = (self.read, piece);
        // Whatever was held back and was no tag is told when this one begins.
        if self.open.is_some() || self.referring {
            if self.tell("<") {
                self.open = None;
            }
            rest = piece.get(1..).unwrap_or_default();
        }
        let fresh = self.open.is_none();
        if fresh {
            self.open = Some(Open { start, seen: start, attributes: Attributes::default() });
        }
        if fresh && piece.len() > SHORT_BYTES_MAX {
            // A text is told before it comes to what would be an attribute.
            let (head, tail) = piece.split_at_checked(head(piece)).unwrap_or((piece, ""));
            if self.tell(head.get(piece.len() - rest.len()..).unwrap_or_default()) {
                self.open = None;
            }
            rest = tail;
        }
        if let Some(open) = &mut self.open
            && open.is_swollen(self.page, start + piece.len())
        {
            self.excess = Some(Excess::Attributes);
            return;
        }
        // Nobody is told of an end tag without a name.
        if self.tell(rest) || (fresh && piece.starts_with("</>")) {
            self.open = None;
        }
    }

    /// Has the tokenizer read; whether it told of anything.
    fn tell(&self, text: &str) -> bool {
        self.tokenizer.sink.heard.set(false);
        self.queue.push_back(StrTendril::from_slice(text));
        // It stops at the end of scripts, for those who run them.
        while !matches!(self.tokenizer.feed(&self.queue), TokenizerResult::Done) {}
        self.tokenizer.sink.heard.get()
    }

    /// The page as far as it was read.
    pub(super) fn finish(self) -> Html {
        self.tokenizer.end();
        self.tokenizer.sink.tree.sink.finish()
    }
}

/// The builder of the tree, and whether it was told of anything.
struct Listener {
    tree: TreeBuilder<<Sink as TreeSink>::Handle, Sink>,
    heard: Cell<bool>,
}

impl TokenSink for Listener {
    type Handle = <Sink as TreeSink>::Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Self::Handle> {
        if !matches!(token, Token::ParseError(_)) {
            self.heard.set(true);
        }
        self.tree.process_token(token, line)
    }

    fn end(&self) {
        self.tree.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.tree.adjusted_current_node_present_but_not_in_html_namespace()
    }
}
