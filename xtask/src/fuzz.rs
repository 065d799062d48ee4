//! `cargo xtask fuzz`: each fuzz target for some minutes, starting from what is kept in `fuzz/regressions` and what earlier runs found.
//!
//! Needs a nightly compiler, which instruments the code; the targets are a workspace of their own for that reason. What the gate
//! does without one is to replay the kept inputs: see the crate `fuzzed`.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::arguments::Arguments;
use crate::peers::{self, Wanted};
use crate::terminal::say;
use crate::{process, repository, tools};

const CARGO_FUZZ: &str = "0.13.2";

/// Of each target, if nothing else is asked for.
const MINUTES: usize = 10;

/// The one that asks go-yaml.
const ORACLE: &str = "yaml_oracle";

/// An input that takes longer than this, in seconds, or more than so many megabytes, is a failure: a hundred times what any takes.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// `cargo xtask fuzz [TARGET…] [--minutes N]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let minutes = arguments.number("--minutes")?.unwrap_or(MINUTES);
    let known = targets()?;
    let named = arguments.names()?;
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are {}", known.join(", "));
    }
    let wanted = if named.is_empty() { known } else { named };
    if wanted.iter().any(|name| name == ORACLE)
        && peers::build(&Wanted::Named(vec!["yamloracle".to_owned()]))?.failed > 0
    {
        bail!("`{ORACLE}` needs the peer `yamloracle`");
    }
    let mut fell = Vec::new();
    for target in wanted {
        say(&format!("\n== {target}: {minutes} min"));
        if !fuzz(&target, minutes)? {
            fell.push(target);
        }
    }
    if fell.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let found = repository::target()?.join("fuzz/found");
    say(&format!(
        "\nfell: {}; the inputs are below `{found}`: mend it, and keep them in `fuzz/regressions`",
        fell.join(", ")
    ));
    Ok(ExitCode::FAILURE)
}

fn targets() -> Result<Vec<String>> {
    let folder = repository::root()?.join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))? {
        names.extend(entry?.path().file_stem().map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Whether the target stood.
fn fuzz(target: &str, minutes: usize) -> Result<bool> {
    let program = tools::installed("cargo-fuzz", CARGO_FUZZ)?;
    let built = repository::target()?.join("fuzz");
    let corpus = built.join("corpus").join(target);
    let found = built.join("found").join(target);
    for folder in [&corpus, &found] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{folder}`"))?;
    }
    let fuzz = repository::root()?.join("fuzz");
    let mut command = Command::new("cargo");
    // Our code has no `unsafe`, so that a sanitizer of memory would find nothing and halve the speed.
    command.args(["+nightly", "fuzz", "run", "--sanitizer", "none", "--target-dir", built.as_str(), target]);
    command.args([corpus.as_str(), fuzz.join("regressions").join(target).as_str(), "--"]);
    command.arg(format!("-max_total_time={}", minutes * 60)).args(LIMITS);
    command.arg(format!("-artifact_prefix={found}/"));
    command.arg(format!("-dict={}", fuzz.join("dictionaries").join(dictionary(target)).with_extension("dict")));
    let mut path = vec![program.with_file_name("").into_std_path_buf()];
    path.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    command.env("PATH", std::env::join_paths(path)?).env("COLLIMATE_PEERS", repository::peers()?);
    // Cargo would pass on the compiler that builds this program.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("CARGO_TARGET_DIR");
    process::watch(command.current_dir(&fuzz), |_| {})
}

/// The words that an input is made of.
fn dictionary(target: &str) -> &str {
    match target {
        ORACLE | "splice" => "yaml",
        other => other,
    }
}
