//! From what TLS says to the fault that it means.

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use rustls_pki_types::UnixTime;

use crate::fault::{Fault, Kind, shown};

/// Lists of names in a message end after this many; a certificate can have hundreds.
const MOST_NAMES: usize = 12;

/// The fault behind an error of the TLS library; `is_somebody` where we have a certificate to show.
pub(crate) fn fault(error: &Error, is_somebody: bool) -> Fault {
    match error {
        Error::InvalidCertificate(error) => server_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert, is_somebody),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Fault::new(Kind::PlainTextPort, "the port does not speak TLS: it answered in plain text")
        }
        Error::PeerIncompatible(_) => Fault::new(Kind::TlsVersion, "no TLS version or cipher in common"),
        error => Fault::quoting(Kind::TlsFailed, "the TLS handshake failed", &error.to_string()),
    }
}

fn of_alert(alert: AlertDescription, is_somebody: bool) -> Fault {
    use AlertDescription as A;
    let said = format!("(TLS alert {})", spaced(alert));
    match alert {
        A::ProtocolVersion | A::InsufficientSecurity => {
            Fault::new(Kind::TlsVersion, format!("no TLS version or cipher in common {said}"))
        }
        A::CertificateRequired => missing(&said),
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied
        | A::DecryptError => {
            if is_somebody {
                Fault::new(Kind::ClientCertificateRefused, format!("our client certificate was refused {said}"))
            } else {
                missing(&said)
            }
        }
        // OpenSSL says this to a client without a certificate in TLS 1.2.
        A::HandshakeFailure if !is_somebody => missing(&said),
        _ => Fault::new(Kind::TlsFailed, format!("the other side ended TLS {said}")),
    }
}

fn missing(said: &str) -> Fault {
    let message = format!("the other side asks for a client certificate and got none {said}");
    Fault::new(Kind::ClientCertificateMissing, message)
}

fn server_certificate(error: &CertificateError) -> Fault {
    match error {
        CertificateError::UnknownIssuer => {
            Fault::new(Kind::WrongCa, "the server's certificate is from an authority that we do not trust")
        }
        CertificateError::BadSignature => {
            Fault::new(Kind::WrongCa, "the server's certificate is not signed by the authority that it names")
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let message = format!("the server's certificate expired at {}", moment(*not_after));
            Fault::new(Kind::ServerCertificateExpired, message)
        }
        CertificateError::Expired => Fault::new(Kind::ServerCertificateExpired, "the server's certificate expired"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let message = format!("the server's certificate is valid from {} on", moment(*not_before));
            Fault::new(Kind::ServerCertificateNotYetValid, message)
        }
        CertificateError::NotValidYet => {
            Fault::new(Kind::ServerCertificateNotYetValid, "the server's certificate is not valid yet")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let message =
                format!("the server's certificate is not for `{}`; it is for {}", expected.to_str(), names(presented));
            Fault::new(Kind::NameNotInCertificate, message)
        }
        CertificateError::NotValidForName => {
            Fault::new(Kind::NameNotInCertificate, "the server's certificate is not for this name")
        }
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
        format!("`{}`", shown(inner.trim_matches('"')))
    };
    let mut list: Vec<String> = presented.iter().take(MOST_NAMES).map(plain).collect();
    if presented.len() > MOST_NAMES {
        list.push(format!("{} more", presented.len() - MOST_NAMES));
    }
    list.join(", ")
}

/// `UnknownCA` → `unknown ca`.
fn spaced(alert: AlertDescription) -> String {
    let mut out = String::new();
    for letter in format!("{alert:?}").replace("CA", "Ca").chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `2026-11-25T12:00:00Z`.
fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_depends_on_what_we_showed() {
        let kind = |alert, is_somebody| of_alert(alert, is_somebody).kind;
        assert_eq!(kind(AlertDescription::UnknownCA, true), Kind::ClientCertificateRefused);
        assert_eq!(kind(AlertDescription::UnknownCA, false), Kind::ClientCertificateMissing);
        assert_eq!(kind(AlertDescription::CertificateRequired, true), Kind::ClientCertificateMissing);
        assert_eq!(kind(AlertDescription::HandshakeFailure, true), Kind::TlsFailed);
        assert_eq!(spaced(AlertDescription::UnknownCA), "unknown ca");
    }

    #[test]
    fn names_of_a_certificate_are_listed_plainly_and_not_endlessly() {
        let some = ["DnsName(\"a.test\")", "IpAddress(127.0.0.1)"].map(str::to_owned);
        assert_eq!(names(&some), "`a.test`, `127.0.0.1`");
        let many: Vec<String> = (0..20).map(|number| format!("DnsName(\"{number}.test\")")).collect();
        assert!(names(&many).ends_with("`11.test`, 8 more"));
    }
}
