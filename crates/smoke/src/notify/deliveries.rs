//! Asking Notify: deliveries page by page, and its health.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Request;
use super::clock::moment;
use super::delivery::{Delivery, Page};
use super::fault::{Kind, Side, connection};
use super::request::bearer;
use super::token;
use crate::report::{Class, Finding};
use crate::wire::{Dialer, Fault, Http1, Kind as Wire, Reply, Target, encoded};

/// Where Notify's API is below its base URL.
const API: &str = "/api/v1/notify";

const PAGE_SIZE: usize = 200;

/// After so many pages, deliveries are given up: a check must end.
const MOST_PAGES: usize = 500;

/// A page of deliveries has a few hundred kilobytes. It is read as JSON values, of which two bytes can be one.
const LARGEST_PAGE: usize = 4 * 1024 * 1024;
/// Deliveries in all, where pages are larger than was asked for.
const MOST_DELIVERIES: usize = MOST_PAGES * PAGE_SIZE;

/// Between tries; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A short trouble is waited out even if no time to wait is left.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(2);

/// Notify's clock may be behind Redis's: deliveries are asked for from a little earlier on, in milliseconds.
const MARGIN: i64 = 60_000;

/// What Notify has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) deliveries: Vec<Delivery>,
    /// There are more pages than are read.
    pub(crate) cut: bool,
    /// Notify's clock as it answered, in milliseconds since 1970, to the second.
    pub(crate) clock: Option<i64>,
}

/// A client of Notify.
pub(crate) struct Notify<'a> {
    request: &'a Request,
    dialer: Dialer,
    connection: Option<Http1>,
    about: String,
}

impl<'a> Notify<'a> {
    pub(crate) fn new(request: &'a Request) -> Result<Self, Finding> {
        let about = request.notify_shown();
        let dialer = Dialer::new(&request.notify_identity, request.options.timeout)
            .map_err(|fault| connection(fault, Side::Notify, &about))?;
        Ok(Self { request, dialer: dialer.anonymous(), connection: None, about })
    }

    /// All deliveries from a moment on. Trouble that may pass is waited out until `deadline`.
    pub(crate) async fn list(&mut self, from: i64, deadline: Instant) -> Result<Listing, Finding> {
        let from = from.saturating_sub(MARGIN);
        let mut listing = Listing::default();
        let mut tokens = BTreeSet::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut path = format!("{API}/deliveries?from={}&page_size={PAGE_SIZE}", encoded(&moment(from)));
            if let Some(token) = &next {
                path.push_str(&format!("&page_token={}", encoded(token)));
            }
            let reply = self.patiently(&path, deadline).await?;
            listing.clock = date(&reply).or(listing.clock);
            let page = Page::parse(&reply.body).map_err(|why| {
                let start = if reply.content_type().contains("json") { String::new() } else { reply.text() };
                Kind::NotNotify.quoting(self.about.clone(), &format!("this is not Notify: {why}"), &start)
            })?;
            // Newest first: where a server does not know `from`, the rest is not asked for.
            let is_past = page.deliveries.last().and_then(|last| last.created).is_some_and(|created| created < from);
            listing.deliveries.extend(page.deliveries);
            if listing.deliveries.len() > MOST_DELIVERIES {
                break;
            }
            match page.next {
                Some(token) if !is_past => {
                    if !tokens.insert(token.clone()) {
                        let message =
                            "Notify's pages go round in a circle: it names one that was read already as the next";
                        return Err(Kind::NotifyPagingLoop.find(self.about.clone(), message));
                    }
                    next = Some(token);
                }
                _ => return Ok(listing),
            }
        }
        listing.cut = true;
        Ok(listing)
    }

    /// What Notify says of itself, for people.
    pub(crate) async fn health(&mut self) -> String {
        // Below the API or at the root: which of the two is not documented.
        for path in [format!("{API}/health"), "/health".to_owned()] {
            match self.call(&path).await {
                Err(fault) => return format!("its health cannot be asked ({})", fault.message),
                Ok(reply) if reply.status == StatusCode::NOT_FOUND => {}
                Ok(reply) if reply.status.is_success() => return "its health check answers that it is well".to_owned(),
                Ok(reply) => return format!("its health check answers {}", reply.status),
            }
        }
        "it has no health check".to_owned()
    }

    async fn patiently(&mut self, path: &str, deadline: Instant) -> Result<Reply, Finding> {
        let deadline = deadline.max(Instant::now() + SHORTEST_PATIENCE);
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let (finding, asked) = match self.call(path).await {
                Ok(reply) if reply.status == StatusCode::OK => return Ok(reply),
                Ok(reply) if is_passing(reply.status) => (self.refusal(&reply), retry_after(&reply)),
                Ok(reply) => return Err(self.refusal(&reply)),
                Err(fault) => {
                    // A refused certificate or a wrong name stays what it is; so does an answer that is too large.
                    let passes = fault.kind.class() == Class::Unreachable && fault.kind != Wire::NotOtlp;
                    let finding = self.unreachable(fault);
                    if !passes {
                        return Err(finding);
                    }
                    (finding, None)
                }
            };
            let wait = asked.unwrap_or(pause);
            if Instant::now() + wait > deadline {
                return Err(after(finding, tries));
            }
            sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            tries += 1;
        }
    }

    async fn call(&mut self, path: &str) -> Result<Reply, Fault> {
        let url = &self.request.notify;
        // One that was used before may have been closed meanwhile, as servers do: that is no fault.
        let old = self.connection.take().filter(|connection| !connection.is_closed());
        let is_old = old.is_some();
        let mut connection = match old {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let token = bearer(&self.request.token);
        let token = token.as_ref().and_then(|token| token.to_str().ok()).unwrap_or_default();
        let headers = [
            (header::AUTHORIZATION.as_str(), token),
            (self.request.tenant_header.as_str(), self.request.tenant.as_str()),
            (header::ACCEPT.as_str(), "application/json"),
            (header::USER_AGENT.as_str(), concat!("collimate/", env!("CARGO_PKG_VERSION"))),
        ];
        let path = format!("{}{path}", url.path);
        let mut reply = connection.call(Method::GET, &path, &headers, Bytes::new()).await;
        if is_old && reply.as_ref().is_err_and(|fault| fault.kind == Wire::ConnectionClosed) {
            connection = self.open().await?;
            reply = connection.call(Method::GET, &path, &headers, Bytes::new()).await;
        }
        if reply.is_ok() {
            self.connection = Some(connection);
        }
        reply
    }

    async fn open(&self) -> Result<Http1, Fault> {
        let url = &self.request.notify;
        let target = Target { host: url.host.clone(), port: url.port, server_name: None };
        Ok(Http1::open(&self.dialer, &target, url.tls).await?.with_largest_body(LARGEST_PAGE))
    }

    fn unreachable(&self, fault: Fault) -> Finding {
        if fault.kind == Wire::NotOtlp && fault.message.contains("larger than") {
            return Kind::NotifyAnswerTooLarge
                .find(self.about.clone(), format!("Notify's page is too large: {}", fault.message));
        }
        connection(fault, Side::Notify, &self.about)
    }

    fn refusal(&self, reply: &Reply) -> Finding {
        let status = reply.status;
        let about = self.about.clone();
        let text = if reply.content_type() == "text/html" { String::new() } else { reply.text() };
        match status {
            StatusCode::UNAUTHORIZED => self.token_refused(&text),
            StatusCode::FORBIDDEN => Kind::AccessDenied.quoting(
                about,
                "Notify knows the token, but does not let it read these deliveries (403)",
                &text,
            ),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Kind::NotifyNotFound
                .find(about, format!("there is no `{API}/deliveries` below the base URL ({status})")),
            StatusCode::TOO_MANY_REQUESTS => {
                Kind::NotifyThrottles.quoting(about, "Notify asks to be asked less often (429)", &text)
            }
            status if status.is_server_error() => {
                Kind::NotifyFailing.quoting(about, &format!("Notify answers {status}"), &text)
            }
            status if status.is_redirection() => {
                let to = reply.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                // A login page's address carries more than an address.
                let to = to.split(['?', '#']).next().unwrap_or_default();
                Kind::NotifyRedirects.quoting(about, &format!("Notify answers {status} and sends elsewhere"), to)
            }
            status if status.is_success() => {
                Kind::NotNotify.find(about, format!("this is not Notify: it answers {status} and no deliveries"))
            }
            status => {
                Kind::NotifyRefusesRequest.quoting(about, &format!("Notify refuses the request ({status})"), &text)
            }
        }
    }

    fn token_refused(&self, text: &str) -> Finding {
        let about = self.about.clone();
        let now = Timestamp::now();
        match token::expiry(self.request.token.reveal()) {
            Some(end) if end <= now => {
                let message = format!("Notify refuses the token (401); it expired at {}", moment(end.as_millisecond()));
                Kind::TokenExpired.find(about, message)
            }
            Some(end) => {
                let until = moment(end.as_millisecond());
                let message = format!("Notify refuses the token (401), which by its own word is valid until {until}");
                Kind::TokenRefused.quoting(about, &message, text)
            }
            None => Kind::TokenRefused.quoting(about, "Notify refuses the token (401)", text),
        }
    }
}

/// Whether the same call may be answered later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// `Retry-After` in seconds; the form with a date is not used by anybody.
fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds: u64 = reply.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.clamp(0, 3600)))
}

fn after(mut finding: Finding, tries: u32) -> Finding {
    if tries > 1 {
        finding.message = format!("after {tries} tries: {}", finding.message);
    }
    finding
}

/// When the answer was written, by the other side's clock.
fn date(reply: &Reply) -> Option<i64> {
    let text = reply.headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use testkit::Answer;

    use super::*;
    use crate::notify::{BASE_URL, EXPECT_KINDS, LOOKBACK, REDIS_DSN, Settings, TENANT, TOKEN};

    /// Of so many pages with so many deliveries each: how many are asked for, how many deliveries are read, whether there are more.
    fn listed(pages: usize, deliveries: usize) -> (usize, usize, bool) {
        let notify = testkit::Notify::start("token");
        let items = vec!["{}"; deliveries].join(",");
        notify.answer_next((1..=pages).map(|page| {
            let next = if page < pages { format!("\"p{page}\"") } else { "null".to_owned() };
            Answer::Json(format!(r#"{{"items":[{items}],"nextPageToken":{next}}}"#))
        }));
        let url = notify.url();
        let values = [
            (REDIS_DSN, "redis://127.0.0.1"),
            (BASE_URL, url.as_str()),
            (TOKEN, "token"),
            (TENANT, "t"),
            (EXPECT_KINDS, "a"),
            (LOOKBACK, "1"),
        ];
        let values = values.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let mut request = Request::check(&Settings { values, ..Settings::default() }).unwrap();
        request.options.timeout = Duration::from_secs(600);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listing = runtime.block_on(async {
            let mut client = Notify::new(&request).map_err(|finding| finding.message)?;
            client.list(MARGIN, Instant::now()).await.map_err(|finding| finding.message)
        });
        let listing = listing.unwrap();
        (notify.requests().len(), listing.deliveries.len(), listing.cut)
    }

    #[test]
    fn pages_and_deliveries_are_read_up_to_a_limit() {
        assert_eq!(listed(501, 1), (500, 500, true));
        // Pages that are larger than was asked for.
        assert_eq!(listed(10, 10_000), (10, 100_000, false));
        assert_eq!(listed(11, 10_000), (11, 110_000, true));
    }
}
