//! Edits of scalars: what is not refused reads again, has the new text in its place, and is otherwise what it was.
//!
//! The input is the new text, a NUL, and the document. Every scalar of the document is edited in turn.

use source::FileId;
use yamlspan::{Dialect, Kind, NodeRef, edit, parse};

const FILE: FileId = FileId(0);

/// Editing each scalar means two parses for each: the fuzzer finds the same in fewer.
const MOST_SCALARS: usize = 12;

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    let (wanted, document) = crate::split(&text);
    for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV4] {
        let Ok(documents) = parse(document, FILE, dialect) else { continue };
        let mut scalars = Vec::new();
        for document in &documents {
            collect(document.root(), &mut scalars);
        }
        for (at, node) in scalars.iter().enumerate() {
            let Ok(edited) = edit::replace_scalars(&[(*node, wanted)]) else { continue };
            let range = node.span().range();
            let (before, after) = (&document[..range.start], &document[range.end..]);
            assert!(edited.starts_with(before) && edited.ends_with(after), "more than the span changed:\n{edited}");
            let again = parse(edited.as_str(), FILE, dialect).expect("an edited text reads again");
            let mut now = Vec::new();
            for document in &again {
                collect(document.root(), &mut now);
            }
            assert_eq!(now.len(), scalars.len(), "{edited}");
            for (other, (old, new)) in scalars.iter().zip(&now).enumerate() {
                let expected = if other == at { wanted } else { old.raw() };
                assert_eq!(new.raw(), expected, "{edited}");
            }
        }
    }
}

fn collect<'d>(node: NodeRef<'d>, into: &mut Vec<NodeRef<'d>>) {
    if into.len() == MOST_SCALARS {
        return;
    }
    match node.kind() {
        Kind::Scalar => into.push(node),
        Kind::Sequence => node.items().for_each(|item| collect(item, into)),
        Kind::Mapping => node.entries().for_each(|(key, value)| {
            collect(key, into);
            collect(value, into);
        }),
        Kind::Alias => {}
    }
}
