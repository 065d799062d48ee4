//! `eq`, `lt` and the others: basic kinds only, and no conversion but between signed and unsigned integers.

use super::operand::{Basic, Operand, basic_kind};
use crate::format::{self, value_text};
use crate::{Kind, Value};

const BAD_TYPE: &str = "invalid type for comparison";

/// The plain value below a defined type.
fn below(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.underlying().unwrap_or_else(|| value.clone()),
        value => value.clone(),
    }
}

/// `eq first others…`: whether `first` equals any of them.
pub(super) fn equal(first: &Operand, others: &[Operand]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    let a = first.value();
    let a_below = below(a);
    for other in others {
        let b = other.value();
        let b_below = below(b);
        let (a_kind, b_kind) = (basic_kind(a.kind()), basic_kind(b.kind()));
        let same = match (&a_below, &b_below) {
            (Value::Int(_, signed), Value::Uint(_, unsigned)) | (Value::Uint(_, unsigned), Value::Int(_, signed)) => {
                u64::try_from(*signed) == Ok(*unsigned)
            }
            _ if a_kind != b_kind => {
                if !matches!(a, Value::Nil) && !matches!(b, Value::Nil) {
                    let (a, b) = (a.type_name(), b.type_name());
                    return Err(format!("incompatible types for comparison: {a} and {b}"));
                }
                false
            }
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Int(_, a), Value::Int(_, b)) => a == b,
            (Value::Uint(_, a), Value::Uint(_, b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Str(_) | Value::Binary(_), Value::Str(_) | Value::Binary(_)) => {
                a_below.string_bytes() == b_below.string_bytes()
            }
            _ => composite_equal(a, b)?,
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Values of no basic kind.
fn composite_equal(a: &Value, b: &Value) -> Result<bool, String> {
    let (a_kind, b_kind) = (a.kind(), b.kind());
    if a_kind != b_kind && a_kind != Kind::Invalid && b_kind != Kind::Invalid {
        let (a_type, b_type) = (a.type_name(), b.type_name());
        let (a, b) = (format::string_text(a), value_text(b));
        return Err(format!("non-comparable types {a}: {a_type}, {b_type}: {b}"));
    }
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() == b.is_nil());
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if !matches!(b_kind, Kind::Map | Kind::Slice | Kind::Func) => {
            Ok(std::rc::Rc::ptr_eq(a, b)
                || b_kind != Kind::Pointer && a.type_name() == b.type_name() && a.equals(b.as_ref()))
        }
        _ => {
            let type_name = b.type_name();
            let b = format::string_text(b);
            Err(format!("non-comparable type {b}: {type_name}"))
        }
    }
}

/// `lt a b`
pub(super) fn less(a: &Operand, b: &Operand) -> Result<bool, String> {
    let (a, b) = (a.value(), b.value());
    let a_kind = basic_kind(a.kind()).ok_or(BAD_TYPE)?;
    let b_kind = basic_kind(b.kind()).ok_or(BAD_TYPE)?;
    let (a_below, b_below) = (below(a), below(b));
    match (&a_below, &b_below) {
        (Value::Int(_, a), Value::Uint(_, b)) => Ok(u64::try_from(*a).map_or(true, |a| a < *b)),
        (Value::Uint(_, a), Value::Int(_, b)) => Ok(u64::try_from(*b).is_ok_and(|b| *a < b)),
        _ if a_kind != b_kind => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(format!("incompatible types for comparison: {a} and {b}"))
        }
        _ if a_kind == Basic::Bool => Err(BAD_TYPE.to_owned()),
        (Value::Float(a), Value::Float(b)) => Ok(a < b),
        (Value::Int(_, a), Value::Int(_, b)) => Ok(a < b),
        (Value::Uint(_, a), Value::Uint(_, b)) => Ok(a < b),
        _ => Ok(a_below.string_bytes() < b_below.string_bytes()),
    }
}
