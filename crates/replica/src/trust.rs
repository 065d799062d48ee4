//! Whom to trust: authorities for the connection, a key for what comes over it.

use std::sync::Arc;

use mirror::jws::{self, Jws, PublicKey};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::error::{Error, Result, printable};

/// TLS 1.2 and 1.3, with the authorities of `ca` (PEM) and no others, or with the system's.
pub(crate) fn tls(ca: Option<&[u8]>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            let bad = |why: &str| {
                Error::input("the file of `--ca` cannot be used").because(why).hint("it must hold certificates as PEM")
            };
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| bad("it is damaged"))?;
                roots.add(certificate).map_err(|_| bad("a certificate in it cannot be an authority"))?;
            }
            if roots.is_empty() {
                return Err(bad("there is no certificate in it"));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            // One that cannot be read is one less; without any, nobody would be trusted.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(Error::outside("this machine has no list of authorities")
                    .hint("name the mirror's authority with `--ca`, or install `ca-certificates`"));
            }
        }
    }
    of(roots)
}

/// For connections without TLS, so that no list of authorities is looked for.
pub(crate) fn nobody() -> Result<ClientConfig> {
    of(RootCertStore::empty())
}

fn of(roots: RootCertStore) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::outside("TLS cannot be set up").because(error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The key of a mirror's signatures.
#[derive(Clone, Debug)]
pub struct JwsKey(PublicKey);

impl JwsKey {
    /// Reads a public key of P-256 or Ed25519 as SPKI PEM.
    ///
    /// # Errors
    /// Why it is none.
    pub fn from_pem(text: &str) -> std::result::Result<Self, String> {
        PublicKey::from_pem(text).map(Self).map_err(|error| error.to_string())
    }

    /// Verifies a signature of a bundle; gives the id by which it calls its key, safe to print.
    pub(crate) fn verify(&self, jws: &[u8], bundle: &[u8]) -> std::result::Result<Option<String>, jws::Error> {
        let jws = Jws::parse(jws)?;
        jws.verify(bundle, &self.0)?;
        Ok(jws.key_id().map(printable))
    }
}
