//! Releases: made, edited, compared and signed. What one is, is in the crate `release`.

mod assemble;
mod built;
mod diff;
pub(crate) mod named;
mod new;
mod resolve;
mod set;
mod settled;
mod show;
mod sign;
mod verify;

use clap::Subcommand;
use serde::Serialize;

use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Make, edit, compare and sign releases
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(Box<new::Args>),
    Set(set::Args),
    Resolve(Box<resolve::Args>),
    Diff(diff::Args),
    Show(show::Args),
    Sign(sign::Args),
    Verify(verify::Args),
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::New(args) => new::run(&args, ctx),
        Command::Set(args) => set::run(&args, ctx),
        Command::Resolve(args) => resolve::run(&args, ctx),
        Command::Diff(args) => diff::run(&args, ctx),
        Command::Show(args) => show::run(&args, ctx),
        Command::Sign(args) => sign::run(&args, ctx),
        Command::Verify(args) => verify::run(&args, ctx),
    }
}

fn json_text(value: &impl Serialize) -> String {
    // Texts, numbers and lists of them: nothing that JSON cannot hold.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
