//! Row 18: titles that are more than text somewhere.

use harmattan::demo::{Hook, Letter, Mailbox, Replies};
use serde_json::Value;

use super::{mail, restless, until, webhook};
use crate::support::calls::text;
use crate::support::desk::{Desk, SECRET, Web, rss, soon};
use crate::support::http::{Reply, Server};

/// Titles that mean something to one program or another.
fn hostile() -> Vec<String> {
    [
        "Convoy attacked at dawn\r\nBcc: victim@evil.example\r\n\r\nbody",
        "In Gao a convoy attacked a camp <script>alert(1)</script><img src=x onerror=alert(1)>",
        "Near Mopti: convoy attacked \u{202e}gpj.exe\u{2066}",
        "Fuel convoy attacked,\0 drivers missing",
        "@everyone @here <!channel> <!here> <@U123> <@&9> another convoy attacked by night",
        "{{7*7}} {% raw %} ${7*7} #{7*7} convoy attacked again, says ministry",
        "=cmd()|'/C calc'!A0 convoy attacked on the road to Kidal",
        "Aid convoy attacked \u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m in the north",
        "[click](javascript:alert(1)) ](x) *_`~| convoy attacked & <b>bold</b>",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["Grain convoy attacked ".to_owned() + &"A\u{301}".repeat(400_000)])
    .collect()
}

fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[tokio::test(flavor = "multi_thread")]
async fn row_18_hostile_titles_stay_text_on_every_way() {
    let titles = hostile();
    let web = Web::start().await;
    let mailbox = Mailbox::start(Replies::default()).await.unwrap();
    let hook = Hook::start(&[SECRET], Vec::new()).await.unwrap();
    let chat = Server::always(Reply::ok("ok"));
    let services = ["slack", "discord", "mattermost", "teams"].map(|service| {
        let url = format!("url = {{ file = \"{service}\" }}");
        format!("[[notifier]]\nname = \"{service}\"\ntype = \"{service}\"\n{url}\n")
    });
    let telegram = format!(
        "[[notifier]]\nname = \"telegram\"\ntype = \"telegram\"\nurl = \"{}\"\ntoken = {{ file = \"token\" }}\n\
         to = [\"-100\"]\n",
        chat.url("/")
    );
    let notifiers = mail("mail", &mailbox)
        + &webhook("hook", hook.url())
        + "secret = { env = \"DESK_SECRET\" }\n[[notifier]]\nname = \"screen\"\ntype = \"stdout\"\n"
        + &services.concat()
        + &telegram;
    web.put("/feed", rss(&["Mangoes harvested"]));
    let desk = Desk::new("");
    for service in ["slack", "discord", "mattermost", "teams"] {
        desk.write(&format!("config/{service}"), chat.url(&format!("/{service}")).as_str());
    }
    desk.write("config/token", "123:abc");
    desk.configure(&(restless(&web) + &notifiers));
    // A daemon's log and what it prints, and the output of every command, must not drive a terminal: `Desk` sees to it.
    let daemon = desk.start();
    until(&desk, &["sources", "list", "--json"], |rows| !text(&rows[0], "/last_poll").is_empty());
    let all: Vec<&str> = titles.iter().map(String::as_str).collect();
    let feed = rss(&[&["Mangoes harvested"][..], &all].concat()).replace(
        "<link>https://news.example/1</link>",
        "<link>javascript:alert(document.cookie)</link><author>=cmd()\r\nBcc: victim@evil.example</author>",
    );
    web.put("/feed", feed.replace("<channel>", "<channel><language>=cmd()</language>"));
    soon(hook.wait_for(titles.len())).await;
    soon(mailbox.wait_for(titles.len())).await;
    until(&desk, &["outbox", "list", "--all", "--json"], |rows| {
        rows.len() == titles.len() * 8 && rows.iter().all(|row| row["state"] == "delivered")
    });
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");

    check_mails(&mailbox);
    for request in hook.received() {
        assert!(request.signature_ok && request.body.len() < 1_000_000);
        assert!(!request.body.iter().any(u8::is_ascii_control), "escaped, all of them");
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["type"], "alert.new");
    }
    assert_eq!(chat.asked().len(), titles.len() * 5);
    check_chats(&chat);
    shown(&desk, titles.len());
}

/// No mail has a header, a mark or a link that a title made.
fn check_mails(mailbox: &Mailbox) {
    for mail in mailbox.received() {
        assert!(mail.to == ["desk@example.org"] && mail.bytes.len() < 100_000);
        let letter = Letter::read(&mail.bytes).unwrap();
        assert!(letter.header("Bcc").is_none() && letter.header("Reply-To").is_none(), "{letter:?}");
        for (name, value) in &letter.headers {
            assert!(!value.contains(is_hostile), "{name}: {value:?}");
        }
        let [plain, html] = letter.parts.as_slice() else { panic!("{letter:?}") };
        assert!(!plain.text.contains(|c| is_hostile(c) && !"\r\n".contains(c)), "{}", plain.text);
        for sign in ["<script", "<img", "href=\"javascript:"] {
            assert!(!html.text.contains(sign), "{}", html.text);
        }
    }
}

/// No message calls anybody or is longer than a service takes.
fn check_chats(chat: &Server) {
    for asked in chat.asked() {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let says = body.to_string();
        assert!(says.len() < 30_000, "{}: {} bytes", asked.target, says.len());
        match asked.target.as_str() {
            "/slack" => assert!(!marked(&body).contains('<'), "{says}"),
            "/discord" => assert_eq!(body["allowed_mentions"]["parse"], Value::Array(Vec::new())),
            "/mattermost" => assert!(!says.contains("@everyone") && !says.contains("@here"), "{says}"),
            _ => assert!(!says.contains("<script"), "{says}"),
        }
    }
}

/// What a message to Slack says where Slack reads marks, less its own links.
fn marked(body: &Value) -> String {
    let blocks = body["blocks"].as_array().unwrap().iter().map(|block| &block["text"]);
    let marked = blocks.filter(|block| block["type"] == "mrkdwn").map(|block| text(block, "/text"));
    text(body, "/text") + &marked.collect::<String>().replace("<https://news.example/", "")
}

/// What the commands show of `count` hostile alerts.
fn shown(desk: &Desk, count: usize) {
    assert_eq!(desk.run(&["alerts", "list", "--json"]).ended(0).json().len(), count);
    let listed = desk.run(&["alerts", "list"]).ended(0);
    assert!(listed.out.lines().all(|line| line.chars().count() < 1_000), "{}", listed.out);
    let table = desk.run(&["alerts", "export", "--format", "csv"]).ended(0).out;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), count);
    for cell in records.iter().flat_map(csv::StringRecord::iter) {
        assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    let timeline = desk.run(&["alerts", "export", "--format", "markdown"]).ended(0).out;
    assert!(!timeline.contains("<script") && !timeline.contains("](javascript:"), "{timeline}");
}
