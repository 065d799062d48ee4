//! What a render gives.

use std::sync::Arc;

use source::{Span, Text, TextBuf};

use crate::manifests::split;
use crate::path_match::path_match;
use crate::{Error, ErrorKind, HelmVersion};

/// One document that a template printed.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The template, such as `stellaops/templates/authority.yaml`; for subcharts `parent/charts/child/templates/x.yaml`.
    pub template: String,
    /// The document as printed, without separators and without blanks around it.
    pub text: Text,
    /// The document, parsed once. Its spans are byte offsets in `text`; `None` where the text holds only comments.
    pub document: Option<Arc<yamlspan::Document>>,
    pub api_version: String,
    pub kind: String,
    pub name: String,
    /// `metadata.namespace`, empty where the document names none.
    pub namespace: String,
    /// What the `helm.sh/hook` annotation lists, lower case; empty for a plain manifest.
    pub hook_events: Vec<String>,
}

impl Manifest {
    /// Whether this is a hook.
    #[must_use]
    pub fn is_hook(&self) -> bool {
        !self.hook_events.is_empty()
    }

    /// Whether this runs for `helm test`.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.hook_events.iter().any(|event| event == "test" || event == "test-success")
    }
}

/// A rendered chart.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Plain manifests in install order. With `include_crds`, the chart's CRDs are not among these: see `crds`.
    pub manifests: Vec<Manifest>,
    /// Hooks in install order.
    pub hooks: Vec<Manifest>,
    /// The chart's `crds/` files and their text, in the order printed, if asked for.
    pub crds: Vec<(String, Text)>,
    /// `NOTES.txt`, if the chart has one.
    pub notes: Option<Text>,
    /// What Helm logs to stderr, one entry per line.
    pub warnings: Vec<String>,
    /// Calls of functions whose result differs from run to run, with the place of the call.
    pub nondeterministic: Vec<(String, Option<Span>)>,
    pub(crate) no_hooks: bool,
    pub(crate) skip_tests: bool,
}

impl Rendered {
    /// What `helm template` prints to stdout, byte for byte.
    #[must_use]
    pub fn output(&self) -> Text {
        let mut plain = TextBuf::new();
        for (path, text) in &self.crds {
            push(&mut plain, path, text);
        }
        for manifest in &self.manifests {
            push(&mut plain, &manifest.template, &manifest.text);
        }
        let mut out = TextBuf::new();
        out.push(&plain.finish().trimmed(str::trim));
        out.push_str("\n");
        if !self.no_hooks {
            for hook in self.hooks.iter().filter(|hook| !(self.skip_tests && hook.is_test())) {
                push(&mut out, &hook.template, &hook.text);
            }
        }
        out.finish()
    }

    /// What `helm template --show-only` prints: the documents whose path below the chart matches a pattern, in the order of
    /// the patterns.
    ///
    /// # Errors
    /// Where a pattern matches nothing.
    pub fn output_of(&self, patterns: &[String], helm: HelmVersion) -> Result<Text, Error> {
        let documents = split(&self.output(), helm);
        let mut out = TextBuf::new();
        for pattern in patterns {
            let mut missing = true;
            for document in &documents {
                let Some(path) = source_path(document) else { continue };
                if path_match(pattern, path) == Ok(true) {
                    missing = false;
                    out.push_str("---\n");
                    out.push(document);
                    out.push_str("\n");
                }
            }
            if missing {
                return Err(Error::new(ErrorKind::Manifest, format!("could not find template {pattern} in chart")));
            }
        }
        Ok(out.finish())
    }
}

fn push(out: &mut TextBuf, path: &str, text: &Text) {
    out.push_str("---\n# Source: ");
    out.push_str(path);
    out.push_str("\n");
    out.push(text);
    out.push_str("\n");
}

/// What follows the chart's name in the first `# Source:` comment.
fn source_path(document: &str) -> Option<&str> {
    document.split("# Source: ").skip(1).find_map(|rest| {
        let line = rest.split('\n').next()?;
        let (chart, path) = line.split_once('/')?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}
