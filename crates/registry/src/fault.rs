//! What can go wrong between us and a registry: for each fault a name, how grave it is, and the way out.

use std::fmt;

use crate::limits::LONGEST_QUOTE;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// What was seen: a lower-case fragment without full stop, without secrets.
    pub message: String,
}

/// What a fault means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The registry answers, and does not have it.
    Absent,
    /// Something that was named on this side cannot be used.
    Input,
    /// Registry, network or helper failed.
    Unreachable,
    /// Somebody is not who they should be, we are not let in, or bytes are not what was promised.
    Untrusted,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    TagNotFound,
    RepositoryNotFound,

    DnsFailure,
    ConnectionRefused,
    HostUnreachable,
    ConnectTimeout,
    TimedOut,
    ConnectionClosed,
    RequestFailed,
    Throttled,
    ServerFailing,
    Truncated,
    TooLarge,
    NotARegistry,
    UnexpectedStatus,
    TooManyRedirects,
    RedirectRefused,
    WrongMediaType,
    MalformedManifest,
    TokenServer,
    CredentialHelper,

    WrongDigest,
    CredentialsMissing,
    CredentialsRefused,
    AccessDenied,
    InsecureTokenServer,
    PlainTextPort,
    WrongCa,
    ServerCertificateExpired,
    ServerCertificateNotYetValid,
    NameNotInCertificate,
    ServerCertificateInvalid,
    ClientCertificateMissing,
    ClientCertificateRefused,
    TlsVersion,
    TlsFailed,

    ReferenceUnusable,
    FileUnreadable,
    FileMalformed,
    KeyEncrypted,
    KeyMismatch,
}

impl Fault {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// With words of the other side, made safe to print.
    pub(crate) fn quoting(kind: Kind, message: &str, quoted: &str) -> Self {
        let quoted = shown(quoted);
        Self::new(kind, if quoted.is_empty() { message.to_owned() } else { format!("{message}: {quoted}") })
    }

    /// Its name in reports and in the documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    #[must_use]
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    /// The way out.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.kind.hint()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl Kind {
    /// Every kind, for the test that holds the documentation against the code.
    pub const ALL: &'static [Self] = &[
        Self::TagNotFound,
        Self::RepositoryNotFound,
        Self::DnsFailure,
        Self::ConnectionRefused,
        Self::HostUnreachable,
        Self::ConnectTimeout,
        Self::TimedOut,
        Self::ConnectionClosed,
        Self::RequestFailed,
        Self::Throttled,
        Self::ServerFailing,
        Self::Truncated,
        Self::TooLarge,
        Self::NotARegistry,
        Self::UnexpectedStatus,
        Self::TooManyRedirects,
        Self::RedirectRefused,
        Self::WrongMediaType,
        Self::MalformedManifest,
        Self::TokenServer,
        Self::CredentialHelper,
        Self::WrongDigest,
        Self::CredentialsMissing,
        Self::CredentialsRefused,
        Self::AccessDenied,
        Self::InsecureTokenServer,
        Self::PlainTextPort,
        Self::WrongCa,
        Self::ServerCertificateExpired,
        Self::ServerCertificateNotYetValid,
        Self::NameNotInCertificate,
        Self::ServerCertificateInvalid,
        Self::ClientCertificateMissing,
        Self::ClientCertificateRefused,
        Self::TlsVersion,
        Self::TlsFailed,
        Self::ReferenceUnusable,
        Self::FileUnreadable,
        Self::FileMalformed,
        Self::KeyEncrypted,
        Self::KeyMismatch,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    #[must_use]
    pub fn class(self) -> Class {
        self.entry().1
    }

    #[must_use]
    pub fn hint(self) -> &'static str {
        self.entry().2
    }

    /// Name, class, way out.
    #[rustfmt::skip]
    fn entry(self) -> (&'static str, Class, &'static str) {
        use Class::{Absent, Input, Unreachable, Untrusted};
        match self {
            Self::TagNotFound => ("tag-not-found", Absent, "check the tag, and whether the image was pushed; a mirror may not have it yet"),
            Self::RepositoryNotFound => ("repository-not-found", Absent, "check the image's name; some registries say this of what the account may not read"),

            Self::DnsFailure => ("dns-failure", Unreachable, "is this machine offline? check the registry's spelling and the resolver, or name a mirror that can be reached"),
            Self::ConnectionRefused => ("connection-refused", Unreachable, "check host and port, and that the registry runs"),
            Self::HostUnreachable => ("host-unreachable", Unreachable, "is this machine offline? check routes, firewalls and proxy variables"),
            Self::ConnectTimeout => ("connect-timeout", Unreachable, "a firewall that drops packets looks like this; a proxy or a mirror may be needed"),
            Self::TimedOut => ("timed-out", Unreachable, "the registry is slow or stalls: try again, or raise the time limit"),
            Self::ConnectionClosed => ("connection-closed", Unreachable, "look into the log of the registry, or of the proxy between"),
            Self::RequestFailed => ("request-failed", Unreachable, "compare with `curl -v https://HOST/v2/`"),
            Self::Throttled => ("throttled", Unreachable, "log in for a higher limit, name a mirror, or try later"),
            Self::ServerFailing => ("server-failing", Unreachable, "the registry's own log has the reason; try later"),
            Self::Truncated => ("truncated", Unreachable, "the answer broke off each time: look at proxies between"),
            Self::TooLarge => ("too-large", Unreachable, "no manifest is that large: another server answers here, or it is broken"),
            Self::NotARegistry => ("not-a-registry", Unreachable, "another server answers here, such as a login page: check host, port, mirror and proxies"),
            Self::UnexpectedStatus => ("unexpected-status", Unreachable, "the registry's own log has the reason"),
            Self::TooManyRedirects => ("too-many-redirects", Unreachable, "the registry redirects in a circle: its operator has to mend that"),
            Self::RedirectRefused => ("redirect-refused", Unreachable, "name the final address as the image's registry or as a mirror"),
            Self::WrongMediaType => ("wrong-media-type", Unreachable, "the tag holds no container image, or a manifest of a format from before 2017: push the image again"),
            Self::MalformedManifest => ("malformed-manifest", Unreachable, "push the image again; if others can pull it, report this with the registry's name and version"),
            Self::TokenServer => ("token-server", Unreachable, "the registry's token server does not work as it should: its operator has to look"),
            Self::CredentialHelper => ("credential-helper", Unreachable, "run the helper by hand, as `echo HOST | docker-credential-NAME get`, or name another credentials file"),

            Self::WrongDigest => ("wrong-digest", Untrusted, "do not use this image: registry, mirror or something between changes what it delivers"),
            Self::CredentialsMissing => ("credentials-missing", Untrusted, "log in with `docker login HOST` (or `skopeo login`), or name the credentials file; many registries also say this of repositories that do not exist"),
            Self::CredentialsRefused => ("credentials-refused", Untrusted, "log in anew: password or token were changed, or have expired"),
            Self::AccessDenied => ("access-denied", Untrusted, "the account may not read this repository: ask its owner, or log in as another"),
            Self::InsecureTokenServer => ("insecure-token-server", Untrusted, "the registry sends clients to a token server without TLS: its operator has to mend that"),
            Self::PlainTextPort => ("plain-text-port", Untrusted, "the registry has no TLS: give it a certificate; only if the network is yours alone, declare the host insecure"),
            Self::WrongCa => ("wrong-ca", Untrusted, "name the authority of the registry's certificate"),
            Self::ServerCertificateExpired => ("server-certificate-expired", Untrusted, "the registry's operator has to renew it"),
            Self::ServerCertificateNotYetValid => ("server-certificate-not-yet-valid", Untrusted, "compare the clocks of both machines"),
            Self::NameNotInCertificate => ("name-not-in-certificate", Untrusted, "use one of these names, or let the registry's certificate be mended"),
            Self::ServerCertificateInvalid => ("server-certificate-invalid", Untrusted, "`collimate tls status` on the server's certificate says what is wrong with it"),
            Self::ClientCertificateMissing => ("client-certificate-missing", Untrusted, "name a client certificate and its key"),
            Self::ClientCertificateRefused => ("client-certificate-refused", Untrusted, "name a client certificate of the authority that the registry trusts; `collimate tls status` judges it"),
            Self::TlsVersion => ("tls-version", Untrusted, "both sides need TLS 1.2 or 1.3 with a common cipher"),
            Self::TlsFailed => ("tls-failed", Untrusted, "compare with `openssl s_client -connect HOST:PORT`"),

            Self::ReferenceUnusable => ("reference-unusable", Input, "write registry, repository and tag in full"),
            Self::FileUnreadable => ("file-unreadable", Input, "check the path and its permissions"),
            Self::FileMalformed => ("file-malformed", Input, "mend the file, or name another"),
            Self::KeyEncrypted => ("key-encrypted", Input, "decrypt it first: `openssl pkey -in KEY -out NEW`; nobody is there to type a passphrase"),
            Self::KeyMismatch => ("key-mismatch", Input, "name the key that the certificate was made with"),
        }
    }
}

/// Words of the other side: one line, without control characters, not endless.
pub(crate) fn shown(text: &str) -> String {
    source::quoted(text, LONGEST_QUOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        let page = include_str!("../../../docs/channels.md");
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let missing: Vec<&&str> = names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "docs/channels.md does not know {missing:?}");
        assert!(names.iter().all(|name| name.chars().all(|char| char.is_ascii_lowercase() || char == '-')));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
