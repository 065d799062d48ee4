//! Addresses of backends.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// An `http://` or `https://` URL without user, password, query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Without a slash at the end.
    pub(crate) path: String,
}

impl Url {
    /// The reason why a text is no such URL never quotes it: it may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "it is not a URL")?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("it must begin with `https://` or `http://`"),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("it must not hold a user name or password");
        }
        if uri.query().is_some() {
            return Err("it must not have a query");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("it has no host");
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, path: uri.path().trim_end_matches('/').to_owned() })
    }
}

/// All but what RFC 3986 calls unreserved.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one value of a query string.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let url = Url::parse("https://[::1]:3100/loki/").unwrap();
        assert_eq!(url, Url { tls: true, host: "::1".to_owned(), port: 3100, path: "/loki".to_owned() });
        assert_eq!(Url::parse("http://prometheus").unwrap().port, 80);
    }

    #[test]
    fn what_would_leak_or_mislead_is_refused() {
        for wrong in ["prometheus:9090", "https://u:p@host/", "https://host/?q=1", "ftp://host", "", "https://"] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encoded("a{b=\"c\"} |"), "a%7Bb%3D%22c%22%7D%20%7C");
    }
}
