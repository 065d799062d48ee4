//! The functions that a caller adds to the language.

use crate::{Error, Exec, Twins, Type, Value};

/// A function of a [`Functions`] table. What the number means is the table's business; parsed templates hold it, so it
/// must mean the same for every table that a template is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// The parameters of a function or method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Types in order. With `variadic`, the last one is the type of each of the remaining arguments.
    pub params: &'static [Type],
    /// Whether the last parameter may be given any number of times, also none.
    pub variadic: bool,
}

impl Signature {
    /// A fixed number of parameters.
    #[must_use]
    pub const fn fixed(params: &'static [Type]) -> Self {
        Self { params, variadic: false }
    }

    /// The last parameter repeats.
    #[must_use]
    pub const fn variadic(params: &'static [Type]) -> Self {
        Self { params, variadic: true }
    }
}

/// The functions beside Go's own. They win over built-ins of the same name.
pub trait Functions {
    /// The function of this name. Asked while parsing.
    fn id(&self, name: &str) -> Option<FunctionId>;

    /// What the function takes. The executor checks number and types of arguments against it, with Go's wording, and
    /// reads constants as the parameter's type (`trunc 3.0` gives an `int`).
    fn signature(&self, id: FunctionId) -> &'static Signature;

    /// Calls the function. `args` fit the signature: a `String` parameter is a [`Value::Str`] or [`Value::Binary`], an
    /// `Int` one a [`Value::Int`], and so on; nil for an `interface {}` is [`Value::Nil`]; nil for a map or slice type
    /// is a nil one of that type. Trailing arguments of a variadic function follow one by one.
    ///
    /// # Errors
    /// What the Go function returns as its error (or panics with); printed as `error calling NAME: …`.
    fn call(&self, id: FunctionId, exec: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError>;

    /// How often a function has told the caller something beside its result.
    fn reports(&self) -> u64 {
        0
    }

    /// How the function is called in a run that is followed by another.
    fn twins(&self, id: FunctionId) -> Twins {
        let _ = id;
        Twins::Never
    }
}

/// Why a function failed: its message, and the template error below it if it ran a template.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    pub(crate) message: String,
    #[source]
    pub(crate) inner: Option<Error>,
    pub(crate) limit: bool,
}

impl FunctionError {
    /// A failure with this message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), inner: None, limit: false }
    }

    /// A failure because one of our own limits was passed; nothing catches it on the way up.
    #[must_use]
    pub fn limit(message: impl Into<String>) -> Self {
        Self { message: message.into(), inner: None, limit: true }
    }

    /// A failure below another template, in other words than that error's own (`errors.Wrap`).
    #[must_use]
    pub fn wrapping(message: impl Into<String>, inner: Error) -> Self {
        let limit = inner.is_limit();
        Self { message: message.into(), inner: Some(inner), limit }
    }

    /// Whether a limit of ours was passed.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.limit
    }

    /// The template error below.
    #[must_use]
    pub fn inner(&self) -> Option<&Error> {
        self.inner.as_ref()
    }
}

/// An included template failed: its words are kept.
impl From<Error> for FunctionError {
    fn from(error: Error) -> Self {
        Self::wrapping(error.to_string(), error)
    }
}

impl From<String> for FunctionError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for FunctionError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
