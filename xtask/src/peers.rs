//! Builds the real tools that our output is compared with.
//!
//! A peer is a folder of `tools/` with a `go.mod`. A module that names a `tool` pins a public program by version and checksum and has
//! no code of its own; any other is a small oracle, built as it stands. Each is a module of its own, so that every judge is built with
//! its own dependency versions; one that names several tools builds each. What is built is remembered by a digest of all that went in.

use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::arguments::Arguments;
use crate::repository;
use crate::terminal::say;

/// Servers that take minutes each to build and show what the other judges do not need: built by name, or with `--all`.
const ON_DEMAND: &[&str] = &["loki", "prometheus", "promtool", "telemetrygen"];

/// One program to build.
pub(crate) struct Peer {
    name: String,
    folder: Utf8PathBuf,
    module: Rc<Module>,
    /// The package to build; the module's own where it names no tool.
    package: Option<String>,
}

/// What we need of a `go.mod`.
struct Module {
    text: String,
}

/// Which peers are meant.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Named(Vec<String>),
    /// All but those that are built on demand.
    Usual,
    All,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) built: usize,
    pub(crate) up_to_date: usize,
    pub(crate) failed: usize,
}

/// `cargo xtask peers [--all] [NAME…]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let everything = arguments.switch("--all");
    let names = arguments.names()?;
    let wanted = match (everything, names.is_empty()) {
        (true, _) => Wanted::All,
        (false, true) => Wanted::Usual,
        (false, false) => Wanted::Named(names),
    };
    let outcome = build(&wanted)?;
    say(&format!(
        "peers: {} built, {} up to date, {} failed, in `{}`",
        outcome.built,
        outcome.up_to_date,
        outcome.failed,
        repository::peers()?
    ));
    Ok(if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the wanted peers. An error is what stops all of them: no Go, or an unknown name.
pub(crate) fn build(wanted: &Wanted) -> Result<Built> {
    let peers = all()?;
    if let Wanted::Named(names) = wanted
        && let Some(unknown) = names.iter().find(|name| !peers.iter().any(|peer| peer.name == **name))
    {
        let known: Vec<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
        bail!("there is no peer `{unknown}`; there are {}", known.join(", "));
    }
    let go = go_version()?;
    let bin = repository::peers()?;
    std::fs::create_dir_all(&bin).with_context(|| format!("cannot create `{bin}`"))?;
    let mut outcome = Built::default();
    for peer in peers.iter().filter(|peer| wanted.has(&peer.name)) {
        match peer.build(&bin, &go) {
            Ok(true) => outcome.built += 1,
            Ok(false) => outcome.up_to_date += 1,
            Err(error) => {
                outcome.failed += 1;
                say(&format!("peers: {}: {error:#}", peer.name));
            }
        }
    }
    Ok(outcome)
}

/// Names of the peers that are meant.
pub(crate) fn names(wanted: &Wanted) -> Result<Vec<String>> {
    Ok(all()?.into_iter().map(|peer| peer.name).filter(|name| wanted.has(name)).collect())
}

impl Wanted {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|known| known == name),
            Self::Usual => !ON_DEMAND.contains(&name),
            Self::All => true,
        }
    }
}

/// All peers, by name.
fn all() -> Result<Vec<Peer>> {
    let tools = repository::root()?.join("tools");
    let mut peers = Vec::new();
    for entry in tools.read_dir_utf8().with_context(|| format!("cannot list `{tools}`"))? {
        let entry = entry?;
        let manifest = entry.path().join("go.mod");
        if manifest.is_file() {
            let text = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read `{manifest}`"))?;
            let module = Rc::new(Module { text });
            let mut peer = |name: &str, package: Option<&str>| {
                peers.push(Peer {
                    name: name.to_owned(),
                    folder: entry.path().to_owned(),
                    module: Rc::clone(&module),
                    package: package.map(str::to_owned),
                });
            };
            match module.tools().as_slice() {
                [] => peer(entry.file_name(), None),
                [package] => peer(entry.file_name(), Some(package)),
                packages => packages.iter().for_each(|package| {
                    peer(Utf8Path::new(package).file_name().unwrap_or(package), Some(package));
                }),
            }
        }
    }
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(peers)
}

/// What `go version` says. The version is part of every stamp.
pub(crate) fn go_version() -> Result<String> {
    let output = Command::new("go").arg("version").env("GOTOOLCHAIN", "local").output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        _ => bail!(
            "Go is not installed, or `go` is not on PATH: Helm, Docker Compose and the other judges are built from their \
             published Go modules\nhint: install Go 1.26.8 or later from your distribution or go.dev, then run \
             `cargo xtask peers`"
        ),
    }
}

impl Peer {
    /// Whether the program had to be built.
    fn build(&self, bin: &Utf8Path, go: &str) -> Result<bool> {
        let program = bin.join(&self.name);
        let stamp_file = bin.join(format!(".{}.stamp", self.name));
        let flags = self.linker_flags()?;
        let stamp = self.stamp(go, &flags)?;
        if program.is_file() && std::fs::read_to_string(&stamp_file).is_ok_and(|known| known == stamp) {
            return Ok(false);
        }
        let what = self.version().unwrap_or_default();
        say(&format!("peers: building {} {what}", self.name).trim_end().replace("  ", " "));
        let start = Instant::now();
        // Built beside its place and renamed: a run that is killed leaves no half program.
        let fresh = bin.join(format!(".{}.new", self.name));
        let mut command = Command::new("go");
        command.args(["build", "-trimpath", "-tags", self.tags(), "-ldflags", &flags, "-o", fresh.as_str()]);
        command.arg(self.package.as_deref().unwrap_or(".")).current_dir(&self.folder);
        // As the published programs are built; nothing of the caller's settings may change a judge.
        command
            .env("CGO_ENABLED", "0")
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=readonly")
            .env("GOWORK", "off");
        let output = command.output().context("cannot run `go`")?;
        if !output.status.success() {
            bail!("`go build` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        std::fs::rename(&fresh, &program).with_context(|| format!("cannot write `{program}`"))?;
        std::fs::write(&stamp_file, stamp).with_context(|| format!("cannot write `{stamp_file}`"))?;
        say(&format!("peers: built {} in {:.0} s", self.name, start.elapsed().as_secs_f64()));
        Ok(true)
    }

    /// Everything that decides what is built.
    fn stamp(&self, go: &str, flags: &str) -> Result<String> {
        let mut files = Vec::new();
        collect(&self.folder, &mut files)?;
        files.sort();
        let mut hash = Sha256::new();
        hash.update(format!("{go}\n{flags}\n"));
        for file in files {
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read `{file}`"))?;
            hash.update(format!("{}\n{}\n", file.strip_prefix(&self.folder).unwrap_or(&file), bytes.len()));
            hash.update(&bytes);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The build tags of the published program.
    fn tags(&self) -> &'static str {
        match self.name.as_str() {
            "prometheus" | "promtool" => "netgo",
            _ => "",
        }
    }

    /// The version of the module that the tool is part of.
    fn version(&self) -> Option<&str> {
        let package = Utf8Path::new(self.package.as_deref()?);
        package.ancestors().find_map(|module| self.module.required(module.as_str()))
    }

    /// The linker flags that the published program is built with, as far as they change what it prints.
    ///
    /// Helm 3 tells charts the Kubernetes version of its client library; a build without these flags says 1.20, and no chart of the last
    /// years renders. The numbers are derived as Helm's own build derives them: client-go v0.N is Kubernetes 1.N.
    fn linker_flags(&self) -> Result<String> {
        let mut flags = vec!["-s -w".to_owned()];
        let version = self.version();
        match (self.name.as_str(), version) {
            ("helm3", Some(version)) => {
                let client = self.module.required("k8s.io/client-go").context("`go.mod` does not name client-go")?;
                let minor = client.split('.').nth(1).context("client-go has no minor version")?;
                flags.push(format!("-X helm.sh/helm/v3/internal/version.version={version}"));
                for package in ["pkg/lint/rules", "pkg/chartutil"] {
                    flags.push(format!("-X helm.sh/helm/v3/{package}.k8sVersionMajor=1"));
                    flags.push(format!("-X helm.sh/helm/v3/{package}.k8sVersionMinor={minor}"));
                }
            }
            ("helm4", Some(version)) => flags.push(format!("-X helm.sh/helm/v4/internal/version.version={version}")),
            ("compose", Some(version)) => {
                flags.push(format!("-X github.com/docker/compose/v5/internal.Version={version}"));
            }
            _ => {}
        }
        Ok(flags.join(" "))
    }
}

impl Module {
    /// The packages of its `tool` lines, alone or in a block.
    fn tools(&self) -> Vec<&str> {
        let mut tools = Vec::new();
        let mut in_block = false;
        for line in self.text.lines().map(str::trim) {
            match line {
                "tool (" => in_block = true,
                ")" => in_block = false,
                "" => {}
                line if in_block => tools.push(line),
                line => tools.extend(line.strip_prefix("tool ").map(str::trim)),
            }
        }
        tools
    }

    /// The version of a module that is required.
    fn required(&self, module: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let mut words = line.trim().trim_start_matches("require ").split_whitespace();
            (words.next() == Some(module)).then(|| words.next()).flatten()
        })
    }
}

/// The module's files, sources and data alike: an oracle may embed any of them.
fn collect(folder: &Utf8Path, into: &mut Vec<Utf8PathBuf>) -> Result<()> {
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(entry.path(), into)?;
        } else {
            into.push(entry.path().to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(go_mod: &str) -> Peer {
        let module = Module { text: go_mod.to_owned() };
        let package = module.tools().first().map(|package| (*package).to_owned());
        Peer { name: String::new(), folder: Utf8PathBuf::new(), module: Rc::new(module), package }
    }

    #[test]
    fn a_module_that_names_a_tool() {
        let peer = peer(
            "module x\n\ngo 1.26\n\ntool helm.sh/helm/v3/cmd/helm\n\nrequire (\n\thelm.sh/helm/v3 v3.22.0 // indirect\n\tk8s.io/client-go \
             v0.37.0 // indirect\n)\n",
        );
        assert_eq!(peer.package.as_deref(), Some("helm.sh/helm/v3/cmd/helm"));
        assert_eq!(peer.version(), Some("v3.22.0"));
        assert_eq!(peer.module.required("k8s.io/client-go"), Some("v0.37.0"));
        assert_eq!(peer.module.required("k8s.io/client"), None);
    }

    #[test]
    fn a_module_may_name_several_tools() {
        let module = Module {
            text: "module x\n\ntool (\n\tx.org/p/cmd/a\n\tx.org/p/cmd/b\n)\n\nrequire x.org/p v1.0.0\n".to_owned(),
        };
        assert_eq!(module.tools(), ["x.org/p/cmd/a", "x.org/p/cmd/b"]);
    }

    #[test]
    fn an_oracle_has_no_tool() {
        let peer = peer("module x\n\nrequire helm.sh/helm/v3 v3.22.0\n");
        assert_eq!(peer.version(), None);
        assert_eq!(peer.module.required("helm.sh/helm/v3"), Some("v3.22.0"));
    }

    #[test]
    fn what_is_built_on_demand_exists() {
        let all = names(&Wanted::All).unwrap();
        assert!(ON_DEMAND.iter().all(|name| all.iter().any(|known| known == name)), "{all:?}");
        assert_eq!(names(&Wanted::Usual).unwrap().len(), all.len() - ON_DEMAND.len());
    }
}
