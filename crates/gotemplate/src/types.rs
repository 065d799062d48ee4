//! Go types, as far as templates can see them: their names (`%T`), their kinds, and what may be passed where.

use std::fmt;

use crate::{Exec, FunctionError, Signature, Twins, Value};

/// The kinds of `reflect.Kind` that occur. [`Kind::as_str`] is what `kindOf` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// No value at all: an untyped nil.
    Invalid,
    Bool,
    Int(IntKind),
    Uint(UintKind),
    Float64,
    Func,
    Interface,
    Map,
    Pointer,
    Slice,
    String,
    Struct,
}

/// Signed integer types of Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntKind {
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
}

/// Unsigned integer types of Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UintKind {
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
}

/// A Go type: of a parameter, of a list's or a map's elements, of a value.
///
/// Made of constants, so that signatures can be tables: `Type::Slice(&Type::Any)` is `[]interface {}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// `error`
    Error,
    Bool,
    Int(IntKind),
    Uint(UintKind),
    Float64,
    String,
    /// A slice of this element type.
    Slice(&'static Self),
    /// A map from `string` to this element type.
    Map(&'static Self),
    /// A defined type, such as `chartutil.Values`.
    Named(&'static Named),
    /// Any type that only an [`Object`](crate::Object) has, by its Go name: `time.Time`, `*semver.Version`.
    Object(&'static str),
}

/// A defined type over one that this crate knows.
#[derive(Debug)]
pub struct Named {
    /// As `%T` prints it, with the package: `chartutil.Values`.
    pub name: &'static str,
    pub underlying: Type,
    /// What a map of this type has beside its entries, which they win over.
    pub methods: &'static [Method],
}

impl Named {
    pub(crate) fn method(&self, name: &str) -> Option<&'static Method> {
        self.methods.iter().find(|method| method.name == name)
    }
}

/// Go has one type of a name in a package.
impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.underlying) == (other.name, other.underlying)
    }
}

impl Eq for Named {}

/// A method of a defined type.
#[derive(Debug)]
pub struct Method {
    pub name: &'static str,
    /// Of the arguments behind the receiver.
    pub signature: Signature,
    /// Its arguments begin with the receiver; the others fit the signature. What it returns as its error is printed as `error calling NAME: …`.
    pub body: fn(&mut Exec<'_>, Vec<Value>) -> Result<Value, FunctionError>,
    /// How it is called in a run that is followed by another; the receiver counts as its first argument.
    pub twins: Twins,
}

impl Type {
    /// `int`
    pub const INT: Self = Self::Int(IntKind::Int);
    /// `int64`
    pub const INT64: Self = Self::Int(IntKind::Int64);
    /// `[]interface {}`
    pub const LIST: Self = Self::Slice(&Self::Any);
    /// `[]string`
    pub const STRINGS: Self = Self::Slice(&Self::String);
    /// `[]int`
    pub const INTS: Self = Self::Slice(&Self::INT);
    /// `[]uint8`
    pub const BYTES: Self = Self::Slice(&Self::Uint(UintKind::Uint8));
    /// `map[string]interface {}`
    pub const MAP: Self = Self::Map(&Self::Any);
    /// `map[string]string`
    pub const STRING_MAP: Self = Self::Map(&Self::String);

    /// The type without its own name, if it has one.
    #[must_use]
    pub fn underlying(self) -> Self {
        match self {
            Self::Named(named) => named.underlying,
            other => other,
        }
    }

    /// The element type of a slice or map.
    #[must_use]
    pub fn element(self) -> Option<Self> {
        match self.underlying() {
            Self::Slice(element) | Self::Map(element) => Some(*element),
            _ => None,
        }
    }

    /// Whether a nil may stand for this type.
    #[must_use]
    pub fn can_be_nil(self) -> bool {
        match self.underlying() {
            Self::Any | Self::Error | Self::Slice(_) | Self::Map(_) => true,
            Self::Object(name) => name.starts_with('*'),
            _ => false,
        }
    }

    /// Whether a value of type `from` may be assigned to a place of this type. Go: equal types, or equal underlying
    /// types of which one has no name of its own; anything fits `interface {}`.
    #[must_use]
    pub fn accepts(self, from: Self) -> bool {
        if self == Self::Any || self == from {
            return true;
        }
        let composite = matches!(self.underlying(), Self::Slice(_) | Self::Map(_));
        let one_unnamed = !matches!(self, Self::Named(_)) || !matches!(from, Self::Named(_));
        composite && one_unnamed && self.underlying() == from.underlying()
    }

    /// The kind of values of this type. Objects say their kind themselves; here they count as structs or pointers.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.underlying() {
            Self::Any | Self::Error => Kind::Interface,
            Self::Bool => Kind::Bool,
            Self::Int(kind) => Kind::Int(kind),
            Self::Uint(kind) => Kind::Uint(kind),
            Self::Float64 => Kind::Float64,
            Self::String => Kind::String,
            Self::Slice(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Named(_) => Kind::Invalid,
            Self::Object(name) if name.starts_with('*') => Kind::Pointer,
            Self::Object(_) => Kind::Struct,
        }
    }
}

/// As `%T` and error messages print it.
impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("interface {}"),
            Self::Error => formatter.write_str("error"),
            Self::Bool => formatter.write_str("bool"),
            Self::Int(kind) => formatter.write_str(kind.as_str()),
            Self::Uint(kind) => formatter.write_str(kind.as_str()),
            Self::Float64 => formatter.write_str("float64"),
            Self::String => formatter.write_str("string"),
            Self::Slice(element) => write!(formatter, "[]{element}"),
            Self::Map(element) => write!(formatter, "map[string]{element}"),
            Self::Named(named) => formatter.write_str(named.name),
            Self::Object(name) => formatter.write_str(name),
        }
    }
}

impl IntKind {
    /// The type's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

impl UintKind {
    /// The type's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

impl Kind {
    /// The name that `reflect.Kind` prints.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int(kind) => kind.as_str(),
            Self::Uint(kind) => kind.as_str(),
            Self::Float64 => "float64",
            Self::Func => "func",
            Self::Interface => "interface",
            Self::Map => "map",
            Self::Pointer => "ptr",
            Self::Slice => "slice",
            Self::String => "string",
            Self::Struct => "struct",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
