//! Redis, Notify, and a run that would be fine: each test breaks one thing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Cli, Notify, Output, Redis, Sandbox};

pub(super) const PASSWORD: &str = "planted-redis-pa55word";
pub(super) const TOKEN: &str = "planted-notify-t0ken";
pub(super) const TENANT: &str = "acme";
pub(super) const KINDS: [&str; 2] = ["scanner.report.ready", "scanner.scan.completed"];

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) redis: Redis,
    pub(super) notify: Notify,
    pub(super) env: BTreeMap<String, String>,
    pub(super) args: Vec<String>,
}

/// What a run said, in all its forms.
pub(super) struct Run {
    pub(super) output: Output,
    pub(super) json: Value,
    pub(super) junit: String,
}

impl World {
    /// `None`, said loudly, without a Redis.
    #[track_caller]
    pub(super) fn new() -> Option<Self> {
        Self::with(&[])
    }

    #[track_caller]
    pub(super) fn with(options: &[&str]) -> Option<Self> {
        let sandbox = Sandbox::new();
        let redis = Redis::start(&sandbox, options)?;
        Some(Self::of(sandbox, redis, Notify::start(TOKEN)))
    }

    pub(super) fn of(sandbox: Sandbox, redis: Redis, notify: Notify) -> Self {
        let env = environment(redis.port(), &notify.url());
        let args = ["--wait", "0.3", "--timeout", "30"].map(str::to_owned).to_vec();
        Self { sandbox, redis, notify, env, args }
    }

    /// One event of each kind, delivered: the green state.
    pub(super) fn green(self) -> Self {
        for (number, kind) in KINDS.iter().enumerate() {
            let id = format!("event-{number}");
            self.publish(kind, &id, TENANT);
            self.deliver(kind, &id, "sent");
        }
        self
    }

    pub(super) fn publish(&self, kind: &str, id: &str, tenant: &str) {
        self.publish_at("*", kind, id, tenant);
    }

    /// At an id of the stream, such as `1700000000000-0`.
    pub(super) fn publish_at(&self, at: &str, kind: &str, id: &str, tenant: &str) {
        let event =
            json!({"eventId": id, "kind": kind, "tenant": tenant, "ts": "2026-01-01T00:00:00Z", "payload": {"n": 1}});
        self.redis.command(&["XADD", "stella.events", at, "event", &event.to_string(), "kind", kind, "tenant", tenant]);
    }

    pub(super) fn deliver(&self, kind: &str, event: &str, status: &str) {
        self.notify.deliver(delivery(kind, event, status));
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.insert(format!("NOTIFY_SMOKE_{name}"), value.into());
    }

    pub(super) fn flag(&mut self, flags: &[&str]) {
        self.args.extend(flags.iter().map(|flag| (*flag).to_owned()));
    }

    pub(super) fn cli(&self) -> Cli {
        let mut cli = cli().folder(self.sandbox.root()).args(&self.args);
        for (name, value) in &self.env {
            cli = cli.env(name, value);
        }
        cli
    }

    /// Runs it, and proves that no planted secret is in anything that it wrote.
    #[track_caller]
    pub(super) fn run(&self) -> Run {
        let output = self.cli().args(["--json", "out.json", "--junit", "out.xml"]).output();
        let read = |name| std::fs::read_to_string(self.sandbox.path(name)).unwrap_or_default();
        let (json, junit) = (read("out.json"), read("out.xml"));
        for text in [&output.stdout, &output.stderr, &json, &junit] {
            for secret in [PASSWORD, TOKEN, "planted-"] {
                assert!(!text.contains(secret), "a secret is in:\n{text}");
            }
        }
        Run { output, json: serde_json::from_str(&json).unwrap_or(Value::Null), junit }
    }
}

impl Run {
    /// The names of all findings.
    pub(super) fn kinds(&self) -> Vec<&str> {
        let findings = self.json["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        findings.iter().filter_map(|finding| finding["kind"].as_str()).collect()
    }

    /// It ended so, with exactly these findings.
    #[track_caller]
    pub(super) fn is(&self, exit: i32, kinds: &[&str]) -> &Self {
        assert_eq!((self.output.exit, self.kinds()), (exit, kinds.to_vec()), "{}", self.output);
        self
    }

    /// The last line for people.
    #[track_caller]
    pub(super) fn concludes(&self, text: &str) -> &Self {
        let last = self.output.stdout.lines().last().unwrap_or_default();
        assert!(last.contains(text), "`{text}` is not in the last line of\n{}", self.output);
        self
    }

    #[track_caller]
    pub(super) fn says(&self, text: &str) -> &Self {
        assert!(self.output.stdout.contains(text), "`{text}` is not in\n{}", self.output);
        self
    }

    /// The row of a kind.
    pub(super) fn row(&self, kind: &str) -> &Value {
        let rows = self.json["tables"]["kinds"].as_array().map(Vec::as_slice).unwrap_or_default();
        rows.iter().find(|row| row["name"] == kind).unwrap_or(&Value::Null)
    }
}

pub(super) fn cli() -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).args(["smoke", "notify"])
}

pub(super) fn environment(redis: u16, notify: &str) -> BTreeMap<String, String> {
    let variables = [
        ("REDIS_DSN", format!("redis://127.0.0.1:{redis}/0")),
        ("NOTIFY_BASEURL", notify.to_owned()),
        ("NOTIFY_TOKEN", TOKEN.to_owned()),
        ("NOTIFY_TENANT", TENANT.to_owned()),
        ("EXPECT_KINDS", KINDS.join(",")),
        ("LOOKBACK_MINUTES", "30".to_owned()),
    ];
    variables.into_iter().map(|(name, value)| (format!("NOTIFY_SMOKE_{name}"), value)).collect()
}

/// Made now.
pub(super) fn delivery(kind: &str, event: &str, status: &str) -> Value {
    json!({
        "deliveryId": format!("delivery-of-{event}"),
        "tenantId": TENANT,
        "status": status,
        "kind": kind,
        "eventId": event,
        "createdUtc": moment(0),
    })
}

/// So many seconds from now, as Notify writes it.
pub(super) fn moment(seconds: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    format!("{now:.3}")
}

/// So many minutes ago, as an id of the stream.
pub(super) fn minutes_ago(minutes: i64) -> String {
    let now = jiff::Timestamp::now().as_millisecond();
    format!("{}-0", now - minutes * 60_000)
}
