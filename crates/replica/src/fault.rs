//! What went wrong with a connection, in words that name the fault: the library folds a refused certificate, a wrong name and a dead port
//! into one "error sending request", with the reason somewhere below.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use rustls::{CertificateError, Error as TlsError, InvalidMessage};
use rustls_pki_types::UnixTime;
use source::system;

use crate::error::{Error, printable};

/// A failed request, and whether it makes sense to ask again.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: Error,
    pub(crate) again: Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It will not change by itself.
    Never,
    /// Only if the mirror has answered before in this run: otherwise it is more likely that it was named wrongly.
    IfKnown,
    /// After a while, or after what the mirror asked for.
    After(Option<Duration>),
}

impl Fault {
    pub(crate) fn never(error: Error) -> Self {
        Self { error, again: Again::Never }
    }

    pub(crate) fn later(error: Error) -> Self {
        Self { error, again: Again::After(None) }
    }
}

/// The name was not found.
#[derive(Debug)]
pub(crate) struct NotFound(pub(crate) String);

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the host `{}` was not found", self.0)
    }
}

impl StdError for NotFound {}

/// The fault behind an error of the HTTP library, for a mirror of that name.
pub(crate) fn of(error: &reqwest::Error, mirror: &str) -> Fault {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut io_error: Option<&io::Error> = None;
    while let Some(error) = cause {
        if let Some(NotFound(host)) = error.downcast_ref::<NotFound>() {
            let error = unreachable(mirror)
                .because(format!("the host `{}` was not found", printable(host)))
                .hint("check the spelling and this machine's resolver; `--connect HOST:PORT` names an address");
            return Fault { error, again: Again::IfKnown };
        }
        if let Some(error) = error.downcast_ref::<TlsError>() {
            return Fault::never(of_tls(error, mirror));
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let innermost = innermost(error);
            if let Some(tls) = innermost.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
                return Fault::never(of_tls(tls, mirror));
            }
            io_error = Some(innermost);
        }
        // The library does not name this type.
        if error.source().is_none() && error.to_string().starts_with("tunnel error: ") {
            let error = unreachable(mirror)
                .because("the proxy does not open a tunnel to it")
                .hint("ask who runs the proxy of `--proxy`; it may allow only some names");
            return Fault { error, again: Again::IfKnown };
        }
        cause = error.source();
    }
    match io_error {
        Some(io_error) => of_io(error, io_error, mirror),
        None if error.is_connect() => {
            Fault { error: unreachable(mirror).because("no connection"), again: Again::IfKnown }
        }
        None => broken(mirror),
    }
}

/// An error of the system's kind may carry another one, which says more and is no `source` of it.
fn innermost(mut error: &io::Error) -> &io::Error {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        error = inner;
    }
    error
}

fn of_io(error: &reqwest::Error, io_error: &io::Error, mirror: &str) -> Fault {
    if !error.is_connect() {
        return broken(mirror);
    }
    let why = match io_error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens on the port".to_owned(),
        io::ErrorKind::TimedOut => "no connection in time; a firewall that drops packets looks like this".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "the other side closed the connection during the TLS handshake; perhaps it does not speak TLS".to_owned()
        }
        _ => system::reason(io_error),
    };
    let error = unreachable(mirror).because(why).hint("check the URL, and routes and firewalls on the way");
    Fault { error, again: Again::IfKnown }
}

fn broken(mirror: &str) -> Fault {
    let error = Error::outside(format!("`{mirror}` did not answer to the end")).because("the connection broke").hint(
        "what has arrived is kept: run it again; if it breaks at the same place again, look into the mirror's log",
    );
    Fault::later(error)
}

/// No answer in time.
pub(crate) fn stalled(mirror: &str, limit: Duration) -> Fault {
    let error = Error::outside(format!("`{mirror}` did not answer to the end"))
        .because(format!("nothing came for {} s", limit.as_secs_f64()))
        .hint("what has arrived is kept: run it again, or raise `--timeout`");
    Fault::later(error)
}

fn unreachable(mirror: &str) -> Error {
    Error::outside(format!("`{mirror}` cannot be reached"))
}

fn of_tls(error: &TlsError, mirror: &str) -> Error {
    let refused =
        |why: String, hint: &str| Error::untrusted(format!("`{mirror}` is not trusted")).because(why).hint(hint);
    let plain = |why: &str, hint: &str| refused(why.to_owned(), hint);
    match error {
        TlsError::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => plain(
                "its certificate is from an authority that we do not trust",
                "name the authority's certificate with `--ca`",
            ),
            CertificateError::BadSignature => plain(
                "its certificate is not signed by the authority that it names",
                "the authority may have been made anew: name its certificate of today with `--ca`",
            ),
            CertificateError::ExpiredContext { not_after, .. } => {
                refused(format!("its certificate expired at {}", moment(*not_after)), "the mirror must renew it")
            }
            CertificateError::Expired => plain("its certificate expired", "the mirror must renew it"),
            CertificateError::NotValidYetContext { not_before, .. } => refused(
                format!("its certificate is valid from {} on", moment(*not_before)),
                "compare the clocks of both machines",
            ),
            CertificateError::NotValidYet => {
                plain("its certificate is not valid yet", "compare the clocks of both machines")
            }
            CertificateError::NotValidForNameContext { expected, presented } => refused(
                format!("its certificate is not for `{}`, but for {}", expected.to_str(), names(presented)),
                "check the URL; with `--connect` the URL still names the mirror",
            ),
            CertificateError::NotValidForName => plain("its certificate is not for this name", "check the URL"),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                plain("its certificate is not meant for servers", "the mirror needs one with serverAuth")
            }
            error => refused(
                format!("its certificate is not acceptable: {}", printable(&error.to_string())),
                "compare with `openssl s_client -connect HOST:PORT`",
            ),
        },
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            plain("the port does not speak TLS", "check the port")
        }
        TlsError::AlertReceived(rustls::AlertDescription::UnrecognisedName) => {
            plain("it serves no host of this name", "check the URL; with `--connect` the URL still names the mirror")
        }
        error => refused(
            format!("the TLS handshake failed: {}", printable(&error.to_string())),
            "compare with `openssl s_client -connect HOST:PORT`",
        ),
    }
}

/// The library writes `DnsName("a")`; people want the names.
fn names(presented: &[String]) -> String {
    const MOST: usize = 8;
    let plain = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        format!("`{}`", printable(inner.trim_matches('"')))
    };
    let mut list: Vec<String> = presented.iter().take(MOST).map(plain).collect();
    if presented.len() > MOST {
        list.push(format!("{} more", presented.len() - MOST));
    }
    if list.is_empty() { "no name at all".to_owned() } else { list.join(", ") }
}

fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_certificate_are_listed_plainly_and_not_endlessly() {
        assert_eq!(names(&[]), "no name at all");
        assert_eq!(names(&["DnsName(\"a.test\")", "IpAddress(127.0.0.1)"].map(str::to_owned)), "`a.test`, `127.0.0.1`");
        let many = |count: usize| (0..count).map(|number| format!("DnsName(\"{number}.test\")")).collect::<Vec<_>>();
        assert!(names(&many(8)).ends_with(", `7.test`"));
        assert!(names(&many(20)).ends_with(", `7.test`, 12 more"));
    }
}
