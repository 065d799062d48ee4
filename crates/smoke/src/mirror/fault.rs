//! The findings of this probe: for each a name, how the program ends, and the way out.
//!
//! [`Class::Wrong`] is what a mirror does wrongly; [`Class::Untrusted`] is content that is not what somebody vouches for, or
//! credentials that are refused; [`Class::Unreachable`] is whatever keeps us from seeing.

use crate::report::{self, Class, Finding};
use crate::wire::{self, Kind as Wire};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    CredentialsRefused,
    AccessDenied,
    Throttled,
    GatewayFailing,
    Redirects,
    UnexpectedStatus,
    NotMirror,
    AnswerTooLarge,

    StrangerServed,
    WrongPasswordServed,
    ChallengeMissing,
    RefusalUnusual,
    OtherDomainServed,
    UnknownNameServed,

    FileMissing,
    IndexMalformed,
    ManifestMalformed,
    BundleMalformed,
    SchemaUnknown,
    DomainNotListed,
    DomainUnreadable,
    DomainDiffers,
    CountDiffers,
    GenerationMixed,
    GenerationRestless,
    TooOld,
    CreatedInFuture,

    SizeDiffers,
    DigestDiffers,
    DigestAbsent,
    SignatureMissing,
    SignatureMalformed,
    SignatureInvalid,
    SignatureNotChecked,

    CacheStatusMissing,
    CacheMiss,
    ServedStale,
    EtagMissing,
    NotModifiedIgnored,
    RangeIgnored,
    RangeWrong,

    MethodAccepted,
    HeadDiffers,
    TraversalServed,

    VexMalformed,
    VexNotListed,
    VexDomainDiffers,
    VexSizeDiffers,
    VexDigestDiffers,
    VexDigestAbsent,
}

impl Kind {
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::CredentialsRefused,
        Self::AccessDenied,
        Self::Throttled,
        Self::GatewayFailing,
        Self::Redirects,
        Self::UnexpectedStatus,
        Self::NotMirror,
        Self::AnswerTooLarge,
        Self::StrangerServed,
        Self::WrongPasswordServed,
        Self::ChallengeMissing,
        Self::RefusalUnusual,
        Self::OtherDomainServed,
        Self::UnknownNameServed,
        Self::FileMissing,
        Self::IndexMalformed,
        Self::ManifestMalformed,
        Self::BundleMalformed,
        Self::SchemaUnknown,
        Self::DomainNotListed,
        Self::DomainUnreadable,
        Self::DomainDiffers,
        Self::CountDiffers,
        Self::GenerationMixed,
        Self::GenerationRestless,
        Self::TooOld,
        Self::CreatedInFuture,
        Self::SizeDiffers,
        Self::DigestDiffers,
        Self::DigestAbsent,
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureInvalid,
        Self::SignatureNotChecked,
        Self::CacheStatusMissing,
        Self::CacheMiss,
        Self::ServedStale,
        Self::EtagMissing,
        Self::NotModifiedIgnored,
        Self::RangeIgnored,
        Self::RangeWrong,
        Self::MethodAccepted,
        Self::HeadDiffers,
        Self::TraversalServed,
        Self::VexMalformed,
        Self::VexNotListed,
        Self::VexDomainDiffers,
        Self::VexSizeDiffers,
        Self::VexDigestDiffers,
        Self::VexDigestAbsent,
    ];

    /// Name, class, way out.
    #[rustfmt::skip]
    pub(crate) fn entry(self) -> (&'static str, Class, &'static str) {
        use Class::{Doubtful, Unreachable, Untrusted, Wrong};
        match self {
            Self::CredentialsRefused => ("credentials-refused", Untrusted, "check `--user` and the password; `collimate mirror tenant list DOMAIN` names the tenants of a domain, `rotate` gives one a new password"),
            Self::AccessDenied => ("access-denied", Untrusted, "the gateway knows the tenant and lets it read nothing; look into its log"),
            Self::Throttled => ("throttled", Unreachable, "the tenant's budget is used up: try later, raise `--wait`, or raise the budget in `mirror.yaml`"),
            Self::GatewayFailing => ("gateway-failing", Unreachable, "look into the gateway's log: `refusal` says whether the verifier (`collimate mirror auth`) or the source behind it does not answer"),
            Self::Redirects => ("redirects", Unreachable, "a redirect is not followed, because the password would go along: give the final address as `--url`"),
            Self::UnexpectedStatus => ("unexpected-status", Unreachable, "check that `--url` is the mirror's gateway, and what stands between"),
            Self::NotMirror => ("not-mirror", Unreachable, "another server answers: check `--url` and `--connect`"),
            Self::AnswerTooLarge => ("answer-too-large", Wrong, "nothing of a mirror is that large; look at what is behind the gateway"),

            Self::StrangerServed => ("stranger-served", Wrong, "set `require_authentication: true` for the domain in `mirror.yaml`, render the gateway and load it again"),
            Self::WrongPasswordServed => ("wrong-password-served", Wrong, "the verifier does not verify: check that the gateway asks `collimate mirror auth`, and nothing else"),
            Self::ChallengeMissing => ("challenge-missing", Wrong, "a 401 must have `WWW-Authenticate: Basic …`, or programs do not know what to send; render the gateway anew with `collimate mirror render`"),
            Self::RefusalUnusual => ("refusal-unusual", Wrong, "a stranger must get a 401; render the gateway anew with `collimate mirror render`"),
            Self::OtherDomainServed => ("other-domain-served", Wrong, "each domain has its own server name and its own htpasswd file: compare the gateway's configuration with `collimate mirror render --check`"),
            Self::UnknownNameServed => ("unknown-name-served", Doubtful, "the shipped gateway refuses the handshake of unknown names; if a proxy stands before it, that one should"),

            Self::FileMissing => ("file-missing", Wrong, "check the export below `CONCELIER__MIRROR__EXPORTROOT`, that `latest` points to it, and the domain's id"),
            Self::IndexMalformed => ("index-malformed", Wrong, "look at what Concelier exported; `index.json` needs `schemaVersion` and `domains`"),
            Self::ManifestMalformed => ("manifest-malformed", Wrong, "look at what Concelier exported; `manifest.json` needs `schemaVersion`, `domainId`, `created` and `advisories`"),
            Self::BundleMalformed => ("bundle-malformed", Wrong, "look at what Concelier exported; `bundle.json` needs `schemaVersion`, `domainId` and `advisories`"),
            Self::SchemaUnknown => ("schema-unknown", Wrong, "the mirror is newer than this program: update it, and whatever else reads this mirror"),
            Self::DomainNotListed => ("domain-not-listed", Wrong, "check `--domain`, and that `mirror.yaml` and Concelier's settings name the same domains (`collimate check`)"),
            Self::DomainUnreadable => ("domain-unreadable", Wrong, "name the address of a domain that the tenant belongs to as `--url`: each domain has its own"),
            Self::DomainDiffers => ("domain-differs", Wrong, "content of another domain is served here: treat it as a leak, and look at the gateway's cache key and at the export"),
            Self::CountDiffers => ("count-differs", Wrong, "bundle and manifest are of different exports, or the export was cut; export again"),
            Self::GenerationMixed => ("generation-mixed", Wrong, "the gateway's cache may hold a file of the generation before until its lifetime is over (`lifetimes`): raise `--wait`, or run it again after that; if it stays, compare the files below `latest`"),
            Self::GenerationRestless => ("generation-restless", Wrong, "the export switches more often than it can be read; run it again, and look why Concelier exports so often"),
            Self::TooOld => ("too-old", Wrong, "look why Concelier no longer exports; a source that is down shows itself as `X-Cache-Status: STALE`"),
            Self::CreatedInFuture => ("created-in-future", Wrong, "compare the clocks of this machine and of Concelier's"),

            Self::SizeDiffers => ("size-differs", Untrusted, "the file was cut or changed after it was announced; do not use it"),
            Self::DigestDiffers => ("digest-differs", Untrusted, "the file was changed after it was announced; do not use it"),
            Self::DigestAbsent => ("digest-absent", Doubtful, "neither manifest nor index say what the bundle's bytes are, and no signature was verified: give the mirror's key as `--key`"),
            Self::SignatureMissing => ("signature-missing", Untrusted, "turn on signing in Concelier's mirror export"),
            Self::SignatureMalformed => ("signature-malformed", Untrusted, "`bundle.json.jws` must be a compact JWS with `ES256` or `EdDSA`"),
            Self::SignatureInvalid => ("signature-invalid", Untrusted, "do not use the bundle unless the mirror's owner tells you, by another way, that the key was changed"),
            Self::SignatureNotChecked => ("signature-not-checked", Doubtful, "give the mirror's public key as `--key FILE`; without it nobody knows who made the bundle"),

            Self::CacheStatusMissing => ("cache-status-missing", Wrong, "the answer did not come through the gateway's cache: check that `--url` is the gateway, and that no proxy removes `X-Cache-Status`"),
            Self::CacheMiss => ("cache-miss", Wrong, "the gateway fetches every time: check that its cache folder is writable and not full, and `cache` in `mirror.yaml`"),
            Self::ServedStale => ("served-stale", Doubtful, "the source behind the gateway does not answer, and what it had is served as long as `lifetimes.stale` says: mend the source before that is over"),
            Self::EtagMissing => ("etag-missing", Wrong, "without an `ETag` every copy is transferred again: Concelier sends one, so look what removes it"),
            Self::NotModifiedIgnored => ("not-modified-ignored", Wrong, "something between removes `If-None-Match`, or changes the `ETag`"),
            Self::RangeIgnored => ("range-ignored", Wrong, "downloads cannot be resumed: the gateway needs `proxy_force_ranges on`"),
            Self::RangeWrong => ("range-wrong", Wrong, "a resumed download would be damaged: look at what is between, and whether several gateways serve different generations"),

            Self::MethodAccepted => ("method-accepted", Wrong, "only GET and HEAD belong here; render the gateway anew with `collimate mirror render`"),
            Self::HeadDiffers => ("head-differs", Wrong, "HEAD must say what GET says; look at what is between"),
            Self::TraversalServed => ("traversal-served", Wrong, "paths with `..`, escapes and dot files must be refused before they are resolved; render the gateway anew with `collimate mirror render`"),

            Self::VexMalformed => ("vex-malformed", Wrong, "look at what Excititor exports"),
            Self::VexNotListed => ("vex-not-listed", Wrong, "check Excititor's settings: it must know the domains of `mirror.yaml` (`collimate check`)"),
            Self::VexDomainDiffers => ("vex-domain-differs", Wrong, "VEX of another domain is served here: treat it as a leak, and look at the gateway's cache key and at Excititor"),
            Self::VexSizeDiffers => ("vex-size-differs", Untrusted, "the export was cut or changed after it was announced; do not use it"),
            Self::VexDigestDiffers => ("vex-digest-differs", Untrusted, "the export was changed after it was announced; do not use it"),
            Self::VexDigestAbsent => ("vex-digest-absent", Doubtful, "Excititor's index does not say what the export's bytes are, and it is not signed: nobody vouches for it"),
        }
    }

    pub(crate) fn find(self, about: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding::of(self.entry(), about, message)
    }

    /// With a text of the other side.
    pub(crate) fn quoting(self, about: impl Into<String>, message: &str, quoted: &str) -> Finding {
        self.find(about, report::quoting(message, quoted))
    }
}

/// A connection that did not work, in words that fit this probe.
pub(crate) fn connection(fault: wire::Fault, about: &str) -> Finding {
    if fault.kind == Wire::NotOtlp {
        let kind = if fault.message.contains("larger than") { Kind::AnswerTooLarge } else { Kind::NotMirror };
        return kind.find(about, fault.message);
    }
    let (kind, class, usual) = fault.kind.entry();
    let help = match fault.kind {
        Wire::DnsFailure => {
            "check the host in `--url` and this machine's resolver; `--connect HOST:PORT` goes elsewhere"
        }
        Wire::ConnectionRefused => "start the gateway, and check its address and published port",
        Wire::ConnectionClosed => {
            "look into the gateway's log; a source that dies in the middle of a transfer ends it like this too"
        }
        Wire::PlainTextPort => "name the gateway's TLS port; over `http://` everybody could read the password",
        Wire::TlsPort => "write `https://` in `--url`",
        Wire::WrongCa => "name the file with the authority of the gateway's certificate as `--ca`",
        Wire::NameNotInCertificate => {
            "give each domain a certificate with its host name, `mirror-<id>.crt` in the gateway's `tls` folder"
        }
        Wire::ServerCertificateExpired => {
            "renew it; if it was renewed already, the gateway has not read it again (`nginx -s reload`)"
        }
        Wire::TlsFailed if fault.message.contains("unrecognised name") => {
            "the gateway knows no such domain: check the host in `--url` against `mirror.yaml`"
        }
        Wire::ClientCertificateMissing => "the gateway asks for a client certificate, and a mirror needs none",
        Wire::FileUnreadable | Wire::FileMalformed => "name a PEM file with authorities as `--ca`",
        _ => usual,
    };
    Finding { kind, class, about: vec![about.to_owned()], message: fault.message, help: Some(help.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.entry().0).collect();
        assert!(names.iter().all(|name| name.chars().all(|char| char.is_ascii_lowercase() || char == '-')));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_name_is_documented_with_its_exit_code() {
        let page = include_str!("../../../../docs/mirror.md");
        let (_, section) = page.split_once("\n## Smoke test\n").expect("the page has the section");
        let section = section.split("\n## ").next().unwrap_or_default();
        let rows: Vec<Vec<&str>> = section
            .lines()
            .map(|line| line.split('|').map(str::trim).collect())
            .filter(|row: &Vec<_>| row.len() > 3)
            .collect();
        for kind in Kind::ALL {
            let (name, class, _) = kind.entry();
            let exit = match class {
                Class::Doubtful => "0",
                Class::Wrong => "1",
                Class::Input => "3",
                Class::Unreachable => "4",
                Class::Untrusted => "5",
            };
            let row = rows
                .iter()
                .find(|row| row.get(1).is_some_and(|cell| cell.split(", ").any(|cell| cell == format!("`{name}`"))));
            assert_eq!(row.and_then(|row| row.get(2)).copied(), Some(exit), "`{name}` in docs/mirror.md");
        }
    }
}
