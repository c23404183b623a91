//! HTML: as plain text, and as a tree.

mod effect;
mod markup;
mod parser;
mod sink;
mod tree;

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

pub(super) use self::effect::{Effect, effect};
use self::markup::{Ends, Markup, after_end, markup, split_at};
pub(super) use self::sink::HTML_NODES_MAX;
pub(super) use self::tree::{bounded, element_text, parse};
use super::FIELD_BYTES_MAX;
use crate::text::{reference, spacing};

/// Longest text put together, in bytes: more than a field keeps, so that a cut is noticed.
const TEXT_BYTES_MAX: usize = 2 * FIELD_BYTES_MAX;

/// What begins a CDATA section.
const CDATA: &str = "<![CDATA[";

/// Text that is being put together: runs of white space become one space, none stands beside a line break.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    space: bool,
}

impl Lines {
    /// None yet, of a text that is no longer than `bytes`.
    fn within(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes.min(TEXT_BYTES_MAX)), space: false }
    }

    /// Adds text as written in the source; nothing once there is more than any field keeps.
    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text;
        while self.text.len() <= TEXT_BYTES_MAX
            && let Some(c) = rest.chars().next()
        {
            let (run, after) = spacing::run(rest);
            if run.is_empty() {
                self.space |= c.is_whitespace();
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            if self.space && !self.at_line_start() {
                self.text.push(' ');
            }
            self.space = false;
            self.text.push_str(run);
            rest = after;
        }
    }

    /// Ends the line.
    pub(super) fn line_break(&mut self) {
        if self.text.len() <= TEXT_BYTES_MAX {
            self.text.push('\n');
        }
        self.space = false;
    }

    /// Ends the line unless it is empty.
    pub(super) fn block(&mut self) {
        if !self.at_line_start() {
            self.line_break();
        }
        self.space = false;
    }

    /// The text, without white space at its ends.
    pub(super) fn finish(self) -> String {
        let trimmed = self.text.trim();
        if trimmed.len() == self.text.len() { self.text } else { trimmed.to_owned() }
    }

    fn at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }
}

/// The plain text of a piece of HTML: markup removed, references decoded, `<br>` and block ends as newlines.
///
/// Text that was escaped once too often is unescaped, markup included.
pub(super) fn plain(html: &str) -> String {
    let text = strip(html);
    let twice = matches!(reference::decode(&text), Cow::Owned(decoded) if decoded != text);
    let marks = ["</", "<br", "<p>", "<img "];
    if twice || (memchr(b'<', text.as_bytes()).is_some() && marks.iter().any(|mark| text.contains(mark))) {
        return strip(&text);
    }
    text
}

/// [`plain`] in one line.
pub(super) fn plain_line(html: &str) -> String {
    let plain = plain(html);
    if memchr(b'\n', plain.as_bytes()).is_some() { one_line(&plain) } else { plain }
}

/// The text with every run of white space as one space.
pub(super) fn one_line(text: &str) -> String {
    let mut lines = Lines::within(text.len());
    lines.text(text);
    lines.finish()
}

/// The text without the marks of CDATA sections, which some write as text, or one inside another: what is inside
/// is meant to be read. `None` where there are none.
pub(super) fn unwrapped(text: &str) -> Option<String> {
    static FINDER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(CDATA));
    FINDER.find(text.as_bytes())?;
    Some(text.replace(CDATA, "").replace("]]>", ""))
}

fn strip(html: &str) -> String {
    let inside = unwrapped(html);
    let mut rest = inside.as_deref().unwrap_or(html);
    let mut ends = Ends::of(rest);
    let mut lines = Lines::within(rest.len());
    while let Some((before, from)) = split_at(rest, b'<') {
        lines.text(&reference::decode(before));
        let tag = match markup(from) {
            Markup::Tag(tag) => tag,
            Markup::Name(tag) if ends.has(tag.name) => tag,
            Markup::Name(_) | Markup::Character => {
                lines.text("<");
                rest = from.get(1..).unwrap_or_default();
                continue;
            }
            Markup::Endless => {
                rest = from;
                break;
            }
        };
        rest = from.get(tag.length..).unwrap_or_default();
        match tag.effect {
            Effect::Hidden if !tag.end => {
                // What is never closed is shown: better noise than a loss.
                let Some(after) = after_end(rest, tag.name) else { break };
                rest = after;
            }
            Effect::Break => lines.line_break(),
            Effect::Block => lines.block(),
            Effect::Hidden | Effect::None => {}
        }
    }
    lines.text(&reference::decode(rest));
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_lines_of_text() {
        for (html, expected) in [
            ("<p>Attaque à <b>Ménaka</b></p>\n<p>Deux   morts</p>", "Attaque à Ménaka\nDeux morts"),
            ("un<br>deux<br/><br />trois", "un\ndeux\n\ntrois"),
            ("S&eacute;curit&eacute; &amp;amp; d&eacute;fense", "Sécurité & défense"),
            ("a<script>alert('<p>')</script>b<style>p{}</style>c", "abc"),
            ("5 < 6 et 7 > 3 & plus", "5 < 6 et 7 > 3 & plus"),
            ("<a title='x > y'>lien</a><!-- <p>non</p> -->", "lien"),
            ("&lt;p&gt;Bamako&lt;/p&gt;&lt;p&gt;Gao&lt;/p&gt;", "Bamako\nGao"),
            ("<script>jamais fermé", "jamais fermé"),
            ("<![CDATA[<p>Wagner</p> au Mali]]>", "Wagner\nau Mali"),
            (" <![CDATA[ <![CDATA[Wagner]]> ]]> ici", "Wagner ici"),
            ("&lt;![CDATA[Wagner &amp;lt; Mali]]&gt;", "Wagner < Mali"),
            ("<![CDATA[coupé", "coupé"),
            ("<li>un</li><li>deux</li>", "un\ndeux"),
            ("<p><img alt='L'armée' src=x>Le convoi de l'armée.</p> Fin.", "Le convoi de l'armée.\nFin."),
            ("<img title=L'Est>L'attaque a commencé.", "L'attaque a commencé."),
            ("<table><caption>a</caption><tr><th>b</th><th>c</th></tr></table>", "a\nb\nc"),
            ("<details>a<summary>b</summary>c</details><select><option>d<option>e</select>", "a\nb\nc\nd\ne"),
            ("مالي&nbsp;:\u{200f} هجوم", "مالي :\u{200f} هجوم"),
            ("", ""),
        ] {
            assert_eq!(plain(html), expected, "{html}");
        }
    }

    #[test]
    fn words_in_angle_brackets_are_text() {
        for (html, expected) in [
            ("<<Wagner>> au Mali <Gao>", "<<Wagner>> au Mali <Gao>"),
            ("&lt;&lt;Wagner&gt;&gt; au Mali &lt;Gao&gt;", "<<Wagner>> au Mali <Gao>"),
            ("<p>L'<<Africa Corps>> dit</p>", "L'<<Africa Corps>> dit"),
            ("&lt;Gao&gt;&lt;br&gt;tenu", "<Gao>\ntenu"),
            (
                "Less <five hundred. Wagner convoy attacked. And more <b>x</b> tail",
                "Less <five hundred. Wagner convoy attacked. And more x tail",
            ),
            ("<Gao attaqué>, dit-il<p>Deux morts", "<Gao attaqué>, dit-il\nDeux morts"),
            ("<https://gao.example/x> <a@gao.example>", "<https://gao.example/x> <a@gao.example>"),
            ("<noindex>un</noindex> <o:p></O:P><my-card title='a > b'>deux</my-card><x/>", "un deux"),
            ("<svg viewBox='0 0 1 1'><g><path d='M0 0'/></g></svg>un", "un"),
            ("<!DOCTYPE html><?xml version='1.0'?><!-- <Gao> -->un", "un"),
        ] {
            assert_eq!(plain(html), expected, "{html}");
        }
    }

    /// Work by the square of the length would not end.
    #[test]
    fn brackets_without_end_cost_no_more_than_their_length() {
        for unit in ["<x <y a=", "<x>", "<x a=\"", "<xx"] {
            let begin = unit.repeat(1_000);
            assert!(plain(&unit.repeat(100_000)).starts_with(&begin), "{unit}");
        }
    }
}
