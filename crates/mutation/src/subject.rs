//! A workspace that mutants are made of.

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use release::{ProfileSource, WORKSPACE_FILE, Workspace};
use source::FileId;
use testkit::Sandbox;

/// How a file of a workspace is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Workspace,
    Release,
    Compose,
    Env,
    Values,
    Template,
    Manifests,
}

/// A workspace with the text of every file that decides what is deployed.
#[derive(Clone, Debug)]
pub struct Subject {
    pub name: String,
    pub root: Utf8PathBuf,
    /// Whether the program must find nothing in it. In any other, what it finds before the change is not about the change.
    pub clean: bool,
    /// What of the folder belongs to the workspace.
    parts: Vec<String>,
    pub files: BTreeMap<String, (Role, String)>,
    /// Profiles with their overlays: every state that can be deployed.
    pub deployments: Vec<(String, Option<String>)>,
    pub workspace: Workspace,
}

impl Subject {
    /// The shipped tree and all folders of `subjects`.
    pub fn all() -> Vec<Self> {
        let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
        let new = |name: &str, root: &Utf8Path, parts: &[&str]| {
            let parts = parts.iter().map(|&part| part.to_owned()).collect();
            Self::new(name, root, parts, true).unwrap_or_else(|error| panic!("`{name}`: {error}"))
        };
        let mut subjects = vec![new("this tree", &here.join("../.."), &["collimate.yaml", "deploy", "docs"])];
        let mut folders: Vec<_> = here
            .join("subjects")
            .read_dir_utf8()
            .expect("the subjects are there")
            .map(|entry| entry.expect("the subjects can be listed").file_name().to_owned())
            .collect();
        folders.sort();
        subjects.extend(folders.iter().map(|name| new(name, &here.join("subjects").join(name), &[""])));
        subjects
    }

    /// Anybody's workspace, called as the folder that was named.
    ///
    /// # Errors
    /// If there is no workspace in the folder, or a file of it cannot be read.
    pub fn of(folder: &Utf8Path) -> Result<Self, String> {
        let list = || -> io::Result<Vec<String>> {
            folder.read_dir_utf8()?.map(|entry| entry.map(|entry| entry.file_name().to_owned())).collect()
        };
        let mut parts = list().map_err(|error| format!("cannot list `{folder}`: {error}"))?;
        // Of git's own files the index alone counts: it says what is tracked.
        parts.retain(|part| part != ".git");
        parts.extend(Some(".git/index".to_owned()).filter(|index| folder.join(index).is_file()));
        Self::new(folder.as_str(), folder, parts, false)
    }

    fn new(name: &str, root: &Utf8Path, parts: Vec<String>, clean: bool) -> Result<Self, String> {
        let read = |path: &Utf8Path| {
            let path = root.join(path);
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{path}`: {error}"))
        };
        let text = read(Utf8Path::new(WORKSPACE_FILE))?;
        let workspace = Workspace::parse(&text, FileId(0))
            .map_err(|problems| format!("`{WORKSPACE_FILE}` has {} problems", problems.len()))?;
        let mut roles = BTreeMap::from([(Utf8PathBuf::from(WORKSPACE_FILE), Role::Workspace)]);
        for channel in &workspace.channels {
            roles.insert(channel.release.value.clone(), Role::Release);
            // Archived manifests are held against current ones.
            let archive = channel.release.value.parent().unwrap_or(Utf8Path::new("")).join("archive");
            for file in below(root, &archive) {
                roles.insert(file, Role::Release);
            }
        }
        let mut deployments = Vec::new();
        for profile in &workspace.profiles {
            deployments.push((profile.name.value.clone(), None));
            match &profile.source {
                ProfileSource::Compose(compose) => {
                    roles.extend(compose.files.iter().map(|file| (file.value.clone(), Role::Compose)));
                    roles.extend(compose.env.iter().map(|file| (file.value.clone(), Role::Env)));
                    deployments.extend(
                        compose
                            .overlays
                            .iter()
                            .map(|overlay| (profile.name.value.clone(), Some(overlay.value.clone()))),
                    );
                }
                ProfileSource::Helm(helm) => {
                    roles.extend(helm.values.iter().map(|file| (file.value.clone(), Role::Values)));
                    roles.extend(chart(root, &helm.chart.value));
                }
                ProfileSource::Manifests(files) => {
                    roles.extend(files.iter().map(|file| (file.value.clone(), Role::Manifests)));
                }
            }
        }
        for overlay in &workspace.overlays {
            roles.extend(overlay.files.iter().map(|file| (file.value.clone(), Role::Compose)));
        }
        let mut files: BTreeMap<String, (Role, String)> = BTreeMap::new();
        let mut left: Vec<(Utf8PathBuf, Role)> = roles.into_iter().collect();
        while let Some((path, role)) = left.pop() {
            if files.contains_key(path.as_str()) {
                continue;
            }
            let text = read(&path)?;
            if role == Role::Compose {
                left.extend(
                    crate::places::compose::included(&path, &text)
                        .into_iter()
                        .filter(|(path, _)| root.join(path).is_file()),
                );
            }
            files.insert(path.into_string(), (role, text));
        }
        Ok(Self { name: name.to_owned(), root: root.to_owned(), clean, parts, files, deployments, workspace })
    }

    /// The text of one of its files; empty if it has none.
    pub fn text(&self, file: &str) -> &str {
        self.files.get(file).map_or("", |(_, text)| text)
    }

    /// A copy that may be changed.
    pub fn copy(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        for part in &self.parts {
            sandbox.copy(self.root.join(part), part);
        }
        sandbox
    }
}

/// What of a chart is values and templates, its vendored subcharts too.
fn chart(root: &Utf8Path, chart: &Utf8Path) -> Vec<(Utf8PathBuf, Role)> {
    below(root, chart)
        .into_iter()
        .filter_map(|path| {
            let inside = path.as_str().split('/').any(|part| part == "templates");
            match path.extension() {
                Some("yaml" | "tpl") if inside => Some((path, Role::Template)),
                _ if path.file_name() == Some("values.yaml") => Some((path, Role::Values)),
                _ => None,
            }
        })
        .collect()
}

fn below(root: &Utf8Path, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = root.join(folder).read_dir_utf8() else { return files };
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        if root.join(&path).is_dir() {
            files.extend(below(root, &path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
