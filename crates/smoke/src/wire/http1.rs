//! HTTP/1.1 over a connection of ours: one call after the other, bodies with a limit.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::dial::{Dialer, Protocol, Target, Watch};
use super::sender::Sender;
use super::url::Url;
use super::{Fault, Kind};

/// A collector shows a few hundred kilobytes on its metrics port; twenty times that is no collector. Answers of backends are far smaller, and
/// read as JSON values, of which two bytes can be one.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// One open connection.
pub(crate) struct Http1 {
    sender: Sender<SendRequest<Full<Bytes>>>,
    watch: Watch,
    host: String,
    timeout: std::time::Duration,
    /// In bytes.
    largest_body: usize,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Without parameters, in lower case.
    pub(crate) fn content_type(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Http1 {
    pub(crate) async fn open(dialer: &Dialer, target: &Target, tls: bool) -> Result<Self, Fault> {
        let stream = if tls { dialer.open(target, Protocol::Http1).await? } else { dialer.open_plain(target).await? };
        let watch = stream.watch();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| watch.fault())?;
        let sender = Sender::new(sender, connection);
        Ok(Self { sender, watch, host: target.shown(), timeout: dialer.timeout, largest_body: LARGEST_BODY })
    }

    /// With another limit for answers, in bytes.
    pub(crate) fn with_largest_body(self, largest_body: usize) -> Self {
        Self { largest_body, ..self }
    }

    /// For a server that is reached at another address than its name's.
    pub(crate) fn with_host(self, host: String) -> Self {
        Self { host, ..self }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.with(|sender| sender.is_closed()).unwrap_or(true)
    }

    /// One call. `Err` means that there was no answer; whether the other side acted on it is not known.
    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Reply, Fault> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, self.host.as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| Fault::new(Kind::FileMalformed, "a header or path of the request cannot be sent"))?;
        let limit = self.timeout;
        let largest = self.largest_body;
        let exchange = async {
            let is_ready = |polled: Poll<hyper::Result<()>>| polled.map(|ready| ready.is_ok());
            let ready =
                poll_fn(|cx| self.sender.with(|sender| sender.poll_ready(cx)).map_or(Poll::Ready(false), is_ready));
            if !ready.await {
                return Err(self.watch.fault());
            }
            let Some(call) = self.sender.with(|sender| sender.send_request(request)) else {
                return Err(self.watch.fault());
            };
            let (parts, body) = call.await.map_err(|error| self.fault(&error))?.into_parts();
            let too_large =
                || Fault::new(Kind::NotOtlp, format!("the answer is larger than {} MiB", largest / (1024 * 1024)));
            // What it says of itself beforehand need not be read to its limit first.
            if body.size_hint().lower() > largest as u64 {
                return Err(too_large());
            }
            let body = Limited::new(body, largest).collect().await.map_err(|error| {
                if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
                    too_large()
                } else {
                    self.watch.fault()
                }
            })?;
            Ok(Reply { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        };
        match timeout(limit, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Fault::new(Kind::NoAnswer, format!("no answer within {limit:?}"))),
        }
    }

    /// Something answered that is not HTTP, or nothing did.
    fn fault(&self, error: &hyper::Error) -> Fault {
        let fault = self.watch.fault();
        if error.is_parse() && fault.kind == Kind::ConnectionClosed {
            return Fault::new(Kind::NotOtlp, "the port answers, but not in HTTP");
        }
        fault
    }
}

/// One GET on a connection of its own.
pub(crate) async fn get(dialer: &Dialer, url: &Url, path: &str, headers: &[(&str, &str)]) -> Result<Reply, Fault> {
    let target = Target { host: url.host.clone(), port: url.port, server_name: None };
    let mut connection = Http1::open(dialer, &target, url.tls).await?;
    connection.call(Method::GET, &format!("{}{path}", url.path), headers, Bytes::new()).await
}

#[cfg(test)]
mod tests {
    use super::super::dial::tests::{dialer, hanging_up};
    use super::*;
    use crate::wire::Identity;

    /// The length of the body that a server sends, if it is read.
    fn read_body(length: usize) -> Result<usize, String> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            // Of unknown length until it ends; who has read enough hangs up.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&vec![b'x'; length]);
        });
        let identity = Identity { authorities: Vec::new(), roots: rustls::RootCertStore::empty().into(), leaf: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let reply = runtime.block_on(async {
            let dialer = Dialer::new(&identity, std::time::Duration::from_secs(60)).unwrap();
            get(&dialer, &Url::parse(&format!("http://127.0.0.1:{port}")).unwrap(), "/", &[]).await
        });
        server.join().unwrap();
        reply.map(|reply| reply.body.len()).map_err(|fault| fault.message)
    }

    #[test]
    fn a_body_has_a_largest_size() {
        assert_eq!(read_body(8 << 20), Ok(8 << 20));
        assert_eq!(read_body((8 << 20) + 1), Err("the answer is larger than 8 MiB".to_owned()));
    }

    #[test]
    fn a_refusal_in_the_middle_of_a_request_is_understood() {
        let (target, server) =
            hanging_up(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo much");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let reply = runtime.block_on(async {
            let mut connection = Http1::open(&dialer(), &target, false).await.unwrap();
            // More than fits into the buffers between us and a server that reads nothing.
            connection.call(Method::POST, "/", &[], Bytes::from(vec![0; 64 * 1024 * 1024])).await.unwrap()
        });
        server.join().unwrap();
        assert_eq!((reply.status.as_u16(), reply.text().as_str()), (413, "too much"));
    }
}
