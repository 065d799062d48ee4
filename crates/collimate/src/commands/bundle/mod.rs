//! Offline bundles. What one is, and every check of it, is in the crate `bundle`; here are the files of this workspace, the keys and
//! the words.

mod assets;
mod inspect;
mod install;
mod screen;
mod telemetry;
mod verify;

use clap::Subcommand;

use crate::context::Ctx;
use crate::exit::{Exit, Result};

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
