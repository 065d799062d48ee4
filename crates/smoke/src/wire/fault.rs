//! The faults that a probe can name: for each a name, how the program ends, and the way out.

use crate::report::{self, Class, Finding};

/// One fault, met once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// What was seen: a lower-case fragment without full stop.
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// With a text of the other side, made safe to print.
    pub(crate) fn quoting(kind: Kind, message: &str, quoted: &str) -> Self {
        Self::new(kind, report::quoting(message, quoted))
    }

    pub(crate) fn finding(self, about: impl Into<String>) -> Finding {
        Finding::of(self.kind.entry(), about, self.message)
    }
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    DnsFailure,
    ConnectionRefused,
    HostUnreachable,
    ConnectTimeout,
    NoAnswer,
    ConnectionClosed,
    CountersUnreachable,
    HealthUnreachable,
    NotOtlp,
    OtherProtocol,
    BackendUnreachable,

    PlainTextPort,
    TlsPort,
    WrongCa,
    ServerCertificateExpired,
    ServerCertificateNotYetValid,
    NameNotInCertificate,
    ServerCertificateInvalid,
    ClientCertificateMissing,
    ClientCertificateExpired,
    ClientCertificateNotYetValid,
    ClientCertificateForeign,
    ClientCertificateRefused,
    TlsVersion,
    TlsFailed,
    AccessDenied,

    FileUnreadable,
    FileMalformed,
    KeyEncrypted,
    KeyMismatch,

    PipelineMissing,
    MemoryLimiter,
    QueueFull,
    ExporterFailing,
    PartialSuccess,
    MessageTooLarge,
    Throttled,
    DataRefused,

    CountersAbsent,
    CountersMalformed,
    CountersStale,
    CountersReset,
    AcceptedFewer,
    AcceptedMore,
    RefusedCounted,
    NotExported,

    HealthDown,
    HealthElsewhere,

    ReadBackFailed,
    ReadBackMissing,
    ReadBackDiffers,
    TenantLeak,

    StrangerAccepted,
}

impl Kind {
    /// Every kind, for the test that holds the documentation against the code.
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::DnsFailure,
        Self::ConnectionRefused,
        Self::HostUnreachable,
        Self::ConnectTimeout,
        Self::NoAnswer,
        Self::ConnectionClosed,
        Self::CountersUnreachable,
        Self::HealthUnreachable,
        Self::NotOtlp,
        Self::OtherProtocol,
        Self::BackendUnreachable,
        Self::PlainTextPort,
        Self::TlsPort,
        Self::WrongCa,
        Self::ServerCertificateExpired,
        Self::ServerCertificateNotYetValid,
        Self::NameNotInCertificate,
        Self::ServerCertificateInvalid,
        Self::ClientCertificateMissing,
        Self::ClientCertificateExpired,
        Self::ClientCertificateNotYetValid,
        Self::ClientCertificateForeign,
        Self::ClientCertificateRefused,
        Self::TlsVersion,
        Self::TlsFailed,
        Self::AccessDenied,
        Self::FileUnreadable,
        Self::FileMalformed,
        Self::KeyEncrypted,
        Self::KeyMismatch,
        Self::PipelineMissing,
        Self::MemoryLimiter,
        Self::QueueFull,
        Self::ExporterFailing,
        Self::PartialSuccess,
        Self::MessageTooLarge,
        Self::Throttled,
        Self::DataRefused,
        Self::CountersAbsent,
        Self::CountersMalformed,
        Self::CountersStale,
        Self::CountersReset,
        Self::AcceptedFewer,
        Self::AcceptedMore,
        Self::RefusedCounted,
        Self::NotExported,
        Self::HealthDown,
        Self::HealthElsewhere,
        Self::ReadBackFailed,
        Self::ReadBackMissing,
        Self::ReadBackDiffers,
        Self::TenantLeak,
        Self::StrangerAccepted,
    ];

    pub(crate) fn class(self) -> Class {
        self.entry().1
    }

    /// Name, class, way out.
    #[rustfmt::skip]
    pub(crate) fn entry(self) -> (&'static str, Class, &'static str) {
        use Class::{Input, Unreachable, Untrusted, Wrong};
        match self {
            Self::DnsFailure => ("dns-failure", Unreachable, "check the host's spelling and this machine's resolver; an address works too, with `--server-name` for the certificate"),
            Self::ConnectionRefused => ("connection-refused", Unreachable, "start the collector, and check that the port is published on this host"),
            Self::HostUnreachable => ("host-unreachable", Unreachable, "check routes and firewalls between this machine and the host"),
            Self::ConnectTimeout => ("connect-timeout", Unreachable, "a firewall that drops packets looks like this; check it, or raise `--timeout`"),
            Self::NoAnswer => ("no-answer", Unreachable, "look into the other side's log, or raise `--timeout`"),
            Self::ConnectionClosed => ("connection-closed", Unreachable, "look into the other side's log; a proxy between that does not speak this protocol does this too"),
            Self::CountersUnreachable => ("counters-unreachable", Unreachable, "name the port of the collector's `prometheus` exporter with `--metrics-port`; without its counters nobody can tell whether data arrived"),
            Self::HealthUnreachable => ("health-unreachable", Unreachable, "name the port of the collector's `health_check` extension with `--health-port`"),
            Self::NotOtlp => ("not-otlp", Unreachable, "another server listens here; check `--grpc-port` and `--http-port`"),
            Self::OtherProtocol => ("other-protocol", Unreachable, "the ports for gRPC and HTTP may be swapped; check `--grpc-port` and `--http-port`"),
            Self::BackendUnreachable => ("backend-unreachable", Unreachable, "check the URL and that the backend is up"),

            Self::PlainTextPort => ("plain-text-port", Untrusted, "give the listener a `tls:` block with `cert_file`, `key_file` and `client_ca_file`; data would travel unencrypted"),
            Self::TlsPort => ("tls-port", Untrusted, "write `https://` in the URL"),
            Self::WrongCa => ("wrong-ca", Untrusted, "use the `ca.crt` that belongs to the server's certificate; during a rotation it must hold the old and the new authority"),
            Self::ServerCertificateExpired => ("server-certificate-expired", Untrusted, "renew it: `collimate tls generate`; if it was renewed already, the server has not read it again"),
            Self::ServerCertificateNotYetValid => ("server-certificate-not-yet-valid", Untrusted, "compare the clocks of both machines"),
            Self::NameNotInCertificate => ("name-not-in-certificate", Untrusted, "make the certificate with this name (`collimate tls generate --san NAME`), or say by which name to judge it with `--server-name`"),
            Self::ServerCertificateInvalid => ("server-certificate-invalid", Untrusted, "`collimate tls status` on the server's certificate says what is wrong with it"),
            Self::ClientCertificateMissing => ("client-certificate-missing", Untrusted, "name certificate and key with `--certs DIR` or `--cert` and `--key`"),
            Self::ClientCertificateExpired => ("client-certificate-expired", Untrusted, "renew it: `collimate tls generate`"),
            Self::ClientCertificateNotYetValid => ("client-certificate-not-yet-valid", Untrusted, "compare the clocks of both machines"),
            Self::ClientCertificateForeign => ("client-certificate-foreign", Untrusted, "use a client certificate of the authority in the collector's `client_ca_file`"),
            Self::ClientCertificateRefused => ("client-certificate-refused", Untrusted, "the collector's log has the reason; `collimate tls status` judges the certificate (usage must include clientAuth)"),
            Self::TlsVersion => ("tls-version", Untrusted, "both sides need TLS 1.2 or 1.3 with a common cipher; check `min_version` and `max_version`"),
            Self::TlsFailed => ("tls-failed", Untrusted, "compare with `openssl s_client -connect HOST:PORT`"),
            Self::AccessDenied => ("access-denied", Untrusted, "the listener has an authenticator; this probe proves mutual TLS only"),

            Self::FileUnreadable => ("file-unreadable", Input, "check the path and its permissions; `collimate tls generate` makes the files"),
            Self::FileMalformed => ("file-malformed", Input, "the file must be PEM; `collimate tls status` says what a file holds"),
            Self::KeyEncrypted => ("key-encrypted", Input, "decrypt it first: `openssl pkey -in KEY -out NEW`; nobody is there to type a passphrase"),
            Self::KeyMismatch => ("key-mismatch", Input, "name the key that the certificate was made with"),

            Self::PipelineMissing => ("pipeline-missing", Wrong, "add a pipeline for this signal with the `otlp` receiver under `service.pipelines`"),
            Self::MemoryLimiter => ("memory-limiter", Wrong, "give the collector more memory, raise the limit of `memory_limiter`, or send less"),
            Self::QueueFull => ("queue-full", Wrong, "the backend is slower than what comes in: raise `sending_queue.queue_size` or mend the backend"),
            Self::ExporterFailing => ("exporter-failing", Wrong, "the collector's log has the exporter's error; check the backend's address, certificate and state"),
            Self::PartialSuccess => ("partial-success", Wrong, "the message comes from the collector or from a backend behind it"),
            Self::MessageTooLarge => ("message-too-large", Wrong, "send fewer with `--count`, or raise `max_recv_msg_size_mib` and `max_request_body_size` of the receiver"),
            Self::Throttled => ("throttled", Wrong, "send less, or raise the limit on the other side"),
            Self::DataRefused => ("data-refused", Wrong, "the collector's log has the reason"),

            Self::CountersAbsent => ("counters-absent", Wrong, "scrape the collector's own metrics into its pipeline, as the shipped configuration does with `prometheus/self`"),
            Self::CountersMalformed => ("counters-malformed", Wrong, "check that `--metrics-port` is the collector's `prometheus` exporter"),
            Self::CountersStale => ("counters-stale", Wrong, "the collector no longer scrapes itself; its log says why (a full memory does this)"),
            Self::CountersReset => ("counters-reset", Wrong, "run it again; if it happens again, look why the collector restarts"),
            Self::AcceptedFewer => ("accepted-fewer", Wrong, "the collector said yes to more than it counted; look into its log"),
            Self::AcceptedMore => ("accepted-more", Wrong, "if others send to this collector too, say so with `--shared`; then the counters must rise by at least what was sent"),
            Self::RefusedCounted => ("refused", Wrong, "a component behind the receiver refused data; the collector's log says which"),
            Self::NotExported => ("not-exported", Wrong, "a processor may drop it, or wait longer than `--wait` (a tail sampler's `decision_wait`)"),

            Self::HealthDown => ("health-down", Wrong, "the collector says itself that it is not ready; look into its log"),
            Self::HealthElsewhere => ("health-elsewhere", Wrong, "name the port of the `health_check` extension with `--health-port`"),

            Self::ReadBackFailed => ("read-back-failed", Wrong, "ask the backend the same question by hand"),
            Self::ReadBackMissing => ("read-back-missing", Wrong, "the collector took it and the backend does not have it: look into both logs, or raise `--wait`"),
            Self::ReadBackDiffers => ("read-back-differs", Wrong, "more than was sent means that something sends twice; fewer, that some was lost behind the collector"),
            Self::TenantLeak => ("tenant-leak", Wrong, "turn on `auth_enabled` in Loki, and let only trusted components set the tenant header"),

            Self::StrangerAccepted => ("stranger-accepted", Wrong, "set `client_ca_file` in the listener's `tls:` block, with your own authority and nothing else"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_name_is_documented() {
        let page = include_str!("../../../../docs/telemetry.md");
        let missing: Vec<&str> =
            Kind::ALL.iter().map(|kind| kind.entry().0).filter(|name| !page.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "docs/telemetry.md does not know {missing:?}");
    }

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.entry().0).collect();
        assert!(names.iter().all(|name| name.chars().all(|char| char.is_ascii_lowercase() || char == '-')));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
