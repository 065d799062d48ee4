//! What a client is told: nothing of it is looked up in the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::str::FromStr;

use camino::Utf8PathBuf;

use crate::limits::Limits;
use crate::secret::Secret;

/// All that a client knows of the world.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How we call ourselves, such as `collimate/1.0`.
    pub user_agent: String,
    /// By registry, such as `docker.io`: where to ask instead.
    pub mirrors: BTreeMap<String, Mirrors>,
    /// Hosts, with their port where they have one, that are talked to without TLS. A loopback host need not be named.
    pub plain_http: BTreeSet<String>,
    pub trust: Trust,
    pub credentials: Credentials,
    pub proxies: Proxies,
    pub limits: Limits,
}

/// The mirrors of one registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// In the order in which they are asked.
    pub at: Vec<Mirror>,
    /// The registry itself is not asked.
    pub only: bool,
}

/// A registry that holds the images of another one, all below one path where it has one: `mirror.internal:5000/hub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// With its port.
    pub(crate) host: String,
    /// Without slashes at its ends; may be empty.
    pub(crate) path: String,
}

/// Whom to believe, and who we are.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The bundle of authorities in place of this system's own.
    pub system: Option<Utf8PathBuf>,
    /// More authorities: PEM files.
    pub authorities: Vec<Utf8PathBuf>,
    /// Our certificate, for whoever asks for one.
    pub identity: Option<ClientFiles>,
    /// Folders as Docker's `certs.d`: in each a folder per `HOST[:PORT]` with authorities (`*.crt`) and our certificates (`*.cert`) with
    /// their keys (`*.key`). The first that has the host's folder counts.
    pub folders: Vec<Utf8PathBuf>,
}

/// A certificate and its key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    pub certificate: Utf8PathBuf,
    pub key: Utf8PathBuf,
}

/// Where names and passwords are.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Files as Docker's `config.json` or containers' `auth.json`; the first that knows a host counts.
    pub files: Vec<CredentialFile>,
    /// Where programs named `docker-credential-NAME` are looked for.
    pub helper_folders: Vec<Utf8PathBuf>,
    /// The environment that they get.
    pub helper_environment: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFile {
    pub path: Utf8PathBuf,
    /// It was named, so it has to be there.
    pub required: bool,
}

/// Proxies, as the variables of these names have them. Their URLs may hold passwords.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    pub http: Option<Secret>,
    pub https: Option<Secret>,
    pub no_proxy: String,
}

/// Why a text names no mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorError;

impl std::fmt::Display for MirrorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a mirror is written `HOST[:PORT][/PATH]`, without `https://`")
    }
}

impl std::error::Error for MirrorError {}

impl FromStr for Mirror {
    type Err = MirrorError;

    fn from_str(text: &str) -> Result<Self, MirrorError> {
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        let path = path.trim_end_matches('/');
        // The grammar of references says what a host and a path are; an image below the mirror must be a valid one.
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let image: release::ImageRef = format!("{host}/{below}image").parse().map_err(|_| MirrorError)?;
        let is_host = host == "localhost" || host.contains(['.', ':']);
        if !is_host || image.tag().is_some() || image.digest().is_some() {
            return Err(MirrorError);
        }
        Ok(Self { host: host.to_owned(), path: path.to_owned() })
    }
}

/// Whether a host, with or without port, is this machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_hosts_with_a_path() {
        let mirror: Mirror = "mirror.internal:5000/hub/".parse().unwrap();
        assert_eq!((mirror.host.as_str(), mirror.path.as_str()), ("mirror.internal:5000", "hub"));
        assert_eq!("localhost:1".parse::<Mirror>().unwrap().path, "");
        for wrong in
            ["", "mirror", "https://mirror.internal", "u:p@mirror.internal", "m.internal/a:b", "m.internal/../x"]
        {
            assert_eq!(wrong.parse::<Mirror>(), Err(MirrorError), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_recognised_with_a_port() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "127.8.8.8", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1", "127.0.0.1.example.org:80", "[::2]:1"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
