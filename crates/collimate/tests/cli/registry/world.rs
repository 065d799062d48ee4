//! A workspace with one channel whose components lie in a registry, and a login for it that must never be seen.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde_json::Value;
use testkit::{Cli, Output, Sandbox};

pub(super) const USER: &str = "alice";
pub(super) const PASSWORD: &str = "planted-registry-pa55word";
pub(super) const MANIFEST: &str = "releases/edge.yaml";

const WORKSPACE: &str = "\
schema: 1
channels:
  edge: {release: releases/edge.yaml}
  stable: {release: releases/stable.yaml, promote_from: edge}
profiles:
  dev: {channel: edge, compose: [compose/dev.yaml]}
";

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
}

/// A component as it stands in the manifest: name, image without its registry, tag and digest.
pub(super) type Row<'a> = (&'a str, &'a str, &'a str, &'a str);

impl World {
    /// A workspace whose edge release lists these components of the registry `host`.
    pub(super) fn new(host: &str, rows: &[Row<'_>]) -> Self {
        let sandbox = Sandbox::new();
        let mut compose = "services:\n".to_owned();
        for (name, image, tag, digest) in rows {
            let pin = if digest.starts_with("sha256:") { format!("@{digest}") } else { String::new() };
            compose.push_str(&format!("  {name}:\n    image: {host}/{image}:{tag}{pin}\n"));
        }
        sandbox
            .write("collimate.yaml", WORKSPACE)
            .write(MANIFEST, manifest("edge", "1.1.0", host, rows))
            .write("releases/stable.yaml", manifest("stable", "1.0.0", "registry.example.org", &[]))
            .write("compose/dev.yaml", compose);
        Self { sandbox, args: Vec::new(), env: BTreeMap::new() }
    }

    /// Leaves a login for `host` where Docker would.
    pub(super) fn login(mut self, host: &str) -> Self {
        let auth = format!(r#"{{"auths": {{"{host}": {{"username": "{USER}", "password": "{PASSWORD}"}}}}}}"#);
        self.sandbox.write("docker/config.json", auth);
        self.env.insert("DOCKER_CONFIG".to_owned(), self.sandbox.path("docker").to_string());
        self
    }

    pub(super) fn flags(mut self, flags: &[&str]) -> Self {
        self.args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    pub(super) fn program(&self, arguments: &[&str]) -> Cli {
        let cli = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(self.sandbox.root()).env("COLLIMATE_BY", "bob");
        let cli = self.env.iter().fold(cli, |cli, (name, value)| cli.env(name, value));
        cli.args(arguments.iter().copied())
    }

    /// `release resolve edge` with these arguments behind it.
    pub(super) fn resolve(&self, arguments: &[&str]) -> Cli {
        self.program(&["release", "resolve", "edge"]).args(&self.args).args(arguments.iter().copied())
    }

    /// Runs it, and proves that no planted secret is in anything that it wrote, to the terminal or to the disk.
    #[track_caller]
    pub(super) fn run(&self, arguments: &[&str], exit: i32) -> Output {
        let output = self.resolve(arguments).output();
        assert_eq!(output.exit, exit, "{output}");
        let mut texts = vec![output.stdout.clone(), output.stderr.clone()];
        texts.extend(self.snapshot().into_values());
        for text in texts {
            assert!(!text.contains("planted-") && !text.contains("cGxhbnRlZC"), "a secret is in:\n{text}");
        }
        output
    }

    /// The JSON report.
    #[track_caller]
    pub(super) fn report(&self, arguments: &[&str], exit: i32) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat(), exit);
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
    }

    /// Name → state.
    #[track_caller]
    pub(super) fn states(&self, arguments: &[&str], exit: i32) -> BTreeMap<String, String> {
        let report = self.report(arguments, exit);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let components = report["components"].as_array().unwrap();
        components.iter().map(|component| (text(&component["name"]), text(&component["state"]))).collect()
    }

    /// The manifest, which must have changed in nothing.
    #[track_caller]
    pub(super) fn is_untouched(&self, before: &BTreeMap<Utf8PathBuf, String>) {
        assert_eq!(self.snapshot(), *before);
    }

    /// Every file of the workspace; not the logins, and nothing of a registry.
    pub(super) fn snapshot(&self) -> BTreeMap<Utf8PathBuf, String> {
        let own = |path: &Utf8PathBuf| ["releases", "compose"].iter().any(|folder| path.starts_with(folder));
        let files = self.sandbox.files().into_iter().filter(own);
        files.map(|path| (path.clone(), self.sandbox.read(&path))).collect()
    }
}

/// A manifest as a person writes one, with a comment behind every digest.
pub(super) fn manifest(channel: &str, version: &str, host: &str, rows: &[Row<'_>]) -> String {
    let mut text = format!(
        "# by hand\nschema: 1\nversion: {version}\nchannel: {channel}\ndigests: sample # not yet\ncomponents:\n"
    );
    if rows.is_empty() {
        text = text.replace("components:\n", "components: {}\n");
    }
    for (name, image, tag, digest) in rows {
        text.push_str(&format!(
            "  {name}:\n    image: {host}/{image}\n    tag: \"{tag}\" # kept\n    digest: {digest} # of {name}\n"
        ));
    }
    text
}

/// The documented stand-in.
pub(super) fn sample(host: &str, image: &str, tag: &str) -> String {
    testkit::registry::sha256(format!("{host}/{image}:{tag}").as_bytes())
}

/// A digest as messages show it.
pub(super) fn short(digest: &str) -> String {
    format!("{}…", &digest[.."sha256:".len() + 12])
}
