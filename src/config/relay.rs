//! By what a notifier's mail leaves the machine: the relay, how its connection is protected, and the login there.

use std::net::IpAddr;

use super::environment::Environment;
use super::notifier::Reach;
use super::read::Section;
use super::secret::{Resolved, Secret, resolve};
use crate::notify::{Login, MailWay, OauthSettings, RelaySettings, SmtpTls};

/// Submission over TLS (RFC 8314 section 3.3).
const PORT_IMPLICIT: u16 = 465;
/// Submission with STARTTLS (RFC 6409 section 3.1).
const PORT_SUBMISSION: u16 = 587;
/// Relay without TLS (RFC 5321 section 4.5.4.2).
const PORT_RELAY: u16 = 25;

/// The relay or the program, of which there must be one.
pub(super) fn way(section: &Section<'_>, environment: &Environment) -> Option<Reach<MailWay>> {
    if section.has("sendmail") {
        let program = section.path("sendmail");
        if let Some(other) = ["smtp", "password", "oauth", "tls"].into_iter().find(|key| section.has(key)) {
            return section
                .get(other)?
                .problem("stands beside `sendmail`, which has no use for it", "take one of the two out");
        }
        return program.map(|program| Reach::All(MailWay::Sendmail(program)));
    }
    if !section.has_any(&["smtp"]) {
        let hint =
            "write `smtp = \"smtps://alerts@mail.example.org:465\"`, or `sendmail = \"/usr/sbin/sendmail\"`";
        section.problem("smtp", "is missing", Some(hint));
    }
    let relay = relay(section);
    let proof = proof(section, environment);
    let relay = relay?;
    let login = match (relay.user, proof?) {
        (None, Proof::None) => None,
        (_, Proof::NotCheckable) => return Some(Reach::NotCheckable),
        (Some(user), Proof::Password(password)) => Some(Login::Password { user, password }),
        (Some(user), Proof::Oauth(oauth)) => Some(Login::Oauth { user, oauth }),
        (Some(_), Proof::None) => {
            return section.get("smtp")?.problem(
                "names a user, but there is no `password`",
                "write `password = { credential = \"NAME\" }` or an `oauth` table, or take the user out of `smtp`",
            );
        }
        (None, proof @ (Proof::Password(_) | Proof::Oauth(_))) => {
            let key = if matches!(proof, Proof::Oauth(_)) { "oauth" } else { "password" };
            return section.get("smtp")?.problem(
                format!("names no user for the `{key}`"),
                "write it like \"smtps://alerts@mail.example.org\"",
            );
        }
    };
    if login.is_some() && relay.tls == SmtpTls::Off && !relay.loopback {
        let node = section.get("tls")?;
        node.report.warn(node.blame("the login travels unprotected").hint("use `smtps` or STARTTLS"));
    }
    let (host, port, tls) = (relay.host, relay.port, relay.tls);
    Some(Reach::All(MailWay::Relay(RelaySettings { host, port, tls, login })))
}

/// What proves that the user of the relay is who it says.
enum Proof {
    None,
    Password(Secret),
    Oauth(Box<OauthSettings>),
    /// A secret of it can only be read by the service.
    NotCheckable,
}

fn proof(section: &Section<'_>, environment: &Environment) -> Option<Proof> {
    match (section.get("password"), section.has("oauth")) {
        (None, false) => Some(Proof::None),
        (Some(node), false) => Some(match resolve(&node, environment)? {
            Resolved::Known(secret) => Proof::Password(secret),
            Resolved::NotCheckable => Proof::NotCheckable,
        }),
        (None, true) => oauth(section, environment),
        (Some(_), true) => section
            .get("oauth")?
            .problem("stands beside `password`, and only one of them can log in", "take one of the two out"),
    }
}

fn oauth(section: &Section<'_>, environment: &Environment) -> Option<Proof> {
    let node = section.get("oauth")?;
    let table = node.section()?;
    let token_url = table.get("token_url").and_then(|node| {
        let url = node.address()?;
        if url.scheme() == "https" || url.host_str().is_some_and(is_loopback) {
            return Some(url);
        }
        node.problem("is not protected: the secret would be sent in the open", "write an `https://` address")
    });
    let client_id = table.text("client_id");
    let mut secrets = [None, None];
    let mut reach = true;
    for (place, key) in secrets.iter_mut().zip(["client_secret", "refresh_token"]) {
        let Some(node) = table.get(key) else { continue };
        match resolve(&node, environment)? {
            Resolved::Known(secret) => *place = Some(secret),
            Resolved::NotCheckable => reach = false,
        }
    }
    let [client_secret, refresh_token] = secrets;
    if reach && client_secret.is_none() && refresh_token.is_none() {
        return node.problem(
            "has neither `client_secret` nor `refresh_token`",
            "write `client_secret = { credential = \"NAME\" }` for a program's own right to send, `refresh_token` for one \
             that a user gave",
        );
    }
    let scope = table.get("scope").and_then(|node| node.text()).map(|text| text.value);
    let (token_url, client_id) = (token_url?, client_id?.value);
    if !reach {
        return Some(Proof::NotCheckable);
    }
    Some(Proof::Oauth(Box::new(OauthSettings { token_url, client_id, client_secret, refresh_token, scope })))
}

struct Relay {
    host: String,
    port: u16,
    tls: SmtpTls,
    loopback: bool,
    user: Option<String>,
}

fn relay(section: &Section<'_>) -> Option<Relay> {
    let node = section.get("smtp")?;
    let url = node.address_with_user()?;
    if url.password().is_some() {
        return node.problem(
            "holds a password",
            "take it out and write `password = { credential = \"NAME\" }`: secrets are never in these files",
        );
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return node
            .problem("goes on after the port", "write it like \"smtps://alerts@mail.example.org:465\"");
    }
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let loopback = is_loopback(&host);
    let stated = if section.has("tls") { Some(section.word("tls")?) } else { None };
    let tls = match (url.scheme(), stated) {
        ("smtps", Some("off")) => {
            return section.get("tls")?.problem("contradicts `smtps`", "write `smtp` or take out `tls`");
        }
        ("smtps", _) => SmtpTls::Implicit,
        (_, Some("off")) => SmtpTls::Off,
        (_, None) if loopback => SmtpTls::Off,
        _ => SmtpTls::Required,
    };
    let port = url.port().unwrap_or(match tls {
        SmtpTls::Implicit => PORT_IMPLICIT,
        SmtpTls::Required => PORT_SUBMISSION,
        SmtpTls::Off => PORT_RELAY,
    });
    let user = if url.username().is_empty() {
        None
    } else if let Some(user) = unescaped(url.username()) {
        Some(user)
    } else {
        return node.problem("names a user that is not UTF-8", "write `%40` for the `@` in a user");
    };
    Some(Relay { host, port, tls, loopback, user })
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// A part of an address, its escapes undone; `None` when they undo to no text.
fn unescaped(part: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        match escape(byte, &mut ahead) {
            Some(value) => {
                bytes.push(value);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The byte that `%` and the next two stand for (RFC 3986 section 2.1).
fn escape(first: u8, rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digits = [rest.next()?, rest.next()?];
    let is_escape = first == b'%' && digits.iter().all(u8::is_ascii_hexdigit);
    is_escape.then(|| u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok())?
}
