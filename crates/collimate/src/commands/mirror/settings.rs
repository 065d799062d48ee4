//! `mirror.yaml`: the workspace's, or one that the command line names.

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, Severity, TextOptions, plural};
use mirror::Mirror;
use source::Files as _;

use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::session::Session;

/// Where tenants' files lie in a workspace; the verifier mounts this folder and no other service does.
const SECRETS: &str = "deploy/compose/mirror-gateway/secrets";

/// The settings of a mirror, and where they stand.
pub(in crate::commands) struct Settings {
    pub(in crate::commands) mirror: Mirror,
    /// As it is shown.
    pub(super) file: Utf8PathBuf,
    /// The folder of the workspace, if they are a workspace's.
    pub(in crate::commands) root: Option<Utf8PathBuf>,
}

impl Settings {
    /// Those of the workspace.
    pub(in crate::commands) fn of_workspace(ctx: &Ctx) -> Result<Self> {
        let session = Session::open(ctx)?;
        let Some(path) = &session.workspace.mirror else {
            return Err(Failure::missing_workspace(format!("`{}` names no mirror", session.workspace_path()))
                .hint("write `mirror: deploy/mirror.yaml` into it"));
        };
        let mirror = read(ctx, &session.files, &path.value)?;
        let root = session.files.root().to_owned();
        Ok(Self { mirror, file: path.value.clone(), root: Some(root) })
    }

    /// Those of a file.
    pub(in crate::commands) fn of_file(file: &Utf8Path, ctx: &Ctx) -> Result<Self> {
        let files = DiskFiles::new(ctx.cwd().to_owned());
        files.allow(file);
        Ok(Self { mirror: read(ctx, &files, file)?, file: file.to_owned(), root: None })
    }

    /// Where the tenants of a domain are kept, on disk and as it is shown; nowhere without a workspace.
    pub(super) fn htpasswd(&self, domain: &mirror::Domain, ctx: &Ctx) -> Option<(Utf8PathBuf, Utf8PathBuf)> {
        let path = self.root.as_ref()?.join(SECRETS).join(domain.htpasswd());
        let shown = path.strip_prefix(ctx.cwd()).map_or_else(|_| path.clone(), Utf8Path::to_owned);
        Some((path, shown))
    }
}

fn read(ctx: &Ctx, files: &DiskFiles, path: &Utf8Path) -> Result<Mirror> {
    let (id, text) =
        files.read_text(path).map_err(|error| Failure::input(format!("cannot read `{path}`")).because(error))?;
    Mirror::parse(&text, id).map_err(|problems| {
        let count = problems.len();
        let findings: Vec<Finding<Location>> = problems
            .into_iter()
            .map(|problem| {
                let place = problem.span.map_or_else(|| Location::File(path.to_owned()), Location::Span);
                let finding = Finding::new("mirror", Severity::Error, place, problem.message);
                match problem.help {
                    Some(help) => finding.help(help),
                    None => finding,
                }
            })
            .collect();
        ctx.say(&findings::text(&findings, &files.sources(), TextOptions { colour: ctx.color() }));
        Failure::new(Exit::Input, format!("`{path}` has {}", plural(count, "problem")))
            .hint("`collimate schema mirror` prints the JSON Schema of this file")
    })
}
