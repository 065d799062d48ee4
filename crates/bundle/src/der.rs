//! Keys in binary, told by the structure that they begin with. Names and endings of files say nothing.
//!
//! Only the start is looked at: a key that is cut, or that stands in the middle of something, is a key still.

/// `INTEGER`, `OCTET STRING`, `OBJECT IDENTIFIER`, `SEQUENCE`.
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Numbers of RSA and DSA keys have at least this many bytes (512 bits were broken in 1999).
const LEAST_NUMBER: usize = 64;

/// Identifier of PKCS#7 data, 1.2.840.113549.1.7.1: what a PKCS#12 file begins with.
const PKCS7_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// Password-based encryption: PKCS#5 (1.2.840.113549.1.5) and PKCS#12 (1.2.840.113549.1.12.1).
const PASSWORD_BASED: [&[u8]; 2] =
    [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05], &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01]];

/// What other formats of keys begin with.
const MAGIC: [(&[u8], &str); 4] = [
    (b"openssh-key-v1\0", "an OpenSSH private key"),
    (b"EdScB2", "a minisign secret key"),
    (b"Ed\0\0B2", "a minisign secret key"),
    (b"\xfe\xed\xfe\xed\0\0\0\x02", "a Java key store"),
];

/// The first key anywhere in `bytes`.
pub(crate) fn key_in(bytes: &[u8]) -> Option<&'static str> {
    (0..bytes.len()).find_map(|at| key_at_start(&bytes[at..]))
}

/// The key that `bytes` begin with.
pub(crate) fn key_at_start(bytes: &[u8]) -> Option<&'static str> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(what);
    }
    let body = element(bytes, SEQUENCE)?.inside;
    if let Some(version) = element(body, INTEGER) {
        let after = version.after;
        return match version.inside {
            [0 | 1] if element(after, SEQUENCE).is_some_and(|algorithm| is_pkcs8(&algorithm)) => {
                Some("a PKCS#8 private key")
            }
            [0 | 1] if element(after, INTEGER).is_some_and(|number| number.length >= LEAST_NUMBER) => {
                Some("an RSA or DSA private key")
            }
            [1] if element(after, OCTETS).is_some_and(|key| (16..=66).contains(&key.length)) => {
                Some("an EC private key")
            }
            [3] => {
                let contents = element(after, SEQUENCE)?.inside;
                (element(contents, OID)?.inside == PKCS7_DATA).then_some("a PKCS#12 file")
            }
            _ => None,
        };
    }
    // EncryptedPrivateKeyInfo: the algorithm, which is a password-based one, and the encrypted key.
    let algorithm = element(body, SEQUENCE)?.inside;
    let identifier = element(algorithm, OID)?.inside;
    PASSWORD_BASED.iter().any(|prefix| identifier.starts_with(prefix)).then_some("an encrypted PKCS#8 private key")
}

/// The algorithm and, if it is not cut off, the octet string that holds the key.
fn is_pkcs8(algorithm: &Element<'_>) -> bool {
    element(algorithm.inside, OID).is_some_and(|oid| oid.length >= 3)
        && algorithm.after.first().is_none_or(|tag| *tag == OCTETS)
}

struct Element<'a> {
    /// By its header; `inside` may have been cut off.
    length: usize,
    inside: &'a [u8],
    after: &'a [u8],
}

/// The element with this tag that `bytes` begin with. Its length must be spelled as DER spells it.
fn element(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        // BER's open end, which some PKCS#12 files have.
        0x80 => (rest.len(), rest),
        _ => return None,
    };
    let (inside, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some(Element { length, inside, after })
}
