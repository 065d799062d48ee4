//! Values with methods and fields, and values of defined types.

use std::any::Any;
use std::borrow::Cow;

use source::Text;

use crate::{Exec, FunctionError, Kind, Signature, Value};

/// A Go value that the caller brings: a struct, a pointer, an error, a time, a version, or a defined type.
///
/// Only `type_name` and `kind` are required. What is left out behaves as a Go value without it would.
pub trait Object: Any {
    /// What `%T` prints: `*semver.Version`, `time.Time`.
    fn type_name(&self) -> Cow<'static, str>;

    /// The kind of its type: [`Kind::Pointer`] for `*T`, [`Kind::Struct`] for a struct, [`Kind::Map`] for a defined map.
    fn kind(&self) -> Kind;

    /// Whether it is a nil pointer.
    fn is_nil(&self) -> bool {
        false
    }

    /// For defined types over a map, slice, string or number: the plain value below. Truth, length, indexing, walking,
    /// comparing and printing use it.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// The exported fields of a struct (or of the struct pointed to), in their order.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// One field. The default looks through [`Object::fields`]; say it directly where that is slow.
    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The signature of a method, if there is one of this name. Arguments are checked against it before the call.
    fn method(&self, name: &str) -> Option<&'static Signature> {
        let _ = name;
        None
    }

    /// Calls a method that [`Object::method`] has named.
    ///
    /// # Errors
    /// Whatever the Go method's second result would say; it is printed as `error calling NAME: …`.
    fn call_method(&self, name: &str, exec: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let _ = (exec, args);
        Err(FunctionError::new(format!("method {name} is not callable")))
    }

    /// Whether it is a Go `error`.
    fn is_error(&self) -> bool {
        false
    }

    /// What the type's own `Error()` or `String()` method gives: `%v` and `%s` print it.
    fn display(&self) -> Option<Text> {
        None
    }

    /// What is printed where the template itself prints the value and Go can take its address (a field of a struct
    /// that was reached through a pointer): methods of `*T` count then.
    fn display_addressed(&self) -> Option<Text> {
        self.display()
    }

    /// `reflect.DeepEqual` and `==` with another object of the same type name. The default compares the underlying
    /// values, or all fields.
    fn equals(&self, other: &dyn Object) -> bool {
        match (self.underlying(), other.underlying()) {
            (Some(a), Some(b)) => crate::deep_equal(&a, &b),
            (None, None) => {
                let (a, b) = (self.fields(), other.fields());
                self.is_nil() == other.is_nil()
                    && a.len() == b.len()
                    && a.iter().zip(&b).all(|((_, a), (_, b))| crate::deep_equal(a, b))
            }
            _ => false,
        }
    }
}
