use camino::Utf8PathBuf;
use findings::plural;
use replica::{ExportRequest, Name, export};

use super::carried::{failure, json_text};
use super::pull::counted;
use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// Write one generation of a copy as one signed file, to be carried across an air gap
///
/// Every file is measured before it is packed. The same generation and key always give the same bytes; an existing file is never
/// overwritten.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the copy
    #[arg(value_name = "DIR")]
    dir: Utf8PathBuf,

    /// The file to write
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,

    /// Which generation; by default the one that `latest` names
    #[arg(long, value_name = "NAME")]
    generation: Option<String>,

    /// The private key to sign with; `collimate key new` makes one
    #[arg(long, value_name = "KEY")]
    key: Utf8PathBuf,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let name = args
        .generation
        .as_deref()
        .map(str::parse::<Name>)
        .transpose()
        .map_err(|why| Failure::usage("the value of `--generation` cannot be used").because(why))?;
    let key = key::read_private(&args.key, ctx)?;
    let request = ExportRequest {
        folder: &ctx.cwd().join(&args.dir),
        file: &ctx.cwd().join(&args.file),
        name: name.as_ref(),
        key: &key,
    };
    let exported = export(&request).map_err(failure)?;
    let text = if args.json {
        json_text(&serde_json::json!({
            "schema": 1,
            "file": args.file.as_str(),
            "isNew": exported.is_new,
            "generation": exported.name.as_str(),
            "domain": exported.domain,
            "created": exported.created,
            "files": exported.files,
            "size": exported.size,
            "sha256": exported.sha256,
            "key": exported.key.to_string(),
        }))
    } else {
        format!(
            "{}: `{}`, generation {} of `{}`, {}, {}, signed with key {}\nsha256: {}\n",
            if exported.is_new { "exported" } else { "unchanged" },
            args.file,
            exported.name,
            exported.domain,
            plural(exported.files, "file"),
            counted(exported.size, "byte", "bytes"),
            exported.key,
            exported.sha256,
        )
    };
    ctx.print(&text)?;
    Ok(Exit::Fine)
}
