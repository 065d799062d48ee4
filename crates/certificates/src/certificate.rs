//! What a certificate says, read once.

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::authority::Usage;
use crate::san::San;
use crate::validity::Validity;

/// A certificate that could be read.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    pub(crate) sans: Vec<San>,
    /// Names that are neither DNS names nor addresses, such as an e-mail address.
    pub(crate) other_names: bool,
    /// Empty where it does not say: then it is good for everything.
    pub(crate) usages: Vec<Usage>,
    /// Whether it says what it is good for.
    pub(crate) has_usages: bool,
    pub(crate) is_ca: bool,
    /// Whether it may sign certificates: an authority that has a key usage needs this one.
    pub(crate) signs_certificates: bool,
    pub(crate) path_length: Option<u32>,
    pub(crate) validity: Validity,
    /// The bits of the public key, as they stand in the certificate.
    pub(crate) public_key: Vec<u8>,
    pub(crate) key_kind: KeyKind,
    /// The name of a broken hash in its signature.
    pub(crate) weak_hash: Option<&'static str>,
}

/// The kind of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa { bits: usize },
    Other,
}

impl Certificate {
    /// Reads a certificate, or says why it is none.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, &'static str> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| "it is not a certificate")?;
        if !rest.is_empty() {
            return Err("something follows the certificate in the same block");
        }
        let (sans, other_names) = names(&parsed)?;
        let usage = parsed.extended_key_usage().map_err(|_| "its extended key usage is not readable or given twice")?;
        let usages = usage.as_ref().map_or_else(Vec::new, |usage| {
            let server = (usage.value.server_auth || usage.value.any).then_some(Usage::Server);
            let client = (usage.value.client_auth || usage.value.any).then_some(Usage::Client);
            server.into_iter().chain(client).collect()
        });
        let constraints =
            parsed.basic_constraints().map_err(|_| "its basic constraints are not readable or given twice")?;
        let key_usage = parsed.key_usage().map_err(|_| "its key usage is not readable or given twice")?;
        let moment = |time: i64| Timestamp::from_second(time).map_err(|_| "its dates are beyond all calendars");
        Ok(Self {
            der: der.to_vec(),
            subject: name(parsed.subject()),
            issuer: name(parsed.issuer()),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            sans,
            other_names,
            usages,
            has_usages: usage.is_some(),
            is_ca: constraints.as_ref().is_some_and(|constraints| constraints.value.ca),
            signs_certificates: key_usage.is_none_or(|usage| usage.value.key_cert_sign()),
            path_length: constraints.and_then(|constraints| constraints.value.path_len_constraint),
            validity: Validity {
                not_before: moment(parsed.validity().not_before.timestamp())?,
                not_after: moment(parsed.validity().not_after.timestamp())?,
            },
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            key_kind: key_kind(&parsed),
            weak_hash: weak_hash(&parsed),
        })
    }

    /// Whether it says that it was issued by the one with this subject.
    pub(crate) fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.issuer_der == issuer.subject_der
    }

    /// Whether issuer and subject are the same name.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer_der == self.subject_der
    }

    /// Whether its signature was made by the issuer's key; `None` if the algorithm is one that this program cannot check.
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> Option<bool> {
        let (_, parsed) = X509Certificate::from_der(&self.der).ok()?;
        // Of RSA keys that `ring` does not take every signature is wrong, the right one too.
        let issuer_key_is_supported = match issuer.key_kind {
            KeyKind::Rsa { bits } => (2048..=8192).contains(&bits),
            _ => true,
        };
        let (_, issuer) = X509Certificate::from_der(&issuer.der).ok()?;
        match parsed.verify_signature(Some(issuer.public_key())) {
            Ok(()) => Some(true),
            Err(X509Error::SignatureVerificationError) => issuer_key_is_supported.then_some(false),
            Err(_) => None,
        }
    }

    /// The common name, else the whole subject.
    pub(crate) fn short_subject(&self) -> &str {
        short(&self.subject)
    }

    /// The common name of the issuer, else all of it.
    pub(crate) fn short_issuer(&self) -> &str {
        short(&self.issuer)
    }
}

impl KeyKind {
    pub(crate) fn describe(self) -> String {
        match self {
            Self::P256 => "P-256".to_owned(),
            Self::P384 => "P-384".to_owned(),
            Self::P521 => "P-521".to_owned(),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Rsa { bits } => format!("RSA {bits}"),
            Self::Other => "another kind".to_owned(),
        }
    }
}

/// `CN=a` as `a`; a name of several parts as it is.
fn short(name: &str) -> &str {
    match name.strip_prefix("CN=") {
        Some(rest) if !rest.contains(", ") => rest,
        _ => name,
    }
}

/// A distinguished name, without what a terminal would act on.
fn name(name: &X509Name<'_>) -> String {
    let text = name.to_string();
    if text.is_empty() { "(empty)".to_owned() } else { source::printable(&text).into_owned() }
}

fn names(parsed: &X509Certificate<'_>) -> Result<(Vec<San>, bool), &'static str> {
    let Some(extension) =
        parsed.subject_alternative_name().map_err(|_| "its alternative names are not readable or given twice")?
    else {
        return Ok((Vec::new(), false));
    };
    let mut sans = Vec::new();
    let mut others = false;
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(name) => {
                sans.push(San::Dns(source::printable(name).into_owned()));
            }
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
                let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
                sans.push(San::Ip(address.map_err(|_| "one of its addresses has a wrong length")?));
            }
            _ => others = true,
        }
    }
    Ok((sans, others))
}

fn key_kind(parsed: &X509Certificate<'_>) -> KeyKind {
    let info = parsed.public_key();
    if info.algorithm.algorithm.to_id_string() == "1.3.101.112" {
        return KeyKind::Ed25519;
    }
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => KeyKind::Rsa { bits: bits(key.modulus) },
        Ok(PublicKey::EC(_)) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            match curve.map(|oid| oid.to_id_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => KeyKind::P256,
                Some("1.3.132.0.34") => KeyKind::P384,
                Some("1.3.132.0.35") => KeyKind::P521,
                _ => KeyKind::Other,
            }
        }
        _ => KeyKind::Other,
    }
}

/// Bits of a number, leading zeros not counted.
pub(crate) fn bits(number: &[u8]) -> usize {
    let number = without_zeros(number);
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

pub(crate) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn weak_hash(parsed: &X509Certificate<'_>) -> Option<&'static str> {
    // Object identifiers of signatures with MD5 and SHA-1: RSA (RFC 8017, RFC 3279), ISO's RSA with SHA-1, ECDSA, DSA.
    match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Some("SHA-1"),
        _ => None,
    }
}
