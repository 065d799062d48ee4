//! The public half of a private key, to see which certificate it belongs to.

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::certificate::{KeyKind, bits};
use crate::der::{BIT_STRING, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Values, field, value};

/// What a private key is, without what is secret about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Public {
    pub(crate) kind: KeyKind,
    /// As it stands in a certificate.
    pub(crate) bits: Vec<u8>,
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0, 0x23];

/// The public half of the key in a PEM block of this label, or why it cannot be told.
pub(crate) fn public_half(label: &str, der: &[u8]) -> Result<Public, &'static str> {
    let unreadable = "it is not a private key";
    match label {
        "PRIVATE KEY" => pkcs8(der).ok_or(unreadable)?,
        "RSA PRIVATE KEY" => Ok(rsa(der).ok_or(unreadable)?),
        "EC PRIVATE KEY" => ec(der, None).ok_or(unreadable)?,
        "ENCRYPTED PRIVATE KEY" => Err("it is encrypted"),
        _ => Err("it is of a kind that this program does not know"),
    }
}

/// RFC 5958.
fn pkcs8(der: &[u8]) -> Option<Result<Public, &'static str>> {
    let mut fields = Values(Values(der).expect(SEQUENCE)?);
    fields.expect(INTEGER)?;
    let mut algorithm = Values(fields.expect(SEQUENCE)?);
    let key = fields.expect(OCTET_STRING)?;
    let kind = algorithm.expect(OBJECT_IDENTIFIER)?;
    Some(match kind {
        RSA => Ok(rsa(key)?),
        EC => ec(key, algorithm.expect(OBJECT_IDENTIFIER))?,
        ED25519 => {
            let pair = Ed25519KeyPair::from_seed_unchecked(Values(key).expect(OCTET_STRING)?).ok()?;
            Ok(Public { kind: KeyKind::Ed25519, bits: pair.public_key().as_ref().to_vec() })
        }
        _ => Err("it is of a kind that this program does not know"),
    })
}

/// RFC 8017, appendix A.1.2.
fn rsa(der: &[u8]) -> Option<Public> {
    let mut fields = Values(Values(der).expect(SEQUENCE)?);
    fields.expect(INTEGER)?;
    let modulus = fields.expect(INTEGER)?;
    let exponent = fields.expect(INTEGER)?;
    let public = [value(INTEGER, modulus), value(INTEGER, exponent)].concat();
    Some(Public { kind: KeyKind::Rsa { bits: bits(modulus) }, bits: value(SEQUENCE, &public) })
}

/// RFC 5915. The curve is inside, or outside in PKCS#8.
fn ec(der: &[u8], curve: Option<&[u8]>) -> Option<Result<Public, &'static str>> {
    let mut fields = Values(Values(der).expect(SEQUENCE)?);
    fields.expect(INTEGER)?;
    fields.expect(OCTET_STRING)?;
    let (mut curve, mut public) = (curve, None);
    for (tag, content) in fields {
        if tag == field(0) {
            curve = Values(content).expect(OBJECT_IDENTIFIER);
        } else if tag == field(1) {
            // The first byte says how many bits of the last one do not count: none.
            public = Some(Values(content).expect(BIT_STRING)?.strip_prefix(&[0])?);
        }
    }
    let kind = match curve {
        Some(P256) => KeyKind::P256,
        Some(P384) => KeyKind::P384,
        Some(P521) => KeyKind::P521,
        _ => KeyKind::Other,
    };
    Some(public.map(|public| Public { kind, bits: public.to_vec() }).ok_or("it does not hold its public half"))
}
