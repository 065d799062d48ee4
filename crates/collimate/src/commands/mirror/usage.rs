mod json;
mod known;
mod logs;
mod text;

use camino::Utf8PathBuf;
use jiff::civil::Date;
use mirror::usage::{Overrun, Usage};

use self::known::Known;
use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Show what tenants used, from the gateway's access logs
///
/// Per tenant and day (UTC): requests, bytes, hits of the cache, refusals by reason, and the busiest hour against the budgets of
/// `mirror.yaml`; tenants that are not in the domain's htpasswd file; who came with wrong credentials. Reads plain and gzip files of any
/// size, in any order. Exits with 1 if a tenant was over a budget.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Access logs; `-` is stdin
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<Utf8PathBuf>,

    /// Only this day, such as 2026-01-31
    #[arg(long, value_name = "DAY", value_parser = day)]
    day: Option<Date>,

    /// The `mirror.yaml` with the budgets; by default the workspace's
    #[arg(long, value_name = "FILE")]
    budget: Option<Utf8PathBuf>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
}

/// What there is to show.
struct Report<'a> {
    usage: &'a Usage,
    known: &'a Known,
    overruns: &'a [Overrun<'a>],
    day: Option<Date>,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    // A log may take a minute: what is wrong with the rest is said before.
    let known = Known::load(args.budget.as_deref(), ctx)?;
    let usage = logs::read(&args.logs, args.day, ctx)?;
    if known.has_no_budget() {
        // Or "nobody was over it" would be read out of the exit code.
        ctx.say(
            "note: no budget is known here; run this in the workspace, or name its `mirror.yaml` with `--budget`\n",
        );
    }
    let overruns = usage.overruns(&known.budgets);
    let report = Report { usage: &usage, known: &known, overruns: &overruns, day: args.day };
    ctx.print(&match args.format {
        Format::Text => text::text(&report),
        Format::Json => json::json(&report),
    })?;
    Ok(if overruns.is_empty() { Exit::Fine } else { Exit::Findings })
}

fn day(text: &str) -> std::result::Result<Date, String> {
    let parsed: Option<Date> = text.parse().ok();
    // The parser takes other spellings too, such as one with a time.
    parsed.filter(|date| date.to_string() == text).ok_or_else(|| "a day is needed, such as 2026-01-31".to_owned())
}
