//! The functions that Helm adds to Go's templates: sprig's and its own.
//!
//! Start with [`HelmFunctions`]; [`table`] lists every function with its signature, one module per family holds the
//! bodies. Names, results, their Go types, and the words of errors and panics are those of sprig 3.3 in Helm 3.22.
//!
//! Threats: arguments are whatever a chart says. Everything that can make much from little is charged to the rendering's
//! budget *before* it is made, or bounded by a named limit; nothing panics; nothing reads files, network or environment.
//! Functions whose result differs from run to run note each use (`RenderContext::note_nondeterministic`).

mod base_n;
mod call;
mod casing;
mod certificates;
mod clock;
mod crypto;
mod dates;
mod decimal;
mod der;
mod dicts;
mod encoding;
mod flow;
mod go;
pub(crate) mod helm;
mod included;
mod interchange;
mod json;
mod keys;
mod layout;
mod lists;
mod marks;
mod math;
mod network;
mod number;
mod objects;
mod paths;
mod pattern;
mod primes;
mod random;
mod reflection;
mod regexes;
mod semver;
mod slow;
mod strings;
pub(crate) mod table;
mod toml;
mod twins;
pub(crate) mod url;
mod urls;
pub(crate) mod version;
mod wrap;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;

use gotemplate::{Exec, FunctionError, FunctionId, Functions, Signature, Twins, Value};
use regex::Regex;

use self::call::Call;
use self::included::Included;
use self::pattern::Compiled;
use self::random::Random;
use self::slow::SlowWork;
use self::table::{Entry, FUNCTIONS};
use crate::HelmVersion;
use crate::context::RenderContext;

/// Most patterns that one render keeps compiled; a chart has a few dozen.
const MOST_PATTERNS: usize = 256;

/// What a pattern costs that is too large to be kept, in units of slow work.
const LARGE_PATTERN: u32 = 2;

/// The function table of one render.
pub(crate) struct HelmFunctions<'c> {
    pub(crate) context: &'c RenderContext,
    included: Included,
    random: Random,
    patterns: RefCell<BTreeMap<String, Result<Regex, String>>>,
    slow_work: SlowWork,
}

impl<'c> HelmFunctions<'c> {
    /// The functions of the context's Helm version.
    pub(crate) fn new(context: &'c RenderContext) -> Self {
        Self {
            context,
            included: Included::default(),
            random: Random::System,
            patterns: RefCell::default(),
            slow_work: SlowWork::default(),
        }
    }

    /// Random values come from a seed: the same in every run. For comparing two renders; not for real secrets.
    #[must_use]
    pub(crate) fn predictable(self, seed: [u8; 32]) -> Self {
        Self { random: Random::seeded(seed), ..self }
    }

    /// Whether any function has spent of the budget for slow work.
    pub(crate) fn has_worked_slowly(&self) -> bool {
        self.slow_work.is_begun()
    }

    /// A compiled pattern, or Go's words for what is wrong with it.
    fn regex(&self, pattern: &str) -> Result<Regex, String> {
        if let Some(known) = self.patterns.borrow().get(pattern) {
            return known.clone();
        }
        let compiled = pattern::compile(pattern);
        if let Ok(Compiled { regex, is_large: true }) = compiled {
            return match self.slow_work.spend(LARGE_PATTERN) {
                Ok(()) => Ok(regex),
                Err(limit) => Err(limit.to_string()),
            };
        }
        let compiled = compiled.map(|compiled| compiled.regex);
        let mut patterns = self.patterns.borrow_mut();
        if patterns.len() < MOST_PATTERNS {
            patterns.insert(pattern.to_owned(), compiled.clone());
        }
        compiled
    }
}

fn entry(id: FunctionId) -> Option<&'static Entry> {
    usize::try_from(id.0).ok().and_then(|index| FUNCTIONS.get(index))
}

impl Functions for HelmFunctions<'_> {
    fn id(&self, name: &str) -> Option<FunctionId> {
        let index = table::position(name)?;
        let known = FUNCTIONS.get(index).is_some_and(|entry| !entry.only_v4 || self.context.helm == HelmVersion::V4);
        u32::try_from(index).ok().filter(|_| known).map(FunctionId)
    }

    fn signature(&self, id: FunctionId) -> &'static Signature {
        static UNKNOWN: Signature = Signature::fixed(&[]);
        entry(id).map_or(&UNKNOWN, |entry| &entry.signature)
    }

    fn call(&self, id: FunctionId, exec: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let Some(entry) = entry(id) else { return Err(FunctionError::new("there is no such function")) };
        if entry.looks_inside {
            args.iter().try_for_each(|arg| exec.weigh_whole(arg).map(|_| ()))?;
        }
        let mut call = Call { functions: self, exec, name: entry.name, args };
        if entry.copies_text && marks::are_needed(&call.args) {
            call.args = call.args.into_iter().map(marks::set).collect();
            return (entry.body)(&mut call).map(marks::taken);
        }
        (entry.body)(&mut call)
    }

    fn reports(&self) -> u64 {
        self.context.reports()
    }

    fn twins(&self, id: FunctionId) -> Twins {
        twins::of(id)
    }
}
