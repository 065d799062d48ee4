//! Parsed templates by name.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use source::Text;

use crate::parse::{self, Tree};
use crate::{Error, Functions};

/// One parsed template. Cloning is cheap; `Send` and `Sync`.
#[derive(Clone)]
pub struct Template(pub(crate) Arc<Tree>);

impl Template {
    /// The template's own name: that of its file, or of its `define`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Tells templates apart as long as they live; of no other meaning.
    #[must_use]
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// Templates that can call each other by name. `Send` and `Sync`; parsed once and run many times, by many threads.
///
/// A clone is cheap and independent: what is parsed into it is not seen by the original (Go's `Template.Clone`).
#[derive(Clone, Default)]
pub struct TemplateSet {
    top: Arc<Layer>,
}

/// What was parsed since the last clone, over what was there before.
#[derive(Default)]
struct Layer {
    below: Option<Arc<Self>>,
    trees: HashMap<Arc<str>, Template, RandomState>,
}

impl TemplateSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a text under a name, with all `define`s in it. A template that was there before is replaced, unless the
    /// new one is blank. Gives the template of the text itself, whether or not it replaced one.
    ///
    /// `text` may be traced (`Text::exact(content, Span::new(file, 0..len))`): then errors carry spans, and a traced run
    /// knows where literals come from. Names of functions are looked up here, in `functions`, then among Go's own.
    ///
    /// # Errors
    /// What Go's parser refuses, in its words (`template: x:3: unexpected "}" in operand`), and passing a nesting limit.
    pub fn parse(&mut self, name: &str, text: &Text, functions: &dyn Functions) -> Result<Template, Error> {
        let parsed = parse::parse(name, text, functions)?;
        let main = parsed.main;
        for tree in parsed.trees {
            let replaces = !tree.is_blank || self.lookup(&tree.name).is_none();
            if replaces {
                self.add(Template(tree));
            }
        }
        Ok(Template(main))
    }

    fn add(&mut self, template: Template) {
        let name = Arc::clone(&template.0.name);
        if Arc::get_mut(&mut self.top).is_none() {
            let below = Some(Arc::clone(&self.top));
            self.top = Arc::new(Layer { below, trees: HashMap::default() });
        }
        if let Some(top) = Arc::get_mut(&mut self.top) {
            top.trees.insert(name, template);
        }
    }

    /// The template of this name.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<&Template> {
        let mut layer = Some(&self.top);
        while let Some(this) = layer {
            if let Some(template) = this.trees.get(name) {
                return Some(template);
            }
            layer = this.below.as_ref();
        }
        None
    }

    /// All names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut layer = Some(&self.top);
        while let Some(this) = layer {
            names.extend(this.trees.keys().map(|name| &**name));
            layer = this.below.as_ref();
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}
