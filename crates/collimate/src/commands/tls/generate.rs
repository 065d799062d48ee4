use camino::{Utf8Path, Utf8PathBuf};
use certificates::{Algorithm, CA_DAYS, DAYS, Done, Owner, Report, Request, San};
use findings::plural;

use super::MOST_DAYS;
use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// Make a CA and the certificates of the telemetry overlays, and renew what is about to expire
///
/// One folder for each component, so that a container is given no more than its own: `collector`, `client`, `prometheus`, `tempo` and
/// `loki` hold `tls.crt`, `tls.key` and `ca.crt`; `authority` holds the CA and is never mounted. What is valid stays as it is, so this can
/// be run daily. The files of a component change all at once, also when this is killed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; `deploy/telemetry/certs` of the workspace by default
    #[arg(value_name = "DIR")]
    folder: Option<Utf8PathBuf>,

    /// Another DNS name or IP address of the servers (repeatable)
    ///
    /// They always have the name of their service, `localhost`, 127.0.0.1 and ::1. Names that a certificate has already are kept.
    #[arg(long = "san", value_name = "NAME")]
    sans: Vec<San>,

    /// Kind of new keys: p256, ed25519 or rsa (3072 bits); by default that of the present ones, else p256
    #[arg(long, value_name = "KIND")]
    algorithm: Option<Algorithm>,

    /// Days that certificates live; never longer than their CA
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=MOST_DAYS))]
    days: u32,

    /// Days that a new CA lives
    #[arg(long, value_name = "DAYS", default_value_t = CA_DAYS, value_parser = clap::value_parser!(u32).range(1..=MOST_DAYS))]
    ca_days: u32,

    /// Renew every certificate now; the CA stays (`collimate tls rotate` changes it)
    #[arg(long)]
    renew: bool,

    /// Renew what ends within so many days; a third of `--days` by default
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=MOST_DAYS))]
    renew_before: Option<u32>,

    /// Give the files of all components to this user and group, such as 10001:10001 of the collector's container (needs root)
    #[arg(long, value_name = "UID:GID")]
    owner: Option<Owner>,

    /// Let the group read the keys (mode 0640)
    #[arg(long)]
    group_readable: bool,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let request = Request {
        sans: args.sans,
        algorithm: args.algorithm,
        days: args.days,
        ca_days: args.ca_days,
        renew: args.renew,
        renew_before: args.renew_before,
        owner: args.owner,
        group_readable: args.group_readable,
    };
    if request.renew_before() >= request.days {
        return Err(Failure::usage(format!(
            "`--renew-before {}` is not shorter than `--days {}`",
            request.renew_before(),
            request.days
        ))
        .hint("every run would renew every certificate; `--renew` does that"));
    }
    let folder = super::folder(args.folder, ctx)?;
    let report = certificates::generate(&request, &folder, ctx.now()).map_err(|error| super::failure(&error))?;
    ctx.print(&text(&report, &folder))?;
    ctx.say(&talk(&report, &folder));
    Ok(Exit::Fine)
}

fn text(report: &Report, folder: &Utf8Path) -> String {
    let authority = &report.authority;
    let mut rows = vec![vec![
        verb(&authority.done).to_owned(),
        "authority".to_owned(),
        until(authority.validity),
        reason(&authority.done).unwrap_or_else(|| authority.name.clone()),
    ]];
    rows.extend(report.components.iter().map(|component| {
        let names = component.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        vec![
            verb(&component.done).to_owned(),
            component.component.folder().to_owned(),
            until(component.validity),
            reason(&component.done).unwrap_or(names),
        ]
    }));
    let changed = report.components.iter().filter(|component| component.done != Done::Kept).count();
    let summary = if report.changed() {
        format!("{} of {} written to `{folder}`\n", changed, plural(report.components.len(), "certificate"))
    } else {
        "nothing had to be done\n".to_owned()
    };
    columns::align(&rows) + &summary
}

/// What the result does not show.
fn talk(report: &Report, folder: &Utf8Path) -> String {
    let mut text = String::new();
    let authority = &report.authority;
    // Also one that was made where there was none, if somebody still has a certificate of the one that is gone.
    let was_another = report.components.iter().any(|component| matches!(component.done, Done::Renewed(_)));
    if matches!(authority.done, Done::Renewed(_)) || (authority.done == Done::Made && was_another) {
        text.push_str("warning: the CA is new, so every component has to be restarted\n");
    }
    if let Some(phase) = report.rotation {
        let next = super::command_line("rotate", folder, &format!(" --phase {phase}"));
        text.push_str(&format!("note: a rotation is under way; {next} comes next\n"));
    } else if authority.ends_soon {
        let next = super::command_line("rotate", folder, " --phase trust");
        text.push_str(&format!(
            "warning: the CA ends on {}, and no certificate can outlive it\nhint: {next} begins to replace it without an outage\n",
            super::date(authority.validity.not_after)
        ));
    }
    text
}

fn verb(done: &Done) -> &'static str {
    match done {
        Done::Kept => "kept",
        Done::Made => "made",
        Done::Renewed(_) => "renewed",
        Done::Mended(_) => "mended",
    }
}

fn reason(done: &Done) -> Option<String> {
    match done {
        Done::Kept | Done::Made => None,
        Done::Renewed(reason) | Done::Mended(reason) => Some(reason.clone()),
    }
}

fn until(validity: certificates::Validity) -> String {
    format!("until {}", super::date(validity.not_after))
}
