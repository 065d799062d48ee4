//! What templates that were included have printed: charts ask for the same names and labels again and again.
//!
//! A template prints the same again where it is the same template over the same values, no value was changed in between, and it has neither
//! reported anything nor looked at what the renderer itself changes (`.Template`). All of that is watched while it runs; no list of functions
//! has to say which of them are pure. What is printed from memory is charged as if it had been run, so that limits are the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::Discriminant;
use std::rc::Rc;
use std::sync::Arc;

use gotemplate::{Exec, FunctionError, IntKind, Map, Printed, Run, Template, Type, UintKind, Value};

use crate::context::RenderContext;

/// The longest text that is kept: longer ones are whole objects, which are printed once.
const LONGEST_KEPT: usize = 4 * 1024;

/// Most bytes of text that are kept at a time.
const MOST_KEPT: usize = 1024 * 1024;

/// Most items of a list or dict that are told apart by what they are; one with more is told apart by being another.
const MOST_ITEMS: usize = 8;

/// The texts of one render.
#[derive(Default)]
pub(crate) struct Included(RefCell<Kept>);

#[derive(Default)]
struct Kept {
    /// [`Map::changes`] when these texts were printed.
    changes: u64,
    texts: HashMap<Key, Remembered, foldhash::fast::RandomState>,
    bytes: usize,
}

struct Remembered {
    printed: Printed,
    cost: Cost,
    /// Keeps what the key knows by its address.
    _dot: Value,
}

#[derive(Clone, Copy)]
struct Cost {
    /// By how much [`Exec::budget`] went down.
    budget: (u64, usize),
    /// How many `include` it had inside each other.
    height: usize,
}

/// A template, what it runs over, and for which of two runs.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    template: usize,
    dot: Shape,
    alone: Option<Run>,
}

/// A value as far as it is cheap to tell: what is large is the same only if it is the very same.
#[derive(PartialEq, Eq, Hash)]
enum Shape {
    Nil,
    Bool(bool),
    Int(IntKind, i64),
    Uint(UintKind, u64),
    Float(u64),
    Text(Arc<str>),
    /// Anything by its address. Kinds are told apart, because a list and its only item may lie at one address.
    At(Discriminant<Value>, usize),
    List(Vec<Self>),
    Map(Vec<(Arc<str>, Self)>),
    /// What it is in each of two runs.
    Twin(Box<[Self; 2]>),
}

impl Shape {
    fn of(value: &Value) -> Self {
        match value {
            Value::List(list) if list.go_type() == Type::LIST && !list.is_nil() && list.len() <= MOST_ITEMS => {
                Self::List(list.items().iter().map(Self::of_item).collect())
            }
            Value::Map(map)
                if map.go_type() == Type::MAP && !map.is_nil() && !map.is_volatile() && map.len() <= MOST_ITEMS =>
            {
                let mut entries = Vec::with_capacity(map.len());
                map.for_each(|key, value| entries.push((key.to_arc(), Self::of_item(value))));
                Self::Map(entries)
            }
            other => Self::of_item(other),
        }
    }

    fn of_item(value: &Value) -> Self {
        let at = |address| Self::At(std::mem::discriminant(value), address);
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(kind, value) => Self::Int(*kind, *value),
            Value::Uint(kind, value) => Self::Uint(*kind, *value),
            Value::Float(value) => Self::Float(value.to_bits()),
            Value::Str(text) => Self::Text(text.to_arc()),
            Value::Binary(bytes) | Value::Bytes(bytes) => at(Rc::as_ptr(bytes).addr()),
            Value::List(list) => at(list.handle()),
            Value::Map(map) => at(map.handle()),
            Value::Object(object) => at(Rc::as_ptr(object).addr()),
            Value::Twin(twin) => Self::Twin(Box::new([Self::of_item(twin.first()), Self::of_item(twin.second())])),
        }
    }
}

impl Included {
    /// What `template` prints over `dot`: from memory, or by `run`.
    ///
    /// # Errors
    /// That of `run`.
    pub(crate) fn print<'e>(
        &self,
        context: &RenderContext,
        exec: &mut Exec<'e>,
        template: &Template,
        dot: Value,
        run: impl FnOnce(&mut Exec<'e>, Value) -> Result<Printed, FunctionError>,
    ) -> Result<Printed, FunctionError> {
        // With traces, equal texts come from different places. Within `tpl`, names may mean other templates.
        if exec.trace() || !exec.has_first_set() {
            return run(exec, dot);
        }
        let key = Key { template: template.address(), dot: Shape::of(&dot), alone: exec.alone() };
        if let Some((printed, cost)) = self.known(&key)
            && context.stack_up(cost.height)
            && exec.charge_again(cost.budget)
        {
            return Ok(printed);
        }
        let state = || (Map::changes(), Map::volatile_reads(), context.reports());
        let (before, (steps, output)) = (state(), exec.budget());
        let (printed, height) = context.measure(|| run(exec, dot.clone()));
        let printed = printed?;
        if state() == before && printed.text.len() <= LONGEST_KEPT {
            let left = exec.budget();
            let cost = Cost { budget: (steps - left.0, output - left.1), height };
            self.0.borrow_mut().keep(key, Remembered { printed: printed.clone(), cost, _dot: dot });
        }
        Ok(printed)
    }

    fn known(&self, key: &Key) -> Option<(Printed, Cost)> {
        let kept = self.0.borrow();
        let known = kept.texts.get(key).filter(|_| kept.changes == Map::changes())?;
        Some((known.printed.clone(), known.cost))
    }
}

impl Kept {
    fn keep(&mut self, key: Key, remembered: Remembered) {
        let changes = Map::changes();
        let bytes = remembered.printed.text.len();
        self.bytes += bytes;
        if self.changes != changes || self.bytes > MOST_KEPT {
            *self = Self { changes, bytes, ..Self::default() };
        }
        self.texts.insert(key, remembered);
    }
}
