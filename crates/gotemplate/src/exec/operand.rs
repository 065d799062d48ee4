//! A value while it is being computed with: Go's `reflect.Value`, as far as it makes a difference.

use std::borrow::Cow;

use source::Text;

use crate::{Kind, List, Map, Type, UintKind, Value};

/// What an expression gives.
///
/// An element of a `map[string]interface {}` is of type `interface {}` until a pipeline ends: messages name that type, and
/// a nil in it is something else than no value at all.
#[derive(Clone)]
pub(crate) enum Operand {
    /// No value: a missing key, an untyped nil. Printed as `<no value>`.
    Nothing,
    /// Of static type `interface {}`.
    Interface(Value),
    /// Of its own type; never [`Value::Nil`].
    Plain(Value),
}

impl Operand {
    /// What a pipeline makes of a result: the interface is gone.
    pub(crate) fn stripped(self) -> Self {
        match self {
            Self::Nothing | Self::Interface(Value::Nil) | Self::Plain(Value::Nil) => Self::Nothing,
            Self::Interface(value) | Self::Plain(value) => Self::Plain(value),
        }
    }

    /// A value that comes from the outside, or out of a function.
    pub(crate) fn plain(value: Value) -> Self {
        match value {
            Value::Nil => Self::Nothing,
            value => Self::Plain(value),
        }
    }

    /// What a function gave: only one whose result is an `interface {}` can give an untyped nil.
    pub(crate) fn result(value: Value) -> Self {
        match value {
            Value::Nil => Self::Interface(Value::Nil),
            value => Self::Plain(value),
        }
    }

    /// An element of a list or map.
    pub(crate) fn element(element_type: Type, value: Value) -> Self {
        if element_type == Type::Any || matches!(value, Value::Nil) {
            Self::Interface(value)
        } else {
            Self::Plain(value)
        }
    }

    /// The value, nil for nothing.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Nothing => Value::Nil,
            Self::Interface(value) | Self::Plain(value) => value,
        }
    }

    pub(crate) fn value(&self) -> &Value {
        match self {
            Self::Nothing => &Value::Nil,
            Self::Interface(value) | Self::Plain(value) => value,
        }
    }

    /// The static type's name.
    pub(crate) fn type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Nothing => Cow::Borrowed("<nil>"),
            Self::Interface(_) => Cow::Borrowed("interface {}"),
            Self::Plain(value) => value.type_name(),
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        self.value().is_true()
    }
}

/// The zero value of a type: what a missing key gives with `missingkey=zero`, and `index`.
pub(crate) fn zero(go_type: Type) -> Operand {
    match go_type.underlying() {
        Type::Any | Type::Error | Type::Object(_) | Type::Named(_) => Operand::Interface(Value::Nil),
        Type::Bool => Operand::Plain(Value::Bool(false)),
        Type::Int(kind) => Operand::Plain(Value::Int(kind, 0)),
        Type::Uint(kind) => Operand::Plain(Value::Uint(kind, 0)),
        Type::Float64 => Operand::Plain(Value::Float(0.0)),
        Type::String => Operand::Plain(Value::Str(Text::default())),
        Type::Slice(Type::Uint(UintKind::Uint8)) if !matches!(go_type, Type::Named(_)) => {
            Operand::Plain(Value::Bytes([].into()))
        }
        Type::Slice(_) => Operand::Plain(Value::List(List::nil(go_type))),
        Type::Map(_) => Operand::Plain(Value::Map(Map::nil(go_type))),
    }
}

/// Whether a value may be given where `expected` is asked for; objects by name. Gives the value to pass.
pub(crate) fn fit(value: Value, expected: Type) -> Result<Value, Value> {
    if expected == Type::Any {
        return Ok(value);
    }
    match &value {
        Value::Object(object) => {
            let name = object.type_name();
            let fits = match expected {
                Type::Object(expected) => name == expected || name.strip_prefix('*') == Some(expected),
                Type::Named(expected) => name == expected.name,
                Type::Error => object.is_error(),
                Type::Slice(_) | Type::Map(_) => {
                    // A defined type over the same composite type.
                    return match object.underlying() {
                        Some(below) if below.go_type() == Some(expected) => Ok(below),
                        _ => Err(value),
                    };
                }
                _ => false,
            };
            if fits { Ok(value) } else { Err(value) }
        }
        _ => match value.go_type() {
            Some(go_type) if expected == go_type => Ok(value),
            Some(go_type) if expected.accepts(go_type) => Ok(match value {
                // The parameter has its own type.
                Value::Map(map) => Value::Map(map.retyped(expected)),
                value => value,
            }),
            _ => Err(value),
        },
    }
}

/// The kinds that built-in comparisons know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basic {
    Bool,
    Int,
    Float,
    String,
    Uint,
}

pub(crate) fn basic_kind(kind: Kind) -> Option<Basic> {
    match kind {
        Kind::Bool => Some(Basic::Bool),
        Kind::Int(_) => Some(Basic::Int),
        Kind::Uint(_) => Some(Basic::Uint),
        Kind::Float64 => Some(Basic::Float),
        Kind::String => Some(Basic::String),
        _ => None,
    }
}
