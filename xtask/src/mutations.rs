//! `cargo xtask mutations`: what the program says of workspaces that were changed at every place.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow, bail};
use camino::Utf8Path;
use mutation::{Judge, Judged, Mutant, Subject};

use crate::arguments::Arguments;
use crate::parity;
use crate::results;
use crate::terminal::{print, say};

/// How many mutants of one kind are made in one file. More of them say the same again.
const MOST: usize = 4;

pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let most = arguments.number("--most")?.unwrap_or(MOST);
    let jobs = arguments.number("--jobs")?.unwrap_or(2).max(1);
    let named = arguments.list("--subject");
    let filters = arguments.list("--filter");
    let program = arguments.option("--program")?;
    let show = arguments.list("--show");
    let write = arguments.switch("--write");
    let folders = arguments.list("--workspace");
    arguments.done()?;
    if write && !folders.is_empty() {
        bail!("`docs/mutations.md` is about our own workspaces: use `--write` without `--workspace`");
    }
    let program = parity::program(program)?;
    let mut subjects = match &folders[..] {
        [] => Subject::all(),
        folders => folders.iter().map(|folder| subject(folder)).collect::<Result<_>>()?,
    };
    subjects.retain(|known| named.is_empty() || named.contains(&known.name));
    let mut verdicts = Vec::new();
    for subject in &subjects {
        let all = mutation::mutants(subject);
        let count = all.len();
        let mut mutants = mutation::at_most(most, all);
        mutants.retain(|mutant| filters.is_empty() || filters.iter().any(|text| mutant.name().contains(text.as_str())));
        say(&format!("{}: {} of {count} mutants", subject.name, mutants.len()));
        for (mutant, judged) in judge_all(subject, mutants, &program, jobs) {
            if show.iter().any(|verdict| verdict == "all" || verdict == judged.verdict.name()) {
                print(&format!("{}: {}{}\n", judged.verdict.name(), mutant.name(), judged.described()));
            }
            verdicts.push((mutant, judged.verdict));
        }
    }
    let tables = mutation::tables(&subjects, &verdicts, most);
    if write {
        results::replace_in("docs/mutations.md", "mutations", &tables)?;
    } else {
        print(&tables);
    }
    let wrong = mutation::wrong(&subjects, &verdicts);
    for (mutant, verdict) in &wrong {
        say(&format!("error: {}: {}", verdict.name(), mutant.name()));
    }
    say(&format!("{} mutants, {} wrong", verdicts.len(), wrong.len()));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Anybody's workspace.
fn subject(folder: &str) -> Result<Subject> {
    Subject::of(Utf8Path::new(folder)).map_err(|error| anyhow!("`{folder}`: {error}"))
}

/// Judges all mutants of a subject, a few at once; in the order of the mutants.
fn judge_all(subject: &Subject, mutants: Vec<Mutant>, program: &Utf8Path, jobs: usize) -> Vec<(Mutant, Judged)> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let judge = Judge::new(subject, program);
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = mutants.get(at) else { break };
                    let judged = judge.judge(mutant);
                    verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(at, judged);
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
    mutants.into_iter().zip(verdicts.into_values()).collect()
}
