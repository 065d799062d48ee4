//! Opening a connection, step by step, so that each step can fail under its own name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::identity::reason;
use super::tls_fault::{self, Own};
use super::{Fault, Identity, Kind};

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The name that the certificate must have, where it is not the host.
    pub(crate) server_name: Option<String>,
}

impl Target {
    /// `host:port`, an IPv6 address in brackets.
    pub(crate) fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    fn name(&self) -> Result<ServerName<'static>, Fault> {
        let name = self.server_name.as_ref().unwrap_or(&self.host);
        ServerName::try_from(name.clone())
            .map_err(|_| Fault::new(Kind::DnsFailure, format!("`{name}` is neither a host name nor an address")))
    }
}

/// What is spoken over TLS, offered by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
    /// Something that has no name in ALPN: nothing is offered.
    Nameless,
}

/// Opens connections as one identity.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    nameless: Arc<ClientConfig>,
    own: Own,
    /// For each step, and for each call over what was opened.
    pub(crate) timeout: Duration,
}

impl Dialer {
    pub(crate) fn new(identity: &Identity, timeout: Duration) -> Result<Self, Fault> {
        let config = |protocols: &[&[u8]]| -> Result<Arc<ClientConfig>, Fault> {
            let mut config = identity.tls().map_err(|error| {
                Fault::quoting(Kind::FileMalformed, "certificate and key cannot be used", &error.to_string())
            })?;
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            Ok(Arc::new(config))
        };
        Ok(Self {
            http1: config(&[b"http/1.1"])?,
            http2: config(&[b"h2"])?,
            nameless: config(&[])?,
            own: Own::of(identity),
            timeout,
        })
    }

    /// For servers that need no certificate of ours.
    pub(crate) fn anonymous(self) -> Self {
        Self { own: self.own.anonymous(), ..self }
    }

    /// A connection after its TLS handshake.
    pub(crate) async fn open(&self, target: &Target, protocol: Protocol) -> Result<Watched, Fault> {
        let name = target.name()?;
        let stream = self.connect(target).await?;
        let config = match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
            Protocol::Nameless => &self.nameless,
        };
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        match timeout(self.timeout, handshake).await {
            Ok(Ok(stream)) => {
                let agreed = protocol == Protocol::Nameless || stream.get_ref().1.alpn_protocol().is_some();
                Ok(Watched::new(Stream::Tls(Box::new(stream)), self.own, agreed))
            }
            Ok(Err(error)) => Err(self.handshake_fault(&error)),
            Err(_) => Err(Fault::new(
                Kind::NoAnswer,
                format!("the port takes connections, but did not answer the TLS handshake within {:?}", self.timeout),
            )),
        }
    }

    /// A connection without TLS.
    pub(crate) async fn open_plain(&self, target: &Target) -> Result<Watched, Fault> {
        Ok(Watched::new(Stream::Plain(self.connect(target).await?), self.own.anonymous(), true))
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, Fault> {
        let mut last = None;
        for address in self.addresses(target).await? {
            match timeout(self.timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Calls are small and one waits for its answer before the next.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => last = Some(connect_fault(&error)),
                Err(_) => {
                    let message = format!("no connection within {:?}", self.timeout);
                    last = Some(Fault::new(Kind::ConnectTimeout, message));
                }
            }
        }
        Err(last.unwrap_or_else(|| no_address(target, "it has no address")))
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Fault> {
        if let Ok(address) = target.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, target.port)]);
        }
        match timeout(self.timeout, tokio::net::lookup_host((target.host.as_str(), target.port))).await {
            Ok(Ok(found)) => Ok(found.collect()),
            Ok(Err(_)) => Err(no_address(target, "the resolver does not know it")),
            Err(_) => Err(no_address(target, "the resolver did not answer in time")),
        }
    }

    fn handshake_fault(&self, error: &io::Error) -> Fault {
        if let Some(error) = tls_error(error) {
            return tls_fault::fault(error, self.own);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Fault::new(
                Kind::ConnectionClosed,
                "the other side closed the connection during the TLS handshake; perhaps it does not speak TLS",
            ),
            _ => Fault::new(Kind::TlsFailed, format!("the TLS handshake failed: {}", reason(error))),
        }
    }
}

fn no_address(target: &Target, why: &str) -> Fault {
    Fault::new(Kind::DnsFailure, format!("the host `{}` was not found: {why}", target.host))
}

fn connect_fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Fault::new(Kind::ConnectionRefused, "nothing listens on the port"),
        io::ErrorKind::TimedOut => Fault::new(Kind::ConnectTimeout, "no connection within the system's own limit"),
        _ => Fault::new(Kind::HostUnreachable, format!("cannot connect: {}", reason(error))),
    }
}

/// The TLS library's own error, where it hides in an error of the system's kind.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What a connection saw, kept beside the HTTP library, which forgets it.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    own: Own,
}

#[derive(Debug, Default)]
struct Seen {
    tls: Option<rustls::Error>,
    /// The other side chose the protocol that we offered.
    agreed: bool,
    answered: bool,
    bytes: Vec<u8>,
    last_words: Vec<u8>,
}

/// An answer that comes while a request is still being written is a short refusal.
const MOST_LAST_WORDS: usize = 16 * 1024;

/// The first bytes of an answer tell what kind of server it is.
const FIRST_BYTES: usize = 16;

impl Watch {
    /// The fault behind a call that failed without an answer.
    pub(crate) fn fault(&self) -> Fault {
        let seen = self.lock();
        if let Some(error) = &seen.tls {
            return tls_fault::fault(error, self.own);
        }
        if !seen.answered && !seen.agreed && self.own.is_somebody() {
            let message =
                "the other side took up none of our protocols (ALPN), and closed the connection without an answer";
            return Fault::new(Kind::OtherProtocol, message);
        }
        if !seen.answered {
            return self.own.closed();
        }
        if seen.bytes.first().is_some_and(|byte| matches!(byte, 0x15 | 0x16)) {
            return Fault::new(Kind::TlsPort, "the port speaks TLS and was spoken to in plain text");
        }
        Fault::new(Kind::ConnectionClosed, "the connection broke in the middle of a call")
    }

    /// Whether the other side sent anything over this connection.
    pub(crate) fn answered(&self) -> bool {
        self.lock().answered
    }

    /// What the other side said while we could no longer write: a server that takes no more of a large body says why and hangs up.
    pub(crate) fn said_last(&self) -> Vec<u8> {
        self.lock().last_words.clone()
    }

    fn last_words(&self, bytes: &[u8]) {
        let mut seen = self.lock();
        let room = MOST_LAST_WORDS.saturating_sub(seen.last_words.len());
        seen.last_words.extend(bytes.iter().take(room));
    }

    /// HTTP/2 begins with a SETTINGS frame: three bytes of length, then its type, 4.
    pub(crate) fn first_bytes_are_http2(&self) -> bool {
        self.lock().bytes.get(3) == Some(&4)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        // A panic elsewhere leaves it as it was, which is all that is asked of it.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &io::Error) {
        if let Some(error) = tls_error(error) {
            self.lock().tls.get_or_insert_with(|| error.clone());
        }
    }

    fn read(&self, bytes: &[u8]) {
        let mut seen = self.lock();
        seen.answered |= !bytes.is_empty();
        let room = FIRST_BYTES.saturating_sub(seen.bytes.len());
        seen.bytes.extend(bytes.iter().take(room));
    }
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that notes what it sees.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: Stream,
    watch: Watch,
    /// A write failed with this, and the last words of the other side are awaited.
    write_error: Option<io::Error>,
}

impl Watched {
    fn new(stream: Stream, own: Own, agreed: bool) -> Self {
        let seen = Arc::new(Mutex::new(Seen { agreed, ..Seen::default() }));
        Self { stream, watch: Watch { seen, own }, write_error: None }
    }

    pub(crate) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    fn poll_inner_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }

    /// A server that refuses us sends an alert and closes; if our next write comes first, it fails with "broken pipe" while the alert
    /// is still on its way. So a failed write waits until the other direction has ended too, then fails as it did. The call's own
    /// limit bounds that.
    fn poll_write_error(&mut self, cx: &mut Context<'_>, error: io::Error) -> Poll<io::Error> {
        self.watch.failed(&error);
        let mut room = [0_u8; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut room);
            match self.poll_inner_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.watch.read(buffer.filled());
                    self.watch.last_words(buffer.filled());
                }
                Poll::Ready(Ok(())) => return Poll::Ready(error),
                Poll::Ready(Err(last)) => {
                    self.watch.failed(&last);
                    return Poll::Ready(error);
                }
                Poll::Pending => {
                    self.write_error = Some(error);
                    return Poll::Pending;
                }
            }
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.poll_inner_read(cx, buffer);
        match &polled {
            Poll::Ready(Ok(())) => self.watch.read(buffer.filled().get(before..).unwrap_or_default()),
            Poll::Ready(Err(error)) => self.watch.failed(error),
            Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(error) = self.write_error.take() {
            return self.poll_write_error(cx, error).map(Err);
        }
        let polled = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        match polled {
            Poll::Ready(Err(error)) => self.poll_write_error(cx, error).map(Err),
            polled => polled,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.write_error.take() {
            return self.poll_write_error(cx, error).map(Err);
        }
        let polled = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        match polled {
            Poll::Ready(Err(error)) => self.poll_write_error(cx, error).map(Err),
            polled => polled,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
