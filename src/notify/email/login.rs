//! Logging in at a mail server: by a password, or by an access token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::Instant;

use super::super::{Login as Settings, NotifyError};
use super::token::Tokens;
use crate::config::secret::Secret;
use crate::outbox::Failure;

/// As whom to log in, and what proves it.
pub(super) struct Login {
    user: String,
    proof: Proof,
}

/// What proves that the user is who it says.
enum Proof {
    Password(Secret),
    Tokens(Box<Tokens>),
}

/// Why a login failed.
pub(super) enum Refusal {
    /// There is no token to log in with.
    NoToken(Failure),
    /// The server does not take tokens.
    NoTokensTaken,
    /// The server refused, or went away.
    Server(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl Login {
    /// The login of the notifier `name`, by its settings.
    ///
    /// # Errors
    /// When the machine offers no root certificates for the server of tokens.
    pub(super) fn new(name: &str, settings: &Settings) -> Result<Self, NotifyError> {
        Ok(match settings {
            Settings::Password { user, password } => {
                Self { user: user.clone(), proof: Proof::Password(password.clone()) }
            }
            Settings::Oauth { user, oauth } => {
                Self { user: user.clone(), proof: Proof::Tokens(Box::new(Tokens::new(name, oauth)?)) }
            }
        })
    }

    /// Logs in; it is `time`. A token that the server refuses is not used again.
    ///
    /// # Errors
    /// Everything short of the server's welcome.
    pub(super) async fn log_in(
        &self,
        connection: &mut AsyncSmtpConnection,
        time: Timestamp,
    ) -> Result<(), Refusal> {
        let tokens = match &self.proof {
            Proof::Password(password) => {
                let credentials = Credentials::new(self.user.clone(), password.expose().to_owned());
                connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
                return Ok(());
            }
            Proof::Tokens(tokens) => tokens,
        };
        if !connection.server_info().supports_auth_mechanism(Mechanism::Xoauth2) {
            return Err(Refusal::NoTokensTaken);
        }
        let token = tokens.token(Instant::now(), time).await.map_err(Refusal::NoToken)?;
        let welcomed = by_token(connection, &xoauth2(&self.user, &token)).await;
        if welcomed.as_ref().is_err_and(|error| error.status().is_some()) {
            tokens.forget(&token);
        }
        Ok(welcomed?)
    }

    /// The words without any secret of the login, in whatever form it was sent.
    pub(super) fn veil(&self, words: &str) -> String {
        let shown = match &self.proof {
            Proof::Password(password) => {
                let password = password.expose();
                let plain = STANDARD.encode(format!("\0{}\0{password}", self.user));
                vec![plain, STANDARD.encode(password), password.to_owned()]
            }
            Proof::Tokens(tokens) => {
                let secrets = tokens.secrets();
                let sent = tokens.in_use().map(|token| xoauth2(&self.user, &token));
                sent.into_iter().chain(secrets).collect()
            }
        };
        without(words, &shown)
    }
}

/// The words with `(secret)` in place of each of these.
pub(super) fn without(words: &str, secrets: &[String]) -> String {
    let shown = secrets.iter().filter(|secret| !secret.is_empty());
    shown.fold(words.to_owned(), |words, secret| words.replace(secret.as_str(), "(secret)"))
}

/// What AUTH XOAUTH2 is given: Google's and Microsoft's form, which no RFC describes.
fn xoauth2(user: &str, token: &Secret) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose()))
}

/// AUTH XOAUTH2. lettre's own ends at the server's challenge, which says that the token is refused: only the reply to an
/// empty answer tells why.
async fn by_token(connection: &mut AsyncSmtpConnection, response: &str) -> Result<(), Error> {
    let reply = connection.command(format!("AUTH XOAUTH2 {response}\r\n")).await?;
    if reply.has_code(334) {
        connection.command("\r\n").await?;
    }
    Ok(())
}
