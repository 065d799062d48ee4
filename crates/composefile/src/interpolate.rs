//! Variables in a whole tree, and the types that Compose makes of interpolated strings by path.

pub(crate) mod cast;
pub(crate) mod template;

use source::Span;

use crate::budget::Budget;
use crate::interpolate::template::{Failure, Variables};
use crate::path::{ITEM, Path};
use crate::{Error, ErrorKind, Node, Value};

/// Told where the text stands that is interpolated next.
pub(crate) trait TreeVariables: Variables {
    fn enter(&mut self, span: Option<Span>);

    /// A boolean in words that YAML 1.2 does not know.
    fn warn(&mut self, message: String);
}

/// Replaces the variables of all strings below `node` and casts what has a type by its path.
///
/// # Errors
/// All failures in one error, sorted by path, as Compose prints them.
pub(crate) fn interpolate(node: &mut Node, variables: &mut dyn TreeVariables, budget: &Budget) -> Result<(), Error> {
    let mut walk = Walk { variables, budget, failures: Vec::new() };
    walk.node(node, &Path::ROOT);
    let mut failures = walk.failures;
    if failures.is_empty() {
        return Ok(());
    }
    failures.sort_by(|a, b| a.order.cmp(&b.order));
    let span = failures.iter().find_map(|failure| failure.span);
    let is_limit = failures.iter().any(|failure| failure.is_limit);
    let messages: Vec<String> = failures.into_iter().map(|failure| failure.message).collect();
    let kind = if is_limit { ErrorKind::Limit } else { ErrorKind::Interpolation };
    Err(Error::new(kind, messages.join("\n")).at(span))
}

struct Walk<'v> {
    variables: &'v mut dyn TreeVariables,
    budget: &'v Budget,
    failures: Vec<Found>,
}

struct Found {
    order: Vec<(usize, String)>,
    message: String,
    span: Option<Span>,
    is_limit: bool,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node, path: &Path<'_>) {
        let span = node.span;
        match &mut node.value {
            Value::Str(text) => {
                self.variables.enter(span);
                match template::substitute(text, self.variables, self.budget) {
                    Ok(replaced) => {
                        *text = replaced;
                        let Some(cast) = cast::for_path(path) else { return };
                        match cast(text, &mut |warning| self.variables.warn(warning)) {
                            Ok(value) => node.value = value,
                            Err(reason) => {
                                let message = format!(
                                    "error while interpolating {path}: failed to cast to expected type: {reason}"
                                );
                                self.fail(path, message, span, false);
                            }
                        }
                    }
                    Err(Failure::Invalid(template)) => {
                        let message = format!(
                            "invalid interpolation format for {path}.\nYou may need to escape any $ with another $.\n{template}"
                        );
                        self.fail(path, message, span, false);
                    }
                    Err(Failure::Required { message }) => {
                        self.fail(path, format!("error while interpolating {path}: {message}"), span, false);
                    }
                    Err(Failure::Limit(message)) => self.fail(path, format!("{path}: {message}"), span, true),
                }
            }
            Value::Map(map) => {
                for (key, child) in map.iter_mut() {
                    self.node(child, &path.next(key));
                }
            }
            Value::Seq(items) => {
                for child in items {
                    self.node(child, &path.next(ITEM));
                }
            }
            _ => {}
        }
    }

    fn fail(&mut self, path: &Path<'_>, message: String, span: Option<Span>, is_limit: bool) {
        // Items of a sequence stay in their order: they all are `[]`, and the sort is stable.
        let order = path.parts().into_iter().map(|part| (0, part.to_owned())).collect();
        self.failures.push(Found { order, message, span, is_limit });
    }
}
