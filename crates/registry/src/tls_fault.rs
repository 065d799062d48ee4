//! From what TLS says to the fault that it means.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use tlsfault::Doubt;

use crate::fault::{Fault, Kind};

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
    let said = format!("(TLS alert {})", tlsfault::alert(alert));
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
    let (doubt, words) = tlsfault::doubt(error);
    let kind = match doubt {
        Doubt::Authority => Kind::WrongCa,
        Doubt::Expired => Kind::ServerCertificateExpired,
        Doubt::NotYetValid => Kind::ServerCertificateNotYetValid,
        Doubt::Name => Kind::NameNotInCertificate,
        Doubt::Purpose | Doubt::Other => Kind::ServerCertificateInvalid,
    };
    Fault::new(kind, format!("the server's certificate {words}"))
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
    }
}
