//! Plain values without places: the common coin of decoding, templates and emitters.

use source::Text;

/// A JSON-like value. Strings keep their trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Null,
    Bool(bool),
    Int(i64),
    /// Only for whole numbers above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Str(Text),
    Seq(Vec<Self>),
    /// Keys are unique. The order is the writer's business: the emitters sort as go-yaml does.
    Map(Vec<(Text, Self)>),
}
