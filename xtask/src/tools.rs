//! Programs of the registry that tasks need, installed below the target folder at one version each.

use std::process::Command;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::terminal::say;
use crate::{process, repository};

/// Finds the program of this name and version, or installs it.
pub(crate) fn installed(name: &str, version: &str) -> Result<Utf8PathBuf> {
    let tools = repository::tools()?;
    let program = tools.join("bin").join(name);
    let known = Command::new(&program).arg("--version").output();
    if known.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == format!("{name} {version}")) {
        return Ok(program);
    }
    say(&format!("\ninstalling {name} {version} into `{tools}`"));
    let mut command = Command::new("cargo");
    command.args(["install", name, "--locked", "--version", version, "--quiet", "--force"]);
    // They read a few files: built without optimisation they are done in half the time, and run as long as it takes to read this.
    command.args(["--debug", "--root", tools.as_str(), "--target-dir", tools.join("build").as_str()]);
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("CARGO_TARGET_DIR").current_dir(std::env::temp_dir());
    if !process::watch(&mut command, |_| {})? {
        anyhow::bail!("`cargo install {name}` failed");
    }
    // Its build folder is as large as ours and is not needed again.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(program)
}
