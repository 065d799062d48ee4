//! An opened workspace: its file, its releases and the door to its files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use alignment::{Facts, Inputs, ReleaseInput, Role, Words};
use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, Severity, TextOptions};
use release::{Problem, Workspace};
use source::{EntryKind, FileError, FileId, Files as _, SourceMap, octets, system};

use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::parallel;
use crate::rendering::Renderings;

/// An opened workspace.
pub(crate) struct Session {
    pub(crate) files: DiskFiles,
    pub(crate) workspace: Workspace,
    /// Manifests of channels, of rings, and all of the archive beside them.
    pub(crate) releases: Vec<ReleaseInput>,
    /// The only variables that a render sees beside its env files: `PWD`, which Compose sets itself, and `HOME`, for `~`.
    pub(crate) environment: BTreeMap<String, String>,
    /// Files that are not rendered but searched for images (see [`crate::targets`]).
    pub(crate) searched: BTreeSet<Utf8PathBuf>,
    /// What was rendered of it up to now, shared with all that it was or will be: what is the same is not rendered again.
    pub(crate) renderings: Arc<Renderings>,
}

/// What a session came to that another one can use.
#[derive(Clone, Default)]
pub(crate) struct Known {
    releases: Vec<ReleaseInput>,
    renderings: Arc<Renderings>,
}

/// The folder of archived manifests, beside the channels' own.
pub(crate) const ARCHIVE: &str = "archive";

impl Session {
    /// Finds and opens the workspace of the current folder, or the one that `--workspace` names.
    pub(crate) fn open(ctx: &Ctx) -> Result<Self> {
        let (files, name) = Self::door(ctx)?;
        Self::through(ctx, files, &name)
    }

    /// The door to the files of that workspace, and the name of its own file, which is not looked at yet.
    pub(crate) fn door(ctx: &Ctx) -> Result<(DiskFiles, Utf8PathBuf)> {
        let file = match ctx.workspace_file() {
            Some(file) => ctx.cwd().join(file),
            None => nearest(ctx.cwd()).ok_or_else(|| none(ctx.cwd()))?,
        };
        door_of(&file)
    }

    /// Opens the workspace whose file is at this absolute path.
    pub(crate) fn open_file(ctx: &Ctx, file: &Utf8Path) -> Result<Self> {
        let (files, name) = door_of(file)?;
        Self::through(ctx, files, &name)
    }

    /// Opens the workspace of a [`Self::door`].
    pub(crate) fn through(ctx: &Ctx, files: DiskFiles, name: &Utf8Path) -> Result<Self> {
        let workspace = Self::workspace(ctx, &files, name)?;
        Ok(Self::of(ctx, files, workspace))
    }

    /// What the workspace's own file says; nothing that it names is looked at.
    pub(crate) fn workspace(ctx: &Ctx, files: &DiskFiles, name: &Utf8Path) -> Result<Workspace> {
        let (id, text) = files.read_text(name).map_err(|error| match error {
            FileError::NotUtf8 { .. } => Failure::input(format!("cannot read `{}`", files.root().join(name)))
                .because(error)
                .hint(octets::WAY_OUT),
            FileError::NotFound(_) => unreadable(&files.root().join(name), &error),
            error => withheld(&files.root().join(name), &error),
        })?;
        Workspace::parse(&text, id)
            .and_then(|workspace| {
                let unknown = alignment::unknown_rules(&workspace);
                if unknown.is_empty() { Ok(workspace) } else { Err(unknown) }
            })
            .map_err(|problems| malformed(ctx, files, name.as_str(), problems))
    }

    /// A session of a workspace, its releases loaded.
    pub(crate) fn of(ctx: &Ctx, files: DiskFiles, workspace: Workspace) -> Self {
        Self::after(ctx, files, workspace, Known::default())
    }

    /// As [`Self::of`]; what another session came to is not done again where it would be the same. Its files are those of that one, or were.
    pub(crate) fn after(ctx: &Ctx, files: DiskFiles, workspace: Workspace, known: Known) -> Self {
        let Known { releases, renderings } = known;
        let releases = load_releases(&workspace, &files, &releases);
        let mut environment = BTreeMap::from([("PWD".to_owned(), files.root().to_string())]);
        if let Some(home) = ctx.environment().get("HOME") {
            environment.insert("HOME".to_owned(), home.clone());
        }
        Self { files, workspace, releases, environment, searched: BTreeSet::new(), renderings }
    }

    /// The workspace as it would be with other texts in some of its files, its own file among them or not.
    pub(crate) fn with(&self, ctx: &Ctx, texts: &BTreeMap<Utf8PathBuf, String>) -> Result<Self> {
        let files = self.files.fork();
        for (path, text) in texts {
            files.overlay(path, text);
        }
        let name = self.workspace_path();
        let (id, text) =
            files.read_text(&name).map_err(|error| Failure::input(format!("cannot read `{name}`")).because(error))?;
        let workspace =
            Workspace::parse(&text, id).map_err(|problems| malformed(ctx, &files, name.as_str(), problems))?;
        Ok(Self::after(ctx, files, workspace, self.known()))
    }

    /// What the next session need not do again.
    pub(crate) fn known(&self) -> Known {
        Known { releases: self.releases.clone(), renderings: Arc::clone(&self.renderings) }
    }

    /// Forgets what was known from sessions before and was of no use to this one.
    pub(crate) fn forget_unused(&self) {
        self.files.forget_unread();
        self.renderings.forget_unused();
    }

    /// Where the workspace's own file is, from its root.
    pub(crate) fn workspace_path(&self) -> Utf8PathBuf {
        self.files.sources().path(self.workspace.span.file).to_owned()
    }

    /// The workspace's own file, refused for what a command finds wrong with it.
    pub(crate) fn refused(&self, ctx: &Ctx, problem: Problem) -> Failure {
        malformed(ctx, &self.files, self.workspace_path().as_str(), vec![problem])
    }

    /// What the rules look at.
    pub(crate) fn inputs<'a>(
        &'a self,
        releases: &'a [ReleaseInput],
        profiles: &'a [alignment::Profile],
        sources: &'a SourceMap,
        facts: &'a dyn Facts,
    ) -> Inputs<'a> {
        Inputs { root: self.files.root(), workspace: &self.workspace, releases, profiles, sources, facts }
    }

    /// The index of the release that a profile is held to.
    pub(crate) fn release_index(&self, profile: &release::Profile) -> Option<usize> {
        alignment::release_index(&self.workspace, &self.releases, profile)
    }

    /// The profile of this name.
    pub(crate) fn profile(&self, name: &str) -> Result<&release::Profile> {
        self.workspace.profile(name).ok_or_else(|| {
            let known = self.workspace.profiles.iter().map(|profile| profile.name.value.as_str());
            unknown("profile", name, known.collect())
        })
    }

    /// The profiles that names of channels and profiles select, in the workspace's order; all if there are none.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<&release::Profile>> {
        for name in names {
            if self.workspace.channel(name).is_none() && self.workspace.profile(name).is_none() {
                let channels = self.workspace.channels.iter().map(|channel| channel.name.value.as_str());
                let profiles = self.workspace.profiles.iter().map(|profile| profile.name.value.as_str());
                return Err(unknown("channel or profile", name, channels.chain(profiles).collect()));
            }
        }
        let selected = |profile: &&release::Profile| {
            names.is_empty() || names.iter().any(|name| *name == profile.name.value || *name == profile.channel.value)
        };
        Ok(self.workspace.profiles.iter().filter(selected).collect())
    }

    /// The manifests in which one of the words may stand.
    pub(crate) fn mentioning(&self, words: &Words) -> Vec<&ReleaseInput> {
        let may = parallel::map(&self.releases, |input| words.may_stand_in(input));
        self.releases.iter().zip(may).filter_map(|(input, may)| may.then_some(input)).collect()
    }

    /// A path of the command line as a path of the workspace: relative to its root if it lies below, else absolute (and let in).
    pub(crate) fn named_path(&self, ctx: &Ctx, path: &Utf8Path) -> Utf8PathBuf {
        let absolute = source::normalize(&ctx.cwd().join(path));
        let resolved = absolute.canonicalize_utf8().unwrap_or(absolute);
        match resolved.strip_prefix(self.files.root()) {
            Ok(below) => below.to_owned(),
            Err(_) => {
                self.files.allow(&resolved);
                resolved
            }
        }
    }
}

/// A name that nothing has, with the nearest one that something has.
pub(crate) fn unknown(what: &str, name: &str, known: Vec<&str>) -> Failure {
    let failure = Failure::usage(format!("there is no {what} `{name}`"));
    match release::nearest(name, known.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("there are: {}", known.join(", "))),
    }
}

/// The folder that default paths are relative to: the workspace's, also where its file is broken, else the current one.
pub(crate) fn base_folder(ctx: &Ctx) -> Utf8PathBuf {
    let file = ctx.workspace_file().map(|file| ctx.cwd().join(file)).or_else(|| nearest(ctx.cwd()));
    file.and_then(|file| file.parent().map(Utf8Path::to_owned)).unwrap_or_else(|| ctx.cwd().to_owned())
}

fn door_of(file: &Utf8Path) -> Result<(DiskFiles, Utf8PathBuf)> {
    let folder = file.parent().unwrap_or(Utf8Path::new("/"));
    let root = folder.canonicalize_utf8().map_err(|error| unreadable(file, &system::reason(&error)))?;
    Ok((DiskFiles::new(root), file.file_name().unwrap_or(release::WORKSPACE_FILE).into()))
}

fn unreadable(file: &Utf8Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::input(format!("cannot read `{file}`"))
        .because(error)
        .hint(format!("`--workspace` names a `{}`; `collimate init` makes one", release::WORKSPACE_FILE))
}

/// The workspace's file is there, and cannot be read: to make one would be no way out.
fn withheld(file: &Utf8Path, error: &FileError) -> Failure {
    let failure = Failure::input(format!("cannot read `{file}`")).because(error);
    match error {
        FileError::Outside { .. } => failure
            .hint("put the file itself in the place of the link, or name the one that it leads to with `--workspace`"),
        FileError::Io { .. } => failure.hint("`ls -l` shows what it is, whose it is and who may read it"),
        _ => failure.hint(format!("`--workspace` names a `{}`", release::WORKSPACE_FILE)),
    }
}

/// There is no workspace; or something that bears the name of its file is in the way.
fn none(folder: &Utf8Path) -> Failure {
    let name = release::WORKSPACE_FILE;
    match in_the_way(&folder.join(name)) {
        Some(what) => Failure::input(format!("`{name}` in `{folder}` is {what}, not a file"))
            .hint("move it away; `collimate init` makes the file from the Compose files and charts that are here"),
        None => Failure::missing_workspace(format!("no `{name}` in `{folder}` or above"))
            .hint("run `collimate init` to make one from the Compose files and charts that are here"),
    }
}

/// What stands at a path in place of a file; `None` if nothing does, or a file.
pub(crate) fn in_the_way(path: &Utf8Path) -> Option<&'static str> {
    let there = path.symlink_metadata().ok()?;
    match path.metadata() {
        Ok(target) if target.is_file() => None,
        Ok(target) if target.is_dir() => Some("a folder"),
        Ok(_) => Some("a device or a pipe"),
        Err(_) if there.is_symlink() => Some("a link that leads nowhere"),
        Err(_) => None,
    }
}

/// The workspace file of a folder: in it, or in the nearest one above it.
pub(crate) fn nearest(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    folder.ancestors().map(|folder| folder.join(release::WORKSPACE_FILE)).find(|file| file.is_file())
}

/// All problems of the workspace file, each with its lines, as one failure.
fn malformed(ctx: &Ctx, files: &DiskFiles, name: &str, problems: Vec<Problem>) -> Failure {
    malformed_file(ctx, &files.sources(), "workspace", name, problems)
}

/// All problems of a file of ours, which `collimate schema` knows as `kind`.
pub(crate) fn malformed_file(
    ctx: &Ctx,
    sources: &SourceMap,
    kind: &'static str,
    name: &str,
    problems: Vec<Problem>,
) -> Failure {
    let count = problems.len();
    let findings: Vec<Finding<Location>> =
        problems.into_iter().map(|problem| problem_finding(kind, problem, Utf8Path::new(name))).collect();
    ctx.say(&findings::text(&findings, sources, TextOptions { colour: ctx.color() }));
    Failure::new(Exit::Input, format!("`{name}` has {}", findings::plural(count, "problem")))
        .hint(format!("`collimate schema {kind}` prints the JSON Schema of this file"))
}

fn problem_finding(rule: &'static str, problem: Problem, path: &Utf8Path) -> Finding<Location> {
    let place = problem.span.map_or_else(|| Location::File(path.to_owned()), Location::Span);
    let finding = Finding::new(rule, Severity::Error, place, problem.message);
    match problem.help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

fn load_releases(workspace: &Workspace, files: &DiskFiles, known: &[ReleaseInput]) -> Vec<ReleaseInput> {
    let known: BTreeMap<FileId, &ReleaseInput> = known.iter().filter_map(|input| Some((input.file?, input))).collect();
    let mut seen = HashSet::new();
    let mut named: Vec<(Utf8PathBuf, Role)> = Vec::new();
    let mut add = |path: &Utf8Path, role: Role| {
        if seen.insert(path.to_owned()) {
            named.push((path.to_owned(), role));
        }
    };
    for channel in &workspace.channels {
        add(&channel.release, Role::Current { channel: channel.name.value.clone() });
    }
    for channel in &workspace.channels {
        for ring in &channel.rings {
            if let Some(path) = &ring.release {
                add(path, Role::Ring { channel: channel.name.value.clone(), ring: ring.name.value.clone() });
            }
        }
    }
    let archives: BTreeSet<Utf8PathBuf> = workspace
        .channels
        .iter()
        .map(|channel| channel.release.parent().unwrap_or(Utf8Path::new("")).join(ARCHIVE))
        .collect();
    for archive in archives {
        // The archive is looked at whole: `release-tag-moved` compares with every release there was.
        for entry in files.list(&archive).unwrap_or_default() {
            let path = archive.join(&entry.name);
            if entry.kind == EntryKind::File && matches!(path.extension(), Some("yaml" | "yml")) {
                add(&path, Role::Archive);
            }
        }
    }
    // Years of releases are a thousand files.
    parallel::map(&named, |(path, role)| {
        let input = load_release(files, path, role.clone());
        // The same text: a file has another id with another one.
        match input.file.and_then(|file| known.get(&file)) {
            Some(known) => known.in_role(input.role),
            None => input,
        }
    })
}

/// Reads one manifest.
pub(crate) fn load_release(files: &DiskFiles, path: &Utf8Path, role: Role) -> ReleaseInput {
    ReleaseInput::new(path.to_owned(), role, files.read_text(path))
}
