use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Print the JSON Schema of a file that collimate reads
///
/// For editors: `# yaml-language-server: $schema=…` at the top of the file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which file
    file: File,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum File {
    /// `collimate.yaml`
    Workspace,
    /// A release manifest
    Release,
    /// The settings of a managed mirror
    Mirror,
    /// Whose keys are trusted
    Trust,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    ctx.print(&match args.file {
        File::Workspace => release::workspace_schema(),
        File::Release => release::release_schema(),
        File::Mirror => mirror::mirror_schema(),
        File::Trust => rollout::trust_schema(),
    })?;
    Ok(Exit::Fine)
}
