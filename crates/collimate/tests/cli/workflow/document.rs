//! A workflow as the tests need it: jobs, steps, and what each has in its environment.

use camino::Utf8Path;
use source::FileId;
use yamlspan::{Dialect, NodeRef};

use crate::tree::repository;

pub(super) const GITEA: &str = ".gitea/workflows/build-test-deploy.yml";
pub(super) const GITHUB: &str = "docs/ci/github-build-test-deploy.yml";

/// Names and values, in the order of the file.
pub(super) type Pairs = Vec<(String, String)>;

#[derive(Clone, Debug)]
pub(super) struct Workflow {
    pub(super) text: String,
    pub(super) env: Pairs,
    pub(super) permissions: Pairs,
    pub(super) jobs: Vec<Job>,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) condition: Option<String>,
    pub(super) env: Pairs,
    pub(super) permissions: Pairs,
    pub(super) minutes: Option<u32>,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) condition: Option<String>,
    pub(super) env: Pairs,
    pub(super) run: Option<String>,
    pub(super) uses: Option<String>,
    pub(super) with: Pairs,
}

impl Workflow {
    #[track_caller]
    pub(super) fn read(path: impl AsRef<Utf8Path>) -> Self {
        let text = std::fs::read_to_string(repository().join(path)).unwrap();
        let document = yamlspan::parse_first(text.as_str(), FileId(0), Dialect::GoYamlV3).unwrap().unwrap();
        let root = document.root();
        let jobs = root.get("jobs").unwrap().entries().map(|(id, job)| Job::of(id.raw(), job)).collect();
        let (env, permissions) = (pairs(root, "env"), pairs(root, "permissions"));
        Self { env, permissions, jobs, text }
    }

    pub(super) fn job(&self, id: &str) -> &Job {
        self.jobs.iter().find(|job| job.id == id).unwrap_or_else(|| panic!("no job `{id}`"))
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.jobs.iter().flat_map(|job| &job.steps)
    }
}

impl Job {
    fn of(id: &str, node: NodeRef<'_>) -> Self {
        Self {
            id: id.to_owned(),
            condition: text(node, "if"),
            env: pairs(node, "env"),
            permissions: pairs(node, "permissions"),
            minutes: text(node, "timeout-minutes").map(|minutes| minutes.parse().unwrap()),
            steps: node.get("steps").unwrap().items().map(Step::of).collect(),
        }
    }
}

impl Step {
    fn of(node: NodeRef<'_>) -> Self {
        Self {
            name: text(node, "name").unwrap(),
            id: text(node, "id"),
            condition: text(node, "if"),
            env: pairs(node, "env"),
            run: text(node, "run"),
            uses: text(node, "uses"),
            with: pairs(node, "with"),
        }
    }

    /// One of its inputs.
    pub(super) fn input(&self, name: &str) -> &str {
        self.with.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn text(node: NodeRef<'_>, key: &str) -> Option<String> {
    node.get(key).map(|value| value.raw().to_owned())
}

fn pairs(node: NodeRef<'_>, key: &str) -> Pairs {
    let Some(node) = node.get(key) else { return Vec::new() };
    node.entries().map(|(name, value)| (name.raw().to_owned(), value.raw().to_owned())).collect()
}
