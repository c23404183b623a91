//! A mail server that keeps what it is given (RFC 5321, without delivery and without TLS).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Longest line that is read, in bytes (RFC 5321, section 4.5.3.1.6, with room).
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Largest mail that is taken, in bytes.
const MAIL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A mail as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Address of MAIL FROM.
    pub from: String,
    /// Addresses of RCPT TO.
    pub to: Vec<String>,
    /// The message, lines ending in CRLF, dots unstuffed.
    pub bytes: Vec<u8>,
}

/// A step at which the server can misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The greeting.
    Connect,
    /// EHLO or HELO.
    Ehlo,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The end of the message.
    Content,
    /// QUIT.
    Quit,
}

/// A misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this line instead.
    Reply(&'static str),
    /// Closes the connection without an answer.
    Drop,
    /// Does as asked, then closes the connection without an answer.
    DropAfter,
    /// Never answers.
    Stall,
    /// Answers with a reply that never ends.
    Endless,
    /// Answers with a line that never ends.
    EndlessLine,
}

/// What the server does wrong, in order: each fault happens once, at the next turn of its verb.
#[derive(Clone, Debug, Default)]
pub struct Replies(Vec<(Verb, Fault)>);

impl Replies {
    /// Adds a fault.
    #[must_use]
    pub fn then(mut self, verb: Verb, fault: Fault) -> Self {
        self.0.push((verb, fault));
        self
    }

    fn next(&mut self, verb: Verb) -> Option<Fault> {
        let at = self.0.iter().position(|(due, _)| *due == verb)?;
        Some(self.0.remove(at).1)
    }
}

/// A mail server on loopback. It offers AUTH PLAIN and XOAUTH2 and takes any login; it offers no STARTTLS.
#[derive(Debug)]
pub struct Mailbox {
    address: SocketAddr,
    received: watch::Receiver<Vec<Mail>>,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Mailbox {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start(replies: Replies) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, received) = watch::channel(Vec::new());
        let shared =
            Arc::new(Shared { replies: Mutex::new(replies), logins: Mutex::default(), mails: sender });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, received, shared, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has received so far.
    pub fn received(&self) -> Vec<Mail> {
        self.received.borrow().clone()
    }

    /// What AUTH was given so far, the mechanism first.
    pub fn logins(&self) -> Vec<String> {
        // A panic elsewhere leaves a list that is still a list.
        self.shared.logins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has received `count` mails, and returns all it has.
    pub async fn wait_for(&self, count: usize) -> Vec<Mail> {
        let mut received = self.received.clone();
        match received.wait_for(|mails| mails.len() >= count).await {
            Ok(mails) => mails.clone(),
            // The server's task has ended; what it took is still there.
            Err(_) => self.received(),
        }
    }
}

#[derive(Debug)]
struct Shared {
    replies: Mutex<Replies>,
    logins: Mutex<Vec<String>>,
    mails: watch::Sender<Vec<Mail>>,
}

/// Accepts connections until it is dropped; the conversations end with it.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut conversations = JoinSet::new();
    loop {
        // Both are cancel-safe: a connection not yet accepted stays in the queue.
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let shared = Arc::clone(&shared);
                    conversations.spawn(async move { converse(stream, &shared).await.is_ok() });
                }
            }
            Some(_ended) = conversations.join_next() => {}
        }
    }
}

/// One connection, up to QUIT or to its loss.
async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let mut talk = Talk { reader: BufReader::new(reader), writer, shared };
    if !talk.answer(Verb::Connect, "220 mailbox.example ESMTP").await? {
        return Ok(());
    }
    let mut mail = Mail { from: String::new(), to: Vec::new(), bytes: Vec::new() };
    while let Some(line) = talk.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let go_on = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                talk.answer(Verb::Ehlo, "250-mailbox.example\r\n250-8BITMIME\r\n250 AUTH PLAIN XOAUTH2")
                    .await?
            }
            "HELO" => talk.answer(Verb::Ehlo, "250 mailbox.example").await?,
            "AUTH" => {
                shared.logins.lock().unwrap_or_else(PoisonError::into_inner).push(rest.to_owned());
                talk.answer(Verb::Auth, "235 2.7.0 welcome").await?
            }
            // The empty answer to a challenge, which XOAUTH2 sends when a token is refused.
            "" => talk.reply("535 5.7.3 authentication unsuccessful").await?,
            "MAIL" => {
                mail = Mail { from: address(rest), to: Vec::new(), bytes: Vec::new() };
                talk.answer(Verb::Mail, "250 2.1.0 ok").await?
            }
            "RCPT" => {
                mail.to.push(address(rest));
                talk.answer(Verb::Rcpt, "250 2.1.5 ok").await?
            }
            "DATA" => talk.data(&mail).await?,
            "RSET" => {
                mail.to.clear();
                talk.reply("250 2.0.0 ok").await?
            }
            "NOOP" => talk.reply("250 2.0.0 ok").await?,
            "QUIT" => {
                talk.answer(Verb::Quit, "221 2.0.0 bye").await?;
                false
            }
            _ => talk.reply("500 5.5.2 what?").await?,
        };
        if !go_on {
            return Ok(());
        }
    }
    Ok(())
}

/// The address between `<` and `>` of a MAIL or RCPT command.
fn address(rest: &str) -> String {
    let inner = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

struct Talk<'a> {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    shared: &'a Shared,
}

impl Talk<'_> {
    /// The next line with its end; `None` when the client has gone or says too much.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
        Ok(line.ends_with(b"\n").then_some(line))
    }

    /// DATA and the message after it.
    async fn data(&mut self, mail: &Mail) -> io::Result<bool> {
        if mail.to.is_empty() {
            return self.reply("503 5.5.1 no recipient").await;
        }
        let refused = self.fault(Verb::Data);
        if refused.is_some() {
            return self.act(refused, "").await;
        }
        self.reply("354 go on").await?;
        let mut mail = mail.clone();
        loop {
            let Some(line) = self.line().await? else { return Ok(false) };
            if line == b".\r\n" {
                break;
            }
            mail.bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if mail.bytes.len() > MAIL_BYTES_MAX {
                self.reply("552 5.3.4 too large").await?;
                return Ok(false);
            }
        }
        let fault = self.fault(Verb::Content);
        if matches!(fault, None | Some(Fault::DropAfter)) {
            self.shared.mails.send_modify(|mails| mails.push(mail));
        }
        self.act(fault, "250 2.0.0 ok: queued").await
    }

    /// Answers a verb, or misbehaves; false when the conversation is over.
    async fn answer(&mut self, verb: Verb, reply: &str) -> io::Result<bool> {
        let fault = self.fault(verb);
        self.act(fault, reply).await
    }

    async fn act(&mut self, fault: Option<Fault>, reply: &str) -> io::Result<bool> {
        match fault {
            None => self.reply(reply).await,
            Some(Fault::Reply(line)) => self.reply(line).await,
            Some(Fault::Drop | Fault::DropAfter) => Ok(false),
            Some(Fault::Stall) => std::future::pending().await,
            Some(Fault::Endless) => loop {
                self.writer.write_all(format!("250-{}\r\n", "and so on ".repeat(90)).as_bytes()).await?;
            },
            Some(Fault::EndlessLine) => loop {
                self.writer.write_all("250 and so on ".repeat(600).as_bytes()).await?;
            },
        }
    }

    async fn reply(&mut self, line: &str) -> io::Result<bool> {
        self.writer.write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(true)
    }

    fn fault(&self, verb: Verb) -> Option<Fault> {
        // A panic elsewhere leaves a list of faults that is still a list.
        self.shared.replies.lock().unwrap_or_else(PoisonError::into_inner).next(verb)
    }
}
