//! The Redis connection string: `redis://user:pass@host:port/db`.

use crate::secret::Secret;
use crate::wire::Target;

/// Redis's own port.
const DEFAULT_PORT: u16 = 6379;

/// A connection string that has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dsn {
    /// `rediss://`.
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// `None` is Redis's user `default`.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: u32,
}

impl Dsn {
    /// The reason why a text is no such string never quotes it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it must begin with `redis://` or `rediss://`")?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            "redis+sentinel" | "redis-sentinel" | "sentinel" => {
                return Err("Sentinel is not supported: name the server itself");
            }
            "unix" | "redis+unix" | "redis-socket" => return Err("a socket file is not supported: name host and port"),
            _ => return Err("it must begin with `redis://` or `rediss://`"),
        };
        if rest.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err("it holds a space or a control character; percent-encode what belongs to the password");
        }
        // A slash or question mark ends the address, so in a password it must be encoded.
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !authority.contains('@') && path.contains('@') {
            return Err("in user and password `/`, `?`, `#`, `@` and `%` must be percent-encoded");
        }
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, authority),
        };
        let (user, password) = userinfo.map_or(Ok((None, None)), credentials)?;
        let (host, port) = host_and_port(address)?;
        Ok(Self { tls, host, port, user, password, database: database(path)? })
    }

    pub(crate) fn target(&self, server_name: Option<String>) -> Target {
        Target { host: self.host.clone(), port: self.port, server_name }
    }

    /// Without user and password.
    pub(crate) fn shown(&self) -> String {
        format!("Redis at {}", self.target(None).shown())
    }
}

fn credentials(userinfo: &str) -> Result<(Option<String>, Option<Secret>), &'static str> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    if password.contains(['@', ':']) {
        return Err("in user and password `:`, `/`, `?`, `#`, `@` and `%` must be percent-encoded");
    }
    let user = decoded(user)?;
    let password = decoded(password)?;
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok((None, None)),
        (false, true) => Err("it has a user but no password"),
        (no_user, false) => Ok(((!no_user).then_some(user), Some(Secret::new(password)))),
    }
}

fn host_and_port(address: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("its IPv6 address has no closing bracket")?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("what stands in brackets is no IPv6 address");
        }
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err("only a port can follow the address"),
        }
    } else {
        match address.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err("an IPv6 address must stand in brackets"),
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    if host.is_empty() {
        return Err("it has no host");
    }
    if host.contains(',') {
        return Err("it names several hosts: Cluster and Sentinel are not supported, name one server");
    }
    if !host.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | ':')) {
        return Err("its host is no host name");
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err("its port is no number from 1 to 65535"),
        },
    };
    Ok((host.to_owned(), port))
}

fn database(path: &str) -> Result<u32, &'static str> {
    if path.contains(['?', '#']) {
        return Err("it must not have options after `?` or `#`");
    }
    match path.trim_start_matches('/') {
        "" => Ok(0),
        number => number.parse().map_err(|_| "its database is no number"),
    }
}

/// Percent-encoding undone.
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err("a `%` in it is not followed by two hexadecimal digits; a `%` itself is written `%25`");
        };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    String::from_utf8(bytes).map_err(|_| "its user or password is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let dsn = Dsn::parse("rediss://ci:p%40ss%2Fw@[::1]:6380/3").unwrap();
        assert_eq!(dsn.user.as_deref(), Some("ci"));
        assert_eq!(dsn.password.as_ref().map(Secret::reveal), Some("p@ss/w"));
        assert_eq!((dsn.tls, dsn.host.as_str(), dsn.port, dsn.database), (true, "::1", 6380, 3));
        let dsn = Dsn::parse("redis://:secret@redis").unwrap();
        assert_eq!((dsn.user, dsn.port, dsn.database), (None, 6379, 0));
        assert!(Dsn::parse("redis://redis/").unwrap().password.is_none());
    }

    #[test]
    fn what_is_malformed_says_how_and_never_quotes() {
        for (wrong, reason) in [
            ("redis:6379", "begin with"),
            ("http://h", "begin with"),
            ("redis-sentinel://h", "Sentinel"),
            ("unix:///run/redis.sock", "socket"),
            ("redis://u:hunter2/x@h", "percent-encoded"),
            ("redis://u:hun@ter2@h", "percent-encoded"),
            ("redis://u:%zz@h", "hexadecimal"),
            ("redis://u:%ff@h", "UTF-8"),
            ("redis://u@h", "no password"),
            ("redis://u:hunter2@", "no host"),
            ("redis://a,b:1", "several hosts"),
            ("redis://h:0", "port"),
            ("redis://h:70000", "port"),
            ("redis://::1", "brackets"),
            ("redis://[::1", "closing"),
            ("redis://[x]", "no IPv6"),
            ("redis://h/x", "database"),
            ("redis://h/-1", "database"),
            ("redis://h/0?ssl=1", "options"),
            ("redis://u:hunter2 @h", "space"),
            ("redis://h<x>", "host name"),
        ] {
            let why = Dsn::parse(wrong).unwrap_err();
            assert!(why.contains(reason), "{wrong}: {why}");
            assert!(!why.contains("hunter2"));
        }
    }
}
