//! Does what a mutant says in a copy of its subject, and asks the program.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::Sandbox;

use crate::made::Made;
use crate::mutant::Mutant;
use crate::rendered::{self, Before};
use crate::subject::{Role, Subject};
use crate::told::{self, Told};
use crate::verdict::{self, Verdict};

/// A copy of a subject in which mutants are made, one after another, and unmade.
pub struct Judge<'s> {
    subject: &'s Subject,
    program: Utf8PathBuf,
    sandbox: Sandbox,
    /// What the program says before any change.
    told: Vec<Told>,
    before: Vec<Before>,
    made: Made,
}

/// A mutant with what was said of it.
#[derive(Clone, Debug)]
pub struct Judged {
    pub verdict: Verdict,
    pub told: Vec<Told>,
}

impl<'s> Judge<'s> {
    /// Checks and renders the subject as it is.
    ///
    /// # Panics
    /// If the subject is to be clean, and the program finds anything in it.
    pub fn new(subject: &'s Subject, program: &Utf8Path) -> Self {
        let sandbox = subject.copy();
        let told = told::check(program, sandbox.root());
        assert!(told.is_empty() || !subject.clean, "`{}` is not clean: {}", subject.name, described(&told));
        let before = rendered::all(program, sandbox.root(), subject);
        if let Some(error) = before.iter().find_map(|rendered| rendered.text.as_ref().err())
            && subject.clean
        {
            panic!("`{}` does not render: {error}", subject.name);
        }
        let made = Made::of(subject, &before);
        Self { subject, program: program.to_owned(), sandbox, told, before, made }
    }

    pub fn judge(&self, mutant: &Mutant) -> Judged {
        let changed = mutant.applied(self.subject);
        for (file, changed) in &changed {
            self.sandbox.write(file, &changed.after);
        }
        let told = told::since(&self.told, told::check(&self.program, self.sandbox.root()), &changed);
        // What is compared at once is read first: a manifest that says something else needs no rendering.
        let same = changed.iter().all(|(file, changed)| {
            let release = matches!(self.subject.files.get(file), Some((Role::Release, _)));
            !release || rendered::same_documents(&changed.before, &changed.after)
        }) && rendered::all_same(&self.program, self.sandbox.root(), self.subject, &self.before);
        for file in changed.keys() {
            match self.subject.files.get(file) {
                Some((_, text)) => drop(self.sandbox.write(file, text)),
                None => fs::remove_file(self.sandbox.path(file)).expect("the file was written"),
            }
        }
        Judged { verdict: verdict::judge(self.subject, &self.made, mutant, &told, same), told }
    }
}

/// What was said, for people.
pub(crate) fn described(told: &[Told]) -> String {
    let mut text = String::new();
    for told in told {
        let place = told.place.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
        text.push_str(&format!("\n  {} at {place}: {}", told.rule, told.message));
    }
    text
}

impl Judged {
    /// What was said, for people.
    pub fn described(&self) -> String {
        described(&self.told)
    }
}
