//! `cargo xtask dist`: what is handed out: static programs with their manual, completions and documents, checksums, and signatures.
//!
//! Reproducible: the same commit gives the same bytes in whatever folder and on whatever day it is built, by whoever has the same compiler.
//! So no path of this machine reaches a program, every time is that of the commit, and every list is sorted.

mod archive;
mod elf;
mod sums;
mod toolchain;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::arguments::Arguments;
use crate::dist::archive::Entry;
use crate::dist::toolchain::Toolchain;
use crate::terminal::{print, say};
use crate::{process, repository};

/// What is built by default. The one of this machine's architecture must be among them: it writes the manual and the completions.
const TARGETS: &[&str] = &["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Shells that `collimate completions` knows, and what their files are called.
const COMPLETIONS: &[(&str, &str)] =
    &[("bash", "collimate.bash"), ("elvish", "collimate.elv"), ("fish", "collimate.fish"), ("zsh", "_collimate")];

/// What goes along as it lies in the repository.
const DOCUMENTS: &[&str] = &["LICENSE", "README.md", "CHANGELOG.md", "docs"];

/// A target that can be compiled for here; the error says what is missing.
pub(crate) fn compiles_here() -> Result<&'static str> {
    let host = TARGETS.iter().find(|target| target.starts_with(std::env::consts::ARCH));
    let target = *host.context("nothing is handed out for this machine's architecture")?;
    Toolchain::find(target).map(|_| target)
}

/// `cargo xtask dist [--target T…] [--output DIR] [--key FILE] [--allow-dirty]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let root = repository::root()?;
    let mut targets = arguments.list("--target");
    let output = arguments
        .option("--output")?
        .map_or_else(|| repository::target().map(|target| target.join("dist")), |folder| Ok(folder.into()))?;
    let key = arguments.option("--key")?;
    let allow_dirty = arguments.switch("--allow-dirty");
    arguments.done()?;
    if targets.is_empty() {
        targets = TARGETS.iter().map(|target| (*target).to_owned()).collect();
    }
    // Everything that can be missing is asked for before the first minute is spent.
    let key = key.map(|file| sums::read_key(Utf8Path::new(&file))).transpose()?;
    let moment = moment(&root, allow_dirty)?;
    let toolchains: Vec<Toolchain> = targets.iter().map(|target| Toolchain::find(target)).collect::<Result<_>>()?;
    let host = toolchains.iter().position(Toolchain::is_of_this_machine).with_context(|| {
        format!(
            "one target must be of this machine's architecture, because it writes the manual: {}",
            TARGETS.join(", ")
        )
    })?;
    std::fs::create_dir_all(&output).with_context(|| format!("cannot create `{output}`"))?;
    if output.read_dir_utf8()?.next().is_some() {
        bail!(
            "`{output}` is not empty; name another folder, or remove what is in it: checksums are of all that lies there"
        );
    }

    let programs: Vec<Utf8PathBuf> =
        toolchains.iter().map(|toolchain| toolchain.build(&root, moment)).collect::<Result<_>>()?;
    let common = common(&root, &programs[host])?;
    let mut files = Vec::new();
    for (toolchain, program) in toolchains.iter().zip(&programs) {
        let bytes = std::fs::read(program).with_context(|| format!("cannot read `{program}`"))?;
        elf::check(&bytes).with_context(|| format!("`{program}` cannot be handed out"))?;
        let name = format!("collimate-{}-{}", env!("CARGO_PKG_VERSION"), toolchain.platform());
        let mut entries = common.clone();
        entries.push(Entry { path: "collimate".into(), bytes, is_program: true });
        files.push((format!("{name}.tar.gz"), archive::tar_gz(&name, entries, moment)?));
    }
    files.extend(sums::of(&files, key.as_ref()));
    for (name, bytes) in &files {
        let path = output.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write `{path}`"))?;
        say(&format!("wrote {path} ({} bytes)", bytes.len()));
    }
    if key.is_none() {
        say("note: not signed; `--key FILE` takes the private key of `collimate key new`");
    }
    print(&sums::text(&files));
    Ok(ExitCode::SUCCESS)
}

/// The time of all files, in seconds: `SOURCE_DATE_EPOCH`, else that of the commit. What is not committed has no time.
fn moment(root: &Utf8Path, allow_dirty: bool) -> Result<u64> {
    let git = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("git").args(arguments).current_dir(root).output().context("cannot run `git`")?;
        if !output.status.success() {
            bail!("`git {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim_end());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if !allow_dirty {
        let changed = git(&["status", "--porcelain"])?;
        if let Some(first) = changed.lines().next() {
            bail!(
                "there are changes that are not committed, such as `{}`; commit them, or give `--allow-dirty`",
                first.trim()
            );
        }
    }
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => git(&["log", "-1", "--format=%ct"])?,
    };
    text.parse().with_context(|| format!("`SOURCE_DATE_EPOCH` must be seconds since 1970, not `{text}`"))
}

/// What is the same for every platform.
fn common(root: &Utf8Path, program: &Utf8Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for document in DOCUMENTS {
        archive::collect(&root.join(document), Utf8Path::new(document), &mut entries)?;
    }
    for (shell, name) in COMPLETIONS {
        let bytes = asked(program, &["completions", shell])?;
        entries.push(Entry { path: Utf8Path::new("completions").join(name), bytes, is_program: false });
    }
    let pages = tempfile::tempdir().context("cannot create a temporary folder")?;
    let folder = Utf8Path::from_path(pages.path()).context("the temporary folder's path is not UTF-8")?;
    asked(program, &["man", "--output", folder.as_str()])?;
    archive::collect(folder, Utf8Path::new("man/man1"), &mut entries)?;
    Ok(entries)
}

/// What the built program prints.
fn asked(program: &Utf8Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    let captured = process::capture(&mut command, std::time::Duration::from_secs(60))?;
    if captured.code != Some(0) {
        let said = String::from_utf8_lossy(&captured.stderr).into_owned();
        bail!("`{program} {}` failed: {}", arguments.join(" "), said.trim_end());
    }
    Ok(captured.stdout)
}
