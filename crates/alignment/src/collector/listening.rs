//! Where a collector listens: which components take connections, and on which addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::collector::environment::Variables;
use crate::collector::pipelines::{Kind, Pipelines};
use crate::collector::tree::{Entry, Node, Spot};

/// Types whose `endpoint` is an address that they listen on. Of every other type an `endpoint` may as well be what it calls
/// (`redis`, `docker_stats`, `otlp_http`), and only an address that nobody can call (`0.0.0.0`) tells.
/// Source: the READMEs of the collector and of its contrib components, version 0.155.
const LISTENING: [(Kind, &[&str]); 4] = [
    (
        Kind::Receiver,
        &[
            "awsfirehose",
            "awsxray",
            "carbon",
            "cloudflare",
            "collectd",
            "datadog",
            "faro",
            "fluentforward",
            "influxdb",
            "jaeger",
            "libhoneyevent",
            "loki",
            "netflow",
            "opencensus",
            "otelarrow",
            "otlp",
            "prometheusremotewrite",
            "prometheus_remote_write",
            "sapm",
            "signalfx",
            "skywalking",
            "splunk_hec",
            "statsd",
            "stef",
            "syslog",
            "tcplog",
            "tcp_log",
            "udplog",
            "udp_log",
            "wavefront",
            "webhookevent",
            "webhook_event",
            "zipkin",
        ],
    ),
    (Kind::Processor, &["remotetap"]),
    (Kind::Exporter, &["prometheus"]),
    (
        Kind::Extension,
        &["awsproxy", "health_check", "healthcheckv2", "http_forwarder", "jaegerremotesampling", "pprof", "zpages"],
    ),
];

/// Types that have no TLS to be turned on, with the protocols of `jaeger` that are sent as single packets.
const WITHOUT_TLS: [&str; 9] =
    ["carbon", "fluentforward", "netflow", "pprof", "statsd", "thrift_binary", "thrift_compact", "udplog", "wavefront"];

/// Keys of listening components below which addresses are called, not listened on.
const CALLED_BELOW: [&str; 4] = ["egress", "remote", "source", "config"];

/// Keys that hold an address to listen on.
const ADDRESS_KEYS: [&str; 2] = ["endpoint", "listen_address"];

/// One address that a component listens on.
pub(crate) struct Listener<'c> {
    pub(crate) kind: Kind,
    /// The component.
    pub(crate) id: String,
    /// Where the address stands, from the root: `receivers.otlp.protocols.grpc`.
    pub(crate) at: String,
    /// What stands beside the address: `tls`, if there is any.
    pub(crate) beside: &'c Node,
    pub(crate) spot: &'c Spot,
    /// The address, as far as its variables are known.
    pub(crate) address: String,
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
    /// Whether the component could use TLS here at all.
    pub(crate) has_tls: bool,
}

/// Whom an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// The container itself: loopback, or a socket file.
    Local,
    /// All interfaces: an address that nobody can call.
    Every,
    /// A name or an address that others may know.
    Other,
}

impl Host {
    /// Of `host:port`, with or without a scheme and a path.
    pub(crate) fn of(address: &str) -> Self {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        if scheme.starts_with("unix") || rest.starts_with('/') || address.starts_with("unix:") {
            return Self::Local;
        }
        let rest = rest.split(['/', '?']).next().unwrap_or(rest);
        let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        Self::of_host(host_and_port(rest).0)
    }

    /// Of a host alone.
    pub(crate) fn of_host(host: &str) -> Self {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Self::Every;
        }
        if host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost") {
            return Self::Local;
        }
        let v4 = host.parse::<Ipv4Addr>().ok();
        let v6 = host.parse::<Ipv6Addr>().ok();
        let v4 = v4.or_else(|| v6.and_then(|v6| v6.to_ipv4_mapped()));
        if v4.is_some_and(|address| address.is_loopback()) || v6.is_some_and(|address| address.is_loopback()) {
            Self::Local
        } else if v4.is_some_and(|address| address.is_unspecified())
            || v6.is_some_and(|address| address.is_unspecified())
        {
            Self::Every
        } else {
            Self::Other
        }
    }
}

/// `host:port` in two; an address without a colon is a host.
fn host_and_port(address: &str) -> (&str, Option<u16>) {
    // Colons inside `[…]` belong to the host, those inside `${…}` to a variable that is not known.
    let mut depth = 0_usize;
    let mut colon = None;
    for (at, byte) in address.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => colon = Some(at),
            _ => {}
        }
    }
    match colon {
        Some(colon) => (&address[..colon], address[colon + 1..].parse().ok()),
        None => (address, None),
    }
}

/// Whether a key of an exporter names what it calls. A proxy may well be plain: what passes through it need not be.
pub(crate) fn is_dialled_url(key: &str) -> bool {
    let is = |word| key.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'));
    (is("endpoint") || is("endpoints") || is("url") || is("urls")) && !key.starts_with("proxy")
}

/// Every address that the started components listen on.
pub(crate) fn listeners<'c>(config: &'c Node, pipelines: &Pipelines<'_>, variables: &Variables) -> Vec<Listener<'c>> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        for (id, entry) in kind.defined(config).unwrap_or_default() {
            if !pipelines.starts(kind, &id) {
                continue;
            }
            let name = id.split('/').next().unwrap_or(&id);
            let listens = LISTENING.iter().any(|(of, types)| *of == kind && types.contains(&name));
            // An exporter calls, whatever its address looks like.
            if !listens && kind == Kind::Exporter {
                continue;
            }
            let at = format!("{}.{id}", kind.section());
            let has_tls = !WITHOUT_TLS.contains(&name);
            let mut walk = Walk { kind, id: &id, listens, variables, out: &mut out };
            walk.node(entry, &at, has_tls);
        }
    }
    out
}

struct Walk<'w, 'c> {
    kind: Kind,
    id: &'w str,
    listens: bool,
    variables: &'w Variables,
    out: &'w mut Vec<Listener<'c>>,
}

impl<'c> Walk<'_, 'c> {
    fn node(&mut self, entry: &'c Entry, at: &str, has_tls: bool) {
        let Some(map) = entry.node.as_map() else { return };
        let enabled = map.get("enabled").and_then(|entry| entry.node.as_text());
        if enabled.is_some_and(|enabled| self.variables.expand(enabled).text == "false") {
            return;
        }
        for (key, inner) in map {
            let is_address = ADDRESS_KEYS.contains(&&**key);
            if is_address && let Some(written) = inner.node.as_text() {
                self.address(&entry.node, &inner.node, written, at, has_tls);
            } else if !CALLED_BELOW.contains(&&**key) {
                let has_tls = has_tls && !WITHOUT_TLS.contains(&&**key) && &**key != "udp";
                self.node(inner, &format!("{at}.{key}"), has_tls);
            }
        }
    }

    fn address(&mut self, beside: &'c Node, node: &'c Node, written: &str, at: &str, has_tls: bool) {
        let address = self.variables.expand(written).text;
        let is_socket =
            beside.get("transport").and_then(Node::as_text).is_some_and(|transport| transport.starts_with("unix"));
        let host = if is_socket { Host::Local } else { Host::of(&address) };
        if !self.listens && host != Host::Every {
            return;
        }
        let port = host_and_port(address.rsplit_once("://").map_or(&*address, |(_, rest)| rest)).1;
        self.out.push(Listener {
            kind: self.kind,
            id: self.id.to_owned(),
            at: at.to_owned(),
            beside,
            spot: &node.spot,
            address,
            host,
            port,
            has_tls,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_reach_whom_they_say() {
        for (address, host, port) in [
            ("0.0.0.0:4317", Host::Every, Some(4317)),
            (":4317", Host::Every, Some(4317)),
            ("[::]:4317", Host::Every, Some(4317)),
            ("127.0.0.1:4317", Host::Local, Some(4317)),
            ("127.8.0.1:4317", Host::Local, Some(4317)),
            ("[::1]:4317", Host::Local, Some(4317)),
            ("[::ffff:127.0.0.1]:1", Host::Local, Some(1)),
            ("localhost:4317", Host::Local, Some(4317)),
            ("localhost", Host::Local, None),
            ("/var/run/otel.sock", Host::Local, None),
            ("10.0.0.1:4317", Host::Other, Some(4317)),
            ("collector:4317", Host::Other, Some(4317)),
            ("${env:POD_IP}:4317", Host::Other, Some(4317)),
            ("0.0.0.0:${env:PORT}", Host::Every, None),
            ("${env:ADDRESS}", Host::Other, None),
        ] {
            assert_eq!((Host::of(address), host_and_port(address).1), (host, port), "{address}");
        }
        for (url, host) in [
            ("http://localhost:9411/api", Host::Local),
            ("http://tempo:4318", Host::Other),
            ("http://user:pass@[::1]:9411/api", Host::Local),
            ("unix:///run/x.sock", Host::Local),
        ] {
            assert_eq!(Host::of(url), host, "{url}");
        }
    }

    #[test]
    fn urls_that_are_called() {
        assert!(["endpoint", "logs_endpoint", "endpoints", "url", "token_url"].into_iter().all(is_dialled_url));
        assert!(!["proxy_url", "curl", "endpoint_mode"].into_iter().any(is_dialled_url));
    }
}
