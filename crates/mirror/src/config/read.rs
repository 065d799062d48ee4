//! From the YAML tree to a [`Mirror`].

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use camino::{Utf8Path, Utf8PathBuf};
use source::FileId;
use yamlspan::NodeRef;
use yamlspan::strict::{Fields, Named, Problem, Reader, Spanned};

use super::{Addresses, Cache, Deployment, Domain, Gateway, HOUR, Lifetimes, Mirror, Seconds, Size};

pub(crate) const MIRROR_KEYS: &[&str] = &[
    "schema",
    "domains",
    "index_requests_per_hour",
    "addresses",
    "tenants",
    "replicas",
    "lifetimes",
    "cache",
    "gateway",
    "deployments",
];
pub(crate) const DOMAIN_KEYS: &[&str] = &["id", "host", "display_name", "require_authentication", "downloads_per_hour"];
pub(crate) const ADDRESSES_KEYS: &[&str] = &["requests_per_minute", "burst", "connections"];
pub(crate) const TENANTS_KEYS: &[&str] = &["burst"];
pub(crate) const LIFETIMES_KEYS: &[&str] = &["index", "bundle", "export", "stale", "verified"];
pub(crate) const CACHE_KEYS: &[&str] = &["size", "memory", "lock"];
pub(crate) const GATEWAY_KEYS: &[&str] =
    &["tls", "cache", "run", "access_log", "https_port", "inside_port", "ipv6", "inside"];
pub(crate) const DEPLOYMENT_KEYS: &[&str] = &["gateway", "environment", "upstreams", "resolver", "proxies"];
pub(crate) const UPSTREAMS_KEYS: &[&str] = &["concelier", "excititor"];

/// Budgets: a million an hour is more than one gateway answers.
const BUDGET: RangeInclusive<u32> = 1..=1_000_000;
/// Bursts may be nothing: then only the rate counts.
const BURST: RangeInclusive<u32> = 0..=100_000;
/// Lifetimes: nginx counts in seconds; a month is longer than an export is of use.
const LIFETIME: RangeInclusive<u32> = 1..=31 * 24 * HOUR;
/// The verifier forgets soon: so long at most a tenant that was removed may still read.
const VERIFIED: RangeInclusive<u32> = 1..=600;

/// Texts that stand in the configuration as they are; none may end a directive or a word of one.
const NAME_BYTES: &[u8] = b"-._/";

pub(super) fn read(text: &str, file: FileId) -> (Option<Mirror>, Vec<Problem>) {
    let mut reader = Reader::new(&[]);
    let mirror = read_mirror(text, file, &mut reader);
    (mirror, reader.problems)
}

fn read_mirror(text: &str, file: FileId, reader: &mut Reader) -> Option<Mirror> {
    let document = reader.document(text, file)?;
    let fields = reader.fields(document.root(), "", MIRROR_KEYS)?;
    reader.schema(&fields);
    let mut domains = Vec::new();
    if let Some(node) = reader.required(&fields, "domains") {
        for (path, item) in reader.items(node, "domains") {
            domains.extend(read_domain(reader, item, &path));
        }
        if reader.problems.is_empty() && domains.is_empty() {
            let help = "add one: `{id: primary, host: …}`".to_owned();
            reader.problem(node.span(), "the mirror has no domain".to_owned(), Some(help));
        }
    }
    let index = required_budget(reader, &fields, "index_requests_per_hour");
    let mut deployments = Vec::new();
    if let Some(node) = reader.required(&fields, "deployments") {
        let entries = reader.entries(node, "deployments").unwrap_or_default();
        deployments = entries.into_iter().filter_map(|entry| read_deployment(reader, &entry)).collect();
    }
    let tenants = section(reader, &fields, "tenants", TENANTS_KEYS);
    let none = fields.title;
    Some(Mirror {
        span: fields.span,
        domains,
        index_requests_per_hour: index?,
        addresses: read_addresses(reader, &fields),
        tenant_burst: number(reader, tenants.as_ref(), "burst", BURST).unwrap_or(Spanned::new(20, none)),
        replicas: positive(reader, Some(&fields), "replicas", 1..=100).unwrap_or(Spanned::new(NonZeroU32::MIN, none)),
        lifetimes: read_lifetimes(reader, &fields),
        cache: read_cache(reader, &fields),
        gateway: read_gateway(reader, &fields),
        deployments,
    })
}

fn read_domain(reader: &mut Reader, node: NodeRef<'_>, path: &str) -> Option<Domain> {
    let fields = reader.fields(node, path, DOMAIN_KEYS)?;
    let id = reader.required_text(&fields, "id").filter(|id| {
        let rule = "use up to 40 lower-case letters, digits and `-`, such as `primary`";
        is_label(id) && id.len() <= 40 || refuse(reader, id, &fields.path_of("id"), rule)
    });
    let host = reader.required_text(&fields, "host").filter(|host| {
        let numbers = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let rule = "write one lower-case host name without scheme, port or `*`";
        !numbers && is_host(host) || refuse(reader, host, &fields.path_of("host"), rule)
    });
    let display_name = reader.required_text(&fields, "display_name").filter(|name| {
        // Env files and nginx read these as they are: nothing in them may need quotes in either.
        let plain =
            |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '.' | ',' | '_' | '(' | ')' | '/' | '+' | '&');
        let rule = "use up to 100 letters, digits, blanks and `-.,_()/+&`, with none of the blanks at an end";
        let fits = (1..=100).contains(&name.len()) && name.trim() == name.value;
        fits && name.chars().all(plain) || refuse(reader, name, &fields.path_of("display_name"), rule)
    });
    let require_authentication = reader
        .required(&fields, "require_authentication")
        .and_then(|node| reader.boolean(node, &fields.path_of("require_authentication")));
    let downloads_per_hour = required_budget(reader, &fields, "downloads_per_hour");
    Some(Domain {
        id: id?,
        host: host?,
        display_name: display_name?,
        require_authentication: require_authentication?,
        downloads_per_hour: downloads_per_hour?,
    })
}

fn read_addresses(reader: &mut Reader, fields: &Fields<'_>) -> Addresses {
    let none = fields.title;
    let section = section(reader, fields, "addresses", ADDRESSES_KEYS);
    let section = section.as_ref();
    Addresses {
        requests_per_minute: positive(reader, section, "requests_per_minute", BUDGET)
            .unwrap_or(Spanned::new(nonzero(600), none)),
        burst: number(reader, section, "burst", BURST).unwrap_or(Spanned::new(100, none)),
        connections: positive(reader, section, "connections", 1..=65_535).unwrap_or(Spanned::new(nonzero(64), none)),
    }
}

fn read_lifetimes(reader: &mut Reader, fields: &Fields<'_>) -> Lifetimes {
    let none = fields.title;
    let section = section(reader, fields, "lifetimes", LIFETIMES_KEYS);
    let section = section.as_ref();
    let mut lifetime =
        |key, range, default| seconds(reader, section, key, range).unwrap_or(Spanned::new(Seconds(default), none));
    Lifetimes {
        index: lifetime("index", LIFETIME, 60),
        bundle: lifetime("bundle", LIFETIME, 120),
        export: lifetime("export", LIFETIME, 24 * HOUR),
        stale: lifetime("stale", LIFETIME, 24 * HOUR),
        verified: lifetime("verified", VERIFIED, 30),
    }
}

fn read_cache(reader: &mut Reader, fields: &Fields<'_>) -> Cache {
    let none = fields.title;
    let section = section(reader, fields, "cache", CACHE_KEYS);
    let section = section.as_ref();
    Cache {
        // An object larger than the cache is fetched again for every request.
        size: size(reader, section, "size", 16 << 20..=16 << 40).unwrap_or(Spanned::new(Size(10 << 30), none)),
        memory: size(reader, section, "memory", 1 << 20..=1 << 30).unwrap_or(Spanned::new(Size(20 << 20), none)),
        lock: seconds(reader, section, "lock", 5..=HOUR).unwrap_or(Spanned::new(Seconds(600), none)),
    }
}

fn read_gateway(reader: &mut Reader, fields: &Fields<'_>) -> Gateway {
    let none = fields.title;
    let section = section(reader, fields, "gateway", GATEWAY_KEYS);
    let section = section.as_ref();
    let mut place = |key, default: &str| place(reader, section, key).unwrap_or(Spanned::new(default.to_owned(), none));
    let (tls, cache) = (place("tls", "/etc/mirror-gateway/tls"), place("cache", "/var/cache/mirror-gateway"));
    let (run, access_log) = (place("run", "/run/mirror-gateway"), place("access_log", "/dev/stdout"));
    let mut port = |key, default| {
        let port = number(reader, section, key, 1..=65_535);
        port.map_or(Spanned::new(default, none), |port| port.map(|port| u16::try_from(port).unwrap_or(default)))
    };
    let (https_port, inside_port) = (port("https_port", 8443), port("inside_port", 8081));
    let ipv6 = section.and_then(|section| reader.boolean(section.get("ipv6")?, "gateway.ipv6"));
    let ipv6 = ipv6.unwrap_or(Spanned::new(false, none));
    let inside = networks(reader, section, "inside").unwrap_or_else(|| {
        // Loopback and the private networks of RFC 1918 and RFC 4193.
        let private = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];
        private.map(|network| Spanned::new(network.to_owned(), none)).to_vec()
    });
    Gateway { tls, cache, run, access_log, https_port, inside_port, ipv6, inside }
}

fn read_deployment(reader: &mut Reader, entry: &Named<'_>) -> Option<Deployment> {
    let fields = reader.fields_of(entry, DEPLOYMENT_KEYS)?;
    let gateway = folder(reader, &fields, "gateway");
    let environment = folder(reader, &fields, "environment");
    let upstreams = reader.required(&fields, "upstreams");
    let upstreams = upstreams.and_then(|node| reader.fields(node, &fields.path_of("upstreams"), UPSTREAMS_KEYS));
    let mut upstream = |key| {
        let fields = upstreams.as_ref()?;
        reader.required_text(fields, key).filter(|address| {
            let rule = "write `host:port`, such as `concelier:8080`";
            is_address(address) || refuse(reader, address, &fields.path_of(key), rule)
        })
    };
    let (concelier, excititor) = (upstream("concelier"), upstream("excititor"));
    let resolver = reader.optional_text(&fields, "resolver").filter(|resolver| {
        let ip = resolver.parse::<IpAddr>().is_ok() || resolver.parse::<std::net::SocketAddr>().is_ok();
        let rule = "write the address of a name server, such as `127.0.0.11` of Docker";
        ip || refuse(reader, resolver, &fields.path_of("resolver"), rule)
    });
    let proxies = networks(reader, Some(&fields), "proxies").unwrap_or_default();
    Some(Deployment {
        name: entry.name.clone(),
        gateway: gateway?,
        environment: environment?,
        concelier: concelier?,
        excititor: excititor?,
        resolver,
        proxies,
    })
}

/// A mapping that may be absent: all in it has defaults.
fn section<'d>(
    reader: &mut Reader,
    fields: &Fields<'d>,
    key: &'static str,
    known: &'static [&'static str],
) -> Option<Fields<'d>> {
    reader.fields(fields.get(key)?, key, known)
}

fn number(
    reader: &mut Reader,
    fields: Option<&Fields<'_>>,
    key: &'static str,
    range: RangeInclusive<u32>,
) -> Option<Spanned<u32>> {
    let fields = fields?;
    reader.number(fields.get(key)?, &fields.path_of(key), range)
}

/// A number from a range without zero.
fn positive(
    reader: &mut Reader,
    fields: Option<&Fields<'_>>,
    key: &'static str,
    range: RangeInclusive<u32>,
) -> Option<Spanned<NonZeroU32>> {
    number(reader, fields, key, range).map(|number| number.map(nonzero))
}

fn required_budget(reader: &mut Reader, fields: &Fields<'_>, key: &'static str) -> Option<Spanned<NonZeroU32>> {
    reader.required(fields, key)?;
    positive(reader, Some(fields), key, BUDGET)
}

fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn seconds(
    reader: &mut Reader,
    fields: Option<&Fields<'_>>,
    key: &'static str,
    range: RangeInclusive<u32>,
) -> Option<Spanned<Seconds>> {
    let fields = fields?;
    let text = reader.optional_text(fields, key)?;
    let units = [("s", 1), ("m", 60), ("h", u64::from(HOUR)), ("d", 24 * u64::from(HOUR))];
    let value =
        measured(&text, &units).and_then(|value| u32::try_from(value).ok()).filter(|value| range.contains(value));
    if value.is_none() {
        let (least, most) = (Seconds(*range.start()), Seconds(*range.end()));
        let rule = format!("write a whole number with `s`, `m`, `h` or `d`, from `{least}` to `{most}`");
        refuse(reader, &text, &fields.path_of(key), &rule);
    }
    value.map(|value| text.map(|_| Seconds(value)))
}

fn size(
    reader: &mut Reader,
    fields: Option<&Fields<'_>>,
    key: &'static str,
    range: RangeInclusive<u64>,
) -> Option<Spanned<Size>> {
    let fields = fields?;
    let text = reader.optional_text(fields, key)?;
    let units = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];
    let value = measured(&text, &units).filter(|value| range.contains(value));
    if value.is_none() {
        let (least, most) = (Size(*range.start()), Size(*range.end()));
        let rule = format!("write a whole number with `k`, `m` or `g`, from `{least}` to `{most}`");
        refuse(reader, &text, &fields.path_of(key), &rule);
    }
    value.map(|value| text.map(|_| Size(value)))
}

/// `10m` in terms of the unit: a whole number without sign or leading zero.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let plain = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| plain)?.checked_mul(unit)
}

/// An absolute path without anything that nginx would read as more than a name.
fn place(reader: &mut Reader, fields: Option<&Fields<'_>>, key: &'static str) -> Option<Spanned<String>> {
    let fields = fields?;
    reader.optional_text(fields, key).filter(|path| {
        let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || NAME_BYTES.contains(&byte));
        let normal = source::normalize(Utf8Path::new(&path.value)) == Utf8Path::new(&path.value);
        let rule = "write an absolute path of letters, digits and `-._/`";
        path.starts_with('/') && plain && normal || refuse(reader, path, &fields.path_of(key), rule)
    })
}

fn networks(reader: &mut Reader, fields: Option<&Fields<'_>>, key: &'static str) -> Option<Vec<Spanned<String>>> {
    let fields = fields?;
    fields.get(key)?;
    let mut known = Vec::new();
    for network in reader.texts(fields, key) {
        let (address, bits) = network.split_once('/').unwrap_or((&network, ""));
        let bits = if bits.is_empty() && !network.contains('/') { Some(0) } else { bits.parse::<u8>().ok() };
        let fits = address
            .parse::<IpAddr>()
            .ok()
            .zip(bits)
            .is_some_and(|(address, bits)| bits <= if address.is_ipv4() { 32 } else { 128 });
        if fits {
            known.push(network);
        } else {
            refuse(reader, &network, &fields.path_of(key), "write addresses or networks, such as `10.0.0.0/8`");
        }
    }
    Some(known)
}

/// A folder below the workspace's root.
fn folder(reader: &mut Reader, fields: &Fields<'_>, key: &'static str) -> Option<Spanned<Utf8PathBuf>> {
    let text = reader.required_text(fields, key)?;
    let normal = source::normalize(Utf8Path::new(&text.value));
    if text.value.is_empty() || normal.is_absolute() || normal.starts_with("..") || normal == "." {
        refuse(reader, &text, &fields.path_of(key), "name a folder below that of `collimate.yaml`");
        return None;
    }
    Some(text.map(|_| normal))
}

/// Notes that a text cannot be used; `false`, so that it ends a condition.
fn refuse(reader: &mut Reader, text: &Spanned<String>, path: &str, rule: &str) -> bool {
    reader.problem(text.span, format!("`{path}` cannot be `{}`", text.value), Some(rule.to_owned()));
    false
}

/// Lower-case letters, digits and `-`, with a letter or digit at both ends.
fn is_label(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_host(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// `host:port`, `10.0.0.1:port` or `[::1]:port`.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let known = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host),
    };
    known && !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok()
}
