//! What an answer means for a delivery: one function per protocol.

/// What a reply of an SMTP server means. No reply is final at once: policies of mail servers pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpVerdict {
    /// The server took it, or asks for the next step.
    Accepted,
    /// Nothing by this way now, perhaps not until its operator acts: tried again.
    Way,
    /// Not this message now: tried again.
    Transient,
    /// Not this message or not this recipient: tried once more.
    Refused,
}

/// What the status of an HTTP answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVerdict {
    /// The receiver took it.
    Accepted,
    /// Nothing by this way now, perhaps not until its operator acts: tried again.
    Way,
    /// The same, and its operator asks to be left alone: to be told at once.
    Gone,
    /// Not this message now: tried again.
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
/// The replies 530, 534, 535 and 538 speak of the login at any stage (RFC 4954, section 6), 421 of the whole service.
pub fn smtp(code: u16, stage: SmtpStage) -> SmtpVerdict {
    match code {
        200..=399 => SmtpVerdict::Accepted,
        421 | 530 | 534 | 535 | 538 => SmtpVerdict::Way,
        _ => match stage {
            SmtpStage::Connect | SmtpStage::Tls | SmtpStage::Auth | SmtpStage::Mail => SmtpVerdict::Way,
            SmtpStage::Rcpt | SmtpStage::Data | SmtpStage::Content => match code {
                500..=599 => SmtpVerdict::Refused,
                _ => SmtpVerdict::Transient,
            },
        },
    }
}

/// What the exit code of a `sendmail` program means (`sysexits.h`).
///
/// As with a reply: what speaks of the recipient or the message is refused, all else lies with the machine, whose
/// operator can put it right, but for `EX_TEMPFAIL`.
pub fn sendmail(code: i32) -> SmtpVerdict {
    match code {
        0 => SmtpVerdict::Accepted,
        // EX_DATAERR, EX_NOUSER, EX_NOHOST
        65 | 67 | 68 => SmtpVerdict::Refused,
        // EX_TEMPFAIL
        75 => SmtpVerdict::Transient,
        _ => SmtpVerdict::Way,
    }
}

/// What the status of an HTTP answer means to a POST (Standard Webhooks 1.0).
///
/// Permanent is only what speaks of this request, which is the same on every attempt. By 410 a receiver asks to be left
/// alone: whoever runs the desk is to know, and what is owed is kept. All else may pass or be put right while it is tried again: 404 during a deployment, 401 and
/// 403 after a change of keys, a redirect (not followed, as body and signature are meant for one receiver) until the
/// address is corrected.
pub fn http(status: u16) -> HttpVerdict {
    match status {
        200..=299 => HttpVerdict::Accepted,
        410 => HttpVerdict::Gone,
        400 | 405 | 406 | 411 | 413..=415 | 417 | 422 | 426 | 428 | 431 | 451 => HttpVerdict::Permanent,
        // It handles the same id at this moment, or will not take it so early.
        409 | 425 => HttpVerdict::Transient,
        _ => HttpVerdict::Way,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_smtp_code_has_its_verdict_at_every_stage() {
        let of_the_service = [421, 530, 534, 535, 538];
        for stage in SmtpStage::ALL {
            let about_the_message = matches!(stage, SmtpStage::Rcpt | SmtpStage::Data | SmtpStage::Content);
            for code in 0..=999 {
                let expected = match code / 100 {
                    2 | 3 => SmtpVerdict::Accepted,
                    _ if !about_the_message || of_the_service.contains(&code) => SmtpVerdict::Way,
                    5 => SmtpVerdict::Refused,
                    _ => SmtpVerdict::Transient,
                };
                assert_eq!(smtp(code, stage), expected, "{code} at {stage:?}");
            }
        }
    }

    #[test]
    fn replies_seen_in_the_field() {
        for (code, stage, expected) in [
            (421, SmtpStage::Connect, SmtpVerdict::Way),       // closing down
            (554, SmtpStage::Connect, SmtpVerdict::Way),       // no service for this address
            (454, SmtpStage::Tls, SmtpVerdict::Way),           // TLS not available
            (535, SmtpStage::Auth, SmtpVerdict::Way),          // wrong password
            (550, SmtpStage::Auth, SmtpVerdict::Way),          // 5.7.30 basic authentication is off
            (553, SmtpStage::Mail, SmtpVerdict::Way),          // sender not owned by this login
            (450, SmtpStage::Rcpt, SmtpVerdict::Transient),    // greylisted
            (530, SmtpStage::Rcpt, SmtpVerdict::Way),          // login required
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
    fn every_exit_code_has_its_verdict() {
        for code in 0..=255 {
            let expected = match code {
                0 => SmtpVerdict::Accepted,
                65 | 67 | 68 => SmtpVerdict::Refused,
                75 => SmtpVerdict::Transient,
                _ => SmtpVerdict::Way,
            };
            assert_eq!(sendmail(code), expected, "{code}");
        }
    }

    #[test]
    fn every_http_status_has_its_verdict() {
        let never = [400, 405, 406, 411, 413, 414, 415, 417, 422, 426, 428, 431, 451]; // these bytes, this address
        for status in 0..=999 {
            let expected = match status / 100 {
                2 => HttpVerdict::Accepted,
                4 if status == 410 => HttpVerdict::Gone,
                4 if never.contains(&status) => HttpVerdict::Permanent,
                4 if [409, 425].contains(&status) => HttpVerdict::Transient,
                _ => HttpVerdict::Way,
            };
            assert_eq!(http(status), expected, "{status}");
        }
    }

    #[test]
    fn statuses_seen_in_the_field() {
        for (status, expected) in [
            (202, HttpVerdict::Accepted),
            (302, HttpVerdict::Way),       // moved, or sent to a login page
            (308, HttpVerdict::Way),       // `http` to `https`
            (400, HttpVerdict::Permanent), // does not like this body
            (401, HttpVerdict::Way),       // its key changed
            (403, HttpVerdict::Way),       // a firewall in front of it
            (404, HttpVerdict::Way),       // being deployed
            (409, HttpVerdict::Transient), // handles the same id at this moment
            (410, HttpVerdict::Gone),      // wants no more
            (413, HttpVerdict::Permanent), // too large
            (429, HttpVerdict::Way),       // too many
            (503, HttpVerdict::Way),       // restarting
        ] {
            assert_eq!(http(status), expected, "{status}");
        }
    }
}
