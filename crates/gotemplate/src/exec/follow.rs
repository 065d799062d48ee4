//! The second of two runs: see [`crate::twin`].

use source::{Text, TextBuf};

use super::builtins::{Builtin, Failure};
use super::operand::Operand;
use super::{Exec, Frame, USUAL_OUTPUT};
use crate::format::value_text;
use crate::limits::{MOST_SEARCHED, MOST_SEARCHED_DEPTH};
use crate::twin::{Printed, Run, Twins};
use crate::{Error, FunctionError, FunctionId, Map, Template, Value, deep_equal};

/// Where twins are in the arguments of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nowhere,
    /// Arguments themselves are some.
    Among,
    /// In lists and maps among the arguments.
    Inside,
}

/// What is being printed in each run: one text, as long as it is the same.
pub(super) struct Out {
    pub(super) first: TextBuf,
    second: Option<TextBuf>,
}

impl Out {
    pub(super) fn new() -> Self {
        Self { first: TextBuf::with_capacity(USUAL_OUTPUT), second: None }
    }

    pub(super) fn push_str(&mut self, string: &str) {
        self.first.push_str(string);
        if let Some(second) = &mut self.second {
            second.push_str(string);
        }
    }

    fn push_both(&mut self, first: &str, second: &str) {
        self.second.get_or_insert_with(|| self.first.clone()).push_str(second);
        self.first.push_str(first);
    }

    pub(super) fn finish(self) -> Printed {
        Printed { text: self.first.finish(), second: self.second.map(TextBuf::finish) }
    }
}

impl Exec<'_> {
    /// This rendering, followed by a second one. Values that differ between the two are made by [`Value::twin`]; without traces only.
    #[must_use]
    pub fn followed(self) -> Self {
        Self { followed: true, ..self }
    }

    /// Whether the second run could not follow. The error that ended the rendering then means nothing else, and nothing that was printed counts.
    #[must_use]
    pub fn is_parted(&self) -> bool {
        self.parted
    }

    /// Whether only one of two runs goes on for now: what it prints is not what both print.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// Runs a template for both runs: at once, or if they part in it, one after the other.
    pub(super) fn run_for_both_runs(&mut self, template: &Template, dot: Value) -> Result<Printed, Error> {
        let state = |exec: &Self| (Map::changes(), exec.functions.reports());
        let (before, budget) = (state(self), self.budget());
        let result = self.run_once(template, dot.clone());
        // What was changed, or was reported, would be so twice.
        if !self.parted || state(self) != before || self.alone.is_some() || self.again_left == 0 {
            return result;
        }
        self.parted = false;
        let wasted = budget.0.saturating_sub(self.steps_left);
        (self.steps_left, self.output_left) = budget;
        let first = self.run_alone(Run::First, template, dot.clone())?;
        let left = self.budget();
        let second = self.run_alone(Run::Second, template, dot);
        self.again_left = self.again_left.saturating_sub(wasted + left.0.saturating_sub(self.steps_left));
        (self.steps_left, self.output_left) = left;
        match second {
            Ok(second) if state(self) == before => {
                let second = (second != first).then_some(second);
                Ok(Printed { text: first, second })
            }
            Ok(_) => {
                self.parted = true;
                result
            }
            Err(error) => {
                self.parted = true;
                Err(error)
            }
        }
    }

    fn run_alone(&mut self, run: Run, template: &Template, dot: Value) -> Result<Text, Error> {
        self.alone = Some(run);
        let printed = self.run_once(template, dot);
        self.alone = None;
        printed.map(|printed| printed.text)
    }

    /// Ends both runs.
    pub(super) fn part(&mut self) -> FunctionError {
        self.parted = true;
        FunctionError::limit("the runs of two releases part here")
    }

    pub(super) fn part_at(&mut self, frame: &Frame<'_>) -> Error {
        let FunctionError { message, .. } = self.part();
        frame.fail(&message).with_limit(true)
    }

    /// Whether `if` takes it.
    pub(super) fn truth(&mut self, frame: &Frame<'_>, value: &Operand) -> Result<bool, Error> {
        match value.value() {
            Value::Twin(twin) => match self.alone {
                Some(run) => Ok(twin.of_run(run).is_true()),
                None if twin.first.is_true() == twin.second.is_true() => Ok(twin.first.is_true()),
                None => Err(self.part_at(frame)),
            },
            value => Ok(value.is_true()),
        }
    }

    /// Writes what an action printed, where it may not be the same in both runs.
    pub(super) fn write_both(&mut self, frame: &Frame<'_>, value: &Value, out: &mut Out) -> Result<bool, Error> {
        match value {
            Value::Twin(twin) => {
                match self.alone {
                    Some(run) => out.push_str(&value_text(twin.of_run(run))),
                    None => out.push_both(&value_text(&twin.first), &value_text(&twin.second)),
                }
                Ok(true)
            }
            value => match self.search(value) {
                Ok(Found::Nowhere) => Ok(false),
                _ => Err(self.part_at(frame)),
            },
        }
    }

    /// Calls an added function for both runs.
    pub(super) fn call_for_both(&mut self, id: FunctionId, mut args: Vec<Value>) -> Result<Value, FunctionError> {
        let functions = self.functions;
        let twins = functions.twins(id);
        if let Twins::Once(untouched) = twins {
            for (_, arg) in args.iter_mut().enumerate().filter(|(at, _)| !untouched.has(*at)) {
                if let Value::Twin(twin) = arg {
                    let Some(run) = self.alone else { return Err(self.part()) };
                    *arg = twin.of_run(run).clone();
                }
            }
            return functions.call(id, self, args);
        }
        let found = self.search_all(args.iter())?;
        match (found, twins) {
            (Found::Nowhere, _) => return functions.call(id, self, args),
            (_, Twins::Each) => {}
            _ => return Err(self.part()),
        }
        let of_run = |run: Run| args.iter().map(|arg| of_run(arg, found, run)).collect();
        if let Some(run) = self.alone {
            let result = functions.call(id, self, of_run(run))?;
            return self.unless_copied(result, found);
        }
        let first = functions.call(id, self, of_run(Run::First))?;
        // The second run has a budget of its own.
        let budget = self.budget();
        let second = functions.call(id, self, of_run(Run::Second));
        (self.steps_left, self.output_left) = budget;
        match second {
            Ok(second) => self.together(first, second, found),
            Err(_) => Err(self.part()),
        }
    }

    /// Runs a built-in function for both runs. `and` and `or` never come here.
    pub(super) fn run_for_both(
        &mut self,
        builtin: Builtin,
        args: &mut [Operand],
        callee: &str,
    ) -> Result<Result<Operand, Failure>, FunctionError> {
        let looks_inside = !matches!(builtin, Builtin::Index | Builtin::Slice | Builtin::Len | Builtin::Not);
        let found = if looks_inside {
            self.search_all(args.iter().map(Operand::value))?
        } else if args.iter().any(|arg| arg.value().is_twin()) {
            Found::Among
        } else {
            Found::Nowhere
        };
        if found == Found::Nowhere {
            return Ok(builtin.run(args, callee));
        }
        let of_run = |run: Run| -> Vec<Operand> {
            let of_run = |arg: &Operand| match arg {
                Operand::Nothing => Operand::Nothing,
                Operand::Interface(value) => Operand::Interface(of_run(value, found, run)),
                Operand::Plain(value) => Operand::Plain(of_run(value, found, run)),
            };
            args.iter().map(of_run).collect()
        };
        if let Some(run) = self.alone {
            return match builtin.run(&mut of_run(run), callee) {
                Ok(Operand::Plain(result)) => {
                    self.unless_copied(result, found).map(|result| Ok(Operand::Plain(result)))
                }
                other => Ok(other),
            };
        }
        if builtin == Builtin::Index {
            return Err(self.part());
        }
        let first = match builtin.run(&mut of_run(Run::First), callee) {
            Ok(first) => first,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(Ok(match (first, builtin.run(&mut of_run(Run::Second), callee)) {
            (Operand::Plain(first), Ok(Operand::Plain(second))) => Operand::Plain(self.together(first, second, found)?),
            _ => return Err(self.part()),
        }))
    }

    /// Methods know nothing of twins.
    pub(super) fn check_arguments(&mut self, args: &[Value]) -> Result<(), FunctionError> {
        if self.followed && self.search_all(args.iter())? != Found::Nowhere {
            return Err(self.part());
        }
        Ok(())
    }

    /// What is taken out of a copy for one run is not what both have.
    fn unless_copied(&mut self, result: Value, found: Found) -> Result<Value, FunctionError> {
        match result {
            Value::List(_) | Value::Map(_) | Value::Object(_) if found == Found::Inside => Err(self.part()),
            result => Ok(result),
        }
    }

    /// What both runs have made of the same call.
    fn together(&mut self, first: Value, second: Value, found: Found) -> Result<Value, FunctionError> {
        let first = self.unless_copied(first, found)?;
        match (&first, &second) {
            (Value::Nil, Value::Nil) => Ok(first),
            (Value::List(_), Value::List(_))
            | (Value::Map(_), Value::Map(_))
            | (Value::Binary(_), Value::Binary(_))
                if deep_equal(&first, &second) =>
            {
                Ok(first)
            }
            _ => Value::twin(first, second).ok_or_else(|| self.part()),
        }
    }

    fn search_all<'v>(&mut self, mut values: impl Iterator<Item = &'v Value>) -> Result<Found, FunctionError> {
        values.try_fold(Found::Nowhere, |found, value| Ok(found.max(self.search(value)?)))
    }

    /// Where `value` has twins.
    fn search(&mut self, value: &Value) -> Result<Found, FunctionError> {
        match value {
            Value::Twin(_) => Ok(Found::Among),
            Value::List(_) | Value::Map(_) if self.is_inside(value, 0)? => Ok(Found::Inside),
            _ => Ok(Found::Nowhere),
        }
    }

    fn is_inside(&mut self, value: &Value, depth: usize) -> Result<bool, FunctionError> {
        if self.searched == MOST_SEARCHED || depth == MOST_SEARCHED_DEPTH {
            return Err(self.part());
        }
        self.searched += 1;
        match value {
            Value::Twin(_) => Ok(true),
            Value::List(list) => {
                for item in list.items() {
                    if self.is_inside(item, depth + 1)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Value::Map(map) => map.try_any(|item| self.is_inside(item, depth + 1)),
            _ => Ok(false),
        }
    }
}

/// Lists and maps that hold no twins are the same ones in both runs.
fn of_run(value: &Value, found: Found, run: Run) -> Value {
    if found == Found::Inside || value.is_twin() { value.of_run(run) } else { value.clone() }
}
