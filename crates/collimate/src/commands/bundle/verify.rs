use bundle::{Beside, BesideFile, Contained, MOST_ARCHIVE_BYTES, MOST_BESIDE_BYTES, Refusal};
use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use serde::Serialize;

use super::Format;
use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::given;

/// Verify an offline bundle against a trusted key
///
/// Looks at the archive, at every file in it, and at `.sig`, `.sha256`, `.minisig` and `.intoto.jsonl` beside it. Nothing is
/// unpacked or written. Exit code 5: not trusted; 3: cannot be read, or is no bundle.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The archive
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,

    /// The public key that you trust, as PEM or as minisign writes it; have it from somewhere else than the bundle
    #[arg(long, value_name = "PUB", conflicts_with = "unverified")]
    key: Option<Utf8PathBuf>,

    /// Trust nobody: only see whether the archive is whole
    #[arg(long)]
    unverified: bool,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    file: &'a str,
    /// `trusted`, `unverified` (whole, nobody vouches), `untrusted`, `malformed`.
    verdict: &'static str,
    /// Why, from the outermost reason to the innermost; empty if all is well.
    reasons: Vec<String>,
    sha256: Option<String>,
    key: Option<String>,
    release: Option<String>,
    files: Option<usize>,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let key = match &args.key {
        Some(file) => Some(key::read_public(file, ctx)?),
        None if args.unverified => None,
        None => {
            return Err(Failure::usage("a bundle is verified against a key: `--key PUB` is missing")
                .hint("`--unverified` only looks whether the archive is whole; anybody can have made it"));
        }
    };
    let archive = given::read(&args.file, MOST_ARCHIVE_BYTES, ctx)?;
    let beside = beside(ctx, &args.file)?;
    let result = match &key {
        Some(key) => bundle::verify(&archive, &beside, key)
            .map(|verified| (verified.contained, verified.sha256, Some(verified.key.to_string()))),
        None => bundle::check_unverified(&archive, &beside).map(|(contained, sha256)| (contained, sha256, None)),
    };
    match result {
        Ok((contained, sha256, key)) => {
            ctx.print(&match args.format {
                Format::Text => text(&args.file, &contained, &sha256, key.as_deref()),
                Format::Json => json(&trusted(&args.file, &contained, sha256, key)),
            })?;
            Ok(Exit::Fine)
        }
        Err(refusal) => {
            if args.format == Format::Json {
                ctx.print(&json(&refused(&args.file, &refusal)))?;
            }
            Err(failure(&args.file, &refusal))
        }
    }
}

/// What lies beside an archive.
fn beside(ctx: &Ctx, archive: &Utf8Path) -> Result<Beside> {
    let mut beside = Beside::default();
    for file in BesideFile::ALL {
        let path = Utf8PathBuf::from(format!("{archive}{}", file.suffix()));
        let bytes = given::read_optional(&path, MOST_BESIDE_BYTES, ctx)?;
        beside.set(file, bytes.map(|mut bytes| std::mem::take(&mut *bytes)));
    }
    Ok(beside)
}

fn text(file: &Utf8Path, contained: &Contained, sha256: &str, key: Option<&str>) -> String {
    let manifest = &contained.manifest;
    let whole = format!("{} of release {}", plural(manifest.files.len() + 2, "file"), manifest.release.version);
    match key {
        Some(key) => format!("trusted: `{file}`, {whole}, signed with key {key}\nsha256: {sha256}\n"),
        None => format!(
            "UNVERIFIED: `{file}`, {whole}, is whole; nobody vouches for it, since no key was given\nsha256: {sha256}\n"
        ),
    }
}

fn trusted<'a>(file: &'a Utf8Path, contained: &Contained, sha256: String, key: Option<String>) -> Answer<'a> {
    Answer {
        schema: 1,
        file: file.as_str(),
        verdict: if key.is_some() { "trusted" } else { "unverified" },
        reasons: Vec::new(),
        sha256: Some(sha256),
        key,
        release: Some(contained.manifest.release.version.clone()),
        files: Some(contained.manifest.files.len() + 2),
    }
}

fn refused<'a>(file: &'a Utf8Path, refusal: &Refusal) -> Answer<'a> {
    Answer {
        schema: 1,
        file: file.as_str(),
        verdict: if refusal.is_malformed() { "malformed" } else { "untrusted" },
        reasons: reasons(refusal),
        sha256: None,
        key: None,
        release: None,
        files: None,
    }
}

fn json(answer: &Answer<'_>) -> String {
    let mut text = serde_json::to_string_pretty(answer).unwrap_or_default();
    text.push('\n');
    text
}

/// An error and what caused it.
fn reasons(refusal: &Refusal) -> Vec<String> {
    let mut reasons = vec![refusal.to_string()];
    let mut source = std::error::Error::source(refusal);
    while let Some(error) = source {
        reasons.push(error.to_string());
        source = error.source();
    }
    reasons
}

fn failure(file: &Utf8Path, refusal: &Refusal) -> Failure {
    let failure = if refusal.is_malformed() {
        Failure::input(format!("`{file}` is no bundle"))
    } else {
        Failure::untrusted(format!("`{file}` is not trusted"))
    };
    let failure = reasons(refusal).iter().fold(failure, |failure, reason| failure.because(reason));
    match refusal {
        Refusal::Unsigned => {
            failure.hint("ask for a signed one; `--unverified` only looks whether the archive is whole")
        }
        Refusal::Missing(_) => failure.hint("copy the archive together with the four files beside it"),
        Refusal::Cut { .. } => failure.hint("copy it again and compare `sha256sum`"),
        Refusal::OtherKey { .. } => {
            failure.hint("do not use it unless its maker tells you, by another way, that the key was changed")
        }
        _ => failure.hint("do not use it; copy it again, and if that does not help, ask its maker"),
    }
}
