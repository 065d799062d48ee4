//! Go's `text/template` (as of Go 1.26): parser and executor, with Go's `fmt`, Go's types and Go's error messages.
//!
//! Start with [`TemplateSet`] (parse once, share between threads) and [`Exec`] (run). [`Value`] is what templates compute
//! with, [`Functions`] is how a caller adds its own functions, [`Object`] its own types. This crate knows neither Helm nor
//! YAML.
//!
//! Threats: a template may recurse, loop, nest or grow without end, and its values may contain themselves. Parsing and
//! running are bounded by the stack they use and by [`Limits`]; nothing here panics.

mod equal;
mod error;
mod exec;
pub mod format;
mod function;
pub mod limits;
mod list;
mod map;
mod object;
mod parse;
mod set;
mod stack;
mod twin;
mod types;
mod value;

pub use equal::deep_equal;
pub use error::{Error, Stage};
pub use exec::{Exec, MissingKey, Options, execute};
pub use function::{FunctionError, FunctionId, Functions, Signature};
pub use limits::Limits;
pub use list::List;
pub use map::Map;
pub use object::Object;
pub use set::{Template, TemplateSet};
pub use stack::{Stack, on_large_stack, stack_is_large};
pub use twin::{Printed, Run, Twin, Twins, Untouched};
pub use types::{IntKind, Kind, Method, Named, Type, UintKind};
pub use value::Value;
