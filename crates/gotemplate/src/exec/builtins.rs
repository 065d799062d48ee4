//! Go's own functions.

use std::rc::Rc;

use source::{Text, octets};

use super::compare::{equal, less};
use super::escape;
use super::operand::{Operand, zero};
use crate::format::{self, Cut};
use crate::{Kind, UintKind, Value};

/// A function that every template has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Html,
    Index,
    Js,
    Len,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    UrlQuery,
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
    Ne,
}

/// How many arguments.
#[derive(Clone, Copy)]
pub(super) enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

/// What kind of arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Params {
    /// `reflect.Value`: nothing and a nil in an interface are told apart.
    Values,
    /// `interface {}`
    Any,
    /// `printf`: a string, then anything.
    Typed,
}

const ALL: [Builtin; 19] = {
    use Builtin::{
        And, Call, Eq, Ge, Gt, Html, Index, Js, Le, Len, Lt, Ne, Not, Or, Print, Printf, Println, Slice, UrlQuery,
    };
    [And, Call, Html, Index, Js, Len, Not, Or, Print, Printf, Println, Slice, UrlQuery, Eq, Ge, Gt, Le, Lt, Ne]
};

/// Why a built-in failed.
pub(super) enum Failure {
    /// In Go's words.
    Go(String),
    /// A value could not be printed whole.
    Cut,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Go(message)
    }
}

impl From<Cut> for Failure {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}

type Outcome = Result<Operand, Failure>;

impl Builtin {
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Call => "call",
            Self::Html => "html",
            Self::Index => "index",
            Self::Js => "js",
            Self::Len => "len",
            Self::Not => "not",
            Self::Or => "or",
            Self::Print => "print",
            Self::Printf => "printf",
            Self::Println => "println",
            Self::Slice => "slice",
            Self::UrlQuery => "urlquery",
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Le => "le",
            Self::Lt => "lt",
            Self::Ne => "ne",
        }
    }

    pub(super) fn arity(self) -> Arity {
        match self {
            Self::Html | Self::Js | Self::Print | Self::Println | Self::UrlQuery => Arity::AtLeast(0),
            Self::And | Self::Or | Self::Call | Self::Index | Self::Slice | Self::Printf | Self::Eq => {
                Arity::AtLeast(1)
            }
            Self::Len | Self::Not => Arity::Exactly(1),
            Self::Ge | Self::Gt | Self::Le | Self::Lt | Self::Ne => Arity::Exactly(2),
        }
    }

    pub(super) fn params(self) -> Params {
        match self {
            Self::Html | Self::Js | Self::Print | Self::Println | Self::UrlQuery => Params::Any,
            Self::Printf => Params::Typed,
            _ => Params::Values,
        }
    }

    /// Runs it; `callee` is how the template spells the first argument. The arguments may be taken out.
    pub(super) fn run(self, args: &mut [Operand], callee: &str) -> Outcome {
        let bool = |result: Result<bool, String>| Ok(Operand::Plain(Value::Bool(result?)));
        match (self, &*args) {
            (Self::Html | Self::Js | Self::UrlQuery, _) => {
                let text = printed(args)?;
                let escaped = match self {
                    Self::Html => escape::html(&text),
                    Self::Js => escape::js(&text),
                    _ => escape::url_query(&text),
                };
                Ok(string(if escaped == text.as_str() { text } else { Text::derived_from(escaped, [&text]) }))
            }
            (Self::Print, _) => Ok(string(format::try_sprint(&values(args))?)),
            (Self::Println, _) => Ok(string(format::try_sprintln(&values(args))?)),
            (Self::Printf, [Operand::Plain(Value::Str(pattern)), ..]) => {
                let pattern = pattern.clone();
                let args = values(args);
                let args = args.get(1..).unwrap_or_default();
                Ok(string(format::try_sprintf(&pattern, args)?))
            }
            (Self::Printf, [pattern, ..]) => {
                // A pattern that is not UTF-8.
                let pattern = Text::from(&*octets::marked(pattern.value().string_bytes().unwrap_or_default()));
                let args = values(args);
                let args = args.get(1..).unwrap_or_default();
                Ok(string(format::try_sprintf(&pattern, args)?))
            }
            (Self::Not, [arg]) => bool(Ok(!arg.is_true())),
            (Self::Len, [arg]) => len(arg),
            (Self::Index, [item, indexes @ ..]) => index(item, indexes),
            (Self::Slice, [item, indexes @ ..]) => slice(item, indexes),
            (Self::Call, [callable, ..]) => match callable.value() {
                Value::Nil => Err(Failure::Go("call of nil".to_owned())),
                value => Err(Failure::Go(format!("non-function {callee} of type {}", value.type_name()))),
            },
            (Self::Eq, [first, others @ ..]) => bool(equal(first, others)),
            (Self::Ne, [a, b]) => bool(equal(a, std::slice::from_ref(b)).map(|equal| !equal)),
            (Self::Lt, [a, b]) => bool(less(a, b)),
            (Self::Le, [a, b]) => bool(less_or_equal(a, b)),
            (Self::Gt, [a, b]) => bool(less_or_equal(a, b).map(|at_most| !at_most)),
            (Self::Ge, [a, b]) => bool(less(a, b).map(|less| !less)),
            // The number of arguments was checked before.
            _ => Ok(Operand::Nothing),
        }
    }
}

fn less_or_equal(a: &Operand, b: &Operand) -> Result<bool, String> {
    if less(a, b)? { Ok(true) } else { equal(a, std::slice::from_ref(b)) }
}

/// What was printed, as a result.
fn string(text: Text) -> Operand {
    Operand::Plain(Value::string_from_marked(text))
}

fn take(arg: &mut Operand) -> Value {
    std::mem::replace(arg, Operand::Nothing).into_value()
}

fn values(args: &mut [Operand]) -> Vec<Value> {
    args.iter_mut().map(take).collect()
}

/// What the escaping functions work on.
fn printed(args: &mut [Operand]) -> Result<Text, Cut> {
    if let [Operand::Plain(Value::Str(text)) | Operand::Interface(Value::Str(text))] = &*args {
        return Ok(text.clone());
    }
    let args: Vec<Value> = args
        .iter_mut()
        .map(|arg| match take(arg) {
            Value::Nil => Value::from("<no value>"),
            value => value,
        })
        .collect();
    format::try_sprint(&args)
}

/// What the indexing functions see: the plain value below a defined type.
fn below(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.underlying().unwrap_or_else(|| value.clone()),
        value => value.clone(),
    }
}

fn len(arg: &Operand) -> Outcome {
    let value = match arg {
        Operand::Nothing => return Err(Failure::Go("reflect: call of reflect.Value.Type on zero Value".to_owned())),
        Operand::Interface(Value::Nil) => return Err(Failure::Go("len of nil pointer".to_owned())),
        Operand::Interface(value) | Operand::Plain(value) => value,
    };
    let len = match &below(value) {
        Value::Str(text) => text.len(),
        Value::Binary(bytes) | Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Object(object) if object.is_nil() => return Err(Failure::Go("len of nil pointer".to_owned())),
        other => {
            let name = value.type_name();
            // Go looks through pointers first.
            let name =
                if other.kind() == Kind::Pointer { name.trim_start_matches('*').to_owned() } else { name.into_owned() };
            return Err(Failure::Go(format!("len of type {name}")));
        }
    };
    Ok(Operand::Plain(Value::int(i64::try_from(len).unwrap_or(i64::MAX))))
}

/// The value of an index, within `0..=most`.
fn index_arg(index: &Operand, most: usize) -> Result<usize, Failure> {
    let value = below(index.value());
    let (shown, index) = match &value {
        Value::Int(_, index) => (*index, usize::try_from(*index).ok()),
        // Go reads it as a signed number.
        Value::Uint(_, index) => (index.cast_signed(), usize::try_from(*index).ok()),
        Value::Nil => return Err(Failure::Go("cannot index slice/array with nil".to_owned())),
        _ => return Err(Failure::Go(format!("cannot index slice/array with type {}", value.type_name()))),
    };
    index.filter(|index| *index <= most).ok_or_else(|| Failure::Go(format!("index out of range: {shown}")))
}

fn index(item: &Operand, indexes: &[Operand]) -> Outcome {
    if matches!(item.value(), Value::Nil) {
        return Err(Failure::Go("index of untyped nil".to_owned()));
    }
    // What templates do most: one element of a list.
    if let (Value::List(list), [Operand::Plain(Value::Int(_, at))]) = (item.value(), indexes)
        && let Ok(at) = usize::try_from(*at)
        && let Some(found) = list.items().get(at)
    {
        return Ok(Operand::element(list.element_type(), found.clone()));
    }
    let mut item = item.clone();
    for at in indexes {
        let value = match &item {
            Operand::Nothing | Operand::Interface(Value::Nil) => {
                return Err(Failure::Go("index of nil pointer".to_owned()));
            }
            Operand::Interface(value) | Operand::Plain(value) => value,
        };
        item = match &below(value) {
            Value::List(list) => {
                let at = index_arg(at, list.len())?;
                let Some(found) = list.items().get(at) else {
                    return Err(Failure::Go("reflect: slice index out of range".to_owned()));
                };
                Operand::element(list.element_type(), found.clone())
            }
            Value::Bytes(bytes) => byte_at(bytes, at, "reflect: slice index out of range")?,
            Value::Str(text) => byte_at(text.as_bytes(), at, "reflect: string index out of range")?,
            Value::Binary(bytes) => byte_at(bytes, at, "reflect: string index out of range")?,
            Value::Map(map) => match at.value() {
                Value::Str(key) => match map.get(key) {
                    Some(found) => Operand::element(map.element_type(), found),
                    None => zero(map.element_type()),
                },
                // No key of ours is not UTF-8.
                Value::Binary(_) => zero(map.element_type()),
                Value::Nil => return Err(Failure::Go("value is nil; should be of type string".to_owned())),
                other => return Err(Failure::Go(format!("value has type {}; should be string", other.type_name()))),
            },
            Value::Object(object) if object.is_nil() => return Err(Failure::Go("index of nil pointer".to_owned())),
            _ => return Err(Failure::Go(format!("can't index item of type {}", value.type_name()))),
        };
    }
    Ok(item)
}

fn byte_at(bytes: &[u8], at: &Operand, past_the_end: &str) -> Outcome {
    let at = index_arg(at, bytes.len())?;
    let byte = bytes.get(at).ok_or_else(|| past_the_end.to_owned())?;
    Ok(Operand::Plain(Value::Uint(UintKind::Uint8, u64::from(*byte))))
}

fn slice(item: &Operand, indexes: &[Operand]) -> Outcome {
    let value = item.value();
    if matches!(value, Value::Nil) {
        return Err(Failure::Go("slice of untyped nil".to_owned()));
    }
    let below = below(value);
    if indexes.len() > 3 {
        return Err(Failure::Go(format!("too many slice indexes: {}", indexes.len())));
    }
    let (len, capacity) = match &below {
        Value::Str(_) | Value::Binary(_) if indexes.len() == 3 => {
            return Err(Failure::Go("cannot 3-index slice a string".to_owned()));
        }
        Value::Str(text) => (text.len(), text.len()),
        Value::Binary(bytes) | Value::Bytes(bytes) => (bytes.len(), bytes.len()),
        Value::List(list) => (list.len(), list.capacity()),
        Value::Object(object) if object.is_nil() => return Err(Failure::Go("slice of nil pointer".to_owned())),
        _ => return Err(Failure::Go(format!("can't slice item of type {}", value.type_name()))),
    };
    let mut bounds = [0, len, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        if let Operand::Interface(_) = index {
            // Unlike `index`, Go does not look into the interface here.
            return Err(Failure::Go("cannot index slice/array with type interface {}".to_owned()));
        }
        *bound = index_arg(index, capacity)?;
    }
    let [start, end, most] = bounds;
    if start > end {
        return Err(Failure::Go(format!("invalid slice index: {start} > {end}")));
    }
    if end > most {
        return Err(Failure::Go(format!("invalid slice index: {end} > {most}")));
    }
    let cut = |bytes: &[u8]| bytes.get(start..end).unwrap_or_default().to_vec();
    Ok(Operand::Plain(match &below {
        Value::Str(text) if text.is_char_boundary(start) && text.is_char_boundary(end) => {
            Value::Str(text.slice(start..end))
        }
        Value::Str(text) => Value::string_from_bytes(cut(text.as_bytes())),
        Value::Binary(bytes) => Value::string_from_bytes(cut(bytes)),
        Value::Bytes(bytes) => Value::Bytes(Rc::from(cut(bytes))),
        Value::List(list) => list.slice(start, end).map_or(Value::Nil, Value::List),
        _ => Value::Nil,
    }))
}
