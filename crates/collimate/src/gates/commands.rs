//! Commands that a workspace names as gates: run only where the command line allows it, without a shell, within a time limit.
//!
//! Threat: a foreign checkout names commands. Nothing is run without `--run-gates`; what is run is a [`Group`], and what it prints is cut
//! and masked before it is kept.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use release::{CommandGate, Gates};
use source::system;

use super::{GateArgs, Verdict};
use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::group::{self, Group};
use crate::session::Session;

/// What is kept of an output: its end, where failures are told.
const KEPT_BYTES: u64 = 256 * 1024;

/// One verdict per command, in their order. After the first that fails the others are not tried.
pub(crate) fn commands(ctx: &Ctx, session: &Session, gates: &[&Gates], args: &GateArgs) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let mut has_failed = false;
    for command in gates.iter().flat_map(|gates| &gates.commands) {
        let gate = &command.name.value;
        if !args.run_gates {
            let why = format!("the gate `{gate}` was not run");
            verdicts.push(Verdict::failed(gate, why, "`--run-gates` runs what `collimate.yaml` names there"));
        } else if has_failed {
            verdicts.push(Verdict::failed(gate, format!("the gate `{gate}` was not run"), "mend the one before it"));
        } else {
            ctx.say(&format!("running gate `{gate}`, for {} min at most\n", command.minutes));
            let verdict = run(session.files.root(), command)?;
            has_failed = !verdict.is_met();
            if let (true, Some(output)) = (has_failed, &verdict.output) {
                ctx.say(output);
            }
            verdicts.push(verdict);
        }
    }
    Ok(verdicts)
}

fn run(folder: &Utf8Path, gate: &CommandGate) -> Result<Verdict> {
    let name = &gate.name.value;
    let cannot = |error: &std::io::Error| {
        Failure::outside(format!("cannot keep what `{name}` prints")).because(system::reason(error))
    };
    let [program, arguments @ ..] = gate.run.as_slice() else {
        return Ok(Verdict::failed(name, format!("the gate `{name}` names no program"), "name one under `run`"));
    };
    let (mut output, writer) = group::file().map_err(|error| cannot(&error))?;
    let errors = output.try_clone().map(Stdio::from).map_err(|error| cannot(&error))?;
    let mut command = Command::new(&program.value);
    command.args(arguments.iter().map(|argument| &argument.value)).current_dir(folder).stdout(writer).stderr(errors);
    let group = match Group::start(&mut command) {
        Ok(group) => group,
        Err(error) => {
            let why = format!("the gate `{name}` cannot run `{}`: {}", program.value, system::reason(&error));
            return Ok(Verdict::failed(name, why, "install it, or mend `run` in `collimate.yaml`"));
        }
    };
    let start = Instant::now();
    let ended = group.wait(Duration::from_secs(u64::from(gate.minutes) * 60)).map_err(|error| {
        Failure::outside(format!("cannot wait for the gate `{name}`")).because(system::reason(&error))
    })?;
    let text = end_of(&mut output).map_err(|error| cannot(&error))?;
    let seconds = start.elapsed().as_secs();
    let verdict = match ended {
        Some(status) if status.success() => Verdict::passed_by(name, format!("passed in {seconds} s")),
        Some(status) => Verdict::failed(name, format!("the gate `{name}` ended with {status}"), "its output is above"),
        None => Verdict::failed(
            name,
            format!("the gate `{name}` took longer than {} min and was stopped", gate.minutes),
            "raise `minutes` in `collimate.yaml` if it may take longer",
        ),
    };
    Ok(Verdict { output: Some(text), ..verdict })
}

/// The end of an output as text that is safe to print and to keep.
fn end_of(output: &mut File) -> std::io::Result<String> {
    let length = output.seek(SeekFrom::End(0))?;
    let skipped = length.saturating_sub(KEPT_BYTES);
    output.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    output.take(KEPT_BYTES).read_to_end(&mut bytes)?;
    let mut text = String::new();
    if skipped > 0 {
        text.push_str(&format!("… {skipped} bytes before this are not kept\n"));
    }
    for line in String::from_utf8_lossy(&bytes).lines() {
        text.extend(source::redact(line).chars().filter(|letter| !letter.is_control() || *letter == '\t'));
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use release::Spanned;
    use source::{FileId, Span};

    use super::*;

    #[test]
    fn a_command_has_its_minutes_and_no_more() {
        let word = |value: &str| Spanned::new(value.to_owned(), Span::new(FileId(0), 0..0));
        let failure = |seconds: &str, minutes: u32| {
            let run = ["sleep", seconds].map(word).to_vec();
            run_gate(&CommandGate { name: word("late"), run, minutes })
        };
        let (why, _) = failure("600", 0).unwrap();
        assert_eq!(why, "the gate `late` took longer than 0 min and was stopped");
        assert_eq!(failure("0.1", 5), None);
    }

    #[test]
    fn the_end_of_what_it_prints_is_kept() {
        let kept = |length: usize| {
            let (mut file, _) = group::file().unwrap();
            file.write_all(&b"x".repeat(length)).unwrap();
            end_of(&mut file).unwrap()
        };
        let all = "x".repeat(256 * 1024);
        assert_eq!(kept(256 * 1024), format!("{all}\n"));
        assert_eq!(kept(256 * 1024 + 3), format!("… 3 bytes before this are not kept\n{all}\n"));
    }

    fn run_gate(gate: &CommandGate) -> Option<(String, String)> {
        run(Utf8Path::new("/"), gate).map_err(|failure| failure.to_text()).unwrap().failure
    }
}
