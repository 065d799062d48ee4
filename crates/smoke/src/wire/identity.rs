//! Who we are and whom we trust: certificate, key and authorities, read from PEM files.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use source::system;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Fault, Kind};

/// A bundle of a hundred certificates is far smaller; nothing larger is a certificate or key.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A switch is one rename: two looks in a row cannot both straddle it.
const MOST_LOOKS: usize = 3;

/// Where the files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// Authorities that may have signed the other side's certificate.
    pub ca: Utf8PathBuf,
    /// Our certificate, with intermediate ones after it, and its key. Without, we come as nobody, and the other side says what it
    /// thinks of that.
    pub leaf: Option<LeafFiles>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafFiles {
    pub certificate: Utf8PathBuf,
    pub key: Utf8PathBuf,
}

/// Authorities, and a certificate with its key unless we are nobody.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(super) roots: Arc<RootCertStore>,
    pub(super) leaf: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// What our own certificate says of its time, seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Identity {
    /// Reads all three files. A folder that is switched over while it is read gives a certificate and a key that do not belong together;
    /// that is over at the next look.
    pub(crate) fn read(files: &IdentityFiles) -> Result<Self, Fault> {
        let mut looks = 0;
        loop {
            looks += 1;
            match Self::read_once(files) {
                Err(fault) if fault.kind == Kind::KeyMismatch && looks < MOST_LOOKS => {}
                result => return result,
            }
        }
    }

    fn read_once(files: &IdentityFiles) -> Result<Self, Fault> {
        let authorities = certificates(&files.ca)?;
        let identity = Self::nobody(authorities, &files.ca)?;
        match &files.leaf {
            Some(leaf) => identity.bearing(leaf),
            None => Ok(identity),
        }
    }

    /// The same trust with a certificate from files.
    pub(super) fn bearing(mut self, LeafFiles { certificate, key }: &LeafFiles) -> Result<Self, Fault> {
        self.leaf = Some((certificates(certificate)?, private_key(key)?));
        self.tls().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => Fault::new(
                Kind::KeyMismatch,
                format!("the key in `{key}` does not belong to the certificate in `{certificate}`"),
            ),
            error => Fault::new(Kind::FileMalformed, format!("`{certificate}` and `{key}` cannot be used: {error}")),
        })?;
        Ok(self)
    }

    /// Trusts, but has no certificate of its own.
    fn nobody(authorities: Vec<CertificateDer<'static>>, named: &Utf8Path) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        for authority in &authorities {
            roots.add(authority.clone()).map_err(|error| {
                Fault::new(Kind::FileMalformed, format!("a certificate in `{named}` is no authority: {error}"))
            })?;
        }
        Ok(Self { authorities, roots: Arc::new(roots), leaf: None })
    }

    /// The same trust with another certificate, or none.
    pub(crate) fn with_leaf(&self, leaf: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>) -> Self {
        Self { authorities: self.authorities.clone(), roots: Arc::clone(&self.roots), leaf }
    }

    /// A TLS client. Sessions are not resumed: each handshake must prove who we are.
    pub(crate) fn tls(&self) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.roots));
        let mut config = match &self.leaf {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain.clone(), key.clone_key())?,
        };
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    pub(crate) fn has_leaf(&self) -> bool {
        self.leaf.is_some()
    }

    /// `None` without a certificate, or where it cannot be read that deeply.
    pub(crate) fn validity(&self) -> Option<Validity> {
        let (chain, _) = self.leaf.as_ref()?;
        let (_, leaf) = X509Certificate::from_der(chain.first()?).ok()?;
        let validity = leaf.validity();
        Some(Validity { from: validity.not_before.timestamp(), until: validity.not_after.timestamp() })
    }

    /// Whether one of our own authorities issued our certificate. A server that trusts the same ones would know it.
    pub(crate) fn is_of_own_authority(&self) -> bool {
        let Some((chain, _)) = &self.leaf else { return false };
        chain.iter().filter_map(|link| X509Certificate::from_der(link).ok()).any(|(_, link)| {
            self.authorities
                .iter()
                .filter_map(|authority| X509Certificate::from_der(authority).ok())
                .any(|(_, authority)| link.issuer() == authority.subject() && is_issued_by(&link, &authority))
        })
    }
}

/// Names that match are not enough: a renewed authority keeps its name and changes its key. Both carry the key's identifier.
fn is_issued_by(link: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    use x509_parser::extensions::ParsedExtension;
    let wanted = link.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    let own = authority.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    match (wanted, own) {
        (Some(wanted), Some(own)) => wanted == own,
        _ => true,
    }
}

/// The one place that names the crypto library.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

pub(super) fn certificates(path: &Utf8Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Fault::new(Kind::FileMalformed, format!("`{path}` holds no certificate"))),
        // The parser's own message may quote what stands in the file.
        Err(_) => Err(Fault::new(Kind::FileMalformed, format!("`{path}` is damaged PEM"))),
    }
}

fn private_key(path: &Utf8Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = read(path)?;
    let has = |needle: &str| text.windows(needle.len()).any(|window| window == needle.as_bytes());
    if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED") {
        return Err(Fault::new(Kind::KeyEncrypted, format!("the key in `{path}` is encrypted with a passphrase")));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| Fault::new(Kind::FileMalformed, format!("`{path}` holds no private key that can be read")))
}

pub(super) fn read(path: &Utf8Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: &std::io::Error| {
        Fault::new(Kind::FileUnreadable, format!("cannot read `{path}`: {}", system::reason(error)))
    };
    if path.metadata().map_err(|error| unreadable(&error))?.file_type().is_fifo() {
        // Opening it would wait for whoever writes into it.
        return Err(Fault::new(Kind::FileUnreadable, format!("cannot read `{path}`: it is a pipe")));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut content = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut content).map_err(|error| unreadable(&error))?;
    if content.len() as u64 > LARGEST_FILE {
        return Err(Fault::new(Kind::FileMalformed, format!("`{path}` is larger than 1 MiB, so it is no PEM file")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use testkit::Sandbox;

    use super::*;

    #[test]
    fn files_have_a_largest_size() {
        let sandbox = Sandbox::new();
        sandbox.write("full.crt", vec![b'x'; 1 << 20]).write("large.crt", vec![b'x'; (1 << 20) + 1]);
        assert_eq!(read(&sandbox.path("full.crt")).unwrap().len(), 1 << 20);
        let fault = read(&sandbox.path("large.crt")).unwrap_err();
        assert!(fault.message.ends_with("/large.crt` is larger than 1 MiB, so it is no PEM file"), "{}", fault.message);
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let sandbox = Sandbox::new();
        let made = std::process::Command::new("/usr/bin/mkfifo").arg(sandbox.path("ca.crt")).status().unwrap();
        assert!(made.success());
        let fault = read(&sandbox.path("ca.crt")).unwrap_err();
        assert_eq!(fault.kind, Kind::FileUnreadable);
        assert!(fault.message.ends_with("it is a pipe"), "{}", fault.message);
    }
}
