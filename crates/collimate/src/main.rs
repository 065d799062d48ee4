//! The program: arguments in, exit code out. What it does is in `commands`, one file each.

mod archive;
mod baseline;
mod checking;
mod columns;
mod commands;
mod configuration;
mod consent;
mod context;
mod deployment;
mod differing;
mod discovery;
mod disk;
mod documents;
mod exit;
mod facts;
mod gates;
mod given;
mod group;
mod head;
mod identity;
mod ignored;
mod inputs;
mod laid_over;
mod masking;
mod memory;
mod message;
mod moving;
mod parallel;
mod peers;
mod pinning;
mod place;
mod policy;
mod proving;
mod records;
mod rendering;
mod report;
mod session;
mod signature;
mod steps;
mod targets;
mod terminal;
mod tracing;
mod tracked;
mod vouched;
mod watcher;
mod write;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use musl as _;

use crate::context::{Color, Ctx};
use crate::exit::Exit;

/// The system's allocator makes threads wait for each other: that of glibc for the kernel, that of musl for one lock.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What `--version` prints: ours, and the engines that ours are measured against.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nengines: Helm 3.22.0 (Helm 4.3.1 with --helm 4), Docker Compose 5.6.0 (compose-go 2.16.1)"
);

/// Keeps release manifests, Docker Compose profiles and Helm charts in line.
///
/// Exit codes: 0 fine · 1 findings · 2 usage · 3 input unreadable or malformed · 4 the outside world failed · 5 not trusted · 70 a bug in this program.
#[derive(Debug, Parser)]
#[command(name = "collimate", version = VERSION, max_term_width = 100)]
pub(crate) struct Cli {
    /// The workspace file; by default the nearest `collimate.yaml` in this folder or above
    #[arg(long, global = true, value_name = "FILE")]
    workspace: Option<Utf8PathBuf>,

    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,

    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// The command line of this process, or the end of it with help or the reason.
    fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|_| {
            Self::from_arg_matches(&Self::whole(Self::command()).get_matches()).unwrap_or_else(|error| error.exit())
        })
    }

    /// `root`, which is [`Cli::command`], with all that its commands take, as help, completions and the manual show it. By itself it puts a command
    /// together when that is asked for, which spares every other run half a millisecond.
    pub(crate) fn whole(root: clap::Command) -> clap::Command {
        let mut built = root.clone();
        built.build();
        let commands = built.get_subcommands().filter(|command| command.get_name() != "help");
        commands.fold(root, |whole, command| whole.mut_subcommand(command.get_name(), |_| command.clone()))
    }
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    Init(commands::init::Args),
    Check(Box<commands::check::Args>),
    Pin(commands::pin::Args),
    Release(Box<commands::release::Args>),
    History(commands::history::Args),
    MarkGood(commands::mark_good::Args),
    Hold(commands::hold::Args),
    Record(commands::record::Args),
    Rollback(commands::rollback::Args),
    Promote(commands::promote::Args),
    Advance(commands::advance::Args),
    Approve(commands::approve::Args),
    Show(commands::show::Args),
    Why(commands::why::Args),
    Render(Box<commands::render::Args>),
    Tls(commands::tls::Args),
    Smoke(Box<commands::smoke::Args>),
    Bundle(Box<commands::bundle::Args>),
    Key(commands::key::Args),
    Mirror(Box<commands::mirror::Args>),
    Schema(commands::schema::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}

fn main() -> ExitCode {
    let cli = Cli::of_process();
    report_panics();
    if matches!(&cli.command, Command::Check(args) if args.watch) {
        watcher::hold_signals();
    }
    // A panic unwinds to here: it has been reported by the hook, and is our bug whatever the input was.
    // What is read nests deeper than a usual stack allows; engines stop at their own limits first.
    let work = AssertUnwindSafe(|| parallel::with_cores(|| run(cli)));
    let exit = std::panic::catch_unwind(work).unwrap_or(Exit::Bug);
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> Exit {
    let ctx = match Ctx::of_process(cli.color, cli.workspace) {
        Ok(ctx) => ctx,
        Err(failure) => {
            anstream::eprint!("{}", failure.to_text());
            return failure.exit;
        }
    };
    let outcome = match cli.command {
        Command::Init(args) => commands::init::run(args, &ctx),
        Command::Check(args) => commands::check::run(&args, &ctx),
        Command::Pin(args) => commands::pin::run(&args, &ctx),
        Command::Release(args) => commands::release::run(*args, &ctx),
        Command::History(args) => commands::history::run(&args, &ctx),
        Command::MarkGood(args) => commands::mark_good::run(&args, &ctx),
        Command::Hold(args) => commands::hold::run(args, &ctx),
        Command::Record(args) => commands::record::run(&args, &ctx),
        Command::Rollback(args) => commands::rollback::run(&args, &ctx),
        Command::Promote(args) => commands::promote::run(&args, &ctx),
        Command::Advance(args) => commands::advance::run(&args, &ctx),
        Command::Approve(args) => commands::approve::run(&args, &ctx),
        Command::Show(args) => commands::show::run(args, &ctx),
        Command::Why(args) => commands::why::run(args, &ctx),
        Command::Render(args) => commands::render::run(&args, &ctx),
        Command::Tls(args) => commands::tls::run(args, &ctx),
        Command::Smoke(args) => commands::smoke::run(*args, &ctx),
        Command::Bundle(args) => commands::bundle::run(*args, &ctx),
        Command::Key(args) => commands::key::run(args, &ctx),
        Command::Mirror(args) => commands::mirror::run(*args, &ctx),
        Command::Schema(args) => commands::schema::run(args, &ctx),
        Command::Completions(args) => commands::completions::run(args, &ctx),
        Command::Man(args) => commands::man::run(&args, &ctx),
    };
    outcome.unwrap_or_else(|failure| {
        ctx.say(&failure.to_text());
        failure.exit
    })
}

/// Prints where a panic happened but not its message, which may hold a value of the input.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        anstream::eprintln!(
            "error: a bug in collimate {}{place}\nhint: please report it with the command line and, if you can, the files",
            env!("CARGO_PKG_VERSION")
        );
    }));
}
