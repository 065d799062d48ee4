//! The variables that configure this probe: one table for the check, the help and the documentation.

/// One documented variable.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    /// The flag that overrides it.
    pub flag: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    pub need: Need,
    /// Its value is never shown and is never given on a command line.
    pub secret: bool,
}

/// What it means that a variable is missing or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Default(&'static str),
    Optional,
}

pub const REDIS_DSN: &str = "NOTIFY_SMOKE_REDIS_DSN";
pub const BASE_URL: &str = "NOTIFY_SMOKE_NOTIFY_BASEURL";
pub const TOKEN: &str = "NOTIFY_SMOKE_NOTIFY_TOKEN";
pub const TENANT: &str = "NOTIFY_SMOKE_NOTIFY_TENANT";
pub const TENANT_HEADER: &str = "NOTIFY_SMOKE_NOTIFY_TENANT_HEADER";
pub const EXPECT_KINDS: &str = "NOTIFY_SMOKE_EXPECT_KINDS";
pub const LOOKBACK: &str = "NOTIFY_SMOKE_LOOKBACK_MINUTES";
pub const STREAM: &str = "NOTIFY_SMOKE_REDIS_STREAM";
pub const FIELD: &str = "NOTIFY_SMOKE_REDIS_FIELD";
pub const REDIS_CA: &str = "NOTIFY_SMOKE_REDIS_CA";
pub const REDIS_CERT: &str = "NOTIFY_SMOKE_REDIS_CERT";
pub const REDIS_KEY: &str = "NOTIFY_SMOKE_REDIS_KEY";
pub const REDIS_SERVER_NAME: &str = "NOTIFY_SMOKE_REDIS_SERVER_NAME";
pub const NOTIFY_CA: &str = "NOTIFY_SMOKE_NOTIFY_CA";
/// Switches the stage; read by the program, not by the probe.
pub const ENABLED: &str = "NOTIFY_SMOKE_ENABLED";

const fn variable(name: &'static str, flag: &'static str, purpose: &'static str, need: Need) -> Variable {
    Variable { name, flag, purpose, need, secret: false }
}

const fn secret(name: &'static str, flag: &'static str, purpose: &'static str) -> Variable {
    Variable { name, flag, purpose, need: Need::Required, secret: true }
}

/// All of them, those that are required first.
pub const VARIABLES: [Variable; 15] = [
    secret(
        REDIS_DSN,
        "--redis-dsn-file",
        "connection string of the Redis with the events, `redis://user:pass@host:port/db`",
    ),
    variable(BASE_URL, "--notify-url", "base URL of Notify, such as `https://notify.example.internal`", Need::Required),
    secret(TOKEN, "--token-file", "bearer token of a service account that may read deliveries"),
    variable(TENANT, "--tenant", "tenant whose events and deliveries are looked at", Need::Required),
    variable(
        EXPECT_KINDS,
        "--expect-kinds",
        "event kinds that must be seen, such as `scanner.report.ready,scanner.scan.completed`",
        Need::Required,
    ),
    variable(LOOKBACK, "--lookback-minutes", "minutes of the stream that are looked at, such as 30", Need::Required),
    variable(
        TENANT_HEADER,
        "--tenant-header",
        "name of the header that carries the tenant",
        Need::Default("X-StellaOps-Tenant"),
    ),
    variable(STREAM, "--stream", "name of the Redis stream", Need::Default("stella.events")),
    variable(FIELD, "--event-field", "field of a stream entry that holds the event as JSON", Need::Default("event")),
    variable(REDIS_CA, "--redis-ca", "file with the authorities of Redis's certificate", Need::Optional),
    variable(REDIS_CERT, "--redis-cert", "file with our client certificate for Redis", Need::Optional),
    variable(REDIS_KEY, "--redis-key", "file with its key", Need::Optional),
    variable(
        REDIS_SERVER_NAME,
        "--redis-server-name",
        "name in Redis's certificate, where it is not the host",
        Need::Optional,
    ),
    variable(NOTIFY_CA, "--notify-ca", "file with the authorities of Notify's certificate", Need::Optional),
    variable(ENABLED, "", "`false` switches the check off", Need::Default("true")),
];
