//! Where a copy comes from: checked before anything is asked.

use std::net::IpAddr;

use mirror::exports::is_domain_id;

use crate::secret::Password;

/// A mirror, a domain of it, and who asks.
#[derive(Debug)]
pub struct Source {
    /// `https://host` or `https://host:port`.
    pub(crate) base: String,
    pub(crate) host: String,
    /// Where the URL names one.
    pub(crate) port: Option<u16>,
    pub(crate) tls: bool,
    pub(crate) domain: String,
    pub(crate) user: String,
    pub(crate) password: Password,
    /// Host and port to connect to instead of the URL's.
    pub(crate) connect: Option<(String, u16)>,
    /// A proxy that tunnels, as `host:port`.
    pub(crate) proxy: Option<String>,
}

impl Source {
    /// Checks a source.
    ///
    /// # Errors
    /// Which option is wrong, and why; a URL is not repeated, since there may be a password in it.
    pub fn new(
        url: &str,
        domain: &str,
        user: &str,
        password: Password,
        connect: Option<&str>,
    ) -> Result<Self, (&'static str, String)> {
        let bad = |why: &str| ("--url", why.to_owned());
        let (tls, rest) = match url.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(bad("it does not begin with `https://`")),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(bad("it has a user in it; name the user with `--user`"));
        }
        if authority.contains(['/', '?', '#']) {
            return Err(bad("it has a path; give scheme and host alone"));
        }
        let (host, port) = host_and_port(authority).map_err(bad)?;
        if !tls && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
            return Err(bad(
                "without TLS the password would be readable on the way; `http://` is for addresses of this machine",
            ));
        }
        if !is_domain_id(domain) {
            return Err((
                "--domain",
                "a domain is named with lower-case letters, digits, `-` and `_`, such as `primary`".to_owned(),
            ));
        }
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            return Err((
                "--user",
                "a user's name is not empty, and has neither a colon nor control characters".to_owned(),
            ));
        }
        let connect = match connect {
            None => None,
            Some(_) if host.parse::<IpAddr>().is_ok() => {
                return Err(("--connect", "it is for a URL with a name; this one has an address already".to_owned()));
            }
            Some(text) => match host_and_port(text) {
                Ok((host, Some(port))) => Some((host, port)),
                Ok((_, None)) => return Err(("--connect", "it has no port; it is written `HOST:PORT`".to_owned())),
                Err(why) => return Err(("--connect", why.to_owned())),
            },
        };
        let base = format!("{}://{authority}", if tls { "https" } else { "http" });
        Ok(Self {
            base,
            host,
            port,
            tls,
            domain: domain.to_owned(),
            user: user.to_owned(),
            password,
            connect,
            proxy: None,
        })
    }

    /// Goes through a proxy, which learns the mirror's name and nothing else.
    ///
    /// # Errors
    /// Which option is wrong, and why.
    pub fn through(self, proxy: &str) -> Result<Self, (&'static str, String)> {
        let bad = |why: &str| ("--proxy", why.to_owned());
        if !self.tls {
            return Err(bad("it is for `https://` alone: without TLS it would read the password"));
        }
        if self.connect.is_some() {
            return Err(bad("with `--connect` there is nothing left for it to find"));
        }
        match host_and_port(proxy) {
            Ok((_, Some(_))) => Ok(Self { proxy: Some(proxy.to_owned()), ..self }),
            Ok((_, None)) => Err(bad("it has no port; it is written `HOST:PORT`")),
            Err(why) => Err(bad(why)),
        }
    }

    /// The host, and the port if it is named, as a URL writes them.
    pub(crate) fn authority(&self) -> &str {
        self.base.split_once("://").map_or(self.base.as_str(), |(_, authority)| authority)
    }
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("a bracket is not closed")?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err("what stands in brackets is no IPv6 address");
            }
            match rest {
                "" => (host, None),
                _ => (host, Some(rest.strip_prefix(':').ok_or("something stands between address and port")?)),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return Err("it has no host, or one that is no name");
    }
    let port = match port {
        None => None,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Some(port),
            _ => return Err("its port is none"),
        },
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn source(url: &str, connect: Option<&str>) -> Result<Source, (&'static str, String)> {
        let password = Password::new(Zeroizing::new("x".to_owned())).unwrap();
        Source::new(url, "primary", "acme", password, connect)
    }

    #[test]
    fn a_source_is_a_scheme_and_a_host() {
        let good = source("https://mirror.test/", None).unwrap();
        assert_eq!((good.base.as_str(), good.port, good.tls), ("https://mirror.test", None, true));
        let good = source("http://[::1]:80", None).unwrap();
        assert_eq!((good.host.as_str(), good.port, good.authority()), ("::1", Some(80), "[::1]:80"));
        for (url, why) in [
            ("mirror.test", "does not begin"),
            ("ftp://mirror.test", "does not begin"),
            ("https://", "no host"),
            ("https://me:geheim@mirror.test", "user in it"),
            ("https://mirror.test/x", "path"),
            ("https://mirror.test?x", "path"),
            ("https://mirror.test:0", "port"),
            ("https://mirror.test:99999", "port"),
            ("https://mirror.test:+1", "port"),
            ("https://a b", "no name"),
            ("https://[x]", "IPv6"),
            ("http://mirror.test", "without TLS"),
            ("http://localhost", "without TLS"),
            ("http://10.0.0.1", "without TLS"),
        ] {
            let (option, found) = source(url, None).unwrap_err();
            assert!(option == "--url" && found.contains(why) && !found.contains("geheim"), "{url}: {found}");
        }
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port_and_sees_no_password() {
        let through = |url, proxy| source(url, None).unwrap().through(proxy).map(|source| source.proxy);
        assert_eq!(through("https://mirror.test", "proxy:3128").unwrap().as_deref(), Some("proxy:3128"));
        for (url, proxy, why) in [
            ("https://mirror.test", "proxy", "no port"),
            ("https://mirror.test", "me:geheim@proxy:3128", "port"),
            ("https://mirror.test", "http://proxy:3128", "port"),
            ("http://127.0.0.1", "proxy:3128", "without TLS"),
        ] {
            let (option, found) = through(url, proxy).unwrap_err();
            assert!(option == "--proxy" && found.contains(why) && !found.contains("geheim"), "{proxy}: {found}");
        }
        assert!(source("https://mirror.test", Some("a:1")).unwrap().through("b:2").is_err());
    }

    #[test]
    fn connect_is_a_host_and_a_port_for_a_name() {
        let connect = |text| source("https://mirror.test", Some(text)).map(|source| source.connect);
        assert_eq!(connect("127.0.0.1:8443").unwrap(), Some(("127.0.0.1".to_owned(), 8443)));
        assert!(connect("127.0.0.1").unwrap_err().1.contains("no port"));
        assert!(source("https://127.0.0.1", Some("127.0.0.1:1")).unwrap_err().1.contains("address already"));
    }
}
