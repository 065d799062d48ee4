//! Pages over HTTPS that asks for a client certificate: one request, one answer, one connection.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certificates::Issued;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub(crate) struct Pages {
    pub(crate) port: u16,
    ended: Arc<AtomicBool>,
}

impl Pages {
    pub(crate) fn start(
        server: &Issued,
        authority: &str,
        page: impl Fn(&str) -> (u16, &'static str, String) + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config(server, authority, false));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let (page, over) = (Arc::new(page), Arc::clone(&ended));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (config, page) = (Arc::clone(&config), Arc::clone(&page));
                // A client that goes away in the middle is its own affair.
                std::thread::spawn(move || stream.and_then(|stream| answer(stream, config, &*page)));
            }
        });
        Self { port, ended }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    page: &dyn Fn(&str) -> (u16, &'static str, String),
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let (code, kind, body) = page(&String::from_utf8_lossy(&head));
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {code} x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// TLS of a server that knows the clients of one authority; an open one takes clients without certificate too.
pub(super) fn config(server: &Issued, authority: &str, open: bool) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if open { verifier.allow_unauthenticated() } else { verifier }.build().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(server.certificate_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(server.key.reveal().as_bytes()).unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap()
}
