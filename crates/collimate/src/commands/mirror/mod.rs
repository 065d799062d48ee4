//! The managed mirror. What follows from its settings is in the crate `mirror`; servers and transfers are in `verifier` and `replica`.

mod auth;
mod carried;
mod export;
mod import;
mod pull;
mod render;
pub(super) mod settings;
mod tenant;
mod usage;

use clap::Subcommand;

use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Configure, run, watch and copy a managed mirror
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Auth(auth::Args),
    Pull(Box<pull::Args>),
    Export(export::Args),
    Import(import::Args),
    Render(render::Args),
    Tenant(tenant::Args),
    Usage(usage::Args),
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::Auth(args) => auth::run(&args, ctx),
        Command::Pull(args) => pull::run(&args, ctx),
        Command::Export(args) => export::run(&args, ctx),
        Command::Import(args) => import::run(&args, ctx),
        Command::Render(args) => render::run(args, ctx),
        Command::Tenant(args) => tenant::run(args, ctx),
        Command::Usage(args) => usage::run(&args, ctx),
    }
}
