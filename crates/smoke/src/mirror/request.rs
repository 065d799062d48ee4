//! What is asked of the probe, checked before anything is connected to.

use std::time::Duration;

use ::mirror::exports::is_domain_id;
use ::mirror::jws::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};

use crate::secret::{Secret, Sieve};
use crate::wire::Url;

/// What somebody typed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Such as `https://mirror-primary.stella-ops.org`.
    pub url: String,
    /// Domains that must be there; all that may be read if none is named.
    pub domains: Vec<String>,
    /// Nobody, where a domain asks for no password.
    pub credentials: Option<Credentials>,
    /// The address of another domain, where the same password must be refused.
    pub other_url: Option<String>,
    /// Where to connect to, instead of what the URLs' hosts resolve to.
    pub connect: Option<HostAndPort>,
    pub trust: Trust,
    /// The mirror's key.
    pub key: Option<PublicKey>,
    /// How old a generation may be.
    pub max_age: Option<SignedDuration>,
    /// How many of Excititor's exports are read of each domain; nothing of Excititor is looked at if this is nothing.
    pub exports: Option<usize>,
    /// For each connection and each call, the transfer of a bundle included.
    pub timeout: Duration,
    /// How long to wait in all where the mirror says that it was asked too often, or switches its generation.
    pub wait: Duration,
    pub now: Timestamp,
}

/// A tenant.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// A PEM file of authorities.
    pub ca: Option<Utf8PathBuf>,
    /// The system's own bundle, where it is not where it usually is.
    pub system: Option<Utf8PathBuf>,
}

/// A host, or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAndPort {
    /// An IPv6 address without brackets.
    pub host: String,
    pub port: u16,
}

/// Why something cannot be asked. Never quotes what may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option.
    pub about: &'static str,
    /// Continues a sentence that begins with it.
    pub message: String,
}

/// What is asked, and makes sense.
#[derive(Debug)]
pub struct Request {
    pub(super) url: Url,
    pub(super) other: Option<Url>,
    pub(super) settings: Settings,
    /// The whole value of the header.
    pub(super) authorization: Option<Secret>,
    pub(super) sieve: Sieve,
}

impl Request {
    /// Checks what was typed.
    ///
    /// # Errors
    /// With everything that is wrong: who mends one thing must not be sent back for the next.
    pub fn check(settings: Settings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut checked = |about: &'static str, text: &str| {
            let url = address(text);
            url.map_err(|why| problems.push(Problem { about, message: format!("cannot be used: {why}") })).ok()
        };
        let url = checked("--url", &settings.url);
        let other = settings.other_url.as_deref().and_then(|text| checked("--other-url", text));
        let mut wrong = |about, message: &str| problems.push(Problem { about, message: message.to_owned() });
        if url.is_some() && url == other {
            wrong("--other-url", "must be the address of another domain; it is that of `--url`");
        }
        for (number, domain) in settings.domains.iter().enumerate() {
            if !is_domain_id(domain) {
                wrong("--domain", "must be a domain's id: lower-case letters, digits, `-` and `_`, such as `primary`");
            } else if settings.domains.iter().take(number).any(|other| other == domain) {
                wrong("--domain", &format!("names `{domain}` twice"));
            }
        }
        if let Some(Credentials { user, password }) = &settings.credentials {
            if user.is_empty() || user.contains(|char: char| char == ':' || char.is_control()) {
                wrong("--user", "must be a name without `:` and control characters");
            }
            if password.reveal().is_empty() {
                wrong("--password-file", "holds no password");
            } else if password.reveal().contains(char::is_control) {
                wrong("--password-file", "holds a password with a line break or another control character in it");
            }
        }
        let Some(url) = url.filter(|_| problems.is_empty()) else { return Err(problems) };
        let tenant = settings.credentials.as_ref();
        let authorization = tenant.map(|tenant| basic(&tenant.user, tenant.password.reveal()));
        // An answer that quotes the request has the password in its encoded form.
        let encoded = authorization.as_ref().and_then(|value| value.reveal().split(' ').nth(1)).map(Secret::new);
        let sieve = Sieve::new(encoded.into_iter().chain(tenant.map(|tenant| tenant.password.clone())));
        Ok(Self { url, other, settings, authorization, sieve })
    }
}

/// The value of `Authorization` (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// The address of a mirror: everything below it is known. Without TLS the password would go to everybody on the way, and nobody is on
/// the way to this machine itself.
fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text)?;
    if !url.path.is_empty() {
        return Err("it must end after host and port; the paths below are known");
    }
    if !url.tls && !is_loopback(&url.host) {
        return Err("it must begin with `https://`: everybody on the way could read the password");
    }
    Ok(url)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            url: "https://mirror.test".to_owned(),
            domains: Vec::new(),
            credentials: Some(Credentials { user: "acme".to_owned(), password: Secret::new("planted-pa55word") }),
            other_url: None,
            connect: None,
            trust: Trust::default(),
            key: None,
            max_age: None,
            exports: Some(5),
            timeout: Duration::from_secs(1),
            wait: Duration::from_secs(1),
            now: Timestamp::UNIX_EPOCH,
        }
    }

    fn problems(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = settings();
        change(&mut settings);
        let problems = Request::check(settings).map(drop).err().unwrap_or_default();
        problems.into_iter().map(|problem| format!("`{}` {}", problem.about, problem.message)).collect()
    }

    #[test]
    fn what_makes_sense_passes() {
        assert!(problems(|_| ()).is_empty());
        assert!(problems(|settings| settings.url = "http://127.0.0.1:8081".to_owned()).is_empty());
        assert!(problems(|settings| settings.url = "https://[::1]:8443/".to_owned()).is_empty());
        assert!(problems(|settings| settings.credentials = None).is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_and_no_password() {
        let found = problems(|settings| {
            settings.url = "https://u:planted@mirror.test".to_owned();
            settings.other_url = Some("http://mirror.test".to_owned());
            settings.domains = vec!["a".to_owned(), "../b".to_owned(), "a".to_owned()];
            settings.credentials = Some(Credentials { user: "a:b".to_owned(), password: Secret::new("x\ny") });
        });
        assert_eq!(
            found,
            [
                "`--url` cannot be used: it must not hold a user name or password",
                "`--other-url` cannot be used: it must begin with `https://`: everybody on the way could read the password",
                "`--domain` must be a domain's id: lower-case letters, digits, `-` and `_`, such as `primary`",
                "`--domain` names `a` twice",
                "`--user` must be a name without `:` and control characters",
                "`--password-file` holds a password with a line break or another control character in it",
            ]
        );
        let path = problems(|settings| settings.url = "https://mirror.test/concelier".to_owned());
        assert_eq!(path, ["`--url` cannot be used: it must end after host and port; the paths below are known"]);
        let same = problems(|settings| settings.other_url = Some("https://mirror.test:443".to_owned()));
        assert_eq!(same, ["`--other-url` must be the address of another domain; it is that of `--url`"]);
    }

    #[test]
    fn a_request_never_shows_its_password() {
        let request = Request::check(settings()).unwrap();
        let shown = format!("{request:?}");
        let encoded = STANDARD.encode("acme:planted-pa55word");
        assert!(!shown.contains("planted") && !shown.contains(&encoded), "{shown}");
    }
}
