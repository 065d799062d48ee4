//! Which rendered values hold bytes of a source place: what changes with it.

use composefile::{Node, Value};
use source::{Span, Text};
use yamlspan::{Kind, NodeRef};

use crate::inputs::{Profile, Rendering};
use crate::place::{Object, Path, Rendered, Trail};

/// Every value, or key, of a traced profile that holds bytes of `span` or was made from them, with its text. What a template decides by them
/// leaves no trace.
#[must_use]
pub fn made_from(traced: &Profile, span: Span) -> Vec<(Rendered, Text)> {
    let root = Path::default();
    let mut found = Search { span, variant: 0, object: Object::Compose, places: Vec::new() };
    for (variant, rendered) in traced.variants.iter().enumerate() {
        found.variant = variant;
        match &rendered.rendering {
            Ok(Rendering::Compose(compose)) => {
                found.object = Object::Compose;
                found.compose(&compose.all.root, Trail::From(&root));
            }
            Ok(Rendering::Kubernetes(kubernetes)) => {
                for (index, document) in kubernetes.documents.iter().enumerate() {
                    found.object = Object::Document(index);
                    found.kubernetes(document.document.root(), &document.text, Trail::From(&root));
                }
            }
            Err(_) => {}
        }
    }
    found.places
}

struct Search {
    span: Span,
    variant: usize,
    object: Object,
    places: Vec<(Rendered, Text)>,
}

impl Search {
    fn look(&mut self, text: &Text, trail: Trail<'_>) {
        let touches =
            |span: &Span| span.file == self.span.file && span.start < self.span.end && self.span.start < span.end;
        if text.segments().iter().any(|segment| segment.origin.spans().iter().any(touches)) {
            let place = Rendered { variant: self.variant, object: self.object, path: trail.path(), range: None };
            if !self.places.iter().any(|(known, _)| *known == place) {
                self.places.push((place, text.clone()));
            }
        }
    }

    fn compose(&mut self, node: &Node, trail: Trail<'_>) {
        match &node.value {
            Value::Map(map) => {
                for (key, node) in map.iter() {
                    let trail = trail.key(key);
                    self.look(key, trail);
                    self.compose(node, trail);
                }
            }
            Value::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.compose(item, trail.index(index));
                }
            }
            _ => {
                if let Some(text) = node.as_text() {
                    self.look(text, trail);
                }
            }
        }
    }

    fn kubernetes(&mut self, node: NodeRef<'_>, text: &Text, trail: Trail<'_>) {
        match node.kind() {
            Kind::Scalar => self.look(&node.text(text), trail),
            // What it stands for is found where it stands.
            Kind::Alias => {}
            Kind::Sequence => {
                for (index, item) in node.items().enumerate() {
                    self.kubernetes(item, text, trail.index(index));
                }
            }
            Kind::Mapping => {
                for (key, value) in node.entries() {
                    let trail = trail.key(key.raw());
                    self.look(&key.text(text), trail);
                    self.kubernetes(value, text, trail);
                }
            }
        }
    }
}
