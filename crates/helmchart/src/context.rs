//! What the functions of one render share: modes, counters, and what they have to report.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use source::Span;

use crate::HelmVersion;

/// Deepest nesting of `include` of one name, as Helm counts it.
pub(crate) const DEEPEST_INCLUDE: usize = 1000;

/// State of one render. Made per render and never shared between threads.
#[derive(Debug, Default)]
pub(crate) struct RenderContext {
    /// `helm lint`: `required` and `fail` do not stop.
    pub(crate) lint: bool,
    /// Which Helm to be.
    pub(crate) helm: HelmVersion,
    /// What `now` says, in seconds since 1970; `None` is the epoch.
    pub(crate) now: Option<i64>,
    included: RefCell<BTreeMap<String, usize>>,
    /// How many `include` stand around what is run, and the most there were since [`RenderContext::measure`] last began.
    nesting: Cell<usize>,
    highest: Cell<usize>,
    parted: Cell<bool>,
    reports: Cell<u64>,
    warnings: RefCell<Vec<String>>,
    nondeterministic: RefCell<Vec<(String, Option<Span>)>>,
}

impl RenderContext {
    /// A context for one render.
    pub(crate) fn new(lint: bool, helm: HelmVersion, now: Option<i64>) -> Self {
        Self { lint, helm, now, ..Self::default() }
    }

    /// Notes that a run that was to follow this one could not.
    pub(crate) fn part(&self) {
        self.parted.set(true);
    }

    /// Whether a run that was to follow could not: then nothing that was printed counts.
    pub(crate) fn is_parted(&self) -> bool {
        self.parted.get()
    }

    /// Counts an `include` of `name` in; `false` if it is nested too deeply (then nothing was counted).
    pub(crate) fn enter_include(&self, name: &str) -> bool {
        let mut included = self.included.borrow_mut();
        match included.get_mut(name) {
            Some(count) if *count > DEEPEST_INCLUDE => return false,
            Some(count) => *count += 1,
            None => {
                included.insert(name.to_owned(), 1);
            }
        }
        self.nesting.set(self.nesting.get() + 1);
        self.highest.set(self.highest.get().max(self.nesting.get()));
        true
    }

    /// Counts an `include` of `name` out.
    pub(crate) fn leave_include(&self, name: &str) {
        if let Some(count) = self.included.borrow_mut().get_mut(name) {
            *count = count.saturating_sub(1);
        }
        self.nesting.set(self.nesting.get().saturating_sub(1));
    }

    /// Does `work`; tells how many `include` it had inside each other.
    pub(crate) fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, usize) {
        let before = self.highest.replace(self.nesting.get());
        let result = work();
        let height = self.highest.get().saturating_sub(self.nesting.get());
        self.highest.set(before.max(self.highest.get()));
        (result, height)
    }

    /// Counts in what was measured elsewhere; `false` if so many `include` inside each other might be too many here.
    pub(crate) fn stack_up(&self, height: usize) -> bool {
        let reached = self.nesting.get() + height;
        self.highest.set(self.highest.get().max(reached));
        reached <= DEEPEST_INCLUDE
    }

    /// How often something was reported: a warning or a call whose result differs from run to run.
    pub(crate) fn reports(&self) -> u64 {
        self.reports.get()
    }

    /// Adds a line that Helm would log to stderr, without time stamp: `[INFO] Missing required value: …`.
    pub(crate) fn warn(&self, line: String) {
        self.reports.set(self.reports.get() + 1);
        self.warnings.borrow_mut().push(line);
    }

    /// Notes a call whose result differs from run to run.
    pub(crate) fn note_nondeterministic(&self, function: &str, at: Option<Span>) {
        self.reports.set(self.reports.get() + 1);
        let mut notes = self.nondeterministic.borrow_mut();
        if !notes.iter().any(|(name, span)| name == function && *span == at) {
            notes.push((function.to_owned(), at));
        }
    }

    /// Takes the log lines out.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.borrow_mut())
    }

    /// Takes the nondeterministic calls out, sorted by place.
    pub(crate) fn take_nondeterministic(&self) -> Vec<(String, Option<Span>)> {
        let mut notes = std::mem::take(&mut *self.nondeterministic.borrow_mut());
        notes.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        notes
    }
}
