//! URLs as Go's `net/url` cuts and joins them.

use std::net::Ipv6Addr;

use super::go::quote;

/// What part of a URL is escaped or unescaped: each has its own characters that stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    UserPassword,
    Fragment,
}

/// A cut-up URL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) opaque: Vec<u8>,
    pub(crate) user: Option<User>,
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    raw_path: Vec<u8>,
    force_query: bool,
    pub(crate) query: Vec<u8>,
    pub(crate) fragment: Vec<u8>,
    raw_fragment: Vec<u8>,
    omit_host: bool,
}

/// Name and password.
#[derive(Clone, Debug)]
pub(crate) struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    /// Escaped, as it stands before the `@`.
    pub(crate) fn text(&self) -> String {
        let mut text = escape(&self.name, Part::UserPassword);
        if let Some(password) = &self.password {
            text.push(':');
            text.push_str(&escape(password, Part::UserPassword));
        }
        text
    }
}

/// Whether a byte must be written as `%XX` in this part.
fn is_escaped(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::Path => b"$&+,/:;=@",
        Part::UserPassword => b"$&+,;=",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !allowed.contains(&byte)
}

fn escape(text: &[u8], part: Part) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text {
        if is_escaped(*byte, part) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push(char::from(*byte));
        }
    }
    out
}

fn hex(digits: Option<&[u8]>) -> Option<u8> {
    let digits = std::str::from_utf8(digits?).ok()?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u8::from_str_radix(digits, 16).ok() } else { None }
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let lossy = |bytes: &[u8]| quote(&String::from_utf8_lossy(bytes));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte == b'%' {
            let bad = || format!("invalid URL escape {}", lossy(&text[at..text.len().min(at + 3)]));
            let value = hex(text.get(at + 1..at + 3)).ok_or_else(bad)?;
            let percent = value == b'%';
            if part == Part::Host && value < 0x80 && !percent {
                return Err(bad());
            }
            if part == Part::Zone && !percent && value != b' ' && is_escaped(value, Part::Host) {
                return Err(bad());
            }
            out.push(value);
            at += 3;
            continue;
        }
        if matches!(part, Part::Host | Part::Zone) && *byte < 0x80 && is_escaped(*byte, part) {
            return Err(format!("invalid character {} in host name", lossy(&[*byte])));
        }
        out.push(*byte);
        at += 1;
    }
    Ok(out)
}

/// Whether an already escaped text may be kept as it is.
fn is_valid_encoded(text: &[u8], part: Part) -> bool {
    text.iter().all(|byte| b"!$&'()*+,;=:@[]%".contains(byte) || !is_escaped(*byte, part))
}

impl Url {
    /// `url.Parse`. The error is worded as in Go.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (main, fragment) = text.split_once('#').unwrap_or((text, ""));
        let fail = |text: &str, message: &str| format!("parse {}: {message}", quote(text));
        let mut url = Self::parse_main(main).map_err(|message| fail(main, &message))?;
        if !fragment.is_empty() {
            url.fragment = unescape(fragment.as_bytes(), Part::Fragment).map_err(|message| fail(text, &message))?;
            if escape(&url.fragment, Part::Fragment) != fragment {
                url.raw_fragment = fragment.as_bytes().to_vec();
            }
        }
        Ok(url)
    }

    fn parse_main(text: &str) -> Result<Self, String> {
        let mut url = Self::default();
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text == "*" {
            url.path = b"*".to_vec();
            return Ok(url);
        }
        let (scheme, mut rest) = cut_scheme(text)?;
        url.scheme = scheme.to_lowercase();
        if rest.ends_with('?') && rest.matches('?').count() == 1 {
            url.force_query = true;
            rest = &rest[..rest.len() - 1];
        } else if let Some((before, query)) = rest.split_once('?') {
            rest = before;
            url.query = query.as_bytes().to_vec();
        }
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.as_bytes().to_vec();
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if let Some(authority) = rest.strip_prefix("//")
            && (!url.scheme.is_empty() || !rest.starts_with("///"))
        {
            let end = authority.find('/').unwrap_or(authority.len());
            (url.user, url.host) = parse_authority(&url.scheme, &authority[..end])?;
            rest = &authority[end..];
        } else if !url.scheme.is_empty() && rest.starts_with('/') {
            url.omit_host = true;
        }
        url.path = unescape(rest.as_bytes(), Part::Path)?;
        if escape(&url.path, Part::Path) != rest {
            url.raw_path = rest.as_bytes().to_vec();
        }
        Ok(url)
    }

    /// The host without its port and without the brackets of an IPv6 address.
    pub(crate) fn hostname(&self) -> Vec<u8> {
        let host = &self.host[..];
        let colon = host.iter().rposition(|byte| *byte == b':');
        let host = match colon {
            Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
            _ => host,
        };
        match host {
            [b'[', inner @ .., b']'] => inner.to_vec(),
            _ => host.to_vec(),
        }
    }

    fn escaped_path(&self) -> String {
        if !self.raw_path.is_empty()
            && is_valid_encoded(&self.raw_path, Part::Path)
            && unescape(&self.raw_path, Part::Path).is_ok_and(|path| path == self.path)
        {
            return String::from_utf8_lossy(&self.raw_path).into_owned();
        }
        if self.path == b"*" { "*".to_owned() } else { escape(&self.path, Part::Path) }
    }

    /// `URL.String`.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(self.scheme.as_bytes());
            out.push(b':');
        }
        if self.opaque.is_empty() {
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if has_authority || (!self.scheme.is_empty() && !self.omit_host) {
                if has_authority || !self.path.is_empty() {
                    out.extend_from_slice(b"//");
                }
                if let Some(user) = &self.user {
                    out.extend_from_slice(user.text().as_bytes());
                    out.push(b'@');
                }
                out.extend_from_slice(escape(&self.host, Part::Host).as_bytes());
            }
            let path = self.escaped_path();
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
                out.extend_from_slice(b"./");
            }
            out.extend_from_slice(path.as_bytes());
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend_from_slice(escape(&self.fragment, Part::Fragment).as_bytes());
        }
        out
    }
}

fn cut_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn parse_authority(scheme: &str, authority: &str) -> Result<(Option<User>, Vec<u8>), String> {
    let Some((info, host)) = authority.rsplit_once('@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, host)?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !info.bytes().all(is_valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let unescaped = |text: &str| unescape(text.as_bytes(), Part::UserPassword);
    let user = match info.split_once(':') {
        None => User { name: unescaped(info)?, password: None },
        Some((name, password)) => User { name: unescaped(name)?, password: Some(unescaped(password)?) },
    };
    Ok((Some(user), host))
}

fn parse_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    let check_port = |port: &str| {
        let digits = port.strip_prefix(':').unwrap_or(port);
        if port.is_empty() || (port.starts_with(':') && digits.bytes().all(|byte| byte.is_ascii_digit())) {
            Ok(())
        } else {
            Err(format!("invalid port {} after host", quote(port)))
        }
    };
    match host.rfind('[') {
        Some(0) => {
            let close = host.rfind(']').ok_or("missing ']' in host")?;
            let port = &host[close + 1..];
            check_port(port)?;
            let name = &host[1..close];
            let unescaped = match name.find("%25") {
                Some(zone) => {
                    let mut text = unescape(&name.as_bytes()[..zone], Part::Host)?;
                    text.extend(unescape(&name.as_bytes()[zone..], Part::Zone)?);
                    text
                }
                None => unescape(name.as_bytes(), Part::Host)?,
            };
            check_address(&String::from_utf8_lossy(&unescaped))?;
            return Ok([b"[", &unescaped[..], b"]", port.as_bytes()].concat());
        }
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    if let Some(first) = host.find(':') {
        // Only for http is a second colon taken for a port's beginning; databases list several hosts.
        let strict = matches!(scheme, "http" | "https");
        let colon = if strict { first } else { host.rfind(':').unwrap_or(first) };
        check_port(&host[colon..])?;
    }
    unescape(host.as_bytes(), Part::Host)
}

/// An address in brackets must be IPv6.
fn check_address(text: &str) -> Result<(), String> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    if address.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quote(text)));
    }
    if zone == Some("") {
        return Err(format!("invalid host: ParseAddr({}): zone must be a non-empty string", quote(text)));
    }
    Ok(())
}
