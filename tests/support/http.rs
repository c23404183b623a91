//! A scripted HTTP/1.1 server on loopback: one thread per connection, one request per connection, every byte of the
//! answer under the test's control.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use url::Url;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `GET`, `POST`, …
    #[allow(dead_code, reason = "only the tests of notifiers look at it")]
    pub(crate) method: String,
    /// The request target, as written in the request line.
    pub(crate) target: String,
    /// When it was complete.
    pub(crate) at: Instant,
    headers: Vec<(String, Vec<u8>)>,
    /// What came behind the headers, as long as they said.
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The value of a header, byte for byte.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// The value of a header that is text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.header(name).map(|value| String::from_utf8(value.to_vec()).unwrap())
    }
}

/// What goes out after the headers.
#[derive(Clone, Debug)]
enum Body {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// Nothing, not even headers, until the client gives up.
    Silence,
    /// The bytes over and over until the client gives up.
    Endless(Vec<u8>),
    /// One byte at a time, for ever, each after a pause.
    Drip(Duration),
}

/// A scripted answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    head: Vec<u8>,
    body: Body,
    length: Option<usize>,
    thought: Option<Duration>,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn status(status: u16) -> Self {
        let head = format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\n").into_bytes();
        Self { head, body: Body::Bytes(Vec::new()), length: None, thought: None }
    }

    /// A 200 with a body and its length.
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    /// A redirect.
    pub(crate) fn to(status: u16, location: impl AsRef<[u8]>) -> Self {
        Self::status(status).header("Location", location)
    }

    /// No answer at all.
    pub(crate) fn silence() -> Self {
        Self { head: Vec::new(), body: Body::Silence, length: None, thought: None }
    }

    /// Bytes that need not be HTTP.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { head: bytes.into(), body: Body::Bytes(Vec::new()), length: None, thought: None }
    }

    /// One header more, byte for byte.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.head.extend_from_slice(name.as_bytes());
        self.head.extend_from_slice(b": ");
        self.head.extend_from_slice(value.as_ref());
        self.head.extend_from_slice(b"\r\n");
        self
    }

    /// The body, with its true length.
    pub(crate) fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { length: Some(bytes.len()), body: Body::Bytes(bytes), ..self }
    }

    /// The same without this end of its body.
    pub(crate) fn less(self, end: &str) -> Self {
        let Body::Bytes(bytes) = &self.body else { panic!("a body that ends nowhere") };
        let kept = bytes.strip_suffix(end.as_bytes()).unwrap().to_vec();
        self.body(kept)
    }

    /// A length that need not be true.
    pub(crate) fn claiming(self, length: usize) -> Self {
        Self { length: Some(length), ..self }
    }

    /// A body of these bytes over and over.
    pub(crate) fn endless(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { body: Body::Endless(bytes.into()), ..self }
    }

    /// A body of single bytes with pauses.
    pub(crate) fn drip(self, pause: Duration) -> Self {
        Self { body: Body::Drip(pause), ..self }
    }

    /// The same, but only after a while.
    pub(crate) fn after(self, thought: Duration) -> Self {
        Self { thought: Some(thought), ..self }
    }

    /// Holds the answer back; a read that times out does it without a sleep and ends early when the client goes.
    fn think(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        if self.thought.is_some() {
            stream.set_read_timeout(self.thought)?;
            stream.read_exact(&mut [0]).ok();
            stream.set_read_timeout(None)?;
        }
        Ok(())
    }

    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = self.head.clone();
        if let Some(length) = self.length {
            head.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
        }
        match &self.body {
            Body::Silence => wait_for_end(stream),
            Body::Bytes(bytes) => {
                head.extend_from_slice(b"\r\n");
                head.extend_from_slice(bytes);
                stream.write_all(&head)
            }
            Body::Endless(bytes) => {
                head.extend_from_slice(b"\r\n");
                stream.write_all(&head)?;
                loop {
                    stream.write_all(bytes)?;
                }
            }
            Body::Drip(pause) => {
                head.extend_from_slice(b"\r\n");
                stream.write_all(&head)?;
                stream.set_read_timeout(Some(*pause))?;
                // A read that times out is the pause; one that ends tells that the client has gone.
                while !matches!(stream.read(&mut [0]), Ok(0)) {
                    stream.write_all(b"x")?;
                }
                Ok(())
            }
        }
    }
}

fn wait_for_end(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}

#[derive(Default)]
struct Log {
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    in_flight: AtomicUsize,
    busiest: AtomicUsize,
}

/// A port at which nobody listens, taken for as long as this lives, so that no other test's server gets it.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    /// On every loopback address of IPv4, at this port or, with 0, at a free one.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub(crate) fn at(port: u16) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::UNSPECIFIED, port).into())?;
        Ok(Self(socket))
    }

    /// At a free port.
    pub(crate) fn anywhere() -> Self {
        Self::at(0).unwrap()
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The base address, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }
}

/// The server; it lives as long as the test program.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
}

impl Server {
    /// Listens on a free port of every loopback address of IPv4, so that tests can have many hosts.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let (answer, shared) = (Arc::new(answer), Arc::clone(&log));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&shared));
                log.connections.fetch_add(1, Ordering::SeqCst);
                // A client that hangs up early is part of many tests.
                thread::spawn(move || serve(stream, &*answer, &log).ok());
            }
        });
        Self { address, log }
    }

    /// The same answer to everything.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone())
    }

    /// An address on this server under the host `127.0.0.1`.
    pub(crate) fn url(&self, path: &str) -> Url {
        self.on("127.0.0.1", path)
    }

    /// An address on this server under another host name.
    pub(crate) fn on(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("http://{host}:{}{path}", self.address.port())).unwrap()
    }

    /// The requests so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.log.asked.lock().unwrap().clone()
    }

    /// The paths asked for so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }

    /// Connections so far, those without a request included.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// The greatest number of requests that were open at one time.
    pub(crate) fn busiest(&self) -> usize {
        self.log.busiest.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&Asked) -> Reply, log: &Log) -> std::io::Result<()> {
    let Some(asked) = read_request(&mut stream)? else { return Ok(()) };
    let open = log.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    log.busiest.fetch_max(open, Ordering::SeqCst);
    log.asked.lock().unwrap().push(asked.clone());
    let reply = answer(&asked);
    let thought = reply.think(&mut stream);
    // Before the end of the body can be seen at the other side, or the next request might be counted beside this one.
    log.in_flight.fetch_sub(1, Ordering::SeqCst);
    thought.and_then(|()| reply.send(&mut stream))?;
    stream.shutdown(Shutdown::Write)?;
    wait_for_end(&mut stream)
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        bytes.push(byte[0]);
    }
    let mut lines = bytes.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let request = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|&b| b == b':')?;
        let (name, value) = line.split_at(colon);
        Some((String::from_utf8_lossy(name).to_ascii_lowercase(), value.get(2..)?.to_vec()))
    });
    let mut words = request.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut asked =
        Asked { method, target, at: Instant::now(), headers: headers.collect(), body: Vec::new() };
    let length = asked.text("content-length").map_or(0, |length| length.parse().unwrap());
    asked.body.resize(length, 0);
    stream.read_exact(&mut asked.body)?;
    Ok(Some(asked))
}
