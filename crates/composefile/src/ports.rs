//! The short form of a port: `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]`, each side a number or a range.

use std::net::IpAddr;
use std::ops::Range;

use source::{Span, Text};

use crate::{Map, Node};

/// One target port of a short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    host_ip: String,
    target: u32,
    published: String,
    protocol: String,
}

/// Parses a short form to one port per target, in the order that Compose gives them (as text: 10, 11, 9).
pub(crate) fn parse(spec: &str) -> Result<Vec<Port>, String> {
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
            Port { host_ip: ip.clone(), target: first + offset, published, protocol: protocol.clone() }
        })
        .collect();
    ports.sort_by_cached_key(|port| format!("{}/{}", port.target, port.protocol));
    Ok(ports)
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

impl Port {
    /// The long form; `spec` is the text that it was written as.
    pub(crate) fn into_node(self, spec: &Text, span: Option<Span>) -> Node {
        // Each part keeps its own origin: that of `${PORT}` is not that of `${BIND_ADDRESS}` beside it.
        let target_at = spec.rfind(':').unwrap_or(0);
        let published_at = spec[..target_at].rfind(':').map_or(0, |colon| colon + 1);
        let part = |value: String, range: Range<usize>| {
            let written = spec.slice(range);
            let text = if *written == value { written } else { Text::derived_from(value, [&written]) };
            Node::at(text, span)
        };
        let mut map = Map::new();
        map.set("mode", Node::at("ingress", span));
        if !self.host_ip.is_empty() {
            map.set("host_ip", part(self.host_ip, 0..published_at.saturating_sub(1)));
        }
        if self.target != 0 {
            map.set("target", Node::at(i64::from(self.target), span));
        }
        if !self.published.is_empty() {
            map.set("published", part(self.published, published_at..target_at));
        }
        map.set("protocol", part(self.protocol, target_at..spec.len()));
        Node::at(map, span)
    }
}
