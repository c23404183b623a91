//! One SMTP conversation: a connection, a login, one recipient, one message.
//!
//! lettre's transport tells of a failure only its code, and a 550 means something else at the login than at the
//! recipient. So the steps are taken here one by one, each failure with its stage. A connection serves one message:
//! alerts are rare, and a connection kept idle is one that breaks.

use std::error::Error as _;
use std::time::Duration;

use jiff::Timestamp;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::super::foreign::{cut, line};
use super::super::{Accepted, NotifyError, RelaySettings, SmtpTls};
use super::login::{Login, Refusal};
use super::stream::{Heard, Sealed};
use crate::outbox::Failure;
use crate::outbox::classify::{self, SmtpStage, SmtpVerdict};

/// Longest wait for one address of the relay to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for the farewell, after the outcome is known.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Greatest length of a server's words in a reason, in characters.
const REPLY_CHARS_MAX: usize = 200;

/// The mail server that takes our mail.
pub(super) struct Relay {
    /// Its name, which its certificate must carry.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// How the connection is protected.
    pub(super) tls: SmtpTls,
    /// How to log in, where that is wanted.
    pub(super) login: Option<Login>,
    /// Whom to greet as: the sender's domain, so that no name of this machine leaves it.
    pub(super) hello: String,
}

impl Relay {
    /// The server of the notifier `name`, by its settings.
    ///
    /// # Errors
    /// When the machine offers no root certificates for a login by tokens.
    pub(super) fn new(name: &str, settings: &RelaySettings, hello: &str) -> Result<Self, NotifyError> {
        let login = settings.login.as_ref().map(|login| Login::new(name, login)).transpose()?;
        Ok(Self {
            // An IPv6 address comes out of a URL in brackets, which no resolver takes.
            host: settings.host.trim_matches(['[', ']']).to_owned(),
            port: settings.port,
            tls: settings.tls,
            login,
            hello: hello.to_owned(),
        })
    }

    /// Hands over one mail at `time`, within `deadline` for all steps up to the server's yes.
    ///
    /// # Errors
    /// Everything short of that yes, sorted by stage.
    ///
    /// # Cancel safety
    /// Dropping it may leave a mail accepted without our knowing; the Message-ID is the same on the next attempt.
    pub(super) async fn deliver(
        &self,
        (from, to): (&Address, &Address),
        mail: &[u8],
        (time, deadline): (Timestamp, Duration),
    ) -> Result<Accepted, Failure> {
        let mut stage = SmtpStage::Connect;
        let steps = async {
            let mut connection = self.connect(time).await?;
            let outcome = transact(&mut connection, (from, to), mail, &mut stage).await;
            Ok::<_, Failure>((outcome, connection))
        };
        let Ok(ended) = tokio::time::timeout(deadline, steps).await else {
            return Err(self.silent(stage, &format!("no answer within {} s", deadline.as_secs_f32())));
        };
        let (outcome, mut connection) = ended?;
        let replied = outcome.as_ref().err().is_none_or(|error| error.status().is_some());
        if replied {
            // The outcome stands, whatever the server says to QUIT.
            let _farewell = tokio::time::timeout(deadline.min(QUIT_TIMEOUT), connection.abort()).await;
        }
        outcome.map_err(|error| self.failure(stage, &error))
    }

    /// Connects, secures the connection and logs in.
    async fn connect(&self, time: Timestamp) -> Result<AsyncSmtpConnection, Failure> {
        let hello = ClientId::Domain(self.hello.clone());
        let heard = Heard::connect(&self.host, self.port, CONNECT_TIMEOUT)
            .await
            .map_err(|error| self.closed(&format!("{}: {error}", SmtpStage::Connect.as_str())))?;
        let failed = |error| self.failure(SmtpStage::Connect, &error);
        let stream: Box<dyn AsyncTokioStream> = match self.tls {
            SmtpTls::Implicit => Box::new(Sealed::over(heard, self.tls_parameters()?).await.map_err(failed)?),
            SmtpTls::Required | SmtpTls::Off => Box::new(heard),
        };
        let connected = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
        let mut connection = connected.map_err(failed)?;
        if self.tls == SmtpTls::Required {
            if !connection.can_starttls() {
                return Err(self.closed("it offers no STARTTLS, which is required: nothing was sent"));
            }
            let starttls = connection.starttls(self.tls_parameters()?, &hello).await;
            starttls.map_err(|error| self.failure(SmtpStage::Tls, &error))?;
        }
        if let Some(login) = &self.login {
            login.log_in(&mut connection, time).await.map_err(|refusal| match refusal {
                Refusal::NoToken(failure) => failure,
                Refusal::NoTokensTaken => self.closed("it takes no access tokens: it offers no AUTH XOAUTH2"),
                Refusal::Server(error) => self.failure(SmtpStage::Auth, &error),
            })?;
        }
        Ok(connection)
    }

    /// Made anew for each connection, so that renewed root certificates count without a restart.
    fn tls_parameters(&self) -> Result<TlsParameters, Failure> {
        TlsParameters::new(self.host.clone()).map_err(|error| self.failure(SmtpStage::Tls, &error))
    }

    /// What lettre's error means at `stage`.
    fn failure(&self, stage: SmtpStage, error: &Error) -> Failure {
        let Some(code) = error.status().map(u16::from) else {
            return self.silent(stage, &format!("{}: {error}", stage.as_str()));
        };
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        let reason = self.reason(&format!("{}: {code} {said}", stage.as_str()));
        match classify::smtp(code, stage) {
            // lettre reports only replies of 400 and more; anything else would be a reply out of turn.
            SmtpVerdict::Accepted | SmtpVerdict::Way => Failure::Way { reason, retry_after: None },
            SmtpVerdict::Transient => Failure::Transient { reason, retry_after: None },
            SmtpVerdict::Refused => Failure::Refused { reason },
        }
    }

    /// What it means that there is no reply at `stage`: the server may have taken a message that it was given.
    fn silent(&self, stage: SmtpStage, what: &str) -> Failure {
        match stage {
            SmtpStage::Content => Failure::Lost { reason: self.reason(what) },
            SmtpStage::Connect
            | SmtpStage::Tls
            | SmtpStage::Auth
            | SmtpStage::Mail
            | SmtpStage::Rcpt
            | SmtpStage::Data => self.closed(what),
        }
    }

    fn closed(&self, what: &str) -> Failure {
        Failure::Way { reason: self.reason(what), retry_after: None }
    }

    /// A reason in one short line that begins with the server and shows no secret, however a server echoes it.
    fn reason(&self, what: &str) -> String {
        let what = self.login.as_ref().map_or_else(|| what.to_owned(), |login| login.veil(what));
        cut(&line(&format!("`{}:{}`: {what}", self.host, self.port)), REPLY_CHARS_MAX)
    }
}

/// MAIL, RCPT, DATA, the message; `stage` is the one that was reached.
async fn transact(
    connection: &mut AsyncSmtpConnection,
    (from, to): (&Address, &Address),
    mail: &[u8],
    stage: &mut SmtpStage,
) -> Result<Accepted, Error> {
    *stage = SmtpStage::Mail;
    connection.command(Mail::new(Some(from.clone()), Vec::new())).await?;
    *stage = SmtpStage::Rcpt;
    connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
    *stage = SmtpStage::Data;
    connection.command(Data).await?;
    *stage = SmtpStage::Content;
    let reply = connection.message(mail).await?;
    let words = line(reply.first_line().unwrap_or_default());
    Ok(Accepted::saying(cut(format!("{} {words}", reply.code()).trim(), REPLY_CHARS_MAX)))
}
