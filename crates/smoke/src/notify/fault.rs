//! The findings of this probe: for each a name, how the program ends, and the way out.
//!
//! A deployment is rolled back on exit 1 and on nothing else. So [`Class::Wrong`] is only what shows that events do not become
//! deliveries; whatever merely keeps us from seeing is [`Class::Unreachable`] or [`Class::Untrusted`].

use crate::report::{self, Class, Finding};
use crate::wire::{self, Kind as Wire};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    RedisCredentialsRefused,
    RedisPermissionDenied,
    RedisProtected,
    RedisDatabase,
    RedisBusy,
    RedisCluster,
    NotRedis,
    RedisTooOld,
    RedisRefused,
    ReplicaReadOnly,
    ReplicaStale,

    StreamMissing,
    StreamEmpty,
    StreamWrongType,
    EntriesUnreadable,
    WindowTrimmed,
    WindowNotRead,
    SinceAhead,
    ClockSkew,

    NoEvent,
    NothingSinceDeployment,
    WrongTenant,
    NoDelivery,
    DeliveryFailed,
    DeliveryPending,
    DeliveryStatusUnknown,
    DeliveryWrongTenant,

    TokenRefused,
    TokenExpired,
    AccessDenied,
    NotifyNotFound,
    NotifyRefusesRequest,
    NotifyThrottles,
    NotifyFailing,
    NotifyRedirects,
    NotNotify,
    NotifyPagingLoop,
    NotifyAnswerTooLarge,
    DeliveriesNotRead,
}

impl Kind {
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::RedisCredentialsRefused,
        Self::RedisPermissionDenied,
        Self::RedisProtected,
        Self::RedisDatabase,
        Self::RedisBusy,
        Self::RedisCluster,
        Self::NotRedis,
        Self::RedisTooOld,
        Self::RedisRefused,
        Self::ReplicaReadOnly,
        Self::ReplicaStale,
        Self::StreamMissing,
        Self::StreamEmpty,
        Self::StreamWrongType,
        Self::EntriesUnreadable,
        Self::WindowTrimmed,
        Self::WindowNotRead,
        Self::SinceAhead,
        Self::ClockSkew,
        Self::NoEvent,
        Self::NothingSinceDeployment,
        Self::WrongTenant,
        Self::NoDelivery,
        Self::DeliveryFailed,
        Self::DeliveryPending,
        Self::DeliveryStatusUnknown,
        Self::DeliveryWrongTenant,
        Self::TokenRefused,
        Self::TokenExpired,
        Self::AccessDenied,
        Self::NotifyNotFound,
        Self::NotifyRefusesRequest,
        Self::NotifyThrottles,
        Self::NotifyFailing,
        Self::NotifyRedirects,
        Self::NotNotify,
        Self::NotifyPagingLoop,
        Self::NotifyAnswerTooLarge,
        Self::DeliveriesNotRead,
    ];

    /// Name, class, way out.
    #[rustfmt::skip]
    pub(crate) fn entry(self) -> (&'static str, Class, &'static str) {
        use Class::{Doubtful, Input, Unreachable, Untrusted, Wrong};
        match self {
            Self::RedisCredentialsRefused => ("redis-credentials-refused", Untrusted, "check user and password in `NOTIFY_SMOKE_REDIS_DSN`; `collimate smoke notify --print-clock` tries them"),
            Self::RedisPermissionDenied => ("redis-permission-denied", Untrusted, "give the user the rights that this check needs: `ACL SETUSER NAME %R~STREAM +ping +select +time +type +role +xinfo +xrange +xrevrange` (`+xadd` and `%RW~STREAM` for `--emit`)"),
            Self::RedisProtected => ("redis-protected", Untrusted, "Redis takes only local connections as long as it has no password: set one, or connect from where it runs"),
            Self::RedisDatabase => ("redis-database", Input, "check the database number at the end of `NOTIFY_SMOKE_REDIS_DSN`"),
            Self::RedisBusy => ("redis-busy", Unreachable, "wait until Redis is ready; `redis-cli info` says what it does"),
            Self::RedisCluster => ("redis-cluster", Unreachable, "Redis Cluster is not supported; name the node that holds the stream, or a server of its own"),
            Self::NotRedis => ("not-redis", Unreachable, "check host and port in `NOTIFY_SMOKE_REDIS_DSN`"),
            Self::RedisTooOld => ("redis-too-old", Unreachable, "streams need Redis 5 or newer; a Sentinel has none at all: name the server itself"),
            Self::RedisRefused => ("redis-refused", Unreachable, "look into Redis's log"),
            Self::ReplicaReadOnly => ("replica-read-only", Unreachable, "`--emit` writes: name the primary in `NOTIFY_SMOKE_REDIS_DSN`"),
            Self::ReplicaStale => ("replica-stale", Unreachable, "mend the replication, or name the primary in `NOTIFY_SMOKE_REDIS_DSN`"),

            Self::StreamMissing => ("stream-missing", Wrong, "nothing was ever published here: check `NOTIFY_SMOKE_REDIS_STREAM`, the database number, and the publishers' configuration"),
            Self::StreamEmpty => ("stream-empty", Wrong, "look into the publishers' logs; a stream that is trimmed to nothing looks like this too"),
            Self::StreamWrongType => ("stream-wrong-type", Wrong, "publishers cannot write to it: check `NOTIFY_SMOKE_REDIS_STREAM`, and what else uses this database"),
            Self::EntriesUnreadable => ("entries-unreadable", Unreachable, "name the field that holds the event's JSON with `NOTIFY_SMOKE_REDIS_FIELD`"),
            Self::WindowTrimmed => ("window-trimmed", Unreachable, "let publishers keep more (`MAXLEN`), or look back less (`NOTIFY_SMOKE_LOOKBACK_MINUTES`)"),
            Self::WindowNotRead => ("window-not-read", Unreachable, "look back less (`NOTIFY_SMOKE_LOOKBACK_MINUTES`), or give `--since`"),
            Self::SinceAhead => ("since-ahead", Input, "take the moment from Redis's own clock: `collimate smoke notify --print-clock`"),
            Self::ClockSkew => ("clock-skew", Doubtful, "synchronise the clocks (NTP); events are judged by Redis's clock, so only latencies and the token's expiry suffer"),

            Self::NoEvent => ("no-event", Wrong, "make traffic first (a scan), or use `--emit`; else look into the publisher's log"),
            Self::NothingSinceDeployment => ("nothing-since-deployment", Wrong, "what was deployed does not publish: make traffic after the deployment, or look into the publisher's log"),
            Self::WrongTenant => ("wrong-tenant", Wrong, "check `NOTIFY_SMOKE_NOTIFY_TENANT`, and the tenant that the publisher is configured for"),
            Self::NoDelivery => ("no-delivery", Wrong, "check that a rule of this tenant matches the kind, and that Notify's worker runs"),
            Self::DeliveryFailed => ("delivery-failed", Wrong, "check the channel that Notify delivers to"),
            Self::DeliveryPending => ("delivery-pending", Wrong, "look into Notify's worker, or raise `--wait`"),
            Self::DeliveryStatusUnknown => ("delivery-status-unknown", Wrong, "known are `pending`, `sent` and `failed`; what is held back on purpose has not been delivered"),
            Self::DeliveryWrongTenant => ("delivery-wrong-tenant", Wrong, "Notify shows one tenant what belongs to another: check `NOTIFY_SMOKE_NOTIFY_TENANT_HEADER`, and treat it as a leak if that is right"),

            Self::TokenRefused => ("token-refused", Untrusted, "make a new token for the service account and set `NOTIFY_SMOKE_NOTIFY_TOKEN`"),
            Self::TokenExpired => ("token-expired", Untrusted, "make a new token for the service account and set `NOTIFY_SMOKE_NOTIFY_TOKEN`"),
            Self::AccessDenied => ("access-denied", Untrusted, "the account may not read this tenant's deliveries: give it that scope, or check `NOTIFY_SMOKE_NOTIFY_TENANT` and `NOTIFY_SMOKE_NOTIFY_TENANT_HEADER`"),
            Self::NotifyNotFound => ("notify-not-found", Unreachable, "check `NOTIFY_SMOKE_NOTIFY_BASEURL`: what is asked is `BASEURL/api/v1/notify/deliveries`"),
            Self::NotifyRefusesRequest => ("notify-refuses-request", Unreachable, "check `NOTIFY_SMOKE_NOTIFY_TENANT` and `NOTIFY_SMOKE_NOTIFY_TENANT_HEADER`"),
            Self::NotifyThrottles => ("notify-throttles", Unreachable, "try later, or let this account ask more often"),
            Self::NotifyFailing => ("notify-failing", Unreachable, "look into Notify's log, and at what it needs (its database)"),
            Self::NotifyRedirects => ("notify-redirects", Unreachable, "a redirect is not followed, because the token would go along: write the final address into `NOTIFY_SMOKE_NOTIFY_BASEURL`"),
            Self::NotNotify => ("not-notify", Unreachable, "another server answers: check `NOTIFY_SMOKE_NOTIFY_BASEURL`, and proxies between"),
            Self::NotifyPagingLoop => ("notify-paging-loop", Unreachable, "report it to Notify's developers"),
            Self::NotifyAnswerTooLarge => ("notify-answer-too-large", Unreachable, "Notify does not honour `page_size`; report it to its developers"),
            Self::DeliveriesNotRead => ("deliveries-not-read", Unreachable, "look back less (`NOTIFY_SMOKE_LOOKBACK_MINUTES`), or give `--since`"),
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

/// Whose connection it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Redis,
    Notify,
}

/// A connection that did not work, in words that fit this probe.
pub(crate) fn connection(fault: wire::Fault, side: Side, about: &str) -> Finding {
    let help = match (fault.kind, side) {
        (Wire::DnsFailure, Side::Redis) => "check the host in `NOTIFY_SMOKE_REDIS_DSN` and this machine's resolver",
        (Wire::DnsFailure, Side::Notify) => {
            "check the host in `NOTIFY_SMOKE_NOTIFY_BASEURL` and this machine's resolver"
        }
        (Wire::ConnectionRefused, Side::Redis) => "start Redis, and check host and port in `NOTIFY_SMOKE_REDIS_DSN`",
        (Wire::ConnectionRefused, Side::Notify) => {
            "start Notify, and check host and port in `NOTIFY_SMOKE_NOTIFY_BASEURL`"
        }
        // Without TLS, Redis takes the beginning of a handshake for half of a command and waits for the rest.
        (Wire::NoAnswer, Side::Redis) if fault.message.contains("TLS handshake") => {
            "a Redis without TLS behaves like this: name its TLS port, or write `redis://` if that is wanted"
        }
        (Wire::PlainTextPort, Side::Redis) => "write `redis://` if that is wanted, or name Redis's TLS port",
        (Wire::PlainTextPort, Side::Notify) => "name Notify's TLS port; over `http://` everybody could read the token",
        (Wire::TlsPort, Side::Redis) => "write `rediss://` in `NOTIFY_SMOKE_REDIS_DSN`",
        (Wire::TlsPort, Side::Notify) => "write `https://` in `NOTIFY_SMOKE_NOTIFY_BASEURL`",
        (Wire::WrongCa, Side::Redis) => "name the file with Redis's authority in `NOTIFY_SMOKE_REDIS_CA`",
        (Wire::WrongCa, Side::Notify) => "name the file with Notify's authority in `NOTIFY_SMOKE_NOTIFY_CA`",
        (Wire::ServerCertificateExpired, _) => {
            "renew the server's certificate; if it was renewed already, the server has not read it again"
        }
        (Wire::NameNotInCertificate, Side::Redis) => {
            "say by which name to judge it with `NOTIFY_SMOKE_REDIS_SERVER_NAME`, or mend the certificate"
        }
        (Wire::NameNotInCertificate, Side::Notify) => {
            "use one of these names in `NOTIFY_SMOKE_NOTIFY_BASEURL`, or mend the certificate"
        }
        (Wire::ClientCertificateMissing | Wire::ClientCertificateForeign, Side::Redis) => {
            "name a client certificate of the authority that Redis trusts in `NOTIFY_SMOKE_REDIS_CERT` and `NOTIFY_SMOKE_REDIS_KEY`"
        }
        (Wire::ClientCertificateMissing, Side::Notify) => {
            "Notify asks for a client certificate, and this check has none for it: name an address without"
        }
        (Wire::ClientCertificateExpired, _) => "renew our client certificate",
        (Wire::NotOtlp, _) => Kind::NotNotify.entry().2,
        (kind, _) => kind.entry().2,
    };
    let (name, class, _) = match fault.kind {
        Wire::NotOtlp => Kind::NotNotify.entry(),
        kind => kind.entry(),
    };
    let of = match side {
        Side::Redis => "Redis",
        Side::Notify => "Notify",
    };
    let message = format!("cannot talk to {of}: {}", fault.message);
    Finding { kind: name, class, about: vec![about.to_owned()], message, help: Some(help.to_owned()) }
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
}
