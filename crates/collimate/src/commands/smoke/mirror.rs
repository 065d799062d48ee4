use std::time::Duration;

use ::mirror::jws::PublicKey;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::SignedDuration;
use signing::Zeroizing;
use smoke::Secret;
use smoke::mirror::{Credentials, HostAndPort, Problem, Request, Settings, Trust};

use super::{OutputArgs, finish, seconds};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::given;

/// A password or a key is far smaller; what is larger is another file.
const MOST_BYTES: u64 = 64 * 1024;

/// Read a mirror as a tenant and prove that it serves what it should
///
/// Walks index, manifest, bundle and signature of each domain that the tenant may read, and Excititor's exports: schema versions, ids,
/// counts, sizes, digests, the signature where `--key` is given, all of one generation. Proves that strangers, wrong passwords and other
/// domains' tenants get nothing, that the second read comes from the cache, and that ranges, methods and paths are treated as they should
/// be. Takes about a dozen downloads of the tenant's budget. Exits with 1 if the mirror does something wrong, 4 if it cannot be
/// reached, 5 if a certificate, the password, a digest or a signature is not trusted.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address of a domain, such as `https://mirror-primary.stella-ops.org`
    #[arg(long, value_name = "URL")]
    url: String,

    /// Domain that must be there; all others of the index must then be kept from us (repeatable). By default those that can be read here
    #[arg(long, value_name = "ID")]
    domain: Vec<String>,

    /// The tenant's name; without it nobody's, for a mirror that asks for no password
    #[arg(long, value_name = "NAME", requires = "password")]
    user: Option<String>,

    /// File with the tenant's password
    #[arg(long, value_name = "FILE", group = "password", requires = "user")]
    password_file: Option<Utf8PathBuf>,

    /// Environment variable with the tenant's password
    #[arg(long, value_name = "VAR", group = "password", requires = "user")]
    password_env: Option<String>,

    /// The address of another domain, to prove that the tenant's password is refused there
    #[arg(long, value_name = "URL")]
    other_url: Option<String>,

    /// Connect here instead of to the URL's host, which still names the mirror
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<String>,

    /// Authorities of the mirror's certificate as PEM, in place of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<Utf8PathBuf>,

    /// The public key of the bundle's signature as PEM; without it the signature is not checked
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,

    /// How old a generation may be, such as `36h` or `2d`
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<SignedDuration>,

    /// How many of Excititor's exports are read of each domain
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    exports: u16,

    /// Look at the advisories alone, without Excititor
    #[arg(long, conflicts_with = "exports")]
    no_vex: bool,

    /// How long to wait in all where the mirror says that it was asked too often
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    wait: Duration,

    /// Limit of each connection and each call, the transfer of a bundle included
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let settings = Settings {
        url: args.url.clone(),
        domains: args.domain.clone(),
        credentials: credentials(args, ctx)?,
        other_url: args.other_url.clone(),
        connect: args.connect.as_deref().map(host_and_port).transpose()?,
        trust: Trust {
            ca: args.ca.as_ref().map(|path| ctx.cwd().join(path)),
            system: ctx.environment().get("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(Utf8PathBuf::from),
        },
        key: args.key.as_deref().map(|path| key(path, ctx)).transpose()?,
        max_age: args.max_age,
        exports: (!args.no_vex).then_some(args.exports.into()),
        timeout: args.timeout,
        wait: args.wait,
        now: ctx.now(),
    };
    let request = Request::check(settings).map_err(|problems| misused(&problems))?;
    finish(&smoke::mirror::run(&request), &args.output, ctx)
}

/// All problems in one message.
fn misused(problems: &[Problem]) -> Failure {
    let failure = Failure::usage("`smoke mirror` cannot be run like this");
    problems
        .iter()
        .fold(failure, |failure, problem| failure.because(format!("`{}` {}", problem.about, problem.message)))
}

fn credentials(args: &Args, ctx: &Ctx) -> Result<Option<Credentials>> {
    let Some(user) = args.user.clone() else { return Ok(None) };
    let text = match (&args.password_file, &args.password_env) {
        (Some(path), _) => read(path, ctx)?,
        (None, Some(variable)) => ctx.environment().get(variable).cloned().map(Zeroizing::new).ok_or_else(|| {
            Failure::usage("there is no password")
                .because("the environment variable that `--password-env` names is not set")
                .hint("`--password-env` takes the variable's name, not the password")
        })?,
        (None, None) => return Ok(None),
    };
    // An editor or a shell ended the line; no password ends with one.
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    Ok(Some(Credentials { user, password: Secret::new(password) }))
}

fn key(path: &Utf8Path, ctx: &Ctx) -> Result<PublicKey> {
    PublicKey::from_pem(&read(path, ctx)?).map_err(|why| {
        Failure::input(format!("cannot use the key in `{path}`"))
            .because(why)
            .hint("the key of a mirror's signatures is a public key of P-256 or Ed25519 as PEM")
    })
}

/// A small text file that the command line names.
fn read(path: &Utf8Path, ctx: &Ctx) -> Result<Zeroizing<String>> {
    let bytes = given::read(path, MOST_BYTES, ctx)?;
    // The bytes that are no text are not shown: they may be a password.
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::input(format!("cannot read `{path}`")).because("it is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// `host:port`, an IPv6 address in brackets. Never quoted: somebody may have typed a URL with a password.
fn host_and_port(text: &str) -> Result<HostAndPort> {
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())?,
            None => host,
        };
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
        let is_host = !host.is_empty() && (host.contains(':') && text.starts_with('[') || host.chars().all(is_plain));
        is_host.then(|| HostAndPort { host: host.to_owned(), port })
    });
    parsed.ok_or_else(|| {
        Failure::usage("the value of `--connect` is no host and port")
            .hint("write it as `gateway.example:8443`, `10.0.0.1:443` or `[::1]:8443`")
    })
}

/// A number and a unit.
fn age(text: &str) -> std::result::Result<SignedDuration, String> {
    let why = || "write a whole number and `s`, `min`, `h` or `d`, such as `36h`".to_owned();
    let end = text.find(|char: char| !char.is_ascii_digit()).ok_or_else(why)?;
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(why()),
    };
    let number: i64 = number.parse().map_err(|_| why())?;
    // Ten years: more is no limit.
    match number.checked_mul(seconds) {
        Some(all @ 1..=315_360_000) => Ok(SignedDuration::from_secs(all)),
        _ => Err("must be between a second and ten years".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("15min", 900), ("15m", 900), ("36h", 129_600), ("2d", 172_800)] {
            assert_eq!(age(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "36", "h", "1.5h", "-1h", "0h", "36 h", "1w", "99999999999999999999d", "9999d"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_connection_goes_to_a_host_and_a_port() {
        let parsed = |text: &str| host_and_port(text).ok().map(|to| (to.host, to.port));
        assert_eq!(parsed("localhost:8443"), Some(("localhost".to_owned(), 8443)));
        assert_eq!(parsed("[::1]:8443"), Some(("::1".to_owned(), 8443)));
        for text in [
            "",
            "localhost",
            ":1",
            "localhost:",
            "localhost:0",
            "localhost:70000",
            "::1:8443",
            "[x]:1",
            "a/b:1",
            "u@h:1",
            "https://h:1",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
