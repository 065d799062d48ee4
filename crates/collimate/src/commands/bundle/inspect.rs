use bundle::{Contained, MOST_ARCHIVE_BYTES, Mode};
use camino::Utf8PathBuf;
use serde::Serialize;

use super::Format;
use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::given;

/// List what is in an offline bundle, without unpacking it
///
/// Verifies nothing: whoever can write an archive can write the list in it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The archive
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    /// Always: a key is needed for more.
    verdict: &'static str,
    name: &'a str,
    release: &'a bundle::ReleaseName,
    source_date: u64,
    tar_sha256: &'a str,
    files: &'a [bundle::Entry],
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let archive = given::read(&args.file, MOST_ARCHIVE_BYTES, ctx)?;
    let contained = bundle::read(&archive).map_err(|error| {
        let exit = if error.is_distrust() { Exit::Untrusted } else { Exit::Input };
        Failure::new(exit, format!("`{}` is no bundle", args.file)).because(error)
    })?;
    match args.format {
        Format::Text => ctx.print(&text(&contained))?,
        Format::Json => {
            let manifest = &contained.manifest;
            let answer = Answer {
                schema: 1,
                verdict: "unverified",
                name: &manifest.name,
                release: &manifest.release,
                source_date: manifest.source_date,
                tar_sha256: &contained.tar_sha256,
                files: &manifest.files,
            };
            ctx.print(&(serde_json::to_string_pretty(&answer).unwrap_or_default() + "\n"))?;
        }
    }
    ctx.say("note: nothing was verified; `collimate bundle verify` does, with a key\n");
    Ok(Exit::Fine)
}

/// Mode, size, sha256 and path, in the archive's order.
fn text(contained: &Contained) -> String {
    let manifest = &contained.manifest;
    let row = |mode: Mode, size: u64, sha256: &str, path: &str| {
        vec![mode.as_str().to_owned(), format!("{size:>8}"), sha256.to_owned(), path.to_owned()]
    };
    let rows: Vec<Vec<String>> =
        manifest.files.iter().map(|file| row(file.mode, file.size, &file.sha256, &file.path)).collect();
    format!(
        "{} of release {} ({}), {} files and their list\n{}",
        manifest.name,
        manifest.release.version,
        manifest.release.channel,
        manifest.files.len(),
        columns::align(&rows)
    )
}
