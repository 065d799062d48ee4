//! What a load has used up of those [`Limits`] that are for a whole project.

use std::cell::Cell;

use crate::Limits;

/// The limits of one load and what is left of them.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    interpolated: Cell<usize>,
    searched: Cell<usize>,
    variables: Cell<usize>,
    extended: Cell<usize>,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            interpolated: Cell::new(limits.all_interpolated_bytes),
            searched: Cell::new(limits.searched_bytes),
            variables: Cell::new(limits.variables),
            extended: Cell::new(limits.extended_nodes),
        }
    }

    /// Bytes that variables were replaced with, and what stands around them.
    pub(crate) fn interpolated(&self, bytes: usize) -> Result<(), String> {
        let most = self.limits.all_interpolated_bytes;
        take(&self.interpolated, bytes, || format!("all interpolated values are longer than {most} bytes"))
    }

    /// Bytes searched for the end of a variable.
    pub(crate) fn searched(&self, bytes: usize) -> Result<(), String> {
        take(&self.searched, bytes, || "there are too many variables in texts that are too long".to_owned())
    }

    /// A variable of an env file.
    pub(crate) fn variable(&self) -> Result<(), String> {
        let most = self.limits.variables;
        take(&self.variables, 1, || format!("env files set more than {most} variables"))
    }

    /// Values that a service takes over from the one it extends.
    pub(crate) fn extended(&self, nodes: usize) -> Result<(), String> {
        let most = self.limits.extended_nodes;
        take(&self.extended, nodes, || format!("services take over more than {most} values by `extends`"))
    }
}

fn take(left: &Cell<usize>, amount: usize, message: impl FnOnce() -> String) -> Result<(), String> {
    left.set(left.get().checked_sub(amount).ok_or_else(message)?);
    Ok(())
}
