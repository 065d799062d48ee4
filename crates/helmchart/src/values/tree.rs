//! Values before they reach a template: what values files and `--set` flags say, as plain trees.

use std::collections::BTreeMap;

use source::Text;
use yamlspan::Data;

/// A table. Order does not matter to Helm: it reads values into Go maps.
pub(crate) type Table = BTreeMap<Text, Tree>;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    /// A Go `int64`: only `--set` makes these. Numbers from files are floats.
    Int(i64),
    Float(f64),
    Str(Text),
    List(Vec<Self>),
    Map(Table),
}

impl Tree {
    /// The Go type, as `%T` and panics name it.
    pub(crate) fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// The values in it, itself included.
    pub(crate) fn size(&self) -> usize {
        1 + match self {
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(table) => table.values().map(Self::size).sum::<usize>(),
            _ => 0,
        }
    }

    /// What `encoding/json` makes of decoded YAML: every number is a `float64`.
    #[expect(clippy::cast_precision_loss, reason = "Go loses the same bits")]
    pub(crate) fn from_data(data: Data) -> Self {
        match data {
            Data::Null => Self::Null,
            Data::Bool(value) => Self::Bool(value),
            Data::Int(value) => Self::Float(value as f64),
            Data::Uint(value) => Self::Float(value as f64),
            Data::Float(value) => Self::Float(value),
            Data::Str(text) => Self::Str(text),
            Data::Seq(items) => Self::List(items.into_iter().map(Self::from_data).collect()),
            Data::Map(entries) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key, Self::from_data(value))).collect())
            }
        }
    }

    /// What `encoding/json` makes of JSON.
    pub(crate) fn from_json(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Float(value.as_f64().unwrap_or(f64::INFINITY)),
            Value::String(text) => Self::Str(text.into()),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Value::Object(entries) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key.into(), Self::from_json(value))).collect())
            }
        }
    }
}

/// Lays a later values file over an earlier one: tables merge, everything else is replaced.
pub(crate) fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&*key), value) {
            (Some(Tree::Map(below)), Tree::Map(above)) => merge(below, above),
            (_, value) => {
                // The key of the winning value carries the trace, so the old entry must go first.
                base.remove(&*key);
                base.insert(key, value);
            }
        }
    }
}
