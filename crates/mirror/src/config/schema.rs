//! The JSON Schema of `mirror.yaml`, generated from types. A test holds that these types and the reader agree.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The JSON Schema of `mirror.yaml`, indented, with a line end.
#[must_use]
pub fn mirror_schema() -> String {
    // Values always serialise.
    let mut out = serde_json::to_string_pretty(&schemars::schema_for!(MirrorFile).to_value()).unwrap_or_default();
    out.push('\n');
    out
}

/// `mirror.yaml`: domains, budgets and lifetimes of a managed mirror, and where its files are written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields are the schema; the reader keeps the places that these types lose")]
pub(crate) struct MirrorFile {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    schema: u32,
    #[schemars(length(min = 1))]
    domains: Vec<DomainEntry>,
    /// Requests per hour and tenant for the index of a domain.
    #[schemars(range(min = 1, max = 1_000_000))]
    index_requests_per_hour: u32,
    addresses: Option<AddressesEntry>,
    tenants: Option<TenantsEntry>,
    /// Gateways beside each other: each gets this part of a tenant's budget. 1 if absent.
    #[schemars(range(min = 1, max = 100))]
    replicas: Option<u32>,
    lifetimes: Option<LifetimesEntry>,
    cache: Option<CacheEntry>,
    gateway: Option<GatewayEntry>,
    /// What files are written for, by name.
    deployments: BTreeMap<String, DeploymentEntry>,
}

/// What tenants read under one server name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct DomainEntry {
    /// In paths of exports and in names of files.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    id: String,
    /// The server name.
    host: String,
    display_name: String,
    /// Whether the gateway asks for a tenant's name and password.
    require_authentication: bool,
    /// Requests per hour and tenant for everything but the index.
    #[schemars(range(min = 1, max = 1_000_000))]
    downloads_per_hour: u32,
}

/// What one address may do, whoever it says it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct AddressesEntry {
    /// 600 if absent.
    #[schemars(range(min = 1, max = 1_000_000))]
    requests_per_minute: Option<u32>,
    /// 100 if absent.
    #[schemars(range(max = 100_000))]
    burst: Option<u32>,
    /// Requests that are answered at the same time; 64 if absent.
    #[schemars(range(min = 1, max = 65_535))]
    connections: Option<u32>,
}

/// What one tenant may do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct TenantsEntry {
    /// Requests at once before the rate per minute counts; 20 if absent.
    #[schemars(range(max = 100_000))]
    burst: Option<u32>,
}

/// How long something is good without asking again: `30s`, `10m`, `12h` or `7d`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct LifetimesEntry {
    /// Indexes and manifests; `1m` if absent.
    index: Option<String>,
    /// Bundles and their signatures; `2m` if absent.
    bundle: Option<String>,
    /// Excititor's exports, which never change; `1d` if absent.
    export: Option<String>,
    /// How long the cache keeps what nobody asks for; `1d` if absent.
    stale: Option<String>,
    /// How long a password that was right is remembered; `30s` if absent.
    verified: Option<String>,
}

/// The gateway's cache.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct CacheEntry {
    /// On disk; `10g` if absent.
    size: Option<String>,
    /// Of its index, in memory; `20m` if absent.
    memory: Option<String>,
    /// How long others wait for the one request that fetches an object; `10m` if absent.
    lock: Option<String>,
}

/// Paths and ports as the gateway's process sees them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct GatewayEntry {
    /// Holds `mirror-<id>.crt` and `mirror-<id>.key`; `/etc/mirror-gateway/tls` if absent.
    tls: Option<String>,
    /// `/var/cache/mirror-gateway` if absent.
    cache: Option<String>,
    /// Holds the process id and the verifier's socket; `/run/mirror-gateway` if absent.
    run: Option<String>,
    /// `/dev/stdout` if absent.
    access_log: Option<String>,
    /// 8443 if absent.
    #[schemars(range(min = 1, max = 65_535))]
    https_port: Option<u32>,
    /// Health and status, for the inside only; 8081 if absent.
    #[schemars(range(min = 1, max = 65_535))]
    inside_port: Option<u32>,
    /// Whether it listens on IPv6 too; `false` if absent.
    ipv6: Option<bool>,
    /// Networks that may read the status on the inside port; loopback and private networks if absent.
    inside: Option<Vec<String>>,
}

/// A place that files are written for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct DeploymentEntry {
    /// The folder of the gateway's configuration.
    gateway: String,
    /// The folder of `concelier.env` and `excititor.env`.
    environment: String,
    upstreams: UpstreamsEntry,
    /// The name server that is asked for the upstreams while the gateway runs; without one they are looked up once, at start.
    resolver: Option<String>,
    /// Load balancers in front that speak the PROXY protocol.
    proxies: Option<Vec<String>>,
}

/// Where the gateway fetches from, as `host:port`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct UpstreamsEntry {
    concelier: String,
    excititor: String,
}
