use std::collections::BTreeSet;

use serde_json::{Map, Value};
use source::FileId;
use yamlspan::{Dialect, Kind, NodeRef, Scalar};

use super::read::{
    ADDRESSES_KEYS, CACHE_KEYS, DEPLOYMENT_KEYS, DOMAIN_KEYS, GATEWAY_KEYS, LIFETIMES_KEYS, MIRROR_KEYS, TENANTS_KEYS,
    UPSTREAMS_KEYS,
};
use super::schema::MirrorFile;
use super::*;

/// All keys that there are.
const FULL: &str = "schema: 1
domains:
  - {id: primary, host: mirror.example.org, display_name: Primary mirror, require_authentication: true, downloads_per_hour: 600}
  - {id: open-data, host: open.example.org, display_name: Open data, require_authentication: false, downloads_per_hour: 700}
index_requests_per_hour: 600
addresses: {requests_per_minute: 60, burst: 10, connections: 8}
tenants: {burst: 5}
replicas: 2
lifetimes: {index: 1m, bundle: 3m, export: 2d, stale: 90s, verified: 20s}
cache: {size: 20g, memory: 10m, lock: 5m}
gateway: {tls: /tls, cache: /cache, run: /run/x, access_log: /log, https_port: 443, inside_port: 80, ipv6: true, inside: [10.0.0.0/8, \"::1\"]}
deployments:
  one:
    gateway: one/conf
    environment: one/env
    upstreams: {concelier: \"concelier:8080\", excititor: \"[fd00::1]:8081\"}
    resolver: \"127.0.0.1:53\"
    proxies: [192.168.0.0/16]
";

/// No more than what must be there.
const SHORT: &str = "schema: 1
domains:
  - {id: a, host: a.example, display_name: A, require_authentication: true, downloads_per_hour: 120}
index_requests_per_hour: 60
deployments:
  one: {gateway: conf, environment: env, upstreams: {concelier: \"c:1\", excititor: \"e:2\"}}
";

#[test]
fn what_is_absent_has_a_default() {
    let mirror = Mirror::parse(SHORT, FileId(0)).unwrap();
    assert_eq!(mirror.replicas.get(), 1);
    assert_eq!((mirror.addresses.requests_per_minute.get(), mirror.addresses.burst.value), (600, 100));
    assert_eq!(mirror.kept(), Seconds(86_400));
    assert_eq!(mirror.gateway.https_port.value, 8443);
    assert_eq!(mirror.domain("a").unwrap().htpasswd(), "mirror-a.htpasswd");
    assert!(mirror.domain("b").is_none());
}

#[test]
fn a_rate_is_the_budget_rounded_up_and_divided() {
    let full = Mirror::parse(FULL, FileId(0)).unwrap();
    let short = Mirror::parse(SHORT, FileId(0)).unwrap();
    for (per_hour, alone, of_two) in
        [(1, 1, 1), (60, 1, 1), (61, 2, 1), (120, 2, 1), (600, 10, 5), (601, 11, 6), (1_000_000, 16_667, 8_334)]
    {
        let budget = NonZeroU32::new(per_hour).unwrap();
        assert_eq!((short.per_minute(budget), full.per_minute(budget)), (alone, of_two), "{per_hour}");
    }
}

#[test]
fn numbers_are_written_as_nginx_reads_them() {
    for (seconds, shown) in [(1, "1s"), (60, "1m"), (90, "90s"), (3600, "1h"), (86_400, "1d"), (129_600, "36h")] {
        assert_eq!(Seconds(seconds).to_string(), shown);
    }
    for (bytes, shown) in [(1 << 10, "1k"), (20 << 20, "20m"), (10 << 30, "10g"), (1536, "1536"), (1 << 40, "1024g")] {
        assert_eq!(Size(bytes).to_string(), shown);
    }
}

fn properties(schema: &Value, definition: &str) -> BTreeSet<String> {
    let object = if definition.is_empty() { schema } else { &schema["$defs"][definition] };
    assert_eq!(object["additionalProperties"], false, "{definition}");
    object["properties"].as_object().unwrap_or_else(|| panic!("{definition}: {schema:#}")).keys().cloned().collect()
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let schema: Value = serde_json::from_str(&crate::mirror_schema()).unwrap();
    for (definition, keys) in [
        ("", MIRROR_KEYS),
        ("DomainEntry", DOMAIN_KEYS),
        ("AddressesEntry", ADDRESSES_KEYS),
        ("TenantsEntry", TENANTS_KEYS),
        ("LifetimesEntry", LIFETIMES_KEYS),
        ("CacheEntry", CACHE_KEYS),
        ("GatewayEntry", GATEWAY_KEYS),
        ("DeploymentEntry", DEPLOYMENT_KEYS),
        ("UpstreamsEntry", UPSTREAMS_KEYS),
    ] {
        let keys: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(properties(&schema, definition), keys, "{definition}");
    }
}

fn json(node: NodeRef<'_>) -> Value {
    let node = node.target();
    match node.kind() {
        Kind::Sequence => Value::Array(node.items().map(json).collect()),
        Kind::Mapping => {
            let entries = node.entries().map(|(key, value)| (key.raw().to_owned(), json(value)));
            Value::Object(entries.collect::<Map<String, Value>>())
        }
        _ => match node.value() {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => value.into(),
            Scalar::Float(value) => value.into(),
            _ => Value::String(node.raw().to_owned()),
        },
    }
}

#[test]
fn the_reader_and_the_types_agree() {
    let typed = |text: &str| {
        let documents = yamlspan::parse(text, FileId(0), Dialect::GoYamlV4).unwrap();
        serde_json::from_value::<MirrorFile>(json(documents.first().unwrap().root())).is_ok()
    };
    for text in [FULL, SHORT] {
        Mirror::parse(text, FileId(0)).unwrap();
        assert!(typed(text));
    }
    for (from, to) in [
        ("domains:", "domain:"),
        ("replicas: 2", "replicas: two"),
        ("id: primary", "name: primary"),
        ("require_authentication: true", "require_authentication: maybe"),
        ("index_requests_per_hour: 600", ""),
        ("burst: 5", "bursts: 5"),
        ("index: 1m", "index: [1m]"),
        ("proxies: [192.168.0.0/16]", "proxies: 192.168.0.0/16"),
        ("    environment: one/env\n", ""),
    ] {
        let text = FULL.replacen(from, to, 1);
        assert_ne!(text, FULL, "{from}");
        assert!(Mirror::parse(&text, FileId(0)).is_err() && !typed(&text), "{to}");
    }
}

#[test]
fn nothing_that_could_end_a_directive_gets_through() {
    for bad in [";", "{", "}", "\\\"", "'", "$", " x", "\\n", "#", "%", "*"] {
        for place in [
            "id: primary",
            "host: mirror.example.org",
            "display_name: Primary mirror",
            "tls: /tls",
            "cache: /cache",
            "run: /run/x",
            "access_log: /log",
        ] {
            // A blank is part of a name of a domain, and of nothing else.
            if place.starts_with("display") && bad == " x" {
                continue;
            }
            let (key, value) = place.split_once(": ").unwrap();
            let text = FULL.replacen(place, &format!("{key}: \"{value}{bad}x\""), 1);
            assert_ne!(text, FULL);
            assert!(Mirror::parse(&text, FileId(0)).is_err(), "{key} with {bad}");
        }
        for (from, to) in [
            ("concelier:8080", format!("concelier{bad}:8080")),
            ("127.0.0.1:53", format!("127.0.0.1{bad}:53")),
            ("10.0.0.0/8", format!("\"10.0.0.0{bad}/8\"")),
            ("192.168.0.0/16", format!("\"192.168.0.0{bad}/16\"")),
        ] {
            assert!(Mirror::parse(&FULL.replacen(from, &to, 1), FileId(0)).is_err(), "{to}");
        }
    }
}

#[test]
fn damaged_files_do_not_panic() {
    for cut in (0..FULL.len()).filter(|cut| FULL.is_char_boundary(*cut)) {
        let _ = Mirror::parse(&FULL[..cut], FileId(0));
    }
    for text in
        ["", "[]", "schema: 1", "schema: 1\ndomains: []\nindex_requests_per_hour: 1\ndeployments: {}\n", "a: &a [*a]"]
    {
        assert!(Mirror::parse(text, FileId(0)).is_err(), "{text}");
    }
}

#[test]
fn numbers_have_a_range_each() {
    for (written, most, above) in [
        ("downloads_per_hour: 600", "1000000", "1000001"),
        ("index_requests_per_hour: 600", "1000000", "1000001"),
        ("requests_per_minute: 60", "1000000", "1000001"),
        ("burst: 10", "100000", "100001"),
        ("burst: 5", "100000", "100001"),
        ("connections: 8", "65535", "65536"),
        ("replicas: 2", "100", "101"),
        ("index: 1m", "31d", "2678401s"),
        ("export: 2d", "31d", "32d"),
        ("verified: 20s", "600s", "601s"),
        ("size: 20g", "16384g", "16385g"),
    ] {
        let (key, _) = written.split_once(": ").unwrap();
        let with = |value: &str| {
            let text = FULL.replacen(written, &format!("{key}: {value}"), 1);
            assert_ne!(text, FULL, "{written}");
            super::read::read(&text, FileId(0)).1
        };
        assert_eq!(with(most), [], "{written}");
        let problems = with(above);
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(problem.message.contains(key), "{}", problem.message);
    }
}
