//! Offline bundles. What one is, and every check of it, is in the crate `bundle`; here are the files of this workspace, the keys and
//! the words.

mod assets;
mod inspect;
mod install;
mod screen;
mod telemetry;
mod verify;

use std::io::Read as _;

use camino::Utf8Path;
use clap::Subcommand;

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// Make and verify offline bundles
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Telemetry(telemetry::Args),
    Verify(verify::Args),
    Inspect(inspect::Args),
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::Telemetry(args) => telemetry::run(&args, ctx),
        Command::Verify(args) => verify::run(&args, ctx),
        Command::Inspect(args) => inspect::run(&args, ctx),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A file that the command line names, or `None` where there is none. No more than `most` bytes are held.
fn read_optional(ctx: &Ctx, path: &Utf8Path, most: u64) -> Result<Option<Vec<u8>>> {
    let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{path}`")).because(cause);
    let full = ctx.cwd().join(path);
    let metadata = match full.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error.kind())),
        Ok(metadata) => metadata,
    };
    // A pipe or device may never end, and would be another one when it is read again; opening a pipe waits for who writes into it.
    if !metadata.is_file() {
        return Err(unreadable(&"it is not a regular file"));
    }
    let file = std::fs::File::open(full).map_err(|error| unreadable(&error.kind()))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error.kind()))?;
    if bytes.len() as u64 > most {
        return Err(unreadable(&format!("it has more than {most} bytes")));
    }
    Ok(Some(bytes))
}

fn read_needed(ctx: &Ctx, path: &Utf8Path, most: u64) -> Result<Vec<u8>> {
    read_optional(ctx, path, most)?
        .ok_or_else(|| Failure::input(format!("cannot read `{path}`")).because("it does not exist"))
}
