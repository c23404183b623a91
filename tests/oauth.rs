//! Mail through a server that takes no passwords: tokens of a loopback server, shown to a loopback relay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harmattan::config::secret::Secret;
use harmattan::demo::{Fault, Mailbox, Replies, Verb};
use harmattan::notify::{
    Accepted, EmailSettings, Login, MailTemplates, MailWay, Notifier, NotifierKind, NotifierSettings,
    OauthSettings, RelaySettings, SmtpTls,
};
use harmattan::outbox::Failure;
use jiff::tz::TimeZone;

use crate::support::http::{Asked, Reply, Server};
use crate::support::sample::{self, message};

const SECRET: &str = "hunter2-do-not-print";

/// A server that gives the tokens `token-1`, `token-2` and so on, with these further members.
fn tokens(further: &'static str) -> Server {
    let count = std::sync::atomic::AtomicU32::new(0);
    Server::start(move |_: &Asked| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        Reply::ok(format!("{{\"token_type\":\"Bearer\",\"access_token\":\"token-{number}\"{further}}}"))
    })
}

fn mail(mailbox: &Mailbox, tokens: &Server, refresh: Option<&str>) -> Notifier {
    let oauth = Box::new(OauthSettings {
        token_url: tokens.url("/token"),
        client_id: "harmattan desk".to_owned(),
        client_secret: Some(Secret::new(SECRET.to_owned())),
        refresh_token: refresh.map(|token| Secret::new(token.to_owned())),
        scope: Some("mail.send".to_owned()),
    });
    let (host, port) = (mailbox.address().ip().to_string(), mailbox.address().port());
    let login = Some(Login::Oauth { user: "desk@example.org".to_owned(), oauth });
    let settings = EmailSettings {
        way: MailWay::Relay(RelaySettings { host, port, tls: SmtpTls::Off, login }),
        from: "desk@example.org".to_owned(),
        to: vec!["reader@example.org".to_owned()],
        excerpt: 600,
        templates: MailTemplates::default(),
    };
    assert!(!format!("{settings:?}").contains(SECRET));
    let kind = NotifierKind::Email(settings);
    Notifier::new(&NotifierSettings { name: "mail".to_owned(), kind }).unwrap()
}

async fn send(mail: &Notifier) -> Result<Accepted, Failure> {
    mail.send(&message(&sample::russian(), "reader@example.org", &TimeZone::UTC)).await
}

/// What the relay was shown, decoded.
fn shown(mailbox: &Mailbox) -> Vec<String> {
    let decoded = |login: &String| {
        let response = login.strip_prefix("XOAUTH2 ").unwrap();
        String::from_utf8(STANDARD.decode(response).unwrap()).unwrap()
    };
    mailbox.logins().iter().map(decoded).collect()
}

fn bodies(server: &Server) -> Vec<String> {
    server.asked().into_iter().map(|asked| String::from_utf8(asked.body).unwrap()).collect()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_proves_the_user() {
    let mailbox = Mailbox::start(Replies::default()).await.unwrap();
    let server = tokens(",\"expires_in\":3600");
    let mail = mail(&mailbox, &server, None);
    for _ in 0..3 {
        send(&mail).await.unwrap();
    }
    assert_eq!(shown(&mailbox), vec!["user=desk@example.org\x01auth=Bearer token-1\x01\x01"; 3]);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "POST"));
    assert_eq!(asked[0].text("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        bodies(&server),
        [format!(
            "grant_type=client_credentials&client_id=harmattan+desk&client_secret={SECRET}&scope=mail.send"
        )]
    );
}

#[tokio::test]
async fn mails_under_way_together_ask_for_one_token() {
    let mailbox = Mailbox::start(Replies::default()).await.unwrap();
    let server = tokens(",\"expires_in\":3600");
    let mail = mail(&mailbox, &server, None);
    let (first, second, third) = tokio::join!(send(&mail), send(&mail), send(&mail));
    assert!([first, second, third].iter().all(Result::is_ok));
    assert_eq!((server.asked().len(), mailbox.logins().len()), (1, 3));
}

#[tokio::test]
async fn a_token_that_is_refused_or_about_to_end_is_not_used_again() {
    let refused = Fault::Reply("334 eyJzdGF0dXMiOiI0MDEifQ==");
    let mailbox = Mailbox::start(Replies::default().then(Verb::Auth, refused)).await.unwrap();
    let server = tokens(",\"expires_in\":3600");
    let notifier = mail(&mailbox, &server, None);
    let failure = send(&notifier).await.unwrap_err();
    assert!(matches!(failure, Failure::Way { .. }), "{failure:?}");
    assert!(failure.reason().contains("535 5.7.3 authentication unsuccessful"), "{failure:?}");
    send(&notifier).await.unwrap();
    assert_eq!((server.asked().len(), mailbox.received().len()), (2, 1));
    // Neither with an end too near nor without one is it known to hold for the next mail.
    for further in [",\"expires_in\":60", ""] {
        let server = tokens(further);
        let notifier = mail(&mailbox, &server, None);
        send(&notifier).await.unwrap();
        send(&notifier).await.unwrap();
        assert_eq!(server.asked().len(), 2, "{further}");
    }
}

#[tokio::test]
async fn a_newer_refresh_token_takes_the_place_of_the_configured_one() {
    let mailbox = Mailbox::start(Replies::default()).await.unwrap();
    let server = tokens(",\"refresh_token\":\"newer\"");
    let mail = mail(&mailbox, &server, Some("first"));
    send(&mail).await.unwrap();
    send(&mail).await.unwrap();
    let form = |token| {
        format!(
            "grant_type=refresh_token&refresh_token={token}&client_id=harmattan+desk&client_secret={SECRET}&scope=mail.send"
        )
    };
    assert_eq!(bodies(&server), [form("first"), form("newer")]);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_reason_shows_no_secret() {
    let denied = format!(
        "{{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: not {SECRET}\\r\\nTrace 1\"}}"
    );
    let wait = Reply::status(429).header("Retry-After", "120").body("slow down");
    for (reply, said, wait) in [
        (Reply::status(401).body(denied), "gives no token: invalid_client AADSTS7000215: not (secret)", None),
        (wait, "gives no token: answered 429 Too Many Requests", Some(120)),
        (Reply::raw(""), "error sending request", None),
        (Reply::ok("<html>"), "answered without a token", None),
        (Reply::ok("{\"access_token\":\"\"}"), "answered without a token", None),
        (
            Reply::to(302, "https://elsewhere.example/"),
            "answered 302 Found: redirects are not followed",
            None,
        ),
    ] {
        let mailbox = Mailbox::start(Replies::default()).await.unwrap();
        let server = Server::always(reply);
        let failure = send(&mail(&mailbox, &server, None)).await.unwrap_err();
        assert!(failure.reason().contains(said) && !failure.reason().contains(SECRET), "{failure:?}");
        let Failure::Way { retry_after, .. } = failure else { panic!("{failure:?}") };
        assert_eq!(retry_after.map(|wait| wait.as_secs()), wait, "{said}");
        assert_eq!((mailbox.logins(), mailbox.received()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_relay_that_takes_no_tokens_is_shown_none() {
    let old = Fault::Reply("250-mailbox.example\r\n250 AUTH PLAIN LOGIN");
    let mailbox = Mailbox::start(Replies::default().then(Verb::Ehlo, old)).await.unwrap();
    let server = tokens(",\"expires_in\":3600");
    let failure = send(&mail(&mailbox, &server, None)).await.unwrap_err();
    assert!(
        failure.reason().ends_with("it takes no access tokens: it offers no AUTH XOAUTH2"),
        "{failure:?}"
    );
    assert_eq!((server.asked().len(), mailbox.logins()), (0, vec![]));
}
