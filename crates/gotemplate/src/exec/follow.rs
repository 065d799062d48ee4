//! The second of two runs: see [`crate::twin`].

use source::{Text, TextBuf};

use super::builtins::{Builtin, Failure};
use super::operand::Operand;
use super::{Exec, Frame, USUAL_OUTPUT};
use crate::format::try_printed;
use crate::limits::{MOST_SEARCHED, MOST_SEARCHED_DEPTH};
use crate::twin::{Printed, Run, Twins, Untouched};
use crate::{Error, FunctionError, FunctionId, List, Map, Template, Value, deep_equal};

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

    /// Which of two runs goes on for now, if only one does: what it prints is not what the other one prints.
    #[must_use]
    pub fn alone(&self) -> Option<Run> {
        self.alone
    }

    /// Runs a template for both runs: at once, or if they part in it, one after the other.
    pub(super) fn template_for_both(&mut self, template: &Template, dot: Value) -> Result<Printed, Error> {
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

    /// What is looked into: one that is not the same in both runs only in one that goes on alone.
    pub(super) fn of_this_run<'v>(&mut self, frame: &Frame<'_>, value: &'v Value) -> Result<&'v Value, Error> {
        match (value, self.alone) {
            (Value::Twin(twin), Some(run)) => Ok(twin.of_run(run)),
            (Value::Twin(_), None) => Err(self.part_at(frame)),
            _ => Ok(value),
        }
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

    /// Writes what an action printed, if it is not the same in both runs.
    pub(super) fn write_both(&mut self, frame: &Frame<'_>, value: &Value, out: &mut Out) -> Result<bool, Error> {
        self.printed_for_both(value, out).map_err(|FunctionError { message, .. }| frame.fail(&message).with_limit(true))
    }

    fn printed_for_both(&mut self, value: &Value, out: &mut Out) -> Result<bool, FunctionError> {
        let found = self.search(value)?;
        if found == Found::Nowhere {
            return Ok(false);
        }
        let text = |exec: &mut Self, run: Run| {
            let value = exec.of_run(value, found, run)?;
            try_printed(&value).map_err(|_| exec.part())
        };
        match self.alone {
            Some(run) => out.push_str(&text(self, run)?),
            None => {
                let (first, second) = (text(self, Run::First)?, text(self, Run::Second)?);
                out.push_both(&first, &second);
            }
        }
        Ok(true)
    }

    /// Calls an added function for both runs.
    pub(super) fn function_for_both(&mut self, id: FunctionId, args: Vec<Value>) -> Result<Value, FunctionError> {
        let functions = self.functions;
        self.for_both(functions.twins(id), args, |exec, args| functions.call(id, exec, args))
    }

    /// Calls a function or a method for both runs.
    pub(super) fn for_both(
        &mut self,
        twins: Twins,
        mut args: Vec<Value>,
        call: impl Fn(&mut Self, Vec<Value>) -> Result<Value, FunctionError>,
    ) -> Result<Value, FunctionError> {
        if let Twins::Once(untouched) = twins {
            for (_, arg) in args.iter_mut().enumerate().filter(|(at, _)| !untouched.has(*at)) {
                // Keys are printed, whatever they are.
                let found = match untouched {
                    Untouched::Values => self.search(arg)?,
                    _ if arg.is_twin() => Found::Among,
                    _ => Found::Nowhere,
                };
                if found > Found::Nowhere {
                    let Some(run) = self.alone else { return Err(self.part()) };
                    *arg = self.of_run(arg, found, run)?;
                }
            }
            return call(self, args);
        }
        let found = self.search_all(args.iter())?;
        match (found, twins) {
            (Found::Nowhere, _) => return call(self, args),
            (_, Twins::Each) => {}
            // What it changes is noticed at the end of the run.
            (Found::Among, _) if self.alone.is_some() => {}
            _ => return Err(self.part()),
        }
        let call = |exec: &mut Self, run: Run| {
            let args = args.iter().map(|arg| exec.of_run(arg, found, run)).collect::<Result<_, _>>()?;
            call(exec, args)
        };
        if let Some(run) = self.alone {
            let result = call(self, run)?;
            return self.unless_copied(result, found);
        }
        let first = call(self, Run::First)?;
        // The second run has a budget of its own.
        let budget = self.budget();
        let second = call(self, Run::Second);
        (self.steps_left, self.output_left) = budget;
        match second {
            Ok(second) => self.together(first, second, found),
            Err(_) => Err(self.part()),
        }
    }

    /// Runs a built-in function for both runs. `and` and `or` never come here.
    pub(super) fn builtin_for_both(
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
        let run = |exec: &mut Self, run: Run| -> Result<Result<Operand, Failure>, FunctionError> {
            let mut of_run = Vec::with_capacity(args.len());
            for arg in args.iter() {
                of_run.push(match arg {
                    Operand::Nothing => Operand::Nothing,
                    Operand::Interface(value) => Operand::Interface(exec.of_run(value, found, run)?),
                    Operand::Plain(value) => Operand::Plain(exec.of_run(value, found, run)?),
                });
            }
            Ok(builtin.run(&mut of_run, callee))
        };
        let first = match run(self, self.alone.unwrap_or(Run::First))? {
            Ok(first) => first,
            Err(failure) => return Ok(Err(failure)),
        };
        if self.alone.is_some() {
            return match first {
                Operand::Plain(result) => self.unless_copied(result, found).map(|result| Ok(Operand::Plain(result))),
                other => Ok(Ok(other)),
            };
        }
        // What one key leads to is another value than what another leads to, even if it is equal.
        if builtin == Builtin::Index {
            return Err(self.part());
        }
        match (first, run(self, Run::Second)?) {
            (Operand::Plain(first), Ok(Operand::Plain(second))) => {
                self.together(first, second, found).map(|result| Ok(Operand::Plain(result)))
            }
            _ => Err(self.part()),
        }
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
                if is_one(&first, &second, 0) =>
            {
                Ok(first)
            }
            _ => Value::twin(first, second).ok_or_else(|| self.part()),
        }
    }

    /// What `value` is in one of the runs, with all that is inside it. Lists and maps without twins are the same ones in both.
    fn of_run(&mut self, value: &Value, found: Found, run: Run) -> Result<Value, FunctionError> {
        match value {
            Value::Twin(twin) => Ok(twin.of_run(run).clone()),
            value if found == Found::Inside => self.copy(value, run, 0),
            value => Ok(value.clone()),
        }
    }

    fn copy(&mut self, value: &Value, run: Run, depth: usize) -> Result<Value, FunctionError> {
        self.look(depth)?;
        match value {
            Value::Twin(twin) => Ok(twin.of_run(run).clone()),
            Value::List(list) => {
                let items: Result<_, _> = list.items().iter().map(|item| self.copy(item, run, depth + 1)).collect();
                Ok(Value::List(List::typed(list.go_type(), items?)))
            }
            Value::Map(map) => {
                let copy = Map::typed(map.go_type());
                for (key, value) in map.entries() {
                    copy.insert(key, self.copy(&value, run, depth + 1)?);
                }
                Ok(Value::Map(copy))
            }
            value => Ok(value.clone()),
        }
    }

    fn look(&mut self, depth: usize) -> Result<(), FunctionError> {
        if self.searched == MOST_SEARCHED || depth == MOST_SEARCHED_DEPTH {
            return Err(self.part());
        }
        self.searched += 1;
        Ok(())
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
        self.look(depth)?;
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

/// Whether either may stand for both from here on: they are the same, or equal and new. Of two maps that others hold, each is changed by itself.
fn is_one(first: &Value, second: &Value, depth: usize) -> bool {
    if depth == MOST_SEARCHED_DEPTH {
        return false;
    }
    match (first, second) {
        (Value::Map(a), Value::Map(b)) => {
            a.same(b) || a.is_new() && b.is_new() && a.pairs_with(b, |a, b| is_one(a, b, depth + 1))
        }
        (Value::List(a), Value::List(b)) => {
            let pairs = || a.items().iter().zip(b.items());
            a.same(b)
                || (a.go_type(), a.is_nil(), a.len()) == (b.go_type(), b.is_nil(), b.len())
                    && pairs().all(|(a, b)| is_one(a, b, depth + 1))
        }
        _ => deep_equal(first, second),
    }
}
