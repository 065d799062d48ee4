//! The gateway's configuration: nginx texts that a person can read, filled in from [`Mirror`].
//!
//! The texts are files in `gateway/`, with `{{name}}` where a setting stands. They hold for nginx 1.22 and later. All of them lie in one
//! folder without folders in it, as a ConfigMap has none.
//!
//! Threats, and what answers them: a setting that would end a directive or begin another one is refused when `mirror.yaml` is read;
//! what a request may contain and what happens to it is told in the texts themselves.

use std::fmt::Write as _;

use crate::config::{Deployment, Domain, Mirror, Seconds};

/// What stays with the content in a client's own cache: it asks again.
const CHANGES: &str = "private, no-cache";

/// The keys of Excititor's exports: at least those that [`is_export_key`](crate::exports::is_export_key) takes, or a listed one could not
/// be read.
pub(crate) const EXPORT_KEY: &str = "[A-Za-z0-9][A-Za-z0-9._~+:@-]*";

/// A path of a domain, or several.
struct Location {
    /// As `location` takes it: `= /path`, or `~ ^/pattern$`.
    path: String,
    /// `concelier` or `excititor`.
    source: &'static str,
    /// Whose budget a request counts for.
    budget: Budget,
    lifetime: Seconds,
    /// Whether what is there never changes.
    immutable: bool,
}

#[derive(Clone, Copy)]
enum Budget {
    Index,
    Downloads,
}

/// The files of a gateway's folder, by name.
pub(crate) fn files(mirror: &Mirror, deployment: &Deployment) -> Vec<(String, String)> {
    let mut files = vec![
        ("nginx.conf", nginx(mirror)),
        ("log.conf", log(mirror)),
        ("tls.conf", include_str!("gateway/tls.conf").to_owned()),
        ("limits.conf", limits(mirror)),
        ("refuse.conf", include_str!("gateway/refuse.conf").to_owned()),
        ("verify.conf", verify(mirror)),
        ("cache.conf", cache(mirror)),
        ("upstreams.conf", upstreams(mirror, deployment)),
        ("sources.conf", include_str!("gateway/sources.conf").to_owned()),
        ("answers.conf", include_str!("gateway/answers.conf").to_owned()),
        ("content.conf", include_str!("gateway/content.conf").to_owned()),
        ("fetch.conf", include_str!("gateway/fetch.conf").to_owned()),
        ("headers-content.conf", include_str!("gateway/headers-content.conf").to_owned()),
        ("headers-refused.conf", include_str!("gateway/headers-refused.conf").to_owned()),
        ("unknown.conf", unknown(mirror, deployment)),
        ("inside.conf", inside(mirror)),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect::<Vec<_>>();
    files.extend(
        mirror.domains.iter().map(|one| (format!("domain-{}.conf", one.id.value), domain(mirror, deployment, one))),
    );
    files
}

fn nginx(mirror: &Mirror) -> String {
    let domains = lines(mirror, |domain| format!("    include domain-{}.conf;", domain.id.value));
    fill(include_str!("gateway/nginx.conf"), &[("run", &mirror.gateway.run.value), ("domains", &domains)])
}

fn log(mirror: &Mirror) -> String {
    let hosts = lines(mirror, |domain| format!("    {} {};", domain.host.value, domain.id.value));
    let access_log = &mirror.gateway.access_log.value;
    fill(include_str!("gateway/log.conf"), &[("hosts", &hosts), ("access_log", access_log)])
}

fn limits(mirror: &Mirror) -> String {
    let zones = lines(mirror, |domain| {
        let id = &domain.id.value;
        let key = if domain.require_authentication.value { "$credential" } else { "$binary_remote_addr" };
        let (index, downloads) = (rate(mirror, domain, Budget::Index), rate(mirror, domain, Budget::Downloads));
        let budgets = format!(
            "# `{id}`: {} requests an hour for the index and {} for the rest{}.",
            mirror.index_requests_per_hour.value,
            domain.downloads_per_hour.value,
            match mirror.replicas.value.get() {
                1 => String::new(),
                replicas => format!(", divided by {replicas} gateways"),
            }
        );
        format!(
            "{budgets}\nlimit_req_zone {key} zone=index_{id}:10m rate={index}r/m;\n\
             limit_req_zone {key} zone=downloads_{id}:10m rate={downloads}r/m;"
        )
    });
    let addresses = &mirror.addresses;
    fill(
        include_str!("gateway/limits.conf"),
        &[
            ("zones", &zones),
            ("connections", &addresses.connections.value),
            ("address_rate", &addresses.requests_per_minute.value),
        ],
    )
}

fn verify(mirror: &Mirror) -> String {
    let challenges = lines(mirror, |domain| {
        let (host, name) = (&domain.host.value, &domain.display_name.value);
        format!("    {host} 'Basic realm=\"{name}\", charset=\"UTF-8\"';")
    });
    fill(
        include_str!("gateway/verify.conf"),
        &[
            ("verified", &mirror.lifetimes.verified.value),
            ("run", &mirror.gateway.run.value),
            ("challenges", &challenges),
        ],
    )
}

fn cache(mirror: &Mirror) -> String {
    fill(
        include_str!("gateway/cache.conf"),
        &[
            ("cache", &mirror.gateway.cache.value),
            ("memory", &mirror.cache.memory.value),
            ("size", &mirror.cache.size.value),
            ("kept", &mirror.kept()),
            ("lock", &mirror.cache.lock.value),
        ],
    )
}

fn upstreams(mirror: &Mirror, deployment: &Deployment) -> String {
    let nowhere = fill(include_str!("gateway/upstreams-nowhere.conf"), &[("run", &mirror.gateway.run.value)]);
    let (concelier, excititor) = (&deployment.concelier.value, &deployment.excititor.value);
    let hosts = |template: &str, resolver: &str| {
        fill(
            template,
            &[
                ("concelier", concelier),
                ("excititor", excititor),
                ("resolver", &resolver),
                ("nowhere", &nowhere.trim()),
            ],
        )
    };
    match &deployment.resolver {
        Some(resolver) => {
            // An IPv6 address alone stands in brackets, as one with a port does.
            let bare = resolver.value.parse::<std::net::Ipv6Addr>().is_ok();
            let resolver = if bare { format!("[{}]", resolver.value) } else { resolver.value.clone() };
            hosts(include_str!("gateway/upstreams-resolved.conf"), &resolver)
        }
        None => hosts(include_str!("gateway/upstreams-fixed.conf"), ""),
    }
}

fn domain(mirror: &Mirror, deployment: &Deployment, domain: &Domain) -> String {
    let id = &domain.id.value;
    let authentication = match domain.require_authentication.value {
        true => fill(include_str!("gateway/authentication.conf"), &[("id", id)]),
        false => "\n    # Nobody is asked for a name here: `require_authentication: false`.\n".to_owned(),
    };
    let located = |source: &str| -> String {
        let all = locations(mirror, domain);
        all.iter().filter(|one| one.source == source).map(|one| location(mirror, domain, one)).collect()
    };
    fill(
        include_str!("gateway/domain.conf"),
        &[
            ("display_name", &domain.display_name.value),
            ("id", id),
            ("host", &domain.host.value),
            ("tls", &mirror.gateway.tls.value),
            ("listen", &listen(mirror, deployment, "")),
            ("real_address", &real_address(deployment)),
            ("authentication", &authentication.trim_end()),
            ("concelier", &located("concelier").trim_end()),
            ("excititor", &located("excititor").trim_end()),
        ],
    )
}

fn locations(mirror: &Mirror, domain: &Domain) -> Vec<Location> {
    let id = &domain.id.value;
    let lifetimes = &mirror.lifetimes;
    let of = |path: String, source, budget, lifetime| Location { path, source, budget, lifetime, immutable: false };
    let (index, bundle) = (lifetimes.index.value, lifetimes.bundle.value);
    let export = format!("/concelier/exports/mirror/{id}");
    let vex = format!("/excititor/mirror/domains/{id}");
    vec![
        of("= /concelier/exports/index.json".to_owned(), "concelier", Budget::Index, index),
        of(format!("= {export}/manifest.json"), "concelier", Budget::Downloads, index),
        of(format!("= {export}/bundle.json"), "concelier", Budget::Downloads, bundle),
        of(format!("= {export}/bundle.json.jws"), "concelier", Budget::Downloads, bundle),
        of("= /excititor/mirror/domains".to_owned(), "excititor", Budget::Index, index),
        of(format!("= {vex}"), "excititor", Budget::Index, index),
        of(format!("= {vex}/index"), "excititor", Budget::Index, index),
        Location {
            path: format!("~ ^{vex}/exports/{EXPORT_KEY}$"),
            source: "excititor",
            budget: Budget::Downloads,
            lifetime: lifetimes.export.value,
            immutable: true,
        },
    ]
}

fn location(mirror: &Mirror, domain: &Domain, location: &Location) -> String {
    let id = &domain.id.value;
    let zone = match location.budget {
        Budget::Index => format!("index_{id}"),
        Budget::Downloads => format!("downloads_{id}"),
    };
    let wait = wait(rate(mirror, domain, location.budget));
    // Where nobody says who they are, the budget is that of an address.
    let address_wait = if domain.require_authentication.value {
        self::wait(mirror.addresses.requests_per_minute.value.get())
    } else {
        wait
    };
    let freshness = match location.immutable {
        true => format!("private, max-age={}, immutable", location.lifetime.0),
        false => CHANGES.to_owned(),
    };
    let extra = if location.immutable { "        proxy_cache_background_update on;\n" } else { "" };
    fill(
        include_str!("gateway/location.conf"),
        &[
            ("match", &location.path),
            ("address_burst", &mirror.addresses.burst.value),
            ("zone", &zone),
            ("burst", &mirror.tenant_burst.value),
            ("address_wait", &address_wait),
            ("wait", &wait),
            ("freshness", &freshness),
            ("lifetime", &location.lifetime),
            ("extra", &extra),
            ("source", &location.source),
        ],
    )
}

fn unknown(mirror: &Mirror, deployment: &Deployment) -> String {
    fill(
        include_str!("gateway/unknown.conf"),
        &[("listen", &listen(mirror, deployment, " default_server")), ("real_address", &real_address(deployment))],
    )
}

fn inside(mirror: &Mirror) -> String {
    let gateway = &mirror.gateway;
    let mut networks = String::new();
    for network in &gateway.inside {
        // Writing to a string does not fail.
        let _ = writeln!(networks, "    allow {};", network.value);
    }
    let listen = both(gateway.ipv6.value, gateway.inside_port.value, "");
    fill(include_str!("gateway/inside.conf"), &[("listen", &listen), ("inside", &networks)])
}

/// Requests per minute and tenant.
fn rate(mirror: &Mirror, domain: &Domain, budget: Budget) -> u32 {
    mirror.per_minute(match budget {
        Budget::Index => mirror.index_requests_per_hour.value,
        Budget::Downloads => domain.downloads_per_hour.value,
    })
}

/// Seconds until there is room for another request.
fn wait(per_minute: u32) -> u32 {
    60_u32.div_ceil(per_minute)
}

fn listen(mirror: &Mirror, deployment: &Deployment, more: &str) -> String {
    let proxied = if deployment.proxies.is_empty() { "" } else { " proxy_protocol" };
    both(mirror.gateway.ipv6.value, mirror.gateway.https_port.value, &format!(" ssl{more}{proxied}"))
}

fn both(ipv6: bool, port: u16, options: &str) -> String {
    let mut out = format!("    listen {port}{options};\n");
    if ipv6 {
        // Writing to a string does not fail.
        let _ = writeln!(out, "    listen [::]:{port}{options};");
    }
    out
}

/// For whom a load balancer asks.
fn real_address(deployment: &Deployment) -> String {
    if deployment.proxies.is_empty() {
        return String::new();
    }
    let mut out = String::from("    # Who asks is said by the load balancers in front, and believed of these only.\n");
    for network in &deployment.proxies {
        // Writing to a string does not fail.
        let _ = writeln!(out, "    set_real_ip_from {};", network.value);
    }
    out.push_str("    real_ip_header proxy_protocol;\n");
    out
}

/// A line for each domain.
fn lines(mirror: &Mirror, line: impl Fn(&Domain) -> String) -> String {
    mirror.domains.iter().map(|domain| line(domain) + "\n").collect()
}

/// Puts values where the text has `{{name}}`.
fn fill(template: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        filled.push_str(before);
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(&value.to_string()),
            None => filled.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests;
