//! Opening a connection, step by step, so that each step can fail under its own name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use source::system;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

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
            _ => Fault::new(Kind::TlsFailed, format!("the TLS handshake failed: {}", system::reason(error))),
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
        _ => Fault::new(Kind::HostUnreachable, format!("cannot connect: {}", system::reason(error))),
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
}

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
///
/// A server that refuses us says why and closes; where our next write comes first, it fails while the reason still waits to be read. So
/// writing never fails here: from then on what is written goes nowhere, and reading goes on to what the other side said last and to its
/// end. The call's own limit bounds that.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: Stream,
    watch: Watch,
    /// Nobody takes what we write.
    is_deaf: bool,
}

impl Watched {
    fn new(stream: Stream, own: Own, agreed: bool) -> Self {
        let seen = Arc::new(Mutex::new(Seen { agreed, ..Seen::default() }));
        Self { stream, watch: Watch { seen, own }, is_deaf: false }
    }

    pub(crate) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Writes, unless that has failed or fails now.
    fn poll_hearing<T>(
        &mut self,
        write: impl FnOnce(&mut Stream) -> Poll<io::Result<T>>,
        otherwise: T,
    ) -> Poll<io::Result<T>> {
        if self.is_deaf {
            return Poll::Ready(Ok(otherwise));
        }
        let polled = write(&mut self.stream);
        if let Poll::Ready(Err(error)) = &polled {
            self.watch.failed(error);
            self.is_deaf = true;
            return Poll::Ready(Ok(otherwise));
        }
        polled
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
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
        let write = |stream: &mut Stream| match stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.poll_hearing(write, bytes.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = |stream: &mut Stream| match stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        self.poll_hearing(flush, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shutdown = |stream: &mut Stream| match stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        self.poll_hearing(shutdown, ())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use rustls::RootCertStore;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};

    use super::*;

    /// Dials as nobody, in plain text.
    pub(in crate::wire) fn dialer() -> Dialer {
        let nobody = Identity { authorities: Vec::new(), roots: Arc::new(RootCertStore::empty()), leaf: None };
        Dialer::new(&nobody, Duration::from_secs(30)).unwrap()
    }

    /// A server that reads one byte, says something and hangs up. Where there was more to read its system resets the connection.
    pub(in crate::wire) fn hanging_up(says: &'static [u8]) -> (Target, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(says).unwrap();
        });
        (Target { host: "127.0.0.1".to_owned(), port, server_name: None }, server)
    }

    #[test]
    fn what_was_said_last_is_read_where_nothing_can_be_written_any_more() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (target, server) = hanging_up(b"go away");
            let mut watched = dialer().open_plain(&target).await.unwrap();
            watched.write_all(b"two").await.unwrap();
            server.join().unwrap();
            let Stream::Plain(stream) = &watched.stream else { unreachable!() };
            while !stream.ready(Interest::WRITABLE).await.unwrap().is_write_closed() {
                tokio::task::yield_now().await;
            }
            watched.write_all(b"three").await.unwrap();
            assert!(watched.is_deaf);
            let mut said = Vec::new();
            watched.read_to_end(&mut said).await.unwrap();
            assert_eq!(said, b"go away");
            watched.shutdown().await.unwrap();
        });
    }
}
