//! Certificates that nobody may accept, made in memory for the probes that must be refused.

use camino::Utf8Path;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::identity::{certificates, read};
use super::{Fault, Identity, Kind};

/// A client certificate of an authority that has the name of the trusted one and another key. A server that compares names
/// only would take it.
pub(crate) fn foreign(identity: &Identity) -> Result<Identity, Fault> {
    let failed = |error: rcgen::Error| {
        Fault::quoting(Kind::FileMalformed, "cannot make a foreign certificate", &error.to_string())
    };
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "foreign authority");
    // An authority that cannot be imitated is imitated under another name.
    let imitated = identity
        .authorities
        .first()
        .and_then(|authority| Issuer::from_ca_cert_der(authority, KeyPair::generate().ok()?).ok());
    match imitated {
        Some(issuer) => leaf(identity, &issuer, None),
        None => leaf(identity, &Issuer::new(params, key), None),
    }
}

/// A client certificate of the trusted authority that expired long ago. Needs the authority's key; `Err` says in words why not.
pub(crate) fn expired(identity: &Identity, authority: &Utf8Path) -> Result<Identity, String> {
    let (certificate, key) = (authority.join("ca.crt"), authority.join("ca.key"));
    let said = |fault: Fault| fault.message;
    let issuer = certificates(&certificate).map_err(said)?.into_iter().next().ok_or("no authority")?;
    if !identity.authorities.contains(&issuer) {
        return Err(format!("the authority in `{certificate}` is not the trusted one"));
    }
    let pem = read(&key).map_err(said)?;
    let pem = String::from_utf8(pem).map_err(|_| format!("`{key}` is not PEM"))?;
    let key = KeyPair::from_pem(&pem).map_err(|_| format!("`{key}` holds no PKCS#8 key that can sign here"))?;
    let issuer = Issuer::from_ca_cert_der(&issuer, key).map_err(|_| format!("`{certificate}` is no authority"))?;
    leaf(identity, &issuer, Some(2001)).map_err(said)
}

/// `year` is the one in which the certificate was valid, for a day; without, it is always valid.
fn leaf(
    identity: &Identity,
    issuer: &Issuer<'_, impl rcgen::SigningKey>,
    year: Option<i32>,
) -> Result<Identity, Fault> {
    let failed =
        |error: rcgen::Error| Fault::quoting(Kind::FileMalformed, "cannot make a certificate", &error.to_string());
    let mut params = CertificateParams::new(vec!["collimate-smoke".to_owned()]).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "collimate-smoke");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    if let Some(year) = year {
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 2);
    }
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.signed_by(&key, issuer).map_err(failed)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(identity.with_leaf(Some((vec![CertificateDer::from(certificate.der().to_vec())], key))))
}
