//! One call of a function: its arguments, and what it may use.

use std::borrow::Cow;

use gotemplate::limits::BYTES_OF_A_VALUE;
use gotemplate::{Exec, FunctionError, Map, Type, Value};
use source::{Text, octets};

use super::HelmFunctions;

/// One call. The executor has checked number and types of the arguments against the function's signature, so the
/// accessors give a zero for what cannot be there.
pub(crate) struct Call<'c, 'e> {
    pub(crate) functions: &'c HelmFunctions<'c>,
    pub(crate) exec: &'c mut Exec<'e>,
    pub(crate) name: &'static str,
    pub(crate) args: Vec<Value>,
}

impl Call<'_, '_> {
    /// An argument as it is.
    pub(crate) fn value(&self, index: usize) -> &Value {
        self.args.get(index).unwrap_or(&Value::Nil)
    }

    /// A `string` argument. Bytes that are not UTF-8 are replaced; see [`Call::bytes`] for functions that keep them.
    pub(crate) fn text(&self, index: usize) -> Text {
        match self.value(index) {
            Value::Str(text) => text.clone(),
            other => Text::from(&*octets::with_replacements(other.string_bytes().unwrap_or_default())),
        }
    }

    /// The bytes of a `string` argument.
    pub(crate) fn bytes(&self, index: usize) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.value(index).string_bytes().unwrap_or_default())
    }

    /// An `int` argument.
    pub(crate) fn int(&self, index: usize) -> i64 {
        match self.value(index) {
            Value::Int(_, number) => *number,
            Value::Uint(_, number) => i64::try_from(*number).unwrap_or(i64::MAX),
            _ => 0,
        }
    }

    /// Takes off the budget what a text of YAML, JSON or TOML is read into. Most values are words, but two bytes can be one.
    pub(crate) fn charge_reading(&mut self, text: &str) -> Result<(), FunctionError> {
        let values = text.bytes().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{' | b'-' | b'\n')).count();
        self.exec.charge(text.len() + values * BYTES_OF_A_VALUE)
    }

    /// A `bool` argument.
    pub(crate) fn boolean(&self, index: usize) -> bool {
        matches!(self.value(index), Value::Bool(true))
    }

    /// A map argument; a nil map is an empty one that cannot be written to.
    pub(crate) fn map(&self, index: usize) -> Map {
        match self.value(index).as_map() {
            // Go converts a `chartutil.Values` to the parameter's type: the same map under another name.
            Some(map) if map.go_type() != Type::MAP => map.retyped(Type::MAP),
            Some(map) => map,
            None => Map::nil(Type::MAP),
        }
    }

    /// The arguments from `index` on.
    pub(crate) fn rest(&self, index: usize) -> &[Value] {
        self.args.get(index..).unwrap_or_default()
    }

    /// A text that this call draws. Nobody wrote it: a trace leads to the call, which is noted.
    pub(crate) fn drawn(&self, text: String) -> Text {
        match self.exec.call_site().filter(|_| self.exec.trace()) {
            Some(site) => Text::derived(text, &[site]),
            None => Text::from(text),
        }
    }

    /// Notes that this call's result differs from run to run.
    pub(crate) fn note_nondeterministic(&self) {
        self.functions.context.note_nondeterministic(self.name, self.exec.call_site());
    }
}
