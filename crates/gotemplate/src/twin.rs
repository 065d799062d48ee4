//! Two runs of the same templates at once.
//!
//! `helm lint` renders a chart once more, under another release name. Nearly everything that its templates compute is the same then, so that one run can
//! do for both: what is not the same in both is a [`Value::Twin`], and a template that prints one has two texts. The second run only follows. Where it would
//! go another way than the first (a condition that holds in one of them alone), the template in which it would is run for each of them alone. Where
//! that cannot be (a map is given different entries), the run ends with an error, and whoever wanted both runs has them one after the
//! other. So what comes out for either is what a run of its own prints.
//!
//! Functions do not know of twins. [`Twins`] says of each how it is called when there are some among its arguments.

use std::rc::Rc;

use source::Text;

use crate::limits::MOST_SEARCHED_DEPTH;
use crate::{Map, Value, deep_equal};

/// Values in a list or map that differs: where the runs differ in much, they had better be made one after the other.
const MOST_TWICE: usize = 64;

/// What a value is in the first run and in the second: both of the same type, which is none of the caller's.
pub struct Twin {
    pub(crate) first: Value,
    pub(crate) second: Value,
}

impl Twin {
    pub(crate) fn of_run(&self, run: Run) -> &Value {
        match run {
            Run::First => &self.first,
            Run::Second => &self.second,
        }
    }

    /// What it is in the run that counts.
    #[must_use]
    pub fn first(&self) -> &Value {
        &self.first
    }

    /// What it is in the run that follows.
    #[must_use]
    pub fn second(&self) -> &Value {
        &self.second
    }
}

/// How a function is called in a run that is followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twins {
    /// Once for each run: its result depends on its arguments alone, and it changes nothing.
    Each,
    /// Once for both. It puts the arguments at these places into what it makes without looking at them; none of the others may differ, nor
    /// does it matter what is inside them.
    Once(Untouched),
    /// Not at all: the second run cannot follow.
    Never,
}

/// Arguments that a function does not look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untouched {
    None,
    All,
    /// The second of each pair; the first is a key, and is printed with what is inside it.
    Values,
    At(usize),
}

impl Untouched {
    pub(crate) fn has(self, at: usize) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Values => at % 2 == 1,
            Self::At(only) => at == only,
        }
    }
}

/// What a template has printed.
#[derive(Clone, Debug)]
pub struct Printed {
    pub text: Text,
    /// What the run that follows has printed, if it is something else.
    pub second: Option<Text>,
}

impl Printed {
    /// The same done to both texts.
    #[must_use]
    pub fn map(self, work: impl Fn(Text) -> Text) -> Self {
        Self { text: work(self.text), second: self.second.map(work) }
    }
}

impl From<Printed> for Value {
    fn from(Printed { text, second }: Printed) -> Self {
        match second {
            Some(second) => Self::twin(text.into(), second.into()).unwrap_or(Self::Nil),
            None => Self::string_from_marked(text),
        }
    }
}

impl Value {
    /// A value that is `first` in one run and `second` in the one that follows it; `None` if they are not of one type, or of one that can hold others.
    #[must_use]
    pub fn twin(first: Self, second: Self) -> Option<Self> {
        let same = match (&first, &second) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a_kind, a), Self::Int(b_kind, b)) if a_kind == b_kind => a == b,
            (Self::Uint(a_kind, a), Self::Uint(b_kind, b)) if a_kind == b_kind => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Str(a), Self::Str(b)) => a == b,
            _ => return None,
        };
        Some(if same { first } else { Self::Twin(Rc::new(Twin { first, second })) })
    }

    /// The values of two runs as one: what is the same in both is that of `first`, and maps with the same keys have twins for values. `None` where types
    /// differ, or much does.
    ///
    /// Both must be trees: what is twice in one of them would no longer be the same map.
    #[must_use]
    pub fn zip(first: &Self, second: &Self) -> Option<Self> {
        zip(first, second, 0)
    }

    pub(crate) fn is_twin(&self) -> bool {
        matches!(self, Self::Twin(_))
    }
}

fn zip(first: &Value, second: &Value, depth: usize) -> Option<Value> {
    let twin = || {
        let is_small = [first, second].into_iter().all(|value| left_of(value, MOST_TWICE).is_some());
        is_small.then(|| Value::Twin(Rc::new(Twin { first: first.clone(), second: second.clone() })))
    };
    match (first, second) {
        (Value::Nil, Value::Nil) => Some(Value::Nil),
        (Value::Map(a), Value::Map(b)) => {
            if depth == MOST_SEARCHED_DEPTH || a.go_type() != b.go_type() || a.is_nil() || b.is_nil() {
                return None;
            }
            if a.keys() != b.keys() {
                return twin();
            }
            let mut zipped = Vec::with_capacity(a.len());
            let mut same = true;
            for ((key, a), b) in a.entries().into_iter().zip(b.values()) {
                let value = zip(&a, &b, depth + 1)?;
                same &= is_same(&value, &a);
                zipped.push((key, value));
            }
            if same {
                return Some(first.clone());
            }
            let map = Map::typed(a.go_type());
            for (key, value) in zipped {
                map.insert(key, value);
            }
            Some(Value::Map(map))
        }
        (Value::List(a), Value::List(b)) if a.go_type() == b.go_type() => {
            if deep_equal(first, second) {
                Some(first.clone())
            } else {
                twin()
            }
        }
        _ => Value::twin(first.clone(), second.clone()),
    }
}

/// What is left of `most` values after those in a list or map; `None` if there are more.
fn left_of(value: &Value, most: usize) -> Option<usize> {
    let left = most.checked_sub(1)?;
    match value {
        Value::List(list) => list.items().iter().try_fold(left, |left, item| left_of(item, left)),
        Value::Map(map) => map.values().iter().try_fold(left, |left, value| left_of(value, left)),
        _ => Some(left),
    }
}

/// Whether a zipped value is still the first one.
fn is_same(value: &Value, first: &Value) -> bool {
    match (value, first) {
        (Value::Map(a), Value::Map(b)) => a.same(b),
        (Value::Twin(_), _) => false,
        _ => true,
    }
}

/// One of two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Run {
    First,
    Second,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::List;

    fn nested(levels: usize, inner: &str) -> Value {
        (0..levels).fold(inner.into(), |inner, _| {
            let map = Map::new();
            map.insert("m", inner);
            Value::Map(map)
        })
    }

    #[test]
    fn what_differs_in_much_or_deep_inside_is_not_followed() {
        let zips = |first, second| Value::zip(&first, &second).is_some();
        assert!(zips(nested(MOST_SEARCHED_DEPTH, "1"), nested(MOST_SEARCHED_DEPTH, "2")));
        assert!(!zips(nested(MOST_SEARCHED_DEPTH + 1, "1"), nested(MOST_SEARCHED_DEPTH + 1, "2")));

        let list = |count: usize| Value::List(List::new(vec![Value::Nil; count]));
        // The list is a value itself.
        assert!(zips(list(1), list(MOST_TWICE - 1)));
        assert!(!zips(list(1), list(MOST_TWICE)));
        let map = |count: usize| {
            let map = Map::new();
            for number in 0..count {
                map.insert(number.to_string(), Value::Nil);
            }
            Value::Map(map)
        };
        assert!(zips(map(1), map(MOST_TWICE - 1)));
        assert!(!zips(map(1), map(MOST_TWICE)));
        assert!(zips(map(MOST_TWICE), map(MOST_TWICE)));
    }
}
