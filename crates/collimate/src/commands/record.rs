use clap::Subcommand;

use crate::context::Ctx;
use crate::exit::{Exit, Result};

mod deploy;

/// Record in the ledger what this program cannot see by itself
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Deploy(deploy::Args),
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    match &args.command {
        Command::Deploy(args) => deploy::run(args, ctx),
    }
}
