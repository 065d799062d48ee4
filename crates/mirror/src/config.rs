//! `mirror.yaml`: domains, budgets and lifetimes of a managed mirror, and where its files are written.
//!
//! Everything that a gateway, Concelier and Excititor must agree on stands here once.

use std::fmt;
use std::num::NonZeroU32;

use camino::Utf8PathBuf;
use source::{FileId, Span};
use yamlspan::strict::{Problem, Spanned};

mod check;
pub(crate) mod read;
pub(crate) mod schema;

/// Seconds of an hour, in which budgets are given.
pub(crate) const HOUR: u32 = 3600;

/// The settings of a mirror. Everything stands in written order.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The whole document.
    pub span: Span,
    pub domains: Vec<Domain>,
    /// Requests per hour and tenant for the index of a domain. Concelier counts them too.
    pub index_requests_per_hour: Spanned<NonZeroU32>,
    pub addresses: Addresses,
    /// Requests that a tenant may send at once before its rate per minute counts.
    pub tenant_burst: Spanned<u32>,
    /// Gateways beside each other: each gets this part of a tenant's budget.
    pub replicas: Spanned<NonZeroU32>,
    pub lifetimes: Lifetimes,
    pub cache: Cache,
    pub gateway: Gateway,
    pub deployments: Vec<Deployment>,
}

/// What tenants read under one server name.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Such as `primary`: in paths of exports and in names of files.
    pub id: Spanned<String>,
    /// The server name, lower-case.
    pub host: Spanned<String>,
    pub display_name: Spanned<String>,
    /// Whether the gateway asks for a tenant's name and password.
    pub require_authentication: Spanned<bool>,
    /// Requests per hour and tenant for everything but the index. Concelier counts them too.
    pub downloads_per_hour: Spanned<NonZeroU32>,
}

/// What one address may do, whoever it says it is.
#[derive(Clone, Debug)]
pub struct Addresses {
    pub requests_per_minute: Spanned<NonZeroU32>,
    pub burst: Spanned<u32>,
    /// Requests that are answered at the same time.
    pub connections: Spanned<NonZeroU32>,
}

/// How long something is good without asking again.
#[derive(Clone, Debug)]
pub struct Lifetimes {
    /// Indexes and manifests.
    pub index: Spanned<Seconds>,
    /// Bundles and their signatures: their address stays, what is there changes with each export.
    pub bundle: Spanned<Seconds>,
    /// Excititor's exports, which never change.
    pub export: Spanned<Seconds>,
    /// How long the cache keeps what nobody asks for: served while Concelier or Excititor is down.
    pub stale: Spanned<Seconds>,
    /// How long the verifier remembers that a password was right.
    pub verified: Spanned<Seconds>,
}

/// The gateway's cache.
#[derive(Clone, Debug)]
pub struct Cache {
    /// On disk.
    pub size: Spanned<Size>,
    /// Of its index, in memory: 8,000 objects fit into 1m.
    pub memory: Spanned<Size>,
    /// How long others wait for the one request that fetches an object: longer than the largest takes.
    pub lock: Spanned<Seconds>,
}

/// Paths and ports as the gateway's process sees them.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Holds `mirror-<id>.crt` and `mirror-<id>.key`.
    pub tls: Spanned<String>,
    pub cache: Spanned<String>,
    /// Holds the process id and the verifier's socket.
    pub run: Spanned<String>,
    pub access_log: Spanned<String>,
    pub https_port: Spanned<u16>,
    /// Health and status, for the inside only.
    pub inside_port: Spanned<u16>,
    /// Whether it listens on IPv6 too. Where the system has none, nginx would not start.
    pub ipv6: Spanned<bool>,
    /// Networks that may read status and metrics on the inside port.
    pub inside: Vec<Spanned<String>>,
}

/// A place that files are written for, such as `compose` or `helm`.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub name: Spanned<String>,
    /// The folder of the gateway's configuration.
    pub gateway: Spanned<Utf8PathBuf>,
    /// The folder of `concelier.env` and `excititor.env`.
    pub environment: Spanned<Utf8PathBuf>,
    /// `host:port` of Concelier.
    pub concelier: Spanned<String>,
    /// `host:port` of Excititor.
    pub excititor: Spanned<String>,
    /// The name server that is asked for these hosts while the gateway runs. Without one they are looked up once, at start, and
    /// must be known then.
    pub resolver: Option<Spanned<String>>,
    /// Load balancers in front that say by the PROXY protocol for whom they ask. Empty: clients connect themselves.
    pub proxies: Vec<Spanned<String>>,
}

/// A number of seconds, written as `30s`, `10m`, `12h` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u32);

/// A number of bytes, written as `20m` or `10g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Mirror {
    /// Reads `mirror.yaml`.
    ///
    /// # Errors
    /// All problems of the file: unknown keys, values out of range, settings that contradict each other.
    pub fn parse(text: &str, file: FileId) -> Result<Self, Vec<Problem>> {
        let (mirror, mut problems) = read::read(text, file);
        if let Some(mirror) = &mirror {
            check::check(mirror, &mut problems);
        }
        match mirror {
            Some(mirror) if problems.is_empty() => Ok(mirror),
            _ => Err(problems),
        }
    }

    /// The domain of this id.
    #[must_use]
    pub fn domain(&self, id: &str) -> Option<&Domain> {
        self.domains.iter().find(|domain| domain.id.value == id)
    }

    /// Requests per minute and tenant that one gateway lets through: nginx knows no rate per hour. Rounded up, so that nobody gets
    /// less than the budget; the hour is Concelier's to count.
    #[must_use]
    pub fn per_minute(&self, per_hour: NonZeroU32) -> u32 {
        per_hour.get().div_ceil(60).div_ceil(self.replicas.value.get())
    }

    /// How long the cache keeps what nobody asks for: nothing leaves it before its lifetime ends.
    #[must_use]
    pub fn kept(&self) -> Seconds {
        let Lifetimes { index, bundle, export, stale, verified: _ } = &self.lifetimes;
        [index, bundle, export].into_iter().fold(stale.value, |longest, other| longest.max(other.value))
    }
}

impl Domain {
    /// The file of the domain's tenants, in the folder of secrets.
    #[must_use]
    pub fn htpasswd(&self) -> String {
        format!("mirror-{}.htpasswd", self.id.value)
    }
}

impl fmt::Display for Seconds {
    /// As nginx reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            seconds if seconds % (24 * HOUR) == 0 => (seconds / (24 * HOUR), "d"),
            seconds if seconds % HOUR == 0 => (seconds / HOUR, "h"),
            seconds if seconds % 60 == 0 => (seconds / 60, "m"),
            seconds => (seconds, "s"),
        };
        write!(formatter, "{number}{unit}")
    }
}

impl fmt::Display for Size {
    /// As nginx reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "g"), (20, "m"), (10, "k")];
        match units.into_iter().find(|(bits, _)| self.0.trailing_zeros() >= *bits) {
            Some((bits, unit)) => write!(formatter, "{}{unit}", self.0 >> bits),
            None => write!(formatter, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests;
