use clap::CommandFactory as _;

use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Print shell completions
///
/// For example: `collimate completions bash > /etc/bash_completion.d/collimate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::whole(crate::Cli::command()), "collimate", &mut script);
    ctx.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
