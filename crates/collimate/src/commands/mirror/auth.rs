use std::net::SocketAddr;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use verifier::{Domain, ErrorKind, Event, Place, Surveyed};

use super::settings::Settings;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// Without `--remember` and `--config`.
const REMEMBER: Duration = Duration::from_secs(30);

/// Below, bcrypt would be run for every other request; above, a disk that hangs would let a removed tenant in for too long.
const REMEMBER_SECONDS: std::ops::RangeInclusive<u64> = 1..=3600;

/// More threads than any machine should spend on wrong passwords.
const MOST_WORKERS: u16 = 64;

/// Tell the gateway whether a credential is right
///
/// A small server beside nginx, which asks it for every request (`auth_request`): `GET /verify` with the client's `Authorization` and
/// `X-Mirror-Domain` is answered with 204 and the tenant's name in `X-Mirror-Tenant`, with 401, or with 503 where it cannot be judged; the
/// gateway then shows nothing. `GET /health` says whether every domain can be judged.
///
/// bcrypt is run once for a header, which is then remembered for a short time. Files are read again every second: a tenant that was added is
/// in and one that was removed is out without a restart. A domain whose file is damaged or missing is closed. Ends with 0 on SIGTERM, when what runs
/// is answered, and with 4 where its socket is removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Listen on this socket, made with mode 0660; a stale one is replaced
    #[arg(long, value_name = "FILE", required_unless_present_any = ["listen", "check"])]
    socket: Option<Utf8PathBuf>,

    /// Listen on this address of this machine instead, such as `127.0.0.1:8082`
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "socket")]
    listen: Option<SocketAddr>,

    /// The folder that holds `mirror-<domain>.htpasswd`
    #[arg(long, value_name = "DIR")]
    secrets: Utf8PathBuf,

    /// A domain that is asked for (repeatable); by default those of `--config`, else those that have a file
    #[arg(long = "domain", value_name = "ID")]
    domains: Vec<Domain>,

    /// Take domains and lifetime from this `mirror.yaml`
    #[arg(long, value_name = "FILE")]
    config: Option<Utf8PathBuf>,

    /// How long a right header is remembered, such as `30s` or `5m`; `lifetimes.verified` of `--config` by default, else 30s
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    remember: Option<Duration>,

    /// Threads that run bcrypt; by default half as many as there are cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_WORKERS)))]
    workers: Option<u16>,

    /// The form of the log on stderr
    #[arg(long, value_name = "FORM", default_value = "text")]
    log: LogForm,

    /// Look at the files, say what is wrong with them, and end
    ///
    /// Exits with 3 if a file is damaged or missing, with 1 if a tenant can never be let in.
    #[arg(long, conflicts_with_all = ["socket", "listen"])]
    check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LogForm {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    // Before the first secret is read.
    verifier::harden().map_err(|error| failure(&error))?;
    let secrets = ctx.cwd().join(&args.secrets);
    let settings = args.config.as_deref().map(|file| Settings::of_file(file, ctx)).transpose()?;
    let domains = domains(args, settings.as_ref())?;
    if args.check {
        let surveyed = verifier::survey(&secrets, &domains).map_err(|error| failure(&error))?;
        ctx.print(&report(&surveyed))?;
        return Ok(verdict(&surveyed));
    }
    let place = match (&args.socket, args.listen) {
        (Some(socket), _) => Place::Socket(ctx.cwd().join(socket)),
        (None, Some(address)) => Place::Address(address),
        (None, None) => return Err(Failure::usage("neither `--socket` nor `--listen` is given")),
    };
    let configured = settings.map(|settings| settings.mirror.lifetimes.verified.value.0);
    let configured = configured.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let server = verifier::Settings {
        secrets,
        domains,
        place,
        remember: args.remember.or(configured).unwrap_or(REMEMBER),
        workers: args.workers.map_or_else(|| (cores / 2).clamp(1, MOST_WORKERS.into()), usize::from),
    };
    let log = |event: &Event| ctx.say(&line(event, args.log, ctx));
    verifier::serve(&server, &log).map_err(|error| failure(&error))?;
    Ok(Exit::Fine)
}

fn domains(args: &Args, settings: Option<&Settings>) -> Result<Vec<Domain>> {
    let Some(settings) = settings.filter(|_| args.domains.is_empty()) else { return Ok(args.domains.clone()) };
    let asked = settings.mirror.domains.iter().filter(|domain| domain.require_authentication.value);
    let domains: Vec<Domain> = asked.filter_map(|domain| domain.id.value.parse().ok()).collect();
    if domains.is_empty() {
        return Err(Failure::input(format!("no domain of `{}` asks for a credential", settings.file))
            .hint("a gateway without `require_authentication` needs no verifier"));
    }
    Ok(domains)
}

/// Of an event, for whoever watches. What a client sent is never part of one.
fn line(event: &Event, form: LogForm, ctx: &Ctx) -> String {
    let time = ctx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    match form {
        LogForm::Json => {
            let mut object = serde_json::json!({
                "time": time,
                "level": event.level.name(),
                "event": event.kind.name(),
                "message": event.message,
            });
            let optional = [
                ("domain", event.domain.as_ref().map(|domain| domain.as_str().into())),
                ("file", event.file.as_ref().map(|file| file.as_str().into())),
                ("line", event.line.map(Into::into)),
            ];
            for (name, value) in optional {
                if let Some(value) = value {
                    object[name] = value;
                }
            }
            format!("{object}\n")
        }
        LogForm::Text => {
            let domain = event.domain.as_ref().map_or_else(String::new, |domain| format!(" {domain}"));
            let file = event.file.as_deref().map_or_else(String::new, |file| format!("{}: ", place(file, event.line)));
            format!("{time} {} {}{domain}: {file}{}\n", event.level.name(), event.kind.name(), event.message)
        }
    }
}

fn place(file: &Utf8Path, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
}

/// One line for each domain, and one for each tenant that is never let in.
fn report(surveyed: &[Surveyed]) -> String {
    let mut text = String::new();
    for Surveyed { domain, file, tenants, unusable, closed } in surveyed {
        match closed {
            Some((line, why)) => text.push_str(&format!("{domain}: closed; {}: {why}\n", place(file, *line))),
            None => text.push_str(&format!("{domain}: {}\n", plural(*tenants, "tenant"))),
        }
        for tenant in unusable {
            let (name, place, why) = (&tenant.name, place(file, Some(tenant.line)), &tenant.why);
            text.push_str(&format!("{domain}: {place}: tenant `{name}` is never let in: the hash is {why}\n"));
        }
    }
    text
}

fn verdict(surveyed: &[Surveyed]) -> Exit {
    if surveyed.iter().any(|domain| domain.closed.is_some()) {
        Exit::Input
    } else if surveyed.iter().any(|domain| !domain.unusable.is_empty()) {
        Exit::Findings
    } else {
        Exit::Fine
    }
}

fn failure(error: &verifier::Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::Folder { .. } | ErrorKind::NoDomain { .. } => Exit::Input,
        ErrorKind::LongPath { .. } | ErrorKind::NotLoopback { .. } => Exit::Usage,
        ErrorKind::Ended { .. } => Exit::Bug,
        _ => Exit::Outside,
    };
    let failure = Failure::new(exit, error.to_string());
    match error.kind() {
        ErrorKind::Folder { .. } => {
            failure.hint("`--secrets` names the folder that is mounted with the htpasswd files")
        }
        ErrorKind::NoDomain { .. } => failure.hint(
            "`collimate mirror tenant add DOMAIN NAME` makes one; `--domain` names domains whose file comes later",
        ),
        ErrorKind::NotASocket { .. } => failure.hint("name another path, or remove what is there"),
        ErrorKind::InUse { .. } => failure.hint("end the other process first, or name another path"),
        ErrorKind::Foreign { .. } => failure.hint("remove it, or run as that user"),
        ErrorKind::LongPath { .. } => failure.hint("name a shorter path, such as `/run/mirror-gateway/verifier.sock`"),
        ErrorKind::NotLoopback { .. } => {
            failure.hint("passwords are not encrypted here; listen on 127.0.0.1, [::1] or a socket")
        }
        _ => failure,
    }
}

/// `30s`, `5m` or `1h`, as in `mirror.yaml`.
fn lifetime(text: &str) -> std::result::Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("it must be a number and a unit, such as `30s` or `5m`".to_owned()),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match seconds.filter(|seconds| REMEMBER_SECONDS.contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("it must be between 1s and 1h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_a_unit_and_bounds() {
        for (text, seconds) in [("1s", 1), ("30s", 30), ("5m", 300), ("1h", 3600)] {
            assert_eq!(lifetime(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "30", "0s", "2h", "-1s", "1.5m", "30 s", "30ms", "99999999999999999999s", "ä"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
