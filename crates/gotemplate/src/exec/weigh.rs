//! What functions look at counts as steps: a function may be called as often as there are steps, and one that looks at all that
//! is inside a value may have far more to look at than was ever made, for a list may hold another one twice, and that one another.

use super::Exec;
use crate::limits::{BYTES_OF_A_STEP, BYTES_OF_A_VALUE, MOST_WEIGHED_DEPTH};
use crate::{FunctionError, Value};

impl Exec<'_> {
    /// Takes the value itself off the budget, and nothing that is inside of what it holds.
    ///
    /// # Errors
    /// A limit error, when the budget is used up.
    pub fn weigh(&mut self, value: &Value) -> Result<(), FunctionError> {
        self.take_steps(match value {
            Value::List(list) => list.len(),
            Value::Map(map) => map.len(),
            _ => value.string_bytes().map_or(0, <[u8]>::len) / BYTES_OF_A_STEP,
        })
    }

    /// Takes everything inside a value off the budget, as often as it is inside: for functions that write, copy or compare it
    /// (`toYaml`, `deepCopy`), *before* they do. What comes out must not be more than may still be made; gives about how many bytes
    /// that will be.
    ///
    /// # Errors
    /// A limit error, when the budget is used up.
    pub fn weigh_whole(&mut self, value: &Value) -> Result<usize, FunctionError> {
        let mut bytes = 0;
        self.whole(value, 0, &mut bytes)?;
        Ok(bytes)
    }

    fn whole(&mut self, value: &Value, depth: usize, bytes: &mut usize) -> Result<(), FunctionError> {
        self.take_steps(1)?;
        self.weigh(value)?;
        *bytes += BYTES_OF_A_VALUE + 2 * depth + value.string_bytes().map_or(0, <[u8]>::len);
        if *bytes > self.output_left {
            return Err(self.too_much());
        }
        if depth > MOST_WEIGHED_DEPTH {
            return Ok(());
        }
        match value {
            Value::List(list) => list.items().iter().try_for_each(|item| self.whole(item, depth + 1, bytes)),
            Value::Map(map) => map.values().iter().try_for_each(|item| self.whole(item, depth + 1, bytes)),
            _ => Ok(()),
        }
    }

    fn take_steps(&mut self, count: usize) -> Result<(), FunctionError> {
        match self.steps_left.checked_sub(count as u64) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                let most = self.options.limits.steps;
                Err(FunctionError::limit(format!("the templates take more than {most} steps")))
            }
        }
    }
}
