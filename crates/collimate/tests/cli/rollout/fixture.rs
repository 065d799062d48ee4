//! A small workspace with channels and rings, whose files are known byte for byte.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use rollout::Hash;
use testkit::{Cli, Output, Sandbox};

/// The release of a channel: its version and the tag of each of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) version: String,
    pub(crate) tags: [u32; 2],
}

pub(crate) const SERVICES: [&str; 2] = ["web", "worker"];

pub(crate) const GREEN: &str = r#"{"schema": 1, "probe": "otel", "verdict": "passed", "facts": {}}"#;

const WORKSPACE: &str = "\
# What is checked here.
schema: 1
channels:
  edge: {release: releases/edge.yaml}
  stable:
    release: releases/stable.yaml
    promote_from: edge
    rings: [stage, prod] # stage first
profiles:
  dev: {channel: edge, compose: [compose/dev.yaml]}
  stage: {channel: stable, ring: stage, compose: [compose/stage.yaml]}
  prod: {channel: stable, ring: prod, compose: [compose/prod.yaml]}
";

pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
}

pub(crate) fn release(version: &str, tags: [u32; 2]) -> Release {
    Release { version: version.to_owned(), tags }
}

fn image(service: &str) -> String {
    format!("registry.example.org/{service}")
}

pub(crate) fn reference(service: &str, tag: u32) -> String {
    format!("{}:1.{tag}@sha256:{}", image(service), digest(service, tag))
}

/// Any digest, as long as it is always the same.
fn digest(service: &str, tag: u32) -> Hash {
    Hash::of(format!("content of {service} 1.{tag}").as_bytes())
}

/// A manifest as a person writes one.
pub(crate) fn manifest(channel: &str, release: &Release) -> String {
    let mut text = format!(
        "# made by hand\nschema: 1\nversion: {}\nchannel: {channel}\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n",
        release.version
    );
    for (service, tag) in SERVICES.iter().zip(release.tags) {
        text.push_str(&format!(
            "  {service}:\n    image: {}\n    tag: \"1.{tag}\"\n    digest: sha256:{}\n",
            image(service),
            digest(service, tag)
        ));
    }
    text
}

/// A profile that holds a release, with a limit that somebody wrote by hand.
pub(crate) fn profile(channel: &str, release: &Release, limit: u32) -> String {
    let mut text = "# by hand\nservices:\n".to_owned();
    for (service, tag) in SERVICES.iter().zip(release.tags) {
        text.push_str(&format!(
            "  {service}:\n    image: {} # pinned\n    labels:\n      org.example.release.version: \"{}\"\n      \
             org.example.release.channel: {channel}\n    environment: {{LIMIT: \"{limit}\"}}\n",
            reference(service, tag),
            release.version
        ));
    }
    text
}

impl Fixture {
    /// Stable has 1.0.0, edge has 1.1.0-edge; nothing is recorded.
    pub(crate) fn new() -> Self {
        let (stable, edge) = (release("1.0.0", [1, 1]), release("1.1.0-edge", [2, 1]));
        let sandbox = Sandbox::new();
        sandbox
            .write("collimate.yaml", WORKSPACE)
            .write("releases/edge.yaml", manifest("edge", &edge))
            .write("releases/stable.yaml", manifest("stable", &stable))
            .write("compose/dev.yaml", profile("edge", &edge, 0))
            .write("compose/stage.yaml", profile("stable", &stable, 0))
            .write("compose/prod.yaml", profile("stable", &stable, 0))
            .write("smoke.json", GREEN);
        Self { sandbox }
    }

    /// The same in another folder.
    pub(crate) fn copy(&self) -> Self {
        Self { sandbox: Sandbox::of(self.sandbox.root()) }
    }

    pub(crate) fn program(&self, arguments: &[&str]) -> Cli {
        Cli::new(env!("CARGO_BIN_EXE_collimate"))
            .folder(self.sandbox.root())
            .env("COLLIMATE_BY", "alice")
            .args(arguments.iter().copied())
    }

    /// Runs the program and expects this exit code, whatever it says.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], exit: i32) -> Output {
        self.program(arguments).any_stdout().any_stderr().exit(exit).run()
    }

    /// Nothing is wrong with workspace and ledger, and nothing is left of a run.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        self.run(&["check", "--deny", "warnings"], 0);
        self.run(&["history", "--verify"], 0);
        let files = self.sandbox.files();
        let left: Vec<_> =
            files.iter().filter(|file| file.file_name().is_some_and(|name| name.starts_with('.'))).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// These files with their content.
    pub(crate) fn snapshot_of(&self, paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| self.sandbox.read(path)).collect()
    }

    /// Every file with its content.
    pub(crate) fn snapshot(&self) -> BTreeMap<Utf8PathBuf, String> {
        self.sandbox.files().into_iter().map(|path| (path.clone(), self.sandbox.read(&path))).collect()
    }

    /// The release that a profile is pinned to, as its label says.
    #[track_caller]
    pub(crate) fn version_in(&self, profile: &str) -> String {
        let text = self.sandbox.read(format!("compose/{profile}.yaml"));
        text.split("release.version: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
    }

    /// Files of the ledger.
    pub(crate) fn entries(&self) -> Vec<Utf8PathBuf> {
        let files = self.sandbox.files();
        files
            .into_iter()
            .filter(|path| path.starts_with("releases/history") && path.extension() == Some("json"))
            .collect()
    }
}
