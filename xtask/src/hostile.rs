//! `cargo xtask hostile`: the tests of hostile input with an optimised program, which has one second of processor time for each, and
//! with those cases that take too long without optimisation.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;

use crate::arguments::Arguments;
use crate::{process, repository};

/// `cargo xtask hostile [--program FILE]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let program = arguments.option("--program")?.map(Utf8PathBuf::from);
    arguments.done()?;
    let root = repository::root()?;
    let program = match program {
        Some(program) => program.canonicalize_utf8().with_context(|| format!("there is no `{program}`"))?,
        None => {
            let mut build = Command::new("cargo");
            build.args(["build", "--release", "--locked", "--quiet", "--package", "collimate"]).current_dir(&root);
            if !process::watch(&mut build, |_| {})? {
                bail!("the program cannot be built");
            }
            repository::target()?.join("release/collimate")
        }
    };
    let mut test = Command::new("cargo");
    test.args(["test", "--locked", "--package", "collimate", "--test", "cli", "hostile::"]).current_dir(&root);
    // One at a time: what is measured is not disturbed.
    test.args(["--", "--test-threads", "1"]).env("COLLIMATE_HOSTILE_PROGRAM", &program);
    Ok(if process::watch(&mut test, |_| {})? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
