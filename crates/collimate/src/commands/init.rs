use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use release::{Release, WORKSPACE_FILE, Workspace};
use source::Files as _;

use crate::checking::{self, Scope};
use crate::context::Ctx;
use crate::discovery::{self, Components, DEEPEST, Discovery, LeftOut, RELEASE_FILE};
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::rendering::Charts;
use crate::report::{Format, Report};
use crate::session::Session;
use crate::write::{self, NewFile};

/// Images that one sentence names before it only counts: the check above it has listed them all.
const MOST_NAMED: usize = 5;

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
        return Err(nothing(&args.folder));
    }
    let mut discovery = Discovery::of(found, &files, &args.folder);
    if discovery.profiles.is_empty() {
        return Err(none_loads(&args.folder, &discovery.left_out));
    }
    let plan = Plan::of(&mut discovery, files, ctx)?;
    create(&root, &plan)?;
    ctx.print(&plan.opening(&args.folder))?;
    let exit = check(&root, ctx)?;
    ctx.print(&plan.closing(&args.folder, &discovery.left_out))?;
    Ok(exit)
}

/// The folder, absolute and resolved, in which there is no workspace yet.
fn root(folder: &Utf8Path, ctx: &Ctx) -> Result<Utf8PathBuf> {
    let cannot = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot look into `{folder}`")).because(cause);
    let root = ctx.cwd().join(folder).canonicalize_utf8().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => cannot(&"it does not exist"),
        kind => cannot(&kind),
    })?;
    if !root.is_dir() {
        return Err(cannot(&"it is not a folder"));
    }
    // A link that leads nowhere is in the way too.
    let stands = |name: &str| root.join(name).symlink_metadata().is_ok();
    if stands(WORKSPACE_FILE) {
        return Err(Failure::usage(format!("`{}` exists already", shown(folder, WORKSPACE_FILE)))
            .hint("run `collimate check`; to begin anew, move it away"));
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

fn nothing(folder: &Utf8Path) -> Failure {
    Failure::input(format!("there is no Compose file and no chart in `{folder}`")).hint(format!(
        "looked for `compose.yaml`, `docker-compose.yml`, `docker-compose.NAME.yaml` and folders with a `Chart.yaml`, \
         {DEEPEST} folders deep; hidden folders, `node_modules`, `target` and `vendor` are passed over"
    ))
}

fn none_loads(folder: &Utf8Path, left_out: &[LeftOut]) -> Failure {
    let failure = Failure::input(format!("nothing that is in `{folder}` can be rendered"))
        .hint("mend what one of them needs, then run `collimate init` again");
    left_out.iter().fold(failure, |failure, left_out| {
        let help = left_out.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        failure.because(format!("`{}`: {}{help}", left_out.path, left_out.reason))
    })
}

/// The two files to write.
struct Plan {
    workspace: String,
    release: String,
    profiles: usize,
    components: Components,
    /// Objects that the profiles need and do not render.
    declared: usize,
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
        let (workspace, _) = parse(&discovery::workspace_text(&discovery.profiles), &files)?;
        let session = Session::of(ctx, files, workspace);
        let needs = checking::needs(ctx, &session);
        discovery.declare(&needs.missing);
        let text = discovery::workspace_text(&discovery.profiles);
        let (workspace, id) = parse(&text, &session.files)?;
        let profiles = workspace.profiles.len();
        let components = Components::of(&needs.images);
        let release = discovery::release_text(&components, discovery.version.as_deref());
        let (_, problems) = Release::parse(&release, id);
        if !problems.is_empty() {
            return Err(ours(&first(&problems)));
        }
        // One name that several profiles need is one object to look at.
        let objects: BTreeSet<(&str, &str)> =
            needs.missing.iter().map(|object| (object.key, object.name.as_str())).collect();
        Ok(Self { workspace: text, release, profiles, components, declared: objects.len() })
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

    /// What is in no profile and what is left to do, in this order; empty if nothing is.
    fn closing(&self, folder: &Utf8Path, left_out: &[LeftOut]) -> String {
        let mut text = String::new();
        if !left_out.is_empty() {
            text.push_str("\nin no profile:\n");
        }
        // Writing to a string cannot fail, here and below.
        for entry in left_out {
            let reason = source::redact(&printable(&entry.reason)).replace('\n', "\n    ");
            let _ = writeln!(text, "  `{}`: {reason}", printable(entry.path.as_str()));
            if let Some(help) = &entry.help {
                let _ = writeln!(text, "    {}", printable(help));
            }
        }
        let mut next = Vec::new();
        let release = shown(folder, RELEASE_FILE);
        if !self.components.divided.is_empty() {
            let divided = &self.components.divided;
            let mut names: Vec<String> = divided.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
            if divided.len() > MOST_NAMED {
                names.push(format!("{} more", divided.len() - MOST_NAMED));
            }
            next.push(format!(
                "a release has one tag and one digest of an image, but several are in use of {}: keep one in `{release}`, or give \
                 the profiles that differ a channel of their own",
                names.join(", ")
            ));
        }
        if self.declared > 0 {
            let (objects, them) = (plural(self.declared, "object"), if self.declared == 1 { "it" } else { "them" });
            next.push(format!(
                "no profile renders {objects} that a chart needs: `{}` lists {them} under `external`, as made elsewhere; take out \
                 what is not",
                shown(folder, WORKSPACE_FILE)
            ));
        }
        if self.components.unresolved() > 0 {
            next.push(format!(
                "write the digests of a registry for `unresolved` in `{release}`; `collimate pin` then carries them into the profiles"
            ));
        }
        if !next.is_empty() {
            text.push_str("\nnext:\n");
        }
        for step in next {
            let _ = writeln!(text, "  {step}");
        }
        text
    }
}

fn first(problems: &[release::Problem]) -> &str {
    problems.first().map_or("", |problem| problem.message.as_str())
}

fn ours(cause: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Bug, "the new workspace would not be readable").because(cause).hint("please report it")
}

/// Names and messages come from files of others: control characters other than line ends are replaced.
fn printable(text: &str) -> String {
    text.trim_end().replace(|character: char| character.is_control() && character != '\n', "\u{fffd}")
}

/// Writes both files or none.
fn create(root: &Utf8Path, plan: &Plan) -> Result<()> {
    let release = root.join(RELEASE_FILE);
    let folder = release.parent().unwrap_or(root);
    let is_new = !folder.exists();
    let cannot = |error: &std::io::Error| Failure::outside(format!("cannot write `{release}`")).because(error.kind());
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
    let checked = checking::check(ctx, &session, &Charts::default(), &scope);
    Report { checked: &checked, remarks: &[], format: Format::Text, deny_warnings: false, notes: false }.print(ctx)
}
