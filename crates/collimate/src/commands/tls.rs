mod generate;
mod mirror;
mod rotate;
mod status;

use camino::{Utf8Path, Utf8PathBuf};
use certificates::ErrorKind;
use clap::Subcommand;

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::session;

/// Make, renew, rotate and judge development certificates
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Args),
    Mirror(mirror::Args),
    Rotate(rotate::Args),
    Status(status::Args),
}

/// Where the telemetry overlays look for certificates, below the workspace's folder.
const FOLDER: &str = "deploy/telemetry/certs";

/// A hundred years: dates stay far from where calendars end.
const MOST_DAYS: i64 = 36_500;

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::Generate(args) => generate::run(args, ctx),
        Command::Mirror(args) => mirror::run(args, ctx),
        Command::Rotate(args) => rotate::run(args, ctx),
        Command::Status(args) => status::run(args, ctx),
    }
}

/// The folder that was named, else the one of the workspace; as short as it can be said from the current folder.
fn folder(named: Option<Utf8PathBuf>, ctx: &Ctx) -> Result<Utf8PathBuf> {
    if let Some(folder) = named {
        return Ok(folder);
    }
    let file = ctx.workspace_file().map(|file| ctx.cwd().join(file)).or_else(|| session::nearest(ctx.cwd()));
    let root = file.as_deref().filter(|file| file.is_file()).and_then(Utf8Path::parent).ok_or_else(|| {
        Failure::missing_workspace(format!("no `{}` in `{}` or above", release::WORKSPACE_FILE, ctx.cwd()))
            .hint("name the folder of the certificates on the command line")
    })?;
    let folder = root.join(FOLDER);
    Ok(folder.strip_prefix(ctx.cwd()).map_or_else(|_| folder.clone(), Utf8Path::to_owned))
}

/// An error of the library as one of the program.
fn failure(error: &certificates::Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::Order { .. } => Exit::Usage,
        ErrorKind::Authority { .. }
        | ErrorKind::Damaged { .. }
        | ErrorKind::Foreign { .. }
        | ErrorKind::NoAuthority { .. }
        | ErrorKind::NoFolder { .. }
        | ErrorKind::Unreadable { .. } => Exit::Input,
        ErrorKind::Clock { .. }
        | ErrorKind::Crypto { .. }
        | ErrorKind::Files { .. }
        | ErrorKind::Locked { .. }
        | ErrorKind::Owner { .. } => Exit::Outside,
    };
    let failure = Failure::new(exit, error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The command line of another phase or command, as it is shown.
fn command_line(command: &str, folder: &Utf8Path, arguments: &str) -> String {
    let quoted = if folder.as_str().contains(char::is_whitespace) { format!("'{folder}'") } else { folder.to_string() };
    format!("`collimate tls {command} {quoted}{arguments}`")
}

fn date(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}
