//! Host names in rendered texts, and which of them are local.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use release::Spanned;

/// A host name in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) host: &'a str,
    pub(crate) range: Range<usize>,
}

/// Endings of file names that look like host names: `config.yaml`, `app.dll`.
const FILE_ENDINGS: [&str; 34] = [
    "bin",
    "cfg",
    "conf",
    "config",
    "cpp",
    "crt",
    "csr",
    "css",
    "csv",
    "db",
    "dll",
    "env",
    "exe",
    "gz",
    "htm",
    "html",
    "ini",
    "jar",
    "js",
    "json",
    "key",
    "lock",
    "log",
    "pem",
    "pid",
    "properties",
    "sock",
    "sql",
    "tar",
    "tmp",
    "toml",
    "txt",
    "xml",
    "yaml",
];

/// Last words of keys whose value is a host.
const HOST_WORDS: [&str; 14] = [
    "host",
    "hosts",
    "hostname",
    "endpoint",
    "endpoints",
    "server",
    "servers",
    "url",
    "uri",
    "address",
    "addr",
    "domain",
    "issuer",
    "authority",
];

/// Whether a key says that its value is a host: a bare `stella.events` may as well be the name of a stream.
pub(crate) fn names_host(key: &str) -> bool {
    let last = key.rsplit(['_', '-', '.']).next().unwrap_or(key).to_ascii_lowercase();
    HOST_WORDS.iter().any(|word| last.ends_with(word))
}

/// The hosts of URLs in a text; and the text itself where all of it is `host:port`, or a host name under a key that names
/// hosts (`bare`, asked where it decides).
pub(crate) fn hosts_in(text: &str, bare: impl FnOnce() -> bool) -> Vec<Found<'_>> {
    let mut out = Vec::new();
    for at in schemes(text) {
        let scheme = text[..at].chars().next_back();
        if !scheme.is_some_and(|last| last.is_ascii_alphanumeric()) {
            continue;
        }
        let start = at + "://".len();
        let end = text[start..]
            .find(|character: char| {
                matches!(character, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`' | '\\' | ')' | '}')
                    || character.is_whitespace()
            })
            .map_or(text.len(), |end| start + end);
        let start = text[start..end].rfind('@').map_or(start, |sign| start + sign + 1);
        // A list of hosts: `mongodb://a:1,b:2`.
        let mut from = start;
        for part in text[start..end].split(',') {
            let host = host_part(part);
            if looks_like_host(host) || host.parse::<IpAddr>().is_ok() {
                out.push(Found { host, range: from + offset(part, host)..from + offset(part, host) + host.len() });
            }
            from += part.len() + 1;
        }
    }
    if out.is_empty() {
        let host = host_part(text);
        let rest = &text[offset(text, host) + host.len()..];
        let only_port = rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        let is_file = || host.rsplit('.').next().is_some_and(|ending| FILE_ENDINGS.contains(&ending));
        if only_port && looks_like_host(host) && (!rest.is_empty() || (!is_file() && bare())) {
            let start = offset(text, host);
            out.push(Found { host, range: start..start + host.len() });
        }
    }
    out
}

/// Where `://` stands in a text. A search for the word would be prepared for each of thousands of texts, which takes longer than the search.
pub(crate) fn schemes(text: &str) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b':', text.as_bytes()).filter(|at| text[*at..].starts_with("://"))
}

fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// `host:port` without the port; `[::1]:5` without brackets and port.
fn host_part(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    text.split(':').next().unwrap_or(text)
}

/// A name of several labels whose last one has letters only: `mirror.example.org`. A single label is a service of the
/// stack, and `1.2.3` a version.
fn looks_like_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, top)) = name.rsplit_once('.') else { return false };
    top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && name.split('.').all(label)
        // `scanner.report.ready` and `System.Text` are names of other things; a host is written in lower case.
        && !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether a host is within the site: loopback, a private address, or a name that the profile lists by suffix.
pub(crate) fn is_local(host: &str, suffixes: &[Spanned<String>]) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(address) => {
                address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
            }
            IpAddr::V6(address) => is_local_v6(address),
        };
    }
    if !host.contains('.') || host.ends_with(".localhost") {
        return true;
    }
    suffixes.iter().any(|suffix| {
        let bare = suffix.value.trim_start_matches('.');
        let whole = host == bare;
        let below = host.strip_suffix(bare).is_some_and(|before| before.ends_with('.'));
        // A service of a cluster may be written with the cluster's domain.
        let cluster = bare == "svc" && host.ends_with(".svc.cluster.local");
        whole || below || cluster
    })
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use source::{FileId, Span};

    #[test]
    fn hosts_are_found() {
        for (text, expected) in [
            ("https://api.example.org/v1?x", vec!["api.example.org"]),
            ("redis://u:p@redis.example.org:6379/0", vec!["redis.example.org"]),
            ("mongodb://a.example.org:1,b.example.org:2/db", vec!["a.example.org", "b.example.org"]),
            ("http://authority:8080", vec![]),
            ("smtp.example.org:587", vec!["smtp.example.org"]),
            ("smtp.example.org", vec![]),
            ("1.2.3", vec![]),
            ("2025.09.2-airgap", vec![]),
            ("appsettings.json", vec![]),
            ("stella.events", vec![]),
            ("curl http://1.1.1.1/ http://x.example.com", vec!["1.1.1.1", "x.example.com"]),
            ("see (https://docs.example.com)", vec!["docs.example.com"]),
            ("://x.example.org", vec![]),
            ("wget -q http://127.0.0.1:8080/healthz", vec!["127.0.0.1"]),
        ] {
            let found = hosts_in(text, || false);
            for found in &found {
                assert_eq!(&text[found.range.clone()], found.host);
            }
            let found: Vec<&str> = found.into_iter().map(|found| found.host).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(hosts_in("smtp.example.org", || true), [Found { host: "smtp.example.org", range: 0..16 }]);
        assert_eq!(hosts_in("appsettings.json", || true), []);
        assert!(
            names_host("STELLAOPS__SMTP__HOST") && names_host("jwksUrl") && !names_host("STELLAOPS__EVENTS__STREAM")
        );
    }

    #[test]
    fn local_is_what_the_profile_says() {
        let suffixes: Vec<Spanned<String>> = [".internal", ".svc", "mirror.example.org"]
            .map(|suffix| Spanned::new(suffix.to_owned(), Span::new(FileId(0), 0..0)))
            .into();
        for (host, expected) in [
            ("a.internal", true),
            ("a.b.svc", true),
            ("a.b.svc.cluster.local", true),
            ("mirror.example.org", true),
            ("x.mirror.example.org", true),
            ("xmirror.example.org", false),
            ("example.org", false),
            ("10.1.2.3", true),
            ("8.8.8.8", false),
            ("::1", true),
            ("redis", true),
        ] {
            assert_eq!(is_local(host, &suffixes), expected, "{host}");
        }
    }
}
