//! An identity where little has to be named: authorities of the system, and a client certificate only if there is one.

use std::sync::Arc;

use camino::Utf8Path;
use rustls::RootCertStore;

use super::identity::certificates;
use super::{Fault, Identity, IdentityFiles, Kind, LeafFiles};

/// Where distributions keep the authorities that everybody trusts; the first that exists is read.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora and its relatives
    "/etc/ssl/ca-bundle.pem",             // SUSE
    "/etc/ssl/cert.pem",                  // Alpine without the package, BSD, macOS
];

impl Identity {
    /// For connections without TLS: whoever gets it trusts no one.
    pub(crate) fn trusting_nobody() -> Self {
        Self { authorities: Vec::new(), roots: Arc::new(RootCertStore::empty()), leaf: None }
    }

    /// Trusts the authorities in `ca`, else those of the bundle `system`, else this system's own.
    pub(crate) fn trusting(
        ca: Option<&Utf8Path>,
        system: Option<&Utf8Path>,
        leaf: Option<LeafFiles>,
    ) -> Result<Self, Fault> {
        match (ca, leaf) {
            (Some(ca), leaf) => Self::read(&IdentityFiles { ca: ca.to_owned(), leaf }),
            (None, Some(leaf)) => Self::of_system(system)?.bearing(&leaf),
            (None, None) => Self::of_system(system),
        }
    }

    fn of_system(named: Option<&Utf8Path>) -> Result<Self, Fault> {
        let known = || SYSTEM.iter().map(|place| Utf8Path::new(*place)).find(|place| place.is_file());
        let Some(bundle) = named.or_else(known) else {
            let message = "this system has no bundle of trusted authorities, and none is named";
            return Err(Fault::new(Kind::FileUnreadable, message));
        };
        let authorities = certificates(bundle)?;
        let mut roots = RootCertStore::empty();
        // Such a bundle may hold old certificates that this TLS library does not take; the others count all the same.
        let (taken, _) = roots.add_parsable_certificates(authorities.iter().cloned());
        if taken == 0 {
            return Err(Fault::new(Kind::FileMalformed, format!("`{bundle}` holds no authority that can be used")));
        }
        Ok(Self { authorities, roots: Arc::new(roots), leaf: None })
    }
}
