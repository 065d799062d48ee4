//! From what was configured to a request that can be run, or to everything that is wrong with it at once.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::dsn::Dsn;
use super::token;
use super::variable::{self as names, Need, VARIABLES, Variable};
use crate::LeafFiles;
use crate::secret::{Secret, Sieve};
use crate::wire::{Identity, Url};

/// A week: Redis is no archive, and an older event says nothing about today's deployment.
const MOST_MINUTES: i64 = 7 * 24 * 60;

/// More kinds than this are a mistake; the system has seven.
const MOST_KINDS: usize = 64;

/// Headers that a tenant must not replace.
const RESERVED_HEADERS: [&str; 5] = ["authorization", "host", "content-length", "transfer-encoding", "connection"];

/// What was configured, before anything is checked.
#[derive(Clone, Default)]
pub struct Settings {
    /// By variable, whether it came from the environment or from a flag.
    pub values: BTreeMap<&'static str, String>,
    /// What flags alone can say.
    pub options: Options,
}

/// How to look.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only what is newer counts, by Redis's clock.
    pub since: Option<Timestamp>,
    /// How long to wait for late events and deliveries.
    pub wait: Duration,
    /// For each connection, and each step of a call.
    pub timeout: Duration,
    /// Put one synthetic event of each kind on the stream first.
    pub emit: bool,
    /// The tenants for which that is allowed.
    pub emit_tenants: Vec<String>,
    /// The bearer token may travel unencrypted.
    pub token_over_plain_http: bool,
    /// The bundle of authorities in place of this system's own, as `SSL_CERT_FILE` names it.
    pub system_authorities: Option<Utf8PathBuf>,
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable, or the flag.
    pub about: &'static str,
    /// A lower-case fragment without full stop, with the way out.
    pub message: String,
}

/// A checked request.
#[derive(Debug)]
pub struct Request {
    pub(crate) dsn: Dsn,
    pub(crate) redis: Identity,
    pub(crate) redis_server_name: Option<String>,
    pub(crate) stream: String,
    pub(crate) field: String,
    pub(crate) notify: Url,
    pub(crate) notify_identity: Identity,
    pub(crate) token: Secret,
    pub(crate) tenant: String,
    pub(crate) tenant_header: HeaderName,
    pub(crate) kinds: Vec<String>,
    pub(crate) lookback: Duration,
    pub(crate) options: Options,
    pub(crate) sieve: Sieve,
}

impl Request {
    /// Checks everything that can be checked without a connection.
    ///
    /// # Errors
    /// With every problem there is, in the order of [`VARIABLES`].
    pub fn check(settings: &Settings) -> Result<Self, Vec<Problem>> {
        Check { settings, problems: Vec::new() }.request()
    }

    /// When the token ends, by its own word.
    #[must_use]
    pub fn token_expiry(&self) -> Option<Timestamp> {
        token::expiry(self.token.reveal())
    }

    /// Where events and deliveries are looked for, without secrets.
    pub(crate) fn subject(&self) -> String {
        format!("tenant `{}`, stream `{}` of {}, {}", self.tenant, self.stream, self.dsn.shown(), self.notify_shown())
    }

    pub(crate) fn notify_shown(&self) -> String {
        let scheme = if self.notify.tls { "https" } else { "http" };
        let target = crate::wire::Target { host: self.notify.host.clone(), port: self.notify.port, server_name: None };
        format!("Notify at {scheme}://{}{}", target.shown(), self.notify.path)
    }
}

struct Check<'a> {
    settings: &'a Settings,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn request(mut self) -> Result<Request, Vec<Problem>> {
        let options = &self.settings.options;
        let dsn_text = self.value(names::REDIS_DSN);
        let dsn = dsn_text.as_deref().and_then(|text| match Dsn::parse(text) {
            Ok(dsn) => Some(dsn),
            Err(why) => self.malformed(names::REDIS_DSN, why),
        });
        let notify = self.base_url();
        let token = self.token();
        let tenant = self.tenant();
        let kinds = self.kinds();
        let lookback = self.lookback();
        let tenant_header = self.tenant_header();
        let stream = self.printable(names::STREAM);
        let field = self.printable(names::FIELD);
        let redis = self.redis_identity(dsn.as_ref());
        let notify_identity = self.notify_identity();
        self.emit(tenant.as_deref());
        if !self.problems.is_empty() {
            let place = |problem: &Problem| VARIABLES.iter().position(|known| known.name == problem.about);
            self.problems.sort_by_key(|problem| place(problem).unwrap_or(VARIABLES.len()));
            return Err(self.problems);
        }
        let request = (|| {
            let (dsn, token) = (dsn?, token?);
            let secrets = [Some(token.clone()), dsn_text.map(Secret::new), dsn.password.clone()];
            Some(Request {
                redis: redis?,
                redis_server_name: self.value(names::REDIS_SERVER_NAME),
                stream: stream?,
                field: field?,
                notify: notify?,
                notify_identity: notify_identity?,
                tenant: tenant?,
                tenant_header: tenant_header?,
                kinds: kinds?,
                lookback: lookback?,
                options: options.clone(),
                sieve: Sieve::new(secrets.into_iter().flatten()),
                dsn,
                token,
            })
        })();
        // Each part is there, or has said why not.
        request.ok_or(self.problems)
    }

    /// A variable's text without the spaces and line ends that copying brings along; `None` is reported where it is needed.
    fn value(&mut self, name: &'static str) -> Option<String> {
        let text = self.settings.values.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let variable = VARIABLES.iter().find(|known| known.name == name)?;
        match (text, variable.need) {
            (Some(text), _) => Some(text.to_owned()),
            (None, Need::Default(default)) => Some(default.to_owned()),
            (None, Need::Optional) => None,
            (None, Need::Required) => {
                let state = if self.settings.values.contains_key(name) { "empty" } else { "missing" };
                self.problems.push(Problem { about: name, message: absent(variable, state) });
                None
            }
        }
    }

    fn malformed<T>(&mut self, about: &'static str, why: &str) -> Option<T> {
        self.problems.push(Problem { about, message: format!("is malformed: {why}") });
        None
    }

    /// A name that is shown in reports as it is.
    fn printable(&mut self, name: &'static str) -> Option<String> {
        let text = self.value(name)?;
        if text.chars().any(char::is_control) {
            return self.malformed(name, "it holds a line end or another control character");
        }
        Some(text)
    }

    fn base_url(&mut self) -> Option<Url> {
        let text = self.value(names::BASE_URL)?;
        let url = match Url::parse(&text) {
            Ok(url) => url,
            Err(why) => return self.malformed(names::BASE_URL, why),
        };
        if url.path.ends_with("/deliveries") || url.path.ends_with("/api/v1/notify") {
            return self.malformed(names::BASE_URL, "it must end before `/api/v1/notify`, which is added");
        }
        if !url.tls && !is_loopback(&url.host) && !self.settings.options.token_over_plain_http {
            let why = "over `http://` everybody on the way can read the token; use `https://`, or accept that with `--token-over-plain-http`";
            return self.malformed(names::BASE_URL, why);
        }
        Some(url)
    }

    fn token(&mut self) -> Option<Secret> {
        let text = self.value(names::TOKEN)?;
        if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
            return self.malformed(names::TOKEN, "leave out the word `Bearer`, which is added");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return self.malformed(names::TOKEN, "it holds a space, a line end or a character that no token has");
        }
        Some(Secret::new(text))
    }

    fn tenant(&mut self) -> Option<String> {
        let text = self.value(names::TENANT)?;
        if text.len() > 200 || !text.chars().all(|char| char.is_ascii_graphic()) {
            return self.malformed(names::TENANT, "it must be one word of at most 200 ASCII characters");
        }
        Some(text)
    }

    fn tenant_header(&mut self) -> Option<HeaderName> {
        let text = self.value(names::TENANT_HEADER)?;
        match HeaderName::try_from(text.as_str()) {
            Ok(name) if RESERVED_HEADERS.contains(&name.as_str()) => {
                self.malformed(names::TENANT_HEADER, "this header is needed for something else")
            }
            Ok(name) => Some(name),
            Err(_) => self.malformed(names::TENANT_HEADER, "it is no name of a header"),
        }
    }

    fn kinds(&mut self) -> Option<Vec<String>> {
        let text = self.value(names::EXPECT_KINDS)?;
        let mut kinds: Vec<String> = Vec::new();
        for kind in text.split(',').map(str::trim) {
            if kind.is_empty() {
                return self.malformed(names::EXPECT_KINDS, "between two commas, or at an end, stands nothing");
            }
            if !is_kind(kind) {
                return self.malformed(
                    names::EXPECT_KINDS,
                    "a kind is words of lower-case letters, digits, `-` and `_` with dots between, such as `scanner.report.ready`",
                );
            }
            if kinds.iter().any(|known| known == kind) {
                return self.malformed(names::EXPECT_KINDS, &format!("`{kind}` stands in it twice"));
            }
            kinds.push(kind.to_owned());
        }
        if kinds.len() > MOST_KINDS {
            return self.malformed(names::EXPECT_KINDS, &format!("it has more than {MOST_KINDS} kinds"));
        }
        Some(kinds)
    }

    fn lookback(&mut self) -> Option<Duration> {
        let text = self.value(names::LOOKBACK)?;
        match text.parse::<i64>() {
            Ok(minutes) if (1..=MOST_MINUTES).contains(&minutes) => {
                Some(Duration::from_secs(minutes.unsigned_abs().saturating_mul(60)))
            }
            _ => {
                self.malformed(names::LOOKBACK, &format!("it must be a whole number from 1 to {MOST_MINUTES} (a week)"))
            }
        }
    }

    fn redis_identity(&mut self, dsn: Option<&Dsn>) -> Option<Identity> {
        let ca = self.value(names::REDIS_CA);
        let leaf = match (self.value(names::REDIS_CERT), self.value(names::REDIS_KEY)) {
            (Some(certificate), Some(key)) => Some(LeafFiles { certificate: certificate.into(), key: key.into() }),
            (None, None) => None,
            (Some(_), None) => {
                return self.malformed(names::REDIS_KEY, "it is missing: a client certificate needs its key");
            }
            (None, Some(_)) => {
                return self.malformed(names::REDIS_CERT, "it is missing: the key belongs to a certificate");
            }
        };
        let named = ca.is_some() || leaf.is_some();
        if named && dsn.is_some_and(|dsn| !dsn.tls) {
            return self.malformed(
                names::REDIS_DSN,
                "certificates are named, but with `redis://` no TLS is spoken: write `rediss://`",
            );
        }
        // Without TLS nobody asks, and a machine without authorities must not matter.
        let needed = dsn.is_none_or(|dsn| dsn.tls);
        let about = if leaf.is_some() { names::REDIS_CERT } else { names::REDIS_CA };
        self.identity(about, needed, ca, leaf)
    }

    fn notify_identity(&mut self) -> Option<Identity> {
        let ca = self.value(names::NOTIFY_CA);
        let tls = self.settings.values.get(names::BASE_URL).is_some_and(|url| url.trim().starts_with("https://"));
        self.identity(names::NOTIFY_CA, tls, ca, None)
    }

    fn identity(
        &mut self,
        about: &'static str,
        needed: bool,
        ca: Option<String>,
        leaf: Option<LeafFiles>,
    ) -> Option<Identity> {
        if !needed {
            return Some(Identity::trusting_nobody());
        }
        let system = self.settings.options.system_authorities.as_deref();
        match Identity::trusting(ca.as_deref().map(Utf8Path::new), system, leaf) {
            Ok(identity) => Some(identity),
            Err(fault) => self.malformed(about, &fault.message),
        }
    }

    fn emit(&mut self, tenant: Option<&str>) {
        let options = &self.settings.options;
        let Some(tenant) = tenant.filter(|_| options.emit) else { return };
        if !options.emit_tenants.iter().any(|allowed| allowed == tenant) {
            let message = format!(
                "is refused for the tenant `{tenant}`: synthetic events are delivered to real people; if that is wanted, say `--emit-tenants {tenant}`"
            );
            self.problems.push(Problem { about: "--emit", message });
        }
    }
}

/// What to say of a variable without a value.
fn absent(variable: &Variable, state: &str) -> String {
    let place = if variable.secret { "a repository secret" } else { "a repository variable or secret" };
    format!("is {state}: {}; set it as {place}, or use `{}`", variable.purpose, variable.flag)
}

fn is_kind(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= 200 && text.split('.').all(is_word)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The header's value; a token that has been checked always makes one.
pub(crate) fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
