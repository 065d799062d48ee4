//! Whether a certificate leads to one that is trusted.

use jiff::Timestamp;

use crate::certificate::Certificate;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// It leads to the trusted one of this name.
    Verified(String),
    /// It is signed with its own key: an authority at the top, or a certificate that stands for itself.
    SelfSigned,
    /// It leads to none that is trusted, for this reason.
    Broken(String),
    /// Nothing says whom to trust, or the algorithm is one that this program cannot check.
    Unchecked,
}

/// Authorities between a certificate and a trusted one. Two are common; OpenSSL stops at 100.
const LONGEST: u32 = 8;
/// Authorities of one name that are tried: two during a rotation. A file with thousands must not cost millions of signatures.
const MOST_OF_ONE_NAME: usize = 16;

/// Follows a certificate to a trusted one.
pub(crate) fn follow(
    certificate: &Certificate,
    between: &[&Certificate],
    trusted: Option<&[&Certificate]>,
    now: Timestamp,
) -> Chain {
    let is_trusted = trusted.is_some_and(|trusted| trusted.iter().any(|trusted| trusted.der == certificate.der));
    if certificate.is_self_issued() {
        return match (certificate.is_signed_by(certificate), trusted) {
            (Some(false), _) if !certificate.is_ca => Chain::Broken("its own signature is wrong".to_owned()),
            (Some(false), _) => {
                Chain::Broken("it names itself as its issuer but is signed with another key".to_owned())
            }
            (None, _) => Chain::Unchecked,
            (Some(true), Some(_)) if !is_trusted && !certificate.is_ca => {
                Chain::Broken("it is signed with its own key, not by a trusted CA".to_owned())
            }
            (Some(true), _) => Chain::SelfSigned,
        };
    }
    let Some(trusted) = trusted else { return Chain::Unchecked };
    if is_trusted {
        return Chain::Verified(certificate.short_subject().to_owned());
    }
    step(certificate, between, trusted, now, 0)
}

fn step(
    certificate: &Certificate,
    between: &[&Certificate],
    trusted: &[&Certificate],
    now: Timestamp,
    depth: u32,
) -> Chain {
    let mut reason = format!("its issuer `{}` is not among the trusted CAs", certificate.short_issuer());
    let named = |candidates: &[&'_ Certificate], is_trusted: bool| {
        let named = candidates.iter().filter(|candidate| certificate.names_as_issuer(candidate));
        named.take(MOST_OF_ONE_NAME).map(|candidate| ((*candidate).clone(), is_trusted)).collect::<Vec<_>>()
    };
    for (issuer, is_trusted) in [named(trusted, true), named(between, false)].concat() {
        let name = issuer.short_subject();
        reason = match certificate.is_signed_by(&issuer) {
            None => return Chain::Unchecked,
            Some(false) => format!("it is not signed with the key of `{name}`, though it names it as its issuer"),
            Some(true) if !issuer.is_ca || !issuer.signs_certificates => {
                format!("its issuer `{name}` is not a CA")
            }
            Some(true) if issuer.path_length.is_some_and(|most| depth > most) => {
                format!("its issuer `{name}` allows fewer CAs below it")
            }
            Some(true) if issuer.validity.is_over(now) => format!("its issuer `{name}` has expired"),
            Some(true) if issuer.validity.is_ahead(now) => format!("its issuer `{name}` is not valid yet"),
            Some(true) if is_trusted => return Chain::Verified(name.to_owned()),
            Some(true) if depth >= LONGEST => "too many CAs lie between it and a trusted one".to_owned(),
            Some(true) => match step(&issuer, between, trusted, now, depth + 1) {
                Chain::Broken(reason) => reason,
                done => return done,
            },
        };
    }
    Chain::Broken(reason)
}
