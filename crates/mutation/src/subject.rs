//! A workspace that mutants are made of.

use std::collections::BTreeMap;

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

/// A workspace without findings, with the text of every file that decides what is deployed.
#[derive(Clone, Debug)]
pub struct Subject {
    pub name: String,
    pub root: Utf8PathBuf,
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
        let mut subjects = vec![Self::new("this tree", &here.join("../.."), &["collimate.yaml", "deploy", "docs"])];
        let mut folders: Vec<_> = here
            .join("subjects")
            .read_dir_utf8()
            .expect("the subjects are there")
            .map(|entry| entry.expect("the subjects can be listed").file_name().to_owned())
            .collect();
        folders.sort();
        subjects.extend(folders.iter().map(|name| Self::new(name, &here.join("subjects").join(name), &[""])));
        subjects
    }

    fn new(name: &str, root: &Utf8Path, parts: &[&str]) -> Self {
        let read = |path: &Utf8Path| {
            let path = root.join(path);
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
        };
        let text = read(Utf8Path::new(WORKSPACE_FILE));
        let workspace = Workspace::parse(&text, FileId(0))
            .unwrap_or_else(|problems| panic!("the workspace of `{name}` has {} problems", problems.len()));
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
            let text = read(&path);
            if role == Role::Compose {
                left.extend(
                    crate::places::compose::included(&path, &text)
                        .into_iter()
                        .filter(|(path, _)| root.join(path).is_file()),
                );
            }
            files.insert(path.into_string(), (role, text));
        }
        let parts = parts.iter().map(|&part| part.to_owned()).collect();
        Self { name: name.to_owned(), root: root.to_owned(), parts, files, deployments, workspace }
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
