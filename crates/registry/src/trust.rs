//! Whom a connection believes, and who we are to the other side: TLS for one host.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustls::{ClientConfig, RootCertStore};
use source::system;

use crate::config::{ClientFiles, Trust};
use crate::fault::{Fault, Kind};
use crate::files;

/// Where distributions keep the authorities that everybody trusts; the first that exists is read.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora and its relatives
    "/etc/ssl/ca-bundle.pem",             // SUSE
    "/etc/ssl/cert.pem",                  // Alpine without the package, BSD, macOS
];

/// Files in the folder of one registry. More than this are a mistake.
const MOST_FILES: usize = 100;

/// TLS for a host, and whether we have a certificate to show.
pub(crate) struct Identity {
    pub(crate) tls: ClientConfig,
    pub(crate) is_somebody: bool,
}

/// What the `certs.d` folder of a host holds.
#[derive(Default)]
struct Folder {
    authorities: Vec<Utf8PathBuf>,
    identity: Option<ClientFiles>,
}

impl Trust {
    /// TLS for a host. `own` is false for hosts that somebody else named, such as the target of a redirect: to those we are nobody.
    pub(crate) fn identity(&self, host: &str, own: bool) -> Result<Identity, Fault> {
        let folder = if own { self.folder(host)? } else { Folder::default() };
        let roots = self.roots(&folder)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let unusable =
            |error: &rustls::Error| Fault::quoting(Kind::TlsFailed, "TLS cannot be set up", &error.to_string());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_root_certificates(roots);
        let files = folder.identity.as_ref().or(self.identity.as_ref()).filter(|_| own);
        let mut tls = match files {
            None => builder.with_no_client_auth(),
            Some(ClientFiles { certificate, key }) => builder
                .with_client_auth_cert(files::certificates(certificate)?, files::private_key(key)?)
                .map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => Fault::new(
                        Kind::KeyMismatch,
                        format!("the key in `{key}` does not belong to the certificate in `{certificate}`"),
                    ),
                    error => Fault::quoting(
                        Kind::FileMalformed,
                        &format!("`{certificate}` and `{key}` cannot be used"),
                        &error.to_string(),
                    ),
                })?,
        };
        // HTTP/1.1 alone: over HTTP/2 the TLS alert that says why a connection was ended gets lost in the library.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Identity { tls, is_somebody: files.is_some() })
    }

    /// This system's authorities and those that were named: Docker's way, so that one private authority does not lock the others out.
    fn roots(&self, folder: &Folder) -> Result<Arc<RootCertStore>, Fault> {
        let mut roots = RootCertStore::empty();
        let named: Vec<&Utf8PathBuf> = self.authorities.iter().chain(&folder.authorities).collect();
        let known = || SYSTEM.iter().map(|place| Utf8Path::new(*place)).find(|place| place.is_file());
        match self.system.as_deref().or_else(known) {
            // Such a bundle may hold old certificates that this TLS library does not take; the others count all the same.
            Some(bundle) => drop(roots.add_parsable_certificates(files::certificates(bundle)?)),
            None if named.is_empty() => {
                let message = "this system has no bundle of trusted authorities, and none is named";
                return Err(Fault::new(Kind::FileUnreadable, message));
            }
            None => {}
        }
        for path in named {
            for authority in files::certificates(path)? {
                roots.add(authority).map_err(|_| {
                    Fault::new(Kind::FileMalformed, format!("a certificate in `{path}` is no authority"))
                })?;
            }
        }
        Ok(Arc::new(roots))
    }

    fn folder(&self, host: &str) -> Result<Folder, Fault> {
        let Some(folder) = self.folders.iter().map(|folder| folder.join(host)).find(|folder| folder.is_dir()) else {
            return Ok(Folder::default());
        };
        let unreadable = |why: String| Fault::new(Kind::FileUnreadable, format!("cannot list `{folder}`: {why}"));
        let entries = folder.read_dir_utf8().map_err(|error| unreadable(system::reason(&error)))?;
        let mut paths = Vec::new();
        for entry in entries {
            if paths.len() == MOST_FILES {
                return Err(unreadable(format!("it holds more than the {MOST_FILES} files that are looked at")));
            }
            paths.push(entry.map_err(|error| unreadable(system::reason(&error)))?.into_path());
        }
        paths.sort();
        let of =
            |extension: &'static str| paths.iter().filter(move |path| path.extension() == Some(extension)).cloned();
        let identity = match of("cert").next() {
            None => None,
            Some(certificate) => {
                let key = certificate.with_extension("key");
                if !paths.contains(&key) {
                    let message = format!("`{certificate}` has no key beside it: `{key}` is missing");
                    return Err(Fault::new(Kind::FileUnreadable, message));
                }
                Some(ClientFiles { certificate, key })
            }
        };
        Ok(Folder { authorities: of("crt").collect(), identity })
    }
}
