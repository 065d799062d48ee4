use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufReader, Read as _, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Asked;
use super::serve::{Request, reason};

/// A stand-in for the mirror's gateway, before an [`super::Exports`]: TLS by server name, a password for each domain, a cache of a sort,
/// nothing but GET and HEAD. It is good, and a test makes it bad: each answer can be changed on its way out.
///
/// It is for what the real gateway never does. What the real one does, only the real one shows.
#[derive(Debug)]
pub struct MirrorFront {
    port: u16,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
}

/// A domain that it serves.
#[derive(Clone, Debug)]
pub struct FrontDomain {
    pub id: String,
    pub host: String,
    pub user: String,
    pub password: String,
    /// PEM texts.
    pub certificate: String,
    pub key: String,
}

/// An answer before it is sent.
#[derive(Clone, Debug, Default)]
pub struct FrontAnswer {
    pub status: u16,
    /// Names in lower case. `content-length` is the body's unless it is here.
    pub headers: Vec<(String, String)>,
    /// For a HEAD it is what a GET would get, and is not sent.
    pub body: Vec<u8>,
    /// So many bytes of the body are sent before the connection ends.
    pub cut: Option<usize>,
    /// These bytes are sent instead, HTTP or not, and the connection ends; no bytes are a connection that ends without a word.
    pub instead: Option<Vec<u8>>,
}

impl FrontAnswer {
    /// With a status and a JSON text.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec(), ..Self::default() }
    }

    /// Replaces a header.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a header away.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

type Twist = dyn Fn(&Asked, &str, &mut FrontAnswer) + Send + Sync;

struct Shared {
    upstream: u16,
    /// By host name.
    domains: BTreeMap<String, FrontDomain>,
    tls: Arc<ServerConfig>,
    twist: Mutex<Option<Arc<Twist>>>,
    /// Host and path of what is in its cache.
    cached: Mutex<BTreeSet<String>>,
    asked: Mutex<Vec<Asked>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl MirrorFront {
    /// Before the exports at that port of 127.0.0.1.
    #[must_use]
    #[track_caller]
    pub fn start(upstream: u16, domains: Vec<FrontDomain>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut resolver = ResolvesServerCertUsingSni::new();
        for domain in &domains {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(domain.certificate.as_bytes()).collect();
            let key = PrivateKeyDer::from_pem_slice(domain.key.as_bytes()).expect("a key");
            let certified = CertifiedKey::from_der(chain.expect("certificates"), key, &provider);
            // The library refuses a certificate that is not for the name; a server that does not is made with [`Self::start_as`].
            resolver
                .add(&domain.host, certified.expect("a certificate and its key"))
                .expect("a certificate for its host");
        }
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        Self::listen(upstream, domains, tls)
    }

    /// The same with one certificate for every name that is asked for, known or not, whatever is in it.
    #[must_use]
    #[track_caller]
    pub fn start_as(upstream: u16, domains: Vec<FrontDomain>, certificate: &str, key: &str) -> Self {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(chain.expect("certificates"), key)
            .expect("a certificate and its key");
        Self::listen(upstream, domains, tls)
    }

    #[track_caller]
    fn listen(upstream: u16, domains: Vec<FrontDomain>, tls: ServerConfig) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let shared = Arc::new(Shared {
            upstream,
            domains: domains.into_iter().map(|domain| (domain.host.clone(), domain)).collect(),
            tls: Arc::new(tls),
            twist: Mutex::new(None),
            cached: Mutex::default(),
            asked: Mutex::default(),
        });
        let stop = Arc::new(AtomicBool::new(false));
        let (serving, over) = (Arc::clone(&shared), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&serving);
                // A client that goes away in the middle is its own business.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self { port, shared, stop }
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes every answer from now on: what was asked, the server name, and the answer.
    pub fn twist(&self, twist: impl Fn(&Asked, &str, &mut FrontAnswer) + Send + Sync + 'static) {
        *self.shared.twist.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(twist));
    }

    /// Is good again, with an empty cache.
    pub fn heal(&self) {
        *self.shared.twist.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.shared.cached.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Every request up to now.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for MirrorFront {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener up, so that it sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut reader = BufReader::new(StreamOwned::new(connection, stream));
        while let Some(request) = Request::read(&mut reader) {
            let name = reader.get_ref().conn.server_name().unwrap_or_default().to_owned();
            let mut answer = self.proper(&request, &name)?;
            let asked = Asked { status: answer.status, bytes: answer.body.len(), ..request.asked() };
            let twist = self.twist.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(twist) = twist {
                twist(&asked, &name, &mut answer);
            }
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
            let out = reader.get_mut();
            if let Some(bytes) = answer.instead {
                out.write_all(&bytes)?;
                break;
            }
            let is_whole = answer.cut.is_none();
            write_answer(out, &request, answer)?;
            if !is_whole || request.closes() {
                break;
            }
        }
        let mut stream = reader.into_inner();
        stream.conn.send_close_notify();
        let _ = stream.flush();
        stream.sock.shutdown(Shutdown::Both)
    }

    /// What a gateway answers.
    fn proper(&self, request: &Request, name: &str) -> io::Result<FrontAnswer> {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Ok(FrontAnswer::json(405, r#"{"error":"method"}"#));
        }
        let absent = FrontAnswer::json(404, r#"{"error":"path"}"#);
        let Some(domain) = self.domains.get(name) else { return Ok(FrontAnswer::json(421, r#"{"error":"host"}"#)) };
        let path = request.path.as_str();
        let is_shared = matches!(path, "/concelier/exports/index.json" | "/excititor/mirror/domains");
        let own =
            [format!("/concelier/exports/mirror/{}/", domain.id), format!("/excititor/mirror/domains/{}", domain.id)];
        let is_plain = !path.contains(['%', '\\']) && !path.contains("//") && !path.contains("/.");
        if !is_plain || !(is_shared || own.iter().any(|own| path.starts_with(own))) {
            return Ok(absent);
        }
        let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", domain.user, domain.password)));
        if request.header("authorization") != Some(&expected) {
            let mut answer = FrontAnswer::json(401, r#"{"error":"credentials"}"#);
            answer.set("www-authenticate", "Basic realm=\"mirror\", charset=\"UTF-8\"");
            return Ok(answer);
        }
        let mut answer = fetch(self.upstream, request)?;
        let is_new = self.cached.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{name}{path}"));
        answer.set("x-cache-status", if is_new { "MISS" } else { "HIT" });
        Ok(answer)
    }
}

/// Asks behind it, with what matters there.
fn fetch(upstream: u16, request: &Request) -> io::Result<FrontAnswer> {
    let mut stream = TcpStream::connect(("127.0.0.1", upstream))?;
    let mut head = format!("GET {} HTTP/1.1\r\nhost: upstream\r\nconnection: close\r\n", request.path);
    for name in ["if-none-match", "range", "if-range"] {
        if let Some(value) = request.header(name) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = text.get(9..12).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let headers = text.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers: Vec<(String, String)> = headers
        .filter(|(name, _)| !matches!(*name, "connection" | "content-length"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(FrontAnswer { status, headers, body: bytes.split_off(end + 4), ..FrontAnswer::default() })
}

fn write_answer(out: &mut impl Write, request: &Request, answer: FrontAnswer) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if answer.header("content-length").is_none() && answer.status != 304 {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head.push_str("\r\n");
    out.write_all(head.as_bytes())?;
    if request.method != "HEAD" && answer.status != 304 {
        let end = answer.cut.unwrap_or(answer.body.len()).min(answer.body.len());
        out.write_all(&answer.body[..end])?;
    }
    out.flush()
}
