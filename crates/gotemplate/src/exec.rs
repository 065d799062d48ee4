//! Running templates.

mod builtins;
mod call;
mod compare;
mod escape;
mod eval;
mod follow;
mod operand;
mod walk;
mod weigh;

use source::{Span, Text};

use crate::error::Stage;
use crate::format::quote;
use crate::parse::{NodeRef, Tree};
use crate::stack::Stack;
use crate::twin::Run;
use crate::{Error, FunctionError, Functions, Limits, Printed, Template, TemplateSet, Value};

pub(crate) use builtins::Builtin;
use follow::Out;
use operand::Operand;

/// Room for what most included templates print, in bytes: growing to it step by step would cost more than it takes.
const USUAL_OUTPUT: usize = 512;

/// Room for the variables that most templates have.
const USUAL_VARIABLES: usize = 8;

/// What a missing map key gives: Go's option `missingkey`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// `missingkey=default`: no value; a further field of it is no value either.
    #[default]
    NoValue,
    /// `missingkey=zero`: the zero value of the map's element type; a further field of a nil is an error. What Helm uses.
    Zero,
    /// `missingkey=error`: an error. Helm's strict mode.
    Error,
}

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether the output says where its bytes come from. The bytes are the same either way.
    pub trace: bool,
    pub missing_key: MissingKey,
    pub limits: Limits,
}

/// One rendering: runs templates of a set, with one budget for all of them.
///
/// Functions get it as an argument, to run further templates (`include`, `tpl`).
pub struct Exec<'a> {
    set: TemplateSet,
    /// Whether `set` is the one that the rendering began with.
    has_first_set: bool,
    functions: &'a dyn Functions,
    options: Options,
    steps_left: u64,
    output_left: usize,
    /// Templates that are being run, one inside the other.
    depth: usize,
    stack: Stack,
    call_site: Option<Span>,
    /// See [`Exec::followed`] and [`Exec::is_parted`].
    followed: bool,
    parted: bool,
    /// How many values were looked at for twins.
    searched: usize,
    /// Whether only one of the runs goes on for now.
    alone: Option<Run>,
    /// How many steps may still be taken twice.
    again_left: u64,
}

/// One template being run.
struct Frame<'t> {
    tree: &'t Tree,
    variables: Vec<(&'t str, Operand)>,
    /// The node under way: errors name it.
    node: NodeRef<'t>,
}

impl<'a> Exec<'a> {
    /// A rendering over `set`. `functions` must be the table that the templates were parsed with.
    #[must_use]
    pub fn new(set: &TemplateSet, functions: &'a dyn Functions, options: Options) -> Self {
        let Limits { steps, output } = options.limits;
        Self {
            set: set.clone(),
            has_first_set: true,
            functions,
            options,
            steps_left: steps,
            output_left: output,
            depth: 0,
            stack: Stack::here(),
            call_site: None,
            followed: false,
            parted: false,
            searched: 0,
            alone: None,
            again_left: steps,
        }
    }

    /// Runs the template of this name over `dot`, with fresh variables: Go's `ExecuteTemplate`.
    ///
    /// # Errors
    /// Go's execution errors in its words, an unknown name, or passing a limit.
    pub fn run(&mut self, name: &str, dot: Value) -> Result<Printed, Error> {
        let Some(template) = self.set.lookup(name).cloned() else {
            // Go ends with the name of the template that was asked, which callers here do not have.
            let message =
                format!("template: no template {} associated with template \"gotpl\"", quote(name.as_bytes()));
            return Err(Error::new(Stage::Lookup, name, message));
        };
        self.run_template(&template, dot)
    }

    /// Runs a template that was parsed but need not be in the set.
    ///
    /// # Errors
    /// As [`Exec::run`].
    pub fn run_template(&mut self, template: &Template, dot: Value) -> Result<Printed, Error> {
        if self.followed { self.template_for_both(template, dot) } else { self.run_once(template, dot) }
    }

    fn run_once(&mut self, template: &Template, dot: Value) -> Result<Printed, Error> {
        let tree = &*template.0;
        let mut out = Out::new();
        let call_site = self.call_site;
        let result = self.run_tree(tree, Operand::plain(dot), &mut out);
        self.call_site = call_site;
        result.map(|()| out.finish())
    }

    /// Does `work` with another set in place (for `tpl`: a clone with more templates in it), then restores the old one.
    pub fn with_set<T>(&mut self, set: TemplateSet, work: impl FnOnce(&mut Self) -> T) -> T {
        let old = (std::mem::replace(&mut self.set, set), std::mem::replace(&mut self.has_first_set, false));
        let result = work(self);
        (self.set, self.has_first_set) = old;
        result
    }

    /// Whether the set in use is the one that the rendering began with.
    #[must_use]
    pub fn has_first_set(&self) -> bool {
        self.has_first_set
    }

    /// The set in use.
    #[must_use]
    pub fn set(&self) -> &TemplateSet {
        &self.set
    }

    /// The function table.
    #[must_use]
    pub fn functions(&self) -> &'a dyn Functions {
        self.functions
    }

    /// Whether this run is traced.
    #[must_use]
    pub fn trace(&self) -> bool {
        self.options.trace
    }

    /// Where the call under way stands: the `{{…}}` around it. Only if the template's text is traced.
    #[must_use]
    pub fn call_site(&self) -> Option<Span> {
        self.call_site
    }

    /// Takes `bytes` off the budget: for functions that make much from little (`repeat`, `until`, `indent`), *before*
    /// they make it.
    ///
    /// # Errors
    /// A limit error, when the budget is used up.
    pub fn charge(&mut self, bytes: usize) -> Result<(), FunctionError> {
        match self.output_left.checked_sub(bytes) {
            Some(left) => {
                self.output_left = left;
                Ok(())
            }
            None => Err(self.too_much()),
        }
    }

    /// What is left of the budget: steps, and bytes of output.
    #[must_use]
    pub fn budget(&self) -> (u64, usize) {
        (self.steps_left, self.output_left)
    }

    /// Takes off the budget what the same work took before; `false`, and nothing is taken, where less than that is left.
    pub fn charge_again(&mut self, (steps, output): (u64, usize)) -> bool {
        match (self.steps_left.checked_sub(steps), self.output_left.checked_sub(output)) {
            (Some(steps), Some(output)) => {
                (self.steps_left, self.output_left) = (steps, output);
                true
            }
            _ => false,
        }
    }

    fn too_much(&self) -> FunctionError {
        let most = self.options.limits.output;
        FunctionError::limit(format!("the templates make more than {most} bytes"))
    }

    fn step(&mut self, frame: &Frame<'_>) -> Result<(), Error> {
        match self.steps_left.checked_sub(1) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                let most = self.options.limits.steps;
                Err(frame.fail(&format!("the templates take more than {most} steps")).with_limit(true))
            }
        }
    }

    /// Another level of recursion.
    fn descend(&self, frame: &Frame<'_>) -> Result<(), Error> {
        if self.stack.has_room() { Ok(()) } else { Err(frame.too_deep()) }
    }
}

impl Frame<'_> {
    /// An error at the node under way, in Go's form.
    fn fail(&self, message: &str) -> Error {
        let text = self.tree.source.as_str();
        let at = self.node.at().min(text.len());
        let before = text.as_bytes().get(..at).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rposition(|byte| *byte == b'\n').map_or(at, |end| at - end - 1);
        let spelled = self.node.spelled(self.tree);
        let parse_name = &self.tree.parse_name;
        let name = quote(self.tree.name.as_bytes());
        let message = format!("template: {parse_name}:{line}:{column}: executing {name} at <{spelled}>: {message}");
        let extent = self.node.extent(self.tree);
        let source = &self.tree.source;
        let span = source.exact_span(extent.clone()).or_else(|| {
            // A text that templates made: the nearest place there is.
            source.segments_in(extent).find_map(|segment| segment.origin.spans().first().copied())
        });
        Error::new(Stage::Execute, parse_name, message).at(line, Some(column), span)
    }

    /// What Go says when templates call each other without end; its stack has room for 100,000 levels.
    fn too_deep(&self) -> Error {
        self.fail("exceeded maximum template depth (100000)").with_limit(true)
    }

    fn fail_with(&self, name: &str, error: FunctionError) -> Error {
        let FunctionError { message, inner, limit } = error;
        if let Some(inner) = inner.clone().filter(|_| limit) {
            // Passed on as it is: in the thousands of levels of a runaway recursion each would add to the message.
            return inner;
        }
        self.fail(&format!("error calling {name}: {message}")).because_of(inner).with_limit(limit)
    }
}

/// Runs one template of a set: [`Exec::new`] and [`Exec::run`].
///
/// # Errors
/// As [`Exec::run`].
pub fn execute(
    set: &TemplateSet,
    name: &str,
    dot: Value,
    functions: &dyn Functions,
    options: Options,
) -> Result<Text, Error> {
    Exec::new(set, functions, options).run(name, dot).map(|printed| printed.text)
}
