//! One request and its answer: connections, redirects, sizes, times and second tries. Knows nothing of registries.
//!
//! Threats, and the answer to each: an answer without end, or one that drips (size and time of every request are bounded), redirects in a
//! circle (counted), a redirect that leads a password elsewhere (to another host nothing goes along that says who we are) or out of TLS
//! (refused), a wait without end (bounded), words of the other side that quote a secret (see [`Sieve`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use tokio::time::Instant;

use crate::config::{Config, Proxies};
use crate::endpoint::{host_of, may_use};
use crate::fault::{Fault, Kind, shown};
use crate::limits::{LARGEST_ERROR, MOST_REDIRECTS};
use crate::secret::{Secret, Sieve};
use crate::wire_fault;

/// A server that did not answer in time is asked once more, not as often as one that says no at once.
const TRIES_OF_THE_SILENT: u32 = 2;

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) accept: Option<String>,
    pub(crate) authorization: Option<HeaderValue>,
    /// A form, which may hold a secret.
    pub(crate) form: Option<Secret>,
    /// Largest answer that is taken.
    pub(crate) largest: usize,
    /// Whether it is sent again where that may help.
    pub(crate) again: bool,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url, largest: usize) -> Self {
        Self { method, url, accept: None, authorization: None, form: None, largest, again: true }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Whole, unless the status is an error: then its beginning.
    pub(crate) body: Vec<u8>,
    /// Another host than the one that was asked gave it.
    pub(crate) elsewhere: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub(crate) struct Transport {
    config: Arc<Config>,
    sieve: Arc<Sieve>,
    /// By host, and whether we show there who we are.
    clients: Mutex<BTreeMap<(String, bool), Arc<Connection>>>,
}

struct Connection {
    client: reqwest::Client,
    is_somebody: bool,
}

/// Why one try gave nothing.
struct Broken {
    fault: Fault,
    again: bool,
    /// How long the other side wants to be left alone.
    after: Option<Duration>,
}

impl From<Fault> for Broken {
    /// A fault that comes again however often one tries.
    fn from(fault: Fault) -> Self {
        Self { fault, again: false, after: None }
    }
}

impl Transport {
    pub(crate) fn new(config: Arc<Config>, sieve: Arc<Sieve>) -> Self {
        for proxy in [&config.proxies.http, &config.proxies.https].into_iter().flatten() {
            // Only the password of a proxy's URL is a secret; its host has to be seen.
            if let Ok(url) = proxy.reveal().parse::<Url>()
                && let Some(password) = url.password()
            {
                sieve.learn_login(url.username(), &Secret::new(password));
            }
        }
        Self { config, sieve, clients: Mutex::default() }
    }

    /// Sends it, again where that may help, and gives what came back; statuses that a later try may change are faults.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Fault> {
        let limits = &self.config.limits;
        let mut pause = limits.pause;
        let mut tries = 0;
        loop {
            tries += 1;
            let Broken { fault, again, after } = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(broken) => broken,
            };
            let most = if fault.kind == Kind::TimedOut { TRIES_OF_THE_SILENT } else { limits.attempts };
            let told = |message: String| Fault { message: self.sieve.clean(&message), ..fault.clone() };
            if !again || !call.again {
                return Err(told(fault.message.clone()));
            }
            if let Some(wait) = after.filter(|wait| *wait > limits.longest_pause) {
                let message = format!(
                    "{}; it asks to be left alone for {} s, and {} s are the most that is waited",
                    fault.message,
                    wait.as_secs(),
                    limits.longest_pause.as_secs()
                );
                return Err(told(message));
            }
            if tries >= most {
                return Err(told(format!("{} ({tries} tries)", fault.message)));
            }
            tokio::time::sleep(after.unwrap_or(pause).max(pause.min(limits.longest_pause))).await;
            pause = pause.saturating_mul(2).min(limits.longest_pause);
        }
    }

    async fn once(&self, call: &Call) -> Result<Answer, Broken> {
        let limits = &self.config.limits;
        let end = Instant::now() + limits.request;
        let mut url = call.url.clone();
        let mut elsewhere = false;
        for _ in 0..=MOST_REDIRECTS {
            let host = host_of(&url).unwrap_or_default();
            let connection = self.connection(&host, !elsewhere)?;
            let broken = |error: &reqwest::Error| {
                let fault = wire_fault::fault(error, connection.is_somebody, limits);
                let again = matches!(
                    fault.kind,
                    Kind::TimedOut | Kind::ConnectionClosed | Kind::Truncated | Kind::RequestFailed
                );
                // Sent twice, a form could do twice what it asks for.
                Broken { fault: at(&host, fault), again: again && call.form.is_none(), after: None }
            };
            let mut request = connection
                .client
                .request(call.method.clone(), url.clone())
                .timeout(end.saturating_duration_since(Instant::now()));
            if let Some(accept) = &call.accept {
                request = request.header(reqwest::header::ACCEPT, accept);
            }
            if let Some(authorization) = call.authorization.as_ref().filter(|_| !elsewhere) {
                request = request.header(AUTHORIZATION, authorization);
            }
            if let Some(form) = &call.form {
                request =
                    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.reveal().to_owned());
            }
            let response = request.send().await.map_err(|error| broken(&error))?;
            if let Some(next) = redirect(&response, call) {
                let next = self.followed(&url, next).map_err(|fault| Broken::from(at(&host, fault)))?;
                elsewhere |= next.origin() != url.origin();
                url = next;
                continue;
            }
            let (status, headers) = (response.status(), response.headers().clone());
            let body = self.body(response, call).await.map_err(|error| match error {
                Unread::TooLarge => {
                    let message = format!("the answer has more than {} KiB", call.largest / 1024);
                    Broken::from(at(&host, Fault::new(Kind::TooLarge, message)))
                }
                Unread::Broken(error) => match broken(&error) {
                    Broken { fault, .. } if fault.kind == Kind::ConnectionClosed => {
                        let fault = at(&host, Fault::new(Kind::Truncated, "the answer broke off in the middle"));
                        Broken { fault, again: call.form.is_none(), after: None }
                    }
                    other => other,
                },
            })?;
            let answer = Answer { status, headers, body, elsewhere };
            return match passing(&answer) {
                None => Ok(answer),
                Some((fault, after)) => Err(Broken { fault: at(&host, fault), again: true, after }),
            };
        }
        let message = format!("more than {MOST_REDIRECTS} redirects in a row");
        Err(at(&host_of(&call.url).unwrap_or_default(), Fault::new(Kind::TooManyRedirects, message)).into())
    }

    fn connection(&self, host: &str, own: bool) -> Result<Arc<Connection>, Fault> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_owned(), own);
        if let Some(known) = clients.get(&key) {
            return Ok(Arc::clone(known));
        }
        let identity = self.config.trust.identity(host, own)?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(identity.tls)
            .user_agent(&self.config.user_agent)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.config.limits.connect)
            .retry(reqwest::retry::never());
        let client = proxied(builder, &self.config.proxies)?
            .build()
            .map_err(|error| Fault::quoting(Kind::RequestFailed, "no connection can be set up", &error.to_string()))?;
        let connection = Arc::new(Connection { client, is_somebody: identity.is_somebody });
        clients.insert(key, Arc::clone(&connection));
        Ok(connection)
    }

    /// Where a redirect leads, if we go there.
    fn followed(&self, from: &Url, location: &str) -> Result<Url, Fault> {
        let refused = |why: &str| Fault::new(Kind::RedirectRefused, format!("a redirect is refused: {why}"));
        let mut next = from.join(location).map_err(|_| refused("it leads to no URL"))?;
        if from.scheme() == "https" && next.scheme() != "https" || !may_use(&next, &self.config) {
            let host = host_of(&next).unwrap_or_default();
            return Err(refused(&format!("it leads out of TLS, to `{}`", shown(&host))));
        }
        // A name in the URL would be sent as a login.
        if next.set_username("").is_err() || next.set_password(None).is_err() {
            return Err(refused("it leads to no host"));
        }
        Ok(next)
    }

    async fn body(&self, mut response: reqwest::Response, call: &Call) -> Result<Vec<u8>, Unread> {
        let failed = !response.status().is_success();
        let largest = if failed { LARGEST_ERROR } else { call.largest };
        let promised = response.content_length().unwrap_or(0);
        if call.method != Method::HEAD && !failed && promised > largest as u64 {
            return Err(Unread::TooLarge);
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(body),
                Ok(Some(chunk)) if body.len() + chunk.len() <= largest => body.extend_from_slice(&chunk),
                // Of an error, what was read says enough.
                Ok(Some(_)) | Err(_) if failed => return Ok(body),
                Ok(Some(_)) => return Err(Unread::TooLarge),
                Err(error) => return Err(Unread::Broken(error)),
            }
        }
    }
}

enum Unread {
    TooLarge,
    Broken(reqwest::Error),
}

fn proxied(mut builder: reqwest::ClientBuilder, proxies: &Proxies) -> Result<reqwest::ClientBuilder, Fault> {
    // Nothing from the environment; only what was configured.
    builder = builder.no_proxy();
    // As everybody does: what is on this machine needs no way out of it.
    let except = || reqwest::NoProxy::from_string(&format!("{},localhost,127.0.0.0/8,::1", proxies.no_proxy));
    // The library's own words would quote the URL, password included.
    let unusable = |_| Fault::new(Kind::FileMalformed, "the URL of a proxy cannot be used");
    if let Some(url) = &proxies.http {
        builder = builder.proxy(reqwest::Proxy::http(url.reveal()).map_err(unusable)?.no_proxy(except()));
    }
    if let Some(url) = &proxies.https {
        builder = builder.proxy(reqwest::Proxy::https(url.reveal()).map_err(unusable)?.no_proxy(except()));
    }
    Ok(builder)
}

/// The target, where an answer is a redirect that one follows.
fn redirect<'a>(response: &'a reqwest::Response, call: &Call) -> Option<&'a str> {
    let follows = matches!(call.method, Method::GET | Method::HEAD)
        && matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    response.headers().get(LOCATION).filter(|_| follows)?.to_str().ok()
}

/// A status that a later try may change, and how long to wait for that.
fn passing(answer: &Answer) -> Option<(Fault, Option<Duration>)> {
    let status = answer.status;
    let (kind, what) = match status.as_u16() {
        429 => (Kind::Throttled, "too many requests"),
        408 => (Kind::ServerFailing, "the request took too long for it"),
        501 | 505 => return None,
        500..=599 => (Kind::ServerFailing, "the server failed"),
        _ => return None,
    };
    let said = crate::refusal::words(&answer.body);
    let fault = Fault::quoting(kind, &format!("{what} (HTTP {})", status.as_u16()), &said);
    Some((fault, retry_after(answer)))
}

/// Seconds, or a moment; that one is compared with the server's own clock, not with ours.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.header(&RETRY_AFTER)?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp());
    let (until, now): (Timestamp, Timestamp) = (moment(text)?, moment(answer.header(&DATE)?)?);
    Some(Duration::from_secs(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)))
}

/// With the host that it is about.
pub(crate) fn at(host: &str, fault: Fault) -> Fault {
    Fault { message: format!("`{}`: {}", shown(host), fault.message), ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(HeaderName, &str)]) -> Answer {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Vec::new(), elsewhere: false }
    }

    #[test]
    fn a_wait_is_seconds_or_a_moment_by_the_servers_clock() {
        let wait = |headers: &[(HeaderName, &str)]| retry_after(&answer(429, headers)).map(|wait| wait.as_secs());
        assert_eq!(wait(&[(RETRY_AFTER, "7")]), Some(7));
        let (later, now) = ("Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(wait(&[(RETRY_AFTER, later), (DATE, now)]), Some(30));
        assert_eq!(wait(&[(RETRY_AFTER, now), (DATE, later)]), Some(0));
        assert_eq!(wait(&[(RETRY_AFTER, later)]), None);
        assert_eq!(wait(&[(RETRY_AFTER, "-1")]), None);
        assert_eq!(wait(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn some_statuses_pass() {
        let kind = |status| passing(&answer(status, &[])).map(|(fault, _)| fault.kind);
        assert_eq!(kind(429), Some(Kind::Throttled));
        for status in [408, 500, 502, 503, 504, 599] {
            assert_eq!(kind(status), Some(Kind::ServerFailing), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 501] {
            assert_eq!(kind(status), None, "{status}");
        }
    }
}
