//! Which e-mail addresses and URLs `helm lint` takes for valid in `Chart.yaml`.

use std::sync::LazyLock;

use regex::Regex;

/// An e-mail address as the linter understands it: an atom or quoted text, `@`, and a domain with at least one dot.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    is_local_part(local) && is_mail_domain(domain)
}

/// Characters beyond ASCII that the linter's patterns allow everywhere.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}')
}

fn is_local_part(local: &str) -> bool {
    if let Some(quoted) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return quoted.chars().all(|c| !matches!(c, '"' | '\n' | '\r' | '\0'));
    }
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_wide(c);
    local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

fn is_mail_domain(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let Some((names, top)) = domain.rsplit_once('.') else { return false };
    let edge = |c: char| c.is_ascii_alphanumeric() || is_wide(c);
    let letter = |c: char| c.is_ascii_alphabetic() || is_wide(c);
    let ends = |text: &str, ok: &dyn Fn(char) -> bool| {
        text.chars().next().is_some_and(ok) && text.chars().next_back().is_some_and(ok)
    };
    ends(names, &edge)
        && names.chars().all(|c| edge(c) || matches!(c, '-' | '.' | '_' | '~'))
        && ends(top, &letter)
        && top.chars().all(|c| edge(c) || matches!(c, '-' | '_' | '~'))
}

/// A URL that stands in an HTTP request line: it must name a scheme.
pub(crate) fn is_request_url(text: &str) -> bool {
    Url::parse(text, true).is_some_and(|url| !url.scheme.is_empty())
}

/// Longest URL, in characters, and shortest, in bytes, both exclusive.
const URL_LENGTHS: (usize, usize) = (2083, 3);

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let scheme = r"(?:(?:ftp|tcp|udp|wss?|https?)://)?";
    let user = r"(?:\S+(?::\S*)?@)?";
    let address = r"\[[0-9a-fA-F:.%]+\]";
    let labels = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9_-]+)?[a-zA-Z0-9](?:[-.][a-zA-Z0-9]+)*)";
    let subdomain = r"(?:(?:www\.)|(?:[a-zA-Z0-9]+(?:[-_.]?[a-zA-Z0-9])*[a-zA-Z0-9]\.[a-zA-Z0-9]+))?";
    let wide = r"[a-zA-Z\x{a1}-\x{ffff}0-9]";
    let last = format!(r"(?:(?:{wide}+-?-?)*{wide}+)(?:\.[a-zA-Z\x{{a1}}-\x{{ffff}}]+)?");
    let dotted = r"[1-9]\d{0,2}(?:\.\d{1,3}){3}";
    let host = format!("(?:{dotted}|{address}|(?:(?:{labels}|{subdomain})?{last}))");
    Regex::new(&format!(r"^{scheme}{user}{host}\.?(?::\d{{1,5}})?(?:[/?#]\S*)?$")).ok()
});

/// A URL with or without scheme, as the linter accepts it for maintainers.
pub(crate) fn is_url(text: &str) -> bool {
    let (longest, shortest) = URL_LENGTHS;
    if text.chars().count() >= longest || text.len() <= shortest || text.starts_with('.') {
        return false;
    }
    // A port without a scheme is no scheme.
    let with_scheme = format!("http://{text}");
    let bare = text.contains(':') && !text.contains("://");
    let Some(url) = Url::parse(if bare { &with_scheme } else { text }, false) else { return false };
    if url.host.starts_with('.') || (url.host.is_empty() && !url.path.is_empty() && !url.path.contains('.')) {
        return false;
    }
    URL.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// What Go's `net/url` makes of a URL, as far as the checks above ask.
struct Url<'u> {
    scheme: &'u str,
    host: &'u str,
    path: &'u str,
}

impl<'u> Url<'u> {
    /// `None` is Go's parse error. `request` is `ParseRequestURI`.
    fn parse(text: &'u str, request: bool) -> Option<Self> {
        if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) || (text.is_empty() && request) {
            return None;
        }
        let text = if request { text } else { text.split('#').next().unwrap_or(text) };
        let (scheme, rest) = split_scheme(text)?;
        let rest = rest.split('?').next().unwrap_or(rest);
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                return Some(Self { scheme, host: "", path: "" });
            }
            if request || rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return None;
            }
        }
        let (mut host, mut path) = ("", rest);
        if (!scheme.is_empty() || (!request && !rest.starts_with("///")))
            && let Some(after) = rest.strip_prefix("//")
        {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, tail) = after.split_at(end);
            path = tail;
            host = match authority.rsplit_once('@') {
                Some((user, host)) => {
                    if !user.chars().all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c)) {
                        return None;
                    }
                    host
                }
                None => authority,
            };
            if !is_host(scheme, host) {
                return None;
            }
        }
        escapes_are_whole(path).then_some(Self { scheme, host, path })
    }
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn is_host(scheme: &str, host: &str) -> bool {
    let port_ok = |port: &str| {
        port.is_empty() || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
    };
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.rsplit_once(']') else { return false };
        let address = address.split("%25").next().unwrap_or(address);
        return port_ok(port) && address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let strict = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let colon = if strict { host.find(':') } else { host.rfind(':') };
    !host.contains('[')
        && colon.is_none_or(|at| port_ok(&host[at..]))
        && host.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:]<>\"%".contains(c))
        && escapes_are_whole(host)
}

fn escapes_are_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        hex(bytes.get(at + 1)) && hex(bytes.get(at + 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail() {
        for (text, expected) in [
            ("a@b.c", true),
            ("first.last+tag@example.co.uk", true),
            ("a@b", false),
            ("a..b@c.de", false),
            ("a@c.d1", false),
            ("@c.de", false),
            ("a b@c.de", false),
            ("ü@example.org", true),
        ] {
            assert_eq!(is_email(text), expected, "{text}");
        }
    }

    #[test]
    fn request_urls() {
        for (text, expected) in [
            ("https://example.org/a", true),
            ("example.org", false),
            ("/icon.png", false),
            ("data:image/png;base64,AAAA", true),
            ("https://exa mple.org", false),
            ("https://example.org/%zz", false),
            ("git@github.com:x/y", false),
            ("http://h:80a/", false),
        ] {
            assert_eq!(is_request_url(text), expected, "{text}");
        }
    }

    #[test]
    fn urls() {
        for (text, expected) in [
            ("https://example.org", true),
            ("example.org", true),
            ("http://localhost:8080/x?y", true),
            ("foo", false),
            ("https://github.com/a-b/c_d", true),
            ("http://[::1]:80/", true),
            ("not a url", false),
            ("..", false),
        ] {
            assert_eq!(is_url(text), expected, "{text}");
        }
    }
}
