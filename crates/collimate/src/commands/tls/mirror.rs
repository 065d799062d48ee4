use camino::Utf8PathBuf;
use certificates::{CA_DAYS, DAYS, Done, Owner, Request, San, Server};

use super::MOST_DAYS;
use crate::columns;
use crate::commands::mirror::settings::Settings;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// Where a workspace keeps the gateway's certificates; the gateway mounts this folder.
const FOLDER: &str = "deploy/compose/mirror-gateway/tls";

/// Make certificates for the domains of a mirror, and renew what is about to expire
///
/// One for each domain of `mirror.yaml`, `mirror-<id>.crt` and `mirror-<id>.key`, signed by the development CA; clients need its
/// `authority/ca.crt`. What is valid stays as it is, so this can be run daily; at a reload (SIGHUP) the gateway reads what is new.
/// Certificates of another CA are never replaced: put them into the folder, and leave this command alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; `deploy/compose/mirror-gateway/tls` of the workspace by default
    #[arg(value_name = "DIR")]
    folder: Option<Utf8PathBuf>,

    /// Another `mirror.yaml` than the workspace's
    #[arg(long, value_name = "FILE")]
    file: Option<Utf8PathBuf>,

    /// The folder whose CA signs, made if it is not there; `deploy/telemetry/certs` of the workspace by default
    #[arg(long, value_name = "DIR")]
    authority: Option<Utf8PathBuf>,

    /// Days that certificates live; never longer than their CA
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=MOST_DAYS))]
    days: u32,

    /// Renew every certificate now
    #[arg(long)]
    renew: bool,

    /// Give the files to this user and group, such as 101:101 of nginx's container (needs root)
    #[arg(long, value_name = "UID:GID")]
    owner: Option<Owner>,

    /// Let the group read the keys (mode 0640)
    #[arg(long)]
    group_readable: bool,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let settings = match &args.file {
        Some(file) => Settings::of_file(file, ctx)?,
        None => Settings::of_workspace(ctx)?,
    };
    let authority = super::folder(args.authority, ctx)?;
    let folder = match (args.folder, &settings.root) {
        (Some(folder), _) => folder,
        (None, Some(root)) => {
            let folder = root.join(FOLDER);
            folder.strip_prefix(ctx.cwd()).map(ToOwned::to_owned).unwrap_or(folder)
        }
        (None, None) => {
            return Err(Failure::usage("no folder is named, and there is no workspace")
                .hint("name the folder: `collimate tls mirror DIR`"));
        }
    };
    let mut servers = Vec::new();
    for domain in &settings.mirror.domains {
        let host: San = domain.host.value.parse().map_err(|reason: String| {
            Failure::input(format!("`{}` cannot be the name of a certificate", domain.host.value)).because(reason)
        })?;
        servers.push(Server { file: format!("mirror-{}", domain.id.value), names: vec![host] });
    }
    let request = Request {
        days: args.days,
        ca_days: CA_DAYS,
        renew: args.renew,
        owner: args.owner,
        group_readable: args.group_readable,
        ..Request::default()
    };
    let report = certificates::generate_servers(&request, &authority, &folder, &servers, ctx.now())
        .map_err(|error| super::failure(&error))?;
    let rows = report.servers.iter().map(|server| {
        let (verb, reason) = match &server.done {
            Done::Kept => ("kept", None),
            Done::Made => ("made", None),
            Done::Renewed(reason) => ("renewed", Some(reason)),
            Done::Mended(reason) => ("mended", Some(reason)),
        };
        let names = server.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let until = format!("until {}", super::date(server.validity.not_after));
        vec![verb.to_owned(), server.file.clone(), until, reason.cloned().unwrap_or(names)]
    });
    ctx.print(&columns::align(&rows.collect::<Vec<_>>()))?;
    if report.servers.iter().any(|server| server.done != Done::Kept) {
        ctx.say(&format!(
            "written to `{folder}`; a running gateway reads it at a reload (SIGHUP)\nnote: clients trust `{}`\n",
            authority.join("authority/ca.crt")
        ));
    }
    Ok(Exit::Fine)
}
