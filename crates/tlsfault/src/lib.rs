//! What TLS says against a connection, in words: whoever opens one has faults of its own, but what is wrong with a certificate is the same for all.

use std::net::IpAddr;

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError};
use rustls_pki_types::UnixTime;

/// Lists of names in a message end after this many; a certificate can have hundreds.
const MOST_NAMES: usize = 12;

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// We do not trust who signed it.
    Authority,
    Expired,
    NotYetValid,
    /// It is for other names.
    Name,
    /// It is not meant for servers.
    Purpose,
    Other,
}

/// What is wrong with a server's certificate, and the words for it, which follow on "the certificate ".
#[must_use]
pub fn doubt(error: &CertificateError) -> (Doubt, String) {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => (Doubt::Authority, "is from an authority that we do not trust".to_owned()),
        // The right name on the wrong key: an authority that was made anew under its old name.
        E::BadSignature => (Doubt::Authority, "is not signed by the authority that it names".to_owned()),
        E::ExpiredContext { not_after, .. } => (Doubt::Expired, format!("expired at {}", moment(*not_after))),
        E::Expired => (Doubt::Expired, "expired".to_owned()),
        E::NotValidYetContext { not_before, .. } => {
            (Doubt::NotYetValid, format!("is valid from {} on", moment(*not_before)))
        }
        E::NotValidYet => (Doubt::NotYetValid, "is not valid yet".to_owned()),
        E::NotValidForNameContext { expected, presented } => {
            (Doubt::Name, format!("is not for `{}`; it is for {}", expected.to_str(), names(presented)))
        }
        E::NotValidForName => (Doubt::Name, "is not for this name".to_owned()),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            (Doubt::Purpose, "is not meant for servers (no serverAuth)".to_owned())
        }
        error => (Doubt::Other, format!("is not acceptable: {}", source::printable(&error.to_string()))),
    }
}

/// An alert in words: `unknown ca`.
#[must_use]
pub fn alert(alert: AlertDescription) -> String {
    spaced(&format!("{alert:?}").replace("CA", "Ca"))
}

/// A name of the library in words: `Tls12NotOffered` is `tls12 not offered`.
#[must_use]
pub fn spaced(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// The library writes `DnsName("a")` and `IpAddress(127.0.0.1)`; people want the names.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no name at all".to_owned();
    }
    let plain = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        let inner = inner.trim_matches('"');
        // Its spelling of IPv6 addresses is not the usual one.
        let usual = inner.parse::<IpAddr>().map_or_else(|_| source::printable(inner).into_owned(), |ip| ip.to_string());
        format!("`{usual}`")
    };
    let mut list: Vec<String> = presented.iter().take(MOST_NAMES).map(plain).collect();
    if presented.len() > MOST_NAMES {
        list.push(format!("{} more", presented.len() - MOST_NAMES));
    }
    list.join(", ")
}

/// `2026-11-25T12:00:00Z`.
fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_certificate_are_listed_plainly_and_not_endlessly() {
        let some = ["DnsName(\"a.test\")", "DnsName(\"b\u{1b}\")", "IpAddress(127.0.0.1)", "IpAddress(0::1)"];
        assert_eq!(names(&some.map(str::to_owned)), "`a.test`, `b\u{fffd}`, `127.0.0.1`, `::1`");
        assert_eq!(names(&[]), "no name at all");
        let many: Vec<String> = (0..20).map(|number| format!("DnsName(\"{number}.test\")")).collect();
        assert!(names(&many).ends_with("`11.test`, 8 more"));
    }

    #[test]
    fn alerts_are_said_in_words() {
        assert_eq!(alert(AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(alert(AlertDescription::CertificateRequired), "certificate required");
    }

    #[test]
    fn a_time_beyond_all_calendars_is_said_too() {
        let at = |seconds| moment(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)));
        assert_eq!(at(1_764_072_000), "2025-11-25T12:00:00Z");
        assert_eq!(at(u64::MAX), "second 9223372036854775807");
    }
}
