use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A name that a certificate is valid for: a DNS name, lower-case, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum San {
    /// A DNS name; its first label may be `*`.
    Dns(String),
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
}

/// The longest DNS name, and the longest label of one (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

impl San {
    /// A DNS name of this program, which is known to be one.
    pub(crate) fn known(name: &str) -> Self {
        Self::Dns(name.to_owned())
    }
}

impl FromStr for San {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Ip(address));
        }
        let name = text.to_ascii_lowercase();
        let host = name.strip_prefix("*.").unwrap_or(&name);
        // Underscores are not for host names, but Compose service names have them, and verifiers accept them.
        let is_label = |label: &str| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.contains("://") || text.contains('/') {
            return Err("a URL is not a name; give its host only".to_owned());
        }
        // Four numbers that are no address, or a name with a port.
        let numeric = host.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
        if name.len() > LONGEST_NAME || numeric || !host.split('.').all(is_label) {
            return Err("neither a DNS name nor an IP address".to_owned());
        }
        Ok(Self::Dns(name))
    }
}

impl fmt::Display for San {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => formatter.write_str(name),
            Self::Ip(address) => address.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::San;

    #[test]
    fn names_and_addresses() {
        for (text, shown) in [
            ("Collector.Example", "collector.example"),
            ("*.svc.internal", "*.svc.internal"),
            ("my_service", "my_service"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]", "::1"),
            ("2001:DB8::1", "2001:db8::1"),
        ] {
            assert_eq!(text.parse::<San>().map(|san| san.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for text in ["", ".", "a..b", "-a", "a-", "a b", "a:4317", "10.0.0.256", "1.2.3", "a.*", "*", "*.", "ä.example"]
        {
            assert_eq!(text.parse::<San>(), Err("neither a DNS name nor an IP address".to_owned()), "{text}");
        }
        let url = "https://collector:4318".parse::<San>();
        assert_eq!(url, Err("a URL is not a name; give its host only".to_owned()));
        // The longest label, and the longest name, are names.
        let name = |labels: &[usize]| labels.iter().map(|length| "a".repeat(*length)).collect::<Vec<_>>().join(".");
        assert!(name(&[63]).parse::<San>().is_ok() && name(&[63, 63, 63, 61]).parse::<San>().is_ok());
        assert!(name(&[64]).parse::<San>().is_err() && name(&[63, 63, 63, 62]).parse::<San>().is_err());
    }
}
