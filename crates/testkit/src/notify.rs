use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use crate::accepting::accept;

/// Where its deliveries are.
const DELIVERIES: &str = "/api/v1/notify/deliveries";

/// How long a slow answer takes: longer than any test waits.
const SLOW: Duration = Duration::from_secs(120);

/// A stand-in for Notify: a real HTTP server, with TLS if wanted, that checks the token, keeps tenants apart, filters and pages as
/// documented, and misbehaves on demand.
#[derive(Debug)]
pub struct Notify {
    port: u16,
    tls: bool,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

/// How it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As documented.
    Proper,
    /// With a status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Not before the asking side has gone.
    Slow,
    /// 200 and something that is no JSON.
    Garbage,
    /// 200 and JSON of this shape.
    Json(String),
    /// A page of so many bytes.
    Huge(usize),
    /// Every page names the same next one.
    Circle,
    /// Hangs up without a word.
    HangUp,
    /// Promises more than it sends.
    Half,
    /// 400, quoting the whole request.
    Echo,
    /// All tenants' deliveries to everybody.
    Leak,
    /// Knows neither `from` nor `page_size`, as an older version would.
    Unfiltered,
    /// Something that is not HTTP.
    NotHttp,
}

#[derive(Debug)]
struct State {
    token: String,
    tenant_header: String,
    deliveries: Vec<Value>,
    page_size: usize,
    next: VecDeque<Answer>,
    then: Answer,
    healthy: bool,
    date: Option<String>,
    requests: Vec<String>,
}

impl Notify {
    /// Without TLS, on a port of its own.
    #[must_use]
    #[track_caller]
    pub fn start(token: &str) -> Self {
        Self::listen(token, None)
    }

    /// With TLS. Certificate and key are PEM texts.
    #[must_use]
    #[track_caller]
    pub fn start_tls(token: &str, certificate: &str, key: &str) -> Self {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(chain.expect("certificates"), key)
            .expect("a certificate and its key");
        Self::listen(token, Some(Arc::new(config)))
    }

    #[track_caller]
    fn listen(token: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let state = Arc::new(Mutex::new(State {
            token: token.to_owned(),
            tenant_header: "x-stellaops-tenant".to_owned(),
            deliveries: Vec::new(),
            page_size: usize::MAX,
            next: VecDeque::new(),
            then: Answer::Proper,
            healthy: true,
            date: None,
            requests: Vec::new(),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let is_tls = tls.is_some();
        let (seen, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let port = accept(tls, stopped, move |connection| serve(connection, &seen));
        Self { port, tls: is_tls, state, stop }
    }

    /// Its base URL, by the name `localhost`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://localhost:{}", if self.tls { "https" } else { "http" }, self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// One more delivery: `items[]` of its answer, with `tenantId` and `createdUtc`.
    pub fn deliver(&self, delivery: Value) {
        self.state().deliveries.push(delivery);
    }

    /// Forgets all deliveries.
    pub fn clear(&self) {
        self.state().deliveries.clear();
    }

    /// The header that carries the tenant.
    pub fn tenant_header(&self, name: &str) {
        self.state().tenant_header = name.to_ascii_lowercase();
    }

    /// Answers the next calls so, and then as before.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().next.extend(answers);
    }

    /// Answers so from now on.
    pub fn answer(&self, answer: Answer) {
        self.state().then = answer;
    }

    /// So many deliveries on one page at most, whatever is asked for.
    pub fn page_size(&self, size: usize) {
        self.state().page_size = size;
    }

    /// Whether its health check says that it is well.
    pub fn healthy(&self, healthy: bool) {
        self.state().healthy = healthy;
    }

    /// The `Date` of its answers.
    pub fn date(&self, date: &str) {
        self.state().date = Some(date.to_owned());
    }

    /// The request lines that it got, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Notify {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener up, so that it sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

struct Call {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    whole: String,
}

impl Call {
    fn read(stream: &mut impl Read) -> Option<Self> {
        let mut lines = BufReader::with_capacity(1, stream).lines().map_while(Result::ok);
        let first = lines.next()?;
        if !first.ends_with(" HTTP/1.1") {
            // Another protocol: what follows has no form that is known.
            return Some(Self { path: String::new(), query: Vec::new(), headers: Vec::new(), whole: String::new() });
        }
        let target = first.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        let mut whole = first.clone();
        for line in lines.take_while(|line| !line.is_empty()) {
            whole.push('\n');
            whole.push_str(&line);
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.replace("%3A", ":").replace("%2B", "+")));
        Some(Self { path: path.to_owned(), query: query.collect(), headers, whole })
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    fn query(&self, wanted: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

fn serve(mut stream: impl Read + Write, state: &Mutex<State>) {
    while let Some(call) = Call::read(&mut stream) {
        if call.whole.is_empty() {
            // As real servers do; that the other side has gone is its own business.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
            return;
        }
        let (answer, reply) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.requests.push(call.whole.lines().next().unwrap_or_default().to_owned());
            let answer = if call.path == DELIVERIES {
                state.next.pop_front().unwrap_or_else(|| state.then.clone())
            } else {
                Answer::Proper
            };
            let reply = state.reply(&call, &answer);
            (answer, reply)
        };
        let written = match answer {
            Answer::Slow => {
                std::thread::sleep(SLOW);
                return;
            }
            Answer::HangUp => return,
            Answer::NotHttp => stream.write_all(b"220 mail.test ESMTP\r\n"),
            Answer::Half => stream.write_all(&reply[..reply.len() / 2]),
            _ => stream.write_all(&reply),
        };
        if written.and_then(|()| stream.flush()).is_err() || matches!(answer, Answer::Half | Answer::NotHttp) {
            return;
        }
    }
}

impl State {
    fn reply(&self, call: &Call, answer: &Answer) -> Vec<u8> {
        let json = |status: u16, body: &Value| {
            self.written(status, &[("content-type", "application/json".to_owned())], &body.to_string())
        };
        match answer {
            Answer::Status(status, headers, body) => return self.written(*status, headers, body),
            Answer::Garbage => {
                return self.written(200, &[("content-type", "text/html".to_owned())], "<html>Please log in</html>");
            }
            Answer::Json(body) => return self.written(200, &[("content-type", "application/json".to_owned())], body),
            Answer::Huge(size) => return self.written(200, &[], &"x".repeat(*size)),
            Answer::Echo => return self.written(400, &[("content-type", "text/plain".to_owned())], &call.whole),
            _ => {}
        }
        if call.path.ends_with("/health") {
            return json(
                if self.healthy { 200 } else { 503 },
                &json!({"status": if self.healthy { "ok" } else { "degraded" }}),
            );
        }
        if call.path != DELIVERIES {
            return json(404, &json!({"error": "no such path"}));
        }
        if call.header("authorization") != Some(&format!("Bearer {}", self.token)) {
            return json(401, &json!({"error": "invalid_token"}));
        }
        let Some(tenant) = call.header(&self.tenant_header) else {
            return json(400, &json!({"error": format!("the header {} is missing", self.tenant_header)}));
        };
        json(200, &self.page(call, tenant, answer))
    }

    fn page(&self, call: &Call, tenant: &str, answer: &Answer) -> Value {
        let created = |delivery: &&Value| delivery["createdUtc"].as_str().unwrap_or_default().to_owned();
        let from = call.query("from").filter(|_| *answer != Answer::Unfiltered).unwrap_or_default();
        let mut found: Vec<&Value> = self
            .deliveries
            .iter()
            .filter(|delivery| *answer == Answer::Leak || delivery["tenantId"] == tenant)
            // Moments of one form compare as texts.
            .filter(|delivery| created(delivery).as_str() >= from)
            .filter(|delivery| call.query("status").is_none_or(|status| delivery["status"] == status))
            .collect();
        found.sort_by_key(|delivery| std::cmp::Reverse(created(delivery)));
        let asked = call.query("page_size").and_then(|size| size.parse().ok()).unwrap_or(50_usize);
        let size = if *answer == Answer::Unfiltered { 50 } else { asked.min(self.page_size).max(1) };
        let start: usize =
            call.query("page_token").and_then(|token| token.strip_prefix('p')?.parse().ok()).unwrap_or(0);
        let items: Vec<&Value> = found.iter().skip(start).take(size).copied().collect();
        let next = match answer {
            Answer::Circle => Some("p0".to_owned()),
            _ => (start + size < found.len()).then(|| format!("p{}", start + size)),
        };
        json!({"items": items, "nextPageToken": next})
    }

    fn written(&self, status: u16, headers: &[(&'static str, String)], body: &str) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
        if let Some(date) = &self.date {
            out.push_str(&format!("date: {date}\r\n"));
        }
        for (name, value) in headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        format!("{out}\r\n{body}").into_bytes()
    }
}
