//! From what TLS says to the fault that it means.

use std::net::IpAddr;

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use rustls_pki_types::UnixTime;

use super::identity::{Validity, now};
use super::{Fault, Identity, Kind};
use crate::report::shown;

/// Lists of names in a message end after this many; a certificate can have hundreds.
const MOST_NAMES: usize = 12;

/// What is known of our own certificate; decides what a refusal means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    present: bool,
    validity: Option<Validity>,
    of_own_authority: bool,
    /// Nobody needs to ask us for one: a connection that ends is then a connection that ends.
    anonymous: bool,
}

impl Own {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            present: identity.has_leaf(),
            validity: identity.validity(),
            of_own_authority: identity.is_of_own_authority(),
            anonymous: false,
        }
    }

    /// Where a client without a certificate is nothing unusual.
    pub(crate) fn anonymous(self) -> Self {
        Self { anonymous: true, ..self }
    }

    pub(crate) fn is_somebody(self) -> bool {
        self.present
    }

    /// The connection ended before the other side said anything over it. In TLS 1.3 a server judges our certificate after the
    /// handshake is over for us, and some close without an alert.
    pub(crate) fn closed(self) -> Fault {
        if self.present || self.anonymous {
            return Fault::new(Kind::ConnectionClosed, "the other side closed the connection without an answer");
        }
        Fault::new(
            Kind::ClientCertificateMissing,
            "the other side closed the connection to a client without a certificate",
        )
    }

    /// The other side does not like our certificate, or that we have none.
    fn refused(self, alert: AlertDescription) -> Fault {
        let said = format!("(TLS alert {})", alert_name(alert));
        if !self.present || alert == AlertDescription::CertificateRequired {
            let message = format!("the other side asks for a client certificate and got none {said}");
            return Fault::new(Kind::ClientCertificateMissing, message);
        }
        let now = now();
        match self.validity {
            Some(Validity { until, .. }) if until < now => {
                let message = format!("our client certificate was refused: it expired at {} {said}", moment(until));
                return Fault::new(Kind::ClientCertificateExpired, message);
            }
            Some(Validity { from, .. }) if from > now => {
                let message =
                    format!("our client certificate was refused: it is valid from {} on {said}", moment(from));
                return Fault::new(Kind::ClientCertificateNotYetValid, message);
            }
            _ => {}
        }
        if alert == AlertDescription::CertificateExpired {
            let message =
                format!("our client certificate was refused as expired; by this machine's clock it is not {said}");
            return Fault::new(Kind::ClientCertificateExpired, message);
        }
        if alert == AlertDescription::UnknownCA || !self.of_own_authority {
            let message =
                format!("our client certificate was refused: the other side does not know its authority {said}");
            return Fault::new(Kind::ClientCertificateForeign, message);
        }
        Fault::new(Kind::ClientCertificateRefused, format!("our client certificate was refused {said}"))
    }
}

/// The fault behind an error of the TLS library.
pub(crate) fn fault(error: &Error, own: Own) -> Fault {
    match error {
        Error::InvalidCertificate(error) => server_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert, own),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Fault::new(Kind::PlainTextPort, "the port does not speak TLS: it answered in plain text")
        }
        Error::NoApplicationProtocol => other_protocol(),
        Error::PeerIncompatible(reason) => Fault::new(
            Kind::TlsVersion,
            format!("no TLS version or cipher in common: {}", spaced(&format!("{reason:?}"))),
        ),
        error => Fault::quoting(Kind::TlsFailed, "the TLS handshake failed", &error.to_string()),
    }
}

fn of_alert(alert: AlertDescription, own: Own) -> Fault {
    use AlertDescription as A;
    match alert {
        A::NoApplicationProtocol => other_protocol(),
        A::ProtocolVersion | A::InsufficientSecurity => {
            let message = format!("no TLS version or cipher in common (TLS alert {})", alert_name(alert));
            Fault::new(Kind::TlsVersion, message)
        }
        A::CertificateRequired
        | A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied
        // What rustls says to a certificate that names a known authority and is not signed by it.
        | A::DecryptError => own.refused(alert),
        // OpenSSL says this to a client without a certificate in TLS 1.2.
        A::HandshakeFailure if !own.present => own.refused(alert),
        _ => Fault::new(Kind::TlsFailed, format!("the other side ended TLS with the alert {}", alert_name(alert))),
    }
}

fn other_protocol() -> Fault {
    Fault::new(
        Kind::OtherProtocol,
        "the port speaks TLS, but another protocol over it than this one (ALPN has none in common)",
    )
}

fn server_certificate(error: &CertificateError) -> Fault {
    match error {
        CertificateError::UnknownIssuer => {
            Fault::new(Kind::WrongCa, "the server's certificate is from an authority that we do not trust")
        }
        // The right name on the wrong key: an authority that was made anew under its old name.
        CertificateError::BadSignature => {
            Fault::new(Kind::WrongCa, "the server's certificate is not signed by the authority that it names")
        }
        CertificateError::ExpiredContext { not_after, .. } => Fault::new(
            Kind::ServerCertificateExpired,
            format!("the server's certificate expired at {}", moment_of(*not_after)),
        ),
        CertificateError::Expired => Fault::new(Kind::ServerCertificateExpired, "the server's certificate expired"),
        CertificateError::NotValidYetContext { not_before, .. } => Fault::new(
            Kind::ServerCertificateNotYetValid,
            format!("the server's certificate is valid from {} on", moment_of(*not_before)),
        ),
        CertificateError::NotValidYet => {
            Fault::new(Kind::ServerCertificateNotYetValid, "the server's certificate is not valid yet")
        }
        CertificateError::NotValidForNameContext { expected, presented } => Fault::new(
            Kind::NameNotInCertificate,
            format!("the server's certificate is not for `{}`; it is for {}", expected.to_str(), names(presented)),
        ),
        CertificateError::NotValidForName => {
            Fault::new(Kind::NameNotInCertificate, "the server's certificate is not for this name")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Fault::new(
            Kind::ServerCertificateInvalid,
            "the server's certificate is not meant for servers (no serverAuth)",
        ),
        error => Fault::quoting(
            Kind::ServerCertificateInvalid,
            "the server's certificate is not acceptable",
            &error.to_string(),
        ),
    }
}

/// The library writes `DnsName("a")` and `IpAddress(127.0.0.1)`; people want the names.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no name at all".to_owned();
    }
    let plain = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        let inner = inner.trim_matches('"');
        // Its spelling of IPv6 addresses is not the usual one.
        let usual = inner.parse::<IpAddr>().map_or_else(|_| shown(inner), |address| address.to_string());
        format!("`{usual}`")
    };
    let mut list: Vec<String> = presented.iter().take(MOST_NAMES).map(plain).collect();
    if presented.len() > MOST_NAMES {
        list.push(format!("{} more", presented.len() - MOST_NAMES));
    }
    list.join(", ")
}

/// `Tls12NotOffered` → `tls12 not offered`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for char in name.chars() {
        if char.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

fn alert_name(alert: AlertDescription) -> String {
    spaced(&format!("{alert:?}").replace("CA", "Ca"))
}

fn moment_of(time: UnixTime) -> String {
    moment(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// `2026-11-25T12:00:00Z`.
fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Own = Own { present: true, validity: None, of_own_authority: true, anonymous: false };

    #[test]
    fn a_refusal_means_what_our_certificate_says() {
        let kind = |own: Own, alert| of_alert(alert, own).kind;
        let bad = AlertDescription::BadCertificate;
        assert_eq!(kind(Own { present: false, ..GOOD }, bad), Kind::ClientCertificateMissing);
        assert_eq!(kind(GOOD, AlertDescription::CertificateRequired), Kind::ClientCertificateMissing);
        let expired = Own { validity: Some(Validity { from: 0, until: 1 }), ..GOOD };
        assert_eq!(kind(expired, bad), Kind::ClientCertificateExpired);
        let early = Own { validity: Some(Validity { from: i64::MAX - 1, until: i64::MAX }), ..GOOD };
        assert_eq!(kind(early, bad), Kind::ClientCertificateNotYetValid);
        assert_eq!(kind(Own { of_own_authority: false, ..GOOD }, bad), Kind::ClientCertificateForeign);
        assert_eq!(kind(GOOD, AlertDescription::UnknownCA), Kind::ClientCertificateForeign);
        assert_eq!(kind(GOOD, bad), Kind::ClientCertificateRefused);
    }

    #[test]
    fn names_of_a_certificate_are_listed_plainly_and_not_endlessly() {
        let some = ["DnsName(\"a.test\")", "IpAddress(127.0.0.1)", "IpAddress(0::1)"].map(str::to_owned);
        assert_eq!(names(&some), "`a.test`, `127.0.0.1`, `::1`");
        assert_eq!(names(&[]), "no name at all");
        let many: Vec<String> = (0..20).map(|number| format!("DnsName(\"{number}.test\")")).collect();
        assert!(names(&many).ends_with("`11.test`, 8 more"));
    }

    #[test]
    fn alerts_are_said_in_words() {
        assert_eq!(alert_name(AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(alert_name(AlertDescription::CertificateRequired), "certificate required");
    }
}
