mod mirror;
mod notify;
mod otel;

use camino::Utf8PathBuf;
use smoke::report::{Class, Report};

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::write;

/// Prove that a running system does what it is for
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    probe: Probe,
}

#[derive(Debug, clap::Subcommand)]
enum Probe {
    Mirror(Box<mirror::Args>),
    Notify(Box<notify::Args>),
    Otel(Box<otel::Args>),
}

/// How every probe reports.
#[derive(Debug, clap::Args)]
struct OutputArgs {
    /// Output format
    #[arg(long, default_value = "text", help_heading = "Output")]
    format: Format,

    /// Write the report to this file instead of stdout
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    output: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
    /// For build servers
    Junit,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.probe {
        Probe::Mirror(args) => mirror::run(&args, ctx),
        Probe::Notify(args) => notify::run(&args, ctx),
        Probe::Otel(args) => otel::run(&args, ctx),
    }
}

/// Writes a report and says how the program ends.
fn finish(report: &Report, output: &OutputArgs, ctx: &Ctx) -> Result<Exit> {
    let written = match output.format {
        Format::Text => smoke::report::text(report),
        Format::Json => smoke::report::json(report),
        Format::Junit => smoke::report::junit(report),
    };
    match &output.output {
        None => ctx.print(&written)?,
        Some(path) => write::replace_all(&[write::NewFile { path: ctx.cwd().join(path), content: written.into() }])?,
    }
    Ok(match report.class() {
        None | Some(Class::Doubtful) => Exit::Fine,
        Some(Class::Wrong) => Exit::Findings,
        Some(Class::Input) => Exit::Input,
        Some(Class::Unreachable) => Exit::Outside,
        Some(Class::Untrusted) => Exit::Untrusted,
    })
}

/// A number of seconds that makes sense: above zero, and finite.
fn seconds(text: &str) -> std::result::Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.001..=86_400.0).contains(&seconds) {
        return Err("must be between 0.001 and 86400 seconds".to_owned());
    }
    Ok(std::time::Duration::from_secs_f64(seconds))
}

/// A backend's URL. The reason never quotes it: it may hold a password.
fn url(text: &str) -> std::result::Result<String, String> {
    match smoke::otel::Request::url_problem(text) {
        Some(why) => Err(why.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// Kept apart from `clap`'s own checks, so that a wrong combination has the same form as every other failure.
fn usage(message: &str, hint: &str) -> Failure {
    Failure::usage(message).hint(hint)
}
