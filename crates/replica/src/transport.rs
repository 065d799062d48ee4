//! One request at a time to one mirror, over connections that stay open.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, Proxy, Response, redirect};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::fault::{self, Fault, NotFound};
use crate::record::Validators;
use crate::source::Source;
use crate::trust;

/// Who asks, for the mirror's log.
const AGENT: &str = concat!("collimate/", env!("CARGO_PKG_VERSION"), " mirror-pull");

/// A mirror, ready to be asked.
pub(crate) struct Transport<'a> {
    client: Client,
    source: &'a Source,
    base: String,
    timeout: Duration,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    Whole,
    /// The file, unless it is still this version.
    Unless(&'a Validators),
    /// The bytes from here on, if it is still this version; otherwise all.
    Rest {
        from: u64,
        etag: &'a str,
    },
}

impl<'a> Transport<'a> {
    /// `ca` is PEM; without it the system's authorities are trusted.
    pub(crate) fn new(source: &'a Source, ca: Option<&[u8]>, timeout: Duration) -> Result<Self> {
        let mut builder = Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(AGENT)
            .connect_timeout(timeout)
            .dns_resolver(Resolver { connect: source.connect.clone() });
        if source.tls {
            builder = builder.https_only(true).tls_backend_preconfigured(trust::tls(ca)?);
        } else {
            // Never used; without it the library would look for the system's authorities.
            builder = builder.tls_backend_preconfigured(trust::nobody()?);
        }
        if let Some(proxy) = &source.proxy {
            // After `no_proxy`, which forgets those of before.
            builder = builder.proxy(Proxy::https(format!("http://{proxy}")).map_err(|error| {
                let why = crate::error::printable(&error.to_string());
                Error::usage("the value of `--proxy` cannot be used").because(why)
            })?);
        }
        let client = builder.build().map_err(|error| {
            Error::outside("the HTTP client cannot be set up").because(crate::error::printable(&error.to_string()))
        })?;
        // A port in the URL would win over the one to connect to.
        let base = match (&source.connect, source.port) {
            (Some(_), Some(_)) => format!("https://{}", source.host),
            _ => source.base.clone(),
        };
        Ok(Self { client, source, base, timeout })
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How the mirror is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.source.base
    }

    /// Asks for an address, up to the headers of the answer.
    pub(crate) async fn ask(&self, address: &str, wanted: Wanted<'_>) -> std::result::Result<Response, Fault> {
        let mut request = self
            .client
            .get(format!("{}{address}", self.base))
            .basic_auth(&self.source.user, Some(self.source.password.expose()))
            .headers(conditions(wanted));
        if self.source.connect.is_some() {
            request = request.header(header::HOST, self.source.authority());
        }
        match timeout(self.timeout, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(fault::of(&error, self.name())),
            Err(_) => Err(fault::stalled(self.name(), self.timeout)),
        }
    }
}

fn conditions(wanted: Wanted<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // As the bytes are: what is compressed on the way has neither the size nor the tag of the file.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    match wanted {
        Wanted::Whole => {}
        Wanted::Unless(validators) => match (&validators.etag, &validators.last_modified) {
            (Some(etag), _) => set(header::IF_NONE_MATCH, etag),
            (None, Some(modified)) => set(header::IF_MODIFIED_SINCE, modified),
            (None, None) => {}
        },
        Wanted::Rest { from, etag } => {
            set(header::RANGE, &format!("bytes={from}-"));
            set(header::IF_RANGE, etag);
        }
    }
    headers
}

/// Finds addresses, or goes where `--connect` says.
struct Resolver {
    connect: Option<(String, u16)>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (host, port) = self.connect.clone().unwrap_or_else(|| (name.as_str().to_owned(), 0));
        Box::pin(async move {
            let found: Vec<SocketAddr> = match tokio::net::lookup_host((host.as_str(), port)).await {
                Ok(found) => found.collect(),
                Err(_) => Vec::new(),
            };
            if found.is_empty() { Err(NotFound(host).into()) } else { Ok(Box::new(found.into_iter()) as Addrs) }
        })
    }
}
