//! Charts: loading, values, functions, render and lint as Helm does.
//!
//! Start with [`Chart::load`], then [`render`] and [`lint`]. The target is the observable behaviour of Helm 3.22 and, by
//! [`HelmVersion`], Helm 4.3. This crate knows nothing of Compose, releases or the terminal.

mod chart;
mod context;
mod engine;
mod error;
mod functions;
mod glob;
mod graph;
mod ignore;
mod lint;
mod manifests;
mod metadata;
mod objects;
mod options;
mod order;
mod path_match;
mod render;
mod rendered;
mod values;
mod values_type;
mod version;
mod yaml;

pub use chart::Chart;
pub use error::{Error, ErrorKind};
pub use gotemplate::limits::LARGE_STACK;
pub use gotemplate::{Limits, on_large_stack, stack_is_large};
pub use lint::{Lint, LintMessage, LintSeverity, LintTexts, lint, lint_path, lint_texts};
pub use options::{RenderOptions, SetValue};
pub use render::{render, render_to_lint};
pub use rendered::{Manifest, Rendered};
pub use values::set_files;
pub use version::HelmVersion;
