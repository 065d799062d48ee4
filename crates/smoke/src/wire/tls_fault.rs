//! From what TLS says to the fault that it means.

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use tlsfault::Doubt;

use super::identity::{Validity, now};
use super::{Fault, Identity, Kind};

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
        let said = format!("(TLS alert {})", tlsfault::alert(alert));
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
            format!("no TLS version or cipher in common: {}", tlsfault::spaced(&format!("{reason:?}"))),
        ),
        error => Fault::quoting(Kind::TlsFailed, "the TLS handshake failed", &error.to_string()),
    }
}

fn of_alert(alert: AlertDescription, own: Own) -> Fault {
    use AlertDescription as A;
    match alert {
        A::NoApplicationProtocol => other_protocol(),
        A::ProtocolVersion | A::InsufficientSecurity => {
            let message = format!("no TLS version or cipher in common (TLS alert {})", tlsfault::alert(alert));
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
        _ => Fault::new(Kind::TlsFailed, format!("the other side ended TLS with the alert {}", tlsfault::alert(alert))),
    }
}

fn other_protocol() -> Fault {
    Fault::new(
        Kind::OtherProtocol,
        "the port speaks TLS, but another protocol over it than this one (ALPN has none in common)",
    )
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
}
