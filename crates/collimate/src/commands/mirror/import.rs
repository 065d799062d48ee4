use std::time::Duration;

use camino::Utf8PathBuf;
use findings::plural;
use replica::{Acceptance, ImportRequest, Signed, import};

use super::carried::{failure, json_text, kept, seconds, signature};
use super::pull::{counted, jws_key};
use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Take in what `mirror export` wrote
///
/// Verifies the signature, then size and digest of everything, and only then lets the link `latest` of DIR name the generation. A run that
/// is killed leaves what was there; importing again what is there already changes nothing.
///
/// Exit code 3: the file cannot be read or is none of ours; 5: it is not trusted.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The carried file
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,

    /// The folder of the copy; it is made where there is none
    #[arg(value_name = "DIR")]
    dir: Utf8PathBuf,

    /// The public key that you trust; have it from somewhere else than the file
    #[arg(long, value_name = "PUB")]
    key: Utf8PathBuf,

    /// The public key of the mirror's own signature of the bundle as PEM; without it that one is not checked
    #[arg(long, value_name = "FILE")]
    jws_key: Option<Utf8PathBuf>,

    /// How many generations are kept
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    keep: u16,

    /// How long another run on the same folder is waited for
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    wait: Duration,

    /// Go back to a generation that is older than the one that is here
    #[arg(long, help_heading = "Taking what would be refused")]
    accept_older: bool,

    /// Take a generation whose time lies in the future
    #[arg(long, help_heading = "Taking what would be refused")]
    allow_future: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let key = key::read_public(&args.key, ctx)?;
    let jws_key = args.jws_key.as_deref().map(|file| jws_key(ctx, file)).transpose()?;
    let request = ImportRequest {
        file: &ctx.cwd().join(&args.file),
        folder: &ctx.cwd().join(&args.dir),
        key: &key,
        jws_key: jws_key.as_ref(),
        acceptance: Acceptance { older: args.accept_older, future: args.allow_future, unverified: false },
        keep: args.keep.into(),
        wait: args.wait,
        now: ctx.now(),
    };
    let imported =
        import(&request, &mut |line| ctx.say(&format!("note: {}\n", source::redact(line)))).map_err(failure)?;
    if imported.signed == Signed::NotChecked {
        ctx.say("note: the mirror's own signature is NOT CHECKED, since no `--jws-key` was given\n");
    }
    let text = if args.json {
        json_text(&serde_json::json!({
            "schema": 1,
            "generation": imported.name.as_str(),
            "isNew": imported.is_new,
            "domain": imported.domain,
            "created": imported.created.to_string(),
            "advisories": imported.advisories,
            "exports": imported.exports,
            "files": imported.files,
            "signature": signature(&imported.signed),
            "key": imported.key.to_string(),
            "removed": imported.pruned.removed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "inUse": imported.pruned.in_use.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))
    } else {
        format!(
            "{}: generation {} of `{}`, carried by key {}\ncreated: {}, {}, {}\nsignature: {}\n{}",
            if imported.is_new { "imported" } else { "unchanged" },
            imported.name,
            imported.domain,
            imported.key,
            imported.created,
            counted(imported.advisories, "advisory", "advisories"),
            plural(imported.exports, "VEX export"),
            signature(&imported.signed),
            kept(&imported.pruned),
        )
    };
    ctx.print(&text)?;
    Ok(Exit::Fine)
}
