//! Deep equality.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::stack::Stack;
use crate::{List, Map, Value};

/// `reflect.DeepEqual`: same types, same content; a nil slice or map is not an empty one, and NaN equals nothing. A pair of
/// maps that was met before counts as equal, as in Go: so values that contain themselves come to an end. Lists deeper
/// than the stack are unequal.
#[must_use]
pub fn deep_equal(a: &Value, b: &Value) -> bool {
    Comparison { met: BTreeSet::new(), stack: Stack::here() }.equal(a, b)
}

struct Comparison {
    /// Addresses of maps that were compared, or are being compared.
    met: BTreeSet<(usize, usize)>,
    stack: Stack,
}

impl Comparison {
    fn equal(&mut self, a: &Value, b: &Value) -> bool {
        if !self.stack.has_room() {
            return false;
        }
        match (a, b) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a_kind, a), Value::Int(b_kind, b)) => a_kind == b_kind && a == b,
            (Value::Uint(a_kind, a), Value::Uint(b_kind, b)) => a_kind == b_kind && a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Binary(a), Value::Binary(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => self.lists(a, b),
            (Value::Map(a), Value::Map(b)) => self.maps(a, b),
            (Value::Object(a), Value::Object(b)) => {
                Rc::ptr_eq(a, b) || a.type_name() == b.type_name() && a.equals(b.as_ref())
            }
            _ => false,
        }
    }

    fn lists(&mut self, a: &List, b: &List) -> bool {
        if a.go_type() != b.go_type() || a.is_nil() != b.is_nil() || a.len() != b.len() {
            return false;
        }
        a.same(b) || a.items().iter().zip(b.items()).all(|(a, b)| self.equal(a, b))
    }

    fn maps(&mut self, a: &Map, b: &Map) -> bool {
        if a.go_type() != b.go_type() || a.is_nil() != b.is_nil() || a.len() != b.len() {
            return false;
        }
        let (first, second) = (a.address(), b.address());
        let pair = (first.min(second), first.max(second));
        if first == second || !self.met.insert(pair) {
            return true;
        }
        a.entries().iter().all(|(key, a)| b.get(key).is_some_and(|b| self.equal(a, &b)))
    }
}
