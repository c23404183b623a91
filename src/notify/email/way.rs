//! By what a mail leaves: a mail server, or a program of the machine.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use lettre::Address;

use super::super::{Accepted, MailWay, NotifyError};
use super::relay::Relay;
use super::sendmail::Sendmail;
use crate::outbox::Failure;

/// The way of a notifier's mails.
pub(super) enum Way {
    /// A mail server.
    Relay(Relay),
    /// A program of the machine.
    Sendmail(Sendmail),
}

impl Way {
    /// The way of the notifier `name`, by its settings; a server is greeted as `hello`.
    ///
    /// # Errors
    /// When the machine offers no root certificates for a login by tokens.
    pub(super) fn new(name: &str, settings: &MailWay, hello: &str) -> Result<Self, NotifyError> {
        Ok(match settings {
            MailWay::Relay(relay) => Self::Relay(Relay::new(name, relay, hello)?),
            MailWay::Sendmail(program) => Self::Sendmail(Sendmail { program: program.clone() }),
        })
    }

    /// Hands over one mail to one recipient at `time`, within `deadline`.
    ///
    /// # Errors
    /// Everything short of a yes.
    ///
    /// # Cancel safety
    /// Dropping it may leave a mail accepted without our knowing; the Message-ID is the same on the next attempt.
    pub(super) async fn deliver(
        &self,
        between: (&Address, &Address),
        mail: &[u8],
        (time, deadline): (Timestamp, Duration),
    ) -> Result<Accepted, Failure> {
        match self {
            Self::Relay(relay) => relay.deliver(between, mail, (time, deadline)).await,
            Self::Sendmail(program) => program.deliver(between, mail, deadline).await,
        }
    }
}

/// Where it leads, without the login.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay(relay) => write!(f, "{}:{}", relay.host, relay.port),
            Self::Sendmail(sendmail) => write!(f, "{}", sendmail.program.display()),
        }
    }
}
