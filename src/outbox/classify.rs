//! What an answer means for a delivery: one function per protocol.

/// What a reply of an SMTP server means. No reply is final at once: policies of mail servers pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpVerdict {
    /// The server took it, or asks for the next step.
    Accepted,
    /// Not now, or not by this way until its operator acts: tried again.
    Transient,
    /// Not this message or not this recipient: tried once more.
    Refused,
}

/// What the status of an HTTP answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVerdict {
    /// The receiver took it.
    Accepted,
    /// Not now, or not by this way until its operator acts: tried again.
    Transient,
    /// Never these bytes at this address: given up.
    Permanent,
}

/// A step of an SMTP conversation: the same reply means different things at different steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpStage {
    /// Connecting, the greeting, EHLO.
    Connect,
    /// STARTTLS and the handshake.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, before the message.
    Data,
    /// The message itself.
    Content,
}

impl SmtpStage {
    /// All of them, in the order of a conversation.
    pub const ALL: [Self; 7] =
        [Self::Connect, Self::Tls, Self::Auth, Self::Mail, Self::Rcpt, Self::Data, Self::Content];

    /// The words used in reasons.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Tls => "TLS",
            Self::Auth => "logging in",
            Self::Mail => "the sender",
            Self::Rcpt => "the recipient",
            Self::Data => "DATA",
            Self::Content => "the message",
        }
    }
}

/// What a reply of an SMTP server means at `stage` (RFC 5321, section 4.2.1).
///
/// A 5xx before the recipient is a fault of the way, not of the message: wrong password, relay closed,
/// sender not allowed. Giving up would lose every alert of that time, so it is tried until the operator has acted.
/// The replies 530, 534, 535 and 538 speak of the login at any stage (RFC 4954, section 6).
pub fn smtp(code: u16, stage: SmtpStage) -> SmtpVerdict {
    match code {
        200..=399 => SmtpVerdict::Accepted,
        530 | 534 | 535 | 538 => SmtpVerdict::Transient,
        500..=599 => match stage {
            SmtpStage::Connect | SmtpStage::Tls | SmtpStage::Auth | SmtpStage::Mail => SmtpVerdict::Transient,
            SmtpStage::Rcpt | SmtpStage::Data | SmtpStage::Content => SmtpVerdict::Refused,
        },
        _ => SmtpVerdict::Transient,
    }
}

/// What the status of an HTTP answer means to a POST (Standard Webhooks 1.0).
///
/// Redirects are not followed: the body and its signature are meant for one receiver. Only 408, 425, 429 and 5xx
/// ask to try again; any other 4xx would get the same answer to the same bytes.
pub fn http(status: u16) -> HttpVerdict {
    match status {
        200..=299 => HttpVerdict::Accepted,
        408 | 425 | 429 => HttpVerdict::Transient,
        300..=499 => HttpVerdict::Permanent,
        _ => HttpVerdict::Transient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_smtp_code_has_its_verdict_at_every_stage() {
        let login = [530, 534, 535, 538];
        for stage in SmtpStage::ALL {
            let about_the_message = matches!(stage, SmtpStage::Rcpt | SmtpStage::Data | SmtpStage::Content);
            for code in 0..=999 {
                let expected = match code / 100 {
                    2 | 3 => SmtpVerdict::Accepted,
                    5 if about_the_message && !login.contains(&code) => SmtpVerdict::Refused,
                    _ => SmtpVerdict::Transient,
                };
                assert_eq!(smtp(code, stage), expected, "{code} at {stage:?}");
            }
        }
    }

    #[test]
    fn replies_seen_in_the_field() {
        for (code, stage, expected) in [
            (421, SmtpStage::Connect, SmtpVerdict::Transient), // closing down
            (554, SmtpStage::Connect, SmtpVerdict::Transient), // no service for this address
            (454, SmtpStage::Tls, SmtpVerdict::Transient),     // TLS not available
            (535, SmtpStage::Auth, SmtpVerdict::Transient),    // wrong password
            (550, SmtpStage::Auth, SmtpVerdict::Transient),    // 5.7.30 basic authentication is off
            (553, SmtpStage::Mail, SmtpVerdict::Transient),    // sender not owned by this login
            (450, SmtpStage::Rcpt, SmtpVerdict::Transient),    // greylisted
            (530, SmtpStage::Rcpt, SmtpVerdict::Transient),    // login required
            (550, SmtpStage::Rcpt, SmtpVerdict::Refused),      // no such user
            (354, SmtpStage::Data, SmtpVerdict::Accepted),     // go on
            (452, SmtpStage::Content, SmtpVerdict::Transient), // disk full
            (552, SmtpStage::Content, SmtpVerdict::Refused),   // too large
            (250, SmtpStage::Content, SmtpVerdict::Accepted),
        ] {
            assert_eq!(smtp(code, stage), expected, "{code} at {stage:?}");
        }
    }

    #[test]
    fn every_http_status_has_its_verdict() {
        for status in 0..=999 {
            let expected = match status {
                408 | 425 | 429 => HttpVerdict::Transient,
                _ => match status / 100 {
                    2 => HttpVerdict::Accepted,
                    3 | 4 => HttpVerdict::Permanent,
                    _ => HttpVerdict::Transient,
                },
            };
            assert_eq!(http(status), expected, "{status}");
        }
    }
}
