//! A connection to a Redis server, with a name for each way it can say no.

use super::Request;
use super::clock::StreamId;
use super::dsn::Dsn;
use super::fault::{Kind, Side, connection};
use super::resp::{Resp, Stop, Value};
use crate::report::{Finding, shown};
use crate::wire::{Dialer, Fault, Kind as Wire, Protocol, Watch, Watched};

/// Short replies are read whole: what is longer than this in them is nothing that is asked for.
const LONGEST_SHORT: usize = 64 * 1024;

/// An open connection, after login and with its database selected.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) resp: Resp<Watched>,
    watch: Watch,
    about: String,
}

impl Redis {
    pub(crate) async fn open(request: &Request) -> Result<Self, Finding> {
        let dsn = &request.dsn;
        let about = dsn.shown();
        let unreachable = |fault| connection(fault, Side::Redis, &about);
        let dialer = Dialer::new(&request.redis, request.options.timeout).map_err(unreachable)?;
        let target = dsn.target(request.redis_server_name.clone());
        let stream =
            if dsn.tls { dialer.open(&target, Protocol::Nameless).await } else { dialer.open_plain(&target).await };
        let stream = stream.map_err(unreachable)?;
        let watch = stream.watch();
        let mut redis = Self { resp: Resp::new(stream, request.options.timeout), watch, about };
        redis.login(dsn).await?;
        Ok(redis)
    }

    async fn login(&mut self, dsn: &Dsn) -> Result<(), Finding> {
        if let Some(password) = &dsn.password {
            let password = password.reveal().as_bytes();
            match &dsn.user {
                // The long form, which only Redis 6 and newer know, is used only where it is needed.
                Some(user) => self.short(&[b"AUTH", user.as_bytes(), password]).await?,
                None => self.short(&[b"AUTH", password]).await?,
            };
        }
        self.short(&[b"PING"]).await?;
        if dsn.database != 0 {
            self.short(&[b"SELECT", dsn.database.to_string().as_bytes()]).await?;
        }
        Ok(())
    }

    /// A command with a short reply.
    pub(crate) async fn short(&mut self, command: &[&[u8]]) -> Result<Value, Finding> {
        match self.ask(command).await {
            Ok(value) => Ok(value),
            Err(stop) => Err(self.finding(command, stop)),
        }
    }

    /// The same where a refusal is an answer too.
    pub(crate) async fn asked(&mut self, command: &[&[u8]]) -> Result<Result<Value, String>, Finding> {
        match self.ask(command).await {
            Ok(value) => Ok(Ok(value)),
            Err(Stop::Refused(message)) => Ok(Err(message)),
            Err(stop) => Err(self.finding(command, stop)),
        }
    }

    async fn ask(&mut self, command: &[&[u8]]) -> Result<Value, Stop> {
        self.resp.send(command).await?;
        self.resp.value(LONGEST_SHORT).await
    }

    /// Redis's clock, in milliseconds since 1970.
    pub(crate) async fn clock(&mut self) -> Result<i64, Finding> {
        let reply = self.short(&[b"TIME"]).await?;
        match reply.list() {
            [seconds, micros] => match (seconds.number(), micros.number()) {
                (Some(seconds), Some(micros)) => Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000)),
                _ => Err(self.nonsense()),
            },
            _ => Err(self.nonsense()),
        }
    }

    pub(crate) fn nonsense(&self) -> Finding {
        Kind::NotRedis.find(self.about.clone(), "the server answers with something else than Redis does")
    }

    /// What stopped a command.
    pub(crate) fn finding(&self, command: &[&[u8]], stop: Stop) -> Finding {
        // The name only: an argument may be the password.
        let name = command.first().map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
        match stop {
            Stop::Refused(message) => refusal(&self.about, &name, &message),
            Stop::Late(limit) => connection(
                Fault::new(Wire::NoAnswer, format!("no answer to `{name}` within {limit:?}")),
                Side::Redis,
                &self.about,
            ),
            Stop::Broken => connection(self.watch.fault(), Side::Redis, &self.about),
            Stop::Nonsense(start) => {
                let fault = self.watch.fault();
                if fault.kind == Wire::TlsPort {
                    return connection(fault, Side::Redis, &self.about);
                }
                Kind::NotRedis.quoting(self.about.clone(), "the server answers, but not as Redis does", &start)
            }
        }
    }
}

/// A refusal by its first word, which is what Redis promises to keep.
pub(crate) fn refusal(about: &str, command: &str, message: &str) -> Finding {
    let code = message.split_whitespace().next().unwrap_or_default();
    let lower = message.to_ascii_lowercase();
    let (kind, text) = match code {
        // Redis quotes names in some of its texts, but never passwords.
        "WRONGPASS" => (Kind::RedisCredentialsRefused, "Redis refuses user and password".to_owned()),
        "NOAUTH" => {
            (Kind::RedisCredentialsRefused, "Redis asks for a password, and the connection string has none".to_owned())
        }
        "NOPERM" => (Kind::RedisPermissionDenied, format!("the user may not use `{command}` on the stream")),
        "DENIED" => {
            (Kind::RedisProtected, "Redis runs in protected mode and takes no connections from elsewhere".to_owned())
        }
        "LOADING" => (Kind::RedisBusy, "Redis is still loading its data".to_owned()),
        "BUSY" => (Kind::RedisBusy, "Redis is busy with a script".to_owned()),
        "MASTERDOWN" => (Kind::ReplicaStale, "this replica has lost its primary and shows nothing".to_owned()),
        "CLUSTERDOWN" | "MOVED" | "ASK" | "CROSSSLOT" => {
            (Kind::RedisCluster, "this is a node of a Redis Cluster".to_owned())
        }
        "READONLY" => (Kind::ReplicaReadOnly, "this is a replica: it takes no events".to_owned()),
        "WRONGTYPE" => (Kind::StreamWrongType, "the key holds something else than a stream".to_owned()),
        "ERR" if lower.contains("max number of clients") => {
            (Kind::RedisBusy, "Redis has as many clients as it takes".to_owned())
        }
        "ERR" if lower.contains("db index") || lower.contains("select is not allowed") => {
            (Kind::RedisDatabase, "Redis has no database of this number".to_owned())
        }
        "ERR" if lower.contains("without any password configured") || lower.contains("no password is set") => (
            Kind::RedisCredentialsRefused,
            "the connection string has a password without a user, and this Redis has none set".to_owned(),
        ),
        "ERR" if lower.contains("invalid password") => {
            (Kind::RedisCredentialsRefused, "Redis refuses the password".to_owned())
        }
        "ERR" if lower.contains("wrong number of arguments for 'auth'") => {
            (Kind::RedisCredentialsRefused, "this Redis is too old for users: it knows only a password".to_owned())
        }
        "ERR" if lower.contains("unknown command") => {
            (Kind::RedisTooOld, format!("the server does not know the command `{command}`"))
        }
        _ => {
            let text = format!("Redis refuses `{command}`");
            return Kind::RedisRefused.quoting(about, &text, message);
        }
    };
    kind.find(about, text)
}

/// What a stream says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamFacts {
    pub(crate) length: i64,
    pub(crate) first: Option<StreamId>,
    /// How many entries were taken away again. `None` before Redis 7, which does not know.
    pub(crate) removed: Option<i64>,
}

/// A consumer group, as far as it tells whether somebody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) consumers: i64,
    /// Handed out and not acknowledged.
    pub(crate) pending: i64,
    /// Not handed out yet. `None` where Redis cannot tell.
    pub(crate) lag: Option<i64>,
    pub(crate) last_delivered: Option<StreamId>,
}

impl StreamFacts {
    pub(crate) fn of(reply: &Value) -> Self {
        let length = reply.member("length").and_then(Value::number).unwrap_or(0);
        let first = reply.member("first-entry").and_then(|entry| StreamId::parse(entry.list().first()?.text()?));
        let removed = reply.member("entries-added").and_then(Value::number).map(|added| added.saturating_sub(length));
        Self { length, first, removed }
    }
}

impl Group {
    pub(crate) fn of(reply: &Value) -> Option<Self> {
        let number = |name: &str| reply.member(name).and_then(Value::number);
        let name = reply.member("name")?.text()?;
        Some(Self {
            name: shown(&String::from_utf8_lossy(name)),
            consumers: number("consumers").unwrap_or(0),
            pending: number("pending").unwrap_or(0),
            lag: number("lag"),
            last_delivered: reply.member("last-delivered-id").and_then(|id| StreamId::parse(id.text()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::tests::before_server;
    use super::*;
    use crate::report::Class;

    #[test]
    fn a_short_reply_holds_no_long_text() {
        let text = |length: usize| {
            let answer = format!("${length}\r\n{}\r\n", "x".repeat(length));
            before_server(vec![answer], async |redis, _, _| {
                redis.short(&[b"INFO"]).await.map_err(|finding| finding.message)
            })
        };
        assert_eq!(text(64 * 1024).map(|value| value.text().map(<[u8]>::len)), Ok(Some(64 * 1024)));
        assert_eq!(text(64 * 1024 + 1), Ok(Value::TooLong));
    }

    #[test]
    fn refusals_are_known_by_their_first_word() {
        for (message, kind, class) in [
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                "redis-credentials-refused",
                Class::Untrusted,
            ),
            ("NOAUTH Authentication required.", "redis-credentials-refused", Class::Untrusted),
            ("ERR invalid password", "redis-credentials-refused", Class::Untrusted),
            (
                "ERR AUTH <password> called without any password configured for the default user.",
                "redis-credentials-refused",
                Class::Untrusted,
            ),
            (
                "NOPERM this user has no permissions to run the 'xrevrange' command",
                "redis-permission-denied",
                Class::Untrusted,
            ),
            ("DENIED Redis is running in protected mode", "redis-protected", Class::Untrusted),
            ("LOADING Redis is loading the dataset in memory", "redis-busy", Class::Unreachable),
            ("BUSY Redis is busy running a script.", "redis-busy", Class::Unreachable),
            ("ERR max number of clients reached", "redis-busy", Class::Unreachable),
            ("MASTERDOWN Link with MASTER is down", "replica-stale", Class::Unreachable),
            ("MOVED 3999 127.0.0.1:6381", "redis-cluster", Class::Unreachable),
            ("READONLY You can't write against a read only replica.", "replica-read-only", Class::Unreachable),
            ("ERR DB index is out of range", "redis-database", Class::Input),
            ("ERR unknown command `XINFO`", "redis-too-old", Class::Unreachable),
            ("WRONGTYPE Operation against a key", "stream-wrong-type", Class::Wrong),
            ("ERR what now", "redis-refused", Class::Unreachable),
        ] {
            let finding = refusal("Redis", "X", message);
            assert_eq!((finding.kind, finding.class), (kind, class), "{message}");
        }
    }
}
