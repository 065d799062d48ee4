use std::fs::File;
use std::io::Read as _;
use std::sync::mpsc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use smoke::notify::{self as probe, Options, Problem, Request, Settings, VARIABLES};
use smoke::report::{Cell, Report, Row, Table, Verdict};
use source::system;

use super::{OutputArgs, finish, seconds};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::write;

/// No connection string or token is longer.
const LONGEST_SECRET: u64 = 64 * 1024;

/// Prove that events of the scanner become deliveries in Notify
///
/// Reads the Redis stream over a window, asks Notify for its deliveries, and matches the two: every expected kind was seen, and every event
/// was delivered. Configured by the variables `NOTIFY_SMOKE_*`; flags override them. Connection string and token come from the environment
/// or from files, never from flags; `NOTIFY_SMOKE_ENABLED=false` switches it off. Exits with 1 if events do not become deliveries (and on nothing else), 2 if the configuration is wrong, 4
/// if Redis or Notify cannot be reached, 5 if credentials or a certificate are refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Check the configuration only; nothing is connected to
    #[arg(long, conflicts_with_all = ["print_clock", "emit"])]
    check_config: bool,

    /// Print what Redis's clock says, for `--since` of a later run, and do nothing else
    #[arg(long, conflicts_with = "emit")]
    print_clock: bool,

    /// Only events that are newer count: the start of the deployment by Redis's clock, as RFC 3339 or as an id of the stream
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    since: Option<Timestamp>,

    /// How long to wait for late events and deliveries
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    wait: Duration,

    /// Limit of each connection and each step of a call
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    emit: EmitArgs,

    #[command(flatten)]
    redis: RedisArgs,

    #[command(flatten)]
    notify: NotifyArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// Write the report as JSON to this file too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    json: Option<Utf8PathBuf>,

    /// Write the report as JUnit to this file too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Synthetic events")]
struct EmitArgs {
    /// Put one synthetic event of each kind on the stream first, for systems without traffic. It may page real people
    #[arg(long, requires = "emit_tenants")]
    emit: bool,

    /// The tenants for which that is allowed, with commas between
    #[arg(long, value_name = "TENANT,…", value_delimiter = ',')]
    emit_tenants: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Redis")]
struct RedisArgs {
    /// File with the connection string, `redis[s]://user:pass@host:port/db` (`NOTIFY_SMOKE_REDIS_DSN`)
    #[arg(long, value_name = "FILE")]
    redis_dsn_file: Option<Utf8PathBuf>,

    /// Event kinds that must be seen, with commas between (`NOTIFY_SMOKE_EXPECT_KINDS`)
    #[arg(long, value_name = "KIND,…")]
    expect_kinds: Option<String>,

    /// Minutes of the stream that are looked at (`NOTIFY_SMOKE_LOOKBACK_MINUTES`)
    #[arg(long, value_name = "N")]
    lookback_minutes: Option<String>,

    /// Name of the stream, by default `stella.events` (`NOTIFY_SMOKE_REDIS_STREAM`)
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,

    /// Field of an entry that holds the event as JSON, by default `event` (`NOTIFY_SMOKE_REDIS_FIELD`)
    #[arg(long, value_name = "NAME")]
    event_field: Option<String>,

    /// Authorities of Redis's certificate, by default those of this system (`NOTIFY_SMOKE_REDIS_CA`)
    #[arg(long, value_name = "FILE")]
    redis_ca: Option<String>,

    /// Our client certificate (`NOTIFY_SMOKE_REDIS_CERT`)
    #[arg(long, value_name = "FILE")]
    redis_cert: Option<String>,

    /// Its key (`NOTIFY_SMOKE_REDIS_KEY`)
    #[arg(long, value_name = "FILE")]
    redis_key: Option<String>,

    /// The name in Redis's certificate, where it is not the host, as through a tunnel (`NOTIFY_SMOKE_REDIS_SERVER_NAME`)
    #[arg(long, value_name = "NAME")]
    redis_server_name: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Notify")]
struct NotifyArgs {
    /// Base URL of Notify (`NOTIFY_SMOKE_NOTIFY_BASEURL`)
    #[arg(long, value_name = "URL")]
    notify_url: Option<String>,

    /// File with the bearer token (`NOTIFY_SMOKE_NOTIFY_TOKEN`)
    #[arg(long, value_name = "FILE")]
    token_file: Option<Utf8PathBuf>,

    /// Tenant whose events and deliveries are looked at (`NOTIFY_SMOKE_NOTIFY_TENANT`)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Header that carries the tenant, by default `X-StellaOps-Tenant` (`NOTIFY_SMOKE_NOTIFY_TENANT_HEADER`)
    #[arg(long, value_name = "NAME")]
    tenant_header: Option<String>,

    /// Authorities of Notify's certificate, by default those of this system (`NOTIFY_SMOKE_NOTIFY_CA`)
    #[arg(long, value_name = "FILE")]
    notify_ca: Option<String>,

    /// Accept a base URL with `http://`: everybody on the way can read the token
    #[arg(long)]
    token_over_plain_http: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    if !is_enabled(ctx)? {
        ctx.say(&format!("warning: `smoke notify` is skipped: `{}` switches it off\n", probe::ENABLED));
        return written(&probe::switched_off(probe::ENABLED), args, ctx);
    }
    let (settings, unreadable) = settings(args, ctx);
    let request = match Request::check(&settings) {
        Ok(request) if unreadable.is_empty() => request,
        Ok(_) => return Err(misconfigured(unreadable)),
        Err(problems) => {
            // A file that cannot be read has said so; that its variable is missing follows from it.
            let others =
                problems.into_iter().filter(|problem| unreadable.iter().all(|known| known.about != problem.about));
            return Err(misconfigured(unreadable.iter().cloned().chain(others).collect()));
        }
    };
    if args.check_config {
        if let Some(end) = request.token_expiry().filter(|end| *end <= ctx.now()) {
            let message = format!("is of no use any more: the token expired at {end}");
            return Err(misconfigured(vec![Problem { about: probe::TOKEN, message }]));
        }
        return written(&configuration(&settings), args, ctx);
    }
    if args.print_clock {
        return match probe::clock(&request) {
            Ok(now) => ctx.print(&format!("{now}\n")).map(|()| Exit::Fine),
            Err(report) => written(&report, args, ctx),
        };
    }
    written(&probe::run(&request), args, ctx)
}

fn written(report: &Report, args: &Args, ctx: &Ctx) -> Result<Exit> {
    let mut named: Vec<&Utf8PathBuf> = [&args.json, &args.junit, &args.output.output].into_iter().flatten().collect();
    named.sort();
    if let Some([path, _]) = named.array_windows().find(|[path, next]| path == next) {
        return Err(Failure::usage(format!("`{path}` is named for two reports")).hint("name one file for each format"));
    }
    let also = [(&args.json, smoke::report::json(report)), (&args.junit, smoke::report::junit(report))];
    let files: Vec<write::NewFile> = also
        .into_iter()
        .filter_map(|(path, text)| Some(write::NewFile { path: ctx.cwd().join(path.as_ref()?), content: text.into() }))
        .collect();
    write::replace_all(&files)?;
    match finish(report, &args.output, ctx)? {
        // Whatever was given wrongly to this probe is configuration, also where only Redis could tell.
        Exit::Input => Ok(Exit::Usage),
        exit => Ok(exit),
    }
}

/// Whether the stage is switched on. Anything but a clear word is an error: a check must not be skipped by a slip.
fn is_enabled(ctx: &Ctx) -> Result<bool> {
    let word = ctx.environment().get(probe::ENABLED).map(|word| word.trim().to_ascii_lowercase()).unwrap_or_default();
    match word.as_str() {
        "" | "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => {
            let message = "is malformed: it must be `true` or `false`".to_owned();
            Err(misconfigured(vec![Problem { about: probe::ENABLED, message }]))
        }
    }
}

/// What is configured, and the files with secrets that could not be read.
fn settings(args: &Args, ctx: &Ctx) -> (Settings, Vec<Problem>) {
    let mut settings = Settings::default();
    let mut problems = Vec::new();
    for variable in &VARIABLES {
        if let Some(value) = ctx.environment().get(variable.name) {
            settings.values.insert(variable.name, value.clone());
        }
    }
    let (redis, notify) = (&args.redis, &args.notify);
    let flags = [
        (probe::EXPECT_KINDS, &redis.expect_kinds),
        (probe::LOOKBACK, &redis.lookback_minutes),
        (probe::STREAM, &redis.stream),
        (probe::FIELD, &redis.event_field),
        (probe::REDIS_CA, &redis.redis_ca),
        (probe::REDIS_CERT, &redis.redis_cert),
        (probe::REDIS_KEY, &redis.redis_key),
        (probe::REDIS_SERVER_NAME, &redis.redis_server_name),
        (probe::BASE_URL, &notify.notify_url),
        (probe::TENANT, &notify.tenant),
        (probe::TENANT_HEADER, &notify.tenant_header),
        (probe::NOTIFY_CA, &notify.notify_ca),
    ];
    for (name, value) in flags {
        if let Some(value) = value {
            settings.values.insert(name, value.clone());
        }
    }
    for (name, path) in [(probe::REDIS_DSN, &redis.redis_dsn_file), (probe::TOKEN, &notify.token_file)] {
        let Some(path) = path else { continue };
        match secret(&ctx.cwd().join(path), args.timeout) {
            Ok(secret) => {
                settings.values.insert(name, secret);
            }
            Err(why) => problems.push(Problem { about: name, message: format!("cannot be read from `{path}`: {why}") }),
        }
    }
    settings.options = Options {
        since: args.since,
        wait: args.wait,
        timeout: args.timeout,
        emit: args.emit.emit,
        emit_tenants: args.emit.emit_tenants.clone(),
        token_over_plain_http: notify.token_over_plain_http,
        system_authorities: ctx
            .environment()
            .get("SSL_CERT_FILE")
            .filter(|path| !path.is_empty())
            .map(Utf8PathBuf::from),
    };
    (settings, problems)
}

/// A file, or a pipe such as `<(vault …)`. One that nobody writes into must not keep a pipeline waiting for ever.
fn secret(path: &Utf8Path, patience: Duration) -> std::result::Result<String, String> {
    let (sender, receiver) = mpsc::channel();
    let file = path.to_owned();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = File::open(file).and_then(|file| file.take(LONGEST_SECRET + 1).read_to_string(&mut text));
        // Who waited may have given up.
        let _ = sender.send(read.map(|_| text));
    });
    match receiver.recv_timeout(patience) {
        Ok(Ok(text)) if text.len() as u64 > LONGEST_SECRET => Err("it is larger than 64 KiB".to_owned()),
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(system::reason(&error)),
        Err(_) => Err(format!("nothing came out of it within {} s (`--timeout`)", patience.as_secs_f64())),
    }
}

/// All problems in one message: who mends one must not be sent back for the next.
fn misconfigured(problems: Vec<Problem>) -> Failure {
    let count = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    let failure = Failure::usage(format!("`smoke notify` is not configured: {count}"));
    problems
        .iter()
        .fold(failure, |failure, problem| failure.because(format!("`{}` {}", problem.about, problem.message)))
        .hint("`collimate smoke notify --help` names every variable, `--check-config` checks them without connecting")
}

/// What is set to what. Secrets are set, and that is all that is said of them.
fn configuration(settings: &Settings) -> Report {
    let row = |variable: &probe::Variable| {
        let given = settings.values.get(variable.name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let value = match (given, variable.need) {
            (Some(_), _) if variable.secret => "set, secret".to_owned(),
            (Some(value), _) => value.to_owned(),
            (None, probe::Need::Default(default)) => format!("{default} (default)"),
            (None, _) => "not set".to_owned(),
        };
        let cells = vec![Cell::Text(variable.name.to_owned()), Cell::Text(value)];
        Row { name: variable.name.to_owned(), cells, verdict: Verdict::Passed }
    };
    Report {
        probe: "notify",
        subject: "configuration".to_owned(),
        facts: Vec::new(),
        tables: vec![Table {
            name: "variables",
            columns: &["variable", "value"],
            rows: VARIABLES.iter().map(row).collect(),
        }],
        findings: Vec::new(),
        conclusion: None,
    }
}

/// RFC 3339, or an id of the stream: milliseconds since 1970, with or without the number within the millisecond.
fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let id = match text.split_once('-') {
        Some((millis, number)) if is_number(number) => millis,
        _ => text,
    };
    let millis =
        id.parse::<i64>().ok().filter(|_| id.len() > 10).and_then(|millis| Timestamp::from_millisecond(millis).ok());
    millis.or_else(|| text.parse().ok()).ok_or_else(|| {
        "it must be a moment such as `2026-01-31T12:00:00Z`, or an id of the stream such as `1769860800000-0`"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_two_spellings() {
        let expected = Timestamp::from_millisecond(1_769_860_800_000).unwrap();
        for text in ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z", "1769860800000", "1769860800000-7"] {
            assert_eq!(moment(text), Ok(expected), "{text}");
        }
        for text in ["", "yesterday", "2026-01-31", "2026", "1769860800000-x", "1769860800000-"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
