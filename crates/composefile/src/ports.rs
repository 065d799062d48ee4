//! The short form of a port: `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]`, each side a number or a range.

use std::net::IpAddr;
use std::ops::Range;

use source::{Span, Text};

use crate::{Map, Node};

/// What a short form stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    host_ip: String,
    protocol: String,
    /// One port per target, in the order that Compose gives them (as text: 10, 11, 9).
    ports: Vec<Port>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Port {
    target: u32,
    published: String,
}

/// Parses a short form.
pub(crate) fn parse(spec: &str) -> Result<Ports, String> {
    let parts: Vec<&str> = spec.split(':').collect();
    let (ip, published, target) = match parts.as_slice() {
        [target] => (String::new(), "", *target),
        [published, target] => (String::new(), *published, *target),
        [ip @ .., published, target] => (ip.join(":"), *published, *target),
        [] => (String::new(), "", ""),
    };
    let (target, protocol) = match target.split_once('/') {
        Some((port, protocol)) => (port, protocol),
        None => (target, ""),
    };
    if target.is_empty() {
        return Err(format!("no port specified: {spec}<empty>"));
    }
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_lowercase() };
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let ip = host_ip(ip)?;
    let (first, last) = range(target).ok_or_else(|| format!("invalid containerPort: {target}"))?;
    let mut host = None;
    if !published.is_empty() {
        let (host_first, host_last) = range(published).ok_or_else(|| format!("invalid hostPort: {published}"))?;
        if last - first != host_last - host_first && last != first {
            return Err(format!("invalid ranges specified for container and host Ports: {target} and {published}"));
        }
        host = Some((host_first, host_last));
    }
    let count = last - first + 1;
    let mut ports: Vec<Port> = (0..count)
        .map(|offset| {
            let published = match host {
                None => String::new(),
                Some((host_first, host_last)) if count == 1 && host_first != host_last => {
                    format!("{host_first}-{host_last}")
                }
                Some((host_first, _)) => (host_first + offset).to_string(),
            };
            Port { target: first + offset, published }
        })
        .collect();
    ports.sort_by_cached_key(|port| port.target.to_string());
    Ok(Ports { host_ip: ip, protocol, ports })
}

fn host_ip(ip: String) -> Result<String, String> {
    if ip.is_empty() {
        return Ok(ip);
    }
    let bare = match ip.strip_prefix('[') {
        Some(inside) => match inside.strip_suffix(']') {
            Some(bare) => bare.to_owned(),
            None => return Err(format!("invalid IP address {ip}: address {ip}:: missing ']' in address")),
        },
        None => ip,
    };
    if bare.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address: {bare}"));
    }
    Ok(bare)
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = match text.split_once('-') {
        Some((first, last)) if first != last => (first, last),
        Some((first, _)) => (first, first),
        None => (text, text),
    };
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().filter(|port| *port <= 65_535)
}

impl Ports {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ports.len()
    }

    /// The long form of each; `spec` is the text that they were written as. It may be all ports there are: what is the same of each is made once.
    pub(crate) fn into_nodes(self, spec: &Text, span: Option<Span>) -> impl Iterator<Item = Node> {
        // Each part keeps its own origin: that of `${PORT}` is not that of `${BIND_ADDRESS}` beside it.
        let target_at = spec.rfind(':').unwrap_or(0);
        let published_at = spec[..target_at].rfind(':').map_or(0, |colon| colon + 1);
        let part = move |value: String, range: Range<usize>| {
            let written = spec.slice(range);
            let text = if *written == value { written } else { Text::derived_from(value, [&written]) };
            Node::at(text, span)
        };
        let host_ip = (!self.host_ip.is_empty()).then(|| part(self.host_ip, 0..published_at.saturating_sub(1)));
        let protocol = part(self.protocol, target_at..spec.len());
        let mode = Node::at("ingress", span);
        let keys = ["mode", "host_ip", "target", "published", "protocol"].map(Text::new);
        self.ports.into_iter().map(move |Port { target, published }| {
            let target = (target != 0).then(|| Node::at(i64::from(target), span));
            let published = (!published.is_empty()).then(|| part(published, published_at..target_at));
            let values = [Some(mode.clone()), host_ip.clone(), target, published, Some(protocol.clone())];
            let mut map = Map::with_capacity(values.len());
            for (key, value) in keys.iter().zip(values) {
                if let Some(value) = value {
                    map.set(key.clone(), value);
                }
            }
            Node::at(map, span)
        })
    }
}
