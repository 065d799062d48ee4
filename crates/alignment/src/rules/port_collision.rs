//! Two services of a profile publish one port of the host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use composefile::{Node, Value};
use findings::{Finding, Severity};

use crate::compose::{items, services, string};
use crate::place::{Object, Path, Place};
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct PortCollision;

/// A published port or range.
struct Published {
    service: String,
    /// Empty: all addresses.
    address: String,
    protocol: String,
    first: u16,
    last: u16,
    path: Path,
}

impl Rule for PortCollision {
    fn id(&self) -> &'static str {
        "port-collision"
    }

    fn summary(&self) -> &'static str {
        "two services publish one port of the host"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let mut said: BTreeSet<(Path, Path)> = BTreeSet::new();
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                let Some(compose) = variant.compose() else { continue };
                let mut ports: Vec<Published> = Vec::new();
                for service in services(&compose.default) {
                    let list = service.path.key("ports");
                    for (position, port) in items(service.node.get("ports")).iter().enumerate() {
                        ports.extend(published(port, &service.title(), list.index(position)));
                    }
                }
                for (earlier, port) in collisions(&ports) {
                    if !said.insert((earlier.path.clone(), port.path.clone())) {
                        continue;
                    }
                    let number = port.first.max(earlier.first);
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            profile.value(index, Object::Compose, port.path.key("published")),
                            format!(
                                "{} and {} of profile `{}` both publish port {number}/{}",
                                earlier.service,
                                port.service,
                                profile.name(),
                                port.protocol
                            ),
                        )
                        .label(format!("published by {}", port.service))
                        .related(
                            profile.value(index, Object::Compose, earlier.path.key("published")),
                            format!("published by {}", earlier.service),
                        )
                        .help("give one of them another port of the host"),
                    );
                }
            }
        }
    }
}

/// Pairs of ports that collide, each port with the first one before it. Single ports are looked up: a project may publish
/// thousands.
fn collisions(ports: &[Published]) -> Vec<(&Published, &Published)> {
    let mut out = Vec::new();
    let mut single: BTreeMap<(&str, u16), Vec<&Published>> = BTreeMap::new();
    let mut ranges: Vec<&Published> = Vec::new();
    for port in ports {
        let protocol = port.protocol.as_str();
        let near = single.range((protocol, port.first)..=(protocol, port.last)).flat_map(|(_, ports)| ports);
        if let Some(earlier) = near.chain(&ranges).find(|earlier| collide(earlier, port)) {
            out.push((*earlier, port));
        }
        if port.first == port.last {
            single.entry((protocol, port.first)).or_default().push(port);
        } else {
            ranges.push(port);
        }
    }
    out
}

fn published(port: &Node, service: &str, path: Path) -> Option<Published> {
    let text = match &port.get("published")?.value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Int(number) => number.to_string(),
        _ => return None,
    };
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    // Port 0 is any free one.
    (0 < first && first <= last).then(|| Published {
        service: service.to_owned(),
        address: string(port, "host_ip").unwrap_or_default().to_owned(),
        protocol: string(port, "protocol").unwrap_or("tcp").to_owned(),
        first,
        last,
        path,
    })
}

fn collide(a: &Published, b: &Published) -> bool {
    // A range for one container port means any port of it: two ranges may share, a range and a port may not be told.
    let both_fixed = a.first == a.last || b.first == b.last || (a.first, a.last) == (b.first, b.last);
    a.protocol == b.protocol
        && addresses_meet(&a.address, &b.address)
        && a.first <= b.last
        && b.first <= a.last
        && both_fixed
}

/// Whether one socket could not be bound to each of two addresses. An address of the other family is another one: `0.0.0.0` and
/// `::1` live side by side.
fn addresses_meet(a: &str, b: &str) -> bool {
    let parse = |address: &str| address.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match (parse(a), parse(b)) {
        (Ok(a), Ok(b)) => {
            a == b || a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified())
        }
        // None written means all of both families.
        _ => a == b || a.is_empty() || b.is_empty(),
    }
}
