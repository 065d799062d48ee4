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
/// Signatures that are checked for one certificate. With all ways open, authorities that sign each other have billions of chains; three in
/// the middle of a rotation have ten. A file may hold thousands of one name, too.
const MOST_OF_ONE: u32 = 100;
/// Signatures that are checked in all: less than a second's work, and what two thousand certificates need.
const MOST_IN_ALL: u32 = 5_000;

/// What following one certificate after the other may still cost.
pub(crate) struct Signatures {
    of_one: u32,
    in_all: u32,
}

impl Signatures {
    pub(crate) fn new() -> Self {
        Self { of_one: 0, in_all: MOST_IN_ALL }
    }

    /// For the next certificate.
    fn next(&mut self) {
        self.of_one = MOST_OF_ONE;
    }

    /// Takes one; the reason to give up where none is left.
    fn take(&mut self) -> Result<(), String> {
        let left = |left: u32, most: u32, what: &str| {
            let spent = || format!("its chain was not followed to its end: more than {most} signatures {what}");
            left.checked_sub(1).ok_or_else(spent)
        };
        self.of_one = left(self.of_one, MOST_OF_ONE, "would have to be checked")?;
        self.in_all = left(self.in_all, MOST_IN_ALL, "in all would have to be checked")?;
        Ok(())
    }
}

/// Follows a certificate to a trusted one.
pub(crate) fn follow(
    certificate: &Certificate,
    between: &[&Certificate],
    trusted: Option<&[&Certificate]>,
    now: Timestamp,
    signatures: &mut Signatures,
) -> Chain {
    signatures.next();
    let is_trusted = trusted.is_some_and(|trusted| trusted.iter().any(|trusted| trusted.der == certificate.der));
    if certificate.is_self_issued() {
        if let Err(reason) = signatures.take() {
            return Chain::Broken(reason);
        }
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
    step(certificate, between, trusted, now, 0, signatures)
}

fn step(
    certificate: &Certificate,
    between: &[&Certificate],
    trusted: &[&Certificate],
    now: Timestamp,
    depth: u32,
    signatures: &mut Signatures,
) -> Chain {
    let mut reason = format!("its issuer `{}` is not among the trusted CAs", certificate.short_issuer());
    let candidates = trusted.iter().map(|issuer| (*issuer, true)).chain(between.iter().map(|issuer| (*issuer, false)));
    for (issuer, is_trusted) in candidates.filter(|(issuer, _)| certificate.names_as_issuer(issuer)) {
        if let Err(reason) = signatures.take() {
            return Chain::Broken(reason);
        }
        let name = issuer.short_subject();
        reason = match certificate.is_signed_by(issuer) {
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
            Some(true) if depth >= LONGEST => format!("more than {LONGEST} CAs lie between it and a trusted one"),
            Some(true) => match step(issuer, between, trusted, now, depth + 1, signatures) {
                Chain::Broken(reason) => reason,
                done => return done,
            },
        };
    }
    Chain::Broken(reason)
}
