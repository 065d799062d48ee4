mod closing;

use std::collections::BTreeSet;
use std::fs;

use alignment::Undeclared;
use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use release::{Release, WORKSPACE_FILE, Workspace};
use source::{Files as _, system};

use crate::checking::{self, Scope};
use crate::context::Ctx;
use crate::discovery::{self, Components, DEEPEST, Discovery, LeftOut, RELEASE_FILE};
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::report::{Format, Report};
use crate::session::{self, Session};
use crate::write::{self, NewFile};

/// Make a workspace from the Compose files and charts of a folder
///
/// Writes `collimate.yaml` and `releases/current.yaml` from what they use today, then checks. Changes no other file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; its files and those below it are looked at
    #[arg(value_name = "DIR", default_value = ".")]
    folder: Utf8PathBuf,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    if ctx.workspace_file().is_some() {
        return Err(Failure::usage("`init` makes a workspace: it takes a folder, not `--workspace`"));
    }
    let root = root(&args.folder, ctx)?;
    let files = DiskFiles::new(root.clone());
    let found = discovery::look(&files);
    if found.is_empty() {
        return Err(nothing(&args.folder, &found.left_out));
    }
    let mut discovery = Discovery::of(found, &files, &args.folder);
    if discovery.profiles.is_empty() {
        return Err(none_loads(&args.folder, &discovery.left_out));
    }
    let plan = Plan::of(&mut discovery, files, ctx)?;
    create(&root, &plan)?;
    ctx.print(&plan.opening(&args.folder))?;
    let exit = check(&root, ctx)?;
    ctx.print(&closing::text(&plan, &root, &args.folder, &discovery))?;
    Ok(exit)
}

/// The folder, absolute and resolved, in which there is no workspace yet.
fn root(folder: &Utf8Path, ctx: &Ctx) -> Result<Utf8PathBuf> {
    let cannot = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot look into `{folder}`")).because(cause);
    let root = ctx.cwd().join(folder).canonicalize_utf8().map_err(|error| cannot(&system::reason(&error)))?;
    if !root.is_dir() {
        return Err(cannot(&"it is not a folder"));
    }
    if let Some(what) = session::in_the_way(&root.join(WORKSPACE_FILE)) {
        return Err(Failure::input(format!("`{}` is {what}, not a file", shown(folder, WORKSPACE_FILE)))
            .hint("move it away, and run `collimate init` again"));
    }
    // A link that leads nowhere is in the way too.
    let stands = |name: &str| root.join(name).symlink_metadata().is_ok();
    if stands(WORKSPACE_FILE) {
        return Err(Failure::usage(format!("`{}` exists already", shown(folder, WORKSPACE_FILE)))
            .hint("run `collimate check`; to begin anew, move it away"));
    }
    let releases = Utf8Path::new(RELEASE_FILE).parent().unwrap_or(Utf8Path::new(""));
    if stands(releases.as_str()) && !root.join(releases).is_dir() {
        return Err(Failure::input(format!("`{}` is no folder", shown(folder, releases.as_str())))
            .hint(format!("`init` writes `{}`; move away what is in its place", shown(folder, RELEASE_FILE))));
    }
    if stands(RELEASE_FILE) {
        return Err(Failure::usage(format!("`{}` exists already", shown(folder, RELEASE_FILE)))
            .hint("move it away, or write a `collimate.yaml` that names it"));
    }
    Ok(root)
}

/// A file of the folder as the caller would name it.
fn shown(folder: &Utf8Path, file: &str) -> String {
    source::normalize(&folder.join(file)).into_string()
}

fn nothing(folder: &Utf8Path, left_out: &[LeftOut]) -> Failure {
    let failure = Failure::input(format!("there is no Compose file and no chart in `{folder}`")).hint(format!(
        "looked for `compose.yaml`, `docker-compose.yml`, `docker-compose.NAME.yaml` and folders with a `Chart.yaml`, \
         {DEEPEST} folders deep; hidden folders, `node_modules`, `target`, `testdata` and `vendor` are passed over; \
         plain manifests are listed by hand, in a profile with `manifests: [FILE…]`"
    ));
    because_of(left_out, folder, failure)
}

fn none_loads(folder: &Utf8Path, left_out: &[LeftOut]) -> Failure {
    let failure = Failure::input(format!("nothing that is in `{folder}` can be rendered"))
        .hint("mend what one of them needs, then run `collimate init` again");
    because_of(left_out, folder, failure)
}

fn because_of(left_out: &[LeftOut], folder: &Utf8Path, failure: Failure) -> Failure {
    left_out.iter().fold(failure, |failure, LeftOut { path, reason, help }| {
        let path = if path.as_str().is_empty() { folder } else { path };
        let help = help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        failure.because(format!("`{path}`: {reason}{help}"))
    })
}

/// The two files to write.
struct Plan {
    workspace: String,
    release: String,
    profiles: usize,
    components: Components,
    /// What the profiles need of others and the workspace now declares.
    declared: BTreeSet<Undeclared>,
    /// Rules of policy that today's deployment does not keep.
    policies: Vec<&'static str>,
    /// Images that the profiles build themselves.
    built: BTreeSet<String>,
}

impl Plan {
    fn of(discovery: &mut Discovery, files: DiskFiles, ctx: &Ctx) -> Result<Self> {
        // Read back before anything is written: what would be refused is our fault.
        let parse = |text: &str, files: &DiskFiles| {
            let name = Utf8Path::new(WORKSPACE_FILE);
            files.overlay(name, text);
            let (id, _) = files.read_text(name).map_err(|error| ours(&error))?;
            Ok((Workspace::parse(text, id).map_err(|problems| ours(&first(&problems)))?, id))
        };
        let (workspace, _) = parse(&discovery::workspace_text(&discovery.profiles, &[], &BTreeSet::new()), &files)?;
        let session = Session::of(ctx, files, workspace);
        let needs = checking::needs(ctx, &session);
        discovery.declare(&needs.undeclared);
        let text = discovery::workspace_text(&discovery.profiles, &needs.policies, &needs.built);
        let (workspace, id) = parse(&text, &session.files)?;
        let profiles = workspace.profiles.len();
        let released = needs.images.into_iter().filter(|image| !needs.built.contains(&image.name()));
        let components = Components::of(&released.collect::<Vec<_>>());
        let release = discovery::release_text(&components, discovery.version.as_deref());
        let (_, problems) = Release::parse(&release, id);
        if !problems.is_empty() {
            return Err(ours(&first(&problems)));
        }
        let (declared, policies, built) = (needs.undeclared, needs.policies, needs.built);
        Ok(Self { workspace: text, release, profiles, components, declared, policies, built })
    }

    /// What was written.
    fn opening(&self, folder: &Utf8Path) -> String {
        let listed = self.components.listed.len();
        let without = match self.components.unresolved() {
            0 => String::new(),
            unresolved if unresolved == listed => ", without digests".to_owned(),
            unresolved => format!(", {unresolved} of them without a digest"),
        };
        format!(
            "wrote `{}`: {}\nwrote `{}`: {}{without}\n\n",
            shown(folder, WORKSPACE_FILE),
            plural(self.profiles, "profile"),
            shown(folder, RELEASE_FILE),
            plural(listed, "component"),
        )
    }
}

fn first(problems: &[release::Problem]) -> &str {
    problems.first().map_or("", |problem| problem.message.as_str())
}

fn ours(cause: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Bug, "the new workspace would not be readable").because(cause).hint("please report it")
}

/// Writes both files or none.
fn create(root: &Utf8Path, plan: &Plan) -> Result<()> {
    let release = root.join(RELEASE_FILE);
    let folder = release.parent().unwrap_or(root);
    let is_new = !folder.exists();
    let cannot =
        |error: &std::io::Error| Failure::outside(format!("cannot write `{release}`")).because(system::reason(error));
    fs::create_dir_all(folder).map_err(|error| cannot(&error))?;
    // A `releases` that is a link must not lead the file elsewhere.
    if folder.canonicalize_utf8().map_err(|error| cannot(&error))?.parent() != Some(root) {
        return Err(Failure::input(format!("`{folder}` is a link that leads elsewhere")));
    }
    let files = [
        NewFile { path: release.clone(), content: plan.release.clone().into_bytes() },
        NewFile { path: root.join(WORKSPACE_FILE), content: plan.workspace.clone().into_bytes() },
    ];
    write::replace_all(&files).inspect_err(|_| {
        // The manifest was not there before; without the workspace it would only be in the way of the next run.
        let _ = fs::remove_file(&release);
        if is_new {
            let _ = fs::remove_dir(folder);
        }
    })
}

/// `collimate check` of the new workspace.
fn check(root: &Utf8Path, ctx: &Ctx) -> Result<Exit> {
    let session = Session::open_file(ctx, &root.join(WORKSPACE_FILE))?;
    let scope = Scope { profiles: session.workspace.profiles.iter().collect(), ..Scope::default() };
    let checked = checking::check(ctx, &session, &scope);
    Report { checked: &checked, remarks: &[], format: Format::Text, deny_warnings: false, notes: false }.print(ctx)
}
