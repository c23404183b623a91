//! `email`: one mail to one recipient, text and HTML.
//!
//! A mail is the same, byte for byte, on every attempt that is not late: its Message-ID is the delivery's id, its Date
//! the time at which the alert or the digest was made, and as sent it tells the time since which it may leave. So a
//! mailbox that got it twice shows it once.
//! A late attempt says that it is late, and tells its own time; its Message-ID stays. One after an attempt whose answer did
//! not come has one header more.

mod html;
mod login;
mod relay;
mod sendmail;
mod stream;
mod text;
mod thread;
mod token;
mod way;

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use self::way::Way;
use super::foreign::HeaderText;
use super::template::{Source, Template};
use super::{
    Accepted, Body, EmailSettings, MailTemplates, Message, NotifyError, event, report, webhook, wording,
};
use crate::outbox::Failure;
use crate::story::AlertKind;

pub use html::html_part;
pub use text::text_part;

/// Longest time for one mail, from connecting to the server's yes. RFC 5321 (section 4.5.3.2) allows ten minutes
/// after the message alone; a relay that needs longer than this is asked again.
const DEADLINE: Duration = Duration::from_mins(1);

/// A notifier that sends mail.
pub struct Email {
    name: String,
    way: Way,
    from: Mailbox,
    to: Vec<String>,
    excerpt: usize,
    templates: Templates,
    deadline: Duration,
}

/// Templates of the desk in place of the parts of a mail.
#[derive(Debug, Default)]
struct Templates {
    subject: Option<Template>,
    text: Option<Template>,
    html: Option<Template>,
}

impl Templates {
    fn new(name: &str, settings: &MailTemplates) -> Result<Self, NotifyError> {
        let template = |source: &Option<Source>| {
            let template = source.as_ref().map(Template::new).transpose();
            template.map_err(|detail| NotifyError::Template { notifier: name.to_owned(), detail })
        };
        Ok(Self {
            subject: template(&settings.subject)?,
            text: template(&settings.text)?,
            html: template(&settings.html)?,
        })
    }
}

impl Email {
    /// Checks the addresses and tries the templates.
    ///
    /// # Errors
    /// When one of them is none, or a template cannot be used.
    pub fn new(name: &str, settings: &EmailSettings) -> Result<Self, NotifyError> {
        let bad = |address: &str| NotifyError::Address {
            notifier: name.to_owned(),
            address: HeaderText::new(address).to_string(),
        };
        // lettre panics on a display name with a line break, so none comes that far.
        let from = Some(settings.from.as_str())
            .filter(|from| !from.chars().any(char::is_control))
            .and_then(|from| from.parse::<Mailbox>().ok())
            .filter(|from| from.email.to_string().is_ascii())
            .ok_or_else(|| bad(&settings.from))?;
        for recipient in &settings.to {
            plain_address(recipient).ok_or_else(|| bad(recipient))?;
        }
        let way = Way::new(name, &settings.way, from.email.domain())?;
        Ok(Self {
            name: name.to_owned(),
            way,
            from,
            to: settings.to.clone(),
            excerpt: settings.excerpt,
            templates: Templates::new(name, &settings.templates)?,
            deadline: DEADLINE,
        })
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The addresses it sends to.
    pub fn recipients(&self) -> &[String] {
        &self.to
    }

    /// Sends `message` to its recipient, in at most a minute.
    ///
    /// # Errors
    /// When the relay or the program did not take it.
    ///
    /// # Cancel safety
    /// Dropping it may leave a mail accepted without our knowing.
    pub async fn send(&self, message: &Message<'_>) -> Result<Accepted, Failure> {
        let Some(to) = plain_address(message.recipient) else {
            let reason = format!("`{}` is not a mail address", HeaderText::new(message.recipient));
            return Err(Failure::Permanent { reason });
        };
        let mail = self.letter(message, to.clone())?;
        self.way.deliver((&self.from.email, &to), &mail.formatted(), (message.now, self.deadline)).await
    }

    /// What a template makes of a message; `None` without one, or when it fails.
    fn made(&self, template: Option<&Template>, message: &Message<'_>) -> Option<String> {
        let template = template?;
        let built_in = webhook::body(message, &self.name).ok()?;
        webhook::rendered(template, message, &built_in)
    }

    /// The mail as it is sent.
    fn letter(&self, message: &Message<'_>, to: Address) -> Result<lettre::Message, Failure> {
        let domain = self.from.email.domain();
        let Templates { subject: own_subject, text, html } = &self.templates;
        let subject = self.made(own_subject.as_ref(), message);
        let subject = subject.map_or_else(|| subject_of(message), |made| HeaderText::new(&made));
        let text = self.made(text.as_ref(), message).unwrap_or_else(|| text_part(message, self.excerpt));
        let html = self.made(html.as_ref(), message).unwrap_or_else(|| html_part(message, self.excerpt));
        let mut mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(date(message))
            .subject(subject.as_str())
            .message_id(Some(format!("<{}@{domain}>", message.id)))
            // RFC 3834: no out-of-office reply comes back to it.
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if message.possible_duplicate {
            mail = mail.raw_header(header("X-Harmattan-Possible-Duplicate", "yes"));
        }
        if let Body::Alert(alert) = &message.body {
            mail = thread::threaded(mail, alert, message.recipient, domain);
            mail = mail.raw_header(header("X-Harmattan-Alert", &alert.id.to_string()));
            mail = mail.raw_header(header("X-Harmattan-Rule", &wording::rules(alert)));
            mail = mail.raw_header(header("X-Harmattan-Source", wording::source_name(alert)));
        }
        if let Body::Event(event) = &message.body {
            mail = mail.raw_header(header("X-Harmattan-Event", event.kind.as_str()));
            mail = mail.raw_header(header("X-Harmattan-Source", &event.name));
        }
        let mail = mail.raw_header(header("List-Id", &format!("<{}.{domain}>", list(message))));
        // `=_` stands in no encoded body (RFC 2045, section 6.7), and no source can know the delivery's id.
        let parts = MultiPart::alternative()
            .boundary(format!("=_{}", message.id))
            .singlepart(SinglePart::plain(text))
            .singlepart(SinglePart::html(html));
        mail.multipart(parts).map_err(|error| Failure::Permanent { reason: format!("no mail: {error}") })
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("name", &self.name)
            .field("way", &self.way.to_string())
            .finish_non_exhaustive()
    }
}

/// `[critical] <headline> · <source>`.
fn subject_of(message: &Message<'_>) -> HeaderText {
    let late = if message.late { "Late: " } else { "" };
    let alert = match &message.body {
        Body::Alert(alert) => alert,
        Body::Digest(digest) => {
            let (severity, headline) = (digest.severity(), digest.headline());
            return HeaderText::new(&format!("[digest] {late}{headline} · at most {severity}"));
        }
        Body::Event(told) => {
            return HeaderText::new(&format!("[{}] {late}{}", told.kind.as_str(), event::headline(told)));
        }
        Body::Report(told) => {
            return HeaderText::new(&format!("[report] {late}Harmattan: {}", report::headline(told)));
        }
        Body::Test => return HeaderText::new("[test] Harmattan: a test message"),
    };
    let update = match alert.kind {
        AlertKind::New => "",
        AlertKind::Update => "Update: ",
    };
    let (headline, source) = (wording::headline(alert), wording::source_name(alert));
    let late = if alert.repeat.is_some() { "Perhaps again: " } else { late };
    HeaderText::new(&format!("[{}] {late}{update}{headline} · {source}", alert.severity))
}

/// When it was made, so that retries repeat it; for a test the time of sending.
fn date(message: &Message<'_>) -> SystemTime {
    let at = match &message.body {
        Body::Alert(alert) => alert.created,
        Body::Digest(digest) => digest.created,
        Body::Event(event) => event.created,
        Body::Report(told) => told.until,
        Body::Test => message.now,
    };
    // Mail dates have years 1970 to 9999; a clock outside of that still sends.
    let seconds = u64::try_from(at.as_second()).unwrap_or_default().min(253_402_300_799);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The left part of the List-Id: the most severe rule, for mail filters.
fn list(message: &Message<'_>) -> String {
    let name = match &message.body {
        Body::Alert(alert) => {
            let rule = alert.rules.iter().rev().max_by_key(|rule| rule.severity);
            rule.map_or("alert", |rule| &*rule.rule)
        }
        Body::Digest(_) => "digest",
        Body::Report(_) => "report",
        Body::Event(event) => event.kind.as_str(),
        Body::Test => "test",
    };
    let label = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(label).take(64).collect()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), HeaderText::new(value).to_string())
}

/// A bare ASCII address: internationalised ones would need a relay that offers SMTPUTF8.
fn plain_address(text: &str) -> Option<Address> {
    text.is_ascii().then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
