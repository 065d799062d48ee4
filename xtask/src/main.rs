//! Tasks of this repository, run as `cargo xtask TASK`.
//!
//! What the tasks share: all output of a task is talk, except what `alarms`, `bench` and `parity` report; whatever cannot be done is said
//! aloud; nothing outside the target folder is written unless `--write` or `--json` asks for it.

mod alarms;
mod arguments;
mod bench;
mod dist;
mod fuzz;
mod generated;
mod hostile;
mod mutations;
mod parity;
mod peers;
mod process;
mod repository;
mod results;
mod suite;
mod terminal;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

const USAGE: &str = "\
usage: cargo xtask TASK

  test               everything that must hold before a change lands
    --no-peers         without the real tools as judges
    --require-peers    absent judges are a failure, as where `CI` is set
    --all              the speed gate too, and the judges that take long to build
  peers [NAME…]      build the judges (needs Go)
    --all              those too that take long to build
  alarms DIR…        what `init` and the first `check` say of projects that never heard of us, as a table
    --errors           list every error with its place too
    --timeout SECONDS  for each run (60)
    --program FILE     a built `collimate`, instead of building it
    --json FILE        write all findings there
  generate           write the files that the program generates
  dist               what is handed out: static programs, manual, completions, checksums
    --target T…        for which systems (x86_64-unknown-linux-musl, aarch64-unknown-linux-musl)
    --output DIR       an empty folder (`target/dist`)
    --key FILE         signs the checksums
    --allow-dirty      although not all is committed
  bench              our speed against the real tools
    --repeat N         how often each side runs (11)
    --program FILE     a built `collimate`, instead of building it
    --write            keep the result in `benches/RESULTS.md`
  bench mirror       what authentication costs the mirror's gateway (needs nginx, wrk, curl)
    --seconds N        of each measurement (10)
    --clients N        at once (200)
    --rounds N         both sides in turn so often (3)
    --program FILE     a built `collimate`, instead of building it
    --write            keep the result in `benches/RESULTS.md`
  fuzz [TARGET…]     feed what reads files with what a fuzzer comes up with (needs a nightly compiler)
    --minutes N        of each target (10)
  mutations          what the program says of workspaces that were changed at every place (docs/mutations.md)
    --most N           so many for each file, kind of place and operator (4)
    --subject NAME…    only these workspaces
    --workspace DIR…   the workspaces in these folders, instead of our own
    --filter TEXT      only mutants whose name has this
    --show VERDICT…    print the mutants that became this, such as `survived`
    --jobs N           how many at once (2)
    --program FILE     a built `collimate`, instead of building it
    --write            keep the tables in `docs/mutations.md`
  hostile            the tests of hostile input with an optimised program, a second for each
    --program FILE     a built `collimate`, instead of building it
  parity             our output against the real tools', on any charts and Compose files
    --charts DIR…      every chart below these folders
    --compose DIR…     every Compose file below these folders
    --helm 3|4         the judge of charts (3)
    --format json|yaml what Compose files are rendered to: compared as a tree, or byte for byte (json)
    --filter TEXT      only cases whose name has this
    --jobs N           how many at once (2)
    --timeout SECONDS  for each run (60)
    --program FILE     a built `collimate`, instead of building it
    --json FILE        write all verdicts there
    --write            keep the counts in `benches/RESULTS.md`
    --quiet            only the table
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let task = words.next();
    match run(task.as_deref(), Arguments::new(words)) {
        Ok(code) => code,
        Err(error) => {
            terminal::say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(task: Option<&str>, arguments: Arguments) -> Result<ExitCode> {
    match task {
        Some("alarms") => alarms::run(arguments),
        Some("bench") => bench::run(arguments),
        Some("dist") => dist::run(arguments),
        Some("fuzz") => fuzz::run(arguments),
        Some("generate") => generated::run(arguments),
        Some("hostile") => hostile::run(arguments),
        // Not in the usage text: `bench` calls it.
        Some("peak") => bench::peak(arguments),
        Some("mutations") => mutations::run(arguments),
        Some("parity") => parity::run(arguments),
        Some("peers") => peers::run(arguments),
        Some("test") => suite::run(arguments),
        None | Some("help" | "--help" | "-h") => {
            terminal::print(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => bail!("there is no task `{other}`\n\n{USAGE}"),
    }
}
