//! Templates of the desk for mails and for the body of a webhook.
//!
//! A template sees what the webhook body holds (`config/webhook.schema.json`), and in `says` what a mail would say. It
//! is rendered when the config is read, with samples that hold everything and as little as can be, in hostile words:
//! what fails then is a mistake of the config. Should one fail later all the same, the built-in form is sent.

use std::io::{self, Write};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde_json::{Value, json};
use url::Url;

use super::foreign::harmless;

/// Instructions that a rendering may take, so that a loop that is too long ends.
const FUEL: u64 = 1_000_000;

/// Greatest size of what is rendered, in bytes.
const OUTPUT_BYTES_MAX: usize = 512 * 1024;

/// The name of the one template of an environment.
const NAME: &str = "template";

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of plain text.
    Line,
    /// Plain text.
    Text,
    /// HTML, in which values are escaped.
    Html,
    /// JSON, in which values are written as JSON.
    Json,
}

/// A template that has been tried.
#[derive(Debug)]
pub struct Template {
    kind: Kind,
    environment: Environment<'static>,
}

/// The source of a template: its words and what it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it makes.
    pub kind: Kind,
    /// Its words.
    pub words: String,
}

impl Template {
    /// Reads a template and tries it.
    ///
    /// # Errors
    /// Why it cannot be used, with its line where there is one.
    pub fn new(source: &Source) -> Result<Self, String> {
        let mut environment = Environment::new();
        let kind = source.kind;
        environment.set_auto_escape_callback(move |_| match kind {
            Kind::Line | Kind::Text => AutoEscape::None,
            Kind::Html => AutoEscape::Html,
            Kind::Json => AutoEscape::Json,
        });
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.add_template_owned(NAME, source.words.clone()).map_err(|error| told(&error))?;
        let template = Self { kind, environment };
        for sample in samples() {
            let about = sample.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            template.render(sample).map_err(|why| format!("of a message `{about}`: {why}"))?;
        }
        Ok(template)
    }

    /// What it makes of a message: harmless, and of its kind.
    ///
    /// # Errors
    /// Why it makes nothing that can be sent.
    pub fn render(&self, mut context: Value) -> Result<String, String> {
        clean(&mut context);
        let template = self.environment.get_template(NAME).map_err(|error| told(&error))?;
        let mut out = Capped(Vec::new());
        template.render_captured_to(Serde(&context), &mut out).map_err(|error| told(&error))?;
        let text = String::from_utf8(out.0).map_err(|_| "no UTF-8 comes of it".to_owned())?;
        match self.kind {
            Kind::Line => Ok(super::foreign::line(&text)),
            Kind::Text | Kind::Html => Ok(text),
            Kind::Json => match serde_json::from_str::<Value>(&text) {
                Ok(_) => Ok(text),
                Err(error) => Err(format!("no JSON comes of it: {error}")),
            },
        }
    }
}

/// An error in one line, with the line of the template.
fn told(error: &Error) -> String {
    let place = error.line().map_or_else(String::new, |line| format!("line {line}: "));
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    format!("{place}{}{detail}", error.kind())
}

/// Takes from every text what steers whatever shows it, and from addresses what does not lead to the web.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.chars().filter_map(harmless).collect(),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(fields) => {
            for (key, value) in fields {
                clean(value);
                let leads =
                    |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
                if key == "url" && !value.as_str().is_some_and(leads) {
                    *value = Value::String(String::new());
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes so many bytes and no more.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("too much comes of it"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Words that break out of whatever does not escape them.
const HOSTILE: &str = "\"}\r\n<script>@everyone{{7*7}}</script>'\\\u{202e}\0";

/// A message of every type: with all that can be there, and with what must be there alone.
fn samples() -> Vec<Value> {
    let at = "2026-11-23T17:00:00Z";
    let envelope = |kind: &str, data: Value| json!({ "type": kind, "version": 1, "timestamp": at, "data": data, "says": HOSTILE });
    let why = json!({ "term": HOSTILE, "text": HOSTILE, "field": "title", "start": 0, "end": 6 });
    let whole = json!({
        "id": "x", "severity": "critical", "unrouted": true, "late": true, "new": HOSTILE,
        "rules": [{ "name": HOSTILE, "severity": "critical", "score": 45, "tags": [HOSTILE], "note": HOSTILE, "why": [why] }],
        "item": {
            "id": "x", "source": HOSTILE, "tier": 3, "kind": "telegram", "title": HOSTILE, "text": HOSTILE,
            "url": "https://a.example/x", "author": HOSTILE, "lang": "ru", "published": at, "updated": at, "fetched": at,
            "tags": [HOSTILE], "guid": HOSTILE, "truncated": true, "dated": "future",
            "telegram": {
                "channel": HOSTILE, "message": 519, "album": [519], "kinds": ["text"], "views": 1, "edited": true,
                "signature": HOSTILE, "forwarded_from": { "name": HOSTILE, "url": "https://t.me/x" }, "links": [],
            },
        },
        "entities": [{ "id": "x", "type": "person", "name": HOSTILE }],
        "places": [{ "id": "x", "name": HOSTILE, "country": "ML", "in": ["sahel"], "lat": 16.77, "lon": -3.0 }],
        "story": { "id": "x", "reports": 2, "sources": [HOSTILE], "first_seen": at },
    });
    let least = json!({
        "id": "x", "severity": "low", "unrouted": false, "late": false,
        "rules": [{ "name": "x", "severity": "low", "score": null, "tags": [], "why": [] }],
        "item": { "id": "x", "tier": 3, "kind": "feed", "title": "", "text": "", "fetched": at },
        "entities": [], "places": [],
        "story": { "id": "x", "reports": 1, "sources": [], "first_seen": at },
    });
    let event = json!({
        "name": HOSTILE, "state": "failing", "reason": "dns", "since": at, "detail": HOSTILE, "late": true,
    });
    let recovered = json!({ "name": "x", "state": "ok", "since": at, "detail": "" });
    let report = json!({
        "since": at, "until": at, "recorded": 0, "sources": 1, "waiting": 0, "held": 0, "dead": 0, "silences": 0,
        "alerts": { "critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0 },
        "unwell": [{ "name": HOSTILE, "state": "failing", "reason": "dns", "since": at }], "notifiers_failing": [HOSTILE],
    });
    vec![
        envelope("alert.new", whole.clone()),
        envelope("alert.new", least.clone()),
        envelope("alert.update", whole.clone()),
        envelope("alert.digest", json!({ "alerts": [whole, least], "part": 1, "parts": 2 })),
        envelope("source.failing", event),
        envelope("source.recovered", recovered),
        envelope("report", report),
        envelope("test", json!({ "name": "x", "detail": "x" })),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(kind: Kind, words: &str) -> Result<Template, String> {
        Template::new(&Source { kind, words: words.to_owned() })
    }

    fn refused(kind: Kind, words: &str) -> String {
        template(kind, words).err().unwrap_or_default()
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_line() {
        for (kind, words, expected) in [
            (Kind::Json, "{\"text\": {{ says }}}", ""),
            (Kind::Json, "{\"text\": \"{{ says }}\"}", "of a message `alert.new`: no JSON comes of it"),
            (Kind::Json, "{{ data", "line 1: syntax error"),
            (Kind::Text, "a\n{{ data.no_such.thing }}", "of a message `alert.new`: line 2: undefined value"),
            (Kind::Text, "{{ data.item.title }}", "of a message `alert.digest`: line 1: undefined value"),
            (Kind::Text, "{% if data.item %}{{ data.item.url | default(\"\") }}{% endif %}", ""),
            (Kind::Text, "{% include \"/etc/passwd\" %}", "line 1: syntax error"),
            (
                Kind::Text,
                "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
                "of a message",
            ),
            (Kind::Text, "{% for a in range(600000) %}x{% endfor %}", "of a message"),
            (Kind::Html, "<p>{{ says }}</p>", ""),
        ] {
            let why = refused(kind, words);
            assert!(why.starts_with(expected) && why.is_empty() == expected.is_empty(), "{words}: {why}");
        }
    }

    #[test]
    fn hostile_words_break_out_of_nothing() {
        let whole = samples().into_iter().next().unwrap_or_default();
        let html = template(Kind::Html, "<p title=\"{{ says }}\">{{ says }}</p>")
            .unwrap()
            .render(whole.clone())
            .unwrap();
        assert!(!html.contains("<script>") && !html.contains("\"}"), "{html}");
        let json = template(Kind::Json, "{\"a\": {{ says }}}").unwrap().render(whole.clone()).unwrap();
        let value: Value = serde_json::from_str(&json).unwrap();
        let said = value["a"].as_str().unwrap();
        assert!(
            said.contains("<script>@everyone{{7*7}}") && !said.contains(['\0', '\u{202e}', '\r']),
            "{said}"
        );
        let line = template(Kind::Line, "{{ type }}:\n{{ says }}").unwrap().render(whole).unwrap();
        assert!(line.starts_with("alert.new: \"}") && !line.contains('\n'), "{line}");
    }

    #[test]
    fn an_address_leads_to_the_web_or_nowhere() {
        let template =
            template(Kind::Text, "{{ (data.item | default({})).url | default(\"none\", true) }}").unwrap();
        let mut sample = samples().remove(0);
        assert_eq!(template.render(sample.clone()).unwrap(), "https://a.example/x");
        sample["data"]["item"]["url"] = json!("javascript:alert(1)");
        assert_eq!(template.render(sample).unwrap(), "none");
    }
}
