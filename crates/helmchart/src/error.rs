//! Why a chart could not be loaded or rendered, in Helm's words.

use camino::Utf8Path;
use source::Span;

/// A failure of loading or rendering. `Display` is what Helm prints after `Error: `.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    hint: bool,
}

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The chart's files are missing or malformed.
    Load,
    /// A dependency is not in `charts/`.
    Dependency,
    /// The release name, a values file or a `--set` value is malformed.
    Values,
    /// The values do not meet a `values.schema.json`.
    Schema,
    /// The chart refuses this Kubernetes version.
    KubeVersion,
    /// A template does not parse.
    Parse,
    /// A template failed while it ran (this includes `fail` and `required`).
    Execute,
    /// A template printed something that is not YAML.
    Manifest,
    /// One of this program's own limits was passed.
    Limit,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), span: None, hint: false }))
    }

    #[must_use]
    pub(crate) fn at(mut self, span: Option<Span>) -> Self {
        self.0.span = self.0.span.or(span);
        self
    }

    /// Prefixes the message, as Go's `errors.Wrap` does.
    #[must_use]
    pub(crate) fn wrap(mut self, outer: &str) -> Self {
        self.0.message = format!("{outer}: {}", self.0.message);
        self
    }

    /// Marks an error that came up after rendering began: `helm template` adds a hint to these.
    #[must_use]
    pub(crate) fn while_rendering(mut self) -> Self {
        self.0.hint = true;
        self
    }

    /// The step that failed.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The place of the cause, where one is known.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The command that brings what is missing, where one does. `chart`: how the caller names the chart's folder.
    #[must_use]
    pub fn way_out(&self, chart: &Utf8Path) -> Option<String> {
        (self.kind() == ErrorKind::Dependency).then(|| format!("run `helm dependency build {chart}`"))
    }

    /// What `helm template` prints to stderr, with the last line end.
    #[must_use]
    pub fn exit_text(&self) -> String {
        let hint = if self.0.hint { "\n\nUse --debug flag to render out invalid YAML" } else { "" };
        format!("Error: {}{hint}\n", self.0.message)
    }
}
