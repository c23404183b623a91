//! A source that breaks and is mended, by the built program: what the desk is told by mail and webhook, and what the
//! commands say meanwhile.

use harmattan::demo::{Hook, Letter, Mailbox, Replies};
use serde_json::Value;

use crate::support::desk::{Desk, Web, soon};

const WHOLE: &str = "<html><body><article><h2><a href=\"/1\">Rain in Mopti</a></h2></article></body></html>";

const REBUILT: &str = "<html><body><div class=\"card\"><h3>Rain in Mopti</h3></div></body></html>";

/// A desk with one page, told by mail and webhook.
struct Stage {
    desk: Desk,
    web: Web,
    mailbox: Mailbox,
    hook: Hook,
}

impl Stage {
    async fn set() -> Self {
        let web = Web::start().await;
        let mailbox = Mailbox::start(Replies::default()).await.expect("a mailbox");
        let hook = Hook::start(&[], Vec::new()).await.expect("a hook");
        let desk = Desk::new(&format!(
            r#"
            [store]
            path = "../store"
            [http]
            contact = "mailto:desk@example.org"
            allow_networks = ["127.0.0.0/8"]
            [schedule]
            host_gap = "0s"
            [[source]]
            name = "communiques"
            page = "{page}"
            select = {{ item = "article", title = "h2", link = "h2 a@href" }}
            [[notifier]]
            name = "desk-mail"
            type = "email"
            smtp = "smtp://{smtp}"
            from = "alerts@example.org"
            to = ["desk@example.org"]
            [[notifier]]
            name = "ops-hook"
            type = "webhook"
            url = "{hook}"
            "#,
            page = web.url("/news"),
            smtp = mailbox.address(),
            hook = hook.url(),
        ));
        Self { desk, web, mailbox, hook }
    }

    /// Shows this page and polls it; how many webhooks there were so far.
    fn poll(&self, page: &str, code: i32) -> usize {
        self.web.put("/news", page.to_owned());
        self.desk.run(&["once", "--all"]).ended(code);
        self.hook.received().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_rebuilt_is_told_by_the_second_poll_and_once_more_when_mended() {
    let stage = Stage::set().await;
    assert_eq!(stage.poll(WHOLE, 0), 0);
    assert_eq!(stage.poll(REBUILT, 1), 0, "one poll may be an accident");
    assert_eq!(stage.poll(REBUILT, 1), 1);
    assert_eq!(stage.poll(REBUILT, 1), 1, "once");

    let listed = stage.desk.run(&["sources", "list", "--json"]).ended(0).json();
    assert_eq!((&listed[0]["state"], &listed[0]["reason"]), (&"failing".into(), &"layout".into()));
    let status = stage.desk.run(&["status"]).ended(1).out;
    assert!(status.contains("1 failing: communiques (layout since "), "{status}");
    let outbox = stage.desk.run(&["outbox", "list", "--all", "--json"]).ended(0).json();
    assert_eq!(outbox.len(), 2);
    assert!(
        outbox.iter().all(|owed| owed["state"] == "delivered" && owed["event"].is_string()),
        "{outbox:?}"
    );

    assert_eq!(stage.poll(WHOLE, 0), 2);
    let told = stage.hook.received();
    let bodies: Vec<Value> =
        told.iter().map(|told| serde_json::from_slice(&told.body).expect("JSON")).collect();
    let schema = serde_json::from_str(include_str!("../config/webhook.schema.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for (body, kind, state) in
        [(&bodies[0], "source.failing", "failing"), (&bodies[1], "source.recovered", "ok")]
    {
        assert!(schema.is_valid(body), "{body:#}");
        assert_eq!((&body["type"], &body["data"]["state"]), (&kind.into(), &state.into()));
        let data = &body["data"];
        assert_eq!((&data["name"], &data["reason"]), (&"communiques".into(), &"layout".into()));
    }
    assert_ne!(told[0].id, told[1].id);

    let mails = soon(stage.mailbox.wait_for(2)).await;
    let letter = Letter::read(&mails[0].bytes).expect("a letter");
    assert_eq!(letter.header("Subject"), Some("[source.failing] communiques is failing: layout"));
    assert_eq!(letter.header("X-Harmattan-Event"), Some("source.failing"));
    let text = letter.text().expect("a text part");
    for words in ["Since:", "unknown layout", "mend its"] {
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
}
