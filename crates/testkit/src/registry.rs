//! A stand-in for an OCI registry that misbehaves on demand, with a token server of its own.

mod http;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;

use self::http::{basic, read, written};
use crate::accepting::accept;

/// Between two bytes of an answer that drips.
const DRIP: Duration = Duration::from_millis(50);

/// Where its token server is.
const TOKEN_PATH: &str = "/token";

/// A stand-in for a registry: a real HTTP server, with TLS if wanted, that serves manifests, asks for logins, hands out tokens, and
/// misbehaves on demand.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    tls: bool,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

/// How it answers a question for a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// As it should.
    Proper,
    /// With a status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Nothing, until the other side goes.
    Stall,
    /// Hangs up without a word.
    HangUp,
    /// Promises more than it sends.
    Truncated,
    /// Byte by byte, without end.
    Drip,
    /// The manifest under a digest that is not its own.
    WrongDigest,
    /// Without `Docker-Content-Digest`.
    NoDigest,
    /// Other bytes than the digest says.
    OtherBytes,
    /// So many bytes.
    Huge(usize),
    /// The same without saying before how many they are.
    HugeUnannounced(usize),
    /// This body under the right media type.
    Body(String),
    /// The manifest as another media type.
    MediaType(String),
    /// Somewhere else.
    Redirect(String),
    /// 400, quoting the whole request.
    Echo,
    /// HEAD is not allowed; GET is as it should be.
    NoHead,
    /// Something that is not HTTP.
    NotHttp,
}

/// What it wants to see before it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    #[default]
    Nothing,
    /// User and password.
    Basic(String, String),
    /// A token of the token server at this URL.
    Token(String),
}

/// What its token server takes and gives.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// Also to somebody without a login.
    pub anonymous: bool,
    /// User and password that it takes.
    pub login: Option<(String, String)>,
    /// The token that it takes for others.
    pub identity: Option<String>,
    /// Answers for which one token is good.
    pub uses: Option<usize>,
    /// What it says of their end, in seconds.
    pub expires_in: Option<u64>,
    /// What it says instead.
    pub instead: Option<(u16, String)>,
}

/// What it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub authorization: Option<String>,
    pub body: String,
}

#[derive(Debug, Default)]
struct State {
    /// Repository and tag or digest → media type and bytes.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    next: VecDeque<Reply>,
    then: Option<Reply>,
    demand: Demand,
    tokens: Tokens,
    /// Token → the repositories it is for, and how often it may still be used.
    issued: BTreeMap<String, (BTreeSet<String>, usize)>,
    asked: Vec<Asked>,
}

impl Registry {
    /// Without TLS, on a port of its own.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::listen(None)
    }

    /// With TLS. Certificate and key are PEM texts; with `clients`, an authority's certificate, only its clients are let in.
    #[must_use]
    #[track_caller]
    pub fn start_tls(certificate: &str, key: &str, clients: Option<&str>) -> Self {
        let certificates = |pem: &str| -> Vec<CertificateDer<'static>> {
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().expect("certificates")
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("TLS versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(authority));
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("an authority"))
            }
        };
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        let config = builder.with_single_cert(certificates(certificate), key).expect("a certificate and its key");
        Self::listen(Some(Arc::new(config)))
    }

    #[track_caller]
    fn listen(tls: Option<Arc<ServerConfig>>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let is_tls = tls.is_some();
        let (seen, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let port = accept(tls, stopped, move |connection| serve(connection, &seen));
        Self { port, tls: is_tls, state, stop }
    }

    /// Its name in references: `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A URL of it, by the name `localhost`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.host())
    }

    /// Its token server, for [`Demand::Token`].
    #[must_use]
    pub fn realm(&self) -> String {
        self.url(TOKEN_PATH)
    }

    /// Puts a manifest under a tag and under its digest, which it gives.
    pub fn push(&self, repository: &str, tag: &str, media_type: &str, manifest: &str) -> String {
        let digest = sha256(manifest.as_bytes());
        let mut state = self.state();
        for name in [tag, digest.as_str()] {
            let content = (media_type.to_owned(), manifest.as_bytes().to_vec());
            state.manifests.insert((repository.to_owned(), name.to_owned()), content);
        }
        digest
    }

    /// Puts an index of two platforms, different for each `content`, under a tag. Gives its digest.
    pub fn push_index(&self, repository: &str, tag: &str, content: &str) -> String {
        self.push(repository, tag, OCI_INDEX, &index(content))
    }

    /// How the next questions for manifests are answered, one after the other.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().next.extend(replies);
    }

    /// How all others are.
    pub fn then(&self, reply: Reply) {
        self.state().then = Some(reply);
    }

    pub fn demand(&self, demand: Demand) {
        self.state().demand = demand;
    }

    pub fn tokens(&self, tokens: Tokens) {
        self.state().tokens = tokens;
    }

    /// What it was asked, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener up, so that it sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// The media type of OCI's index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index of two platforms, different for each `content`.
#[must_use]
pub fn index(content: &str) -> String {
    let platform = |architecture: &str| {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": platform_digest(content, architecture),
            "size": 100,
            "platform": {"os": "linux", "architecture": architecture},
        })
    };
    let manifests = [platform("amd64"), platform("arm64")];
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).to_string()
}

/// The digest of one platform of such an index.
#[must_use]
pub fn platform_digest(content: &str, architecture: &str) -> String {
    sha256(format!("{content} {architecture}").as_bytes())
}

/// `sha256:…`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in ring::digest::digest(&ring::digest::SHA256, bytes).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn serve(mut stream: impl Read + Write, state: &Mutex<State>) {
    while let Some(asked) = read(&mut stream) {
        let (reply, answer) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.asked.push(asked.clone());
            state.answer(&asked)
        };
        let written = match reply {
            Reply::Stall => {
                // Ends when the other side goes.
                let _ = stream.read(&mut [0]);
                return;
            }
            Reply::HangUp => return,
            Reply::NotHttp => stream.write_all(b"220 mail.test ESMTP\r\n"),
            Reply::Truncated => stream.write_all(&answer[..answer.len() - 10]),
            Reply::Drip => {
                for byte in answer.iter().chain(std::iter::repeat(&b' ')) {
                    if stream.write_all(&[*byte]).and_then(|()| stream.flush()).is_err() {
                        return;
                    }
                    std::thread::park_timeout(DRIP);
                }
                return;
            }
            _ => stream.write_all(&answer),
        };
        let is_over = matches!(reply, Reply::Truncated | Reply::NotHttp | Reply::HugeUnannounced(_));
        if written.and_then(|()| stream.flush()).is_err() || is_over {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> (Reply, Vec<u8>) {
        let path = asked.path.split('?').next().unwrap_or_default();
        if path == TOKEN_PATH {
            return (Reply::Proper, self.token(asked));
        }
        let json = |status: u16, headers: &[(&str, &str)], code: &str| {
            let body = json!({"errors": [{"code": code, "message": format!("{code} it is")}]}).to_string();
            let headers = [headers, &[("content-type", "application/json")]].concat();
            (Reply::Proper, written(asked, status, &headers, body.as_bytes()))
        };
        let question = path.strip_prefix("/v2/").and_then(|rest| rest.split_once("/manifests/"));
        let Some((repository, name)) = question else { return json(404, &[], "NAME_UNKNOWN") };
        if let Some(challenge) = self.refuses(asked, repository) {
            return json(401, &[("www-authenticate", &challenge)], "UNAUTHORIZED");
        }
        // What is asked before anybody is let in, or to find out whether there is TLS, takes none of the replies.
        let reply = self.next.pop_front().or_else(|| self.then.clone()).unwrap_or(Reply::Proper);
        if let Some(answer) = said(asked, &reply) {
            return (reply, answer);
        }
        let Some((media_type, manifest)) = self.manifests.get(&(repository.to_owned(), name.to_owned())) else {
            let is_known = self.manifests.keys().any(|(known, _)| known == repository);
            return json(404, &[], if is_known { "MANIFEST_UNKNOWN" } else { "NAME_UNKNOWN" });
        };
        let mut manifest = manifest.clone();
        let mut digest = Some(sha256(&manifest));
        let mut media_type = media_type.clone();
        match &reply {
            Reply::WrongDigest => digest = Some(sha256(b"another")),
            Reply::NoDigest => digest = None,
            Reply::OtherBytes => manifest.push(b' '),
            Reply::MediaType(other) => media_type.clone_from(other),
            Reply::Body(body) => {
                manifest = body.clone().into_bytes();
                digest = Some(sha256(&manifest));
            }
            Reply::NoHead if asked.method == "HEAD" => return (reply, written(asked, 405, &[], b"")),
            _ => {}
        }
        let mut headers = vec![("content-type", media_type.as_str())];
        headers.extend(digest.iter().map(|digest| ("docker-content-digest", digest.as_str())));
        (reply.clone(), written(asked, 200, &headers, &manifest))
    }

    /// The challenge for somebody who does not show what is wanted.
    fn refuses(&mut self, asked: &Asked, repository: &str) -> Option<String> {
        let shown = asked.authorization.as_deref();
        match &self.demand {
            Demand::Nothing => None,
            Demand::Basic(user, password) => {
                (shown != Some(&basic(user, password))).then(|| "Basic realm=\"a registry\"".to_owned())
            }
            Demand::Token(realm) => {
                let scope = format!("repository:{repository}:pull");
                let token = shown.and_then(|shown| shown.strip_prefix("Bearer "));
                if let Some((scopes, uses)) = token.and_then(|token| self.issued.get_mut(token))
                    && scopes.contains(&scope)
                    && *uses > 0
                {
                    *uses -= 1;
                    return None;
                }
                let error = if token.is_some() { ",error=\"invalid_token\"" } else { "" };
                Some(format!("Bearer realm=\"{realm}\",service=\"registry.test\",scope=\"{scope}\"{error}"))
            }
        }
    }

    fn token(&mut self, asked: &Asked) -> Vec<u8> {
        if let Some((status, body)) = &self.tokens.instead {
            return written(asked, *status, &[("content-type", "application/json")], body.as_bytes());
        }
        let query = asked.path.split_once('?').map_or("", |(_, query)| query);
        let pairs: Vec<(String, String)> = [query, asked.body.as_str()]
            .iter()
            .flat_map(|text| text.split('&'))
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.replace("%3A", ":").replace("%2F", "/").replace("%3D", "=")))
            .collect();
        let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let login = self.tokens.login.as_ref().map(|(user, password)| basic(user, password));
        let is_let_in = match asked.method.as_str() {
            "POST" => {
                value("grant_type") == Some("refresh_token")
                    && value("client_id").is_some()
                    && self.tokens.identity.as_deref() == value("refresh_token")
            }
            _ => match &asked.authorization {
                None => self.tokens.anonymous,
                shown => login.is_some() && *shown == login,
            },
        };
        if !is_let_in || value("service") != Some("registry.test") {
            let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": "who are you?"}]}).to_string();
            return written(asked, 401, &[("content-type", "application/json")], body.as_bytes());
        }
        let token = format!("planted-token-{}", self.issued.len());
        let scopes = pairs.iter().filter(|(name, _)| name == "scope").map(|(_, scope)| scope.clone()).collect();
        self.issued.insert(token.clone(), (scopes, self.tokens.uses.unwrap_or(usize::MAX)));
        let mut body = json!({"token": token});
        if let Some(seconds) = self.tokens.expires_in {
            body["expires_in"] = json!(seconds);
        }
        written(asked, 200, &[("content-type", "application/json")], body.to_string().as_bytes())
    }
}

/// What a reply says whatever was asked for.
fn said(asked: &Asked, reply: &Reply) -> Option<Vec<u8>> {
    let index = [("content-type", OCI_INDEX)];
    match reply {
        Reply::Status(status, headers, body) => {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Some(written(asked, *status, &headers, body.as_bytes()))
        }
        Reply::Redirect(to) => Some(written(asked, 307, &[("location", to)], b"")),
        Reply::Huge(size) => Some(written(asked, 200, &index, &vec![b' '; *size])),
        Reply::HugeUnannounced(size) => {
            let mut out =
                format!("HTTP/1.1 200 x\r\ncontent-type: {OCI_INDEX}\r\nconnection: close\r\n\r\n").into_bytes();
            out.resize(out.len() + size, b' ');
            Some(out)
        }
        Reply::Echo => {
            let shown = asked.authorization.as_deref().unwrap_or("nothing");
            let body = format!("you sent {} {} with {shown}", asked.method, asked.path);
            Some(written(asked, 400, &[("content-type", "text/plain")], body.as_bytes()))
        }
        _ => None,
    }
}
