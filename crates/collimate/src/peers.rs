//! The real tools beside ours: finds them, runs them on a profile, gives back what they printed.
//!
//! Threats: a tree could make a tool run a plugin, use stored credentials or go to the network. The environment is built
//! anew (no `HELM_PLUGINS`, no `DOCKER_CONFIG`, nothing exported by the shell), proxies point nowhere, what runs is a
//! [`Group`], and only profiles that our own engine could load are handed over: it refuses remote includes.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use source::system;

use findings::{Finding, Location, Severity, Verdict, plural};
use release::{HelmSource, ProfileSource};

use crate::checking::{Checked, Scope};
use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::group::{self, Group};
use crate::rendering::{self, Output};
use crate::session::Session;

/// Rendering the largest public charts takes Helm 20 s on two cores; past this a tool hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Names under which disagreements are reported. They are no rules: a rule looks at the workspace, these at two programs.
const REFUSES: &str = "peer-refuses";
const DIFFERS: &str = "peer-differs";

/// The real tools that are installed.
pub(crate) struct Peers {
    compose: Option<Peer>,
    helm: Option<Peer>,
}

impl Peers {
    /// Looks for the tools that the profiles need. With `require`, a missing one is a failure that names it.
    pub(crate) fn find(ctx: &Ctx, profiles: &[&release::Profile], require: bool) -> Result<Self> {
        let needs = |kind: release::Kind| profiles.iter().any(|profile| profile.kind() == kind);
        let needs_compose = needs(release::Kind::Compose);
        let needs_helm = needs(release::Kind::Helm);
        let peers = Self {
            compose: if needs_compose { Peer::compose(ctx) } else { None },
            helm: if needs_helm { Peer::helm(ctx) } else { None },
        };
        let missing: Vec<&str> = [
            (needs_compose && peers.compose.is_none(), "`docker compose`"),
            (needs_helm && peers.helm.is_none(), "`helm`"),
        ]
        .into_iter()
        .filter_map(|(missing, name)| missing.then_some(name))
        .collect();
        if require && !missing.is_empty() {
            return Err(Failure::outside(format!("not installed: {}", missing.join(" and ")))
                .hint("install it, or leave out `--peers=require`: `collimate check` alone needs neither"));
        }
        Ok(peers)
    }

    /// Runs the tools on every profile in scope; adds a finding for each that refuses or differs. Gives a line per tool.
    pub(crate) fn compare(
        &self,
        ctx: &Ctx,
        session: &Session,
        scope: &Scope<'_>,
        checked: &mut Checked,
    ) -> Result<Vec<String>> {
        let mut remarks = Vec::new();
        for (kind, name, peer) in
            [(release::Kind::Compose, "docker compose", &self.compose), (release::Kind::Helm, "helm", &self.helm)]
        {
            let profiles: Vec<&release::Profile> =
                scope.profiles.iter().copied().filter(|profile| profile.kind() == kind).collect();
            if profiles.is_empty() {
                continue;
            }
            let Some(peer) = peer else {
                remarks.push(format!("skipped: `{name}` is not installed, so it was not asked"));
                continue;
            };
            let mut agreed = 0;
            for profile in &profiles {
                let found = match &profile.source {
                    ProfileSource::Compose(source) => compare_compose(peer, ctx, session, profile, source, scope)?,
                    ProfileSource::Helm(source) => compare_helm(peer, ctx, session, profile, source)?,
                    ProfileSource::Manifests(_) => Vec::new(),
                };
                if found.is_empty() {
                    agreed += 1;
                } else if let Some(verdict) =
                    checked.verdicts.iter_mut().find(|verdict| verdict.name == profile.name.value)
                {
                    verdict.verdict = Verdict::Failed;
                }
                checked.findings.extend(found);
            }
            remarks.push(format!("`{name}` agrees on {agreed} of {}", plural(profiles.len(), "profile")));
        }
        findings::sort(&mut checked.findings, &checked.sources);
        Ok(remarks)
    }
}

/// `docker compose config` of the profile and of each of its overlays.
fn compare_compose(
    peer: &Peer,
    ctx: &Ctx,
    session: &Session,
    profile: &release::Profile,
    source: &release::ComposeSource,
    scope: &Scope<'_>,
) -> Result<Vec<Finding<Location>>> {
    let mut found = Vec::new();
    let overlays = std::iter::once(None).chain(source.overlays.iter().map(|name| Some(name.value.as_str())));
    for overlay in overlays {
        let Ok((options, output)) = rendering::compose_output(session, profile, overlay, scope.env_files) else {
            // Our own engine refuses it: that is a finding already.
            continue;
        };
        let mut arguments: Vec<String> = Vec::new();
        for (flag, paths) in [("--file", &options.files), ("--env-file", &options.env_files)] {
            arguments.extend(paths.iter().flat_map(|path| [flag.to_owned(), path.to_string()]));
        }
        if let Some(name) = &options.project_name {
            arguments.extend(["--project-name".to_owned(), name.clone()]);
        }
        arguments.extend(["config", "--format", "json"].map(str::to_owned));
        let run = peer.run(ctx, session.files.root(), &arguments)?;
        if !run.accepted {
            found.push(refused(peer, "config", profile, &run));
            continue;
        }
        let ours = output.json().unwrap_or_default();
        let tree = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        if tree(&ours).is_none() || tree(&ours) != tree(&run.stdout) {
            let pretty = |text: &str| {
                tree(text).and_then(|tree| serde_json::to_string_pretty(&tree).ok()).unwrap_or_else(|| text.to_owned())
            };
            found.push(differs(peer, "config", profile, &pretty(&ours), &pretty(&run.stdout)));
        }
    }
    Ok(found)
}

/// `helm lint` and `helm template` of the profile.
fn compare_helm(
    peer: &Peer,
    ctx: &Ctx,
    session: &Session,
    profile: &release::Profile,
    source: &HelmSource,
) -> Result<Vec<Finding<Location>>> {
    let Ok(output) = rendering::output(session, profile, None, Some(ctx.now().as_second())) else {
        return Ok(Vec::new());
    };
    let mut flags: Vec<String> = Vec::new();
    flags.extend(source.values.iter().flat_map(|path| ["--values".to_owned(), path.to_string()]));
    flags.extend(source.set.iter().flat_map(|set| ["--set".to_owned(), set.value.clone()]));
    flags.extend(source.kube_version.iter().flat_map(|version| ["--kube-version".to_owned(), version.value.clone()]));
    flags.extend(source.namespace.iter().flat_map(|name| ["--namespace".to_owned(), name.value.clone()]));
    let chart = source.chart.to_string();
    let mut found = Vec::new();
    let lint = [vec!["lint".to_owned(), chart.clone()], flags.clone()].concat();
    let run = peer.run(ctx, session.files.root(), &lint)?;
    if !run.accepted {
        found.push(refused(peer, "lint", profile, &run));
    }
    let name = source.release_name.as_ref().map_or("release-name", |name| name.value.as_str());
    let mut template = [vec!["template".to_owned(), name.to_owned(), chart], flags].concat();
    template
        .extend(source.api_versions.iter().flat_map(|version| ["--api-versions".to_owned(), version.value.clone()]));
    let run = peer.run(ctx, session.files.root(), &template)?;
    if !run.accepted {
        found.push(refused(peer, "template", profile, &run));
    } else if let Output::Chart(_) = &output
        && output.yaml() != run.stdout
    {
        found.push(differs(peer, "template", profile, &output.yaml(), &run.stdout));
    }
    Ok(found)
}

fn refused(peer: &Peer, command: &str, profile: &release::Profile, run: &Run) -> Finding<Location> {
    let name = &profile.name.value;
    let said = if run.stderr.trim().is_empty() { &run.stdout } else { &run.stderr };
    Finding::new(
        REFUSES,
        Severity::Error,
        Location::Span(profile.name.span),
        format!("`{} {command}` refuses profile `{name}`", peer.name),
    )
    .help(format!("it says: {}", said.trim()))
}

/// The first line in which two outputs differ, masked by the writer.
fn differs(peer: &Peer, command: &str, profile: &release::Profile, ours: &str, theirs: &str) -> Finding<Location> {
    let name = &profile.name.value;
    let pairs = ours.lines().map(Some).chain(std::iter::repeat(None));
    let others = theirs.lines().map(Some).chain(std::iter::repeat(None));
    let length = ours.lines().count().max(theirs.lines().count());
    let first = pairs.zip(others).take(length).enumerate().find(|(_, (a, b))| a != b);
    let shown = first.map_or_else(String::new, |(line, (ours, theirs))| {
        let text = |line: Option<&str>| line.map_or_else(|| "nothing".to_owned(), |line| format!("`{}`", line.trim()));
        format!("line {}: collimate prints {}, {} prints {}", line + 1, text(ours), peer.name, text(theirs))
    });
    Finding::new(
        DIFFERS,
        Severity::Error,
        Location::Span(profile.name.span),
        format!("`{} {command}` renders profile `{name}` differently", peer.name),
    )
    .label(shown)
    .help("the real tool is right: please report the difference; `collimate render` prints our side")
}

/// A tool that was found, with the arguments that always come first.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// How it is called in messages.
    pub(crate) name: &'static str,
    program: Utf8PathBuf,
    leading: Vec<&'static str>,
}

/// What a tool did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) accepted: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Peer {
    /// Docker Compose: `docker-compose`, else the plugin of `docker`.
    pub(crate) fn compose(ctx: &Ctx) -> Option<Self> {
        const NAME: &str = "docker compose";
        if let Some(program) = on_path(ctx, "docker-compose") {
            return Some(Self { name: NAME, program, leading: Vec::new() });
        }
        let peer = Self { name: NAME, program: on_path(ctx, "docker")?, leading: vec!["compose"] };
        // `docker` without the plugin takes `compose` for an unknown command.
        let works = peer.run(ctx, Utf8Path::new("."), &["version".to_owned()]).is_ok_and(|run| run.accepted);
        works.then_some(peer)
    }

    /// Helm.
    pub(crate) fn helm(ctx: &Ctx) -> Option<Self> {
        Some(Self { name: "helm", program: on_path(ctx, "helm")?, leading: Vec::new() })
    }

    /// Runs the tool in `folder` and waits for it.
    pub(crate) fn run(&self, ctx: &Ctx, folder: &Utf8Path, arguments: &[String]) -> Result<Run> {
        self.run_within(PATIENCE, ctx, folder, arguments)
    }

    fn run_within(&self, patience: Duration, ctx: &Ctx, folder: &Utf8Path, arguments: &[String]) -> Result<Run> {
        let failed = |error: std::io::Error| {
            Failure::outside(format!("cannot run `{}` (`{}`)", self.name, self.program)).because(system::reason(&error))
        };
        let (stdout, writer) = group::file().map_err(failed)?;
        let (stderr, errors) = group::file().map_err(failed)?;
        let mut command = Command::new(&self.program);
        command.args(&self.leading).args(arguments).current_dir(ctx.cwd().join(folder)).env_clear();
        command.stdout(writer).stderr(errors);
        for name in ["PATH", "HOME"] {
            if let Some(value) = ctx.environment().get(name) {
                command.env(name, value);
            }
        }
        // Port 9 discards: whatever tries to reach the network fails at once.
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, "http://127.0.0.1:9");
        }
        let ended = Group::start(&mut command).and_then(|group| group.wait(patience)).map_err(failed)?;
        let Some(status) = ended else {
            let seconds = patience.as_secs();
            return Err(Failure::outside(format!("`{}` did not finish within {seconds} seconds", self.name)));
        };
        Ok(Run {
            accepted: status.success(),
            stdout: text_of(stdout).map_err(failed)?,
            stderr: text_of(stderr).map_err(failed)?,
        })
    }
}

/// All that was written to a file, through whatever handle.
fn text_of(mut file: File) -> std::io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first executable of this name on `PATH`, never one in the current folder.
fn on_path(ctx: &Ctx, name: &str) -> Option<Utf8PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = ctx.environment().get("PATH")?;
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Utf8Path::new(folder).join(name))
        .find(|program| program.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Color;

    /// What a tool that does this is said to have done.
    fn run(patience: Duration, script: &str) -> std::result::Result<String, String> {
        let ctx = Ctx::of_process(Color::Never, None).unwrap();
        let peer = Peer { name: "helm", program: "/bin/sh".into(), leading: vec!["-c"] };
        let run = peer.run_within(patience, &ctx, Utf8Path::new("."), &[script.to_owned()]);
        run.map(|run| format!("{} {}{}", run.accepted, run.stdout, run.stderr)).map_err(|failure| failure.to_text())
    }

    #[test]
    fn a_tool_is_waited_for_and_not_what_it_leaves_behind() {
        let start = std::time::Instant::now();
        assert_eq!(run(PATIENCE, "sleep 60 & echo out; echo error >&2; exit 1").unwrap(), "false out\nerror\n");
        assert!(start.elapsed().as_secs() < 50);
    }

    #[test]
    fn a_tool_that_hangs_is_given_up() {
        let refused = "error: `helm` did not finish within 0 seconds\n";
        assert_eq!(run(Duration::ZERO, "sleep 600").unwrap_err(), refused);
    }
}
