//! `cargo xtask hostile`: the tests of hostile input with an optimised program, which has one second of processor time for each, and
//! with those cases that take too long without optimisation.

use std::process::{Command, ExitCode};

use anyhow::Result;
use camino::Utf8Path;

use crate::arguments::Arguments;
use crate::{process, repository};

/// What the program that people install has, in milliseconds.
pub(crate) const SECOND: u32 = 1_000;

/// What every gate gives: its program is optimised in parts only, and its machine has other work.
pub(crate) const AT_THE_GATE: u32 = 1_500;

/// `cargo xtask hostile [--program FILE]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let program = arguments.option("--program")?;
    arguments.done()?;
    Ok(if is_withstood_by(&crate::parity::program(program)?, SECOND)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether every case ends within so many milliseconds of processor time.
pub(crate) fn is_withstood_by(program: &Utf8Path, milliseconds: u32) -> Result<bool> {
    let mut test = Command::new("cargo");
    test.args(["test", "--locked", "--package", "collimate", "--test", "cli", "hostile::"]);
    // One at a time: what is measured is not disturbed.
    test.args(["--", "--test-threads", "1"]).env("COLLIMATE_HOSTILE_PROGRAM", program);
    test.env("COLLIMATE_HOSTILE_MILLISECONDS", milliseconds.to_string());
    process::watch(test.current_dir(repository::root()?), |_| {})
}
