//! Calls to one host of the mirror, over one connection as long as it lasts.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use tokio::time::{Instant, sleep};

use super::Request;
use super::fault::{Kind, connection};
use crate::report::Finding;
use crate::wire::{Dialer, Fault, Http1, Kind as Wire, Reply, Target, Url};

/// What a 429 without `Retry-After` is taken for.
const USUAL_PAUSE: Duration = Duration::from_secs(5);

/// Answers that are only looked at, such as refusals, have less than this.
pub(super) const SMALL: usize = 1 << 20;

/// One call.
pub(super) struct Ask<'a> {
    /// The row that it is for.
    pub(super) about: &'a str,
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// In bytes.
    pub(super) largest: usize,
}

/// One host of the mirror.
pub(super) struct Reader<'a> {
    request: &'a Request,
    dialer: &'a Dialer,
    url: &'a Url,
    connection: Option<Http1>,
    /// Until when to wait for what the gateway puts off; of the whole run.
    pub(super) deadline: Instant,
}

impl<'a> Reader<'a> {
    pub(super) fn new(request: &'a Request, dialer: &'a Dialer, url: &'a Url, deadline: Instant) -> Self {
        Self { request, dialer, url, connection: None, deadline }
    }

    /// Connects, and with it judges the certificate.
    pub(super) async fn connect(&mut self) -> Result<(), Fault> {
        self.connection = Some(self.open().await?);
        Ok(())
    }

    /// A file that must be there, read by the tenant.
    pub(super) async fn file(&mut self, about: &str, path: &str, largest: usize) -> Result<Reply, Finding> {
        let reply = self.get(about, path, &[], largest).await?;
        expect_ok(&reply, about, path).map(|()| reply)
    }

    /// Any answer to a GET of the tenant but a 429.
    pub(super) async fn get(
        &mut self,
        about: &str,
        path: &str,
        headers: &[(&str, &str)],
        largest: usize,
    ) -> Result<Reply, Finding> {
        let authorization = self.request.authorization.as_ref().map(|secret| secret.reveal());
        self.ask(&Ask { about, method: Method::GET, path, authorization, headers, largest }).await
    }

    /// Any answer but a 429, which is waited for.
    pub(super) async fn ask(&mut self, ask: &Ask<'_>) -> Result<Reply, Finding> {
        loop {
            let reply = self.call(ask).await.map_err(|fault| connection(fault, ask.about))?;
            if reply.status != StatusCode::TOO_MANY_REQUESTS {
                return Ok(reply);
            }
            let pause = retry_after(&reply).unwrap_or(USUAL_PAUSE);
            if Instant::now() + pause > self.deadline {
                let message = format!(
                    "the gateway says that it was asked too often (429), and wants {} s of patience for `{}`",
                    pause.as_secs(),
                    ask.path
                );
                return Err(Kind::Throttled.quoting(ask.about, &message, &text(&reply)));
            }
            sleep(pause).await;
        }
    }

    async fn call(&mut self, ask: &Ask<'_>) -> Result<Reply, Fault> {
        // One that was used before may have been closed meanwhile, as servers do: that is no fault.
        let old = self.connection.take().filter(|connection| !connection.is_closed());
        let is_old = old.is_some();
        let connection = match old {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let mut connection = connection.with_largest_body(ask.largest);
        let mut headers = vec![
            (header::ACCEPT.as_str(), "application/json"),
            (header::USER_AGENT.as_str(), concat!("collimate/", env!("CARGO_PKG_VERSION"))),
        ];
        headers.extend(ask.authorization.map(|value| (header::AUTHORIZATION.as_str(), value)));
        headers.extend(ask.headers);
        let mut reply = connection.call(ask.method.clone(), ask.path, &headers, Bytes::new()).await;
        if is_old && reply.as_ref().is_err_and(|fault| fault.kind == Wire::ConnectionClosed) {
            connection = self.open().await?.with_largest_body(ask.largest);
            reply = connection.call(ask.method.clone(), ask.path, &headers, Bytes::new()).await;
        }
        if reply.is_ok() {
            self.connection = Some(connection);
        }
        reply
    }

    async fn open(&self) -> Result<Http1, Fault> {
        let connection = Http1::open(self.dialer, &target(self.request, self.url, None), self.url.tls).await?;
        Ok(connection.with_host(host(self.url)))
    }
}

/// Where the URL's host is, and the name that its certificate must have.
pub(super) fn target(request: &Request, url: &Url, name: Option<String>) -> Target {
    let name = name.unwrap_or_else(|| url.host.clone());
    match &request.settings.connect {
        Some(connect) => Target { host: connect.host.clone(), port: connect.port, server_name: Some(name) },
        None => Target { host: url.host.clone(), port: url.port, server_name: Some(name) },
    }
}

/// As a browser writes it: without the usual port.
fn host(url: &Url) -> String {
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    match (url.tls, url.port) {
        (true, 443) | (false, 80) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

/// A 200, or what its absence means.
pub(super) fn expect_ok(reply: &Reply, about: &str, path: &str) -> Result<(), Finding> {
    let status = reply.status;
    let said = text(reply);
    Err(match status {
        StatusCode::OK => return Ok(()),
        StatusCode::UNAUTHORIZED => Kind::CredentialsRefused.quoting(
            about,
            &format!("the gateway refuses user and password for `{path}` (401)"),
            &said,
        ),
        StatusCode::FORBIDDEN => {
            Kind::AccessDenied.quoting(about, &format!("the gateway denies `{path}` (403)"), &said)
        }
        StatusCode::NOT_FOUND => Kind::FileMissing.find(about, format!("there is no `{path}` (404)")),
        status if status.is_server_error() => {
            Kind::GatewayFailing.quoting(about, &format!("the gateway answers {} to `{path}`", status.as_u16()), &said)
        }
        status if status.is_redirection() => {
            let to = reply.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            // A login page's address carries more than an address.
            let to = to.split(['?', '#']).next().unwrap_or_default();
            Kind::Redirects.quoting(about, &format!("`{path}` is sent elsewhere ({})", status.as_u16()), to)
        }
        status => Kind::UnexpectedStatus.quoting(
            about,
            &format!("the gateway answers {} to `{path}`", status.as_u16()),
            &said,
        ),
    })
}

/// What somebody wrote for people; a page is not for a terminal.
fn text(reply: &Reply) -> String {
    if reply.content_type() == "text/html" || reply.body.len() > SMALL { String::new() } else { reply.text() }
}

/// The cache's word on an answer, in upper case; nothing where it says none.
pub(super) fn cache_status(reply: &Reply) -> Option<String> {
    let value = reply.headers.get("x-cache-status")?.to_str().ok()?;
    let is_word = !value.is_empty() && value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then(|| value.to_ascii_uppercase())
}

/// A header's value, if it is text.
pub(super) fn value<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).and_then(|value| value.to_str().ok())
}

fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds: u64 = value(reply, "retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(86_400)))
}
