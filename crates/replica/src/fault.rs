//! What went wrong with a connection, in words that name the fault: the library folds a refused certificate, a wrong name and a dead port
//! into one "error sending request", with the reason somewhere below.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::{Error as TlsError, InvalidMessage};
use source::system;
use tlsfault::Doubt;

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
        TlsError::InvalidCertificate(error) => {
            let (doubt, words) = tlsfault::doubt(error);
            let hint = match doubt {
                Doubt::Authority => "name the authority's certificate of today with `--ca`: it may have been made anew",
                Doubt::Expired => "the mirror must renew it",
                Doubt::NotYetValid => "compare the clocks of both machines",
                Doubt::Name => "check the URL; with `--connect` the URL still names the mirror",
                Doubt::Purpose => "the mirror needs another one",
                Doubt::Other => "compare with `openssl s_client -connect HOST:PORT`",
            };
            refused(format!("its certificate {words}"), hint)
        }
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
