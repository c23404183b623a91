//! Access tokens of an OAuth 2.0 server (RFC 6749), for a mail server that takes no passwords.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use tokio::time::Instant;
use url::form_urlencoded;

use super::super::post::{Answer, Post, answered, reason};
use super::super::{NotifyError, OauthSettings};
use super::login::without;
use crate::config::secret::Secret;
use crate::outbox::Failure;

/// How long before its end a token is no longer used: a mail must be through by then.
const MARGIN: Duration = Duration::from_mins(2);

/// Where tokens come from, and the one in use.
pub(super) struct Tokens {
    settings: OauthSettings,
    post: Post,
    /// Held by whoever asks, so that mails under way together ask once.
    asking: tokio::sync::Mutex<()>,
    kept: Mutex<Kept>,
}

/// What the server gave.
#[derive(Default)]
struct Kept {
    /// A token, and until when it may be used.
    token: Option<(Secret, Instant)>,
    /// The newest refresh token, where it replaced the configured one.
    refresh: Option<Secret>,
}

/// The server's yes (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// In seconds; without it nobody knows how long the token holds.
    #[serde(default)]
    expires_in: u64,
    refresh_token: Option<String>,
}

/// The server's no (section 5.2).
#[derive(Deserialize)]
struct Denied {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Tokens {
    /// Tokens for the notifier `name`. Asks for none yet.
    ///
    /// # Errors
    /// When the machine offers no root certificates.
    pub(super) fn new(name: &str, settings: &OauthSettings) -> Result<Self, NotifyError> {
        Ok(Self {
            settings: settings.clone(),
            post: Post::new(name)?,
            asking: tokio::sync::Mutex::default(),
            kept: Mutex::default(),
        })
    }

    /// A token that holds at `now`: the one in use, or a new one, asked for at `time`.
    ///
    /// # Errors
    /// When the server gives none; it is the way that fails then, not the mail.
    pub(super) async fn token(&self, now: Instant, time: Timestamp) -> Result<Secret, Failure> {
        let _alone = self.asking.lock().await;
        if let Some((token, _)) = self.kept().token.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let url = &self.settings.token_url;
        let request = self.post.request(Method::POST, url.clone());
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(self.form());
        // Whatever became of the request, no mail was sent.
        let no_answer =
            |failure: Failure| Failure::Way { reason: failure.reason().to_owned(), retry_after: None };
        let answer = self.post.send(request, url, time).await.map_err(no_answer)?;
        let granted = self.granted(&answer)?;
        let token = Secret::new(granted.access_token);
        let mut kept = self.kept();
        let holds = Duration::from_secs(granted.expires_in).saturating_sub(MARGIN);
        kept.token = now.checked_add(holds).map(|until| (token.clone(), until));
        if let Some(refresh) = granted.refresh_token.filter(|refresh| !refresh.is_empty()) {
            kept.refresh = Some(Secret::new(refresh));
        }
        Ok(token)
    }

    /// Does not use a token again.
    pub(super) fn forget(&self, refused: &Secret) {
        let mut kept = self.kept();
        if kept.token.as_ref().is_some_and(|(token, _)| token == refused) {
            kept.token = None;
        }
    }

    /// The token in use.
    pub(super) fn in_use(&self) -> Option<Secret> {
        self.kept().token.as_ref().map(|(token, _)| token.clone())
    }

    /// All that a server was shown and nobody else may see.
    pub(super) fn secrets(&self) -> Vec<String> {
        let (in_use, refresh) = (self.in_use(), self.kept().refresh.clone());
        let configured = [&self.settings.client_secret, &self.settings.refresh_token];
        let secrets = configured.into_iter().flatten().chain(&refresh).chain(&in_use);
        secrets.map(|secret| secret.expose().to_owned()).collect()
    }

    /// What is asked for: a refresh where there is a token for that, else a grant to the client itself.
    fn form(&self) -> String {
        let OauthSettings { client_id, client_secret, refresh_token, scope, .. } = &self.settings;
        let kept = self.kept();
        let refresh = kept.refresh.as_ref().or(refresh_token.as_ref());
        let mut form = form_urlencoded::Serializer::new(String::new());
        match refresh {
            Some(refresh) => {
                form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh.expose())
            }
            None => form.append_pair("grant_type", "client_credentials"),
        };
        form.append_pair("client_id", client_id);
        if let Some(secret) = client_secret {
            form.append_pair("client_secret", secret.expose());
        }
        if let Some(scope) = scope {
            form.append_pair("scope", scope);
        }
        form.finish()
    }

    /// What the server granted.
    fn granted(&self, answer: &Answer) -> Result<Granted, Failure> {
        let said = if answer.status.is_success() {
            match serde_json::from_slice::<Granted>(&answer.body) {
                Ok(granted) if !granted.access_token.is_empty() => return Ok(granted),
                Ok(_) | Err(_) => "answered without a token".to_owned(),
            }
        } else {
            match serde_json::from_slice::<Denied>(&answer.body) {
                Ok(Denied { error, error_description }) => {
                    format!("gives no token: {error} {error_description}")
                }
                Err(_) => format!("gives no token: {}", answered(answer.status)),
            }
        };
        let reason = reason(&self.settings.token_url, without(&said, &self.secrets()).trim_end());
        Err(Failure::Way { reason, retry_after: answer.retry_after })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Whoever panicked left values that are whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
