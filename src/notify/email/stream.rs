//! The connection to a relay, with an end to what is heard from it.
//!
//! lettre reads a reply line by line and looks at the length of a line when it has ended: one that never ends would
//! fill the memory until the deadline.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::io::{AsyncRead as _, AsyncWrite as _};
#[expect(deprecated, reason = "lettre makes TLS over a stream of ours through this type alone")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::{AsyncTokioStream, TlsParameters};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// What a server can say in one conversation, in bytes: the replies to one mail take a few thousand, a handshake with
/// its certificates some ten thousand.
const HEARD_BYTES_MAX: usize = 1024 * 1024;

/// A connection that fails when the other side has said too much.
#[derive(Debug)]
pub(super) struct Heard {
    stream: TcpStream,
    /// Bytes that may come still.
    left: usize,
}

impl Heard {
    /// Connects to the first address of `host` that answers, within `patience` for each.
    ///
    /// # Errors
    /// Why the last of them did not.
    pub(super) async fn connect(host: &str, port: u16, patience: Duration) -> io::Result<Self> {
        let mut refused = io::Error::new(io::ErrorKind::NotFound, "no address is known");
        for address in lookup_host((host, port)).await? {
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(Self { stream, left: HEARD_BYTES_MAX }),
                Ok(Err(error)) => refused = error,
                Err(_) => refused = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
            }
        }
        Err(refused)
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        match self.left.checked_sub(buffer.filled().len().saturating_sub(before)) {
            Some(left) => {
                self.left = left;
                polled
            }
            None => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "it says too much"))),
        }
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Heard {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

/// The same with TLS from its first byte on; what is heard counts as it comes, enciphered.
#[derive(Debug)]
#[expect(deprecated, reason = "as above")]
pub(super) struct Sealed(AsyncNetworkStream);

#[expect(deprecated, reason = "as above")]
impl Sealed {
    /// Makes the handshake.
    ///
    /// # Errors
    /// When it fails, or the other side has no certificate that can be trusted.
    pub(super) async fn over(
        stream: Heard,
        tls: TlsParameters,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        let mut stream = AsyncNetworkStream::use_existing_tokio1(Box::new(stream));
        stream.upgrade_tls(tls).await?;
        Ok(Self(stream))
    }
}

impl AsyncRead for Sealed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.0).poll_read(context, buffer.initialize_unfilled()))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sealed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(context)
    }
}

impl AsyncTokioStream for Sealed {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}
