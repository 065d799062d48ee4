//! Files that the program writes and the repository keeps, for people and editors: made by one task, checked by another.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

use crate::arguments::Arguments;
use crate::repository;
use crate::terminal::say;

/// Path → arguments of the program that prints it.
const GENERATED: &[(&str, &[&str])] = &[
    ("schemas/workspace.schema.json", &["schema", "workspace"]),
    ("schemas/release.schema.json", &["schema", "release"]),
    ("schemas/mirror.schema.json", &["schema", "mirror"]),
    ("schemas/trust.schema.json", &["schema", "trust"]),
];

/// `cargo xtask generate`
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    arguments.done()?;
    let root = repository::root()?;
    for (path, fresh) in fresh()? {
        let file = root.join(path);
        if std::fs::read(&file).is_ok_and(|known| known == fresh) {
            continue;
        }
        let folder = file.parent().unwrap_or(Utf8Path::new("."));
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{folder}`"))?;
        std::fs::write(&file, fresh).with_context(|| format!("cannot write `{file}`"))?;
        say(&format!("wrote {path}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether all of them are what the program would write.
pub(crate) fn check() -> Result<bool> {
    let root = repository::root()?;
    let mut stale = Vec::new();
    for (path, fresh) in fresh()? {
        if std::fs::read(root.join(path)).ok().as_deref() != Some(&fresh) {
            stale.push(format!("`{path}`"));
        }
    }
    if stale.is_empty() {
        return Ok(true);
    }
    say(&format!("error: {} would be written anew\nhint: run `cargo xtask generate` and commit", stale.join(", ")));
    Ok(false)
}

fn fresh() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let root = repository::root()?;
    let mut files = Vec::new();
    for (path, arguments) in GENERATED {
        let mut command = Command::new("cargo");
        command.args(["run", "--quiet", "--locked", "--package", "collimate", "--"]).args(*arguments);
        let output = command.current_dir(&root).output().context("cannot run `cargo`")?;
        if !output.status.success() {
            bail!(
                "`collimate {}` failed:\n{}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        files.push((*path, output.stdout));
    }
    Ok(files)
}
