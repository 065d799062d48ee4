//! Values as templates see them.
//!
//! Maps have reference semantics: a clone is the same map, and `insert` is seen by everyone who holds it (sprig's `set`).
//! Lists cannot be changed in place by any template function, so they are immutable and shared. Values never leave a
//! rendering: they are counted by `Rc` and are not `Send`.

use std::borrow::Cow;
use std::rc::Rc;

use source::{Text, octets};

use crate::types::{IntKind, Kind, Type, UintKind};
use crate::{List, Map, Object, Twin};

/// Any Go value that a template can hold.
#[derive(Clone)]
pub enum Value {
    /// An untyped nil, also a nil that stands in an `interface {}` element.
    Nil,
    Bool(bool),
    Int(IntKind, i64),
    Uint(UintKind, u64),
    /// `float64`
    Float(f64),
    /// A `string` that is UTF-8.
    Str(Text),
    /// A `string` whose bytes are not UTF-8, such as a decoded key store. Make it by [`Value::string_from_bytes`].
    Binary(Rc<[u8]>),
    /// A `[]uint8`.
    Bytes(Rc<[u8]>),
    List(List),
    Map(Map),
    /// Everything that has methods or fields, and defined types: times, versions, errors, charts.
    Object(Rc<dyn Object>),
    /// What is not the same in two runs at once; made by [`Value::twin`], and there is none in any other run. Functions are never given one to look at.
    Twin(Rc<Twin>),
}

impl Value {
    /// A Go `int`.
    #[must_use]
    pub fn int(value: i64) -> Self {
        Self::Int(IntKind::Int, value)
    }

    /// A Go `int64`.
    #[must_use]
    pub fn int64(value: i64) -> Self {
        Self::Int(IntKind::Int64, value)
    }

    /// A Go `string` without trace.
    #[must_use]
    pub fn string(value: impl Into<Text>) -> Self {
        Self::Str(value.into())
    }

    /// A Go `string` of any bytes.
    #[must_use]
    pub fn string_from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(string) => Self::Str(Text::from(string)),
            Err(error) => Self::Binary(Rc::from(error.into_bytes())),
        }
    }

    /// A Go `string` of a text in which marks stand for bytes that are not UTF-8, as printing makes it; see [`octets`].
    #[must_use]
    pub fn string_from_marked(text: Text) -> Self {
        match octets::first_mark(&text) {
            None => Self::Str(text),
            Some(_) => Self::string_from_bytes(octets::unmarked(&text).into_owned()),
        }
    }

    /// A `[]interface {}`.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A `[]string`.
    #[must_use]
    pub fn strings(items: impl IntoIterator<Item = Text>) -> Self {
        Self::List(List::typed(Type::STRINGS, items.into_iter().map(Self::Str).collect()))
    }

    /// A `map[string]interface {}`.
    #[must_use]
    pub fn map(entries: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::Map(entries.into_iter().collect())
    }

    /// An object.
    #[must_use]
    pub fn object(object: impl Object) -> Self {
        Self::Object(Rc::new(object))
    }

    /// The Go type; `None` for an untyped nil and for objects (they only have a name: [`Value::type_name`]).
    #[must_use]
    pub fn go_type(&self) -> Option<Type> {
        match self {
            Self::Nil | Self::Object(_) => None,
            Self::Bool(_) => Some(Type::Bool),
            Self::Int(kind, _) => Some(Type::Int(*kind)),
            Self::Uint(kind, _) => Some(Type::Uint(*kind)),
            Self::Float(_) => Some(Type::Float64),
            Self::Str(_) | Self::Binary(_) => Some(Type::String),
            Self::Bytes(_) => Some(Type::BYTES),
            Self::List(list) => Some(list.go_type()),
            Self::Map(map) => Some(map.go_type()),
            Self::Twin(twin) => twin.first.go_type(),
        }
    }

    /// What `%T` prints: `map[string]interface {}`, `*semver.Version`; `<nil>` for an untyped nil.
    #[must_use]
    pub fn type_name(&self) -> Cow<'static, str> {
        match (self, self.go_type()) {
            (Self::Object(object), _) => object.type_name(),
            (_, Some(Type::String)) => Cow::Borrowed("string"),
            (_, Some(go_type)) => Cow::Owned(go_type.to_string()),
            (_, None) => Cow::Borrowed("<nil>"),
        }
    }

    /// What `reflect.ValueOf(x).Kind()` gives: [`Kind::Invalid`] for an untyped nil.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (self, self.go_type()) {
            (Self::Object(object), _) => object.kind(),
            (_, Some(go_type)) => go_type.kind(),
            (_, None) => Kind::Invalid,
        }
    }

    /// Whether `if` takes it: not nil, not zero, not empty; a struct is always true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(_, value) => *value != 0,
            Self::Uint(_, value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Binary(bytes) | Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => match object.underlying() {
                Some(value) => value.is_true(),
                None => !object.is_nil(),
            },
            Self::Twin(twin) => twin.first.is_true(),
        }
    }

    /// Whether it is a nil: untyped, or a nil list, map or pointer.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            Self::Object(object) => object.is_nil(),
            _ => false,
        }
    }

    /// The text of a `string` that is UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of any `string` (not of a `[]uint8`).
    #[must_use]
    pub fn string_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(text) => Some(text.as_bytes()),
            Self::Binary(bytes) => Some(bytes),
            Self::Twin(twin) => twin.first.string_bytes(),
            _ => None,
        }
    }

    /// The list, also of an object whose underlying type is a slice.
    #[must_use]
    pub fn as_list(&self) -> Option<List> {
        match self {
            Self::List(list) => Some(list.clone()),
            Self::Bytes(bytes) => {
                let items = bytes.iter().map(|byte| Self::Uint(UintKind::Uint8, u64::from(*byte))).collect();
                Some(List::typed(Type::BYTES, items))
            }
            Self::Object(object) => object.underlying().and_then(|value| value.as_list()),
            _ => None,
        }
    }

    /// The map, also of an object whose underlying type is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<Map> {
        match self {
            Self::Map(map) => Some(map.clone()),
            Self::Object(object) => object.underlying().and_then(|value| value.as_map()),
            _ => None,
        }
    }

    /// The object, if it is one of this Rust type.
    #[must_use]
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => {
                let object: &dyn std::any::Any = object.as_ref();
                object.downcast_ref::<T>()
            }
            _ => None,
        }
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Str(text)
    }
}

impl From<&str> for Value {
    fn from(string: &str) -> Self {
        Self::Str(Text::from(string))
    }
}

impl From<String> for Value {
    fn from(string: String) -> Self {
        Self::Str(Text::from(string))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
