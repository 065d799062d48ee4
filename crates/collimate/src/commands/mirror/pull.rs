use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use replica::{Acceptance, JwsKey, Password, PullRequest, Pulled, Signed, Source, pull};
use signing::Zeroizing;

use super::carried::{failure, json_text, kept, seconds, signature};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::given;

/// A password, a key or a list of authorities is smaller; what is larger is something else.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Keep a local copy of a domain in step with its mirror
///
/// Brings what changed, verifies sizes, digests and the signature, and only then lets the link `latest` of DIR name the new generation; a
/// run that is killed leaves what was there, and the next one goes on where it stopped. DIR can be served by Concelier as its export root.
/// Run it at any time, from a timer for example: two runs wait for each other.
///
/// Exit code 4: the mirror or the disk failed; 5: the mirror, a credential or what it serves is not trusted.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the copy; it is made where there is none
    #[arg(value_name = "DIR")]
    dir: Utf8PathBuf,

    /// The mirror, such as `https://mirror-primary.stella-ops.org`
    #[arg(long, value_name = "URL")]
    url: String,

    /// The domain to copy
    #[arg(long, value_name = "ID")]
    domain: String,

    /// The tenant's name
    #[arg(long, value_name = "NAME")]
    user: String,

    /// A file with the tenant's password
    #[arg(long, value_name = "FILE", conflicts_with = "password_env", required_unless_present = "password_env")]
    password_file: Option<Utf8PathBuf>,

    /// The environment variable with the tenant's password
    #[arg(long, value_name = "VAR")]
    password_env: Option<String>,

    /// Authorities of the mirror's certificate as PEM, in place of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<Utf8PathBuf>,

    /// The public key of the bundle's signature as PEM; without it the signature is not checked
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,

    /// Connect here instead of to the URL's host, which still names the mirror
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<String>,

    /// A proxy to tunnel through, without a password of its own; none of the environment is used
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "connect")]
    proxy: Option<String>,

    /// Copy the advisories alone, without Excititor's exports
    #[arg(long)]
    no_vex: bool,

    /// How many generations are kept
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    keep: u16,

    #[command(flatten)]
    waiting: WaitingArgs,

    #[command(flatten)]
    acceptance: AcceptanceArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Waiting")]
struct WaitingArgs {
    /// Limit of each step of a connection and of each piece of an answer
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,

    /// How long a mirror that is busy or broken is waited for, all in all; 0 asks once
    #[arg(long, value_name = "SECONDS", default_value = "180", value_parser = seconds)]
    patience: Duration,

    /// How long another run on the same folder is waited for
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    wait: Duration,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Taking what would be refused")]
struct AcceptanceArgs {
    /// Go back to a generation that is older than the one that is here
    #[arg(long)]
    accept_older: bool,

    /// Take a generation whose time lies in the future
    #[arg(long)]
    allow_future: bool,

    /// Take files that neither a digest nor a checked signature vouches for
    #[arg(long)]
    allow_unverified: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let password = password(args, ctx)?;
    let source = Source::new(&args.url, &args.domain, &args.user, password, args.connect.as_deref())
        .and_then(|source| match &args.proxy {
            Some(proxy) => source.through(proxy),
            None => Ok(source),
        })
        .map_err(|(option, why)| Failure::usage(format!("the value of `{option}` cannot be used")).because(why))?;
    if args.waiting.timeout.is_zero() {
        return Err(Failure::usage("the value of `--timeout` cannot be used").because("nothing comes in no time"));
    }
    let ca = args.ca.as_deref().map(|file| given::read(file, MOST_BYTES, ctx)).transpose()?;
    let key = args.key.as_deref().map(|file| jws_key(ctx, file)).transpose()?;
    let request = PullRequest {
        folder: &ctx.cwd().join(&args.dir),
        source: &source,
        ca: ca.as_deref().map(Vec::as_slice),
        key: key.as_ref(),
        acceptance: Acceptance {
            older: args.acceptance.accept_older,
            future: args.acceptance.allow_future,
            unverified: args.acceptance.allow_unverified,
        },
        vex: !args.no_vex,
        keep: args.keep.into(),
        timeout: args.waiting.timeout,
        patience: args.waiting.patience,
        wait: args.waiting.wait,
        now: ctx.now(),
    };
    let pulled = pull(&request, &mut |line| ctx.say(&format!("note: {}\n", source::redact(line)))).map_err(failure)?;
    if pulled.signed == Signed::NotChecked {
        ctx.say("note: the signature is NOT CHECKED, since no `--key` was given\n");
    }
    ctx.print(&if args.json { json(args, &pulled) } else { text(args, &pulled) })?;
    Ok(Exit::Fine)
}

fn password(args: &Args, ctx: &Ctx) -> Result<Password> {
    let (text, from) = match (&args.password_file, &args.password_env) {
        (Some(file), _) => {
            let bytes = given::read(file, MOST_BYTES, ctx)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| unusable(file).because("the password is not UTF-8"))?;
            (Zeroizing::new(text.to_owned()), format!("of `{file}`"))
        }
        (None, Some(variable)) => match ctx.environment().get(variable) {
            Some(text) => (Zeroizing::new(text.clone()), format!("in `{variable}`")),
            None => {
                return Err(Failure::usage("there is no password")
                    .because(format!("the environment variable `{}` is not set", source::redact(variable)))
                    .hint("`--password-env` takes the variable's name, not the password"));
            }
        },
        (None, None) => return Err(Failure::usage("there is no password")),
    };
    Password::new(text).map_err(|why| Failure::input(format!("the password {from} cannot be used")).because(why))
}

/// The key of a mirror's signatures.
pub(super) fn jws_key(ctx: &Ctx, file: &Utf8Path) -> Result<JwsKey> {
    let bytes = given::read(file, MOST_BYTES, ctx)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable(file).because("it is no text"))?;
    JwsKey::from_pem(text).map_err(|why| {
        unusable(file).because(why).hint("the key of a mirror's signatures is a public key of P-256 or Ed25519 as PEM")
    })
}

fn unusable(file: &Utf8Path) -> Failure {
    Failure::input(format!("cannot use `{file}`"))
}

fn text(args: &Args, pulled: &Pulled) -> String {
    let what = if pulled.is_new { "pulled" } else { "unchanged" };
    let reused = match pulled.reused {
        0 => String::new(),
        reused => format!(", {} reused", plural(reused, "file")),
    };
    format!(
        "{what}: generation {} of `{}`\ncreated: {}, {}, {}\nsignature: {}\ntransferred: {} in {}{reused}\n{}",
        pulled.name,
        args.domain,
        pulled.created,
        counted(pulled.advisories, "advisory", "advisories"),
        if args.no_vex { "without VEX exports".to_owned() } else { plural(pulled.exports, "VEX export") },
        signature(&pulled.signed),
        counted(pulled.traffic.bytes, "byte", "bytes"),
        counted(pulled.traffic.requests, "request", "requests"),
        kept(&pulled.pruned),
    )
}

pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn json(args: &Args, pulled: &Pulled) -> String {
    json_text(&serde_json::json!({
        "schema": 1,
        "generation": pulled.name.as_str(),
        "isNew": pulled.is_new,
        "domain": args.domain,
        "created": pulled.created.to_string(),
        "advisories": pulled.advisories,
        "exports": pulled.exports,
        "signature": signature(&pulled.signed),
        "files": pulled.files,
        "reused": pulled.reused,
        "requests": pulled.traffic.requests,
        "bytes": pulled.traffic.bytes,
        "removed": pulled.pruned.removed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "inUse": pulled.pruned.in_use.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }))
}
