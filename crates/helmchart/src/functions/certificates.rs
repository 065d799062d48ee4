//! `genCA`, `genSignedCert` and their family: the certificates that Go's `x509.CreateCertificate` makes from sprig's template.

use std::net::IpAddr;
use std::sync::Arc;

use gotemplate::{FunctionError, Value};
use sha2::{Digest as _, Sha256};
use source::Text;

use super::call::Call;
use super::clock::{Time, Zone};
use super::der::{self, Pem, Reader};
use super::go::{Answer, quote};
use super::keys::PrivateKey;
use super::layout;
use super::objects::CertificateObject;
use super::random::Random;
use super::slow::{KEYS, PRIMES};

/// An RSA key that is made, and its share of the slow work.
struct NewRsa {
    /// What a seed is spread by. Any words would do; with these, the seed of `check` finds its keys soon.
    kind: &'static str,
    bits: usize,
    units: u32,
}

/// The key that a certificate gets.
const OF_CERTIFICATE: NewRsa = NewRsa { kind: "a certificate's key", bits: 2_048, units: 10 };
/// The key that `genPrivateKey` makes. It takes longer; but who makes one may want another.
const ALONE: NewRsa = NewRsa { kind: "its own key", bits: 4_096, units: 100 };

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const TRUE: &[u8] = &[0x01, 0x01, 0xff];

/// What a certificate says.
struct Subject {
    name: Vec<u8>,
    addresses: Vec<IpAddr>,
    dns_names: Vec<Text>,
    days: i64,
    is_ca: bool,
}

/// Who signs.
struct Issuer {
    name: Vec<u8>,
    key_id: Vec<u8>,
    key: PrivateKey,
}

pub(crate) fn gen_private_key(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    let functions = call.functions;
    let key = match call.text(0).as_str() {
        "" | "rsa" => ALONE.make(call)?,
        "dsa" => {
            functions.slow_work.spend(100)?;
            functions.slow_work.make(&KEYS, &functions.random, ("dsa", &[]), PrivateKey::new_dsa)?
        }
        "ecdsa" => Arc::new(PrivateKey::new_ecdsa(&functions.random)?),
        "ed25519" => Arc::new(PrivateKey::new_ed25519(&functions.random)?),
        other => return Ok(format!("Unknown type {other}").into()),
    };
    Ok(call.drawn(key.pem()?).into())
}

impl NewRsa {
    fn make(&self, call: &Call<'_, '_>) -> Result<Arc<PrivateKey>, FunctionError> {
        let functions = call.functions;
        let turn = functions.slow_work.next(self.kind);
        let is_seeded = matches!(functions.random, Random::Seeded(_));
        functions.slow_work.spend(match pair(turn) {
            _ if !is_seeded => self.units,
            [0, 1] => self.units,
            // The first of its pairs with a new prime.
            [0, _] => self.units / 2,
            _ => 1,
        })?;
        let make = |random: &Random| match is_seeded {
            true => self.seeded(&functions.random, turn),
            false => PrivateKey::new_rsa(random, self.bits),
        };
        functions.slow_work.make(&KEYS, &functions.random, (self.kind, &[]), make)
    }

    /// The key of this number, from one. Primes take the time, and two of a few make many keys: whoever knows the seed knows them all anyhow.
    fn seeded(&self, random: &Random, turn: u32) -> Result<PrivateKey, FunctionError> {
        let prime = |index: u32| {
            let seed = random.apart(&[self.kind.as_bytes(), &index.to_le_bytes()]).ok_or("there is no seed")?;
            PRIMES.obtain(seed, || PrivateKey::prime_of_rsa(&Random::seeded(seed), self.bits))
        };
        let [lesser, greater] = pair(turn);
        PrivateKey::of_primes([prime(lesser)?.as_ref().clone(), prime(greater)?.as_ref().clone()])
    }
}

/// The numbers of two different things, other ones for every turn from one on: 0 and 1, 0 and 2, 1 and 2, 0 and 3, …
fn pair(turn: u32) -> [u32; 2] {
    let (mut lesser, mut greater) = (turn.saturating_sub(1), 1);
    while lesser >= greater {
        lesser -= greater;
        greater += 1;
    }
    [lesser, greater]
}

/// The key of a new certificate: given as PEM, or made.
fn key_of(call: &Call<'_, '_>, pem: Option<usize>) -> Result<Arc<PrivateKey>, FunctionError> {
    match pem {
        Some(index) => PrivateKey::parse(&call.text(index))
            .map(Arc::new)
            .map_err(|error| FunctionError::new(format!("parsing private key: {error}"))),
        None => OF_CERTIFICATE.make(call),
    }
}

pub(crate) fn gen_ca(call: &mut Call<'_, '_>) -> Answer {
    authority(call, None)
}

pub(crate) fn gen_ca_with_key(call: &mut Call<'_, '_>) -> Answer {
    authority(call, Some(2))
}

fn authority(call: &Call<'_, '_>, pem: Option<usize>) -> Answer {
    call.note_nondeterministic();
    let key = key_of(call, pem)?;
    let name = name(&call.text(0));
    let subject = Subject { name, addresses: Vec::new(), dns_names: Vec::new(), days: call.int(1), is_ca: true };
    issue(call, &subject, (&key, pem), None)
}

pub(crate) fn gen_self_signed_cert(call: &mut Call<'_, '_>) -> Answer {
    self_signed(call, None)
}

pub(crate) fn gen_self_signed_cert_with_key(call: &mut Call<'_, '_>) -> Answer {
    self_signed(call, Some(4))
}

fn self_signed(call: &Call<'_, '_>, pem: Option<usize>) -> Answer {
    call.note_nondeterministic();
    let subject = subject(call)?;
    let key = key_of(call, pem)?;
    issue(call, &subject, (&key, pem), None)
}

pub(crate) fn gen_signed_cert(call: &mut Call<'_, '_>) -> Answer {
    signed(call, None)
}

pub(crate) fn gen_signed_cert_with_key(call: &mut Call<'_, '_>) -> Answer {
    signed(call, Some(5))
}

fn signed(call: &Call<'_, '_>, pem: Option<usize>) -> Answer {
    call.note_nondeterministic();
    let given_key = pem.map(|_| key_of(call, pem)).transpose()?;
    let issuer = issuer(call.value(4))?;
    let subject = subject(call)?;
    let key = given_key.map_or_else(|| key_of(call, None), Ok)?;
    issue(call, &subject, (&key, pem), Some(&issuer))
}

pub(crate) fn build_custom_cert(call: &mut Call<'_, '_>) -> Answer {
    let decode = |index: usize, what: &str| {
        let bytes = super::base_n::from_base64(&call.bytes(index)).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| FunctionError::new(format!("unable to decode base64 {what}")))
    };
    let certificate = decode(0, "certificate")?;
    let key = decode(1, "private key")?;
    let Some(block) = Pem::first(&certificate) else { return Err("unable to decode certificate".into()) };
    if Parsed::read(&block.bytes).is_none() {
        return Err("error parsing certificate: decodedCert.Bytes: x509: malformed certificate".into());
    }
    PrivateKey::parse(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    let made = |string: String, index: usize| Text::derived_from(string, call.value(index).as_text());
    Ok(Value::object(CertificateObject { certificate: made(certificate, 0), key: made(key, 1) }))
}

/// A name with only a common name; nothing at all for an empty one.
fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return der::sequence(&[]);
    }
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if common.bytes().all(printable) { der::PRINTABLE_STRING } else { der::UTF8_STRING };
    let id = der::element(der::OBJECT_ID, COMMON_NAME);
    let attribute = der::sequence(&[&id, &der::element(tag, common.as_bytes())]);
    der::sequence(&[&der::element(der::SET, &attribute)])
}

fn subject(call: &Call<'_, '_>) -> Result<Subject, FunctionError> {
    let list = |index: usize| call.value(index).as_list();
    let shown = gotemplate::format::value_text;
    let mut addresses = Vec::new();
    for item in list(1).iter().flat_map(gotemplate::List::items) {
        let Some(text) = item.as_text() else {
            return Err(format!("error parsing ip: {} is not a string", shown(item)).into());
        };
        addresses.push(text.parse().map_err(|_| format!("error parsing ip: {text}"))?);
    }
    let mut dns_names = Vec::new();
    for item in list(2).iter().flat_map(gotemplate::List::items) {
        let Some(text) = item.as_text() else {
            return Err(format!("error processing alternate dns name: {} is not a string", shown(item)).into());
        };
        dns_names.push(text.clone());
    }
    Ok(Subject { name: name(&call.text(0)), addresses, dns_names, days: call.int(3), is_ca: false })
}

fn issuer(authority: &Value) -> Result<Issuer, FunctionError> {
    let blank = CertificateObject { certificate: Text::default(), key: Text::default() };
    let authority = authority.downcast::<CertificateObject>().unwrap_or(&blank);
    let Some(block) = Pem::first(&authority.certificate) else { return Err("unable to decode certificate".into()) };
    let Some(parsed) = Parsed::read(&block.bytes) else {
        return Err("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate".into());
    };
    let key = PrivateKey::parse(&authority.key).map_err(|error| format!("error parsing private key: {error}"))?;
    if key.public_bytes().is_ok_and(|public| public != parsed.public_key) {
        return Err("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey".into());
    }
    Ok(Issuer { name: parsed.subject.to_vec(), key_id: parsed.subject_key_id.to_vec(), key })
}

/// What is needed of a certificate.
struct Parsed<'d> {
    /// The whole element.
    subject: &'d [u8],
    public_key: &'d [u8],
    /// Empty if there is none.
    subject_key_id: &'d [u8],
}

impl<'d> Parsed<'d> {
    fn read(bytes: &'d [u8]) -> Option<Self> {
        let mut body = Reader::new(bytes).sequence()?.sequence()?;
        body.expect(der::context(0))?;
        body.unsigned()?;
        // The signature's algorithm, the issuer and the validity.
        for _ in 0..3 {
            body.sequence()?;
        }
        let subject = body.any()?.whole;
        let mut key = body.sequence()?;
        key.sequence()?;
        let [0, public_key @ ..] = key.expect(der::BIT_STRING)? else { return None };
        let mut subject_key_id: &[u8] = &[];
        while !body.is_empty() {
            let part = body.any()?;
            if part.tag != der::context(3) {
                continue;
            }
            let mut extensions = Reader::new(part.content).sequence()?;
            while !extensions.is_empty() {
                let mut extension = extensions.sequence()?;
                if extension.expect(der::OBJECT_ID)? == SUBJECT_KEY_ID {
                    let value = extension.expect(der::OCTET_STRING)?;
                    subject_key_id = Reader::new(value).expect(der::OCTET_STRING)?;
                }
            }
        }
        Some(Self { subject, public_key, subject_key_id })
    }
}

/// Two digits of the year up to 2049, four from 2050 on.
fn moment(time: &Time) -> Vec<u8> {
    if (1950..2050).contains(&time.civil().year) {
        der::element(der::UTC_TIME, layout::format(time, "060102150405Z").as_bytes())
    } else {
        der::element(der::GENERALIZED_TIME, layout::format(time, "20060102150405Z").as_bytes())
    }
}

fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let id = der::element(der::OBJECT_ID, id);
    let critical = if critical { TRUE } else { &[] };
    der::sequence(&[&id, critical, &der::element(der::OCTET_STRING, value)])
}

fn extensions(subject: &Subject, public_key: &[u8], authority_key_id: &[u8]) -> Result<Vec<u8>, FunctionError> {
    // Digital signature and key encipherment; an authority may sign certificates too.
    let usage: &[u8] = if subject.is_ca { &[0x02, 0xa4] } else { &[0x05, 0xa0] };
    let purposes = [SERVER_AUTH, CLIENT_AUTH].map(|purpose| der::element(der::OBJECT_ID, purpose)).concat();
    let mut all = vec![
        extension(KEY_USAGE, true, &der::element(der::BIT_STRING, usage)),
        extension(EXTENDED_KEY_USAGE, false, &der::element(der::SEQUENCE, &purposes)),
        extension(BASIC_CONSTRAINTS, true, &der::sequence(&[if subject.is_ca { TRUE } else { &[] }])),
    ];
    if subject.is_ca {
        let digest = Sha256::digest(public_key);
        all.push(extension(SUBJECT_KEY_ID, false, &der::element(der::OCTET_STRING, &digest[..20])));
    }
    if !authority_key_id.is_empty() {
        let id = der::sequence(&[&der::element(0x80, authority_key_id)]);
        all.push(extension(AUTHORITY_KEY_ID, false, &id));
    }
    if !subject.dns_names.is_empty() || !subject.addresses.is_empty() {
        let mut names = Vec::new();
        for name in &subject.dns_names {
            if !name.is_ascii() {
                let name = quote(name);
                let message = format!("x509: {name} cannot be encoded as an IA5String");
                return Err(format!("error creating certificate: {message}").into());
            }
            names.extend(der::element(0x82, name.as_bytes()));
        }
        for address in &subject.addresses {
            names.extend(match address.to_canonical() {
                IpAddr::V4(address) => der::element(0x87, &address.octets()),
                IpAddr::V6(address) => der::element(0x87, &address.octets()),
            });
        }
        let is_nameless = subject.name == der::sequence(&[]);
        all.push(extension(ALTERNATIVE_NAMES, is_nameless, &der::element(der::SEQUENCE, &names)));
    }
    Ok(der::element(der::context(3), &der::element(der::SEQUENCE, &all.concat())))
}

/// A certificate for `key`, signed by `issuer` or by itself.
fn issue(
    call: &Call<'_, '_>,
    subject: &Subject,
    (key, pem): (&PrivateKey, Option<usize>),
    issuer: Option<&Issuer>,
) -> Answer {
    let signer = issuer.map_or(key, |issuer| &issuer.key);
    let issuer_name = issuer.map_or(&subject.name, |issuer| &issuer.name);
    let public_key = key.public_bytes()?;
    let authority_key_id: &[u8] = match issuer {
        Some(issuer) if issuer.name != subject.name => &issuer.key_id,
        _ => &[],
    };
    let serial: [u8; 16] = call.functions.random.array()?;
    let start = Time { seconds: call.functions.context.now.unwrap_or(0), nanos: 0, zone: Zone::Utc };
    let end = start.plus(subject.days.wrapping_mul(24 * 3_600 * 1_000_000_000));
    let body = der::sequence(&[
        &der::element(der::context(0), &der::unsigned(&[2])),
        &der::unsigned(&serial),
        &signer.signature_algorithm(),
        issuer_name,
        &der::sequence(&[&moment(&start), &moment(&end)]),
        &subject.name,
        &der::sequence(&[&key.algorithm(), &der::bit_string(&public_key)]),
        &extensions(subject, &public_key, authority_key_id)?,
    ]);
    call.functions.slow_work.spend(1)?;
    let signature = signer.sign(&body)?;
    let whole = der::sequence(&[&body, &signer.signature_algorithm(), &der::bit_string(&signature)]);
    let certificate = call.drawn(Pem::write("CERTIFICATE", &whole));
    let key = match pem {
        Some(index) => Text::derived_from(key.pem()?, [&call.text(index)]),
        None => call.drawn(key.pem()?),
    };
    Ok(Value::object(CertificateObject { certificate, key }))
}

/// Whether `leaf` names `authority` and carries a signature that its ECDSA key made.
#[cfg(test)]
pub(crate) fn seem_right(authority: &str, leaf: &str) -> bool {
    use p256::ecdsa::signature::Verifier as _;
    let (authority, leaf) = (Pem::first(authority).unwrap(), Pem::first(leaf).unwrap());
    let issuer = Parsed::read(&authority.bytes).unwrap();
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(issuer.public_key).unwrap();
    let mut whole = Reader::new(&leaf.bytes).sequence().unwrap();
    let body = whole.any().unwrap().whole;
    whole.sequence().unwrap();
    let signature = p256::ecdsa::Signature::from_der(&whole.expect(der::BIT_STRING).unwrap()[1..]).unwrap();
    let names_issuer = body.windows(issuer.subject.len()).any(|window| window == issuer.subject);
    let names_key = body.windows(20).any(|window| window == issuer.subject_key_id);
    names_issuer && names_key && key.verify(body, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn pairs_are_of_two_and_every_one_is_another() {
        let pairs: Vec<[u32; 2]> = (1..=45).map(pair).collect();
        assert_eq!(pairs[..6], [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]);
        assert!(pairs.iter().all(|[lesser, greater]| lesser < greater && *greater < 10));
        assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len());
    }

    #[test]
    fn seeded_keys_are_the_same_again_and_every_one_is_another() {
        let key = |seed: u8, turn| OF_CERTIFICATE.seeded(&Random::seeded([seed; 32]), turn).unwrap().pem().unwrap();
        let keys: Vec<String> = (1..=3).map(|turn| key(1, turn)).collect();
        assert_eq!(keys.iter().chain([&key(2, 1)]).collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(key(1, 2), keys[1]);
    }
}
