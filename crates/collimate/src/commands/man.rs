use camino::{Utf8Path, Utf8PathBuf};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use source::system;

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::write::{self, NewFile};

/// The program's section of the manual.
const SECTION: &str = "1";

/// Print a page of the manual, or write all of them
///
/// For example: `collimate man check | man -l -`, or `collimate man --output /usr/local/share/man/man1`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command whose page is printed; the program's own by default
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write every page into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    output: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let root = program();
    match &args.output {
        Some(folder) => write_all(&root, folder, ctx)?,
        None => {
            let mut command = &root;
            for word in &args.command {
                let known = || command.get_subcommands().filter(|known| !known.is_hide_set()).map(Command::get_name);
                command = command
                    .find_subcommand(word)
                    .ok_or_else(|| crate::session::unknown("command", word, known().collect()))?;
            }
            ctx.print(&page(command))?;
        }
    }
    Ok(Exit::Fine)
}

/// The program's commands, with the options that all of them have. Its version is one line here: what it is measured against is no
/// part of a page's name.
fn program() -> Command {
    let mut root = crate::Cli::command().version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    root = crate::Cli::whole(root);
    root.build();
    root
}

fn write_all(root: &Command, folder: &Utf8Path, ctx: &Ctx) -> Result<()> {
    let path = ctx.cwd().join(folder);
    std::fs::create_dir_all(&path)
        .map_err(|error| Failure::outside(format!("cannot create `{folder}`")).because(system::reason(&error)))?;
    let mut files = Vec::new();
    collect(root, &path, &mut files);
    write::replace_all(&files)?;
    ctx.print(&format!("wrote {} to `{folder}`\n", findings::plural(files.len(), "page")))
}

fn collect(command: &Command, folder: &Utf8Path, files: &mut Vec<NewFile>) {
    let path = folder.join(format!("{}.{SECTION}", name(command)));
    files.push(NewFile { path, content: page(command).into_bytes() });
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        collect(inner, folder, files);
    }
}

/// `collimate-release-new`.
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

fn page(command: &Command) -> String {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).section(SECTION).source(concat!("collimate ", env!("CARGO_PKG_VERSION")));
    // A vector takes everything, and the pages are text.
    let _ = man.manual("collimate").render(&mut page);
    // A page has no date, which would be that of the build; left out altogether, the next field would be taken for it.
    let title = format!(".TH {} {SECTION} ", name(command));
    String::from_utf8_lossy(&page).replacen(&format!("{title} "), &format!("{title}\"\" "), 1)
}
