//! Two runs of the same templates at once.
//!
//! `helm lint` renders a chart once more, under another release name. Nearly everything that its templates compute is the same then, so that one run can
//! do for both: what is not the same in both is a [`Value::Twin`], and a template that prints one has two texts. The second run only follows: as soon as
//! it would go another way than the first (a condition that holds in one of them alone, a map that is given different entries), the
//! run ends with an error, and whoever wanted both runs has them one after the other. So what comes out for either is what a run of its own prints.
//!
//! Functions do not know of twins. [`Twins`] says of each how it is called when there are some among its arguments.

use std::rc::Rc;

use source::Text;

use crate::Value;

/// What a value is in the first run and in the second: both of the same type, which is neither a list, a map nor an object.
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
            None => text.into(),
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

    pub(crate) fn is_twin(&self) -> bool {
        matches!(self, Self::Twin(_))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    First,
    Second,
}
