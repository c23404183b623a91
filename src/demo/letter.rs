//! A mail as its reader sees it: encodings undone, parts apart.
//!
//! It reads what Harmattan writes (RFC 5322, 2045 and 2047 as far as that goes), independently of what wrote it. It is
//! no reader for the mails of others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mail, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names and values of its headers, in order.
    pub headers: Vec<(String, String)>,
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its type: `text/plain; charset=utf-8`.
    pub content_type: String,
    /// Its text, lines ending in LF.
    pub text: String,
}

impl Letter {
    /// Reads a mail; `None` when it is not one of ours.
    pub fn read(mail: &[u8]) -> Option<Self> {
        let mail = std::str::from_utf8(mail).ok()?;
        let (head, body) = mail.split_once("\r\n\r\n")?;
        let headers = headers(head)?;
        let (_, boundary) = value(&headers, "Content-Type")?.split_once("boundary=\"")?;
        let (boundary, _) = boundary.split_once('"')?;
        let body = format!("\r\n{body}");
        let border = format!("\r\n--{boundary}");
        let mut pieces = body.split(border.as_str());
        let _preamble = pieces.next()?;
        let parts = pieces.take_while(|piece| !piece.starts_with("--")).map(part).collect::<Option<_>>()?;
        Some(Self { headers, parts })
    }

    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }

    /// The text part.
    pub fn text(&self) -> Option<&str> {
        let part = self.parts.iter().find(|part| part.content_type.starts_with("text/plain"))?;
        Some(&part.text)
    }
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value)
}

/// The headers of a mail or part, unfolded and decoded.
fn headers(head: &str) -> Option<Vec<(String, String)>> {
    let unfolded = head.trim_start().replace("\r\n ", " ");
    let lines = unfolded.split("\r\n");
    lines
        .map(|line| line.split_once(": ").and_then(|(name, value)| Some((name.to_owned(), words(value)?))))
        .collect()
}

/// A header's value with its encoded words (RFC 2047, base64) decoded. A character may be spread over two of them.
fn words(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut after_encoded = false;
    for (number, word) in value.split(' ').enumerate() {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        // The blank between two encoded words belongs to neither.
        let joined = after_encoded && encoded.is_some();
        if number > 0 && !joined {
            bytes.push(b' ');
        }
        match encoded {
            Some(encoded) => bytes.extend(STANDARD.decode(encoded).ok()?),
            None => bytes.extend(word.as_bytes()),
        }
        after_encoded = encoded.is_some();
    }
    String::from_utf8(bytes).ok()
}

/// A part with its transfer encoding undone.
fn part(piece: &str) -> Option<Part> {
    let (head, body) = piece.split_once("\r\n\r\n")?;
    let headers = headers(head)?;
    let bytes = match value(&headers, "Content-Transfer-Encoding")? {
        "7bit" => body.as_bytes().to_vec(),
        "quoted-printable" => unquoted(body)?,
        "base64" => STANDARD.decode(body.replace("\r\n", "")).ok()?,
        _ => return None,
    };
    let text = String::from_utf8(bytes).ok()?.replace("\r\n", "\n");
    Some(Part { content_type: value(&headers, "Content-Type")?.to_owned(), text })
}

/// Quoted-printable (RFC 2045, section 6.7) undone.
fn unquoted(body: &str) -> Option<Vec<u8>> {
    let joined = body.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Subject: =?utf-8?b?0JzQsNC70Lg=?= =?utf-8?b?IMK3?= x\r\n y\r\n\
        Content-Type: multipart/alternative; boundary=\"=_1\"\r\n\r\n\
        --=_1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        caf=C3=A9 =3D =\r\nbar\r\n\
        --=_1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        PGI+\r\nPC9iPg==\r\n--=_1--\r\n";

    #[test]
    fn encodings_are_undone() {
        let letter = Letter::read(MAIL.as_bytes()).expect("a mail");
        assert_eq!(letter.header("subject"), Some("Мали · x y"));
        assert_eq!(letter.text(), Some("café = bar"));
        assert_eq!(letter.parts[1].text, "<b></b>");
    }

    #[test]
    fn what_is_no_mail_of_ours_is_not_read() {
        for mail in
            ["", "Subject: x\r\n\r\nplain", &MAIL.replace("base64", "8bit"), &MAIL.replace("=C3=A9", "=C")]
        {
            assert_eq!(Letter::read(mail.as_bytes()), None, "{mail}");
        }
    }
}
