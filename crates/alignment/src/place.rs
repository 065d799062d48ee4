//! Symbolic places: where in what was rendered something is, before it is known which source bytes that came from.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;
use smol_str::SmolStr;
use source::Span;

/// Where a finding is. [`resolve`](crate::resolve) turns it into source spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The profile that the finding is about, if it is about one. An `ignore` entry can name it.
    pub profile: Option<Arc<str>>,
    pub at: At,
}

/// What a [`Place`] points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A value that a profile's rendering holds.
    Rendered(Rendered),
    /// Source bytes: release manifests, `collimate.yaml`, and whatever the engines named themselves.
    Source(Span),
    /// A whole file, or a path where nothing is.
    File(Utf8PathBuf),
    /// Nothing in a file.
    Nowhere,
}

/// A value in a rendering of the place's profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Index into the profile's variants.
    pub variant: usize,
    pub object: Object,
    pub path: Path,
    /// Byte range in the rendered scalar; the whole value if absent.
    pub range: Option<Range<usize>>,
}

/// Which object of a rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// The merged Compose project: paths start at its root.
    Compose,
    /// A Kubernetes document, by its index in the rendering.
    Document(usize),
}

/// Keys and indices from the root of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// One step of a [`Path`]. Most keys are short: paths are made for much that is looked at, and should cost little.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Key(SmolStr),
    Index(usize),
    /// A key itself, not what stands under it: the last step, where a name is what is wrong.
    Name(SmolStr),
}

impl Path {
    /// The path of the value under `key`.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(SmolStr::new(key)))
    }

    /// The path of the key itself.
    #[must_use]
    pub fn name(&self, key: &str) -> Self {
        self.then(Step::Name(SmolStr::new(key)))
    }

    /// The path of the item at `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The path of nested keys.
    #[must_use]
    pub fn keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key(SmolStr::new(key))).collect())
    }
}

/// `spec.containers[0].image`
impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) | Step::Name(key) if position == 0 => formatter.write_str(key)?,
                Step::Key(key) | Step::Name(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Where a walk stands: a path that is made only where something is found.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'t> {
    From(&'t Path),
    Key(&'t Self, &'t str),
    Index(&'t Self, usize),
}

impl Trail<'_> {
    /// To the value under `key`.
    pub(crate) fn key<'t>(&'t self, key: &'t str) -> Trail<'t> {
        Trail::Key(self, key)
    }

    /// To the item at `index`.
    pub(crate) fn index(&self, index: usize) -> Trail<'_> {
        Trail::Index(self, index)
    }

    /// The path to here.
    pub(crate) fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut at = self;
        loop {
            at = match at {
                Self::Key(above, key) => {
                    steps.push(Step::Key(SmolStr::new(key)));
                    *above
                }
                Self::Index(above, index) => {
                    steps.push(Step::Index(*index));
                    *above
                }
                Self::From(path) => {
                    steps.extend(path.0.iter().rev().cloned());
                    steps.reverse();
                    return Path(steps);
                }
            };
        }
    }
}

impl Place {
    /// Source bytes that belong to no single profile.
    #[must_use]
    pub fn source(span: Span) -> Self {
        Self { profile: None, at: At::Source(span) }
    }

    /// Source bytes, or nothing where an engine could not name any.
    #[must_use]
    pub fn maybe(span: Option<Span>) -> Self {
        Self { profile: None, at: span.map_or(At::Nowhere, At::Source) }
    }

    /// A whole file.
    #[must_use]
    pub fn file(path: impl Into<Utf8PathBuf>) -> Self {
        Self { profile: None, at: At::File(path.into()) }
    }

    /// The same place, as a place of this profile.
    #[must_use]
    pub fn of(self, profile: &str) -> Self {
        Self { profile: Some(Arc::from(profile)), ..self }
    }
}
